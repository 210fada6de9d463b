//! Wakes whoever waits for work: in this process at once, in other processes on the same Postgres by a notification.
//!
//! A bell that is not heard costs a second: workers look at the queue that often anyway.

use super::sql::{statements, values};
use super::{Pools, Store, StoreError};
use sqlx::postgres::{PgListener, PgPool};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Notifications go out at most this often: under load one stands for many.
const BETWEEN_NOTIFICATIONS: Duration = Duration::from_millis(20);
/// From so many deliveries on that wait at once they come in a burst.
const CROWD: usize = 8;
/// How long to leave the database alone when it does not let us listen.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);

statements! {
    /// One channel for each schema: other programs may share the database.
    CHANNEL = "SELECT ''", on postgres: "SELECT 'mass_driver_' || current_schema()";
    NOTIFY = "SELECT 1 WHERE $1 = ''", on postgres: "SELECT 1 FROM (SELECT pg_notify($1, '')) AS sent";
}

/// The bell of one process.
#[derive(Debug, Default)]
pub(super) struct Bell {
    here: Notify,
    elsewhere: Notify,
    /// How many deliveries wait to be stored.
    at_the_door: AtomicUsize,
}

/// Says, as long as it is there, that a delivery waits to be stored.
#[derive(Debug)]
pub struct AtTheDoor(Arc<Bell>);

impl Drop for AtTheDoor {
    fn drop(&mut self) {
        self.0.at_the_door.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Bell {
    /// Rings: there is work to be begun.
    pub(super) fn ring(&self) {
        self.here.notify_one();
        self.elsewhere.notify_one();
    }
}

impl Store {
    /// Waits until work was queued, by this process or, while [`Store::relay_bell`] runs, another one.
    pub async fn work_arrived(&self) {
        self.bell.here.notified().await;
    }

    /// Makes somebody who waits in [`Store::work_arrived`], now or next, look at the queue: what blocked work is over.
    pub fn look_again(&self) {
        self.bell.here.notify_one();
    }

    /// Notes that a delivery waits to be stored: its sender has seconds, and steps have time.
    pub fn delivery_waits(&self) -> AtTheDoor {
        self.bell.at_the_door.fetch_add(1, Ordering::Relaxed);
        AtTheDoor(Arc::clone(&self.bell))
    }

    /// Whether several deliveries wait to be stored by this process.
    pub fn deliveries_crowd(&self) -> bool {
        self.bell.at_the_door.load(Ordering::Relaxed) >= CROWD
    }

    /// Passes the bell on between the processes that share a Postgres, for as long as it is polled. On SQLite there is
    /// one process, and nothing to do.
    pub async fn relay_bell(&self) {
        let Pools::Postgres(pool) = &self.pools else { return std::future::pending().await };
        loop {
            if let Err(error) = self.relay(pool).await {
                tracing::warn!(%error, "workers cannot be woken by other processes now, and look at the queue every second");
            }
            tokio::time::sleep(LISTEN_AGAIN).await;
        }
    }

    async fn relay(&self, pool: &PgPool) -> Result<(), StoreError> {
        let channel = self.row::<(String,)>(CHANNEL, values![]).await?;
        let (channel,) = channel.ok_or_else(|| StoreError::corrupt("the notification channel", "no answer"))?;
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(&channel).await?;
        // What was queued before we listened.
        self.bell.here.notify_one();
        loop {
            tokio::select! {
                heard = listener.recv() => {
                    heard?;
                    self.bell.here.notify_one();
                }
                () = self.bell.elsewhere.notified() => {
                    self.rows::<(i32,)>(NOTIFY, values![&channel]).await?;
                    tokio::time::sleep(BETWEEN_NOTIFICATIONS).await;
                }
            }
        }
    }
}
