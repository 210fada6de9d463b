//! The world of a story: two stand-ins, the bot between them, and a clock that moves only when the story says so.

use crate::contract::{Contract, Exchange, query_pairs};
use github_sim::{Fault, FaultKind, GitHubSim, PullRequestView, Push, RepoOptions};
use jiff::{SignedDuration, Timestamp};
use mass_driver::app::{App, Parts};
use mass_driver::domain::{Clock, Outlook, Proposal, ProposalState, RepoId, RepoName};
use mass_driver::forge::{GitHub, GitHubSettings};
use mass_driver::metrics::Metrics;
use mass_driver::pipeline::duties;
use mass_driver::pipeline::worker::WorkPolicy;
use mass_driver::registries::{Registries, RegistrySettings};
use mass_driver::safeguards::pace::PacePolicy;
use mass_driver::store::{QueueDepth, RepositoryRow, Store, WorkState};
use registry_sim::RegistrySim;
use secrecy::SecretString;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
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
        Self { github, registry, clock, store, installation, address, database_url, app, policy, stop }
    }

    /// The bot as one process: its own tokens and connections, the database shared with every other.
    fn process(
        github: &GitHubSim,
        registry: &RegistrySim,
        clock: &StoryClock,
        store: &Store,
        policy: WorkPolicy,
    ) -> App {
        let forge_clock = Arc::new(clock.clone());
        Self::process_with(github, registry, clock, forge_clock, store, policy)
    }

    /// The same, with the time that the forge goes by apart.
    fn process_with(
        github: &GitHubSim,
        registry: &RegistrySim,
        clock: &StoryClock,
        forge_clock: Arc<dyn Clock>,
        store: &Store,
        policy: WorkPolicy,
    ) -> App {
        let credentials = github.app();
        let metrics = Metrics::new();
        let settings =
            GitHubSettings::new(github.url(), credentials.app_id, SecretString::from(credentials.private_key_pem));
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        App::new(Parts {
            store: store.clone(),
            forge: GitHub::counting(settings, forge_clock, metrics.clone()).unwrap(),
            registries: Registries::new(&RegistrySettings {
                deps_dev_url: Some(registry.deps_dev_url()),
                docker_url: Some(registry.oci_url()),
                ..RegistrySettings::default()
            })
            .unwrap()
            .counting(metrics.clone()),
            clock,
            policy,
            workers: 1,
            webhook_secrets: vec![SecretString::from(credentials.webhook_secret)],
            admin_token: None,
            local_pages: true,
            metrics,
        })
    }

    /// One more process of the bot at the same work.
    pub fn another_process(&self) -> App {
        Self::process(&self.github, &self.registry, &self.clock, &self.store, self.policy)
    }

    /// One more process, whose forge asks this clock.
    pub fn process_with_forge_clock(&self, clock: Arc<dyn Clock>) -> App {
        Self::process_with(&self.github, &self.registry, &self.clock, clock, &self.store, self.policy)
    }

    /// A process works until a request falls silent, and is killed at that instant. The leases it held are over.
    pub async fn dies_at(&self, method: &str, path: &str, kind: FaultKind) {
        self.another_process_dies_at(self.policy, method, path, kind).await;
    }

    /// The same, of a process with a policy of its own.
    pub async fn another_process_dies_at(&self, policy: WorkPolicy, method: &str, path: &str, kind: FaultKind) {
        assert!(matches!(kind, FaultKind::Hang | FaultKind::HangAfter), "a process is killed while it waits");
        self.github.fault(Fault::once(method, path, kind));
        let mark = self.github.mark();
        let policy = WorkPolicy { lease: Duration::from_millis(1), ..policy };
        let doomed = Self::process(&self.github, &self.registry, &self.clock, &self.store, policy);
        let silence = async {
            while !self.github.requests_since(mark).iter().any(|e| e.fault.is_some()) {
                tokio::task::yield_now().await;
            }
        };
        // A step that another process died in is there to be taken once its lease is over, by the database's clock.
        let life = async {
            for _ in 0..1_000 {
                doomed.worker().run_until_idle().await.unwrap();
                self.let_writes_come_due().await;
            }
        };
        tokio::select! {
            () = life => panic!("it never asked for {method} {path}"),
            () = silence => {}
        }
    }

    /// A repository of the organisation, with files on its default branch.
    pub async fn repository(&self, name: &str, files: &[(&str, &str)]) {
        let options = files.iter().fold(RepoOptions::default(), |options, (path, text)| options.file(path, text));
        self.github.create_repo(name, options).unwrap();
        self.settle().await;
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
        loop {
            self.app.worker().run_until_idle().await.unwrap();
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
        const SQL: &str =
            "SELECT min(due_at) FROM work WHERE state = 'queued' AND step IN ('execute', 'label', 'retire')
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

    pub async fn row(&self, repo: &str) -> RepositoryRow {
        let name = RepoName::parse(repo).unwrap();
        self.store.repository_by_name(&name).await.unwrap().unwrap_or_else(|| panic!("the bot does not know {repo}"))
    }

    pub async fn repo_id(&self, repo: &str) -> RepoId {
        self.row(repo).await.repository.id
    }

    pub async fn proposals(&self, repo: &str, state: ProposalState) -> Vec<Proposal> {
        let all = self.store.proposals(self.repo_id(repo).await).await.unwrap();
        all.into_iter().filter(|p| p.state == state).collect()
    }

    pub async fn outlook(&self, repo: &str) -> Vec<Outlook> {
        self.store.outlook(self.repo_id(repo).await).await.unwrap()
    }

    /// The waiting proposals as people see them: `title | reason`.
    pub async fn waiting(&self, repo: &str) -> Vec<String> {
        let waiting = self.proposals(repo, ProposalState::Waiting).await;
        waiting.into_iter().map(|p| format!("{} | {}", p.title, p.reason)).collect()
    }

    /// The titles of the open pull requests of a repository.
    pub fn open(&self, repo: &str) -> Vec<String> {
        let pulls = self.github.pull_requests(repo).unwrap();
        pulls.into_iter().filter(|p| p.state == "open").map(|p| p.title).collect()
    }

    /// The one pull request that is open in a repository.
    pub fn pull(&self, repo: &str) -> PullRequestView {
        let mut open: Vec<PullRequestView> =
            self.github.pull_requests(repo).unwrap().into_iter().filter(|p| p.state == "open").collect();
        assert_eq!(open.len(), 1, "one open pull request in {repo}: {:?}", self.open(repo));
        open.remove(0)
    }

    pub fn file(&self, repo: &str, branch: &str, path: &str) -> String {
        let bytes = self.github.file(repo, branch, path).unwrap();
        String::from_utf8(bytes.unwrap_or_else(|| panic!("{path} is not on {branch} of {repo}"))).unwrap()
    }

    /// The requests the bot made since a mark, as `METHOD path`.
    pub fn requests_since(&self, mark: u64) -> Vec<String> {
        self.github.requests_since(mark).iter().map(|e| format!("{} {}", e.method, e.path)).collect()
    }

    /// What the bot answers to a person on its machine.
    pub async fn page(&self, path: &str) -> String {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{}{path}", self.address)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
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
        crate::promises::are_kept(&self.github, &self.store).await;
        let _ = self.stop.send(true);
    }

    fn nothing_violates_githubs_description(&self) {
        let contract = Contract::load();
        let mut violations = Vec::new();
        for e in self.github.exchanges() {
            if e.fault.is_some() {
                continue;
            }
            violations.extend(contract.violations(&Exchange {
                method: e.method,
                path: e.path,
                query: query_pairs(e.query.as_deref().unwrap_or("")),
                request_body: e.request_body,
                status: e.status,
                response_headers: e.response_headers.into_iter().collect(),
                response_body: e.response_body,
            }));
        }
        for post in self.github.webhook_posts() {
            let found = contract.webhook_violations(&post.event, &post.body);
            // The address of an App's bot, as GitHub writes it, is none by the format that GitHub's description names.
            violations.extend(found.into_iter().filter(|violation| !violation.contains("[bot]@users.noreply")));
        }
        assert!(violations.is_empty(), "against GitHub's API description:\n{}", violations.join("\n"));
    }
}
