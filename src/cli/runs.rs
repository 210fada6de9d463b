//! `mass-driver runs`: what former runs did, from the store.

use super::print::{self, Reader, add_row, lines, new_table, printable};
use super::scans::{self, ScanFormat};
use super::summary::{End, summary};
use super::{Exit, UsageError, one_or_more};
use crate::domain::time::date_time;
use crate::domain::{Clock, PatchOutcome, Run, RunId, RunKind, RunRepository, RunState};
use crate::settings::{Environment, RunStoreSettings};
use crate::store::{RunCount, Store, StoreError};
use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::io::{IsTerminal as _, Write};
use std::num::NonZeroU32;

/// Arguments of `mass-driver runs`.
#[derive(Clone, Debug, clap::Args)]
#[command(mut_arg("database_url", |url| url.global(true)))]
pub struct RunsArgs {
    /// What to do; without it, the last runs are listed
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    /// How many runs to list
    #[arg(long, default_value = "20", value_parser = one_or_more::<NonZeroU32>)]
    pub limit: NonZeroU32,
    /// How to print the list
    #[arg(long, value_enum, default_value_t = RunsFormat::Table)]
    pub format: RunsFormat,
    /// Where runs are kept
    #[command(flatten)]
    pub store: RunStoreSettings,
}

/// What to do with former runs.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum RunsCommand {
    /// Show what a run did with each repository
    Show {
        /// The run's number
        id: i64,
        /// Only the repositories that failed
        #[arg(long)]
        failed: bool,
        /// How to print it
        #[arg(long, value_enum, default_value_t = RunsFormat::Table)]
        format: RunsFormat,
    },
    /// Print the changes of a run as a diff
    Diff {
        /// The run's number
        id: i64,
        /// Only of this repository, as the list names it
        repository: Option<String>,
    },
    /// Print what scanners found in a run
    Scans {
        /// The run's number
        id: i64,
        /// Only of this scanner
        #[arg(long)]
        scanner: Option<String>,
        /// How to print it
        #[arg(long, value_enum, default_value_t = ScanFormat::Table)]
        format: ScanFormat,
    },
    /// Forget a run and all that is kept of it
    Forget {
        /// The run's number
        id: i64,
    },
}

/// How runs are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RunsFormat {
    /// For people
    #[default]
    Table,
    /// For scripts
    Json,
}

/// Prints former runs, or what was asked about one of them, to `out`.
///
/// Returns [`Exit::Failed`] when there is no such run. Errors: [`UsageError`] for a database that is none or of another
/// version.
pub async fn run(
    args: &RunsArgs,
    environment: &Environment,
    clock: &dyn Clock,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let writes = matches!(args.command, Some(RunsCommand::Forget { .. }));
    let Some(store) = kept(&args.store, environment, writes).await? else {
        return match (&args.command, args.format) {
            (None, RunsFormat::Table) => writeln!(out, "{NONE}").map(|()| Exit::Done).map_err(Into::into),
            (None, RunsFormat::Json) => writeln!(out, "[]").map(|()| Exit::Done).map_err(Into::into),
            (Some(_), _) => no_such_run(notes),
        };
    };
    let done = match &args.command {
        None => list(&store, args, clock.now(), out).await.map(|()| true),
        Some(RunsCommand::Show { id, failed, format }) => show(&store, RunId(*id), *failed, *format, out).await,
        Some(RunsCommand::Diff { id, repository }) => diff(&store, RunId(*id), repository.as_deref(), out).await,
        Some(RunsCommand::Scans { id, scanner, format }) => {
            scans(&store, RunId(*id), scanner.as_deref(), *format, out).await
        }
        Some(RunsCommand::Forget { id }) => forget(&store, RunId(*id), clock.now(), out).await,
    };
    store.close().await;
    if done? {
        return Ok(Exit::Done);
    }
    no_such_run(notes)
}

const NONE: &str = "No run is kept here.";

pub(super) fn no_such_run(notes: &mut dyn Write) -> anyhow::Result<Exit> {
    writeln!(notes, "mass-driver: there is no such run here; `mass-driver runs` lists those that are kept")?;
    Ok(Exit::Failed)
}

