//! Reaching a database, and bringing its tables up to date; or only looking into one.

use super::error::{of_file, words};
use super::sql::{statements, values};
use super::sqlite_file::{AtRest, Rights, cannot_be_opened, is_of_rights, rights, unwritable};
use super::strangers::refuse_strangers;
use super::{ANSWER_MAX, Pools, Store, StoreError, silence};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// The tables, step by step. The same texts serve both databases.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a call waits for a free connection. GitHub gives a webhook ten seconds for everything.
const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(5);
/// How long SQLite waits for another process that is writing.
const WAIT_FOR_LOCK: Duration = Duration::from_secs(3);
/// Connections that only read a SQLite file.
const SQLITE_READERS: u32 = 4;
/// Connections to Postgres, for reads and writes, where nobody says how many.
const POSTGRES_CONNECTIONS: u32 = 16;
/// Connections to Postgres of somebody who only looks.
const POSTGRES_READERS: u32 = 2;
/// How often opening a SQLite file is tried while other processes open it too.
const ATTEMPTS_TO_OPEN: usize = 20;

statements! {
    PING_STATEMENT = "SELECT CAST(1 AS BIGINT)";
    APPLIED_STATEMENT = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
}
pub(super) const PING: super::Statement = PING_STATEMENT;
/// What was applied to a database: versions and checksums.
pub(super) const APPLIED: super::Statement = APPLIED_STATEMENT;

impl Store {
    /// Opens the database that a URL names and brings its tables up to date; several processes may do so at once.
    ///
    /// `sqlite://PATH` (relative, or absolute with a third slash; the file is made when missing) or
    /// `postgres://USER:PASSWORD@HOST/DATABASE`.
    ///
    /// Errors: [`StoreError::Address`] for a URL that names no database, [`StoreError::Schema`] for tables of a newer mass-driver
    /// or of another program, which are left as they are, [`StoreError::Unreachable`], [`StoreError::NotLetIn`] or [`StoreError::Unavailable`] when the database does
    /// not answer, or not yet.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with(url, POSTGRES_CONNECTIONS).await
    }

    /// The same, with at most `connections` to Postgres. For SQLite their number is fixed: it has one writer.
    ///
    /// Errors: as [`Store::connect`].
    pub async fn connect_with(url: &str, connections: u32) -> Result<Self, StoreError> {
        let pools = match Kind::of(url)? {
            Kind::Sqlite => open_sqlite(url).await?,
            Kind::Postgres => open_postgres(url, connections.max(1)).await?,
        };
        Ok(Self { pools, bell: Arc::default() })
    }

    /// Opens a database that a server keeps, to look into it: nothing is made, brought up to date or written. Ends with
    /// [`Store::close_after_looking`].
    ///
    /// Errors: [`StoreError::Address`] also for a file that is not there, [`StoreError::Schema`] also for tables of an
    /// older program; else as [`Store::connect`].
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        Self::open_as_it_is(url, Purpose::Look).await
    }

    /// The same, for somebody who changes rows beside the server that keeps them: nothing is made or brought up to date.
    ///
    /// Errors: as [`Store::open_existing`].
    pub async fn open_existing_to_write(url: &str) -> Result<Self, StoreError> {
        Self::open_as_it_is(url, Purpose::Write).await
    }

    /// That the database a URL names need not be made first. Of Postgres, connecting tells.
    ///
    /// Errors: [`StoreError::Address`] for a SQLite file that is not there, is none, or may not be read.
    pub fn is_there(url: &str) -> Result<(), StoreError> {
        let Some(file) = sqlite_file(url)? else { return Ok(()) };
        refuse_odd_place(&file)?;
        rights(&file).map(drop)
    }

    async fn open_as_it_is(url: &str, purpose: Purpose) -> Result<Self, StoreError> {
        let pools = match Kind::of(url)? {
            Kind::Sqlite => join_sqlite(url, purpose).await?,
            Kind::Postgres => join_postgres(url, purpose).await?,
        };
        let store = Self { pools, bell: Arc::default() };
        store.refuse_other_tables().await?;
        Ok(store)
    }

    /// Compares the tables' version with this program's.
    async fn refuse_other_tables(&self) -> Result<(), StoreError> {
        let applied: Vec<(i64, Vec<u8>)> = match self.rows(APPLIED, values![]).await {
            Err(StoreError::Database(error)) => {
                let why = format!(
                    "there are none of mass-driver in it ({}); point DATABASE_URL or --database-url at the server's \
                     database, or start the server, which makes them",
                    words(&error)
                );
                return Err(StoreError::Schema { why });
            }
            applied => applied?,
        };
        let mut known: BTreeMap<i64, &[u8]> = MIGRATIONS.iter().map(|m| (m.version, m.checksum.as_ref())).collect();
        for (version, checksum) in &applied {
            match known.remove(version) {
                None => return Err(MigrateError::VersionMissing(*version).into()),
                Some(own) if own != checksum.as_slice() => return Err(MigrateError::VersionMismatch(*version).into()),
                Some(_) => {}
            }
        }
        match known.first_key_value() {
            None => Ok(()),
            Some((version, _)) => Err(StoreError::Schema {
                why: format!(
                    "migration {version} of this mass-driver was not applied to it: the database is older than this \
                     program. Use the mass-driver that the server runs, or start the server of this version, which \
                     brings the tables up to date"
                ),
            }),
        }
    }
}

