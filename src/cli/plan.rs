//! `mass-driver plan [PATH]`: what a checkout's subscription file would do if it were committed now, with dates.

use super::passed_over::{is_whole, tell};
use super::print::{self, add_row, lines, new_table};
use super::{Exit, UsageError, check};
use crate::app;
use crate::checkout::{Checkout, read_checkout};
use crate::domain::{Clock, Outlook, PackageId, Standing};
use crate::pipeline::examine::lookups::known_of;
use crate::pipeline::plan::without_hashes;
use crate::planner::prose::display_name;
use crate::planner::{self, Facts, Known, Plan, Used, timing};
use crate::registries::Registries;
use crate::settings::RegistryAddresses;
use crate::subscription::{self, SubscriptionFile};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

/// How many packages are looked up at a time.
const LOOKUPS_AT_ONCE: usize = 16;

/// What is said of packages that no registry has.
const OF_THE_SERVER: &str = "tags are looked up by the server, in its App's name; this command asks no forge";

/// Arguments of `mass-driver plan`.
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    /// The checkout: a folder with a subscription file
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = PlanFormat::Table)]
    pub format: PlanFormat,
    /// Where releases are looked up
    #[command(flatten)]
    pub registries: RegistryAddresses,
}

/// How `plan` prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PlanFormat {
    /// For people
    #[default]
    Table,
    /// For scripts: one JSON object
    Json,
}

impl PlanFormat {
    /// How problems of the subscription file are told to the same reader.
    const fn of_problems(self) -> check::CheckFormat {
        match self {
            Self::Table => check::CheckFormat::Text,
            Self::Json => check::CheckFormat::Json,
        }
    }
}

/// Reads the checkout, looks its packages up and prints the plan to `out`, and what was passed over to `notes`.
///
/// Returns [`Exit::Failed`] when the file has problems, something could not be read or a package not be looked up. Errors: [`UsageError`] when
/// there is no checkout or no file.
pub async fn run(
    args: &PlanArgs,
    clock: &dyn Clock,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let now = clock.now();
    let checkout = read_checkout(&args.path).map_err(|error| UsageError(error.to_string()))?;
    let parsed = match checkout.subscriptions.as_slice() {
        [(_, text)] => subscription::parse(text.as_bytes()).ok(),
        _ => None,
    };
    let Some(file) = parsed else {
        // None, two, or one with problems: `check` says which, and what to do.
        return check::run(&check::CheckArgs { path: args.path.clone(), format: args.format.of_problems() }, now, out);
    };
    tell(&checkout, notes)?;
    let registries = app::registries(&args.registries)?;
    let (plan, unknown) = plan_checkout(&checkout, &file, &registries, now).await;
    match args.format {
        PlanFormat::Table => print_tables(&plan, &file, now, out)?,
        PlanFormat::Json => writeln!(out, "{}", print::json(&as_json(&plan))?)?,
    }
    let left_out = plan.outlook.iter().filter(|row| row.reason == OF_THE_SERVER).count();
    if left_out > 0 {
        let what = if left_out == 1 { "action or hook is" } else { "actions and hooks are" };
        writeln!(notes, "note: {left_out} {what} not planned: {OF_THE_SERVER}")?;
    }
    let exit = is_whole(&checkout, "plan", notes)?;
    if unknown > 0 {
        let packages = if unknown == 1 { "package" } else { "packages" };
        writeln!(notes, "mass-driver: {unknown} {packages} could not be looked up, so the plan is not complete")?;
        return Ok(Exit::Failed);
    }
    Ok(exit)
}

/// The plan, and how many packages could not be looked up for it.
async fn plan_checkout(
    checkout: &Checkout,
    file: &SubscriptionFile,
    registries: &Registries,
    now: Timestamp,
) -> (Plan, usize) {
    let used: Vec<Used> = checkout
        .manifests
        .iter()
        .flat_map(|manifest| &manifest.extraction.dependencies)
        .map(|dependency| Used { dependency: dependency.clone(), since: now })
        .collect();
    let wanted: BTreeSet<PackageId> = used
        .iter()
        .map(|used| &used.dependency)
        .filter(|d| d.skip.is_none() && file.subscription_for(d.package.ecosystem, &d.path).is_some())
        .map(|d| d.package.clone())
        .collect();
    let packages = look_up(registries, wanted, now).await;
    let unknown = packages.values().filter(|known| matches!(known, Known::Failed(_))).count();
    let since = vec![now; file.subscriptions.len()];
    let (unseen, without_hashes) = (BTreeSet::new(), without_hashes(registries));
    let facts = Facts {
        file,
        subscribed_since: &since,
        used: &used,
        packages: &packages,
        unseen: &unseen,
        without_hashes: &without_hashes,
        proposals: &[],
        decisions: &[],
    };
    (planner::plan(&facts, now), unknown)
}

