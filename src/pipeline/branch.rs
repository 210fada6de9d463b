//! The branch of a pull request that is open: what stands on it, and whether another commit can go on top.
//!
//! A branch is ours while its head is the commit that we noted, and nobody else's is below that. Names prove nothing, neither
//! of an author nor of a branch: anybody can write them.

use super::execute::installation;
use super::{Step, StepError, target};
use crate::domain::{
    Dependency, FileMode, Head, Held, News, ObjectId, Onto, Proposal, ProposalId, ProposalState, PullBranch,
    PullNumber, RepoId, RepoPath, Site, Update,
};
use crate::forge::{EntryKind, ForgeError, GitHub, PullState, PullStatus, Target};
use crate::managers::{self, LARGEST_MANIFEST_BYTES};
use crate::planner::{self, prose::display_name};
use crate::store::{Manifest, ManifestRow, RepositoryRow, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A branch that moved may be left as it is once more: its label is not taken off before that can be known.
pub(super) const SECOND_THOUGHT: SignedDuration = SignedDuration::from_secs(30);

/// What stands on the branch of an open proposal.
pub(super) enum Standing {
    /// What we left there, and nothing else.
    Ours(Onto),
    /// People's commits as well.
    Shared(Onto),
    /// Its pull request is over.
    Over(PullNumber),
    /// It is gone, or a person has led it somewhere else: nothing of ours goes onto it any more.
    Elsewhere,
}

/// The open proposal of a group, whose branch a newer one of the group goes onto.
pub(super) fn open_of<'a>(all: &'a [Proposal], proposal: &Proposal) -> Option<&'a Proposal> {
    let is_meant = |p: &&Proposal| {
        p.state == ProposalState::Open && p.group == proposal.group && p.id != proposal.id && p.pull.is_some()
    };
    all.iter().rev().find(is_meant)
}

