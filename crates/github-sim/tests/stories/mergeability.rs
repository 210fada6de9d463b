//! Whether a pull request merges: not known at once, then by a real merge and by what protects its base.

use github_sim::{Colour, MergeMethod, Protection};
use serde_json::json;

use crate::world::World;

/// `acme/api` with pull request 1 from `b`, which changes `x`; returns the head.
async fn with_pull(world: &World, token: &str) -> String {
    let head = world.commit_on_branch(token, "b", "x", "1").await;
    world.open_pull(token, "b").await.expect(201);
    head
}

async fn states(world: &World, token: &str, answers: usize) -> Vec<String> {
    let mut states = Vec::new();
    for _ in 0..answers {
        states.push(world.get(token, "/repos/acme/api/pulls/1").await.expect(200).str("mergeable_state"));
    }
    states
}

#[tokio::test]
async fn nobody_knows_at_first_and_again_after_every_move() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "x", "1").await;
    let opened = world.open_pull(&token, "b").await.expect(201);
    assert_eq!((&opened.body["mergeable"], &opened.body["mergeable_state"]), (&json!(null), &json!("unknown")));
    assert_eq!(states(&world, &token, 3).await, ["unknown", "clean", "clean"]);
    world.github.push("acme/api", "b", &[("y", Some(b"2"))], "The head moves").unwrap();
    assert_eq!(states(&world, &token, 2).await, ["unknown", "clean"]);
    world.github.push("acme/api", "main", &[("z", Some(b"3"))], "The base moves").unwrap();
    assert_eq!(states(&world, &token, 2).await, ["unknown", "clean"]);
    let before = world.github.pull_request("acme/api", 1).unwrap();
    world.advance(60);
    states(&world, &token, 1).await;
    assert_eq!(world.github.pull_request("acme/api", 1).unwrap(), before, "asking changes nothing");
}

#[tokio::test]
async fn a_test_says_how_long_nobody_knows() {
    let world = World::new();
    let token = world.token().await;
    with_pull(&world, &token).await;
    world.github.set_limits(|limits| limits.unknown_mergeability = 0);
    assert_eq!(states(&world, &token, 1).await, ["clean"]);
    world.github.hold_mergeability("acme/api", 1, 3).unwrap();
    assert_eq!(states(&world, &token, 4).await, ["unknown", "unknown", "unknown", "clean"]);
    world.github.hold_mergeability("acme/api", 1, 1).unwrap();
    world.github.push("acme/api", "main", &[("z", Some(b"3"))], "The base moves").unwrap();
    assert_eq!(states(&world, &token, 2).await, ["unknown", "clean"], "a move does not let go of it");
}

#[tokio::test]
async fn each_state_has_its_reason() {
    let world = World::new();
    let token = world.token().await;
    let head = with_pull(&world, &token).await;
    let github = &world.github;
    github.set_limits(|limits| limits.unknown_mergeability = 0);
    let state = async || states(&world, &token, 1).await.remove(0);
    github.set_check("acme/api", &head, "lint", Colour::Pending).unwrap();
    assert_eq!(state().await, "unstable");
    github.set_check("acme/api", &head, "lint", Colour::Green).unwrap();
    assert_eq!(state().await, "clean");
    github.set_status("acme/api", &head, "coverage", Colour::Red).unwrap();
    assert_eq!(state().await, "unstable");
    github.set_status("acme/api", &head, "coverage", Colour::Green).unwrap();
    let rules = Protection { required_checks: vec!["ci".to_owned()], strict: true, ..Protection::default() };
    github.protect("acme/api", "main", rules).unwrap();
    assert_eq!(state().await, "blocked");
    github.set_status("acme/api", &head, "ci", Colour::Green).unwrap();
    assert_eq!(state().await, "clean", "a status serves as well as a check run");
    github.push("acme/api", "main", &[("z", Some(b"3"))], "The base moves").unwrap();
    assert_eq!(state().await, "behind");
    github.set_draft("acme/api", 1, true).unwrap();
    assert_eq!(state().await, "draft");
    github.push("acme/api", "main", &[("x", Some(b"another"))], "The base moves").unwrap();
    assert_eq!(state().await, "dirty");
    github.close("acme/api", 1).unwrap();
    assert_eq!(state().await, "unknown");
    assert_eq!(
        world.events().into_iter().filter(|event| event.starts_with("pull_request")).collect::<Vec<_>>(),
        ["pull_request opened", "pull_request converted_to_draft", "pull_request closed"]
    );
}

