//! The pages for people: what the bot watches, what it proposed, what waits and why.

mod view;

use super::WebState;
use crate::domain::{ProposalState, RepoId};
use crate::pipeline::account::Account;
use crate::store::{ConfigState, Store, StoreError};
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use view::{
    Listing, MessagePage, Moment, OnboardingView, OverviewPage, ParkedView, ProposalView, RepositoryLine,
    RepositoryPage, SetbackView, WebhookCount,
};

/// How many rows of a kind a page shows.
const SHOWN_MAX: u32 = 200;

/// Where a proposal's way ends.
const ENDED: [ProposalState; 4] =
    [ProposalState::Merged, ProposalState::Closed, ProposalState::Superseded, ProposalState::Withdrawn];

/// `GET /`: repositories, problems and proposals at a glance.
pub async fn overview(State(state): State<WebState>) -> Response {
    let now = state.clock.now();
    answer(load_overview(&state.store, now).await, now)
}

async fn load_overview(store: &Store, now: Timestamp) -> Result<OverviewPage, StoreError> {
    let rows = store.repositories(SHOWN_MAX).await?;
    let broken = rows.iter().filter(|(row, _)| row.config.state == ConfigState::Broken).count();
    let without_file = rows.iter().filter(|(row, _)| row.config.state == ConfigState::None);
    let without_file: Vec<RepoId> = without_file.map(|(row, _)| row.repository.id).collect();
    let onboardings = store.onboardings_of(&without_file).await?;
    let lines = rows.iter().map(|(row, subscriptions)| {
        let line = RepositoryLine::new(row, subscriptions, now);
        let onboarding = onboardings.get(&row.repository.id).map(|one| one.reason.clone());
        RepositoryLine { note: line.note.clone().or(onboarding), ..line }
    });
    let lines = lines.collect();
    let parked = store.parked_setbacks(SHOWN_MAX).await?.into_iter().map(|s| ParkedView::new(s, now)).collect();
    let all_parked = store.parked_count().await?;
    let counts = store.proposal_counts().await?;
    let listed = async |states: &[ProposalState]| {
        let mut found = store.proposals_in(states, SHOWN_MAX).await?;
        if states.contains(&ProposalState::Waiting) {
            found.sort_by_key(|(proposal, _)| proposal.due_at);
        }
        let views = found.iter().map(|(proposal, name)| ProposalView::new(proposal, Some(name), &[], now)).collect();
        let all = counts.iter().filter(|(state, _)| states.contains(state)).map(|(_, count)| count).sum();
        Ok::<_, StoreError>(Listing::new(views, all))
    };
    Ok(OverviewPage {
        now: Moment::plain(now),
        broken,
        failed: listed(&[ProposalState::Failed]).await?,
        waiting: listed(&[ProposalState::Waiting]).await?,
        open: listed(&[ProposalState::Open]).await?,
        ended: listed(&ENDED).await?,
        parked: Listing::new(parked, all_parked),
        repositories: Listing::new(lines, store.repository_count().await?),
        webhooks: store.event_counts().await?.into_iter().map(WebhookCount::new).collect(),
    })
}

/// The page of one repository: everything known of it, and the reason for everything held back.
pub(super) async fn repository(
    store: &Store,
    account: Result<Option<Account>, StoreError>,
    now: Timestamp,
) -> Response {
    match account {
        Ok(Some(account)) => answer(load_repository(store, account, now).await, now),
        Ok(None) => no_such_repository(now),
        Err(error) => answer::<RepositoryPage>(Err(error), now),
    }
}

async fn load_repository(store: &Store, account: Account, now: Timestamp) -> Result<RepositoryPage, StoreError> {
    let id = account.row.repository.id;
    let subscriptions = store.subscriptions(id).await?;
    let ledgers = store.ledgers(id).await?;
    let mut found = account.proposals;
    found.sort_by_key(|p| {
        (p.state != ProposalState::Open, p.state != ProposalState::Waiting, std::cmp::Reverse(p.updated_at))
    });
    let all = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let history = |proposal| ledgers.get(proposal).map_or(&[][..], Vec::as_slice);
    let shown = found.iter().take(SHOWN_MAX as usize);
    let proposals = shown.map(|p| ProposalView::new(p, None, history(&p.id), now)).collect();
    let setbacks = account.setbacks.iter().map(SetbackView::new).collect();
    let proposals = Listing::new(proposals, all);
    let (row, rows) = (&account.row, &account.dependencies);
    let onboarding = account.onboarding.as_ref().map(|one| OnboardingView::new(one, now));
    let organisation = account.organisation.clone();
    let page = RepositoryPage::new(row, &subscriptions, proposals, rows, account.unread, setbacks, now);
    Ok(RepositoryPage { onboarding, organisation, ..page })
}

/// `GET` of anything else.
pub async fn nothing_here(State(state): State<WebState>) -> Response {
    let text = "There is no page at this address.";
    message(StatusCode::NOT_FOUND, "Not found", text, state.clock.now())
}

fn no_such_repository(now: Timestamp) -> Response {
    let text = "There is no such repository here. The bot knows those that its installations cover.";
    message(StatusCode::NOT_FOUND, "Not found", text, now)
}

fn answer<T: Template>(page: Result<T, StoreError>, now: Timestamp) -> Response {
    match page.map(|page| page.render()) {
        Ok(Ok(html)) => Html(html).into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, "a page could not be drawn");
            let text = "The page could not be drawn; the server's log says why.";
            message(StatusCode::INTERNAL_SERVER_ERROR, "Something is wrong", text, now)
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be loaded");
            let text = "The database does not answer; the server's log says why. Try again in a moment.";
            message(StatusCode::SERVICE_UNAVAILABLE, "Not available", text, now)
        }
    }
}

/// A page that says one thing.
fn message(status: StatusCode, title: &'static str, text: &'static str, now: Timestamp) -> Response {
    match (MessagePage { now: Moment::plain(now), title, text }).render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(_) => (status, format!("{text}\n")).into_response(),
    }
}

/// `GET /assets/style.css`.
pub async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, include_str!("assets/style.css")).into_response()
}
