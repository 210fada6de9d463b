//! Who is next: each piece done once, one at a time for each subject.

use super::scene::{LEASE, claim, claim_for, depth, enqueue, key, work};
use crate::databases::{both_databases, open};
use crate::samples::{at, write};
use mass_driver::domain::InstallationId;
use mass_driver::store::{NewWork, StoreError, WorkState};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

both_databases! {
    async fn work_is_claimed_when_due_by_patience_and_age(store: Store) {
        enqueue(&store, work("late", "repo:1", 30)).await;
        enqueue(&store, work("later", "repo:2", 40)).await;
        enqueue(&store, NewWork { patience: Duration::from_secs(0), ..work("urgent", "repo:3", 35) }).await;
        assert_eq!(key(&store, 29).await, None);
        let first = claim(&store, 50).await.unwrap();
        assert_eq!((first.work.unique_key.as_str(), first.work.attempts), ("urgent", 1));
        assert_eq!(first.work.args, json!({ "key": "urgent" }));
        assert_eq!(first.work.installation, Some(InstallationId(7)));
        assert_eq!(first.work.due_at, at(35));
        assert_eq!(key(&store, 50).await.as_deref(), Some("late"));
        assert_eq!(key(&store, 50).await.as_deref(), Some("later"));
        assert_eq!(key(&store, 50).await, None);
        assert_eq!(depth(&store, WorkState::Running).await, 3);
    }

    async fn what_is_patient_goes_at_last_before_what_is_not(store: Store) {
        enqueue(&store, NewWork { patience: Duration::from_secs(600), ..work("patient", "repo:1", 10) }).await;
        enqueue(&store, NewWork { patience: Duration::ZERO, ..work("urgent", "repo:2", 20) }).await;
        enqueue(&store, NewWork { patience: Duration::ZERO, ..work("later", "repo:3", 611) }).await;
        assert_eq!(key(&store, 700).await.as_deref(), Some("urgent"));
        assert_eq!(key(&store, 700).await.as_deref(), Some("patient"));
        assert_eq!(key(&store, 700).await.as_deref(), Some("later"));
    }

    async fn a_large_installation_leaves_a_small_one_its_turns(store: Store) {
        let of = |installation, name: String| NewWork { installation: Some(InstallationId(installation)), ..work(&name, &name, 10) };
        write(&store, async |tx| {
            tx.enqueue_all(&(0..1200).map(|n| of(1, format!("large:{n:04}"))).collect::<Vec<_>>(), at(1)).await.unwrap();
            tx.enqueue_all(&(0..3).map(|n| of(2, format!("small:{n}"))).collect::<Vec<_>>(), at(1)).await.unwrap();
        }).await;
        let mut order = Vec::new();
        for _ in 0..8 {
            order.extend(store.claim(at(10), LEASE, 2).await.unwrap().into_iter().map(|c| c.work.unique_key));
        }
        let small: Vec<usize> = (0..order.len()).filter(|&n| order[n].starts_with("small")).collect();
        assert!(small.len() == 3 && small[2] <= 6, "{order:?}");
        // Who comes while the large one still has hundreds to go does not stand behind them.
        enqueue(&store, NewWork { due_at: at(12), ..of(3, "newcomer".into()) }).await;
        let next: Vec<String> = store.claim(at(12), LEASE, 8).await.unwrap().into_iter().map(|c| c.work.unique_key).collect();
        assert!(next.contains(&"newcomer".into()), "{next:?}");
    }

    async fn a_batch_has_one_of_each_subject(store: Store) {
        for (name, subject) in [("a", "repo:1"), ("b", "repo:1"), ("c", "repo:2"), ("d", "repo:3")] {
            enqueue(&store, work(name, subject, 10)).await;
        }
        let batch = store.claim(at(10), LEASE, 10).await.unwrap();
        let keys: Vec<&str> = batch.iter().map(|claimed| claimed.work.unique_key.as_str()).collect();
        assert_eq!(keys, ["a", "c", "d"]);
        write(&store, async |tx| tx.finish_all(&batch).await.unwrap()).await;
        assert_eq!(key(&store, 10).await.as_deref(), Some("b"));
        let mut tx = store.begin().await.unwrap();
        assert!(matches!(tx.finish_all(&batch[..1]).await, Err(StoreError::LeaseLost)));
    }

    async fn more_of_the_same_step_can_be_taken(store: Store) {
        for n in 0..4 {
            enqueue(&store, work(&format!("index:{n}"), &format!("repo:{n}"), 10)).await;
            enqueue(&store, NewWork { step: "plan".into(), ..work(&format!("plan:{n}"), &format!("repo:{n}"), 11) }).await;
        }
        assert_eq!(key(&store, 11).await.as_deref(), Some("index:0"));
        let more = store.claim_step("index", LEASE, 2).await.unwrap();
        let keys: Vec<&str> = more.iter().map(|claimed| claimed.work.unique_key.as_str()).collect();
        assert_eq!(keys, ["index:1", "index:2"]);
        assert!(store.claim_step("plan", LEASE, 2).await.unwrap().is_empty(), "they wait behind the others of their repositories");
    }

    async fn whoever_waits_is_woken_by_another_process(url: String) {
        let (here, there) = (open(&url).await, open(&url).await);
        if url.starts_with("sqlite") {
            enqueue(&here, work("k", "repo:1", 1)).await;
            return here.work_arrived().await;
        }
        let woken = async {
            // The first call is for what came before it listened.
            here.work_arrived().await;
            enqueue(&there, work("k", "repo:1", 1)).await;
            here.work_arrived().await;
        };
        tokio::select! {
            () = woken => {}
            () = here.relay_bell() => {}
            () = there.relay_bell() => {}
        }
    }

    async fn what_waits_already_is_not_queued_twice(store: Store) {
        enqueue(&store, NewWork { args: json!(1), patience: Duration::from_secs(4), ..work("k", "repo:1", 30) }).await;
        enqueue(&store, NewWork { args: json!(2), patience: Duration::from_secs(6), ..work("k", "repo:1", 20) }).await;
        enqueue(&store, NewWork { args: json!(3), patience: Duration::from_secs(5), ..work("k", "repo:1", 40) }).await;
        let claimed = claim(&store, 20).await.expect("the earlier time holds");
        assert_eq!((claimed.work.args.clone(), claimed.work.patience), (json!(3), Duration::from_secs(4)));
        // What comes while it runs may be news to it: that waits for its turn.
        enqueue(&store, work("k", "repo:1", 20)).await;
        assert_eq!(key(&store, 50).await, None);
        write(&store, async |tx| tx.finish(&claimed).await.unwrap()).await;
        assert_eq!(key(&store, 50).await.as_deref(), Some("k"));
    }

    async fn one_subject_is_worked_on_by_one_at_a_time(store: Store) {
        for name in ["a", "b"] {
            enqueue(&store, work(name, "repo:1", 10)).await;
        }
        enqueue(&store, work("c", "repo:2", 20)).await;
        let first = claim(&store, 30).await.unwrap();
        assert_eq!(first.work.unique_key, "a");
        assert_eq!(key(&store, 30).await.as_deref(), Some("c"), "another subject is not held up");
        assert_eq!(key(&store, 30).await, None);
        write(&store, async |tx| tx.finish(&first).await.unwrap()).await;
        assert_eq!(key(&store, 30).await.as_deref(), Some("b"));
    }

    async fn sixteen_workers_of_two_processes_share_five_hundred_pieces(url: String) {
        let (store, other) = (open(&url).await, open(&url).await);
        write(&store, async |tx| {
            for n in 0..500 {
                tx.enqueue(&work(&format!("k{n}"), &format!("repo:{}", n % 37), 10), at(1)).await.unwrap();
            }
        }).await;
        let done = Arc::new(Mutex::new(HashMap::<String, u32>::new()));
        let busy = Arc::new(Mutex::new(HashSet::<String>::new()));
        let workers: Vec<_> = (0..16)
            .map(|n| {
                let store = if n % 2 == 0 { store.clone() } else { other.clone() };
                let (done, busy) = (done.clone(), busy.clone());
                tokio::spawn(async move {
                    while done.lock().unwrap().len() < 500 {
                        let Some(claimed) = claim_for(&store, 10, LEASE).await else {
                            tokio::task::yield_now().await;
                            continue;
                        };
                        assert!(busy.lock().unwrap().insert(claimed.work.subject.clone()), "two on one subject");
                        tokio::task::yield_now().await;
                        let mut tx = store.begin().await.unwrap();
                        tx.finish(&claimed).await.unwrap();
                        // Before the commit: after it the subject is free for the others.
                        busy.lock().unwrap().remove(&claimed.work.subject);
                        tx.commit().await.unwrap();
                        *done.lock().unwrap().entry(claimed.work.unique_key).or_default() += 1;
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        assert_eq!(store.queue_depth().await.unwrap(), []);
        let done = done.lock().unwrap();
        assert_eq!((done.len(), done.values().max()), (500, Some(&1)));
    }

    async fn many_are_queued_as_one_after_another_would_be(store: Store) {
        enqueue(&store, NewWork { patience: Duration::from_secs(7), ..work("k", "repo:0", 50) }).await;
        let several = [
            NewWork { args: json!(1), patience: Duration::from_secs(4), ..work("k", "repo:0", 30) },
            work("b", "repo:2", 30),
            NewWork { args: json!(2), patience: Duration::from_secs(6), ..work("k", "repo:0", 40) },
            work("a", "repo:1", 30),
        ];
        write(&store, async |tx| tx.enqueue_all(&several, at(1)).await.unwrap()).await;
        let claimed = claim(&store, 30).await.expect("the earliest time holds");
        assert_eq!((claimed.work.args.clone(), claimed.work.patience, claimed.work.due_at), (json!(2), Duration::from_secs(4), at(30)));
        assert_eq!(key(&store, 30).await.as_deref(), Some("b"), "first come, first served");
        assert_eq!(key(&store, 30).await.as_deref(), Some("a"));

        let patient = [work("p", "repo:3", 60), work("p", "repo:3", 10), work("q", "repo:4", 60)];
        write(&store, async |tx| tx.enqueue_all_unless_queued(&patient, at(1)).await.unwrap()).await;
        write(&store, async |tx| tx.enqueue_all_unless_queued(&[work("q", "repo:4", 10)], at(1)).await.unwrap()).await;
        assert_eq!(key(&store, 59).await, None, "what waits keeps its time");
        assert_eq!(depth(&store, WorkState::Queued).await, 2);
        let many: Vec<NewWork> = (0..1_201).map(|n| work(&format!("m{n}"), &format!("repo:{n}"), 70)).collect();
        write(&store, async |tx| tx.enqueue_all(&many, at(1)).await.unwrap()).await;
        assert_eq!(depth(&store, WorkState::Queued).await, 1_203);
        write(&store, async |tx| tx.enqueue_all(&[], at(1)).await.unwrap()).await;
    }

    async fn one_subject_has_one_worker_however_many_want_it(store: Store) {
        for round in 0..20 {
            write(&store, async |tx| {
                for n in 0..4 {
                    tx.enqueue(&work(&format!("{round}-{n}"), &format!("repo:{round}"), 10), at(1)).await.unwrap();
                }
            }).await;
            let claims: Vec<_> = (0..8)
                .map(|_| {
                    let store = store.clone();
                    tokio::spawn(async move { claim_for(&store, 10, LEASE).await })
                })
                .collect();
            let mut won = 0;
            for claim in claims {
                won += u32::from(claim.await.unwrap().is_some());
            }
            assert_eq!(won, 1, "round {round}");
        }
    }
}
