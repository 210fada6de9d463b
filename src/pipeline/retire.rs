//! Closes the pull request of a proposal that is over, says why, and takes its branch away.
//!
//! What is not wanted any more is decided here once more, before the first request: the plan that asked for it may be old,
//! and what looks like a change made by other hands may be the merge of this very pull request. A pull request that people
//! have committed to, or led to another base, is theirs: it stays open, and is told why the bot lets it go.

use super::branch::{goes_to_default, is_under_way};
use super::execute::ONE_AT_A_TIME;
use super::follow::is_final;
use super::line::{self, Admission};
use super::{Done, Step, StepError, Writing, finished, plan, target};
use crate::domain::{
    Farewell, Proposal, ProposalId, ProposalState, PullBranch, PullNumber, PullRequest, RepoId, RepoState,
};
use crate::forge::{ForgeError, GitHub, PullStatus, Target};
use crate::planner::prose;
use crate::registries::Registries;
use crate::store::{RepositoryRow, Store};
use jiff::{SignedDuration, Timestamp};

/// A step that rests is looked at this often, in our own rows. It is woken when the repository changes.
const REST: SignedDuration = SignedDuration::from_hours(24);
/// So often GitHub may refuse a write because of an archive of which its own answers know nothing.
pub(super) const SURPRISES_MAX: u32 = 5;
/// So many looks at what is under way come later and later.
const LOOKS_THAT_SLOW_DOWN: u32 = 120;
/// GitHub's clock may be so far behind ours.
pub(super) const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);
/// The comment, the closing and the branch's removal.
pub(super) const WRITES_TO_RETIRE: u32 = 3;

/// Closes the pull request of a proposal that a newer one replaced or that is not wanted any more, says why, and takes its
/// branch away. Where writes are paced, each claim sends one of them, and looks again what is left to do.
pub async fn retire(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    (repo, id): (RepoId, &ProposalId),
    farewell: Farewell,
    writing @ &Writing { lease, pace, clock }: &Writing<'_>,
) -> Result<Done, StepError> {
    let (Some(row), Some(mut proposal)) = (store.repository(repo).await?, store.proposal(id).await?) else {
        return finished(store).await;
    };
    if proposal.state == ProposalState::Open && farewell == Farewell::NotWanted {
        match let_go(store, (forge, registries), &row, proposal, writing).await? {
            LetGo::Withdrawn(withdrawn) => proposal = *withdrawn,
            LetGo::Not(done) => return Ok(done),
        }
    }
    let is_over = matches!(proposal.state, ProposalState::Superseded | ProposalState::Withdrawn);
    let Some(pull) = proposal.pull.as_ref().filter(|_| is_over) else {
        return finished(store).await;
    };
    if row.repository.state == RepoState::Archived {
        return rest(store, &row, Archive::Known, Some((proposal, farewell)), clock.now()).await;
    }
    // What is being sent to its branch arrives first: what stands there is ours, and not yet noted as such.
    if row.repository.state == RepoState::Active && is_under_way(store, repo, pull.number).await? {
        let tx = store.begin().await?;
        // That may take an hour, while GitHub does not answer.
        let claims = i32::try_from(lease.work.claims.min(LOOKS_THAT_SLOW_DOWN)).unwrap_or(1);
        return Ok(Done::PutOff { tx, until: clock.now() + ONE_AT_A_TIME * claims, why: None });
    }
    if let Some(heir) = store.proposal_by_pull(repo, pull.number).await?.filter(|last| last.id != proposal.id) {
        return give_way(store, &row, (proposal, farewell), heir, clock.now()).await;
    }
    let writes = (row.repository.installation, WRITES_TO_RETIRE);
    let turn = match line::admit(store, lease, writes, clock.now(), pace).await? {
        Admission::Now(turn) => turn,
        Admission::Later(done) => return Ok(done),
    };
    let (words, theirs) = (closing_words(&proposal, farewell), parting_words(&proposal, farewell));
    let elsewhere = words_elsewhere(farewell);
    let known = store.pull_branch(repo, pull.number).await?;
    let base = row.repository.default_branch.as_deref();
    let how = Retiring {
        words: words.as_deref(),
        theirs: theirs.as_deref(),
        elsewhere: elsewhere.as_deref().or(words.as_deref()),
        is_shared: known.shared,
        base,
        opened_for: known.base_branch.as_deref().or(base),
        said_since: (lease.work.claims > 1).then(|| lease.work.created_at - CLOCKS_DIFFER),
        one_write: turn.is_some(),
    };
    let mut is_closed = false;
    match (retire_pull(forge, &target(&row), &proposal.branch, pull, how).await, turn) {
        (Ok(Retired::InPart), Some(turn)) => {
            return Ok(line::after_write(store, lease, &turn, clock.now(), pace).await?);
        }
        // Whoever reopens it from now on is heard.
        (Ok(retired), _) => is_closed = matches!(retired, Retired::Wholly | Retired::ButItsBranch),
        (Err(ForgeError::Archived { .. }), _) if lease.work.refusals < SURPRISES_MAX => {
            return rest(store, &row, Archive::News, Some((proposal, farewell)), clock.now()).await;
        }
        // The newer pull request says that it goes further; the older one stays where GitHub keeps us from it.
        (Err(error), _) if is_final(&error) => {
            tracing::warn!(repository = %row.repository.name, pull = %pull.number, %error, "a pull request that is over could not be closed");
        }
        (Err(error), _) => return Err(error.into()),
    }
    let mut tx = store.begin().await?;
    if is_closed {
        let known = tx.pull_branch(repo, pull.number).await?;
        tx.save_pull_branch((repo, pull.number), &PullBranch { closed_at: Some(clock.now()), ..known }).await?;
    }
    let reason = reason_of(&proposal, farewell);
    if proposal.reason != reason {
        tx.save_proposal(&Proposal { reason, updated_at: clock.now(), ..proposal }).await?;
    }
    Ok(Done::Finished(tx))
}

