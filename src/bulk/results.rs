//! What is known of the repositories of a run is stored as soon as it is known, many at a time.

use crate::domain::RunRepository;
use crate::store::{RunLease, Store, StoreError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Results that are stored in one transaction at most, and that may wait for the next one.
const SAVED_AT_ONCE: usize = 200;

struct Saved {
    row: RunRepository,
    diff: Option<String>,
}

/// Where results are handed in.
#[derive(Clone)]
pub(super) struct ResultSender(mpsc::Sender<Saved>);

impl ResultSender {
    /// Hands in how a repository stands. Waits where the store does not keep up: changes are large.
    pub(super) async fn save(&self, row: &RunRepository, diff: Option<String>) {
        // If nobody stores anything any more, nobody waits, and the run ends with what the writer met.
        let _ = self.0.send(Saved { row: row.clone(), diff }).await;
    }

    /// Whether nothing can be stored any more.
    pub(super) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

/// Stores what is handed in, until all of [`ResultSender`] are gone. Dropped before, it stores nothing more.
pub(super) struct ResultWriter(JoinSet<Result<(), StoreError>>);

impl ResultWriter {
    /// Waits until everything is stored.
    pub(super) async fn close(mut self) -> Result<(), StoreError> {
        match self.0.join_next().await {
            Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
            Some(Ok(stored)) => stored,
            None => Ok(()),
        }
    }
}

/// Begins to store results of a run.
pub(super) fn write_results(lease: RunLease, store: Store) -> (ResultSender, ResultWriter) {
    let (results, come_in) = mpsc::channel(SAVED_AT_ONCE);
    let mut writer = JoinSet::new();
    writer.spawn(write(lease, store, come_in));
    (ResultSender(results), ResultWriter(writer))
}

async fn write(lease: RunLease, store: Store, mut come_in: mpsc::Receiver<Saved>) -> Result<(), StoreError> {
    let mut some = Vec::new();
    while come_in.recv_many(&mut some, SAVED_AT_ONCE).await > 0 {
        let mut tx = store.begin().await?;
        for Saved { row, diff } in some.drain(..) {
            tx.save_run_repository(&lease, &row).await?;
            if let Some(diff) = diff {
                tx.save_run_diff(&lease, row.position, &diff).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(())
}
