//! Pull requests that are to be merged.

use super::sql::{parsed, statements, time, values};
use super::{Store, StoreError, Tx};
use crate::domain::{Merging, ObjectId, ProposalId};

#[derive(sqlx::FromRow)]
struct MergingRecord {
    head: String,
    since: i64,
    sent_at: Option<i64>,
}

statements! {
    MERGING = "SELECT head, since, sent_at FROM merging WHERE proposal_id = $1";
    SAVE_MERGING = "INSERT INTO merging (proposal_id, head, since, sent_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (proposal_id) DO UPDATE SET head = excluded.head, since = excluded.since, sent_at = excluded.sent_at";
}

impl Store {
    /// What is remembered of a proposal whose pull request is to be merged.
    pub async fn merging(&self, proposal: &ProposalId) -> Result<Option<Merging>, StoreError> {
        let record: Option<MergingRecord> = self.row(MERGING, values![proposal]).await?;
        record
            .map(|record| {
                Ok(Merging {
                    head: parsed("merging.head", &record.head, ObjectId::parse)?,
                    since: time(record.since),
                    sent_at: record.sent_at.map(time),
                })
            })
            .transpose()
    }
}

impl Tx {
    /// Remembers something of a proposal whose pull request is to be merged.
    pub async fn save_merging(&mut self, proposal: &ProposalId, merging: &Merging) -> Result<(), StoreError> {
        let Merging { head, since, sent_at } = merging;
        self.execute(SAVE_MERGING, values![proposal, head, *since, *sent_at]).await.map(drop)
    }
}
