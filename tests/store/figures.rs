//! How long the queue is, at a moment.

use crate::databases::both_databases;
use crate::samples::{at, write};
use mass_driver::store::{NewWork, Store, WorkStanding};
use serde_json::json;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(60);

async fn queue(store: &Store, step: &str, key: &str, due: i64) {
    let new = NewWork {
        step: step.into(),
        subject: key.into(),
        unique_key: key.into(),
        installation: None,
        args: json!({}),
        asks_github: false,
        patience: Duration::ZERO,
        due_at: at(due),
    };
    write(store, async |tx| tx.enqueue(&new, at(1)).await.unwrap()).await;
}

async fn figures(store: &Store, now: i64) -> Vec<(String, WorkStanding, i64, i64)> {
    let figures = store.queue_figures(at(now)).await.unwrap();
    figures.into_iter().map(|f| (f.step, f.standing, f.count, f.first_due_at.as_second())).collect()
}

both_databases! {
    async fn the_queue_is_counted_by_how_it_stands(store: Store) {
        use WorkStanding::{Parked, Ready, Running, Waiting};
        assert_eq!(figures(&store, 50).await, []);
        queue(&store, "plan", "given up", 10).await;
        let claimed = store.claim(at(10), LEASE, 1).await.unwrap().remove(0);
        write(&store, async |tx| tx.park(&claimed, "refused", at(15)).await.unwrap()).await;
        queue(&store, "plan", "under way", 20).await;
        store.claim(at(20), LEASE, 1).await.unwrap().remove(0);
        for (step, key, due) in
            [("plan", "a", 30), ("plan", "b", 50), ("plan", "c", 51), ("plan", "d", 90), ("index", "e", 70)]
        {
            queue(&store, step, key, due).await;
        }
        let (index, plan) = ("index".to_owned(), "plan".to_owned());
        let told = [
            (index.clone(), Waiting, 1, 70),
            (plan.clone(), Parked, 1, 15),
            (plan.clone(), Ready, 2, 30),
            (plan.clone(), Waiting, 2, 51),
            (plan.clone(), Running, 1, 20),
        ];
        assert_eq!(figures(&store, 50).await, told);
        assert_eq!(store.parked_count().await.unwrap(), 1);

        // When all of it is due, or none, nothing is said of the other.
        let queued = async |now: i64| {
            let told = figures(&store, now).await.into_iter();
            told.filter(|figure| [Ready, Waiting].contains(&figure.1)).collect::<Vec<_>>()
        };
        assert_eq!(queued(90).await, [(index.clone(), Ready, 1, 70), (plan.clone(), Ready, 4, 30)]);
        assert_eq!(queued(29).await, [(index, Waiting, 1, 70), (plan, Waiting, 4, 30)]);
    }
}
