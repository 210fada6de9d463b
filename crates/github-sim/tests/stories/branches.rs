//! Branches move: forwards and by force, by merges with two parents, from the base and from beside.

use github_sim::{FileChangeInput, Protection};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_branch_moves_forwards_unless_forced_and_its_pull_request_is_told() {
    let world = World::new();
    let token = world.token().await;
    let first = world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    let other = world.commit_on_branch(&token, "aside", "x", "2").await;
    world.github.drop_pending();
    let path = "/repos/acme/api/git/refs/heads/b";
    for refused in [json!({ "sha": other }), json!({ "sha": other, "force": false })] {
        let answer = world.patch(&token, path, refused).await.expect(422);
        assert_eq!(answer.message(), "Update is not a fast forward");
    }
    assert!(world.events().is_empty());
    world.patch(&token, path, json!({ "sha": other, "force": true })).await.expect(200);
    assert_eq!(world.events(), ["push", "check_suite requested", "pull_request synchronize"]);
    let push = &world.github.pending()[0].payload;
    assert_eq!((&push["forced"], &push["created"], &push["before"]), (&json!(true), &json!(false), &json!(first)));
    let moved = world.last_event("pull_request", "synchronize");
    assert_eq!((&moved["before"], &moved["after"]), (&json!(first), &json!(other)));
    assert_eq!(moved["pull_request"]["head"]["sha"], other);
}

#[tokio::test]
async fn a_commit_may_have_two_parents() {
    let world = World::new();
    let token = world.token().await;
    let ours = world.commit_on_branch(&token, "b", "x", "1").await;
    let theirs = world.github.push("acme/api", "main", &[("y", Some(b"2"))], "Meanwhile").unwrap();
    let tree = json!({
        "base_tree": theirs,
        "tree": [{ "path": "x", "mode": "100644", "type": "blob", "content": "1" }],
    });
    let tree = world.post(&token, "/repos/acme/api/git/trees", tree).await.expect(201).str("sha");
    let commit = json!({ "message": "Both", "tree": tree, "parents": [ours, theirs] });
    let merged = world.post(&token, "/repos/acme/api/git/commits", commit).await.expect(201);
    assert_eq!(merged.body["parents"][1]["sha"], theirs);
    assert_eq!(merged.body["verification"]["verified"], true);
    let sha = merged.str("sha");
    world.patch(&token, "/repos/acme/api/git/refs/heads/b", json!({ "sha": sha })).await.expect(200);
    let pull = world.open_pull(&token, "b").await.expect(201);
    assert_eq!((&pull.body["changed_files"], &pull.body["commits"]), (&json!(1), &json!(2)));
    let compared = world.get(&token, "/repos/acme/api/compare/main...b").await.expect(200);
    assert_eq!((&compared.body["behind_by"], &compared.body["status"]), (&json!(0), &json!("ahead")));
}

#[tokio::test]
async fn a_branch_is_merged_into_another() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    let tip = world.github.push("acme/api", "main", &[("y", Some(b"2"))], "Meanwhile").unwrap();
    world.github.drop_pending();
    let merge = async |base: &str, head: &str| {
        world.post(&token, "/repos/acme/api/merges", json!({ "base": base, "head": head })).await
    };
    let made = merge("b", "main").await.expect(201);
    assert_eq!(made.body["commit"]["message"], "Merge main into b");
    assert_eq!(made.body["parents"][1]["sha"], tip);
    assert_eq!(world.events(), ["push", "check_suite requested", "pull_request synchronize"]);
    assert_eq!(world.github.pull_request("acme/api", 1).unwrap().files, ["x"]);
    merge("b", &tip).await.expect(204);
    assert_eq!(merge("b", "absent").await.expect(404).message(), "Head does not exist");
    assert_eq!(merge("absent", "main").await.expect(404).message(), "Base does not exist");
    world.github.push("acme/api", "main", &[("x", Some(b"other"))], "The same line").unwrap();
    assert_eq!(merge("b", "main").await.expect(409).message(), "Merge conflict");
    world.github.protect("acme/api", "main", Protection::default()).unwrap();
    merge("main", "b").await.expect(409);
    world.post(&token, "/repos/acme/api/merges", json!({ "base": "b" })).await.expect(422);
    let reader = world.token_with(json!({ "permissions": { "contents": "read" } })).await.str("token");
    world.post(&reader, "/repos/acme/api/merges", json!({ "base": "b", "head": "main" })).await.expect(403);
}

