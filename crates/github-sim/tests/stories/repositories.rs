//! Repositories change under the bot's feet.

use github_sim::RepoOptions;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_renamed_repository_redirects_by_number_until_the_name_is_used_again() {
    let world = World::new();
    let token = world.token().await;
    let id = world.github.repo_id("acme/api").unwrap();
    world.github.rename("acme/api", "service").unwrap();
    assert_eq!(world.events(), ["repository renamed"]);
    assert_eq!(world.github.pending()[0].payload["changes"]["repository"]["name"]["from"], "api");
    let moved = world.get(&token, "/repos/acme/api/git/ref/heads/main?x=1").await.expect(301);
    let target = format!("{}/repositories/{id}/git/ref/heads/main?x=1", world.github.url());
    assert_eq!(moved.header("location"), target);
    world.get(&token, &format!("/repositories/{id}/git/ref/heads/main")).await.expect(200);
    let post = world.post(&token, "/repos/acme/api/git/blobs", json!({ "content": "x" })).await.expect(307);
    assert!(post.header("location").ends_with(&format!("/repositories/{id}/git/blobs")));
    world.get(&token, "/repos/acme/service").await.expect(200);
    let other = world.github.create_repo("acme/api", RepoOptions::default()).unwrap();
    assert_eq!(world.get(&token, "/repos/acme/api").await.expect(200).body["id"], other);
}

#[tokio::test]
async fn an_archived_repository_is_read_only() {
    let world = World::new();
    let token = world.token().await;
    world.github.archive("acme/api").unwrap();
    assert_eq!(world.get(&token, "/repos/acme/api").await.expect(200).body["archived"], true);
    let refused = world.post(&token, "/repos/acme/api/git/blobs", json!({ "content": "x" })).await.expect(403);
    assert_eq!(refused.message(), "Repository was archived so is read-only.");
    world.github.unarchive("acme/api").unwrap();
    world.post(&token, "/repos/acme/api/git/blobs", json!({ "content": "x" })).await.expect(201);
    assert_eq!(world.events(), ["repository archived", "repository unarchived"]);
}

#[tokio::test]
async fn a_transferred_repository_leaves_the_installation() {
    let world = World::new();
    let token = world.token().await;
    world.github.organization("elsewhere");
    world.github.transfer("acme/api", "elsewhere").unwrap();
    assert_eq!(world.events(), ["installation_repositories removed"]);
    world.get(&token, "/repos/elsewhere/api").await.expect(404);
    world.get(&token, "/repos/acme/api").await.expect(404);
}

#[tokio::test]
async fn a_new_default_branch_and_a_deletion_are_told() {
    let world = World::new();
    let token = world.token().await;
    world.github.push("acme/api", "trunk", &[("x", Some(b"1"))], "Fork in the road").unwrap();
    world.github.drop_pending();
    world.github.set_default_branch("acme/api", "trunk").unwrap();
    assert_eq!(world.github.pending()[0].payload["changes"], json!({ "default_branch": { "from": "main" } }));
    assert_eq!(world.get(&token, "/repos/acme/api").await.expect(200).body["default_branch"], "trunk");
    world.github.delete_repo("acme/api").unwrap();
    assert_eq!(world.events(), ["repository edited", "repository deleted"]);
    world.get(&token, "/repos/acme/api").await.expect(404);
}

#[tokio::test]
async fn tags_and_releases_tell_versions() {
    let world = World::new();
    world.github.create_repo("actions/checkout", RepoOptions::default().public().file("action.yml", "x")).unwrap();
    world.github.tag("actions/checkout", "v4.2.0", "main").unwrap();
    world.github.release("actions/checkout", "v4.2.0", "Notes").unwrap();
    let token = world.token().await;
    let tags = world.get(&token, "/repos/actions/checkout/tags").await.expect(200);
    assert_eq!(tags.body[0]["name"], "v4.2.0");
    let latest = world.get(&token, "/repos/actions/checkout/releases/latest").await.expect(200);
    assert_eq!(latest.body["published_at"], "2026-01-05T08:00:00Z");
}

