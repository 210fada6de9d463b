//! How the sending of a change ends: what is stored of it, and what comes next.

use super::{Case, Errand, PAUSE, installation};
use crate::domain::{
    Change, Farewell, Held, News, ObjectId, Proposal, ProposalState, PullBranch, PullNumber, PullRequest, Rework, Topic,
};
use crate::forge::{ForgeError, Proposed, PullStatus};
use crate::pipeline::branch::{hold, release};
use crate::pipeline::remarks::remark;
use crate::pipeline::retire::superseded_by;
use crate::pipeline::{Done, Step, StepError, invite, merge};
use crate::planner::{audit, prose};
use crate::store::{RepositoryRow, Store, StoreError, Tx};
use jiff::Timestamp;

pub(super) async fn plan_again(store: &Store, row: &RepositoryRow, now: Timestamp) -> Result<Done, StepError> {
    let repo = row.repository.id;
    let indexed = row.head.as_ref().map(|head| &head.commit) == row.indexed_commit.as_ref();
    let next = if indexed { Step::Plan { repo } } else { Step::Index { repo } };
    let mut tx = store.begin().await?;
    next.queue(&mut tx, installation(row), now).await?;
    Ok(Done::Finished(tx))
}

pub(in crate::pipeline) async fn read_again(
    store: &Store,
    case: &Case<'_>,
    error: &ForgeError,
) -> Result<Done, StepError> {
    look_again(store, case.row, error, case.now).await
}

/// Has a repository read again, and this step repeated afterwards: as the same row, so that its tries are counted.
pub(in crate::pipeline) async fn look_again(
    store: &Store,
    row: &RepositoryRow,
    error: &ForgeError,
    now: Timestamp,
) -> Result<Done, StepError> {
    let step = Step::SyncRepository { repo: row.repository.id, details: true, name: None };
    let mut tx = store.begin().await?;
    step.queue(&mut tx, installation(row), now).await?;
    Ok(Done::PutBack { tx, until: now + PAUSE, why: error.to_string() })
}

/// Ends what cannot be made. `head` is that of the branch it would have gone onto.
pub(super) async fn fail(store: &Store, case: Case<'_>, head: Option<&ObjectId>, why: &str) -> Result<Done, StepError> {
    let Case { row, mut proposal, now, errand, .. } = case;
    let mut tx = store.begin().await?;
    tx.end_attempt(&proposal.id).await?;
    if errand == Errand::Open {
        tracing::warn!(repository = %row.repository.name, proposal = %proposal.id, why, "a pull request could not be made");
        proposal.state = ProposalState::Failed;
        proposal.reason = why.to_string();
        proposal.updated_at = now;
        tx.save_proposal(&proposal).await?;
        tx.record(&proposal.id, now, "failed", why).await?;
    } else if let (Some(pull), Some(base)) = (&proposal.pull, &row.head) {
        tracing::warn!(repository = %row.repository.name, pull = %pull.number, why, "a branch could not be brought up to date");
        let head = head.unwrap_or(&pull.head).clone();
        let held = Held { why: why.to_string(), head, base: base.commit.clone(), people: false };
        hold(&mut tx, row, &proposal, held, now).await?;
    }
    // Of one that is open, too: what is not wanted any more stayed open while this was being sent.
    Step::Plan { repo: proposal.repo }.queue(&mut tx, installation(row), now).await?;
    Ok(Done::Finished(tx))
}

/// A change stands on GitHub as a pull request.
pub(super) async fn arrived(
    store: &Store,
    case: Case<'_>,
    change: &Change,
    Proposed { pull, status, no_draft, .. }: Proposed,
) -> Result<Done, StepError> {
    let (repo, now) = (case.proposal.repo, case.now);
    let known = match &change.onto {
        Some(onto) => store.pull_branch(repo, onto.number).await?,
        None => PullBranch::default(),
    };
    let branch = PullBranch {
        base: change.made_on().cloned().or(known.base),
        base_branch: Some(change.base_branch.clone()),
        shared: change.onto.as_ref().is_some_and(|onto| onto.shared),
        held: None,
        closed_at: None,
    };
    let mut tx = store.begin().await?;
    release(&mut tx, case.row, (&case.proposal.id, pull.number), now, now).await?;
    tx.save_pull_branch((repo, pull.number), &branch).await?;
    tx.end_attempt(&case.proposal.id).await?;
    if status != PullStatus::Open {
        // An earlier attempt got this far, and a person was faster than our repeat.
        Step::Follow { repo, number: pull.number }.queue(&mut tx, installation(case.row), now).await?;
    }
    let head = case.row.head.as_ref().map(|head| &head.commit);
    if status == PullStatus::Open && change.made_on().is_some_and(|base| head != Some(base)) {
        // Its base moved on while it was sent, and whoever asked for a look at it then was told that one is under way.
        let step = Step::Rework { repo, proposal: case.proposal.id.clone(), how: Rework::Conflict };
        step.queue_unless_queued(&mut tx, installation(case.row), now).await?;
    }
    match case.errand {
        Errand::Open => {
            let proposal = opened(&mut tx, case, change, pull).await?;
            if no_draft {
                remark(store, &mut tx, proposal, (Topic::Draft, Some(NO_DRAFTS)), now).await?;
            }
        }
        Errand::Rework(how) => reworked(&mut tx, case, how, pull).await?,
    }
    Ok(Done::Finished(tx))
}

