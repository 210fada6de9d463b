//! Killed at random moments: people work in several repositories, and the process is killed several times, after so many
//! events and a little while. What it ends in is worked out from the files alone.
//!
//! `KILL_RUNS` is how many runs there are on each database; `KILL_SEED` is the seed of the first, and the next has the next
//! number. A run that fails says its seed: with it people do the same again, and the kills come after the same events. The
//! processes keep their own pace, so a moment is found again, or its neighbour.

use crate::bot::Bot;
use crate::databases::{on_postgres, on_sqlite};
use crate::dice::Dice;
use crate::world::World;
use futures_util::{FutureExt as _, StreamExt as _};
use github_sim::PullRequestView;
use mass_driver::planner::onboarding::TITLE;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

/// How many runs there are where nobody says.
const RUNS: u64 = 10;
/// How many runs go on side by side: they mostly wait, for leases to end and processes to start.
const SIDE_BY_SIDE: usize = 5;
const KILLS: usize = 3;

const REPOSITORIES: [&str; 3] = ["acme/api", "beta/site", "core/tools"];
/// Two releases each.
const PACKAGES: [(&str, &str, &str); 4] =
    [("httpx", "0.27.0", "0.28.0"), ("idna", "3.6", "3.7"), ("rich", "13.0", "13.9"), ("attrs", "23.1", "24.2")];
/// One that has no subscription file, in an organisation that asks for one.
const NEWCOMER: &str = "delta/new";
const FILE: (&str, &str) = (".mass-driver.yaml", "limit: 20\nlabels: [deps]\nsubscriptions: [pypi]\n");

/// When the process is killed next: after so many requests and webhooks, and a little while.
struct Doom<'a> {
    world: &'a World,
    dice: Dice,
    kills: usize,
    next: u64,
}

impl<'a> Doom<'a> {
    fn new(world: &'a World, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let next = 1 + dice.roll(60);
        Self { world, dice, kills: 0, next }
    }

    /// Requests to GitHub and to registries, and webhooks that the bot answered.
    fn events(&self) -> u64 {
        self.world.github.mark() + self.world.registry.requests().len() as u64 + self.world.front.answers()
    }

    fn moment(&mut self) -> Option<Duration> {
        if self.kills == KILLS || self.events() < self.next {
            return None;
        }
        self.kills += 1;
        self.next = self.events() + 1 + self.dice.roll(30);
        Some(Duration::from_micros(self.dice.roll(15_000)))
    }
}

/// What a file uses: package and version.
fn lines(text: &str) -> Vec<(String, String)> {
    let pairs = text.lines().filter_map(|line| line.split_once("=="));
    pairs.map(|(package, version)| (package.to_string(), version.to_string())).collect()
}

fn file(world: &World, repo: &str) -> String {
    let bytes = world.github.file(repo, "main", "requirements.txt").unwrap();
    String::from_utf8(bytes.unwrap_or_default()).unwrap()
}

fn open_pulls(world: &World, repo: &str) -> Vec<PullRequestView> {
    world.github.pull_requests(repo).unwrap().into_iter().filter(|p| p.state == "open").collect()
}

/// A person does something somewhere.
fn somebody_acts(world: &World, dice: &mut Dice) {
    let repo = dice.one_of(&REPOSITORIES);
    let pull = open_pulls(world, repo).first().map(|pull| pull.number);
    match (dice.roll(5), pull) {
        // It may be in conflict with what was merged before; then people leave it.
        (0, Some(number)) => drop(world.github.merge(repo, number)),
        (1, Some(number)) => world.github.close(repo, number).unwrap(),
        (2, _) => world.push(repo, &[("README.md", &format!("{}\n", dice.roll(1_000_000)))]),
        _ => {
            let (package, old, _) = dice.one_of(&PACKAGES);
            let text = file(world, repo);
            let used = lines(&text).iter().any(|(name, _)| name == package);
            let more = if used { "# a remark\n".to_string() } else { format!("{package}=={old}\n") };
            world.push(repo, &[("requirements.txt", &(text + &more))]);
        }
    }
}

