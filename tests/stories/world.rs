//! The world of a story: two stand-ins, the bot between them, and a clock that moves only when the story says so.

mod forge;
mod processes;
mod views;

use crate::contract::{Contract, without_bots};
use github_sim::{GitHubSim, Push, RepoOptions};
use jiff::{SignedDuration, Timestamp};
use mass_driver::app::App;
use mass_driver::domain::Clock;
use mass_driver::pipeline::duties;
use mass_driver::pipeline::worker::WorkPolicy;
use mass_driver::safeguards::pace::PacePolicy;
use mass_driver::store::{QueueDepth, Store, WorkState};
use registry_sim::RegistrySim;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;

/// Every story begins on this Wednesday. The next Monday 06:00 UTC is 2026-03-09.
pub const BEGINNING: &str = "2026-03-04T09:00:00Z";

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct StoryClock(Arc<AtomicI64>);

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub struct World {
    pub github: GitHubSim,
    pub registry: RegistrySim,
    pub clock: StoryClock,
    pub store: Store,
    /// The installation on the organisation `acme`.
    pub installation: i64,
    /// Where the bot is reached, and where its rows are.
    pub address: String,
    pub database_url: String,
    app: App,
    /// The index of Python packages, once one is set.
    index: OnceLock<String>,
    policy: WorkPolicy,
    stop: watch::Sender<bool>,
}

/// The policy of most stories: what can be done now is done now.
pub fn at_once() -> WorkPolicy {
    WorkPolicy { pace: PacePolicy::OFF, ..WorkPolicy::default() }
}

/// As GitHub wants it: a second between two writes. The world's clock moves on while they are made.
pub fn paced() -> WorkPolicy {
    WorkPolicy { pace: PacePolicy::default(), ..WorkPolicy::default() }
}

impl World {
    pub async fn begin(url: &str, policy: WorkPolicy) -> Self {
        let beginning: Timestamp = BEGINNING.parse().unwrap();
        let clock = StoryClock(Arc::new(AtomicI64::new(beginning.as_millisecond())));
        let ticking = |clock: StoryClock| Arc::new(move || clock.now());
        let github = GitHubSim::start(ticking(clock.clone())).unwrap();
        let registry = RegistrySim::start(ticking(clock.clone())).unwrap();
        let store = crate::databases::open(url).await;
        let app = Self::process(&github, &registry, &clock, &store, policy);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        github.set_webhook_url(&format!("{address}/webhooks/github"));
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(App::serve_http(app.web().clone(), listener, stopped));
        github.organization("acme");
        let installation = github.install("acme").unwrap();
        let database_url = url.to_owned();
        let index = OnceLock::new();
        Self { github, registry, clock, store, installation, address, database_url, app, index, policy, stop }
    }

    /// A repository of the organisation, with files on its default branch.
    pub async fn repository(&self, name: &str, files: &[(&str, &str)]) {
        let options = files.iter().fold(RepoOptions::default(), |options, (path, text)| options.file(path, text));
        self.github.create_repo(name, options).unwrap();
        self.settle().await;
    }

