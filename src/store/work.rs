//! The queue: what is to be done, who does it, and since when.
//!
//! The database keeps the promises, not the workers' good behaviour. One unique index allows one running row for
//! each subject, another one queued row for each key. A claim lasts as long as its lease, by the database's clock;
//! its token is checked by every write that ends it, so that a worker that comes back late changes nothing.

use super::sql::{Value, from_json, small, statements, time, to_json, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::InstallationId;
use jiff::Timestamp;
use serde_json::Value as Json;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// Our identifier of a piece of work: a UUID, version 7.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkId(pub String);

impl fmt::Display for WorkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A piece of work to be queued.
#[derive(Clone, Debug, PartialEq)]
pub struct NewWork {
    /// Which station does it.
    pub step: String,
    /// What it is serialised on: `repo:42`, `installation:7`, `package:pypi/httpx`, `delivery:GUID`. Work on one
    /// subject is done one piece at a time.
    pub subject: String,
    /// What makes two pieces the same: of those only one waits in the queue. Everything under one key has one subject.
    pub unique_key: String,
    /// The installation it is done for.
    pub installation: Option<InstallationId>,
    /// What the station needs to know.
    pub args: Json,
    /// Higher goes first.
    pub priority: i64,
    /// Not before this time.
    pub due_at: Timestamp,
}

/// Where a piece of work stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkState {
    /// Waiting for its time and a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// Given up until a person or an event releases it.
    Parked,
}

impl WorkState {
    /// Every state, in the order of the declaration.
    pub const ALL: [Self; 3] = [Self::Queued, Self::Running, Self::Parked];

    /// The word the store and the page use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Parked => "parked",
        }
    }

    /// The state a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A piece of work as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkRow {
    /// Ours. Work that is put back gets a new one.
    pub id: WorkId,
    /// Which station does it.
    pub step: String,
    /// What it is serialised on.
    pub subject: String,
    /// What makes two pieces the same.
    pub unique_key: String,
    /// The installation it is done for.
    pub installation: Option<InstallationId>,
    /// What the station needs to know.
    pub args: Json,
    /// Higher goes first.
    pub priority: i64,
    /// Where it stands.
    pub state: WorkState,
    /// Not before this time.
    pub due_at: Timestamp,
    /// How often it was claimed.
    pub attempts: u32,
    /// Why it was put back or parked, the last time.
    pub last_error: Option<String>,
    /// When it was queued first.
    pub created_at: Timestamp,
}

/// A piece of work that is ours to do, for as long as the lease lasts.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// The work; its `attempts` counts this one.
    pub work: WorkRow,
    /// What proves the claim: new for each, so a former holder's is worth nothing.
    pub lease_token: String,
    /// When the claim ends unless [`Store::heartbeat`] extends it; by the database's clock.
    pub lease_until: Timestamp,
}

/// How many pieces of work one station has in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueDepth {
    /// The station.
    pub step: String,
    /// The state.
    pub state: WorkState,
    /// How many.
    pub count: i64,
}

#[derive(sqlx::FromRow)]
struct WorkRecord {
    id: String,
    step: String,
    subject: String,
    unique_key: String,
    installation_id: Option<i64>,
    args: String,
    priority: i64,
    state: String,
    due_at: i64,
    attempts: i64,
    last_error: Option<String>,
    created_at: i64,
}

macro_rules! select_work {
    ($($tail:literal),+) => {
        concat!(
            "SELECT id, step, subject, unique_key, installation_id, args, priority, state, due_at, attempts, ",
            "last_error, created_at FROM work ",
            $($tail),+
        )
    };
}

/// The best due row of a subject that has nothing running. Only the first in line of each subject is looked at: two
/// workers then lock the same row, one of them skips it, and they do not take two rows of one subject.
///
/// The plus keeps SQLite from looking up what is due and sorting all of it by priority, for one row: it shall walk
/// along the index that is in order already.
macro_rules! next_due_work {
    ($lock:literal) => {
        select_work!(
            "AS candidate WHERE state = 'queued' AND +due_at <= $1
            AND NOT EXISTS (SELECT 1 FROM work AS busy WHERE busy.subject = candidate.subject AND busy.state = 'running')
            AND NOT EXISTS (SELECT 1 FROM work AS earlier
                WHERE earlier.subject = candidate.subject AND earlier.state = 'queued' AND earlier.due_at <= $1
                AND (-earlier.priority, earlier.due_at, earlier.id)
                    < (-candidate.priority, candidate.due_at, candidate.id))
            ORDER BY priority DESC, due_at, id LIMIT 1",
            $lock
        )
    };
}

macro_rules! expired_leases {
    ($lock:literal) => {
        concat!(
            "SELECT id, lease_token, unique_key, expiries FROM work WHERE state = 'running' AND lease_until <= $1
            ORDER BY lease_until LIMIT 100",
            $lock
        )
    };
}

