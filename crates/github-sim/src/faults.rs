//! Failures on demand: what GitHub does on a bad day.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// A failure to play on requests that match.
#[derive(Debug, Clone)]
pub struct Fault {
    /// `GET`, `POST` …; `*` for all.
    pub method: String,
    /// The path without `/api/v3`: `*` stands for anything within a segment, `**` for anything at all.
    pub path: String,
    /// How many requests it strikes before it is spent.
    pub times: usize,
    /// What happens.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault that strikes once.
    pub fn once(method: &str, path: &str, kind: FaultKind) -> Fault {
        Fault { method: method.to_owned(), path: path.to_owned(), times: 1, kind }
    }

    /// The same fault, striking `times` times.
    pub fn times(mut self, times: usize) -> Fault {
        self.times = times;
        self
    }

    pub(crate) fn strikes(&self, method: &str, path: &str) -> bool {
        self.times > 0
            && (self.method == "*" || self.method.eq_ignore_ascii_case(method))
            && matches(self.path.as_bytes(), path.as_bytes())
    }
}

/// Holds requests back until a test opens it: for what must happen while a request is under way.
#[derive(Debug, Clone)]
pub struct Gate {
    open: Arc<watch::Sender<bool>>,
    waiting: Arc<watch::Sender<usize>>,
}

impl Default for Gate {
    fn default() -> Gate {
        Gate { open: Arc::new(watch::Sender::new(false)), waiting: Arc::new(watch::Sender::new(0)) }
    }
}

impl PartialEq for Gate {
    fn eq(&self, other: &Gate) -> bool {
        Arc::ptr_eq(&self.open, &other.open)
    }
}

impl Eq for Gate {}

impl Gate {
    /// Lets everybody through from now on.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Returns once this many requests stand before the gate, or have passed it.
    pub async fn reached_by(&self, requests: usize) {
        // The sender lives as long as this gate: waiting cannot fail.
        drop(self.waiting.subscribe().wait_for(|waiting| *waiting >= requests).await);
    }

    pub(crate) async fn pass(&self) {
        self.waiting.send_modify(|waiting| *waiting += 1);
        drop(self.open.subscribe().wait_for(|open| *open).await);
    }
}

/// What a [`Fault`] does to the request it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// 502 and nothing was done.
    BadGateway,
    /// 502 although the request was carried out in full.
    BadGatewayAfter,
    /// Never answers; nothing was done.
    Hang,
    /// Never answers although the request was carried out in full.
    HangAfter,
    /// The connection closes without an answer; nothing was done.
    Drop,
    /// The connection closes without an answer although the request was carried out in full.
    DropAfter,
    /// The answer stops in the middle of its body; the request was carried out in full.
    CutBody,
    /// Out of requests: `x-ratelimit-remaining: 0` and a reset this far ahead. GitHub uses 403 and 429.
    PrimaryRateLimit {
        /// 403 or 429.
        status: u16,
        /// From the stand-in's now to `x-ratelimit-reset`.
        reset_in: Duration,
    },
    /// "You have exceeded a secondary rate limit", with requests remaining. GitHub uses 403 and 429.
    SecondaryRateLimit {
        /// 403 or 429.
        status: u16,
        /// What the `retry-after` header says.
        retry_after: RetryAfter,
    },
    /// Carried out and answered as usual, once the gate is open.
    Wait(Gate),
    /// All installation tokens made so far stop working, then the request is answered: 401.
    ExpireTokens,
    /// Any other answer, with GitHub's error body around the message; nothing was done.
    Status {
        /// The status code.
        status: u16,
        /// The body's `message`.
        message: String,
    },
    /// 301 to some address; nothing was done.
    Redirect {
        /// What the `location` header says.
        to: String,
    },
    /// Any other answer with any body; nothing was done.
    Answer {
        /// The status code.
        status: u16,
        /// The whole body.
        body: serde_json::Value,
    },
}

impl FaultKind {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            FaultKind::BadGateway => "bad gateway before",
            FaultKind::BadGatewayAfter => "bad gateway after",
            FaultKind::Hang => "hang before",
            FaultKind::HangAfter => "hang after",
            FaultKind::Drop => "drop before",
            FaultKind::DropAfter => "drop after",
            FaultKind::CutBody => "cut body",
            FaultKind::PrimaryRateLimit { .. } => "primary rate limit",
            FaultKind::SecondaryRateLimit { .. } => "secondary rate limit",
            FaultKind::Wait(_) => "gate",
            FaultKind::ExpireTokens => "expired tokens",
            FaultKind::Status { .. } => "status",
            FaultKind::Redirect { .. } => "redirect",
            FaultKind::Answer { .. } => "answer",
        }
    }

    /// Whether the request is carried out before the failure shows.
    pub(crate) fn applies_request(&self) -> bool {
        matches!(
            self,
            FaultKind::BadGatewayAfter
                | FaultKind::HangAfter
                | FaultKind::DropAfter
                | FaultKind::CutBody
                | FaultKind::ExpireTokens
                | FaultKind::Wait(_)
        )
    }
}

/// The `retry-after` header of a secondary rate limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryAfter {
    /// Whole seconds.
    Seconds(u64),
    /// No such header.
    Missing,
    /// The header says this instead of a number.
    Text(String),
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|at| matches(rest, &text[at..])),
        [b'*', rest @ ..] => {
            let segment = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=segment).any(|at| matches(rest, &text[at..]))
        }
        [first, rest @ ..] => text.first() == Some(first) && matches(rest, &text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn one_star_stays_within_a_segment_and_two_cross() {
        let check = |pattern: &str, text: &str| matches(pattern.as_bytes(), text.as_bytes());
        assert!(check("/repos/*/*/pulls", "/repos/acme/api/pulls"));
        assert!(!check("/repos/*/pulls", "/repos/acme/api/pulls"));
        assert!(check("/repos/**/pulls", "/repos/acme/api/pulls"));
        assert!(check("**", "/anything/at/all"));
        assert!(!check("/repos/*/*", "/repos/acme/api/pulls"));
    }
}
