//! Pins whose tag points at something else by now, while their version stays.

use crate::farewells::reason;
use crate::scene::{Scene, at, drafts, outlook, package};
use mass_driver::domain::{Content, Ecosystem, ProposalState, Release};
use mass_driver::planner::{self, Known};

const NOW: &str = "2026-03-10";

fn release(version: &str, digest: &str, since: &str) -> Release {
    Release {
        version: version.into(),
        published_at: None,
        first_seen_at: at("2026-03-01"),
        counts_from: at("2026-03-01"),
        yanked: false,
        above_latest: false,
        content: Some(Content { digest: digest.into(), since: at(since) }),
        requires_python: None,
    }
}

fn commit(digit: &str) -> String {
    digit.repeat(40)
}

fn known(mut scene: Scene, ecosystem: Ecosystem, name: &str, releases: Vec<Release>) -> Scene {
    scene.packages.insert(package(ecosystem, name), Known::Releases(releases));
    scene
}

/// An action that is pinned to commit `a…` beside a comment.
fn action(yaml: &str, comment: &str) -> Scene {
    let text = format!("runs:\n  using: composite\n  steps:\n    - uses: acme/build@{} # {comment}\n", commit("a"));
    Scene::subscribed(yaml).manifest("action.yml", &text)
}

fn tags(scene: Scene, releases: Vec<Release>) -> Scene {
    known(scene, Ecosystem::GithubActions, "acme/build", releases)
}

const PLAIN: &str = "subscriptions: [github-actions, docker, pre-commit]\n";

#[test]
fn a_pin_follows_the_tag_of_its_series() {
    let plan = tags(action(PLAIN, "v4"), vec![release("v4", &commit("b"), "2026-03-05")]).plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump acme/build v4 to bbbbbbb, now"]);
    let update = &plan.drafts[0].updates[0];
    assert_eq!((update.to.as_str(), update.refresh.as_deref()), ("v4", Some(commit("b").as_str())));
    assert_eq!(plan.drafts[0].branch, "mass-driver/github-actions/acme-build-v4-bbbbbbb-29d15801");
    assert_eq!(outlook(&plan)[0].split(',').next().unwrap(), "acme/build v4 -> v4 (bbbbbbb): waiting");
    // A comment without the tag's `v` means it all the same.
    let plan = tags(
        action(PLAIN, "v4.1"),
        vec![release("4.1", &commit("b"), "2026-03-05"), release("4.1.0", &commit("b"), "2026-03-05")],
    )
    .plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump acme/build 4.1 to bbbbbbb, now"]);
    assert_eq!(plan.drafts[0].updates[0].sites[0].from, "v4.1");
}

#[test]
fn a_pin_that_is_what_its_tag_points_at_stays() {
    for same in [commit("a"), commit("A")] {
        let plan = tags(action(PLAIN, "v4"), vec![release("v4", &same, "2026-03-05")]).plan(NOW);
        assert_eq!(outlook(&plan), ["acme/build v4: up_to_date, there is nothing newer"]);
    }
}

/// The move counts, not the age of the tag's name.
#[test]
fn security_08_what_a_tag_points_at_has_to_be_old_enough() {
    let yaml = "subscriptions: [{ migration: github-actions, min_age: { patch: 3d, major: 14d } }]\n";
    let scene = tags(action(yaml, "v4"), vec![release("v4", &commit("b"), "2026-03-08")]);
    let plan = scene.plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump acme/build v4 to bbbbbbb, Wed 2026-03-11 00:00"]);
    assert_eq!(plan.drafts[0].reason, "v4 (bbbbbbb), whose tag was moved, is 2 days old, 3 days are asked for");
    assert_eq!(drafts(&scene.plan("2026-03-11"), "2026-03-11"), ["Bump acme/build v4 to bbbbbbb, now"]);
}

