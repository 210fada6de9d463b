//! Whether what is open is still wanted.

use crate::scene::Scene;
use mass_driver::domain::{ProposalState, RepoPath, Update};
use mass_driver::planner::{self, Known, Today};
use rstest::rstest;
use std::collections::BTreeSet;

fn open() -> Scene {
    Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", "httpx==0.27.0\n")
        .release("httpx", "0.28.0", "2026-03-04")
        .opened("2026-03-05")
}

/// Why the one update that is open is not wanted today.
fn unwanted(scene: &Scene, unreadable: &[&str]) -> Option<String> {
    let open = scene.proposals.iter().find(|p| p.state == ProposalState::Open).unwrap();
    reason(scene, &open.updates[0], unreadable)
}

/// Why an update is not wanted today, while these files cannot be read.
pub fn reason(scene: &Scene, update: &Update, unreadable: &[&str]) -> Option<String> {
    let facts = scene.facts();
    let unreadable: BTreeSet<RepoPath> = unreadable.iter().map(|path| RepoPath::parse(path).unwrap()).collect();
    let today = Today {
        file: facts.file,
        used: facts.used,
        unreadable: &unreadable,
        packages: facts.packages,
        unseen: facts.unseen,
        decisions: facts.decisions,
    };
    planner::unwanted(update, &today)
}

#[test]
fn what_is_as_it_was_is_wanted() {
    assert_eq!(unwanted(&open(), &[]), None);
}

#[test]
fn a_release_that_was_taken_back_is_not() {
    assert_eq!(unwanted(&open().yank("httpx", "0.28.0"), &[]).unwrap(), "httpx 0.28.0 was taken back by its publisher");
}

#[rstest]
#[case::failed(Known::Failed("no answer".into()))]
#[case::not_asked(Known::NotYetAsked)]
#[case::empty(Known::Releases(Vec::new()))]
fn a_registry_that_does_not_answer_closes_nothing(#[case] known: Known) {
    assert_eq!(unwanted(&open().known("httpx", known), &[]), None);
}

#[test]
fn rules_that_came_later_count() {
    let ignoring = "subscriptions:\n  - migration: pypi\n    ignore: [{ name: httpx, versions: '>=0.28' }]\n";
    assert!(unwanted(&open().now_says(ignoring), &[]).unwrap().starts_with("httpx 0.28.0: "));
    let elsewhere = "subscriptions:\n  - migration: pypi\n    paths: ['services/**']\n";
    assert_eq!(unwanted(&open().now_says(elsewhere), &[]).unwrap(), "no subscription asks for httpx any more");
}
