//! Everything the stand-in remembers: accounts, repositories, installations, tokens, deliveries.
//!
//! Plain data behind one lock. Knows git only as object ids and knows nothing of HTTP.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use git2::Oid;
use jiff::Timestamp;
use serde_json::Value;

use crate::access::{Role, Team};
use crate::acts::MergeMethod;
use crate::exchange::{Exchange, WebhookPost};
use crate::faults::Fault;
use crate::git::Git;
use crate::limits::Window;
use crate::settings::Limits;
use crate::site::Clock;

/// A map from permission name to `read`, `write` or `admin`, as GitHub writes it.
pub type Permissions = BTreeMap<String, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountKind {
    User,
    Organization,
    Bot,
}

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub id: i64,
    pub login: String,
    pub kind: AccountKind,
}

impl Account {
    pub(crate) fn email(&self) -> String {
        format!("{}+{}@users.noreply.github.com", self.id, self.login)
    }
}

pub(crate) struct Repo {
    pub id: i64,
    pub owner: String,
    pub name: String,
    pub private: bool,
    pub parent: Option<i64>,
    pub archived: bool,
    pub disabled: bool,
    pub is_template: bool,
    pub description: Option<String>,
    pub default_branch: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub pushed_at: Timestamp,
    pub delete_branch_on_merge: bool,
    /// Whether the owner's plan knows draft pull requests.
    pub drafts: bool,
    pub merge_methods: BTreeSet<MergeMethod>,
    /// What was set for people, by login in lower case.
    pub roles: BTreeMap<String, Role>,
    pub git: Git,
    pub last_number: i64,
    pub pulls: BTreeMap<i64, Pull>,
    pub comments: BTreeMap<i64, Comment>,
    pub labels: BTreeMap<String, Label>,
    pub checks: BTreeMap<i64, CheckRun>,
    pub suites: BTreeMap<i64, CheckSuite>,
    pub statuses: Vec<Status>,
    pub releases: Vec<Release>,
    pub protected: BTreeMap<String, Protection>,
    /// Commits that GitHub itself signed: made through the API without an author of one's own.
    pub verified: HashSet<Oid>,
}

impl Repo {
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    pub(crate) fn branch(&self, name: &str) -> Option<Oid> {
        self.git.reference(&format!("refs/heads/{name}"))
    }
}

