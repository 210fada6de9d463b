//! Figures for operators, read when somebody asks: how long the queue is.

use super::sql::{statements, time, values, word};
use super::{Store, StoreError, WorkState};
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
    /// The word the figures use.
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
    /// Reads the whole queue, which is why it is asked for seldom. Grouped by columns and by nothing worked out, of which
    /// Postgres would expect as many values as there are rows, and sort them all on its disk. An index for it would be one
    /// more to write with every change of a row, and Postgres could use it only where the table was vacuumed just before.
    QUEUE_FIGURES = "SELECT step, state, count(*), min(due_at),
            count(*) FILTER (WHERE due_at > $1), min(due_at) FILTER (WHERE due_at > $1)
        FROM work GROUP BY step, state ORDER BY step, state";
}

/// A station, a state; how many and the first one's time; how many of them are for later and the first one's time.
type Group = (String, String, i64, i64, i64, Option<i64>);

impl Store {
    /// How much work each station has at `now`, by how it stands.
    pub async fn queue_figures(&self, now: Timestamp) -> Result<Vec<QueueFigure>, StoreError> {
        let groups: Vec<Group> = self.rows(QUEUE_FIGURES, values![now]).await?;
        let mut figures = Vec::new();
        for (step, state, count, first, later, first_later) in groups {
            let figure =
                |standing, count, first| QueueFigure { step: step.clone(), standing, count, first_due_at: time(first) };
            match word("work.state", &state, WorkState::from_word)? {
                WorkState::Running => figures.push(figure(WorkStanding::Running, count, first)),
                WorkState::Parked => figures.push(figure(WorkStanding::Parked, count, first)),
                WorkState::Queued => {
                    if later < count {
                        figures.push(figure(WorkStanding::Ready, count - later, first));
                    }
                    if let Some(first_later) = first_later {
                        figures.push(figure(WorkStanding::Waiting, later, first_later));
                    }
                }
            }
        }
        Ok(figures)
    }
}
