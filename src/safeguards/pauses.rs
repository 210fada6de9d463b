//! How long a limit of GitHub's keeps an installation silent.
//!
//! An end that GitHub names is kept to. Where it names none, it asks for a minute at least and for more with each
//! refusal in a row; whoever asks on regardless is banned.
//!
//! Source: GitHub REST docs, "Rate limits for the REST API", "Exceeding the rate limit".

use crate::domain::{Pause, Refusal};
use jiff::SignedDuration;

const FIRST: SignedDuration = SignedDuration::from_mins(1);
const LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// A refusal this long after the end of a pause is not "in a row" with the one before.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// The pause in force after a refusal, and how many refusals in a row have named no end, this one included. Pure.
///
/// `before` is the pause that was known when the refusal came. Several requests may be under way when GitHub begins to
/// refuse: what comes in during a pause belongs to the refusal that began it.
pub fn after(before: Option<Pause>, refusals: u32, refusal: &Refusal) -> (Pause, u32) {
    let later = |pause: Pause| before.filter(|before| before.until > pause.until).unwrap_or(pause);
    if refusal.told {
        return (later(refusal.pause), refusals);
    }
    if before.is_some_and(|before| refusal.at < before.until) {
        return (later(Pause { until: refusal.at + FIRST, ..refusal.pause }), refusals);
    }
    let in_a_row = before.is_some_and(|before| refusal.at < before.until + FORGOTTEN_AFTER);
    let refusals = if in_a_row { refusals.saturating_add(1) } else { 1 };
    let length = FIRST * 2_i32.pow(refusals.clamp(1, 10) - 1);
    (later(Pause { until: refusal.at + length.min(LONGEST), ..refusal.pause }), refusals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Limit;
    use jiff::Timestamp;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    fn refused(minute: i64, told_until: Option<i64>) -> Refusal {
        let until = at(told_until.unwrap_or(minute + 1));
        Refusal { at: at(minute), pause: Pause { until, limit: Limit::Secondary }, told: told_until.is_some() }
    }

    #[test]
    fn a_named_end_is_kept_to_and_counts_for_nothing() {
        let (pause, refusals) = after(None, 0, &refused(0, Some(7)));
        assert_eq!((pause.until, refusals), (at(7), 0));
        let (pause, _) = after(Some(pause), 0, &refused(1, Some(3)));
        assert_eq!(pause.until, at(7), "the later end counts");
    }

    #[test]
    fn each_refusal_in_a_row_doubles_the_pause_up_to_an_hour() {
        let (mut pause, mut refusals, mut lengths) = (None, 0, Vec::new());
        let mut minute = 0;
        for _ in 0..9 {
            let (next, count) = after(pause, refusals, &refused(minute, None));
            let length = next.until.duration_since(at(minute)).as_mins();
            lengths.push(length);
            (pause, refusals, minute) = (Some(next), count, minute + length);
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let (pause, refusals) = after(pause, refusals, &refused(minute + 60, None));
        assert_eq!((pause.until, refusals), (at(minute + 61), 1), "after a quiet hour it begins anew");
    }

    #[test]
    fn what_comes_in_during_a_pause_does_not_make_it_longer() {
        let (pause, refusals) = after(None, 0, &refused(0, None));
        let (pause, refusals) = after(Some(pause), refusals, &Refusal { at: at(0), ..refused(0, None) });
        assert_eq!((pause.until, refusals), (at(1), 1));
    }
}
