//! What it takes to look up many distinct packages at their registries: when none is known yet, and when nothing has changed.
//!
//! A third each is asked for at a simple index, an npm registry and a sparse index. Nobody uses the packages, so that no
//! plans are made: from the queued look to the stored releases is what is measured.

use crate::Options;
use crate::database::{Database, Kind, Place};
use crate::engine::{Addresses, Credentials, Engine, Setup};
use crate::report::{Report, Runs};
use crate::steps::{LEFT, drain};
use github_sim::GitHubSim;
use jiff::SignedDuration;
use mass_driver::domain::{Ecosystem, PackageId};
use mass_driver::pipeline::Step;
use mass_driver::store::{NewWork, Store, StoreError};
use registry_sim::{Packages, RegistrySim};
use std::sync::Arc;
use std::time::Instant;

const FIGURE: &str = "lookups";
/// As the server has by default.
const WORKERS: u16 = 4;
/// How many releases each package has.
const RELEASES: u32 = 20;
/// How many are queued, or made to be due again, in one transaction.
const WIDE: usize = 500;

const KNOWN: &str = "SELECT count(*) FROM release";
const FAILED: &str = "SELECT count(*) FROM package WHERE last_error IS NOT NULL";

/// Takes the figure.
pub async fn measure(place: &Place, kind: Kind, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let github = GitHubSim::start(Arc::new(mass_driver::app::now))?;
    let registry = RegistrySim::start(Arc::new(mass_driver::app::now))?;
    let packages = published(&registry, options.lookups);
    let on = |phase: &str| format!("{}, {} packages {phase}", kind.name(), packages.len());
    let (mut cold, mut unchanged) = (Runs::default(), Runs::default());
    for run in 1..=options.runs {
        anstream::eprintln!("lookups on {}: run {run} of {}", kind.name(), options.runs);
        let database = place.fresh(kind, "lookups").await?;
        let setup = Setup {
            database_url: database.url.clone(),
            workers: WORKERS,
            github: Credentials::of(&github),
            registries: Addresses::indexes(&registry),
        };
        let phases = [(&mut cold, on("for the first time"), 200), (&mut unchanged, on("unchanged"), 304)];
        for (runs, on, status) in phases {
            queue(&database.url, &packages).await?;
            database.settle().await?;
            registry.clear_requests();
            look_up(&setup, &database, &packages, runs).await?;
            let (asked, wanted) = (registry.requests(), packages.len() as u64);
            let so_answered = asked.iter().filter(|seen| seen.status == Some(status)).count();
            runs.add("requests", "", None, asked.len() as f64);
            report.same(FIGURE, &on, "requests", asked.len() as u64, wanted);
            report.same(FIGURE, &on, &format!("answers {status}"), so_answered as u64, wanted);
            report.same(FIGURE, &on, "releases known", database.count(KNOWN).await?, wanted * u64::from(RELEASES));
            report.same(FIGURE, &on, "looks that failed", database.count(FAILED).await?, 0);
            report.same(FIGURE, &on, "steps left or given up", database.count(LEFT).await?, 0);
        }
        database.remove().await?;
    }
    report.same(FIGURE, kind.name(), "GitHub requests", github.mark(), 0);
    report.take(FIGURE, &on("for the first time"), cold);
    report.take(FIGURE, &on("unchanged"), unchanged);
    Ok(())
}

/// Packages of three ecosystems, each with its releases.
fn published(registry: &RegistrySim, count: u32) -> Vec<PackageId> {
    let systems: [(Ecosystem, Packages, &str); 3] = [
        (Ecosystem::Pypi, registry.pypi(), "library"),
        (Ecosystem::Npm, registry.npm(), "@scope/library"),
        (Ecosystem::Cargo, registry.cargo(), "library"),
    ];
    let numbered = (0..count).zip(systems.iter().cycle());
    numbered
        .map(|(number, (ecosystem, packages, name))| {
            let name = format!("{name}-{number}");
            for minor in 0..RELEASES {
                packages.release(&name, &format!("1.{minor}.0"));
            }
            PackageId { ecosystem: *ecosystem, name }
        })
        .collect()
}

/// Makes all packages known, or an hour older than they are, and queues a look at each.
async fn queue(url: &str, packages: &[PackageId]) -> anyhow::Result<()> {
    let store = Store::connect(url).await?;
    let now = mass_driver::app::now();
    for some in packages.chunks(WIDE) {
        let known = store.packages(some).await?;
        let looks = some.iter().map(|package| Step::Watch { package: package.clone() }.work(None, now));
        let looks = looks.collect::<Result<Vec<NewWork>, StoreError>>()?;
        let mut tx = store.begin().await?;
        tx.ensure_packages(some, now).await?;
        for row in known {
            let hour_ago = now - SignedDuration::from_hours(1);
            tx.package_checked(&row.package, row.etag.as_deref(), hour_ago, now).await?;
        }
        tx.enqueue_all(&looks, now).await?;
        tx.commit().await?;
    }
    store.close().await;
    Ok(())
}

/// Lets a process that has just started look all of them up.
async fn look_up(setup: &Setup, database: &Database, packages: &[PackageId], runs: &mut Runs) -> anyhow::Result<()> {
    let mut engine = Engine::start(setup).await?;
    let before = engine.0.process.processor_time();
    let begun = Instant::now();
    engine.work().await?;
    let seconds = drain(database, LEFT).await?.at().duration_since(begun).as_secs_f64();
    runs.add("all looked up", "s", None, seconds);
    runs.add("that is", "/s", None, packages.len() as f64 / seconds);
    if let Some(peak) = engine.0.process.peak_memory_mib() {
        runs.add("memory, at most", "MiB", Some("under 150 MB"), peak);
    }
    if let (Some(before), Some(after)) = (before, engine.0.process.processor_time()) {
        let used = after.saturating_sub(before).as_secs_f64();
        runs.add("processor time each", "ms", None, used * 1_000.0 / packages.len() as f64);
    }
    engine.0.end().await
}
