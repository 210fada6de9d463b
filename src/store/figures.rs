//! Figures for operators, read when somebody asks: how long the queue is, and what GitHub allows.

use super::sql::{statements, time, values};
use super::{Store, StoreError};
use crate::domain::InstallationId;
use jiff::Timestamp;

/// How many pieces of work one station has that stand the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueFigure {
    /// The station.
    pub step: String,
    /// How they stand.
    pub standing: WorkStanding,
    /// How many.
    pub count: i64,
    /// When the first of them was or will be due; of parked work, since when it is.
    pub first_due_at: Timestamp,
}

/// How a piece of work stands at a moment: its state, with what is queued told apart by its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkStanding {
    /// Queued, and due.
    Ready,
    /// Queued for later.
    Waiting,
    /// A worker is at it.
    Running,
    /// Given up until somebody retries it.
    Parked,
}

impl WorkStanding {
    /// Every standing, in the order of the declaration.
    pub const ALL: [Self; 4] = [Self::Ready, Self::Waiting, Self::Running, Self::Parked];

    /// The word the store and the figures use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Parked => "parked",
        }
    }
}

/// What GitHub allows an installation, as last heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetFigure {
    /// The installation; `None` is the App itself.
    pub installation: Option<InstallationId>,
    /// Requests in a window.
    pub limit: Option<i64>,
    /// Requests left in the window that ends at `resets_at`.
    pub remaining: Option<i64>,
    /// When that window ends.
    pub resets_at: Option<Timestamp>,
    /// Until when GitHub wants to hear nothing.
    pub paused_until: Option<Timestamp>,
}

type BudgetRecord = (i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

statements! {
    /// Reads the whole queue, which is why it is asked for seldom.
    QUEUE_FIGURES = "SELECT step, CASE WHEN state <> 'queued' THEN state WHEN due_at > $1 THEN 'waiting' ELSE 'ready' END
            AS standing, count(*), min(due_at) FROM work GROUP BY step, standing ORDER BY step, standing";
    BUDGET_FIGURES = "SELECT installation_id, request_limit, remaining, resets_at, paused_until FROM budget
        ORDER BY installation_id";
}

impl Store {
    /// How much work each station has at `now`, by how it stands.
    pub async fn queue_figures(&self, now: Timestamp) -> Result<Vec<QueueFigure>, StoreError> {
        let rows: Vec<(String, String, i64, i64)> = self.rows(QUEUE_FIGURES, values![now]).await?;
        rows.into_iter()
            .map(|(step, word, count, first)| {
                let standing = WorkStanding::ALL.into_iter().find(|standing| standing.as_str() == word);
                let standing = standing.ok_or_else(|| StoreError::corrupt("work.state", &word))?;
                Ok(QueueFigure { step, standing, count, first_due_at: time(first) })
            })
            .collect()
    }

    /// What GitHub allows each installation that was heard of.
    pub async fn budget_figures(&self) -> Result<Vec<BudgetFigure>, StoreError> {
        let rows: Vec<BudgetRecord> = self.rows(BUDGET_FIGURES, values![]).await?;
        Ok(rows
            .into_iter()
            .map(|(installation, limit, remaining, resets_at, paused_until)| BudgetFigure {
                installation: (installation != 0).then_some(InstallationId(installation)),
                limit,
                remaining,
                resets_at: resets_at.map(time),
                paused_until: paused_until.map(time),
            })
            .collect())
    }
}
