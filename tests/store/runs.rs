//! Runs of the command line: numbered, taken up by one process, and nothing of them lost.

use crate::databases::{both_databases, open};
use crate::samples::{at, object, write};
use mass_driver::domain::{
    Delivery, PatchOutcome, Phase, PullNumber, RunId, RunPull, RunRepository, RunState, Scanned, SourcedRepository,
};
use mass_driver::store::{NewRun, RunCount, Store};
use std::collections::BTreeMap;

fn sourced(id: &str) -> SourcedRepository {
    SourcedRepository {
        id: id.into(),
        clone_url: format!("git@example.com:{id}.git"),
        upstream_branch: None,
        patch_data: BTreeMap::from([("owner".to_owned(), "ada".to_owned())]),
    }
}

async fn begin(store: &Store, over: &[SourcedRepository]) -> RunId {
    let run = NewRun {
        activity: "bump.toml".into(),
        said: "[mass-driver]".into(),
        version: "0.1.0".into(),
        dry: false,
        started_at: at(10),
        alive_until: at(40),
    };
    write(store, async |tx| tx.begin_run(&run, over).await.unwrap()).await
}

both_databases! {
    async fn what_became_of_each_repository_is_read_back_as_it_was_stored(url: String) {
        let store = open(&url).await;
        let run = begin(&store, &[sourced("acme/api"), sourced("acme/web")]).await;
        let mut one = RunRepository::new(1, sourced("acme/web"));
        assert_eq!(store.run_repositories(run).await.unwrap(), [RunRepository::new(0, sourced("acme/api")), one.clone()]);
        let facts = serde_json::json!({ "dockerfile_exists": true }).as_object().unwrap().clone();
        one = RunRepository {
            phase: Phase::Propose,
            state: RunState::Done,
            outcome: Some(PatchOutcome::Patched),
            reason: Some("2 files".into()),
            base_branch: Some("main".into()),
            base: Some(object('a')),
            branch: Some("bump".into()),
            commit: Some(object('b')),
            folder: Some("clones/web".into()),
            pushed: Some(object('b')),
            pull: Some(RunPull { number: PullNumber(7), url: "https://example.com/7".into(), delivery: Delivery::Opened }),
            scans: BTreeMap::from([
                ("docker".to_owned(), Scanned { at: at(11), commit: object('a'), facts: Ok(facts) }),
                ("own".to_owned(), Scanned { at: at(11), commit: object('a'), facts: Err("it broke".into()) }),
            ]),
            ..one
        };
        write(&store, async |tx| {
            tx.save_run_repository(run, &one).await.unwrap();
            tx.save_run_diff(run, 1, "--- a\n+++ b\n").await.unwrap();
        }).await;
        assert_eq!(store.run_repositories(run).await.unwrap()[1], one);
        assert_eq!(store.run_diff(run, 1).await.unwrap().as_deref(), Some("--- a\n+++ b\n"));
        assert_eq!(store.run_diff(run, 0).await.unwrap(), None);
        assert_eq!(store.pushed_by_runs(&one.repository.clone_url, "bump").await.unwrap(), [object('b')]);
        assert_eq!(store.pushed_by_runs(&one.repository.clone_url, "other").await.unwrap(), []);
        let mut counts = store.run_counts(&[run]).await.unwrap();
        counts.sort_by_key(|count| count.state);
        let count = |state, outcome| RunCount { run, state, outcome, repositories: 1 };
        assert_eq!(counts, [count(RunState::Waiting, None), count(RunState::Done, Some(PatchOutcome::Patched))]);
    }

    async fn runs_are_numbered_one_after_the_other_whoever_begins_them(url: String) {
        let store = open(&url).await;
        let over = [sourced("a")];
        let (a, b) = tokio::join!(begin(&store, &over), begin(&store, &[]));
        let mut ids = [a, b];
        ids.sort();
        assert_eq!(ids, [RunId(1), RunId(2)]);
        write(&store, async |tx| assert!(tx.forget_run(RunId(2)).await.unwrap())).await;
        assert_eq!(begin(&store, &[]).await, RunId(3), "a number is never given twice");
        let listed: Vec<RunId> = store.runs(10).await.unwrap().into_iter().map(|run| run.id).collect();
        assert_eq!(listed, [RunId(3), RunId(1)]);
        assert_eq!(store.last_run_of("bump.toml").await.unwrap().unwrap().id, RunId(3));
        assert_eq!(store.last_run_of("other.toml").await.unwrap(), None);
    }

    async fn one_process_alone_takes_a_run_up(url: String) {
        let store = open(&url).await;
        let run = begin(&store, &[]).await;
        let take_up = async |now| write(&store, async |tx| tx.take_up_run(run, at(now + 30), at(now)).await.unwrap()).await;
        assert!(!take_up(39).await, "its process said it would live until 40");
        write(&store, async |tx| tx.keep_run_alive(run, at(60)).await.unwrap()).await;
        assert!(!take_up(45).await);
        assert!(!store.run(run).await.unwrap().unwrap().is_interrupted(at(60)));
        assert!(store.run(run).await.unwrap().unwrap().is_interrupted(at(61)));
        assert!(take_up(61).await);
        assert!(!take_up(62).await);
        write(&store, async |tx| tx.end_run(run, at(70)).await.unwrap()).await;
        assert_eq!(store.run(run).await.unwrap().unwrap().ended_at, Some(at(70)));
        assert!(take_up(71).await, "what has ended may be taken up to do again what failed");
        assert_eq!(store.run(run).await.unwrap().unwrap().ended_at, None);
    }

    async fn what_a_source_found_is_kept_with_its_time(url: String) {
        let store = open(&url).await;
        assert_eq!(store.discovery("org:acme").await.unwrap(), None);
        let found = [sourced("acme/api")];
        write(&store, async |tx| tx.save_discovery("org:acme", at(5), &[]).await.unwrap()).await;
        write(&store, async |tx| tx.save_discovery("org:acme", at(6), &found).await.unwrap()).await;
        assert_eq!(store.discovery("org:acme").await.unwrap(), Some((at(6), found.to_vec())));
    }
}