#[tokio::test]
async fn update_branch_wants_the_head_it_was_told() {
    let world = World::new();
    let token = world.token().await;
    let head = world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    let update = async |expected: &str| {
        let body = json!({ "expected_head_sha": expected });
        world.put(&token, "/repos/acme/api/pulls/1/update-branch", body).await
    };
    let nothing_new = update(&head).await.expect(422);
    assert_eq!(nothing_new.message(), "There are no new commits on the base branch.");
    world.github.push("acme/api", "main", &[("y", Some(b"2"))], "Meanwhile").unwrap();
    let stale = update(&"1".repeat(40)).await.expect(422);
    assert_eq!(stale.message(), "expected head sha didn’t match current head ref.");
    world.github.drop_pending();
    update(&head).await.expect(202);
    assert_eq!(world.events(), ["push", "check_suite requested", "pull_request synchronize"]);
    let top = world.github.commits("acme/api", "b").unwrap().remove(0);
    assert_eq!((top.parents.len(), top.verified), (2, true));
    assert_eq!(world.last_event("pull_request", "synchronize")["before"], head);
    world.github.push("acme/api", "main", &[("x", Some(b"other"))], "The same line").unwrap();
    let conflict = update(&top.sha).await.expect(422);
    assert_eq!(conflict.message(), "merge conflict between base and head");
}

#[tokio::test]
async fn a_base_changes_within_reason() {
    let world = World::new();
    let token = world.token().await;
    world.github.push("acme/api", "next", &[("n", Some(b"1"))], "Next").unwrap();
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    let old = world.github.head("acme/api", "main").unwrap().unwrap();
    world.github.drop_pending();
    let rebase = async |base: &str| world.patch(&token, "/repos/acme/api/pulls/1", json!({ "base": base })).await;
    let moved = rebase("next").await.expect(200);
    assert_eq!(moved.body["base"]["ref"], "next");
    let changes = &world.last_event("pull_request", "edited")["changes"];
    assert_eq!(*changes, json!({ "base": { "ref": { "from": "main" }, "sha": { "from": old } } }));
    assert_eq!(rebase("absent").await.expect(422).body["errors"][0]["field"], "base");
    let own = rebase("b").await.expect(422);
    assert!(own.text.contains("There are no new commits between base branch 'b'"), "{}", own.text);
    world.github.close("acme/api", 1).unwrap();
    let closed = rebase("main").await.expect(422);
    assert!(closed.text.contains("Cannot change the base branch of a closed pull request."), "{}", closed.text);
}

#[tokio::test]
async fn edits_say_what_was_before() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    world.github.describe("acme/api", 1, "Another why").unwrap();
    let edited = world.last_event("pull_request", "edited");
    assert_eq!(edited["changes"], json!({ "body": { "from": "Why" } }));
    assert_eq!((&edited["sender"]["login"], &edited["sender"]["type"]), (&json!("alice"), &json!("User")));
    world.patch(&token, "/repos/acme/api/pulls/1", json!({ "title": "New", "body": "" })).await.expect(200);
    let edited = world.last_event("pull_request", "edited");
    assert_eq!(edited["changes"], json!({ "title": { "from": "Pull b" }, "body": { "from": "Another why" } }));
    assert_eq!(edited["sender"]["type"], "Bot");
    world.github.drop_pending();
    world.patch(&token, "/repos/acme/api/pulls/1", json!({ "title": "New" })).await.expect(200);
    assert!(world.events().is_empty(), "the same again is no edit");
}

