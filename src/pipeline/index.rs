//! Reads the manifests that changed since the last look, and only those: one request for the tree, one for each new blob.

mod owners;

use super::watch::UNWANTED_PAUSE;
use super::{Done, Step, StepError, target};
use crate::domain::{
    Dependency, FileMode, ObjectId, PackageId, Proposal, ProposalId, ProposalState, RepoId, RepoPath, Rework,
};
use crate::forge::{EntryKind, ForgeError, GitHub, Target, TreeEntry};
use crate::managers::{self, Extraction, LARGEST_MANIFEST_BYTES, Manager};
use crate::store::{Manifest, ManifestHead, Store};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How often the head is read again when its tree is not there.
const TRIES_MAX: u32 = 5;
/// How long to wait for the repository to be read again.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// A repository's share of what all repositories have to share: the memory of this step, and the time for which its one
/// transaction keeps other writers waiting.
pub(super) const SHARE: Share = Share { manifests: 300, bytes: 32 * 1024 * 1024, dependencies: 10_000 };
/// The share of what is not to be stored, and asked for by somebody who may not write to the repository.
pub(super) const SMALL_SHARE: Share = Share { manifests: 20, bytes: 2 * 1024 * 1024, dependencies: 1_000 };
/// So many of the files beyond the share are listed with their problem, beside those that are stored already.
const LEFT_OUT_LISTED_MAX: usize = 100;
/// How the problem of a file beyond the share begins. Such a file is looked at anew each time: others may have gone.
const LEFT_OUT: &str = "it was left out: ";
/// So many lock files of a repository are known.
const LOCK_FILES_MAX: usize = 1_000;

/// Brings the index of a repository in line with its head. `refusals` counts the attempts before this one that got no further.
pub async fn index(
    store: &Store,
    forge: &GitHub,
    repo: RepoId,
    refusals: u32,
    now: Timestamp,
) -> Result<Done, StepError> {
    let Some(row) = store.repository(repo).await? else { return Ok(Done::Finished(store.begin().await?)) };
    let installation = Some(row.repository.installation);
    let Some(head) = row.head.as_ref().filter(|_| row.config.file.is_some()) else {
        return Ok(Done::Finished(store.begin().await?));
    };
    let stored = store.manifest_heads(repo).await?;
    let stored_lock_files = store.lock_files(repo).await?;
    let target = target(&row);
    let tree = match forge.tree(&target, &head.tree).await {
        Ok(tree) => tree,
        // The head was rewritten and its tree is gone, or the repository is: sync finds out which. This step stays in the
        // queue meanwhile, so that an answer which stays the same is not asked for again and again without a pause.
        Err(error @ (ForgeError::Gone { .. } | ForgeError::StaleBase { .. } | ForgeError::Empty { .. })) => {
            if refusals + 1 >= TRIES_MAX {
                return Err(error.into());
            }
            let mut tx = store.begin().await?;
            Step::SyncRepository { repo, details: true, name: None }.queue(&mut tx, installation, now).await?;
            return Ok(Done::PutBack { tx, until: now + PAUSE, why: error.to_string() });
        }
        Err(error) => return Err(error.into()),
    };
    let index = read_manifests(forge, &target, &tree, &stored, SHARE).await?;
    let asks_owners = super::sync::file_in_force(&row.config)?.is_some_and(|file| file.asks_code_owners());
    let owners = owners::read(store, forge, &target, &tree, asks_owners).await?;
    if index.left_out > 0 {
        tracing::warn!(
            repository = %row.repository.name,
            read = index.manifests.len() - index.listed,
            left_out = index.left_out,
            "a repository has more manifests than its share; the deepest were left out"
        );
    }

    let touched = touched(&store.proposals(repo).await?, &stored, &index);

    let mut tx = store.begin().await?;
    for old in &stored {
        if !index.manifests.contains_key(&(old.path.clone(), old.manager.clone())) {
            tx.remove_manifest(repo, &old.path, &old.manager).await?;
        }
    }
    let mut packages: BTreeSet<&PackageId> = BTreeSet::new();
    for Read { manifest, dependencies, develops } in index.manifests.values().flatten() {
        tx.save_manifest(repo, manifest, now).await?;
        tx.set_developed(repo, &manifest.path, &manifest.manager, develops.as_ref()).await?;
        tx.replace_dependencies(repo, &manifest.path, &manifest.manager, dependencies, now).await?;
        packages.extend(dependencies.iter().filter(|d| d.skip.is_none()).map(|d| &d.package));
    }
    // A package that is new is due at once; who looks for due packages queues its look, a few hundred at a time.
    tx.ensure_packages(packages, now).await?;
    // One that was known may have been put off because nobody used it.
    tx.wake_new_packages(repo, now - UNWANTED_PAUSE, now).await?;
    tx.replace_lock_files(repo, &stored_lock_files, &lock_files(&tree)).await?;
    if let Some(owners) = owners {
        tx.set_code_owners(repo, owners.as_ref()).await?;
    }
    tx.set_indexed(repo, &head.commit, now).await?;
    Step::Plan { repo }.queue(&mut tx, installation, now).await?;
    for proposal in touched {
        let step = Step::Rework { repo, proposal, how: Rework::Conflict };
        step.queue_unless_queued(&mut tx, installation, now).await?;
    }
    Ok(Done::Finished(tx))
}

