//! `mass-driver run ACTIVITY`: one change over many repositories, and `mass-driver scan`: facts from many.

mod discover;
mod order;
mod progress;
mod tools;

use super::runs::{RunsFormat, ScanFormat, print_scans, repository_json};
use super::summary::{End, summary};
use super::{Exit, UsageError, print, printable};
use crate::activity::ForgeKind;
use crate::bulk::engine::{ALIVE_FOR, Engine, Errand, Stretch, Watch};
use crate::domain::{Clock, PatchOutcome, Run, RunRepository, RunState};
use crate::settings::{Environment, GitHubAppSettings, StoreSettings};
use crate::store::{NewRun, Store};
use anyhow::Context as _;
use order::Order;
use progress::Progress;
use serde_json::json;
use std::io::{IsTerminal as _, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

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
    #[arg(long, conflicts_with = "retry_failed")]
    pub resume: bool,
    /// Do again what failed in the last run of this Activity
    #[arg(long)]
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
    /// The repositories in a file, one on a line
    #[arg(long, value_name = "FILE")]
    pub repo_filelist: Option<PathBuf>,
    /// How many repositories to work on at a time (default 8, or twice the number of processors where that is less)
    #[arg(long, num_args = 0..=1, default_missing_value = "8", value_name = "N")]
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
    pub store: StoreSettings,
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
    let order = Order::read(&args.activity, environment)?;
    let goes_on = args.resume || args.retry_failed;
    if !goes_on {
        order.knows_repositories(&args.over)?;
    }
    let forge = order.activity.forge.as_ref();
    let opens = !args.dry_run && forge.is_some_and(|forge| forge.kind != ForgeKind::Dummy);
    let session = Session::begin(&args.over, clock).await?;
    let store = session.store.clone();
    let (run, errands) = if goes_on {
        session.take_up(&order, args).await?
    } else {
        let repositories = discover::repositories(&order, &args.over, &session, environment).await?;
        session.enter(&order, repositories, args.dry_run).await?
    };
    let pauses = opens && !args.no_pause && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let every = order.activity.forge.as_ref().and_then(|forge| forge.interactive_pause_every);
    let engine = tools::engine(&order, &run, &args.over, args.dry_run, &session, environment).await?;
    let done = carry_out(&engine, errands, pauses, every, &session).await?;
    let finished = done.iter().all(|errand| errand.one.state != RunState::Waiting);
    let mut tx = store.begin().await?;
    if finished {
        tx.end_run(run.id, session.clock.now()).await?;
    } else {
        // Nobody works on it from now on.
        tx.keep_run_alive(run.id, run.started_at).await?;
    }
    tx.commit().await?;
    let rows: Vec<RunRepository> = done.into_iter().map(|errand| errand.one).collect();
    session.progress.finish();
    if args.diff {
        for one in &rows {
            if let Some(diff) = store.run_diff(run.id, one.position).await? {
                super::runs::print_diff(&one.repository.id, &diff, out)?;
            }
        }
    }
    let report = json!({
        "run": run.id, "activity": run.activity, "dry_run": run.dry, "finished": finished,
        "repositories": rows.iter().map(repository_json).collect::<Vec<_>>(),
    });
    if let Some(file) = &args.over.json_outfile {
        write_whole(file, &print::json(&report)?)?;
    }
    match args.format {
        RunsFormat::Json => writeln!(out, "{}", print::json(&report)?)?,
        RunsFormat::Table => {
            if order.activity.scan.is_some() {
                print_scans(&rows, None, ScanFormat::Table, out)?;
                writeln!(out)?;
            }
            write!(out, "{}", summary(&rows))?;
            writeln!(out, "\nThis was run {}; `mass-driver runs show {}` tells of it again.", run.id, run.id)?;
        }
    }
    store.close().await;
    if !finished {
        let file = printable(&args.activity.display().to_string());
        writeln!(notes, "mass-driver: not all is done; `mass-driver run {file} --resume` goes on")?;
    }
    let failed = rows.iter().any(|one| matches!(End::of(one), End::Failed | End::NotDone));
    Ok(if failed { Exit::Failed } else { Exit::Done })
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
    let mut order = Order::read(&args.activity, environment)?;
    order.knows_repositories(&args.over)?;
    if order.activity.scan.is_none() {
        let file = args.activity.display();
        return Err(UsageError(format!("{file} has no section `scan`; name scanners in `scan.scanner_names`")).into());
    }
    (order.activity.migration, order.activity.forge) = (None, None);
    let session = Session::begin(&args.over, clock).await?;
    let store = session.store.clone();
    let repositories = discover::repositories(&order, &args.over, &session, environment).await?;
    let (run, errands) = session.enter(&order, repositories, true).await?;
    let engine = tools::engine(&order, &run, &args.over, true, &session, environment).await?;
    let done = carry_out(&engine, errands, false, None, &session).await?;
    let mut tx = store.begin().await?;
    tx.end_run(run.id, session.clock.now()).await?;
    tx.commit().await?;
    store.close().await;
    session.progress.finish();
    let rows: Vec<RunRepository> = done.into_iter().map(|errand| errand.one).collect();
    if let Some(file) = &args.over.json_outfile {
        let all: Vec<_> = rows.iter().map(repository_json).collect();
        write_whole(file, &print::json(&all)?)?;
    }
    print_scans(&rows, None, args.format, out)?;
    let failed: Vec<_> = rows.iter().filter(|one| matches!(End::of(one), End::Failed | End::NotDone)).collect();
    for one in &failed {
        let why = one.reason.as_deref().unwrap_or("it was not come to");
        writeln!(notes, "mass-driver: {}: {}", printable(&one.repository.id), printable(why))?;
    }
    Ok(if failed.is_empty() { Exit::Done } else { Exit::Failed })
}

