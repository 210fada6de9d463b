//! What is said under a pull request, by whom, and who hears of it.

use github_sim::Role;
use serde_json::{Value, json};

use crate::world::World;

async fn world_with_pull() -> (World, String) {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    world.github.drop_pending();
    (world, token)
}

#[tokio::test]
async fn comments_are_told_with_who_wrote_them_and_where() {
    let (world, token) = world_with_pull().await;
    let github = &world.github;
    let id = github.comment("acme/api", 1, "carol", "/mass-driver rebase").unwrap();
    let created = world.last_event("issue_comment", "created");
    assert_eq!((&created["sender"]["login"], &created["sender"]["type"]), (&json!("carol"), &json!("User")));
    assert_eq!(created["comment"]["author_association"], "MEMBER");
    assert_eq!(created["comment"]["performed_via_github_app"], Value::Null);
    assert!(created["issue"]["pull_request"]["url"].as_str().unwrap().ends_with("/pulls/1"));
    github.edit_comment("acme/api", id, "alice", "/mass-driver recreate").unwrap();
    let edited = world.last_event("issue_comment", "edited");
    assert_eq!(edited["changes"]["body"]["from"], "/mass-driver rebase");
    assert_eq!((&edited["sender"]["login"], &edited["comment"]["user"]["login"]), (&json!("alice"), &json!("carol")));
    github.delete_comment("acme/api", id, "carol").unwrap();
    assert_eq!(world.last_event("issue_comment", "deleted")["comment"]["body"], "/mass-driver recreate");
    github.comment("acme/api", 1, "renovate[bot]", "Beep").unwrap();
    let beep = world.last_event("issue_comment", "created");
    assert_eq!((&beep["sender"]["type"], &beep["comment"]["user"]["type"]), (&json!("Bot"), &json!("Bot")));
    assert_eq!(beep["comment"]["performed_via_github_app"]["slug"], "renovate");
    let own = world.post(&token, "/repos/acme/api/issues/1/comments", json!({ "body": "Done" })).await.expect(201);
    assert_eq!(own.body["performed_via_github_app"]["slug"], "mass-driver");
    assert_eq!(world.last_event("issue_comment", "created")["sender"]["login"], "mass-driver[bot]");
    github.set_role("acme/api", "mallory", Role::Outsider).unwrap();
    github.comment("acme/api", 1, "mallory", "/mass-driver rebase").unwrap();
    assert_eq!(world.last_event("issue_comment", "created")["comment"]["author_association"], "NONE");
}

#[tokio::test]
async fn comments_are_listed_in_pages_and_since_a_time() {
    let (world, token) = world_with_pull().await;
    let first = world.github.comment("acme/api", 1, "carol", "One").unwrap();
    world.advance(60);
    let second = world.github.comment("acme/api", 1, "carol", "Two").unwrap();
    world.advance(60);
    world.github.edit_comment("acme/api", first, "carol", "One, again").unwrap();
    let ids = |answer: crate::world::Answer| -> Vec<i64> {
        answer.body.as_array().unwrap().iter().map(|comment| comment["id"].as_i64().unwrap()).collect()
    };
    let list = async |query: &str| {
        let path = format!("/repos/acme/api/issues/1/comments?{query}");
        ids(world.get(&token, &path).await.expect(200))
    };
    assert_eq!(list("").await, [first, second]);
    assert_eq!(list("since=2026-01-05T08:01:30Z").await, [first], "by the time of the last change");
    assert_eq!(list("since=2026-01-05T08:01:00Z").await, [first, second]);
    assert_eq!(list("per_page=1&page=2").await, [second]);
    world.get(&token, "/repos/acme/api/issues/1/comments?since=yesterday").await.expect(422);
    let all = "/repos/acme/api/issues/comments?sort=updated&direction=desc";
    assert_eq!(ids(world.get(&token, all).await.expect(200)), [first, second]);
}

#[tokio::test]
async fn a_locked_conversation_is_closed_to_apps_and_readers() {
    let (world, token) = world_with_pull().await;
    let github = &world.github;
    github.set_role("acme/api", "mallory", Role::Read).unwrap();
    github.lock("acme/api", 1).unwrap();
    assert_eq!(world.last_event("pull_request", "locked")["pull_request"]["locked"], true);
    let refused = world.post(&token, "/repos/acme/api/issues/1/comments", json!({ "body": "?" })).await.expect(403);
    assert_eq!(refused.message(), "Unable to create comment because issue is locked.");
    assert!(github.comment("acme/api", 1, "mallory", "?").is_err());
    github.comment("acme/api", 1, "carol", "People who write may").unwrap();
    github.unlock("acme/api", 1).unwrap();
    world.post(&token, "/repos/acme/api/issues/1/comments", json!({ "body": "Again" })).await.expect(201);
    world.put(&token, "/repos/acme/api/issues/1/lock", json!({ "lock_reason": "resolved" })).await.expect(204);
    assert!(github.pull_request("acme/api", 1).unwrap().locked);
    world.delete(&token, "/repos/acme/api/issues/1/lock").await.expect(204);
    assert!(!github.pull_request("acme/api", 1).unwrap().locked);
}

#[tokio::test]
async fn one_reacts_once_in_each_way() {
    let (world, token) = world_with_pull().await;
    let comment = world.github.comment("acme/api", 1, "carol", "/mass-driver rebase").unwrap();
    world.github.react("acme/api", comment, "dave", "+1").unwrap();
    let path = format!("/repos/acme/api/issues/comments/{comment}/reactions");
    let made = world.post(&token, &path, json!({ "content": "+1" })).await.expect(201);
    let again = world.post(&token, &path, json!({ "content": "+1" })).await.expect(200);
    assert_eq!(made.body["id"], again.body["id"]);
    world.post(&token, &path, json!({ "content": "splendid" })).await.expect(422);
    let listed = world.get(&token, &path).await.expect(200);
    assert_eq!(listed.body[1]["user"]["login"], "mass-driver[bot]");
    let view = world.github.pull_request("acme/api", 1).unwrap().comments.remove(0);
    let reactions: Vec<_> = view.reactions.iter().map(|(login, content)| format!("{login} {content}")).collect();
    assert_eq!(reactions, ["dave +1", "mass-driver[bot] +1"]);
    let own = format!("{path}/{}", made.body["id"]);
    world.delete(&token, &own).await.expect(204);
    world.delete(&token, &own).await.expect(404);
    world.post(&token, "/repos/acme/api/issues/comments/1/reactions", json!({ "content": "+1" })).await.expect(404);
}
