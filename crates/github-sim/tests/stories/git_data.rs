//! Trees, blobs, commits and references: GitHub's rules and its words when they are broken.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use github_sim::{FileChangeInput, RepoOptions};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_change_is_tree_commit_and_reference() {
    let world = World::new();
    let token = world.token().await;
    let commit = world.commit_on_branch(&token, "bot/httpx", "src/requirements.txt", "httpx==0.28.0\n").await;
    let file = world.github.file("acme/api", "bot/httpx", "src/requirements.txt").unwrap().unwrap();
    assert_eq!(file, b"httpx==0.28.0\n");
    assert!(world.github.file("acme/api", "bot/httpx", "README.md").unwrap().is_some(), "base_tree keeps the rest");
    let seen = &world.github.commits("acme/api", "bot/httpx").unwrap()[0];
    assert_eq!(seen.sha, commit);
    assert_eq!(seen.author.name, "mass-driver[bot]");
    assert_eq!(seen.committer.name, "GitHub");
    assert!(seen.verified);
    let push = &world.github.pending()[0];
    assert_eq!(push.event, "push");
    assert_eq!(push.payload["created"], true);
    assert_eq!(push.payload["before"], "0".repeat(40));
    assert_eq!(push.payload["after"], commit);
    assert_eq!(push.payload["commits"][0]["modified"], json!(["src/requirements.txt"]));
    assert_eq!(push.payload["sender"]["login"], "mass-driver[bot]");
}

#[tokio::test]
async fn an_author_of_ones_own_costs_the_signature() {
    let world = World::new();
    let token = world.token().await;
    let head = world.get(&token, "/repos/acme/api/commits/main").await.expect(200);
    let tree = head.body["commit"]["tree"]["sha"].clone();
    let body = json!({
        "message": "m", "tree": tree, "parents": [head.str("sha")],
        "author": { "name": "Someone", "email": "someone@example.com", "date": "2026-01-01T00:00:00Z" },
    });
    let commit = world.post(&token, "/repos/acme/api/git/commits", body).await.expect(201);
    assert_eq!(commit.body["verification"]["verified"], false);
    assert_eq!(commit.body["verification"]["reason"], "unsigned");
    assert_eq!(commit.body["committer"]["name"], "Someone");
}

#[tokio::test]
async fn a_tree_without_a_base_holds_nothing_else() {
    let world = World::new();
    let token = world.token().await;
    let body = json!({ "tree": [{ "path": "only", "mode": "100755", "type": "blob", "content": "x" }] });
    let tree = world.post(&token, "/repos/acme/api/git/trees", body).await.expect(201);
    assert_eq!(tree.body["tree"].as_array().unwrap().len(), 1);
    assert_eq!(tree.body["tree"][0]["mode"], "100755");
}

#[tokio::test]
async fn entries_may_be_removed_and_bad_ones_are_refused() {
    let world = World::new();
    let token = world.token().await;
    let base = world.github.commits("acme/api", "main").unwrap()[0].tree.clone();
    let post = async |entry: serde_json::Value| {
        let body = json!({ "base_tree": base, "tree": [entry] });
        world.post(&token, "/repos/acme/api/git/trees", body).await
    };
    let gone = post(json!({ "path": "src/requirements.txt", "mode": "100644", "type": "blob", "sha": null }))
        .await
        .expect(201);
    assert_eq!(gone.body["tree"].as_array().unwrap().len(), 1, "the empty folder goes too: {}", gone.text);
    post(json!({ "path": "absent", "mode": "100644", "type": "blob", "sha": null })).await.expect(422);
    let unknown = "1".repeat(40);
    let refused = post(json!({ "path": "x", "mode": "100644", "type": "blob", "sha": unknown })).await.expect(422);
    assert_eq!(refused.message(), format!("tree.sha {unknown} is not a valid blob"));
    for path in ["../x", "/x", "a//b", ".git/config", "a/.GIT/b", ""] {
        let refused = post(json!({ "path": path, "mode": "100644", "type": "blob", "content": "x" })).await.expect(422);
        assert!(refused.message().contains("malformed path"), "{path}: {}", refused.text);
    }
    post(json!({ "path": "x", "mode": "100600", "type": "blob", "content": "x" })).await.expect(422);
    post(json!({ "path": ".github/workflows/ci.yml", "mode": "100644", "type": "blob", "content": "x" }))
        .await
        .expect(404);
}

