//! Everything the bot remembers, in SQLite or Postgres, with one text of SQL.
//!
//! This room knows tables and transactions, and makes no decision of the business: it imports `domain` alone.
//! Reads are methods of [`Store`] and see what is committed; writes are methods of [`Tx`], so that a
//! station's result, the next work and the end of the present step are one commit.
//!
//! Times are kept in whole milliseconds; a finer part is dropped. The caller brings every time, but for leases,
//! which go by the database's own clock because they have to mean the same to every worker.
//!
//! With SQLite there is one writer: never wait for a second [`Store::begin`] while holding a [`Tx`].

mod alone;
mod attempts;
mod bell;
mod branches;
mod budgets;
mod code_owners;
mod comments;
mod config;
mod connect;
mod decisions;
mod deliveries;
mod developed;
mod discoveries;
mod duties;
mod error;
mod examinations;
mod figures;
mod history;
mod installations;
mod lock_files;
mod looks;
mod manifests;
mod merging;
mod onboardings;
mod organisations;
mod outlooks;
mod packages;
mod proposals;
mod release_notes;
mod remarks;
mod repositories;
mod run_pushes;
mod runs;
mod setbacks;
mod sql;
mod sqlite_file;
mod strangers;
mod subscriptions;
mod users;
mod work;

pub use alone::Alone;
pub use attempts::Attempt;
pub use bell::AtTheDoor;
pub use budgets::Budget;
pub use code_owners::CodeOwnersFile;
pub use comments::CommentRow;
pub use config::{Config, ConfigState};
pub use connect::database_named;
pub use deliveries::{Delivery, EventCount, NewDelivery, Outcome};
pub use error::StoreError;
pub use examinations::Examination;
pub use figures::{QueueFigure, WorkStanding};
pub use history::ReleaseTimes;
pub use installations::{Installation, InstallationRow};
pub use looks::LOOK_UNDER_WAY;
pub use manifests::{DependencyRow, Manifest, ManifestHead, ManifestRow};
pub use organisations::OrganisationRow;
pub use outlooks::OutlookChange;
pub use packages::PackageRow;
pub use proposals::LedgerRow;
pub use release_notes::{NotesRow, NotesStanding, ReleaseKey, WantedNotes};
pub use repositories::{ListedRow, RepositoryRow};
pub use run_pushes::{LastChange, RunPush};
pub use runs::{NewRun, RunCount, RunLease};
pub use setbacks::{Next, Setback};
pub use sql::Statement;
pub use subscriptions::{Subscription, SubscriptionRow};
pub use work::{Claimed, NewWork, QueueDepth, WorkId, WorkRow, WorkState};

use bell::Bell;
use jiff::Timestamp;
use sql::{Places, StoredRow, Value, arguments, widen};
use sqlite_file::AtRest;
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use std::sync::Arc;
use std::time::Duration;

/// No statement of ours takes this long. A database whose machine vanished without a word would be waited for without end.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// An answer of the database, if it comes in time.
async fn in_time<T, E: Into<StoreError>>(answer: impl Future<Output = Result<T, E>>) -> Result<T, StoreError> {
    // On the heap: a station awaits many of these, and its own future would hold them all.
    match tokio::time::timeout(ANSWER_MAX, Box::pin(answer)).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(silence().into()),
    }
}

fn silence() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {ANSWER_MAX:?}")))
}

/// The database. Cheap to clone; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    pools: Pools,
    bell: Arc<Bell>,
}

#[derive(Clone, Debug)]
enum Pools {
    /// SQLite has one writer at a time: one connection that waits its turn here beats many that find it locked.
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
        /// Where the file is read without a lock: how it was found.
        at_rest: Option<AtRest>,
    },
    Postgres(PgPool),
}

/// Writes that become visible together, at [`Tx::commit`], or never: dropping it undoes them.
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    /// A lease turned out to be lost: then nothing else of this transaction may stand either.
    lease_lost: bool,
    /// Work was queued that can be begun at once.
    rings: bool,
    bell: Arc<Bell>,
}

