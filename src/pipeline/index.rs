//! Reads the manifests that changed since the last look, and only those: one request for the tree, one for each new blob.

use super::{Done, Step, StepError, sync, target};
use crate::domain::{Dependency, FileMode, ObjectId, RepoId, RepoPath};
use crate::forge::{EntryKind, ForgeError, GitHub, Target, TreeEntry};
use crate::managers::{self, Extraction, Manager};
use crate::store::{Manifest, ManifestRow, Store};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A larger manifest is listed with its problem instead of being read. Unit: bytes.
pub const MANIFEST_MAX_BYTES: u64 = 1024 * 1024;
/// How often the head is read again when its tree is not there.
const TRIES_MAX: u32 = 5;
/// How long to wait for the repository to be read again.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// More manifests than this are not read from one repository.
const MANIFESTS_MAX: usize = 2_000;

/// Brings the index of a repository in line with its head. `attempts` counts this one.
pub async fn index(
    store: &Store,
    forge: &GitHub,
    repo: RepoId,
    attempts: u32,
    now: Timestamp,
) -> Result<Done, StepError> {
    let Some(row) = store.repository(repo).await? else { return Ok(Done::Finished(store.begin().await?)) };
    let installation = Some(row.repository.installation);
    let Some(head) = row.head.as_ref().filter(|_| row.config.file.is_some()) else {
        return Ok(Done::Finished(store.begin().await?));
    };
    let stored = store.manifests(repo).await?;
    let target = target(&row);
    let tree = match forge.tree(&target, &head.tree).await {
        Ok(tree) => tree,
        // The head was rewritten and its tree is gone, or the repository is: sync finds out which. This step stays in the
        // queue meanwhile, so that an answer which stays the same is not asked for again and again without a pause.
        Err(error @ (ForgeError::Gone { .. } | ForgeError::StaleBase { .. } | ForgeError::Empty { .. })) => {
            if attempts >= TRIES_MAX {
                return Err(error.into());
            }
            let mut tx = store.begin().await?;
            Step::SyncRepository { repo, details: true, name: None }.queue(&mut tx, installation, now).await?;
            return Ok(Done::PutBack { tx, until: now + PAUSE, why: error.to_string() });
        }
        Err(error) => return Err(error.into()),
    };
    let read = read_manifests(forge, &target, &tree, &stored).await?;

    let subscribed: BTreeSet<_> = sync::file_in_force(&row.config)?
        .map(|file| file.subscriptions.iter().filter_map(|s| s.migration.ecosystem()).collect())
        .unwrap_or_default();
    let mut tx = store.begin().await?;
    for old in &stored {
        if !read.contains_key(&(old.manifest.path.clone(), old.manifest.manager.clone())) {
            tx.remove_manifest(repo, &old.manifest.path, &old.manifest.manager).await?;
        }
    }
    for manifest in read.values() {
        if let Some(dependencies) = &manifest.news {
            tx.save_manifest(repo, &manifest.manifest, now).await?;
            tx.replace_dependencies(repo, &manifest.manifest.path, &manifest.manifest.manager, dependencies, now)
                .await?;
            let packages: BTreeSet<_> = dependencies.iter().filter(|d| d.skip.is_none()).map(|d| &d.package).collect();
            for package in packages {
                tx.ensure_package(package, now).await?;
                if subscribed.contains(&package.ecosystem) {
                    Step::Watch { package: package.clone() }.queue(&mut tx, None, now).await?;
                }
            }
        }
    }
    tx.set_indexed(repo, &head.commit, now).await?;
    Step::Plan { repo }.queue(&mut tx, installation, now).await?;
    Ok(Done::Finished(tx))
}

/// A manifest as it is now.
struct Read {
    manifest: Manifest,
    /// Its dependencies, if it is not the one that was read last time.
    news: Option<Vec<Dependency>>,
}

type Key = (RepoPath, String);

/// Reads every file that a manager claims, and what those files include.
async fn read_manifests(
    forge: &GitHub,
    target: &Target,
    tree: &[TreeEntry],
    stored: &[ManifestRow],
) -> Result<BTreeMap<Key, Read>, ForgeError> {
    // Symbolic links and submodules have modes of their own and are left alone, as are names that are no safe paths.
    let files: BTreeMap<RepoPath, (&TreeEntry, FileMode)> = tree
        .iter()
        .filter(|entry| entry.kind == EntryKind::Blob)
        .filter_map(|entry| Some((RepoPath::parse(&entry.path).ok()?, (entry, FileMode::from_git(&entry.mode)?))))
        .collect();
    let mut todo: VecDeque<(RepoPath, &'static dyn Manager)> =
        files.keys().flat_map(|path| managers::managers_for(path).map(|m| (path.clone(), m))).collect();
    let mut read: BTreeMap<Key, Read> = BTreeMap::new();
    while let Some((path, manager)) = todo.pop_front() {
        let key = (path.clone(), manager.name().to_string());
        let Some((entry, mode)) = files.get(&path) else { continue };
        if read.contains_key(&key) || read.len() >= MANIFESTS_MAX {
            continue;
        }
        let same = stored.iter().find(|old| {
            old.manifest.path == path
                && old.manifest.manager == manager.name()
                && old.manifest.blob == entry.id
                && old.manifest.mode == *mode
        });
        let found = match same {
            Some(old) => Read { manifest: old.manifest.clone(), news: None },
            None => {
                let text = read_text(forge, target, entry).await?;
                extracted(&path, manager, &entry.id, *mode, text)
            }
        };
        todo.extend(found.manifest.includes.iter().map(|include| (include.clone(), manager)));
        read.insert(key, found);
    }
    Ok(read)
}

/// The text of a blob, or why it has none.
async fn read_text(forge: &GitHub, target: &Target, entry: &TreeEntry) -> Result<Result<String, String>, ForgeError> {
    let too_large = || Err(format!("the file is larger than {MANIFEST_MAX_BYTES} bytes and was not read"));
    if entry.size.is_some_and(|size| size > MANIFEST_MAX_BYTES) {
        return Ok(too_large());
    }
    let bytes = match forge.blob(target, &entry.id, MANIFEST_MAX_BYTES).await {
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
    let (text, extraction) = match text {
        Ok(text) => {
            let extraction = manager.extract(path, &text);
            (text, extraction)
        }
        Err(problem) => (String::new(), Extraction { problem: Some(problem), ..Extraction::default() }),
    };
    let manifest = Manifest {
        path: path.clone(),
        manager: manager.name().to_string(),
        blob: blob.clone(),
        mode,
        text,
        problem: extraction.problem,
        includes: extraction.includes,
    };
    Read { manifest, news: Some(extraction.dependencies) }
}
