//! When to look at a package again: soon where releases come often, seldom where none has come for years. Pure.
//!
//! A package that has been silent for long is likely to stay so for as long again, so the wait grows with the silence: it is
//! at most a thousandth of it. A release is then late by at most a thousandth of the time that everybody did without, and
//! what was released within the last week is looked at as often as the operator lets us.

use crate::domain::{PackageId, Release};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

/// The wait is at most this part of the silence before it.
const PART_OF_SILENCE: i32 = 1_000;
/// No package waits for longer, unless the operator's own interval is longer.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(6);
/// No package is looked at more often, whatever the interval.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// How long a release of a package may go unseen, whose newest release counts from `newest`.
///
/// It is the operator's `interval`, doubled as often as the silence allows, and [`LONGEST`] at most. In such steps, a package
/// keeps its place among all others while its silence grows, see [`next_look`].
pub fn wait(newest: Option<Timestamp>, interval: SignedDuration, now: Timestamp) -> SignedDuration {
    let interval = interval.max(SHORTEST);
    // A package without releases has been silent for as long as there are packages.
    let allowed = newest.map_or(LONGEST, |newest| (now.duration_since(newest) / PART_OF_SILENCE).min(LONGEST));
    let mut wait = interval;
    while wait.checked_mul(2).is_some_and(|doubled| doubled <= allowed) {
        wait *= 2;
    }
    wait
}

/// When to look at a package again that was looked at `now`: after more than half of its [`wait`], and after all of it at
/// the latest.
///
/// Packages of one wait are spread evenly over it, each at a place that its name gives: a hundred thousand that came to be
/// known at once come due one after the other. Once at its place a package stays there, and its looks are a whole wait apart.
pub fn next_look<'a>(
    package: &PackageId,
    releases: impl IntoIterator<Item = &'a Release>,
    interval: SignedDuration,
    now: Timestamp,
) -> Timestamp {
    let newest = releases.into_iter().map(|release| release.counts_from).max();
    let wait = i64::try_from(wait(newest, interval, now).as_millis()).unwrap_or(i64::MAX / 4);
    let latest = now.as_millisecond().saturating_add(wait);
    let half = wait / 2;
    let place = place_of(package) % half;
    let next = latest - (latest - place).rem_euclid(half);
    Timestamp::from_millisecond(next).unwrap_or(Timestamp::MAX)
}

/// A number that only the package's name decides, on every machine and in every version; not negative.
fn place_of(package: &PackageId) -> i64 {
    let hash = Sha256::digest(package.to_string());
    hash.iter().take(7).fold(0, |number, byte| number << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Ecosystem;
    use proptest::prelude::*;

    const INTERVAL: SignedDuration = SignedDuration::from_mins(10);
    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn now() -> Timestamp {
        "2026-03-01T12:34:56.789Z".parse().unwrap()
    }

    fn package(name: &str) -> PackageId {
        PackageId { ecosystem: Ecosystem::Npm, name: name.into() }
    }

    fn release(counts_from: Timestamp) -> Release {
        Release {
            version: "1.0.0".into(),
            published_at: None,
            first_seen_at: counts_from,
            counts_from,
            yanked: false,
            above_latest: false,
            content: None,
            requires_python: None,
        }
    }

    #[test]
    fn the_longer_a_package_is_silent_the_less_often_it_is_asked() {
        let silent = |silence: SignedDuration| wait(Some(now() - silence), INTERVAL, now()).as_mins();
        let day = |days: i32| DAY * days;
        assert_eq!(silent(-DAY), 10, "a release from the future, by a clock that is off");
        assert_eq!([0, 1, 7, 13].map(|days| silent(day(days))), [10; 4], "released lately");
        assert_eq!([14, 28, 90, 150, 365, 3650].map(|days| silent(day(days))), [20, 40, 80, 160, 320, 320]);
        assert_eq!(wait(None, INTERVAL, now()).as_mins(), 320);
        assert_eq!(wait(None, DAY * 7, now()), DAY * 7, "the operator wishes to ask less often");
        assert!(wait(Some(now()), SignedDuration::ZERO, now()) > SignedDuration::ZERO);
    }

    #[test]
    fn a_hundred_thousand_packages_do_not_come_due_at_once() {
        let looks = (0..100_000).map(|n| next_look(&package(&format!("package-{n}")), [], INTERVAL, now()));
        let mut per_minute = std::collections::BTreeMap::new();
        for look in looks {
            *per_minute.entry(look.as_second() / 60).or_insert(0) += 1;
        }
        let most = per_minute.values().max().copied().unwrap_or_default();
        // 160 minutes are half of the wait: 625 come due in each, give or take what chance does.
        assert!(per_minute.len() >= 160 && most < 800, "{most} in one of {} minutes", per_minute.len());
    }

    proptest! {
        #[test]
        fn a_look_is_never_early_and_never_late(
            name in "[a-z@/-]{1,20}",
            silence_seconds in 0_i64..400_000_000,
            interval_seconds in 0_i64..700_000,
        ) {
            let interval = SignedDuration::from_secs(interval_seconds);
            let newest = now() - SignedDuration::from_secs(silence_seconds);
            let wait = wait(Some(newest), interval, now());
            prop_assert!(wait >= interval && wait <= interval.max(LONGEST).max(SHORTEST));
            let allowed = SignedDuration::from_secs(silence_seconds) / PART_OF_SILENCE;
            prop_assert!(wait <= allowed.max(interval).max(SHORTEST), "later than a thousandth of the silence");
            let gap = next_look(&package(&name), [&release(newest)], interval, now()).duration_since(now());
            // Times are stored in milliseconds.
            let millisecond = SignedDuration::from_millis(1);
            prop_assert!(gap <= wait && gap > wait / 2 - millisecond, "{gap:?} of {wait:?}");
        }

        #[test]
        fn looks_taken_in_time_are_a_whole_wait_apart(name in "[a-z]{1,20}", late_ms in 0_i64..60_000) {
            let package = package(&name);
            let first = next_look(&package, [], INTERVAL, now());
            let second = next_look(&package, [], INTERVAL, first + SignedDuration::from_millis(late_ms));
            prop_assert_eq!(second.duration_since(first), wait(None, INTERVAL, first));
        }

        #[test]
        fn the_newest_release_counts_in_whatever_order_they_come(days in proptest::collection::vec(0_i64..2_000, 1..10)) {
            let releases: Vec<Release> =
                days.iter().map(|days| release(now() - SignedDuration::from_hours(24 * days))).collect();
            let newest = releases.iter().max_by_key(|release| release.counts_from);
            let all = next_look(&package("x"), &releases, INTERVAL, now());
            prop_assert_eq!(all, next_look(&package("x"), newest, INTERVAL, now()));
        }
    }
}
