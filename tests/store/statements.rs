//! Every statement, as each database understands it.

use crate::databases::{both_databases, open};
use mass_driver::store::Store;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};

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
fn only_the_clock_the_locks_and_the_bell_differ() {
    let mut differ: Vec<&str> =
        Store::statements().filter(|statement| statement.sqlite != statement.postgres).map(|s| s.name).collect();
    differ.sort_unstable();
    assert_eq!(differ, ["CHANNEL", "CLAIM", "CLAIM_STEP", "EXPIRED", "HEARTBEAT", "NOTIFY", "PLACE"]);
    for statement in Store::statements().filter(|s| !["CHANNEL", "NOTIFY"].contains(&s.name)) {
        let same = statement.postgres.replace(" FOR UPDATE SKIP LOCKED", "");
        let same = same.replace("extract(epoch FROM clock_timestamp())", "unixepoch('subsec')");
        assert_eq!(same, statement.sqlite, "{}", statement.name);
    }
}

/// The statements asked most often find their rows by an index, however many rows there are.
#[tokio::test]
async fn the_busiest_statements_go_by_an_index() {
    crate::databases::on_sqlite(async |url: String| {
        open(&url).await.close().await;
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        for (name, index) in [
            (
                "USERS",
                "dependency USING COVERING INDEX dependency_by_package (ecosystem=? AND package=? AND repo_id>?)",
            ),
            ("PACKAGES_DUE", "package USING INDEX package_by_next_check"),
            ("CLAIM", "candidate USING INDEX work_ready_in_line"),
            ("PLACE", "work USING INDEX work_queued_by_due"),
            ("EXPIRED", "work_leases"),
            ("BY_NAME", "repository_by_name"),
            ("TRACKED", "manifest USING INDEX"),
            ("BY_PULL", "proposal_by_pull"),
            ("IN_STATE", "proposal_by_state"),
            ("RELEASES", "release USING INDEX"),
            ("PARKED_ON", "work_parked"),
            ("PUT_BACK_ON", "work_queued_by_subject (subject=?)"),
            ("PARKED_SETBACKS", "work_parked"),
            ("NAMES", "SEARCH r USING INDEX"),
        ] {
            let statement = Store::statements().find(|statement| statement.name == name).unwrap();
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.sqlite));
            let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&mut database).await.unwrap();
            let plan = steps.into_iter().map(|step| step.3).collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index), "{name} does not use {index}:\n{plan}");
            if name == "CLAIM" {
                assert!(!plan.contains("TEMP B-TREE"), "{name} sorts what is due:\n{plan}");
            }
        }
    })
    .await;
}
