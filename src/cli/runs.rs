//! `mass-driver runs`: what former runs did, from the store.

use super::print::{self, add_row, lines, new_table, printable};
use super::summary::{End, summary};
use super::{Exit, UsageError};
use crate::domain::{Clock, PatchOutcome, Run, RunId, RunRepository, RunState, Scanned};
use crate::settings::StoreSettings;
use crate::store::{RunCount, Store, StoreError};
use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use std::io::Write;

/// Arguments of `mass-driver runs`.
#[derive(Clone, Debug, clap::Args)]
pub struct RunsArgs {
    /// What to do; without it, the last runs are listed
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    /// How many runs to list
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
    /// How to print the list
    #[arg(long, value_enum, default_value_t = RunsFormat::Table)]
    pub format: RunsFormat,
    /// Where runs are kept
    #[command(flatten)]
    pub store: StoreSettings,
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

/// How the results of scanners are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ScanFormat {
    /// For people: a row for a repository and a scanner
    #[default]
    Table,
    /// For spreadsheets: a row for a repository, a column for a fact
    Csv,
    /// For scripts: one JSON array
    Json,
}

/// Prints former runs, or what was asked about one of them, to `out`.
///
/// Returns [`Exit::Failed`] when there is no such run. Errors: [`UsageError`] for a database that is none or of another
/// version.
pub async fn run(
    args: &RunsArgs,
    clock: &dyn Clock,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let url = &args.store.database_url;
    let opened = match &args.command {
        Some(RunsCommand::Forget { .. }) => Store::open_existing_to_write(url).await,
        _ => Store::open_existing(url).await,
    };
    let store = match opened {
        Err(error @ (StoreError::Address { .. } | StoreError::Schema { .. })) => {
            return Err(UsageError(error.to_string()).into());
        }
        opened => opened.context("the database cannot be used")?,
    };
    let done = match &args.command {
        None => list(&store, args, clock.now(), out).await.map(|()| true),
        Some(RunsCommand::Show { id, failed, format }) => show(&store, RunId(*id), *failed, *format, out).await,
        Some(RunsCommand::Diff { id, repository }) => diff(&store, RunId(*id), repository.as_deref(), out).await,
        Some(RunsCommand::Scans { id, scanner, format }) => {
            scans(&store, RunId(*id), scanner.as_deref(), *format, out).await
        }
        Some(RunsCommand::Forget { id }) => forget(&store, RunId(*id), out).await,
    };
    store.close().await;
    if done? {
        return Ok(Exit::Done);
    }
    writeln!(notes, "mass-driver: there is no such run here; `mass-driver runs` lists those that are kept")?;
    Ok(Exit::Failed)
}

async fn list(store: &Store, args: &RunsArgs, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<()> {
    let runs = store.runs(args.limit).await?;
    let counts = store.run_counts(&runs.iter().map(|run| run.id).collect::<Vec<_>>()).await?;
    if args.format == RunsFormat::Json {
        let rows: Vec<Value> = runs.iter().map(|run| run_json(run, &counts, now)).collect();
        writeln!(out, "{}", print::json(&rows)?)?;
        return Ok(());
    }
    if runs.is_empty() {
        writeln!(out, "No run is kept here.")?;
        return Ok(());
    }
    let mut table = new_table(["Run", "Begun", "Repositories", "Patched", "Failed", "State", "Activity"]);
    for run in &runs {
        let count = |which: &dyn Fn(&RunCount) -> bool| {
            let those = counts.iter().filter(|count| count.run == run.id && which(count));
            those.map(|count| count.repositories).sum::<u32>().to_string()
        };
        let cells = [
            run.id.to_string(),
            minute(run.started_at),
            count(&|_| true),
            count(&|count| count.outcome == Some(PatchOutcome::Patched)),
            count(&|count| count.state == RunState::Failed),
            state(run, now).into(),
            run.activity.clone(),
        ];
        add_row(&mut table, cells.each_ref().map(String::as_str));
    }
    write!(out, "{}", lines(table))?;
    Ok(())
}

fn state(run: &Run, now: Timestamp) -> &'static str {
    match (run.ended_at, run.is_interrupted(now), run.dry) {
        (Some(_), _, true) => "done (dry)",
        (Some(_), _, false) => "done",
        (None, true, _) => "interrupted",
        (None, false, _) => "under way",
    }
}

fn minute(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

async fn show(store: &Store, id: RunId, failed: bool, format: RunsFormat, out: &mut dyn Write) -> anyhow::Result<bool> {
    let Some(run) = store.run(id).await? else { return Ok(false) };
    let all = store.run_repositories(id).await?;
    let shown: Vec<&RunRepository> = all.iter().filter(|one| !failed || End::of(one) == End::Failed).collect();
    if format == RunsFormat::Json {
        let repositories: Vec<Value> = shown.into_iter().map(repository_json).collect();
        let json = json!({
            "run": run.id, "activity": run.activity, "version": run.version, "dry_run": run.dry,
            "started_at": run.started_at, "ended_at": run.ended_at, "repositories": repositories,
        });
        writeln!(out, "{}", print::json(&json)?)?;
        return Ok(true);
    }
    let (number, begun, activity) = (run.id, minute(run.started_at), printable(&run.activity));
    writeln!(out, "Run {number} of {activity}, begun {begun}\n")?;
    let mut table = new_table(["Repository", "End", "Pull request", "Why"]);
    for one in shown {
        let url = one.pull.as_ref().map_or("", |pull| pull.url.as_str());
        let why = one.reason.as_deref().unwrap_or_default().replace('\n', " ");
        add_row(&mut table, [&one.repository.id, End::of(one).as_str(), url, &why]);
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
            print_diff(&one.repository.id, &diff, out)?;
        }
    }
    Ok(true)
}

