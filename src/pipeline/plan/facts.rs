//! What the plans of several repositories depend on, read together: one query for each kind of fact, however many
//! repositories there are. Texts of files are not read.

use crate::domain::{
    Decision, Held, InstallationId, PackageId, Proposal, ProposalId, ProposalState, PullNumber, RepoId, RepoPath,
    RepoState, Rework,
};
use crate::managers;
use crate::pipeline::{StepError, sync};
use crate::planner::{Known, Used};
use crate::store::{ConfigState, RepositoryRow, Store, StoreError};
use crate::subscription::SubscriptionFile;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The facts of so many dependencies are in memory at a time; a repository has 10,000 at most.
const DEPENDENCIES_AT_ONCE: usize = 10_000;

/// The facts of several repositories.
pub(super) struct Loaded {
    /// Those of them that are known.
    pub repositories: Vec<RepositoryFacts>,
    /// What is known of the packages that any of them uses.
    pub packages: BTreeMap<PackageId, Known>,
    /// The proposals of all of them for which something is being sent.
    pub attempted: BTreeSet<ProposalId>,
    /// For those that are pull requests already, what it is sent for, where that was noted.
    pub errands: BTreeMap<ProposalId, Rework>,
}

/// The facts of one repository.
pub(super) struct RepositoryFacts {
    /// The repository.
    pub row: RepositoryRow,
    /// Why nothing may be proposed to it, whatever its file says.
    pub blocked: Option<String>,
    /// The subscription file in force.
    pub file: Option<SubscriptionFile>,
    /// All proposals it ever had.
    pub proposals: Vec<Proposal>,
    /// Since when each subscription of the file has been there. This and what follows is empty where nothing is proposed.
    pub subscribed_since: Vec<Timestamp>,
    /// Its dependencies.
    pub used: Vec<Used>,
    /// Those of their packages that it may not know anything of.
    pub unseen: BTreeSet<PackageId>,
    /// What people decided about its packages.
    pub decisions: Vec<Decision>,
    /// When each of its manifests was stored, where a proposal has failed.
    pub manifests: Vec<(RepoPath, Timestamp)>,
    /// Its manifests that could not be read.
    pub unreadable: BTreeSet<RepoPath>,
    /// The pull requests whose branches are left as they are, and why.
    pub held: Vec<(PullNumber, Held)>,
}

impl RepositoryFacts {
    /// The file to plan by; `None` when there is nothing to plan.
    pub fn plannable(&self) -> Option<&SubscriptionFile> {
        self.file.as_ref().filter(|_| self.blocked.is_none())
    }
}

/// Divides repositories so that the facts of each part fit into memory: usually, that is all of them.
pub(super) async fn portions(store: &Store, repos: &[RepoId]) -> Result<Vec<Vec<RepoId>>, StoreError> {
    if repos.len() < 2 {
        return Ok(vec![repos.to_vec()]);
    }
    let counts = store.dependency_counts(repos).await?;
    Ok(divide(repos, &counts))
}

/// Each repository in one portion, in order; a portion has several only as far as their dependencies are few. Pure.
fn divide(repos: &[RepoId], counts: &HashMap<RepoId, usize>) -> Vec<Vec<RepoId>> {
    let mut portions: Vec<Vec<RepoId>> = Vec::new();
    let mut filled = 0;
    for repo in repos {
        let count = counts.get(repo).copied().unwrap_or(0);
        match portions.last_mut() {
            Some(last) if filled + count <= DEPENDENCIES_AT_ONCE => {
                last.push(*repo);
                filled += count;
            }
            _ => {
                portions.push(vec![*repo]);
                filled = count;
            }
        }
    }
    portions
}

/// Reads the facts of several repositories. Those that are not known are left out.
pub(super) async fn load(store: &Store, repos: &[RepoId]) -> Result<Loaded, StepError> {
    load_of(store, store.repositories_by_id(repos).await?).await
}

