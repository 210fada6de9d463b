//! Time as the house knows it: a point in time comes in through an argument or a [`Clock`].

use jiff::{SignedDuration, Timestamp};

/// Where stations get the time from. The process has one, built in `app.rs`; stories bring their own.
pub trait Clock: Send + Sync {
    /// The current point in time.
    fn now(&self) -> Timestamp;
}

/// A point in time from milliseconds since the Unix epoch, as the store keeps it.
///
/// Values out of range are clamped to the nearest representable time.
pub fn from_millis(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// A time of today for people who wait for it or see it go by: `08:05:30 UTC`.
pub fn clock_time(at: Timestamp) -> String {
    at.strftime("%H:%M:%S UTC").to_string()
}

/// A point in time for people, to the minute: `2026-01-05 08:05 UTC`.
pub fn date_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A length of time in words, in its one or two largest units: `3 days`, `1 day 6 hours`, `0 minutes`.
///
/// Seconds are left out from one minute on. Negative lengths read as their absolute value.
pub fn in_words(length: SignedDuration) -> String {
    let minutes = length.as_secs().unsigned_abs() / 60;
    let parts = [(minutes / 1440, "day"), (minutes % 1440 / 60, "hour"), (minutes % 60, "minute")];
    let mut words: Vec<String> = parts
        .iter()
        .skip_while(|(n, _)| *n == 0)
        .take(2)
        .filter(|(n, _)| *n > 0)
        .map(|(n, unit)| format!("{n} {unit}{}", if *n == 1 { "" } else { "s" }))
        .collect();
    if words.is_empty() {
        words.push(if length.as_secs() == 0 {
            "0 minutes".into()
        } else {
            format!("{} seconds", length.as_secs().abs())
        });
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_utc() {
        let at = from_millis(1_767_600_330_999);
        assert_eq!((clock_time(at).as_str(), date_time(at).as_str()), ("08:05:30 UTC", "2026-01-05 08:05 UTC"));
    }

    #[test]
    fn words_take_the_two_largest_units() {
        let cases = [
            (0, "0 minutes"),
            (30, "30 seconds"),
            (60, "1 minute"),
            (86_400, "1 day"),
            (3 * 86_400, "3 days"),
            (100_000, "1 day 3 hours"),
        ];
        for (seconds, words) in cases {
            assert_eq!(in_words(SignedDuration::from_secs(seconds)), words);
        }
    }
}
