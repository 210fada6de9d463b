//! Tells the conversation of a pull request what became of it. Once: what is said already is looked for before it is said.

use super::follow::is_final;
use super::line::{self, Admission};
use super::retire::{Archive, CLOCKS_DIFFER, SURPRISES_MAX, rest};
use super::{Done, StepError, Writing, finished, target};
use crate::domain::{News, Proposal, ProposalId, ProposalState, PullNumber, RepoId, RepoState};
use crate::forge::{ForgeError, GitHub, Target};
use crate::planner::prose;
use crate::store::{RepositoryRow, Store};
use jiff::Timestamp;

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
    let Some(pull) = &proposal.pull else { return finished(store).await };
    let is_open = proposal.state == ProposalState::Open;
    let held = store.pull_branch(repo, pull.number).await?.held;
    let said = match news {
        // It may be held again by now, for this proposal or for a newer one that stands there, and its label stays.
        News::Freed => (held.is_none() && is_label_ours(&proposal)).then_some(None),
        News::Revised => words_of_change(&store.proposals(repo).await?, &proposal).map(Some),
        News::Held => held.filter(|_| is_open).map(|held| Some(prose::left_alone(&held.why, held.people))),
        News::Elsewhere => is_open.then(|| Some(prose::elsewhere())),
        News::Overtaken => is_open.then(|| Some(prose::overtaken())),
    };
    let Some(words) = said else { return finished(store).await };
    match row.repository.state {
        // What is suspended is asked for again when that ends.
        RepoState::Active | RepoState::Suspended => {}
        RepoState::Archived => return rest(store, &row, Archive::Known, None, clock.now()).await,
        RepoState::Disabled | RepoState::Removed => return finished(store).await,
    }
    let Some(words) = words else { return free(store, forge, (&row, pull.number), writing).await };
    let writes = (row.repository.installation, WRITES);
    let turn = match line::admit(store, lease, writes, clock.now(), pace).await? {
        Admission::Now(turn) => turn,
        Admission::Later(done) => return Ok(done),
    };
    // The same reason is given once, however often it is the reason; what was done is told each time.
    let since = (news != News::Held).then(|| lease.work.created_at - CLOCKS_DIFFER);
    match (say(forge, &target(&row), (pull.number, since), news, &words).await, turn) {
        (Ok(true), Some(turn)) if news == News::Held => {
            return Ok(line::after_write(store, lease, &turn, clock.now(), pace).await?);
        }
        (Ok(_), _) => {}
        (Err(ForgeError::Archived { .. }), _) if lease.work.refusals < SURPRISES_MAX => {
            return rest(store, &row, Archive::News, None, clock.now()).await;
        }
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

/// Whether the label on a proposal's pull request is the bot's to take off: of one that is open, also where a newer proposal
/// stands there by now. Pure.
fn is_label_ours(proposal: &Proposal) -> bool {
    matches!(proposal.state, ProposalState::Open | ProposalState::Superseded)
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
        Err(ForgeError::Archived { .. }) if lease.work.refusals < SURPRISES_MAX => {
            return rest(store, row, Archive::News, None, clock.now()).await;
        }
        Err(error) if is_final(&error) => {
            tracing::warn!(repository = %row.repository.name, pull = %number, %error, "a label could not be taken off");
        }
        other => other?,
    }
    finished(store).await
}

/// Says it, if it was not said. Returns whether it had to be.
async fn say(
    forge: &GitHub,
    target: &Target,
    (number, since): (PullNumber, Option<Timestamp>),
    news: News,
    words: &str,
) -> Result<bool, ForgeError> {
    let is_said = match since {
        Some(since) => forge.commented_since(target, (number, since), words).await?,
        None => forge.commented(target, number, words).await?,
    };
    if is_said {
        return Ok(false);
    }
    tracing::debug!(pull = %number, ?news, "a pull request is told its news");
    forge.comment(target, number, words).await.map(|()| true)
}

/// What changed on a pull request since a proposal took the place of another on it: of those that followed before this was
/// told, the last is what there is now. Pure.
fn words_of_change(all: &[Proposal], proposal: &Proposal) -> Option<String> {
    let number = proposal.pull.as_ref()?.number;
    let is_now =
        |p: &&Proposal| p.state == ProposalState::Open && p.pull.as_ref().is_some_and(|pull| pull.number == number);
    let now = all.iter().rev().find(is_now)?;
    let is_before = |p: &&Proposal| {
        p.id != proposal.id
            && p.created_at <= proposal.created_at
            && p.pull.as_ref().is_some_and(|pull| pull.number == number)
    };
    let before = all.iter().rev().find(is_before)?;
    Some(prose::revised(&before.updates, &now.updates))
}
