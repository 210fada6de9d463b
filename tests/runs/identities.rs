//! In whose name GitHub is asked by a run, and how often for that.

use crate::world::{Told, World, migration};
use github_sim::{Fault, FaultKind, Gate, InstallOptions, RepoOptions};

const FORGE: &str = "forge:\n  forge_name: github-app\n";

/// A run of an Activity with `forge_name: github-app`.
fn as_app(world: &World, names: &[&str]) -> Told {
    let app = world.github.app();
    world.write("count.yaml", &format!("{}{FORGE}", migration(1)));
    let mut command = world.command(&["run", "count.yaml", "--format", "json", "--repo-path"]);
    command.args(names.iter().map(|name| format!("{}/acme/{name}.git", world.github.url())));
    command.env_remove("FORGE_TOKEN").env("GIT_CONFIG_GLOBAL", "/dev/null");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Dana").env(format!("GIT_{role}_EMAIL"), "dana@example.com");
    }
    command.env("GITHUB_APP_ID", app.app_id.to_string()).env("GITHUB_APP_PRIVATE_KEY", &app.private_key_pem);
    Told::of(command.output().unwrap())
}

fn asked(world: &World, method: &str, end: &str) -> usize {
    let exchanges = world.github.exchanges();
    exchanges.iter().filter(|one| one.method == method && one.path.ends_with(end)).count()
}

#[test]
fn an_app_looks_up_one_installation_for_all_repositories_of_an_owner() {
    let world = World::new();
    world.github.install("acme").unwrap();
    let names = ["api", "web", "docs", "jobs", "mail"];
    world.counters(&names);
    assert_eq!(as_app(&world, &names).expect(0).ends(), ["pull_request_opened"; 5]);
    assert_eq!(asked(&world, "GET", "/installation"), 1);
}

#[test]
fn what_an_installation_does_not_cover_fails_alone() {
    let world = World::new();
    world.counters(&["api", "hidden", "web"]);
    world.github.create_repo("acme/open", RepoOptions::default().public().file("counter.txt", "0\n")).unwrap();
    world.github.install_with("acme", InstallOptions::default().only(&["acme/api", "acme/web"])).unwrap();
    for names in [["api", "hidden", "open", "web"], ["hidden", "open", "api", "web"]] {
        let told = as_app(&world, &names).expect(1).json();
        for one in told["repositories"].as_array().unwrap() {
            let (id, reason) = (one["repository"].as_str().unwrap(), one["reason"].as_str().unwrap_or_default());
            let is_covered = id.ends_with("api.git") || id.ends_with("web.git");
            assert_eq!(one["end"] != "failed", is_covered, "{told}");
            assert_eq!(reason.contains("GitHub does not show"), !is_covered, "{id}: {reason}");
        }
    }
}

#[test]
fn a_narrower_token_is_asked_for_where_github_refuses_the_wider_and_nowhere_else() {
    let world = World::new();
    world.github.install_with("acme", InstallOptions::default().without("workflows")).unwrap();
    world.counters(&["api"]);
    assert_eq!(as_app(&world, &["api"]).expect(0).ends(), ["pull_request_opened"]);

    let world = World::new();
    world.github.install_with("acme", InstallOptions::default().permission("workflows", "write")).unwrap();
    world.counters(&["api"]);
    // The first token looks the repository up, the second one is for git.
    let tokens = "/app/installations/*/access_tokens";
    let gate = Gate::default();
    gate.open();
    world.github.fault(Fault::once("POST", tokens, FaultKind::Wait(gate)));
    world.github.fault(Fault::once("POST", tokens, FaultKind::Status { status: 418, message: "a teapot".into() }));
    let told = as_app(&world, &["api"]).expect(1).json();
    assert_eq!(world.github.clear_faults(), 0, "both were met");
    let reason = told["repositories"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("status 418") && reason.contains("a teapot"), "{reason}");
    assert_eq!(asked(&world, "POST", "/access_tokens"), 2);
}