#[tokio::test]
async fn what_was_forced_does_not_open_again() {
    let world = World::new();
    let token = world.token().await;
    let first = world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    world.github.close("acme/api", 1).unwrap();
    world.github.force_push_files("acme/api", "b", &[("x", Some(b"2"))], "Anew").unwrap();
    let reopen = async || world.patch(&token, "/repos/acme/api/pulls/1", json!({ "state": "open" })).await;
    let refused = reopen().await.expect(422);
    assert!(refused.text.contains("The b branch was force-pushed or recreated."), "{}", refused.text);
    world.github.force_push("acme/api", "b", &first).unwrap();
    assert_eq!(reopen().await.expect(200).body["state"], "open");
    assert_eq!(world.events().last().map(String::as_str), Some("pull_request reopened"));
}

#[tokio::test]
async fn a_push_says_what_it_did_to_a_branch() {
    let world = World::new();
    let zeros = "0".repeat(40);
    let main = world.github.head("acme/api", "main").unwrap().unwrap();
    let first = [FileChangeInput::put("new", "1"), FileChangeInput::put("README.md", "# other\n")];
    let second = [FileChangeInput::remove("src/requirements.txt")];
    let tip = world.github.push_commits("acme/api", "topic", &[(&first, "One"), (&second, "Two")]).unwrap();
    let created = world.github.pending().remove(0).payload;
    assert_eq!((&created["ref"], &created["created"]), (&json!("refs/heads/topic"), &json!(true)));
    assert_eq!((&created["before"], &created["after"]), (&json!(zeros), &json!(tip)));
    assert_eq!(created["commits"].as_array().unwrap().len(), 2);
    assert_eq!(created["commits"][0]["added"], json!(["new"]));
    assert_eq!(created["commits"][0]["modified"], json!(["README.md"]));
    assert_eq!(created["commits"][1]["removed"], json!(["src/requirements.txt"]));
    world.github.drop_pending();
    world.github.force_push("acme/api", "topic", &main).unwrap();
    let forced = world.github.pending().remove(0).payload;
    assert_eq!((&forced["forced"], &forced["created"], &forced["commits"]), (&json!(true), &json!(false), &json!([])));
    world.github.drop_pending();
    world.github.delete_branch("acme/api", "topic").unwrap();
    let deleted = world.github.pending().remove(0).payload;
    assert_eq!((&deleted["deleted"], &deleted["after"]), (&json!(true), &json!(zeros)));
}

#[tokio::test]
async fn a_workflow_that_another_branch_has_may_be_merged_in() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.github.push("acme/api", "main", &[(".github/workflows/ci.yml", Some(b"on: push\n"))], "CI").unwrap();
    let sha = world.github.head("acme/api", "main").unwrap().unwrap();
    let tree = json!({ "base_tree": sha, "tree": [{ "path": "x", "mode": "100644", "type": "blob", "content": "1" }] });
    let tree = world.post(&token, "/repos/acme/api/git/trees", tree).await.expect(201).str("sha");
    let ours = world.github.head("acme/api", "b").unwrap().unwrap();
    let commit = json!({ "message": "Both", "tree": tree, "parents": [ours, sha] });
    let commit = world.post(&token, "/repos/acme/api/git/commits", commit).await.expect(201).str("sha");
    world.patch(&token, "/repos/acme/api/git/refs/heads/b", json!({ "sha": commit })).await.expect(200);
    let changed = [FileChangeInput::put(".github/workflows/ci.yml", "on: [push]\n")];
    let own = world.github.commit_as(("A", "a@example.com"), "acme/api", Some("b"), &changed, "Change CI").unwrap();
    world.patch(&token, "/repos/acme/api/git/refs/heads/b", json!({ "sha": own })).await.expect(422);
}
