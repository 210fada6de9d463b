//! Registries whose answers are wrong, by mistake or on purpose.

use crate::scene::{image, listing, python, release, start, versions};
use axum::Router;
use mass_driver::registries::{Answer, FoundRelease, Limits, Registries, RegistryError, RegistrySettings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Barrier;
use wiremock::matchers::{any, method, path, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

const SIMPLE: &str = "application/vnd.pypi.simple.v1+json";

/// A server that gives one answer to everything.
async fn always(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn json_of(kind: &str, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.to_string(), kind)
}

fn deps_dev(server: &MockServer) -> Registries {
    let settings = RegistrySettings { deps_dev_url: Some(server.uri()), ..RegistrySettings::default() };
    Registries::new(&settings).unwrap()
}

fn index(server: &MockServer) -> Registries {
    let pypi_url = Some(format!("{}/simple/", server.uri()));
    Registries::new(&RegistrySettings { pypi_url, ..RegistrySettings::default() }).unwrap()
}

fn registry(server: &MockServer) -> Registries {
    Registries::new(&RegistrySettings { docker_url: Some(server.uri()), ..RegistrySettings::default() }).unwrap()
}

fn is_protocol(answer: Result<Answer, RegistryError>) -> String {
    match answer {
        Err(error @ RegistryError::Protocol { .. }) => error.to_string(),
        other => panic!("expected a protocol error, got {other:?}"),
    }
}

#[tokio::test]
async fn entries_of_wrong_types_are_skipped_and_wrong_times_are_no_times() {
    let version =
        |version: Value, published_at: Value| json!({"versionKey": {"version": version}, "publishedAt": published_at});
    let forty_digits = "9".repeat(40);
    let server = always(json_of(
        "application/json",
        &json!({"versions": [
            7, null, [], {}, {"versionKey": 3}, version(json!(5), json!("2026-01-01T00:00:00Z")),
            version(json!("1.0"), json!("2026-01-01T00:00:00Z")),
            version(json!("1.1"), json!("yesterday")),
            version(json!("1.2"), json!(1_767_225_600)),
            version(json!("1.3"), json!("99999-01-01T00:00:00Z")),
            version(json!("1.5"), json!("0001-01-01T00:00:00Z")),
            version(json!("1.6"), json!("1970-01-01T00:00:00Z")),
            version(json!(forty_digits), Value::Null),
            version(json!("1.4\u{202e}"), Value::Null), version(json!("1 5"), Value::Null), version(json!(""), Value::Null),
            version(json!("1".repeat(129)), Value::Null),
        ]}),
    ))
    .await;
    let found = listing(deps_dev(&server).releases(&python("x"), None).await).releases;
    let undated = |version: &str| release(version, None);
    let dateless = ["1.1", "1.2", "1.3", "1.5", "1.6", forty_digits.as_str()].map(undated);
    let expected: Vec<_> = [release("1.0", Some(start()))].into_iter().chain(dateless).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_outline_that_is_another_is_a_protocol_error() {
    let outlines = [
        json!([]),
        json!("x"),
        json!({}),
        json!({"versions": "1.0"}),
        json!({"versions": {"1.0": {}}}),
        json!({"versions": [1, 2]}),
    ];
    for outline in outlines {
        let server = always(json_of("application/json", &outline)).await;
        is_protocol(deps_dev(&server).releases(&python("x"), None).await);
    }
    let deep = format!("{{\"versions\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let server = always(ResponseTemplate::new(200).set_body_raw(deep, "application/json")).await;
    is_protocol(deps_dev(&server).releases(&python("x"), None).await);
}

#[tokio::test]
async fn more_releases_than_any_package_has_are_refused() {
    let versions: Vec<Value> = (0..100_000).map(|n| json!({"versionKey": {"version": format!("1.{n}")}})).collect();
    let server = always(json_of("application/json", &json!({"versions": versions}))).await;
    let error = is_protocol(deps_dev(&server).releases(&python("x"), None).await);
    assert!(error.contains("more than 50000 entries"), "{error}");
}

#[tokio::test]
async fn a_small_answer_that_decompresses_to_a_huge_one_is_cut_off() {
    let bomb = gzip_of_spaces(64 * 1024 * 1024);
    assert!(bomb.len() < 1024 * 1024);
    let answer = ResponseTemplate::new(200).insert_header("content-encoding", "gzip");
    let server = always(answer.set_body_raw(bomb, "application/json")).await;
    let error = is_protocol(deps_dev(&server).releases(&python("x"), None).await);
    assert!(error.contains("larger than 33554432 bytes"), "{error}");
}

/// A gzip file of that many spaces: one literal, then copies of the 258 bytes before, in fixed Huffman codes.
pub fn gzip_of_spaces(bytes: usize) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut bits = Vec::new();
    let mut push = |code: u32, length: u32| bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
    push(0b1, 1); // the last block,
    push(0b10, 2); // in fixed codes (01, least significant bit first)
    push(0x30 + u32::from(b' '), 8);
    for _ in 0..bytes / 258 {
        push(0b1100_0101, 8); // length 258
        push(0, 5); // distance 1
    }
    push(0, 7); // the end
    file.extend(
        bits.chunks(8).map(|byte| byte.iter().enumerate().fold(0, |sum, (at, bit)| sum | u8::from(*bit) << at)),
    );
    file
}

#[tokio::test]
async fn an_index_must_speak_json_of_a_version_we_know() {
    let page =
        |version: &str| json!({"meta": {"api-version": version}, "name": "x", "files": [{"filename": "x-1.0.tar.gz"}]});
    let cases = [
        ("text/html", page("1.0"), false),
        ("application/vnd.pypi.simple.v2+json", page("1.0"), false),
        (SIMPLE, page("2.0"), false),
        (SIMPLE, json!({"files": []}), false),
        (SIMPLE, page("1.0"), true),
        (SIMPLE, page("1.9"), true),
        ("Application/JSON; charset=utf-8", page("1.1"), true),
    ];
    for (kind, page, understood) in cases {
        let server = always(json_of(kind, &page)).await;
        let answer = index(&server).releases(&python("x"), None).await;
        if understood {
            let free = FoundRelease { requires_python: Some(String::new()), ..release("1.0", None) };
            assert_eq!(listing(answer).releases, [free], "{kind} {page}");
        } else {
            is_protocol(answer);
        }
    }
}

#[tokio::test]
async fn not_modified_is_believed_only_when_it_was_asked() {
    let server = always(ResponseTemplate::new(304)).await;
    for (registries, reader) in [(index(&server), "simple-index/1"), (deps_dev(&server), "deps-dev/1")] {
        let etag = format!("{reader} \"a\"");
        assert_eq!(registries.releases(&python("x"), Some(&etag)).await.unwrap(), Answer::NotModified);
        is_protocol(registries.releases(&python("x"), None).await);
        is_protocol(registries.releases(&python("x"), Some(&format!("{reader} no\nheader"))).await);
    }
}

#[tokio::test]
async fn a_date_to_come_back_at_is_taken_relative_to_the_registrys_own_clock() {
    let answer = ResponseTemplate::new(429)
        .insert_header("date", "Thu, 01 Jan 2015 00:00:00 GMT")
        .insert_header("retry-after", "Thu, 01 Jan 2015 00:01:30 GMT");
    let server = always(answer).await;
    let error = deps_dev(&server).releases(&python("x"), None).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));
    for nonsense in ["soon", "-5", "Thu, 99 Jan 2015 00:01:30 GMT", ""] {
        let server = always(ResponseTemplate::new(429).insert_header("retry-after", nonsense)).await;
        let error = deps_dev(&server).releases(&python("x"), None).await.unwrap_err();
        assert!(matches!(error, RegistryError::RateLimited { retry_after: None, .. }), "{nonsense}: {error:?}");
    }
}

#[tokio::test]
async fn tags_that_are_none_are_skipped_and_none_at_all_is_an_empty_list() {
    let server =
        always(json_of("application/json", &json!({"tags": ["1.0", 5, ".x", "a/b", "1.0", "x".repeat(129), "é"]})))
            .await;
    assert_eq!(versions(registry(&server).releases(&image("x"), None).await), ["1.0"]);
    let server = always(json_of("application/json", &json!({"name": "x", "tags": null}))).await;
    assert_eq!(versions(registry(&server).releases(&image("x"), None).await), Vec::<String>::new());
    let server = always(json_of("application/json", &json!({"tags": "1.0"}))).await;
    is_protocol(registry(&server).releases(&image("x"), None).await);
}

#[tokio::test]
async fn a_list_of_tags_without_end_ends() {
    let page = json_of("application/json", &json!({"tags": ["1.0"]}));
    let server = always(page.insert_header("link", "</v2/x/tags/list?last=1.0>; rel=\"next\"")).await;
    let error = is_protocol(registry(&server).releases(&image("x"), None).await);
    assert!(error.contains("500 pages"), "{error}");
}

#[tokio::test]
async fn a_look_up_as_a_whole_takes_no_longer_than_allowed() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(any()).respond_with(slow).mount(&server).await;
    let limits = Limits { lookup: Duration::from_millis(50), ..Limits::default() };
    let settings = RegistrySettings {
        docker_url: Some(server.uri()),
        deps_dev_url: Some(server.uri()),
        limits,
        ..RegistrySettings::default()
    };
    let registries = Registries::new(&settings).unwrap();
    let error = registries.releases(&python("x"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error:?}");
    let error = registries.digest(&image("x"), "1.0").await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_digest_that_is_none_is_not_passed_on() {
    for wrong in ["sha256:abc", "latest", "sha256:../../etc"] {
        let server = always(ResponseTemplate::new(200).insert_header("docker-content-digest", wrong)).await;
        let error = registry(&server).digest(&image("x"), "1.0").await.unwrap_err();
        assert!(matches!(error, RegistryError::Protocol { .. }), "{wrong}: {error:?}");
    }
    let server = always(ResponseTemplate::new(200).set_body_string("{}")).await;
    let digest = registry(&server).digest(&image("x"), "1.0").await.unwrap();
    assert_eq!(
        digest, "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "of the manifest's bytes"
    );
    let huge = always(ResponseTemplate::new(200).set_body_raw(vec![b' '; 5 * 1024 * 1024], "application/json")).await;
    let error = registry(&huge).digest(&image("x"), "1.0").await.unwrap_err();
    assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
}

#[tokio::test]
async fn a_token_that_is_none_and_a_token_that_never_works_end_the_look_up() {
    for issued in [
        json!({}),
        json!({"token": ""}),
        json!({"token": 5}),
        json!({"token": "a\nb"}),
        json!({"token": "x".repeat(20_000)}),
    ] {
        let server = MockServer::start().await;
        let challenge = format!("Bearer realm=\"{}/token\"", server.uri());
        Mock::given(path("/token")).respond_with(json_of("application/json", &issued)).mount(&server).await;
        let refusal = ResponseTemplate::new(401).insert_header("www-authenticate", challenge);
        Mock::given(any()).respond_with(refusal).mount(&server).await;
        is_protocol(registry(&server).releases(&image("x"), None).await);
    }
    let server = MockServer::start().await;
    let challenge = format!("Bearer realm=\"{}/token\"", server.uri());
    let issued = json_of("application/json", &json!({"access_token": "t", "expires_in": "soon"}));
    Mock::given(path("/token")).respond_with(issued).mount(&server).await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(401).insert_header("www-authenticate", challenge))
        .mount(&server)
        .await;
    let error = registry(&server).releases(&image("x"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error:?}");
    assert_eq!(server.received_requests().await.unwrap().len(), 3, "asked, got a token, asked again, gave up");
}

#[tokio::test]
async fn an_access_token_is_a_token_too() {
    let server = MockServer::start().await;
    let issued = json_of("application/json", &json!({"access_token": "t", "expires_in": 300}));
    Mock::given(path("/token")).respond_with(issued).mount(&server).await;
    let tags = json_of("application/json", &json!({"tags": ["1.0"]}));
    Mock::given(wiremock::matchers::header("authorization", "Bearer t")).respond_with(tags).mount(&server).await;
    let challenge = format!("Bearer realm=\"{}/token?account=none\",service=\"s & t\"", server.uri());
    Mock::given(any())
        .respond_with(ResponseTemplate::new(401).insert_header("www-authenticate", challenge))
        .mount(&server)
        .await;
    assert_eq!(versions(registry(&server).releases(&image("acme/x"), None).await), ["1.0"]);
    let asked = server.received_requests().await.unwrap()[1].url.clone();
    assert_eq!(asked.query(), Some("account=none&service=s+%26+t&scope=repository%3Aacme%2Fx%3Apull"));
}

#[tokio::test]
async fn only_so_many_requests_are_under_way_at_one_host() {
    const AT_ONCE: usize = 3;
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Nobody is answered until so many have come as are allowed: fewer would hang, more are counted.
    let together = Arc::new(Barrier::new(AT_ONCE));
    let (counted, seen) = (Arc::clone(&under_way), Arc::clone(&most));
    let app = Router::new().fallback(move || {
        let (counted, seen, together) = (Arc::clone(&counted), Arc::clone(&seen), Arc::clone(&together));
        async move {
            seen.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            together.wait().await;
            counted.fetch_sub(1, Ordering::SeqCst);
            axum::Json(json!({"versions": []}))
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let deps_dev_url = Some(format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let limits = Limits { requests_per_host: AT_ONCE, ..Limits::default() };
    let registries =
        Registries::new(&RegistrySettings { deps_dev_url, limits, ..RegistrySettings::default() }).unwrap();
    let calls: Vec<_> = (0..AT_ONCE * 5)
        .map(|n| {
            let registries = registries.clone();
            tokio::spawn(async move { registries.releases(&python(&format!("x{n}")), None).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
}

#[tokio::test]
async fn requests_say_who_asks_and_for_what() {
    let server = MockServer::start().await;
    let page = json!({"meta": {"api-version": "1.0"}, "files": []});
    let asked = Mock::given(method("GET")).and(path("/simple/x/")).and(query_param_is_missing("n"));
    let asked = asked.and(wiremock::matchers::header("accept", SIMPLE));
    let agent = concat!("mass-driver/", env!("CARGO_PKG_VERSION"));
    let asked = asked.and(wiremock::matchers::header("user-agent", agent));
    asked.respond_with(json_of(SIMPLE, &page)).expect(1).mount(&server).await;
    assert!(listing(index(&server).releases(&python("x"), None).await).releases.is_empty());
}
