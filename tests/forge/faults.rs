//! What GitHub and the network do at their worst.

use super::world::*;
use jiff::SignedDuration;
use mass_driver::domain::{InstallationId, Limit, Pause, PullNumber, Quota};
use mass_driver::forge::{ForgeError, GitHub, GitHubSettings, Target};
use rstest::rstest;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;
use wiremock::ResponseTemplate;

const MAIN: &str = "/repos/acme/api/branches/main";

#[tokio::test]
async fn a_limit_silences_one_installation_until_it_is_over() {
    let world = World::new().await;
    world.at("POST", "/app/installations/8/access_tokens", Minting::default()).await;
    world.once("GET", MAIN, refusal(403, "API rate limit exceeded").insert_header("retry-after", "90")).await;
    world.at("GET", MAIN, ok(200, branch("main", 'a', 'b', 'c'))).await;
    let until = monday() + SignedDuration::from_secs(90);
    for _ in 0..3 {
        let error = world.github.head(&target(), "main").await.unwrap_err();
        assert!(matches!(error, ForgeError::RateLimited { until: told, .. } if told == until), "{error:?}");
    }
    assert_eq!(world.asked().await.len(), 1, "asking on would prolong the ban");
    let neighbour = Target { installation: InstallationId(8), ..target() };
    assert!(world.github.head(&neighbour, "main").await.unwrap().is_some());
    world.clock.advance(SignedDuration::from_secs(91));
    assert!(world.github.head(&target(), "main").await.unwrap().is_some());
}

#[rstest]
#[case(ResponseTemplate::new(500), "Unavailable")]
#[case(refusal(502, "Server Error"), "Unavailable")]
#[case(ResponseTemplate::new(503).set_body_string("<html>"), "Unavailable")]
#[case(refusal(401, "Bad credentials"), "Unauthorized")]
#[case(refusal(403, "Resource not accessible by integration"), "Forbidden")]
#[case(refusal(403, "Repository was archived so is read-only."), "Archived")]
#[case(refusal(403, "This installation has been suspended"), "Suspended")]
#[case(refusal(403, "You have exceeded a secondary rate limit."), "RateLimited")]
#[case(ResponseTemplate::new(429), "RateLimited")]
#[case(refusal(404, "Not Found"), "Gone")]
#[case(ResponseTemplate::new(410), "Gone")]
#[case(refusal(451, "Repository access blocked"), "Forbidden")]
#[case(refusal(409, "Git Repository is empty."), "Empty")]
#[case(refusal(409, "Conflict"), "Conflict")]
#[case(refusal(422, "Validation Failed"), "Invalid")]
#[case(refusal(422, "Repository rule violations found"), "Forbidden")]
#[case(ResponseTemplate::new(302).insert_header("location", "/x"), "Protocol")]
#[case(ResponseTemplate::new(304), "Protocol")]
#[case(ok(206, pull(5, "closed", 'e')), "Protocol")]
#[case(refusal(200, "Something went wrong while executing your query."), "Protocol")]
#[case(refusal(200, "You have exceeded a secondary rate limit."), "RateLimited")]
#[case(ok(200, json!({ "data": null, "errors": [{ "message": "API rate limit exceeded" }] })), "RateLimited")]
#[tokio::test]
async fn answers_are_sorted_by_what_to_do(#[case] answer: ResponseTemplate, #[case] variant: &str) {
    let world = World::new().await;
    world.at("PATCH", "/repos/acme/api/pulls/5", answer).await;
    let error = world.github.close(&target(), PullNumber(5)).await.unwrap_err();
    assert!(format!("{error:?}").starts_with(variant), "{error:?}");
    assert!(error.to_string().contains("PATCH /repos/acme/api/pulls/5"), "{error}");
    let repeated = if variant == "Unauthorized" { 2 } else { 1 };
    assert_eq!(world.asked().await.len(), repeated, "a write is not repeated behind the caller's back");
}

