//! What GitHub allows each installation, as last heard by any process: requests left, pauses, the line of writes.
//!
//! Several processes hear at the same time and store out of order, so a row only ever moves forward: a window's
//! remaining requests get fewer, and the later end of a pause counts. The App itself has the row 0.

use super::sql::{Value, small, statements, time, to_json, values, word};
use super::work::queued_by_key;
use super::{Claimed, Store, StoreError, Tx};
use crate::domain::{InstallationId, Limit, Pace, Pause, Quota};
use jiff::Timestamp;

/// What an installation, or the App itself, may ask of GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Whose it is; `None` for the App itself.
    pub installation: Option<InstallationId>,
    /// The requests of the present window, if any answer told.
    pub quota: Option<Quota>,
    /// When that was heard.
    pub observed_at: Option<Timestamp>,
    /// The last pause; it may be over.
    pub pause: Option<Pause>,
    /// How often in a row GitHub refused without naming the end of a pause.
    pub refusals: u32,
    /// The line of those who want to write.
    pub pace: Pace,
}

#[derive(sqlx::FromRow)]
struct BudgetRecord {
    installation_id: i64,
    request_limit: Option<i64>,
    remaining: Option<i64>,
    resets_at: Option<i64>,
    observed_at: Option<i64>,
    paused_until: Option<i64>,
    pause_reason: Option<String>,
    refusals: i64,
    next_write_at: i64,
    writes_used_to: i64,
}

macro_rules! columns {
    ($start:literal, $end:literal) => {
        concat!(
            $start,
            " installation_id, request_limit, remaining, resets_at, observed_at, paused_until, pause_reason, refusals,
            next_write_at, writes_used_to ",
            $end
        )
    };
}

