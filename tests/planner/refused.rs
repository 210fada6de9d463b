//! What is not proposed, and the words for it.

use crate::scene::{Scene, at, drafts, outlook};
use mass_driver::domain::{Ecosystem, PackageId, Release};
use mass_driver::planner::Known;
use rstest::rstest;

fn django(subscription: &str) -> Scene {
    Scene::subscribed(&format!("subscriptions:\n  - migration: pypi\n{subscription}"))
        .manifest("requirements.txt", "django==4.2\n")
        .release("django", "4.2.1", "2026-03-01")
        .release("django", "5.0", "2026-03-01")
}

#[rstest]
#[case::name("django", "line 4 of the subscription file ignores `django`")]
#[case::glob("'djan*'", "line 4 of the subscription file ignores `djan*`")]
#[case::spelling("Django", "line 4 of the subscription file ignores `Django`")]
fn an_ignored_package(#[case] rule: &str, #[case] reason: &str) {
    let plan = django(&format!("    ignore:\n      - {rule}\n")).plan("2026-03-05");
    assert!(plan.drafts.is_empty(), "{rule}");
    let rows = outlook(&plan);
    assert_eq!(rows, ["4.2.1", "5.0"].map(|version| format!("django 4.2 -> {version}: refused, {reason}")));
}

#[test]
fn an_ignored_range_of_versions_leaves_the_others() {
    let plan = django("    ignore:\n      - { name: django, versions: '>=5' }\n").plan("2026-03-05");
    assert_eq!(drafts(&plan, "2026-03-05"), ["Bump django from 4.2 to 4.2.1, now"]);
    assert_eq!(
        outlook(&plan),
        [
            "django 4.2 -> 4.2.1: waiting, due since Sunday 2026-03-01 00:00 UTC, it is opened next",
            "django 4.2 -> 5.0: refused, line 4 of the subscription file ignores `django` `>=5`",
        ]
    );
}

#[test]
fn ignored_images_are_ranges_over_their_numbers() {
    let plan = Scene::subscribed(
        "subscriptions:\n  - { migration: docker, ignore: [{ name: python, versions: '>=3.14' }] }\n",
    )
    .manifest("Dockerfile", "FROM python:3.12-slim\n")
    .release("library/python", "3.13-slim", "2026-03-01")
    .release("library/python", "3.14-slim", "2026-03-01")
    .plan("2026-03-05");
    assert_eq!(drafts(&plan, "2026-03-05"), ["Bump python from 3.12-slim to 3.13-slim, now"]);
}

#[test]
fn the_first_subscription_that_matches_a_file_has_it() {
    let yaml = "subscriptions:\n  - { migration: pypi, paths: 'slow/**', delay: monthly }\n  - { migration: pypi, paths: 'fast/**' }\n";
    let plan = Scene::subscribed(yaml)
        .manifest("slow/requirements.txt", "idna==3.6\n")
        .manifest("fast/requirements.txt", "httpx==0.27.0\n")
        .manifest("other/requirements.txt", "rich==13.0\n")
        .release("idna", "3.7", "2026-03-04")
        .release("httpx", "0.28.0", "2026-03-04")
        .release("rich", "13.1", "2026-03-04")
        .plan("2026-03-05");
    assert_eq!(
        drafts(&plan, "2026-03-05"),
        ["Bump httpx from 0.27.0 to 0.28.0 in /fast, now", "Bump idna from 3.6 to 3.7 in /slow, Wed 2026-04-01 06:00",]
    );
    assert!(outlook(&plan).contains(
        &"rich 13.0: refused, other/requirements.txt is outside the `paths` of every pypi subscription (lines 2 and 3 of the subscription file)".to_string()
    ));
}

#[test]
fn without_a_subscription_there_is_nothing() {
    let plan =
        Scene::subscribed("subscriptions: [pypi]\n").manifest("Dockerfile", "FROM python:3.12\n").plan("2026-03-05");
    assert_eq!(outlook(&plan), ["library/python 3.12: refused, there is no subscription to docker"]);
}

#[rstest]
#[case::unpinned("requirements.txt", "httpx\n", "refused, no version is written, so there is nothing to change")]
#[case::from_elsewhere(
    "requirements.txt",
    "httpx @ https://example.com/httpx.whl\n",
    "refused, it comes from a path, a URL or a repository, not from a registry"
)]
#[case::variable("Dockerfile", "ARG TAG\nFROM python:${TAG}\n", "failed, the variable `TAG` has no default")]
fn what_a_manifest_does_not_tell(#[case] path: &str, #[case] text: &str, #[case] reason: &str) {
    let scene = Scene::subscribed("subscriptions: [pypi, docker]\n").manifest(path, text);
    let rows = outlook(&scene.release("httpx", "0.28.0", "2026-03-01").plan("2026-03-05"));
    assert!(rows[0].ends_with(reason), "{rows:?}");
}

