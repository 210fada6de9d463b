//! What becomes of a pull request after it was opened: people merge or close it, checks run, a newer one takes its place.

use super::line::{self, Admission};
use super::remarks::with_remarks;
use super::retire::{Archive, SURPRISES_MAX, rest};
use super::{Done, Step, StepError, Writing, finished, merge, target};
use crate::domain::{Proposal, ProposalId, ProposalState, PullBranch, PullNumber, RepoId, RepoState};
use crate::forge::{ForgeError, GitHub, PullState, PullStatus};
use crate::store::{DependencyRow, RepositoryRow, Store};
use jiff::Timestamp;

/// Looks at one of our pull requests and takes over what happened to it.
pub async fn follow(
    store: &Store,
    forge: &GitHub,
    (repo, number): (RepoId, PullNumber),
    now: Timestamp,
) -> Result<Done, StepError> {
    let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal_by_pull(repo, number).await?)
    else {
        return Ok(Done::Finished(store.begin().await?));
    };
    let status = match forge.pull(&target(&row), number).await {
        Ok(status) => status,
        Err(ForgeError::Gone { .. } | ForgeError::Moved { .. }) => {
            let mut tx = store.begin().await?;
            let look = Step::SyncRepository { repo, details: true, name: None };
            look.queue(&mut tx, Some(row.repository.installation), now).await?;
            return Ok(Done::Finished(tx));
        }
        Err(error) => return Err(error.into()),
    };
    take_over(store, &row, &proposal, &status, now).await
}

/// Takes over what a look at a pull request found.
pub(super) async fn take_over(
    store: &Store,
    row: &RepositoryRow,
    proposal: &Proposal,
    pull: &PullState,
    now: Timestamp,
) -> Result<Done, StepError> {
    let (repo, number, installation) = (row.repository.id, pull.number, Some(row.repository.installation));
    let known = store.pull_branch(repo, number).await?;
    let Some((amended, word)) = after(proposal, pull, now) else {
        let mut tx = store.begin().await?;
        if is_free(&known, pull) {
            tx.save_pull_branch((repo, number), &PullBranch { held: None, ..known }).await?;
            Step::Plan { repo }.queue(&mut tx, installation, now).await?;
        }
        if pull.status == PullStatus::Open && merge::is_wished(row, proposal)? {
            Step::Merge { repo, number }.queue_unless_queued(&mut tx, installation, now).await?;
        }
        return Ok(Done::Finished(tx));
    };
    let by_us = amended.state == ProposalState::Merged && merge::is_sent(store, proposal).await?;
    let (amended, detail) = match by_us {
        true => (Proposal { reason: merge::merged_by_us(number), ..amended }, merge::by_us(number)),
        false => (amended, format!("#{number}")),
    };
    let amended = match amended.state {
        ProposalState::Open => {
            let reason = with_remarks(store, &amended.id, &amended.reason).await?;
            Proposal { reason, ..amended }
        }
        _ => amended,
    };
    let indexed = amended.state != ProposalState::Merged || is_indexed(&amended, &store.dependencies(repo).await?);
    let mut tx = store.begin().await?;
    tx.save_proposal(&amended).await?;
    tx.record(&proposal.id, now, word, &detail).await?;
    // The push of the merge may be late. A plan made before it is indexed would see the old versions, and propose what
    // lies between them and the merged ones.
    let next = if indexed { Step::Plan { repo } } else { Step::SyncRepository { repo, details: false, name: None } };
    next.queue(&mut tx, installation, now).await?;
    if amended.state == ProposalState::Open && merge::is_wished(row, &amended)? {
        Step::Merge { repo, number }.queue_unless_queued(&mut tx, installation, now).await?;
    }
    Ok(Done::Finished(tx))
}

/// Whether a branch that was left as it is has moved since, so that it may be changed now. Pure.
fn is_free(known: &PullBranch, pull: &PullState) -> bool {
    pull.status == PullStatus::Open && known.held.as_ref().is_some_and(|held| held.head != pull.head)
}

/// Whether none of a proposal's places still has the version it moves from. Pure.
fn is_indexed(merged: &Proposal, dependencies: &[DependencyRow]) -> bool {
    !merged.updates.iter().any(|update| {
        update.sites.iter().any(|site| {
            dependencies.iter().map(|row| &row.dependency).any(|dependency| {
                dependency.package == update.package
                    && dependency.path == site.path
                    && dependency.current.as_deref() == Some(&site.from)
            })
        })
    })
}

