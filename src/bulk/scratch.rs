//! Where the work trees of a run lie, and those of runs that were killed.
//!
//! A process that is killed removes nothing. So its folder has a file that it holds locked for as long as it lives, and the next
//! run removes the folders whose lock is free.

use super::cleaning::{clean, take_old};
use super::git::make_folder;
use jiff::Timestamp;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::{Builder, TempDir};

/// The file that is held.
const LOCK: &str = "mass-driver.lock";
/// How the folders begin.
const PREFIX: &str = "run-";
/// How those begin that lie where temporary files of the system lie, beside what others have there.
const TEMPORARY_PREFIX: &str = "mass-driver-run-";
/// Between making a folder and holding its lock, a process may be interrupted for as long.
const YOUNGEST: Duration = Duration::from_secs(60);

/// The folder of a process, gone when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _held: File,
}

impl Scratch {
    /// Makes one where temporary files of the system lie.
    ///
    /// Errors: what the system says.
    pub fn temporary() -> io::Result<Self> {
        Self::hold(private_folder(TEMPORARY_PREFIX)?)
    }

    /// Makes one below a folder, which is made as well where it is not there.
    ///
    /// Errors: what the system says.
    pub fn below(place: &Path) -> io::Result<Self> {
        let place = make_folder(place).map_err(io::Error::other)?;
        Self::hold(Builder::new().prefix(PREFIX).tempdir_in(place)?)
    }

    fn hold(folder: TempDir) -> io::Result<Self> {
        let held = File::create_new(folder.path().join(LOCK))?;
        held.lock()?;
        Ok(Self { folder: folder.keep(), _held: held })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Makes a folder for one piece of work in it.
    ///
    /// Errors: what the system says.
    pub fn workspace(&self) -> io::Result<TempWorkspace> {
        Ok(TempWorkspace { folder: Builder::new().prefix("work-").tempdir_in(&self.folder)?.keep() })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        clear(&self.folder);
    }
}

/// A folder for what somebody's program does once, gone when this is dropped, whatever the program has left in it. A
/// `TempDir` would stay where a folder in it is sealed.
#[derive(Debug)]
pub struct TempWorkspace {
    folder: PathBuf,
}

impl TempWorkspace {
    /// Makes one where temporary files of the system lie.
    ///
    /// Errors: what the system says.
    pub fn temporary() -> io::Result<Self> {
        Ok(Self { folder: private_folder("mass-driver-")?.keep() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Makes a folder in it.
    ///
    /// Errors: what the system says.
    pub fn make(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.folder.join(name);
        fs::create_dir(&folder)?;
        Ok(folder)
    }
}

impl Drop for TempWorkspace {
    fn drop(&mut self) {
        // What cannot be removed goes with the scratch folder, or stays: nothing depends on it.
        let _ = remove_all(&self.folder);
    }
}

/// Makes a folder where temporary files of the system lie, that only its owner reads: repositories may be private.
fn private_folder(prefix: &str) -> io::Result<TempDir> {
    let mut builder = Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

/// Removes what processes that are gone left below a folder, a bounded number of them. It blocks. What cannot be removed stays:
/// nothing depends on it.
pub fn remove_abandoned(place: &Path, now: Timestamp) {
    remove_those(place, PREFIX, now);
}

/// The same for what they left in the folder where temporary files of the system lie.
pub fn remove_abandoned_temporary(place: &Path, now: Timestamp) {
    remove_those(place, TEMPORARY_PREFIX, now);
}

fn remove_those(place: &Path, prefix: &str, now: Timestamp) {
    let Some(since) = SystemTime::from(now).checked_sub(YOUNGEST) else { return };
    clean(place, |entry| {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix)) && is_own_folder(entry);
        is_ours && remove_if_abandoned(&entry.path(), since)
    });
}

/// Whether it is a folder of whoever runs this: where temporary files lie, everybody may call theirs as they like.
fn is_own_folder(entry: &fs::DirEntry) -> bool {
    // Of a link it tells about the link.
    let Ok(found) = entry.metadata() else { return false };
    #[cfg(unix)]
    let is_own = std::os::unix::fs::MetadataExt::uid(&found) == rustix::process::geteuid().as_raw();
    #[cfg(not(unix))]
    let is_own = true;
    found.is_dir() && is_own
}

/// Removes one, if its process is gone. Without a lock it is none of ours, whatever it is called.
fn remove_if_abandoned(folder: &Path, since: SystemTime) -> bool {
    let Some(_held) = take_old(&folder.join(LOCK), since) else { return false };
    clear(folder);
    !folder.exists()
}

/// Removes a folder. The lock goes last: what is left where this is interrupted, or cannot be removed, is found again.
fn clear(folder: &Path) {
    let mut is_empty = true;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.file_name() != LOCK) {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_folder { remove_all(&entry.path()) } else { fs::remove_file(entry.path()) };
        is_empty &= removed.is_ok();
    }
    if is_empty {
        let _ = fs::remove_dir_all(folder);
    }
}

/// Removes a folder, also one in which a program has left folders that nobody may write into, as caches of modules are.
fn remove_all(folder: &Path) -> io::Result<()> {
    if fs::remove_dir_all(folder).is_ok() {
        return Ok(());
    }
    #[cfg(unix)]
    {
        let mut below = vec![folder.to_owned()];
        while let Some(folder) = below.pop() {
            let writable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            let _ = fs::set_permissions(&folder, writable);
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            // A link to a folder is none.
            below.extend(entries.filter(|one| one.file_type().is_ok_and(|kind| kind.is_dir())).map(|one| one.path()));
        }
    }
    fs::remove_dir_all(folder)
}
