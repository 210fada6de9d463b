//! What shares a pull request.

use crate::scene::{Scene, at, drafts};

fn three(yaml: &str) -> Scene {
    Scene::subscribed(yaml)
        .manifest("requirements.txt", "django==4.2\nhttpx==0.27.0\nidna==3.6\n")
        .release("django", "5.0", "2026-03-04")
        .release("httpx", "0.28.0", "2026-03-04")
        .release("idna", "3.7", "2026-03-04")
}

#[test]
fn none_gives_each_package_its_own() {
    assert_eq!(
        drafts(&three("subscriptions: [pypi]\n").plan("2026-03-05"), "2026-03-05"),
        ["Bump django from 4.2 to 5.0, now", "Bump httpx from 0.27.0 to 0.28.0, now", "Bump idna from 3.6 to 3.7, now",]
    );
}

#[test]
fn all_gives_the_subscription_one() {
    let plan = three("group: all\nsubscriptions: [pypi]\n").plan("2026-03-05");
    assert_eq!(drafts(&plan, "2026-03-05"), ["Bump django, httpx and idna, now"]);
    assert_eq!(plan.drafts[0].group, "pypi all");
}

#[test]
fn all_of_two_subscriptions_are_two() {
    let yaml = "group: all\nsubscriptions:\n  - { migration: pypi, paths: 'a/**', labels: [team-a] }\n  - { migration: pypi, paths: 'b/**', labels: [team-b] }\n";
    let plan = Scene::subscribed(yaml)
        .manifest("a/requirements.txt", "httpx==0.27.0\nidna==3.6\n")
        .manifest("b/requirements.txt", "httpx==0.27.0\n")
        .release("httpx", "0.28.0", "2026-03-04")
        .release("idna", "3.7", "2026-03-04")
        .plan("2026-03-05");
    assert_eq!(
        drafts(&plan, "2026-03-05"),
        ["Bump httpx and idna in /a, now", "Bump httpx from 0.27.0 to 0.28.0 in /b, now",]
    );
    assert_eq!(
        (&plan.drafts[0].labels[..], &plan.drafts[1].labels[..]),
        (&["team-a".to_string()][..], &["team-b".to_string()][..])
    );
}

#[test]
fn minor_and_patch_come_together_and_major_ones_alone() {
    let scene = three("group: minor-and-patch\nmin_age: { major: 14d }\nsubscriptions: [pypi]\n").release(
        "django",
        "4.2.1",
        "2026-03-04",
    );
    assert_eq!(
        drafts(&scene.plan("2026-03-05"), "2026-03-05"),
        ["Bump django, httpx and idna, now", "Bump django from 4.2 to 5.0, Wed 2026-03-18 00:00",]
    );
}

#[test]
fn a_package_called_like_a_group_is_not_in_it() {
    let yaml = "subscriptions:\n  - { migration: pypi, paths: 'a/**' }\n  - { migration: pypi, group: all }\n";
    let plan = Scene::subscribed(yaml)
        .manifest("a/requirements.txt", "all==1.0\n")
        .manifest("requirements.txt", "httpx==0.27.0\n")
        .release("all", "1.1", "2026-03-04")
        .release("httpx", "0.28.0", "2026-03-04")
        .plan("2026-03-05");
    assert_eq!(plan.drafts.len(), 2);
}

#[test]
fn a_name_that_two_ecosystems_share_makes_one() {
    let yaml = "labels: [dependencies]\nsubscriptions:\n  - { migration: pypi, group: platform, delay: weekly }\n  - { migration: docker, group: platform, labels: [images] }\n";
    let scene = Scene::subscribed(yaml)
        .manifest("requirements.txt", "httpx==0.27.0\n")
        .manifest("Dockerfile", "FROM python:3.12\n")
        .release("httpx", "0.28.0", "2026-03-04")
        .release("library/python", "3.13", "2026-03-04");
    assert_eq!(
        drafts(&scene.plan("2026-03-05"), "2026-03-05"),
        ["Bump python from 3.12 to 3.13, now"],
        "the other is not due"
    );
    let plan = scene.plan("2026-03-09 06:00");
    assert_eq!(drafts(&plan, "2026-03-09 06:00"), ["Bump python and httpx, now"]);
    assert_eq!(plan.drafts[0].labels, ["dependencies", "images"]);
    let scene = scene.opened("2026-03-05");
    assert_eq!(drafts(&scene.plan("2026-03-05"), "2026-03-05"), ["Bump python and httpx, Mon 2026-03-09 06:00"]);
}

