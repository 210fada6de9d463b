//! `mass-driver why OWNER/REPO`: how each dependency of a repository stands, and why there is no pull request for it.

use super::print::{self, add_row, lines, new_table, printable};
use super::retry::json_of;
use super::{Exit, UsageError};
use crate::domain::{Outlook, Proposal, ProposalState, RepoName, RepoState};
use crate::pipeline::setback;
use crate::planner::prose::display_name;
use crate::settings::StoreSettings;
use crate::store::{ConfigState, Next, RepositoryRow, Setback, Store, StoreError};
use crate::subscription::Problem;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use std::io::Write;

/// Arguments of `mass-driver why`.
#[derive(Clone, Debug, clap::Args)]
pub struct WhyArgs {
    /// The repository, as OWNER/REPO
    pub repository: String,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = WhyFormat::Table)]
    pub format: WhyFormat,
    /// Where the server keeps its rows
    #[command(flatten)]
    pub store: StoreSettings,
}

/// How `why` prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum WhyFormat {
    /// For people
    #[default]
    Table,
    /// For scripts: one JSON object
    Json,
}

/// Prints what the server knows of a repository to `out`; that it knows nothing, to `notes`.
///
/// Returns [`Exit::Failed`] when the server does not know it. Errors: [`UsageError`] for a name or database that is none, and for a database of
/// another version.
pub async fn run(args: &WhyArgs, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<Exit> {
    let name = RepoName::parse(&args.repository).map_err(|error| UsageError(error.to_string()))?;
    let store = match Store::open_existing(&args.store.database_url).await {
        Err(error @ (StoreError::Address { .. } | StoreError::Schema { .. })) => {
            return Err(UsageError(error.to_string()).into());
        }
        connected => connected?,
    };
    let found = store.repository_by_name(&name).await?;
    let exit = match &found {
        Some(row) => explain(&store, row, args.format, out).await.map(|()| Exit::Done)?,
        None => {
            writeln!(
                notes,
                "mass-driver: the server does not know {name}; is the App installed there, and did a webhook arrive?"
            )?;
            Exit::Failed
        }
    };
    store.close().await;
    Ok(exit)
}

async fn explain(store: &Store, row: &RepositoryRow, format: WhyFormat, out: &mut dyn Write) -> anyhow::Result<()> {
    let repo = row.repository.id;
    let outlook = store.outlook(repo).await?;
    let proposals = store.proposals(repo).await?;
    let setbacks = store.setbacks_of(repo).await?;
    let unread = store.manifest_problems(repo).await?;
    let problems: Vec<Problem> = serde_json::from_value(row.config.problems.clone()).unwrap_or_default();
    if format == WhyFormat::Json {
        let (parked, put_back): (Vec<&Setback>, Vec<&Setback>) = setbacks.iter().partition(|s| is_parked(s));
        let rows = |setbacks: Vec<&Setback>| setbacks.into_iter().map(json_of).collect::<Vec<_>>();
        let answer = json!({
            "repository": row.repository.name, "state": row.repository.state, "file": row.config.state.as_str(),
            "problems": problems, "proposals": proposals, "dependencies": outlook, "unread": unread, "parked": rows(parked), "put_back": rows(put_back),
        });
        writeln!(out, "{}", print::json(&answer)?)?;
        return Ok(());
    }
    if row.repository.state != RepoState::Active {
        writeln!(out, "{} is {}: nothing is proposed to it.", row.repository.name, row.repository.state.as_str())?;
    }
    match row.config.state {
        ConfigState::None => writeln!(out, "{} has no subscription file.", row.repository.name)?,
        ConfigState::Valid => {}
        ConfigState::Broken => {
            let then =
                if row.config.file.is_some() { "the last good one stays in force" } else { "nothing is proposed" };
            writeln!(out, "The subscription file cannot be used, so {then}:")?;
            for problem in &problems {
                writeln!(out, "  {}", printable(&problem.to_string()))?;
            }
        }
    }
    let pending: Vec<&Proposal> = proposals
        .iter()
        .filter(|p| matches!(p.state, ProposalState::Open | ProposalState::Waiting | ProposalState::Failed))
        .collect();
    if !pending.is_empty() {
        let mut table = new_table(["Proposal", "State", "Pull request", "Why"]);
        for p in pending {
            let pull = p.pull.as_ref().map(|pull| pull.url.clone()).unwrap_or_default();
            add_row(&mut table, [&p.title, p.state.as_str(), &pull, &p.reason]);
        }
        writeln!(out, "{}", lines(table))?;
    }
    if outlook.is_empty() {
        if row.config.file.is_some() {
            writeln!(out, "No dependency was found in {} yet.", row.repository.name)?;
        }
    } else {
        write!(out, "{}", outlook_table(&outlook))?;
    }
    for (path, problem) in unread {
        writeln!(out, "{}", printable(&format!("{path} could not be read: {problem}")))?;
    }
    for one in &setbacks {
        writeln!(out, "{}", printable(&setback::sentence(one)))?;
    }
    if setbacks.iter().any(is_parked) {
        let name = &row.repository.name;
        writeln!(out, "Once the cause is mended, `mass-driver retry {name}` tries again what is parked.")?;
    }
    Ok(())
}

fn is_parked(setback: &Setback) -> bool {
    matches!(setback.next, Next::Parked { .. })
}

fn outlook_table(outlook: &[Outlook]) -> String {
    let mut table = new_table(["Dependency", "Where", "Now", "Next", "Standing", "Until", "Why"]);
    for o in outlook {
        let cells = [
            display_name(&o.package),
            &format!("{}:{}", o.path, o.line),
            o.current.as_deref().unwrap_or_default(),
            o.target.as_deref().unwrap_or_default(),
            &o.standing.as_str().replace('_', " "),
            &o.until.map(in_utc).unwrap_or_default(),
            &o.reason,
        ];
        add_row(&mut table, cells);
    }
    lines(table)
}

fn in_utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}
