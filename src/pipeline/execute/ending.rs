//! How the sending of a change ends: what is stored of it, and what comes next.

use super::{Case, Errand, PAUSE, installation};
use crate::domain::{Change, Farewell, Held, News, Proposal, ProposalState, PullBranch, PullRequest, Rework, Topic};
use crate::forge::{ForgeError, Proposed, PullStatus};
use crate::pipeline::branch::hold;
use crate::pipeline::remarks::remark;
use crate::pipeline::retire::superseded_by;
use crate::pipeline::{Done, Step, StepError, invite, merge};
use crate::planner::{audit, prose};
use crate::store::{RepositoryRow, Store, Tx};
use jiff::Timestamp;

pub(super) async fn plan_again(store: &Store, row: &RepositoryRow, now: Timestamp) -> Result<Done, StepError> {
    let repo = row.repository.id;
    let indexed = row.head.as_ref().map(|head| &head.commit) == row.indexed_commit.as_ref();
    let next = if indexed { Step::Plan { repo } } else { Step::Index { repo } };
    let mut tx = store.begin().await?;
    next.queue(&mut tx, installation(row), now).await?;
    Ok(Done::Finished(tx))
}

/// Has the repository read again, and this step repeated afterwards: as the same row, so that its tries are counted.
pub(super) async fn read_again(store: &Store, case: &Case<'_>, error: &ForgeError) -> Result<Done, StepError> {
    let step = Step::SyncRepository { repo: case.row.repository.id, details: true, name: None };
    let mut tx = store.begin().await?;
    step.queue(&mut tx, installation(case.row), case.now).await?;
    Ok(Done::PutBack { tx, until: case.now + PAUSE, why: error.to_string() })
}

pub(super) async fn fail(store: &Store, case: Case<'_>, why: &str) -> Result<Done, StepError> {
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
        Step::Plan { repo: proposal.repo }.queue(&mut tx, installation(row), now).await?;
    } else if let (Some(pull), Some(base)) = (&proposal.pull, &row.head) {
        tracing::warn!(repository = %row.repository.name, pull = %pull.number, why, "a branch could not be brought up to date");
        let held = Held { why: why.to_string(), head: pull.head.clone(), base: base.commit.clone(), people: false };
        hold(&mut tx, row, &proposal, held, now).await?;
    }
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
    tx.save_pull_branch((repo, pull.number), &branch).await?;
    tx.end_attempt(&case.proposal.id).await?;
    if known.held.is_some() {
        let news = Step::Tell { repo, proposal: case.proposal.id.clone(), news: News::Freed };
        news.queue(&mut tx, installation(case.row), now).await?;
    }
    if status != PullStatus::Open {
        // An earlier attempt got this far, and a person was faster than our repeat.
        Step::Follow { repo, number: pull.number }.queue(&mut tx, installation(case.row), now).await?;
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
        let next = if is_same {
            Step::Tell { repo, proposal: id.clone(), news: News::Revised }
        } else {
            Step::Retire { repo, proposal: old.id.clone(), farewell: Farewell::Replaced { by: pull.number } }
        };
        next.queue(tx, installation, now).await?;
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