/// What somebody wants of a database that a server keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Look,
    Write,
}

/// Payloads and texts of files are compressed when they are stored, and Postgres' own way is several times as slow. Changes
/// nothing where this Postgres was built without the fast one.
const COMPRESS_FAST: &str = "SELECT set_config(name, 'lz4', false) FROM pg_settings
    WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)";
/// A machine that vanishes without a word shall not hold its locks for hours. And no statement here is worth being compiled
/// to machine code: that takes a hundred times as long as to run it, and those that are told how to look things up seem
/// expensive enough for it.
const SESSION: &str = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
    SET idle_in_transaction_session_timeout = 60000; SET jit = off";

enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    fn of(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => {
                // Only the scheme: the rest may hold a password.
                let scheme = url.split_once("://").map_or("there is none", |(scheme, _)| scheme);
                Err(StoreError::Address {
                    why: format!(
                        "it has to begin with sqlite:// or postgres:// (before `://`: {scheme}), as in sqlite://mass-driver.db \
                         or postgres://USER:PASSWORD@HOST:5432/DATABASE"
                    ),
                })
            }
        }
    }
}

/// The file that a URL of SQLite names; `None` for Postgres.
pub(super) fn sqlite_file(url: &str) -> Result<Option<PathBuf>, StoreError> {
    Ok(match Kind::of(url)? {
        Kind::Sqlite => Some(sqlite_options(url)?.get_filename().to_owned()),
        Kind::Postgres => None,
    })
}

/// The database that a URL names, for people: `SQLite file /var/lib/bot.db` or `Postgres at db.example.com:5432/bot`. Never a
/// password.
///
/// Errors: [`StoreError::Address`] for a URL that names none.
pub fn database_named(url: &str) -> Result<String, StoreError> {
    Ok(match sqlite_file(url)? {
        Some(file) => format!("SQLite file {}", std::path::absolute(&file).unwrap_or(file).display()),
        None => format!("Postgres at {}", place(&postgres_options(url)?)),
    })
}

fn bad(why: String) -> StoreError {
    StoreError::Address { why }
}

fn sqlite_options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    let options = SqliteConnectOptions::from_str(url).map_err(|error| bad(error.to_string()))?;
    if options.get_filename().as_os_str().is_empty() || url.contains(":memory:") || url.contains("mode=memory") {
        return Err(bad("name a file, as in sqlite://mass-driver.db: what is only in memory would be lost".into()));
    }
    Ok(options.foreign_keys(true).busy_timeout(WAIT_FOR_LOCK))
}

