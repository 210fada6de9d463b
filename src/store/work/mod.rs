//! The queue: what is to be done, who does it, and since when.
//!
//! The database keeps the promises, not the workers' good behaviour. One unique index allows one running row for
//! each subject, another one queued row for each key. A claim lasts as long as its lease, by the database's clock;
//! its token is checked by every write that ends it, so that a worker that comes back late changes nothing.
//!
//! | file | holds |
//! | --- | --- |
//! | `queueing.rs` | what comes into the queue, or waits in it for another time |
//! | `claims.rs` | whose turn it is, the claim and its end |
//! | `parked.rs` | what was given up, and how it comes back; counts |

mod claims;
mod parked;
mod queueing;

use super::StoreError;
use super::sql::{Statement, Value, from_json, small, time, to_json, values, word};
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
    /// Whether the station asks GitHub: such work waits while its installation is paused.
    pub asks_github: bool,
    /// How long it may wait behind others once it is due: what is impatient goes first.
    pub patience: Duration,
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
    /// Whether the station asks GitHub.
    pub asks_github: bool,
    /// How long it may wait behind others once it is due.
    pub patience: Duration,
    /// Where it stands.
    pub state: WorkState,
    /// Not before this time; of parked work: since when it is.
    pub due_at: Timestamp,
    /// How often it was claimed, but for the claims that ended with [`Tx::put_off`](super::Tx::put_off).
    pub attempts: u32,
    /// How many of these attempts were refused, rather than kept from going on by an outage or the like.
    pub refusals: u32,
    /// How often it was claimed in all.
    pub claims: u32,
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
    /// When the claim ends unless [`Store::heartbeat`](super::Store::heartbeat) extends it; by the database's clock.
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
    asks_github: bool,
    patience: i64,
    state: String,
    due_at: i64,
    attempts: i64,
    refusals: i64,
    claims: i64,
    last_error: Option<String>,
    created_at: i64,
}

/// The columns of a [`WorkRecord`].
macro_rules! work_columns {
    () => {
        "id, step, subject, unique_key, installation_id, args, asks_github, patience, state, due_at, attempts, refusals, claims, \
         last_error, created_at"
    };
}
use work_columns;

/// The time by the clock that all workers share, in milliseconds since the epoch.
macro_rules! database_clock {
    (sqlite) => {
        "CAST(unixepoch('subsec') * 1000 AS BIGINT)"
    };
    (postgres) => {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}
use database_clock;

/// Changes the queued rows that `$which` names, in the order of their keys, as all do who queue many: two of them then wait
/// for each other, and not each for the other. An UPDATE by itself takes rows as it comes upon them.
///
/// The order is that of bytes, as in memory, whatever the database's language; and it is that of an expression, so that no
/// database goes through the whole queue by key for the few rows of a subject.
macro_rules! queued_by_key {
    ($set:literal, $which:literal, $lock:literal) => {
        concat!(
            "WITH chosen AS MATERIALIZED (SELECT id FROM work WHERE state = 'queued' AND ",
            $which,
            " ORDER BY unique_key || ''",
            $lock,
            ") UPDATE work SET ",
            $set,
            " FROM chosen WHERE work.id = chosen.id"
        )
    };
}
pub(super) use queued_by_key;

/// Puts a row back, with its counts, into the queue as a new row, which melts into the one that waits under its key, if
/// there is one. Whoever is put back for the time at which it was due already keeps its place in line.
macro_rules! put_back {
    (
        due $due_at:literal, attempts $attempts:literal, refusals $refusals:literal, expiries $expiries:literal,
        error $error:literal, which $which:literal
    ) => {
        concat!(
            "INSERT INTO work (id, step, subject, unique_key, installation_id, args, asks_github, patience, state, due_at,
                turn, attempts, refusals, claims, expiries, last_error, created_at)
            SELECT $1, step, subject, unique_key, installation_id, args, asks_github, patience, 'queued', ",
            $due_at,
            ", CASE WHEN due_at = ",
            $due_at,
            " THEN turn END, ",
            $attempts,
            ", ",
            $refusals,
            ", claims, ",
            $expiries,
            ", ",
            $error,
            ", created_at FROM work WHERE ",
            $which,
            " ON CONFLICT (unique_key) WHERE state = 'queued' DO UPDATE SET
                due_at = CASE WHEN excluded.due_at < work.due_at THEN excluded.due_at ELSE work.due_at END,
                turn = CASE WHEN excluded.patience < work.patience THEN NULL ELSE work.turn END,
                patience = CASE WHEN excluded.patience < work.patience THEN excluded.patience ELSE work.patience END,
                attempts = CASE WHEN excluded.attempts > work.attempts THEN excluded.attempts ELSE work.attempts END,
                refusals = CASE WHEN excluded.refusals > work.refusals THEN excluded.refusals ELSE work.refusals END,
                claims = CASE WHEN excluded.claims > work.claims THEN excluded.claims ELSE work.claims END,
                expiries = excluded.expiries, last_error = excluded.last_error"
        )
    };
}
use put_back;

/// Every statement of the queue.
pub(super) const STATEMENTS: [&[Statement]; 3] = [queueing::STATEMENTS, claims::STATEMENTS, parked::STATEMENTS];

/// A new identifier, later than those before it.
pub(super) fn new_id() -> String {
    Uuid::now_v7().to_string()
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

impl NewWork {
    /// What is left of two pieces with one key: the newer arguments, the earlier time, the shorter patience.
    fn melted_into(&self, newer: &Self) -> Self {
        Self {
            args: newer.args.clone(),
            due_at: self.due_at.min(newer.due_at),
            patience: self.patience.min(newer.patience),
            ..self.clone()
        }
    }

    fn row(&self, id: String, now: Timestamp) -> Result<Vec<Value>, StoreError> {
        Ok(values![
            id,
            &self.step,
            &self.subject,
            &self.unique_key,
            self.installation,
            to_json("work.args", &self.args)?,
            self.asks_github,
            millis(self.patience),
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
            asks_github: self.asks_github,
            patience: Duration::from_millis(self.patience.unsigned_abs()),
            state: word("work.state", &self.state, WorkState::from_word)?,
            due_at: time(self.due_at),
            attempts: small("work.attempts", self.attempts)?,
            refusals: small("work.refusals", self.refusals)?,
            claims: small("work.claims", self.claims)?,
            last_error: self.last_error,
            created_at: time(self.created_at),
        })
    }
}
