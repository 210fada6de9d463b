//! One release, used by a thousand repositories, becomes their proposals; the other repositories are not looked at.
//!
//! The number of repositories grows while that of the users stays: so do rows, and the time should not.

use crate::Options;
use crate::database::{Database, Kind, Place};
use crate::engine::{Addresses, Credentials, Engine, Setup};
use crate::fill::{self, Filled, Filler, NEW, OLD};
use crate::process::PATIENCE;
use crate::report::{Report, Runs};
use anyhow::ensure;
use github_sim::GitHubSim;
use mass_driver::domain::{Head, InstallationId, ObjectId, RepoId, RepoName};
use mass_driver::store::Store;
use registry_sim::RegistrySim;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FIGURE: &str = "fan_out";
/// How many repositories use each package that is released.
const USERS: usize = 1_000;
/// As the server has by default.
const WORKERS: u16 = 4;
/// Of the packages of a repository, at most so many are ever released.
const RELEASES_MAX: u32 = 10;
/// Each release waits for next Monday, in a proposal of its own: nothing is sent to GitHub.
const SUBSCRIPTION: &str = "delay: weekly\nsubscriptions:\n  - migration: pypi\n    group: none\n";

const PROPOSALS: &str = "SELECT count(*) FROM proposal";

/// Repositories of one size: those that came in last, some of which use what is released at this size.
struct Stage {
    number: usize,
    added: Range<usize>,
    releases: u32,
}

impl Stage {
    fn users(&self) -> usize {
        USERS.min(self.added.len())
    }

    fn package(&self, run: u32) -> String {
        format!("released-{}-{run}", self.number)
    }

    /// Users are spread evenly over what was added.
    fn uses(&self, repository: usize) -> bool {
        let place = repository - self.added.start;
        let stride = self.added.len() / self.users();
        place.is_multiple_of(stride) && place / stride < self.users()
    }

    fn repository(&self, number: usize) -> anyhow::Result<Filled> {
        let released = (1..=self.releases).filter(|_| self.uses(number)).map(|run| self.package(run));
        let id = |kind: usize| ObjectId::parse(&format!("{:040x}", (number + 1) * 4 + kind));
        Ok(Filled {
            repo: RepoId(i64::try_from(number)? + 1),
            installation: InstallationId(i64::try_from(number % 50)? + 1),
            name: RepoName::parse(&format!("owner-{}/repository-{number}", number % 50))?,
            head: Head { commit: id(0)?, tree: id(1)? },
            text: fill::requirements(number, released),
            blob: id(2)?,
        })
    }
}

/// Takes the figure at each size, all in one database that grows.
pub async fn measure(place: &Place, kind: Kind, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let database = place.fresh(kind, "fan_out").await?;
    let mut from = 0;
    for (number, &size) in options.repositories.iter().enumerate() {
        ensure!(size > from, "the sizes of fan_out have to grow: {:?}", options.repositories);
        let stage = Stage { number, added: from..size, releases: options.runs.min(RELEASES_MAX) };
        one_size(&database, kind, &stage, report).await?;
        from = size;
    }
    database.remove().await
}

async fn one_size(database: &Database, kind: Kind, stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    let on = format!("{}, {} repositories", kind.name(), stage.added.end);
    anstream::eprintln!("fan_out on {on}: filling in {} of them", stage.added.len());
    fill_in(database, stage).await?;
    let github = GitHubSim::start(Arc::new(mass_driver::app::now))?;
    let registry = RegistrySim::start(Arc::new(mass_driver::app::now))?;
    let setup = Setup {
        database_url: database.url.clone(),
        workers: WORKERS,
        github: Credentials::of(&github),
        registries: Addresses::deps_dev(&registry),
    };
    let mut engine = Engine::start(&setup).await?;
    engine.work().await?;
    let (mut runs, users) = (Runs::default(), stage.users() as u64);
    for run in 1..=stage.releases {
        anstream::eprintln!("fan_out on {on}: run {run} of {}", stage.releases);
        let (package, before) = (stage.package(run), database.count(PROPOSALS).await?);
        registry.release_at(&package, OLD, mass_driver::app::now() - jiff::SignedDuration::from_hours(24 * 365));
        registry.release(&package, NEW);
        registry.clear_requests();
        engine.watch(&package).await?;
        let begun = wait(Duration::from_millis(1), async || Ok(!registry.requests().is_empty())).await?;
        let expected = before + users;
        let stored = wait(Duration::from_millis(5), async || Ok(database.count(PROPOSALS).await? >= expected)).await?;
        let seconds = stored.duration_since(begun).as_secs_f64();
        runs.add(&format!("release seen -> {users} proposals stored"), "s", Some("under 1 s"), seconds);
        runs.add("that is, for each match", "ms", None, seconds * 1_000.0 / users as f64);
        // Whatever is still under way now would belong to the next run.
        wait(Duration::from_millis(20), async || Ok(database.count(RUNNING).await? == 0)).await?;
        report.same(FIGURE, &on, "proposals stored", database.count(PROPOSALS).await? - before, users);
    }
    if let Some(peak) = engine.0.process.peak_memory_mib() {
        runs.add("memory, at most", "MiB", Some("under 150 MB"), peak);
    }
    engine.0.end().await?;
    report.same(FIGURE, &on, "repositories with two proposals for a release", database.count(TWICE).await?, 0);
    report.same(FIGURE, &on, "steps given up", database.count(PARKED).await?, 0);
    report.same(FIGURE, &on, "GitHub requests", github.mark(), 0);
    report.take(FIGURE, &on, runs);
    Ok(())
}

const RUNNING: &str = "SELECT count(*) FROM work WHERE state = 'running'";
const PARKED: &str = "SELECT count(*) FROM work WHERE state = 'parked'";
const TWICE: &str =
    "SELECT count(*) FROM (SELECT repo_id FROM proposal GROUP BY repo_id, group_name HAVING count(*) > 1) AS twice";

async fn fill_in(database: &Database, stage: &Stage) -> anyhow::Result<()> {
    let begun = Instant::now();
    let store = Store::connect(&database.url).await?;
    let filler = Filler::new(&store, SUBSCRIPTION)?;
    filler.packages((1..=stage.releases).map(|run| stage.package(run)).chain(fill::libraries())).await?;
    filler.repositories(stage.added.clone(), |number| stage.repository(number)).await?;
    store.close().await;
    database.settle().await?;
    anstream::eprintln!("  that took {} s", begun.elapsed().as_secs());
    Ok(())
}

/// Looks again and again, until it is so; returns when that was.
async fn wait(pause: Duration, mut so: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<Instant> {
    let begun = Instant::now();
    while !so().await? {
        ensure!(begun.elapsed() < PATIENCE, "it never came to that");
        tokio::time::sleep(pause).await;
    }
    Ok(Instant::now())
}
