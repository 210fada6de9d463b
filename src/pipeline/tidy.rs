//! Forgetting what nobody needs any more, a little at a time: whoever wants to write meanwhile gets a turn in between.

use super::{Done, StepError, finished};
use crate::store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};

/// So long it stays known that a delivery came. GitHub delivers again what is three days old, an Enterprise Server what is
/// seven days old.
const DELIVERIES_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// So long it stays known what was answered to a comment: GitHub does not tell of it again.
const COMMENTS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// So long it stays known what was said of a commit's file: whoever pushes on top of it has it said again.
const EXAMINATIONS_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// So long it stays known what is said of a release, after the last pull request was due that it was wanted for: while one is
/// open, its text may be written anew.
const NOTES_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// So many rows are changed in one transaction.
const PORTION: u32 = 500;

/// Ends the deliveries whose step was given up, empties the payloads that are older than `payloads_kept`, and drops the
/// rows of deliveries from long ago.
pub async fn tidy(store: &Store, payloads_kept: SignedDuration, now: Timestamp) -> Result<Done, StepError> {
    let mut tx = store.begin().await?;
    tx.refuse_parked_deliveries(now).await?;
    tx.commit().await?;
    let mut tx = store.begin().await?;
    tx.forget_comments(now - COMMENTS_KEPT).await?;
    tx.forget_examinations(now - EXAMINATIONS_KEPT).await?;
    tx.commit().await?;
    drop_payloads(store, now - payloads_kept).await?;
    loop {
        let mut tx = store.begin().await?;
        let forgotten = tx.forget_notes(now - NOTES_KEPT, PORTION).await?;
        tx.commit().await?;
        if forgotten < u64::from(PORTION) {
            break;
        }
    }
    loop {
        let mut tx = store.begin().await?;
        let dropped = tx.drop_deliveries(now - DELIVERIES_KEPT.max(payloads_kept), PORTION).await?;
        tx.commit().await?;
        if dropped < u64::from(PORTION) {
            return finished(store).await;
        }
    }
}

async fn drop_payloads(store: &Store, before: Timestamp) -> Result<(), StoreError> {
    let mut from = Timestamp::MIN;
    loop {
        let mut tx = store.begin().await?;
        let reached = tx.drop_payloads(from, before, PORTION).await?;
        tx.commit().await?;
        match reached {
            Some(reached) => from = reached,
            None => return Ok(()),
        }
    }
}
