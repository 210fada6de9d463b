//! The line of those who want to write in one installation's name, shared by all processes.
//!
//! A step that wants to write joins the line in a transaction of its own, before it sends anything. If its turn has not
//! come it is put off to that moment, and no worker waits for it. The turn is kept with the work: in the attempt of a
//! pull request, and for other steps beside their arguments, where their own reading passes over it.

use super::Done;
use crate::domain::{InstallationId, Pace, Turn};
use crate::safeguards::pace::{self, PacePolicy};
use crate::store::{Claimed, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The line is given out this far ahead. Who comes when it is longer tries again later: what is not yet in line can still
/// change, and something new waits no longer than this behind the roll-out of a large organisation.
const HORIZON: SignedDuration = SignedDuration::from_mins(30);

/// Where somebody stands in the line.
pub(super) enum Place {
    /// It may write now, within this turn.
    Now(Turn),
    /// It has a turn that is still to come.
    Later(Turn),
    /// The line is too long to be joined before this time.
    Full(Timestamp),
}

/// Who wants to write.
pub(super) struct Writer<'a> {
    /// In whose name.
    pub(super) installation: InstallationId,
    /// For which work.
    pub(super) lease: &'a Claimed,
    /// How many writes it has before it, if it has to join.
    pub(super) writes: u32,
    /// The turn it has already, and how many writes that must still hold.
    pub(super) held: Option<(Turn, u32)>,
    /// How many writes of that turn are certain not to have been sent.
    pub(super) unsent: u32,
}

/// Finds out whether it is somebody's turn, and gives out one to whom has none that is of use.
pub(super) async fn join(
    tx: &mut Tx,
    writer: &Writer<'_>,
    now: Timestamp,
    policy: &PacePolicy,
) -> Result<Place, StoreError> {
    if policy.is_off() {
        return Ok(Place::Now(Turn { from: now, until: now }));
    }
    let placed = |turn: Turn| if turn.from <= now { Place::Now(turn) } else { Place::Later(turn) };
    if let Some((turn, writes)) = writer.held
        && pace::is_long_enough(&turn, writes, now, policy)
    {
        return Ok(placed(turn));
    }
    let missed = writer.held.filter(|(turn, _)| was_waited_for(turn, writer.lease));
    let late = missed.map_or(SignedDuration::ZERO, |(turn, _)| now.duration_since(turn.from));
    let unused = missed.map_or(0, |_| writer.unsent);
    let budget = tx.lock_budget(Some(writer.installation)).await?;
    let before = pace::give_back(believable(budget.pace, now), unused, policy);
    let (turn, rest) = pace::reserve(before, writer.writes, late, now, policy);
    if turn.from.duration_since(now) > HORIZON {
        return Ok(Place::Full(now + HORIZON / 2 + spread(&writer.lease.work.unique_key)));
    }
    tx.save_pace(Some(writer.installation), &rest).await?;
    Ok(placed(turn))
}

/// Whether a claim is the one that its step was put off for to this very turn. What failed or was killed in between is late
/// for other reasons, and may have written. The database's times are whole milliseconds.
fn was_waited_for(turn: &Turn, lease: &Claimed) -> bool {
    turn.from.as_millisecond() == lease.work.due_at.as_millisecond()
}

/// The line as far as it can reach. A clock that was ahead once may have given it out for years.
fn believable(pace: Pace, now: Timestamp) -> Pace {
    let farthest = now + HORIZON * 4;
    Pace { next_write_at: pace.next_write_at.min(farthest), used_to: pace.used_to.min(farthest) }
}

/// Not all at the same moment: up to half the horizon, the same for the same piece of work.
fn spread(key: &str) -> SignedDuration {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let most = HORIZON.as_secs() / 2;
    SignedDuration::from_secs(i64::try_from(hasher.finish() % most.unsigned_abs()).unwrap_or(most))
}

/// The time between now and a turn, as people are told. `None` while that is a matter of seconds.
pub(super) fn words(from: Timestamp, now: Timestamp) -> Option<String> {
    let long = from.duration_since(now) > SignedDuration::from_secs(5);
    long.then(|| {
        format!("GitHub limits how fast an account is written to; its turn comes at {}", from.strftime("%F %T UTC"))
    })
}

