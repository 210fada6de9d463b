//! Does what people ask for in the comments of our pull requests, once each, and answers.
//!
//! What a comment asks for was stored when its webhook was decided about, so later edits of it change nothing. Who wrote
//! it is asked of GitHub here. What is decided, and what is to be answered, is stored in one transaction before the answer is
//! sent: a repeat obeys nothing twice, and looks for its answer before it writes it again.

mod orders;

use self::orders::{Orders, Rest, orders};
use super::branch::is_under_way;
use super::{Done, Step, StepError, Writing, account, finished, line, sync, target};
use crate::domain::{
    Command, Comment, CommentId, Decision, Farewell, Onboarding, OnboardingState, Proposal, ProposalState, RepoId,
};
use crate::forge::{ForgeError, GitHub, PullStatus, Reaction};
use crate::planner::prose;
use crate::store::{CommentRow, RepositoryRow, Store};

/// Obeys one comment.
pub async fn obey(
    store: &Store,
    forge: &GitHub,
    (repo, id): (RepoId, CommentId),
    writing: &Writing<'_>,
) -> Result<Done, StepError> {
    let (Some(row), Some(found)) = (store.repository(repo).await?, store.comment(repo, id).await?) else {
        return finished(store).await;
    };
    let CommentRow { comment, answer, answered } = found;
    if answered {
        return finished(store).await;
    }
    let proposal = store.proposal_by_pull(repo, comment.pull).await?;
    let answer = match (answer, &proposal) {
        (Some(answer), _) => answer,
        (None, Some(proposal)) => decide(store, forge, (&row, proposal), &comment, writing).await?,
        (None, None) => match store.onboarding_by_pull(repo, comment.pull).await? {
            Some(onboarding) => explain(store, forge, &row, (&comment, &onboarding), writing).await?,
            None => return finished(store).await,
        },
    };
    // Nothing is said to who may not give commands: strangers have no part in what an installation may write.
    if !answer.is_empty() {
        // A reaction and an answer; they do not wait in the line of pull requests.
        for _ in 0..2 {
            line::cut_in(store, writing.lease, row.repository.installation, writing.clock.now(), writing.pace).await?;
        }
        // On the pull request that adds the file there is nothing to be done by a command.
        let is_done = proposal.is_some() && comment.commands.iter().all(Result::is_ok);
        say(forge, &row, (&comment, &answer), is_done, writing.lease.work.claims > 1).await?;
    }
    let mut tx = store.begin().await?;
    tx.end_comment(repo, id, writing.clock.now()).await?;
    Ok(Done::Finished(tx))
}

/// Finds out what a comment changes, and stores that together with the answer.
async fn decide(
    store: &Store,
    forge: &GitHub,
    (row, proposal): (&RepositoryRow, &Proposal),
    comment: &Comment,
    &Writing { lease, clock, .. }: &Writing<'_>,
) -> Result<String, StepError> {
    let (repo, now) = (row.repository.id, clock.now());
    // Left to people, who are told so in the answer.
    let mut is_left = false;
    let orders = if forge.may_write(&target(row), &comment.author).await? {
        let file = sync::file_in_force(&row.config)?;
        let is_under_way = is_under_way(store, repo, comment.pull).await?;
        let seen = store.proposal_seen(repo, comment.pull, comment.at).await?;
        let rest = Rest {
            stays_open: is_theirs(store, forge, (row, proposal), (comment, is_under_way)).await?,
            seen: seen.map_or_else(|| proposal.updates.clone(), |seen| seen.updates),
            timezone: file.map(|file| file.timezone),
            decisions: store.decisions_of(&[repo]).await?.remove(&repo).unwrap_or_default(),
            outlook: account::dependencies(store, row, now).await?,
        };
        is_left = rest.stays_open && !is_under_way;
        orders(comment, proposal, &rest, now)
    } else {
        tracing::info!(repository = %row.repository.name, pull = %comment.pull, author = comment.author, "a command by somebody who may not write here");
        Orders::default()
    };
    let installation = Some(row.repository.installation);
    let mut tx = store.begin().await?;
    tx.still_ours(lease).await?;
    for package in &orders.forgotten {
        tx.forget_decisions(repo, package).await?;
    }
    for decision in &orders.decisions {
        tx.save_decision(repo, decision).await?;
        tx.record(&proposal.id, now, "told", &told(decision)).await?;
    }
    if let Some(reason) = &orders.withdraw {
        let state = ProposalState::Withdrawn;
        tx.save_proposal(&Proposal { state, reason: reason.clone(), updated_at: now, ..proposal.clone() }).await?;
        tx.record(&proposal.id, now, "withdrawn", reason).await?;
        if !is_left {
            Step::Retire { repo, proposal: proposal.id.clone(), farewell: Farewell::Told }
                .queue(&mut tx, installation, now)
                .await?;
        }
    }
    if let Some(how) = orders.rework {
        Step::Rework { repo, proposal: proposal.id.clone(), how }.queue(&mut tx, installation, now).await?;
    }
    if !orders.decisions.is_empty() || !orders.forgotten.is_empty() {
        Step::Plan { repo }.queue(&mut tx, installation, now).await?;
    }
    tx.save_answer(repo, comment.id, &orders.answer).await?;
    tx.commit().await?;
    Ok(orders.answer)
}

