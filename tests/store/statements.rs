//! Every statement, as each database understands it.

use crate::databases::{both_databases, open};
use mass_driver::store::{Statement, Store};
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
    let (queue, rows) =
        (["BY_INDEX", "CHANNEL", "CLAIM", "CLAIM_STEP", "EXPIRED"], ["HASTEN", "HASTEN_SUBJECT", "HEARTBEAT"]);
    let more =
        ["NOTIFY", "PLACE", "POSTPONE_ASKING", "POSTPONE_CHECKS", "POSTPONE_UNWANTED", "TABLES", "WAKE_PACKAGES"];
    assert_eq!(differ, [queue.as_slice(), &rows, &more].concat());
    for statement in Store::statements().filter(|s| !["BY_INDEX", "CHANNEL", "NOTIFY", "TABLES"].contains(&s.name)) {
        let packages = " ORDER BY package.ecosystem COLLATE \"C\", package.name COLLATE \"C\" FOR UPDATE OF package";
        let locks = [" FOR UPDATE SKIP LOCKED", packages, " COLLATE \"C\" FOR UPDATE"];
        let same = locks.iter().fold(statement.postgres.to_owned(), |text, lock| text.replace(lock, ""));
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
            ("DIGEST_PINS", "dependency USING INDEX dependency_pinned (ecosystem=? AND package=? AND repo_id>?)"),
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
            ("PARKED_COUNT", "work_parked"),
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

/// What a release asks the database, and each plan: its cost must grow with what is found, not with what is stored.
const BY_INDEX_ALONE: [&str; 29] = [
    "USERS",
    "USERS_SPAN",
    "INSTALLATIONS_USING",
    "DIGEST_PINS",
    "POSTPONE_UNWANTED",
    "WAKE_PACKAGES",
    "HASTEN",
    "PACKAGES_DUE",
    "PACKAGES",
    "RELEASES",
    "POSTPONE_CHECKS",
    "REPOSITORIES_BY_ID",
    "OF_REPOSITORIES",
    "ATTEMPTED_OF",
    "SUBSCRIBED_SINCE",
    "DEPENDENCY_COUNTS",
    "DEPENDENCIES_OF",
    "MANIFEST_TIMES",
    "OUTLOOKS",
    "LEDGERS_FOR",
    "RELEASE_TIMES",
    "FORGET_OUTLOOK",
    "NOTES_STANDINGS",
    "NOTED_VERSIONS",
    "NOTES",
    "LAST_TAG",
    "NOTES_WAITERS",
    "WAKE_WAITER",
    "FORGET_NOTES",
];

/// The steps of a database's plan, each with how deep it stands.
async fn steps_of(url: &str, statement: &Statement) -> Vec<String> {
    if url.starts_with("sqlite") {
        let mut database = SqliteConnection::connect(url).await.unwrap();
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.sqlite));
        let steps: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&mut database).await.unwrap();
        return steps.into_iter().map(|step| step.3).collect();
    }
    let mut database = PgConnection::connect(url).await.unwrap();
    // Empty tables are read whole by choice: that there is another way is the question.
    for way in ["seqscan", "hashjoin", "mergejoin", "bitmapscan"] {
        database.execute(AssertSqlSafe(format!("SET enable_{way} = off"))).await.unwrap();
    }
    let numbers = (1..20).rev().fold(statement.postgres.to_string(), |sql, n| sql.replace(&format!("${n}"), "'1'"));
    let explain = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {numbers}"));
    sqlx::query_scalar(explain).fetch_all(&mut database).await.unwrap()
}

/// The steps that go through a table, or an index, from one end to the other.
fn from_end_to_end(steps: &[String]) -> Vec<&String> {
    // SQLite says so itself; of rows that the statement brings along, too.
    let own = |step: &str| {
        step.ends_with("CONSTANT ROW")
            || step.ends_with("CONSTANT ROWS")
            || ["SCAN asked", "SCAN chosen", "SCAN users"].contains(&step)
    };
    let of_sqlite = |step: &&String| step.starts_with("SCAN ") && !own(step);
    // Postgres names the condition below the index it looks into.
    let of_postgres = |at: usize| {
        let step = &steps[at];
        let looks_up = steps.get(at + 1).is_some_and(|next| next.contains("Index Cond:"));
        step.contains("Seq Scan on") || (step.contains("Index") && step.contains("Scan using") && !looks_up)
    };
    let numbered = steps.iter().enumerate().filter(|(at, _)| of_postgres(*at)).map(|(_, step)| step);
    steps.iter().filter(of_sqlite).chain(numbered).collect()
}

both_databases! {
    async fn a_release_costs_as_much_as_it_has_users(url: String) {
        open(&url).await.close().await;
        for name in BY_INDEX_ALONE {
            let statement = Store::statements().find(|statement| statement.name == name).unwrap();
            let steps = steps_of(&url, &statement).await;
            assert!(steps.iter().any(|step| step.to_lowercase().contains("using")), "{name} uses no index: {steps:#?}");
            assert_eq!(from_end_to_end(&steps), [] as [&String; 0], "{name}: {steps:#?}");
        }
        let overview = Store::statements().find(|statement| statement.name == "REPOSITORIES").unwrap();
        let steps = steps_of(&url, &overview).await;
        assert_ne!(from_end_to_end(&steps), [] as [&String; 0], "this test cannot fail: {steps:#?}");
    }
}

/// What Postgres believes of the queue is as old as its last look at it: of a burst it knows nothing.
#[tokio::test]
async fn a_claim_goes_by_index_although_postgres_takes_the_queue_for_empty() {
    crate::databases::on_postgres(async |url: String| {
        open(&url).await.close().await;
        let mut database = PgConnection::connect(&url).await.unwrap();
        database.execute("VACUUM ANALYZE work").await.unwrap();
        let burst =
            "INSERT INTO work (id, step, subject, unique_key, installation_id, args, asks_github, patience, state,
                due_at, turn, attempts, expiries, created_at)
            SELECT 'id' || n, 'sync', 'repository:' || n, 'key:' || n, n % 50, '{}', TRUE, 0, 'queued', n, n, 0, 0, n
            FROM generate_series(1, 2000) AS n";
        database.execute(burst).await.unwrap();
        let statement = |name: &str| Store::statements().find(|statement| statement.name == name).unwrap().postgres;
        let claim = (1..5).rev().fold(statement("CLAIM").to_string(), |sql, n| sql.replace(&format!("${n}"), "'1'"));
        let plan = async |database: &mut PgConnection| {
            let explain = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {claim}"));
            sqlx::query_scalar::<_, String>(explain).fetch_all(database).await.unwrap().join("\n")
        };
        let left_alone = plan(&mut database).await;
        assert!(left_alone.contains("work_queued_by_installation"), "this test cannot fail:\n{left_alone}");
        let mut tx = database.begin().await.unwrap();
        tx.execute(statement("BY_INDEX")).await.unwrap();
        let told = plan(&mut tx).await;
        for index in ["work_ready_in_line on work candidate", "work_queued_by_subject", "work_pkey"] {
            assert!(told.contains(index), "{index} is not used:\n{told}");
        }
        for way in ["Sort", "Seq Scan", "Hash", "Bitmap", "Materialize"] {
            assert!(!told.contains(way), "{way}:\n{told}");
        }
    })
    .await;
}
