//! What the user who runs a command may do with the SQLite file of a server, and what to do where that is not enough.
//!
//! A server keeps its file in WAL mode, in which even whoever only reads writes beside it: SQLite makes `NAME-wal` and
//! `NAME-shm` where they are not there. Where that is not allowed, a file that nobody has open can be read all the same.

use super::StoreError;
use super::error::{of_file, words};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What may be done with a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    /// It may be changed.
    Write,
    /// It may be read and not be changed: by this user, or by nobody on this disk.
    Read,
}

/// What this user may do with a database. Call it before SQLite has the file open in this process: closing it once more would end
/// the locks that SQLite holds on it.
///
/// Errors: [`StoreError::Address`] for what is not there, no file, or may not be read, [`StoreError::Unavailable`] for a fault that
/// may pass.
pub(super) fn rights(database: &Path) -> Result<Rights, StoreError> {
    let shown = database.display();
    match std::fs::metadata(database) {
        // Opening a pipe would wait for ever.
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(bad(format!("`{shown}` is not a file; name the server's, as in sqlite://mass-driver.db"))),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Err(unreadable(database)),
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(of_file(format!("the SQLite file {shown} cannot be opened"), &error));
        }
        Err(_) => {
            let what =
                format!("there is no database at `{shown}`; point DATABASE_URL or --database-url at the server's");
            return Err(bad(what));
        }
    }
    if OpenOptions::new().read(true).write(true).open(database).is_ok() {
        return Ok(Rights::Write);
    }
    match OpenOptions::new().read(true).open(database) {
        Ok(_) => Ok(Rights::Read),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(unreadable(database)),
        Err(error) => Err(of_file(format!("the SQLite file {shown} cannot be opened"), &error)),
    }
}

/// A database that nobody has open, as far as can be seen, and how it was found.
///
/// SQLite reads such a file without a lock, and promises nothing should it change meanwhile: so ask [`AtRest::refuse_change`]
/// after the last read.
#[derive(Clone, Debug)]
pub(super) struct AtRest {
    database: PathBuf,
    /// Unit: bytes.
    length: u64,
    changed: SystemTime,
}

impl AtRest {
    /// `None` for a database that somebody has open, or left in the middle of a write.
    pub(super) fn of(database: &Path) -> Option<Self> {
        // How the file is comes first: who begins to write afterwards is noticed at the end.
        let metadata = std::fs::metadata(database).ok()?;
        let found = Self { database: database.to_owned(), length: metadata.len(), changed: metadata.modified().ok()? };
        has_nothing_beside_it(database).then_some(found)
    }

    /// Errors: [`StoreError::InUse`] when the database may have been changed since it was found at rest.
    pub(super) fn refuse_change(&self) -> Result<(), StoreError> {
        match Self::of(&self.database) {
            Some(now) if (now.length, now.changed) == (self.length, self.changed) => Ok(()),
            _ => Err(StoreError::InUse {
                why: format!(
                    "what was read of the SQLite file {} may be wrong: the server was started meanwhile, or somebody else \
                     changed the file; run it again",
                    self.database.display()
                ),
            }),
        }
    }
}

/// Whoever has a database open keeps a log of writes beside it, and what stands in that is no part of the file yet; a journal holds
/// what has to be put back into the file. SQLite follows links to the file and puts both beside that.
fn has_nothing_beside_it(database: &Path) -> bool {
    let file = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    ["-wal", "-journal"].iter().all(|end| {
        let mut beside = file.clone().into_os_string();
        beside.push(end);
        std::fs::symlink_metadata(beside).is_err_and(|error| error.kind() == ErrorKind::NotFound)
    })
}

fn bad(why: String) -> StoreError {
    StoreError::Address { why }
}

fn unreadable(database: &Path) -> StoreError {
    let shown = database.display();
    bad(format!(
        "the SQLite file {shown} may not be read by the user who runs this: run it as the user of the server, or let this \
         user read the file and enter its folder"
    ))
}

/// A database in which rows are to be changed, by a user who may not.
pub(super) fn unwritable(database: &Path) -> StoreError {
    let shown = database.display();
    bad(format!(
        "the SQLite file {shown} may not be changed by the user who runs this: run it as the user of the server"
    ))
}

/// Whether SQLite was not let write, or not let open, what it wanted beside the file.
/// Source: SQLite, "Result and Error Codes": `SQLITE_READONLY`, `SQLITE_CANTOPEN` and what extends them.
pub(super) fn is_of_rights(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i64>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 8 | 14))
}

/// The refusal of SQLite to open a database, with what to do about it.
pub(super) fn cannot_be_opened(database: &Path, error: sqlx::Error) -> StoreError {
    let shown = database.display();
    if is_of_rights(&error) {
        return bad(format!(
            "the SQLite file {shown} cannot be opened by the user who runs this: {}. It lies in a folder in which this user may \
             not write, or what belongs to it there ({shown}-wal, {shown}-shm) is another user's. Run this as the user of the \
             server",
            words(&error)
        ));
    }
    match StoreError::from(error) {
        StoreError::Database(error) => bad(format!(
            "the SQLite file {shown} cannot be opened: {}; name another file if it is none of mass-driver's",
            words(&error)
        )),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::{AtRest, StoreError};
    use std::fs::{self, File};
    use std::time::SystemTime;

    #[test]
    fn what_was_read_without_a_lock_stands_only_if_nobody_wrote_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let [file, log, journal] = ["", "-wal", "-journal"].map(|end| folder.path().join(format!("x.db{end}")));
        fs::write(&file, "rows").unwrap();
        let found = AtRest::of(&file).unwrap();
        found.refuse_change().unwrap();

        let refused = || {
            let error = found.refuse_change().unwrap_err();
            assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
            assert!(error.to_string().contains("the server was started meanwhile"), "{error}");
        };
        // A server that works, and a write that was cut.
        for beside in [log, journal] {
            fs::write(&beside, "").unwrap();
            assert!(AtRest::of(&file).is_none());
            refused();
            fs::remove_file(beside).unwrap();
            found.refuse_change().unwrap();
        }
        // One that came and went.
        File::options().write(true).open(&file).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        refused();
        let found = AtRest::of(&file).unwrap();
        fs::remove_file(&file).unwrap();
        found.refuse_change().unwrap_err();
    }
}
