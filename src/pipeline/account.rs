//! What there is to say of a repository: the one answer that the page, the command line, the JSON and comments give to "why is
//! there no pull request?".
//!
//! Every dependency is in it, also one that the last plan did not know or that nothing is planned for. What the plan left in
//! the store may be hours old; when a registry is asked again is looked up here, as it is known now.

use super::{plan, setback};
use crate::domain::{
    Dependency, Onboarding, Outlook, PackageId, Proposal, ProposalState, RepoPath, RepoState, Skip, Standing,
};
use crate::planner::prose::is_called;
use crate::planner::{self, timing};
use crate::store::{Config, ConfigState, Next, PackageRow, RepositoryRow, Setback, Store, StoreError};
use crate::subscription::{OrganisationFile, Problem};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};

/// Everything that is known of a repository and of interest to its people.
#[derive(Clone, Debug)]
pub struct Account {
    /// The repository.
    pub row: RepositoryRow,
    /// Why nothing is proposed to it at all, where that is so.
    pub blocked: Option<String>,
    /// What is wrong with the subscription file.
    pub problems: Vec<Problem>,
    /// How far the pull request has come that brings its first subscription file, where its organisation asks for one.
    pub onboarding: Option<Onboarding>,
    /// What is known of the organisation's own file, in the repository that holds it.
    pub organisation: Option<String>,
    /// All proposals, oldest first.
    pub proposals: Vec<Proposal>,
    /// How each dependency stands: at least one row for each, by file and line.
    pub dependencies: Vec<Outlook>,
    /// Files that could not be read, and why.
    pub unread: Vec<(RepoPath, String)>,
    /// Steps that did not get through.
    pub setbacks: Vec<Setback>,
}

/// Reads all there is to say of a repository.
pub async fn account(store: &Store, row: RepositoryRow, now: Timestamp) -> Result<Account, StoreError> {
    let repo = row.repository.id;
    let timezone = timezone(&row);
    let mut proposals = store.proposals(repo).await?;
    for failed in proposals.iter_mut().filter(|p| p.state == ProposalState::Failed && planner::failed_until(p) > now) {
        failed.reason = planner::tried_again(failed, &timezone);
    }
    Ok(Account {
        blocked: blocked(&row),
        problems: serde_json::from_value(row.config.problems.clone()).unwrap_or_default(),
        onboarding: store.onboarding(repo).await?,
        organisation: store.organisation(repo).await?.as_ref().and_then(organisation),
        proposals,
        dependencies: dependencies(store, &row, now).await?,
        unread: store.manifest_problems(repo).await?,
        setbacks: store.setbacks_of(repo).await?,
        row,
    })
}

/// What is known of an organisation's file, in a sentence; `None` where there is none. Pure.
fn organisation(config: &Config) -> Option<String> {
    let path = config.path.as_ref()?;
    let in_force: Option<OrganisationFile> =
        config.file.as_ref().and_then(|file| serde_json::from_value(file.clone()).ok());
    let problems: Vec<Problem> = serde_json::from_value(config.problems.clone()).unwrap_or_default();
    let asks = in_force.map(|file| file.in_words());
    Some(match (problems.first(), asks) {
        (None, Some(asks)) => format!("{path} asks for {asks}"),
        (None, None) => format!("{path} asks for nothing"),
        (Some(problem), Some(asks)) => {
            format!("{path} cannot be used ({problem}), so the last good one stays in force, which asks for {asks}")
        }
        (Some(problem), None) => format!("{path} cannot be used ({problem})"),
    })
}

/// How each dependency of a repository stands: at least one row for each, by file and line.
pub async fn dependencies(store: &Store, row: &RepositoryRow, now: Timestamp) -> Result<Vec<Outlook>, StoreError> {
    let repo = row.repository.id;
    let used: Vec<Dependency> = store.dependencies(repo).await?.into_iter().map(|row| row.dependency).collect();
    let mut rows = store.outlook(repo).await?;
    let failed = rows.iter().filter(|row| row.standing == Standing::Failed).map(|row| row.package.clone());
    let failed: Vec<PackageId> = failed.collect::<BTreeSet<PackageId>>().into_iter().collect();
    let packages = store.packages(&failed).await?;
    say_when_again(&mut rows, &used, &packages, &timezone(row), now);
    complete(&mut rows, &used, blocked(row).as_deref());
    Ok(rows)
}

/// Why nothing is proposed to a repository at all. Pure.
fn blocked(row: &RepositoryRow) -> Option<String> {
    let never = "there was never a subscription file that could be used";
    plan::blocked(row).or_else(|| row.config.file.is_none().then(|| never.to_owned()))
}

/// The time zone of the file in force. Only this is read of it: an older version may have written the rest otherwise.
fn timezone(row: &RepositoryRow) -> TimeZone {
    let name = row.config.file.as_ref().and_then(|file| file.get("timezone")).and_then(|name| name.as_str());
    name.and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC)
}

