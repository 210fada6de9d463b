//! Webhooks as they came, and what became of them.

use super::sql::{statements, time, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{DeliveryId, InstallationId, RepoId};
use jiff::Timestamp;
use std::collections::HashSet;

/// A webhook to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// GitHub's GUID, the same at every redelivery.
    pub guid: DeliveryId,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`, for events that have one.
    pub action: Option<String>,
    /// The installation it is about.
    pub installation: Option<InstallationId>,
    /// The repository it is about.
    pub repo: Option<RepoId>,
    /// The body as it came.
    pub payload: String,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It asked for something, and that was put into the queue.
    Handled,
    /// Nothing of ours: an event or action we do not act on.
    Ignored,
    /// It made no sense to us; the note says why.
    Refused,
}

impl Outcome {
    /// Every outcome, in the order of the declaration.
    pub const ALL: [Self; 3] = [Self::Handled, Self::Ignored, Self::Refused];

    /// The word the store and the page use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
        }
    }

    /// The outcome a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// A stored webhook, without its body, which may have megabytes: see [`Store::payload`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// GitHub's GUID.
    pub guid: DeliveryId,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// The installation it is about.
    pub installation: Option<InstallationId>,
    /// The repository it is about.
    pub repo: Option<RepoId>,
    /// When it first came.
    pub received_at: Timestamp,
    /// When it was dealt with; `None` while it waits.
    pub processed_at: Option<Timestamp>,
    /// What became of it; `None` while it waits.
    pub outcome: Option<Outcome>,
    /// Why, for people.
    pub note: Option<String>,
}

/// How many deliveries of one kind ended in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// The event.
    pub event: String,
    /// Its action.
    pub action: Option<String>,
    /// What became of them; `None` for those that wait.
    pub outcome: Option<Outcome>,
    /// How many.
    pub count: i64,
}

#[derive(sqlx::FromRow)]
struct DeliveryRecord {
    guid: String,
    event: String,
    action: Option<String>,
    installation_id: Option<i64>,
    repo_id: Option<i64>,
    received_at: i64,
    processed_at: Option<i64>,
    outcome: Option<String>,
    note: Option<String>,
}

#[derive(sqlx::FromRow)]
struct CountRecord {
    event: String,
    action: Option<String>,
    outcome: Option<String>,
    deliveries: i64,
}

macro_rules! select_deliveries {
    ($tail:literal) => {
        concat!(
            "SELECT guid, event, action, installation_id, repo_id, received_at, processed_at, outcome, note ",
            "FROM delivery ",
            $tail
        )
    };
}

statements! {
    INSERT = "INSERT INTO delivery
            (guid, event, action, installation_id, repo_id, payload, received_at, outcome, processed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (guid) DO NOTHING RETURNING guid";
    FINISH = "UPDATE delivery SET outcome = $2, note = $3, processed_at = $4 WHERE guid = $1";
    /// In the order in which they came, so that the next portion need not pass over those of this one.
    DROP_PAYLOADS = "UPDATE delivery SET payload = '' WHERE guid IN (
            SELECT guid FROM delivery
            WHERE received_at >= $1 AND received_at < $2 AND processed_at IS NOT NULL AND payload <> ''
            ORDER BY received_at LIMIT $3)
        RETURNING received_at";
    DROP = "DELETE FROM delivery WHERE guid IN (
            SELECT guid FROM delivery WHERE received_at < $1 AND processed_at IS NOT NULL
            ORDER BY received_at LIMIT $2)";
    /// The key of such a step is its station and the GUID.
    REFUSE_PARKED = "UPDATE delivery SET outcome = 'refused', processed_at = $1, note = (
            SELECT last_error FROM work WHERE state = 'parked' AND unique_key = 'inbox:' || delivery.guid)
        WHERE processed_at IS NULL
        AND guid IN (SELECT substr(unique_key, 7) FROM work WHERE state = 'parked' AND step = 'inbox')";
    STORED = "SELECT guid FROM delivery WHERE guid IN (VALUES ($1))";
    BY_GUID = select_deliveries!("WHERE guid = $1");
    RECENT = select_deliveries!("ORDER BY received_at DESC, guid LIMIT $1");
    PAYLOAD = "SELECT payload FROM delivery WHERE guid = $1";
    COUNTS = "SELECT event, action, outcome, count(*) AS deliveries FROM delivery
        GROUP BY event, action, outcome ORDER BY event, action, outcome";
}

impl Store {
    /// One delivery.
    pub async fn delivery(&self, guid: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.row(BY_GUID, values![guid]).await?.map(DeliveryRecord::read).transpose()
    }

    /// The body of one delivery; empty once [`Tx::drop_payloads`] has dropped it.
    pub async fn payload(&self, guid: &DeliveryId) -> Result<Option<String>, StoreError> {
        Ok(self.row::<(String,)>(PAYLOAD, values![guid]).await?.map(|(payload,)| payload))
    }

    /// Those of these deliveries that are stored.
    pub async fn stored_deliveries(
        &self,
        guids: impl IntoIterator<Item = &DeliveryId>,
    ) -> Result<HashSet<DeliveryId>, StoreError> {
        let keys = guids.into_iter().map(|guid| values![guid]).collect();
        let rows: Vec<(String,)> = self.rows_for(STORED, keys).await?;
        Ok(rows.into_iter().map(|(guid,)| DeliveryId(guid)).collect())
    }

    /// The latest deliveries, newest first.
    pub async fn recent_deliveries(&self, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        self.rows(RECENT, values![limit]).await?.into_iter().map(DeliveryRecord::read).collect()
    }

    /// How many deliveries of each kind there were, and how they ended.
    pub async fn event_counts(&self) -> Result<Vec<EventCount>, StoreError> {
        let rows: Vec<CountRecord> = self.rows(COUNTS, values![]).await?;
        rows.into_iter()
            .map(|row| {
                let outcome = outcome(row.outcome)?;
                Ok(EventCount { event: row.event, action: row.action, outcome, count: row.deliveries })
            })
            .collect()
    }
}

impl Tx {
    /// Stores deliveries, each with what became of it already, if anything, and when it came. Says which are new: the
    /// others were stored before.
    pub async fn insert_deliveries(
        &mut self,
        mut new: Vec<(NewDelivery, Option<Outcome>, Timestamp)>,
    ) -> Result<HashSet<DeliveryId>, StoreError> {
        // In one order for everybody: two processes that were both given the same two would wait for each other.
        new.sort_by(|(one, ..), (other, ..)| one.guid.cmp(&other.guid));
        let rows = new.into_iter().map(|(new, outcome, at)| {
            let NewDelivery { guid, event, action, installation, repo, payload } = new;
            let outcome = outcome.map(Outcome::as_str);
            values![guid.0, event, action, installation, repo, payload, at, outcome, outcome.map(|_| at)]
        });
        let inserted: Vec<(String,)> = self.rows_for(INSERT, rows.collect()).await?;
        Ok(inserted.into_iter().map(|(guid,)| DeliveryId(guid)).collect())
    }

    /// Stores a delivery; `false` when its GUID was stored before.
    pub async fn insert_delivery(&mut self, new: &NewDelivery, now: Timestamp) -> Result<bool, StoreError> {
        Ok(!self.insert_deliveries(vec![(new.clone(), None, now)]).await?.is_empty())
    }

    /// Notes what became of a delivery.
    pub async fn finish_delivery(
        &mut self,
        guid: &DeliveryId,
        outcome: Outcome,
        note: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(FINISH, values![guid, outcome.as_str(), note, now]).await.map(drop)
    }

    /// Empties the bodies of at most `limit` processed deliveries received since `from` and before `before`, the oldest
    /// first, and says up to when: where the next portion begins. `None` when there was none left. The rows stay: a late
    /// redelivery must still be known.
    pub async fn drop_payloads(
        &mut self,
        from: Timestamp,
        before: Timestamp,
        limit: u32,
    ) -> Result<Option<Timestamp>, StoreError> {
        let emptied: Vec<(i64,)> = self.rows(DROP_PAYLOADS, values![from, before, limit]).await?;
        Ok(emptied.into_iter().map(|(at,)| at).max().map(time))
    }

    /// Drops at most `limit` processed deliveries received before `before`, the oldest first, and says how many.
    pub async fn drop_deliveries(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.execute(DROP, values![before, limit]).await
    }

    /// Ends the deliveries whose step was given up before it could say what became of them, with its reason.
    pub async fn refuse_parked_deliveries(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.execute(REFUSE_PARKED, values![now]).await
    }
}

fn outcome(text: Option<String>) -> Result<Option<Outcome>, StoreError> {
    text.map(|text| word("delivery.outcome", &text, Outcome::from_word)).transpose()
}

impl DeliveryRecord {
    fn read(self) -> Result<Delivery, StoreError> {
        Ok(Delivery {
            guid: DeliveryId(self.guid),
            event: self.event,
            action: self.action,
            installation: self.installation_id.map(InstallationId),
            repo: self.repo_id.map(RepoId),
            received_at: time(self.received_at),
            processed_at: self.processed_at.map(time),
            outcome: outcome(self.outcome)?,
            note: self.note,
        })
    }
}
