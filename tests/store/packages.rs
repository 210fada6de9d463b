//! Packages, their releases, and who uses them.

use crate::databases::both_databases;
use crate::samples::{at, dependency, docker, pypi, user_of, write};
use jiff::SignedDuration;
use mass_driver::domain::{Content, Dependency, InstallationId, Release, RepoId, RepoState, Repository};
use mass_driver::store::{PackageRow, Store};

fn release(version: &str, seen: i64) -> Release {
    Release {
        version: version.into(),
        published_at: None,
        first_seen_at: at(seen),
        counts_from: at(seen),
        yanked: false,
        above_latest: false,
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

    async fn a_release_moves_only_from_where_it_was_seen(store: Store) {
        user_of(&store, 1, &["httpx"]).await;
        let httpx = pypi("httpx");
        let content = |digest: &str, since| Content { digest: digest.into(), since: at(since) };
        write(&store, async |tx| {
            tx.save_releases(&httpx, &[release("0.28.0", 100)], &[]).await.unwrap();
            tx.package_checked(&httpx, Some("\"e1\""), at(110), at(200)).await.unwrap();
        }).await;
        let moves = async |version: &str, before: Option<&str>, now: Content| {
            let mut tx = store.begin().await.unwrap();
            let moved = tx.move_release((&httpx, version), before, &now).await.unwrap();
            tx.commit().await.unwrap();
            let found = store.releases_of(std::slice::from_ref(&httpx)).await.unwrap().remove(&httpx).unwrap();
            assert_eq!(found.len(), 1, "none is made by it");
            (moved, found[0].content.clone(), store.package(&httpx).await.unwrap().unwrap().etag)
        };
        let etag = || Some("\"e1\"".to_string());
        assert_eq!(moves("0.28.0", Some("a"), content("b", 300)).await, (false, None, etag()));
        assert_eq!(moves("0.29.0", None, content("b", 300)).await, (false, None, etag()));
        assert_eq!(moves("0.28.0", None, content("a", 300)).await, (true, Some(content("a", 300)), None));
        assert_eq!(moves("0.28.0", Some("b"), content("c", 400)).await, (false, Some(content("a", 300)), None));
        assert_eq!(moves("0.28.0", Some("a"), content("b", 400)).await, (true, Some(content("b", 400)), None));
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

    /// Found unwanted by one process, while another takes in its first user.
    async fn a_package_is_not_put_off_that_somebody_uses_by_now(store: Store) {
        let (httpx, rich) = (pypi("httpx"), pypi("rich"));
        write(&store, async |tx| tx.ensure_packages([&httpx, &rich], at(50)).await.unwrap()).await;
        let found = store.packages_unwanted(at(60), 10).await.unwrap();
        assert_eq!(found.len(), 2);
        user_of(&store, 1, &["httpx"]).await;
        write(&store, async |tx| tx.postpone_unwanted(&found, at(3_660)).await.unwrap()).await;
        assert_eq!(names(store.packages_due(at(100), 10).await.unwrap()), ["httpx"]);
        assert_eq!(store.package(&rich).await.unwrap().unwrap().next_check_at, at(3_660));
        // What was touched since is somebody's by now, or was put off by another.
        write(&store, async |tx| tx.postpone_unwanted(&found, at(9_000)).await.unwrap()).await;
        assert_eq!(store.package(&rich).await.unwrap().unwrap().next_check_at, at(3_660));
    }

    async fn whoever_is_just_becoming_a_user_is_seen(store: Store) {
        let names: Vec<String> = (0..40).map(|n| format!("p{n}")).collect();
        let packages: Vec<_> = names.iter().map(|name| pypi(name)).collect();
        for round in 0..10_i64 {
            let now = at(10_000 * (round + 1));
            write(&store, async |tx| {
                tx.ensure_packages(&packages, at(50)).await.unwrap();
                tx.postpone_checks(&packages, now).await.unwrap();
                tx.remove_manifest(RepoId(1), &crate::samples::path("requirements.txt"), "pip_requirements").await.unwrap();
            }).await;
            let found = store.packages_unwanted(now, 100).await.unwrap();
            assert_eq!(found.len(), 40);
            let put_off = async {
                let mut tx = store.begin().await.unwrap();
                tx.postpone_unwanted(&found, now + SignedDuration::from_hours(1)).await.unwrap();
                tx.commit().await.unwrap();
            };
            let use_them = async {
                user_of(&store, 1, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
                let later = now + SignedDuration::from_secs(1);
                write(&store, async |tx| tx.wake_packages(&[RepoId(1)], later, later).await.unwrap()).await;
            };
            tokio::join!(put_off, use_them);
            assert_eq!(store.packages_due(now + SignedDuration::from_secs(1), 100).await.unwrap().len(), 40);
        }
    }

    async fn a_repositorys_new_packages_are_woken(store: Store) {
        user_of(&store, 1, &["httpx", "rich", "yanked"]).await;
        let (httpx, rich, yanked) = (pypi("httpx"), pypi("rich"), pypi("yanked"));
        write(&store, async |tx| {
            for package in [&httpx, &rich] {
                tx.package_checked(package, None, at(200), at(90_000)).await.unwrap();
            }
            tx.package_failed(&yanked, "503", at(90_000)).await.unwrap();
            tx.wake_new_packages(RepoId(1), at(200), at(100)).await.unwrap();
        }).await;
        assert_eq!(names(store.packages_due(at(80_000), 10).await.unwrap()), [] as [&str; 0], "they were looked at lately");
        write(&store, async |tx| tx.wake_new_packages(RepoId(1), at(201), at(101)).await.unwrap()).await;
        assert_eq!(names(store.packages_due(at(80_000), 10).await.unwrap()), [] as [&str; 0], "used since 100, not since 101");
        write(&store, async |tx| tx.wake_new_packages(RepoId(1), at(201), at(100)).await.unwrap()).await;
        assert_eq!(names(store.packages_due(at(100), 10).await.unwrap()), ["httpx", "rich"], "the third failed");
    }

    /// It was queued just before its user's index was stored, say.
    async fn a_first_look_that_is_under_way_is_not_asked_for_again(store: Store) {
        user_of(&store, 1, &["due", "put-off", "under-way"]).await;
        write(&store, async |tx| {
            tx.postpone_checks([&pypi("under-way")], at(100 + 5 * 60)).await.unwrap();
            tx.postpone_checks([&pypi("put-off")], at(100 + 60 * 60)).await.unwrap();
            tx.wake_new_packages(RepoId(1), at(50), at(100)).await.unwrap();
        }).await;
        assert_eq!(names(store.packages_due(at(100), 10).await.unwrap()), ["due", "put-off"]);
        // Whoever was looked at once is looked at again as soon as that was long ago.
        write(&store, async |tx| {
            tx.package_checked(&pypi("under-way"), None, at(40), at(200)).await.unwrap();
            tx.wake_new_packages(RepoId(1), at(50), at(100)).await.unwrap();
        }).await;
        assert_eq!(names(store.packages_due(at(100), 10).await.unwrap()), ["due", "put-off", "under-way"]);
    }

    /// Rows are locked in one order: otherwise one of two that want the same rows is told that they waited for each other.
    async fn looks_are_put_off_and_hastened_at_once_by_several(store: Store) {
        let names: Vec<String> = (0..300).map(|n| format!("p{n}")).collect();
        user_of(&store, 1, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let backwards: Vec<_> = names.iter().rev().map(|name| pypi(name)).collect();
        for round in 0..20_i64 {
            let woken = async {
                write(&store, async |tx| tx.wake_packages(&[RepoId(1)], at(9_000), at(1_000 + round)).await.unwrap()).await;
            };
            let put_off = async {
                write(&store, async |tx| tx.postpone_checks(&backwards, at(5_000 + round)).await.unwrap()).await;
            };
            tokio::join!(woken, put_off);
        }
    }

    async fn an_installation_is_named_once_for_a_package_however_often_it_uses_it(store: Store) {
        for id in 1..=6 {
            user_of(&store, id, &["httpx"]).await;
            let of_another = Repository {
                installation: InstallationId(if id <= 4 { 7 } else { 8 }),
                ..crate::samples::repository(id, &format!("acme/r{id}"))
            };
            write(&store, async |tx| tx.save_repository(&of_another, at(100)).await.unwrap()).await;
        }
        let httpx = pypi("httpx");
        let using = async |from, most| -> Vec<(i64, i64)> {
            let found = store.installations_using(&httpx, RepoId(from), most).await.unwrap();
            found.into_iter().map(|(installation, repo)| (installation.0, repo.0)).collect()
        };
        assert_eq!(using(0, 100).await, [(7, 1), (8, 5)]);
        assert_eq!(using(0, 4).await, [(7, 1)], "so many repositories are looked at");
        assert_eq!(using(3, 4).await, [(7, 3), (8, 5)]);
        assert_eq!(using(7, 4).await, []);
        let file = crate::samples::path("requirements.txt");
        let uses = [1, 2, 3].map(|line| dependency("requirements.txt", httpx.clone(), line));
        write(&store, async |tx| {
            tx.replace_dependencies(RepoId(1), &file, "pip_requirements", &uses, at(100)).await.unwrap();
        }).await;
        assert_eq!(using(0, 5).await, [(7, 1), (8, 5)], "repositories are counted, not their uses");
        assert_eq!(store.users_span(&httpx).await.unwrap(), Some((RepoId(1), RepoId(6))));
        assert_eq!(store.users_span(&docker("httpx")).await.unwrap(), None);
    }

    async fn pins_are_found_among_many_uses(store: Store) {
        user_of(&store, 1, &["httpx"]).await;
        let file = crate::samples::path("requirements.txt");
        let pinned = Dependency { digest: Some("sha256:1".into()), ..dependency("requirements.txt", docker("python"), 1) };
        let plain = Dependency {
            written_name: "\"digest\":\"no\"".into(),
            ..dependency("requirements.txt", docker("python"), 2)
        };
        write(&store, async |tx| {
            let uses = [plain.clone(), pinned.clone(), pinned.clone()];
            tx.replace_dependencies(RepoId(1), &file, "pip_requirements", &uses, at(1)).await.unwrap();
        }).await;
        assert_eq!(store.digest_pins(&docker("python"), RepoId(1), 10).await.unwrap(), [pinned.clone(), pinned.clone()]);
        assert_eq!(store.digest_pins(&docker("python"), RepoId(1), 1).await.unwrap().len(), 1);
        assert_eq!(store.digest_pins(&docker("python"), RepoId(2), 10).await.unwrap(), [], "from another one on");
        assert_eq!(store.digest_pins(&docker("httpx"), RepoId(1), 10).await.unwrap(), []);
        write(&store, async |tx| {
            tx.replace_dependencies(RepoId(1), &file, "pip_requirements", &[plain], at(1)).await.unwrap();
        }).await;
        assert_eq!(store.digest_pins(&docker("python"), RepoId(1), 10).await.unwrap(), []);
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
        let yanked =
            Release { yanked: true, above_latest: true, counts_from: at(33), requires_python, ..release("0.28.0", 99) };
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
