//! What waits, for what, and until when. March 2026 begins on a Sunday.

use crate::scene::{Scene, at, drafts, outlook};

fn httpx(yaml: &str) -> Scene {
    Scene::subscribed(yaml).manifest("requirements.txt", "httpx==0.27.0\n")
}

#[test]
fn weekly_waits_for_monday_and_immediate_opens() {
    let scene = httpx("delay: weekly\nsubscriptions:\n  - pypi\n  - { migration: docker, delay: immediate }\n")
        .manifest("Dockerfile", "FROM python:3.12-slim\n")
        .release("httpx", "0.28.0", "2026-03-04 09:00")
        .release("library/python", "3.13-slim", "2026-03-04 09:00");
    let plan = scene.plan("2026-03-04 10:00");
    assert_eq!(
        drafts(&plan, "2026-03-04 10:00"),
        ["Bump python from 3.12-slim to 3.13-slim, now", "Bump httpx from 0.27.0 to 0.28.0, Mon 2026-03-09 06:00",]
    );
    assert_eq!(plan.drafts[1].reason, "waits for Monday 2026-03-09 06:00 UTC (weekly)");
    assert_eq!(plan.wake_at, Some(at("2026-03-09 06:00")));
    assert_eq!(drafts(&scene.plan("2026-03-09 06:00"), "2026-03-09 06:00")[1], "Bump httpx from 0.27.0 to 0.28.0, now");
    assert_eq!(scene.plan("2026-03-09 06:00").wake_at, None, "nothing is left for time to change");
}

#[test]
fn monday_is_monday_in_the_timezone_of_the_file() {
    let plan = httpx("timezone: Asia/Tokyo\ndelay: weekly\nsubscriptions: [pypi]\n")
        .release("httpx", "0.28.0", "2026-03-04 09:00")
        .plan("2026-03-04 10:00");
    assert_eq!(plan.drafts[0].due_at, at("2026-03-08 21:00"));
    assert_eq!(plan.drafts[0].reason, "waits for Monday 2026-03-09 06:00 Asia/Tokyo (weekly)");
}

#[test]
fn a_slot_that_was_over_before_the_subscription_or_the_dependency_came_does_not_count() {
    let weekly = "delay: weekly\nsubscriptions: [pypi]\n";
    let old_release = |scene: Scene| scene.release("httpx", "0.28.0", "2026-02-01");
    let monday = ["Bump httpx from 0.27.0 to 0.28.0, Mon 2026-03-09 06:00"];
    let new_subscription = old_release(httpx(weekly)).subscribed_since("2026-03-04");
    assert_eq!(drafts(&new_subscription.plan("2026-03-05"), "2026-03-05"), monday);
    let new_dependency = old_release(Scene::subscribed(weekly)).manifest_since("a.txt", "", "2026-01-01");
    let new_dependency = new_dependency.manifest_since("requirements.txt", "httpx==0.27.0\n", "2026-03-04");
    assert_eq!(drafts(&new_dependency.plan("2026-03-05"), "2026-03-05"), monday);
}

#[test]
fn a_subscription_nobody_knows_the_beginning_of_begins_now() {
    let mut scene = httpx("delay: weekly\nsubscriptions: [pypi]\n").release("httpx", "0.28.0", "2026-02-01");
    scene.since.clear();
    assert_eq!(
        drafts(&scene.plan("2026-03-05"), "2026-03-05"),
        ["Bump httpx from 0.27.0 to 0.28.0, Mon 2026-03-09 06:00"]
    );
}

