//! Who goes first when few requests are left in the hour.

use crate::domain::Quota;
use jiff::Timestamp;

/// Below a tenth of its requests, and at least this many, an installation's reads give way.
const LEAST: i64 = 50;

/// Whether so few requests are left that they are for writes: a pull request that is due comes before a look at what may
/// have changed. Pure.
pub fn is_low(quota: &Quota, now: Timestamp) -> bool {
    quota.resets_at > now && quota.remaining <= LEAST.max(quota.limit / 10)
}

/// Whether so few requests are left that nothing is read which pull requests can do without: the second half is for what they
/// need. Pure.
pub fn is_scarce(quota: &Quota, now: Timestamp) -> bool {
    is_low(quota, now) || quota.resets_at > now && quota.remaining <= quota.limit / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_kept_for_writes_and_at_least_fifty() {
        let now = Timestamp::UNIX_EPOCH;
        let resets_at = now + jiff::SignedDuration::from_mins(1);
        let low = |limit, remaining| is_low(&Quota { limit, remaining, resets_at }, now);
        assert!(low(5_000, 500) && !low(5_000, 501));
        assert!(low(200, 50) && !low(200, 51));
        let scarce = |limit, remaining| is_scarce(&Quota { limit, remaining, resets_at }, now);
        assert!(scarce(5_000, 2_500) && !scarce(5_000, 2_501) && scarce(60, 50));
        assert!(!is_low(&Quota { limit: 5_000, remaining: 0, resets_at: now }, now), "that window is over");
    }
}
