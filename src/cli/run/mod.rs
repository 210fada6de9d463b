//! `mass-driver run ACTIVITY`: one change over many repositories, and `mass-driver scan`: facts from many.

mod discover;
mod execute;
mod identities;
mod loaded;
mod outfile;
mod progress;
mod session;
mod stops;
mod tools;

use super::runs::{RunsFormat, report, repository_json};
use super::scans::{self, ScanFormat};
use super::summary::{End, summary};
use super::{Exit, UsageError, one_or_more, print, printable};
use crate::activity::ForgeKind;
use crate::domain::{Clock, RunKind, RunState};
use crate::settings::{Environment, GitHubAppSettings, RunStoreSettings};
use execute::Execution;
use loaded::LoadedActivity;
use serde_json::json;
use session::Session;
use std::io::{IsTerminal as _, Write};
use std::num::{NonZeroU16, NonZeroU32};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `mass-driver run`.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// The Activity file, in TOML or YAML
    pub activity: PathBuf,
    /// Which repositories, and how
    #[command(flatten)]
    pub over: OverArgs,
    /// Make no branch and no pull request; show what would be changed
    #[arg(long)]
    pub dry_run: bool,
    /// Print the changes as a diff at the end
    #[arg(long)]
    pub diff: bool,
    /// Do not ask before branches are pushed
    #[arg(long)]
    pub no_pause: bool,
    /// Go on with the last run of this Activity, where it was interrupted
    #[arg(long, conflicts_with_all = ["retry_failed", "repo_path", "repo_filelist", "limit", "refresh", "offline"])]
    pub resume: bool,
    /// Do again what failed in the last run of this Activity
    #[arg(long, conflicts_with_all = ["repo_path", "repo_filelist", "limit", "refresh", "offline"])]
    pub retry_failed: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = RunsFormat::Table)]
    pub format: RunsFormat,
}

/// Arguments of `mass-driver scan`.
#[derive(Clone, Debug, clap::Args)]
pub struct ScanArgs {
    /// The Activity file; of its sections, `source` and `scan` count
    pub activity: PathBuf,
    /// Which repositories, and how
    #[command(flatten)]
    pub over: OverArgs,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = ScanFormat::Table)]
    pub format: ScanFormat,
}

/// Which repositories a command works on, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct OverArgs {
    /// These repositories instead of those of the Activity's source: paths, or what git clones from
    #[arg(long, num_args = 1.., value_name = "REPOSITORY", conflicts_with = "repo_filelist")]
    pub repo_path: Vec<String>,
    /// The repositories in a file, one on a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub repo_filelist: Option<PathBuf>,
    /// Only the first so many of the repositories that are named or found
    #[arg(long, value_name = "N", value_parser = one_or_more::<NonZeroU32>)]
    pub limit: Option<NonZeroU32>,
    /// How many repositories to work on at a time (default 8, or twice the number of processors where that is less)
    #[arg(long, num_args = 0..=1, default_missing_value = "8", value_name = "N", value_parser = one_or_more::<NonZeroU16>)]
    pub parallel: Option<NonZeroU16>,
    /// Ask the source again, whatever it is known to have found
    #[arg(long, conflicts_with = "offline")]
    pub refresh: bool,
    /// Do not ask the source: take what it found last
    #[arg(long)]
    pub offline: bool,
    /// Keep clones in a folder that is removed at the end
    #[arg(long, conflicts_with = "cache_folder")]
    pub no_cache: bool,
    /// Where clones are kept
    #[arg(long, env = "MASS_DRIVER_CACHE", value_name = "FOLDER")]
    pub cache_folder: Option<PathBuf>,
    /// Also write the result to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json_outfile: Option<PathBuf>,
    /// How long there has to be between two writes to GitHub, in milliseconds
    #[arg(long, env = "MASS_DRIVER_WRITE_SPACING_MS", default_value_t = 1000, hide = true)]
    pub write_spacing_ms: u32,
    /// Where runs are kept
    #[command(flatten)]
    pub store: RunStoreSettings,
    /// Where GitHub is, and the App for Activities that name one
    #[command(flatten)]
    pub github: GitHubAppSettings,
}

