//! npm registries and sparse indexes whose answers are wrong, by mistake or on purpose.

use crate::hostile_answers::gzip_of_spaces;
use crate::scene::{javascript, krate, listing, release, start, versions};
use axum::Router;
use axum::body::Body;
use futures_util::{StreamExt as _, stream};
use mass_driver::domain::PackageId;
use mass_driver::registries::{Answer, FoundRelease, Limits, Registries, RegistryError, RegistrySettings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wiremock::matchers::{any, header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A server that gives one answer to everything.
async fn always(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// Both kinds of index at one address.
fn indexes_at(url: &str, limits: Limits) -> Registries {
    let (npm_url, cargo_url) = (Some(url.to_owned()), Some(url.to_owned()));
    Registries::new(&RegistrySettings { npm_url, cargo_url, limits, ..RegistrySettings::default() }).unwrap()
}

async fn ask(body: impl Into<Vec<u8>>, package: PackageId) -> Result<Answer, RegistryError> {
    let server = always(ResponseTemplate::new(200).set_body_raw(body, "application/json")).await;
    indexes_at(&server.uri(), Limits::default()).releases(&package, None).await
}

async fn packument(document: &Value) -> Result<Answer, RegistryError> {
    ask(document.to_string(), javascript("x")).await
}

fn is_protocol(answer: Result<Answer, RegistryError>) -> String {
    match answer {
        Err(error @ RegistryError::Protocol { .. }) => error.to_string(),
        other => panic!("expected a protocol error, got {other:?}"),
    }
}

#[tokio::test]
async fn versions_of_a_packument_that_are_none_are_skipped() {
    let forty_digits = format!("{}.0.0", "9".repeat(40));
    let document = json!({
        "versions": {
            "1.0.0": {}, "1.1.0": 7, "1.2.0": null, "1.3.0": [[{}]], "1.4.0": "text", "1.5.0": -1.5, "1.6.0": true,
            "2.0.0": {"deprecated": [1], "dependencies": 5}, "3.0\u{202e}": {}, "3 0": {}, "": {},
            "4".repeat(129): {}, forty_digits.clone(): {},
        },
        "time": {"1.0.0": "2026-01-01T00:00:00.000Z", "2.0.0": "0001-01-01T00:00:00Z", "created": 5},
    });
    let mut found = listing(packument(&document).await).releases;
    found.sort_by(|a, b| a.version.cmp(&b.version));
    let yanked = FoundRelease { yanked: true, ..release("2.0.0", None) };
    assert_eq!(found, [release("1.0.0", Some(start())), yanked, release(&forty_digits, None)]);
}

/// The versions of a packument that are not above its latest, with these `dist-tags`, which may come before or after what they
/// are about.
async fn versions_with_tags(tags: &str) -> Vec<String> {
    let tags = format!(r#""dist-tags": {tags}"#);
    let all = r#""versions": {"1.0.0": {}, "1.1.0": {}, "2.0.0-rc.1": {}, "2.0.0": {"deprecated": "x"}, "1.10.0": {},
        "1.9.0+b": {}, "odd": {}}"#;
    let first = listing(ask(format!("{{{tags}, {all}}}"), javascript("x")).await);
    let last = listing(ask(format!("{{{all}, {tags}}}"), javascript("x")).await);
    assert_eq!(first, last, "{tags}");
    first.releases.into_iter().filter(|release| !release.above_latest).map(|release| release.version).collect()
}

#[tokio::test]
async fn a_tag_counts_where_it_names_a_version_that_is_there() {
    let all = ["1.0.0", "1.1.0", "2.0.0-rc.1", "2.0.0", "1.10.0", "1.9.0+b", "odd"];
    let latest =
        async |version: &str| versions_with_tags(&json!({"next": "1.0.0", "latest": version}).to_string()).await;
    assert_eq!(latest("1.1.0").await, ["1.0.0", "1.1.0", "odd"]);
    assert_eq!(latest("1.10.0").await, ["1.0.0", "1.1.0", "1.10.0", "1.9.0+b", "odd"]);
    assert_eq!(latest("2.0.0-rc.1").await, ["1.0.0", "1.1.0", "2.0.0-rc.1", "1.10.0", "1.9.0+b", "odd"]);
    assert_eq!(latest("2.0.0").await, all);
    for says_nothing in ["0.9.0", "3.0.0", "odd", "", "latest"] {
        assert_eq!(latest(says_nothing).await, all, "{says_nothing}");
    }
    for tags in ["null", "[]", r#""1.0.0""#, "7", "{}", r#"{"latest": null}"#, r#"{"latest": {"a": "1.0.0"}}"#] {
        assert_eq!(versions_with_tags(tags).await, all, "{tags}");
    }
}

#[tokio::test]
async fn an_outline_that_is_another_is_a_protocol_error() {
    for outline in [
        json!([]),
        json!("x"),
        json!({}),
        json!({"error": "no such package"}),
        json!({"versions": ["1.0.0"]}),
        json!({"versions": "1.0.0"}),
        json!({"versions": {"1.0.0": 1, "2.0.0": []}}),
    ] {
        is_protocol(packument(&outline).await);
    }
    for text in ["", "{", "<html>", "{\"versions\": {\"1.0.0\": {}}} and more", "\u{0}"] {
        is_protocol(ask(text, javascript("x")).await);
        is_protocol(ask(text, krate("serde")).await);
    }
}

#[tokio::test]
async fn what_is_deep_is_passed_over_or_refused_and_breaks_nothing() {
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    let beside = format!("{{\"readme\": {deep}, \"versions\": {{\"1.0.0\": {{\"dist\": {deep}}}}}}}");
    assert_eq!(versions(ask(beside, javascript("x")).await), ["1.0.0"], "where nobody looks");
    for inside in [
        format!("{{\"versions\": {deep}}}"),
        format!("{{\"versions\": {{\"1.0.0\": {{\"deprecated\": {deep}}}}}}}"),
        deep.clone(),
    ] {
        is_protocol(ask(inside, javascript("x")).await);
    }
    let line = format!("{{\"vers\": \"1.0.0\", \"features\": {deep}}}\n{{\"vers\": {deep}}}\n{deep}\n");
    assert_eq!(versions(ask(line, krate("serde")).await), ["1.0.0"]);
}

#[tokio::test]
async fn more_releases_than_any_package_has_are_refused() {
    let versions = (0..50_001).map(|n| format!("\"1.0.{n}\":{{}}")).collect::<Vec<_>>().join(",");
    let error = is_protocol(ask(format!("{{\"versions\": {{{versions}}}}}"), javascript("x")).await);
    assert!(error.contains("more than 50000 entries"), "{error}");
    let times = (0..100_001).map(|n| format!("\"1.0.{n}\":1")).collect::<Vec<_>>().join(",");
    let error = is_protocol(ask(format!("{{\"time\": {{{times}}}}}"), javascript("x")).await);
    assert!(error.contains("more than 100000 entries"), "{error}");
    let lines: String = (0..50_001).map(|n| format!("{{\"vers\":\"1.0.{n}\"}}\n")).collect();
    let error = is_protocol(ask(lines, krate("serde")).await);
    assert!(error.contains("more than 50000 lines"), "{error}");
}

#[tokio::test]
async fn one_version_named_ten_thousand_times_is_one() {
    let versions_of = (0..10_000).map(|_| "\"1.0.0\":{}".to_owned()).collect::<Vec<_>>().join(",");
    assert_eq!(versions(ask(format!("{{\"versions\": {{{versions_of}}}}}"), javascript("x")).await), ["1.0.0"]);
    let lines = "{\"vers\":\"1.0.0\"}\n".repeat(10_000) + "{\"vers\":\"1.0.0\",\"yanked\":true}\n";
    let found = listing(ask(lines, krate("serde")).await).releases;
    assert_eq!(
        found,
        [FoundRelease { yanked: true, ..release("1.0.0", None) }],
        "one line that takes it back is enough"
    );
}

#[tokio::test]
async fn texts_of_many_megabytes_are_no_versions() {
    let long = "9".repeat(8 * 1024 * 1024);
    let document =
        json!({"versions": {"1.0.0": {"deprecated": long}, long.clone(): {}}, "time": {"1.0.0": long}, "x": long});
    let found = listing(packument(&document).await).releases;
    assert_eq!(found, [FoundRelease { yanked: true, ..release("1.0.0", None) }]);
    let lines = format!("{{\"vers\":\"{long}\"}}\n{{\"vers\":\"1.0.0\",\"pubtime\":\"{long}\"}}\n");
    assert_eq!(versions(ask(lines, krate("serde")).await), ["1.0.0"]);
}

#[tokio::test]
async fn a_body_without_end_is_given_up_at_the_cap() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let app = Router::new().fallback(move || {
        let counted = Arc::clone(&counted);
        async move {
            // A text in a place that is passed over: nothing is wrong with it but that it does not end.
            let begin = stream::iter([b"{\"readme\": \"".to_vec()]);
            let endless = stream::repeat_with(move || {
                counted.fetch_add(64 * 1024, Ordering::SeqCst);
                vec![b'x'; 64 * 1024]
            });
            Body::from_stream(begin.chain(endless).map(Ok::<_, std::io::Error>))
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let limits = Limits { packument_bytes: 1 << 20, body_bytes: 1 << 20, ..Limits::default() };
    let registries = indexes_at(&url, limits);
    for package in [javascript("x"), krate("serde")] {
        let error = is_protocol(registries.releases(&package, None).await);
        assert!(error.contains("larger than 1048576 bytes"), "{error}");
    }
    // What the sockets hold is on its way already; a client that went on would have taken all of the time there is.
    assert!(sent.load(Ordering::SeqCst) < 256 << 20);
}

#[tokio::test]
async fn lines_of_an_index_that_are_none_are_skipped() {
    let lines = [
        json!({"name": "serde", "vers": "1.0.0", "yanked": false, "pubtime": "2026-01-01T00:00:00Z", "cksum": "c"}),
        json!({"vers": "1.0.1", "yanked": null, "pubtime": 1_767_225_600}),
        json!({"vers": "1.0.2", "yanked": "why", "pubtime": "tomorrow"}),
        json!({"vers": "1.0.3", "v": 2, "features2": {}}),
        json!({"vers": "1.0.4", "v": 3}),
        json!({"vers": "1.0.5", "v": "x"}),
        json!({"vers": 5}),
        json!({"vers": "1 0"}),
        json!({"vers": null}),
        json!(["1.0.6"]),
        json!(7),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let text = format!("\n\n{text}{{\"vers\": \"1.0.7\"\n\u{feff}{{\"vers\": \"1.0.8\"}}\n");
    let found = listing(ask(text, krate("serde")).await).releases;
    let yanked = FoundRelease { yanked: true, ..release("1.0.2", None) };
    let expected = [release("1.0.0", Some(start())), release("1.0.1", None), yanked, release("1.0.3", None)];
    assert_eq!(found, expected, "a form of lines that we do not know is passed over, as Cargo does");
    is_protocol(ask("{\"versions\": {}}\n7\n", krate("serde")).await);
}

#[tokio::test]
async fn a_small_answer_that_decompresses_to_a_huge_one_is_cut_off() {
    let bomb = gzip_of_spaces(64 * 1024 * 1024);
    let answer = ResponseTemplate::new(200).insert_header("content-encoding", "gzip");
    let server = always(answer.set_body_raw(bomb, "application/json")).await;
    let limits = Limits { packument_bytes: 32 << 20, ..Limits::default() };
    let registries = indexes_at(&server.uri(), limits);
    for package in [javascript("x"), krate("serde")] {
        let error = is_protocol(registries.releases(&package, None).await);
        assert!(error.contains("larger than 33554432 bytes"), "{error}");
    }
}

#[tokio::test]
async fn not_modified_is_believed_only_when_it_was_asked() {
    let server = always(ResponseTemplate::new(304)).await;
    let registries = indexes_at(&server.uri(), Limits::default());
    for package in [javascript("x"), krate("serde")] {
        let reader = if package == javascript("x") { "npm/2" } else { "cargo-index/1" };
        let etag = format!("{reader} W/\"a\"");
        assert_eq!(registries.releases(&package, Some(&etag)).await.unwrap(), Answer::NotModified);
        is_protocol(registries.releases(&package, None).await);
    }
}

#[tokio::test]
async fn credentials_open_an_index_and_are_never_shown() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(json!({"versions": {"1.0.0": {}}}).to_string(), "a/b");
    let secret = "Basic Ym90OnMzY3JldA==";
    Mock::given(header("authorization", secret)).and(path("/x")).respond_with(answer).mount(&server).await;
    let lines = ResponseTemplate::new(200).set_body_string("{\"vers\":\"1.0.0\"}\n");
    Mock::given(header("authorization", secret)).and(path("/se/rd/serde")).respond_with(lines).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(401)).mount(&server).await;
    let url = format!("http://bot:s3cret@{}/", server.address());
    let settings = RegistrySettings {
        npm_url: Some(url.clone()),
        cargo_url: Some(format!(" sparse+{url}")),
        ..RegistrySettings::default()
    };
    let registries = Registries::new(&settings).unwrap();
    for package in [javascript("x"), krate("serde")] {
        assert_eq!(versions(registries.releases(&package, None).await), ["1.0.0"]);
    }
    let shown = format!("{settings:?}");
    assert!(!shown.contains("s3cret") && shown.contains(&server.address().to_string()), "{shown}");
    for package in [javascript("x"), krate("serde")] {
        let error = indexes_at(&server.uri(), Limits::default()).releases(&package, None).await.unwrap_err();
        assert!(matches!(error, RegistryError::Denied { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_token_is_sent_as_the_client_of_the_registry_sends_it() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_string(json!({"versions": {"1.0.0": {}}}).to_string());
    Mock::given(header("authorization", "Bearer s3/cret")).and(path("/x")).respond_with(answer).mount(&server).await;
    let lines = ResponseTemplate::new(200).set_body_string("{\"vers\":\"1.0.0\"}\n");
    Mock::given(header("authorization", "s3/cret")).and(path("/se/rd/serde")).respond_with(lines).mount(&server).await;
    let url = format!("http://s3%2Fcret@{}/", server.address());
    let registries = indexes_at(&url, Limits::default());
    for package in [javascript("x"), krate("serde")] {
        assert_eq!(versions(registries.releases(&package, None).await), ["1.0.0"]);
    }
}
