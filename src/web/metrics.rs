//! `GET /metrics`: this process's counters and the shared queue, for Prometheus.

use super::WebState;
use crate::metrics::{BudgetReading, CONTENT_TYPE, QueueReading, Reading};
use crate::store::{Budget, QueueFigure, Store, StoreError, WorkStanding};
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
    let budgets = store.budgets(u32::MAX).await?.into_iter().map(|known| budget(&known, now)).collect();
    Ok(Reading { queue, budgets })
}

fn queue(figure: QueueFigure, now: Timestamp) -> QueueReading {
    let oldest = (figure.standing == WorkStanding::Ready).then(|| span(figure.first_due_at, now));
    QueueReading { step: figure.step, state: figure.standing.as_str(), count: figure.count, oldest }
}

fn budget(known: &Budget, now: Timestamp) -> BudgetReading {
    // Once its window is over, what was left of it says nothing any more.
    let left = known.quota.map(|quota| if quota.resets_at <= now { quota.limit } else { quota.remaining });
    BudgetReading {
        installation: known.installation,
        remaining: left,
        limit: known.quota.map(|quota| quota.limit),
        pause: known.pause.map_or(Duration::ZERO, |pause| span(now, pause.until)),
    }
}

/// From one moment to a later one; nothing if it is not later.
fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
