//! What the store knows of the repository that an event tells of.

use crate::commands;
use crate::domain::{Examined, Head, Onboarding, Proposal, PullNumber, RepoId, RepoPath};
use crate::forge::webhook::{ChangedPaths, Event, EventKind, PullFacts, Push};
use crate::managers;
use crate::pipeline::{StepError, onboard, sync};
use crate::planner::codeowners::CODE_OWNERS_PATHS;
use crate::store::{ConfigState, RepositoryRow, Store};
use std::collections::BTreeSet;

/// What the store knows of the repository an event tells of.
#[derive(Clone, Debug)]
pub struct KnownRepository {
    /// Its row.
    pub row: RepositoryRow,
    /// The files that were read, and those they include, whether they exist or not.
    pub tracked: BTreeSet<String>,
    /// Its lock files.
    pub lock_files: BTreeSet<RepoPath>,
    /// The proposal whose pull request the event tells of, if it is one of ours.
    pub proposal: Option<Proposal>,
    /// Whether the branch of that pull request is left as it is until it moves.
    pub is_held: bool,
    /// The onboarding whose pull request the event tells of.
    pub onboarding: Option<Onboarding>,
    /// Whether the event brings something that may be kept up to date to a repository that may be asked for its first
    /// subscription file.
    pub may_be_onboarded: bool,
    /// Our open pull requests whose head the event tells of.
    pub pulls_at_head: Vec<PullNumber>,
    /// Where a branch moved that is not the default one: what is known of it.
    pub branch: KnownBranch,
}

/// What is known of a branch that moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownBranch {
    /// Something is said, or about to be, of the subscription file at the commit that it pointed at.
    pub is_examined: bool,
    /// It is the branch of a proposal, so that nobody but us is likely to have made it.
    pub is_own: bool,
}

pub(super) async fn known_repository(
    store: &Store,
    repo: RepoId,
    event: &Event,
) -> Result<Option<KnownRepository>, StepError> {
    let Some(row) = store.repository(repo).await? else { return Ok(None) };
    let mut known = KnownRepository {
        row,
        tracked: BTreeSet::new(),
        lock_files: BTreeSet::new(),
        proposal: None,
        is_held: false,
        onboarding: None,
        may_be_onboarded: false,
        pulls_at_head: Vec::new(),
        branch: KnownBranch::default(),
    };
    if let Some(number) = number_of(event) {
        known.proposal = store.proposal_by_pull(repo, number).await?;
        match known.proposal {
            Some(_) => known.is_held = store.pull_branch(repo, number).await?.held.is_some(),
            None => known.onboarding = store.onboarding_by_pull(repo, number).await?,
        }
    }
    match &event.kind {
        EventKind::Push(push) if push.is_default_branch => {
            known.tracked =
                store.tracked_paths(repo).await?.into_iter().map(|path| path.as_str().to_string()).collect();
            known.lock_files = store.lock_files(repo).await?;
            // What the organisation asks for takes a while to read, and most pushes bring nothing to be kept up to date.
            if known.row.config.state == ConfigState::None && brings_manifests(push) {
                let head = push.tree.clone().map(|tree| Head { commit: push.after.clone(), tree });
                let row = &known.row;
                known.may_be_onboarded = onboard::is_due(store, (&row.repository, &row.config, head.as_ref())).await?;
            }
            // So that it is read again when it changes, or appears.
            if sync::file_in_force(&known.row.config).ok().flatten().is_some_and(|file| file.asks_code_owners()) {
                known.tracked.extend(CODE_OWNERS_PATHS.map(str::to_owned));
            }
        }
        EventKind::Push(push) => {
            let Some(branch) = &push.branch else { return Ok(Some(known)) };
            let examined = store.examination(repo, &push.before).await?;
            known.branch = KnownBranch {
                is_examined: examined.is_some_and(|found| found.outcome.is_none_or(|it| it == Examined::Said)),
                is_own: store.is_branch_of_proposal(repo, branch).await?,
            };
        }
        EventKind::CheckRun { head_sha } | EventKind::Verdict { head_sha } => {
            let pulls = store.proposals_by_head(repo, head_sha).await?;
            known.pulls_at_head = pulls.into_iter().filter_map(|p| p.pull.map(|pull| pull.number)).collect();
        }
        _ => {}
    }
    Ok(Some(known))
}

/// Whether a push tells of a file that may be a manifest.
pub(super) fn brings_manifests(push: &Push) -> bool {
    let ChangedPaths::Known(changed) = &push.changed else { return false };
    changed.iter().any(|path| RepoPath::parse(path).is_ok_and(|path| managers::may_be_manifest(&path)))
}

/// The pull request that an event tells of, where it matters whether it is one of ours.
fn number_of(event: &Event) -> Option<PullNumber> {
    match &event.kind {
        EventKind::PullRequest(PullFacts { number, .. }) | EventKind::Reconsidered { number } => Some(*number),
        EventKind::Comment(comment) => commands::mentions(&comment.body).then_some(comment.pull),
        _ => None,
    }
}
