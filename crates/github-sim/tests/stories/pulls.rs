//! Pull requests from opening to merging, and what moves underneath them.

use github_sim::{Protection, RepoOptions};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_pull_request_opens_once_for_a_branch() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "bot/httpx", "src/requirements.txt", "httpx==0.28.0\n").await;
    world.github.drop_pending();
    let opened = world.open_pull(&token, "bot/httpx").await.expect(201);
    assert_eq!(opened.body["number"], 1);
    assert_eq!(opened.body["changed_files"], 1);
    assert_eq!(opened.body["user"]["login"], "mass-driver[bot]");
    assert_eq!(world.events(), ["pull_request opened"]);
    let again = world.open_pull(&token, "bot/httpx").await.expect(422);
    assert_eq!(again.message(), "Validation Failed");
    assert_eq!(again.body["errors"][0]["message"], "A pull request already exists for acme:bot/httpx.");
    let absent = world.open_pull(&token, "absent").await.expect(422);
    assert_eq!(absent.body["errors"][0], json!({ "resource": "PullRequest", "field": "head", "code": "invalid" }));
    let found = world.get(&token, "/repos/acme/api/pulls?head=acme:bot/httpx&state=all").await.expect(200);
    assert_eq!(found.body[0]["number"], 1);
    let none = world.get(&token, "/repos/acme/api/pulls?head=acme:other").await.expect(200);
    assert_eq!(none.body, json!([]));
    let diff = world.github.pull_diff("acme/api", 1).unwrap();
    assert!(diff.contains("-httpx==0.27.0\n+httpx==0.28.0\n"), "{diff}");
    let files = world.get(&token, "/repos/acme/api/pulls/1/files").await.expect(200);
    assert_eq!(files.body[0]["patch"], "@@ -1 +1 @@\n-httpx==0.27.0\n+httpx==0.28.0");
}

#[tokio::test]
async fn titles_bodies_and_differences_have_limits() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "x", "1").await;
    let open = async |title: String, body: String| {
        let pull = json!({ "title": title, "body": body, "head": "b", "base": "main" });
        world.post(&token, "/repos/acme/api/pulls", pull).await
    };
    let long = open("é".repeat(257), String::new()).await.expect(422);
    assert!(long.text.contains("maximum is 256 characters"), "{}", long.text);
    let long = open("t".to_owned(), "x".repeat(65_537)).await.expect(422);
    assert!(long.text.contains("maximum is 65536 characters"), "{}", long.text);
    open("é".repeat(256), "x".repeat(65_536)).await.expect(201);
    let main = world.github.head("acme/api", "main").unwrap().unwrap();
    world.post(&token, "/repos/acme/api/git/refs", json!({ "ref": "refs/heads/same", "sha": main })).await.expect(201);
    let same = world.open_pull(&token, "same").await.expect(422);
    assert_eq!(same.body["errors"][0]["message"], "No commits between main and same");
    let untitled =
        world.post(&token, "/repos/acme/api/pulls", json!({ "head": "b", "base": "main" })).await.expect(422);
    assert!(untitled.message().contains("\"title\" wasn't supplied"));
}

#[tokio::test]
async fn a_pushed_head_synchronizes_and_a_deleted_one_closes() {
    let world = World::new();
    let token = world.token().await;
    let first = world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    world.github.drop_pending();
    let second = world.github.push("acme/api", "b", &[("by-hand", Some(b"mine"))], "A person's commit").unwrap();
    assert_eq!(world.events(), ["push", "check_suite requested", "pull_request synchronize"]);
    let event = world.github.pending()[2].payload.clone();
    assert_eq!((event["before"].as_str(), event["after"].as_str()), (Some(first.as_str()), Some(second.as_str())));
    assert_eq!(event["pull_request"]["head"]["sha"], second);
    assert_eq!(world.get(&token, "/repos/acme/api/pulls/1").await.expect(200).body["commits"], 2);
    world.github.drop_pending();
    world.github.delete_branch("acme/api", "b").unwrap();
    assert_eq!(world.events(), ["push", "pull_request closed"]);
    let reopened = world.patch(&token, "/repos/acme/api/pulls/1", json!({ "state": "open" })).await.expect(422);
    assert!(reopened.text.contains("branch has been deleted"), "{}", reopened.text);
}

#[tokio::test]
async fn a_merge_makes_a_commit_a_push_and_an_event() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    world.github.push("acme/api", "main", &[("elsewhere", Some(b"2"))], "Meanwhile").unwrap();
    assert_eq!(world.judged_pull(&token, 1).await.body["mergeable_state"], "clean");
    world.github.drop_pending();
    let sha = world.github.merge("acme/api", 1).unwrap();
    assert_eq!(world.events(), ["push", "check_suite requested", "pull_request closed"]);
    let closed = &world.github.pending()[2].payload;
    assert_eq!(closed["pull_request"]["merged"], true);
    assert_eq!(closed["pull_request"]["merge_commit_sha"], sha);
    let top = &world.github.commits("acme/api", "main").unwrap()[0];
    assert_eq!((top.parents.len(), top.message.as_str()), (2, "Merge pull request #1 from acme/b\n\nPull b"));
    world.get(&token, "/repos/acme/api/pulls/1/merge").await.expect(204);
    assert!(world.github.file("acme/api", "main", "x").unwrap().is_some());
    world.put(&token, "/repos/acme/api/pulls/1/merge", json!({})).await.expect(405);
}

