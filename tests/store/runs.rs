//! Runs of the command line: numbered, taken up by one process, and nothing of them lost.

use crate::databases::{both_databases, open};
use crate::samples::{at, object, write};
use mass_driver::domain::discovery::{AskedBy, Question};
use mass_driver::domain::{
    Delivery, DiscoveryKey, PatchOutcome, Phase, PullNumber, RunId, RunKind, RunPull, RunRepository, RunState, Scanned,
    SourcedRepository,
};
use mass_driver::store::{NewRun, RunCount, RunLease, RunPush, Store};
use std::collections::BTreeMap;

fn sourced(id: &str) -> SourcedRepository {
    SourcedRepository {
        id: id.into(),
        clone_url: format!("git@example.com:{id}.git"),
        upstream_branch: None,
        patch_data: BTreeMap::from([("owner".to_owned(), "ada".to_owned())]),
    }
}

fn new_run() -> NewRun {
    NewRun {
        activity: "bump.toml".into(),
        said: "[mass-driver]".into(),
        version: "0.1.0".into(),
        kind: RunKind::Run,
        started_at: at(10),
        alive_until: at(40),
    }
}

async fn begin(store: &Store, over: &[SourcedRepository]) -> RunLease {
    write(store, async |tx| tx.begin_run(&new_run(), over).await.unwrap()).await
}

