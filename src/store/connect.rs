//! Reaching a database, and bringing its tables up to date.

use super::sql::statements;
use super::{Pools, Store, StoreError};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};
use std::str::FromStr;
use std::time::Duration;

/// The tables, step by step. The same texts serve both databases.
static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a call waits for a free connection. GitHub gives a webhook ten seconds for everything.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(5);
/// How long SQLite waits for another process that is writing.
const WAIT_FOR_LOCK: Duration = Duration::from_secs(3);
/// Connections that only read a SQLite file.
const SQLITE_READERS: u32 = 4;
/// Connections to Postgres, for reads and writes.
const POSTGRES_CONNECTIONS: u32 = 16;
/// How often opening a SQLite file is tried while other processes open it too.
const ATTEMPTS_TO_OPEN: usize = 20;

statements! {
    PING_STATEMENT = "SELECT CAST(1 AS BIGINT)";
}
pub(super) const PING: super::Statement = PING_STATEMENT;

impl Store {
    /// Opens the database that a URL names and brings its tables up to date; several processes may do so at once.
    ///
    /// `sqlite://PATH` (relative, or absolute with a third slash; the file is made when missing) or
    /// `postgres://USER:PASSWORD@HOST/DATABASE`.
    ///
    /// Errors: [`StoreError::Address`] for a URL that names no database, [`StoreError::Schema`] for tables of a newer
    /// or another program, [`StoreError::Unavailable`] when the database does not answer.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let pools = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => open_sqlite(url).await?,
            Some("postgres" | "postgresql") => open_postgres(url).await?,
            _ => {
                // Only the scheme: the rest may hold a password.
                let scheme = url.split_once("://").map_or("there is none", |(scheme, _)| scheme);
                return Err(StoreError::Address {
                    why: format!("it has to begin with sqlite:// or postgres:// (before `://`: {scheme})"),
                });
            }
        };
        Ok(Self { pools })
    }
}

async fn open_sqlite(url: &str) -> Result<Pools, StoreError> {
    let bad = |why: String| StoreError::Address { why };
    let options = SqliteConnectOptions::from_str(url).map_err(|error| bad(error.to_string()))?;
    let path = options.get_filename().to_owned();
    if path.as_os_str().is_empty() || url.contains(":memory:") || url.contains("mode=memory") {
        return Err(bad("name a file, as in sqlite://mass-driver.db: what is only in memory would be lost".into()));
    }
    let options = options.foreign_keys(true).busy_timeout(WAIT_FOR_LOCK);
    let writing = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A webhook is acknowledged once it is stored: it must outlive a power cut, which NORMAL does not promise.
        .synchronous(SqliteSynchronous::Full);

    // Turning a new file's journal to WAL does not wait for the lock like other writes do.
    let mut attempt = 1;
    loop {
        match migrate_sqlite(&writing).await {
            Err(StoreError::Unavailable(_)) if attempt < ATTEMPTS_TO_OPEN => {
                attempt += 1;
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            Err(StoreError::Database(error)) => {
                return Err(bad(format!("the SQLite file {} cannot be opened: {error}", path.display())));
            }
            Err(error) => return Err(error),
            Ok(()) => break,
        }
    }

    let pool = SqlitePoolOptions::new().acquire_timeout(WAIT_FOR_CONNECTION);
    let writer = pool.clone().max_connections(1).connect_with(writing).await?;
    let readers = pool.max_connections(SQLITE_READERS).connect_with(options.pragma("query_only", "on")).await?;
    Ok(Pools::Sqlite { readers, writer })
}

async fn migrate_sqlite(options: &SqliteConnectOptions) -> Result<(), StoreError> {
    let mut connection = options.connect().await?;
    // sqlx has no lock for SQLite: hold the write lock over all of it, so that the second process finds it done.
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run_direct(None, &mut *tx, false).await?;
    tx.commit().await?;
    connection.close().await?;
    Ok(())
}

async fn open_postgres(url: &str) -> Result<Pools, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|error| StoreError::Address { why: error.to_string() })?
        .application_name("mass-driver");

    // On a connection of its own: if this fails half-way, the lock that sqlx takes for the time of it ends with the
    // connection, and does not go back to the pool.
    let mut connection = tokio::time::timeout(WAIT_FOR_CONNECTION, options.connect())
        .await
        .map_err(|_| StoreError::Unavailable(sqlx::Error::PoolTimedOut))??;
    // Without the notice at every start that the table of migrations is there already.
    connection.execute("SET client_min_messages TO warning").await?;
    MIGRATIONS.run_direct(None, &mut connection, false).await?;
    connection.close().await?;

    let pool = PgPoolOptions::new()
        .acquire_timeout(WAIT_FOR_CONNECTION)
        .max_connections(POSTGRES_CONNECTIONS)
        .connect_with(options)
        .await?;
    Ok(Pools::Postgres(pool))
}
