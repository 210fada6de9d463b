//! Packages, their releases, and who uses them.

use crate::databases::both_databases;
use crate::samples::{at, docker, pypi, user_of, write};
use mass_driver::domain::{InstallationId, Release, RepoId, RepoState};
use mass_driver::store::{PackageRow, Store};

fn release(version: &str, seen: i64) -> Release {
    Release {
        version: version.into(),
        published_at: None,
        first_seen_at: at(seen),
        counts_from: at(seen),
        yanked: false,
        content: None,
        requires_python: None,
    }
}

fn names(rows: Vec<PackageRow>) -> Vec<String> {
    rows.into_iter().map(|row| row.package.name).collect()
}

both_databases! {
    async fn a_package_is_asked_about_when_due(store: Store) {
        user_of(&store, 1, &["httpx", "rich"]).await;
        let httpx = pypi("httpx");
        write(&store, async |tx| tx.ensure_packages([&httpx], at(500)).await.unwrap()).await;
        assert_eq!(names(store.packages_due(at(99), 10).await.unwrap()), [] as [&str; 0]);
        assert_eq!(names(store.packages_due(at(100), 10).await.unwrap()), ["httpx", "rich"]);
        assert_eq!(names(store.packages_due(at(100), 1).await.unwrap()), ["httpx"]);

        write(&store, async |tx| {
            tx.package_checked(&httpx, Some("\"e1\""), at(110), at(200)).await.unwrap();
            tx.package_failed(&httpx, "503", at(210)).await.unwrap();
            tx.package_failed(&httpx, "504", at(220)).await.unwrap();
        }).await;
        assert_eq!(names(store.packages_due(at(219), 10).await.unwrap()), ["rich"]);
        let row = store.package(&httpx).await.unwrap().unwrap();
        assert_eq!((row.failures, row.last_error.as_deref()), (2, Some("504")));
        assert_eq!((row.etag.as_deref(), row.checked_at, row.next_check_at), (Some("\"e1\""), Some(at(110)), at(220)));
        write(&store, async |tx| tx.package_checked(&httpx, None, at(220), at(300)).await.unwrap()).await;
        let row = store.package(&httpx).await.unwrap().unwrap();
        assert_eq!((row.failures, row.last_error, row.etag), (0, None, None));
        assert_eq!(store.package(&docker("httpx")).await.unwrap(), None);
    }

    async fn looks_are_put_off_together(store: Store) {
        user_of(&store, 1, &["httpx", "pytest", "rich"]).await;
        let (httpx, rich) = (pypi("httpx"), pypi("rich"));
        write(&store, async |tx| tx.postpone_checks([&rich, &httpx, &rich], at(300)).await.unwrap()).await;
        assert_eq!(names(store.packages_due(at(299), 10).await.unwrap()), ["pytest"]);
        assert_eq!(names(store.packages_due(at(300), 10).await.unwrap()), ["pytest", "httpx", "rich"]);
        write(&store, async |tx| tx.postpone_checks([&docker("httpx")], at(400)).await.unwrap()).await;
        assert_eq!(store.package(&docker("httpx")).await.unwrap(), None, "it makes no package known");
    }

    async fn only_active_subscribers_count_as_users(store: Store) {
        user_of(&store, 1, &["httpx"]).await;
        user_of(&store, 2, &["httpx", "rich"]).await;
        user_of(&store, 3, &["rich"]).await;
        let httpx = pypi("httpx");
        let users = async |store: &Store| -> Vec<i64> {
            store.users_of(&httpx, None, 10).await.unwrap().into_iter().map(|(repo, _)| repo.0).collect()
        };
        assert_eq!(users(&store).await, [1, 2]);
        let from = async |after, limit| -> Vec<i64> {
            store.users_of(&httpx, after, limit).await.unwrap().into_iter().map(|(repo, _)| repo.0).collect()
        };
        assert_eq!(from(None, 1).await, [1]);
        assert_eq!(from(Some(RepoId(1)), 1).await, [2]);
        assert_eq!(from(Some(RepoId(2)), 1).await, [] as [i64; 0]);
        assert_eq!(store.users_of(&httpx, None, 10).await.unwrap()[0], (RepoId(1), InstallationId(7)));
        assert_eq!(store.users_of(&docker("httpx"), None, 10).await.unwrap(), []);

        write(&store, async |tx| {
            tx.set_listed_state((InstallationId(7), RepoId(1)), RepoState::Archived, at(200)).await.unwrap();
        }).await;
        assert_eq!(users(&store).await, [2]);
        write(&store, async |tx| {
            tx.replace_subscriptions(RepoId(2), &[crate::samples::subscription("docker")], at(200)).await.unwrap();
        }).await;
        assert_eq!(users(&store).await, [] as [i64; 0]);
        assert_eq!(names(store.packages_due(at(300), 10).await.unwrap()), ["rich"], "nobody wants to know of httpx");
    }

    async fn two_entries_for_one_ecosystem_are_one_user(store: Store) {
        user_of(&store, 1, &["httpx"]).await;
        let twice = [crate::samples::subscription("pypi"), crate::samples::subscription("pypi")];
        write(&store, async |tx| { tx.replace_subscriptions(RepoId(1), &twice, at(200)).await.unwrap(); }).await;
        assert_eq!(store.users_of(&pypi("httpx"), None, 10).await.unwrap().len(), 1);
        assert_eq!(store.packages_due(at(300), 10).await.unwrap().len(), 1);
    }

    async fn releases_keep_when_they_were_first_seen(store: Store) {
        let (httpx, rich) = (pypi("httpx"), pypi("rich"));
        let dated = Release { published_at: Some(at(5)), counts_from: at(5), ..release("0.27.0", 10) };
        write(&store, async |tx| {
            tx.ensure_packages([&httpx, &rich, &httpx], at(1)).await.unwrap();
            tx.save_releases(&httpx, &[release("0.28.0", 20), dated.clone()], &[]).await.unwrap();
            tx.save_releases(&rich, &[release("1", 1)], &[]).await.unwrap();
        }).await;
        let asked = [httpx.clone(), rich.clone(), httpx.clone(), docker("httpx")];
        let releases = store.releases_of(&asked).await.unwrap();
        assert_eq!(releases.len(), 2);
        assert_eq!(releases[&httpx], [dated.clone(), release("0.28.0", 20)]);
        assert_eq!(store.releases_of(&[]).await.unwrap().len(), 0);

        let requires_python = Some(">=3.9".to_owned());
        let yanked = Release { yanked: true, counts_from: at(33), requires_python, ..release("0.28.0", 99) };
        write(&store, async |tx| {
            tx.save_releases(&httpx, &[yanked.clone(), yanked.clone()], &["0.27.0".into(), "never".into()]).await.unwrap();
        }).await;
        let releases = store.releases_of(std::slice::from_ref(&httpx)).await.unwrap();
        assert_eq!(releases[&httpx], [Release { first_seen_at: at(20), ..yanked }]);

        // What was gone and comes back may be something else: it is as young as its return.
        write(&store, async |tx| tx.save_releases(&httpx, &[release("0.27.0", 50)], &[]).await.unwrap()).await;
        let releases = store.releases_of(std::slice::from_ref(&httpx)).await.unwrap();
        assert_eq!(releases[&httpx][1].first_seen_at, at(50));
    }

    async fn packages_with_thousands_of_releases(store: Store) {
        let packages: Vec<_> = (0..600).map(|n| pypi(&format!("p{n}"))).collect();
        let many: Vec<Release> = (0..2500).map(|n| release(&format!("1.{n}"), n)).collect();
        write(&store, async |tx| {
            tx.ensure_packages(&packages, at(1)).await.unwrap();
            for package in &packages {
                tx.save_releases(package, &[release("1", 1)], &[]).await.unwrap();
            }
            tx.save_releases(&packages[0], &many, &[]).await.unwrap();
        }).await;
        let releases = store.releases_of(&packages).await.unwrap();
        assert_eq!((releases.len(), releases[&packages[0]].len()), (600, 2501));
    }
}
