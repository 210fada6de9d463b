//! Credentials go to GitHub, and nowhere else: not to other hosts, not into errors.

use super::world::*;
use mass_driver::domain::{InstallationId, PullNumber};
use mass_driver::forge::{ForgeError, GitHub};
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const CANARY: &str = "ghs_canary.0123456789.canary";

/// Addresses that a server in the middle, or one that was taken over, would like us to follow with a token.
async fn elsewhere(world: &World, other: &MockServer) -> Vec<String> {
    let here = world.server.address();
    vec![
        format!("{}/installation/repositories?page=2", other.uri()),
        format!("http://token@{here}/installation/repositories?page=2"),
        format!("http://user:pass@{here}/installation/repositories?page=2"),
        format!("https://{here}/installation/repositories?page=2"),
        format!("//{}/installation/repositories?page=2", other.address()),
        format!("http://{here}.example.com/installation/repositories?page=2"),
        "file:///etc/passwd".into(),
        "http://[".into(),
    ]
}

#[tokio::test]
async fn security_01_pages_on_other_hosts_are_not_fetched() {
    let other = MockServer::start().await;
    Mock::given(any()).respond_with(ok(200, json!({ "repositories": [] }))).mount(&other).await;
    let world = World::new().await;
    for address in elsewhere(&world, &other).await {
        world.server.reset().await;
        world.at("POST", TOKENS, Minting::default()).await;
        let answer = ok(200, json!({ "repositories": [] })).insert_header("link", format!("<{address}>; rel=\"next\""));
        world.at("GET", "/installation/repositories", answer).await;
        let outcome = world.github.repositories(InstallationId(7)).await;
        assert!(matches!(outcome, Err(ForgeError::Protocol { .. })), "{address}: {outcome:?}");
        assert_eq!(world.asked().await.len(), 1, "{address}");
    }
    assert!(other.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn security_01_redirects_to_other_hosts_are_not_followed() {
    let other = MockServer::start().await;
    let world = World::new().await;
    for address in elsewhere(&world, &other).await {
        world.server.reset().await;
        world.at("POST", TOKENS, Minting::default()).await;
        let answer = ResponseTemplate::new(307).insert_header("location", address.as_str());
        world.at("PATCH", "/repos/acme/api/pulls/5", answer).await;
        let outcome = world.github.close(&target(), PullNumber(5)).await;
        assert!(matches!(outcome, Err(ForgeError::Protocol { .. })), "{address}: {outcome:?}");
        assert_eq!(world.asked().await.len(), 1, "{address}");
    }
    assert!(other.received_requests().await.unwrap().is_empty());
}

/// The App's own JWT opens more than any token does.
#[tokio::test]
async fn security_01_a_token_is_not_asked_for_elsewhere() {
    let other = MockServer::start().await;
    let minted = json!({ "token": CANARY, "expires_at": "2026-03-02T10:00:00Z" });
    Mock::given(any()).respond_with(ok(201, minted)).mount(&other).await;
    let world = World::without_tokens().await;
    for (status, address) in [301, 302, 307, 308].into_iter().cycle().zip(elsewhere(&world, &other).await) {
        world.server.reset().await;
        let answer = || ResponseTemplate::new(status).insert_header("location", address.as_str());
        world.at("POST", TOKENS, answer()).await;
        world.at("GET", "/app/installations/7", answer()).await;
        let asked = [
            world.github.head(&target(), "main").await.map(drop),
            world.github.installation(InstallationId(7)).await.map(drop),
        ];
        for outcome in asked {
            let error = outcome.expect_err(&address);
            assert!(matches!(error, ForgeError::Protocol { .. }), "{address}: {error:?}");
            assert!(!error.to_string().contains("pass@"), "{error}");
        }
        assert_eq!(world.requests().await.len(), 2, "{address}");
    }
    assert!(other.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_enterprise_root_with_a_path_is_kept() {
    let world = World::new().await;
    let github = GitHub::new(settings(&format!("{}/api/v3/", world.server.uri())), world.clock.clone()).unwrap();
    let next = format!("<{}/api/v3/installation/repositories?page=2>; rel=\"next\"", world.server.uri());
    world.at("POST", "/api/v3/app/installations/7/access_tokens", Minting::default()).await;
    world
        .once(
            "GET",
            "/api/v3/installation/repositories",
            ok(200, json!({ "repositories": [] })).insert_header("link", next),
        )
        .await;
    let outside = format!("<{}/installation/repositories?page=3>; rel=\"next\"", world.server.uri());
    world
        .at(
            "GET",
            "/api/v3/installation/repositories",
            ok(200, json!({ "repositories": [] })).insert_header("link", outside),
        )
        .await;
    let error = github.repositories(InstallationId(7)).await.unwrap_err();
    assert!(error.to_string().contains("out of the REST root /api/v3"), "{error}");
    let paths: Vec<_> = world.requests().await.iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!(paths[1..], ["/api/v3/installation/repositories", "/api/v3/installation/repositories"]);
}

/// Answers with the credentials of the request in every place that an error is made from.
fn echo(status: u16) -> impl Fn(&Request) -> ResponseTemplate + Send + Sync {
    move |request: &Request| {
        let credential = request.headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        ok(
            status,
            json!({ "message": format!("you sent {credential}"), "errors": [credential, { "message": credential }],
                    "number": credential, "id": credential }),
        )
        .insert_header("x-accepted-github-permissions", credential.as_str())
    }
}

#[tokio::test]
async fn security_10_no_credential_reaches_an_error() {
    for status in [200, 302, 400, 401, 403, 404, 409, 418, 422, 429, 500, 502] {
        let world = World::without_tokens().await;
        world.at("POST", TOKENS, ok(201, json!({ "token": CANARY, "expires_at": "2026-03-02T10:00:00Z" }))).await;
        world.at("PATCH", "/repos/acme/api/pulls/5", echo(status)).await;
        world.at("GET", "/app/installations/7", echo(status)).await;
        let token = world.github.close(&target(), PullNumber(5)).await.unwrap_err();
        let jwt = world.github.installation(InstallationId(7)).await.unwrap_err();
        let sent: Vec<String> = world
            .requests()
            .await
            .iter()
            .map(|request| request.headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").into())
            .collect();
        let text = format!("{token} {token:?} {jwt} {jwt:?} {:?}", world.github);
        assert!(sent.len() >= 3 && sent.contains(&CANARY.to_string()));
        for secret in sent {
            assert!(!text.contains(&secret), "{status}: {text}");
        }
        assert!(!text.contains("canary"), "{status}: {text}");
    }
}

#[tokio::test]
async fn security_10_a_token_in_a_broken_answer_reaches_no_error() {
    let bodies = [
        json!({ "token": CANARY }),
        json!({ "token": CANARY, "expires_at": CANARY }),
        json!({ "token": [CANARY], "expires_at": "2026-03-02T10:00:00Z" }),
        json!({ "token": format!("{CANARY}\r\nx-evil: 1"), "expires_at": "2026-03-02T10:00:00Z" }),
        json!(CANARY),
    ];
    for body in bodies {
        let world = World::without_tokens().await;
        world.at("POST", TOKENS, ok(201, body)).await;
        let error = world.github.head(&target(), "main").await.unwrap_err();
        assert!(matches!(error, ForgeError::Protocol { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn settings_hide_the_key() {
    let text = format!("{:?}", settings("https://api.example.com"));
    assert!(!text.contains("PRIVATE KEY"), "{text}");
}
