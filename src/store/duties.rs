//! What is done from time to time, by one process at a time.

use super::sql::{statements, time, values};
use super::{Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

statements! {
    NEXT_TIMES = "SELECT name, next_at FROM duty";
    /// Of two processes at once, the second waits for the first and then finds the time moved on. A time further off than
    /// any interval was set by a clock that was ahead.
    TAKE = "INSERT INTO duty (name, next_at) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at
        WHERE duty.next_at <= $3 OR duty.next_at > excluded.next_at";
    DONE_AT = "SELECT done_at FROM duty WHERE name = $1 AND done_at IS NOT NULL";
    DONE = "INSERT INTO duty (name, done_at, next_at) VALUES ($1, $2, $2)
        ON CONFLICT (name) DO UPDATE SET done_at = excluded.done_at";
}

impl Store {
    /// When each duty that was ever taken is due again.
    pub async fn duties(&self) -> Result<BTreeMap<String, Timestamp>, StoreError> {
        let rows: Vec<(String, i64)> = self.rows(NEXT_TIMES, values![]).await?;
        Ok(rows.into_iter().map(|(name, next_at)| (name, time(next_at))).collect())
    }
}

impl Tx {
    /// Takes a duty that is due, or was never taken: it is due again after `interval`. `false` when it is not due, or
    /// somebody else has just taken it.
    pub async fn take_duty(
        &mut self,
        name: &str,
        interval: SignedDuration,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(TAKE, values![name, now + interval, now]).await? > 0)
    }

    /// Notes that a duty was done to its end, and says when that was the time before.
    pub async fn duty_done(&mut self, name: &str, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let before: Vec<(i64,)> = self.rows(DONE_AT, values![name]).await?;
        self.execute(DONE, values![name, now]).await?;
        Ok(before.first().map(|(at,)| time(*at)))
    }
}
