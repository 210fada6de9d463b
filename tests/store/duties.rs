//! What is done from time to time: by one at a time, and not before its time.

use crate::databases::both_databases;
use crate::samples::{at, write};
use jiff::SignedDuration;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

both_databases! {
    async fn of_many_who_look_at_once_one_takes_the_duty(store: Store) {
        for round in 0..3 {
            let now = at(60 * round);
            let looks: Vec<_> = (0..20)
                .map(|_| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        let mut tx = store.begin().await.unwrap();
                        let taken = tx.take_duty("sweep", MINUTE, now).await.unwrap();
                        tx.commit().await.unwrap();
                        taken
                    })
                })
                .collect();
            let mut taken = 0;
            for look in looks {
                taken += u32::from(look.await.unwrap());
            }
            assert_eq!(taken, 1, "round {round}");
            assert_eq!(store.duties().await.unwrap()["sweep"], now + MINUTE);
        }
    }

    async fn a_duty_that_was_not_taken_to_its_end_is_still_due(store: Store) {
        let mut tx = store.begin().await.unwrap();
        assert!(tx.take_duty("sweep", MINUTE, at(0)).await.unwrap());
        tx.rollback().await.unwrap();
        write(&store, async |tx| assert!(tx.take_duty("sweep", MINUTE, at(0)).await.unwrap())).await;
        write(&store, async |tx| assert!(!tx.take_duty("sweep", MINUTE, at(59)).await.unwrap())).await;
    }

    async fn when_it_was_done_before_is_told(store: Store) {
        write(&store, async |tx| {
            tx.take_duty("sweep", MINUTE, at(0)).await.unwrap();
            assert_eq!(tx.duty_done("sweep", at(5)).await.unwrap(), None, "it was begun, and never done");
        }).await;
        write(&store, async |tx| {
            tx.take_duty("sweep", MINUTE, at(100)).await.unwrap();
            assert_eq!(tx.duty_done("sweep", at(105)).await.unwrap(), Some(at(5)));
            assert_eq!(tx.duty_done("other", at(105)).await.unwrap(), None);
        }).await;
        assert_eq!(store.duties().await.unwrap()["sweep"], at(160));
    }
}