statements! {
    BUDGET = columns!("SELECT", "FROM budget WHERE installation_id = $1");
    BUDGETS_FOR = columns!("SELECT", "FROM budget WHERE installation_id IN (0, $1)");
    BUDGETS = columns!("SELECT", "FROM budget ORDER BY installation_id LIMIT $1");
    /// Makes the row where it is missing, changes nothing, and locks it until the transaction ends.
    LOCK_BUDGET = columns!(
        "INSERT INTO budget (installation_id) VALUES ($1)
        ON CONFLICT (installation_id) DO UPDATE SET refusals = budget.refusals RETURNING", "");
    SAVE_QUOTA = "INSERT INTO budget (installation_id, request_limit, remaining, resets_at, observed_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (installation_id) DO UPDATE SET
            request_limit = excluded.request_limit,
            remaining = CASE WHEN budget.resets_at = excluded.resets_at AND budget.remaining < excluded.remaining
                THEN budget.remaining ELSE excluded.remaining END,
            resets_at = excluded.resets_at, observed_at = excluded.observed_at
        WHERE budget.resets_at IS NULL OR budget.resets_at <= excluded.resets_at";
    SAVE_PAUSE = "INSERT INTO budget (installation_id, paused_until, pause_reason, refusals) VALUES ($1, $2, $3, $4)
        ON CONFLICT (installation_id) DO UPDATE SET
            pause_reason = CASE WHEN budget.paused_until > excluded.paused_until THEN budget.pause_reason
                ELSE excluded.pause_reason END,
            paused_until = CASE WHEN budget.paused_until > excluded.paused_until THEN budget.paused_until
                ELSE excluded.paused_until END,
            refusals = excluded.refusals";
    SAVE_PACE = "UPDATE budget SET next_write_at = $2, writes_used_to = $3 WHERE installation_id = $1";
    POSTPONE_ASKING = queued_by_key!("due_at = $2, turn = NULL", "installation_id = $1 AND asks_github AND due_at < $2", ""),
        on postgres: queued_by_key!("due_at = $2, turn = NULL", "installation_id = $1 AND asks_github AND due_at < $2",
        " COLLATE \"C\" FOR UPDATE");
    WRITES_DUE = "SELECT count(*) FROM work WHERE installation_id = $1 AND state = 'queued' AND due_at <= $2
        AND step IN ($3, $4, $5, $6, $7, $8, $9)";
    KEEP_ARGS = "UPDATE work SET args = $3 WHERE id = $1 AND lease_token = $2 AND state = 'running'";
}

fn row_of(installation: Option<InstallationId>) -> i64 {
    installation.map_or(0, |installation| installation.0)
}

impl Store {
    /// What an installation, or the App itself, may ask; an empty budget where nothing was heard yet.
    pub async fn budget(&self, installation: Option<InstallationId>) -> Result<Budget, StoreError> {
        let record: Option<BudgetRecord> = self.row(BUDGET, values![row_of(installation)]).await?;
        record.map_or(Ok(Budget::unheard(installation)), BudgetRecord::read)
    }

    /// The budget of an installation and that of the App itself, as far as there are any.
    pub async fn budgets_for(&self, installation: Option<InstallationId>) -> Result<Vec<Budget>, StoreError> {
        let rows = self.rows(BUDGETS_FOR, values![row_of(installation)]).await?;
        rows.into_iter().map(BudgetRecord::read).collect()
    }

    /// The budgets of the App and of its installations, in the order of their numbers.
    pub async fn budgets(&self, limit: u32) -> Result<Vec<Budget>, StoreError> {
        self.rows(BUDGETS, values![limit]).await?.into_iter().map(BudgetRecord::read).collect()
    }

    /// Whether any work of these steps waits in an installation's name and is due by a time.
    pub async fn any_due(
        &self,
        installation: InstallationId,
        steps: [&str; 7],
        by: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut given = values![installation, by];
        given.extend(steps.map(Value::from));
        let rows: Vec<(i64,)> = self.rows(WRITES_DUE, given).await?;
        Ok(rows.first().is_some_and(|(count,)| *count > 0))
    }
}

impl Tx {
    /// The budget, with its row locked until this transaction ends: for what is decided on it.
    pub async fn lock_budget(&mut self, installation: Option<InstallationId>) -> Result<Budget, StoreError> {
        let rows: Vec<BudgetRecord> = self.rows(LOCK_BUDGET, values![row_of(installation)]).await?;
        rows.into_iter().next().map_or(Ok(Budget::unheard(installation)), BudgetRecord::read)
    }

    /// Stores what an answer's headers told. What is known of a later window stays, and within one window the smaller
    /// number of remaining requests counts.
    pub async fn save_quota(
        &mut self,
        installation: Option<InstallationId>,
        quota: &Quota,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Quota { limit, remaining, resets_at } = *quota;
        self.execute(SAVE_QUOTA, values![row_of(installation), limit, remaining, resets_at, now]).await.map(drop)
    }

    /// Stores a pause, unless a longer one is known, and how many refusals in a row have led to it.
    pub async fn save_pause(
        &mut self,
        installation: Option<InstallationId>,
        pause: &Pause,
        refusals: u32,
    ) -> Result<(), StoreError> {
        let row = values![row_of(installation), pause.until, pause.limit.as_str(), refusals];
        self.execute(SAVE_PAUSE, row).await.map(drop)
    }

    /// Stores how far the line of writes has been given out. The row was locked by [`Tx::lock_budget`].
    pub async fn save_pace(&mut self, installation: Option<InstallationId>, pace: &Pace) -> Result<(), StoreError> {
        self.execute(SAVE_PACE, values![row_of(installation), pace.next_write_at, pace.used_to]).await.map(drop)
    }

    /// Moves all waiting work of an installation that asks GitHub and is due earlier to `until`.
    pub async fn postpone_asking(&mut self, installation: InstallationId, until: Timestamp) -> Result<(), StoreError> {
        self.execute(POSTPONE_ASKING, values![installation, until]).await.map(drop)
    }

    /// Replaces the arguments of a claimed piece of work, for its next claim.
    ///
    /// Errors: [`StoreError::LeaseLost`] when the claim is no longer ours; this transaction can then not be committed.
    pub async fn keep_args(&mut self, claimed: &Claimed, args: &serde_json::Value) -> Result<(), StoreError> {
        let args = to_json("work.args", args)?;
        let touched = self.execute(KEEP_ARGS, values![&claimed.work.id.0, &claimed.lease_token, args]).await?;
        self.held(touched > 0)
    }
}

impl Budget {
    fn unheard(installation: Option<InstallationId>) -> Self {
        Self { installation, quota: None, observed_at: None, pause: None, refusals: 0, pace: Pace::IDLE }
    }
}

impl BudgetRecord {
    fn read(self) -> Result<Budget, StoreError> {
        let quota = match (self.request_limit, self.remaining, self.resets_at) {
            (Some(limit), Some(remaining), Some(resets_at)) => {
                Some(Quota { limit, remaining, resets_at: time(resets_at) })
            }
            _ => None,
        };
        let pause = match (self.paused_until, self.pause_reason) {
            (Some(until), Some(reason)) => {
                Some(Pause { until: time(until), limit: word("budget.pause_reason", &reason, Limit::from_word)? })
            }
            _ => None,
        };
        Ok(Budget {
            installation: Some(InstallationId(self.installation_id)).filter(|id| id.0 != 0),
            quota,
            observed_at: self.observed_at.map(time),
            pause,
            refusals: small("budget.refusals", self.refusals)?,
            pace: Pace { next_write_at: time(self.next_write_at), used_to: time(self.writes_used_to) },
        })
    }
}
