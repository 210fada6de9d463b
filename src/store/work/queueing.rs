//! What comes into the queue, and what waits in it for another time.

use super::{NewWork, new_id, queued_by_key};
use crate::domain::InstallationId;
use crate::store::sql::{Value, statements, values};
use crate::store::{StoreError, Tx};
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What waits under the same key takes over what is newer, earlier and more urgent. A place in line is kept, unless a
/// more impatient request came: that makes it stand in line anew, further in front.
macro_rules! enqueue {
    ($conflict:literal) => {
        concat!(
            "INSERT INTO work
                (id, step, subject, unique_key, installation_id, args, asks_github, patience, due_at, created_at, state,
                attempts)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued', 0)
            ON CONFLICT (unique_key) WHERE state = 'queued' DO ",
            $conflict
        )
    };
}

statements! {
    ENQUEUE = enqueue!("UPDATE SET
        args = excluded.args,
        due_at = CASE WHEN excluded.due_at < work.due_at THEN excluded.due_at ELSE work.due_at END,
        turn = CASE WHEN excluded.patience < work.patience THEN NULL ELSE work.turn END,
        patience = CASE WHEN excluded.patience < work.patience THEN excluded.patience ELSE work.patience END");
    ENQUEUE_UNLESS_QUEUED = enqueue!("NOTHING");
    ENQUEUE_FOR = enqueue!("UPDATE SET args = excluded.args, due_at = excluded.due_at, turn = NULL");
    RUNNING = "SELECT id FROM work WHERE subject = $1 AND unique_key = $2 AND state = 'running'";
    UNDER_WAY = "SELECT id FROM work WHERE unique_key = $1 AND state = 'queued'
        UNION ALL SELECT id FROM work WHERE subject = $2 AND unique_key = $1 AND state = 'running'";
    HASTEN_SUBJECT = queued_by_key!("due_at = $3", "subject = $1 AND step = $2 AND due_at > $3 AND last_error IS NOT NULL", ""),
        on postgres: queued_by_key!("due_at = $3", "subject = $1 AND step = $2 AND due_at > $3 AND last_error IS NOT NULL",
        " COLLATE \"C\" FOR UPDATE");
    HASTEN = queued_by_key!("due_at = $2", "installation_id = $1 AND due_at > $2 AND last_error IS NOT NULL", ""),
        on postgres: queued_by_key!("due_at = $2", "installation_id = $1 AND due_at > $2 AND last_error IS NOT NULL",
        " COLLATE \"C\" FOR UPDATE");
}

impl Tx {
    /// Queues a piece of work. Where one waits under the same key, that one takes over the newer arguments, the
    /// earlier time and the shorter patience instead.
    pub async fn enqueue(&mut self, new: &NewWork, now: Timestamp) -> Result<(), StoreError> {
        self.brings_work(new.due_at, now);
        self.execute(ENQUEUE, new.row(new_id(), now)?).await.map(drop)
    }

    /// Queues many pieces of work as [`Tx::enqueue`] would one after another, in as few statements as the database takes.
    pub async fn enqueue_all(&mut self, new: &[NewWork], now: Timestamp) -> Result<(), StoreError> {
        let rows = self.rows_by_key(new, NewWork::melted_into, now)?;
        self.execute_for(ENQUEUE, rows).await
    }

    /// Queues many pieces of work as [`Tx::enqueue_unless_queued`] would, in as few statements as the database takes.
    pub async fn enqueue_all_unless_queued(&mut self, new: &[NewWork], now: Timestamp) -> Result<(), StoreError> {
        let rows = self.rows_by_key(new, |earlier, _| earlier.clone(), now)?;
        self.execute_for(ENQUEUE_UNLESS_QUEUED, rows).await
    }

    /// The rows of one wide statement, which cannot write one row twice: what has the same key is one piece before.
    ///
    /// In the order of their keys, for all: two transactions then wait for each other, and not each for the other. Whoever
    /// was named first keeps the earlier identifier, and with it the place in line.
    fn rows_by_key(
        &mut self,
        new: &[NewWork],
        melt: impl Fn(&NewWork, &NewWork) -> NewWork,
        now: Timestamp,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let mut by_key: BTreeMap<&str, (String, Cow<'_, NewWork>)> = BTreeMap::new();
        for work in new {
            self.brings_work(work.due_at, now);
            by_key
                .entry(&work.unique_key)
                .and_modify(|(_, earlier)| *earlier = Cow::Owned(melt(earlier, work)))
                .or_insert_with(|| (new_id(), Cow::Borrowed(work)));
        }
        by_key.into_values().map(|(id, work)| work.row(id, now)).collect()
    }

    /// Queues a piece of work, unless some waits under the same key: that one keeps its time, which may be a pause after
    /// a failure.
    pub async fn enqueue_unless_queued(&mut self, new: &NewWork, now: Timestamp) -> Result<(), StoreError> {
        self.brings_work(new.due_at, now);
        self.execute(ENQUEUE_UNLESS_QUEUED, new.row(new_id(), now)?).await.map(drop)
    }

    /// Queues a piece of work for its time and no other: what waits under the same key takes over the later time too.
    pub async fn enqueue_for(&mut self, new: &NewWork, now: Timestamp) -> Result<(), StoreError> {
        self.brings_work(new.due_at, now);
        self.execute(ENQUEUE_FOR, new.row(new_id(), now)?).await.map(drop)
    }

    /// Whether a piece of work under the same key is being done at this moment.
    pub async fn is_running(&mut self, new: &NewWork) -> Result<bool, StoreError> {
        Ok(!self.rows::<(String,)>(RUNNING, values![&new.subject, &new.unique_key]).await?.is_empty())
    }

    /// Whether a piece of work under the same key waits, or is being done.
    pub async fn is_under_way(&mut self, new: &NewWork) -> Result<bool, StoreError> {
        Ok(!self.rows::<(String,)>(UNDER_WAY, values![&new.unique_key, &new.subject]).await?.is_empty())
    }

    /// Makes the steps of one name on a subject that were put back due at once.
    pub async fn hasten(&mut self, subject: &str, step: &str, now: Timestamp) -> Result<(), StoreError> {
        self.brings_work(now, now);
        self.execute(HASTEN_SUBJECT, values![subject, step, now]).await.map(drop)
    }

    /// Makes the steps of an installation that were put back due at once.
    pub async fn hasten_installation(
        &mut self,
        installation: InstallationId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.brings_work(now, now);
        self.execute(HASTEN, values![installation, now]).await.map(drop)
    }
}
