//! Where the story happens: two stand-ins, the bot between them over HTTP, and a clock that moves only when told to.

use crate::page::Page;
use anyhow::{Context as _, ensure};
use github_sim::{GitHubSim, PullRequestView, Push, RepoOptions};
use jiff::{SignedDuration, Timestamp};
use mass_driver::app::{App, Parts};
use mass_driver::cli::check::{self, CheckArgs, CheckFormat};
use mass_driver::cli::why::{self, WhyArgs, WhyFormat};
use mass_driver::domain::{Clock, Proposal, ProposalState, RepoName};
use mass_driver::forge::{GitHub, GitHubSettings};
use mass_driver::metrics::Metrics;
use mass_driver::pipeline::worker::WorkPolicy;
use mass_driver::registries::{Registries, RegistrySettings};
use mass_driver::safeguards::pace::PacePolicy;
use mass_driver::settings::StoreSettings;
use mass_driver::store::Store;
use mass_driver::subscription::Problem;
use registry_sim::RegistrySim;
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A Wednesday.
const BEGINNING: &str = "2026-03-04T09:00:00Z";
/// The bot looks at a package every ten minutes.
const UNTIL_THE_BOT_LOOKED: SignedDuration = SignedDuration::from_mins(11);
/// How the path of a request for a token ends; one is good for an hour.
const TOKENS: &str = "/access_tokens";

/// A clock that stands still until it is moved.
#[derive(Clone)]
struct StoryClock(Arc<AtomicI64>);

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// What the bot asked GitHub for since some moment.
pub struct Requests {
    /// As `METHOD path`.
    pub for_work: Vec<String>,
    pub for_tokens: usize,
}

/// The stand-ins and the bot.
pub struct World {
    pub github: GitHubSim,
    pub registry: RegistrySim,
    clock: StoryClock,
    app: App,
    store: Store,
    database_url: String,
    http: reqwest::Client,
    address: String,
    served: JoinHandle<()>,
    stop: watch::Sender<bool>,
    folder: TempDir,
}

impl World {
    /// Starts everything; the bot's page and webhook endpoint listen on `listener`.
    pub async fn begin(listener: TcpListener) -> anyhow::Result<Self> {
        let beginning: Timestamp = BEGINNING.parse()?;
        let clock = StoryClock(Arc::new(AtomicI64::new(beginning.as_millisecond())));
        let ticking = |clock: StoryClock| Arc::new(move || clock.now());
        let github = GitHubSim::start(ticking(clock.clone()))?;
        let registry = RegistrySim::start(ticking(clock.clone()))?;

        let folder = TempDir::with_prefix("mass-driver-demo-").context("cannot make a temporary folder")?;
        let database_url = format!("sqlite://{}", folder.path().join("demo.db").display());
        let store = Store::connect(&database_url).await?;
        let credentials = github.app();
        let settings =
            GitHubSettings::new(github.url(), credentials.app_id, SecretString::from(credentials.private_key_pem));
        let registries = RegistrySettings {
            deps_dev_url: Some(registry.deps_dev_url()),
            docker_url: Some(registry.oci_url()),
            ..RegistrySettings::default()
        };
        let app = App::new(Parts {
            store: store.clone(),
            forge: GitHub::new(settings, Arc::new(clock.clone()))?,
            registries: Registries::new(&registries)?,
            clock: Arc::new(clock.clone()),
            policy: WorkPolicy { pace: PacePolicy::OFF, ..WorkPolicy::default() },
            workers: 1,
            webhook_secrets: vec![SecretString::from(credentials.webhook_secret)],
            admin_token: None,
            local_pages: true,
            metrics: Metrics::new(),
        });
        let address = format!("http://{}", listener.local_addr()?);
        github.set_webhook_url(&format!("{address}/webhooks/github"));
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(App::serve_http(app.web().clone(), listener, stopped));
        // Only loopback is visited, in the clear: reading the system's certificates would only cost time.
        let http = reqwest::Client::builder().no_proxy().tls_certs_only(std::iter::empty());
        let http = http.timeout(Duration::from_secs(10)).build()?;
        Ok(Self { github, registry, clock, app, store, database_url, http, address, served, stop, folder })
    }

    /// Ends everything and leaves nothing behind.
    pub async fn end(self) {
        let _ = self.stop.send(true);
        // A browser may hold its connection open.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.served).await;
        self.store.close().await;
        drop(self.folder);
    }

    /// Where the page is, without a slash at its end.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A repository with files on its default branch.
    pub async fn repository(&self, name: &str, files: &[(&str, &str)]) -> anyhow::Result<()> {
        let options = files.iter().fold(RepoOptions::default(), |options, (path, text)| options.file(path, text));
        self.github.create_repo(name, options)?;
        self.settle().await
    }