/// Our pull request, on which a person put commits before we saw that it exists. With the base as the head that we left
/// there, it never looks untouched, so it is never closed or deleted over their heads.
pub(super) fn taken_over(change: &Change, number: PullNumber, repository_url: &str) -> Proposed {
    let url = format!("{repository_url}/pull/{number}");
    let pull = PullRequest { number, url, head: change.base.commit.clone() };
    Proposed { pull, adopted: true, no_draft: false, status: PullStatus::Open }
}

/// What is told of one that should be a draft.
const NO_DRAFTS: &str = "it is no draft: the repository's owner has none on their plan";

async fn opened(tx: &mut Tx, case: Case<'_>, change: &Change, pull: PullRequest) -> Result<Proposal, StepError> {
    let Case { row, mut proposal, all, now, .. } = case;
    let installation = installation(row);
    tracing::info!(repository = %row.repository.name, proposal = %proposal.id, pull = %pull.number, "opened a pull request");
    proposal.state = ProposalState::Open;
    proposal.reason = format!("pull request #{} is open", pull.number);
    proposal.branch.clone_from(&change.branch);
    proposal.opened_at = Some(now);
    proposal.updated_at = now;
    let (repo, id) = (proposal.repo, proposal.id.clone());
    let is_before = |p: &&Proposal| p.state == ProposalState::Open && p.group == proposal.group && p.id != id;
    let (mut is_labelled, mut is_new) = (false, true);
    for old in all.iter().filter(is_before) {
        // Of several that were open, the change went onto one.
        let is_same = old.pull.as_ref().is_some_and(|known| known.number == pull.number);
        // Its own step sees to them.
        is_labelled |= is_same && old.labels == proposal.labels;
        is_new &= !is_same;
        let (reason, what) = if is_same {
            (prose::goes_on(pull.number, &proposal.updates), format!("on #{}", pull.number))
        } else {
            (superseded_by(pull.number), format!("by #{}", pull.number))
        };
        tx.save_proposal(&Proposal { state: ProposalState::Superseded, reason, updated_at: now, ..old.clone() })
            .await?;
        tx.record(&old.id, now, "superseded", &what).await?;
        if !is_same {
            let farewell = Farewell::Replaced { by: pull.number };
            Step::Retire { repo, proposal: old.id.clone(), farewell }.queue(tx, installation, now).await?;
        } else if !is_being_told(tx, all, &pull, now).await? {
            Step::Tell { repo, proposal: id.clone(), news: News::Revised }.queue(tx, installation, now).await?;
        }
    }
    if !is_labelled && !proposal.labels.is_empty() {
        Step::Label { repo, proposal: id.clone() }.queue(tx, installation, now).await?;
    }
    if is_new {
        // Who was asked to look at it before looks at what follows.
        invite::queue(tx, row, &proposal, now).await?;
    }
    if merge::is_wished(row, &proposal)? {
        Step::Merge { repo, number: pull.number }.queue(tx, installation, now).await?;
    }
    tx.record(&id, now, audit::OPENED, &format!("#{}", pull.number)).await?;
    proposal.pull = Some(pull);
    tx.save_proposal(&proposal).await?;
    Step::Plan { repo }.queue(tx, installation, now).await?;
    Ok(proposal)
}

/// Whether an earlier change of a pull request is still to be told: that news will speak of this one, too.
async fn is_being_told(tx: &mut Tx, all: &[Proposal], pull: &PullRequest, now: Timestamp) -> Result<bool, StoreError> {
    for one in all.iter().filter(|p| p.pull.as_ref().is_some_and(|known| known.number == pull.number)) {
        let tell = Step::Tell { repo: one.repo, proposal: one.id.clone(), news: News::Revised };
        if tx.is_under_way(&tell.work(None, now)?).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn reworked(tx: &mut Tx, case: Case<'_>, how: Rework, pull: PullRequest) -> Result<(), StepError> {
    let Case { row, mut proposal, now, .. } = case;
    tracing::info!(repository = %row.repository.name, pull = %pull.number, ?how, "brought a branch up to date");
    let what = match how {
        Rework::Conflict | Rework::Rebase => "rebased",
        Rework::Recreate => "recreated",
    };
    tx.record(&proposal.id, now, what, pull.head.as_str()).await?;
    if merge::is_wished(row, &proposal)? {
        Step::Merge { repo: proposal.repo, number: pull.number }.queue(tx, installation(row), now).await?;
    }
    proposal.pull = Some(pull);
    // Those were of another commit.
    proposal.checks = None;
    proposal.updated_at = now;
    tx.save_proposal(&proposal).await?;
    Ok(Step::Plan { repo: proposal.repo }.queue(tx, installation(row), now).await?)
}
