//! Whether a database that is to be filled with tables is somebody else's.
//!
//! `DATABASE_URL` is what many programs ask for: a shell that was set up for one of them leads us to its database.

use super::connect::{APPLIED, MIGRATIONS, database_named};
use super::sql::{statements, values};
use super::{Pools, Store, StoreError};
use std::sync::Arc;

/// The table in which sqlx writes down what was applied.
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";
/// How many tables are named to whoever is turned away.
const NAMED: usize = 3;

statements! {
    // The one that tells whose they are comes first. What belongs to an extension of Postgres, such as PostGIS, is nobody's data.
    TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'
        ORDER BY name <> '_sqlx_migrations', name LIMIT 5",
        on postgres: "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind IN ('r', 'p', 'f')
        AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
        AND NOT EXISTS (SELECT 1 FROM pg_depend
            WHERE classid = CAST('pg_class' AS regclass) AND objid = pg_class.oid AND deptype = 'e')
        ORDER BY relname <> '_sqlx_migrations', relname LIMIT 5";
}

/// Looks whether the place in which tables are to be made has some already and none of ours. `url` names the database, `pools`
/// lead to it.
///
/// Errors: [`StoreError::Schema`] if so. Nothing was changed then.
pub(super) async fn refuse_strangers(url: &str, pools: &Pools) -> Result<(), StoreError> {
    let store = Store { pools: pools.clone(), bell: Arc::default() };
    let tables: Vec<(String,)> = store.rows(TABLES, values![]).await?;
    let mut others: Vec<&str> = tables.iter().map(|(name,)| name.as_str()).collect();
    let keeps_account = others.first() == Some(&MIGRATIONS_TABLE);
    if keeps_account {
        others.remove(0);
    }
    // A start that was cut short may have got no further than that one table.
    if others.is_empty() {
        return Ok(());
    }
    // Looked at later than the tables: another process that makes them just now says so in the same transaction.
    if keeps_account {
        let applied: Vec<(i64, Vec<u8>)> = store.rows(APPLIED, values![]).await?;
        // No database of ours is without the first one.
        let first = MIGRATIONS.iter().next().map(|first| (first.version, first.checksum.to_vec()));
        if first.is_some_and(|first| applied.contains(&first)) {
            return Ok(());
        }
    }
    let shown: Vec<String> = others.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = if others.len() > NAMED { " and others" } else { "" };
    Err(StoreError::Schema {
        why: format!(
            "{} has tables of another program in it ({}{more}) and none of mass-driver; nothing was changed. Give \
             mass-driver one of its own, by DATABASE_URL or --database-url: a SQLite file that is not there yet, or an empty \
             database or schema of Postgres",
            database_named(url)?,
            shown.join(", ")
        ),
    })
}