/// Adds to what failed when it is looked at again. Pure.
fn say_when_again(
    rows: &mut [Outlook],
    used: &[Dependency],
    packages: &[PackageRow],
    timezone: &TimeZone,
    now: Timestamp,
) {
    let places: HashMap<_, &Dependency> =
        used.iter().map(|one| (place(&one.package, &one.path, one.line), one)).collect();
    let packages: HashMap<&PackageId, &PackageRow> = packages.iter().map(|row| (&row.package, row)).collect();
    // What has a target says it already: its pull request could not be made.
    for row in rows.iter_mut().filter(|row| row.standing == Standing::Failed && row.target.is_none()) {
        let skip = places.get(&place(&row.package, &row.path, row.line)).and_then(|one| one.skip.as_ref());
        let next = packages.get(&row.package).map(|package| package.next_check_at);
        let again = match (skip, next) {
            (Some(Skip::Variable(_) | Skip::NotUnderstood(_)), _) => "looked at again when the file changes".into(),
            (_, Some(next)) if next > now => {
                row.until = Some(next);
                format!("looked up again {}", timing::moment_in_words(timezone, next))
            }
            _ => "looked up again within minutes".into(),
        };
        row.reason = format!("{}; {again}", row.reason);
    }
}

/// Adds the dependencies that no row is about. Pure.
fn complete(rows: &mut Vec<Outlook>, used: &[Dependency], blocked: Option<&str>) {
    let told: BTreeSet<_> = rows.iter().map(|row| place(&row.package, &row.path, row.line)).collect();
    let untold = used.iter().filter(|one| !told.contains(&place(&one.package, &one.path, one.line)));
    let (standing, reason) = match blocked {
        Some(why) => (Standing::Refused, why),
        None => (Standing::Waiting, "it was found just now, and is planned within minutes"),
    };
    let untold: Vec<Outlook> = untold
        .map(|one| Outlook {
            package: one.package.clone(),
            path: one.path.clone(),
            line: one.line,
            current: one.current.clone(),
            target: None,
            standing,
            reason: reason.to_owned(),
            until: None,
        })
        .collect();
    if !untold.is_empty() {
        rows.extend(untold);
        rows.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    }
}

fn place<'p>(package: &'p PackageId, path: &'p RepoPath, line: u32) -> (&'p PackageId, &'p RepoPath, u32) {
    (package, path, line)
}

impl Account {
    /// What of it is about one package, by whatever name people call it; `None` when nothing is.
    pub fn about(mut self, name: &str) -> Option<Self> {
        self.dependencies.retain(|row| is_called(&row.package, name));
        self.proposals.retain(|proposal| proposal.updates.iter().any(|update| is_called(&update.package, name)));
        (!self.dependencies.is_empty() || !self.proposals.is_empty()).then_some(self)
    }

    /// What is to be known before all else, in sentences: why nothing is proposed at all, and what is wrong with the file.
    pub fn first_of_all(&self) -> Option<String> {
        let name = &self.row.repository.name;
        if self.row.repository.state != RepoState::Active {
            return Some(format!("{name} is {}: nothing is proposed to it.", self.row.repository.state.as_str()));
        }
        match self.row.config.state {
            ConfigState::None => Some(match &self.onboarding {
                Some(onboarding) => format!("{name} has no subscription file: {}.", onboarding.reason),
                None => format!("{name} has no subscription file."),
            }),
            ConfigState::Broken if self.row.config.file.is_some() => {
                Some("The subscription file cannot be used, so the last good one stays in force:".into())
            }
            ConfigState::Broken => Some("The subscription file cannot be used, so nothing is proposed:".into()),
            ConfigState::Valid => self.blocked.as_ref().map(|why| format!("Nothing is proposed to {name}: {why}.")),
        }
    }

    /// All of it for scripts, as one JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        let Self { row, blocked, problems, onboarding, organisation, proposals, dependencies, unread, setbacks } = self;
        let onboarding = onboarding.as_ref().map(|one| {
            json!({ "state": one.state.as_str(), "reason": one.reason, "pull": one.pull, "begun_at": one.begun_at })
        });
        let (parked, put_back): (Vec<&Setback>, Vec<&Setback>) = setbacks.iter().partition(|one| is_parked(one));
        let rows = |setbacks: Vec<&Setback>| setbacks.into_iter().map(setback::to_json).collect::<Vec<_>>();
        json!({
            "repository": row.repository.name, "state": row.repository.state, "file": row.config.state.as_str(),
            "blocked": blocked, "problems": problems, "proposals": proposals, "dependencies": dependencies,
            "onboarding": onboarding, "organisation": organisation, "unread": unread, "parked": rows(parked), "put_back": rows(put_back),
        })
    }
}

/// Whether a step is not tried again by itself.
pub fn is_parked(setback: &Setback) -> bool {
    matches!(setback.next, Next::Parked { .. })
}
