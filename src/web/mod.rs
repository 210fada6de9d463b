//! What the server answers over HTTP: GitHub's webhooks, the page for people, figures for
//! Prometheus, and the probes of an orchestrator.

pub mod access;
pub mod health;
pub mod metrics;
pub mod pages;
pub mod repository;
pub mod retry;
pub mod serve;
pub mod webhook;

use crate::domain::Clock;
use crate::metrics::Metrics;
use crate::pipeline::Mailroom;
use crate::store::Store;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::{get, post};
use secrecy::SecretString;
use std::sync::Arc;

/// What the handlers need.
#[derive(Clone)]
pub struct WebState {
    /// The rows.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The secrets webhooks may be signed with; never empty.
    pub webhook_secrets: Arc<[SecretString]>,
    /// The bearer token that opens the pages from anywhere.
    pub admin_token: Option<SecretString>,
    /// Whether a request made on this machine opens the pages too; see [`access::pages_are_local`].
    pub local_pages: bool,
    /// How much of the webhooks is taken in at a time.
    pub intake: webhook::Intake,
    /// Where webhooks are stored, many at a time.
    pub mailroom: Mailroom,
    /// What is counted.
    pub metrics: Metrics,
}

/// What a process answers that only works through the queue: probes and figures.
pub fn probes(state: WebState) -> Router {
    let figures = Router::new()
        .route("/metrics", get(metrics::metrics))
        .layer(axum::middleware::from_fn_with_state(state.clone(), access::only_for_admins));
    Router::new()
        .merge(figures)
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .with_state(state)
        .layer(axum::middleware::map_response(with_caution))
}

/// All routes.
pub fn router(state: WebState) -> Router {
    let pages = Router::new()
        .route("/", get(pages::overview))
        .route("/repositories/{owner}/{name}", get(repository::repository))
        .route("/metrics", get(metrics::metrics))
        .route("/work/{id}/retry", post(retry::retry).layer(axum::middleware::from_fn(access::only_from_here)))
        .layer(axum::middleware::from_fn_with_state(state.clone(), access::only_for_admins));
    Router::new()
        .merge(pages)
        .route("/assets/style.css", get(pages::style))
        .route("/webhooks/github", post(webhook::receive))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(pages::nothing_here)
        .with_state(state)
        .layer(axum::middleware::map_response(with_caution))
}

/// What a browser may do with our answers: load our own style, send our own forms, and nothing else. Nothing is kept unless
/// the route says so. Other sites are not told where somebody came from; to ourselves the browser names the page's origin.
async fn with_caution(mut response: Response) -> Response {
    const CONTENT_POLICY: &str =
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
