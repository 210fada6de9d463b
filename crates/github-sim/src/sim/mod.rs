//! The Rust side: start it, build a world, cause events, look.

mod checks;
mod conversation;
mod deliveries;
mod people;
mod views;
mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context as _;

use crate::acts::Act;
use crate::exchange::{Exchange, WebhookPost};
use crate::faults::Fault;
use crate::reply::{Content, Reply};
use crate::server::{Shared, listen};
use crate::settings::Limits;
use crate::site::{AppCredentials, Clock, Site};
use crate::state::AccountKind;

pub use checks::Colour;
pub use deliveries::PendingEvent;
pub use people::{FileChangeInput, Push};
pub use views::{CheckRunView, CommentView, CommitView, PersonView, PullRequestView, RepoView};
pub use world::{InstallOptions, RepoOptions};

/// A running stand-in. Clones share it; it stops when the last one drops.
#[derive(Clone)]
pub struct GitHubSim {
    shared: Arc<Shared>,
    running: Arc<Running>,
}

/// The stand-in has a runtime of its own, so that a test may pause or end its own at will.
struct Running {
    runtime: Option<tokio::runtime::Runtime>,
    /// Held here and not by the listener: that one ends in its own time, perhaps after the process.
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropped from within async tests as well, where waiting is forbidden.
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for GitHubSim {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GitHubSim").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl GitHubSim {
    /// Starts a GitHub without accounts on a free port of the loopback interface.
    ///
    /// `clock` is asked for the time of everything that happens here: commits, tokens, limits, the log.
    pub fn start(clock: Clock) -> anyhow::Result<GitHubSim> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("github-sim")
            .enable_all()
            .build()
            .context("cannot start the stand-in's runtime")?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("cannot listen on loopback")?;
        listener.set_nonblocking(true)?;
        let root = format!("http://{}", listener.local_addr()?);
        let folder = tempfile::Builder::new().prefix("github-sim-").tempdir().context("cannot make a folder")?;
        // Webhooks go to loopback in the clear: reading the system's certificates would only cost time.
        let http = reqwest::Client::builder().no_proxy().tls_certs_only(std::iter::empty());
        let http = http.build().context("cannot make an HTTP client")?;
        let shared = Arc::new(Shared::new(Site::new(root, clock), folder.path().to_owned(), http));
        {
            let mut state = shared.state();
            state.account_or(&shared.site.bot_login(), AccountKind::Bot);
            state.account_or(&shared.site.app_owner, AccountKind::Organization);
            state.app_events =
                ["check_run", "issue_comment", "pull_request", "push", "repository"].map(str::to_owned).to_vec();
        }
        let served = Arc::clone(&shared);
        runtime.spawn(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => listen(served, listener).await,
                Err(error) => tracing::error!(%error, "the stand-in cannot listen"),
            }
        });
        let sim = GitHubSim { shared, running: Arc::new(Running { runtime: Some(runtime), _folder: folder }) };
        sim.spawn_deliverer();
        Ok(sim)
    }

    /// The REST root, without a slash at its end. The same is served under `/api/v3`, as Enterprise Server does.
    pub fn url(&self) -> String {
        self.shared.site.root.clone()
    }

    /// Where the bare repositories lie, `ID.git` each; gone with the last handle.
    pub fn folder(&self) -> std::path::PathBuf {
        self.shared.folder.clone()
    }

    /// What the operator of the App holds.
    pub fn app(&self) -> AppCredentials {
        let mut credentials = self.shared.site.credentials();
        if let Some(rotated) = &self.shared.state().webhook_secret {
            credentials.webhook_secret.clone_from(rotated);
        }
        credentials
    }

    /// The login of the App's bot account, such as `mass-driver[bot]`.
    pub fn bot_login(&self) -> String {
        self.shared.site.bot_login()
    }

    /// Changes the limits from now on.
    pub fn set_limits(&self, change: impl FnOnce(&mut Limits)) {
        change(&mut self.shared.state().limits);
    }

    /// Makes the App's clock look wrong: its tokens are judged by a clock this many seconds ahead.
    pub fn set_jwt_clock_skew_seconds(&self, seconds: i64) {
        self.shared.state().jwt_skew_seconds = seconds;
    }

    /// Judges the App's tokens by another clock than the world's, for clients that sign with the system's time.
    pub fn set_jwt_clock(&self, clock: Clock) {
        self.shared.state().jwt_clock = Some(clock);
    }

    /// Plays a failure on requests to come; of several that match, the first ordered strikes.
    pub fn fault(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Forgets the failures that have not struck yet; says how many strikes were left.
    pub fn clear_faults(&self) -> usize {
        self.shared.state().faults.drain(..).map(|fault| fault.times).sum()
    }

    /// All installation tokens made so far stop working: 401 "Bad credentials".
    pub fn expire_tokens(&self) {
        self.shared.state().expire_tokens();
    }

    /// A token that `git` or REST may use as this person; it reaches as far as their [`crate::Role`] does.
    pub fn personal_token(&self, login: &str) -> String {
        let mut state = self.shared.state();
        let login = state.account_or_person(login).login;
        let token = format!("ghp_{}", uuid::Uuid::new_v4().simple());
        let holder = crate::state::Holder::Person(login);
        state.tokens.insert(token.clone(), crate::state::Token { holder, expires_at: jiff::Timestamp::MAX });
        token
    }

    /// A code as GitHub's form gives it to the manifest flow; good once.
    pub fn manifest_code(&self, manifest: serde_json::Value) -> String {
        let code = uuid::Uuid::new_v4().simple().to_string();
        self.shared.state().manifest_codes.insert(code.clone(), manifest);
        code
    }

    /// Every REST request so far with its response, in order. git and pages are not among them.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.state().exchanges.clone()
    }

    /// Forgets the exchanges so far.
    pub fn clear_exchanges(&self) {
        self.shared.state().exchanges.clear();
    }

    /// From now on requests are counted and not kept, for loads whose exchanges would fill the memory.
    pub fn forget_exchanges(&self) {
        let mut state = self.shared.state();
        state.forgets_exchanges = true;
        state.exchanges.clear();
    }

    /// How many REST requests so far meant to change something, those for tokens left out.
    pub fn writes(&self) -> u64 {
        self.shared.state().writes
    }

    /// A mark to count from with [`GitHubSim::requests_since`].
    pub fn mark(&self) -> u64 {
        self.shared.state().last_sequence
    }

    /// REST requests since a [`GitHubSim::mark`].
    pub fn requests_since(&self, mark: u64) -> Vec<Exchange> {
        self.shared.state().exchanges.iter().filter(|exchange| exchange.sequence > mark).cloned().collect()
    }

    /// Every webhook that was handed over, with the App's answer.
    pub fn webhook_posts(&self) -> Vec<WebhookPost> {
        self.shared.state().webhook_posts.clone()
    }

    /// Does something as somebody, in the order of one lock, and wakes the deliverer.
    fn act<T>(&self, actor: &str, act: impl FnOnce(&mut Act<'_>) -> Result<T, Reply>) -> anyhow::Result<T> {
        let mut state = self.shared.state();
        let actor = match actor {
            login if login.ends_with("[bot]") => state.account_or(login, AccountKind::Bot).login,
            login => state.account_or_person(login).login,
        };
        let now = self.shared.site.now();
        let result = act(&mut Act { state: &mut state, site: &self.shared.site, now, actor });
        drop(state);
        if self.shared.auto_deliver.load(Ordering::SeqCst) {
            self.shared.bell.notify_one();
        }
        result.map_err(refusal)
    }

    /// The id of `owner/name`; an old name of a renamed repository is found too.
    fn find(&self, full_name: &str) -> anyhow::Result<i64> {
        let (owner, name) = full_name.split_once('/').with_context(|| format!("{full_name} is not owner/name"))?;
        let state = self.shared.state();
        let moved = || state.redirects.get(&full_name.to_lowercase()).copied();
        state.repo_named(owner, name).or_else(moved).with_context(|| format!("there is no repository {full_name}"))
    }
}

/// A refusal in one line, for whoever reads the test's failure.
fn refusal(reply: Reply) -> anyhow::Error {
    let why = match reply.content {
        Content::Json(body) => match body["errors"][0]["message"].as_str() {
            Some(message) => message.to_owned(),
            None if body["errors"].is_array() => body["errors"].to_string(),
            None => body["message"].as_str().unwrap_or("no reason given").to_owned(),
        },
        _ => "no reason given".to_owned(),
    };
    anyhow::anyhow!("the stand-in answers {}: {why}", reply.status)
}
