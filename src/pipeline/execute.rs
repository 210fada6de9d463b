//! Makes a pull request out of a proposal whose time has come.
//!
//! What is about to be sent is written down before the first request, as an *attempt*: base, branch, files, words. From
//! then on, and until the outcome is known, the plan leaves the proposal alone, and a repeat sends the very same
//! change: it recognises by the branch's name and the commit's parent and tree what was made before, and adopts it. If
//! the world has moved on in the meantime, the repeat takes back what it finds (a branch; a pull request is kept and
//! followed) and everything is planned anew. So a proposal never has two branches or two pull requests, and none is
//! forgotten, wherever a process is killed and whatever happens before the next one.
//!
//! Where writes are paced, each of the four is a claim of its own. It begins with a transaction that says "from here on
//! something may be under way", sends one write, and ends with one that stores GitHub's answer, says "nothing is under
//! way", and puts the step off until its next write may be sent. Only after such an *orderly* end does the next claim go
//! on from what is stored; after any other it looks.
//!
//! Where the group has an open pull request, the change goes onto that one's branch; [`rework`](super::rework) sends its
//! changes by the same steps.

mod ending;
mod take_back;

use self::ending::{arrived, fail, plan_again, taken_over};
pub(super) use self::ending::{look_again, read_again};
use self::take_back::give_up;
pub(super) use self::take_back::take_back;
use super::branch::hold;
use super::contents::Moved;
use super::intent::{Intent, intent, same};
use super::line::{self, Place, Writer};
use super::{Done, Step, StepError, Writing, finished, notes, plan, target, watch};
use crate::domain::{Change, Progress, Proposal, ProposalId, ProposalState, RepoId, RepoState, Rework, Turn};
use crate::forge::{Advance, ForgeError, GitHub};
use crate::registries::Registries;
use crate::safeguards::pace;
use crate::store::{Attempt, Claimed, RepositoryRow, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};

/// How often a change is tried while the repository is not as we know it, before it counts as failed.
pub(super) const TRIES_MAX: u32 = 5;
/// How long to wait for the repository to be read again.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// Tree, commit, branch, pull request.
pub(super) const WRITES: u32 = 4;
/// How long one change of a pull request waits for another that is under way, at least.
pub(super) const ONE_AT_A_TIME: SignedDuration = SignedDuration::from_secs(30);

/// What a change is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// A proposal that waits is to become a pull request.
    Open,
    /// A pull request that is open is to be brought up to date.
    Rework(Rework),
}

impl Errand {
    /// What is done to a pull request that is open, if there is one.
    const fn of_a_pull(self) -> Option<Rework> {
        match self {
            Self::Open => None,
            Self::Rework(how) => Some(how),
        }
    }
}

/// When to look whether another change of a pull request has arrived: that one may have a turn far ahead. Pure.
pub(super) fn after(other: &Attempt, now: Timestamp) -> Timestamp {
    let turn = other.progress.turn.map(|turn| turn.from);
    turn.into_iter().fold(now + ONE_AT_A_TIME, Timestamp::max)
}

/// What everybody here needs to know of the proposal at hand.
pub(super) struct Case<'a> {
    pub(super) row: &'a RepositoryRow,
    pub(super) proposal: Proposal,
    /// All proposals of the repository.
    pub(super) all: &'a [Proposal],
    pub(super) writing: &'a Writing<'a>,
    pub(super) now: Timestamp,
    pub(super) errand: Errand,
}

