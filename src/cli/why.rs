//! `mass-driver why OWNER/REPO`: how each dependency of a repository stands, and why there is no pull request for it.

use super::print::{self, add_row, lines, new_table, printable};
use super::{Exit, repository_named};
use crate::domain::time::date_time;
use crate::domain::{Clock, Outlook, Proposal, ProposalState};
use crate::pipeline::account::{self, Account, is_parked};
use crate::pipeline::setback;
use crate::planner::prose::display_name;
use crate::settings::StoreSettings;
use crate::store::Store;
use std::io::Write;

/// Arguments of `mass-driver why`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    mass-driver why acme/api                         every dependency, and every proposal\n  \
    mass-driver why acme/api httpx                   one package\n  \
    mass-driver why acme/api --format json | jq '.dependencies[] | select(.standing == \"failed\")'")]
pub struct WhyArgs {
    /// The repository, as OWNER/REPO
    pub repository: String,
    /// Only this package, as people call it (httpx) or with its ecosystem (pypi/httpx)
    pub package: Option<String>,
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
/// Returns [`Exit::Failed`] when the server does not know it, or it does not use the package asked about. Errors: [`super::UsageError`] for a name that is
/// none; those of the store for a database that is none, or of another version.
pub async fn run(
    args: &WhyArgs,
    clock: &dyn Clock,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let name = repository_named(&args.repository)?;
    let store = Store::open_existing(&args.store.database_url).await?;
    let read = async {
        match store.repository_by_name(&name).await? {
            Some(row) => account::account(&store, row, clock.now()).await.map(Some),
            None => Ok(None),
        }
    };
    let account = read.await;
    store.close_after_looking().await?;
    let Some(account) = account? else {
        writeln!(
            notes,
            "mass-driver: the server does not know {name}; is the App installed there, and did a webhook arrive?"
        )?;
        return Ok(Exit::Failed);
    };
    let account = match &args.package {
        None => account,
        Some(package) => match account.about(package) {
            Some(account) => account,
            None => {
                let package = printable(package);
                writeln!(
                    notes,
                    "mass-driver: {name} does not use `{package}`; `mass-driver why {name}` lists what it uses"
                )?;
                return Ok(Exit::Failed);
            }
        },
    };
    explain(&account, args.format, out)?;
    Ok(Exit::Done)
}

fn explain(account: &Account, format: WhyFormat, out: &mut dyn Write) -> anyhow::Result<()> {
    if format == WhyFormat::Json {
        writeln!(out, "{}", print::json(&account.to_json())?)?;
        return Ok(());
    }
    let Account { row, problems, proposals, dependencies, unread, setbacks, .. } = account;
    if let Some(first) = account.first_of_all() {
        writeln!(out, "{}", printable(&first))?;
    }
    for problem in problems {
        writeln!(out, "  {}", printable(&problem.to_string()))?;
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
    if dependencies.is_empty() {
        if row.config.file.is_some() {
            writeln!(out, "No dependency was found in {} yet.", row.repository.name)?;
        }
    } else {
        write!(out, "{}", outlook_table(dependencies))?;
    }
    for (path, problem) in unread {
        writeln!(out, "{}", printable(&format!("{path} could not be read: {problem}")))?;
    }
    for one in setbacks {
        writeln!(out, "{}", printable(&setback::sentence(one)))?;
    }
    if setbacks.iter().any(is_parked) {
        let name = &row.repository.name;
        writeln!(out, "Once the cause is mended, `mass-driver retry {name}` tries again what is parked.")?;
    }
    Ok(())
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
            &o.until.map(date_time).unwrap_or_default(),
            &o.reason,
        ];
        add_row(&mut table, cells);
    }
    lines(table)
}
