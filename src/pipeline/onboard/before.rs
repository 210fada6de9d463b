//! What GitHub knows of an earlier time. A repository may have been asked before although nothing of that is stored: the database
//! was lost, or a process was killed before it could note the answer. Whatever people said then still holds.

use super::Case;
use super::send::arrived;
use crate::domain::{ObjectId, Onboarding, PullRequest};
use crate::forge::{ForgeError, Proposed, PullState, PullStatus};
use crate::pipeline::{Done, StepError, target};

/// The pull request from a branch by which we asked a repository before.
pub(super) async fn asked_before(case: &Case<'_>, branch: &str) -> Result<Option<PullState>, ForgeError> {
    case.forge.own_pull_from(&target(case.row), branch).await
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
    arrived(case, Onboarding { branch: found.head_branch, ..onboarding }, Proposed { pull, adopted, no_draft, status })
        .await
}