/// Runs an Activity.
///
/// Returns [`Exit::Failed`] when any repository failed or was not come to. Errors: [`UsageError`] for what cannot be begun
/// with, before anything is cloned.
pub async fn run(
    args: &RunArgs,
    environment: &Environment,
    clock: Arc<dyn Clock>,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<Exit> {
    outfile::can_be_written(args.over.json_outfile.as_deref())?;
    let loaded = LoadedActivity::read(&args.activity, environment)?;
    let goes_on = args.resume || args.retry_failed;
    let anew = if goes_on { None } else { Some(loaded.repositories(&args.over)?) };
    let forge = loaded.activity.forge.as_ref();
    let opens = !args.dry_run && forge.is_some_and(|forge| forge.kind != ForgeKind::Dummy);
    let asks = opens && !args.no_pause && std::io::stderr().is_terminal();
    if asks && args.over.repo_filelist.as_deref() == Some(Path::new("-")) {
        let why =
            "standard input is the list, so you cannot be asked before anything is pushed; add --no-pause or --dry-run";
        return Err(UsageError(why.into()).into());
    }
    let kind = if args.dry_run { RunKind::DryRun } else { RunKind::Run };
    let session = Session::begin(&args.over.store, anew.as_ref(), environment, clock).await?;
    // Whatever a run needs is looked for before it begins.
    let engine = tools::engine(&loaded, &args.over, kind, &session, environment).await?;
    let (held, items) = match anew {
        None => session.resume(&loaded, args, kind).await?,
        Some(repositories) => {
            let items = discover::items(&repositories, &loaded, &args.over, &session, environment).await?;
            (session.start(&loaded, &items, kind).await?, items)
        }
    };
    let is_over = goes_on && items.iter().all(|item| item.row.state != RunState::Waiting);
    let every = forge.and_then(|forge| forge.interactive_pause_every).map_or(usize::MAX, |every| every as usize);
    let portion = (asks && std::io::stdin().is_terminal()).then_some(every);
    let execution = Execution { engine: engine(&held), session: &session, portion, goes_on: Some(again(args)) };
    let run = &held.run;
    let (rows, finished) = execution.run(items).await?;
    let mut told: Vec<serde_json::Value> = rows.iter().map(repository_json).collect();
    let with_diffs = args.diff && (args.format == RunsFormat::Json || args.over.json_outfile.is_some());
    if with_diffs {
        for (one, told) in rows.iter().zip(&mut told) {
            told["diff"] = json!(session.store.run_diff(run.id, one.position).await?);
        }
    }
    let report = report(run, finished, told);
    let printed = async {
        match args.format {
            RunsFormat::Json => writeln!(out, "{}", print::json(&report)?)?,
            RunsFormat::Table => {
                // One after the other: all of them may be large.
                for one in rows.iter().filter(|_| args.diff) {
                    if let Some(diff) = session.store.run_diff(run.id, one.position).await? {
                        super::runs::print_diff(&one.repository.id, &diff, print::Reader::Log, out)?;
                    }
                }
                if loaded.activity.scan.is_some() {
                    scans::print(run, &rows, None, ScanFormat::Table, out)?;
                    writeln!(out)?;
                }
                write!(out, "{}", summary(&rows))?;
                writeln!(out, "\nThis was run {}; `mass-driver runs show {}` tells of it again.", run.id, run.id)?;
            }
        }
        anyhow::Ok(())
    };
    let printed = printed.await;
    session.store.close().await;
    // Whatever becomes of one of the two, the other is tried.
    let written = also_written(&args.over, &report, out, notes);
    let failed = rows.iter().any(|one| matches!(End::of(one), End::Failed | End::NotDone));
    if is_over {
        let again = if failed { "; --retry-failed does again what failed" } else { "" };
        writeln!(notes, "nothing was left to do of run {}; this is what it did{again}", run.id)?;
    }
    if !finished {
        writeln!(notes, "mass-driver: not all is done; {} goes on", again(args))?;
    }
    printed.and(written)?;
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// Writes a result to the file that it is also to be in, behind what was printed.
fn also_written(
    over: &OverArgs,
    report: &serde_json::Value,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<()> {
    let Some(file) = &over.json_outfile else { return Ok(()) };
    outfile::write(file, &print::json(report)?, out, notes)
}

/// The command that goes on with a run. The address of a database may hold a password, so it is only spoken of.
fn again(args: &RunArgs) -> String {
    let file = printable(&args.activity.display().to_string());
    let dry = if args.dry_run { " --dry-run" } else { "" };
    let folder = args.over.cache_folder.as_ref().map(|folder| printable(&folder.display().to_string()));
    let cache = folder.map(|folder| format!(" --cache-folder {folder}")).unwrap_or_default();
    let store = if args.over.store.database_url.is_some() { ", with the same database," } else { "" };
    format!("`mass-driver run {file}{dry}{cache} --resume`{store}")
}

/// Runs the scanners of an Activity, and prints what they found.
///
/// Returns [`Exit::Failed`] when any repository could not be read. Errors: as [`run`].
pub async fn scan(
    args: &ScanArgs,
    environment: &Environment,
    clock: Arc<dyn Clock>,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<Exit> {
    outfile::can_be_written(args.over.json_outfile.as_deref())?;
    let mut loaded = LoadedActivity::read(&args.activity, environment)?;
    (loaded.activity.migration, loaded.activity.forge) = (None, None);
    let repositories = loaded.repositories(&args.over)?;
    if loaded.activity.scan.is_none() {
        let file = args.activity.display();
        return Err(UsageError(format!("{file} has no section `scan`; name scanners in `scan.scanner_names`")).into());
    }
    let session = Session::begin(&args.over.store, Some(&repositories), environment, clock).await?;
    let engine = tools::engine(&loaded, &args.over, RunKind::Scan, &session, environment).await?;
    let items = discover::items(&repositories, &loaded, &args.over, &session, environment).await?;
    let held = session.start(&loaded, &items, RunKind::Scan).await?;
    let run = &held.run;
    let execution = Execution { engine: engine(&held), session: &session, portion: None, goes_on: None };
    let (rows, finished) = execution.run(items).await?;
    session.store.close().await;
    let mut printed = scans::print(run, &rows, None, args.format, out);
    if args.format == ScanFormat::Table && printed.is_ok() {
        let again = format!("\nThis was run {}; `mass-driver runs scans {}` prints it again.", run.id, run.id);
        printed = writeln!(out, "{again}").map_err(Into::into);
    }
    let told = rows.iter().map(repository_json).collect();
    let written = also_written(&args.over, &report(run, finished, told), out, notes);
    let failed: Vec<_> = rows.iter().filter(|one| matches!(End::of(one), End::Failed | End::NotDone)).collect();
    for one in &failed {
        let why = one.reason.as_deref().unwrap_or("it was not come to");
        writeln!(notes, "mass-driver: {}: {}", printable(&one.repository.id), printable(&why.replace('\n', " ")))?;
    }
    printed.and(written)?;
    Ok(if failed.is_empty() { Exit::Done } else { Exit::Failed })
}
