//! A release that thousands of repositories use: they are told of it a portion at a time, and none is forgotten.

use crate::{World, stories};
use jiff::SignedDuration;
use mass_driver::pipeline::watch;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use std::time::Duration;

const FILES: [(&str, &str); 2] =
    [("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", "delay: weekly\nsubscriptions: [pypi]\n")];
/// A transaction queues the plans of 2,000 repositories: this takes three.
const USERS: i64 = 4_101;

/// As many copies of the one repository, its file and its dependencies, as there are users besides it.
const COPIES: [&str; 4] = [
    "WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < 4100)
        INSERT INTO repository (id, installation_id, name, default_branch, private, fork, state, web_url, head_commit,
            head_tree, config_path, config_blob, config_state, config_problems, config_file, config_text, config_since,
            synced_at, indexed_commit, updated_at)
        SELECT id + n, installation_id, 'acme/copy-' || CAST(n AS TEXT), default_branch, private, fork, state, web_url,
            head_commit, head_tree, config_path, config_blob, config_state, config_problems, config_file, config_text,
            config_since, synced_at, indexed_commit, updated_at FROM repository, copy",
    "INSERT INTO subscription (repo_id, position, migration, ecosystem, delay, settings, since)
        SELECT copy.id, position, migration, ecosystem, delay, settings, since
        FROM subscription, repository AS copy WHERE copy.name LIKE 'acme/copy-%'",
    "INSERT INTO manifest (repo_id, path, manager, blob, mode, text, includes, updated_at)
        SELECT copy.id, path, manager, blob, mode, text, includes, manifest.updated_at
        FROM manifest, repository AS copy WHERE copy.name LIKE 'acme/copy-%'",
    "INSERT INTO dependency (repo_id, path, manager, ordinal, ecosystem, package, dependency, since)
        SELECT copy.id, path, manager, ordinal, ecosystem, package, dependency, since
        FROM dependency, repository AS copy WHERE copy.name LIKE 'acme/copy-%'",
];

async fn copy_the_repository(world: &World) {
    for statement in COPIES {
        if world.database_url.starts_with("sqlite") {
            let mut database = SqliteConnection::connect(&world.database_url).await.unwrap();
            sqlx::query(statement).execute(&mut database).await.unwrap();
        } else {
            let mut database = PgConnection::connect(&world.database_url).await.unwrap();
            sqlx::query(statement).execute(&mut database).await.unwrap();
        }
    }
}

/// How many repositories have their plan.
async fn planned(world: &World) -> i64 {
    const SQL: &str = "SELECT count(DISTINCT repo_id), count(*) FROM proposal WHERE state = 'waiting'";
    let (repositories, proposals): (i64, i64) = if world.database_url.starts_with("sqlite") {
        let mut database = SqliteConnection::connect(&world.database_url).await.unwrap();
        sqlx::query_as(SQL).fetch_one(&mut database).await.unwrap()
    } else {
        let mut database = PgConnection::connect(&world.database_url).await.unwrap();
        sqlx::query_as(SQL).fetch_one(&mut database).await.unwrap()
    };
    assert_eq!(repositories, proposals, "each has one proposal");
    repositories
}

/// How many repositories were told: they have their plan, or a step that makes it.
async fn told(world: &World) -> i64 {
    let depth = world.store.queue_depth().await.unwrap();
    planned(world).await + depth.iter().filter(|d| d.step == "plan").map(|d| d.count).sum::<i64>()
}

/// The first in line, claimed by a process that was not heard of again.
async fn claimed_and_lost(world: &World) -> Vec<String> {
    let now = world.clock_now();
    // Each claim gives the next few hundred their places in line.
    for _ in 0..5 {
        world.store.claim(now, Duration::ZERO, 0).await.unwrap();
    }
    let claimed = world.store.claim(now, Duration::ZERO, 10).await.unwrap();
    claimed.into_iter().map(|one| one.work.step).collect()
}

stories! {
    async fn a_release_with_thousands_of_users_reaches_all_of_them_whoever_dies_on_the_way(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.repository("acme/api", &FILES).await;
        copy_the_repository(&world).await;
        world.registry.release("httpx", "0.28.0");
        world.clock_moves(SignedDuration::from_mins(11));
        assert_eq!(watch::queue_due(&world.store, world.clock_now()).await.unwrap(), 1);
        let mut reached = 0;
        for portion in [2_000, 4_000, USERS] {
            let process = world.another_process();
            while told(&world).await == reached {
                assert!(process.worker().run_one().await.unwrap(), "{reached} of {USERS} were told, and nobody goes on");
            }
            reached = told(&world).await;
            assert_eq!(reached, portion);
            // The process ends, and with it its hold on what it claimed last: the next portion is among that.
            let lost = claimed_and_lost(&world).await;
            assert_eq!(lost.iter().any(|step| step == "announce"), portion < USERS, "{lost:?}");
        }
        world.work().await;
        assert_eq!(planned(&world).await, USERS);
    }
}