/// Prints the change of a repository.
pub(super) fn print_diff(repository: &str, diff: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "# {}", printable(repository))?;
    for line in diff.lines() {
        writeln!(out, "{}", print::line_of_code(line))?;
    }
    Ok(())
}

async fn scans(
    store: &Store,
    id: RunId,
    scanner: Option<&str>,
    format: ScanFormat,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    if store.run(id).await?.is_none() {
        return Ok(false);
    }
    let all = store.run_repositories(id).await?;
    print_scans(&all, scanner, format, out)?;
    Ok(true)
}

async fn forget(store: &Store, id: RunId, out: &mut dyn Write) -> anyhow::Result<bool> {
    let mut tx = store.begin().await?;
    let was_there = tx.forget_run(id).await?;
    tx.commit().await?;
    if was_there {
        writeln!(out, "Run {id} is forgotten.")?;
    }
    Ok(was_there)
}

fn run_json(run: &Run, counts: &[RunCount], now: Timestamp) -> Value {
    let counts: Vec<Value> = (counts.iter().filter(|count| count.run == run.id))
        .map(|count| json!({ "state": count.state, "outcome": count.outcome, "repositories": count.repositories }))
        .collect();
    json!({
        "run": run.id, "activity": run.activity, "version": run.version, "dry_run": run.dry, "state": state(run, now),
        "started_at": run.started_at, "ended_at": run.ended_at, "counts": counts,
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
        "scans": one.scans.iter().map(|(name, scanned)| (name.clone(), scan_json(scanned))).collect::<Map<_, _>>(),
    })
}

fn scan_json(scanned: &Scanned) -> Value {
    match &scanned.facts {
        Ok(facts) => json!({ "commit": scanned.commit, "scanned_at": scanned.at, "facts": facts }),
        Err(problem) => json!({ "commit": scanned.commit, "scanned_at": scanned.at, "problem": problem }),
    }
}

/// Prints what scanners found.
pub(super) fn print_scans(
    all: &[RunRepository],
    scanner: Option<&str>,
    format: ScanFormat,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let found = all.iter().flat_map(|one| one.scans.iter().map(move |(name, scanned)| (one, name.as_str(), scanned)));
    let found: Vec<_> = found.filter(|(_, name, _)| scanner.is_none_or(|wanted| wanted == *name)).collect();
    match format {
        ScanFormat::Json => {
            let row = |&(one, name, scanned): &(&RunRepository, &str, &Scanned)| {
                let mut row = scan_json(scanned);
                row["repository"] = json!(one.repository.id);
                row["scanner"] = json!(name);
                row
            };
            writeln!(out, "{}", print::json(&found.iter().map(row).collect::<Vec<_>>())?)?;
        }
        ScanFormat::Table if found.is_empty() => writeln!(out, "No scanner has found anything.")?,
        ScanFormat::Table => {
            let mut table = new_table(["Repository", "Scanner", "Commit", "Found"]);
            for (one, name, scanned) in found {
                let facts = match &scanned.facts {
                    Ok(facts) => {
                        facts.iter().map(|(key, value)| format!("{key}: {}", plain(value))).collect::<Vec<_>>()
                    }
                    Err(problem) => vec![format!("failed: {problem}")],
                };
                let commit = scanned.commit.as_str().get(..12).unwrap_or_default();
                add_row(&mut table, [&one.repository.id, name, commit, &facts.join(", ")]);
            }
            write!(out, "{}", lines(table))?;
        }
        ScanFormat::Csv => print_csv(&found, out)?,
    }
    Ok(())
}

/// A row for a repository and scanner, a column for each fact of any of them.
fn print_csv(found: &[(&RunRepository, &str, &Scanned)], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut columns: Vec<&str> = Vec::new();
    for (_, _, scanned) in found {
        let facts = scanned.facts.iter().flat_map(|facts| facts.keys());
        for key in facts {
            if !columns.contains(&key.as_str()) {
                columns.push(key);
            }
        }
    }
    let mut head = vec!["repository", "scanner", "commit", "scanned_at", "problem"];
    head.extend(&columns);
    writeln!(out, "{}", head.into_iter().map(csv_cell).collect::<Vec<_>>().join(","))?;
    for (one, name, scanned) in found {
        let problem = scanned.facts.as_ref().err().map_or("", String::as_str);
        let at = scanned.at.to_string();
        let mut cells = [&one.repository.id, *name, scanned.commit.as_str(), &at, problem].map(csv_cell).to_vec();
        for column in &columns {
            let value = scanned.facts.as_ref().ok().and_then(|facts| facts.get(*column));
            cells.push(csv_cell(&value.map(plain).unwrap_or_default()));
        }
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

/// A value as people read it: a text without quotes, nothing for nothing.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A cell of a CSV file (RFC 4180). A text that a spreadsheet would run as a formula is kept from it by an apostrophe.
fn csv_cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    let text: String = text.chars().map(|c| if print::is_hidden(c) && c != '\n' { '\u{fffd}' } else { c }).collect();
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_what_they_say() {
        assert_eq!(csv_cell("plain"), "plain");
        assert_eq!(csv_cell("a,b \"c\"\nd"), "\"a,b \"\"c\"\"\nd\"");
        assert_eq!(csv_cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(csv_cell("a\u{1b}[31m"), "a\u{fffd}[31m");
    }
}
