//! What was given up, how it comes back, and how much of everything there is.

use super::{QueueDepth, WorkId, WorkRecord, WorkRow, WorkState, new_id, put_back, work_columns};
use crate::domain::InstallationId;
use crate::store::sql::{statements, values, word};
use crate::store::{Store, StoreError, Tx};
use jiff::Timestamp;

statements! {
    UNPARK = put_back!(due "CAST($2 AS BIGINT)", attempts "0", refusals "0", expiries "0", error "last_error",
        which "id = $3 AND state = 'parked'");
    DELETE_PARKED = "DELETE FROM work WHERE id = $1 AND state = 'parked'";
    PARKED = concat!("SELECT ", work_columns!(), " FROM work WHERE state = 'parked' ORDER BY created_at DESC, id LIMIT $1");
    PARKED_OF_KEY = "SELECT id FROM work WHERE unique_key = $1 AND state = 'parked' LIMIT 1";
    PARKED_OF_INSTALLATION = "SELECT id FROM work WHERE state = 'parked' AND installation_id = $1 ORDER BY id";
    PARKED_COUNT = "SELECT count(*) FROM work WHERE state = 'parked'";
    DEPTH = "SELECT step, state, count(*) FROM work GROUP BY step, state ORDER BY step, state";
}

impl Store {
    /// Work that was given up, newest first.
    pub async fn parked(&self, limit: u32) -> Result<Vec<WorkRow>, StoreError> {
        self.rows(PARKED, values![limit]).await?.into_iter().map(WorkRecord::read).collect()
    }

    /// The work that was given up under a key; there is at most one piece.
    pub async fn parked_under(&self, unique_key: &str) -> Result<Option<WorkId>, StoreError> {
        Ok(self.row::<(String,)>(PARKED_OF_KEY, values![unique_key]).await?.map(|(id,)| WorkId(id)))
    }

    /// How much work was given up.
    pub async fn parked_count(&self) -> Result<i64, StoreError> {
        Ok(self.row::<(i64,)>(PARKED_COUNT, values![]).await?.map_or(0, |(count,)| count))
    }

    /// How much work each station has in each state. Reads the whole queue.
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
    /// Queues parked work again, due at once and with its attempts forgotten; `false` when it is not parked.
    pub async fn unpark(&mut self, id: &WorkId, now: Timestamp) -> Result<bool, StoreError> {
        self.brings_work(now, now);
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
}