/// The open proposals that change a file which is not what it was: whether they still can be merged is to be asked. Pure.
fn touched(proposals: &[Proposal], stored: &[ManifestHead], index: &Index) -> Vec<ProposalId> {
    let key = |old: &ManifestHead| (old.path.clone(), old.manager.clone());
    let removed = stored.iter().filter(|old| !index.manifests.contains_key(&key(old))).map(|old| &old.path);
    let changed = index.manifests.iter().filter(|(_, read)| read.is_some()).map(|((path, _), _)| path);
    let paths: BTreeSet<&RepoPath> = removed.chain(changed).collect();
    let is_touched = |p: &&Proposal| {
        let mut sites = p.updates.iter().flat_map(|update| &update.sites);
        p.state == ProposalState::Open && p.pull.is_some() && sites.any(|site| paths.contains(&site.path))
    };
    proposals.iter().filter(is_touched).map(|p| p.id.clone()).collect()
}

/// The dependencies of a commit that is not to be stored, and how many of its manifests were not read.
pub(super) async fn dependencies_at(
    forge: &GitHub,
    target: &Target,
    commit: &ObjectId,
    share: Share,
) -> Result<(Vec<Dependency>, usize), ForgeError> {
    let tree = forge.tree(target, commit).await?;
    let index = read_manifests(forge, target, &tree, &[], share).await?;
    let read = || index.manifests.values().flatten();
    let unread = read().filter(|read| read.manifest.problem.is_some()).count();
    let beyond = index.left_out - index.listed;
    let developed: BTreeSet<PackageId> = read().filter_map(|read| read.develops.clone()).collect();
    let mut dependencies: Vec<Dependency> = read().flat_map(|read| read.dependencies.iter().cloned()).collect();
    managers::leave_developed_alone(dependencies.iter_mut(), &developed);
    Ok((dependencies, unread + beyond))
}

/// How much of a repository is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// Files.
    manifests: usize,
    /// All their bytes.
    bytes: u64,
    /// All their dependencies.
    dependencies: usize,
}

impl Share {
    /// Takes what one file needs away; or says which part of the share does not suffice for it, and takes nothing.
    fn take(&mut self, bytes: u64, dependencies: usize) -> Result<(), String> {
        let left =
            (self.manifests.checked_sub(1), self.bytes.checked_sub(bytes), self.dependencies.checked_sub(dependencies));
        match left {
            (Some(manifests), Some(bytes), Some(dependencies)) => {
                *self = Self { manifests, bytes, dependencies };
                Ok(())
            }
            (None, _, _) => Err(format!("{} manifests are read of one repository at most", SHARE.manifests)),
            (_, None, _) => Err(format!("{} bytes are read of one repository at most", SHARE.bytes)),
            (_, _, None) => Err(format!("{} dependencies are read of one repository at most", SHARE.dependencies)),
        }
    }
}