/// Errors: [`StoreError::Address`] when the folder that a database is to lie in is not there (it is not made, since the name
/// may be a mistake), or where the database is to lie, a folder is.
pub(super) fn refuse_odd_place(database: &Path) -> Result<(), StoreError> {
    if database.is_dir() {
        let (folder, file) = (database.display(), database.join("mass-driver.db"));
        return Err(bad(format!("`{folder}` is a folder; name a file in it, as in sqlite://{}", file.display())));
    }
    match database.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => {
            let (database, folder) = (database.display(), folder.display());
            Err(bad(format!(
                "there is no folder {folder} for the file {database}; make the folder, or name another file"
            )))
        }
        _ => Ok(()),
    }
}

/// Makes the file for its owner alone: it will hold texts of private repositories. The files that SQLite puts beside it
/// get the same mode. One that is there already keeps the mode that somebody gave it.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

async fn join_sqlite(url: &str, purpose: Purpose) -> Result<Pools, StoreError> {
    let options = sqlite_options(url)?.create_if_missing(false);
    let path = options.get_filename().to_owned();
    refuse_odd_place(&path)?;
    let rights = rights(&path)?;
    if purpose == Purpose::Write && rights != Rights::Write {
        return Err(unwritable(&path));
    }
    let looking = options.clone().pragma("query_only", "on");
    // Without a lock, since that would have to be written: for a file that nobody has open.
    let find_at_rest = || if purpose == Purpose::Look { AtRest::of(&path) } else { None };
    let reading = |at_rest: &Option<AtRest>| match at_rest {
        Some(_) => looking.clone().immutable(true),
        None => looking.clone(),
    };
    // Whoever may not change the file shall leave nothing beside it that its server may not open.
    let mut at_rest = if rights == Rights::Read { find_at_rest() } else { None };
    if let Err(error) = look_into(&reading(&at_rest)).await {
        at_rest = if is_of_rights(&error) { find_at_rest() } else { None };
        if at_rest.is_none() {
            return Err(cannot_be_opened(&path, error));
        }
        look_into(&reading(&at_rest)).await.map_err(|error| cannot_be_opened(&path, error))?;
    }
    let pool = SqlitePoolOptions::new().acquire_timeout(WAIT_FOR_CONNECTION);
    let reading = reading(&at_rest);
    let writing = if purpose == Purpose::Write { options } else { reading.clone() };
    let writer = pool.clone().max_connections(1).connect_lazy_with(writing);
    let readers = pool.max_connections(1).connect_lazy_with(reading);
    Ok(Pools::Sqlite { readers, writer, at_rest })
}

/// Opens a file and reads from it: only then does it show whether it is a database, and may be read.
async fn look_into(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let look = async {
        let mut connection = options.connect().await?;
        connection.execute("PRAGMA schema_version").await?;
        connection.close().await
    };
    // A disk elsewhere may be silent for ever.
    tokio::time::timeout(ANSWER_MAX, look).await.unwrap_or_else(|_| Err(silence()))
}

async fn open_sqlite(url: &str) -> Result<Pools, StoreError> {
    let options = sqlite_options(url)?;
    let path = options.get_filename().to_owned();
    refuse_odd_place(&path)?;
    make_private(&path)
        .map_err(|error| of_file(format!("the SQLite file {} cannot be made", path.display()), &error))?;
    let writing = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A webhook is acknowledged once it is stored: it must outlive a power cut, which NORMAL does not promise.
        .synchronous(SqliteSynchronous::Full);

    // Turning a new file's journal to WAL does not wait for the lock like other writes do.
    let mut attempt = 1;
    loop {
        match migrate_sqlite(url, &options, &writing).await {
            Err(StoreError::Unavailable(_)) if attempt < ATTEMPTS_TO_OPEN => {
                attempt += 1;
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            Err(StoreError::Database(error)) => return Err(cannot_be_opened(&path, error)),
            Err(error) => return Err(error),
            Ok(()) => break,
        }
    }

    let pool = SqlitePoolOptions::new().acquire_timeout(WAIT_FOR_CONNECTION);
    let writer = pool.clone().max_connections(1).connect_with(writing).await?;
    let readers = pool.max_connections(SQLITE_READERS).connect_with(options.pragma("query_only", "on")).await?;
    Ok(Pools::Sqlite { readers, writer, at_rest: None })
}

async fn migrate_sqlite(
    url: &str,
    looking: &SqliteConnectOptions,
    writing: &SqliteConnectOptions,
) -> Result<(), StoreError> {
    // Before anything is asked that would stay in somebody else's file, such as another kind of journal.
    let looking = looking.clone().create_if_missing(false).pragma("query_only", "on");
    let pool = SqlitePoolOptions::new().acquire_timeout(WAIT_FOR_CONNECTION).max_connections(1);
    let pool = pool.connect_lazy_with(looking);
    let pools = Pools::Sqlite { readers: pool.clone(), writer: pool.clone(), at_rest: None };
    let looked = refuse_strangers(url, &pools).await;
    pool.close().await;
    looked?;

    let mut connection = writing.connect().await?;
    // sqlx has no lock for SQLite: hold the write lock over all of it, so that the second process finds it done.
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    MIGRATIONS.run_direct(None, &mut *tx, false).await?;
    tx.commit().await?;
    connection.close().await?;
    Ok(())
}

fn postgres_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    Ok(PgConnectOptions::from_str(url).map_err(|error| bad(error.to_string()))?.application_name("mass-driver"))
}