/// A person may decide about the first file that was proposed.
fn somebody_answers(world: &World, dice: &mut Dice) {
    let Some(number) = open_pulls(world, NEWCOMER).first().map(|pull| pull.number) else { return };
    match dice.roll(4) {
        0 => drop(world.github.merge(NEWCOMER, number)),
        1 => world.github.close(NEWCOMER, number).unwrap(),
        2 => world.push(NEWCOMER, &[("README.md", &format!("{}\n", dice.roll(1_000_000)))]),
        _ => {}
    }
}

/// An old version on the default branch has one open pull request, or one that a person closed; a new one has none open.
fn everything_is_proposed_once(world: &World, repo: &str) {
    let pulls = world.github.pull_requests(repo).unwrap();
    for (package, version) in lines(&file(world, repo)) {
        let (_, old, new) = PACKAGES.into_iter().find(|(name, _, _)| *name == package).unwrap();
        let title = format!("Bump {package} from {old} to {new}");
        let found: Vec<&PullRequestView> = pulls.iter().filter(|pull| pull.title == title).collect();
        let states: Vec<(&str, bool)> = found.iter().map(|pull| (pull.state.as_str(), pull.merged)).collect();
        let merged = version == new;
        assert_eq!(states.len(), 1, "{repo}: {title}: {states:?}");
        assert_eq!(states[0].1, merged, "{repo}: {title}: {states:?}");
        assert!(found.iter().all(|pull| pull.labels == ["deps"]), "{repo}: {title} lacks its label");
    }
}

/// One run, which says its seed when it fails.
async fn run(database: String, seed: u64) {
    if let Err(panic) = AssertUnwindSafe(lives(&database, seed)).catch_unwind().await {
        eprintln!("this run had the seed {seed}; once more: KILL_RUNS=1 KILL_SEED={seed}");
        resume_unwind(panic);
    }
}

async fn lives(database: &str, seed: u64) {
    let world = World::begin(database).await;
    for (package, old, new) in PACKAGES {
        world.releases(package, &[old, new]);
    }
    let mut people = Dice(!seed);
    let mut doom = Doom::new(&world, seed);
    let mut bot: Bot = world.start().await;
    for repo in REPOSITORIES {
        world.organization(repo.split_once('/').unwrap().0);
        let (package, old, _) = people.one_of(&PACKAGES);
        world.repository(repo, &[("requirements.txt", &format!("{package}=={old}\n")), FILE]);
    }
    world.organization("delta");
    world.repository("delta/.github", &[(".mass-driver-organisation.yaml", "onboarding: all\n")]);
    world.repository(NEWCOMER, &[("requirements.txt", "httpx==0.27.0\n")]);
    for _ in 0..2 {
        bot = world.settle(bot, &mut || doom.moment()).await;
        for _ in 0..4 {
            somebody_acts(&world, &mut people);
        }
        somebody_answers(&world, &mut people);
    }
    let bot = world.settle(bot, &mut || doom.moment()).await;
    for repo in REPOSITORIES {
        everything_is_proposed_once(&world, repo);
    }
    let asked = world.github.pull_requests(NEWCOMER).unwrap();
    let first = asked.iter().filter(|pull| pull.title == TITLE).count();
    assert_eq!(first, 1, "{NEWCOMER} is asked once, whatever a person answers: {asked:?}");
    world.the_end(bot).await;
}

#[expect(clippy::disallowed_methods, reason = "how long to go on is said in the environment, as is where Postgres is")]
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is `{text}`, which is no number")))
}

async fn runs<F: Future<Output = ()>>(one: impl Fn(u64) -> F) {
    let first = number("KILL_SEED").unwrap_or(1);
    let seeds = first..first + number("KILL_RUNS").unwrap_or(RUNS);
    futures_util::stream::iter(seeds.map(one)).buffer_unordered(SIDE_BY_SIDE).collect::<Vec<()>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_on_sqlite() {
    runs(|seed| on_sqlite(async move |url| run(url, seed).await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_on_postgres() {
    runs(|seed| on_postgres(async move |url| run(url, seed).await)).await;
}
