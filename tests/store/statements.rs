//! Every statement, as each database understands it.

use crate::databases::{both_databases, open};
use mass_driver::store::Store;
use sqlx::{Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};

both_databases! {
    async fn all_can_be_prepared(url: String) {
        open(&url).await.close().await;
        let mut seen = 0;
        for statement in Store::statements() {
            seen += 1;
            let prepared = if url.starts_with("sqlite") {
                let mut database = SqliteConnection::connect(&url).await.unwrap();
                database.prepare(statement.sqlite.into_sql_str()).await.map(drop)
            } else {
                let mut database = PgConnection::connect(&url).await.unwrap();
                database.prepare(statement.postgres.into_sql_str()).await.map(drop)
            };
            prepared.unwrap_or_else(|error| panic!("{}: {error}", statement.name));
        }
        assert!(seen > 60, "only {seen} statements are listed");
    }
}

#[test]
fn only_the_clock_and_the_claim_differ() {
    let mut differ: Vec<&str> =
        Store::statements().filter(|statement| statement.sqlite != statement.postgres).map(|s| s.name).collect();
    differ.sort_unstable();
    assert_eq!(differ, ["DATABASE_CLOCK", "EXPIRED", "NEXT"]);
    for statement in Store::statements() {
        let same = statement.postgres.replace(" FOR UPDATE SKIP LOCKED", "");
        assert!(same == statement.sqlite || statement.name == "DATABASE_CLOCK", "{}", statement.name);
    }
}