    /// A repository that pins httpx 0.27.0, the only release there is, and has this subscription file.
    pub async fn repository_using_httpx(&self, name: &str, subscriptions: &str) {
        self.registry.release("httpx", "0.27.0");
        self.repository(name, &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", subscriptions)]).await;
    }

    /// The repository `acme/api` has this requirements file and this subscription file, and the index has these releases, as
    /// `package version version`.
    pub async fn api_requires(&self, requirements: &str, releases: &[&str], subscriptions: &str) {
        for package in releases {
            let (name, versions) = package.split_once(' ').unwrap();
            versions.split(' ').for_each(|version| self.registry.release(name, version));
        }
        self.repository("acme/api", &[("requirements.txt", requirements), (".mass-driver.yaml", subscriptions)]).await;
    }

    /// The repository `acme/api` pins httpx 0.27.0, and waits until Monday for 0.28.0.
    pub async fn api_waits_for_monday(&self) {
        self.repository_using_httpx("acme/api", "delay: weekly\nsubscriptions: [pypi]\n").await;
        self.registry.release("httpx", "0.28.0");
        self.bot_looks().await;
        assert_eq!(self.waiting("acme/api").await.len(), 1);
    }

    /// A person pushes files to the default branch.
    pub async fn push(&self, repo: &str, files: &[(&str, &str)]) {
        self.push_quietly(repo, files);
        self.settle().await;
    }

    /// The same, without the bot having a chance to notice.
    pub fn push_quietly(&self, repo: &str, files: &[(&str, &str)]) {
        let files: Vec<Push<'_>> = files.iter().map(|(path, text)| (*path, Some(text.as_bytes()))).collect();
        self.github.push(repo, "main", &files, "a person's change").unwrap();
    }

    /// A person removes a file from the default branch.
    pub async fn remove(&self, repo: &str, path: &str) {
        self.github.push(repo, "main", &[(path, None)], "a person removes a file").unwrap();
        self.settle().await;
    }

    /// Hands over every webhook and does all the work that is due, until nothing happens any more.
    pub async fn settle(&self) {
        loop {
            let delivered = self.github.deliver_pending().await;
            self.work().await;
            if delivered.is_empty() && self.github.pending().is_empty() {
                return;
            }
        }
    }

    /// Does all the work that is due, without any webhook being handed over.
    pub async fn work(&self) {
        let running = |depth: Vec<QueueDepth>| depth.iter().any(|d| d.state == WorkState::Running);
        // What is set later holds for a process that is started later.
        let later = self.index.get().map(|_| self.another_process());
        let worker = later.as_ref().unwrap_or(&self.app).worker();
        loop {
            worker.run_until_idle().await.unwrap();
            // What a killed process had under way is taken over as soon as its lease is over.
            if !running(self.store.queue_depth().await.unwrap()) && !self.let_writes_come_due().await {
                return;
            }
        }
    }

    /// Where writes are paced, the clock moves on to the next turn, if that is a matter of seconds. `false` if there is none.
    pub async fn let_writes_come_due(&self) -> bool {
        if self.policy.pace.is_off() {
            return false;
        }
        let soon = self.clock.now() + SignedDuration::from_secs(60);
        let Some(next) = self.next_write().await.filter(|next| *next <= soon) else { return false };
        self.clock.0.fetch_max(next.as_millisecond(), Ordering::SeqCst);
        true
    }

    /// When the next step comes that waits for its turn to write.
    async fn next_write(&self) -> Option<Timestamp> {
        const SQL: &str = "SELECT min(due_at) FROM work WHERE state = 'queued'
            AND step IN ('execute', 'invite', 'label', 'merge', 'onboard', 'retire', 'rework', 'tell')
            AND (last_error IS NULL OR last_error LIKE 'GitHub limits how fast%')";
        let due: Option<i64> = if self.database_url.starts_with("sqlite") {
            let mut database = SqliteConnection::connect(&self.database_url).await.unwrap();
            sqlx::query_scalar(SQL).fetch_one(&mut database).await.unwrap()
        } else {
            let mut database = PgConnection::connect(&self.database_url).await.unwrap();
            sqlx::query_scalar(SQL).fetch_one(&mut database).await.unwrap()
        };
        due.map(|due| Timestamp::from_millisecond(due).unwrap())
    }

    /// The clock moves to a point in time, and nobody does anything yet.
    pub fn clock_comes(&self, at: &str) {
        let at: Timestamp = at.parse().unwrap();
        assert!(at >= self.clock.now(), "the clock only moves forward");
        self.clock.0.store(at.as_millisecond(), Ordering::SeqCst);
    }

    /// The clock moves on, and nobody does anything yet.
    pub fn clock_moves(&self, length: SignedDuration) {
        self.clock.0.fetch_add(i64::try_from(length.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// The moment at which the story began.
    pub fn beginning(&self) -> Timestamp {
        BEGINNING.parse().unwrap()
    }

    /// Somebody sets the clock back.
    pub fn clock_goes_back(&self, length: SignedDuration) {
        self.clock.0.fetch_sub(i64::try_from(length.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// The clock moves on, and the bot does what is due by then. Registries are looked at every ten minutes.
    pub async fn time_passes(&self, length: SignedDuration) {
        self.clock.0.fetch_add(i64::try_from(length.as_millis()).unwrap(), Ordering::SeqCst);
        self.settle().await;
    }

    /// The clock moves to a point in time.
    pub async fn time_comes(&self, at: &str) {
        let at: Timestamp = at.parse().unwrap();
        assert!(at >= self.clock.now(), "the clock only moves forward");
        self.time_passes(at.duration_since(self.clock.now())).await;
    }

    /// The bot looks at the registries again.
    pub async fn bot_looks(&self) {
        self.time_passes(SignedDuration::from_mins(11)).await;
    }

    /// A person presses a button on a page.
    pub async fn press(&self, path: &str) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let pressed = client.post(format!("{}{path}", self.address)).header("sec-fetch-site", "same-origin");
        let answer = pressed.header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}: the page it came from");
        self.settle().await;
    }

    /// The present moment of the story.
    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The bot starts anew, on the same database.
    pub async fn restart(&self) {
        self.app.worker().greet().await.unwrap();
        self.settle().await;
    }

    /// The bot looks at the lists of its installations, and at nothing else yet.
    pub async fn looks_at_installations(&self) {
        self.app.worker().greet().await.unwrap();
        assert!(self.app.worker().run_one().await.unwrap());
    }

    /// The clock's duties that are due are done, and what comes of them.
    pub async fn duties(&self) {
        duties::queue_due(&self.store, self.clock.now()).await.unwrap();
        self.settle().await;
    }

    /// From now on nobody takes webhooks: GitHub finds no server at the address.
    pub fn goes_down(&self) {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        self.github.set_webhook_url(&format!("http://{nobody}/webhooks/github"));
    }

    /// From now on webhooks reach a process that cannot use its database.
    pub async fn loses_its_database(&self) {
        let store = crate::databases::open(&self.database_url).await;
        let app = Self::process(&self.github, &self.registry, &self.clock, &store, WorkPolicy::default());
        store.close().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.github.set_webhook_url(&format!("http://{}/webhooks/github", listener.local_addr().unwrap()));
        tokio::spawn(App::serve_http(app.web().clone(), listener, self.stop.subscribe()));
    }

    /// The server takes webhooks again.
    pub fn comes_back(&self) {
        self.github.set_webhook_url(&format!("{}/webhooks/github", self.address));
    }

    /// What must hold at the end of every story.
    pub async fn the_end(&self) {
        self.nothing_violates_githubs_description();
        crate::promises::are_kept(&self.github, &self.store, self.clock.now()).await;
        let _ = self.stop.send(true);
    }

    fn nothing_violates_githubs_description(&self) {
        let contract = Contract::load();
        let mut violations = contract.all_violations(self.github.exchanges());
        for post in self.github.webhook_posts() {
            violations.extend(without_bots(contract.webhook_violations(&post.event, &post.body)));
        }
        assert!(violations.is_empty(), "against GitHub's API description:\n{}", violations.join("\n"));
    }
}
