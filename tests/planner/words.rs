//! Titles, messages, branches and bodies, as people read them and as GitHub does.

use crate::scene::{Scene, at};
use mass_driver::domain::{Ecosystem, LockFile, PackageId, RepoPath, Site, Update, VersionStep};
use mass_driver::planner::Plan;
use mass_driver::planner::prose::{self, Occasion};

fn occasion<'a>(timezone: &'a jiff::tz::TimeZone, delay: &'a str) -> Occasion<'a> {
    Occasion { timezone, delay, file: ".mass-driver.yaml", lock_files: &[], notes: &[], links: &[] }
}

fn body(plan: &Plan, delay: &str) -> String {
    let timezone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    prose::body(&plan.drafts[0].updates, &occasion(&timezone, delay))
}

#[test]
fn the_body_of_one_update() {
    let scene =
        Scene::subscribed("timezone: Europe/Paris\nsubscriptions: [{ migration: pypi, delay: weekly, min_age: 3d }]\n")
            .manifest("services/api/requirements.txt", "# the client\nhttpx==0.27.0\n")
            .release("httpx", "0.28.0", "2026-03-04 09:00");
    insta::assert_snapshot!(body(&scene.plan("2026-03-09 05:00"), "weekly"));
}

/// The first thing a newcomer sees: the file of the README, and the pull request that it leads to.
#[test]
fn the_readme_shows_the_pull_request_of_its_own_file() {
    let readme = include_str!("../../README.md");
    let block = |kind: &str| readme.split(&format!("```{kind}\n")).nth(1).unwrap().split("```").next().unwrap();
    let scene = Scene::subscribed(block("yaml")).manifest("requirements.txt", "httpx==0.27.0\n").release(
        "httpx",
        "0.28.0",
        "2026-03-04 09:00",
    );
    let plan = scene.plan("2026-03-09 05:00");
    let body = body(&plan, "weekly");
    let shown = format!("{} {}", plan.drafts[0].title, body.split("\n---\n").next().unwrap());
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(block("text")), words(&shown));
}