/// Ends a proposal on whose pull request a newer one has arrived, which was on its way there. What a person told the older
/// one goes for the pull request, so the newer one ends by it, and what it holds is planned anew, if it is still wanted.
async fn give_way(
    store: &Store,
    row: &RepositoryRow,
    (proposal, farewell): (Proposal, Farewell),
    heir: Proposal,
    now: Timestamp,
) -> Result<Done, StepError> {
    let (repo, installation) = (row.repository.id, Some(row.repository.installation));
    let Some(number) = proposal.pull.as_ref().map(|pull| pull.number) else { return finished(store).await };
    let mut tx = store.begin().await?;
    if farewell == Farewell::Told && heir.state == ProposalState::Open {
        let reason = reason_of(&proposal, farewell);
        tx.record(&heir.id, now, "withdrawn", &reason).await?;
        Step::Retire { repo, proposal: heir.id.clone(), farewell }.queue(&mut tx, installation, now).await?;
        let state = ProposalState::Withdrawn;
        tx.save_proposal(&Proposal { state, reason, updated_at: now, ..heir.clone() }).await?;
    }
    if proposal.state == ProposalState::Withdrawn {
        let (state, reason) = (ProposalState::Superseded, prose::goes_on(number, &heir.updates));
        tx.record(&proposal.id, now, "superseded", &format!("on #{number}")).await?;
        tx.save_proposal(&Proposal { state, reason, updated_at: now, ..proposal }).await?;
    }
    Step::Plan { repo }.queue(&mut tx, installation, now).await?;
    Ok(Done::Finished(tx))
}

/// How we know that a repository is archived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Archive {
    /// It is stored.
    Known,
    /// GitHub has just said so.
    News,
}