#[rstest]
#[case(None, "waiting, its registry has not been asked yet; that happens within minutes")]
#[case(Some(Known::NotYetAsked), "waiting, its registry has not been asked yet; that happens within minutes")]
#[case(Some(Known::Failed("the registry does not know it".into())), "failed, the registry does not know it")]
#[case(Some(Known::Failed(String::new())), "failed, its registry could not be asked")]
#[case(Some(Known::Releases(Vec::new())), "up_to_date, there is nothing newer")]
fn a_package_without_releases(#[case] known: Option<Known>, #[case] reason: &str) {
    let mut scene = Scene::subscribed("subscriptions: [pypi]\n").manifest("requirements.txt", "httpx==0.27.0\n");
    if let Some(known) = known {
        scene = scene.known("httpx", known);
    }
    assert_eq!(outlook(&scene.plan("2026-03-05")), [format!("httpx 0.27.0: {reason}")]);
}

#[test]
fn what_the_text_allows_already_is_up_to_date() {
    let plan = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", "httpx>=0.20\n")
        .release("httpx", "0.27.0", "2026-03-01")
        .release("httpx", "0.28.0", "2026-03-01")
        .release("httpx", "0.29.0rc1", "2026-03-01")
        .plan("2026-03-05");
    assert_eq!(outlook(&plan), ["httpx 0.20: up_to_date, `>=0.20` allows 0.28.0 already"]);
}

#[test]
fn what_was_taken_back_is_not_proposed() {
    let plan = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", "httpx==0.27.0\n")
        .release("httpx", "0.28.0", "2026-03-01")
        .yank("httpx", "0.28.0")
        .plan("2026-03-05");
    assert!(plan.drafts.is_empty());
    assert_eq!(outlook(&plan), ["httpx 0.27.0: up_to_date, what is newer was taken back by its publisher"]);
}

#[test]
fn what_is_pinned_to_hashes_waits_for_an_index_that_gives_them() {
    let hash = "a".repeat(64);
    let requirements = format!("httpx==0.27.0 --hash=sha256:{hash}\nidna==3.6\n");
    let mut scene = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", &requirements)
        .release("httpx", "0.28.0", "2026-03-01")
        .release("idna", "3.7", "2026-03-01");
    let both = ["Bump httpx from 0.27.0 to 0.28.0, now", "Bump idna from 3.6 to 3.7, now"];
    assert_eq!(drafts(&scene.plan("2026-03-05"), "2026-03-05"), both);
    scene.without_hashes.insert(Ecosystem::Pypi, "its index gives none: set one");
    let plan = scene.plan("2026-03-05");
    assert_eq!(drafts(&plan, "2026-03-05"), both[1..]);
    let refused = "httpx 0.27.0: refused, it is pinned to hashes, and its index gives none: set one";
    assert!(outlook(&plan).iter().any(|row| row == refused), "{:?}", outlook(&plan));
}

#[test]
fn somebody_elses_private_repository_looks_like_none() {
    let name = "acme/build";
    let package = PackageId { ecosystem: Ecosystem::GithubActions, name: name.into() };
    let mut scene = Scene::subscribed("subscriptions: [github-actions]\n")
        .manifest("action.yml", "runs:\n  using: composite\n  steps:\n    - uses: acme/build@v1.0.0\n");
    let release = |version: &str| Release {
        version: version.into(),
        published_at: None,
        first_seen_at: at("2026-03-01"),
        counts_from: at("2026-03-01"),
        yanked: false,
        above_latest: false,
        content: None,
        requires_python: None,
    };
    scene.packages.insert(package.clone(), Known::Releases(vec![release("v1.0.0"), release("v1.1.0")]));
    assert_eq!(drafts(&scene.plan("2026-03-05"), "2026-03-05"), ["Bump acme/build from v1.0.0 to v1.1.0, now"]);
    scene.unseen.insert(package);
    let plan = scene.plan("2026-03-05");
    assert!(plan.drafts.is_empty());
    let words = "GitHub does not show the repository acme/build: it is not there, or it is private";
    assert_eq!(plan.outlook[0].reason, words);
    assert_eq!(plan.outlook[0].target, None);
}