#[test]
fn min_age_holds() {
    let scene =
        httpx("subscriptions:\n  - { migration: pypi, min_age: 3d }\n").release("httpx", "0.28.0", "2026-03-04 09:00");
    let plan = scene.plan("2026-03-05 10:00");
    assert_eq!(drafts(&plan, "2026-03-05 10:00"), ["Bump httpx from 0.27.0 to 0.28.0, Sat 2026-03-07 09:00"]);
    assert_eq!(
        outlook(&plan),
        ["httpx 0.27.0 -> 0.28.0: waiting, 0.28.0 is 1 day old, 3 days are asked for [Sat 2026-03-07 09:00]",]
    );
    assert_eq!(plan.wake_at, Some(at("2026-03-06 09:00")), "then it is 2 days old");
    assert_eq!(scene.plan("2026-03-06 09:00").wake_at, Some(at("2026-03-07 09:00")));
    assert!(drafts(&scene.plan("2026-03-07 08:59"), "2026-03-07 08:59")[0].ends_with("Sat 2026-03-07 09:00"));
    assert!(drafts(&scene.plan("2026-03-07 09:00"), "2026-03-07 09:00")[0].ends_with("now"));
}

#[test]
fn min_age_and_delay_add_up() {
    let scene = httpx("subscriptions:\n  - { migration: pypi, min_age: 7d, delay: weekly }\n").release(
        "httpx",
        "0.28.0",
        "2026-03-04 09:00",
    );
    assert_eq!(
        scene.plan("2026-03-05").drafts[0].reason,
        "0.28.0 is 0 days old, 7 days are asked for; then it waits for Monday 2026-03-16 06:00 UTC (weekly)"
    );
    assert_eq!(scene.plan("2026-03-12").drafts[0].reason, "waits for Monday 2026-03-16 06:00 UTC (weekly)");
}

#[test]
fn each_step_has_its_own_age() {
    let scene = httpx("subscriptions:\n  - { migration: pypi, min_age: { major: 14d, minor: 3d, patch: 0d } }\n")
        .release("httpx", "0.27.1", "2026-03-04")
        .release("httpx", "0.28.0", "2026-03-04")
        .release("httpx", "1.0", "2026-03-04");
    let first = |now: &str| drafts(&scene.plan(now), now)[0].clone();
    assert_eq!(first("2026-03-04"), "Bump httpx from 0.27.0 to 0.27.1, now");
    assert_eq!(first("2026-03-07"), "Bump httpx from 0.27.0 to 0.28.0, now");
    assert_eq!(
        drafts(&scene.plan("2026-03-18"), "2026-03-18"),
        ["Bump httpx from 0.27.0 to 0.28.0, now", "Bump httpx from 0.27.0 to 1.0, now"]
    );
    assert_eq!(
        outlook(&scene.plan("2026-03-04")),
        [
            "httpx 0.27.0 -> 0.27.1: waiting, due since Wednesday 2026-03-04 00:00 UTC, it is opened next",
            "httpx 0.27.0 -> 0.28.0: waiting, 0.28.0 is 0 days old, 3 days are asked for [Sat 2026-03-07 00:00]",
            "httpx 0.27.0 -> 1.0: waiting, 1.0 is 0 days old, 14 days are asked for [Wed 2026-03-18 00:00]",
        ]
    );
}

#[test]
fn an_undated_release_counts_from_when_it_was_first_seen() {
    let scene =
        httpx("subscriptions:\n  - { migration: pypi, min_age: 3d }\n").undated("httpx", "0.28.0", "2026-03-04 09:00");
    assert_eq!(
        drafts(&scene.plan("2026-03-05"), "2026-03-05"),
        ["Bump httpx from 0.27.0 to 0.28.0, Sat 2026-03-07 09:00"]
    );
}

#[test]
fn a_package_that_is_released_daily_is_not_starved() {
    let mut scene = httpx("subscriptions:\n  - { migration: pypi, min_age: 3d }\n");
    for day in 1..=9 {
        scene = scene.release("httpx", &format!("0.28.{day}"), &format!("2026-03-0{day}"));
    }
    assert_eq!(drafts(&scene.plan("2026-03-09"), "2026-03-09"), ["Bump httpx from 0.27.0 to 0.28.6, now"]);
    let scene = scene.opened("2026-03-09");
    let plan = scene.plan("2026-03-09");
    assert_eq!(drafts(&plan, "2026-03-09"), ["Bump httpx from 0.27.0 to 0.28.7, Tue 2026-03-10 00:00"]);
    assert_eq!(
        outlook(&plan),
        [
            "httpx 0.27.0 -> 0.28.6: open, pull request #1 is open",
            "httpx 0.27.0 -> 0.28.7: waiting, 0.28.7 is 2 days old, 3 days are asked for [Tue 2026-03-10 00:00]",
            "httpx 0.27.0 -> 0.28.9: waiting, 0.28.9 is 0 days old, 3 days are asked for [Thu 2026-03-12 00:00]",
        ]
    );
}

