//! Clone and push with the real `git`, where it is installed.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::world::World;

fn git(folder: &Path, arguments: &[&str]) -> Option<Output> {
    Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Dana", "-c", "user.email=dana@example.com", "-c", "credential.helper="])
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("http_proxy")
        .output()
        .ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_over_git_moves_the_pull_request_of_its_branch() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    if git(folder.path(), &["--version"]).is_none() {
        println!("skipped: no git executable");
        return;
    }
    let token = world.token().await;
    let before = world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    world.github.set_role("acme/api", "erin", github_sim::Role::Read).unwrap();
    let address = |token: &str| {
        world.github.url().replace("http://", &format!("http://x-access-token:{token}@")) + "/acme/api.git"
    };
    let work = folder.path().join("work");
    let dana = address(&world.github.personal_token("dana"));
    assert!(git(folder.path(), &["clone", "--branch", "b", &dana, "work"]).unwrap().status.success());
    git(&work, &["commit", "--allow-empty", "-m", "By hand"]).unwrap();
    world.github.drop_pending();
    let erin = address(&world.github.personal_token("erin"));
    assert!(!git(&work, &["push", &erin, "HEAD:b"]).unwrap().status.success(), "a reader may not push");
    assert!(world.events().is_empty());
    assert!(git(&work, &["push", "origin", "HEAD:b"]).unwrap().status.success());
    let after = world.github.head("acme/api", "b").unwrap().unwrap();
    let moved = world.last_event("pull_request", "synchronize");
    assert_eq!((&moved["before"], &moved["after"]), (&json!(before), &json!(after)));
    assert_eq!(moved["sender"]["login"], "dana");
    git(&work, &["commit", "--amend", "--allow-empty", "-m", "By force"]).unwrap();
    world.github.drop_pending();
    assert!(!git(&work, &["push", "origin", "HEAD:refs/pull/1/head"]).unwrap().status.success());
    assert!(git(&work, &["push", "--force", "origin", "HEAD:b"]).unwrap().status.success());
    assert_eq!(world.github.pending()[0].payload["forced"], true);
    assert_eq!(world.last_event("pull_request", "synchronize")["before"], after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_a_push_and_the_event_that_follows() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    if git(folder.path(), &["--version"]).is_none() {
        println!("skipped: no git executable");
        return;
    }
    let run = |at: &Path, arguments: &[&str]| {
        let output = git(at, arguments).unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let address = |token: &str| {
        world.github.url().replace("http://", &format!("http://x-access-token:{token}@")) + "/acme/api.git"
    };
    let (cloned, _) = run(folder.path(), &["clone", &format!("{}/acme/api.git", world.github.url()), "anonymous"]);
    assert!(!cloned, "a private repository needs a token");
    let token = world.token().await;
    let (cloned, why) = run(folder.path(), &["clone", &address(&token), "work"]);
    assert!(cloned, "{why}");
    let work = folder.path().join("work");
    std::fs::write(work.join("new.txt"), "hello\n").unwrap();
    run(&work, &["add", "."]);
    run(&work, &["commit", "-m", "By git"]);
    let (pushed, why) = run(&work, &["push", "origin", "HEAD:bot/branch"]);
    assert!(pushed, "{why}");
    let push = world.github.pending().remove(0);
    assert_eq!((push.event.as_str(), push.payload["ref"].as_str()), ("push", Some("refs/heads/bot/branch")));
    assert_eq!(push.payload["commits"][0]["added"], json!(["new.txt"]));
    assert_eq!(push.payload["sender"]["login"], "mass-driver[bot]");
    assert_eq!(world.github.file("acme/api", "bot/branch", "new.txt").unwrap().unwrap(), b"hello\n");
    let (pushed, _) = run(&work, &["push", "origin", ":bot/branch"]);
    assert!(pushed);
    assert_eq!(world.github.head("acme/api", "bot/branch").unwrap(), None);
    let reader = world.token_with(json!({ "permissions": { "contents": "read" } })).await.str("token");
    let (pushed, _) = run(&work, &["push", &address(&reader), "HEAD:main"]);
    assert!(!pushed, "a reader may not push");
    let (pushed, why) = run(&work, &["push", &address(&world.github.personal_token("dana")), "HEAD:main"]);
    assert!(pushed, "{why}");
    assert_eq!(world.github.pending().last().unwrap().payload["sender"]["login"], "dana");
    world.github.protect("acme/api", "main", github_sim::Protection::default()).unwrap();
    let before = world.github.head("acme/api", "main").unwrap();
    run(&work, &["commit", "--allow-empty", "-m", "Past the rules"]);
    let (pushed, _) = run(&work, &["push", &address(&world.github.personal_token("dana")), "HEAD:main"]);
    assert!(!pushed, "a protected branch takes pull requests only");
    assert_eq!(world.github.head("acme/api", "main").unwrap(), before);
}
