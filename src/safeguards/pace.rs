//! How fast one installation may write.
//!
//! GitHub asks for a second between two writes, and refuses more than about 80 that make content in a minute and 500 in
//! an hour. So whoever wants to write joins a line. It is given a *turn* there for all of its writes, and the pull
//! requests of a roll-out are completed one after another instead of all of them being half-made. A turn is at least
//! twice as long as its writes need: a worker may be late, and still keeps the distance to the next one's turn. Whoever
//! was too late for a turn gets a longer one.
//!
//! Source: GitHub REST docs, "Rate limits for the REST API" and "Best practices for using the REST API".

use crate::domain::{Pace, Turn};
use jiff::{SignedDuration, Timestamp};

/// Workers that are later than this are so overloaded that longer turns would not help.
const LATEST: SignedDuration = SignedDuration::from_secs(30);

/// What an installation's writes have to keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacePolicy {
    /// Between two writes there is at least this; zero means that writes are not paced at all.
    pub spacing: SignedDuration,
    /// How many writes may come one after another when there were none for long. Unit: writes.
    pub burst: u32,
    /// How many more the allowance grows by. Unit: writes an hour.
    pub per_hour: u32,
}

impl Default for PacePolicy {
    /// GitHub's own limits. The 10 writes that are missing from 500 are for those that came late in their turn.
    fn default() -> Self {
        Self { spacing: SignedDuration::from_secs(1), burst: 100, per_hour: 390 }
    }
}

impl PacePolicy {
    /// No pace at all: for a server whose operator set no limits.
    pub const OFF: Self = Self { spacing: SignedDuration::ZERO, burst: 0, per_hour: 0 };

    /// GitHub's limits in an hour, with another time between two writes.
    pub fn with_spacing(spacing: SignedDuration) -> Self {
        Self { spacing, ..Self::default() }
    }

    /// Whether writes need no turn.
    pub fn is_off(&self) -> bool {
        self.spacing <= SignedDuration::ZERO
    }

    /// The time in which the hourly allowance grows by one write.
    fn growth(&self) -> SignedDuration {
        SignedDuration::from_millis(3_600_000 / i64::from(self.per_hour.max(1)))
    }
}

fn times(writes: u32) -> i32 {
    i32::try_from(writes).unwrap_or(i32::MAX)
}

/// The next turn for so many writes, and the line behind it. Pure.
///
/// `late` is how late the turn before was taken up, if it was missed. The allowance is a generic cell rate algorithm:
/// `used_to` may be ahead of the present by at most `burst` writes.
pub fn reserve(pace: Pace, writes: u32, late: SignedDuration, now: Timestamp, policy: &PacePolicy) -> (Turn, Pace) {
    if policy.is_off() || writes == 0 {
        return (Turn { from: now, until: now }, pace);
    }
    let growth = policy.growth();
    let ahead = growth * times(policy.burst.saturating_sub(1));
    // The last of the writes is the one that the allowance must still hold, if it grows slower than they come.
    let own = SignedDuration::ZERO.max(growth - policy.spacing) * times(writes.min(policy.burst.max(1)) - 1);
    let from = now.max(pace.next_write_at).max(pace.used_to - ahead + own);
    let slack = policy.spacing.max(late.min(LATEST) * 2);
    let until = from + (policy.spacing + slack) * times(writes);
    let used_to = from.max(pace.used_to) + growth * times(writes);
    (Turn { from, until }, Pace { next_write_at: until, used_to })
}

/// The line after so many writes of a turn were not sent, because it was missed: they do not count against the allowance.
/// The time of the turn has gone by. Pure.
pub fn give_back(pace: Pace, unsent: u32, policy: &PacePolicy) -> Pace {
    Pace { used_to: pace.used_to - policy.growth() * times(unsent), ..pace }
}

/// The line after somebody wrote who could not wait in it: it moves back by one write, which counts like any other. Pure.
pub fn cut_in(pace: Pace, now: Timestamp, policy: &PacePolicy) -> Pace {
    Pace {
        next_write_at: pace.next_write_at.max(now) + policy.spacing,
        used_to: pace.used_to.max(now) + policy.growth(),
    }
}

/// Whether so many more writes fit into what is left of a turn, once it has begun. Pure.
pub fn is_long_enough(turn: &Turn, writes: u32, now: Timestamp, policy: &PacePolicy) -> bool {
    turn.from.max(now) + policy.spacing * times(writes) <= turn.until
}

