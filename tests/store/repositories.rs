//! Installations, repositories and their subscription files.

use crate::databases::both_databases;
use crate::samples::{at, object, path, repository, subscription, write};
use mass_driver::domain::{Head, InstallationId, RepoId, RepoName, RepoState, Repository};
use mass_driver::store::{Config, ConfigState, Installation, Store};
use serde_json::json;

fn installation(id: i64, account: &str) -> Installation {
    Installation {
        id: InstallationId(id),
        account: account.into(),
        account_kind: "Organization".into(),
        suspended: false,
        removed: false,
    }
}

both_databases! {
    async fn installations_come_and_go(store: Store) {
        let id = InstallationId(7);
        write(&store, async |tx| {
            tx.save_installation(&installation(7, "zoo"), at(1)).await.unwrap();
            tx.save_installation(&installation(8, "acme"), at(1)).await.unwrap();
            let suspended = Installation { suspended: true, ..installation(7, "zoo") };
            tx.save_installation(&suspended, at(2)).await.unwrap();
            assert!(tx.set_installation_removed(id, true, at(3)).await.unwrap());
            assert!(!tx.set_installation_removed(InstallationId(9), true, at(3)).await.unwrap());
        }).await;
        let row = store.installation(id).await.unwrap().unwrap();
        assert_eq!((row.installation.suspended, row.installation.removed, row.updated_at), (true, true, at(3)));
        write(&store, async |tx| tx.save_installation(&installation(7, "zoo"), at(4)).await.unwrap()).await;
        assert_eq!(store.installation(id).await.unwrap().unwrap().installation, installation(7, "zoo"));
        let accounts: Vec<String> =
            store.installations(10).await.unwrap().into_iter().map(|row| row.installation.account).collect();
        assert_eq!(accounts, ["acme", "zoo"]);
    }

    async fn what_github_tells_leaves_the_rest_alone(store: Store) {
        let repo = RepoId(1);
        let head = Head { commit: object('a'), tree: object('b') };
        let config = Config {
            path: Some(path(".mass-driver.yaml")),
            blob: Some(object('c')),
            state: ConfigState::Broken,
            problems: json!([{ "line": 3, "what": "unknown migration `pipy`" }]),
            file: Some(json!({ "limit": 5 })),
            text: Some("subscriptions:\n  - migration: pipy\n".into()),
            since: Some(at(5)),
        };
        write(&store, async |tx| {
            tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap();
        }).await;
        assert_eq!(store.repository(repo).await.unwrap().unwrap().config, Config::none());
        write(&store, async |tx| {
            tx.set_head(repo, Some(&head), at(2)).await.unwrap();
            tx.save_config(repo, &config, at(2)).await.unwrap();
            tx.set_synced(repo, at(3)).await.unwrap();
            tx.set_indexed(repo, &object('a'), at(3)).await.unwrap();
            tx.set_note(repo, Some("forks are not served"), at(3)).await.unwrap();
            tx.save_repository(&repository(1, "acme/renamed"), at(4)).await.unwrap();
        }).await;
        let row = store.repository(repo).await.unwrap().unwrap();
        assert_eq!(row.repository, repository(1, "acme/renamed"));
        assert_eq!((row.head, row.config), (Some(head), config));
        assert_eq!((row.synced_at, row.indexed_commit, row.updated_at), (Some(at(3)), Some(object('a')), at(4)));
        assert_eq!(row.note.as_deref(), Some("forks are not served"));
        write(&store, async |tx| {
            tx.set_head(repo, None, at(5)).await.unwrap();
            tx.save_config(repo, &Config::none(), at(5)).await.unwrap();
            tx.set_note(repo, None, at(5)).await.unwrap();
        }).await;
        let row = store.repository(repo).await.unwrap().unwrap();
        assert_eq!((row.head, row.config, row.note), (None, Config::none(), None));
    }

    async fn a_reused_name_means_the_repository_that_has_it_now(store: Store) {
        let name = RepoName::parse("ACME/Api").unwrap();
        let of = async |store: &Store| store.repository_by_name(&name).await.unwrap().map(|row| row.repository.id.0);
        assert_eq!(of(&store).await, None);
        write(&store, async |tx| {
            tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap();
            tx.save_repository(&repository(2, "acme/api"), at(2)).await.unwrap();
            tx.save_repository(&Repository { state: RepoState::Removed, ..repository(3, "acme/api") }, at(3)).await.unwrap();
        }).await;
        assert_eq!(of(&store).await, Some(2));
        write(&store, async |tx| {
            assert!(tx.set_listed_state((InstallationId(7), RepoId(2)), RepoState::Archived, at(4)).await.unwrap());
        }).await;
        assert_eq!(of(&store).await, Some(1));
    }

    async fn what_needs_a_look_is_listed_first(store: Store) {
        write(&store, async |tx| {
            for (id, name) in [(1, "a/none"), (2, "A/valid"), (3, "z/broken"), (4, "b/valid"), (5, "a/removed")] {
                tx.save_repository(&repository(id, name), at(1)).await.unwrap();
            }
            for (id, state) in [(2, ConfigState::Valid), (3, ConfigState::Broken), (4, ConfigState::Valid)] {
                tx.save_config(RepoId(id), &Config { state, ..Config::none() }, at(1)).await.unwrap();
            }
            tx.replace_subscriptions(RepoId(4), &[subscription("pypi"), subscription("docker")], at(1)).await.unwrap();
            tx.replace_subscriptions(RepoId(5), &[subscription("pypi")], at(1)).await.unwrap();
            tx.set_listed_state((InstallationId(7), RepoId(5)), RepoState::Removed, at(2)).await.unwrap();
        }).await;
        let listed = async |limit| -> Vec<(i64, usize)> {
            let rows = store.repositories(limit).await.unwrap();
            rows.into_iter().map(|(row, subscriptions)| (row.repository.id.0, subscriptions.len())).collect()
        };
        assert_eq!(listed(10).await, [(3, 0), (2, 0), (4, 2), (1, 0), (5, 1)]);
        assert_eq!(listed(3).await, [(3, 0), (2, 0), (4, 2)]);
        assert_eq!(store.repository_count().await.unwrap(), 5);
    }

    async fn subscriptions_keep_their_age(store: Store) {
        let repo = RepoId(1);
        write(&store, async |tx| {
            tx.save_repository(&repository(1, "acme/api"), at(1)).await.unwrap();
            tx.replace_subscriptions(repo, &[subscription("pypi")], at(1)).await.unwrap();
        }).await;
        let all = [subscription("docker"), subscription("pypi"), subscription("acme/log4j")];
        write(&store, async |tx| { tx.replace_subscriptions(repo, &all, at(9)).await.unwrap(); }).await;
        let rows = store.subscriptions(repo).await.unwrap();
        assert_eq!(rows.iter().map(|row| (row.position, row.since)).collect::<Vec<_>>(), [(0, at(9)), (1, at(1)), (2, at(9))]);
        assert_eq!(rows.into_iter().map(|row| row.subscription).collect::<Vec<_>>(), all);
        write(&store, async |tx| { tx.replace_subscriptions(repo, &[], at(10)).await.unwrap(); }).await;
        write(&store, async |tx| { tx.replace_subscriptions(repo, &all, at(11)).await.unwrap(); }).await;
        assert!(store.subscriptions(repo).await.unwrap().iter().all(|row| row.since == at(11)), "away is away");
    }
}
