//! SQLite is for one server: a second one on the same file is turned away.
//!
//! Readers and short writes of the command line beside the server do no harm. Two servers would: each would wait for the
//! other's every write, and none would know of the other's rate limits.

use super::StoreError;
use super::connect::{refuse_odd_place, sqlite_file};
use super::error::of_file;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek as _, Write as _};

/// Holds a SQLite file for this process, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Alone {
    _lock: File,
}

impl Alone {
    /// Whether a URL names a database that is for one server.
    ///
    /// Errors: [`StoreError::Address`] for a URL that names none.
    pub fn is_needed(url: &str) -> Result<bool, StoreError> {
        Ok(sqlite_file(url)?.is_some())
    }

    /// Takes the file that a URL names for this process, by a lock on a file beside it (`NAME.lock`). `None` for
    /// Postgres, which any number of servers may share.
    ///
    /// Call it before the database is opened: whoever is turned away has not touched it.
    ///
    /// Errors: [`StoreError::InUse`] when another process has it, [`StoreError::Address`] when there can be no lock,
    /// [`StoreError::Unavailable`] when there can be none just now.
    pub fn on(url: &str) -> Result<Option<Self>, StoreError> {
        let Some(database) = sqlite_file(url)? else { return Ok(None) };
        refuse_odd_place(&database)?;
        // The same file may be reached by several names.
        let database = database.canonicalize().unwrap_or(database);
        let mut path = database.clone().into_os_string();
        path.push(".lock");
        let cannot = |error: std::io::Error| of_file(format!("the lock {} cannot be made", path.display()), &error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut lock = options.open(&path).map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = Read::by_ref(&mut lock).take(32).read_to_string(&mut holder);
                let holder = holder.trim().parse().map(|id: u32| format!(" (process {id})")).unwrap_or_default();
                return Err(StoreError::InUse {
                    why: format!(
                        "another mass-driver{holder} serves from the SQLite file {}. Stop that one, give this one a \
                         file of its own, or use Postgres, which several may share",
                        database.display()
                    ),
                });
            }
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        // Only for the message above: that it cannot be written is no reason not to start.
        let _ = lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| write!(lock, "{}", std::process::id()));
        Ok(Some(Self { _lock: lock }))
    }
}
