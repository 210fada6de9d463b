//! What is said of releases, and what waits for it.

use crate::databases::both_databases;
use crate::samples::at;
use mass_driver::domain::{Ecosystem, FoundNotes, NotesState, PackageId};
use mass_driver::store::{NewWork, NotesRow, Store, WantedNotes, WorkState};
use std::time::Duration;

fn package(name: &str) -> PackageId {
    PackageId { ecosystem: Ecosystem::Pypi, name: name.into() }
}

fn wanted(name: &str, look_at: i64, wanted_until: i64) -> WantedNotes {
    WantedNotes { package: package(name), version: "1".into(), look_at: at(look_at), wanted_until: at(wanted_until) }
}

async fn want(store: &Store, all: &[WantedNotes]) {
    let mut tx = store.begin().await.unwrap();
    tx.want_notes(all, at(0)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn save(store: &Store, name: &str, body: &str, state: NotesState, now: i64) {
    let found = FoundNotes { body: Some(body.into()), tag: Some(format!("v{body}")), ..FoundNotes::default() };
    let row = NotesRow { package: package(name), version: "1".into(), found, private_to: None };
    let mut tx = store.begin().await.unwrap();
    tx.save_notes(&row, (state, 0, None), at(now)).await.unwrap();
    tx.commit().await.unwrap();
}

/// A piece of work that is put off to a time, for which it waits for these releases. Whether each still has to be waited for.
async fn waits(store: &Store, key: &str, until: i64, names: &[&str]) -> Vec<bool> {
    let work = NewWork {
        step: "execute".into(),
        subject: format!("repo:{key}"),
        unique_key: key.into(),
        installation: None,
        args: serde_json::json!({}),
        asks_github: true,
        patience: Duration::from_secs(1),
        due_at: at(until),
    };
    let mut tx = store.begin().await.unwrap();
    let mut asked = Vec::new();
    for name in names {
        asked.push(tx.await_notes((&package(name), "1"), key, at(until)).await.unwrap());
    }
    tx.enqueue(&work, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    asked
}

/// How many pieces of work can be begun.
async fn ready(store: &Store, now: i64) -> usize {
    let due = store.claim(at(now), Duration::from_secs(60), 10).await.unwrap();
    for one in &due {
        let mut tx = store.begin().await.unwrap();
        tx.finish(one).await.unwrap();
        tx.commit().await.unwrap();
    }
    due.len()
}

both_databases! {
    async fn what_is_wanted_longer_or_sooner_is_one_row(store: Store) {
        want(&store, &[wanted("a", 50, 100), wanted("b", 5, 5), wanted("a", 70, 90)]).await;
        want(&store, &[wanted("a", 40, 80)]).await;
        let keys = [(package("a"), "1".to_string()), (package("c"), "1".to_string())];
        let standings = store.notes_standings(&keys).await.unwrap();
        let known = &standings[&keys[0]];
        assert_eq!((known.state, known.look_at, known.wanted_until), (NotesState::Asked, at(40), at(100)));
        assert_eq!(standings.len(), 1);
        assert!(store.notes(&keys).await.unwrap().is_empty(), "nobody has looked");
        save(&store, "a", "new", NotesState::Known, 60).await;
        want(&store, &[wanted("a", 10, 200)]).await;
        let known = &store.notes_standings(&keys).await.unwrap()[&keys[0]];
        assert_eq!((known.state, known.look_at, known.wanted_until), (NotesState::Known, at(60), at(200)));
        assert_eq!(store.notes(&keys).await.unwrap()[0].found.body.as_deref(), Some("new"));
        assert_eq!(store.noted_versions(&[package("a"), package("b")]).await.unwrap()[&package("a")], ["1"]);
        assert_eq!(store.last_tag(&package("a")).await.unwrap(), Some(("1".into(), "vnew".into())));
    }

    async fn who_waits_goes_on_when_the_last_look_has_ended(store: Store) {
        want(&store, &[wanted("a", 0, 100), wanted("b", 0, 100)]).await;
        assert_eq!(waits(&store, "both", 50, &["a", "b"]).await, [true, true]);
        assert_eq!(waits(&store, "one", 50, &["a"]).await, [true]);
        assert_eq!(ready(&store, 10).await, 0);
        save(&store, "a", "x", NotesState::Failed, 10).await;
        assert_eq!(ready(&store, 10).await, 1, "that which waited for this one alone");
        save(&store, "b", "x", NotesState::Known, 11).await;
        assert_eq!(ready(&store, 11).await, 1);
        assert_eq!(waits(&store, "late", 60, &["a", "b"]).await, [false, false], "there is nothing to wait for");
    }

    async fn who_has_gone_on_by_itself_is_left_alone(store: Store) {
        want(&store, &[wanted("a", 0, 100)]).await;
        waits(&store, "x", 50, &["a"]).await;
        assert_eq!(ready(&store, 50).await, 1);
        // It is put off again, to its turn to write.
        waits(&store, "x", 90, &[]).await;
        save(&store, "a", "x", NotesState::Known, 60).await;
        assert_eq!(ready(&store, 60).await, 0);
        let depth = store.queue_depth().await.unwrap();
        assert!(depth.iter().all(|depth| depth.state == WorkState::Queued) && depth.len() == 1, "{depth:?}");
    }

    async fn what_was_wanted_long_ago_is_forgotten_with_what_waits(store: Store) {
        want(&store, &[wanted("a", 0, 10), wanted("b", 0, 20), wanted("c", 0, 30)]).await;
        waits(&store, "x", 50, &["a"]).await;
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.forget_notes(at(30), 1).await.unwrap(), 1);
        assert_eq!(tx.forget_notes(at(30), 10).await.unwrap(), 1);
        assert_eq!(tx.forget_notes(at(30), 10).await.unwrap(), 0);
        tx.commit().await.unwrap();
        let keys = ["a", "b", "c"].map(|name| (package(name), "1".to_string()));
        assert_eq!(store.notes_standings(&keys).await.unwrap().len(), 1);
    }
}
