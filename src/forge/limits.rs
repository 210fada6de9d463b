//! GitHub's rate limits: when an answer asks us to wait, and until when.

use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};

/// "Wait at least a minute", say the docs, when no header tells.
const UNTOLD_PAUSE: SignedDuration = SignedDuration::from_mins(1);
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// No documented pause is longer than an hour; a header that asks for a year must not stop us for a year.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// A pause that GitHub asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) until: Timestamp,
    pub(super) secondary: bool,
}

/// The pause that an answer asks for; `None` when it is about something else.
///
/// Source: GitHub REST docs, "Rate limits for the REST API", "Exceeding the rate limit".
pub(super) fn pause(status: StatusCode, headers: &HeaderMap, message: &str, now: Timestamp) -> Option<Pause> {
    if !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let message = message.to_ascii_lowercase();
    let retry_after = headers.contains_key("retry-after");
    let exhausted = number(headers, "x-ratelimit-remaining") == Some(0);
    let told = message.contains("rate limit") || message.contains("abuse detection");
    if !(retry_after || exhausted || told || status == StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let asked = match number(headers, "retry-after") {
        Some(seconds) => now.checked_add(SignedDuration::from_secs(seconds)).ok(),
        None if exhausted => {
            number(headers, "x-ratelimit-reset").and_then(|second| Timestamp::from_second(second).ok())
        }
        None => None,
    };
    let until = asked.unwrap_or(now + UNTOLD_PAUSE).clamp(now + SHORTEST_PAUSE, now + LONGEST_PAUSE);
    Some(Pause { until, secondary: retry_after || !exhausted })
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok().filter(|n| *n >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(status: u16, headers: &[(&'static str, &str)], message: &str) -> Option<(i64, bool)> {
        let headers = headers.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect();
        let now = Timestamp::from_second(1_000_000).unwrap();
        pause(StatusCode::from_u16(status).unwrap(), &headers, message, now)
            .map(|p| (p.until.as_second() - 1_000_000, p.secondary))
    }

    #[test]
    fn the_documented_order_holds() {
        assert_eq!(asked(403, &[("retry-after", "30"), ("x-ratelimit-remaining", "0")], ""), Some((30, true)));
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1001800")];
        assert_eq!(asked(403, &spent, "API rate limit exceeded"), Some((1800, false)));
        assert_eq!(asked(429, &[], ""), Some((60, true)));
        assert_eq!(asked(403, &[], "You have exceeded a secondary rate limit."), Some((60, true)));
    }

    #[test]
    fn nonsense_waits_a_bounded_time() {
        for bad in ["soon", "-5", "1e9", "", "99999999999999999999"] {
            assert_eq!(asked(403, &[("retry-after", bad)], ""), Some((60, true)), "{bad}");
        }
        assert_eq!(asked(403, &[("retry-after", "9223372036854775807")], "").map(|p| p.0 <= 86_400), Some(true));
        assert_eq!(asked(429, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "5")], ""), Some((1, false)));
    }

    #[test]
    fn other_refusals_are_not_limits() {
        assert_eq!(asked(403, &[("x-ratelimit-remaining", "17")], "Resource not accessible by integration"), None);
        assert_eq!(asked(404, &[("retry-after", "5")], ""), None);
        assert_eq!(asked(502, &[], ""), None);
    }
}
