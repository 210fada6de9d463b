//! Open pull requests whose files have moved on: what is left of them goes on, and what has nothing left is over.

use crate::farewells::reason;
use crate::scene::{Scene, drafts};
use mass_driver::domain::{Proposal, ProposalState};
use mass_driver::planner;

const NOW: &str = "2026-03-05";

fn open(scene: &Scene) -> Vec<&Proposal> {
    scene.proposals.iter().filter(|p| p.state == ProposalState::Open).collect()
}

/// Whether every place of the open ones is as it was: nothing has to be done anew.
fn all_stand(scene: &Scene) -> bool {
    let used = scene.used.iter().map(|used| &used.dependency);
    open(scene).iter().all(|p| planner::all_stand(&p.updates, used.clone()))
}

/// Why open ones are over, by title: those of which nothing is left.
fn over(scene: &Scene) -> Vec<(String, String)> {
    let of = |p: &&Proposal| {
        let reasons: Option<Vec<String>> = p.updates.iter().map(|update| reason(scene, update, &[])).collect();
        Some((p.title.clone(), reasons?.join("; ")))
    };
    open(scene).iter().filter_map(of).collect()
}

/// The small step and the large one are both open.
fn both_open() -> Scene {
    let scene = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", "django==4.2\nidna==3.6\n")
        .release("django", "4.2", "2026-01-02")
        .release("django", "4.3", "2026-03-01")
        .release("django", "5.0", "2026-03-01")
        .opened("2026-03-04");
    assert_eq!(open(&scene).len(), 2);
    assert!(scene.plan(NOW).drafts.is_empty() && all_stand(&scene) && over(&scene).is_empty());
    scene
}

fn now_has(scene: Scene, text: &str) -> Scene {
    scene.manifest_since("requirements.txt", text, "2026-01-01")
}

fn merge(mut scene: Scene, version: &str) -> Scene {
    let merged = scene.proposals.iter_mut().find(|p| p.updates[0].to == version).unwrap();
    merged.state = ProposalState::Merged;
    now_has(scene, &format!("django=={version}\nidna==3.6\n"))
}

#[test]
fn after_the_small_step_the_large_one_goes_on_as_it_is() {
    let scene = merge(both_open(), "4.3");
    assert!(!all_stand(&scene) && over(&scene).is_empty());
    let large = &open(&scene)[0].updates[0];
    assert!(scene.used.iter().any(|used| planner::moves(large, &used.dependency)));
    assert!(scene.plan(NOW).drafts.is_empty(), "it is no other pull request");
}

#[test]
fn after_the_large_step_the_small_one_is_over() {
    let scene = merge(both_open(), "5.0");
    assert!(scene.plan(NOW).drafts.is_empty());
    let why = "requirements.txt has django 5.0 already";
    assert_eq!(over(&scene), [("Bump django from 4.2 to 4.3".into(), why.into())]);
}

#[test]
fn what_was_taken_out_of_the_file_is_over() {
    let scene = now_has(both_open(), "idna==3.6\n");
    let over = over(&scene);
    assert_eq!(over.len(), 2);
    assert!(over.iter().all(|(_, why)| why == "django is not in requirements.txt any more"), "{over:?}");
}

/// What needs no update any more, or cannot be moved, could neither be merged nor made anew.
#[test]
fn what_stands_there_as_something_else_is_over() {
    for text in ["django>=4.2\n", "django @ https://example.com/django.zip\n"] {
        let over = over(&now_has(both_open(), text));
        assert_eq!(over.len(), 2, "{text}");
        let why = "django is not in requirements.txt any more as it was";
        assert!(over.iter().all(|(_, reason)| reason == why), "{over:?}");
    }
}

/// Somebody stepped back: both are wanted as before, from there.
#[test]
fn what_was_taken_back_by_a_person_goes_on_from_there() {
    let scene = now_has(both_open(), "django==4.1\n");
    assert!(!all_stand(&scene) && over(&scene).is_empty());
}

/// Lines above it, a comment behind it, another package: the pull request can still be merged.
#[test]
fn what_stands_as_it_did_stays_open() {
    let scene = now_has(both_open(), "# new\nrich==13.0\ndjango==4.2  # why\n");
    assert!(all_stand(&scene) && over(&scene).is_empty());
}

/// A file that cannot be read at the moment says nothing.
#[test]
fn a_file_of_which_nothing_is_known_ends_nothing() {
    let mut scene = both_open();
    scene.used.clear();
    for proposal in open(&scene) {
        assert_eq!(reason(&scene, &proposal.updates[0], &["requirements.txt"]), None);
    }
}

/// Of two lines for different versions of Python, each is a place of its own.
#[test]
fn a_line_for_other_pythons_is_another_place() {
    let lines = |old: &str, new: &str| {
        format!("django=={old}; python_version < '3.10'\ndjango=={new}; python_version >= '3.10'\n")
    };
    let scene = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", &lines("4.2", "4.2"))
        .release("django", "4.2", "2026-01-02")
        .release("django", "4.3", "2026-03-01")
        .opened("2026-03-04");
    let mut update = open(&scene)[0].updates[0].clone();
    update.sites.retain(|site| site.python.as_deref().is_some_and(|python| python.contains(">=")));
    assert_eq!(update.sites.len(), 1);
    let scene = now_has(scene, &lines("4.2", "4.3"));
    assert!(!scene.used.iter().any(|used| planner::moves(&update, &used.dependency)));
    assert_eq!(reason(&scene, &update, &[]).unwrap(), "requirements.txt has django 4.3 already");
}

/// One pull request for several packages: a part of it is over, the rest is wanted.
#[test]
fn a_group_of_which_one_part_moved_on_goes_on_with_the_rest() {
    let mut scene = Scene::subscribed("subscriptions: [{ migration: pypi, group: all }]\n")
        .manifest("requirements.txt", "django==4.2\nidna==3.6\n")
        .release("django", "4.3", "2026-03-01")
        .release("idna", "3.7", "2026-03-01")
        .opened("2026-03-04");
    scene = now_has(scene, "django==4.3\nidna==3.6\n");
    assert!(!all_stand(&scene) && over(&scene).is_empty());
    let reasons: Vec<_> = open(&scene)[0].updates.iter().map(|update| reason(&scene, update, &[])).collect();
    assert_eq!(reasons, [Some("requirements.txt has django 4.3 already".to_string()), None]);
    // What is wanted in part is not counted as open: the rest is planned anew, for the same branch.
    scene.proposals.clear();
    assert_eq!(drafts(&scene.plan(NOW), NOW), ["Bump idna from 3.6 to 3.7, now"]);
}
