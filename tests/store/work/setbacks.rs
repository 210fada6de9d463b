//! Work that is not done at the first attempt: put off, tried again, given up; and nothing is lost with a worker.

use super::scene::{LEASE, NO_LEASE, claim, claim_for, depth, enqueue, key, work};
use crate::databases::both_databases;
use crate::samples::{at, write};
use mass_driver::domain::InstallationId;
use mass_driver::store::{NewWork, StoreError, WorkState};
use serde_json::json;
use std::time::Duration;

both_databases! {
    async fn what_is_put_off_is_no_attempt(store: Store) {
        enqueue(&store, work("k", "repo:1", 10)).await;
        for claims in 1..=3 {
            let claimed = claim(&store, 10).await.unwrap();
            assert_eq!((claimed.work.attempts, claimed.work.claims), (1, claims));
            write(&store, async |tx| tx.put_off(&claimed, at(10), Some("its slot has not come")).await.unwrap()).await;
        }
        let claimed = claim(&store, 10).await.unwrap();
        assert_eq!(claimed.work.last_error.as_deref(), Some("its slot has not come"));
        write(&store, async |tx| tx.retry(&claimed, at(10), "502", true).await.unwrap()).await;
        assert_eq!(claim(&store, 10).await.unwrap().work.attempts, 2);
    }

    async fn a_worker_that_dies_is_replaced_and_shut_out(store: Store) {
        enqueue(&store, work("k", "repo:1", 10)).await;
        let dead = claim_for(&store, 10, NO_LEASE).await.unwrap();
        let heir = claim(&store, 10).await.expect("the lease is over");
        assert_eq!(heir.work.attempts, 2);
        assert!(heir.work.last_error.as_deref().unwrap().contains("did not come back"));
        assert_ne!(heir.lease_token, dead.lease_token);

        let lost = |outcome: Result<(), StoreError>| assert!(matches!(outcome, Err(StoreError::LeaseLost)), "{outcome:?}");
        lost(store.heartbeat(&dead, LEASE).await);
        let mut tx = store.begin().await.unwrap();
        tx.enqueue(&work("result of the dead", "repo:9", 10), at(1)).await.unwrap();
        lost(tx.finish(&dead).await);
        lost(tx.commit().await);
        assert_eq!(key(&store, 10).await, None, "nothing of that transaction stands");
        let mut tx = store.begin().await.unwrap();
        lost(tx.retry(&dead, at(10), "x", true).await);
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        lost(tx.park(&dead, "x", at(10)).await);
        drop(tx);

        write(&store, async |tx| tx.finish(&heir).await.unwrap()).await;
        assert_eq!(store.queue_depth().await.unwrap(), []);
        let mut tx = store.begin().await.unwrap();
        lost(tx.finish(&heir).await);
    }

    async fn a_heartbeat_keeps_the_claim(store: Store) {
        enqueue(&store, work("k", "repo:1", 10)).await;
        let claimed = claim_for(&store, 10, NO_LEASE).await.unwrap();
        store.heartbeat(&claimed, LEASE).await.unwrap();
        assert_eq!(key(&store, 10).await, None);
        write(&store, async |tx| tx.finish(&claimed).await.unwrap()).await;
    }

    async fn work_put_back_melts_into_what_waits(store: Store) {
        enqueue(&store, NewWork { args: json!("old"), patience: Duration::from_secs(4), ..work("k", "repo:1", 10) }).await;
        let claimed = claim(&store, 10).await.unwrap();
        enqueue(&store, NewWork { args: json!("new"), ..work("k", "repo:1", 30) }).await;
        write(&store, async |tx| tx.retry(&claimed, at(99), "502", true).await.unwrap()).await;
        assert_eq!((depth(&store, WorkState::Queued).await, depth(&store, WorkState::Running).await), (1, 0));
        let again = claim(&store, 30).await.expect("the earlier of both times");
        assert_eq!((again.work.args.clone(), again.work.patience), (json!("new"), Duration::from_secs(4)));
        assert_eq!((again.work.attempts, again.work.refusals), (2, 1));
        assert_eq!(again.work.last_error.as_deref(), Some("502"));

        // The same when the lease of the one runs out while the other waits.
        write(&store, async |tx| tx.finish(&again).await.unwrap()).await;
        enqueue(&store, work("k", "repo:1", 10)).await;
        claim_for(&store, 10, NO_LEASE).await.unwrap();
        enqueue(&store, work("k", "repo:1", 30)).await;
        let heir = claim(&store, 10).await.unwrap();
        assert_eq!(heir.work.attempts, 2);
        assert_eq!(depth(&store, WorkState::Queued).await, 0);
    }

    async fn work_is_tried_again_at_its_time(store: Store) {
        enqueue(&store, work("k", "repo:1", 10)).await;
        let claimed = claim(&store, 10).await.unwrap();
        write(&store, async |tx| tx.retry(&claimed, at(60), "busy", true).await.unwrap()).await;
        assert_eq!(key(&store, 59).await, None);
        let again = claim(&store, 60).await.unwrap();
        assert_eq!((again.work.attempts, again.work.created_at), (2, at(1)));
    }

    async fn work_given_up_waits_for_a_person(store: Store) {
        enqueue(&store, work("k", "repo:1", 10)).await;
        let claimed = claim(&store, 10).await.unwrap();
        write(&store, async |tx| tx.park(&claimed, "suspended", at(11)).await.unwrap()).await;
        assert_eq!(key(&store, 99).await, None);
        let parked = store.parked(10).await.unwrap();
        assert_eq!(parked.len(), 1);
        assert_eq!((parked[0].state, parked[0].last_error.as_deref()), (WorkState::Parked, Some("suspended")));
        assert_eq!(parked[0].due_at, at(11), "since when it is parked");
        write(&store, async |tx| {
            assert!(tx.unpark(&parked[0].id, at(50)).await.unwrap());
            assert!(!tx.unpark(&parked[0].id, at(50)).await.unwrap());
        }).await;
        let again = claim(&store, 50).await.unwrap();
        assert_eq!((again.work.attempts, again.work.unique_key.as_str()), (1, "k"));
    }

    async fn work_that_ends_its_worker_is_given_up(store: Store) {
        enqueue(&store, work("k", "repo:1", 10)).await;
        for attempt in 1..=7 {
            assert_eq!(claim_for(&store, 10, NO_LEASE).await.unwrap().work.attempts, attempt);
        }
        // One that comes back says that it is not the work: the count begins anew.
        let claimed = claim(&store, 10).await.unwrap();
        write(&store, async |tx| tx.retry(&claimed, at(10), "502", true).await.unwrap()).await;
        for _ in 1..=8 {
            claim_for(&store, 10, NO_LEASE).await.expect("a lease that ran out is no reason to give up");
        }
        // Newer work under its key does not begin with its count, nor is it kept from its turn.
        enqueue(&store, work("k", "repo:1", 20)).await;
        assert_eq!(key(&store, 10).await, None);
        let parked = store.parked(10).await.unwrap();
        assert_eq!((parked.len(), parked[0].attempts), (1, 16));
        assert_eq!(parked[0].last_error.as_deref(), Some("the worker that had it did not come back 8 times"));
        let newer = claim_for(&store, 20, NO_LEASE).await.unwrap();
        assert_eq!(newer.work.attempts, 1);
        assert_eq!(claim(&store, 20).await.unwrap().work.attempts, 2);
    }

    async fn parked_work_is_settled_by_a_later_success(store: Store) {
        for _ in 0..2 {
            enqueue(&store, work("k", "repo:1", 10)).await;
            let claimed = claim(&store, 10).await.unwrap();
            write(&store, async |tx| tx.park(&claimed, "broken", at(11)).await.unwrap()).await;
            assert_eq!(store.parked(10).await.unwrap().len(), 1, "one of each key");
        }
        enqueue(&store, work("k", "repo:1", 10)).await;
        let claimed = claim(&store, 10).await.unwrap();
        write(&store, async |tx| tx.finish(&claimed).await.unwrap()).await;
        assert_eq!(store.parked(10).await.unwrap(), []);
    }

    async fn an_installation_takes_up_what_was_parked(store: Store) {
        for (name, installation) in [("a", 7), ("b", 7), ("c", 8)] {
            let installation = Some(InstallationId(installation));
            enqueue(&store, NewWork { installation, ..work(name, name, 10) }).await;
            let claimed = claim(&store, 10).await.unwrap();
            write(&store, async |tx| tx.park(&claimed, "suspended", at(11)).await.unwrap()).await;
        }
        write(&store, async |tx| {
            assert_eq!(tx.unpark_installation(InstallationId(7), at(20)).await.unwrap(), 2);
        }).await;
        assert_eq!((depth(&store, WorkState::Queued).await, depth(&store, WorkState::Parked).await), (2, 1));
    }

    async fn text_that_postgres_cannot_hold_is_no_reason_to_fail(store: Store) {
        enqueue(&store, work("k", "repo:1", 10)).await;
        let claimed = claim(&store, 10).await.unwrap();
        write(&store, async |tx| tx.retry(&claimed, at(10), "found \0 in the file", true).await.unwrap()).await;
        assert_eq!(claim(&store, 10).await.unwrap().work.last_error.as_deref(), Some("found \u{fffd} in the file"));
    }
}
