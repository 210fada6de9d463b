//! What the tests of the queue share: a piece of work, and ways to put it in and take it out.

use crate::samples::{at, write};
use mass_driver::domain::InstallationId;
use mass_driver::store::{Claimed, NewWork, Store, WorkState};
use serde_json::json;
use std::time::Duration;

/// Longer than any machine takes for a test.
pub const LEASE: Duration = Duration::from_secs(24 * 3600);
/// A lease that is over as soon as it is given.
pub const NO_LEASE: Duration = Duration::ZERO;

pub fn work(key: &str, subject: &str, due: i64) -> NewWork {
    NewWork {
        step: "index".into(),
        subject: subject.into(),
        unique_key: key.into(),
        installation: Some(InstallationId(7)),
        args: json!({ "key": key }),
        asks_github: true,
        patience: Duration::from_secs(9),
        due_at: at(due),
    }
}

pub async fn enqueue(store: &Store, new: NewWork) {
    write(store, async |tx| tx.enqueue(&new, at(1)).await.unwrap()).await;
}

pub async fn claim(store: &Store, now: i64) -> Option<Claimed> {
    claim_for(store, now, LEASE).await
}

pub async fn claim_for(store: &Store, now: i64, lease: Duration) -> Option<Claimed> {
    store.claim(at(now), lease, 1).await.unwrap().pop()
}

pub async fn key(store: &Store, now: i64) -> Option<String> {
    claim(store, now).await.map(|claimed| claimed.work.unique_key)
}

pub async fn depth(store: &Store, state: WorkState) -> i64 {
    store.queue_depth().await.unwrap().iter().filter(|depth| depth.state == state).map(|depth| depth.count).sum()
}
