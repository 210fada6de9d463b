//! Bad days on demand.

use std::time::Duration;

use github_sim::{Fault, FaultKind, Gate, RetryAfter};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_bad_gateway_may_come_before_or_after_the_write() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.github.fault(Fault::once("POST", "/repos/*/*/pulls", FaultKind::BadGateway));
    world.open_pull(&token, "b").await.expect(502);
    assert!(world.github.pull_requests("acme/api").unwrap().is_empty());
    world.github.fault(Fault::once("POST", "/repos/*/*/pulls", FaultKind::BadGatewayAfter));
    world.open_pull(&token, "b").await.expect(502);
    assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
    world.open_pull(&token, "b").await.expect(422);
    let played: Vec<_> = world.github.exchanges().into_iter().filter_map(|exchange| exchange.fault).collect();
    assert_eq!(played, ["bad gateway before", "bad gateway after"]);
}

#[tokio::test]
async fn limits_are_told_with_and_without_retry_after() {
    let world = World::new();
    let token = world.token().await;
    let secondary = |status, retry_after| FaultKind::SecondaryRateLimit { status, retry_after };
    world.github.fault(Fault::once("*", "**", secondary(429, RetryAfter::Seconds(30))));
    let limited = world.get(&token, "/repos/acme/api").await.expect(429);
    assert_eq!(limited.header("retry-after"), "30");
    assert!(limited.message().contains("secondary rate limit"));
    world.github.fault(Fault::once("*", "**", secondary(403, RetryAfter::Missing)));
    let limited = world.get(&token, "/repos/acme/api").await.expect(403);
    assert_eq!(limited.header("retry-after"), "");
    assert_ne!(limited.header("x-ratelimit-remaining"), "0");
    world.github.fault(Fault::once("*", "**", secondary(403, RetryAfter::Text("soon".to_owned()))));
    assert_eq!(world.get(&token, "/repos/acme/api").await.expect(403).header("retry-after"), "soon");
    let primary = FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(600) };
    world.github.fault(Fault::once("*", "**", primary));
    let limited = world.get(&token, "/repos/acme/api").await.expect(403);
    assert_eq!(limited.header("x-ratelimit-remaining"), "0");
    assert_eq!(limited.header("x-ratelimit-reset"), (world.now() + 600).to_string());
    world.get(&token, "/repos/acme/api").await.expect(200);
}

#[tokio::test]
async fn the_hours_requests_run_out_and_come_back() {
    let world = World::new();
    world.github.set_limits(|limits| limits.requests_per_hour = 3);
    let token = world.token().await;
    for remaining in ["2", "1", "0"] {
        let answer = world.get(&token, "/repos/acme/api").await.expect(200);
        assert_eq!(answer.header("x-ratelimit-remaining"), remaining);
    }
    let refused = world.get(&token, "/repos/acme/api").await.expect(403);
    assert!(refused.message().starts_with("API rate limit exceeded for installation ID"), "{}", refused.text);
    let standing = world.get(&token, "/rate_limit").await.expect(200);
    assert_eq!(standing.body["rate"]["remaining"], 0);
    world.advance(3_600);
    // The token is as old as the hour.
    let renewed = world.token().await;
    world.get(&renewed, "/repos/acme/api").await.expect(200);
}

#[tokio::test]
async fn too_many_writes_a_minute_meet_the_secondary_limit() {
    let world = World::new();
    world.github.set_limits(|limits| limits.writes_per_minute = Some(2));
    let token = world.token().await;
    let write = async || world.post(&token, "/repos/acme/api/git/blobs", json!({ "content": "x" })).await;
    write().await.expect(201);
    world.advance(20);
    write().await.expect(201);
    assert_eq!(write().await.expect(403).header("retry-after"), "40");
    world.advance(40);
    write().await.expect(201);
}

#[tokio::test]
async fn silence_closed_connections_and_half_answers() {
    let world = World::new();
    let token = world.token().await;
    let ask = async |kind| {
        world.github.fault(Fault::once("GET", "/repos/acme/api", kind));
        world.send("GET", &token, "/repos/acme/api", None, &[]).await
    };
    for kind in [FaultKind::Drop, FaultKind::CutBody] {
        ask(kind).await.unwrap_err();
    }
    // The client's own patience is longer than this.
    tokio::time::timeout(Duration::from_millis(300), ask(FaultKind::Hang)).await.unwrap_err();
    world.github.fault(Fault::once("POST", "**/labels", FaultKind::DropAfter));
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    let body = json!({ "labels": ["l"] });
    world.send("POST", &token, "/repos/acme/api/issues/1/labels", Some(body), &[]).await.unwrap_err();
    assert_eq!(world.github.pull_request("acme/api", 1).unwrap().labels, ["l"]);
}

