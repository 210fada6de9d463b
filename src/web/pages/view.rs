//! What the templates are given: every value a text that is ready to be shown.

use crate::domain::{Outlook, Proposal, ProposalState, RepoName, RepoState};
use crate::planner::prose::display_name;
use crate::store::{ConfigState, ManifestRow, RepositoryRow, SubscriptionRow, WorkRow};
use crate::subscription::Problem;
use askama::Template;
use jiff::{Timestamp, tz::TimeZone};

/// A point in time for people: `Mon 2026-03-02 05:00 UTC`.
pub fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%a %Y-%m-%d %H:%M UTC").to_string()
}

/// A link only where it leads to a web page.
fn link(url: &str) -> Option<String> {
    (url.starts_with("https://") || url.starts_with("http://")).then(|| url.to_string())
}

/// The page at `/`.
#[derive(Template)]
#[template(path = "overview.html")]
pub struct OverviewPage {
    pub now: String,
    pub shown_max: u32,
    pub repositories: Vec<RepositoryLine>,
    pub waiting: Vec<ProposalView>,
    pub open: Vec<ProposalView>,
    pub ended: Ended,
    pub parked: Vec<WorkView>,
}

/// Proposals that are over, folded away on the page.
pub struct Ended(pub Vec<ProposalView>);

/// One repository on the overview.
pub struct RepositoryLine {
    pub name: String,
    pub private: bool,
    pub state: Option<&'static str>,
    pub has_file: bool,
    pub file: FileView,
    pub subscriptions: Vec<SubscriptionView>,
    pub note: Option<String>,
}

impl RepositoryLine {
    pub fn new(row: &RepositoryRow, subscriptions: &[SubscriptionRow]) -> Self {
        Self {
            name: row.repository.name.to_string(),
            private: row.repository.private,
            state: (row.repository.state != RepoState::Active).then(|| row.repository.state.as_str()),
            has_file: row.config.state != ConfigState::None,
            file: FileView::new(row),
            subscriptions: subscriptions.iter().map(SubscriptionView::new).collect(),
            note: row.note.clone(),
        }
    }
}

/// The subscription file of a repository.
pub struct FileView {
    pub path: String,
    pub broken: bool,
    /// Whether an older, good file stays in force while the present one is broken.
    pub last_good: bool,
    pub problems: Vec<Problem>,
}

impl FileView {
    fn new(row: &RepositoryRow) -> Self {
        Self {
            path: row.config.path.as_ref().map_or_else(|| ".mass-driver.yaml".into(), ToString::to_string),
            broken: row.config.state == ConfigState::Broken,
            last_good: row.config.file.is_some(),
            problems: serde_json::from_value(row.config.problems.clone()).unwrap_or_default(),
        }
    }
}

/// One subscription.
pub struct SubscriptionView {
    pub migration: String,
    pub delay: String,
    pub since: String,
}

impl SubscriptionView {
    fn new(row: &SubscriptionRow) -> Self {
        Self {
            migration: row.subscription.migration.clone(),
            delay: row.subscription.delay.clone(),
            since: time(row.since),
        }
    }
}

/// One proposal.
pub struct ProposalView {
    pub repository: Option<String>,
    pub title: String,
    pub state: &'static str,
    pub reason: String,
    pub due: Option<String>,
    pub pull: Option<(String, Option<String>)>,
    pub checks: Option<String>,
    pub updated: String,
    pub updates: Vec<String>,
}

impl ProposalView {
    pub fn new(proposal: &Proposal, repository: Option<&RepoName>, now: Timestamp) -> Self {
        let waits = proposal.state == ProposalState::Waiting && proposal.due_at > now;
        Self {
            repository: repository.map(ToString::to_string),
            title: proposal.title.clone(),
            state: proposal.state.as_str(),
            reason: proposal.reason.clone(),
            due: waits.then(|| time(proposal.due_at)),
            pull: proposal.pull.as_ref().map(|pull| (format!("#{}", pull.number), link(&pull.url))),
            checks: proposal.checks.clone(),
            updated: time(proposal.updated_at),
            updates: proposal
                .updates
                .iter()
                .map(|u| format!("{} {} → {}", display_name(&u.package), u.from_versions().join(", "), u.to))
                .collect(),
        }
    }
}

/// A step that will not run again by itself.
pub struct WorkView {
    pub step: String,
    pub subject: String,
    pub attempts: u32,
    pub error: String,
}

impl WorkView {
    pub fn new(row: &WorkRow) -> Self {
        Self {
            step: row.step.clone(),
            subject: row.subject.clone(),
            attempts: row.attempts,
            error: row.last_error.clone().unwrap_or_default(),
        }
    }
}

/// The page of one repository.
#[derive(Template)]
#[template(path = "repository.html")]
pub struct RepositoryPage {
    pub now: String,
    pub name: String,
    pub web_url: Option<String>,
    pub private: bool,
    pub state: Option<&'static str>,
    pub note: Option<String>,
    pub has_file: bool,
    pub file: FileView,
    pub subscriptions: Vec<SubscriptionView>,
    pub proposals: Vec<ProposalView>,
    pub outlook: Vec<OutlookView>,
    pub unread: Vec<(String, String)>,
}

impl RepositoryPage {
    pub fn new(
        row: &RepositoryRow,
        subscriptions: &[SubscriptionRow],
        proposals: Vec<ProposalView>,
        outlook: &[Outlook],
        manifests: &[ManifestRow],
        now: Timestamp,
    ) -> Self {
        Self {
            now: time(now),
            name: row.repository.name.to_string(),
            web_url: link(&row.repository.web_url),
            private: row.repository.private,
            state: (row.repository.state != RepoState::Active).then(|| row.repository.state.as_str()),
            note: row.note.clone(),
            has_file: row.config.state != ConfigState::None,
            file: FileView::new(row),
            subscriptions: subscriptions.iter().map(SubscriptionView::new).collect(),
            proposals,
            outlook: outlook.iter().map(OutlookView::new).collect(),
            unread: manifests
                .iter()
                .filter_map(|m| Some((m.manifest.path.to_string(), m.manifest.problem.clone()?)))
                .collect(),
        }
    }
}

/// How one dependency stands.
pub struct OutlookView {
    pub package: String,
    pub place: String,
    pub current: String,
    pub target: String,
    pub standing: String,
    pub reason: String,
    pub until: Option<String>,
}

impl OutlookView {
    fn new(row: &Outlook) -> Self {
        Self {
            package: format!("{} {}", row.package.ecosystem, display_name(&row.package)),
            place: format!("{}:{}", row.path, row.line),
            current: row.current.clone().unwrap_or_default(),
            target: row.target.clone().unwrap_or_default(),
            standing: row.standing.as_str().replace('_', " "),
            reason: row.reason.clone(),
            until: row.until.map(time),
        }
    }
}