/// Opens the pull request of one proposal, unless something speaks against it now.
pub async fn execute(
    store: &Store,
    forge: &GitHub,
    registries: &Registries,
    (repo, id): (RepoId, &ProposalId),
    writing: &Writing<'_>,
) -> Result<Done, StepError> {
    let now = writing.clock.now();
    let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal(id).await?) else {
        return finished(store).await;
    };
    // The plan has its words for this, and asks again when it changes.
    if row.repository.state != RepoState::Active || proposal.state != ProposalState::Waiting {
        return finished(store).await;
    }
    let all = store.proposals(repo).await?;
    let case = Case { row: &row, proposal, all: &all, writing, now, errand: Errand::Open };
    let begun = match store.attempt(id).await? {
        Some(begun) if begun.progress.refused.is_some() => return take_back(store, forge, case, begun).await,
        begun => begun,
    };
    if begun.is_none()
        && case.proposal.due_at <= now
        && let Some(later) = notes::wait(store, &case.proposal, &writing.lease.work.unique_key, now).await?
    {
        return Ok(later);
    }
    let sources = (forge, registries);
    let intent = match intent(store, sources, (&row, &case.proposal), &all, begun.as_ref(), now).await? {
        Intent::Moved(moved) => {
            learn(store, &moved, writing.lease, now).await?;
            Intent::PlanAgain
        }
        intent => intent,
    };
    match (begun, intent) {
        (None, Intent::Send(change)) => begin(store, forge, case, *change).await,
        (Some(begun), Intent::Send(change))
            if same(&begun.change, &change)
                && plan::still_wants(store, registries, (&row, &case.proposal), now).await? =>
        {
            go_on(store, forge, case, begun).await
        }
        // Nothing of it was sent, and only what it stands on has moved: it keeps its turn.
        (Some(begun), Intent::Send(change))
            if begun.is_unsent() && plan::still_wants(store, registries, (&row, &case.proposal), now).await? =>
        {
            begin_anew(store, forge, case, begun, *change).await
        }
        (Some(begun), _) => take_back(store, forge, case, begun).await,
        (None, Intent::Held(open, held)) => {
            let mut tx = store.begin().await?;
            let reason = held.why.clone();
            hold(&mut tx, &row, &open, held, now).await?;
            tx.save_proposal(&Proposal { reason, updated_at: now, ..case.proposal }).await?;
            // It has the words for every place where people read how this stands.
            Step::Plan { repo }.queue(&mut tx, installation(&row), now).await?;
            Ok(Done::Finished(tx))
        }
        (None, Intent::Over(number)) => {
            let mut tx = store.begin().await?;
            Step::Follow { repo, number }.queue(&mut tx, installation(&row), now).await?;
            Ok(Done::Finished(tx))
        }
        (None, Intent::Busy(open, begun)) => {
            let mut tx = store.begin().await?;
            let step = Step::Rework { repo, proposal: open, how: begun.errand.unwrap_or(Rework::Conflict) };
            step.queue_unless_queued(&mut tx, installation(&row), now).await?;
            Ok(Done::PutOff { tx, until: after(&begun, now), why: None })
        }
        (None, Intent::Restless(why)) => {
            let tx = store.begin().await?;
            Ok(Done::PutBack { tx, until: now + PAUSE, why })
        }
        (None, Intent::Early) => {
            let (tx, until) = (store.begin().await?, case.proposal.due_at);
            Ok(Done::PutOff { tx, until, why: Some(case.proposal.reason) })
        }
        (None, Intent::PlanAgain | Intent::Moved(_)) => plan_again(store, &row, now).await,
        (None, Intent::Impossible(why)) => fail(store, case, None, &why).await,
    }
}