/// The first connection to a server. What goes wrong with it is told with the place, which the database's own words do not
/// name.
async fn knock(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let place = place(options);
    match tokio::time::timeout(WAIT_FOR_CONNECTION, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        // Who may not in, or asks for a database that is not there: waiting does not change that.
        Ok(Err(sqlx::Error::Database(error))) if error.code().is_some_and(|c| c.starts_with("28") || c == "3D000") => {
            Err(bad(format!(
                "Postgres at {place} refused the connection: {}; check user, password and database",
                error.message()
            )))
        }
        Ok(Err(error @ (sqlx::Error::Database(_) | sqlx::Error::Tls(_)))) => {
            Err(StoreError::NotLetIn { place, why: words(&error) })
        }
        Ok(Err(sqlx::Error::Io(error))) => Err(StoreError::Unreachable { place, why: error.to_string() }),
        Ok(Err(error)) => Err(StoreError::Unreachable { place, why: words(&error) }),
        Err(_) => Err(StoreError::Unreachable { place, why: format!("no answer within {WAIT_FOR_CONNECTION:?}") }),
    }
}

/// Where a server is: `db.example.com:5432/bot`, or the folder of its socket.
fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    match options.get_socket() {
        Some(socket) => format!("{}, port {}, database {database}", socket.display(), options.get_port()),
        None => format!("{}:{}/{database}", options.get_host(), options.get_port()),
    }
}

async fn join_postgres(url: &str, purpose: Purpose) -> Result<Pools, StoreError> {
    let read_only = if purpose == Purpose::Look { "on" } else { "off" };
    let options = postgres_options(url)?.options([("default_transaction_read_only", read_only)]);
    // A pool would try again and again, and then tell of nothing but its patience.
    knock(&options).await?.close().await?;
    let pool = PgPoolOptions::new().acquire_timeout(WAIT_FOR_CONNECTION).max_connections(POSTGRES_READERS);
    Ok(Pools::Postgres(pool.connect_with(options).await?))
}

async fn open_postgres(url: &str, connections: u32) -> Result<Pools, StoreError> {
    let options = postgres_options(url)?;
    let mut connection = knock(&options).await?;
    let pool = PgPoolOptions::new()
        .acquire_timeout(WAIT_FOR_CONNECTION)
        .max_connections(connections)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SESSION).await?;
                connection.execute(COMPRESS_FAST).await.map(drop)
            })
        })
        .connect_with(options)
        .await?;
    let pools = Pools::Postgres(pool);
    refuse_strangers(url, &pools).await?;

    // On a connection of its own: if this fails half-way, the lock that sqlx takes for the time of it ends with the
    // connection, and does not go back to the pool.
    // Without the notice at every start that the table of migrations is there already.
    connection.execute("SET client_min_messages TO warning").await?;
    MIGRATIONS.run_direct(None, &mut connection, false).await?;
    connection.close().await?;
    Ok(pools)
}
