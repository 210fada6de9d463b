//! What is known of GitHub's limits only ever moves forward, whoever stores it when.

use crate::databases::{both_databases, open};
use crate::samples::at;
use mass_driver::domain::{InstallationId, Limit, Pace, Pause, Quota};
use mass_driver::pipeline::Step;
use mass_driver::store::{NewWork, Store, Tx};

const ACME: Option<InstallationId> = Some(InstallationId(7));

async fn write(store: &Store, what: impl AsyncFnOnce(&mut Tx)) {
    let mut tx = store.begin().await.unwrap();
    what(&mut tx).await;
    tx.commit().await.unwrap();
}

async fn heard(store: &Store, remaining: i64, resets_at: i64) -> (i64, i64) {
    let quota = Quota { limit: 5_000, remaining, resets_at: at(resets_at) };
    write(store, async |tx| tx.save_quota(ACME, &quota, at(1)).await.unwrap()).await;
    let known = store.budget(ACME).await.unwrap().quota.unwrap();
    (known.remaining, known.resets_at.as_second())
}

async fn paused(store: &Store, until: i64, limit: Limit, refusals: u32) -> (i64, Limit, u32) {
    write(store, async |tx| tx.save_pause(ACME, &Pause { until: at(until), limit }, refusals).await.unwrap()).await;
    let budget = store.budget(ACME).await.unwrap();
    let pause = budget.pause.unwrap();
    (pause.until.as_second(), pause.limit, budget.refusals)
}

both_databases! {
    async fn what_is_left_of_a_window_only_gets_less(url: String) {
        let store = open(&url).await;
        assert_eq!(store.budget(ACME).await.unwrap().quota, None);
        assert_eq!(heard(&store, 4_000, 3_600).await, (4_000, 3_600));
        assert_eq!(heard(&store, 4_100, 3_600).await, (4_000, 3_600), "another process heard it earlier");
        assert_eq!(heard(&store, 3_900, 3_600).await, (3_900, 3_600));
        assert_eq!(heard(&store, 5_000, 7_200).await, (5_000, 7_200), "the next window");
        assert_eq!(heard(&store, 3, 3_600).await, (5_000, 7_200), "that window is over");
    }

    async fn the_later_end_of_a_pause_counts(url: String) {
        let store = open(&url).await;
        assert_eq!(paused(&store, 60, Limit::Secondary, 1).await, (60, Limit::Secondary, 1));
        assert_eq!(paused(&store, 3_000, Limit::Hourly, 1).await, (3_000, Limit::Hourly, 1));
        assert_eq!(paused(&store, 120, Limit::Secondary, 2).await, (3_000, Limit::Hourly, 2));
    }

    async fn the_app_has_a_budget_of_its_own(url: String) {
        let store = open(&url).await;
        let quota = |remaining| Quota { limit: 5_000, remaining, resets_at: at(3_600) };
        write(&store, async |tx| {
            tx.save_quota(None, &quota(1), at(1)).await.unwrap();
            tx.save_quota(ACME, &quota(2), at(1)).await.unwrap();
            tx.save_quota(Some(InstallationId(8)), &quota(3), at(1)).await.unwrap();
        })
        .await;
        let of = |budgets: Vec<mass_driver::store::Budget>| -> Vec<(Option<InstallationId>, i64)> {
            budgets.into_iter().map(|b| (b.installation, b.quota.unwrap().remaining)).collect()
        };
        assert_eq!(of(store.budgets_for(ACME).await.unwrap()), [(None, 1), (ACME, 2)]);
        assert_eq!(of(store.budgets_for(None).await.unwrap()), [(None, 1)]);
        assert_eq!(store.budgets(10).await.unwrap().len(), 3);
    }

    /// Twenty at once, each of which moves the line on by a second: none gets another's place.
    async fn places_in_line_are_given_out_one_at_a_time(url: String) {
        let store = open(&url).await;
        let one = async || {
            let mut tx = store.begin().await.unwrap();
            let pace = tx.lock_budget(ACME).await.unwrap().pace;
            let next_write_at = pace.next_write_at + jiff::SignedDuration::from_secs(1);
            tx.save_pace(ACME, &Pace { next_write_at, ..pace }).await.unwrap();
            tx.commit().await.unwrap();
        };
        futures_util::future::join_all((0..20).map(|_| one())).await;
        assert_eq!(store.budget(ACME).await.unwrap().pace.next_write_at, at(20));
    }

    async fn a_pause_moves_the_work_that_asks_github_and_no_other(url: String) {
        let store = open(&url).await;
        let work = |key: &str, installation: i64, asks_github: bool, due: i64| NewWork {
            step: "index".into(),
            subject: key.into(),
            unique_key: key.into(),
            installation: Some(InstallationId(installation)),
            args: serde_json::json!({}),
            asks_github,
            patience: std::time::Duration::ZERO,
            due_at: at(due),
        };
        write(&store, async |tx| {
            for new in [work("asks", 7, true, 1), work("plans", 7, false, 2), work("other", 8, true, 3), work("late", 7, true, 90)] {
                tx.enqueue(&new, at(0)).await.unwrap();
            }
            tx.postpone_asking(InstallationId(7), at(60)).await.unwrap();
        })
        .await;
        let mut due = Vec::new();
        while let Some(claimed) = store.claim(at(100), std::time::Duration::from_secs(60), 1).await.unwrap().pop() {
            due.push((claimed.work.unique_key.clone(), claimed.work.due_at.as_second()));
        }
        let due: Vec<(&str, i64)> = due.iter().map(|(key, due)| (key.as_str(), *due)).collect();
        assert_eq!(due, [("plans", 2), ("other", 3), ("asks", 60), ("late", 90)]);
        assert!(!store.any_due(InstallationId(7), ["index"; 7], at(100)).await.unwrap(), "all of it is running");
    }

    async fn work_that_is_put_off_was_not_tried(url: String) {
        let store = open(&url).await;
        let work = NewWork {
            step: "execute".into(),
            subject: "repo:1".into(),
            unique_key: "execute:p".into(),
            installation: ACME,
            args: serde_json::json!({}),
            asks_github: true,
            patience: std::time::Duration::ZERO,
            due_at: at(1),
        };
        write(&store, async |tx| tx.enqueue(&work, at(0)).await.unwrap()).await;
        let lease = std::time::Duration::from_secs(60);
        for claims in 1..=3 {
            let claimed = store.claim(at(10), lease, 1).await.unwrap().remove(0);
            assert_eq!((claimed.work.attempts, claimed.work.claims), (1, claims));
            write(&store, async |tx| {
                tx.keep_args(&claimed, &serde_json::json!({ "claims": claims })).await.unwrap();
                tx.put_off(&claimed, at(5), None).await.unwrap();
            })
            .await;
        }
        assert!(store.any_due(InstallationId(7), Step::WRITING, at(5)).await.unwrap());
        let claimed = store.claim(at(10), lease, 1).await.unwrap().remove(0);
        assert_eq!((claimed.work.due_at, &claimed.work.args), (at(5), &serde_json::json!({ "claims": 3 })));
        write(&store, async |tx| tx.retry(&claimed, at(5), "it failed", true).await.unwrap()).await;
        let claimed = store.claim(at(10), lease, 1).await.unwrap().remove(0);
        assert_eq!((claimed.work.attempts, claimed.work.claims), (2, 5));
    }
}
