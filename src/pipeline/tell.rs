//! Tells the conversation of a pull request what became of it. Once: what is said already is looked for before it is said.

use super::follow::is_final;
use super::line::{self, Admission};
use super::{Done, StepError, Writing, finished, target};
use crate::domain::{News, Proposal, ProposalId, ProposalState, PullNumber, RepoId, RepoState};
use crate::forge::{ForgeError, GitHub, Target};
use crate::planner::prose;
use crate::store::{RepositoryRow, Store};

/// Marks a pull request whose branch the bot leaves as it is.
pub const HELD_LABEL: &str = "mass-driver: needs a person";
/// The comment and the label.
const WRITES: u32 = 2;

/// Tells one piece of news, unless it is old.
pub async fn tell(
    store: &Store,
    forge: &GitHub,
    (repo, id): (RepoId, &ProposalId),
    news: News,
    writing @ &Writing { lease, pace, clock }: &Writing<'_>,
) -> Result<Done, StepError> {
    let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal(id).await?) else {
        return finished(store).await;
    };
    // Its label is the pull request's: a newer proposal may stand there by now.
    let is_told = match proposal.state {
        ProposalState::Open => true,
        ProposalState::Superseded => news == News::Freed,
        _ => false,
    };
    let Some(pull) = proposal.pull.as_ref().filter(|_| is_told) else {
        return finished(store).await;
    };
    if row.repository.state != RepoState::Active {
        return finished(store).await;
    }
    let held = store.pull_branch(repo, pull.number).await?.held;
    let words = match news {
        // It may be held again by now, and its label stays.
        News::Freed if held.is_none() => return free(store, forge, (&row, pull.number), writing).await,
        News::Freed => None,
        News::Revised => words_of_change(&store.proposals(repo).await?, &proposal),
        News::Held => held.map(|held| prose::left_alone(&held.why, held.people)),
    };
    let Some(words) = words else { return finished(store).await };
    let writes = (row.repository.installation, WRITES);
    let turn = match line::admit(store, lease, writes, clock.now(), pace).await? {
        Admission::Now(turn) => turn,
        Admission::Later(done) => return Ok(done),
    };
    match (say(forge, &target(&row), pull.number, news, &words).await, turn) {
        (Ok(true), Some(turn)) if news == News::Held => {
            return Ok(line::after_write(store, lease, &turn, clock.now(), pace).await?);
        }
        (Ok(_), _) => {}
        // The words stand in the bot's own pages all the same.
        (Err(error), _) if is_final(&error) => {
            tracing::warn!(repository = %row.repository.name, pull = %pull.number, %error, "a pull request could not be told its news");
        }
        (Err(error), _) => return Err(error.into()),
    }
    if news == News::Held {
        match forge.add_labels(&target(&row), pull.number, &[HELD_LABEL.to_string()]).await {
            Err(error) if is_final(&error) => {}
            other => other?,
        }
    }
    finished(store).await
}

/// Takes off the label of a branch that was left as it was.
async fn free(
    store: &Store,
    forge: &GitHub,
    (row, number): (&RepositoryRow, PullNumber),
    &Writing { lease, pace, clock }: &Writing<'_>,
) -> Result<Done, StepError> {
    let one = (row.repository.installation, 1);
    if let Admission::Later(done) = line::admit(store, lease, one, clock.now(), pace).await? {
        return Ok(done);
    }
    match forge.remove_label(&target(row), number, HELD_LABEL).await {
        Err(error) if is_final(&error) => {
            tracing::warn!(repository = %row.repository.name, pull = %number, %error, "a label could not be taken off");
        }
        other => other?,
    }
    finished(store).await
}

/// Says it, if it was not said. Returns whether it had to be.
async fn say(forge: &GitHub, target: &Target, number: PullNumber, news: News, words: &str) -> Result<bool, ForgeError> {
    if forge.commented(target, number, words).await? {
        return Ok(false);
    }
    tracing::debug!(pull = %number, ?news, "a pull request is told its news");
    forge.comment(target, number, words).await.map(|()| true)
}

/// What changed on a pull request when a proposal took the place of another on it.
fn words_of_change(all: &[Proposal], proposal: &Proposal) -> Option<String> {
    let number = proposal.pull.as_ref()?.number;
    let is_before = |p: &&Proposal| {
        p.id != proposal.id
            && p.created_at <= proposal.created_at
            && p.pull.as_ref().is_some_and(|pull| pull.number == number)
    };
    let before = all.iter().rev().find(is_before)?;
    Some(prose::revised(&before.updates, &proposal.updates))
}
