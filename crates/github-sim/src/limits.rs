//! Accounting of the primary and secondary rate limits, per installation.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::reply::Reply;
use crate::settings::Limits;

/// The requests of one caller in the current hour.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    resets_at: Timestamp,
    used: u64,
    writes: VecDeque<Timestamp>,
}

/// What the `x-ratelimit-*` headers say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub limit: u64,
    pub used: u64,
    pub resets_at: Timestamp,
}

impl Standing {
    pub(crate) fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    pub(crate) fn headers(&self) -> [(&'static str, String); 5] {
        [
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.remaining().to_string()),
            ("x-ratelimit-reset", self.resets_at.as_second().to_string()),
            ("x-ratelimit-used", self.used.to_string()),
            ("x-ratelimit-resource", "core".to_owned()),
        ]
    }
}

impl Window {
    pub(crate) fn standing(&mut self, limits: &Limits, now: Timestamp) -> Standing {
        // A clock may also be turned back: a window never ends more than an hour ahead.
        let hour = SignedDuration::from_hours(1);
        if now >= self.resets_at || self.resets_at > now + hour {
            *self = Window { resets_at: now + hour, used: 0, writes: std::mem::take(&mut self.writes) };
        }
        Standing { limit: limits.requests_per_hour, used: self.used, resets_at: self.resets_at }
    }

    /// Counts one request, unless none is left.
    pub(crate) fn spend(&mut self, limits: &Limits, now: Timestamp) -> Result<(), ()> {
        if self.standing(limits, now).remaining() == 0 {
            return Err(());
        }
        self.used += 1;
        Ok(())
    }

    /// Gives a request back: a 304 costs nothing.
    pub(crate) fn refund(&mut self) {
        self.used = self.used.saturating_sub(1);
    }

    /// Counts one content-creating request, or says in how many seconds to come back.
    pub(crate) fn write(&mut self, limits: &Limits, now: Timestamp) -> Result<(), u64> {
        let within = |writes: &VecDeque<Timestamp>, span: SignedDuration| {
            let since: Vec<_> = writes.iter().filter(|at| now.duration_since(**at) < span).copied().collect();
            (since.len(), since.first().copied())
        };
        for (limit, span) in [
            (limits.writes_per_minute, SignedDuration::from_mins(1)),
            (limits.writes_per_hour, SignedDuration::from_hours(1)),
        ] {
            let (count, first) = within(&self.writes, span);
            if let (Some(limit), Some(first)) = (limit, first)
                && count >= limit
            {
                let wait = span.as_secs() - now.duration_since(first).as_secs();
                return Err(wait.unsigned_abs().max(1));
            }
        }
        self.writes.push_back(now);
        if self.writes.len() > 10_000 {
            self.writes.pop_front();
        }
        Ok(())
    }
}

/// 403 or 429 because the hour's requests are used up.
pub(crate) fn primary_exceeded(status: u16, installation: Option<i64>) -> Reply {
    let who = installation.map_or_else(|| "this App".to_owned(), |id| format!("installation ID {id}"));
    Reply::error(
        status,
        &format!(
            "API rate limit exceeded for {who}. If you reach out to GitHub Support for help, please include the request ID."
        ),
    )
}

/// 403 or 429 because too much was done at once, although requests remain.
pub(crate) fn secondary_exceeded(status: u16, retry_after: Option<String>) -> Reply {
    let reply = Reply::error(
        status,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. \
         If you reach out to GitHub Support for help, please include the request ID.",
    );
    match retry_after {
        Some(text) => reply.with("retry-after", text),
        None => reply,
    }
}
