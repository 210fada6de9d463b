//! Open pull requests whose files have moved on: nobody could merge them any more.

use crate::scene::{Scene, drafts};
use mass_driver::domain::ProposalState;

const NOW: &str = "2026-03-05";

/// The small step and the large one are both open.
fn both_open() -> Scene {
    let scene = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", "django==4.2\nidna==3.6\n")
        .release("django", "4.2", "2026-01-02")
        .release("django", "4.3", "2026-03-01")
        .release("django", "5.0", "2026-03-01")
        .opened("2026-03-04");
    assert_eq!(scene.proposals.iter().filter(|p| p.state == ProposalState::Open).count(), 2);
    assert!(scene.plan(NOW).drafts.is_empty() && scene.plan(NOW).overtaken.is_empty());
    scene
}

fn merge(mut scene: Scene, version: &str) -> Scene {
    let merged = scene.proposals.iter_mut().find(|p| p.updates[0].to == version).unwrap();
    merged.state = ProposalState::Merged;
    scene.manifest_since("requirements.txt", &format!("django=={version}\nidna==3.6\n"), "2026-01-01")
}

fn titles(scene: &Scene, ids: &[mass_driver::domain::ProposalId]) -> Vec<String> {
    scene.proposals.iter().filter(|p| ids.contains(&p.id)).map(|p| p.title.clone()).collect()
}

#[test]
fn after_the_small_step_the_large_one_is_made_anew() {
    let scene = merge(both_open(), "4.3");
    let plan = scene.plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump django from 4.3 to 5.0, now"]);
    assert_eq!(titles(&scene, &plan.overtaken), ["Bump django from 4.2 to 5.0"]);
    let old = scene.proposals.iter().find(|p| p.state == ProposalState::Open).unwrap();
    assert_eq!(old.group, plan.drafts[0].group, "which takes its place");
    assert_ne!(old.branch, plan.drafts[0].branch);
    let scene = scene.opened(NOW);
    assert!(scene.plan(NOW).overtaken.is_empty() && scene.plan(NOW).drafts.is_empty());
}

#[test]
fn after_the_large_step_the_small_one_is_over() {
    let scene = merge(both_open(), "5.0");
    let plan = scene.plan(NOW);
    assert!(plan.drafts.is_empty());
    assert_eq!(titles(&scene, &plan.overtaken), ["Bump django from 4.2 to 4.3"]);
}

#[test]
fn what_was_taken_out_of_the_file_is_over() {
    let scene = both_open().manifest_since("requirements.txt", "idna==3.6\n", "2026-01-01");
    assert_eq!(scene.plan(NOW).overtaken.len(), 2);
}

/// Lines above it, a comment behind it, another package: the pull request can still be merged.
#[test]
fn what_stands_as_it_did_stays_open() {
    let text = "# new\nrich==13.0\ndjango==4.2  # why\n";
    let scene = both_open().manifest_since("requirements.txt", text, "2026-01-01");
    assert!(scene.plan(NOW).overtaken.is_empty());
}

/// A file that cannot be read at the moment says nothing.
#[test]
fn a_file_of_which_nothing_is_known_ends_nothing() {
    let mut scene = both_open();
    scene.used.clear();
    assert!(scene.plan(NOW).overtaken.is_empty());
}

/// One pull request for several packages: a part of it is as much as all of it.
#[test]
fn a_group_of_which_one_part_moved_on_is_made_anew() {
    let scene = Scene::subscribed("subscriptions: [{ migration: pypi, group: all }]\n")
        .manifest("requirements.txt", "django==4.2\nidna==3.6\n")
        .release("django", "4.3", "2026-03-01")
        .release("idna", "3.7", "2026-03-01")
        .opened("2026-03-04")
        .manifest_since("requirements.txt", "django==4.3\nidna==3.6\n", "2026-01-01");
    let plan = scene.plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump idna from 3.6 to 3.7, now"]);
    assert_eq!(plan.overtaken.len(), 1);
}