#[tokio::test]
async fn a_gate_holds_requests_until_the_test_opens_it() {
    let world = World::new();
    let token = world.token().await;
    let gate = Gate::default();
    world.github.fault(Fault::once("GET", "/repos/acme/api", FaultKind::Wait(gate.clone())).times(2));
    let both = async { tokio::join!(world.get(&token, "/repos/acme/api"), world.get(&token, "/repos/acme/api")) };
    let opener = async {
        gate.reached_by(2).await;
        assert!(!world.github.exchanges().iter().any(|exchange| exchange.path == "/repos/acme/api"));
        gate.open();
    };
    let ((first, second), ()) = tokio::join!(both, opener);
    assert_eq!((first.status, second.status), (200, 200));
}

#[tokio::test]
async fn without_a_name_there_are_sixty_requests_an_hour() {
    let world = World::new();
    let standing = world.get("", "/rate_limit").await.expect(200);
    assert_eq!(standing.body["rate"]["limit"], 60);
}

#[tokio::test]
async fn odd_input_is_refused_and_breaks_nothing() {
    let world = World::new();
    let token = world.token().await;
    let main = world.github.commits("acme/api", "main").unwrap()[0].clone();
    let deep = "a/".repeat(50_000) + "b";
    let tree = json!({ "tree": [{ "path": deep, "mode": "100644", "content": "x" }] });
    world.post(&token, "/repos/acme/api/git/trees", tree).await.expect(422);
    let nul = json!({ "message": "a\0b", "tree": main.tree, "parents": [main.sha] });
    world.post(&token, "/repos/acme/api/git/commits", nul).await.expect(422);
    let far = format!("/repos/acme/api/commits?per_page=100&page={}", usize::MAX);
    assert_eq!(world.get(&token, &far).await.expect(200).body, json!([]));
    world.post(&token, "/repos/acme/api/pulls", json!({ "title": 1, "head": [], "base": {} })).await.expect(422);
    world.get(&token, "/repos/acme/api/contents/..%2f..%2fetc").await.expect(404);
    world.get(&token, "/repos/acme/api/git/trees/%00").await.expect(404);
    world.get(&token, "/repos/%ff/%fe").await.expect(404);
}

#[tokio::test]
async fn tokens_can_be_made_to_expire_in_mid_job() {
    let world = World::new();
    let token = world.token().await;
    world.github.fault(Fault::once("GET", "/repos/acme/api", FaultKind::ExpireTokens));
    world.get(&token, "/repos/acme/api").await.expect(401);
    world.get(&world.token().await, "/repos/acme/api").await.expect(200);
}

#[tokio::test]
async fn every_request_is_written_down_without_its_secret() {
    let world = World::new();
    let token = world.token().await;
    let mark = world.github.mark();
    world.get(&token, "/api/v3/repos/acme/api/git/trees/main?recursive=1").await.expect(200);
    let since = world.github.requests_since(mark);
    assert_eq!(since.len(), 1);
    assert_eq!(since[0].path, "/repos/acme/api/git/trees/main");
    assert_eq!(since[0].query.as_deref(), Some("recursive=1"));
    assert_eq!(since[0].auth, github_sim::AuthKind::InstallationToken);
    assert_eq!(since[0].status, 200);
    assert!(!format!("{since:?}").contains(&token));
    let anonymous = reqwest::Client::new().get(format!("{}/rate_limit", world.github.url())).send().await.unwrap();
    assert_eq!(anonymous.status(), 403, "GitHub wants a User-Agent");
    let broken = reqwest::Client::builder().user_agent("x").build().unwrap();
    let url = format!("{}/repos/acme/api/git/blobs", world.github.url());
    let answer = broken.post(url).bearer_auth(&token).body("{nonsense").send().await.unwrap();
    assert_eq!(answer.status(), 400);
}
