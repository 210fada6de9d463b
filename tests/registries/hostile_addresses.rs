//! Addresses that a file or a registry gives, and that must lead nowhere private.

use crate::scene::{image, python, versions};
use mass_driver::registries::{Registries, RegistryError, RegistrySettings};
use serde_json::json;
use wiremock::matchers::{any, header, header_exists, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A server that nobody may reach.
async fn private() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(0).mount(&server).await;
    server
}

async fn always(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn challenge(realm: &str) -> ResponseTemplate {
    ResponseTemplate::new(401).insert_header("www-authenticate", format!("Bearer realm=\"{realm}\""))
}

/// Every way to write the address of a server on loopback.
fn ways_to(server: &MockServer) -> Vec<String> {
    let port = server.address().port();
    let hosts = [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
    ];
    hosts.iter().map(|host| format!("{host}:{port}")).collect()
}

fn is_refused<T: std::fmt::Debug>(answer: Result<T, RegistryError>, context: &str) {
    assert!(matches!(answer, Err(RegistryError::Refused { .. })), "{context}: {answer:?}");
}

#[tokio::test]
async fn an_image_in_a_file_does_not_reach_this_machine_however_it_is_written() {
    let hidden = private().await;
    let registries = Registries::new(&RegistrySettings::default()).unwrap();
    for way in ways_to(&hidden) {
        is_refused(registries.releases(&image(&format!("{way}/x")), None).await, &way);
        is_refused(registries.digest(&image(&format!("{way}/x")), "1.0").await, &way);
    }
    for other in ["10.0.0.1", "169.254.169.254", "192.168.1.1:5000", "[fd00::1]:5000", "[fe80::1]", "100.64.0.1"] {
        is_refused(registries.releases(&image(&format!("{other}/x")), None).await, other);
    }
}

#[tokio::test]
async fn a_redirect_does_not_reach_this_machine() {
    let hidden = private().await;
    for way in ways_to(&hidden) {
        for scheme in ["http", "https"] {
            let target = format!("{scheme}://{way}/simple/x/");
            let server = always(ResponseTemplate::new(302).insert_header("location", target.as_str())).await;
            let settings = RegistrySettings {
                pypi_url: Some(server.uri()),
                docker_url: Some(server.uri()),
                // Vouched for as a registry that files may name, not as something another registry may send us to.
                private_hosts: vec![hidden.address().to_string()],
                ..RegistrySettings::default()
            };
            let registries = Registries::new(&settings).unwrap();
            is_refused(registries.releases(&python("x"), None).await, &target);
            is_refused(registries.releases(&image("x"), None).await, &target);
            is_refused(registries.digest(&image("x"), "1").await, &target);
        }
    }
}

#[tokio::test]
async fn redirects_that_lead_nowhere_end() {
    for location in [Some("/simple/x/"), Some("http://"), None] {
        let answer =
            location.into_iter().fold(ResponseTemplate::new(301), |answer, to| answer.insert_header("location", to));
        let server = always(answer).await;
        let registries =
            Registries::new(&RegistrySettings { pypi_url: Some(server.uri()), ..Default::default() }).unwrap();
        let error = registries.releases(&python("x"), None).await.unwrap_err();
        assert!(matches!(error, RegistryError::Protocol { .. }), "{location:?}: {error:?}");
        assert!(server.received_requests().await.unwrap().len() <= 6);
    }
}

#[tokio::test]
async fn a_redirect_with_credentials_in_it_is_not_followed() {
    let server = MockServer::start().await;
    let target = format!("http://a:b@{}/simple/x/", server.address());
    let answer = ResponseTemplate::new(302).insert_header("location", target.as_str());
    Mock::given(any()).respond_with(answer).expect(1).mount(&server).await;
    let registries = Registries::new(&RegistrySettings { pypi_url: Some(server.uri()), ..Default::default() }).unwrap();
    is_refused(registries.releases(&python("x"), None).await, &target);
}

#[tokio::test]
async fn a_token_service_does_not_reach_this_machine() {
    let hidden = private().await;
    for way in ways_to(&hidden) {
        for scheme in ["http", "https"] {
            let realm = format!("{scheme}://{way}/token");
            let server = always(challenge(&realm)).await;
            let settings = RegistrySettings { docker_url: Some(server.uri()), ..RegistrySettings::default() };
            is_refused(Registries::new(&settings).unwrap().releases(&image("x"), None).await, &realm);
        }
    }
    for realm in ["", "token", "/token", "file:///etc/passwd", "ftp://example.com/"] {
        let server = always(challenge(realm)).await;
        let settings = RegistrySettings { docker_url: Some(server.uri()), ..RegistrySettings::default() };
        let error = Registries::new(&settings).unwrap().releases(&image("x"), None).await.unwrap_err();
        assert!(matches!(error, RegistryError::Protocol { .. } | RegistryError::Refused { .. }), "{realm}: {error:?}");
    }
}

#[tokio::test]
async fn the_next_page_is_at_the_same_registry() {
    let hidden = private().await;
    let tags = ResponseTemplate::new(200).set_body_json(json!({"tags": ["1.0"]}));
    let server = always(tags.insert_header("link", format!("<{}/v2/x/tags/list>; rel=\"next\"", hidden.uri()))).await;
    let settings = RegistrySettings { docker_url: Some(server.uri()), ..RegistrySettings::default() };
    let error = Registries::new(&settings).unwrap().releases(&image("x"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
}

/// An address with the operator's credentials in it.
fn with_secret(server: &MockServer) -> String {
    format!("http://bot:s%C3%A9cret@{}/", server.address())
}

/// `bot:sécret`, as sent.
const SECRET: &str = "Basic Ym90OnPDqWNyZXQ=";

/// A server that gives tokens, and must not be sent credentials.
async fn without_credentials() -> MockServer {
    let server = MockServer::start().await;
    let refusal = ResponseTemplate::new(500);
    Mock::given(header_exists("authorization")).respond_with(refusal).expect(0).mount(&server).await;
    let token = ResponseTemplate::new(200).set_body_json(json!({"token": "t"}));
    Mock::given(path("/token")).respond_with(token).expect(1).mount(&server).await;
    server
}

/// The image `x` of a registry that wants credentials is found, where it sends us elsewhere for a token.
async fn finds_the_image(registry: &MockServer, elsewhere: &MockServer) {
    let settings = RegistrySettings {
        docker_url: Some(with_secret(registry)),
        private_hosts: vec![elsewhere.address().to_string()],
        ..RegistrySettings::default()
    };
    assert_eq!(versions(Registries::new(&settings).unwrap().releases(&image("x"), None).await), ["1.0"]);
}

#[tokio::test]
async fn credentials_go_to_their_own_host_only() {
    let elsewhere = without_credentials().await;
    let token = ResponseTemplate::new(200).set_body_json(json!({"token": "t"}));
    let tags = ResponseTemplate::new(200).set_body_json(json!({"tags": ["1.0"]}));

    for realm_server in [Some(&elsewhere), None] {
        let server = MockServer::start().await;
        let realm = realm_server.unwrap_or(&server).uri();
        Mock::given(path("/token"))
            .and(header("authorization", SECRET))
            .respond_with(token.clone())
            .mount(&server)
            .await;
        Mock::given(header("authorization", "Bearer t")).respond_with(tags.clone()).mount(&server).await;
        Mock::given(any()).respond_with(challenge(&format!("{realm}/token"))).mount(&server).await;
        finds_the_image(&server, &elsewhere).await;
    }
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_host() {
    let elsewhere = without_credentials().await;
    let server = MockServer::start().await;
    let moved = ResponseTemplate::new(307).insert_header("location", format!("{}/token", elsewhere.uri()));
    let tags = ResponseTemplate::new(200).set_body_json(json!({"tags": ["1.0"]}));
    Mock::given(path("/token")).and(header("authorization", SECRET)).respond_with(moved).expect(1).mount(&server).await;
    Mock::given(header("authorization", "Bearer t")).respond_with(tags).mount(&server).await;
    Mock::given(any()).respond_with(challenge(&format!("{}/token", server.uri()))).mount(&server).await;
    finds_the_image(&server, &elsewhere).await;
}

#[tokio::test]
async fn credentials_open_indexes_and_registries_that_ask_for_a_password() {
    let server = MockServer::start().await;
    let page = json!({"meta": {"api-version": "1.0"}, "files": [{"filename": "x-1.0.tar.gz"}]});
    let page = ResponseTemplate::new(200).set_body_raw(page.to_string(), "application/json");
    let tags = ResponseTemplate::new(200).set_body_json(json!({"tags": ["1.0"]}));
    Mock::given(header("authorization", SECRET)).and(path("/x/")).respond_with(page).mount(&server).await;
    Mock::given(header("authorization", SECRET)).and(path("/v2/x/tags/list")).respond_with(tags).mount(&server).await;
    let refusal = ResponseTemplate::new(401).insert_header("www-authenticate", "Basic realm=\"x\"");
    Mock::given(any()).respond_with(refusal).mount(&server).await;
    let own = Some(with_secret(&server));
    let settings = RegistrySettings { pypi_url: own.clone(), docker_url: own, ..RegistrySettings::default() };
    let registries = Registries::new(&settings).unwrap();
    assert_eq!(versions(registries.releases(&python("x"), None).await), ["1.0"]);
    assert_eq!(versions(registries.releases(&image("x"), None).await), ["1.0"]);

    let settings =
        RegistrySettings { pypi_url: Some(server.uri()), docker_url: Some(server.uri()), ..Default::default() };
    let registries = Registries::new(&settings).unwrap();
    for package in [python("x"), image("x")] {
        let error = registries.releases(&package, None).await.unwrap_err();
        assert!(matches!(error, RegistryError::Denied { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn credentials_are_never_shown() {
    let server = always(ResponseTemplate::new(500)).await;
    let own = Some(with_secret(&server));
    let settings = RegistrySettings {
        deps_dev_url: own.clone(),
        pypi_url: own.clone(),
        docker_url: own,
        ..RegistrySettings::default()
    };
    let registries = Registries::new(&settings).unwrap();
    let mut shown = format!("{settings:?}");
    for package in [python("x"), image("x")] {
        let error = registries.releases(&package, None).await.unwrap_err();
        shown += &format!("{error} {error:?}");
    }
    for wrong in [
        "http://bot:cret@",
        "http://bot:cret@a b/",
        "http://bot:cret@example.com/?x=1",
        "cret",
        "ftp://x:cret@example.com",
    ] {
        let settings = RegistrySettings { pypi_url: Some(wrong.into()), ..RegistrySettings::default() };
        let error = Registries::new(&settings).err().unwrap();
        assert!(error.to_string().starts_with("MASS_DRIVER_PYPI_URL: "), "{error}");
        shown += &format!("{settings:?} {error} {error:?}");
    }
    assert!(!shown.contains("cret") && !shown.contains("Ym90"), "{shown}");
}

#[test]
fn private_hosts_must_be_hosts() {
    for wrong in ["", "https://example.com", "example.com/x", "a@example.com", "example.com:99999", "a b"] {
        let settings = RegistrySettings { private_hosts: vec![wrong.into()], ..RegistrySettings::default() };
        let error = Registries::new(&settings).err().unwrap();
        assert!(error.to_string().starts_with("MASS_DRIVER_PRIVATE_REGISTRIES: "), "{wrong}: {error}");
    }
}
