//! The App's JWT and the tokens it fetches.

use super::world::*;
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use mass_driver::domain::{InstallationId, PullNumber, RepoId};
use mass_driver::forge::{ForgeError, GitHub, Target};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use wiremock::matchers::header;
use wiremock::{Mock, ResponseTemplate};

const MAIN: &str = "/repos/acme/api/branches/main";

async fn world_with_main() -> World {
    let world = World::new().await;
    world.at("GET", MAIN, ok(200, branch("main", 'a', 'b', 'c'))).await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_waiters_make_one_token_request() {
    let world = world_with_main().await;
    let jobs: Vec<_> = (0..1000)
        .map(|_| {
            let github = world.github.clone();
            tokio::spawn(async move { github.head(&target(), "main").await })
        })
        .collect();
    for job in jobs {
        assert!(job.await.unwrap().unwrap().is_some());
    }
    assert_eq!(world.tokens_asked().await, 1);
}

#[tokio::test]
async fn a_failed_refresh_wakes_every_waiter_and_the_next_caller_asks_again() {
    let world = World::without_tokens().await;
    world.once("POST", TOKENS, refusal(502, "Server Error")).await;
    world.at("POST", TOKENS, Minting::default()).await;
    world.at("GET", MAIN, ok(200, branch("main", 'a', 'b', 'c'))).await;
    let target = target();
    let waiters = futures_util::future::join_all((0..200).map(|_| world.github.head(&target, "main"))).await;
    assert!(waiters.iter().all(|outcome| matches!(outcome, Err(ForgeError::Unavailable { .. }))), "{waiters:?}");
    assert_eq!(world.tokens_asked().await, 1);
    assert!(world.github.head(&target, "main").await.unwrap().is_some());
}

#[tokio::test]
async fn a_waiter_that_gives_up_does_not_take_the_others_along() {
    let world = world_with_main().await;
    let target = target();
    {
        let mut first = Box::pin(world.github.head(&target, "main"));
        assert!(futures_util::poll!(&mut first).is_pending());
    }
    // The refresh goes on although nobody waits for it at the moment.
    let arrives = async {
        while world.tokens_asked().await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrives).await.unwrap();
    assert!(world.github.head(&target, "main").await.unwrap().is_some());
    assert_eq!(world.tokens_asked().await, 1);
}

#[tokio::test]
async fn fault_15_a_refused_token_is_renewed_once_under_a_thousand_waiters() {
    let world = World::new().await;
    Mock::given(header("authorization", "Bearer token-1"))
        .respond_with(refusal(401, "Bad credentials"))
        .mount(&world.server)
        .await;
    world.at("GET", MAIN, ok(200, branch("main", 'a', 'b', 'c'))).await;
    let target = target();
    let outcomes = futures_util::future::join_all((0..1_000).map(|_| world.github.head(&target, "main"))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Some(_)))), "{outcomes:?}");
    assert_eq!(world.tokens_asked().await, 2);
}

#[tokio::test]
async fn a_second_refusal_is_the_answer() {
    let world = World::new().await;
    world.at("GET", MAIN, refusal(401, "Bad credentials")).await;
    let error = world.github.head(&target(), "main").await.unwrap_err();
    assert!(matches!(&error, ForgeError::Unauthorized { .. }), "{error:?}");
    assert_eq!(world.asked().await.len(), 2);
    assert_eq!(world.tokens_asked().await, 2);
}

#[tokio::test]
async fn security_03_a_token_is_for_one_repository_and_the_step() {
    let world = world_with_main().await;
    world.github.head(&target(), "main").await.unwrap();
    let body = world.body("POST", TOKENS).await;
    assert_eq!(body, json!({ "repository_ids": [11], "permissions": { "metadata": "read", "contents": "read" } }));

    world.at("POST", "/repos/acme/api/issues/5/labels", ok(200, json!([{ "name": "dependencies" }]))).await;
    world.github.add_labels(&target(), PullNumber(5), &["dependencies".into()]).await.unwrap();
    let body = world.body("POST", TOKENS).await;
    assert_eq!(
        body["permissions"],
        json!({ "metadata": "read", "pull_requests": "write" }),
        "a read token must not serve for a write, and labels are no reason to write files"
    );
    world.at("POST", "/repos/acme/api/issues/5/comments", ok(201, json!({ "id": 1 }))).await;
    world.at("PATCH", "/repos/acme/api/pulls/5", ok(200, pull(5, "closed", 'c'))).await;
    world.github.comment(&target(), PullNumber(5), "replaced").await.unwrap();
    world.github.close(&target(), PullNumber(5)).await.unwrap();
    assert_eq!(world.tokens_asked().await, 2, "the same token");

    world.at("DELETE", "/repos/acme/api/git/refs/heads%2Fmain", ok(204, Value::Null)).await;
    world.github.delete_branch(&target(), "main", &id('a')).await.unwrap();
    let body = world.body("POST", TOKENS).await;
    assert_eq!(body["permissions"], json!({ "metadata": "read", "contents": "write" }));
    assert_eq!(world.tokens_asked().await, 3);
}

