//! The files a repository is watched for, and the packages in them.

use crate::databases::both_databases;
use crate::samples::{at, dependency, docker, manifest, object, path, pypi, repository, write};
use mass_driver::domain::{FileMode, RepoId, Skip};
use mass_driver::store::Manifest;
use std::collections::BTreeSet;

const REPO: RepoId = RepoId(1);

both_databases! {
    async fn manifests_come_change_and_go(store: Store) {
        let first = Manifest { includes: vec![path("base.txt"), path("dev/x.txt")], ..manifest("requirements.txt") };
        let script = Manifest { mode: FileMode::Executable, problem: Some("line 3: odd".into()), ..manifest("run") };
        write(&store, async |tx| {
            tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap();
            tx.save_manifest(REPO, &first, at(1)).await.unwrap();
            tx.save_manifest(REPO, &script, at(1)).await.unwrap();
        }).await;
        let tracked: Vec<String> = store.tracked_paths(REPO).await.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(tracked, ["base.txt", "dev/x.txt", "requirements.txt", "run"]);
        assert_eq!(store.manifest_problems(REPO).await.unwrap(), [(path("run"), "line 3: odd".to_string())]);
        let changed = Manifest { blob: object('d'), text: "\u{feff}a==1\r\nb".into(), ..manifest("requirements.txt") };
        write(&store, async |tx| {
            tx.save_manifest(REPO, &changed, at(2)).await.unwrap();
            assert!(!tx.remove_manifest(REPO, &path("run"), "another").await.unwrap());
        }).await;
        let rows = store.manifests(REPO).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.updated_at).collect::<Vec<_>>(), [at(2), at(1)]);
        assert_eq!(rows.into_iter().map(|row| row.manifest).collect::<Vec<_>>(), [changed, script]);
        write(&store, async |tx| {
            assert!(tx.remove_manifest(REPO, &path("run"), "pip_requirements").await.unwrap());
            assert!(tx.remove_manifest(REPO, &path("requirements.txt"), "pip_requirements").await.unwrap());
        }).await;
        assert!(store.tracked_paths(REPO).await.unwrap().is_empty());
    }

    async fn lock_files_come_and_go(store: Store) {
        let set = |paths: &[&str]| paths.iter().map(|text| path(text)).collect::<BTreeSet<_>>();
        let (first, second) = (set(&["Cargo.lock", "web/yarn.lock"]), set(&["web/bun.lock", "web/yarn.lock"]));
        write(&store, async |tx| {
            tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap();
            tx.save_repository(&repository(2, "acme/web"), at(1)).await.unwrap();
            tx.replace_lock_files(REPO, &set(&[]), &first).await.unwrap();
            tx.replace_lock_files(RepoId(2), &set(&[]), &first).await.unwrap();
        }).await;
        assert_eq!(store.lock_files(REPO).await.unwrap(), first);
        write(&store, async |tx| tx.replace_lock_files(REPO, &first, &second).await.unwrap()).await;
        assert_eq!(store.lock_files(REPO).await.unwrap(), second);
        assert_eq!(store.lock_files(RepoId(2)).await.unwrap(), first, "another repository's stay");
        write(&store, async |tx| tx.replace_lock_files(REPO, &second, &set(&[])).await.unwrap()).await;
        assert!(store.lock_files(REPO).await.unwrap().is_empty());
    }

    async fn developed_packages_go_with_their_manifest(store: Store) {
        let (a, b) = (path("a.txt"), path("b.txt"));
        let manager = "pip_requirements";
        write(&store, async |tx| {
            tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap();
            tx.save_manifest(REPO, &manifest("a.txt"), at(1)).await.unwrap();
            tx.save_manifest(REPO, &manifest("b.txt"), at(1)).await.unwrap();
            tx.set_developed(REPO, &a, manager, Some(&pypi("ours"))).await.unwrap();
            tx.set_developed(REPO, &b, manager, Some(&docker("theirs"))).await.unwrap();
        }).await;
        let developed = async || store.developed(&[REPO, RepoId(2)]).await.unwrap().remove(&REPO).unwrap_or_default();
        assert_eq!(developed().await, [pypi("ours"), docker("theirs")].into());
        write(&store, async |tx| {
            tx.save_manifest(REPO, &manifest("a.txt"), at(2)).await.unwrap();
            tx.set_developed(REPO, &b, manager, None).await.unwrap();
        }).await;
        assert_eq!(developed().await, [pypi("ours")].into());
        write(&store, async |tx| assert!(tx.remove_manifest(REPO, &a, manager).await.unwrap())).await;
        assert!(developed().await.is_empty());
    }

    async fn a_dependency_keeps_its_age_within_its_file(store: Store) {
        let (a, b) = (path("a.txt"), path("b.txt"));
        let manager = "pip_requirements";
        let httpx = dependency("a.txt", pypi("httpx"), 1);
        write(&store, async |tx| {
            tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap();
            tx.save_manifest(REPO, &manifest("a.txt"), at(1)).await.unwrap();
            tx.save_manifest(REPO, &manifest("b.txt"), at(1)).await.unwrap();
            tx.replace_dependencies(REPO, &a, manager, std::slice::from_ref(&httpx), at(1)).await.unwrap();
        }).await;
        let mut moved = dependency("a.txt", pypi("httpx"), 7);
        moved.current = Some("0.28.0".into());
        let mut skipped = dependency("a.txt", docker("httpx"), 8);
        skipped.skip = Some(Skip::NotUnderstood("what is `==`?".into()));
        let elsewhere = dependency("b.txt", pypi("httpx"), 1);
        write(&store, async |tx| {
            tx.replace_dependencies(REPO, &a, manager, &[moved.clone(), skipped.clone()], at(5)).await.unwrap();
            tx.replace_dependencies(REPO, &b, manager, std::slice::from_ref(&elsewhere), at(6)).await.unwrap();
        }).await;
        let rows = store.dependencies(REPO).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.since).collect::<Vec<_>>(), [at(1), at(5), at(6)]);
        assert_eq!(rows.into_iter().map(|row| row.dependency).collect::<Vec<_>>(), [moved, skipped, elsewhere]);
        write(&store, async |tx| {
            tx.remove_manifest(REPO, &a, manager).await.unwrap();
        }).await;
        assert_eq!(store.dependencies(REPO).await.unwrap().len(), 1, "they go with their file");
    }

    async fn a_file_may_name_a_thousand_packages(store: Store) {
        let file = path("requirements.txt");
        let many: Vec<_> =
            (1..=1234).map(|n| dependency("requirements.txt", pypi(&format!("p{n}")), n)).collect();
        write(&store, async |tx| {
            tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap();
            tx.save_manifest(REPO, &manifest("requirements.txt"), at(1)).await.unwrap();
            tx.replace_dependencies(REPO, &file, "pip_requirements", &many, at(1)).await.unwrap();
        }).await;
        let heads = store.manifest_heads(REPO).await.unwrap();
        assert_eq!((heads.len(), &heads[0].path, heads[0].dependencies), (1, &file, 1234));
        let stored: Vec<_> =
            store.dependencies(REPO).await.unwrap().into_iter().map(|row| row.dependency).collect();
        assert_eq!(stored, many);
    }
}