/// Nobody should move `v4.1.2`. Whoever pinned its commit did so for the day on which somebody does.
#[test]
fn security_08_the_tag_of_one_release_is_not_followed() {
    let doubt = |version: &str| {
        format!(
            "acme/build {version}: refused, the tag {version} points at bbbbbbb by now, and not at what is pinned; a tag of one release should stay where it is, so the pin does"
        )
    };
    let plan = tags(action(PLAIN, "v4.1.2"), vec![release("v4.1.2", &commit("b"), "2026-03-05")]).plan(NOW);
    assert_eq!(outlook(&plan), [doubt("v4.1.2")]);
    assert!(plan.drafts.is_empty());
    let hook = |version: &str| {
        let text = format!(
            "repos:\n  - repo: https://github.com/acme/build\n    rev: {} # frozen: {version}\n    hooks: []\n",
            commit("a")
        );
        let scene = Scene::subscribed(PLAIN).manifest(".pre-commit-config.yaml", &text);
        let releases = vec![release(version, &commit("b"), "2026-03-05")];
        known(scene, Ecosystem::PreCommit, "github.com/acme/build", releases).plan(NOW)
    };
    assert_eq!(
        outlook(&hook("22.1")),
        [doubt("22.1").replace("acme/build 22", "github.com/acme/build 22")],
        "a release of two numbers"
    );
    assert_eq!(drafts(&hook("v4"), NOW), ["Bump acme/build v4 to bbbbbbb, now"], "a series");
}

fn image(yaml: &str, releases: Vec<Release>) -> Scene {
    let text = format!("FROM python:3.12-slim@sha256:{}\n", "a".repeat(64));
    known(Scene::subscribed(yaml).manifest("Dockerfile", &text), Ecosystem::Docker, "library/python", releases)
}

fn digest(digit: &str) -> String {
    format!("sha256:{}", digit.repeat(64))
}

#[test]
fn an_image_is_refreshed_when_its_tag_is_rebuilt() {
    let plan = image(PLAIN, vec![release("3.12-slim", &digest("b"), "2026-03-05")]).plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump python 3.12-slim to bbbbbbb, now"]);
}

/// A newer version takes the refresh along, and until that is due the refresh goes alone.
#[test]
fn a_newer_version_takes_the_place_of_a_refresh() {
    let yaml = "subscriptions: [{ migration: docker, min_age: 3d }]\n";
    let releases =
        vec![release("3.12-slim", &digest("b"), "2026-03-05"), release("3.13-slim", &digest("c"), "2026-03-08")];
    let mut scene = image(yaml, releases);
    assert_eq!(drafts(&scene.plan(NOW), NOW), ["Bump python 3.12-slim to bbbbbbb, now"]);
    scene.open_due(at(NOW));
    let plan = scene.plan("2026-03-12");
    assert_eq!(drafts(&plan, "2026-03-12"), ["Bump python from 3.12-slim to 3.13-slim, now"]);
}

/// A person's no to one digest is no to that one alone.
#[test]
fn a_refresh_that_was_closed_is_remembered_by_its_digest() {
    let closed = image(PLAIN, vec![release("3.12-slim", &digest("b"), "2026-03-05")])
        .opened("2026-03-06")
        .then(ProposalState::Closed, "2026-03-07");
    let plan = closed.plan(NOW);
    assert!(plan.drafts.is_empty());
    assert_eq!(
        outlook(&plan),
        [
            "library/python 3.12-slim -> 3.12-slim (bbbbbbb): refused, pull request #1 with it was closed by a person; only newer releases are proposed"
        ]
    );
    let moved =
        known(closed, Ecosystem::Docker, "library/python", vec![release("3.12-slim", &digest("c"), "2026-03-08")]);
    assert_eq!(drafts(&moved.plan(NOW), NOW), ["Bump python 3.12-slim to ccccccc, now"]);
}

