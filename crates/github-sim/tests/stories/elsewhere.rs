//! What is not the installation's own: forks, public repositories of others, an organisation's `.github`.

use github_sim::{RepoOptions, Role};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_forks_commits_are_read_through_the_original() {
    let world = World::new();
    let token = world.token().await;
    let github = &world.github;
    github.create_repo("acme/open", RepoOptions::default().public().file("a", "1")).unwrap();
    github.fork("acme/open", "mallory").unwrap();
    github.drop_pending();
    let number = github.propose_as("mallory", "acme/open", "bot/httpx", &[("a", Some(b"2"))]).unwrap();
    assert_eq!(world.events(), ["pull_request opened"], "a push to the fork is none of ours");
    let opened = world.last_event("pull_request", "opened");
    assert_eq!(opened["pull_request"]["author_association"], "NONE");
    assert_eq!(opened["pull_request"]["head"]["repo"]["full_name"], "mallory/open");
    assert_eq!(opened["pull_request"]["base"]["repo"]["full_name"], "acme/open");
    let head = opened["pull_request"]["head"]["sha"].as_str().unwrap().to_owned();
    let commit = world.get(&token, &format!("/repos/acme/open/git/commits/{head}")).await.expect(200);
    let tree = commit.body["tree"]["sha"].as_str().unwrap().to_owned();
    world.get(&token, &format!("/repos/acme/open/git/trees/{tree}")).await.expect(200);
    let path = format!("/repos/acme/open/contents/a?ref={head}");
    assert_eq!(world.get(&token, &path).await.expect(200).str("content").trim(), "Mg==");
    let reference = world.get(&token, &format!("/repos/acme/open/git/ref/pull/{number}/head")).await.expect(200);
    assert_eq!(reference.body["object"]["sha"], head);
    let permission = world.get(&token, "/repos/acme/open/collaborators/mallory/permission").await.expect(200);
    assert_eq!(permission.body["permission"], "read");
    let run = json!({ "name": "n", "head_sha": head });
    let run = world.post(&token, "/repos/acme/open/check-runs", run).await.expect(201);
    assert_eq!(run.body["pull_requests"], json!([]), "GitHub names no pull requests of forks");
    github.drop_pending();
    let next = github.push_as("mallory", "mallory/open", "bot/httpx", &[], "More").unwrap();
    let moved = world.last_event("pull_request", "synchronize");
    assert_eq!((&moved["before"], &moved["after"]), (&json!(head), &json!(next)));
    github.merge("acme/open", number).unwrap();
    github.comment("acme/open", number, "mallory", "Thanks").unwrap();
    assert_eq!(world.last_event("issue_comment", "created")["comment"]["author_association"], "CONTRIBUTOR");
}

#[tokio::test]
async fn a_colleague_proposes_a_change_of_one_file() {
    let world = World::new();
    let token = world.token().await;
    let number =
        world.github.propose_as("carol", "acme/api", "topic", &[(".mass-driver.yaml", Some(b"version: 1\n"))]).unwrap();
    let opened = world.last_event("pull_request", "opened");
    assert_eq!(
        (&opened["sender"]["login"], &opened["pull_request"]["author_association"]),
        (&json!("carol"), &json!("MEMBER"))
    );
    let files = world.get(&token, &format!("/repos/acme/api/pulls/{number}/files")).await.expect(200);
    assert_eq!((&files.body[0]["filename"], &files.body[0]["status"]), (&json!(".mass-driver.yaml"), &json!("added")));
}

#[tokio::test]
async fn notes_of_releases_of_others_are_public() {
    let world = World::new();
    let token = world.token().await;
    let github = &world.github;
    github.create_repo("encode/httpx", RepoOptions::default().public().file("a", "1")).unwrap();
    github.tag("encode/httpx", "0.28.0", "main").unwrap();
    github.release("encode/httpx", "0.28.0", "## Fixed\n\n* Everything, see #1").unwrap();
    github.tag("encode/httpx", "v1/0.29.0", "main").unwrap();
    world.advance(60);
    github.prerelease("encode/httpx", "v1/0.29.0").unwrap();
    let found = world.get(&token, "/repos/encode/httpx/releases/tags/0.28.0").await.expect(200);
    assert_eq!(found.body["body"], "## Fixed\n\n* Everything, see #1");
    let slashed = world.get(&token, "/repos/encode/httpx/releases/tags/v1%2F0.29.0").await.expect(200);
    assert_eq!(slashed.body["prerelease"], true);
    let listed = world.get(&token, "/repos/encode/httpx/releases?per_page=1").await.expect(200);
    assert_eq!(listed.body[0]["tag_name"], "v1/0.29.0");
    assert!(listed.header("link").contains("rel=\"next\""));
    github.edit_release("encode/httpx", "0.28.0", "Rewritten").unwrap();
    let edited = world.get(&token, "/repos/encode/httpx/releases/tags/0.28.0").await.expect(200);
    assert_eq!(edited.body["body"], "Rewritten");
    world.get(&token, "/repos/encode/httpx/releases/tags/9").await.expect(404);
    let comment = world.post(&token, "/repos/encode/httpx/git/blobs", json!({ "content": "x" })).await.expect(403);
    assert_eq!(comment.message(), "Resource not accessible by integration");
    github.set_private("encode/httpx", true).unwrap();
    world.get(&token, "/repos/encode/httpx/releases").await.expect(404);
}

#[tokio::test]
async fn an_organisation_has_a_repository_named_dot_github() {
    let world = World::new();
    let token = world.token().await;
    let shared = RepoOptions::default().file(".mass-driver.yaml", "version: 1\n").file("profile/README.md", "# acme\n");
    world.github.create_repo("acme/.github", shared).unwrap();
    assert_eq!(world.get(&token, "/repos/acme/.github").await.expect(200).body["full_name"], "acme/.github");
    let file = world.get(&token, "/repos/acme/.github/contents/.mass-driver.yaml").await.expect(200);
    assert_eq!(file.body["name"], ".mass-driver.yaml");
    world.github.push("acme/.github", "main", &[("a", Some(b"1"))], "Change").unwrap();
    let push = world.github.pending().into_iter().rfind(|event| event.event == "push").unwrap();
    assert_eq!(push.payload["repository"]["name"], ".github");
    let page = world.get("", "/acme/.github").await.expect(200);
    assert!(page.text.contains("acme/.github"));
}

#[tokio::test]
async fn a_fork_of_a_colleague_may_be_told_so() {
    let world = World::new();
    let github = &world.github;
    github.set_role("acme/api", "carol", Role::Maintain).unwrap();
    github.fork("acme/api", "carol").unwrap();
    let token = world.token().await;
    let kept = world.get(&token, "/repos/acme/api/collaborators/carol/permission").await.expect(200);
    assert_eq!(kept.body["role_name"], "maintain");
}