#[tokio::test]
async fn squash_and_rebase_leave_one_parent() {
    let world = World::new();
    let token = world.token().await;
    for (branch, method) in [("b1", "squash"), ("b2", "rebase")] {
        world.commit_on_branch(&token, branch, branch, "1").await;
        world.github.push("acme/api", branch, &[("more", Some(branch.as_bytes()))], "More").unwrap();
        world.github.push("acme/api", "main", &[(method, Some(b"2"))], "Meanwhile").unwrap();
        let number = world.open_pull(&token, branch).await.expect(201).body["number"].clone();
        let stale = json!({ "merge_method": method, "sha": "1".repeat(40) });
        world.put(&token, &format!("/repos/acme/api/pulls/{number}/merge"), stale).await.expect(409);
        let merged = json!({ "merge_method": method });
        world.put(&token, &format!("/repos/acme/api/pulls/{number}/merge"), merged).await.expect(200);
    }
    let commits = world.github.commits("acme/api", "main").unwrap();
    assert!(commits.iter().all(|commit| commit.parents.len() < 2));
    let messages: Vec<_> = commits.iter().map(|commit| commit.message.as_str()).collect();
    assert_eq!(messages, ["More", "Change b2", "Meanwhile", "Pull b1 (#1)", "Meanwhile", "Begin"]);
}

#[tokio::test]
async fn a_conflict_is_dirty_and_does_not_merge() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "README.md", "# ours\n").await;
    world.open_pull(&token, "b").await.expect(201);
    world.github.push("acme/api", "main", &[("README.md", Some(b"# theirs\n"))], "Meanwhile").unwrap();
    let pull = world.judged_pull(&token, 1).await;
    assert_eq!((pull.body["mergeable"].as_bool(), pull.body["mergeable_state"].as_str()), (Some(false), Some("dirty")));
    world.put(&token, "/repos/acme/api/pulls/1/merge", json!({})).await.expect(405);
}

#[tokio::test]
async fn a_push_that_contains_the_head_counts_as_a_merge() {
    let world = World::new();
    let token = world.token().await;
    let sha = world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    world.github.force_push("acme/api", "main", &sha).unwrap();
    let pull = world.github.pull_request("acme/api", 1).unwrap();
    assert!(pull.merged && pull.state == "closed");
}

#[tokio::test]
async fn protection_stops_pushes_and_merges_until_checks_are_green() {
    let world = World::new();
    let token = world.token().await;
    let sha = world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    let rules = Protection { required_checks: vec!["ci".to_owned()], ..Protection::default() };
    world.github.protect("acme/api", "main", rules).unwrap();
    world.patch(&token, "/repos/acme/api/git/refs/heads/main", json!({ "sha": sha })).await.expect(422);
    world.delete(&token, "/repos/acme/api/git/refs/heads/main").await.expect(422);
    assert_eq!(world.judged_pull(&token, 1).await.body["mergeable_state"], "blocked");
    let refused = world.put(&token, "/repos/acme/api/pulls/1/merge", json!({})).await.expect(405);
    assert_eq!(refused.message(), "Required status check \"ci\" is expected.");
    world.github.check_run("acme/api", &sha, "ci", "success").unwrap();
    world.put(&token, "/repos/acme/api/pulls/1/merge", json!({})).await.expect(200);
}

#[tokio::test]
async fn labels_comments_and_people() {
    let world = World::new();
    let token = world.token().await;
    world.github.person("carol");
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    world.github.drop_pending();
    let labels = json!({ "labels": ["dependencies", "python"] });
    let set = world.post(&token, "/repos/acme/api/issues/1/labels", labels).await.expect(200);
    assert_eq!(set.body[1]["name"], "python");
    assert_eq!(world.events(), ["pull_request labeled", "pull_request labeled"]);
    world.delete(&token, "/repos/acme/api/issues/1/labels/python").await.expect(200);
    world.delete(&token, "/repos/acme/api/issues/1/labels/python").await.expect(404);
    world.put(&token, "/repos/acme/api/issues/1/labels", json!({ "labels": ["other"] })).await.expect(200);
    assert_eq!(world.github.pull_request("acme/api", 1).unwrap().labels, ["other"]);
    let comment = world.post(&token, "/repos/acme/api/issues/1/comments", json!({ "body": "Hello" })).await.expect(201);
    let path = format!("/repos/acme/api/issues/comments/{}", comment.body["id"]);
    world.patch(&token, &path, json!({ "body": "Hello again" })).await.expect(200);
    world.post(&token, &format!("{path}/reactions"), json!({ "content": "eyes" })).await.expect(201);
    world.post(&token, &format!("{path}/reactions"), json!({ "content": "eyes" })).await.expect(200);
    world.github.comment("acme/api", 1, "carol", "@mass-driver rebase").unwrap();
    let listed = world.get(&token, "/repos/acme/api/issues/1/comments").await.expect(200);
    assert_eq!(listed.body[0]["body"], "Hello again");
    assert_eq!(listed.body[1]["user"]["login"], "carol");
    let asked = json!({ "reviewers": ["carol"] });
    world.post(&token, "/repos/acme/api/pulls/1/requested_reviewers", asked).await.expect(201);
    let unknown = json!({ "reviewers": ["nobody"] });
    world.post(&token, "/repos/acme/api/pulls/1/requested_reviewers", unknown).await.expect(422);
    world.post(&token, "/repos/acme/api/issues/1/assignees", json!({ "assignees": ["carol"] })).await.expect(201);
    assert_eq!(world.github.pull_request("acme/api", 1).unwrap().assignees, ["carol"]);
}

