//! How many steps are claimed, run and finished a second, when running them is nothing: what the queue itself costs.

use crate::Options;
use crate::database::{Database, Kind, Place};
use crate::engine::{Addresses, Credentials, Engine, Setup};
use crate::process::PATIENCE;
use crate::report::{Report, Runs};
use anyhow::ensure;
use github_sim::GitHubSim;
use mass_driver::domain::{InstallationId, ProposalId, RepoId};
use mass_driver::pipeline::Step;
use mass_driver::store::Store;
use registry_sim::RegistrySim;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FIGURE: &str = "steps";
/// What is asked for is with so many.
pub const WORKERS: u16 = 8;
/// Steps are spread over so many installations, as they are in life.
const INSTALLATIONS: u32 = 50;
/// How many are queued in one transaction.
const WIDE: u32 = 1_000;

/// How much of the queue is left, and how much of it is under way.
pub const LEFT: &str = "SELECT count(*) FROM work";

/// Takes the figure.
pub async fn measure(place: &Place, kind: Kind, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let github = GitHubSim::start(Arc::new(mass_driver::app::now))?;
    let registry = RegistrySim::start(Arc::new(mass_driver::app::now))?;
    let on = format!("{}, {WORKERS} workers", kind.name());
    let mut runs = Runs::default();
    for run in 1..=options.runs {
        anstream::eprintln!("steps on {on}: run {run} of {}", options.runs);
        let database = place.fresh(kind, "steps").await?;
        // As a quiet time leaves it, before the burst: the planner takes the queue for empty.
        database.settle().await?;
        queue_idle_steps(&database.url, options.steps).await?;
        let setup = Setup {
            database_url: database.url.clone(),
            workers: WORKERS,
            github: Credentials::of(&github),
            registries: Addresses::deps_dev(&registry),
        };
        let mut engine = Engine::start(&setup).await?;
        let before = engine.0.process.processor_time();
        engine.work().await?;
        let drained = drain(&database, LEFT).await?;
        runs.add("done", "/s", Some("1,500 /s"), drained.per_second());
        if let Some(peak) = engine.0.process.peak_memory_mib() {
            runs.add("memory, at most", "MiB", Some("under 150 MB"), peak);
        }
        if let (Some(before), Some(after)) = (before, engine.0.process.processor_time()) {
            let used = after.saturating_sub(before).as_secs_f64();
            runs.add("processor time each", "ms", None, used * 1_000.0 / f64::from(options.steps));
        }
        engine.0.end().await?;
        report.same(FIGURE, &on, "steps left or given up", database.count(LEFT).await?, 0);
        database.remove().await?;
    }
    report.same(FIGURE, &on, "GitHub requests for them", github.mark(), 0);
    report.take(FIGURE, &on, runs);
    Ok(())
}

/// Queues labels for pull requests of repositories that are not stored: each looks at the limits of its installation and
/// for its repository, and is over. (Plans would flatter: many of those are made as one.)
pub async fn queue_idle_steps(url: &str, count: u32) -> anyhow::Result<()> {
    let store = Store::connect(url).await?;
    let now = mass_driver::app::now();
    let mut next = 0;
    while next < count {
        let mut tx = store.begin().await?;
        for number in next..count.min(next + WIDE) {
            let installation = InstallationId(i64::from(number % INSTALLATIONS) + 1);
            let proposal = ProposalId(format!("none-{number}"));
            let step = Step::Label { repo: RepoId(i64::from(number) + 1), proposal };
            step.queue(&mut tx, Some(installation), now).await?;
        }
        tx.commit().await?;
        next += WIDE;
    }
    store.close().await;
    Ok(())
}

/// How a queue became empty, as seen from outside.
pub struct Drained {
    first: (Instant, u64),
    last: (Instant, u64),
}

impl Drained {
    /// When nothing was left any more.
    pub fn at(&self) -> Instant {
        self.last.0
    }

    /// Between the first look at which something was done already and the one that found nothing left: what starting
    /// takes is not in it.
    pub fn per_second(&self) -> f64 {
        (self.first.1 - self.last.1) as f64 / self.last.0.duration_since(self.first.0).as_secs_f64()
    }
}

/// Looks every 20 ms how much is left, until nothing is.
pub async fn drain(database: &Database, left: &'static str) -> anyhow::Result<Drained> {
    let begun = Instant::now();
    let full = database.count(left).await?;
    let mut first = None;
    loop {
        let now_left = database.count(left).await?;
        let look = (Instant::now(), now_left);
        if now_left < full && first.is_none() {
            first = Some(look);
        }
        if let (0, Some(first)) = (now_left, first) {
            return Ok(Drained { first, last: look });
        }
        ensure!(begun.elapsed() < PATIENCE, "{now_left} of {full} are still left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
