//! The words of each ecosystem's pull requests, and branches that git takes.

use crate::hostile::is_branch;
use crate::scene::{at, package};
use mass_driver::domain::{Ecosystem, RepoPath, Site, Update, VersionStep};
use mass_driver::planner::prose::{self, Occasion};
use std::collections::BTreeSet;

fn update(ecosystem: Ecosystem, name: &str, from: &str, to: &str, path: &str) -> Update {
    let time = at("2026-03-04");
    let site = Site {
        path: RepoPath::parse(path).unwrap(),
        manager: "x".into(),
        line: 3,
        from: from.into(),
        constraint: from.into(),
        digest: None,
        hashed: false,
        python: None,
    };
    Update {
        package: package(ecosystem, name),
        to: to.into(),
        refresh: None,
        step: VersionStep::Minor,
        sites: vec![site],
        released_at: time,
        eligible_at: time,
        due_at: time,
        terms: Vec::new(),
    }
}

fn pinned(mut update: Update, digest: &str) -> Update {
    update.sites[0].digest = Some(digest.into());
    update
}

fn body(update: &Update) -> String {
    let occasion = Occasion {
        timezone: &jiff::tz::TimeZone::UTC,
        delay: "weekly",
        file: ".mass-driver.yaml",
        lock_files: &[],
        notes: &[],
        links: &[],
    };
    prose::body(std::slice::from_ref(update), &occasion)
}

/// The title, the branch and the first two paragraphs of the body of a package's own pull request.
fn words(update: &Update) -> [String; 3] {
    let updates = std::slice::from_ref(update);
    let group = update.package.to_string();
    let branch = prose::branch(&group, updates, &prose::content_hash(updates), |_| false);
    assert!(is_branch(&branch), "{branch}");
    let text = body(update);
    let head = text.split("\n\n### ").next().unwrap().replace("\n\n", " ");
    [prose::title(&group, updates), branch, head]
}

#[test]
fn python_packages() {
    let mut hashed = update(Ecosystem::Pypi, "httpx", "0.27.0", "0.28.0", "requirements.txt");
    hashed.sites[0].hashed = true;
    assert_eq!(
        words(&hashed),
        [
            "Bump httpx from 0.27.0 to 0.28.0",
            "mass-driver/pypi/httpx-0.28.0",
            "Moves `httpx` from `0.27.0` to `0.28.0`, a minor step, in `requirements.txt:3`. Only the version changes, and \
             with it the hashes where files are pinned to theirs.",
        ]
    );
}

#[test]
fn images() {
    let image = update(Ecosystem::Docker, "library/python", "3.12-slim", "3.13-slim", "Dockerfile");
    assert_eq!(
        words(&pinned(image, "sha256:aa")),
        [
            "Bump python from 3.12-slim to 3.13-slim",
            "mass-driver/docker/python-3.13-slim",
            "Moves `python` from `3.12-slim` to `3.13-slim`, a minor step, in `Dockerfile:3`. Only the version changes, and \
             with it the digest where an image is pinned to one.",
        ]
    );
}

#[test]
fn actions() {
    let action = update(Ecosystem::GithubActions, "actions/checkout", "v4.1.0", "v4.2.0", ".github/workflows/ci.yml");
    let [title, branch, head] = words(&pinned(action, &"a".repeat(40)));
    assert_eq!(title, "Bump actions/checkout from v4.1.0 to v4.2.0 in /.github/workflows");
    assert!(branch.starts_with("mass-driver/github-actions/actions-checkout-v4.2.0-"), "{branch}");
    assert_eq!(
        head,
        "Moves `actions/checkout` from `v4.1.0` to `v4.2.0`, a minor step, in `.github/workflows/ci.yml:3`. Only the \
         version changes, and with it the commit where an action is pinned to one."
    );
    // An owner may be called like the folder of official images.
    let action = update(Ecosystem::GithubActions, "library/checkout", "v4", "v5", ".github/workflows/ci.yml");
    assert_eq!(words(&action)[0], "Bump library/checkout from v4 to v5 in /.github/workflows");
}

