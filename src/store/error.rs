//! What can go wrong in the store, by what the caller does about it.

use sqlx::migrate::MigrateError;
use std::fmt::Display;
use std::io;

/// Why the store could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds, or finished, the work: drop what was done, do not repeat it.
    #[error("the lease on this piece of work was lost: another worker took it over")]
    LeaseLost,
    /// The database is busy, restarting or out of reach: try the same again later.
    #[error("the database cannot be used at the moment, the same may work later: {}", words(.0))]
    Unavailable(sqlx::Error),
    /// The server that the address names was not reached at all: it may be about to start, or be elsewhere.
    #[error(
        "the database cannot be used at the moment, the same may work later: Postgres at {place} cannot be reached: \
         {why}. Is it running there? Start it, or set DATABASE_URL (or --database-url) to where it is, as \
         postgres://USER:PASSWORD@HOST:5432/DATABASE"
    )]
    Unreachable {
        /// Host, port and database. Never a password.
        place: String,
        /// What happened.
        why: String,
    },
    /// The server that the address names was reached, and lets nobody in just now: it is starting, or has no place left.
    #[error("the database cannot be used at the moment, the same may work later: Postgres at {place} answered: {why}")]
    NotLetIn {
        /// Host, port and database. Never a password.
        place: String,
        /// What it said.
        why: String,
    },
    /// The address of the database cannot be used: a person has to change the setting.
    #[error("the database's address, DATABASE_URL or --database-url, cannot be used: {why}")]
    Address {
        /// What is wrong and what would be right. Never names a password.
        why: String,
    },
    /// Another process has it for itself, or changed it under way: a person has to choose.
    #[error("{why}")]
    InUse {
        /// Who has it or what happened, and what to do.
        why: String,
    },
    /// The tables are not those this program knows: a person has to choose the right program or database.
    #[error("the database's tables do not fit this program: {why}")]
    Schema {
        /// What was found and what to do.
        why: String,
    },
    /// A stored value cannot be read back.
    #[error("a stored value cannot be read: {what}")]
    Corrupt {
        /// Which value, and what is wrong with it.
        what: String,
    },
    /// Everything else, which points at a mistake of ours.
    #[error("the database refused: {}", words(.0))]
    Database(sqlx::Error),
}

/// An error of the database in words. Postgres tells the line of its own source with each, which is no help to anybody here:
/// so these words are all that is told, and the error is not named as the source of ours.
pub(super) fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(refusal) => match refusal.code() {
            Some(code) => format!("{} (code {code})", refusal.message()),
            None => refusal.message().into(),
        },
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// Why a file or folder that an address leads to could not be used: whether a person has to change something, or whether the
/// disk or the machine had a fault that may pass. `what` says what could not be done.
pub(super) fn of_file(what: String, error: &io::Error) -> StoreError {
    use io::ErrorKind as K;
    let why = format!("{what}: {error}");
    match error.kind() {
        K::NotFound
        | K::PermissionDenied
        | K::NotADirectory
        | K::IsADirectory
        | K::InvalidFilename
        | K::InvalidInput
        | K::Unsupported => StoreError::Address { why },
        kind => StoreError::Unavailable(sqlx::Error::Io(io::Error::new(kind, why))),
    }
}

impl StoreError {
    pub(super) fn corrupt(what: &str, why: impl Display) -> Self {
        Self::Corrupt { what: format!("{what}: {why}") }
    }

    /// Whether a row was refused because another with the same unique key is there.
    pub(super) fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

impl StoreError {
    /// Whether two transactions waited for each other, and this one was chosen to give way.
    pub(super) fn is_deadlock(&self) -> bool {
        let (Self::Unavailable(sqlx::Error::Database(error)) | Self::Database(sqlx::Error::Database(error))) = self
        else {
            return false;
        };
        error.code().is_some_and(|code| code == "40P01")
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::PoolTimedOut | E::Io(_) | E::WorkerCrashed | E::BeginFailed => Self::Unavailable(error),
            E::Database(refusal) if refusal.code().is_some_and(|code| passes(&code)) => Self::Unavailable(error),
            E::ColumnDecode { .. } | E::Decode(_) | E::ColumnNotFound(_) => Self::Corrupt { what: error.to_string() },
            _ => Self::Database(error),
        }
    }
}

/// Whether a database's error code names a state that passes.
fn passes(code: &str) -> bool {
    match code.parse::<i64>() {
        // SQLite's extended codes keep the kind in the low byte: 5 busy, 6 locked, 10 I/O error, 13 disk full, 15 the race for
        // the log of writes was lost too often.
        Ok(number) if code.len() < 5 => matches!(number & 0xff, 5 | 6 | 10 | 13 | 15),
        // Postgres: connection gone, transaction to be repeated, resources short, lock not to be had, shutting down
        // or starting, killed by its limits, database files out of reach.
        _ => {
            code.starts_with("08")
                || code.starts_with("40")
                || code.starts_with("53")
                || code.starts_with("57")
                || code.starts_with("58")
                || code == "55P03"
                || code.starts_with("25P0")
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::from(error),
            MigrateError::VersionMissing(version) => Self::Schema {
                why: format!(
                    "migration {version} was applied to it, which this version of mass-driver does not know. It was \
                     upgraded by a newer mass-driver: run that version or a later one, or point DATABASE_URL elsewhere"
                ),
            },
            MigrateError::VersionMismatch(version) => Self::Schema {
                why: format!(
                    "migration {version} was applied to it with another text than this program's. It was made by a \
                     development version: start with an empty database"
                ),
            },
            error => Self::Schema { why: error.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{StoreError, of_file, passes};
    use std::io::{Error, ErrorKind};

    #[test]
    fn codes_that_pass_by_themselves() {
        for code in ["5", "261", "517", "6", "262", "15", "40001", "40P01", "57P01", "53300", "55P03", "08006"] {
            assert!(passes(code), "{code}");
        }
        for code in ["1", "19", "2067", "23505", "42P01", "42601", "54000"] {
            assert!(!passes(code), "{code}");
        }
    }

    #[test]
    fn a_fault_of_the_disk_is_no_fault_of_the_address() {
        let refused = |kind| of_file("the lock x.lock cannot be made".into(), &Error::from(kind));
        for kind in [
            ErrorKind::ReadOnlyFilesystem,
            ErrorKind::StorageFull,
            ErrorKind::QuotaExceeded,
            ErrorKind::StaleNetworkFileHandle,
            ErrorKind::TimedOut,
            // What has no name of its own: a fault of the disk (EIO), too many open files (EMFILE).
            ErrorKind::Other,
        ] {
            let error = refused(kind);
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            assert!(error.to_string().contains("the same may work later: the lock x.lock cannot be made: "), "{error}");
        }
        for kind in [ErrorKind::NotFound, ErrorKind::PermissionDenied, ErrorKind::NotADirectory] {
            let error = refused(kind);
            assert!(matches!(error, StoreError::Address { .. }), "{error:?}");
        }
    }
}