/// The proposal after its pull request was looked at, with the ledger's word for it; `None` if nothing changed. Pure.
fn after(proposal: &Proposal, pull: &PullState, now: Timestamp) -> Option<(Proposal, &'static str)> {
    let number = pull.number;
    let (state, reason, word) = match (pull.status, proposal.state) {
        (PullStatus::Merged, _) => (ProposalState::Merged, format!("pull request #{number} was merged"), "merged"),
        // We closed it ourselves, or are about to.
        (PullStatus::Closed, ProposalState::Superseded | ProposalState::Withdrawn) => return None,
        (PullStatus::Closed, _) => (
            ProposalState::Closed,
            format!("a person closed pull request #{number}; these versions are not proposed again"),
            "closed",
        ),
        (PullStatus::Open, ProposalState::Superseded | ProposalState::Withdrawn) => return None,
        (PullStatus::Open, _) => (ProposalState::Open, format!("pull request #{number} is open"), "reopened"),
    };
    (state != proposal.state).then(|| (Proposal { state, reason, updated_at: now, ..proposal.clone() }, word))
}

/// Takes over what the checks say about the head of one of our open pull requests.
pub async fn checks(
    store: &Store,
    forge: &GitHub,
    (repo, number): (RepoId, PullNumber),
    now: Timestamp,
) -> Result<Done, StepError> {
    let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal_by_pull(repo, number).await?)
    else {
        return Ok(Done::Finished(store.begin().await?));
    };
    let Some(pull) = proposal.pull.as_ref().filter(|_| proposal.state == ProposalState::Open) else {
        return Ok(Done::Finished(store.begin().await?));
    };
    let found = match forge.checks(&target(&row), &pull.head).await {
        Ok(found) => found,
        // Not being told what checks say is no harm, and asking again would not help.
        Err(error) if is_final(&error) => {
            tracing::warn!(repository = %row.repository.name, pull = %pull.number, %error, "checks could not be read");
            return finished(store).await;
        }
        Err(error) => return Err(error.into()),
    };
    let mut tx = store.begin().await?;
    if merge::is_wished(&row, &proposal)? {
        Step::Merge { repo, number }.queue_unless_queued(&mut tx, Some(row.repository.installation), now).await?;
    }
    if found != proposal.checks {
        tx.save_proposal(&Proposal { checks: found, updated_at: now, ..proposal }).await?;
    }
    Ok(Done::Finished(tx))
}

/// Puts a proposal's labels on its pull request.
pub async fn label(
    store: &Store,
    forge: &GitHub,
    (repo, id): (RepoId, &ProposalId),
    &Writing { lease, pace, clock }: &Writing<'_>,
) -> Result<Done, StepError> {
    if let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal(id).await?)
        && let Some(pull) = &proposal.pull
        && !proposal.labels.is_empty()
    {
        if row.repository.state == RepoState::Archived {
            return rest(store, &row, Archive::Known, None, clock.now()).await;
        }
        let one = (row.repository.installation, 1);
        if let Admission::Later(done) = line::admit(store, lease, one, clock.now(), pace).await? {
            return Ok(done);
        }
        match forge.add_labels(&target(&row), pull.number, &proposal.labels).await {
            Err(ForgeError::Archived { .. }) if lease.work.refusals < SURPRISES_MAX => {
                return rest(store, &row, Archive::News, None, clock.now()).await;
            }
            // A pull request without labels is better than a step that fails for ever.
            Err(error) if is_final(&error) => {
                tracing::warn!(repository = %row.repository.name, pull = %pull.number, %error, "labels could not be set");
            }
            other => other?,
        }
    }
    Ok(Done::Finished(store.begin().await?))
}

/// GitHub says no, or has nothing there any more: another attempt would end the same way.
pub(super) fn is_final(error: &ForgeError) -> bool {
    matches!(
        error,
        ForgeError::Invalid { .. }
            | ForgeError::Forbidden { .. }
            | ForgeError::Gone { .. }
            | ForgeError::Moved { .. }
            | ForgeError::Archived { .. }
            | ForgeError::Conflict { .. }
    )
}