/// Opens the store in which runs are kept; `None` where nobody has named one, and none was made yet.
///
/// Errors: [`UsageError`] for a database that is none or of another version.
pub(super) async fn kept(
    settings: &RunStoreSettings,
    environment: &Environment,
    writes: bool,
) -> anyhow::Result<Option<Store>> {
    if settings.own_file(environment).is_some_and(|file| !file.exists()) {
        return Ok(None);
    }
    let url = settings.url(environment).ok_or_else(no_home)?;
    let opened = if writes { Store::open_existing_to_write(&url).await } else { Store::open_existing(&url).await };
    match opened {
        Err(error @ (StoreError::Address { .. } | StoreError::Schema { .. })) => {
            Err(UsageError(error.to_string()).into())
        }
        opened => opened.context("the database cannot be used").map(Some),
    }
}

/// That it is not known where runs are kept.
pub(super) fn no_home() -> UsageError {
    UsageError("it is not known where runs are kept: set HOME, or DATABASE_URL or --database-url".into())
}

async fn list(store: &Store, args: &RunsArgs, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<()> {
    let runs = store.runs(args.limit.get()).await?;
    let counts = store.run_counts(&runs.iter().map(|run| run.id).collect::<Vec<_>>()).await?;
    if args.format == RunsFormat::Json {
        let rows: Vec<Value> = runs.iter().map(|run| run_json(run, &counts, now)).collect();
        writeln!(out, "{}", print::json(&rows)?)?;
        return Ok(());
    }
    if runs.is_empty() {
        writeln!(out, "{NONE}")?;
        return Ok(());
    }
    let mut table = new_table(["Run", "Kind", "Begun", "Repositories", "Patched", "Failed", "State", "Activity"]);
    for run in &runs {
        let count = |which: &dyn Fn(&RunCount) -> bool| {
            let those = counts.iter().filter(|count| count.run == run.id && which(count));
            those.map(|count| count.repositories).sum::<u32>().to_string()
        };
        let cells = [
            run.id.to_string(),
            kind(run.kind).into(),
            date_time(run.started_at),
            count(&|_| true),
            // How they ended, as in the summary: one whose push was refused has failed, whatever the driver did.
            count(&|count| count.state == RunState::Done && count.outcome == Some(PatchOutcome::Patched)),
            count(&|count| {
                count.state == RunState::Failed
                    || count.state == RunState::Done && count.outcome == Some(PatchOutcome::Error)
            }),
            state(run, now).into(),
            run.activity.clone(),
        ];
        add_row(&mut table, cells.each_ref().map(String::as_str));
    }
    write!(out, "{}", lines(table))?;
    Ok(())
}

fn kind(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Run => "run",
        RunKind::DryRun => "dry run",
        RunKind::Scan => "scan",
    }
}

fn state(run: &Run, now: Timestamp) -> &'static str {
    match (run.ended_at, run.is_interrupted(now)) {
        (Some(_), _) => "done",
        (None, true) => "interrupted",
        (None, false) => "under way",
    }
}

async fn show(store: &Store, id: RunId, failed: bool, format: RunsFormat, out: &mut dyn Write) -> anyhow::Result<bool> {
    let Some(run) = store.run(id).await? else { return Ok(false) };
    let all = store.run_repositories(id).await?;
    let shown: Vec<&RunRepository> = all.iter().filter(|one| !failed || End::of(one) == End::Failed).collect();
    if format == RunsFormat::Json {
        let repositories: Vec<Value> = shown.into_iter().map(repository_json).collect();
        writeln!(out, "{}", print::json(&report(&run, run.ended_at.is_some(), repositories))?)?;
        return Ok(true);
    }
    let (number, kind, begun) = (run.id, kind(run.kind), date_time(run.started_at));
    writeln!(out, "Run {number} ({kind}) of {}, begun {begun}\n", printable(&run.activity))?;
    let mut table = new_table(["Repository", "End", "Pull request", "Why"]);
    for one in shown {
        let url = one.pull.as_ref().map_or("", |pull| pull.url.as_str());
        let why = one.reason.as_deref().unwrap_or_default().replace('\n', " ");
        add_row(&mut table, [&one.repository.id, End::of(one).words(), url, &why]);
    }
    write!(out, "{}\n{}", lines(table), summary(&all))?;
    Ok(true)
}