#[tokio::test]
async fn a_recursive_tree_is_cut_at_the_limit() {
    let world = World::new();
    world.github.set_limits(|limits| limits.tree_entries = 2);
    let token = world.token().await;
    let tree = world.get(&token, "/repos/acme/api/git/trees/main?recursive=1").await.expect(200);
    assert_eq!(tree.body["truncated"], true);
    assert_eq!(tree.body["tree"].as_array().unwrap().len(), 2);
    let flat = world.get(&token, "/repos/acme/api/git/trees/main").await.expect(200);
    assert_eq!(flat.body["truncated"], false);
    let below = flat.body["tree"][1]["sha"].as_str().unwrap().to_owned();
    let below = world.get(&token, &format!("/repos/acme/api/git/trees/{below}")).await.expect(200);
    assert_eq!(below.body["tree"][0]["path"], "requirements.txt");
}

#[tokio::test]
async fn blobs_come_as_json_or_raw() {
    let world = World::new();
    let token = world.token().await;
    let sent = json!({ "content": STANDARD.encode(b"\0\xff bytes"), "encoding": "base64" });
    let sha = world.post(&token, "/repos/acme/api/git/blobs", sent).await.expect(201).str("sha");
    let path = format!("/repos/acme/api/git/blobs/{sha}");
    let json = world.get(&token, &path).await.expect(200);
    assert_eq!(STANDARD.decode(json.str("content").trim()).unwrap(), b"\0\xff bytes");
    let accept = [("accept", "application/vnd.github.raw+json")];
    let raw = world.send("GET", &token, &path, None, &accept).await.unwrap().expect(200);
    assert!(raw.text.ends_with("bytes"));
    world.get(&token, &format!("/repos/acme/api/git/blobs/{}", "1".repeat(40))).await.expect(404);
    world.get(&token, "/repos/acme/api/git/blobs/nonsense").await.expect(422);
}

#[tokio::test]
async fn references_are_made_once_and_move_forward_only() {
    let world = World::new();
    let token = world.token().await;
    let main = world.github.head("acme/api", "main").unwrap().unwrap();
    let first = world.commit_on_branch(&token, "bot/x", "a", "1").await;
    let again = json!({ "ref": "refs/heads/bot/x", "sha": first });
    let refused = world.post(&token, "/repos/acme/api/git/refs", again).await.expect(422);
    assert_eq!(refused.message(), "Reference already exists");
    let absent = json!({ "ref": "refs/heads/y", "sha": "1".repeat(40) });
    assert_eq!(
        world.post(&token, "/repos/acme/api/git/refs", absent).await.expect(422).message(),
        "Object does not exist"
    );
    let blocked = json!({ "ref": "refs/heads/bot", "sha": first });
    world.post(&token, "/repos/acme/api/git/refs", blocked).await.expect(422);
    let bad = json!({ "ref": "refs/heads/a..b", "sha": first });
    world.post(&token, "/repos/acme/api/git/refs", bad).await.expect(422);
    let back = world.patch(&token, "/repos/acme/api/git/refs/heads/bot/x", json!({ "sha": main })).await.expect(422);
    assert_eq!(back.message(), "Update is not a fast forward");
    world
        .patch(&token, "/repos/acme/api/git/refs/heads/bot/x", json!({ "sha": main, "force": true }))
        .await
        .expect(200);
    let forced = world.github.pending();
    let push = forced.iter().rfind(|event| event.event == "push").unwrap();
    assert_eq!(push.payload["forced"], true);
    world.delete(&token, "/repos/acme/api/git/refs/heads/bot/x").await.expect(204);
    world.delete(&token, "/repos/acme/api/git/refs/heads/bot/x").await.expect(422);
    world.get(&token, "/repos/acme/api/git/ref/heads/bot/x").await.expect(404);
    let matching = world.get(&token, "/repos/acme/api/git/matching-refs/heads/ma").await.expect(200);
    assert_eq!(matching.body[0]["ref"], "refs/heads/main");
}

