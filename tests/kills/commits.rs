//! Killed while a transaction is being committed: either all of it is there afterwards, or nothing.

use crate::databases::{on_another, on_postgres, on_sqlite};
use crate::line::{Line, Rule};
use crate::points::{course, the_course_ended_well};
use crate::world::{World, until};
use futures_util::future::join_all;
use github_sim::{Fault, FaultKind, Gate};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _};
use std::str::FromStr as _;
use std::time::Duration;

/// A line to the database that a URL names, and the URL by which it is reached over that line.
pub async fn line_to(database: &str, rule: Rule) -> (Line, String) {
    let options = PgConnectOptions::from_str(database).unwrap();
    let place = format!("{}:{}", options.get_host(), options.get_port());
    let addresses = tokio::net::lookup_host(&place).await;
    let address = addresses.unwrap_or_else(|error| panic!("{place} cannot be found: {error}")).next().unwrap();
    let line = Line::open(rule).await;
    line.leads_to(Some(address));
    assert!(database.contains(&place), "DATABASE_URL_TEST has to name host and port: it has no `{place}`");
    // Commits are recognised on the line, which encryption would hide.
    let over_the_line = database.replacen(&place, &line.address.to_string(), 1) + "&sslmode=disable";
    (line, over_the_line)
}

/// How many commits the course takes is not fixed; these, counted from the start's end, are spread over it.
const COMMITS: [usize; 6] = [2, 6, 11, 16, 22, 28];

/// The first process works over a line that loses one commit, or its answer, and is killed while it waits for that.
async fn killed_during_commit(database: &str, loses: fn(usize) -> Rule, commit: usize) {
    let world = World::begin(database).await;
    let (line, over_the_line) = line_to(database, Rule::Passes).await;
    let bot = world.start_with(&world.settings_on(&over_the_line)).await;
    // The migrations commit, too, and there are more of them with every version.
    let rule = loses(line.commits() + commit);
    line.rule(rule);
    let mut killed = false;
    let mut doom = || {
        let struck = !killed && line.has_struck();
        killed |= struck;
        struck.then_some(Duration::ZERO)
    };
    let bot = course(&world, bot, &mut doom).await;
    assert!(killed, "the course took {} commits: {rule:?} never struck", line.commits());
    the_course_ended_well(&world);
    world.the_end(bot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_07_killed_while_a_commit_is_on_its_way_to_postgres() {
    on_postgres(async |url| {
        let each = async |commit, url: String| killed_during_commit(&url, Rule::LosesCommit, commit).await;
        join_all(COMMITS.map(|commit| on_another(&url, async move |url| each(commit, url).await))).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_before_the_answer_to_a_commit_comes_back_from_postgres() {
    on_postgres(async |url| {
        let each = async |commit, url: String| killed_during_commit(&url, Rule::LosesCommitsAnswer, commit).await;
        join_all(COMMITS.map(|commit| on_another(&url, async move |url| each(commit, url).await))).await;
    })
    .await;
}

/// Somebody else writes to the file just when the outcome of a request is to be stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_waiting_for_the_write_lock_of_sqlite() {
    on_sqlite(async |url| {
        let world = World::begin(&url).await;
        let mut bot = world.start().await;
        for path in ["/repos/*/*/git/blobs/*", "/repos/*/*/git/trees", "/repos/*/*/pulls", "/repos/*/*/issues/*/labels"]
        {
            let gate = Gate::default();
            world.github.fault(Fault::once("*", path, FaultKind::Wait(gate.clone())));
            if world.github.repositories().is_empty() {
                world.releases("httpx", &["0.27.0", "0.28.0"]);
                world.organization("acme");
                let file = (".mass-driver.yaml", "labels: [deps]\nsubscriptions: [pypi]\n");
                world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), file]);
            }
            gate.reached_by(1).await;
            let mut other = SqliteConnectOptions::from_str(&url).unwrap().connect().await.unwrap();
            other.execute("BEGIN IMMEDIATE").await.unwrap();
            let mark = world.github.mark();
            gate.open();
            until("the request is answered", async || world.github.mark() > mark).await;
            world.kill(bot).await;
            other.execute("ROLLBACK").await.unwrap();
            bot = world.start().await;
        }
        let bot = world.settle(bot, &mut || None).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        world.the_end(bot).await;
    })
    .await;
}