/// Nothing can be written in an archived repository. The step rests until that changes, and nobody asks GitHub meanwhile.
/// A pull request that stays open by it says so.
///
/// Whoever stores that it is over has the steps go on that rest by then. So the state is held until this one does: it can
/// then not be told of the end before it rests, and miss it.
pub(super) async fn rest(
    store: &Store,
    row: &RepositoryRow,
    archive: Archive,
    left_open: Option<(Proposal, Farewell)>,
    now: Timestamp,
) -> Result<Done, StepError> {
    let repo = row.repository.id;
    let mut tx = store.begin().await?;
    let is_stored = tx.hold_state(repo).await? == Some(RepoState::Archived);
    if archive == Archive::Known && !is_stored {
        // It is over since it was read.
        return Ok(Done::PutOff { tx, until: now, why: None });
    }
    if let Some((proposal, farewell)) = left_open {
        let reason = format!("{}{LEFT_OPEN}", reason_of(&proposal, farewell));
        if proposal.reason != reason {
            tx.record(&proposal.id, now, "left open", "the repository is archived").await?;
            tx.save_proposal(&Proposal { reason, updated_at: now, ..proposal }).await?;
        }
    }
    let (until, why) = (now + REST, "the repository is archived; this goes on when it is not any more".to_owned());
    if is_stored {
        return Ok(Done::PutOff { tx, until, why: Some(why) });
    }
    // We were not told. Should it be over by the time of the look, this goes on, and may be refused once more: that counts.
    let look = Step::SyncRepository { repo, details: true, name: None };
    look.queue(&mut tx, Some(row.repository.installation), now).await?;
    Ok(Done::PutBack { tx, until, why })
}

/// What is added to the reason of one that cannot be closed.
const LEFT_OPEN: &str = "; it stays open as long as the repository is archived";

/// Why a proposal is over.
fn reason_of(proposal: &Proposal, farewell: Farewell) -> String {
    match farewell {
        Farewell::Replaced { by } => superseded_by(by),
        Farewell::Told | Farewell::NotWanted => proposal.reason.trim_end_matches(LEFT_OPEN).to_string(),
    }
}

/// Why a proposal is superseded.
pub(in crate::pipeline) fn superseded_by(by: PullNumber) -> String {
    format!("#{by} took its place")
}

/// How a pull request is retired.
#[derive(Clone, Copy)]
pub(super) struct Retiring<'a> {
    /// What is said on it, if anything.
    pub(super) words: Option<&'a str>,
    /// What is said on it instead where it has become people's own and stays open.
    pub(super) theirs: Option<&'a str>,
    /// What is said on it instead where the default branch is another one than it goes to.
    pub(super) elsewhere: Option<&'a str>,
    /// Whether people's commits are below ours.
    pub(super) is_shared: bool,
    /// The default branch.
    pub(super) base: Option<&'a str>,
    /// What that was when we opened it.
    pub(super) opened_for: Option<&'a str>,
    /// Since when an earlier claim may have written the comment, if one may have.
    pub(super) said_since: Option<Timestamp>,
    /// Stop after one write.
    pub(super) one_write: bool,
}

/// How far a pull request was retired.
#[derive(PartialEq, Eq)]
pub(super) enum Retired {
    /// One write was sent; there is more to do.
    InPart,
    /// All of it was done.
    Wholly,
    /// It is closed, and GitHub does not let us delete its branch.
    ButItsBranch,
    /// It was merged, or is people's own: it is left to them.
    NotByUs,
}

/// Says a word on a pull request, closes it and takes its branch away, as far as that was not done before.
pub(super) async fn retire_pull(
    forge: &GitHub,
    target: &Target,
    branch: &str,
    pull: &PullRequest,
    Retiring { words, theirs, elsewhere, is_shared, base, opened_for, said_since, one_write }: Retiring<'_>,
) -> Result<Retired, ForgeError> {
    let found = forge.pull(target, pull.number).await?;
    let goes_to = |branch: Option<&str>| branch.is_none_or(|branch| found.base_branch == branch);
    // GitHub takes it along where the default branch is renamed, and leaves it where another one is chosen.
    let to_default = match goes_to(base) || goes_to(opened_for) {
        true => goes_to(base),
        false => goes_to_default(forge, target, base, &found).await?,
    };
    let is_theirs = found.head != pull.head || is_shared || !(to_default || goes_to(opened_for));
    let words = match (is_theirs, to_default) {
        (true, _) => theirs,
        (false, true) => words,
        (false, false) => elsewhere,
    };
    let mut status = found.status;
    if status == PullStatus::Open {
        let unsaid = match (words, said_since) {
            (Some(words), Some(since)) if forge.commented_since(target, (pull.number, since), words).await? => None,
            (words, _) => words,
        };
        if let Some(words) = unsaid {
            match forge.comment(target, pull.number, words).await {
                // A locked conversation: it is closed without words.
                Err(ForgeError::Forbidden { .. }) => {}
                Ok(()) if one_write && !is_theirs => return Ok(Retired::InPart),
                outcome => outcome?,
            }
        }
        if is_theirs {
            return Ok(Retired::NotByUs);
        }
        // Somebody may have merged it since it was looked at.
        status = forge.close(target, pull.number).await?.status;
        if one_write {
            return Ok(Retired::InPart);
        }
    }
    // Whoever merges decides about the branch.
    if is_theirs || status == PullStatus::Merged {
        return Ok(Retired::NotByUs);
    }
    match forge.delete_branch(target, branch, &pull.head).await {
        // A rule keeps it there.
        Err(error) if is_final(&error) && !matches!(error, ForgeError::Archived { .. }) => {
            tracing::warn!(pull = %pull.number, branch, %error, "the branch of a closed pull request could not be deleted");
            Ok(Retired::ButItsBranch)
        }
        outcome => outcome.map(|_| Retired::Wholly),
    }
}