#[tokio::test]
async fn a_merge_is_refused_in_githubs_words() {
    let world = World::new();
    let token = world.token().await;
    let head = with_pull(&world, &token).await;
    let github = &world.github;
    let merge = async |body: serde_json::Value| world.put(&token, "/repos/acme/api/pulls/1/merge", body).await;
    let refused = async || merge(json!({})).await.expect(405).message().to_owned();
    let stale = merge(json!({ "sha": "1".repeat(40) })).await.expect(409);
    assert_eq!(stale.message(), "Head branch was modified. Review and try the merge again.");
    let required = |names: &[&str]| Protection {
        required_checks: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Protection::default()
    };
    github.protect("acme/api", "main", required(&["ci", "lint"])).unwrap();
    assert_eq!(refused().await, "2 of 2 required status checks are expected.");
    github.set_check("acme/api", &head, "lint", Colour::Red).unwrap();
    assert_eq!(refused().await, "2 of 2 required status checks have not succeeded: 1 failing, 1 expected.");
    github.set_check("acme/api", &head, "ci", Colour::Pending).unwrap();
    github.set_check("acme/api", &head, "lint", Colour::Green).unwrap();
    assert_eq!(refused().await, "Required status check \"ci\" is pending.");
    github.set_check("acme/api", &head, "ci", Colour::Red).unwrap();
    assert_eq!(refused().await, "Required status check \"ci\" is failing.");
    github.protect("acme/api", "main", required(&["e2e"])).unwrap();
    assert_eq!(refused().await, "Required status check \"e2e\" is expected.");
    github.protect("acme/api", "main", Protection { required_approvals: 1, ..required(&[]) }).unwrap();
    assert!(refused().await.starts_with("At least 1 approving review is required"));
    github.protect("acme/api", "main", Protection { strict: true, ..required(&[]) }).unwrap();
    github.push("acme/api", "main", &[("z", Some(b"3"))], "The base moves").unwrap();
    assert_eq!(refused().await, "Head branch is out of date");
    github.protect("acme/api", "main", required(&[])).unwrap();
    github.set_draft("acme/api", 1, true).unwrap();
    assert_eq!(refused().await, "Pull Request is still a draft");
    github.set_draft("acme/api", 1, false).unwrap();
    github.allow_merges("acme/api", &[MergeMethod::Squash]).unwrap();
    assert_eq!(refused().await, "Merge commits are not allowed on this repository.");
    let shown = world.get(&token, "/repos/acme/api").await.expect(200);
    assert_eq!((&shown.body["allow_merge_commit"], &shown.body["allow_squash_merge"]), (&json!(false), &json!(true)));
    merge(json!({ "merge_method": "squash", "sha": head })).await.expect(200);
    assert_eq!(refused().await, "Pull Request is not mergeable");
}

#[tokio::test]
async fn the_newest_word_of_a_check_counts() {
    let world = World::new();
    let token = world.token().await;
    let head = with_pull(&world, &token).await;
    world.github.set_limits(|limits| limits.unknown_mergeability = 0);
    let first = world.github.set_check("acme/api", &head, "ci", Colour::Pending).unwrap();
    let same = world.github.set_check("acme/api", &head, "ci", Colour::Red).unwrap();
    let second = world.github.set_check("acme/api", &head, "ci", Colour::Green).unwrap();
    assert_eq!(first, same);
    assert_ne!(first, second, "what is over begins anew");
    assert_eq!(states(&world, &token, 1).await, ["clean"]);
    let path = format!("/repos/acme/api/commits/{head}/check-runs");
    let latest = world.get(&token, &path).await.expect(200);
    assert_eq!((&latest.body["total_count"], &latest.body["check_runs"][0]["id"]), (&json!(1), &json!(second)));
    let all = world.get(&token, &format!("{path}?filter=all&check_name=ci&app_id=15368")).await.expect(200);
    assert_eq!(all.body["total_count"], 2);
    let ours = world.get(&token, &format!("{path}?app_id={}", world.github.app().app_id)).await.expect(200);
    assert_eq!(ours.body["total_count"], 0);
}