/// The body of a comment's answer is not read, so its status alone would say that all is well.
#[tokio::test]
async fn a_success_whose_body_is_an_error_is_none() {
    let world = World::new().await;
    world.at("POST", "/repos/acme/api/issues/5/comments", refusal(200, "Something went wrong")).await;
    let error = world.github.comment(&target(), PullNumber(5), "x").await.unwrap_err();
    assert!(matches!(&error, ForgeError::Protocol { why, .. } if why.contains("Something went wrong")), "{error:?}");
}

#[tokio::test]
async fn what_answers_tell_of_the_limits_is_heard_once() {
    let world = World::new().await;
    let reset = monday() + SignedDuration::from_mins(40);
    let told = |remaining: i64| {
        ok(200, branch("main", 'a', 'b', 'c'))
            .insert_header("x-ratelimit-limit", "5000")
            .insert_header("x-ratelimit-remaining", remaining.to_string())
            .insert_header("x-ratelimit-reset", reset.as_second().to_string())
    };
    world.once("GET", MAIN, told(4_000)).await;
    world.once("GET", MAIN, told(4_001)).await;
    let installation = Some(InstallationId(7));
    assert_eq!(world.github.heard(installation), None);
    world.github.head(&target(), "main").await.unwrap();
    world.github.head(&target(), "main").await.unwrap();
    let heard = world.github.heard(installation).unwrap();
    let quota = Quota { limit: 5_000, remaining: 4_000, resets_at: reset };
    assert_eq!((heard.quota, heard.refusal), (Some(quota), None), "answers overtake each other");
    assert_eq!(world.github.heard(installation), None);
    world.once("GET", MAIN, refusal(403, "You have exceeded a secondary rate limit.")).await;
    world.github.head(&target(), "main").await.unwrap_err();
    let refusal = world.github.heard(installation).unwrap().refusal.unwrap();
    assert_eq!((refusal.at, refusal.told, refusal.pause.limit), (monday(), false, Limit::Secondary));
}

#[tokio::test]
async fn a_pause_that_another_process_learned_of_is_kept_to() {
    let world = World::new().await;
    world.at("GET", MAIN, ok(200, branch("main", 'a', 'b', 'c'))).await;
    let pause = |minutes| Pause { until: monday() + SignedDuration::from_mins(minutes), limit: Limit::Hourly };
    world.github.heed(Some(InstallationId(7)), pause(30));
    world.github.heed(Some(InstallationId(7)), pause(10));
    let error = world.github.head(&target(), "main").await.unwrap_err();
    assert!(
        matches!(error, ForgeError::RateLimited { until, secondary: false, .. } if until == pause(30).until),
        "{error:?}"
    );
    assert!(world.requests().await.is_empty(), "{:?}", world.asked().await);
    world.clock.advance(SignedDuration::from_mins(31));
    world.github.head(&target(), "main").await.unwrap();
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let world = World::new().await;
    let answer = refusal(403, "Resource not accessible by integration")
        .insert_header("x-accepted-github-permissions", "issues=write; pull_requests=write");
    world.at("POST", "/repos/acme/api/issues/5/comments", answer).await;
    let error = world.github.comment(&target(), PullNumber(5), "x").await.unwrap_err().to_string();
    assert!(error.contains("issues=write or pull_requests=write"), "{error}");
}

#[rstest]
#[case(ResponseTemplate::new(200).set_body_string("<html>sign in</html>"))]
#[case(ResponseTemplate::new(200))]
#[case(ok(200, json!({ "message": "partial" })))]
#[case(ok(200, json!([])))]
#[case(ok(200, json!({ "name": "main", "commit": { "sha": "short", "commit": { "tree": { "sha": "" } } } })))]
#[tokio::test]
async fn fault_13_a_200_that_is_no_answer_is_no_success(#[case] answer: ResponseTemplate) {
    let world = World::new().await;
    world.at("GET", MAIN, answer).await;
    let error = world.github.head(&target(), "main").await.unwrap_err();
    assert!(matches!(error, ForgeError::Protocol { .. }), "{error:?}");
    assert!(error.to_string().contains("GET /repos/acme/api/branches/main"));
}

