//! What the clock asks for, whether or not anything happens. Each duty is a step like any other, queued when its time has
//! come by whichever process looks first.

use super::Step;
use crate::store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};

/// The name of the sweep for lost webhooks.
pub(super) const REDELIVER: &str = "redeliver";

/// Something to be done from time to time.
struct Duty {
    name: &'static str,
    interval: SignedDuration,
    step: Step,
}

const DUTIES: [Duty; 3] = [
    // What failed is asked for again while the server that it failed at is still being looked after.
    Duty { name: REDELIVER, interval: SignedDuration::from_mins(5), step: Step::Redeliver { from: None } },
    // For what no webhook told of at all.
    Duty { name: "reconcile", interval: SignedDuration::from_hours(24), step: Step::SyncApp },
    Duty { name: "tidy", interval: SignedDuration::from_hours(1), step: Step::Tidy },
];

/// Queues every duty whose time has come. Of several processes, one does.
pub async fn queue_due(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    // A look costs less than a transaction, and nearly always nothing is due.
    let next = store.duties().await?;
    for Duty { name, interval, step } in DUTIES {
        if next.get(name).is_some_and(|at| *at > now && *at <= now + interval) {
            continue;
        }
        let mut tx = store.begin().await?;
        if tx.take_duty(name, interval, now).await? {
            // One that failed waits for its next attempt already, and one that is under way sees to what is left.
            let work = step.work(None, now)?;
            if !tx.is_running(&work).await? {
                tx.enqueue_unless_queued(&work, now).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(())
}
