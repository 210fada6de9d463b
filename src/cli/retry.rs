//! `mass-driver retry`: what is parked, and trying it again.

use super::print::{self, add_row, lines, new_table};
use super::{Exit, repository_named};
use crate::domain::time::date_time;
use crate::domain::{Clock, RepoName};
use crate::pipeline::setback;
use crate::settings::StoreSettings;
use crate::store::{Next, Setback, Store};
use jiff::Timestamp;
use std::io::Write;

/// The latest so many are looked at in one go.
const MOST: u32 = 100_000;
/// So many are queued in one transaction: the server shall not wait long for its turn to write.
const AT_ONCE: usize = 200;

/// Arguments of `mass-driver retry`.
#[derive(Clone, Debug, clap::Args)]
#[command(override_usage = "mass-driver retry [OPTIONS] <OWNER/REPO>\n       \
                            mass-driver retry [OPTIONS] --all\n       \
                            mass-driver retry [OPTIONS] --list [OWNER/REPO]")]
pub struct RetryArgs {
    /// The repository whose parked steps are tried again, as OWNER/REPO
    #[arg(value_name = "OWNER/REPO", conflicts_with = "all", required_unless_present_any = ["all", "list"])]
    pub repository: Option<String>,
    /// Try all parked steps again
    #[arg(long)]
    pub all: bool,
    /// Only show what is parked
    #[arg(long)]
    pub list: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = RetryFormat::Table)]
    pub format: RetryFormat,
    /// Where the server keeps its rows
    #[command(flatten)]
    pub store: StoreSettings,
}

/// How `retry` prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RetryFormat {
    /// For people
    #[default]
    Table,
    /// For scripts: one JSON array
    Json,
}

/// Queues parked steps again, beside a server that may run, and prints them to `out`; or only prints them.
///
/// Returns [`Exit::Failed`] when the server does not know the repository. Errors: [`super::UsageError`] for a name that is
/// none; those of the store for a database that is none, or of another version.
pub async fn run(
    args: &RetryArgs,
    clock: &dyn Clock,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let name = args.repository.as_deref().map(repository_named).transpose()?;
    let url = &args.store.database_url;
    let opened = if args.list { Store::open_existing(url).await } else { Store::open_existing_to_write(url).await };
    let store = opened?;
    let shown = show_or_release(&store, name.as_ref(), args, clock.now()).await;
    store.close_after_looking().await?;
    let Some(shown) = shown? else {
        let name = name.as_ref().map(ToString::to_string).unwrap_or_default();
        writeln!(notes, "mass-driver: the server does not know {name}; is the App installed there?")?;
        return Ok(Exit::Failed);
    };
    print_setbacks(&shown, args, out)?;
    Ok(Exit::Done)
}

/// What is parked, queued again unless it is only to be listed; `None` where the server does not know the repository.
async fn show_or_release(
    store: &Store,
    name: Option<&RepoName>,
    args: &RetryArgs,
    now: Timestamp,
) -> anyhow::Result<Option<Vec<Setback>>> {
    let parked = match name {
        None => store.parked_setbacks(MOST).await?,
        Some(name) => match store.repository_by_name(name).await? {
            Some(row) => {
                let all = store.setbacks_of(row.repository.id).await?;
                all.into_iter().filter(|setback| matches!(setback.next, Next::Parked { .. })).collect()
            }
            None => return Ok(None),
        },
    };
    if args.list { Ok(Some(parked)) } else { release(store, parked, now).await.map(Some) }
}

async fn release(store: &Store, parked: Vec<Setback>, now: Timestamp) -> anyhow::Result<Vec<Setback>> {
    let mut released = Vec::new();
    for some in parked.chunks(AT_ONCE) {
        let mut tx = store.begin().await?;
        released.extend(tx.retry_parked(some.to_vec(), now).await?);
        tx.commit().await?;
    }
    Ok(released)
}

fn print_setbacks(setbacks: &[Setback], args: &RetryArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    if args.format == RetryFormat::Json {
        let rows: Vec<_> = setbacks.iter().map(setback::to_json).collect();
        writeln!(out, "{}", print::json(&rows)?)?;
        return Ok(());
    }
    if setbacks.is_empty() {
        writeln!(out, "Nothing is parked.")?;
        return Ok(());
    }
    let mut table = new_table(["Step", "About", "Attempts", "Parked", "Why"]);
    for s in setbacks {
        let about = s.repository.as_ref().map_or_else(|| s.subject.clone(), ToString::to_string);
        let since = match s.next {
            Next::Parked { since: at } | Next::Again { at } => date_time(at),
        };
        add_row(&mut table, [&s.step, &about, &s.attempts.to_string(), &since, &s.error]);
    }
    write!(out, "{}", lines(table))?;
    if !args.list {
        let (count, steps) = (setbacks.len(), if setbacks.len() == 1 { "step is" } else { "steps are" });
        writeln!(out, "{count} {steps} queued again.")?;
    }
    Ok(())
}