/// A tag may be moved back to what it pointed at before.
#[test]
fn a_refresh_that_was_merged_may_come_again_after_another() {
    let mut scene = image(PLAIN, vec![release("3.12-slim", &digest("b"), "2026-03-05")])
        .opened("2026-03-06")
        .then(ProposalState::Merged, "2026-03-07");
    assert!(scene.plan(NOW).drafts.is_empty(), "the file does not have it, and who took it out knows why");
    for (now, from, to) in [("2026-03-10", "b", "c"), ("2026-03-14", "c", "b")] {
        let text = format!("FROM python:3.12-slim@{}\n", digest(from));
        scene = scene.manifest_since("Dockerfile", &text, "2026-01-01");
        scene =
            known(scene, Ecosystem::Docker, "library/python", vec![release("3.12-slim", &digest(to), "2026-03-08")]);
        let title = format!("Bump python 3.12-slim to {}, now", to.repeat(7));
        assert_eq!(drafts(&scene.plan(now), now), [title]);
        scene = scene.opened(now).then(ProposalState::Merged, now);
    }
}

/// What the registry said of the tag is not known: nothing is guessed.
#[test]
fn a_tag_of_which_nothing_is_known_is_left() {
    let mut unknown = release("3.12-slim", "", "2026-03-05");
    unknown.content = None;
    assert_eq!(
        outlook(&image(PLAIN, vec![unknown]).plan(NOW)),
        ["library/python 3.12-slim: up_to_date, there is nothing newer"]
    );
}

#[test]
fn the_words_of_a_refresh() {
    let plan = tags(action(PLAIN, "v4"), vec![release("v4", &commit("b"), "2026-03-05")]).plan(NOW);
    let occasion = mass_driver::planner::prose::Occasion {
        timezone: &jiff::tz::TimeZone::UTC,
        delay: "immediate",
        file: ".mass-driver.yaml",
        lock_files: &[],
        notes: &[],
        links: &[],
    };
    let body = mass_driver::planner::prose::body(&plan.drafts[0].updates, &occasion);
    let head = body.split("\n\n### ").next().unwrap();
    assert_eq!(
        head,
        "Moves the pin of `acme/build` `v4` from `aaaaaaaaaaaa` to `bbbbbbbbbbbb`, what the tag points at by now, in `action.yml:4`.\n\n\
         Only what is pinned changes; the version beside it stays."
    );
}

/// A refresh keeps the version: whether others did it is told by what is pinned.
#[test]
fn a_refresh_is_over_when_the_pin_is_what_its_tag_points_at() {
    let text =
        |digit: &str| format!("runs:\n  using: composite\n  steps:\n    - uses: acme/build@{} # v4\n", commit(digit));
    let points_at = |digit: &str| vec![release("v4", &commit(digit), "2026-03-05")];
    let scene = tags(action(PLAIN, "v4"), points_at("b")).opened(NOW);
    let update = scene.proposals[0].updates[0].clone();
    assert_eq!(reason(&scene, &update, &[]), None);
    let pinned = |scene: Scene, digit: &str| scene.manifest_since("action.yml", &text(digit), "2026-03-01");

    let by_others = pinned(scene, "b");
    let why = "action.yml has what acme/build v4 points at already";
    assert_eq!(reason(&by_others, &update, &[]).as_deref(), Some(why));
    assert!(!planner::moves(&update, &by_others.used[0].dependency));

    // Another commit is there, and the tag is not: it goes on from there.
    let elsewhere = pinned(by_others, "c");
    assert_eq!(reason(&elsewhere, &update, &[]), None);
    assert!(planner::moves(&update, &elsewhere.used[0].dependency));
    assert!(!planner::all_stand(std::slice::from_ref(&update), elsewhere.used.iter().map(|used| &used.dependency)));
    // The tag went on to that one, or was moved back to it.
    assert_eq!(reason(&tags(elsewhere, points_at("c")), &update, &[]).as_deref(), Some(why));
    let moved_back = tags(action(PLAIN, "v4"), points_at("a"));
    assert_eq!(reason(&moved_back, &update, &[]).as_deref(), Some(why));

    let newer = pinned(tags(action(PLAIN, "v4"), points_at("b")), "d");
    let newer = newer.manifest_since("action.yml", &text("d").replace("# v4", "# v5"), "2026-03-01");
    assert_eq!(reason(&newer, &update, &[]).unwrap(), "action.yml has acme/build v5 already");
}