#[tokio::test]
async fn an_empty_repository_says_so_until_a_file_is_put() {
    let world = World::new();
    world.github.create_repo("acme/empty", RepoOptions::default()).unwrap();
    let token = world.token().await;
    let refused = world.get(&token, "/repos/acme/empty/git/ref/heads/main").await.expect(409);
    assert_eq!(refused.message(), "Git Repository is empty.");
    world.post(&token, "/repos/acme/empty/git/trees", json!({ "tree": [] })).await.expect(409);
    world.get(&token, "/repos/acme/empty/contents/x").await.expect(404);
    let put = json!({ "message": "Begin", "content": STANDARD.encode("hello") });
    let made = world.put(&token, "/repos/acme/empty/contents/a.txt", put.clone()).await.expect(201);
    assert_eq!(made.body["content"]["path"], "a.txt");
    world.put(&token, "/repos/acme/empty/contents/a.txt", put).await.expect(422);
}

#[tokio::test]
async fn contents_follow_links_and_name_submodules() {
    let world = World::new();
    let changes = [
        FileChangeInput::symlink("latest", "src/requirements.txt"),
        FileChangeInput::executable("run.sh", "#!/bin/sh\n"),
        FileChangeInput::submodule("vendored", &"2".repeat(40)),
    ];
    world.github.push_as("bob", "acme/api", "main", &changes, "Kinds").unwrap();
    let token = world.token().await;
    let followed = world.get(&token, "/repos/acme/api/contents/latest").await.expect(200);
    assert_eq!(followed.body["type"], "file");
    assert_eq!(followed.body["path"], "src/requirements.txt");
    let submodule = world.get(&token, "/repos/acme/api/contents/vendored").await.expect(200);
    assert_eq!(submodule.body["type"], "submodule");
    let folder = world.get(&token, "/repos/acme/api/contents/src").await.expect(200);
    assert_eq!(folder.body[0]["name"], "requirements.txt");
    assert_eq!(world.github.file_mode("acme/api", "main", "run.sh").unwrap(), Some(0o100_755));
    let tree = world.get(&token, "/repos/acme/api/git/trees/main").await.expect(200);
    let modes: Vec<_> =
        tree.body["tree"].as_array().unwrap().iter().map(|entry| entry["mode"].as_str().unwrap()).collect();
    assert_eq!(modes, ["100644", "120000", "100755", "040000", "160000"]);
    let raw = [("accept", "application/vnd.github.raw+json")];
    let raw = world.send("GET", &token, "/repos/acme/api/contents/run.sh?ref=main", None, &raw).await.unwrap();
    assert_eq!(raw.text, "#!/bin/sh\n");
}

#[tokio::test]
async fn what_has_not_changed_answers_304_and_costs_nothing() {
    let world = World::new();
    let token = world.token().await;
    let first = world.get(&token, "/repos/acme/api/branches/main").await.expect(200);
    let tag = first.header("etag").to_owned();
    let used = first.header("x-ratelimit-used").to_owned();
    let ask = async || {
        let headers = [("if-none-match", tag.as_str())];
        world.send("GET", &token, "/repos/acme/api/branches/main", None, &headers).await.unwrap()
    };
    let second = ask().await.expect(304);
    assert_eq!(second.header("x-ratelimit-used"), used);
    world.github.push("acme/api", "main", &[("new", Some(b"1"))], "Move on").unwrap();
    ask().await.expect(200);
}

#[tokio::test]
async fn branches_with_slashes_are_found_either_way() {
    let world = World::new();
    let token = world.token().await;
    let sha = world.commit_on_branch(&token, "bot/a/b", "x", "1").await;
    for path in ["bot/a/b", "bot%2Fa%2Fb"] {
        assert_eq!(
            world.get(&token, &format!("/repos/acme/api/branches/{path}")).await.expect(200).body["commit"]["sha"],
            sha
        );
        assert_eq!(world.get(&token, &format!("/repos/acme/api/commits/{path}")).await.expect(200).str("sha"), sha);
    }
    world.get(&token, "/repos/acme/api/commits/bot%2Fa%2Fb/check-runs").await.expect(200);
    let compared = world.get(&token, "/repos/acme/api/compare/main...bot%2Fa%2Fb").await.expect(200);
    assert_eq!((compared.body["ahead_by"].as_i64(), compared.body["status"].as_str()), (Some(1), Some("ahead")));
    assert_eq!(compared.body["files"][0]["filename"], "x");
}