#[test]
fn a_waiting_group_names_the_member_it_waits_for() {
    let yaml = "group: all\nmin_age: 3d\nsubscriptions: [pypi]\n";
    let scene = Scene::subscribed(yaml)
        .manifest("requirements.txt", "httpx==0.27.0\nidna==3.6\n")
        .release("httpx", "0.28.0", "2026-03-04")
        .release("idna", "3.7", "2026-03-04");
    assert_eq!(scene.plan("2026-03-05").drafts[0].reason, "httpx 0.28.0 is 1 day old, 3 days are asked for");
}

#[test]
fn a_member_that_is_too_young_keeps_nobody_of_its_group_waiting() {
    let yaml = "group: all\nmin_age: 3d\nsubscriptions: [pypi]\n";
    let scene = Scene::subscribed(yaml)
        .manifest("requirements.txt", "httpx==0.27.0\nidna==3.6\n")
        .release("httpx", "0.28.0", "2026-03-01")
        .release("idna", "3.7", "2026-03-04");
    assert_eq!(drafts(&scene.plan("2026-03-05"), "2026-03-05"), ["Bump httpx from 0.27.0 to 0.28.0, now"]);
    assert_eq!(
        drafts(&scene.plan("2026-03-07"), "2026-03-07"),
        ["Bump httpx and idna, now"],
        "together, if both are due"
    );
}

#[test]
fn two_files_with_one_package_at_different_versions_are_one_update() {
    let plan = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", "httpx==0.27.0\n")
        .manifest("dev-requirements.txt", "httpx==0.26.0\n")
        .release("httpx", "0.28.0", "2026-03-04")
        .plan("2026-03-05");
    assert_eq!(drafts(&plan, "2026-03-05"), ["Bump httpx to 0.28.0, now"]);
    let sites: Vec<(&str, &str)> =
        plan.drafts[0].updates[0].sites.iter().map(|s| (s.path.as_str(), s.from.as_str())).collect();
    assert_eq!(sites, [("dev-requirements.txt", "0.26.0"), ("requirements.txt", "0.27.0")]);
}

#[test]
fn two_variants_of_one_image_are_in_one_pull_request() {
    let plan = Scene::subscribed("subscriptions: [docker]\n")
        .manifest("Dockerfile", "FROM python:3.12 AS build\nFROM python:3.12-slim\n")
        .release("library/python", "3.13", "2026-03-04")
        .release("library/python", "3.13-slim", "2026-03-04")
        .plan("2026-03-05");
    assert_eq!(drafts(&plan, "2026-03-05"), ["Bump python to 3.13 and 3.13-slim, now"]);
    assert_eq!(plan.drafts[0].updates.len(), 2);
}

#[test]
fn another_file_that_needs_what_is_open_joins_on_a_branch_of_its_own() {
    let scene = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("a/requirements.txt", "httpx==0.27.0\n")
        .release("httpx", "0.28.0", "2026-03-04")
        .opened("2026-03-04")
        .manifest("b/requirements.txt", "httpx==0.27.0\n");
    let plan = scene.plan("2026-03-05");
    assert_eq!(plan.drafts[0].updates[0].sites.len(), 2);
    assert_eq!(scene.proposals[0].branch, "mass-driver/pypi/httpx-0.28.0");
    assert!(plan.drafts[0].branch.starts_with("mass-driver/pypi/httpx-0.28.0-"), "{}", plan.drafts[0].branch);
}

#[test]
fn what_is_open_alone_does_not_come_again_with_the_group() {
    let scene = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", "httpx==0.27.0\nidna==3.6\n")
        .release("httpx", "0.28.0", "2026-03-04")
        .opened("2026-03-04")
        .now_says("group: all\nsubscriptions: [pypi]\n");
    assert!(scene.plan("2026-03-05").drafts.is_empty());
    let scene = scene.release("idna", "3.7", "2026-03-05");
    assert_eq!(drafts(&scene.plan("2026-03-05"), "2026-03-05"), ["Bump idna from 3.6 to 3.7, now"]);
}

#[test]
fn a_pull_request_is_made_anew_when_the_group_gets_a_member() {
    let scene = three("group: all\nsubscriptions: [pypi]\n")
        .opened("2026-03-04")
        .manifest("requirements.txt", "django==4.2\nhttpx==0.27.0\nidna==3.6\nrich==13.0\n");
    let scene = scene.release("rich", "13.1", "2026-03-05");
    assert_eq!(drafts(&scene.plan("2026-03-05"), "2026-03-05"), ["Bump 4 pypi packages, now"]);
    assert_eq!(scene.plan("2026-03-05").wake_at, None);
    assert_eq!(scene.proposals[0].due_at, at("2026-03-04"));
}
