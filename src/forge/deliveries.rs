//! The App's own log of webhook deliveries: what failed, and asking for it once more.
//!
//! GitHub repeats nothing by itself. It keeps the log for three days, an Enterprise Server for seven, and a delivery has the
//! same GUID however often it is attempted. Permissions: the App's JWT.
//! Source: GitHub docs, "Handling failed webhook deliveries" and "REST API endpoints for GitHub App webhooks".

use super::client::{Call, Identity, path};
use super::{ForgeError, GitHub, pages};
use crate::domain::DeliveryId;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use std::fmt;

/// The number of one attempt at a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub i64);

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One attempt of GitHub's at handing a delivery over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DeliveryAttempt {
    /// Its number in the log.
    pub id: AttemptId,
    /// The delivery; all attempts at it have this in common.
    #[serde(rename = "guid")]
    pub delivery: DeliveryId,
    /// When it was made.
    #[serde(rename = "delivered_at")]
    pub at: Timestamp,
    /// What was answered, or a 5xx of GitHub's own where nobody answered; `None` where even that is missing.
    #[serde(rename = "status_code")]
    pub status: Option<i64>,
}

impl DeliveryAttempt {
    /// Whether it was acknowledged.
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// What the log holds of attempts that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryLog {
    /// Newest first. A server that does not sort them out lists those that succeeded as well.
    pub attempts: Vec<DeliveryAttempt>,
    /// Whether there may be older ones that were not read.
    pub cut: bool,
}

impl GitHub {
    /// The attempts that failed since a time, at most `attempts_max` of them or little more.
    pub async fn failed_deliveries(&self, since: Timestamp, attempts_max: usize) -> Result<DeliveryLog, ForgeError> {
        let mut log = DeliveryLog::default();
        let first = path(&["app", "hook", "deliveries"]) + "?status=failure&per_page=100";
        let take = |page: Vec<DeliveryAttempt>| {
            let reached = page.iter().any(|attempt| attempt.at < since);
            log.attempts.extend(page.into_iter().filter(|attempt| attempt.at >= since));
            log.cut = !reached && log.attempts.len() >= attempts_max;
            !reached && !log.cut
        };
        pages::read_while(&self.client, Identity::App, first, take).await?;
        Ok(log)
    }

    /// Asks GitHub to deliver once more what this attempt was about. It comes later, as a webhook.
    ///
    /// Errors: [`ForgeError::Gone`] when the log does not hold the attempt any more.
    pub async fn redeliver(&self, attempt: AttemptId) -> Result<(), ForgeError> {
        let call = Call::post_nothing(path(&["app", "hook", "deliveries", &attempt.to_string(), "attempts"]));
        let answer = self.client.send(&call, Identity::App).await?;
        match answer.status {
            StatusCode::ACCEPTED => Ok(()),
            _ => Err(answer.not_understood("it does not say that the delivery will be repeated")),
        }
    }
}
