//! Whose subscription file is to be examined: of commits that somebody pushed beside the default branch, and of pull
//! requests from forks, whose branches no push of this repository tells of. Pure.
//!
//! At the head of the default branch the file is found by *sync*, which asks for its examination when it changed.

use super::{Decision, KnownRepository, Step};
use crate::domain::{Asked, ObjectId, Place, RepoId, RepoState};
use crate::forge::PullStatus;
use crate::forge::webhook::{ChangedPaths, PullFacts, Push};
use crate::store::ConfigState;
use crate::subscription::{FILE_NAMES, ORGANISATION_FILE_NAMES};
use std::collections::BTreeSet;

/// Whether the subscription file is among these paths.
pub(super) fn names_file(paths: &BTreeSet<String>) -> bool {
    FILE_NAMES.iter().any(|name| paths.contains(*name))
}

/// The same for the file of an organisation, in the repository that holds it.
pub(super) fn names_organisations(paths: &BTreeSet<String>, known: &KnownRepository) -> bool {
    crate::pipeline::sync::is_for_all(&known.row.repository.name)
        && ORGANISATION_FILE_NAMES.iter().any(|name| paths.contains(*name))
}

fn names_one_of_ours(paths: &BTreeSet<String>, known: &KnownRepository) -> bool {
    names_file(paths) || names_organisations(paths, known)
}

/// What a push beside the default branch asks for. One that names no file costs no request, unless it is on top of a
/// commit that carries a check of ours: people look at the check of the newest commit.
pub(super) fn of_push(push: &Push, known: &KnownRepository) -> Decision {
    let Some(branch) = push.branch.as_ref().filter(|_| !push.deleted && is_served(known)) else {
        return Decision::nothing("not a push to the default branch");
    };
    let (named, is_all) = match &push.changed {
        ChangedPaths::Known(paths) => (names_one_of_ours(paths, known), true),
        ChangedPaths::Truncated => (names_one_of_ours(&push.among_others, known), false),
    };
    let note = if named {
        "the subscription file changed on a branch"
    } else if known.branch.is_examined {
        "the push is on top of a commit whose subscription file was examined"
    } else if !is_all && has_file(known) && !known.branch.is_own {
        "the push does not tell all it changed on a branch"
    } else {
        return Decision::nothing("not a push to the default branch");
    };
    let place = Place::Branch(branch.clone());
    examine(known, &push.after, place, Some(&push.before).filter(|before| !before.is_zero()), named, note)
}

/// What a pull request of somebody else asks for: one from a fork is looked at whenever its commits change.
pub(super) fn of_pull(action: Option<&str>, pull: &PullFacts, known: &KnownRepository) -> Decision {
    let moved = matches!(action, Some("opened" | "synchronize" | "reopened")) && pull.status == PullStatus::Open;
    if !moved || !pull.from_fork || !is_served(known) {
        return Decision::nothing("not one of our pull requests");
    }
    // Whoever has no file yet gets it by somebody who names it, and a pull request names nothing: it has to be looked at.
    let note = "a pull request from a fork";
    examine(known, &pull.head_sha, Place::Pull(pull.number), pull.before.as_ref(), false, note)
}

/// What a person asks for who wants our check of a commit made again.
pub(super) fn again(repo: RepoId, commit: &ObjectId) -> Decision {
    let asked = Asked { repo, commit: commit.clone(), place: Place::Anywhere, follows: None, named: false };
    Decision {
        steps: vec![Step::Examine { repo, commit: commit.clone(), again: true }],
        examination: Some(asked),
        note: "a person asks for our check again".into(),
        ..Decision::default()
    }
}

fn examine(
    known: &KnownRepository,
    commit: &ObjectId,
    place: Place,
    follows: Option<&ObjectId>,
    named: bool,
    note: &str,
) -> Decision {
    let repo = known.row.repository.id;
    Decision {
        steps: vec![Step::Examine { repo, commit: commit.clone(), again: false }],
        examination: Some(Asked { repo, commit: commit.clone(), place, follows: follows.cloned(), named }),
        note: note.into(),
        ..Decision::default()
    }
}

fn is_served(known: &KnownRepository) -> bool {
    known.row.repository.state == RepoState::Active && !known.row.repository.fork
}

fn has_file(known: &KnownRepository) -> bool {
    known.row.config.state != ConfigState::None
}
