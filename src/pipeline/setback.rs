//! The words for a step that did not get through, the same wherever it is told.

use crate::domain::time::date_time;
use crate::store::{Next, Setback};
use serde_json::json;

/// What happened to a step, what happens next, and why. The reason holds words of others: whoever prints it takes care.
pub fn sentence(setback: &Setback) -> String {
    let Setback { step, attempts, error, next, .. } = setback;
    let attempts = if *attempts == 1 { "1 attempt".into() } else { format!("{attempts} attempts") };
    match next {
        Next::Parked { since } => {
            format!("The step `{step}` is parked since {}, after {attempts}: {error}", date_time(*since))
        }
        Next::Again { at } => {
            format!("The step `{step}` was put back after {attempts} and goes on at {}: {error}", date_time(*at))
        }
    }
}

/// A setback for scripts: `parked_at` or `again_at` says what happens next.
pub fn to_json(setback: &Setback) -> serde_json::Value {
    let (parked_at, again_at) = match setback.next {
        Next::Parked { since } => (Some(since), None),
        Next::Again { at } => (None, Some(at)),
    };
    json!({
        "id": setback.id.to_string(), "step": setback.step, "subject": setback.subject,
        "repository": setback.repository, "attempts": setback.attempts, "error": setback.error,
        "parked_at": parked_at, "again_at": again_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::WorkId;
    use jiff::Timestamp;

    #[test]
    fn a_setback_is_told_with_its_reason_and_its_time() {
        let at = Timestamp::UNIX_EPOCH;
        let setback = |attempts, next| Setback {
            id: WorkId("w".into()),
            step: "index".into(),
            subject: "repo:1".into(),
            repository: None,
            attempts,
            error: "GitHub refused it".into(),
            next,
        };
        assert_eq!(
            sentence(&setback(5, Next::Parked { since: at })),
            "The step `index` is parked since 1970-01-01 00:00 UTC, after 5 attempts: GitHub refused it"
        );
        assert_eq!(
            sentence(&setback(1, Next::Again { at })),
            "The step `index` was put back after 1 attempt and goes on at 1970-01-01 00:00 UTC: GitHub refused it"
        );
    }
}
