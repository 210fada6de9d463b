//! What becomes of a pull request after it was opened: people merge or close it, checks run, a newer one takes its place.

use super::line::{self, Admission};
use super::remarks::with_remarks;
use super::retire::{Archive, SURPRISES_MAX, rest};
use super::{Done, Step, StepError, Writing, branch, finished, merge, target};
use crate::domain::{Proposal, ProposalId, ProposalState, PullBranch, PullNumber, RepoId, RepoState, Rework};
use crate::forge::{ForgeError, GitHub, PullState, PullStatus};
use crate::store::{Claimed, DependencyRow, RepositoryRow, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};

/// So long GitHub may go on showing a pull request as open that we have closed.
const READS_LAG: SignedDuration = SignedDuration::from_secs(60);

/// How often a pull request is looked for that is not there …
const LOOKS_MAX: u32 = 5;
/// … and how long the repository is given to be read meanwhile.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// What follows from a closed pull request.
const NOT_AGAIN: &str = "these versions are not proposed again";

/// Looks at one of our pull requests and takes over what happened to it.
pub async fn follow(
    store: &Store,
    forge: &GitHub,
    (repo, number): (RepoId, PullNumber),
    lease: &Claimed,
    now: Timestamp,
) -> Result<Done, StepError> {
    let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal_by_pull(repo, number).await?)
    else {
        return Ok(Done::Finished(store.begin().await?));
    };
    match forge.pull(&target(&row), number).await {
        Ok(status) => take_over(store, &row, &proposal, &status, now).await,
        Err(error @ (ForgeError::Gone { .. } | ForgeError::Moved { .. })) => {
            not_there(store, &row, (proposal, number), error, (lease, now)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A pull request is not where we look for it. The repository may be elsewhere, or not ours to see any more: it is read, and
/// then this step looks again. What is missing from a repository that is there will not come back.
async fn not_there(
    store: &Store,
    row: &RepositoryRow,
    (proposal, number): (Proposal, PullNumber),
    error: ForgeError,
    (lease, now): (&Claimed, Timestamp),
) -> Result<Done, StepError> {
    let (repo, installation) = (row.repository.id, Some(row.repository.installation));
    let is_open = proposal.state == ProposalState::Open && row.repository.state == RepoState::Active;
    let is_read = row.synced_at.is_some_and(|at| at >= lease.work.created_at) && lease.work.refusals > 0;
    let mut tx = store.begin().await?;
    match error {
        ForgeError::Gone { .. } if is_open && is_read => {
            let reason = format!("GitHub does not show pull request #{number} any more; {NOT_AGAIN}");
            tx.record(&proposal.id, now, "closed", &format!("#{number} is gone")).await?;
            tx.save_proposal(&Proposal { state: ProposalState::Closed, reason, updated_at: now, ..proposal }).await?;
            Step::Plan { repo }.queue(&mut tx, installation, now).await?;
            Ok(Done::Finished(tx))
        }
        error if is_open && lease.work.refusals + 1 >= LOOKS_MAX => Err(error.into()),
        error => {
            let look = Step::SyncRepository { repo, details: true, name: None };
            look.queue(&mut tx, installation, now).await?;
            if is_open {
                return Ok(Done::PutBack { tx, until: now + PAUSE, why: error.to_string() });
            }
            Ok(Done::Finished(tx))
        }
    }
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
    let is_over = matches!(proposal.state, ProposalState::Superseded | ProposalState::Withdrawn);
    let settled_at = known.closed_at.map(|at| at + READS_LAG);
    if let Some(until) = settled_at.filter(|until| now < *until && is_over && pull.status == PullStatus::Open) {
        return Ok(Done::PutOff { tx: store.begin().await?, until, why: None });
    }
    let Some((amended, word)) = after(proposal, pull, known.closed_at.is_some(), now) else {
        let mut tx = store.begin().await?;
        if is_free(&known, pull) {
            look_again(&mut tx, row, (proposal, number), now).await?;
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
    let is_free = is_free(&known, pull);
    if known.closed_at.is_some() {
        tx.save_pull_branch((repo, number), &PullBranch { closed_at: None, ..known }).await?;
    }
    if is_free {
        look_again(&mut tx, row, (&amended, number), now).await?;
    }
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

/// Ends what a branch was left for, as it has moved, and has it looked at: it may conflict as before, also where nothing
/// newer waits for it.
async fn look_again(
    tx: &mut Tx,
    row: &RepositoryRow,
    (proposal, number): (&Proposal, PullNumber),
    now: Timestamp,
) -> Result<(), StoreError> {
    branch::release(tx, row, (&proposal.id, number), now + branch::SECOND_THOUGHT, now).await?;
    let look = Step::Rework { repo: row.repository.id, proposal: proposal.id.clone(), how: Rework::Conflict };
    look.queue_unless_queued(tx, Some(row.repository.installation), now).await
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

/// The proposal after its pull request was looked at, with the ledger's word for it; `None` if nothing changed. `closed` says
/// that we have closed it. Pure.
fn after(proposal: &Proposal, pull: &PullState, closed: bool, now: Timestamp) -> Option<(Proposal, &'static str)> {
    let number = pull.number;
    let (state, reason, word) = match (pull.status, proposal.state) {
        (PullStatus::Merged, _) => (ProposalState::Merged, format!("pull request #{number} was merged"), "merged"),
        // We closed it ourselves, or are about to.
        (PullStatus::Closed, ProposalState::Superseded | ProposalState::Withdrawn) => return None,
        (PullStatus::Closed, _) => {
            (ProposalState::Closed, format!("a person closed pull request #{number}; {NOT_AGAIN}"), "closed")
        }
        // We have yet to close it. One that we closed was reopened by a person.
        (PullStatus::Open, ProposalState::Superseded | ProposalState::Withdrawn) if !closed => return None,
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