both_databases! {
    async fn what_became_of_each_repository_is_read_back_as_it_was_stored(url: String) {
        let store = open(&url).await;
        let lease = begin(&store, &[sourced("acme/api"), sourced("acme/web")]).await;
        let run = lease.run();
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
            tx.save_run_repository(&lease, &one).await.unwrap();
            tx.save_run_diff(&lease, 1, "--- a\n+++ b\n").await.unwrap();
        }).await;
        assert_eq!(store.run_repositories(run).await.unwrap()[1], one);
        assert_eq!(store.run_diff(run, 1).await.unwrap().as_deref(), Some("--- a\n+++ b\n"));
        assert_eq!(store.run_diff(run, 0).await.unwrap(), None);
        assert!(store.a_run_is_done_with("https://example.com/7").await.unwrap());
        assert!(!store.a_run_is_done_with("https://example.com/8").await.unwrap());
        let mut counts = store.run_counts(&[run]).await.unwrap();
        counts.sort_by_key(|count| count.state);
        let count = |state, outcome| RunCount { run, state, outcome, repositories: 1 };
        assert_eq!(counts, [count(RunState::Waiting, None), count(RunState::Done, Some(PatchOutcome::Patched))]);
    }

    /// Also where the run did not come to tell what became of it.
    async fn what_was_about_to_be_pushed_is_known_by_commit_and_branch(url: String) {
        let store = open(&url).await;
        let lease = begin(&store, &[sourced("acme/api")]).await;
        let run = lease.run();
        let name = "example.com/acme/api";
        for (commit, is_news) in [('a', true), ('a', false), ('b', true)] {
            let stored = write(&store, async |tx| tx.save_run_push(run, name, "bump", &object(commit)).await.unwrap()).await;
            assert_eq!(stored, is_news, "{commit}");
        }
        let push = |commit| RunPush { commit: object(commit), run, activity: "bump.toml".into() };
        assert_eq!(store.pushes_of(&object('a'), "bump").await.unwrap(), [push('a')]);
        assert_eq!(store.pushes_of(&object('a'), "other").await.unwrap(), []);
        write(&store, async |tx| assert!(!tx.forget_run(run, at(39)).await.unwrap(), "somebody works on it")).await;
        write(&store, async |tx| assert!(tx.forget_run(run, at(41)).await.unwrap())).await;
        assert_eq!(store.pushes_of(&object('a'), "bump").await.unwrap(), []);
        let mut tx = store.begin().await.unwrap();
        let lost = tx.save_run_repository(&lease, &RunRepository::new(0, sourced("acme/api"))).await.unwrap_err();
        assert!(lost.to_string().contains("forgotten while it was under way"), "{lost}");
    }

    /// What a dry run made stays here; what went to another branch is that branch's.
    async fn the_last_change_is_one_for_the_branch_or_one_that_was_never_pushed(url: String) {
        let store = open(&url).await;
        let one = sourced("acme/api");
        let change = async |kind, commit, branch: &str, pushed: bool| {
            let new = NewRun { kind, ..new_run() };
            let run = write(&store, async |tx| tx.begin_run(&new, std::slice::from_ref(&one)).await.unwrap()).await;
            let made = RunRepository {
                outcome: Some(PatchOutcome::Patched),
                commit: Some(object(commit)),
                branch: Some(branch.into()),
                pushed: pushed.then(|| object(commit)),
                ..RunRepository::new(0, one.clone())
            };
            write(&store, async |tx| tx.save_run_repository(&run, &made).await.unwrap()).await;
            (run, store.last_change_of(&one.clone_url, "team").await.unwrap().map(|change| change.commit))
        };
        assert_eq!(change(RunKind::DryRun, 'a', "team", false).await.1, None);
        assert_eq!(change(RunKind::Run, 'b', "bump", true).await.1, None);
        assert_eq!(change(RunKind::Run, 'c', "tidy", false).await.1, Some(object('c')));
        assert_eq!(change(RunKind::Run, 'd', "team", true).await.1, Some(object('d')));
        let (fifth, last) = change(RunKind::Run, 'e', "tidy", false).await;
        assert_eq!(last, Some(object('d')));
        let known = async |branch| store.last_change_of(&one.clone_url, branch).await.unwrap().map(|change| change.commit);
        assert_eq!(known("new").await, Some(object('e')));
        // A push that was about to be made may have been; one that was refused takes nothing away.
        let name = "example.com/acme/api";
        assert!(write(&store, async |tx| tx.save_run_push(fifth.run(), name, "tidy", &object('e')).await.unwrap()).await);
        assert_eq!(known("new").await, None);
        write(&store, async |tx| tx.forget_run_push(&fifth, name, "tidy", &object('e')).await.unwrap()).await;
        assert_eq!(known("new").await, Some(object('e')));
        // Another run has sent it since: it is not sent again, and what is older is not taken in its place.
        let sent = RunRepository {
            branch: Some("tidy".into()),
            commit: Some(object('e')),
            pushed: Some(object('e')),
            ..RunRepository::new(0, one.clone())
        };
        let run = begin(&store, std::slice::from_ref(&one)).await;
        write(&store, async |tx| tx.save_run_repository(&run, &sent).await.unwrap()).await;
        assert_eq!((known("new").await, known("tidy").await), (None, Some(object('e'))));
    }

    async fn runs_are_numbered_one_after_the_other_whoever_begins_them(url: String) {
        let store = open(&url).await;
        let over = [sourced("a")];
        let (a, b) = tokio::join!(begin(&store, &over), begin(&store, &[]));
        let mut ids = [a.run(), b.run()];
        ids.sort();
        assert_eq!(ids, [RunId(1), RunId(2)]);
        write(&store, async |tx| assert!(tx.forget_run(RunId(2), at(41)).await.unwrap())).await;
        assert_eq!(begin(&store, &[]).await.run(), RunId(3), "a number is never given twice");
        let listed: Vec<RunId> = store.runs(10).await.unwrap().into_iter().map(|run| run.id).collect();
        assert_eq!(listed, [RunId(3), RunId(1)]);
        assert_eq!(store.last_run_of("bump.toml", RunKind::Run).await.unwrap().unwrap().id, RunId(3));
        assert_eq!(store.last_run_of("bump.toml", RunKind::Scan).await.unwrap(), None);
        assert_eq!(store.last_run_of("other.toml", RunKind::Run).await.unwrap(), None);
    }

    async fn one_process_alone_takes_a_run_up(url: String) {
        let store = open(&url).await;
        let lease = begin(&store, &[]).await;
        let run = lease.run();
        let take_up = async |now| write(&store, async |tx| tx.take_up_run(run, at(now + 30), at(now)).await.unwrap()).await;
        assert_eq!(take_up(39).await, None, "its process said it would live until 40");
        write(&store, async |tx| tx.keep_run_alive(&lease, at(60)).await.unwrap()).await;
        assert_eq!(take_up(45).await, None);
        assert!(!store.run(run).await.unwrap().unwrap().is_interrupted(at(60)));
        assert!(store.run(run).await.unwrap().unwrap().is_interrupted(at(61)));
        let other = take_up(61).await.unwrap();
        assert_eq!(take_up(62).await, None);
        write(&store, async |tx| tx.end_run(other, at(70)).await.unwrap()).await;
        assert_eq!(store.run(run).await.unwrap().unwrap().ended_at, Some(at(70)));
        let third = take_up(71).await.expect("what has ended may be taken up to do again what failed");
        assert_eq!(store.run(run).await.unwrap().unwrap().ended_at, None);
        write(&store, async |tx| tx.release_run(third).await.unwrap()).await;
        assert!(take_up(72).await.is_some(), "what was left is nobody's");
    }

    /// It slept for longer than its lease, and did not notice.
    async fn a_process_whose_run_was_taken_up_stores_nothing_of_it_any_more(url: String) {
        let store = open(&url).await;
        let over = [sourced("acme/api")];
        let first = begin(&store, &over).await;
        let run = first.run();
        write(&store, async |tx| tx.save_run_push(run, "example.com/acme/api", "bump", &object('a')).await.unwrap()).await;
        let second = write(&store, async |tx| tx.take_up_run(run, at(100), at(41)).await.unwrap().unwrap()).await;
        let late = RunRepository { state: RunState::Failed, ..RunRepository::new(0, sourced("acme/api")) };
        let mut tx = store.begin().await.unwrap();
        let refused = [
            store.is_held(&first).await,
            tx.keep_run_alive(&first, at(200)).await,
            tx.save_run_repository(&first, &late).await,
            tx.save_run_diff(&first, 0, "late").await,
            tx.release_run(first.clone()).await,
            tx.end_run(first.clone(), at(50)).await,
        ];
        for refused in refused {
            let told = refused.unwrap_err().to_string();
            assert_eq!(told, "run 1 was taken up by another process: it goes on there");
        }
        tx.forget_run_push(&first, "example.com/acme/api", "bump", &object('a')).await.unwrap();
        tx.commit().await.unwrap();
        let stored = store.run(run).await.unwrap().unwrap();
        assert_eq!((stored.alive_until, stored.ended_at), (at(100), None));
        assert_eq!(store.run_repositories(run).await.unwrap(), [RunRepository::new(0, sourced("acme/api"))]);
        assert_eq!(store.run_diff(run, 0).await.unwrap(), None);
        assert_eq!(store.pushes_of(&object('a'), "bump").await.unwrap().len(), 1);
        write(&store, async |tx| tx.save_run_repository(&second, &late).await.unwrap()).await;
    }

    async fn what_a_source_found_is_kept_with_its_time(url: String) {
        let store = open(&url).await;
        let of = |token| Question {
            source: "github-organisation",
            keys: serde_json::json!({ "organisation": "acme" }),
            api_url: "https://api.github.com",
            asker: AskedBy::Person { token },
        };
        let (key, other) = (DiscoveryKey::of(&of("one")), DiscoveryKey::of(&of("other")));
        assert_eq!(store.discovery(&key).await.unwrap(), None);
        let found = [sourced("acme/api")];
        write(&store, async |tx| tx.save_discovery(&key, at(5), &[]).await.unwrap()).await;
        write(&store, async |tx| tx.save_discovery(&key, at(6), &found).await.unwrap()).await;
        assert_eq!(store.discovery(&key).await.unwrap(), Some((at(6), found.to_vec())));
        assert_eq!(store.discovery(&other).await.unwrap(), None, "it may see others");
    }
}