async fn diff(store: &Store, id: RunId, repository: Option<&str>, out: &mut dyn Write) -> anyhow::Result<bool> {
    if store.run(id).await?.is_none() {
        return Ok(false);
    }
    let all = store.run_repositories(id).await?;
    let wanted: Vec<_> = all.iter().filter(|one| repository.is_none_or(|id| one.repository.id == id)).collect();
    if let (Some(name), true) = (repository, wanted.is_empty()) {
        return Err(UsageError(format!("run {id} has no repository `{name}`; `runs show {id}` lists them")).into());
    }
    for one in wanted {
        if let Some(diff) = store.run_diff(id, one.position).await? {
            // Off a terminal it is a patch, which somebody applies.
            print_diff(&one.repository.id, &diff, Reader::Program, out)?;
        }
    }
    Ok(true)
}

/// Prints the change of a repository, for `reader` where standard output is no terminal.
pub(super) fn print_diff(repository: &str, diff: &str, reader: Reader, out: &mut dyn Write) -> anyhow::Result<()> {
    let reader = if std::io::stdout().is_terminal() { Reader::Terminal } else { reader };
    write!(out, "# {}\n{}", printable(repository), print::change(diff, reader))?;
    Ok(())
}

async fn scans(
    store: &Store,
    id: RunId,
    scanner: Option<&str>,
    format: ScanFormat,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let Some(run) = store.run(id).await? else { return Ok(false) };
    let all = store.run_repositories(id).await?;
    scans::print(&run, &all, scanner, format, out)?;
    Ok(true)
}

async fn forget(store: &Store, id: RunId, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<bool> {
    if store.run(id).await?.is_none() {
        return Ok(false);
    }
    let mut tx = store.begin().await?;
    let is_gone = tx.forget_run(id, now).await?;
    tx.commit().await?;
    if !is_gone {
        return Err(UsageError(format!("run {id} is under way, or was a minute ago; it is not forgotten")).into());
    }
    writeln!(out, "Run {id} is forgotten.")?;
    Ok(true)
}

fn run_json(run: &Run, counts: &[RunCount], now: Timestamp) -> Value {
    let counts: Vec<Value> = (counts.iter().filter(|count| count.run == run.id))
        .map(|count| json!({ "state": count.state, "outcome": count.outcome, "repositories": count.repositories }))
        .collect();
    json!({
        "run": run.id, "activity": run.activity, "version": run.version, "kind": run.kind, "state": state(run, now),
        "started_at": run.started_at, "ended_at": run.ended_at, "counts": counts,
    })
}

/// A run, as JSON.
pub(super) fn report(run: &Run, finished: bool, repositories: Vec<Value>) -> Value {
    json!({
        "run": run.id, "kind": run.kind, "activity": run.activity, "version": run.version, "started_at": run.started_at,
        "finished": finished, "repositories": repositories,
    })
}

/// What is known of a repository in a run, as JSON.
pub(super) fn repository_json(one: &RunRepository) -> Value {
    json!({
        "repository": one.repository.id, "clone_url": one.repository.clone_url, "patch_data": one.repository.patch_data,
        "end": End::of(one).as_str(), "phase": one.phase, "outcome": one.outcome, "reason": one.reason,
        "base_branch": one.base_branch, "base_commit": one.base, "branch": one.branch, "commit": one.commit,
        "pushed": one.pushed, "clone": one.folder,
        "pull_request": one.pull.as_ref().map(|pull| json!({ "number": pull.number, "url": pull.url })),
        "scans": one.scans.iter().map(|(name, scanned)| (name.clone(), scans::json(scanned))).collect::<Map<_, _>>(),
    })
}