#[test]
fn nothing_stays_behind_on_the_disk() {
    let folder = {
        let world = World::new();
        assert!(world.github.folder().exists());
        world.github.folder()
    };
    assert!(!folder.exists(), "{}", folder.display());
}

#[tokio::test]
async fn exchanges_can_be_counted_without_being_kept() {
    let world = World::new();
    let token = world.token().await;
    world.github.forget_exchanges();
    let (requests, writes) = (world.github.mark(), world.github.writes());
    world.get(&token, "/repos/acme/api").await.expect(200);
    world.post(&token, "/repos/acme/api/git/blobs", json!({ "content": "x" })).await.expect(201);
    assert_eq!(world.github.mark(), requests + 2);
    world.token().await;
    assert_eq!(world.github.writes(), writes + 1, "a token changes nothing");
    assert!(world.github.exchanges().is_empty());
}

#[tokio::test]
async fn tags_may_be_objects_and_are_listed_by_their_commits() {
    let world = World::new();
    let repo = "actions/checkout";
    world.github.create_repo(repo, RepoOptions::default().public().file("action.yml", "x")).unwrap();
    let commit = world.github.head(repo, "main").unwrap().unwrap();
    let object = world.github.annotated_tag(repo, "v4.2.0", "main", "Version 4.2.0").unwrap();
    assert_ne!(object, commit);
    let token = world.token().await;
    let tags = world.get(&token, "/repos/actions/checkout/tags").await.expect(200);
    assert_eq!(tags.body[0]["commit"]["sha"], commit);
    let found = world.get(&token, "/repos/actions/checkout/git/ref/tags/v4.2.0").await.expect(200);
    assert_eq!(found.body["object"], json!({ "type": "tag", "sha": object, "url": found.body["object"]["url"] }));
    let tag = world.get(&token, &format!("/repos/actions/checkout/git/tags/{object}")).await.expect(200);
    assert_eq!((&tag.body["object"]["sha"], &tag.body["object"]["type"]), (&json!(commit), &json!("commit")));
    world.get(&token, &format!("/repos/actions/checkout/git/tags/{commit}")).await.expect(404);

    let other = world.github.push(repo, "main", &[("action.yml", Some(b"y"))], "Change").unwrap();
    world.github.annotated_tag(repo, "v4.2.0", &other, "Moved").unwrap();
    let tags = world.get(&token, "/repos/actions/checkout/tags").await.expect(200);
    assert_eq!(tags.body[0]["commit"]["sha"], other);
    world.github.delete_tag(repo, "v4.2.0").unwrap();
    world.get(&token, "/repos/actions/checkout/git/ref/tags/v4.2.0").await.expect(404);
    assert!(world.github.delete_tag(repo, "v4.2.0").is_err());
}

#[tokio::test]
async fn drafts_are_for_those_who_may_write() {
    let world = World::new();
    let repo = "acme/api";
    world.github.tag(repo, "v1.0.0", "main").unwrap();
    world.github.prerelease(repo, "v1.0.0").unwrap();
    world.github.draft_release(repo, "v1.1.0").unwrap();
    let token = world.token().await;
    let all = world.get(&token, "/repos/acme/api/releases").await.expect(200);
    let shown: Vec<(&str, bool)> =
        all.body.as_array().unwrap().iter().map(|r| (r["tag_name"].as_str().unwrap(), r["draft"] == true)).collect();
    assert_eq!(shown, [("v1.1.0", true), ("v1.0.0", false)]);
    assert_eq!(all.body[0]["published_at"], json!(null));
    assert_eq!(all.body[1]["prerelease"], true);
    world.get(&token, "/repos/acme/api/releases/latest").await.expect(404);
    world.get(&token, "/repos/acme/api/releases/tags/v1.1.0").await.expect(404);
}
