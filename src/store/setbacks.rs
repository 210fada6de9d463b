//! Work that failed: parked until somebody retries it, or put back for another attempt. For people, and for whoever
//! retries on their behalf.

use super::sql::{Value, parsed, small, statements, time, values};
use super::{Store, StoreError, Tx, WorkId};
use crate::domain::{RepoId, RepoName};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// A piece of work that did not get through at its last attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setback {
    /// Ours; another one when it is put back again.
    pub id: WorkId,
    /// Which station does it.
    pub step: String,
    /// What it is serialised on: `repo:42`, `installation:7`, `package:pypi/httpx`, `delivery:GUID`.
    pub subject: String,
    /// The repository that `subject` means, where it means one that is known.
    pub repository: Option<RepoName>,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it did not get through.
    pub error: String,
    /// What happens next.
    pub next: Next,
}

/// What happens next with work that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing by itself: it is parked since then.
    Parked {
        /// Since when.
        since: Timestamp,
    },
    /// It is tried again.
    Again {
        /// Not before then.
        at: Timestamp,
    },
}

#[derive(sqlx::FromRow)]
struct SetbackRecord {
    id: String,
    step: String,
    subject: String,
    state: String,
    due_at: i64,
    attempts: i64,
    last_error: Option<String>,
}

macro_rules! select_setbacks {
    ($tail:literal) => {
        concat!("SELECT id, step, subject, state, due_at, attempts, last_error FROM work ", $tail)
    };
}

statements! {
    PARKED_SETBACKS = select_setbacks!("WHERE state = 'parked' ORDER BY due_at DESC, id LIMIT $1");
    PARKED_ON = select_setbacks!("WHERE state = 'parked' AND subject = $1 ORDER BY due_at DESC, id");
    PUT_BACK_ON = select_setbacks!("WHERE state = 'queued' AND subject = $1 AND attempts > 0 AND last_error IS NOT NULL ORDER BY due_at, id");
    PARKED_WORK = select_setbacks!("WHERE id = $1 AND state = 'parked'");
    NAMES = "WITH wanted (id) AS (VALUES ($1))
        SELECT r.id, r.name FROM wanted JOIN repository r ON r.id = CAST(wanted.id AS BIGINT)";
}

impl Store {
    /// Work that is parked, the latest first.
    pub async fn parked_setbacks(&self, limit: u32) -> Result<Vec<Setback>, StoreError> {
        let records = self.rows(PARKED_SETBACKS, values![limit]).await?;
        self.name_setbacks(records).await
    }

    /// Work on a repository that failed: first what is parked, then what is tried again, the next first.
    pub async fn setbacks_of(&self, repo: RepoId) -> Result<Vec<Setback>, StoreError> {
        let subject = format!("repo:{repo}");
        let mut records: Vec<SetbackRecord> = self.rows(PARKED_ON, values![&subject]).await?;
        records.extend(self.rows::<SetbackRecord>(PUT_BACK_ON, values![&subject]).await?);
        self.name_setbacks(records).await
    }

    /// One piece of work, if it is parked.
    pub async fn parked_setback(&self, id: &WorkId) -> Result<Option<Setback>, StoreError> {
        let records = self.rows(PARKED_WORK, values![&id.0]).await?;
        Ok(self.name_setbacks(records).await?.pop())
    }

    async fn name_setbacks(&self, records: Vec<SetbackRecord>) -> Result<Vec<Setback>, StoreError> {
        let ids: BTreeSet<i64> = records.iter().filter_map(|record| repository_in(&record.subject)).collect();
        let keys: Vec<Vec<Value>> = ids.into_iter().map(|id| values![id]).collect();
        let names: HashMap<i64, String> = self.rows_for::<(i64, String)>(NAMES, keys).await?.into_iter().collect();
        records.into_iter().map(|record| record.read(&names)).collect()
    }
}

impl Tx {
    /// Queues these pieces of work again, due at once and with their attempts forgotten, and returns those that were
    /// still parked.
    pub async fn retry_parked(&mut self, parked: Vec<Setback>, now: Timestamp) -> Result<Vec<Setback>, StoreError> {
        let mut released = Vec::new();
        for setback in parked {
            if self.unpark(&setback.id, now).await? {
                released.push(setback);
            }
        }
        Ok(released)
    }
}

/// The repository a subject means.
fn repository_in(subject: &str) -> Option<i64> {
    subject.strip_prefix("repo:")?.parse().ok()
}

impl SetbackRecord {
    fn read(self, names: &HashMap<i64, String>) -> Result<Setback, StoreError> {
        let name = repository_in(&self.subject).and_then(|id| names.get(&id));
        let at = time(self.due_at);
        Ok(Setback {
            id: WorkId(self.id),
            step: self.step,
            repository: name.map(|name| parsed("repository.name", name, RepoName::parse)).transpose()?,
            subject: self.subject,
            attempts: small("work.attempts", self.attempts)?,
            error: self.last_error.unwrap_or_default(),
            next: if self.state == "parked" { Next::Parked { since: at } } else { Next::Again { at } },
        })
    }
}
