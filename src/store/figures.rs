//! Figures for operators, read when somebody asks: how long the queue is.

use super::sql::{statements, time, values};
use super::{Store, StoreError};
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

statements! {
    /// Reads the whole queue, which is why it is asked for seldom.
    QUEUE_FIGURES = "SELECT step, CASE WHEN state <> 'queued' THEN state WHEN due_at > $1 THEN 'waiting' ELSE 'ready' END
            AS standing, count(*), min(due_at) FROM work GROUP BY step, standing ORDER BY step, standing";
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
}
