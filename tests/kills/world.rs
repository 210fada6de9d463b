//! Two stand-ins that outlive every process of the bot, a database, and the bot between them, in real time.

use crate::bot::Bot;
use crate::line::{Line, Rule};
use crate::{PATIENCE, promises};
use github_sim::{Exchange, GitHubSim, Push, RepoOptions};
use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{DeliveryId, ProposalState, RepoName};
use mass_driver::store::{Store, StoreError, WorkStanding};
use registry_sim::RegistrySim;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often the world is looked at while something is waited for.
const GLANCE: Duration = Duration::from_millis(2);
/// How often the database is looked into meanwhile.
const LOOK: Duration = Duration::from_millis(200);
/// Long ago, for releases that are old enough for anybody.
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

pub struct World {
    pub github: GitHubSim,
    pub registry: RegistrySim,
    /// Where GitHub hands its webhooks over, whichever process listens.
    pub front: Line,
    database: String,
    /// The requests that were looked at already for what a test waits for.
    seen: AtomicU64,
}

#[expect(clippy::disallowed_methods, reason = "the executable under test lives in real time, so its world does too")]
fn real_time() -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    Arc::new(Timestamp::now)
}

/// Waits until something is so.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let waits = async {
        while !is_so().await {
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

impl World {
    /// The stand-ins, with webhooks handed over as they happen. The database is made by the first process.
    pub async fn begin(database: &str) -> Self {
        let github = GitHubSim::start(real_time()).unwrap();
        let registry = RegistrySim::start(real_time()).unwrap();
        let front = Line::open(Rule::Passes).await;
        github.set_webhook_url(&format!("http://{}/webhooks/github", front.address));
        github.auto_deliver(true);
        Self { github, registry, front, database: database.to_string(), seen: AtomicU64::new(0) }
    }

    /// The settings of a process, on the world's database.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        self.settings_on(&self.database)
    }

    /// The same, with the database reached at another address.
    pub fn settings_on(&self, database: &str) -> Vec<(&'static str, String)> {
        let app = self.github.app();
        vec![
            ("DATABASE_URL", database.to_string()),
            ("MASS_DRIVER_LISTEN", "127.0.0.1:0".into()),
            ("MASS_DRIVER_DEPS_DEV_URL", self.registry.deps_dev_url()),
            // What a killed process had under way is to be taken over while a test can wait for it.
            ("MASS_DRIVER_LEASE_SECONDS", "1".into()),
            // Paced all the same: a pull request is written in several claims.
            ("MASS_DRIVER_WRITE_SPACING_MS", "20".into()),
            ("MASS_DRIVER_WORKERS", "2".into()),
            ("GITHUB_API_URL", self.github.url()),
            ("GITHUB_APP_ID", app.app_id.to_string()),
            ("GITHUB_APP_PRIVATE_KEY", app.private_key_pem),
            ("GITHUB_WEBHOOK_SECRET", app.webhook_secret),
        ]
    }

    /// Starts a process, which listens to GitHub from now on.
    pub async fn start(&self) -> Bot {
        self.start_with(&self.settings()).await
    }

    pub async fn start_with(&self, settings: &[(&str, String)]) -> Bot {
        let bot = Bot::start(settings);
        self.front.leads_to(Some(bot.ready().await));
        bot
    }

    /// SIGKILL; nobody listens to GitHub then.
    pub async fn kill(&self, bot: Bot) {
        bot.dies().await;
        self.front.leads_to(None);
    }

    /// An organisation with the App installed, and repositories in it.
    pub fn organization(&self, login: &str) -> i64 {
        self.github.organization(login);
        self.github.install(login).unwrap()
    }

    pub fn repository(&self, name: &str, files: &[(&str, &str)]) {
        let options = files.iter().fold(RepoOptions::default(), |options, (path, text)| options.file(path, text));
        self.github.create_repo(name, options).unwrap();
    }

    pub fn push(&self, repo: &str, files: &[(&str, &str)]) {
        let files: Vec<Push<'_>> = files.iter().map(|(path, text)| (*path, Some(text.as_bytes()))).collect();
        self.github.push(repo, "main", &files, "a person's change").unwrap();
    }

    /// Releases that were published long ago.
    pub fn releases(&self, package: &str, versions: &[&str]) {
        for version in versions {
            self.registry.release_at(package, version, LONG_AGO.parse().unwrap());
        }
    }

    /// The requests since this was asked last.
    pub fn new_requests(&self) -> Vec<Exchange> {
        let mark = self.github.mark();
        let seen = self.seen.swap(mark, Ordering::SeqCst);
        if mark == seen { Vec::new() } else { self.github.requests_since(seen) }
    }

    /// The store of the bot, to look into, while it works on it or after it was killed.
    pub async fn look<F: Future>(&self, into: impl FnOnce(Store) -> F) -> F::Output {
        let mut refusal = None;
        let opened = async {
            loop {
                match Store::open_existing(&self.database).await {
                    Ok(store) => return store,
                    // A machine on which many lives go on side by side answers late.
                    Err(
                        error @ (StoreError::Unavailable(_)
                        | StoreError::Unreachable { .. }
                        | StoreError::NotLetIn { .. }),
                    ) => refusal = Some(error),
                    Err(error) => panic!("the database cannot be looked into: {error}"),
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let store = match tokio::time::timeout(PATIENCE, opened).await {
            Ok(store) => store,
            Err(_) => panic!("the database could not be looked into for long: {refusal:?}"),
        };
        let seen = tokio::time::timeout(PATIENCE, into(store.clone())).await.expect("looking into it never ended");
        // An open file would spare the next process the recovery that a killed one leaves behind.
        tokio::time::timeout(PATIENCE, store.close()).await.expect("the database was never let go");
        seen
    }

    /// Lets a process work until everything was handed over and done. `doom` is asked all the time: when it names a
    /// moment to come, the process is killed then, and another takes its place. Returns the process that lives at last.
    pub async fn settle(&self, bot: Bot, doom: &mut dyn FnMut() -> Option<Duration>) -> Bot {
        let life = async {
            let mut bot = bot;
            let mut looked = tokio::time::Instant::now();
            loop {
                if let Some(moment) = doom() {
                    tokio::time::sleep(moment).await;
                    self.kill(bot).await;
                    bot = self.start().await;
                }
                if self.github.all_delivered() && looked.elapsed() >= LOOK {
                    looked = tokio::time::Instant::now();
                    if self.is_done().await {
                        return bot;
                    }
                }
                tokio::time::sleep(GLANCE).await;
            }
        };
        match tokio::time::timeout(PATIENCE, life).await {
            Ok(bot) => bot,
            Err(_) => panic!("it never came to rest:\n{}", self.look(tell).await),
        }
    }

    /// Whether nothing is left to be handed over or done, seen from both sides, and nobody did anything meanwhile.
    async fn is_done(&self) -> bool {
        let before = (self.github.mark(), self.registry.requests().len());
        let done = self.look(async |store| {
            let now = mass_driver::app::now();
            // What a file wants weekly, and release notes that are not there yet, come long after the test.
            let later = now + SignedDuration::from_mins(30);
            let rests = async || {
                let queue = store.queue_figures(later).await.unwrap();
                let is_over = |standing| matches!(standing, WorkStanding::Parked | WorkStanding::Waiting);
                queue.iter().all(|figure| is_over(figure.standing))
            };
            // New packages are looked up soon, and until then they are in no queue.
            rests().await && store.packages_due(now, 1).await.unwrap().is_empty() && rests().await
        });
        done.await
            && self.deliver_again_what_failed() == 0
            && self.github.all_delivered()
            && before == (self.github.mark(), self.registry.requests().len())
    }

    /// What GitHub could not hand over is asked for again. Returns how many there were.
    pub fn deliver_again_what_failed(&self) -> usize {
        let posts = self.github.webhook_posts();
        let reached: BTreeSet<&str> =
            posts.iter().filter(|p| (200..300).contains(&p.status)).map(|p| p.guid.as_str()).collect();
        let lost: BTreeSet<&str> =
            posts.iter().map(|p| p.guid.as_str()).filter(|guid| !reached.contains(guid)).collect();
        lost.iter().filter(|guid| self.github.repeat(guid)).count()
    }

    /// The bot is stopped in good order; then every promise is checked in what it left.
    pub async fn the_end(&self, bot: Bot) {
        bot.hears_sigterm().await;
        bot.ends().await;
        self.front.leads_to(None);
        self.look(async |store| {
            promises::are_kept(&self.github, &store, mass_driver::app::now()).await;
            for post in self.github.webhook_posts() {
                let delivery = store.delivery(&DeliveryId(post.guid.clone())).await.unwrap();
                assert!(delivery.is_some(), "{} {:?} was never taken in", post.event, post.action);
            }
            for repo in self.github.repositories() {
                self.agrees_with_github(&store, &repo.full_name).await;
            }
        })
        .await;
    }

    /// Nothing is being sent any more, and what the store holds to be open is what GitHub shows.
    async fn agrees_with_github(&self, store: &Store, name: &str) {
        let row = store.repository_by_name(&RepoName::parse(name).unwrap()).await.unwrap();
        let row = row.unwrap_or_else(|| panic!("the bot does not know {name}"));
        let attempted = store.attempted(row.repository.id).await.unwrap();
        assert!(attempted.is_empty(), "{name}: {attempted:?} are said to be on their way");
        let mut known: Vec<i64> = Vec::new();
        for proposal in store.proposals(row.repository.id).await.unwrap() {
            if proposal.state == ProposalState::Open {
                known.extend(proposal.pull.map(|pull| pull.number.0));
            }
        }
        known.sort_unstable();
        let ours = |p: &github_sim::PullRequestView| p.state == "open" && p.head_branch.starts_with("mass-driver/");
        let mut there: Vec<i64> =
            self.github.pull_requests(name).unwrap().iter().filter(|p| ours(p)).map(|p| p.number).collect();
        there.sort_unstable();
        assert_eq!(known, there, "open in {name}: the store on the left, GitHub on the right");
        let head = self.github.head(name, "main").unwrap();
        assert_eq!(row.head.map(|head| head.commit.as_str().to_string()), head, "the head of {name}");
    }

    /// The titles of the open pull requests of a repository, in alphabetical order.
    pub fn open(&self, repo: &str) -> Vec<String> {
        let pulls = self.github.pull_requests(repo).unwrap();
        let mut titles: Vec<String> = pulls.into_iter().filter(|p| p.state == "open").map(|p| p.title).collect();
        titles.sort();
        titles
    }
}

/// What the store holds that has not come to an end, for whoever reads the failure.
async fn tell(store: Store) -> String {
    let depth = store.queue_depth().await.unwrap();
    let parked = store.parked(10).await.unwrap();
    let waiting: Vec<_> =
        store.recent_deliveries(100).await.unwrap().into_iter().filter(|d| d.outcome.is_none()).collect();
    format!("the queue: {depth:?}\nparked: {parked:#?}\ndeliveries that wait: {waiting:#?}")
}
