//! The figures of mass-driver, measured: `make bench`, or `make bench FIGURE=webhooks` for one of them.
//!
//! Prints a table and writes `target/bench.json`. No time is asserted, since machines differ; that nothing was lost or
//! doubled is, and ends it with 1. What is measured runs in processes of its own, so that its memory is its own:
//! the real executable, or this one again as a part (`parts`). `docs/benchmarks.md` says how each figure is made.

mod bulk;
mod checks;
mod client;
mod database;
mod deps;
mod due;
mod engine;
mod fairness;
mod fan_out;
mod fill;
mod github;
mod lookups;
mod machine;
mod payload;
mod peer;
mod process;
mod replicas;
mod report;
mod rollout;
mod steps;
mod webhooks;

use clap::{Parser, Subcommand, ValueEnum};
use database::{Kind, Place};
use report::Report;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Measure mass-driver on this machine
#[derive(Parser)]
#[command(name = "bench", version)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    options: Options,
}

/// What is measured, and how often.
#[derive(clap::Args, Clone, Debug)]
struct Options {
    /// The figures to take [default: all]
    #[arg(long = "figure", env = "FIGURE", value_delimiter = ',', value_name = "FIGURE")]
    figures: Vec<Figure>,
    /// The databases to take them on [default: both]
    #[arg(long = "database", env = "BENCH_DATABASES", value_delimiter = ',', value_name = "DATABASE")]
    databases: Vec<Kind>,
    /// How often each is taken; the table shows the median, the least and the most
    #[arg(long, env = "BENCH_RUNS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// How many seconds a run of `webhooks` lasts
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// How many steps a run of `steps` and `replicas` has to do
    #[arg(long, env = "BENCH_STEPS", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..))]
    steps: u32,
    /// How many repositories `fan_out` has, each size on top of the one before
    #[arg(long, env = "BENCH_REPOSITORIES", value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000], value_name = "COUNTS")]
    repositories: Vec<usize>,
    /// How many distinct packages `lookups` asks about
    #[arg(long, env = "BENCH_LOOKUPS", default_value_t = 2_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(100..))]
    lookups: u32,
    /// How many proposals `rollout` has due at once
    #[arg(long, env = "BENCH_ROLLOUT", default_value_t = 10_000, value_name = "COUNT")]
    rollout: usize,
    /// Over how many repositories `bulk` runs
    #[arg(long, env = "BENCH_BULK", value_delimiter = ',', default_values_t = [100, 1_000], value_name = "COUNTS")]
    bulk: Vec<usize>,
    /// A Postgres in which databases may be made and removed; `scripts/with-postgres` starts one
    #[arg(long, env = "DATABASE_URL_TEST", hide_env_values = true, value_name = "URL")]
    postgres: Option<String>,
    /// Where `node` is looked for
    #[arg(long, env = "PATH", hide = true)]
    search_path: Option<String>,
    /// The folder for the databases and the results [default: that of the executable, `target`]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Figure {
    /// Signed deliveries acknowledged a second.
    Webhooks,
    /// Steps with nothing to do that are done a second.
    Steps,
    /// One release, and the proposals of all who use it.
    #[value(name = "fan_out")]
    FanOut,
    /// Distinct packages looked up at their registries, first and once more.
    Lookups,
    /// From a push that changes the subscription file to the check beside it.
    Checks,
    /// Many proposals due at once, over many installations.
    Rollout,
    /// Three processes on one Postgres against one.
    Replicas,
    /// `mass-driver run` over many repositories, beside the Python tool and a shell loop.
    Bulk,
    /// `mass-driver deps` on a checkout of 2,000 files.
    Deps,
}

/// What this executable is when it is started by itself.
#[derive(Subcommand)]
enum Part {
    /// The bot's engine: workers on a queue (started by the bench itself)
    #[command(hide = true)]
    Engine,
    /// The stand-in for GitHub (likewise)
    #[command(hide = true)]
    Github,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let outcome = match arguments.part {
        Some(Part::Engine) => runtime.block_on(engine::serve()).map(|()| true),
        Some(Part::Github) => runtime.block_on(github::serve()).map(|()| true),
        None => runtime.block_on(bench(&arguments.options)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    anstream::eprintln!("bench: {error:#}");
    ExitCode::FAILURE
}

/// Takes the figures; `false` when something was lost or doubled in one of them.
async fn bench(options: &Options) -> anyhow::Result<bool> {
    let build = build_folder()?;
    let target = build.join("..").canonicalize()?;
    let folder = options.folder.clone().unwrap_or_else(|| target.clone());
    let kinds = if options.databases.is_empty() { Kind::ALL.to_vec() } else { options.databases.clone() };
    let place = Place::new(&folder.join("bench"), &kinds, options.postgres.as_deref())?;
    let mut report = Report::new(machine::describe(&place).await?);
    report.show_machine();
    let wanted = |figure: Figure| options.figures.is_empty() || options.figures.contains(&figure);
    for &kind in &kinds {
        if wanted(Figure::Webhooks) {
            let outcome = webhooks::measure(&place, kind, &build, options, &mut report).await;
            report.note_failure("webhooks", kind.name(), outcome);
        }
        if wanted(Figure::Steps) {
            let outcome = steps::measure(&place, kind, options, &mut report).await;
            report.note_failure("steps", kind.name(), outcome);
        }
        if wanted(Figure::FanOut) {
            let outcome = fan_out::measure(&place, kind, options, &mut report).await;
            report.note_failure("fan_out", kind.name(), outcome);
        }
        if wanted(Figure::Lookups) {
            let outcome = lookups::measure(&place, kind, options, &mut report).await;
            report.note_failure("lookups", kind.name(), outcome);
        }
        if wanted(Figure::Checks) {
            let outcome = checks::measure(&place, kind, &build, options, &mut report).await;
            report.note_failure("checks", kind.name(), outcome);
        }
        if wanted(Figure::Rollout) {
            let outcome = rollout::measure(&place, kind, options, &mut report).await;
            report.note_failure("rollout", kind.name(), outcome);
        }
    }
    if wanted(Figure::Replicas) && kinds.contains(&Kind::Postgres) {
        let outcome = replicas::measure(&place, options, &mut report).await;
        report.note_failure("replicas", Kind::Postgres.name(), outcome);
    }
    if wanted(Figure::Bulk) {
        let outcome = bulk::measure(&folder.join("bench"), &target, &build, options, &mut report).await;
        report.note_failure("bulk", "many repositories", outcome);
    }
    if wanted(Figure::Deps) {
        let outcome = deps::measure(&folder.join("bench"), &build, options, &mut report).await;
        report.note_failure("deps", "a checkout", outcome);
    }
    if wanted(Figure::Webhooks) {
        let outcome = compare(&target, options, &mut report).await;
        report.note_failure("webhooks", "the peer", outcome);
    }
    let path = folder.join("bench.json");
    report.write(&path)?;
    report.show(&path);
    Ok(report.all_true())
}

/// The peer gets what the server got.
async fn compare(target: &Path, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let (github, pushes) = webhooks::prepared()?;
    let lasts = std::time::Duration::from_secs(options.seconds.into());
    peer::measure((target, options.search_path.as_deref()), &github, &pushes, (options.runs, lasts), report).await
}

/// Where cargo put the executables of this build, `target/release`: this one is in its folder `examples`.
fn build_folder() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.ancestors().nth(2).map(Path::to_path_buf);
    folder.ok_or_else(|| anyhow::anyhow!("{} is not in a folder of cargo's", own.display()))
}
