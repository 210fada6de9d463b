//! What people do to pull requests is remembered.

use crate::scene::{Scene, drafts, outlook};
use mass_driver::domain::ProposalState::{Closed, Merged};

fn opened(yaml: &str) -> Scene {
    Scene::subscribed(yaml)
        .manifest("requirements.txt", "httpx==0.27.0\n")
        .release("httpx", "0.28.0", "2026-03-01")
        .release("httpx", "0.28.1", "2026-03-02")
        .opened("2026-03-04")
}

#[test]
fn what_a_person_closed_does_not_come_again_nor_what_is_older() {
    let scene = opened("subscriptions: [pypi]\n").then(Closed, "2026-03-05");
    let plan = scene.plan("2026-03-05");
    assert!(plan.drafts.is_empty(), "{:?}", drafts(&plan, "2026-03-05"));
    assert_eq!(
        outlook(&plan),
        [
            "httpx 0.27.0 -> 0.28.1: refused, pull request #1 with it was closed by a person; only newer releases are proposed",
        ]
    );
}

#[test]
fn a_newer_release_is_proposed_after_one_was_closed() {
    let scene = opened("subscriptions: [pypi]\n").then(Closed, "2026-03-05").release("httpx", "0.28.2", "2026-03-06");
    assert_eq!(drafts(&scene.plan("2026-03-06"), "2026-03-06"), ["Bump httpx from 0.27.0 to 0.28.2, now"]);
}

#[test]
fn a_fix_for_the_old_series_is_news_after_the_new_series_was_closed() {
    let scene = opened("subscriptions: [pypi]\n").then(Closed, "2026-03-05").release("httpx", "0.27.3", "2026-03-06");
    let plan = scene.plan("2026-03-06");
    assert_eq!(drafts(&plan, "2026-03-06"), ["Bump httpx from 0.27.0 to 0.27.3, now"]);
    assert_eq!(
        outlook(&plan),
        [
            "httpx 0.27.0 -> 0.27.3: waiting, due since Friday 2026-03-06 00:00 UTC, it is opened next",
            "httpx 0.27.0 -> 0.28.1: refused, pull request #1 with it was closed by a person; only newer releases are proposed",
        ]
    );
}

#[test]
fn a_major_update_that_was_closed_does_not_hold_minor_ones_back() {
    let scene = Scene::subscribed("group: minor-and-patch\nsubscriptions: [pypi]\n")
        .manifest("requirements.txt", "django==4.2\n")
        .release("django", "5.0", "2026-03-01")
        .opened("2026-03-04")
        .then(Closed, "2026-03-05")
        .release("django", "4.2.1", "2026-03-01");
    assert_eq!(drafts(&scene.plan("2026-03-06"), "2026-03-06"), ["Bump django from 4.2 to 4.2.1, now"]);
}

#[test]
fn closing_counts_for_that_file_alone() {
    let scene = opened("subscriptions: [pypi]\n")
        .then(Closed, "2026-03-05")
        .manifest("dev-requirements.txt", "httpx==0.27.0\n");
    let plan = scene.plan("2026-03-05");
    assert_eq!(drafts(&plan, "2026-03-05"), ["Bump httpx from 0.27.0 to 0.28.1, now"]);
    assert_eq!(plan.drafts[0].updates[0].sites[0].path.as_str(), "dev-requirements.txt");
    assert_ne!(plan.drafts[0].branch, scene.proposals[0].branch, "the closed one's branch may still be there");
}

#[test]
fn closing_is_remembered_by_content_when_the_grouping_changes() {
    let scene =
        opened("subscriptions: [pypi]\n").then(Closed, "2026-03-05").now_says("group: all\nsubscriptions: [pypi]\n");
    assert!(scene.plan("2026-03-05").drafts.iter().all(|draft| !draft.title.contains("0.28.1")));
}

#[test]
fn between_the_merge_and_the_reading_of_the_merged_file_nothing_older_comes() {
    let scene = opened("subscriptions: [pypi]\n").then(Merged, "2026-03-05");
    let plan = scene.plan("2026-03-05");
    assert!(plan.drafts.is_empty());
    assert_eq!(
        outlook(&plan),
        [
            "httpx 0.27.0 -> 0.28.1: refused, pull request #1 with it was merged; if the file goes without it, it is not proposed a second time",
        ]
    );
    let read = scene.manifest("requirements.txt", "httpx==0.28.1\n");
    assert_eq!(outlook(&read.plan("2026-03-05")), ["httpx 0.28.1: up_to_date, there is nothing newer"]);
}

