//! Many deliveries, few commits: what that must not change.

use crate::databases::both_databases;
use crate::events;
use crate::scene::{Server, answer, now};
use futures_util::future::join_all;
use mass_driver::domain::DeliveryId;
use mass_driver::pipeline::Mailroom;
use mass_driver::pipeline::inbox::{Incoming, Received};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Semaphore;

fn push(padding: usize) -> String {
    let mut push = events::push();
    push["padding"] = json!("x".repeat(padding));
    push.to_string()
}

fn incoming(guid: &str, padding: usize) -> Incoming {
    Incoming::read(DeliveryId(guid.into()), "push", push(padding).into_bytes()).unwrap()
}

both_databases! {
    /// Two of each, of several kinds, all at once: each is stored once, as it came, with one step for those that have one.
    async fn a_crowd_is_stored_one_by_one(store: Store) {
        let server = Server::start(&store).await;
        let deliveries = (0..300).map(|n| {
            let (event, body) = match n % 3 {
                0 => ("star", json!({ "action": "created" }).to_string()),
                _ => ("push", push(n)),
            };
            let guid = format!("g{}", n / 2);
            let server = &server;
            async move { (guid.clone(), answer(server.deliver(event, &guid, body).await).await) }
        });
        let answers = join_all(deliveries).await;
        assert!(answers.iter().all(|(_, (status, _))| *status == 202), "{answers:?}");
        let new: Vec<&String> = answers.iter().filter(|(_, (_, said))| said == "stored\n").map(|(guid, _)| guid).collect();
        assert_eq!((new.len(), new.iter().collect::<BTreeSet<_>>().len()), (150, 150), "one of each pair is the first");
        let stored = server.deliveries().await;
        assert_eq!(stored.len(), 150);
        let to_do = stored.iter().filter(|delivery| delivery.outcome.is_none());
        assert_eq!(server.queued().await, to_do.count() as i64, "a step for each that somebody has to read");
        for delivery in &stored {
            let payload = store.payload(&delivery.guid).await.unwrap().unwrap();
            assert_eq!(payload.is_empty(), delivery.event == "star");
        }
    }

    /// The transactions' bound on bytes: large ones go one by one, and nobody is left behind.
    async fn large_ones_do_not_keep_small_ones_away(store: Store) {
        let mailroom = Mailroom::new(store.clone());
        let received = (0..24).map(|n| {
            let padding = if n % 4 == 0 { 5 * 1024 * 1024 } else { 10 };
            mailroom.receive(incoming(&format!("g{n}"), padding), None, now())
        });
        assert!(join_all(received).await.into_iter().all(|received| received.unwrap() == Received::New));
        assert_eq!(store.recent_deliveries(100).await.unwrap().len(), 24);
    }

    /// Senders hang up. What they sent is stored with the others', and takes no memory for ever.
    async fn whoever_goes_away_harms_nobody(store: Store) {
        let mailroom = Mailroom::new(store.clone());
        let room = Arc::new(Semaphore::new(40));
        for n in 0..40 {
            let permit = Arc::clone(&room).acquire_owned().await.unwrap();
            let mut receive = Box::pin(mailroom.receive(incoming(&format!("gone{n}"), 100), Some(permit), now()));
            assert!(futures_util::poll!(&mut receive).is_pending(), "nothing is stored before it is");
        }
        let stayed = mailroom.receive(incoming("stayed", 100), None, now()).await.unwrap();
        assert_eq!(stayed, Received::New);
        drop(room.acquire_many(40).await.unwrap());
        assert_eq!(store.recent_deliveries(100).await.unwrap().len(), 41);
    }

    async fn a_commit_that_fails_fails_for_all_of_it(store: Store) {
        let mailroom = Mailroom::new(store.clone());
        store.close().await;
        let received = (0..20).map(|n| mailroom.receive(incoming(&format!("g{n}"), 10), None, now()));
        assert!(join_all(received).await.into_iter().all(|received| received.is_err()));
        // And the next one is not left waiting for a clerk who has gone.
        assert!(mailroom.receive(incoming("later", 10), None, now()).await.is_err());
    }

    /// An index takes no text of any length: one odd delivery must not spoil the transaction of the others.
    async fn an_endless_action_spoils_nothing(store: Store) {
        let server = Server::start(&store).await;
        let action: String = (0..20_000).map(|n| char::from(b'a' + (n * n % 26) as u8)).collect();
        let body = json!({ "action": action }).to_string();
        assert_eq!(answer(server.deliver("star", "g", body).await).await.0, 202);
        assert_eq!(server.deliveries().await[0].action.as_ref().unwrap().len(), 100);
    }
}
