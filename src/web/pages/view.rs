//! What the templates are given: every value a text that is ready to be shown.

use crate::domain::time::in_words;
use crate::domain::{Onboarding, Outlook, Proposal, ProposalState, RepoName, RepoPath, RepoState, Standing};
use crate::pipeline::setback;
use crate::planner::audit::Drafted;
use crate::planner::prose::display_name;
use crate::store::{ConfigState, EventCount, LedgerRow, Next, Outcome, RepositoryRow, Setback, SubscriptionRow};
use crate::subscription::{Problem, Subscription};
use askama::Template;
use askama::filters::HtmlSafe;
use jiff::{Timestamp, tz::TimeZone};
use std::fmt;

/// How many updates of one proposal, or problems of one file among others, are shown.
const SHOWN_FEW: usize = 5;

/// A point in time, as the `<time>` element that shows it: `Mon 2026-03-02 05:00 UTC`, and how far away that is.
pub struct Moment {
    at: Timestamp,
    distance: Option<String>,
}

impl Moment {
    /// The time alone.
    pub fn plain(at: Timestamp) -> Self {
        Self { at, distance: None }
    }

    /// The time, and how far it is from `now`.
    pub fn seen_from(at: Timestamp, now: Timestamp) -> Self {
        let words = in_words(at.duration_since(now));
        let distance = match at.cmp(&now) {
            std::cmp::Ordering::Greater => format!("in {words}"),
            std::cmp::Ordering::Equal => "now".into(),
            std::cmp::Ordering::Less => format!("{words} ago"),
        };
        Self { at, distance: Some(distance) }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.at.to_zoned(TimeZone::UTC).strftime("%a %Y-%m-%d %H:%M UTC").to_string();
        write!(f, "<time datetime=\"{}\">{text}</time>", self.at)?;
        self.distance.iter().try_for_each(|distance| write!(f, " <span class=\"distance\">{distance}</span>"))
    }
}

/// Nothing but digits and fixed words is in it.
impl HtmlSafe for Moment {}

/// A link only where it leads to a web page.
fn link(url: &str) -> Option<String> {
    (url.starts_with("https://") || url.starts_with("http://")).then(|| url.to_string())
}

/// Rows, and how many there are in all.
pub struct Listing<T> {
    pub rows: Vec<T>,
    pub all: i64,
}

impl<T> Listing<T> {
    /// `all` may have been counted a moment before or after the rows were read.
    pub fn new(rows: Vec<T>, all: i64) -> Self {
        let shown = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        Self { rows, all: all.max(shown) }
    }