#[derive(Debug)]
enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Store {
    /// Starts a transaction.
    ///
    /// Errors: [`StoreError::Unavailable`] when the database cannot be reached, or stays busy for seconds.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = match &self.pools {
            // A plain BEGIN reads first and then fails when it comes to write after somebody else has.
            Pools::Sqlite { writer, .. } => Inner::Sqlite(in_time(writer.begin_with("BEGIN IMMEDIATE")).await?),
            Pools::Postgres(pool) => Inner::Postgres(in_time(pool.begin()).await?),
        };
        Ok(Tx { inner, lease_lost: false, rings: false, bell: Arc::clone(&self.bell) })
    }

    /// How many transactions that write can be under way at once.
    pub fn writers_at_once(&self) -> usize {
        match &self.pools {
            Pools::Sqlite { .. } => 1,
            Pools::Postgres(pool) => usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX),
        }
    }

    /// Whether the database answers.
    ///
    /// Errors: [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.rows::<(i64,)>(connect::PING, Vec::new()).await.map(drop)
    }

    /// Waits until every connection is back, and closes them. One that is not back after half a minute is not waited for.
    pub async fn close(&self) {
        let closed = async {
            match &self.pools {
                Pools::Sqlite { readers, writer, .. } => {
                    readers.close().await;
                    writer.close().await;
                }
                Pools::Postgres(pool) => pool.close().await,
            }
        };
        // Whoever stops shall not hang on a connection that somebody keeps, or a database that is silent.
        drop(tokio::time::timeout(ANSWER_MAX, closed).await);
    }

    /// The same, once everything was read of a database that was only looked into. Call it before what was read is told, and before
    /// an error of reading is, since that may come from the same.
    ///
    /// Errors: [`StoreError::InUse`] when what was read may be wrong: a file that this user may only read was changed meanwhile.
    pub async fn close_after_looking(&self) -> Result<(), StoreError> {
        self.close().await;
        self.refuse_change()
    }

    /// Whether what was read so far stands.
    ///
    /// Errors: as [`Store::close_after_looking`].
    pub fn refuse_change(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { at_rest: Some(at_rest), .. } => at_rest.refuse_change(),
            _ => Ok(()),
        }
    }

    /// Every statement this room gives to a database.
    pub fn statements() -> impl Iterator<Item = Statement> {
        [
            attempts::STATEMENTS,
            bell::STATEMENTS,
            branches::STATEMENTS,
            budgets::STATEMENTS,
            code_owners::STATEMENTS,
            comments::STATEMENTS,
            connect::STATEMENTS,
            decisions::STATEMENTS,
            deliveries::STATEMENTS,
            developed::STATEMENTS,
            discoveries::STATEMENTS,
            duties::STATEMENTS,
            examinations::STATEMENTS,
            figures::STATEMENTS,
            history::STATEMENTS,
            installations::STATEMENTS,
            lock_files::STATEMENTS,
            looks::STATEMENTS,
            repositories::STATEMENTS,
            run_pushes::STATEMENTS,
            runs::STATEMENTS,
            setbacks::STATEMENTS,
            strangers::STATEMENTS,
            subscriptions::STATEMENTS,
            manifests::STATEMENTS,
            merging::STATEMENTS,
            onboardings::STATEMENTS,
            organisations::STATEMENTS,
            release_notes::STATEMENTS,
            remarks::STATEMENTS,
            outlooks::STATEMENTS,
            packages::STATEMENTS,
            users::STATEMENTS,
            proposals::STATEMENTS,
        ]
        .into_iter()
        .chain(work::STATEMENTS)
        .flatten()
        .copied()
    }

    async fn rows<T: StoredRow>(&self, statement: Statement, values: Vec<Value>) -> Result<Vec<T>, StoreError> {
        Ok(match &self.pools {
            Pools::Sqlite { readers, .. } => {
                in_time(sqlx::query_as_with(statement.sqlite, arguments::<Sqlite>(values)?).fetch_all(readers)).await?
            }
            Pools::Postgres(pool) => {
                in_time(sqlx::query_as_with(statement.postgres, arguments::<Postgres>(values)?).fetch_all(pool)).await?
            }
        })
    }

    /// The rows for many keys at once: the statement's group `VALUES ($1, …)` is repeated for each of them.
    async fn rows_for<T: StoredRow>(&self, statement: Statement, keys: Vec<Vec<Value>>) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                for (sql, values) in widen(statement.sqlite, keys, Places::InOrder) {
                    let query = sqlx::query_as_with(sql, arguments::<Sqlite>(values)?).persistent(false);
                    rows.extend(in_time(query.fetch_all(readers)).await?);
                }
            }
            Pools::Postgres(pool) => {
                for (sql, values) in widen(statement.postgres, keys, Places::Numbered) {
                    let query = sqlx::query_as_with(sql, arguments::<Postgres>(values)?).persistent(false);
                    rows.extend(in_time(query.fetch_all(pool)).await?);
                }
            }
        }
        Ok(rows)
    }

    /// The first row, where there is one.
    async fn row<T: StoredRow>(&self, statement: Statement, values: Vec<Value>) -> Result<Option<T>, StoreError> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }
}