    /// A person pushes a file to the default branch.
    pub async fn push(&self, repo: &str, path: &str, text: &str) -> anyhow::Result<()> {
        let files: [Push<'_>; 1] = [(path, Some(text.as_bytes()))];
        self.github.push(repo, "main", &files, &format!("Change {path}"))?;
        self.settle().await
    }

    /// Hands over every webhook and lets the bot do all that is due, until nothing happens any more.
    pub async fn settle(&self) -> anyhow::Result<()> {
        loop {
            let delivered = self.github.deliver_pending().await;
            self.app.worker().run_until_idle().await?;
            if delivered.is_empty() && self.github.pending().is_empty() {
                return Ok(());
            }
        }
    }

    /// The clock moves to a moment, and the bot does what is due by then.
    pub async fn time_comes(&self, at: Timestamp) -> anyhow::Result<()> {
        ensure!(at >= self.now(), "the clock only moves forward: it is {} already", self.now());
        self.clock.0.store(at.as_millisecond(), Ordering::SeqCst);
        self.settle().await
    }

    /// The clock moves on until the bot has looked at the registries again.
    pub async fn bot_looks(&self) -> anyhow::Result<()> {
        self.time_comes(self.now() + UNTIL_THE_BOT_LOOKED).await
    }

    /// A page of the bot, fetched over HTTP.
    pub async fn page(&self, path: &str) -> anyhow::Result<Page> {
        self.visit(&format!("{}{path}", self.address)).await
    }

    /// A page of anybody, fetched over HTTP.
    pub async fn visit(&self, address: &str) -> anyhow::Result<Page> {
        let answer = self.http.get(address).send().await.and_then(reqwest::Response::error_for_status);
        let html = answer.with_context(|| format!("{address} does not answer"))?.text().await?;
        Ok(Page::new(html))
    }

    /// What `mass-driver why REPO --format json` prints.
    pub async fn why(&self, repo: &str) -> anyhow::Result<serde_json::Value> {
        let args = WhyArgs {
            repository: repo.into(),
            package: None,
            format: WhyFormat::Json,
            store: StoreSettings { database_url: self.database_url.clone() },
        };
        let mut printed = Vec::new();
        why::run(&args, &self.clock, &mut printed, &mut std::io::sink()).await?;
        Ok(serde_json::from_slice(&printed)?)
    }

    /// What `mass-driver check` finds wrong in a text.
    pub fn check(&self, text: &str) -> anyhow::Result<Vec<Problem>> {
        let checkout = TempDir::new_in(self.folder.path())?;
        let path = checkout.path().join(crate::files::SUBSCRIPTION);
        std::fs::write(&path, text)?;
        let mut printed = Vec::new();
        check::run(&CheckArgs { path, format: CheckFormat::Json }, self.now(), &mut printed)?;
        let answer: serde_json::Value = serde_json::from_slice(&printed)?;
        Ok(serde_json::from_value(answer["problems"].clone())?)
    }

    /// What the bot asked GitHub for since a mark.
    pub fn requests_since(&self, mark: u64) -> Requests {
        let all = self.github.requests_since(mark);
        let (for_tokens, others): (Vec<_>, Vec<_>) = all.iter().partition(|e| e.path.ends_with(TOKENS));
        let for_work = others.iter().map(|e| format!("{} {}", e.method, e.path)).collect();
        Requests { for_work, for_tokens: for_tokens.len() }
    }

    /// The open pull requests of a repository, as GitHub has them.
    pub fn open(&self, repo: &str) -> anyhow::Result<Vec<PullRequestView>> {
        Ok(self.github.pull_requests(repo)?.into_iter().filter(|pull| pull.state == "open").collect())
    }

    /// The titles of the open pull requests of a repository.
    pub fn open_titles(&self, repo: &str) -> anyhow::Result<Vec<String>> {
        Ok(self.open(repo)?.into_iter().map(|pull| pull.title).collect())
    }

    /// The open pull request with a title.
    pub fn pull(&self, repo: &str, title: &str) -> anyhow::Result<PullRequestView> {
        let open = self.open(repo)?;
        let titles: Vec<String> = open.iter().map(|pull| pull.title.clone()).collect();
        open.into_iter()
            .find(|pull| pull.title == title)
            .with_context(|| format!("expected an open pull request {title:?} in {repo}; found open: {titles:?}"))
    }

    /// All proposals in a state, of all repositories, as the bot has stored them.
    pub async fn proposals(&self, states: &[ProposalState]) -> anyhow::Result<Vec<Proposal>> {
        let found = self.store.proposals_in(states, 1_000).await?;
        Ok(found.into_iter().map(|(proposal, _)| proposal).collect())
    }

    /// All proposals that became a pull request, or went onto one that was there.
    pub async fn opened(&self) -> anyhow::Result<Vec<Proposal>> {
        const STATES: [ProposalState; 5] = [
            ProposalState::Open,
            ProposalState::Merged,
            ProposalState::Closed,
            ProposalState::Superseded,
            ProposalState::Withdrawn,
        ];
        let mut found = self.proposals(&STATES).await?;
        found.retain(|proposal| proposal.pull.is_some());
        Ok(found)
    }

    /// The commit at which the bot believes the default branch of a repository to be.
    pub async fn known_head(&self, repo: &str) -> anyhow::Result<Option<String>> {
        let row = self.store.repository_by_name(&RepoName::parse(repo)?).await?;
        Ok(row.and_then(|row| row.head).map(|head| head.commit.to_string()))
    }

    /// How many steps the bot has given up.
    pub async fn parked(&self) -> anyhow::Result<usize> {
        Ok(self.store.parked(1_000).await?.len())
    }
}