/// Lets one write go in front of the line, because a person waits for it. Turns that were given out stay; the next one to be
/// given out begins a little later.
///
/// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours: then nothing may be written.
pub(super) async fn cut_in(
    store: &Store,
    lease: &Claimed,
    installation: InstallationId,
    now: Timestamp,
    policy: &PacePolicy,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.still_ours(lease).await?;
    if policy.is_off() {
        return tx.commit().await;
    }
    let budget = tx.lock_budget(Some(installation)).await?;
    tx.save_pace(Some(installation), &pace::cut_in(believable(budget.pace, now), now, policy)).await?;
    tx.commit().await
}

/// A turn for a step that keeps it beside its arguments.
pub(super) enum Admission {
    /// It may write, at once; `None` where nobody has to wait for a turn.
    Now(Option<Turn>),
    /// It goes on later.
    Later(Done),
}

/// Admits a step whose writes are looked up again each time: `writes` at most are before it.
pub(super) async fn admit(
    store: &Store,
    lease: &Claimed,
    (installation, writes): (InstallationId, u32),
    now: Timestamp,
    policy: &PacePolicy,
) -> Result<Admission, StoreError> {
    let mut tx = store.begin().await?;
    tx.still_ours(lease).await?;
    if policy.is_off() {
        tx.commit().await?;
        return Ok(Admission::Now(None));
    }
    let held = turn_of(&lease.work.args).map(|turn| (turn, 1));
    match join(&mut tx, &Writer { installation, lease, writes, held, unsent: 1 }, now, policy).await? {
        Place::Now(turn) => {
            // Whoever repeats this, after an error, comes after the write that is about to be sent.
            tx.keep_args(lease, &with_turn(&lease.work.args, &pace::after_write(&turn, now, policy))).await?;
            tx.commit().await?;
            Ok(Admission::Now(Some(turn)))
        }
        Place::Later(turn) => {
            tx.keep_args(lease, &with_turn(&lease.work.args, &turn)).await?;
            Ok(Admission::Later(Done::PutOff { tx, until: turn.from, why: words(turn.from, now) }))
        }
        Place::Full(until) => Ok(Admission::Later(Done::PutOff { tx, until, why: words(until, now) })),
    }
}

/// Ends a claim after one of several writes, whose answer came at `sent`.
pub(super) async fn after_write(
    store: &Store,
    lease: &Claimed,
    turn: &Turn,
    sent: Timestamp,
    policy: &PacePolicy,
) -> Result<Done, StoreError> {
    let mut tx = store.begin().await?;
    let until = keep_rest(&mut tx, lease, turn, sent, policy).await?;
    Ok(Done::PutOff { tx, until, why: None })
}

/// Keeps what is left of a turn after one of its writes, whose answer came at `sent`, and says when the next one may follow.
pub(super) async fn keep_rest(
    tx: &mut Tx,
    lease: &Claimed,
    turn: &Turn,
    sent: Timestamp,
    policy: &PacePolicy,
) -> Result<Timestamp, StoreError> {
    let rest = pace::after_write(turn, sent, policy);
    tx.keep_args(lease, &with_turn(&lease.work.args, &rest)).await?;
    Ok(rest.from)
}

/// The key under which a turn lies within the fields of a step.
const TURN: &str = "turn";

fn turn_of(args: &Value) -> Option<Turn> {
    beside(args, TURN)
}

fn with_turn(args: &Value, turn: &Turn) -> Value {
    with_beside(args, TURN, turn)
}

/// What a step keeps beside its fields under a key.
pub(super) fn beside<T: DeserializeOwned>(args: &Value, key: &str) -> Option<T> {
    let (_, fields) = args.as_object()?.iter().next()?;
    serde_json::from_value(fields.get(key)?.clone()).ok()
}

/// The arguments of a step with something beside its fields.
pub(super) fn with_beside(args: &Value, key: &str, kept: impl Serialize) -> Value {
    let mut args = args.clone();
    if let Some(Value::Object(fields)) = args.as_object_mut().and_then(|step| step.values_mut().next()) {
        fields.insert(key.into(), serde_json::json!(kept));
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ProposalId, RepoId};
    use crate::pipeline::Step;

    #[test]
    fn a_step_is_read_as_before_with_a_turn_beside_it() {
        let step = Step::Label { repo: RepoId(7), proposal: ProposalId("p".into()) };
        let args = serde_json::to_value(&step).unwrap();
        assert_eq!(turn_of(&args), None);
        let turn = Turn { from: Timestamp::UNIX_EPOCH, until: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(2) };
        let kept = with_turn(&args, &turn);
        assert_eq!(turn_of(&kept), Some(turn));
        assert_eq!(serde_json::from_value::<Step>(kept).unwrap(), step);
    }
}