#[test]
fn a_newer_release_replaces_what_waits() {
    let mut scene = httpx("delay: weekly\nsubscriptions: [pypi]\n").release("httpx", "0.28.0", "2026-03-04");
    scene.store(at("2026-03-04"));
    let mut scene = scene.release("httpx", "0.28.1", "2026-03-05");
    scene.store(at("2026-03-05"));
    let [waiting] = scene.proposals.as_slice() else { panic!("{:?}", scene.proposals) };
    assert_eq!((waiting.title.as_str(), waiting.created_at), ("Bump httpx from 0.27.0 to 0.28.1", at("2026-03-04")));
    assert_eq!(waiting.due_at, at("2026-03-09 06:00"), "the Monday it was to come anyway");
}

#[test]
fn while_an_older_pull_request_is_open_a_newer_release_waits_for_its_own_slot() {
    let scene = httpx("delay: weekly\nsubscriptions: [pypi]\n")
        .release("httpx", "0.28.0", "2026-03-04")
        .opened("2026-03-09 06:00")
        .release("httpx", "0.28.1", "2026-03-10");
    let plan = scene.plan("2026-03-10");
    assert_eq!(drafts(&plan, "2026-03-10"), ["Bump httpx from 0.27.0 to 0.28.1, Mon 2026-03-16 06:00"]);
    assert_eq!(plan.drafts[0].group, scene.proposals[0].group, "so that it takes the older one's place");
    assert_ne!(plan.drafts[0].branch, scene.proposals[0].branch);
    let scene = scene.opened("2026-03-16 06:00");
    assert!(scene.plan("2026-03-16 06:00").drafts.is_empty());
    assert_eq!(outlook(&scene.plan("2026-03-16 06:00")), ["httpx 0.27.0 -> 0.28.1: open, pull request #2 is open"]);
}

#[test]
fn what_is_open_stays_the_target_when_the_rules_become_slower() {
    let scene = httpx("subscriptions: [pypi]\n")
        .release("httpx", "0.28.0", "2026-02-01")
        .release("httpx", "0.29.0", "2026-03-04")
        .opened("2026-03-04")
        .now_says("delay: monthly\nsubscriptions: [pypi]\n");
    assert_eq!(scene.proposals[0].title, "Bump httpx from 0.27.0 to 0.29.0");
    assert!(scene.plan("2026-03-05").drafts.is_empty(), "0.28.0 would be a step back");
}

#[test]
fn a_release_that_was_taken_back_gives_way_to_the_one_before() {
    let scene = httpx("subscriptions: [pypi]\n")
        .release("httpx", "0.28.0", "2026-02-01")
        .release("httpx", "0.28.1", "2026-03-04")
        .opened("2026-03-04")
        .yank("httpx", "0.28.1");
    assert_eq!(drafts(&scene.plan("2026-03-05"), "2026-03-05"), ["Bump httpx from 0.27.0 to 0.28.0, now"]);
}

#[test]
fn hours_of_age_are_told_anew_each_hour() {
    let scene =
        httpx("subscriptions:\n  - { migration: pypi, min_age: 12h }\n").release("httpx", "0.28.0", "2026-03-04 09:00");
    assert_eq!(scene.plan("2026-03-04 10:30").drafts[0].reason, "0.28.0 is 1 hour old, 12 hours are asked for");
    assert_eq!(scene.plan("2026-03-04 10:30").wake_at, Some(at("2026-03-04 11:00")));
    assert_eq!(scene.plan("2026-03-04 20:30").wake_at, Some(at("2026-03-04 21:00")));
    assert_eq!(scene.plan("2026-03-04 21:00").wake_at, None);
}