#[test]
fn what_was_merged_and_taken_out_again_stays_out_until_there_is_something_newer() {
    let reverted = opened("subscriptions: [pypi]\n").then(Merged, "2026-03-05");
    assert!(reverted.plan("2026-04-05").drafts.is_empty());
    let newer = reverted.release("httpx", "0.29.0", "2026-04-06");
    assert_eq!(drafts(&newer.plan("2026-04-06"), "2026-04-06"), ["Bump httpx from 0.27.0 to 0.29.0, now"]);
}

/// A package may stand in a file twice, and what was merged for one place is still to be done at the other.
#[test]
fn what_was_merged_for_one_place_still_comes_for_another() {
    let text = "[project.optional-dependencies]\na = ['django==2.0']\nb = ['django==1.0']\n";
    let opened = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("pyproject.toml", text)
        .release("django", "2.5", "2026-03-01")
        .opened("2026-03-04");
    assert_eq!(opened.proposals.len(), 2, "a minor step, and a major one");
    let mut merged = opened.manifest("pyproject.toml", &text.replace("2.0", "2.5"));
    let minor = merged.proposals.iter_mut().find(|p| p.updates[0].sites[0].from == "2.0").unwrap();
    minor.state = Merged;
    let other = "django 1.0 -> 2.5: open, pull request #2 is open";
    assert_eq!(outlook(&merged.plan("2026-03-05")), ["django 2.5: up_to_date, there is nothing newer", other]);
    let unread = merged.manifest("pyproject.toml", text);
    let why =
        "refused, pull request #1 with it was merged; if the file goes without it, it is not proposed a second time";
    assert_eq!(outlook(&unread.plan("2026-03-05")), [&format!("django 2.0 -> 2.5: {why}"), other]);
    // It might be either of them that somebody took back.
    let changed = unread.manifest("pyproject.toml", &text.replace("2.0", "1.9"));
    let both = ["1.9", "1.0"].map(|current| format!("django {current} -> 2.5: {why}"));
    assert_eq!(outlook(&changed.plan("2026-03-05")), both);
}

/// The small step is open; the large one, at the other place of the file, is not.
#[test]
fn what_is_open_for_one_place_is_not_open_for_another() {
    let text = "[project.optional-dependencies]\na = ['django==2.0']\nb = ['django==1.0']\n";
    let opened = Scene::subscribed("min_age: { major: 7d }\nsubscriptions: [pypi]\n")
        .manifest("pyproject.toml", text)
        .release("django", "2.5", "2026-03-01")
        .opened("2026-03-04");
    let plan = opened.plan("2026-03-04");
    assert_eq!(drafts(&plan, "2026-03-04"), ["Bump django from 1.0 to 2.5, Sun 2026-03-08 00:00"]);
    let rows = outlook(&plan);
    assert_eq!(rows[0], "django 2.0 -> 2.5: open, pull request #1 is open");
    assert!(rows[1].starts_with("django 1.0 -> 2.5: waiting, "), "{rows:?}");
    assert_eq!(drafts(&opened.plan("2026-03-08"), "2026-03-08"), ["Bump django from 1.0 to 2.5, now"]);
}

#[test]
fn what_failed_waits_for_another_release_or_another_text() {
    let failed = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", "httpx==0.27.0\n")
        .release("httpx", "0.27.1", "2026-03-01")
        .release("httpx", "0.28.0", "2026-03-01")
        .failed("2026-03-04", "GitHub refused the branch");
    let plan = failed.plan("2026-03-04");
    assert!(plan.drafts.is_empty(), "0.27.1 would only fail, too");
    assert_eq!(
        outlook(&plan),
        [
            "httpx 0.27.0 -> 0.28.0: failed, its pull request could not be made: GitHub refused the branch; tried again Thursday 2026-03-05 00:00 UTC, or as soon as its file changes [Thu 2026-03-05 00:00]",
        ]
    );
    let edited = failed.manifest("requirements.txt", "httpx~=0.27.0\n");
    assert_eq!(drafts(&edited.plan("2026-03-05"), "2026-03-05"), ["Bump httpx from 0.27.0 to 0.28.0, now"]);
}
