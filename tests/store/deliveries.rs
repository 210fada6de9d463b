//! Webhooks: stored once, however often they come.

use crate::databases::both_databases;
use crate::samples::{at, write};
use mass_driver::domain::{DeliveryId, InstallationId, RepoId};
use mass_driver::store::{EventCount, NewDelivery, NewWork, Outcome};

fn delivery(guid: &str, event: &str, action: Option<&str>) -> NewDelivery {
    NewDelivery {
        guid: DeliveryId(guid.into()),
        event: event.into(),
        action: action.map(str::to_owned),
        installation: Some(InstallationId(7)),
        repo: Some(RepoId(42)),
        payload: r#"{"zen":"ü"}"#.into(),
    }
}

both_databases! {
    async fn one_guid_a_hundred_times_at_once_is_one_delivery(store: Store) {
        let arrivals: Vec<_> = (0..100)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut tx = store.begin().await.unwrap();
                    let is_new = tx.insert_delivery(&delivery("g", "push", None), at(10)).await.unwrap();
                    tx.commit().await.unwrap();
                    is_new
                })
            })
            .collect();
        let mut new = 0;
        for arrival in arrivals {
            new += u32::from(arrival.await.unwrap());
        }
        assert_eq!(new, 1);
        assert_eq!(store.recent_deliveries(10).await.unwrap().len(), 1);
    }

    async fn what_became_of_a_delivery_is_kept(store: Store) {
        let guid = DeliveryId("g".into());
        write(&store, async |tx| {
            assert!(tx.insert_delivery(&delivery("g", "issues", Some("opened")), at(10)).await.unwrap());
        }).await;
        let stored = store.delivery(&guid).await.unwrap().unwrap();
        assert_eq!((stored.outcome, stored.processed_at, stored.received_at), (None, None, at(10)));
        assert_eq!((stored.installation, stored.repo), (Some(InstallationId(7)), Some(RepoId(42))));
        assert_eq!(store.payload(&guid).await.unwrap().as_deref(), Some(r#"{"zen":"ü"}"#));

        write(&store, async |tx| {
            tx.finish_delivery(&guid, Outcome::Ignored, Some("no use for it"), at(11)).await.unwrap();
            assert_eq!(tx.drop_payloads(at(0), at(10), 9).await.unwrap(), None, "not older than that");
            assert_eq!(tx.drop_payloads(at(0), at(12), 9).await.unwrap(), Some(at(10)));
            assert!(!tx.insert_delivery(&delivery("g", "issues", Some("opened")), at(20)).await.unwrap());
        }).await;
        let stored = store.delivery(&guid).await.unwrap().unwrap();
        assert_eq!((stored.outcome, stored.processed_at), (Some(Outcome::Ignored), Some(at(11))));
        assert_eq!(stored.note.as_deref(), Some("no use for it"));
        assert_eq!(store.payload(&guid).await.unwrap().as_deref(), Some(""));
        assert_eq!(store.delivery(&DeliveryId("other".into())).await.unwrap(), None);
    }

    async fn old_ones_go_in_portions_and_what_waits_stays(store: Store) {
        write(&store, async |tx| {
            for n in 0..10 {
                tx.insert_delivery(&delivery(&format!("g{n}"), "push", None), at(n)).await.unwrap();
            }
            for n in (0..10).filter(|n| *n != 4) {
                tx.finish_delivery(&DeliveryId(format!("g{n}")), Outcome::Handled, None, at(11)).await.unwrap();
            }
        }).await;
        write(&store, async |tx| {
            assert_eq!(tx.drop_payloads(at(0), at(8), 5).await.unwrap(), Some(at(5)), "0, 1, 2, 3 and 5");
            assert_eq!(tx.drop_payloads(at(5), at(8), 5).await.unwrap(), Some(at(7)));
            assert_eq!(tx.drop_payloads(at(7), at(8), 5).await.unwrap(), None);
            assert_eq!(tx.drop_deliveries(at(6), 3).await.unwrap(), 3);
            assert_eq!(tx.drop_deliveries(at(6), 3).await.unwrap(), 2);
        }).await;
        let left: Vec<String> = store.recent_deliveries(10).await.unwrap().into_iter().map(|d| d.guid.0).collect();
        assert_eq!(left, ["g9", "g8", "g7", "g6", "g4"]);
        assert_eq!(store.payload(&DeliveryId("g4".into())).await.unwrap().as_deref(), Some(r#"{"zen":"ü"}"#));
        let known = store.stored_deliveries(&[DeliveryId("g4".into()), DeliveryId("g5".into())]).await.unwrap();
        assert_eq!(known.into_iter().collect::<Vec<_>>(), [DeliveryId("g4".into())]);
    }

    /// Two processes are handed the same deliveries in opposite orders.
    async fn batches_do_not_wait_for_each_other_for_ever(store: Store) {
        for round in 0..20 {
            let batch = |reverse: bool| {
                let store = store.clone();
                let mut rows: Vec<_> =
                    (0..50).map(|n| (delivery(&format!("{round}-{n}"), "push", None), None, at(10))).collect();
                if reverse {
                    rows.reverse();
                }
                tokio::spawn(async move {
                    let mut tx = store.begin().await.unwrap();
                    let new = tx.insert_deliveries(rows).await.unwrap();
                    tx.commit().await.unwrap();
                    new.len()
                })
            };
            let (one, other) = tokio::join!(batch(false), batch(true));
            assert_eq!(one.unwrap() + other.unwrap(), 50);
        }
    }

    /// The worker's process died with it eight times, and nobody was left to say what became of the delivery.
    async fn a_delivery_whose_step_was_given_up_is_refused_with_its_reason(store: Store) {
        let work = |guid: &str| NewWork {
            step: "inbox".into(),
            subject: format!("delivery:{guid}"),
            unique_key: format!("inbox:{guid}"),
            installation: None,
            args: serde_json::json!({}),
            asks_github: false,
            patience: std::time::Duration::ZERO,
            due_at: at(10),
        };
        write(&store, async |tx| {
            for guid in ["parked", "waiting"] {
                tx.insert_delivery(&delivery(guid, "push", None), at(10)).await.unwrap();
            }
            tx.enqueue_all(&[work("parked")], at(10)).await.unwrap();
        }).await;
        let claimed = store.claim(at(10), std::time::Duration::from_secs(60), 1).await.unwrap().remove(0);
        write(&store, async |tx| {
            tx.park(&claimed, "it did not come back", at(10)).await.unwrap();
            tx.enqueue_all(&[work("waiting")], at(10)).await.unwrap();
        }).await;
        write(&store, async |tx| assert_eq!(tx.refuse_parked_deliveries(at(20)).await.unwrap(), 1)).await;
        let refused = store.delivery(&DeliveryId("parked".into())).await.unwrap().unwrap();
        assert_eq!((refused.outcome, refused.note.as_deref()), (Some(Outcome::Refused), Some("it did not come back")));
        assert_eq!(store.delivery(&DeliveryId("waiting".into())).await.unwrap().unwrap().outcome, None);
        write(&store, async |tx| assert_eq!(tx.refuse_parked_deliveries(at(21)).await.unwrap(), 0)).await;
    }

    async fn deliveries_are_counted_by_kind(store: Store) {
        write(&store, async |tx| {
            for (guid, event, action) in [("1", "push", None), ("2", "push", None), ("3", "star", Some("created"))] {
                tx.insert_delivery(&delivery(guid, event, action), at(10)).await.unwrap();
            }
            tx.finish_delivery(&DeliveryId("1".into()), Outcome::Handled, None, at(11)).await.unwrap();
            tx.finish_delivery(&DeliveryId("2".into()), Outcome::Handled, None, at(11)).await.unwrap();
        }).await;
        let count = |event: &str, action: Option<&str>, outcome, count| EventCount {
            event: event.into(),
            action: action.map(str::to_owned),
            outcome,
            count,
        };
        assert_eq!(
            store.event_counts().await.unwrap(),
            [count("push", None, Some(Outcome::Handled), 2), count("star", Some("created"), None, 1)]
        );
    }
}
