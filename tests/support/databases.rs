//! A store on each database, for tests that have to hold on both.
//!
//! ```ignore
//! both_databases! {
//!     async fn a_promise(store: Store) {
//!         …
//!     }
//! }
//! ```
//!
//! makes the tests `a_promise::sqlite` and `a_promise::postgres`, each with a fresh database that is gone afterwards.
//! The macro expects this file as `mod databases` at the root of the test's crate.

use futures_util::FutureExt;
use mass_driver::store::Store;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};

/// Runs a test on a SQLite file of its own.
pub async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("store.db").display());
    test(url).await;
}

/// Runs a test on a Postgres schema of its own, in the database that `DATABASE_URL_TEST` names.
pub async fn on_postgres<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    #[expect(clippy::disallowed_methods, reason = "tests are told where Postgres is by the environment alone")]
    let Ok(server) = std::env::var("DATABASE_URL_TEST") else {
        panic!("No Postgres to test on: run `make test`, which starts one, or set DATABASE_URL_TEST.");
    };
    let schema = format!("test_{}", uuid::Uuid::new_v4().simple());
    run(&server, format!("CREATE SCHEMA {schema}")).await;
    let separator = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{separator}options=-c%20search_path%3D{schema}");
    let outcome = AssertUnwindSafe(test(url)).catch_unwind().await;
    run(&server, format!("DROP SCHEMA {schema} CASCADE")).await;
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// Runs a test on one more database of its own, of the kind that `url` names: for tests that live several lives.
pub async fn on_another<F: Future<Output = ()>>(url: &str, test: impl FnOnce(String) -> F) {
    if url.starts_with("sqlite") { on_sqlite(test).await } else { on_postgres(test).await }
}

/// Opens the store that a test was given the address of.
pub async fn open(url: &str) -> Store {
    Store::connect(url).await.unwrap_or_else(|error| panic!("the test's database cannot be opened: {error}"))
}

async fn run(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server)
        .await
        .unwrap_or_else(|error| panic!("The Postgres that DATABASE_URL_TEST names does not answer: {error}"));
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

/// Makes two tests of each function: one on SQLite, one on Postgres. The function takes a `Store`, or the `String` that
/// is the database's address.
macro_rules! both_databases {
    ($($(#[doc = $doc:literal])* async fn $name:ident($argument:ident: $kind:ident) $body:block)+) => {$(
        $(#[doc = $doc])*
        mod $name {
            use super::*;

            async fn test(url: String) {
                let $argument = crate::databases::both_databases!(@$kind url);
                $body
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                crate::databases::on_sqlite(test).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                crate::databases::on_postgres(test).await;
            }
        }
    )+};
    (@Store $url:ident) => { crate::databases::open(&$url).await };
    (@String $url:ident) => { $url };
}
pub(crate) use both_databases;