/// A repository whose tree was taken as empty would lose its subscription file, and what waits with it.
#[rstest]
#[case(json!({ "message": "Something went wrong while executing your query" }))]
#[case(json!({ "sha": id('b'), "truncated": false }))]
#[case(json!({ "sha": id('b'), "tree": [] }))]
#[tokio::test]
async fn fault_13_a_tree_without_its_entries_is_not_an_empty_one(#[case] body: serde_json::Value) {
    let world = World::new().await;
    world.at("GET", &format!("/repos/acme/api/git/trees/{}", id('b')), ok(200, body)).await;
    let error = world.github.tree(&target(), &id('b')).await.unwrap_err();
    assert!(matches!(error, ForgeError::Protocol { .. }), "{error:?}");
}

/// Serves one connection with these bytes, then cuts it. `None` accepts and says nothing while the test lasts.
fn raw_server(answer: Option<&'static [u8]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            let Some(answer) = answer else {
                held.push(stream);
                continue;
            };
            let mut buffer = [0; 16_384];
            let _ = stream.read(&mut buffer);
            let _ = stream.write_all(answer);
        }
    });
    address
}

#[rstest]
#[case::closed_at_once(Some(&b""[..]))]
#[case::half_a_head(Some(&b"HTTP/1.1 200 OK\r\ncontent-"[..]))]
#[case::half_a_body(Some(&b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\": 7"[..]))]
#[case::no_http(Some(&b"SSH-2.0-OpenSSH_9.9\r\n"[..]))]
#[case::silence(None)]
#[tokio::test]
async fn a_broken_connection_can_be_repeated(#[case] answer: Option<&'static [u8]>) {
    let world = World::without_tokens().await;
    let settings = GitHubSettings { request_timeout: Duration::from_millis(300), ..settings(&raw_server(answer)) };
    let github = GitHub::new(settings, world.clock.clone()).unwrap();
    let error = github.installation(InstallationId(7)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error:?}");
    assert!(!error.to_string().contains('\n'), "{error}");
    assert!(error.to_string().contains("at http://127.0.0.1:"), "it names the address that was tried: {error}");
}

#[tokio::test]
async fn nobody_there_can_be_repeated() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let world = World::without_tokens().await;
    let github = GitHub::new(settings(&format!("http://{address}")), world.clock.clone()).unwrap();
    let error = github.installation(InstallationId(7)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let world = World::without_tokens().await;
    let huge = format!("{{\"id\": 7, \"x\": \"{}\"}}", "x".repeat(33 << 20));
    world.at("GET", "/app/installations/7", ResponseTemplate::new(200).set_body_string(huge)).await;
    let error = world.github.installation(InstallationId(7)).await.unwrap_err();
    assert!(matches!(error, ForgeError::TooLarge { .. }), "{error:?}");
}

#[rstest]
#[case(301)]
#[case(307)]
#[case(308)]
#[tokio::test]
async fn a_write_is_redirected_as_a_write(#[case] status: u16) {
    let world = World::new().await;
    let moved = ResponseTemplate::new(status).insert_header("location", "/repositories/11/pulls/5");
    world.at("PATCH", "/repos/acme/api/pulls/5", moved).await;
    world.at("PATCH", "/repositories/11/pulls/5", ok(200, pull(5, "closed", 'e'))).await;
    world.github.close(&target(), PullNumber(5)).await.unwrap();
    assert_eq!(world.body("PATCH", "/repositories/11/pulls/5").await, json!({ "state": "closed" }));
}

#[tokio::test]
async fn security_03_a_redirect_to_another_repository_is_not_followed() {
    let world = World::new().await;
    let moved = ResponseTemplate::new(307).insert_header("location", "/repositories/12/pulls/5");
    world.at("PATCH", "/repos/acme/api/pulls/5", moved).await;
    let error = world.github.close(&target(), PullNumber(5)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Moved { expected: 11, found: 12, .. }), "{error:?}");
    assert_eq!(world.asked().await.len(), 1);
}

#[tokio::test]
async fn redirects_without_end_end() {
    let world = World::new().await;
    world.at("GET", MAIN, ResponseTemplate::new(301).insert_header("location", MAIN)).await;
    let error = world.github.head(&target(), "main").await.unwrap_err();
    assert!(matches!(error, ForgeError::Protocol { .. }), "{error:?}");
}
