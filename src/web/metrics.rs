//! `GET /metrics`: this process's counters and the shared queue, for Prometheus.

use super::WebState;
use crate::metrics::{BudgetReading, CONTENT_TYPE, QueueReading, Reading};
use crate::store::{BudgetFigure, QueueFigure, Store, StoreError, WorkStanding};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use std::time::Duration;

/// Everything that is counted, as text. 503 when the store cannot be read: a gap says more than half of the figures.
pub async fn metrics(State(state): State<WebState>) -> Response {
    let reading = match read(&state.store, state.clock.now()).await {
        Ok(reading) => reading,
        Err(error) => {
            tracing::warn!(%error, "the figures could not be read");
            let sentence = "the database does not answer; see the server's log\n";
            return (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response();
        }
    };
    match state.metrics.render(&reading) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the figures could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn read(store: &Store, now: Timestamp) -> Result<Reading, StoreError> {
    let queue = store.queue_figures(now).await?.into_iter().map(|figure| queue(figure, now)).collect();
    let budgets = store.budget_figures().await?.into_iter().map(|figure| budget(&figure, now)).collect();
    Ok(Reading { queue, budgets })
}

fn queue(figure: QueueFigure, now: Timestamp) -> QueueReading {
    let oldest = (figure.standing == WorkStanding::Ready).then(|| span(figure.first_due_at, now));
    QueueReading { step: figure.step, state: figure.standing.as_str(), count: figure.count, oldest }
}

fn budget(figure: &BudgetFigure, now: Timestamp) -> BudgetReading {
    // Once its window is over, what was left of it says nothing any more.
    let over = figure.resets_at.is_some_and(|at| at <= now);
    BudgetReading {
        installation: figure.installation,
        remaining: if over { figure.limit } else { figure.remaining },
        limit: figure.limit,
        pause: figure.paused_until.map_or(Duration::ZERO, |until| span(now, until)),
    }
}

/// From one moment to a later one; nothing if it is not later.
fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