/// Puts a row back, with its count of `expiries`, into the queue as a new row, which melts into the one that waits under its key, if there is one.
macro_rules! put_back {
    ($due_at:literal, $attempts:literal, $expiries:literal, $error:literal, $which:literal) => {
        concat!(
            "INSERT INTO work (id, step, subject, unique_key, installation_id, args, priority, state, due_at, attempts,
                expiries, last_error, created_at)
            SELECT $1, step, subject, unique_key, installation_id, args, priority, 'queued', ",
            $due_at,
            ", ",
            $attempts,
            ", ",
            $expiries,
            ", ",
            $error,
            ", created_at FROM work WHERE ",
            $which,
            " ON CONFLICT (unique_key) WHERE state = 'queued' DO UPDATE SET
                due_at = CASE WHEN excluded.due_at < work.due_at THEN excluded.due_at ELSE work.due_at END,
                priority = CASE WHEN excluded.priority > work.priority THEN excluded.priority ELSE work.priority END,
                attempts = CASE WHEN excluded.attempts > work.attempts THEN excluded.attempts ELSE work.attempts END,
                expiries = excluded.expiries, last_error = excluded.last_error"
        )
    };
}

statements! {
    ENQUEUE = "INSERT INTO work
            (id, step, subject, unique_key, installation_id, args, priority, due_at, created_at, state, attempts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', 0)
        ON CONFLICT (unique_key) WHERE state = 'queued' DO UPDATE SET
            args = excluded.args,
            due_at = CASE WHEN excluded.due_at < work.due_at THEN excluded.due_at ELSE work.due_at END,
            priority = CASE WHEN excluded.priority > work.priority THEN excluded.priority ELSE work.priority END";
    ENQUEUE_UNLESS_QUEUED = "INSERT INTO work
            (id, step, subject, unique_key, installation_id, args, priority, due_at, created_at, state, attempts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', 0)
        ON CONFLICT (unique_key) WHERE state = 'queued' DO NOTHING";
    DATABASE_CLOCK = "SELECT CAST(unixepoch('subsec') * 1000 AS BIGINT)",
        on postgres: "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
    EXPIRED = expired_leases!(""), on postgres: expired_leases!(" FOR UPDATE SKIP LOCKED");
    NEXT = next_due_work!(""), on postgres: next_due_work!(" FOR UPDATE SKIP LOCKED");
    START = "UPDATE work SET state = 'running', attempts = attempts + 1, lease_token = $2, lease_until = $3
        WHERE id = $1 AND state = 'queued'";
    HEARTBEAT = "UPDATE work SET lease_until = $3 WHERE id = $1 AND lease_token = $2 AND state = 'running'";
    PUT_BACK = put_back!("due_at", "attempts", "expiries + 1", "$2", "id = $3 AND lease_token = $4 AND state = 'running'");
    RETRY = put_back!("CAST($5 AS BIGINT)", "attempts", "0", "$2", "id = $3 AND lease_token = $4 AND state = 'running'");
    UNPARK = put_back!("CAST($2 AS BIGINT)", "0", "0", "last_error", "id = $3 AND state = 'parked'");
    /// Changes nothing, but locks the row: nobody takes it over before the transaction ends.
    HELD = "UPDATE work SET lease_token = lease_token WHERE id = $1 AND lease_token = $2 AND state = 'running'";
    HASTEN_SUBJECT = "UPDATE work SET due_at = $3
        WHERE subject = $1 AND step = $2 AND state = 'queued' AND due_at > $3 AND last_error IS NOT NULL";
    HASTEN = "UPDATE work SET due_at = $2
        WHERE installation_id = $1 AND state = 'queued' AND due_at > $2 AND last_error IS NOT NULL";
    DELETE_RUNNING = "DELETE FROM work WHERE id = $1 AND lease_token = $2 AND state = 'running'";
    DELETE_PARKED = "DELETE FROM work WHERE id = $1 AND state = 'parked'";
    DELETE_PARKED_OF_KEY = "DELETE FROM work WHERE unique_key = $1 AND state = 'parked'";
    PARK = "UPDATE work SET state = 'parked', lease_token = NULL, lease_until = NULL, expiries = 0,
        last_error = $3 WHERE id = $1 AND lease_token = $2 AND state = 'running'";
    PARKED = select_work!("WHERE state = 'parked' ORDER BY created_at DESC, id LIMIT $1");
    PARKED_OF_KEY = "SELECT id FROM work WHERE unique_key = $1 AND state = 'parked' LIMIT 1";
    PARKED_OF_INSTALLATION = "SELECT id FROM work WHERE state = 'parked' AND installation_id = $1 ORDER BY id";
    DEPTH = "SELECT step, state, count(*) FROM work GROUP BY step, state ORDER BY step, state";
}

/// After so many leases in a row that ran out, a piece of work is given up: it seems to end its worker's process, and
/// with it everything else that is under way there.
const EXPIRIES_MAX: i64 = 8;
/// How often a claim is tried when other workers are faster each time.
const ATTEMPTS_TO_CLAIM: usize = 10;

impl Store {
    /// Takes the next due piece of work: highest priority first, then the one due longest, of subjects on which
    /// nothing is running. `None` when there is none.
    ///
    /// Before that, work whose lease has run out is put back into the queue, or parked when that was the eighth time in
    /// a row.
    pub async fn claim(&self, now: Timestamp, lease: Duration) -> Result<Option<Claimed>, StoreError> {
        for _ in 0..ATTEMPTS_TO_CLAIM {
            match self.try_claim(now, lease).await {
                // Two workers marked two rows of one subject, and the index let one through.
                Err(error) if error.is_duplicate() => {}
                outcome => return outcome,
            }
        }
        Ok(None)
    }

    async fn try_claim(&self, now: Timestamp, lease: Duration) -> Result<Option<Claimed>, StoreError> {
        let mut tx = self.begin().await?;
        let clock = tx.database_clock().await?;
        let expired: Vec<(String, String, String, i64)> = tx.rows(EXPIRED, values![clock]).await?;
        for (id, token, key, expiries) in &expired {
            if expiries + 1 >= EXPIRIES_MAX {
                let error = format!("the worker that had it did not come back {EXPIRIES_MAX} times");
                tx.execute(DELETE_PARKED_OF_KEY, values![key]).await?;
                tx.execute(PARK, values![id, token, error]).await?;
            } else {
                let error = "the worker that had it did not come back in time";
                tx.execute(PUT_BACK, values![new_id(), error, id, token]).await?;
                tx.execute(DELETE_RUNNING, values![id, token]).await?;
            }
        }
        let next: Option<WorkRecord> = tx.rows(NEXT, values![now]).await?.into_iter().next();
        let mut claimed = None;
        if let Some(record) = next {
            let lease_token = new_id();
            let lease_until = until(clock, lease);
            let started = tx.execute(START, values![&record.id, &lease_token, lease_until]).await?;
            let mut work = record.read()?;
            work.attempts += 1;
            work.state = WorkState::Running;
            claimed = (started > 0).then(|| Claimed { work, lease_token, lease_until: time(lease_until) });
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// Extends a claim, to end `lease` from now.
    ///
    /// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours.
    pub async fn heartbeat(&self, claimed: &Claimed, lease: Duration) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let lease_until = until(tx.database_clock().await?, lease);
        let touched = tx.execute(HEARTBEAT, values![&claimed.work.id.0, &claimed.lease_token, lease_until]).await?;
        tx.held(touched)?;
        tx.commit().await
    }

    /// Work that was given up, newest first.
    pub async fn parked(&self, limit: u32) -> Result<Vec<WorkRow>, StoreError> {
        self.rows(PARKED, values![limit]).await?.into_iter().map(WorkRecord::read).collect()
    }

    /// The work that was given up under a key; there is at most one piece.
    pub async fn parked_under(&self, unique_key: &str) -> Result<Option<WorkId>, StoreError> {
        Ok(self.row::<(String,)>(PARKED_OF_KEY, values![unique_key]).await?.map(|(id,)| WorkId(id)))
    }

    /// How much work each station has in each state.
    pub async fn queue_depth(&self) -> Result<Vec<QueueDepth>, StoreError> {
        let rows: Vec<(String, String, i64)> = self.rows(DEPTH, values![]).await?;
        rows.into_iter()
            .map(|(step, state, count)| {
                Ok(QueueDepth { step, state: word("work.state", &state, WorkState::from_word)?, count })
            })
            .collect()
    }
}

impl Tx {
    /// Queues a piece of work. Where one waits under the same key, that one takes over the newer arguments, the
    /// earlier time and the higher priority instead.
    pub async fn enqueue(&mut self, new: &NewWork, now: Timestamp) -> Result<(), StoreError> {
        self.execute(ENQUEUE, new.row(now)?).await.map(drop)
    }

    /// Queues a piece of work, unless some waits under the same key: that one keeps its time, which may be a pause after
    /// a failure.
    pub async fn enqueue_unless_queued(&mut self, new: &NewWork, now: Timestamp) -> Result<(), StoreError> {
        self.execute(ENQUEUE_UNLESS_QUEUED, new.row(now)?).await.map(drop)
    }

    /// Makes this transaction worth nothing unless the claim is still ours: for what is written in the middle of a step.
    ///
    /// Errors: [`StoreError::LeaseLost`] when it is not; this transaction can then not be committed.
    pub async fn still_ours(&mut self, claimed: &Claimed) -> Result<(), StoreError> {
        let touched = self.execute(HELD, values![&claimed.work.id.0, &claimed.lease_token]).await?;
        self.held(touched)
    }

    /// Makes the steps of one name on a subject that were put back due at once.
    pub async fn hasten(&mut self, subject: &str, step: &str, now: Timestamp) -> Result<(), StoreError> {
        self.execute(HASTEN_SUBJECT, values![subject, step, now]).await.map(drop)
    }

    /// Makes the steps of an installation that were put back due at once.
    pub async fn hasten_installation(
        &mut self,
        installation: InstallationId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(HASTEN, values![installation, now]).await.map(drop)
    }

    /// Ends a piece of work: it is done. What was parked under the same key is settled with it.
    ///
    /// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours; this transaction can then not be committed.
    pub async fn finish(&mut self, claimed: &Claimed) -> Result<(), StoreError> {
        let touched = self.execute(DELETE_RUNNING, values![&claimed.work.id.0, &claimed.lease_token]).await?;
        self.held(touched)?;
        self.execute(DELETE_PARKED_OF_KEY, values![&claimed.work.unique_key]).await.map(drop)
    }

    /// Puts a piece of work back, to be tried again at `due_at` or, where newer work waits under its key, with that.
    ///
    /// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours; this transaction can then not be committed.
    pub async fn retry(&mut self, claimed: &Claimed, due_at: Timestamp, error: &str) -> Result<(), StoreError> {
        let (id, token) = (&claimed.work.id.0, &claimed.lease_token);
        let touched = self.execute(RETRY, values![new_id(), error, id, token, due_at]).await?;
        self.held(touched)?;
        self.execute(DELETE_RUNNING, values![id, token]).await.map(drop)
    }

    /// Gives a piece of work up, until [`Tx::unpark`]. Of one key, the last to be parked is kept.
    ///
    /// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours; this transaction can then not be committed.
    pub async fn park(&mut self, claimed: &Claimed, error: &str) -> Result<(), StoreError> {
        self.execute(DELETE_PARKED_OF_KEY, values![&claimed.work.unique_key]).await?;
        let touched = self.execute(PARK, values![&claimed.work.id.0, &claimed.lease_token, error]).await?;
        self.held(touched)
    }

    /// Queues parked work again, due at once and with its attempts forgotten; `false` when it is not parked.
    pub async fn unpark(&mut self, id: &WorkId, now: Timestamp) -> Result<bool, StoreError> {
        let queued = self.execute(UNPARK, values![new_id(), now, &id.0]).await?;
        self.execute(DELETE_PARKED, values![&id.0]).await?;
        Ok(queued > 0)
    }

    /// Queues all parked work of an installation again, and says how much that was.
    pub async fn unpark_installation(
        &mut self,
        installation: InstallationId,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let parked: Vec<(String,)> = self.rows(PARKED_OF_INSTALLATION, values![installation]).await?;
        let count = parked.len();
        for (id,) in parked {
            self.unpark(&WorkId(id), now).await?;
        }
        Ok(count)
    }

    /// Milliseconds since the epoch, by the clock that all workers share.
    async fn database_clock(&mut self) -> Result<i64, StoreError> {
        let rows: Vec<(i64,)> = self.rows(DATABASE_CLOCK, values![]).await?;
        rows.first().map(|(clock,)| *clock).ok_or_else(|| StoreError::corrupt("the database's clock", "no answer"))
    }

    /// Turns "no row had our token" into the loss of the lease.
    fn held(&mut self, touched: u64) -> Result<(), StoreError> {
        if touched > 0 {
            return Ok(());
        }
        self.lease_lost = true;
        Err(StoreError::LeaseLost)
    }
}

/// A new identifier, later than those before it.
fn new_id() -> String {
    Uuid::now_v7().to_string()
}

fn until(clock_ms: i64, lease: Duration) -> i64 {
    clock_ms.saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX))
}

impl NewWork {
    fn row(&self, now: Timestamp) -> Result<Vec<Value>, StoreError> {
        Ok(values![
            new_id(),
            &self.step,
            &self.subject,
            &self.unique_key,
            self.installation,
            to_json("work.args", &self.args)?,
            self.priority,
            self.due_at,
            now
        ])
    }
}

impl WorkRecord {
    fn read(self) -> Result<WorkRow, StoreError> {
        Ok(WorkRow {
            id: WorkId(self.id),
            step: self.step,
            subject: self.subject,
            unique_key: self.unique_key,
            installation: self.installation_id.map(InstallationId),
            args: from_json("work.args", &self.args)?,
            priority: self.priority,
            state: word("work.state", &self.state, WorkState::from_word)?,
            due_at: time(self.due_at),
            attempts: small("work.attempts", self.attempts)?,
            last_error: self.last_error,
            created_at: time(self.created_at),
        })
    }
}
