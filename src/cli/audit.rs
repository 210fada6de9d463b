//! `mass-driver audit [OWNER/REPO]`: the proof that no pull request was opened before its time.

use super::print::{self, printable};
use super::{Exit, repository_named};
use crate::domain::RepoName;
use crate::pipeline::audit::{Finding, Tally, audit};
use crate::settings::StoreSettings;
use crate::store::Store;
use std::io::Write;

/// Arguments of `mass-driver audit`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    mass-driver audit                                all repositories\n  \
    mass-driver audit acme/api                       one repository\n  \
    mass-driver audit --format json | jq .counts     for scripts\n\n\
    Exit codes: 0 nothing speaks against any pull request; 1 one was early, or its ledger is not in order; 2 wrong usage.")]
pub struct AuditArgs {
    /// The repository, as OWNER/REPO; all of them where none is named
    #[arg(value_name = "OWNER/REPO")]
    pub repository: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = AuditFormat::Table)]
    pub format: AuditFormat,
    /// Where the server keeps its rows
    #[command(flatten)]
    pub store: StoreSettings,
}

/// How `audit` prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum AuditFormat {
    /// For people
    #[default]
    Table,
    /// For scripts: one JSON object
    Json,
}

/// Replays the ledger and prints what speaks against a pull request as it is found, then the numbers.
///
/// Returns [`Exit::Failed`] when anything does, and when the server does not know the repository. Errors: [`super::UsageError`]
/// for a name that is none; those of the store for a database that is none, or of another version.
pub async fn run(args: &AuditArgs, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<Exit> {
    let name = args.repository.as_deref().map(repository_named).transpose()?;
    let store = Store::open_existing(&args.store.database_url).await?;
    let tally = look(&store, name.as_ref(), args.format, out).await;
    store.close_after_looking().await?;
    let Some(tally) = tally? else {
        let name = name.as_ref().map(ToString::to_string).unwrap_or_default();
        writeln!(notes, "mass-driver: the server does not know {name}; is the App installed there?")?;
        return Ok(Exit::Failed);
    };
    match args.format {
        AuditFormat::Table => write!(out, "{}", in_words(&tally))?,
        AuditFormat::Json => writeln!(out, "],\n\"counts\": {}\n}}", print::json(&tally)?)?,
    }
    Ok(if tally.early + tally.disorderly == 0 { Exit::Done } else { Exit::Failed })
}

/// Prints the findings; `None` where the server does not know the repository.
async fn look(
    store: &Store,
    name: Option<&RepoName>,
    format: AuditFormat,
    out: &mut dyn Write,
) -> anyhow::Result<Option<Tally>> {
    let repo = match name {
        None => None,
        Some(name) => match store.repository_by_name(name).await? {
            Some(row) => Some(row.repository.id),
            None => return Ok(None),
        },
    };
    if format == AuditFormat::Json {
        write!(out, "{{\n\"violations\": [")?;
    }
    let mut separator = "\n";
    // Written as it is found: the list may be longer than memory.
    let tally = audit(store, repo, |finding| {
        // Nobody is accused of what was read wrongly.
        store.refuse_change()?;
        match format {
            AuditFormat::Table => in_lines(&finding, out)?,
            AuditFormat::Json => write!(out, "{separator}{}", print::json(&finding)?)?,
        }
        separator = ",\n";
        anyhow::Ok(())
    });
    tally.await.map(Some)
}

fn in_lines(finding: &Finding, out: &mut dyn Write) -> anyhow::Result<()> {
    let pull = finding.pull_request.map_or_else(|| finding.proposal.to_string(), |number| format!("#{number}"));
    writeln!(out, "{} {pull} {}", finding.repository, printable(&finding.title))?;
    for violation in &finding.violations {
        writeln!(out, "  {}", printable(&violation.to_string()))?;
    }
    Ok(())
}

/// The numbers, a line for each that is not nothing.
fn in_words(tally: &Tally) -> String {
    if tally.opened == 0 {
        return "No pull request was opened yet, so there is nothing to prove.\n".into();
    }
    let several = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut lines = vec![
        format!("{} opened, of {}.", several(tally.opened, "pull request"), several(tally.proposals, "proposal")),
        match tally.proven {
            0 => "0 proven.".to_owned(),
            1 => "1 proven: it was not opened before its time.".to_owned(),
            proven => format!("{proven} proven: none of them was opened before its time."),
        },
    ];
    lines.extend(tally.not_provable.iter().map(|(gap, count)| format!("{count} not provable: {gap}.")));
    let wrong = [(tally.early, "early"), (tally.disorderly, "with a ledger that is not in order")];
    lines.extend(wrong.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}.")));
    lines.join("\n") + "\n"
}