    /// How many are not shown.
    pub fn more(&self) -> i64 {
        self.all - i64::try_from(self.rows.len()).unwrap_or(i64::MAX)
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// The page at `/`.
#[derive(Template)]
#[template(path = "overview.html")]
pub struct OverviewPage {
    pub now: Moment,
    pub broken: usize,
    pub failed: Listing<ProposalView>,
    pub waiting: Listing<ProposalView>,
    pub open: Listing<ProposalView>,
    pub ended: Listing<ProposalView>,
    pub parked: Listing<ParkedView>,
    pub repositories: Listing<RepositoryLine>,
    pub webhooks: Vec<WebhookCount>,
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
pub struct MessagePage {
    pub now: Moment,
    pub title: &'static str,
    pub text: &'static str,
}

/// One repository on the overview.
pub struct RepositoryLine {
    pub name: String,
    pub private: bool,
    pub state: Option<&'static str>,
    pub file: FileView,
    pub subscriptions: Vec<SubscriptionView>,
    pub note: Option<String>,
}

impl RepositoryLine {
    pub fn new(row: &RepositoryRow, subscriptions: &[SubscriptionRow], now: Timestamp) -> Self {
        Self {
            name: row.repository.name.to_string(),
            private: row.repository.private,
            state: inactive(row),
            file: FileView::new(row, SHOWN_FEW),
            subscriptions: subscriptions.iter().map(|s| SubscriptionView::new(s, now)).collect(),
            note: row.note.clone(),
        }
    }
}

/// Why the bot does not work on a repository at all, in a word.
fn inactive(row: &RepositoryRow) -> Option<&'static str> {
    (row.repository.state != RepoState::Active).then(|| row.repository.state.as_str())
}

/// The subscription file of a repository.
pub struct FileView {
    pub path: String,
    pub present: bool,
    pub broken: bool,
    /// Whether an older, good file stays in force while the present one is broken.
    pub last_good: bool,
    pub problems: Vec<Problem>,
    /// How many more problems there are.
    pub more: usize,
}

impl FileView {
    fn new(row: &RepositoryRow, shown: usize) -> Self {
        let mut problems: Vec<Problem> = serde_json::from_value(row.config.problems.clone()).unwrap_or_default();
        let more = problems.len().saturating_sub(shown);
        problems.truncate(shown);
        Self {
            path: row.config.path.as_ref().map_or_else(|| ".mass-driver.yaml".into(), ToString::to_string),
            present: row.config.state != ConfigState::None,
            broken: row.config.state == ConfigState::Broken,
            last_good: row.config.file.is_some(),
            problems,
            more,
        }
    }
}

/// One subscription.
pub struct SubscriptionView {
    pub migration: String,
    pub delay: String,
    /// Empty where what is stored cannot be read, which an older version may have written.
    pub min_age: String,
    pub group: String,
    pub since: Moment,
}

impl SubscriptionView {
    fn new(row: &SubscriptionRow, now: Timestamp) -> Self {
        let settings: Option<Subscription> = serde_json::from_value(row.subscription.settings.clone()).ok();
        let (min_age, group) = settings.map(|s| (s.min_age.in_words(), s.group.to_string())).unwrap_or_default();
        Self {
            migration: row.subscription.migration.clone(),
            delay: row.subscription.delay.clone(),
            min_age,
            group,
            since: Moment::seen_from(row.since, now),
        }
    }
}

/// One proposal.
pub struct ProposalView {
    pub repository: Option<String>,
    pub title: String,
    pub state: &'static str,
    pub reason: String,
    /// What the time next to it is (`due`, `opened`), where the state does not say it.
    pub when_word: &'static str,
    pub when: Moment,
    pub pull: Option<PullView>,
    pub checks: Option<String>,
    /// What it changes, where the title does not say it.
    pub updates: Vec<String>,
    /// How many more changes there are.
    pub more: usize,
    pub history: Vec<LedgerView>,
}

/// A pull request; without an address where what is stored is none.
pub struct PullView {
    pub number: String,
    pub url: Option<String>,
}

/// Something that happened to a proposal.
pub struct LedgerView {
    pub at: Moment,
    pub what: String,
    pub detail: String,
}

impl ProposalView {
    pub fn new(proposal: &Proposal, repository: Option<&RepoName>, ledger: &[LedgerRow], now: Timestamp) -> Self {
        let (when_word, when) = match proposal.state {
            ProposalState::Waiting if proposal.due_at > now => ("due", proposal.due_at),
            ProposalState::Waiting => ("was due", proposal.due_at),
            ProposalState::Open => ("opened", proposal.opened_at.unwrap_or(proposal.updated_at)),
            _ => ("", proposal.updated_at),
        };
        let shown = if proposal.updates.len() > 1 { SHOWN_FEW } else { 0 };
        let updates = proposal.updates.iter().take(shown);
        Self {
            repository: repository.map(ToString::to_string),
            title: proposal.title.clone(),
            state: proposal.state.as_str(),
            reason: proposal.reason.clone(),
            when_word,
            when: Moment::seen_from(when, now),
            pull: proposal
                .pull
                .as_ref()
                .map(|pull| PullView { number: format!("#{}", pull.number), url: link(&pull.url) }),
            checks: proposal.checks.clone(),
            updates: updates
                .map(|u| format!("{} {} → {}", display_name(&u.package), u.from_versions().join(", "), u.target()))
                .collect(),
            more: if shown == 0 { 0 } else { proposal.updates.len().saturating_sub(shown) },
            history: ledger.iter().map(LedgerView::new).collect(),
        }
    }
}

impl LedgerView {
    fn new(row: &LedgerRow) -> Self {
        // Of a draft the ledger keeps all that its time follows from; people want to know why it waited.
        let detail = Drafted::read(&row.detail).map_or_else(|| row.detail.clone(), |drafted| drafted.reason);
        Self { at: Moment::plain(row.at), what: row.what.clone(), detail }
    }
}

/// How often an event arrived, and what became of it.
pub struct WebhookCount {
    pub event: String,
    pub action: String,
    pub outcome: &'static str,
    pub count: i64,
}

impl WebhookCount {
    pub fn new(row: EventCount) -> Self {
        Self {
            event: row.event,
            action: row.action.unwrap_or_default(),
            outcome: row.outcome.map_or("not yet decided", Outcome::as_str),
            count: row.count,
        }
    }
}

/// A step that will not run again by itself.
pub struct ParkedView {
    pub id: String,
    pub step: String,
    /// The repository it is about, or else what it works on.
    pub repository: Option<String>,
    pub subject: String,
    pub attempts: u32,
    pub since: Moment,
    pub error: String,
}

impl ParkedView {
    pub fn new(setback: Setback, now: Timestamp) -> Self {
        let (Next::Parked { since: at } | Next::Again { at }) = setback.next;
        Self {
            id: setback.id.to_string(),
            step: setback.step.replace('_', " "),
            repository: setback.repository.map(|name| name.to_string()),
            subject: setback.subject,
            attempts: setback.attempts,
            since: Moment::seen_from(at, now),
            error: setback.error,
        }
    }
}

/// A step of one repository that did not get through.
pub struct SetbackView {
    pub sentence: String,
    /// The step to be retried, where it is parked.
    pub parked: Option<String>,
}

impl SetbackView {
    pub fn new(setback: &Setback) -> Self {
        let parked = matches!(setback.next, Next::Parked { .. }).then(|| setback.id.to_string());
        Self { sentence: setback::sentence(setback), parked }
    }
}

/// The page of one repository.
#[derive(Template)]
#[template(path = "repository.html")]
pub struct RepositoryPage {
    pub now: Moment,
    pub name: String,
    pub web_url: Option<String>,
    pub private: bool,
    pub state: Option<&'static str>,
    pub note: Option<String>,
    /// How far the pull request has come that brings its first subscription file.
    pub onboarding: Option<OnboardingView>,
    /// What is known of the organisation's own file, where it lies here.
    pub organisation: Option<String>,
    pub file: FileView,
    pub subscriptions: Vec<SubscriptionView>,
    pub proposals: Listing<ProposalView>,
    /// Dependencies about which there is something to say.
    pub outlook: Vec<OutlookView>,
    /// Those that are up to date.
    pub up_to_date: Vec<OutlookView>,
    pub unread: Vec<(String, String)>,
    pub setbacks: Vec<SetbackView>,
}

impl RepositoryPage {
    pub fn new(
        row: &RepositoryRow,
        subscriptions: &[SubscriptionRow],
        proposals: Listing<ProposalView>,
        outlook: &[Outlook],
        unread: Vec<(RepoPath, String)>,
        setbacks: Vec<SetbackView>,
        now: Timestamp,
    ) -> Self {
        let (up_to_date, outlook): (Vec<_>, Vec<_>) =
            outlook.iter().partition(|row| row.standing == Standing::UpToDate);
        let views = |rows: Vec<&Outlook>| rows.into_iter().map(|row| OutlookView::new(row, now)).collect();
        Self {
            now: Moment::plain(now),
            name: row.repository.name.to_string(),
            web_url: link(&row.repository.web_url),
            private: row.repository.private,
            state: inactive(row),
            note: row.note.clone(),
            onboarding: None,
            organisation: None,
            file: FileView::new(row, usize::MAX),
            subscriptions: subscriptions.iter().map(|s| SubscriptionView::new(s, now)).collect(),
            proposals,
            outlook: views(outlook),
            up_to_date: views(up_to_date),
            unread: unread.into_iter().map(|(path, problem)| (path.to_string(), problem)).collect(),
            setbacks,
        }
    }
}

/// The pull request that brings a repository its first subscription file.
pub struct OnboardingView {
    pub reason: String,
    pub pull: Option<String>,
    pub when: Moment,
}

impl OnboardingView {
    pub fn new(onboarding: &Onboarding, now: Timestamp) -> Self {
        Self {
            reason: onboarding.reason.clone(),
            pull: onboarding.pull.as_ref().and_then(|pull| link(&pull.url)),
            when: Moment::seen_from(onboarding.updated_at, now),
        }
    }
}

/// How one dependency stands.
pub struct OutlookView {
    pub package: String,
    pub ecosystem: &'static str,
    pub place: String,
    pub current: String,
    pub target: Option<String>,
    /// The standing as the style sheet calls it, and as people read it.
    pub class: &'static str,
    pub standing: String,
    pub reason: String,
    pub until: Option<Moment>,
}

impl OutlookView {
    fn new(row: &Outlook, now: Timestamp) -> Self {
        Self {
            package: display_name(&row.package).to_string(),
            ecosystem: row.package.ecosystem.as_str(),
            place: format!("{}:{}", row.path, row.line),
            current: row.current.clone().unwrap_or_else(|| "no version".into()),
            target: row.target.clone(),
            class: row.standing.as_str(),
            standing: row.standing.as_str().replace('_', " "),
            reason: row.reason.clone(),
            until: row.until.map(|until| Moment::seen_from(until, now)),
        }
    }
}
