//! What is stored of a merge, and what is left of it to be removed.

use super::refusal;
use crate::domain::{Merging, Proposal, ProposalId, ProposalState, PullNumber, PullRequest, Topic};
use crate::forge::GitHub;
use crate::pipeline::{Done, Step, StepError, target};
use crate::store::{Claimed, RepositoryRow, Store, StoreError};
use jiff::Timestamp;

/// Whether GitHub was asked to merge a proposal's pull request as it is, and has not said no.
pub(in crate::pipeline) async fn is_sent(store: &Store, proposal: &Proposal) -> Result<bool, StoreError> {
    let merging = store.merging(&proposal.id).await?.filter(|merging| merging.sent_at.is_some());
    Ok(merging.is_some_and(|merging| proposal.pull.as_ref().is_some_and(|pull| pull.head == merging.head)))
}

/// The reason of one that the bot merged. Pure.
pub(in crate::pipeline) fn merged_by_us(number: PullNumber) -> String {
    format!("pull request #{number} was merged by the bot, as `automerge` asks for")
}

/// The ledger's words for one that the bot merged. Pure.
pub(in crate::pipeline) fn by_us(number: PullNumber) -> String {
    format!("#{number}, by `automerge`")
}

/// Stores that it was merged, and by whom.
pub(super) async fn save_merged(
    store: &Store,
    row: &RepositoryRow,
    proposal: Proposal,
    lease: &Claimed,
    now: Timestamp,
) -> Result<(), StepError> {
    let (repo, installation) = (row.repository.id, Some(row.repository.installation));
    let Some(number) = proposal.pull.as_ref().map(|pull| pull.number) else { return Ok(()) };
    tracing::info!(repository = %row.repository.name, proposal = %proposal.id, pull = %number, "merged a pull request");
    let reason = merged_by_us(number);
    let mut tx = store.begin().await?;
    tx.still_ours(lease).await?;
    tx.set_remark(&proposal.id, Topic::Merging, None).await?;
    tx.record(&proposal.id, now, "merged", &by_us(number)).await?;
    tx.save_proposal(&Proposal { state: ProposalState::Merged, reason, updated_at: now, ..proposal }).await?;
    // The push of the merge may be late; until it is indexed, a plan would see the old versions.
    Step::SyncRepository { repo, details: false, name: None }.queue(&mut tx, installation, now).await?;
    Ok(tx.commit().await?)
}

/// Takes the branch away that was merged, if nobody has put anything on it. Once: who makes it anew wants it.
pub(super) async fn clean_up(
    store: &Store,
    forge: &GitHub,
    (row, pull): (&RepositoryRow, &PullRequest),
    (id, branch): (&ProposalId, &str),
    sent: &Merging,
) -> Result<Done, StepError> {
    match forge.delete_branch(&target(row), branch, &pull.head).await {
        Err(error) if refusal(&StepError::Forge(error.clone())).is_some() => {
            tracing::warn!(repository = %row.repository.name, pull = %pull.number, %error, "a merged branch could not be deleted");
        }
        other => {
            other?;
        }
    }
    let mut tx = store.begin().await?;
    tx.save_merging(id, &Merging { sent_at: None, ..sent.clone() }).await?;
    Ok(Done::Finished(tx))
}