#[tokio::test]
async fn a_branch_is_updated_from_its_base() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    world.put(&token, "/repos/acme/api/pulls/1/update-branch", json!({})).await.expect(422);
    world.github.push("acme/api", "main", &[("y", Some(b"2"))], "Meanwhile").unwrap();
    world.put(&token, "/repos/acme/api/pulls/1/update-branch", json!({})).await.expect(202);
    assert!(world.github.file("acme/api", "b", "y").unwrap().is_some());
    assert_eq!(world.github.pull_request("acme/api", 1).unwrap().files, ["x"]);
    let edit = json!({ "labels": ["a"], "state": "closed" });
    assert_eq!(world.patch(&token, "/repos/acme/api/issues/1", edit).await.expect(200).body["state"], "closed");
}

#[tokio::test]
async fn a_deleted_base_closes_what_would_merge_into_it() {
    let world = World::new();
    world.github.push("acme/api", "next", &[("n", Some(b"1"))], "Next").unwrap();
    world.github.push_as("bob", "acme/api", "b", &[github_sim::FileChangeInput::put("x", "1")], "X").unwrap();
    world.github.open_pull_request("acme/api", "b", "next", "Into next").unwrap();
    world.github.delete_branch("acme/api", "next").unwrap();
    assert_eq!(world.github.pull_request("acme/api", 1).unwrap().state, "closed");
}

#[tokio::test]
async fn links_lead_to_pages() {
    let world = World::new();
    let token = world.token().await;
    let sha = world.commit_on_branch(&token, "b", "x", "<1>").await;
    let pull = world.open_pull(&token, "b").await.expect(201).str("html_url");
    let run = json!({ "name": "n", "head_sha": sha, "output": { "title": "t", "summary": "A summary" } });
    let run = world.post(&token, "/repos/acme/api/check-runs", run).await.expect(201).str("html_url");
    for (url, text) in [(pull, "&lt;1&gt;"), (run, "A summary")] {
        let page = world.get("", url.trim_start_matches(&world.github.url())).await.expect(200);
        assert!(page.text.contains(text), "{}", page.text);
    }
    world.get("", "/acme/api/pull/7").await.expect(404);
}

#[tokio::test]
async fn a_fork_may_use_the_bots_branch_name() {
    let world = World::new();
    let token = world.token().await;
    world.github.create_repo("acme/open", RepoOptions::default().public().file("a", "1")).unwrap();
    world.github.fork("acme/open", "mallory").unwrap();
    let sha = world.github.push("mallory/open", "bot/httpx", &[("a", Some(b"evil"))], "Look alike").unwrap();
    let number = world.github.open_pull_request("acme/open", "mallory:bot/httpx", "main", "Bump httpx").unwrap();
    let pull = world.get(&token, &format!("/repos/acme/open/pulls/{number}")).await.expect(200);
    assert_eq!(pull.body["head"]["label"], "mallory:bot/httpx");
    assert_eq!(pull.body["head"]["sha"], sha);
    assert_eq!(pull.body["head"]["repo"]["fork"], true);
    let mine = world.get(&token, "/repos/acme/open/pulls?head=acme:bot/httpx").await.expect(200);
    assert_eq!(mine.body, json!([]));
    world.github.merge("acme/open", number).unwrap();
    assert_eq!(world.github.file("acme/open", "main", "a").unwrap().unwrap(), b"evil");
}

#[tokio::test]
async fn a_pull_request_is_edited_closed_and_reopened() {
    let world = World::new();
    let token = world.token().await;
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    world.github.drop_pending();
    world
        .patch(&token, "/repos/acme/api/pulls/1", json!({ "title": "New", "body": "Text", "state": "closed" }))
        .await
        .expect(200);
    world.patch(&token, "/repos/acme/api/pulls/1", json!({ "state": "open" })).await.expect(200);
    assert_eq!(world.events(), ["pull_request edited", "pull_request closed", "pull_request reopened"]);
    assert_eq!(world.github.pending()[0].payload["changes"]["title"]["from"], "Pull b");
    world.get(&token, "/repos/acme/api/pulls/2").await.expect(404);
}
