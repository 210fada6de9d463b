//! Where clones are kept: a folder for each address, held by one task of one process at a time.
//!
//! Whoever finds the folder of an address held by another takes the next one of that address, so nobody waits for anybody and
//! nobody's clone changes under their hands. What a killed process leaves is taken over.

use super::GitError;
use crate::bulk::address::Address;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// As many tasks may hold clones of one address at a time. Beyond that something is wrong.
const MOST_SLOTS: usize = 1000;

/// A folder that is ours alone for as long as this lives.
#[derive(Debug)]
pub(super) struct Slot {
    folder: PathBuf,
    _held: File,
}

impl Slot {
    /// Takes a folder for an address. It may hold what somebody left there.
    pub(super) fn take(cache: &Path, address: &Address) -> Result<Self, GitError> {
        let failed = |error: &std::io::Error| GitError::disk(&format!("taking a place in {}", cache.display()), error);
        let cache = make_folder(cache)?;
        let stem = stem(address);
        for slot in 1..=MOST_SLOTS {
            let name = format!("{stem}.{slot}");
            let held = File::options().create(true).append(true).open(cache.join(format!("{name}.lock")));
            let held = held.map_err(|error| failed(&error))?;
            match held.try_lock() {
                Ok(()) => return Ok(Self { folder: cache.join(name), _held: held }),
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
        let held = File::options().create(true).append(true).open(cache.join(format!("{name}.lock")));
        let held = held.map_err(|error| failed(&error))?;
        match held.try_lock() {
            Ok(()) => Ok(Some(Self { folder: folder.to_owned(), _held: held })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
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

/// What the folders of an address are called, but for the number at the end.
fn stem(address: &Address) -> String {
    let address_hash = hex::encode(&Sha256::digest(address.to_string())[..10]);
    format!("{}-{address_hash}", address.slug())
}

/// Makes a folder that only its owner reads: repositories may be private. Gives its absolute path.
pub(super) fn make_folder(folder: &Path) -> Result<PathBuf, GitError> {
    let failed = |error: &std::io::Error| GitError::disk(&format!("making the folder {}", folder.display()), error);
    let whole = std::path::absolute(folder).map_err(|error| failed(&error))?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&whole).map_err(|error| failed(&error))?;
    Ok(whole)
}
