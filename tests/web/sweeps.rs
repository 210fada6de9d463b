//! What holds of every sweep for lost webhooks, whatever GitHub's log looks like.

use crate::scene::now;
use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::DeliveryId;
use mass_driver::forge::{AttemptId, DeliveryAttempt};
use mass_driver::pipeline::sweep::{LeftOut, decide};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};

fn attempt(id: i64, delivery: u8, minutes_ago: i64, status: i64) -> DeliveryAttempt {
    let at = now() - SignedDuration::from_mins(minutes_ago);
    DeliveryAttempt { id: AttemptId(id), delivery: guid(delivery), at, status: Some(status) }
}

fn guid(delivery: u8) -> DeliveryId {
    DeliveryId(format!("guid-{delivery}"))
}

/// A log of up to twelve deliveries, most of whose attempts failed, and those of them that are stored.
fn log() -> impl Strategy<Value = (Vec<DeliveryAttempt>, HashSet<DeliveryId>)> {
    let status = prop::sample::select(vec![0_i64, 400, 401, 502, 503, 504, 502, 202, 200, 302]);
    let attempts = prop::collection::vec((0..12_u8, 0..4_320_i64, status), 0..40);
    let stored = prop::collection::hash_set((0..12_u8).prop_map(guid), 0..6);
    (attempts, stored).prop_map(|(attempts, stored)| {
        let attempts = attempts.into_iter().zip(1..);
        (attempts.map(|((delivery, ago, status), id)| attempt(id, delivery, ago, status)).collect(), stored)
    })
}

proptest! {
    #[test]
    fn every_delivery_of_the_log_is_asked_for_once_or_has_a_reason((log, stored) in log()) {
        let decision = decide(&log, &stored, None, now());
        let listed: BTreeSet<&DeliveryId> = log.iter().map(|attempt| &attempt.delivery).collect();
        let asked: BTreeSet<&DeliveryId> = decision.ask.iter().map(|asked| &asked.delivery).collect();
        prop_assert_eq!(asked.len(), decision.ask.len());
        let told: BTreeSet<&DeliveryId> = asked.iter().copied().chain(decision.left_out.keys()).collect();
        prop_assert_eq!(told.len(), asked.len() + decision.left_out.len());
        prop_assert_eq!(told, listed);
    }

    #[test]
    fn only_what_failed_and_is_not_stored_is_asked_for((log, stored) in log()) {
        for asked in decide(&log, &stored, None, now()).ask {
            prop_assert!(!stored.contains(&asked.delivery));
            let of_it: Vec<&DeliveryAttempt> = log.iter().filter(|one| one.delivery == asked.delivery).collect();
            prop_assert!(of_it.iter().all(|one| !one.succeeded()));
            let latest = of_it.iter().map(|one| one.at).max();
            prop_assert_eq!(latest, Some(asked.failed_at));
            prop_assert!(of_it.iter().any(|one| one.id == asked.attempt && one.at == asked.failed_at));
        }
    }

    #[test]
    fn the_order_of_the_log_does_not_matter((log, stored) in log(), seed in any::<u64>()) {
        let mut other = log.clone();
        other.sort_by_key(|one| (one.id.0 as u64).wrapping_mul(seed | 1));
        prop_assert_eq!(decide(&log, &stored, None, now()), decide(&other, &stored, None, now()));
    }

    /// A sweep in parts asks for the same, in the same order, as one that asks for everything in one go.
    #[test]
    fn a_sweep_goes_on_where_it_stopped((log, stored) in log(), part in 1..5_usize) {
        let whole = decide(&log, &stored, None, now()).ask;
        let (mut from, mut parts) = (None, Vec::new());
        loop {
            let ask = decide(&log, &stored, from, now()).ask;
            let Some(last) = ask.iter().take(part).next_back() else { break };
            from = Some((last.failed_at, last.attempt.0));
            parts.extend(ask.into_iter().take(part));
        }
        prop_assert_eq!(parts, whole);
    }

    /// Whatever fails each time is asked for after pauses that never become shorter, and not after every look.
    #[test]
    fn what_always_fails_is_asked_for_ever_more_rarely(minutes_between_looks in 1..20_i64, delay in 0..3_i64) {
        let mut log = vec![attempt(1, 0, 0, 500)];
        let mut asked_at: Vec<Timestamp> = Vec::new();
        let mut look = now();
        while look < now() + SignedDuration::from_hours(72) {
            let decision = decide(&log, &HashSet::new(), None, look);
            if !decision.ask.is_empty() {
                asked_at.push(look);
                let at = look + SignedDuration::from_secs(delay);
                log.push(DeliveryAttempt { id: AttemptId(log.len() as i64 + 1), at, ..attempt(1, 0, 0, 500) });
            } else {
                let paused = matches!(decision.left_out[&guid(0)], LeftOut::Pausing { until } if until > look);
                prop_assert!(paused);
            }
            look += SignedDuration::from_mins(minutes_between_looks);
        }
        prop_assert!((8..=16).contains(&asked_at.len()), "{} times", asked_at.len());
        let slack = SignedDuration::from_mins(minutes_between_looks) + SignedDuration::from_secs(3);
        for gaps in asked_at.windows(3) {
            prop_assert!(gaps[2].duration_since(gaps[1]) + slack >= gaps[1].duration_since(gaps[0]));
        }
    }
}