#[test]
fn lock_files_are_named_with_what_refreshes_them() {
    let lock = |path: &str, tool, command| LockFile { path: RepoPath::parse(path).unwrap(), tool, command };
    let (npm, cargo) =
        (lock("web/package-lock.json", "npm", "npm install"), lock("Cargo.lock", "cargo", "cargo update"));
    let timezone = jiff::tz::TimeZone::UTC;
    let text = |lock_files: &[LockFile]| {
        let updates = [update("a", "1.1", &["web/package.json"])];
        let text = prose::body(&updates, &Occasion { lock_files, ..occasion(&timezone, "weekly") });
        let start = text.find("Only the").unwrap();
        text[start..text.find("### Why now").unwrap()].to_string()
    };
    insta::assert_snapshot!(text(&[cargo, npm.clone()]), @r"
    Only the version changes.

    ### Still to do

    These lock files are not changed here. Refresh them on this branch:

    - `Cargo.lock`: run `cargo update`
    - `web/package-lock.json`: run `npm install` in `web`
    ");
    insta::assert_snapshot!(text(&[npm]), @r"
    Only the version changes.

    ### Still to do

    This lock file is not changed here. Refresh it on this branch:

    - `web/package-lock.json`: run `npm install` in `web`
    ");
    let many: Vec<LockFile> =
        (0..100).map(|n| lock(&format!("{}{n}/yarn.lock", "`|é".repeat(300)), "yarn", "yarn")).collect();
    assert!(text(&many).ends_with("- and 90 more\n\n"), "{}", text(&many));
    assert_eq!(text(&[]), "Only the version changes.\n\n");
}

#[test]
fn an_image_has_no_lock_file() {
    let scene = Scene::subscribed("subscriptions: [docker]\n").manifest("Dockerfile", "FROM python:3.12\n").release(
        "library/python",
        "3.13",
        "2026-03-04",
    );
    let text = body(&scene.plan("2026-03-09"), "immediate");
    assert!(
        text.starts_with(
            "Moves `python` from `3.12` to `3.13`, a minor step, in `Dockerfile:1`.\n\nOnly the version changes.\n"
        ),
        "{text}"
    );
}

#[test]
fn the_body_of_a_group() {
    let yaml = "timezone: Europe/Paris\ngroup: platform\nsubscriptions: [{ migration: pypi, delay: weekly }, docker]\n";
    let digest = format!("sha256:{}", "a".repeat(64));
    let scene = Scene::subscribed(yaml)
        .manifest("requirements.txt", "httpx==0.27.0\nidna==3.6\n")
        .manifest("dev/requirements.txt", "httpx==0.26.0\n")
        .manifest("Dockerfile", &format!("FROM python:3.12-slim@{digest}\n"))
        .release("httpx", "0.28.0", "2026-03-04 09:00")
        .release("idna", "3.7", "2026-03-05")
        .release("library/python", "3.13-slim", "2026-03-04 09:00");
    let plan = scene.plan("2026-03-09 05:00");
    insta::assert_snapshot!(body(&plan, "cron `0 6 * * 1`"));
    let draft = &plan.drafts[0];
    insta::assert_snapshot!(prose::commit_message(&draft.title, &draft.updates), @r"
    Bump python, httpx and idna

    - python from 3.12-slim to 3.13-slim
    - httpx to 0.28.0
    - idna from 3.6 to 3.7
    ");
}

fn update(name: &str, to: &str, paths: &[&str]) -> Update {
    let site = |path: &&str| Site {
        path: RepoPath::parse(path).unwrap(),
        manager: "requirements".into(),
        line: 1,
        from: "1.0".into(),
        constraint: "==1.0".into(),
        digest: None,
        hashed: false,
        python: None,
    };
    let time = at("2026-03-04");
    Update {
        package: PackageId { ecosystem: Ecosystem::Pypi, name: name.into() },
        to: to.into(),
        refresh: None,
        step: VersionStep::Minor,
        sites: paths.iter().map(site).collect(),
        released_at: time,
        eligible_at: time,
        due_at: time,
        terms: Vec::new(),
    }
}

#[test]
fn many_packages_are_counted() {
    let names = ["a", "b", "c", "d"];
    let updates: Vec<Update> = names.iter().map(|name| update(name, "1.1", &["requirements.txt"])).collect();
    assert_eq!(prose::title("group platform", &updates), "Bump 4 packages of the platform group");
    assert_eq!(prose::title("group platform major", &updates), "Bump 4 packages of the platform group (major)");
    assert_eq!(prose::title("pypi all", &updates), "Bump 4 pypi packages");
    assert_eq!(prose::title("pypi minor-and-patch in a/**", &updates), "Bump 4 pypi packages (minor and patch)");
}

#[test]
fn five_thousand_updates_of_long_paths_fit() {
    let path = format!("{}/requirements.txt", "ordner/ü".repeat(400));
    let updates: Vec<Update> = (0..5_000).map(|n| update(&format!("package-{n:04}"), "1.1", &[&path])).collect();
    let timezone = jiff::tz::TimeZone::UTC;
    let text = prose::body(&updates, &occasion(&timezone, "weekly"));
    assert!(text.chars().count() <= 58_000);
    assert!(text.contains("more: the commit's message lists them."), "{text}");
    assert!(prose::commit_message("Bump 5000 pypi packages", &updates).len() < 200_000);
}

#[test]
fn a_plain_branch_name_can_be_taken_apart_again() {
    let name = |package: &str, to: &str| {
        let updates = [update(package, to, &["requirements.txt"])];
        prose::branch(&format!("pypi/{package}"), &updates, &prose::content_hash(&updates), |_| false)
    };
    assert_eq!(name("httpx", "0.28.0"), "mass-driver/pypi/httpx-0.28.0");
    assert_ne!(name("a", "1-2"), name("a-1", "2"));
    assert_ne!(name("a", "b-1"), name("a-b", "1"));
    assert_ne!(name("a", "1RC1"), name("a", "1rc1"));
}

#[test]
fn a_branch_that_is_taken_is_not_taken_again() {
    let updates = [update("httpx", "0.28.0", &["requirements.txt"])];
    let content = prose::content_hash(&updates);
    let mut taken: Vec<String> = Vec::new();
    for _ in 0..5 {
        let next = prose::branch("pypi/httpx", &updates, &content, |branch| taken.iter().any(|t| t == branch));
        assert!(!taken.contains(&next), "{next} in {taken:?}");
        taken.push(next);
    }
}