/// Whether a change is on its way to the branch of a pull request: nobody knows by then what stands there.
pub(super) async fn is_under_way(store: &Store, repo: RepoId, number: PullNumber) -> Result<bool, StoreError> {
    for id in store.attempted(repo).await? {
        let onto = store.attempt(&id).await?.and_then(|attempt| attempt.change.onto);
        if onto.is_some_and(|onto| onto.number == number) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Looks at a pull request and its branch. `base` is the head that a change would be made from.
pub(super) async fn look(
    store: &Store,
    forge: &GitHub,
    (row, open): (&RepositoryRow, &Proposal),
    base: &ObjectId,
) -> Result<(Standing, Option<PullState>), StepError> {
    let Some(pull) = &open.pull else { return Ok((Standing::Elsewhere, None)) };
    let found = match forge.pull(&target(row), pull.number).await {
        Ok(found) => found,
        Err(ForgeError::Gone { .. }) => return Ok((Standing::Elsewhere, None)),
        Err(error) => return Err(error.into()),
    };
    let known = store.pull_branch(row.repository.id, pull.number).await?;
    let default = row.repository.default_branch.as_deref();
    if found.status == PullStatus::Open && !goes_to_default(forge, &target(row), default, &found).await? {
        return Ok((Standing::Elsewhere, Some(found)));
    }
    Ok((standing(row, open, &known, &found, base), Some(found)))
}

/// Whether a pull request goes to the default branch. One that goes to another than we know of may have been taken along by
/// GitHub, as the default branch was renamed.
pub(super) async fn goes_to_default(
    forge: &GitHub,
    target: &Target,
    known: Option<&str>,
    pull: &PullState,
) -> Result<bool, ForgeError> {
    if known == Some(pull.base_branch.as_str()) {
        return Ok(true);
    }
    Ok(forge.repository(target).await?.default_branch.as_ref() == Some(&pull.base_branch))
}

/// What a pull request comes to that was looked at, and goes to the default branch where it is open. Pure.
fn standing(row: &RepositoryRow, open: &Proposal, known: &PullBranch, found: &PullState, base: &ObjectId) -> Standing {
    if found.status != PullStatus::Open {
        return Standing::Over(found.number);
    }
    let is_here = found.head_repo == Some(row.repository.id) && found.head_branch == open.branch;
    if !is_here {
        return Standing::Elsewhere;
    }
    let is_ours = open.pull.as_ref().is_some_and(|pull| pull.head == found.head) && !known.shared;
    let merged = (known.base.as_ref() != Some(base)).then(|| base.clone()).filter(|_| is_ours);
    let onto =
        Onto { number: found.number, url: found.url.clone(), head: found.head.clone(), merged, shared: !is_ours };
    if is_ours { Standing::Ours(onto) } else { Standing::Shared(onto) }
}

/// Notes why a branch is left as it is, and has its pull request say so.
pub(super) async fn hold(
    tx: &mut Tx,
    row: &RepositoryRow,
    open: &Proposal,
    held: Held,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (repo, Some(pull)) = (row.repository.id, &open.pull) else { return Ok(()) };
    let known = tx.pull_branch(repo, pull.number).await?;
    let is_news = known.held.as_ref().is_none_or(|known| known.why != held.why);
    if is_news {
        tracing::info!(repository = %row.repository.name, pull = %pull.number, why = held.why, "a branch is left as it is");
        tx.record(&open.id, now, "held", &held.why).await?;
        Step::Tell { repo, proposal: open.id.clone(), news: News::Held }.queue(tx, installation(row), now).await?;
    }
    tx.save_pull_branch((repo, pull.number), &PullBranch { held: Some(held), ..known }).await
}

/// Ends what [`hold`] noted, if a branch was left as it is: it may be changed again. Its label is taken off at a time, if
/// nothing has it held once more until then.
pub(super) async fn release(
    tx: &mut Tx,
    row: &RepositoryRow,
    (proposal, number): (&ProposalId, PullNumber),
    label_off: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let repo = row.repository.id;
    let known = tx.pull_branch(repo, number).await?;
    if known.held.is_none() {
        return Ok(());
    }
    tx.save_pull_branch((repo, number), &PullBranch { held: None, ..known }).await?;
    Step::Plan { repo }.queue(tx, installation(row), now).await?;
    let news = Step::Tell { repo, proposal: proposal.clone(), news: News::Freed };
    news.queue_at(tx, installation(row), label_off, now).await
}

/// The dependencies of a repository that may be moved.
pub(super) async fn used(store: &Store, repo: RepoId) -> Result<Vec<Dependency>, StoreError> {
    let mut used: Vec<Dependency> = store.dependencies(repo).await?.into_iter().map(|row| row.dependency).collect();
    if let Some(developed) = store.developed(&[repo]).await?.get(&repo) {
        managers::leave_developed_alone(used.iter_mut(), developed);
    }
    Ok(used)
}

/// The files of a branch as they are there, by the managers that read them. The error says which is not to be had.
pub(super) async fn read(
    forge: &GitHub,
    target: &Target,
    head: &Head,
    files: &BTreeSet<(RepoPath, String)>,
) -> Result<Result<Vec<ManifestRow>, String>, StepError> {
    let tree = forge.tree(target, &head.tree).await?;
    let mut read = Vec::new();
    let mut texts: BTreeMap<&RepoPath, (ObjectId, FileMode, String)> = BTreeMap::new();
    for (path, manager) in files {
        if !texts.contains_key(path) {
            let found = tree.iter().find(|entry| entry.path == path.as_str() && entry.kind == EntryKind::Blob);
            let Some((entry, mode)) = found.and_then(|entry| Some((entry, FileMode::from_git(&entry.mode)?))) else {
                return Ok(Err(format!("{path} is no file on its branch any more")));
            };
            let bytes = match forge.blob(target, &entry.id, LARGEST_MANIFEST_BYTES as u64).await {
                Ok(bytes) => bytes,
                Err(ForgeError::TooLarge { .. }) => return Ok(Err(format!("{path} is too large on its branch"))),
                Err(error) => return Err(error.into()),
            };
            let Ok(text) = String::from_utf8(bytes) else {
                return Ok(Err(format!("{path} is not UTF-8 text on its branch")));
            };
            texts.insert(path, (entry.id.clone(), mode, text));
        }
        if let Some((blob, mode, text)) = texts.get(path) {
            let manifest = Manifest {
                path: path.clone(),
                manager: manager.clone(),
                blob: blob.clone(),
                mode: *mode,
                text: text.clone(),
                problem: None,
                includes: Vec::new(),
            };
            read.push(ManifestRow { manifest, updated_at: Timestamp::UNIX_EPOCH });
        }
    }
    Ok(Ok(read))
}

/// The files that updates touch, with their managers.
pub(super) fn files_of(updates: &[Update]) -> BTreeSet<(RepoPath, String)> {
    updates.iter().flat_map(|update| &update.sites).map(|site| (site.path.clone(), site.manager.clone())).collect()
}

/// Updates with their sites as they stand on a branch that people have committed to, those left out that are made there
/// already. `before` is what its pull request holds, and `used` are the dependencies of the base. The error says what stands in
/// the way. Pure.
pub(super) fn found_again(
    updates: &[Update],
    before: &[Update],
    manifests: &[ManifestRow],
    used: &[Dependency],
) -> Result<Vec<Update>, String> {
    // What the base has as well need not be taken back.
    let is_left_out = |old: &&Update| {
        !updates.iter().any(|new| new.package == old.package) && used.iter().any(|one| planner::moves(old, one))
    };
    if let Some(old) = before.iter().find(is_left_out) {
        return Err(format!("{} would have to be taken back on it", display_name(&old.package)));
    }
    let mut found = Vec::new();
    for update in updates {
        let mut sites: Vec<Site> = Vec::new();
        for (path, manager_name) in files_of(std::slice::from_ref(update)) {
            let row = manifests.iter().find(|m| m.manifest.path == path && m.manifest.manager == manager_name);
            let (Some(row), Some(manager)) = (row, managers::by_name(&manager_name)) else {
                return Err(format!("{path} is not among the files that were read"));
            };
            let dependencies = manager.extract(&path, &row.manifest.text).dependencies;
            let expected = expected_versions(update, before, (&path, &manager_name));
            let pinned = expected_digests(update, before, (&path, &manager_name));
            let is_for_pythons_of = |d: &Dependency| {
                let mut sites = update.sites.iter().filter(|site| site.path == path && site.manager == manager_name);
                sites.any(|site| site.python.is_none() || site.python == d.python)
            };
            let mine: Vec<&Dependency> = dependencies
                .iter()
                .filter(|d| d.skip.is_none() && d.package == update.package && is_for_pythons_of(d))
                .filter(|d| d.current.as_deref().is_some_and(|current| expected.contains(current)))
                .filter(|d| update.refresh.is_none() || d.digest.as_deref().is_some_and(|one| pinned.contains(one)))
                .collect();
            if mine.is_empty() {
                let name = display_name(&update.package);
                return Err(format!("{path} has none of the versions of {name} there that were proposed to be moved"));
            }
            let is_open = |d: &&Dependency| match &update.refresh {
                None => d.current.as_deref() != Some(&update.to),
                refresh => d.digest != *refresh,
            };
            let open = mine.into_iter().filter(is_open);
            sites.extend(open.map(Site::of));
        }
        sites.sort();
        sites.dedup();
        if !sites.is_empty() {
            found.push(Update { sites, ..update.clone() });
        }
    }
    Ok(found)
}

/// The versions that one file of a branch may have of an update's package: where it moves from, where the pull request moved
/// it before, and where it is to go.
fn expected_versions<'a>(
    update: &'a Update,
    before: &'a [Update],
    (path, manager): (&RepoPath, &str),
) -> BTreeSet<&'a str> {
    let here = |site: &Site| site.path == *path && site.manager == manager;
    let mut versions = BTreeSet::from([update.to.as_str()]);
    for site in update.sites.iter().filter(|site| here(site)) {
        versions.insert(&site.from);
        if update.refresh.is_some() {
            // It leaves the version as it is: one that was moved on cannot be taken back by it.
            continue;
        }
        let is_same = |old: &Site| {
            here(old) && old.from == site.from && old.constraint == site.constraint && old.python == site.python
        };
        let old = before.iter().filter(|old| old.package == update.package);
        versions.extend(old.filter(|old| old.sites.iter().any(is_same)).map(|old| old.to.as_str()));
    }
    versions
}

/// The same for what a refresh moves: the digests and commits that one file of a branch may have pinned.
fn expected_digests<'a>(
    update: &'a Update,
    before: &'a [Update],
    (path, manager): (&RepoPath, &str),
) -> BTreeSet<&'a str> {
    let sites = update.sites.iter().filter(|site| site.path == *path && site.manager == manager);
    let old = before.iter().filter(|old| old.package == update.package && old.to == update.to);
    sites
        .filter_map(|site| site.digest.as_deref())
        .chain(old.chain([update]).filter_map(|update| update.refresh.as_deref()))
        .collect()
}

/// The words for a branch that cannot be changed on top of people's commits.
pub(super) fn people_first(number: PullNumber, why: &str) -> String {
    format!("people's commits on #{number} come first: {why}")
}