/// What is left of a turn after a write whose answer came at `sent`. Pure.
pub fn after_write(turn: &Turn, sent: Timestamp, policy: &PacePolicy) -> Turn {
    Turn { from: sent.max(turn.from) + policy.spacing, until: turn.until }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
    }

    #[test]
    fn who_cuts_in_moves_the_line_back_by_one_write_that_counts() {
        let policy = PacePolicy::default();
        let line = Pace { next_write_at: at(60_000), used_to: at(90_000) };
        let after = cut_in(line, at(0), &policy);
        assert_eq!(after, Pace { next_write_at: at(61_000), used_to: at(90_000) + policy.growth() });
        // Nobody stands in a line that is over: it begins anew.
        let after = cut_in(line, at(100_000), &policy);
        assert_eq!(after, Pace { next_write_at: at(101_000), used_to: at(100_000) + policy.growth() });
    }

    /// What one of those who write brings along: when it comes, how much it writes, how late its workers are.
    type Arrival = (i64, u32, i64);

    /// When each write is sent, if everybody keeps to the turns, as the pipeline does.
    fn sent(arrivals: &[Arrival], policy: &PacePolicy) -> Vec<Timestamp> {
        let mut pace = Pace::IDLE;
        let mut sent = Vec::new();
        let mut turns = vec![None; arrivals.len()];
        let mut left: Vec<u32> = arrivals.iter().map(|(_, writes, _)| *writes).collect();
        let mut events: BinaryHeap<_> =
            arrivals.iter().enumerate().map(|(who, (comes, _, _))| Reverse((at(*comes), who))).collect();
        while let Some(Reverse((now, who))) = events.pop() {
            let lateness = SignedDuration::from_millis(arrivals[who].2);
            let held: Option<Turn> = turns[who];
            let turn = match held.filter(|turn| is_long_enough(turn, left[who], now, policy)) {
                Some(turn) => turn,
                None => {
                    let late = held.map_or(SignedDuration::ZERO, |turn| now.duration_since(turn.from));
                    let unsent = held.map_or(0, |_| left[who]);
                    let before = give_back(pace, unsent, policy);
                    let (turn, rest) = reserve(before, left[who], late, now, policy);
                    assert!(turn.from >= now.max(pace.next_write_at) && rest.used_to >= before.used_to);
                    pace = rest;
                    turn
                }
            };
            if turn.from > now {
                turns[who] = Some(turn);
                events.push(Reverse((turn.from + lateness, who)));
                continue;
            }
            sent.push(now);
            left[who] -= 1;
            let rest = after_write(&turn, now, policy);
            turns[who] = Some(rest);
            if left[who] > 0 {
                events.push(Reverse((rest.from + lateness, who)));
            }
        }
        sent
    }

    fn most_within(sent: &[Timestamp], span: SignedDuration) -> usize {
        let within = |first: &Timestamp| {
            sent.iter().filter(|at| (SignedDuration::ZERO..span).contains(&at.duration_since(*first))).count()
        };
        sent.iter().map(within).max().unwrap_or(0)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn github_never_gets_more_than_it_takes(
            arrivals in prop::collection::vec((0..7_200_000_i64, 1..6_u32, 0..20_000_i64), 1..220),
            crowd in 0..7_200_000_i64,
        ) {
            // Half of them come at once.
            let arrivals: Vec<Arrival> =
                arrivals.into_iter().enumerate().map(|(n, (comes, w, l))| (if n % 2 == 0 { crowd } else { comes }, w, l)).collect();
            let policy = PacePolicy::default();
            let sent = sent(&arrivals, &policy);
            prop_assert_eq!(sent.len(), arrivals.iter().map(|(_, writes, _)| *writes as usize).sum::<usize>());
            prop_assert!(sent.windows(2).all(|pair| pair[1].duration_since(pair[0]) >= policy.spacing));
            prop_assert!(most_within(&sent, SignedDuration::from_hours(1)) <= 500);
            prop_assert!(most_within(&sent, SignedDuration::from_mins(1)) <= 80);
        }

        #[test]
        fn an_idle_installation_is_written_to_at_once(writes in 1..=4_u32, now in 0..1_000_000_i64) {
            let policy = PacePolicy::default();
            let (turn, _) = reserve(Pace::IDLE, writes, SignedDuration::ZERO, at(now), &policy);
            prop_assert_eq!(turn.from, at(now));
            prop_assert!(is_long_enough(&turn, writes, at(now), &policy));
            prop_assert!(!is_long_enough(&turn, writes, turn.until, &policy));
        }
    }

    /// A hundred writes at once, and after that what the hour allows.
    #[test]
    fn a_roll_out_begins_fast_and_goes_on_steadily() {
        let policy = PacePolicy::default();
        let roll_out = vec![(0, 4, 0); 60];
        let sent = sent(&roll_out, &policy);
        let minutes: Vec<i64> =
            [4, 100, 140, 240].iter().map(|n| sent[n - 1].duration_since(sent[0]).as_mins()).collect();
        assert_eq!(minutes, [0, 3, 6, 21]);
    }

    /// Workers that are always too late for a turn of their own length, among many others: each turn they miss makes the next
    /// one longer, and costs nothing of the allowance.
    #[test]
    fn who_is_always_late_gets_through_all_the_same() {
        let policy = PacePolicy::with_spacing(SignedDuration::from_millis(20));
        let crowd = vec![(0, 4, 300); 25];
        let sent = sent(&crowd, &policy);
        assert_eq!(sent.len(), 100);
        let took = sent[99].duration_since(sent[0]);
        assert!(took < SignedDuration::from_mins(4), "{took:#}");
    }

    #[test]
    fn off_is_off() {
        let pace = Pace { next_write_at: at(60_000), used_to: at(60_000) };
        let (turn, rest) = reserve(pace, 4, SignedDuration::ZERO, at(0), &PacePolicy::OFF);
        assert_eq!((turn.from, rest), (at(0), pace));
    }
}
