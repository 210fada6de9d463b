//! What the user who runs a command may do with the SQLite file of a server, and what to do where that is not enough.
//!
//! A server keeps its file in WAL mode, in which even whoever only reads writes beside it: SQLite makes `NAME-wal` and
//! `NAME-shm` where they are not there. Where that is not allowed, a file that nobody has open can be read all the same.

use super::StoreError;
use super::error::{of_file, words};
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

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

/// Whether nobody has a database open, as far as can be seen: whoever has keeps a log of writes beside it, and what stands in
/// that is no part of the file yet.
pub(super) fn is_at_rest(database: &Path) -> bool {
    std::fs::symlink_metadata(log_of(database)).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// The log of writes of a database. SQLite follows links to the file and puts the log beside that.
fn log_of(database: &Path) -> PathBuf {
    let mut log = database.canonicalize().unwrap_or_else(|_| database.to_owned()).into_os_string();
    log.push("-wal");
    log.into()
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