/// Asks the registries about all packages, some at a time, with a count on a terminal.
async fn look_up(registries: &Registries, wanted: BTreeSet<PackageId>, now: Timestamp) -> BTreeMap<PackageId, Known> {
    let total = wanted.len();
    let shows_progress = std::io::stderr().is_terminal();
    let mut answers = futures_util::stream::iter(wanted)
        .map(|package| async move {
            if package.ecosystem.is_of_the_forge() {
                return (package, None);
            }
            let answer = registries.releases(&package, None).await;
            (package, Some(answer))
        })
        .buffer_unordered(LOOKUPS_AT_ONCE);
    let mut known = BTreeMap::new();
    while let Some((package, answer)) = answers.next().await {
        let found = match answer {
            None => Known::Elsewhere(OF_THE_SERVER.into()),
            Some(answer) => known_of(answer, now),
        };
        known.insert(package, found);
        if shows_progress {
            anstream::eprint!("\rlooked up {} of {total} packages", known.len());
        }
    }
    if shows_progress && total > 0 {
        anstream::eprint!("\r\x1b[2K");
    }
    known
}

fn print_tables(plan: &Plan, file: &SubscriptionFile, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<()> {
    if plan.outlook.is_empty() {
        writeln!(out, "No dependencies were found, so there is nothing to plan.")?;
        return Ok(());
    }
    // A dependency that could move in two ways has two rows.
    let places = |is_meant: &dyn Fn(&Outlook) -> bool| {
        let meant = plan.outlook.iter().filter(|row| is_meant(row));
        meant.map(|row| (&row.path, row.line, &row.package)).collect::<BTreeSet<_>>().len()
    };
    let (all, current) = (places(&|_| true), places(&|row| row.standing == Standing::UpToDate));
    // Without proposals, nothing fails but looking a package up.
    let unknown = places(&|row| row.standing == Standing::Failed);
    let unasked = places(&|row| row.standing == Standing::Failed || row.reason == OF_THE_SERVER);
    if plan.drafts.is_empty() && unasked > 0 {
        let (count, were) = match (unasked, all) {
            (1, 1) => ("its only dependency".to_owned(), "was"),
            (_, _) if unasked == all => (format!("none of the {all} dependencies"), "was"),
            (_, _) => (format!("{unasked} of {all} dependencies"), if unasked == 1 { "was" } else { "were" }),
        };
        let not = if unasked == all && all > 1 { "" } else { "not " };
        writeln!(out, "Whether a pull request would be opened is not known: {count} {were} {not}looked up.")?;
    } else if plan.drafts.is_empty() {
        writeln!(out, "No pull request would be opened.")?;
    } else {
        let mut table = new_table(["When", "Pull request", "Why"]);
        for draft in &plan.drafts {
            let when = if draft.due_at <= now {
                "now".to_string()
            } else {
                timing::moment_in_words(&file.timezone, draft.due_at)
            };
            let why = if draft.due_at <= now { "due as soon as the file is committed" } else { draft.reason.as_str() };
            add_row(&mut table, [when.as_str(), draft.title.as_str(), why]);
        }
        writeln!(out, "{}", lines(table))?;
    }
    let held: Vec<&Outlook> =
        plan.outlook.iter().filter(|o| matches!(o.standing, Standing::Refused | Standing::Failed)).collect();
    if !held.is_empty() {
        let mut table = new_table(["No update for", "Where", "Now", "Next", "Why"]);
        for row in held {
            let cells = [
                display_name(&row.package),
                &format!("{}:{}", row.path, row.line),
                row.current.as_deref().unwrap_or_default(),
                row.target.as_deref().unwrap_or_default(),
                &row.reason,
            ];
            add_row(&mut table, cells);
        }
        writeln!(out, "{}", lines(table))?;
    }
    let (dependencies, are) = if all == 1 { ("dependency", "is") } else { ("dependencies", "are") };
    match unknown {
        0 => writeln!(out, "{current} of {all} {dependencies} {are} up to date.")?,
        _ if unknown == all => writeln!(out, "Whether the {all} {dependencies} {are} up to date is not known.")?,
        _ => writeln!(out, "{current} of {all} {dependencies} {are} up to date; of {unknown} it is not known.")?,
    }
    Ok(())
}

fn as_json(plan: &Plan) -> serde_json::Value {
    let drafts: Vec<serde_json::Value> = plan
        .drafts
        .iter()
        .map(|draft| {
            json!({
                "title": draft.title, "branch": draft.branch, "group": draft.group, "due_at": draft.due_at,
                "reason": draft.reason, "labels": draft.labels, "updates": draft.updates,
            })
        })
        .collect();
    json!({ "pull_requests": drafts, "dependencies": plan.outlook })
}