/// What protection a branch has. The default asks for a pull request and forbids force pushes.
#[derive(Debug, Clone, Default)]
pub struct Protection {
    /// Contexts that must be green before a merge.
    pub required_checks: Vec<String>,
    /// Approving reviews before a merge; this stand-in knows no approvals, so any above zero blocks merging.
    pub required_approvals: u32,
    /// Whether the head must contain the tip of the base before a merge.
    pub strict: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Pull {
    pub id: i64,
    pub number: i64,
    pub title: String,
    pub body: Option<String>,
    pub open: bool,
    pub draft: bool,
    pub locked: bool,
    pub author: String,
    pub head_repo: i64,
    pub head_owner: String,
    pub head_branch: String,
    pub head_sha: Oid,
    pub base_branch: String,
    pub base_sha: Oid,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub reviewers: Vec<String>,
    pub teams: Vec<String>,
    pub reviews: Vec<Review>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub merged: Option<Merged>,
    pub maintainer_can_modify: bool,
    pub judged: Judged,
}

/// What somebody said of a pull request as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub id: i64,
    pub author: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED` or `DISMISSED`.
    pub state: &'static str,
    pub commit: Oid,
    pub submitted_at: Timestamp,
}

/// How far GitHub has come with working out whether a pull request merges.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Judged {
    /// The head and the base's tip that the last asking was about.
    pub sides: Option<(Oid, Oid)>,
    /// Answers that still say "unknown".
    pub unknown_left: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Merged {
    pub at: Timestamp,
    pub by: String,
    pub sha: Oid,
}

#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub id: i64,
    pub number: i64,
    pub author: String,
    pub body: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub reactions: Vec<Reaction>,
}

#[derive(Debug, Clone)]
pub(crate) struct Reaction {
    pub id: i64,
    pub by: String,
    pub content: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub id: i64,
    pub name: String,
    pub color: String,
    pub description: String,
}

/// Which App a check run belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CheckApp {
    Own,
    OtherCi,
}

#[derive(Debug, Clone)]
pub(crate) struct CheckRun {
    pub id: i64,
    pub suite: i64,
    pub app: CheckApp,
    pub name: String,
    pub head_sha: Oid,
    pub external_id: String,
    pub details_url: Option<String>,
    pub status: String,
    pub conclusion: Option<String>,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub text: Option<String>,
    pub annotations: Vec<Value>,
    pub actions: Vec<Value>,
}

#[derive(Debug, Clone)]
pub(crate) struct CheckSuite {
    pub id: i64,
    pub app: CheckApp,
    pub head_sha: Oid,
    pub head_branch: Option<String>,
    pub before: Option<Oid>,
    pub created_at: Timestamp,
    /// Its App will make more runs: it is not completed, whatever those that there are say.
    pub more_to_come: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub id: i64,
    pub sha: Oid,
    pub state: String,
    pub context: String,
    pub description: Option<String>,
    pub target_url: Option<String>,
    pub creator: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub id: i64,
    pub tag: String,
    pub name: String,
    pub body: String,
    pub draft: bool,
    pub prerelease: bool,
    pub created_at: Timestamp,
    /// `None` for a draft.
    pub published_at: Option<Timestamp>,
}

/// Which repositories of its account an installation covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    All,
    Selected(BTreeSet<i64>),
}

impl Selection {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Selection::All => "all",
            Selection::Selected(_) => "selected",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Installation {
    pub id: i64,
    pub account: String,
    pub selection: Selection,
    pub permissions: Permissions,
    pub events: Vec<String>,
    pub suspended_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub holder: Holder,
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) enum Holder {
    Installation { id: i64, repositories: Option<BTreeSet<i64>>, permissions: Permissions },
    Person(String),
}

/// An event on its way to the App.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub guid: String,
    pub name: String,
    pub action: Option<String>,
    pub installation: Option<i64>,
    pub repository: Option<i64>,
    pub payload: Value,
    pub redelivery: bool,
}

/// One attempt at handing an event over, as the App's delivery log shows it.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub id: i64,
    pub event: Event,
    pub at: Timestamp,
    pub duration_seconds: f64,
    pub status: String,
    pub status_code: u16,
    pub request_headers: BTreeMap<String, String>,
    pub response_headers: BTreeMap<String, String>,
    pub response_body: String,
}

#[derive(Default)]
pub(crate) struct State {
    last_id: i64,
    pub accounts: BTreeMap<String, Account>,
    pub repos: BTreeMap<i64, Repo>,
    /// By organisation in lower case.
    pub teams: BTreeMap<String, Vec<Team>>,
    /// Where each full name, in lower case, was used last: a short cut among thousands of repositories.
    pub names: HashMap<String, i64>,
    /// Old full names in lower case, until they are used again.
    pub redirects: HashMap<String, i64>,
    pub installations: BTreeMap<i64, Installation>,
    pub tokens: HashMap<String, Token>,
    pub tokens_made: u64,
    pub manifest_codes: HashMap<String, Value>,
    pub webhook_url: Option<String>,
    /// Set once an operator rotates it; before that the one made at the start counts.
    pub webhook_secret: Option<String>,
    pub app_events: Vec<String>,
    pub pending: VecDeque<Event>,
    pub held: Vec<Event>,
    pub log: Vec<Attempt>,
    pub webhook_posts: Vec<WebhookPost>,
    pub exchanges: Vec<Exchange>,
    /// Whether exchanges are only counted.
    pub forgets_exchanges: bool,
    pub last_sequence: u64,
    /// Requests that change something, those for tokens left out.
    pub writes: u64,
    pub faults: Vec<Fault>,
    pub windows: HashMap<i64, Window>,
    pub limits: Limits,
    pub jwt_skew_seconds: i64,
    /// Judges the App's tokens in place of the stand-in's clock.
    pub jwt_clock: Option<Clock>,
}

impl State {
    pub(crate) fn new_id(&mut self) -> i64 {
        self.last_id += 1;
        10_000 + self.last_id
    }

    /// Installation tokens stop working; people's go on.
    pub(crate) fn expire_tokens(&mut self) {
        self.tokens.retain(|_, token| matches!(token.holder, Holder::Person(_)));
    }

    pub(crate) fn account(&self, login: &str) -> Option<&Account> {
        self.accounts.get(&login.to_lowercase())
    }

    /// The account of that name, made a person if nobody has it yet.
    pub(crate) fn account_or_person(&mut self, login: &str) -> Account {
        self.account_or(login, AccountKind::User)
    }

    pub(crate) fn account_or(&mut self, login: &str, kind: AccountKind) -> Account {
        if let Some(account) = self.account(login) {
            return account.clone();
        }
        let account = Account { id: self.new_id(), login: login.to_owned(), kind };
        self.accounts.insert(login.to_lowercase(), account.clone());
        account
    }

    pub(crate) fn repo_named(&self, owner: &str, name: &str) -> Option<i64> {
        let is_it = |repo: &&Repo| repo.owner.eq_ignore_ascii_case(owner) && repo.name.eq_ignore_ascii_case(name);
        let usual = self.names.get(&format!("{owner}/{name}").to_lowercase()).and_then(|id| self.repos.get(id));
        // Renamed, transferred and deleted ones are not where they were.
        usual.filter(is_it).or_else(|| self.repos.values().find(is_it)).map(|repo| repo.id)
    }

    pub(crate) fn covers(&self, installation: &Installation, repo: &Repo) -> bool {
        installation.account.eq_ignore_ascii_case(&repo.owner)
            && match &installation.selection {
                Selection::All => true,
                Selection::Selected(ids) => ids.contains(&repo.id),
            }
    }

    /// The installation that sees this repository, suspended or not.
    pub(crate) fn installation_of(&self, repo: i64) -> Option<&Installation> {
        let repo = self.repos.get(&repo)?;
        self.installations.values().find(|installation| self.covers(installation, repo))
    }

    pub(crate) fn repos_of(&self, installation: &Installation) -> Vec<i64> {
        self.repos.values().filter(|repo| self.covers(installation, repo)).map(|repo| repo.id).collect()
    }
}
