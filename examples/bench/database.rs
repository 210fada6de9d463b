//! Databases to measure on: each fresh, durable, and gone afterwards. They are looked into with statements of the
//! bench's own, so that a figure is not checked with the code it is about.

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use reqwest::Url;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool, SqlitePool};
use std::path::{Path, PathBuf};

/// SQLite or Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// As the table shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "Postgres",
        }
    }
}

/// Where databases are made.
pub struct Place {
    folder: PathBuf,
    server: Option<Url>,
}

/// One database.
pub struct Database {
    /// As `DATABASE_URL`.
    pub url: String,
    made: Made,
    look: Look,
}

enum Made {
    File(PathBuf),
    OnServer { server: Url, name: String },
}

enum Look {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Place {
    /// A folder on a disk for SQLite, and a server where there is one.
    ///
    /// Errors: the folder is in memory, or a database is wanted that there is no server for.
    pub fn new(folder: &Path, kinds: &[Kind], server: Option<&str>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let kind = crate::machine::file_system(folder);
        ensure!(
            !matches!(kind.as_str(), "tmpfs" | "ramfs"),
            "{} is in memory ({kind}): figures about what is durable need a disk; choose one with --folder",
            folder.display()
        );
        let server = server.map(Url::parse).transpose().context("the address of the Postgres cannot be read")?;
        ensure!(
            server.is_some() || !kinds.contains(&Kind::Postgres),
            "there is no Postgres: run `make bench`, which starts one, or set DATABASE_URL_TEST; or leave it out with \
             BENCH_DATABASES=sqlite"
        );
        Ok(Self { folder: folder.to_owned(), server })
    }

    /// Where files are put.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the databases are, and how they are set.
    pub async fn settings(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let memory = SqlitePool::connect("sqlite::memory:").await?;
        let (version,): (String,) = sqlx::query_as("SELECT sqlite_version()").fetch_one(&memory).await?;
        let mut about = vec![("sqlite", format!("{version}, as the server sets it: WAL, synchronous = FULL"))];
        if let Some(server) = &self.server {
            let mut connection =
                PgConnection::connect(server.as_str()).await.context("the Postgres does not answer")?;
            let mut settings = Vec::new();
            for name in ["server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers"] {
                let query = sqlx::query_as("SELECT current_setting($1)").bind(name);
                let (value,): (String,) = query.fetch_one(&mut connection).await?;
                settings.push(format!("{name} = {value}"));
            }
            let (data,): (String,) = sqlx::query_as("SHOW data_directory").fetch_one(&mut connection).await?;
            settings.push(format!("data on {}", crate::machine::file_system(Path::new(&data))));
            connection.close().await?;
            about.push(("postgres", settings.join(", ")));
        }
        Ok(about)
    }

    /// Makes an empty database with the bot's tables.
    pub async fn fresh(&self, kind: Kind, name: &str) -> anyhow::Result<Database> {
        let unique = format!("bench_{name}_{}", uuid::Uuid::new_v4().simple());
        let (url, made) = match kind {
            Kind::Sqlite => {
                let file = self.folder.join(format!("{unique}.db"));
                (format!("sqlite://{}", file.display()), Made::File(file))
            }
            Kind::Postgres => {
                let mut url = self.server.clone().context("there is no Postgres")?;
                run(&url, format!("CREATE DATABASE {unique}")).await?;
                let made = Made::OnServer { server: url.clone(), name: unique.clone() };
                url.set_path(&unique);
                (url.into(), made)
            }
        };
        mass_driver::store::Store::connect(&url).await?.close().await;
        let look = match kind {
            Kind::Sqlite => Look::Sqlite(SqlitePoolOptions::new().max_connections(1).connect(&url).await?),
            Kind::Postgres => Look::Postgres(PgPoolOptions::new().max_connections(1).connect(&url).await?),
        };
        Ok(Database { url, made, look })
    }
}

async fn run(server: &Url, sql: String) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(server.as_str()).await.context("the Postgres does not answer")?;
    connection.execute(AssertSqlSafe(sql)).await?;
    Ok(connection.close().await?)
}

impl Database {
    /// A count, by a statement of the bench's own.
    pub async fn count(&self, sql: &'static str) -> anyhow::Result<u64> {
        let (count,): (i64,) = match &self.look {
            Look::Sqlite(pool) => sqlx::query_as(sql).fetch_one(pool).await?,
            Look::Postgres(pool) => sqlx::query_as(sql).fetch_one(pool).await?,
        };
        Ok(u64::try_from(count)?)
    }

    /// A column of texts.
    pub async fn texts(&self, sql: &'static str) -> anyhow::Result<Vec<String>> {
        let rows: Vec<(String,)> = match &self.look {
            Look::Sqlite(pool) => sqlx::query_as(sql).fetch_all(pool).await?,
            Look::Postgres(pool) => sqlx::query_as(sql).fetch_all(pool).await?,
        };
        Ok(rows.into_iter().map(|(text,)| text).collect())
    }

    /// Leaves it as a quiet time does: Postgres' planner has its statistics, by which a queue is empty that is empty now,
    /// and what the filling left behind is written out, so that no run pays for it.
    pub async fn settle(&self) -> anyhow::Result<()> {
        match &self.look {
            Look::Sqlite(pool) => {
                pool.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
            }
            Look::Postgres(pool) => {
                pool.execute("VACUUM ANALYZE").await?;
                pool.execute("CHECKPOINT").await?;
            }
        }
        Ok(())
    }

    /// Removes it. Nobody may be using it any more.
    pub async fn remove(self) -> anyhow::Result<()> {
        match self.look {
            Look::Sqlite(pool) => pool.close().await,
            Look::Postgres(pool) => pool.close().await,
        }
        match self.made {
            Made::File(file) => {
                for ending in ["", "-wal", "-shm"] {
                    let mut name = file.clone().into_os_string();
                    name.push(ending);
                    match std::fs::remove_file(&name) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                        _ => {}
                    }
                }
                Ok(())
            }
            Made::OnServer { server, name } => run(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await,
        }
    }
}