impl Tx {
    /// Makes everything written visible, at once and for good.
    ///
    /// Errors: [`StoreError::LeaseLost`] if an earlier call of this transaction said so; nothing is written then.
    pub async fn commit(self) -> Result<(), StoreError> {
        if self.lease_lost {
            self.rollback().await?;
            return Err(StoreError::LeaseLost);
        }
        match self.inner {
            Inner::Sqlite(tx) => in_time(tx.commit()).await?,
            Inner::Postgres(tx) => in_time(tx.commit()).await?,
        }
        if self.rings {
            self.bell.ring();
        }
        Ok(())
    }

    /// Undoes everything, and waits until that is done.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(tx) => in_time(tx.rollback()).await?,
            Inner::Postgres(tx) => in_time(tx.rollback()).await?,
        }
        Ok(())
    }

    /// Has the bell rung at the commit, when there is work due at once.
    fn brings_work(&mut self, due_at: Timestamp, now: Timestamp) {
        self.rings |= due_at <= now;
    }

    /// Runs a statement and says how many rows it touched.
    async fn execute(&mut self, statement: Statement, values: Vec<Value>) -> Result<u64, StoreError> {
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => {
                let query = sqlx::query_with(statement.sqlite, arguments::<Sqlite>(values)?);
                in_time(query.execute(&mut **tx)).await?.rows_affected()
            }
            Inner::Postgres(tx) => {
                let query = sqlx::query_with(statement.postgres, arguments::<Postgres>(values)?);
                in_time(query.execute(&mut **tx)).await?.rows_affected()
            }
        })
    }

    /// Runs a statement with one group `VALUES ($1, …)` for many rows at once.
    async fn execute_for(&mut self, statement: Statement, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                for (sql, values) in widen(statement.sqlite, rows, Places::InOrder) {
                    let query = sqlx::query_with(sql, arguments::<Sqlite>(values)?).persistent(false);
                    in_time(query.execute(&mut **tx)).await?;
                }
            }
            Inner::Postgres(tx) => {
                for (sql, values) in widen(statement.postgres, rows, Places::Numbered) {
                    let query = sqlx::query_with(sql, arguments::<Postgres>(values)?).persistent(false);
                    in_time(query.execute(&mut **tx)).await?;
                }
            }
        }
        Ok(())
    }

    /// What a statement returns, seen from inside the transaction.
    async fn rows<T: StoredRow>(&mut self, statement: Statement, values: Vec<Value>) -> Result<Vec<T>, StoreError> {
        Ok(match &mut self.inner {
            Inner::Sqlite(tx) => {
                in_time(sqlx::query_as_with(statement.sqlite, arguments::<Sqlite>(values)?).fetch_all(&mut **tx))
                    .await?
            }
            Inner::Postgres(tx) => {
                in_time(sqlx::query_as_with(statement.postgres, arguments::<Postgres>(values)?).fetch_all(&mut **tx))
                    .await?
            }
        })
    }

    /// What a statement returns for many keys at once, seen from inside the transaction.
    async fn rows_for<T: StoredRow>(
        &mut self,
        statement: Statement,
        keys: Vec<Vec<Value>>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        match &mut self.inner {
            Inner::Sqlite(tx) => {
                for (sql, values) in widen(statement.sqlite, keys, Places::InOrder) {
                    let query = sqlx::query_as_with(sql, arguments::<Sqlite>(values)?).persistent(false);
                    rows.extend(in_time(query.fetch_all(&mut **tx)).await?);
                }
            }
            Inner::Postgres(tx) => {
                for (sql, values) in widen(statement.postgres, keys, Places::Numbered) {
                    let query = sqlx::query_as_with(sql, arguments::<Postgres>(values)?).persistent(false);
                    rows.extend(in_time(query.fetch_all(&mut **tx)).await?);
                }
            }
        }
        Ok(rows)
    }
}