/// A manifest that is not the one that was read last time.
struct Read {
    manifest: Manifest,
    dependencies: Vec<Dependency>,
    develops: Option<PackageId>,
}

type Key = (RepoPath, String);

/// The manifests of a repository as they are now.
#[derive(Default)]
struct Index {
    /// By path and manager; `None` for one that is stored as it is.
    manifests: BTreeMap<Key, Option<Read>>,
    /// How many files were beyond the share, listed or not …
    left_out: usize,
    /// … and how many of them are listed.
    listed: usize,
}

/// Reads every file that a manager claims, and what those files include: the shallow ones first, as far as the share goes.
async fn read_manifests(
    forge: &GitHub,
    target: &Target,
    tree: &[TreeEntry],
    stored: &[ManifestHead],
    mut share: Share,
) -> Result<Index, ForgeError> {
    // Symbolic links and submodules have modes of their own and are left alone, as are names that are no safe paths.
    let files: BTreeMap<RepoPath, (&TreeEntry, FileMode)> = tree
        .iter()
        .filter(|entry| entry.kind == EntryKind::Blob)
        .filter_map(|entry| Some((RepoPath::parse(&entry.path).ok()?, (entry, FileMode::from_git(&entry.mode)?))))
        .collect();
    let stored: BTreeMap<(&RepoPath, &str), &ManifestHead> =
        stored.iter().map(|head| ((&head.path, head.manager.as_str()), head)).collect();
    let mut claimed: Vec<&RepoPath> = files.keys().filter(|path| managers::may_be_manifest(path)).collect();
    claimed.sort_by_key(|path| (path.as_str().split('/').count(), *path));
    let mut todo: VecDeque<(RepoPath, &'static dyn Manager)> =
        claimed.into_iter().flat_map(|path| managers::managers_for(path).map(|m| (path.clone(), m))).collect();
    let mut seen: BTreeSet<(RepoPath, &'static str)> = todo.iter().map(|(path, m)| (path.clone(), m.name())).collect();
    let mut used_up: Option<String> = None;
    let mut index = Index::default();
    while let Some((path, manager)) = todo.pop_front() {
        let Some((entry, mode)) = files.get(&path) else { continue };
        let same = stored.get(&(&path, manager.name())).filter(|old| old.blob == entry.id && old.mode == *mode);
        let was_left_out = same.and_then(|old| old.problem.as_deref()).filter(|why| why.starts_with(LEFT_OUT));
        let key = (path.clone(), manager.name().to_string());
        // A size that is not told is taken for the largest. What is too large takes no part of the share: it is not read.
        let bytes = Some(entry.size.unwrap_or(LARGEST_MANIFEST_BYTES as u64)).filter(|size| !is_too_large(*size));
        let mut found = None;
        let mut includes = Vec::new();
        if used_up.is_none() {
            let dependencies = match same.filter(|_| was_left_out.is_none()) {
                Some(old) => {
                    includes.clone_from(&old.includes);
                    old.dependencies
                }
                // Without the bytes for it, it is not worth reading.
                None if share.clone().take(bytes.unwrap_or(0), 0).is_err() => 0,
                None => {
                    let text = read_text(forge, target, entry).await?;
                    let read = found.insert(extracted(&path, manager, &entry.id, *mode, text));
                    includes.clone_from(&read.manifest.includes);
                    read.dependencies.len()
                }
            };
            used_up = share.take(bytes.unwrap_or(0), dependencies).err();
        }
        if let Some(why) = &used_up {
            index.left_out += 1;
            // What is stored stays listed: a file that is there and of which nothing is said looks like one that is gone.
            if index.left_out > LEFT_OUT_LISTED_MAX && !stored.contains_key(&(&path, manager.name())) {
                continue;
            }
            index.listed += 1;
            let problem = format!("{LEFT_OUT}{why}");
            found = (was_left_out != Some(problem.as_str())).then(|| unread(&path, manager, &entry.id, *mode, problem));
        } else {
            // Each file once: a hundred files may include the same thousand.
            let new = managers::included(manager, &includes)
                .filter(|(path, m)| files.contains_key(path) && seen.insert((path.clone(), m.name())));
            todo.extend(new);
        }
        index.manifests.insert(key, found);
    }
    let Some(why) = used_up else { return Ok(index) };
    // Those that a file beyond the share may still include.
    for (&(path, name), old) in &stored {
        let key = (path.clone(), name.to_string());
        let (Some((entry, mode)), Some(manager)) = (files.get(path), managers::by_name(name)) else { continue };
        if !index.manifests.contains_key(&key) {
            let problem = format!("{LEFT_OUT}{why}");
            let same = old.blob == entry.id && old.mode == *mode && old.problem.as_ref() == Some(&problem);
            let found = (!same).then(|| unread(path, manager, &entry.id, *mode, problem));
            index.left_out += 1;
            index.listed += 1;
            index.manifests.insert(key, found);
        }
    }
    Ok(index)
}

/// The lock files of a repository, the shallow ones first if there are too many. Pure.
fn lock_files(tree: &[TreeEntry]) -> BTreeSet<RepoPath> {
    let files = tree.iter().filter(|entry| entry.kind == EntryKind::Blob);
    let paths = files.filter_map(|entry| RepoPath::parse(&entry.path).ok());
    let mut paths: Vec<RepoPath> = paths.filter(managers::is_lock_file).collect();
    paths.sort_by_key(|path| path.as_str().split('/').count());
    paths.into_iter().take(LOCK_FILES_MAX).collect()
}

const fn is_too_large(bytes: u64) -> bool {
    bytes > LARGEST_MANIFEST_BYTES as u64
}

/// The text of a blob, or why it has none.
async fn read_text(forge: &GitHub, target: &Target, entry: &TreeEntry) -> Result<Result<String, String>, ForgeError> {
    let too_large = || Err(format!("the file is larger than {LARGEST_MANIFEST_BYTES} bytes and was not read"));
    if entry.size.is_some_and(is_too_large) {
        return Ok(too_large());
    }
    let bytes = match forge.blob(target, &entry.id, LARGEST_MANIFEST_BYTES as u64).await {
        Ok(bytes) => bytes,
        Err(ForgeError::TooLarge { .. }) => return Ok(too_large()),
        Err(error) => return Err(error),
    };
    Ok(match String::from_utf8(bytes) {
        // The store cannot keep NUL, and a text that has one is no manifest.
        Ok(text) if text.contains('\0') => Err("the file holds NUL characters, so it is not text".into()),
        Ok(text) => Ok(text),
        Err(_) => Err("the file is not UTF-8 text".into()),
    })
}

/// What a manager finds in a file. Pure.
fn extracted(
    path: &RepoPath,
    manager: &'static dyn Manager,
    blob: &ObjectId,
    mode: FileMode,
    text: Result<String, String>,
) -> Read {
    let text = match text {
        Ok(text) => text,
        Err(problem) => return unread(path, manager, blob, mode, problem),
    };
    let Extraction { dependencies, includes, develops, problem } = manager.extract(path, &text);
    let manager = manager.name().to_string();
    let manifest = Manifest { path: path.clone(), manager, blob: blob.clone(), mode, text, problem, includes };
    Read { manifest, dependencies, develops }
}

/// A file that is listed with the reason why it was not read. Pure.
fn unread(path: &RepoPath, manager: &'static dyn Manager, blob: &ObjectId, mode: FileMode, problem: String) -> Read {
    let manifest = Manifest {
        path: path.clone(),
        manager: manager.name().to_string(),
        blob: blob.clone(),
        mode,
        text: String::new(),
        problem: Some(problem),
        includes: Vec::new(),
    };
    Read { manifest, dependencies: Vec::new(), develops: None }
}