/// What is answered on the pull request that adds the file: there are no updates yet to give commands about.
const NOT_YET: &str = "This pull request adds the file that says which updates there are to be, so there is nothing to command \
    yet. Change the file on this branch if you want it otherwise. Merge it, and updates begin; close it, and this repository is \
    not asked again.";

/// Stores the answer to a command on the pull request that adds the file.
async fn explain(
    store: &Store,
    forge: &GitHub,
    row: &RepositoryRow,
    (comment, onboarding): (&Comment, &Onboarding),
    &Writing { lease, .. }: &Writing<'_>,
) -> Result<String, StepError> {
    let answer = match forge.may_write(&target(row), &comment.author).await? {
        true => of_first_file(onboarding),
        false => String::new(),
    };
    let mut tx = store.begin().await?;
    tx.still_ours(lease).await?;
    tx.save_answer(row.repository.id, comment.id, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}

/// What is answered there. Pure.
fn of_first_file(onboarding: &Onboarding) -> String {
    let over = match onboarding.state {
        OnboardingState::Open => return NOT_YET.into(),
        OnboardingState::Merged => "it was merged".into(),
        OnboardingState::Closed => "it was closed, and this repository is not asked again".into(),
        OnboardingState::Withdrawn => prose::spoken(&onboarding.reason),
        // It has another pull request, or is about to.
        OnboardingState::Nothing | OnboardingState::Opening | OnboardingState::Failed => {
            "the default branch is another one now".into()
        }
    };
    format!("This pull request is over: {over}.")
}

/// What the ledger keeps of a decision.
fn told(decision: &Decision) -> String {
    let Decision { package, what, by, pull, .. } = decision;
    serde_json::json!({ "package": package.to_string(), "what": what, "by": by, "pull": pull }).to_string()
}

/// Reacts to a comment and answers it. The comment or the pull request may be gone, or its conversation locked, and a reaction
/// may be refused where an answer is not: it was obeyed all the same.
async fn say(
    forge: &GitHub,
    row: &RepositoryRow,
    (comment, answer): (&Comment, &str),
    is_done: bool,
    repeated: bool,
) -> Result<(), ForgeError> {
    let target = target(row);
    let reaction = if is_done { Reaction::ThumbsUp } else { Reaction::Confused };
    or_let_be(forge.react(&target, comment.id, reaction).await)?;
    if repeated {
        match forge.commented_since(&target, (comment.pull, comment.at), answer).await {
            Ok(true) => return Ok(()),
            other => or_let_be(other.map(drop))?,
        }
    }
    or_let_be(forge.comment(&target, comment.pull, answer).await)
}

/// What GitHub refuses for good is let be.
fn or_let_be(outcome: Result<(), ForgeError>) -> Result<(), ForgeError> {
    match outcome {
        Err(
            error @ (ForgeError::Gone { .. }
            | ForgeError::Forbidden { .. }
            | ForgeError::Archived { .. }
            | ForgeError::Invalid { .. }),
        ) => {
            tracing::warn!(%error, "a command could not be answered");
            Ok(())
        }
        outcome => outcome,
    }
}

/// Whether people have committed to a pull request that a comment asks to close: it is not closed then. What stands on its
/// branch and is not what we noted may be ours all the same as long as we are sending something there.
async fn is_theirs(
    store: &Store,
    forge: &GitHub,
    (row, proposal): (&RepositoryRow, &Proposal),
    (comment, is_under_way): (&Comment, bool),
) -> Result<bool, StepError> {
    let closes = |command: &Command| matches!(command, Command::Ignore { .. } | Command::Snooze(_));
    let Some(pull) = &proposal.pull else { return Ok(false) };
    if !comment.commands.iter().flatten().any(closes) {
        return Ok(false);
    }
    let is_shared = store.pull_branch(row.repository.id, pull.number).await?.shared;
    match forge.pull(&target(row), pull.number).await {
        Ok(found) => {
            let is_moved = found.head != pull.head && !is_under_way;
            Ok(found.status == PullStatus::Open && (is_shared || is_moved))
        }
        Err(ForgeError::Gone { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
