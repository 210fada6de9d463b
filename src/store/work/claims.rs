//! Whose turn it is, the claim of a piece of work, and the claim's end.
//!
//! Work stands in line by its *turn*: the time at which it should be begun at the latest. That is when it became due,
//! plus its patience; and where an installation has more of a kind waiting, a second later for each of them. So what
//! people wait for goes before what the clock asks for, an installation with ten thousand repositories does not keep
//! one with three waiting, and nothing waits for ever behind what is more urgent, because its own turn comes closer.
//! (The rule is known from networks as "virtual clock".) The turn is given when the work has become due, by whoever
//! claims next.

use super::{Claimed, WorkRecord, WorkState, database_clock, millis, new_id, put_back};
use crate::store::sql::{Value, statements, time, values};
use crate::store::{Statement, Store, StoreError, Tx};
use jiff::Timestamp;
use std::time::Duration;

/// Gives every row that has become due its place in line. A few hundred at a time: others want to claim, too. The places
/// are worked out once, and not for each row of the queue, whatever Postgres takes its length for.
macro_rules! place {
    ($lock:literal) => {
        concat!(
            "WITH placed AS MATERIALIZED (SELECT due.id, CASE
                    WHEN due.installation_id IS NULL THEN due.start
                    WHEN COALESCE(due.last_turn, 0) + 1000 > due.start THEN due.last_turn + 1000 * due.place
                    ELSE due.start + 1000 * (due.place - 1) END AS turn
                FROM (
                    SELECT id, installation_id, due_at + patience AS start,
                        row_number() OVER (PARTITION BY installation_id, patience ORDER BY due_at, id) AS place,
                        (SELECT max(ready.turn) FROM work AS ready
                            WHERE ready.installation_id = fresh.installation_id AND ready.patience = fresh.patience
                            AND ready.state = 'queued' AND ready.turn IS NOT NULL) AS last_turn
                    FROM (SELECT id, installation_id, due_at, patience FROM work
                        WHERE state = 'queued' AND turn IS NULL AND due_at <= $1 ORDER BY due_at LIMIT 500",
            $lock,
            ") AS fresh) AS due)
            UPDATE work SET turn = placed.turn FROM placed WHERE work.id = placed.id AND work.state = 'queued'"
        )
    };
}

/// Claims the first in line of subjects that have nothing running. Only the first of each subject is looked at: two
/// workers then lock the same row, one of them skips it, and they do not take two rows of one subject.
///
/// The plus keeps a database from comparing each row with all those before it: it shall look by the subject. Nothing but
/// the id is asked of the rows in the end (they are locked, or the database is), so that no other index offers itself.
macro_rules! claim {
    ($which:literal, $clock:expr, $lock:literal) => {
        concat!(
            "WITH next AS MATERIALIZED (SELECT id FROM work AS candidate
                WHERE state = 'queued' AND turn IS NOT NULL",
            $which,
            " AND NOT EXISTS (SELECT 1 FROM work AS busy WHERE busy.subject = candidate.subject AND busy.state = 'running')
                AND NOT EXISTS (SELECT 1 FROM work AS earlier
                    WHERE earlier.subject = candidate.subject AND earlier.state = 'queued' AND earlier.turn IS NOT NULL
                    AND (+earlier.turn, earlier.id) < (candidate.turn, candidate.id))
                ORDER BY turn, id LIMIT $3",
            $lock,
            ")
            UPDATE work SET state = 'running', attempts = attempts + 1, claims = claims + 1, lease_token = $1,
                lease_until = ",
            $clock,
            " + $2
            FROM next WHERE work.id = next.id
            RETURNING work.id, step, subject, unique_key, installation_id, args, asks_github, patience, state, due_at,
                attempts, refusals, claims, last_error, created_at, turn, lease_until"
        )
    };
}

macro_rules! expired_leases {
    ($clock:expr, $lock:literal) => {
        concat!(
            "SELECT id, lease_token, unique_key, expiries FROM work WHERE state = 'running' AND lease_until <= ",
            $clock,
            " ORDER BY lease_until LIMIT 100",
            $lock
        )
    };
}

statements! {
    /// Until the transaction ends, rows are looked up by index one after another, in the index's order. What Postgres knows
    /// of the queue was true a minute ago: where that was a quiet minute it takes the whole queue for a handful of rows,
    /// and reads and sorts all of it for each claim. SQLite does as it is told by the indexes anyway.
    BY_INDEX = "SELECT 1", on postgres: "SELECT set_config('enable_seqscan', 'off', true),
        set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true),
        set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
        set_config('enable_material', 'off', true)";
    EXPIRED = expired_leases!(database_clock!(sqlite), ""),
        on postgres: expired_leases!(database_clock!(postgres), " FOR UPDATE SKIP LOCKED");
    PLACE = place!(""), on postgres: place!(" FOR UPDATE SKIP LOCKED");
    CLAIM = claim!("", database_clock!(sqlite), ""),
        on postgres: claim!("", database_clock!(postgres), " FOR UPDATE SKIP LOCKED");
    CLAIM_STEP = claim!(" AND step = $4", database_clock!(sqlite), ""),
        on postgres: claim!(" AND step = $4", database_clock!(postgres), " FOR UPDATE SKIP LOCKED");
    NEXT_DUE = "SELECT due_at FROM work WHERE state = 'queued' AND turn IS NULL ORDER BY due_at LIMIT 1";
    HEARTBEAT = concat!("UPDATE work SET lease_until = ", database_clock!(sqlite), " + $3
        WHERE id = $1 AND lease_token = $2 AND state = 'running'"),
        on postgres: concat!("UPDATE work SET lease_until = ", database_clock!(postgres), " + $3
        WHERE id = $1 AND lease_token = $2 AND state = 'running'");
    PUT_BACK = put_back!(due "due_at", attempts "attempts", refusals "refusals", expiries "expiries + 1", error "$2",
        which "id = $3 AND lease_token = $4 AND state = 'running'");
    RETRY = put_back!(due "CAST($5 AS BIGINT)", attempts "attempts", refusals "refusals + CAST($6 AS BIGINT)",
        expiries "0", error "$2", which "id = $3 AND lease_token = $4 AND state = 'running'");
    PUT_OFF = put_back!(due "CAST($5 AS BIGINT)", attempts "attempts - 1", refusals "refusals", expiries "0",
        error "CAST($2 AS TEXT)", which "id = $3 AND lease_token = $4 AND state = 'running'");
    /// Changes nothing, but locks the row: nobody takes it over before the transaction ends.
    HELD = "UPDATE work SET lease_token = lease_token WHERE id = $1 AND lease_token = $2 AND state = 'running'";
    DELETE_RUNNING = "DELETE FROM work WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING id";
    /// One statement, because most steps end so and each waits for its answer.
    FINISH = "DELETE FROM work WHERE (id = $1 AND lease_token = $2 AND state = 'running')
        OR (unique_key = $3 AND state = 'parked') RETURNING id";
    DELETE_ALL_RUNNING = "DELETE FROM work WHERE state = 'running' AND (id, lease_token) IN (VALUES ($1, $2)) RETURNING id";
    DELETE_PARKED_OF_KEY = "DELETE FROM work WHERE unique_key = $1 AND state = 'parked'";
    DELETE_PARKED_OF_KEYS = "DELETE FROM work WHERE state = 'parked' AND unique_key IN (VALUES ($1))";
    PARK = "UPDATE work SET state = 'parked', lease_token = NULL, lease_until = NULL, expiries = 0,
        last_error = $3, due_at = $4 WHERE id = $1 AND lease_token = $2 AND state = 'running'";
}

/// After so many leases in a row that ran out, a piece of work is given up: it seems to end its worker's process, and
/// with it everything else that is under way there.
const EXPIRIES_MAX: i64 = 8;
/// How often a claim is tried when other workers are faster each time.
const ATTEMPTS_TO_CLAIM: usize = 10;

#[derive(sqlx::FromRow)]
struct ClaimRecord {
    #[sqlx(flatten)]
    work: WorkRecord,
    turn: i64,
    lease_until: i64,
}

impl Store {
    /// Takes the pieces of work whose turn it is, at most `count`, of subjects on which nothing is running. They come in
    /// the order of their turn; none when there are none.
    ///
    /// Before that, work whose lease has run out is put back into the queue, or parked when that was the eighth time in
    /// a row.
    pub async fn claim(&self, now: Timestamp, lease: Duration, count: u32) -> Result<Vec<Claimed>, StoreError> {
        for _ in 0..ATTEMPTS_TO_CLAIM {
            match self.try_claim(now, lease, count).await {
                // Two workers marked two rows of one subject, and the index let one through.
                Err(error) if error.is_duplicate() || error.is_deadlock() => {}
                outcome => return outcome,
            }
        }
        Ok(Vec::new())
    }

    /// Takes more of the same step, whose turn it is: for a station that does many at once. None when others are faster.
    pub async fn claim_step(&self, step: &str, lease: Duration, count: u32) -> Result<Vec<Claimed>, StoreError> {
        let mut tx = self.begin().await?;
        tx.execute(BY_INDEX, values![]).await?;
        let claimed = tx.take(CLAIM_STEP, lease, count, Some(step)).await;
        match claimed {
            Err(error) if error.is_duplicate() || error.is_deadlock() => Ok(Vec::new()),
            Ok(claimed) => {
                tx.commit().await?;
                Ok(claimed)
            }
            Err(error) => Err(error),
        }
    }

    /// When the next piece of work becomes due that nobody could claim yet.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.row::<(i64,)>(NEXT_DUE, values![]).await?.map(|(due_at,)| time(due_at)))
    }

    async fn try_claim(&self, now: Timestamp, lease: Duration, count: u32) -> Result<Vec<Claimed>, StoreError> {
        let mut tx = self.begin().await?;
        tx.take_back_expired(now).await?;
        tx.execute(PLACE, values![now]).await?;
        tx.execute(BY_INDEX, values![]).await?;
        let claimed = tx.take(CLAIM, lease, count, None).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Extends a claim, to end `lease` from now.
    ///
    /// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours.
    pub async fn heartbeat(&self, claimed: &Claimed, lease: Duration) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let row = values![&claimed.work.id.0, &claimed.lease_token, millis(lease)];
        let touched = tx.execute(HEARTBEAT, row).await?;
        tx.held(touched > 0)?;
        tx.commit().await
    }
}

impl Tx {
    async fn take_back_expired(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let mut expired: Vec<(String, String, String, i64)> = self.rows(EXPIRED, values![]).await?;
        // By key, as all do who queue many: two of them then wait for each other, and not each for the other.
        expired.sort_by(|a, b| a.2.cmp(&b.2));
        for (id, token, key, expiries) in &expired {
            if expiries + 1 >= EXPIRIES_MAX {
                let error = format!("the worker that had it did not come back {EXPIRIES_MAX} times");
                self.execute(DELETE_PARKED_OF_KEY, values![key]).await?;
                self.execute(PARK, values![id, token, error, now]).await?;
            } else {
                let error = "the worker that had it did not come back in time";
                self.execute(PUT_BACK, values![new_id(), error, id, token]).await?;
                self.execute(DELETE_RUNNING, values![id, token]).await?;
            }
        }
        Ok(())
    }

    async fn take(
        &mut self,
        statement: Statement,
        lease: Duration,
        count: u32,
        step: Option<&str>,
    ) -> Result<Vec<Claimed>, StoreError> {
        let lease_token = new_id();
        let mut row = values![&lease_token, millis(lease), count];
        row.extend(step.map(Value::from));
        let mut records: Vec<ClaimRecord> = self.rows(statement, row).await?;
        records.sort_by(|a, b| (a.turn, &a.work.id).cmp(&(b.turn, &b.work.id)));
        let claimed = records.into_iter().map(|record| {
            let work = record.work.read()?;
            debug_assert_eq!(work.state, WorkState::Running);
            Ok(Claimed { work, lease_token: lease_token.clone(), lease_until: time(record.lease_until) })
        });
        claimed.collect()
    }

    /// Makes this transaction worth nothing unless the claim is still ours: for what is written in the middle of a step.
    ///
    /// Errors: [`StoreError::LeaseLost`] when it is not; this transaction can then not be committed.
    pub async fn still_ours(&mut self, claimed: &Claimed) -> Result<(), StoreError> {
        let touched = self.execute(HELD, values![&claimed.work.id.0, &claimed.lease_token]).await?;
        self.held(touched > 0)
    }

    /// Ends a piece of work: it is done. What was parked under the same key is settled with it.
    ///
    /// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours; this transaction can then not be committed.
    pub async fn finish(&mut self, claimed: &Claimed) -> Result<(), StoreError> {
        let work = &claimed.work;
        let ended: Vec<(String,)> =
            self.rows(FINISH, values![&work.id.0, &claimed.lease_token, &work.unique_key]).await?;
        self.held(ended.iter().any(|(id,)| *id == work.id.0))
    }

    /// Ends many pieces of work, all of them or none.
    ///
    /// Errors: as [`Tx::finish`], when one of the claims is no longer ours.
    pub async fn finish_all(&mut self, claimed: &[Claimed]) -> Result<(), StoreError> {
        let claims = claimed.iter().map(|one| values![&one.work.id.0, &one.lease_token]).collect();
        let ended: Vec<(String,)> = self.rows_for(DELETE_ALL_RUNNING, claims).await?;
        self.held(ended.len() == claimed.len())?;
        let keys = claimed.iter().map(|one| values![&one.work.unique_key]).collect();
        self.execute_for(DELETE_PARKED_OF_KEYS, keys).await
    }

    /// Puts a piece of work back after a failed attempt, to be tried again at `due_at` or, where newer work waits under
    /// its key, with that. `refused` says that it was the attempt that failed, and not the times.
    ///
    /// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours; this transaction can then not be committed.
    pub async fn retry(
        &mut self,
        claimed: &Claimed,
        due_at: Timestamp,
        error: &str,
        refused: bool,
    ) -> Result<(), StoreError> {
        self.put(RETRY, claimed, Some(error), values![due_at, i64::from(refused)]).await
    }

    /// Puts a piece of work back in good order, to go on at `due_at`: the claim does not count as an attempt. `why` is
    /// for people; with `None` there is nothing to be said, and what went wrong before is over.
    ///
    /// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours; this transaction can then not be committed.
    pub async fn put_off(&mut self, claimed: &Claimed, due_at: Timestamp, why: Option<&str>) -> Result<(), StoreError> {
        self.put(PUT_OFF, claimed, why, values![due_at]).await
    }

    async fn put(
        &mut self,
        how: Statement,
        claimed: &Claimed,
        why: Option<&str>,
        more: Vec<Value>,
    ) -> Result<(), StoreError> {
        // Who takes the lease over meanwhile waits for this lock, or is waited for here.
        self.still_ours(claimed).await?;
        let (id, token) = (&claimed.work.id.0, &claimed.lease_token);
        let mut row = values![new_id(), why, id, token];
        row.extend(more);
        self.execute(how, row).await?;
        let ended: Vec<(String,)> = self.rows(DELETE_RUNNING, values![id, token]).await?;
        self.held(!ended.is_empty())
    }

    /// Gives a piece of work up, until [`Tx::unpark`]. Of one key, the last to be parked is kept.
    ///
    /// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours; this transaction can then not be committed.
    pub async fn park(&mut self, claimed: &Claimed, error: &str, now: Timestamp) -> Result<(), StoreError> {
        self.execute(DELETE_PARKED_OF_KEY, values![&claimed.work.unique_key]).await?;
        let touched = self.execute(PARK, values![&claimed.work.id.0, &claimed.lease_token, error, now]).await?;
        self.held(touched > 0)
    }

    /// Turns "no row had our token" into the loss of the lease.
    pub(in crate::store) fn held(&mut self, ours: bool) -> Result<(), StoreError> {
        if ours {
            return Ok(());
        }
        self.lease_lost = true;
        Err(StoreError::LeaseLost)
    }
}
