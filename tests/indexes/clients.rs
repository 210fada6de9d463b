//! The stand-ins, read by the clients that people use: what a stand-in says must mean to them what it means to us.

use crate::cargo::chosen_by_cargo;
use crate::server::{client, here, output, python};
use github_sim::{GitHubSim, RepoOptions};
use jiff::Timestamp;
use registry_sim::RegistrySim;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tempfile::tempdir;

fn noon() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

fn registry() -> RegistrySim {
    RegistrySim::start(Arc::new(noon)).unwrap()
}

/// What a command prints, on a thread that the stand-in does not need.
async fn printed(mut command: Command) -> String {
    tokio::task::spawn_blocking(move || output(&mut command, b"")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn cargo_reads_the_stand_in_for_sparse_indexes() {
    let sim = registry();
    for version in ["1.0.0", "1.2.0", "1.3.0", "2.0.0-rc.1"] {
        sim.cargo().release("demo_crate", version);
    }
    sim.cargo().yank("demo_crate", "1.3.0");
    let index = sim.cargo_url().trim_start_matches("sparse+").to_owned();
    let chosen = |requirement: &'static str| {
        let index = index.clone();
        async move { tokio::task::spawn_blocking(move || chosen_by_cargo(&index, requirement)).await.unwrap() }
    };
    assert_eq!(chosen("1").await, "1.2.0");
    assert_eq!(chosen(">=1, <1.2").await, "1.0.0");
    assert_eq!(chosen("2.0.0-rc.1").await, "2.0.0-rc.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_reads_the_stand_in_for_packuments() {
    let sim = registry();
    for name in ["demo-pkg", "@acme/thing"] {
        sim.npm().release(name, "1.0.0");
        sim.npm().release(name, "1.1.0");
        sim.npm().yank(name, "1.1.0");
        let mut npm = Command::new("npm");
        npm.args(["view", "--json", "--silent", "--registry", &sim.npm_url(), name, "versions", "time"]);
        let folder = tempdir().unwrap();
        npm.current_dir(folder.path()).env("npm_config_cache", folder.path());
        let said: Value = serde_json::from_str(&printed(npm).await).unwrap();
        assert_eq!(said["versions"], serde_json::json!(["1.0.0", "1.1.0"]), "{name}");
        let time: Timestamp = said["time"]["1.1.0"].as_str().unwrap().parse().unwrap();
        assert_eq!(time, noon(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn real_pip_reads_the_stand_in_for_simple_indexes() {
    let sim = registry();
    for version in ["1.0", "1.1", "1.2", "2.0rc1"] {
        sim.release("demo-pkg", version);
    }
    sim.yank("demo-pkg", "1.2");
    let mut pip = Command::new(python());
    pip.args(["-m", "pip", "--isolated", "index", "versions", "demo-pkg", "--disable-pip-version-check"]);
    pip.args(["--no-cache-dir", "--index-url", &sim.simple_url()]);
    let said = printed(pip).await;
    let line = said.lines().find_map(|line| line.strip_prefix("Available versions: "));
    assert_eq!(line, Some("1.1, 1.0"), "neither yanked nor before its release\n{said}");
}

fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder).env("GIT_TERMINAL_PROMPT", "0").env_remove("http_proxy");
    git.env("GIT_CONFIG_GLOBAL", here("tests/indexes/absent")).env("GIT_CONFIG_NOSYSTEM", "1");
    git.args(["-c", "user.name=A person", "-c", "user.email=person@example.com"]);
    git
}

/// Hooks and Actions are tags, which the API tells and git shows: both must name the same commits, also where a tag is an
/// object of its own.
#[tokio::test(flavor = "multi_thread")]
async fn git_sees_the_tags_that_the_stand_in_for_github_tells() {
    let sim = GitHubSim::start(Arc::new(noon)).unwrap();
    sim.organization("acme");
    sim.create_repo("acme/hooks", RepoOptions::default().public().file("hook.py", "1\n")).unwrap();
    let head = sim.head("acme/hooks", "main").unwrap().unwrap();
    sim.tag("acme/hooks", "v1.0.0", &head).unwrap();
    sim.person("ann");
    let token = sim.personal_token("ann");

    let folder = tempdir().unwrap();
    let anonymous = format!("{}/acme/hooks.git", sim.url());
    let clone = folder.path().join("clone");
    let mut cloning = git(folder.path());
    cloning.args(["clone", "--quiet", &anonymous]).arg(&clone);
    printed(cloning).await;
    fs::write(clone.join("hook.py"), "2\n").unwrap();
    let with_token = anonymous.replacen("://", &format!("://x-access-token:{token}@"), 1);
    for arguments in [
        vec!["commit", "--quiet", "--all", "--message", "two"],
        vec!["tag", "--annotate", "--message", "the second", "v1.1.0"],
        vec!["tag", "v1"],
        vec!["push", "--quiet", &with_token, "main", "v1.1.0", "v1"],
    ] {
        let mut acting = git(&clone);
        acting.args(arguments);
        printed(acting).await;
    }

    let mut listing = git(folder.path());
    listing.args(["ls-remote", "--tags", &anonymous]);
    // A tag that is an object of its own is followed by what it points at, as `name^{}`.
    let mut shown = BTreeMap::new();
    for line in printed(listing).await.lines() {
        let (commit, name) = line.split_once("\trefs/tags/").unwrap();
        shown.insert(name.trim_end_matches("^{}").to_owned(), commit.to_owned());
    }
    let url = format!("{}/repos/acme/hooks/tags", sim.url());
    let told: Value =
        client().get(url).bearer_auth(token).header("user-agent", "a test").send().await.unwrap().json().await.unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let told: BTreeMap<String, String> =
        told.as_array().unwrap().iter().map(|tag| (word(&tag["name"]), word(&tag["commit"]["sha"]))).collect();
    assert_eq!(told, shown);
    assert_eq!(told.len(), 3);
    assert_eq!(told["v1.0.0"], head);
    assert_eq!(told["v1.1.0"], sim.head("acme/hooks", "main").unwrap().unwrap());
}
