//! The pages for people: what the bot watches, what it proposed, what waits and why.

mod view;

use super::WebState;
use crate::domain::{ProposalState, RepoName};
use crate::store::{Store, StoreError};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use view::{Ended, OverviewPage, ProposalView, RepositoryLine, RepositoryPage, WorkView};

/// How many repositories and proposals of each kind the overview shows.
const SHOWN_MAX: u32 = 200;
/// What the browser may load: our own style, nothing else.
const CONTENT_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /`: repositories, problems and proposals at a glance.
pub async fn overview(State(state): State<WebState>) -> Response {
    answer(load_overview(&state).await)
}

async fn load_overview(state: &WebState) -> Result<OverviewPage, StoreError> {
    let store = &state.store;
    let now = state.clock.now();
    let mut repositories = Vec::new();
    for row in store.repositories(SHOWN_MAX).await? {
        let subscriptions = store.subscriptions(row.repository.id).await?;
        repositories.push(RepositoryLine::new(&row, &subscriptions));
    }
    repositories.sort_by(|a, b| (!a.has_file, &a.name).cmp(&(!b.has_file, &b.name)));
    let waiting = proposals(store, &[ProposalState::Waiting, ProposalState::Failed], now).await?;
    let open = proposals(store, &[ProposalState::Open], now).await?;
    let ended = [ProposalState::Merged, ProposalState::Closed, ProposalState::Superseded, ProposalState::Withdrawn];
    let ended = proposals(store, &ended, now).await?;
    let parked = store.parked(SHOWN_MAX).await?.iter().map(WorkView::new).collect();
    Ok(OverviewPage {
        now: view::time(now),
        shown_max: SHOWN_MAX,
        repositories,
        waiting,
        open,
        ended: Ended(ended),
        parked,
    })
}

async fn proposals(
    store: &Store,
    states: &[ProposalState],
    now: jiff::Timestamp,
) -> Result<Vec<ProposalView>, StoreError> {
    let mut found = store.proposals_in(states, SHOWN_MAX).await?;
    found.sort_by_key(|p| if p.state == ProposalState::Waiting { (0, p.due_at) } else { (1, p.updated_at) });
    let mut views = Vec::new();
    for proposal in found {
        let name = store.repository(proposal.repo).await?.map(|row| row.repository.name);
        views.push(ProposalView::new(&proposal, name.as_ref(), now));
    }
    Ok(views)
}

/// `GET /repositories/{owner}/{name}`: everything known of one repository, and the reason for everything held back.
pub async fn repository(State(state): State<WebState>, Path((owner, name)): Path<(String, String)>) -> Response {
    let Ok(name) = RepoName::parse(&format!("{owner}/{name}")) else { return not_found() };
    match load_repository(&state, &name).await {
        Ok(Some(page)) => answer(Ok(page)),
        Ok(None) => not_found(),
        Err(error) => answer::<RepositoryPage>(Err(error)),
    }
}

async fn load_repository(state: &WebState, name: &RepoName) -> Result<Option<RepositoryPage>, StoreError> {
    let store = &state.store;
    let now = state.clock.now();
    let Some(row) = store.repository_by_name(name).await? else { return Ok(None) };
    let id = row.repository.id;
    let subscriptions = store.subscriptions(id).await?;
    let mut found = store.proposals(id).await?;
    found.sort_by_key(|p| {
        (p.state != ProposalState::Open, p.state != ProposalState::Waiting, std::cmp::Reverse(p.updated_at))
    });
    let proposals = found.iter().map(|p| ProposalView::new(p, None, now)).collect();
    let outlook = store.outlook(id).await?;
    let manifests = store.manifests(id).await?;
    Ok(Some(RepositoryPage::new(&row, &subscriptions, proposals, &outlook, &manifests, now)))
}

fn not_found() -> Response {
    let text = "There is no such repository here. The bot knows those of its installations: see /\n";
    (StatusCode::NOT_FOUND, text).into_response()
}

fn answer<T: Template>(page: Result<T, StoreError>) -> Response {
    let html = match page.map(|page| page.render()) {
        Ok(Ok(html)) => html,
        Ok(Err(error)) => {
            tracing::error!(%error, "a page could not be drawn");
            return (StatusCode::INTERNAL_SERVER_ERROR, "The page could not be drawn; see the server's log.\n")
                .into_response();
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be loaded");
            return (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer; see the server's log.\n")
                .into_response();
        }
    };
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(html)).into_response()
}

/// `GET /assets/style.css`.
pub async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, include_str!("assets/style.css")).into_response()
}
