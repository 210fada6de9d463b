//! Webhooks: stored once, however often they come.

use crate::databases::both_databases;
use crate::samples::{at, write};
use mass_driver::domain::{DeliveryId, InstallationId, RepoId};
use mass_driver::store::{EventCount, NewDelivery, Outcome};

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
            assert_eq!(tx.drop_payloads(at(10)).await.unwrap(), 0, "not older than that");
            assert_eq!(tx.drop_payloads(at(12)).await.unwrap(), 1);
            assert!(!tx.insert_delivery(&delivery("g", "issues", Some("opened")), at(20)).await.unwrap());
        }).await;
        let stored = store.delivery(&guid).await.unwrap().unwrap();
        assert_eq!((stored.outcome, stored.processed_at), (Some(Outcome::Ignored), Some(at(11))));
        assert_eq!(stored.note.as_deref(), Some("no use for it"));
        assert_eq!(store.payload(&guid).await.unwrap().as_deref(), Some(""));
        assert_eq!(store.delivery(&DeliveryId("other".into())).await.unwrap(), None);
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
