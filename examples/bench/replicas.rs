//! Three processes on one Postgres against one: what they do together, and that nothing is lost or done twice.

use crate::Options;
use crate::database::{Kind, Place};
use crate::due::Load;
use crate::engine::{Addresses, Credentials, Engine, Setup};
use crate::fairness::Course;
use crate::report::{Report, Runs};
use crate::steps::{self, LEFT, WORKERS};
use github_sim::GitHubSim;
use registry_sim::RegistrySim;
use std::sync::Arc;

const FIGURE: &str = "replicas";
/// A roll-out of so many takes long enough to measure.
const PROPOSALS: usize = 1_000;
/// More runs would tell little more.
const RUNS_MAX: u32 = 3;

/// Takes the figure. SQLite has one process, so this is about Postgres alone.
pub async fn measure(place: &Place, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let count = options.runs.min(RUNS_MAX);
    for processes in [1, 3] {
        let on = format!("Postgres, {processes} x {WORKERS} workers");
        let mut runs = Runs::default();
        for run in 1..=count {
            anstream::eprintln!("replicas on {on}: run {run} of {count}");
            idle_steps(place, processes, options.steps, &mut runs, (&on, report)).await?;
            let mut load = Load::prepare(place, Kind::Postgres, "replicas", PROPOSALS).await?;
            let outcome = load.roll_out(processes, WORKERS).await?;
            let course = Course::of(&outcome.told.repositories, outcome.begun_ms);
            runs.add("pull requests", "/s", None, PROPOSALS as f64 / course.all_done());
            runs.add(
                "requests each, those for tokens included",
                "",
                None,
                outcome.told.requests as f64 / PROPOSALS as f64,
            );
            runs.add("writes each", "", None, outcome.told.writes as f64 / PROPOSALS as f64);
            outcome.check(FIGURE, &on, report);
            load.end().await?;
        }
        report.take(FIGURE, &on, runs);
    }
    Ok(())
}

async fn idle_steps(
    place: &Place,
    processes: usize,
    count: u32,
    runs: &mut Runs,
    (on, report): (&str, &mut Report),
) -> anyhow::Result<()> {
    let github = GitHubSim::start(Arc::new(mass_driver::app::now))?;
    let registry = RegistrySim::start(Arc::new(mass_driver::app::now))?;
    let database = place.fresh(Kind::Postgres, "replicas").await?;
    database.settle().await?;
    steps::queue_idle_steps(&database.url, count).await?;
    let setup = Setup {
        database_url: database.url.clone(),
        workers: WORKERS,
        github: Credentials::of(&github),
        registries: Addresses::deps_dev(&registry),
    };
    let mut engines = Vec::new();
    for _ in 0..processes {
        engines.push(Engine::start(&setup).await?);
    }
    for engine in &mut engines {
        engine.work().await?;
    }
    let drained = steps::drain(&database, LEFT).await?;
    runs.add("steps done", "/s", None, drained.per_second());
    for engine in engines {
        engine.0.end().await?;
    }
    report.same(FIGURE, on, "steps left or given up", database.count(LEFT).await?, 0);
    database.remove().await
}