/// Reads the facts of several repositories whose rows are read already.
pub(super) async fn load_of(store: &Store, rows: Vec<RepositoryRow>) -> Result<Loaded, StepError> {
    let ids: Vec<RepoId> = rows.iter().map(|row| row.repository.id).collect();
    let mut proposals = store.proposals_of(&ids).await?;
    let errands = store.attempted_of(&ids).await?;
    let attempted = errands.keys().cloned().collect();
    let errands = errands.into_iter().filter_map(|(id, errand)| Some((id, errand?))).collect();
    let mut repositories = Vec::with_capacity(rows.len());
    for row in rows {
        repositories.push(RepositoryFacts {
            blocked: blocked(&row),
            file: sync::file_in_force(&row.config)?,
            proposals: proposals.remove(&row.repository.id).unwrap_or_default(),
            subscribed_since: Vec::new(),
            used: Vec::new(),
            unseen: BTreeSet::new(),
            decisions: Vec::new(),
            manifests: Vec::new(),
            unreadable: BTreeSet::new(),
            held: Vec::new(),
            row,
        });
    }
    let plannable: Vec<RepoId> =
        repositories.iter().filter(|one| one.plannable().is_some()).map(|one| one.row.repository.id).collect();
    let any_failed = |one: &&RepositoryFacts| one.proposals.iter().any(|p| p.state == ProposalState::Failed);
    let failed = repositories.iter().filter(|one| one.plannable().is_some()).filter(any_failed);
    let failed: Vec<RepoId> = failed.map(|one| one.row.repository.id).collect();
    let mut subscribed_since = store.subscribed_since(&plannable).await?;
    let mut dependencies = store.dependencies_of(&plannable).await?;
    let mut manifests = store.manifest_times(&failed).await?;
    let mut decisions = store.decisions_of(&plannable).await?;
    let developed = store.developed(&plannable).await?;
    let is_open = |one: &&RepositoryFacts| one.proposals.iter().any(|p| p.state == ProposalState::Open);
    let open: Vec<RepoId> = repositories.iter().filter(is_open).map(|one| one.row.repository.id).collect();
    let (mut unreadable, mut held) = (store.unreadable_of(&open).await?, store.held_of(&open).await?);
    for one in &mut repositories {
        let id = one.row.repository.id;
        let mut used = dependencies.remove(&id).unwrap_or_default();
        if let Some(developed) = developed.get(&id) {
            managers::leave_developed_alone(used.iter_mut().map(|row| &mut row.dependency), developed);
        }
        one.used = used.into_iter().map(|row| Used { dependency: row.dependency, since: row.since }).collect();
        one.subscribed_since = subscribed_since.remove(&id).unwrap_or_default();
        one.decisions = decisions.remove(&id).unwrap_or_default();
        one.manifests = manifests.remove(&id).unwrap_or_default();
        one.unreadable = unreadable.remove(&id).unwrap_or_default();
        one.held = held.remove(&id).unwrap_or_default();
    }
    let mut loaded = Loaded { repositories, packages: BTreeMap::new(), attempted, errands };
    reload(store, &mut loaded).await?;
    Ok(loaded)
}

/// Reads what is known of the packages that the repositories use.
pub(super) async fn reload(store: &Store, loaded: &mut Loaded) -> Result<(), StepError> {
    let (packages, private) = known(store, &loaded.repositories).await?;
    loaded.packages = packages;
    for one in &mut loaded.repositories {
        let own = one.row.repository.installation;
        one.unseen = private.iter().filter(|(_, owner)| **owner != own).map(|(package, _)| package.clone()).collect();
    }
    Ok(())
}

/// What is known of the packages that any of these repositories uses, and whose private repositories some of them are.
async fn known(
    store: &Store,
    repositories: &[RepositoryFacts],
) -> Result<(BTreeMap<PackageId, Known>, BTreeMap<PackageId, InstallationId>), StoreError> {
    let wanted: BTreeSet<&PackageId> =
        repositories.iter().flat_map(|one| &one.used).map(|used| &used.dependency.package).collect();
    let wanted: Vec<PackageId> = wanted.into_iter().cloned().collect();
    let mut releases = store.releases_of(&wanted).await?;
    let (mut packages, mut private) = (BTreeMap::new(), BTreeMap::new());
    for row in store.packages(&wanted).await? {
        let known = match (row.checked_at, row.last_error) {
            (Some(_), _) => Known::Releases(releases.remove(&row.package).unwrap_or_default()),
            (None, Some(error)) => Known::Failed(error),
            (None, None) => Known::NotYetAsked,
        };
        if let Some(owner) = row.private_to {
            private.insert(row.package.clone(), owner);
        }
        packages.insert(row.package, known);
    }
    Ok((packages, private))
}

/// Why nothing may be proposed to a repository, whatever its file says.
pub(in crate::pipeline) fn blocked(row: &RepositoryRow) -> Option<String> {
    let why = match row.repository.state {
        RepoState::Active if row.repository.fork => sync::FORK,
        RepoState::Active if row.config.state == ConfigState::None => "the repository has no subscription file",
        RepoState::Active if row.repository.default_branch.is_none() => "the repository has no default branch",
        RepoState::Active if row.head.is_none() => "the repository has no commit yet",
        RepoState::Active => return None,
        RepoState::Archived => "the repository is archived",
        RepoState::Disabled => "the repository was disabled by GitHub",
        RepoState::Suspended => "the installation is suspended",
        RepoState::Removed => "the repository was deleted, or taken from the installation",
    };
    Some(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_of_many_dependencies_are_not_in_memory_together() {
        let ids: Vec<RepoId> = (1..=6).map(RepoId).collect();
        let counts = [(1, 20), (2, 9_970), (3, 20), (5, 10_000), (6, 1)];
        let counts = counts.into_iter().map(|(id, count)| (RepoId(id), count)).collect();
        let numbers = |portion: &Vec<RepoId>| portion.iter().map(|id| id.0).collect::<Vec<_>>();
        let portions: Vec<Vec<i64>> = divide(&ids, &counts).iter().map(numbers).collect();
        assert_eq!(portions, [vec![1, 2], vec![3, 4], vec![5], vec![6]]);
        assert!(divide(&[], &counts).is_empty());
    }
}