/// Whether a proposal was let go.
enum LetGo {
    Withdrawn(Box<Proposal>),
    Not(Done),
}

/// Withdraws an open proposal, if it is open on GitHub and not wanted now.
async fn let_go(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    row: &RepositoryRow,
    proposal: Proposal,
    &Writing { lease, clock, .. }: &Writing<'_>,
) -> Result<LetGo, StepError> {
    let (now, repo, installation) = (clock.now(), row.repository.id, Some(row.repository.installation));
    let Some(pull) = &proposal.pull else { return Ok(LetGo::Not(finished(store).await?)) };
    // What is being sent to its branch arrives first.
    let is_sent = store.attempt(&proposal.id).await?.is_some() || is_under_way(store, repo, pull.number).await?;
    if is_sent || row.repository.state != RepoState::Active {
        return Ok(LetGo::Not(finished(store).await?));
    }
    let is_open = match forge.pull(&target(row), pull.number).await {
        Ok(found) => found.status == PullStatus::Open,
        Err(ForgeError::Gone { .. } | ForgeError::Moved { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    if !is_open {
        let mut tx = store.begin().await?;
        Step::Follow { repo, number: pull.number }.queue(&mut tx, installation, now).await?;
        return Ok(LetGo::Not(Done::Finished(tx)));
    }
    let Some(reason) = plan::unwanted(store, registries, (row, &proposal), now).await? else {
        return Ok(LetGo::Not(finished(store).await?));
    };
    let withdrawn = Proposal { state: ProposalState::Withdrawn, reason, updated_at: now, ..proposal };
    let mut tx = store.begin().await?;
    tx.still_ours(lease).await?;
    tx.save_proposal(&withdrawn).await?;
    tx.record(&withdrawn.id, now, "withdrawn", &withdrawn.reason).await?;
    Step::Plan { repo }.queue(&mut tx, installation, now).await?;
    tx.commit().await?;
    Ok(LetGo::Withdrawn(Box::new(withdrawn)))
}

/// What is said on a pull request that is closed; nothing where a person was answered already.
fn closing_words(proposal: &Proposal, farewell: Farewell) -> Option<String> {
    match farewell {
        Farewell::Replaced { by } => Some(format!("#{by} goes further than this pull request and takes its place.")),
        Farewell::Told => None,
        Farewell::NotWanted => Some(format!("Closed: {}.", prose::spoken(&reason_of(proposal, farewell)))),
    }
}

/// What is said on a pull request that is closed, where a newer one goes to another default branch.
fn words_elsewhere(farewell: Farewell) -> Option<String> {
    match farewell {
        Farewell::Replaced { by } => {
            Some(format!("#{by} takes the place of this pull request: the default branch is another one now."))
        }
        Farewell::Told | Farewell::NotWanted => None,
    }
}

/// What is said on a pull request that stays open because it has become people's own.
fn parting_words(proposal: &Proposal, farewell: Farewell) -> Option<String> {
    match farewell {
        Farewell::Replaced { by } => Some(format!(
            "#{by} goes further than this pull request. People have taken this one over, so it stays open; mass-driver leaves it to you."
        )),
        Farewell::Told => {
            Some("People have taken this pull request over, so it stays open; mass-driver leaves it to you.".into())
        }
        Farewell::NotWanted => Some(format!(
            "mass-driver would close this pull request: {}. People have taken it over, so it stays open and is left to you.",
            prose::spoken(&reason_of(proposal, farewell))
        )),
    }
}