#[tokio::test]
async fn security_03_no_token_is_shared_between_repositories_or_installations() {
    let world = world_with_main().await;
    world.at("POST", "/app/installations/8/access_tokens", Minting::default()).await;
    for (installation, repo) in [(7, 11), (7, 12), (8, 11), (7, 11)] {
        let target = Target { installation: InstallationId(installation), repo: RepoId(repo), ..target() };
        world.github.head(&target, "main").await.unwrap();
    }
    let minted = world.requests().await.into_iter().filter(|request| request.url.path().ends_with("access_tokens"));
    assert_eq!(minted.count(), 3);
}

#[tokio::test]
async fn a_token_serves_until_shortly_before_it_expires() {
    let world = world_with_main().await;
    for (minutes, tokens) in [(0, 1), (54, 1), (2, 2)] {
        world.clock.advance(SignedDuration::from_mins(minutes));
        world.github.head(&target(), "main").await.unwrap();
        assert_eq!(world.tokens_asked().await, tokens, "after {minutes} more minutes");
    }
}

#[tokio::test]
async fn a_clock_that_runs_ahead_does_not_make_a_token_request_of_every_request() {
    let world = world_with_main().await;
    world.clock.advance(SignedDuration::from_hours(3));
    for _ in 0..20 {
        world.github.head(&target(), "main").await.unwrap();
    }
    assert_eq!(world.tokens_asked().await, 1);
}

#[tokio::test]
async fn bad_input_09_tokens_of_40_and_of_520_characters_are_as_good() {
    let short = format!("ghs_{}", "a".repeat(36));
    let long = format!("ghs_{}.{}", "a".repeat(257), "B".repeat(258));
    assert_eq!((short.len(), long.len()), (40, 520));
    for token in [short, long] {
        let world = World::without_tokens().await;
        let body = json!({ "token": token, "expires_at": "2026-03-02T10:00:00Z" });
        world.at("POST", TOKENS, ok(201, body)).await;
        Mock::given(header("authorization", format!("Bearer {token}").as_str()))
            .respond_with(ok(200, branch("main", 'a', 'b', 'c')))
            .mount(&world.server)
            .await;
        assert!(world.github.head(&target(), "main").await.unwrap().is_some(), "{} characters", token.len());
        // It is cut nowhere on its way into an error either: half of one would not be found there.
        world.at("PATCH", "/repos/acme/api/pulls/5", refusal(422, &format!("you sent {token}"))).await;
        let error = world.github.close(&target(), PullNumber(5)).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("aaaa"), "{error:?}");
    }
}

#[tokio::test]
async fn the_jwt_is_what_github_asks_for() {
    let world = World::without_tokens().await;
    world.at("GET", "/app/installations/7", ok(200, json!({ "id": 7 }))).await;
    world.github.installation(InstallationId(7)).await.unwrap();
    let request = world.requests().await.remove(0);
    let jwt = request.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    let claims: Value =
        jsonwebtoken::decode(&jwt, &DecodingKey::from_rsa_pem(PUBLIC.as_bytes()).unwrap(), &rules).unwrap().claims;
    let now = monday().as_second();
    assert_eq!(claims, json!({ "iss": "42", "iat": now - 60, "exp": now + 540 }));
    assert_eq!(request.headers["user-agent"], concat!("mass-driver/", env!("CARGO_PKG_VERSION")));
    assert_eq!(request.headers["x-github-api-version"], "2022-11-28");
    assert_eq!(request.headers["accept"], "application/vnd.github+json");
}

