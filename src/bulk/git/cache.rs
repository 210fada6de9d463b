//! Where clones are kept: a folder for each address, held by one task of one process at a time.
//!
//! Whoever finds the folder of an address held by another takes the next one of that address, so nobody waits for anybody and
//! nobody's clone changes under their hands. What a killed process leaves is taken over, without the locks of the git that
//! was ended with it.

use super::GitError;
use crate::bulk::address::Address;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// As many tasks may hold clones of one address at a time. Beyond that something is wrong.
const MOST_SLOTS: usize = 1000;
/// So much of an address's hash tells its folders from those of others.
const HASH_BYTES: usize = 10;
/// So many names of a clone are looked at for locks. A clone has one branch and those that runs made.
const MOST_REFS: usize = 100_000;

/// A folder that is ours alone for as long as this lives.
#[derive(Debug)]
pub(super) struct Slot {
    folder: PathBuf,
    held: File,
}

impl Slot {
    /// Takes a folder for an address. It may hold what somebody left there.
    pub(super) fn take(cache: &Path, address: &Address) -> Result<Self, GitError> {
        let failed = |error: &std::io::Error| GitError::disk(&format!("taking a place in {}", cache.display()), error);
        let cache = make_folder(cache)?;
        let stem = stem(address);
        for slot in 1..=MOST_SLOTS {
            let name = format!("{stem}.{slot}");
            let held = File::options().create(true).read(true).append(true).open(cache.join(format!("{name}.lock")));
            let held = held.map_err(|error| failed(&error))?;
            match held.try_lock() {
                Ok(()) => return Ok(Self::taken(cache.join(name), held)),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
            }
        }
        Err(failed(&std::io::Error::other("too many clones of one address are in use")))
    }

    /// Takes the folder that somebody held before, for the same address. `None` where it is gone or held.
    pub(super) fn again(cache: &Path, address: &Address, folder: &Path) -> Result<Option<Self>, GitError> {
        let failed = |error: &std::io::Error| GitError::disk(&format!("going on in {}", folder.display()), error);
        let ours = folder.file_name().and_then(|name| name.to_str());
        let ours = ours.filter(|name| name.rsplit_once('.').is_some_and(|(name, _)| name == stem(address)));
        let Some(name) = ours else { return Ok(None) };
        let cache = make_folder(cache)?;
        if folder != cache.join(name) || !folder.is_dir() {
            return Ok(None);
        }
        let held = File::options().create(true).read(true).append(true).open(cache.join(format!("{name}.lock")));
        let held = held.map_err(|error| failed(&error))?;
        match held.try_lock() {
            Ok(()) => Ok(Some(Self::taken(folder.to_owned(), held))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    /// A folder that nobody else works in from now on: whose locks are in it was ended in the middle of its work. A git of a
    /// process that was killed holds the place for as long as it lives, but for those that read what to do from a pipe: they
    /// come to their end by themselves.
    fn taken(folder: PathBuf, held: File) -> Self {
        // It is used, as of now: what is cut, even to what it is, was changed. Where that cannot be, it is removed too early
        // some day, and cloned anew.
        let _ = held.set_len(0);
        remove_locks(&folder);
        Self { folder, held }
    }

    /// Sees to it that nobody takes the clone for a whole one any more; the next one to take this place clones anew.
    pub(super) fn condemn(&self) {
        condemn(&self.folder);
    }

    /// The lock, for a process that works here: it lasts until the last of those who have it is gone.
    pub(super) fn lent(&self) -> std::io::Result<File> {
        self.held.try_clone()
    }

    /// The clone's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the clone.
    pub(super) fn clear(&self) -> Result<(), GitError> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(GitError::disk(&format!("removing {}", self.folder.display()), &error))
            }
            _ => Ok(()),
        }
    }
}

fn condemn(clone: &Path) {
    // Where even this cannot be done, the next run comes to the same end as this one.
    let _ = fs::remove_file(clone.join("HEAD"));
}

/// Removes a clone as far as it can be removed. What is left of it is no clone.
pub(super) fn remove(clone: &Path) {
    condemn(clone);
    let _ = fs::remove_dir_all(clone);
}

/// Removes the locks that git leaves where it is killed: of `HEAD`, `index`, `shallow`, `config`, `packed-refs` and of each
/// ref. git itself never does, and refuses to work for as long as one is there. No ref has such a name.
fn remove_locks(clone: &Path) {
    let mut folders = vec![clone.to_owned()];
    let mut left = MOST_REFS;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            left -= 1;
            if left == 0 {
                return;
            }
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && (folder != clone || entry.file_name() == "refs") {
                folders.push(entry.path());
            } else if kind.is_file() && entry.path().extension().is_some_and(|extension| extension == "lock") {
                // What cannot be removed git will name.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// What the folders of an address are called, but for the number at the end.
fn stem(address: &Address) -> String {
    let address_hash = hex::encode(&Sha256::digest(address.to_string())[..HASH_BYTES]);
    format!("{}-{address_hash}", address.slug())
}

/// Whether a folder of that name is one of ours: others may lie beside them.
pub(super) fn is_slot(name: &str) -> bool {
    let Some((stem, slot)) = name.rsplit_once('.') else { return false };
    let hash = stem.rsplit_once('-').map(|(_, hash)| hash);
    slot.parse().is_ok_and(|slot: usize| slot <= MOST_SLOTS)
        && hash.is_some_and(|hash| hash.len() == 2 * HASH_BYTES && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Makes a folder that only its owner reads: repositories may be private. Gives its absolute path.
pub(in crate::bulk) fn make_folder(folder: &Path) -> Result<PathBuf, GitError> {
    let failed = |error: &std::io::Error| GitError::disk(&format!("making the folder {}", folder.display()), error);
    let whole = std::path::absolute(folder).map_err(|error| failed(&error))?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&whole).map_err(|error| failed(&error))?;
    Ok(whole)
}