/// The comment may have another `v` than the tag.
#[test]
fn a_comment_with_another_v_is_moved_all_the_same() {
    let releases = vec![release("v4.1.2", &commit("a"), "2026-03-01"), release("v4.1.3", &commit("b"), "2026-03-01")];
    let scene = tags(action(PLAIN, "4.1.2"), releases).opened(NOW);
    let update = scene.proposals[0].updates[0].clone();
    assert_eq!(reason(&scene, &update, &[]), None);
    assert!(planner::moves(&update, &scene.used[0].dependency));
}

/// A tag of two numbers is a series where the repository has fuller tags of it; what is named after a day is none.
#[test]
fn a_release_that_looks_like_a_series_is_not_followed() {
    let moved = |comment: &str, tag: &str, others: &[&str]| {
        let others = others.iter().map(|other| release(other, &commit("c"), "2026-03-01"));
        let releases = [release(tag, &commit("b"), "2026-03-05")].into_iter().chain(others).collect();
        drafts(&tags(action(PLAIN, comment), releases).plan(NOW), NOW)
    };
    assert_eq!(moved("v1.2", "v1.2", &["v1.1", "v1.0"]), Vec::<String>::new());
    assert_eq!(moved("v1.2", "v1.2", &["v1.20.1", "x/v1.2.1"]), Vec::<String>::new());
    assert_eq!(moved("v1.2", "v1.2", &["v1.2.0", "v1.1"]), ["Bump acme/build v1.2 to bbbbbbb, now"]);
    for dated in ["release-2024-01", "v20240201", "v2024"] {
        assert_eq!(moved(&format!("tag={dated}"), dated, &[]), Vec::<String>::new(), "{dated}");
    }
    let text = format!(
        "repos:\n  - repo: https://github.com/acme/x\n    rev: {} # frozen: v20240201\n    hooks: []\n",
        commit("a")
    );
    let scene = Scene::subscribed(PLAIN).manifest(".pre-commit-config.yaml", &text);
    let releases = vec![release("v20240201", &commit("b"), "2026-03-05")];
    let plan = known(scene, Ecosystem::PreCommit, "github.com/acme/x", releases).plan(NOW);
    assert!(outlook(&plan)[0].contains("refused, the tag v20240201 points at bbbbbbb by now"), "{:?}", outlook(&plan));
    assert!(plan.drafts.is_empty());
}

/// The warning does not wait until nothing newer is left.
#[test]
fn a_moved_release_is_told_beside_what_is_newer() {
    let releases = vec![
        release("v4.1.2", &commit("b"), "2026-03-05"),
        release("v4.1.3", &commit("c"), "2026-03-05"),
        release("v5.0.0", &commit("d"), "2026-03-05"),
    ];
    let plan = tags(action(PLAIN, "4.1.2"), releases).plan(NOW);
    assert_eq!(
        drafts(&plan, NOW),
        ["Bump acme/build from 4.1.2 to v4.1.3, now", "Bump acme/build from 4.1.2 to v5.0.0, now"]
    );
    let told = "acme/build 4.1.2: refused, the tag v4.1.2 points at bbbbbbb by now";
    assert_eq!(outlook(&plan).iter().filter(|line| line.starts_with(told)).count(), 1, "{:#?}", outlook(&plan));
}

/// A major step is another matter than what a series brings: each has its pull request, unless all go in one.
#[test]
fn a_series_is_refreshed_beside_its_next_major_version() {
    let releases = || vec![release("v4", &commit("b"), "2026-03-05"), release("v5", &commit("c"), "2026-03-05")];
    let plan = tags(action(PLAIN, "v4"), releases()).plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump acme/build v4 to bbbbbbb, now", "Bump acme/build from v4 to v5, now"]);
    let all = "subscriptions: [{ migration: github-actions, group: all }]\n";
    let plan = tags(action(all, "v4"), releases()).plan(NOW);
    assert_eq!(plan.drafts.len(), 1);
    assert_eq!(plan.drafts[0].updates.iter().map(|u| u.to.as_str()).collect::<Vec<_>>(), ["v5"]);
}
