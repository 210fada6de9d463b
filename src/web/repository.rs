//! `GET /repositories/{owner}/{name}`: what there is to say of one repository, as a page or as JSON. Both are the same account.

use super::{WebState, pages};
use crate::domain::RepoName;
use crate::pipeline::account::{Account, account};
use crate::store::{Store, StoreError};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

/// What ends the address of a repository's JSON.
const JSON: &str = ".json";

/// What is asked about a repository.
#[derive(Debug, Default, Deserialize)]
pub struct Question {
    /// Of the JSON, only what is about this package.
    package: Option<String>,
}

/// JSON for who accepts it, or adds `.json` to the address; else the page.
pub async fn repository(
    State(state): State<WebState>,
    Path((owner, name)): Path<(String, String)>,
    Query(question): Query<Question>,
    headers: HeaderMap,
) -> Response {
    let (store, now) = (&state.store, state.clock.now());
    let full = format!("{owner}/{name}");
    let mut response = if accepts_json(&headers) {
        in_json(find(store, &full, now).await, &full, &question)
    } else {
        match (find(store, &full, now).await, full.strip_suffix(JSON)) {
            // A repository may be called so itself.
            (Ok(None), Some(plain)) => in_json(find(store, plain, now).await, plain, &question),
            (found, _) => pages::repository(store, found, now).await,
        }
    };
    response.headers_mut().insert(header::VARY, header::HeaderValue::from_static("accept"));
    response
}

/// Whether JSON is asked for. Browsers, which take anything, ask for HTML.
fn accepts_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds: Vec<String> = accepted
        .flat_map(|value| value.split(','))
        .map(|one| one.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .collect();
    let takes = |kind: &str| kinds.iter().any(|one| one == kind);
    takes("application/json") && !takes("text/html")
}

async fn find(store: &Store, name: &str, now: Timestamp) -> Result<Option<Account>, StoreError> {
    let Ok(name) = RepoName::parse(name) else { return Ok(None) };
    match store.repository_by_name(&name).await? {
        Some(row) => account(store, row, now).await.map(Some),
        None => Ok(None),
    }
}

fn in_json(found: Result<Option<Account>, StoreError>, name: &str, question: &Question) -> Response {
    let refusal = |status: StatusCode, why: String| (status, Json(json!({ "error": why }))).into_response();
    let account = match found {
        Ok(Some(account)) => account,
        Ok(None) => return refusal(StatusCode::NOT_FOUND, format!("the server does not know {name}")),
        Err(error) => {
            tracing::error!(%error, "an account of a repository could not be loaded");
            let why = "the database does not answer; the server's log says why";
            return refusal(StatusCode::SERVICE_UNAVAILABLE, why.into());
        }
    };
    match &question.package {
        None => Json(account.to_json()).into_response(),
        Some(package) => match account.about(package) {
            Some(account) => Json(account.to_json()).into_response(),
            None => refusal(StatusCode::NOT_FOUND, format!("{name} does not use {package}")),
        },
    }
}
