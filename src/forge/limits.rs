//! GitHub's rate limits: when an answer asks us to wait, and until when.

use crate::domain::{Limit, Pause, Quota, Refusal};
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};

/// "Wait at least a minute", say the docs, when no header tells.
const UNTOLD_PAUSE: SignedDuration = SignedDuration::from_mins(1);
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// No documented pause is longer than an hour; a header that asks for a year must not stop us for a year.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// A window of requests ends within the hour; one that is said to end much later is not believed.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The pause that an answer asks for; `None` when it is about something else. An answer may carry a refusal in its body
/// and a success in its status: then it is passed as 403.
///
/// Source: GitHub REST docs, "Rate limits for the REST API", "Exceeding the rate limit".
pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, message: &str, now: Timestamp) -> Option<Refusal> {
    if !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let message = message.to_ascii_lowercase();
    let retry_after_is_there = headers.contains_key("retry-after");
    let exhausted = number(headers, "x-ratelimit-remaining") == Some(0);
    let told = message.contains("rate limit") || message.contains("abuse detection");
    if !(retry_after_is_there || exhausted || told || status == StatusCode::TOO_MANY_REQUESTS) {
        return None;
    }
    let asked = match retry_after(headers, now) {
        Some(until) => Some(until),
        // A reset that is over by our clock tells of two clocks that differ, not that the limit is over.
        None if exhausted => reset(headers).filter(|at| *at > now),
        None => None,
    };
    let until = asked.unwrap_or(now + UNTOLD_PAUSE).clamp(now + SHORTEST_PAUSE, now + LONGEST_PAUSE);
    let limit = if exhausted && !retry_after_is_there { Limit::Hourly } else { Limit::Secondary };
    Some(Refusal { at: now, pause: Pause { until, limit }, told: asked.is_some() })
}

/// The requests left, where an answer tells.
pub(super) fn quota(headers: &HeaderMap, now: Timestamp) -> Option<Quota> {
    let (limit, remaining) = (number(headers, "x-ratelimit-limit")?, number(headers, "x-ratelimit-remaining")?);
    let resets_at = reset(headers).filter(|at| *at <= now + LONGEST_WINDOW)?;
    Some(Quota { limit, remaining: remaining.min(limit), resets_at })
}

/// Whether an answer's limits are those of ordinary REST requests; some endpoints have others.
pub(super) fn resource_is_core(headers: &HeaderMap) -> bool {
    headers.get("x-ratelimit-resource").is_none_or(|resource| resource == "core")
}

/// When `retry-after` allows to come back. GitHub sends seconds; what stands between us may send a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    match number(headers, "retry-after") {
        Some(seconds) => now.checked_add(SignedDuration::from_secs(seconds)).ok(),
        None => {
            let text = headers.get("retry-after")?.to_str().ok()?;
            jiff::fmt::rfc2822::parse(text.trim()).ok().map(|date| date.timestamp())
        }
    }
}

fn reset(headers: &HeaderMap) -> Option<Timestamp> {
    number(headers, "x-ratelimit-reset").and_then(|second| Timestamp::from_second(second).ok())
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
        refusal(StatusCode::from_u16(status).unwrap(), &headers, message, now)
            .map(|r| (r.pause.until.as_second() - 1_000_000, r.pause.limit == Limit::Secondary))
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
    fn a_proxy_may_name_a_date() {
        let date = [("retry-after", "Mon, 12 Jan 1970 13:47:30 GMT")];
        assert_eq!(asked(429, &date, ""), Some((50, true)));
    }

    #[test]
    fn a_window_is_believed_within_bounds() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let heard = |limit: &str, remaining: &str, reset: &str| {
            let headers =
                [("x-ratelimit-limit", limit), ("x-ratelimit-remaining", remaining), ("x-ratelimit-reset", reset)];
            let headers = headers.into_iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect();
            quota(&headers, now).map(|q| (q.limit, q.remaining, q.resets_at.as_second()))
        };
        assert_eq!(heard("5000", "4999", "1003600"), Some((5_000, 4_999, 1_003_600)));
        assert_eq!(heard("5000", "9999", "1003600"), Some((5_000, 5_000, 1_003_600)));
        assert_eq!(heard("5000", "-1", "1003600"), None);
        assert_eq!(heard("5000", "17", "99999999999"), None, "no window lasts for millennia");
    }

    #[test]
    fn nonsense_waits_a_bounded_time() {
        for bad in ["soon", "-5", "1e9", "", "99999999999999999999"] {
            assert_eq!(asked(403, &[("retry-after", bad)], ""), Some((60, true)), "{bad}");
        }
        assert_eq!(asked(403, &[("retry-after", "9223372036854775807")], "").map(|p| p.0 <= 86_400), Some(true));
        assert_eq!(asked(429, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "5")], ""), Some((60, false)));
    }

    #[test]
    fn other_refusals_are_not_limits() {
        assert_eq!(asked(403, &[("x-ratelimit-remaining", "17")], "Resource not accessible by integration"), None);
        assert_eq!(asked(404, &[("retry-after", "5")], ""), None);
        assert_eq!(asked(502, &[], ""), None);
    }
}
