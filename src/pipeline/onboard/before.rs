//! What GitHub knows of an earlier time. A repository may have been asked before although nothing of that is stored: the database
//! was lost, or a process was killed before it could note the answer. Whatever people said then still holds.

use super::Case;
use super::send::arrived;
use crate::domain::{ObjectId, Onboarding, OnboardingState, PullRequest};
use crate::forge::{ForgeError, Proposed, PullState, PullStatus};
use crate::pipeline::{Done, StepError, target};
use crate::store::{ConfigState, StoreError, Tx};
use jiff::Timestamp;

/// The pull request from a branch by which we asked a repository before, if it is later than what is known.
pub(super) async fn asked_before(case: &Case<'_>, branch: &str) -> Result<Option<PullState>, ForgeError> {
    let found = case.forge.own_pull_from(&target(case.row), branch).await?;
    Ok(found.filter(|pull| case.before.as_ref().is_none_or(|known| known.number < pull.number)))
}

/// Whether a pull request went to the branch that was the default one when it was made and is not any more, while the present one
/// has no file. Pure.
pub(super) fn went_elsewhere(case: &Case<'_>, onboarding: &Onboarding, found: &PullState) -> bool {
    // One that goes to another branch still was led there by a person, or by GitHub, who renamed it.
    let was_default = onboarding.base_branch.as_ref() == Some(&found.base_branch);
    let is_default = case.row.repository.default_branch.as_ref().is_none_or(|base| *base == found.base_branch);
    was_default && !is_default && case.row.config.state == ConfigState::None
}

/// Stores that nothing is on its way. What became of an earlier pull request stays known.
pub(super) async fn as_if_never_begun(tx: &mut Tx, onboarding: &Onboarding, now: Timestamp) -> Result<(), StoreError> {
    let Some(pull) = &onboarding.pull else { return tx.forget_onboarding(onboarding.repo).await };
    tx.end_onboarding_attempt(onboarding.repo).await?;
    let anew = Onboarding {
        state: OnboardingState::Nothing,
        reason: format!("pull request #{} went to a branch that is not the default one any more", pull.number),
        farewell: None,
        updated_at: now,
        ..onboarding.clone()
    };
    tx.save_onboarding(&anew).await
}

/// Has a repository asked once more whose pull request went to another branch than the default one is now.
pub(super) async fn ask_anew(case: &Case<'_>, onboarding: &Onboarding) -> Result<Done, StepError> {
    let now = case.writing.clock.now();
    let mut tx = case.tx().await?;
    as_if_never_begun(&mut tx, onboarding, now).await?;
    Ok(Done::PutOff { tx, until: now, why: None })
}

/// Goes on with a pull request of an earlier time. `base` is a commit below ours.
pub(super) async fn take_over(
    case: &Case<'_>,
    onboarding: Onboarding,
    found: PullState,
    base: &ObjectId,
) -> Result<Done, StepError> {
    let is_ours = match found.author.filter(|_| found.status == PullStatus::Open) {
        Some(author) => case.forge.is_all_by(&target(case.row), found.number, author).await?,
        None => false,
    };
    // With the base as the head that we left there, it never looks untouched, so it is never closed over people's heads.
    let head = if is_ours { found.head } else { base.clone() };
    let pull = PullRequest { number: found.number, url: found.url, head };
    let (adopted, no_draft, status) = (true, false, found.status);
    let known = Onboarding { branch: found.head_branch, base_branch: Some(found.base_branch), ..onboarding };
    arrived(case, known, Proposed { pull, adopted, no_draft, status }).await
}
