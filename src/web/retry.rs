//! `POST /work/{id}/retry`: a person wants a parked step tried again.

use super::WebState;
use crate::store::{Setback, StoreError, WorkId};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// Which page asked.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// The overview.
    #[default]
    Overview,
    /// The page of the repository that the step is about.
    Repository,
}

/// The query of the address.
#[derive(Debug, Default, Deserialize)]
pub struct RetryQuery {
    /// Where to go back to. The page is named, not its address: that could be anybody's.
    #[serde(default)]
    from: From,
}

/// Queues a parked step again, due at once and with its attempts forgotten.
///
/// A browser is sent back to the page with 303, also when the step is not parked any more: somebody was faster. Others are
/// told: 200 and a sentence, or 404. 503 when the store cannot be used.
pub async fn retry(
    State(state): State<WebState>,
    Path(id): Path<String>,
    Query(RetryQuery { from }): Query<RetryQuery>,
    headers: HeaderMap,
) -> Response {
    let released = match release(&state, &WorkId(id)).await {
        Ok(released) => released,
        Err(error) => {
            tracing::error!(%error, "a parked step could not be queued again");
            let sentence = "the database does not answer; see the server's log, and try again\n";
            return (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response();
        }
    };
    if is_browser(&headers) {
        let repository = released.and_then(|setback| setback.repository);
        return match (from, repository) {
            (From::Repository, Some(name)) => Redirect::to(&format!("/repositories/{name}")).into_response(),
            _ => Redirect::to("/").into_response(),
        };
    }
    match released {
        Some(setback) => {
            let about = setback.repository.map_or(setback.subject, |name| name.to_string());
            format!("queued again: {} of {about}\n", setback.step).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no such step is parked; it may have been retried already\n").into_response(),
    }
}

async fn release(state: &WebState, id: &WorkId) -> Result<Option<Setback>, StoreError> {
    let Some(parked) = state.store.parked_setback(id).await? else { return Ok(None) };
    let mut tx = state.store.begin().await?;
    let released = tx.retry_parked(vec![parked], state.clock.now()).await?.pop();
    tx.commit().await?;
    if let Some(setback) = &released {
        tracing::info!(step = setback.step, subject = setback.subject, work = %setback.id, "a parked step was queued again");
    }
    Ok(released)
}

/// Whether it is a page that asks, rather than a program.
fn is_browser(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|kinds| kinds.contains("text/html"))
}