#[tokio::test]
async fn fault_16_a_jwt_is_signed_anew_when_the_clock_goes_back() {
    let world = World::without_tokens().await;
    world.at("GET", "/app/installations/7", ok(200, json!({ "id": 7 }))).await;
    for seconds in [0, 200, -300, 500] {
        world.clock.advance(SignedDuration::from_secs(seconds));
        world.github.installation(InstallationId(7)).await.unwrap();
    }
    let requests = world.requests().await;
    let jwts: Vec<_> = requests.iter().map(|request| request.headers["authorization"].clone()).collect();
    assert_eq!(jwts[0], jwts[1]);
    assert_ne!(jwts[1], jwts[2]);
    assert_ne!(jwts[2], jwts[3]);
}

#[tokio::test]
async fn fault_16_a_wrong_clock_is_called_by_its_name() {
    let world = World::without_tokens().await;
    let words = "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
    world.at("GET", "/app/installations/7", refusal(401, words)).await;
    let error = world.github.installation(InstallationId(7)).await.unwrap_err().to_string();
    assert!(error.contains("this machine's clock is off"), "{error}");
    world.server.reset().await;
    world.at("GET", "/app/installations/7", refusal(401, "A JSON web token could not be decoded")).await;
    let error = world.github.installation(InstallationId(7)).await.unwrap_err().to_string();
    assert!(error.contains("belong together"), "{error}");
    world.server.reset().await;
    world.at("GET", "/app/installations/7", refusal(404, "Integration not found")).await;
    let error = world.github.installation(InstallationId(7)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unauthorized { .. }), "the installation is not gone: {error:?}");
    assert!(error.to_string().contains("check GITHUB_APP_ID and GITHUB_API_URL"), "{error}");
}

#[tokio::test]
async fn refused_tokens_are_sorted_by_what_to_do() {
    type Expected = fn(&ForgeError) -> bool;
    let cases: [(ResponseTemplate, Expected); 4] = [
        (refusal(403, "This installation has been suspended"), |e| matches!(e, ForgeError::Suspended { .. })),
        (refusal(404, "Not Found"), |e| matches!(e, ForgeError::Gone { .. })),
        (
            refusal(422, "The permissions requested are not granted to this installation."),
            |e| matches!(e, ForgeError::Forbidden { needs: Some(needs), .. } if needs.contains("contents=read")),
        ),
        (
            refusal(
                422,
                "There is at least one repository that does not exist or is not accessible to the parent installation.",
            ),
            |e| matches!(e, ForgeError::Gone { .. }),
        ),
    ];
    for (answer, expected) in cases {
        let world = World::without_tokens().await;
        world.at("POST", TOKENS, answer).await;
        let error = world.github.head(&target(), "main").await.unwrap_err();
        assert!(expected(&error), "{error:?}");
    }
}

#[tokio::test]
async fn security_10_unusable_settings_are_explained_and_never_quoted() {
    let world = World::without_tokens().await;
    let damaged = PKCS1.replacen("MII", "XXX", 1);
    let escaped = PKCS1.trim().replace('\n', "\\n");
    let keys = [
        ("", "empty"),
        ("hunter2", "not PEM"),
        (ELLIPTIC, "elliptic"),
        (PUBLIC, "public key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n-----END OPENSSH PRIVATE KEY-----", "OpenSSH"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nhunter2\n-----END ENCRYPTED PRIVATE KEY-----", "passphrase"),
        (damaged.as_str(), "damaged"),
        (escaped.as_str(), "real line breaks"),
    ];
    for (key, words) in keys {
        let mut settings = settings(&world.server.uri());
        settings.private_key_pem = secret(key);
        let error = GitHub::new(settings, world.clock.clone()).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(matches!(error, ForgeError::Settings { .. }) && text.contains(words), "{words}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    let addresses = [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "http://api.example.com",
        "https://me:hunter2@api.example.com",
        "https://api.example.com/?hunter2",
    ];
    for address in addresses {
        let error = GitHub::new(settings(address), world.clock.clone()).unwrap_err().to_string();
        assert!(error.contains("the API address") && !error.contains("hunter2"), "{address}: {error}");
    }
    let mut pkcs8 = settings("https://ghes.example.com/api/v3/");
    pkcs8.private_key_pem = secret(PKCS8);
    assert!(GitHub::new(pkcs8, Arc::clone(&world.clock) as _).is_ok());
}

#[test]
fn outside_of_a_runtime_there_is_an_error_and_no_panic() {
    let clock = Arc::new(StillClock::at(monday()));
    let error = GitHub::new(settings("https://api.example.com"), clock).unwrap_err();
    assert!(error.to_string().contains("Tokio runtime"), "{error}");
}