#[test]
fn hooks() {
    let hook = update(Ecosystem::PreCommit, "github.com/psf/black", "23.1.0", "23.2.0", ".pre-commit-config.yaml");
    let [title, branch, head] = words(&pinned(hook, &"a".repeat(40)));
    assert_eq!(title, "Bump psf/black from 23.1.0 to 23.2.0");
    assert!(branch.starts_with("mass-driver/pre-commit/psf-black-23.2.0-"), "{branch}");
    assert_eq!(
        head,
        "Moves `psf/black` from `23.1.0` to `23.2.0`, a minor step, in `.pre-commit-config.yaml:3`. Only the version \
         changes, and with it the commit where a hook is pinned to one."
    );
    let elsewhere = update(Ecosystem::PreCommit, "git.example.com/team/hooks", "1.0", "1.1", ".pre-commit-config.yaml");
    assert_eq!(words(&elsewhere)[0], "Bump git.example.com/team/hooks from 1.0 to 1.1");
}

#[test]
fn node_packages() {
    let [title, branch, head] = words(&update(Ecosystem::Npm, "@scope/name", "^1.2.0", "1.3.0", "web/package.json"));
    // In a title or a message, `@scope` would call somebody.
    assert_eq!(title, "Bump scope/name from 1.2.0 to 1.3.0 in /web");
    assert!(branch.starts_with("mass-driver/npm/scope-name-1.3.0-"), "{branch}");
    assert_eq!(
        head,
        "Moves `@scope/name` from `^1.2.0` to `1.3.0`, a minor step, in `web/package.json:3`. Only the version changes."
    );
    let plain = update(Ecosystem::Npm, "left-pad", "1.2.0", "1.3.0", "package.json");
    assert_eq!(words(&plain)[1], "mass-driver/npm/left-pad-1.3.0");
}

#[test]
fn crates() {
    assert_eq!(
        words(&update(Ecosystem::Cargo, "serde_json", "1.0.0", "1.1.0", "Cargo.toml")),
        [
            "Bump serde_json from 1.0.0 to 1.1.0",
            "mass-driver/cargo/serde_json-1.1.0",
            "Moves `serde_json` from `1.0.0` to `1.1.0`, a minor step, in `Cargo.toml:3`. Only the version changes.",
        ]
    );
}

/// Names that look alike once what git forbids is out of them.
#[test]
fn every_package_has_a_branch_of_its_own() {
    let names = [
        (Ecosystem::Npm, "@scope/name"),
        (Ecosystem::Npm, "scope-name"),
        (Ecosystem::Npm, "@scope/name-1.0"),
        (Ecosystem::Npm, "@scope-name/x"),
        (Ecosystem::GithubActions, "scope/name"),
        (Ecosystem::GithubActions, "scope-name/x"),
        (Ecosystem::PreCommit, "github.com/scope/name"),
        (Ecosystem::PreCommit, "gitlab.com/scope/name"),
        (Ecosystem::PreCommit, "github.com/scope-name/x"),
        (Ecosystem::Docker, "library/scope-name"),
        (Ecosystem::Docker, "scope/name"),
        (Ecosystem::Docker, "registry.example.com:5000/scope/name"),
        (Ecosystem::Pypi, "scope-name"),
        (Ecosystem::Cargo, "scope-name"),
        (Ecosystem::Cargo, "scope_name"),
    ];
    let mut branches = BTreeSet::new();
    for (ecosystem, name) in names {
        let updates = [update(ecosystem, name, "v4", "5.0", "x")];
        for group in [updates[0].package.to_string(), format!("{} major", updates[0].package)] {
            let branch = prose::branch(&group, &updates, &prose::content_hash(&updates), |_| false);
            assert!(is_branch(&branch), "{branch}");
            assert!(branches.insert(branch.clone()), "{branch} is there twice");
        }
    }
    assert_eq!(branches.len(), 2 * names.len());
}