/// What all commands over many repositories have.
struct Session {
    store: Store,
    clock: Arc<dyn Clock>,
    progress: Arc<Progress>,
}

impl Session {
    async fn begin(over: &OverArgs, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let store = Store::connect(&over.store.database_url).await.context("runs cannot be kept")?;
        Ok(Self { store, clock, progress: Arc::new(Progress::new()) })
    }

    /// Begins a run over some repositories.
    async fn enter(&self, order: &Order, repositories: Vec<Errand>, dry: bool) -> anyhow::Result<(Run, Vec<Errand>)> {
        let now = self.clock.now();
        let new = NewRun {
            activity: order.path.clone(),
            said: order.text.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            dry,
            started_at: now,
            alive_until: now + ALIVE_FOR,
        };
        let over: Vec<_> = repositories.iter().map(|errand| errand.one.repository.clone()).collect();
        let mut tx = self.store.begin().await?;
        let id = tx.begin_run(&new, &over).await?;
        tx.commit().await?;
        let NewRun { activity, said, version, dry, started_at, alive_until } = new;
        let run = Run { id, activity, said, version, dry, started_at, ended_at: None, alive_until };
        Ok((run, repositories))
    }

    /// Goes on with the last run of an Activity.
    async fn take_up(&self, order: &Order, args: &RunArgs) -> anyhow::Result<(Run, Vec<Errand>)> {
        let refuse = |why: String| -> anyhow::Error { UsageError(why).into() };
        let Some(run) = self.store.last_run_of(&order.path).await? else {
            return Err(refuse(format!("there is no run of {} to go on with; leave the option out", order.path)));
        };
        let id = run.id;
        if run.said != order.text {
            return Err(refuse(format!("{} is another one than in run {id}; begin a new run", order.path)));
        }
        if run.dry != args.dry_run {
            let other = if run.dry { "with" } else { "without" };
            return Err(refuse(format!(
                "run {id} was {other} --dry-run; go on with it in the same way, or begin a new run"
            )));
        }
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let taken = tx.take_up_run(id, now + ALIVE_FOR, now).await?;
        tx.commit().await?;
        if !taken {
            return Err(refuse(format!("run {id} is under way in another process, or was a minute ago; wait for it")));
        }
        let mut errands = Vec::new();
        for mut one in self.store.run_repositories(id).await? {
            if one.state == RunState::Failed && args.retry_failed {
                (one.state, one.reason) = (RunState::Waiting, None);
            }
            let order = order.for_repository(&one.repository)?;
            errands.push(Errand { one, order });
        }
        Ok((run, errands))
    }
}

/// Takes all repositories along: at once, or with a pause before anything is sent.
async fn carry_out(
    engine: &Arc<Engine>,
    errands: Vec<Errand>,
    pauses: bool,
    every: Option<u32>,
    session: &Session,
) -> anyhow::Result<Vec<Errand>> {
    let (stop, stopped) = watch::channel(false);
    let progress = Arc::clone(&session.progress);
    let hears = tokio::spawn(async move {
        let hears_nothing = std::future::pending::<()>;
        if tokio::signal::ctrl_c().await.is_err() {
            return hears_nothing().await;
        }
        progress.says("stopping: what is under way is finished first; once more to stop at once");
        let _ = stop.send(true);
        if tokio::signal::ctrl_c().await.is_err() {
            return hears_nothing().await;
        }
        // Until now the sender had to live: without it, everybody would take it for a stop.
        drop(stop);
    });
    let work = async {
        if !pauses {
            session.progress.counts(errands.len(), "repositories");
            return Ok(engine.go(errands, Stretch::Whole, stopped.clone()).await?);
        }
        session.progress.counts(errands.len(), "prepared");
        let prepared = engine.go(errands, Stretch::Prepare, stopped.clone()).await?;
        session.progress.finish();
        let is_left = |errand: &Errand| errand.one.state == RunState::Waiting;
        if *stopped.borrow() || !prepared.iter().any(is_left) {
            return Ok(prepared);
        }
        let (left, mut done): (Vec<Errand>, Vec<Errand>) = prepared.into_iter().partition(is_left);
        let portion = every.map_or(left.len(), |every| every as usize).max(1);
        let mut left = left.into_iter().peekable();
        let rows: Vec<RunRepository> = done.iter().map(|errand| errand.one.clone()).collect();
        session.progress.says(&summary(&rows));
        while left.peek().is_some() && !*stopped.borrow() {
            let some: Vec<Errand> = left.by_ref().take(portion).collect();
            let patched = some.iter().filter(|errand| errand.one.outcome == Some(PatchOutcome::Patched)).count();
            let question = format!("Push and open pull requests for {} repositories ({patched} patched)?", some.len());
            if !progress::agrees(&question).await? {
                done.extend(some);
                break;
            }
            session.progress.counts(some.len(), "delivered");
            done.extend(engine.go(some, Stretch::Deliver, stopped.clone()).await?);
            session.progress.finish();
        }
        done.extend(left);
        done.sort_by_key(|errand| errand.one.position);
        Ok(done)
    };
    tokio::select! {
        done = work => done,
        _ = hears => Err(anyhow::anyhow!("stopped at once; --resume goes on with what is not done")),
    }
}

/// Writes a file as a whole or not at all.
fn write_whole(file: &std::path::Path, text: &str) -> anyhow::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let cannot = || format!("{} cannot be written", file.display());
    let mut new = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    writeln!(new, "{text}").and_then(|()| new.flush()).with_context(cannot)?;
    new.persist(file).with_context(cannot)?;
    Ok(())
}