/// Stores what releases point at that were moved, and has everybody planned anew who uses them. Apart from the step's own
/// rows: it holds whatever becomes of the step.
///
/// What was looked at is minutes old by now, for all we know: only what is still as it was then is replaced. Who looked in
/// the meantime knows better.
pub(super) async fn learn(store: &Store, moved: &[Moved], lease: &Claimed, now: Timestamp) -> Result<(), StepError> {
    for Moved { package, version, before, now: content } in moved {
        let users = store.users_of(package, None, watch::USERS_AT_ONCE).await?;
        let mut tx = store.begin().await?;
        tx.still_ours(lease).await?;
        if tx.move_release((package, version), before.as_deref(), content).await? {
            tracing::info!(%package, version, "a release points at something else than it did");
            watch::queue_plans(&mut tx, package, &users, now).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Writes a change down, and sends it when it is its turn.
pub(super) async fn begin(store: &Store, forge: &GitHub, case: Case<'_>, change: Change) -> Result<Done, StepError> {
    let mut tx = store.begin().await?;
    tx.still_ours(case.writing.lease).await?;
    let place = join(&mut tx, &case, WRITES, None, 0).await?;
    if let Place::Full(until) = place {
        // Not written down yet: what waits longer than the line is long may still be planned otherwise.
        return put_off(tx, case, until).await;
    }
    write_down(&mut tx, &case, &change).await?;
    match place {
        Place::Later(turn) => {
            let progress = Progress { turn: Some(turn), ..Progress::default() };
            tx.save_progress(&case.proposal.id, &progress, Some(case.writing.lease.work.claims)).await?;
            put_off(tx, case, turn.from).await
        }
        Place::Now(turn) => {
            tx.commit().await?;
            let progress = Progress { turn: Some(turn), ..Progress::default() };
            let errand = case.errand.of_a_pull();
            send(store, forge, case, Attempt { change, progress, orderly_claim: None, errand }, false).await
        }
        Place::Full(_) => finished(store).await,
    }
}

/// Replaces a change that was written down and of which nothing was sent, and goes on with it in the same turn.
pub(super) async fn begin_anew(
    store: &Store,
    forge: &GitHub,
    case: Case<'_>,
    begun: Attempt,
    change: Change,
) -> Result<Done, StepError> {
    let mut tx = store.begin().await?;
    tx.still_ours(case.writing.lease).await?;
    write_down(&mut tx, &case, &change).await?;
    tx.save_progress(&case.proposal.id, &begun.progress, begun.orderly_claim).await?;
    tx.commit().await?;
    go_on(store, forge, case, Attempt { change, ..begun }).await
}

async fn write_down(tx: &mut Tx, case: &Case<'_>, change: &Change) -> Result<(), StoreError> {
    if case.errand != Errand::Open {
        // Its places may be others than when it was opened.
        tx.save_proposal(&case.proposal).await?;
    }
    tx.begin_attempt((case.proposal.repo, &case.proposal.id), change, case.errand.of_a_pull(), case.now).await
}

/// Goes on with a change that was written down: from where its last claim ended, or by looking.
pub(super) async fn go_on(
    store: &Store,
    forge: &GitHub,
    case: Case<'_>,
    mut begun: Attempt,
) -> Result<Done, StepError> {
    let orderly = begun.orderly_claim.is_some();
    // Without a pace there is no turn to wait for, and a repeat has nothing to say that is not said already.
    if orderly || !case.writing.pace.is_off() {
        let mut tx = store.begin().await?;
        tx.still_ours(case.writing.lease).await?;
        let left = if orderly { writes_left(&begun.progress) } else { WRITES };
        let unsent = if orderly { left } else { 0 };
        let place = join(&mut tx, &case, left, begun.progress.turn.map(|turn| (turn, left)), unsent).await?;
        let orderly_claim = begun.orderly_claim.map(|_| case.writing.lease.work.claims);
        match place {
            Place::Now(turn) => {
                // Whoever has to look after this, because it is killed, comes after the write that is about to be sent.
                begun.progress.turn = Some(pace::after_write(&turn, case.now, case.writing.pace));
                tx.save_progress(&case.proposal.id, &begun.progress, None).await?;
                tx.commit().await?;
                begun.progress.turn = Some(turn);
            }
            Place::Later(turn) => {
                begun.progress.turn = Some(turn);
                tx.save_progress(&case.proposal.id, &begun.progress, orderly_claim).await?;
                return put_off(tx, case, turn.from).await;
            }
            Place::Full(until) => return put_off(tx, case, until).await,
        }
    } else {
        let mut tx = store.begin().await?;
        tx.still_ours(case.writing.lease).await?;
        tx.commit().await?;
    }
    send(store, forge, case, begun, !orderly).await
}

/// How many writes a change has before it. Pure.
fn writes_left(progress: &Progress) -> u32 {
    match progress {
        Progress { branch: true, .. } => 1,
        Progress { commit: Some(_), .. } => 2,
        Progress { tree: Some(_), .. } => 3,
        _ => WRITES,
    }
}

async fn join(
    tx: &mut Tx,
    case: &Case<'_>,
    writes: u32,
    held: Option<(Turn, u32)>,
    unsent: u32,
) -> Result<Place, StoreError> {
    let Writing { lease, pace, .. } = *case.writing;
    let writer = Writer { installation: case.row.repository.installation, lease, writes, held, unsent };
    line::join(tx, &writer, case.now, pace).await
}

/// Ends a claim until a turn comes; where that takes longer, a proposal that waits says so.
async fn put_off(mut tx: Tx, case: Case<'_>, until: Timestamp) -> Result<Done, StepError> {
    let why = line::words(until, case.now);
    // That of an open pull request stays when its branch is brought up to date.
    if let Some(reason) = why.as_ref().filter(|_| case.errand == Errand::Open) {
        tx.save_proposal(&Proposal { reason: reason.clone(), updated_at: case.now, ..case.proposal }).await?;
    }
    Ok(Done::PutOff { tx, until, why })
}

/// Sends what is next of a change: one write where writes are paced, else all of them.
async fn write(
    forge: &GitHub,
    case: &Case<'_>,
    Attempt { change, progress, .. }: &Attempt,
    look: bool,
) -> Result<Advance, ForgeError> {
    let target = target(case.row);
    match (case.writing.pace.is_off(), look) {
        (true, true) => forge.propose(&target, change, true).await.map(Advance::Arrived),
        (true, false) if progress.is_start() => forge.propose(&target, change, false).await.map(Advance::Arrived),
        (false, true) => forge.take_up(&target, change).await,
        (_, false) => forge.advance(&target, change, progress).await,
    }
}

/// Sends a change that was written down. `repeated` says that it was begun before and may have got any distance.
async fn send(
    store: &Store,
    forge: &GitHub,
    case: Case<'_>,
    attempt: Attempt,
    repeated: bool,
) -> Result<Done, StepError> {
    let change = &attempt.change;
    match write(forge, &case, &attempt, repeated).await {
        Ok(Advance::Arrived(proposed)) => arrived(store, case, change, proposed).await,
        Ok(Advance::Further(further)) => {
            let Writing { lease, pace, clock } = *case.writing;
            let now = clock.now();
            let turn = attempt.progress.turn.map(|turn| pace::after_write(&turn, now, pace));
            let until = turn.map_or(now, |turn| turn.from);
            let mut tx = store.begin().await?;
            tx.save_progress(&case.proposal.id, &Progress { turn, ..further }, Some(lease.work.claims)).await?;
            Ok(Done::PutOff { tx, until, why: None })
        }
        Err(ForgeError::Conflict { pull: Some(number), .. }) if repeated => {
            let proposed = taken_over(change, number, &case.row.repository.web_url);
            arrived(store, case, change, proposed).await
        }
        // Somebody was faster on the branch of a pull request: everything is looked at anew.
        Err(error @ ForgeError::Conflict { .. }) if change.onto.is_some() => {
            let mut tx = store.begin().await?;
            tx.end_attempt(&case.proposal.id).await?;
            tx.record(&case.proposal.id, case.now, "taken back", &error.to_string()).await?;
            // What is not wanted any more stayed open for its sake.
            Step::Plan { repo: case.proposal.repo }.queue(&mut tx, installation(case.row), case.now).await?;
            Ok(Done::PutBack { tx, until: case.now + PAUSE, why: error.to_string() })
        }
        // The branch's name is taken by something that is not ours: leave it alone and use another.
        Err(ForgeError::Conflict { .. }) if !case.proposal.branch.ends_with(&suffix(&case.proposal.id)) => {
            let mut proposal = case.proposal;
            proposal.branch = format!("{}-{}", proposal.branch, suffix(&proposal.id));
            let mut tx = store.begin().await?;
            tx.save_proposal(&proposal).await?;
            tx.end_attempt(&proposal.id).await?;
            Ok(Done::PutBack { tx, until: case.now, why: "its branch's name was taken".into() })
        }
        Err(error) if is_elsewhere(&error) && case.writing.lease.work.refusals + 1 < TRIES_MAX => {
            read_again(store, &case, &error).await
        }
        Err(error) if is_elsewhere(&error) || is_refusal(&error) => {
            give_up(store, forge, case, attempt, error.to_string()).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The repository, or its head, is not where we think it is.
pub(super) fn is_elsewhere(error: &ForgeError) -> bool {
    matches!(
        error,
        ForgeError::StaleBase { .. }
            | ForgeError::Gone { .. }
            | ForgeError::Moved { .. }
            | ForgeError::Archived { .. }
            | ForgeError::Empty { .. }
    )
}

/// GitHub says no to this very change, and would say so again.
pub(super) fn is_refusal(error: &ForgeError) -> bool {
    matches!(
        error,
        ForgeError::Conflict { .. }
            | ForgeError::Invalid { .. }
            | ForgeError::Forbidden { .. }
            | ForgeError::NoChange { .. }
            | ForgeError::TooLarge { .. }
    )
}

/// Part of a proposal's id: the random end, since ids made in the same moment begin alike.
fn suffix(id: &ProposalId) -> String {
    let plain: Vec<char> = id.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    plain[plain.len().saturating_sub(8)..].iter().collect()
}

pub(super) fn installation(row: &RepositoryRow) -> Option<crate::domain::InstallationId> {
    Some(row.repository.installation)
}
