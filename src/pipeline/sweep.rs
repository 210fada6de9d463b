//! Asking GitHub for the webhooks it could not hand over.
//!
//! GitHub attempts a delivery once and repeats it only when asked. So its log is read from time to time, and what failed
//! and is not in the inbox is asked for again, the oldest first. A delivery that fails every time is asked for ever more
//! rarely, until the log forgets it.

use super::duties::REDELIVER;
use super::{Done, Step, StepError};
use crate::domain::{Clock, DeliveryId};
use crate::forge::{AttemptId, DeliveryAttempt, ForgeError, GitHub};
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashSet};

/// The longest that any GitHub keeps its log; the public one keeps it for three days.
const LOG_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What failed longer ago than this is not in the public GitHub's log any more.
const LOG_FORGETS: SignedDuration = SignedDuration::from_hours(3 * 24);
/// So many attempts are read at a time, the newest: forty pages, of the few thousand requests that the App itself may make in an
/// hour, and needs for tokens.
const ATTEMPTS_MAX: usize = 4_000;
/// So many deliveries are asked for in one go, and the rest after a pause: each costs 5 of the 900 points of a minute.
const ASKED_AT_ONCE: usize = 100;
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// After the second failed attempt there is this pause, and after each further one twice the pause before.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(5);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(12);

/// A delivery to ask for again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its latest attempt, by which GitHub is asked.
    pub attempt: AttemptId,
    /// When it failed last.
    pub failed_at: Timestamp,
}

/// Why a delivery of the log is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// An attempt succeeded.
    Delivered,
    /// It is stored: only its acknowledgement was lost.
    InTheInbox,
    /// It failed so often that it is left alone until then.
    Pausing {
        /// When it is asked for again.
        until: Timestamp,
    },
    /// An earlier part of this sweep dealt with it.
    Passed,
}

/// What a sweep does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// What to ask for, the one that failed first before the others.
    pub ask: Vec<Asked>,
    /// Everything else that is in the log, and why.
    pub left_out: BTreeMap<DeliveryId, LeftOut>,
}

/// Which deliveries to ask for, given the log's attempts in any order, the deliveries that are stored, and up to which
/// failure (`from`: its time and its attempt's number) an earlier part of this sweep has come. Pure.
pub fn decide(
    attempts: &[DeliveryAttempt],
    stored: &HashSet<DeliveryId>,
    from: Option<(Timestamp, i64)>,
    now: Timestamp,
) -> Decision {
    let mut deliveries: BTreeMap<&DeliveryId, Vec<&DeliveryAttempt>> = BTreeMap::new();
    for attempt in attempts {
        deliveries.entry(&attempt.delivery).or_default().push(attempt);
    }
    let mut decision = Decision::default();
    for (delivery, attempts) in deliveries {
        let Some(latest) = attempts.iter().max_by_key(|attempt| (attempt.at, attempt.id)) else { continue };
        let until = latest.at + pause_after(attempts.len());
        let left_out = if attempts.iter().any(|attempt| attempt.succeeded()) {
            LeftOut::Delivered
        } else if stored.contains(delivery) {
            LeftOut::InTheInbox
        } else if from.is_some_and(|from| (latest.at, latest.id.0) <= from) {
            LeftOut::Passed
        } else if until > now {
            LeftOut::Pausing { until }
        } else {
            let asked = Asked { delivery: delivery.clone(), attempt: latest.id, failed_at: latest.at };
            decision.ask.push(asked);
            continue;
        };
        decision.left_out.insert(delivery.clone(), left_out);
    }
    decision.ask.sort_by_key(|asked| (asked.failed_at, asked.attempt));
    decision
}

/// How long a delivery is left alone after so many failed attempts: not at all after the first, which says something about
/// the server at that time and nothing about the delivery.
fn pause_after(failures: usize) -> SignedDuration {
    match u32::try_from(failures) {
        Ok(0 | 1) => SignedDuration::ZERO,
        Ok(failures @ 2..=12) => (FIRST_PAUSE * (1 << (failures - 2))).min(LONGEST_PAUSE),
        _ => LONGEST_PAUSE,
    }
}

/// A log that is too long to be read whole tells of an outage when sweeps have paused for this long; else it is always so.
const LONG_LOG_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// Asks again for what failed and is not in the inbox. After three days without a sweep that came to its end, GitHub has
/// forgotten some of what it could not deliver: then everything is looked at.
pub async fn redeliver(
    store: &Store,
    forge: &GitHub,
    from: Option<(Timestamp, i64)>,
    clock: &dyn Clock,
) -> Result<Done, StepError> {
    let now = clock.now();
    // What an earlier part of this sweep came past need not be listed again.
    let since = from.map_or(now - LOG_KEPT, |(failed_at, _)| failed_at);
    let log = forge.failed_deliveries(since, ATTEMPTS_MAX).await?;
    let listed: HashSet<&DeliveryId> = log.attempts.iter().map(|attempt| &attempt.delivery).collect();
    let stored = store.stored_deliveries(listed).await?;
    let decision = decide(&log.attempts, &stored, from, now);

    let (asked, rest) = decision.ask.split_at(decision.ask.len().min(ASKED_AT_ONCE));
    for Asked { delivery, attempt, .. } in asked {
        match forge.redeliver(*attempt).await {
            Ok(()) => tracing::info!(%delivery, %attempt, "asked GitHub to deliver again what had failed"),
            Err(error) if is_about_one(&error) => {
                tracing::warn!(%delivery, %attempt, %error, "GitHub does not deliver this again");
            }
            Err(error) => return Err(error.into()),
        }
    }

    let mut tx = store.begin().await?;
    match asked.last() {
        Some(last) if !rest.is_empty() => {
            let from = Some((last.failed_at, last.attempt.0));
            // Counted from the last of them. Where the clock asked for a sweep meanwhile, that one is this part, and waits too.
            let asked_at = clock.now();
            tx.enqueue_for(&Step::Redeliver { from }.work(None, asked_at + PAUSE)?, asked_at).await?;
        }
        _ => {
            let before = tx.duty_done(REDELIVER, now).await?;
            let away = before.map(|before| now.duration_since(before));
            let gap = |longest| away.is_some_and(|away| away >= longest);
            if gap(LOG_FORGETS) || (log.cut && gap(LONG_LOG_AFTER)) {
                tracing::warn!(last_sweep = ?before, "GitHub may have forgotten deliveries that failed: everything is looked at");
                Step::SyncApp.queue(&mut tx, None, now).await?;
            }
        }
    }
    Ok(Done::Finished(tx))
}

/// Whether GitHub refused this one delivery only: forgotten by now, or not to be delivered again.
fn is_about_one(error: &ForgeError) -> bool {
    matches!(error, ForgeError::Gone { .. } | ForgeError::Invalid { .. } | ForgeError::Conflict { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_double_up_to_half_a_day() {
        let minutes: Vec<i64> = (0..14).map(|failures| pause_after(failures).as_mins()).collect();
        assert_eq!(minutes, [0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 720, 720, 720, 720]);
        assert_eq!(pause_after(usize::MAX), LONGEST_PAUSE);
    }
}
