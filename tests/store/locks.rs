//! Rows that several want at once are locked in one order by all: otherwise one of two is told that they waited for each other.

use crate::databases::{on_postgres, open};
use crate::samples::{at, dependency, docker, manifest, path, pypi, repository, subscription, write};
use mass_driver::domain::{Dependency, PackageId, RepoId};
use mass_driver::store::StoreError;
use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::Barrier;

/// As a database that was made with `en_US.UTF-8` sorts: `aB` stands before `Ab`, which bytes have the other way round.
const SORTED_AS_BY_PEOPLE: &str = "ALTER TABLE package ALTER COLUMN ecosystem TYPE TEXT COLLATE \"en-x-icu\",
    ALTER COLUMN name TYPE TEXT COLLATE \"en-x-icu\"";

/// More than one statement takes, of two ecosystems, whose order is not that of their words.
fn packages() -> Vec<PackageId> {
    let name = |n: usize| if n.is_multiple_of(2) { format!("a{n:04}") } else { format!("A{n:04}") };
    (0..900).map(|n| if n % 3 == 0 { docker(&name(n)) } else { pypi(&name(n)) }).collect()
}

/// Woken for repositories, put off because they are looked at, and put off because nobody wants them.
async fn packages_are_locked_in_one_order(url: String, before: &str) {
    let store = open(&url).await;
    PgConnection::connect(&url).await.unwrap().execute(sqlx::AssertSqlSafe(before.to_owned())).await.unwrap();
    let packages = packages();
    let backwards: Vec<PackageId> = packages.iter().rev().cloned().collect();
    let repos = [RepoId(1), RepoId(2)];
    for (repo, used) in repos.into_iter().zip([&packages, &backwards]) {
        write(&store, async |tx| {
            tx.save_repository(&repository(repo.0, &format!("acme/r{}", repo.0)), at(100)).await.unwrap();
            tx.replace_subscriptions(repo, &[subscription("npm")], at(100)).await.unwrap();
            tx.save_manifest(repo, &manifest("requirements.txt"), at(100)).await.unwrap();
            let uses: Vec<Dependency> =
                used.iter().zip(1..).map(|(one, line)| dependency("requirements.txt", one.clone(), line)).collect();
            let file = path("requirements.txt");
            tx.replace_dependencies(repo, &file, "pip_requirements", &uses, at(100)).await.unwrap();
            tx.ensure_packages(used, at(100)).await.unwrap();
        })
        .await;
    }
    for round in 0..10_i64 {
        let mut unwanted = store.packages_unwanted(at(1_000_000), 1_000).await.unwrap();
        assert_eq!(unwanted.len(), packages.len(), "used, but not subscribed to");
        unwanted.sort_by(|one, other| other.package.cmp(&one.package));
        tokio::join!(
            write(&store, async |tx| tx.wake_packages(&repos, at(9_000), at(1_000 + round)).await.unwrap()),
            write(&store, async |tx| tx.wake_packages(&repos[1..], at(9_000), at(2_000 + round)).await.unwrap()),
            write(&store, async |tx| tx.postpone_checks(&backwards, at(5_000 + round)).await.unwrap()),
            write(&store, async |tx| tx.postpone_unwanted(&unwanted, at(8_000 + round)).await.unwrap()),
            write(&store, async |tx| tx.postpone_checks(&packages, at(6_000 + round)).await.unwrap()),
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packages_are_locked_in_one_order_however_many() {
    on_postgres(async |url| packages_are_locked_in_one_order(url, "SELECT").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packages_are_locked_in_one_order_whatever_the_databases_order() {
    on_postgres(async |url| packages_are_locked_in_one_order(url, SORTED_AS_BY_PEOPLE).await).await;
}

/// Two that wait for each other all the same: one of them is told that the same may work later, and so it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_to_give_way_may_try_again() {
    on_postgres(async |url| {
        let store = open(&url).await;
        let (one, other) = (pypi("a"), pypi("b"));
        write(&store, async |tx| tx.ensure_packages([&one, &other], at(100)).await.unwrap()).await;
        let both_have_one = Barrier::new(2);
        let take = async |first: &PackageId, second: &PackageId| {
            let mut tx = store.begin().await?;
            tx.postpone_checks([first], at(200)).await?;
            both_have_one.wait().await;
            tx.postpone_checks([second], at(200)).await?;
            tx.commit().await
        };
        let (forth, back) = tokio::join!(take(&one, &other), take(&other, &one));
        let gave_way: Vec<StoreError> = [forth, back].into_iter().filter_map(Result::err).collect();
        assert!(matches!(gave_way[..], [StoreError::Unavailable(_)]), "{gave_way:?}");
        write(&store, async |tx| tx.postpone_checks([&one, &other], at(300)).await.unwrap()).await;
        assert_eq!(store.package(&one).await.unwrap().unwrap().next_check_at, at(300));
    })
    .await;
}
