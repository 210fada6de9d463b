//! When a step that failed is tried again, and when that has become pointless. Pure but for the jitter.

use super::StepError;
use crate::forge::ForgeError;
use crate::store::StoreError;
use backon::BackoffBuilder as _;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// After this many refusals a step is parked, however often the times kept it from going on: it stays visible with its reason, and runs again when
/// its installation changes, when the server starts, or when a person or an event asks for it.
const REFUSALS_MAX: u32 = 5;
/// Between two attempts there is at most this.
const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// Whether what GitHub answered says something about GitHub's or the installation's present state, rather than about the
/// request. However long it lasts, it is no reason to give a step up.
pub(super) fn passes(error: &ForgeError) -> bool {
    match error {
        ForgeError::RateLimited { .. }
        | ForgeError::Unavailable { .. }
        | ForgeError::Protocol { .. }
        | ForgeError::Unauthorized { .. }
        | ForgeError::Suspended { .. } => true,
        ForgeError::Settings { .. }
        | ForgeError::Gone { .. }
        | ForgeError::Forbidden { .. }
        | ForgeError::Archived { .. }
        | ForgeError::Empty { .. }
        | ForgeError::Conflict { .. }
        | ForgeError::StaleBase { .. }
        | ForgeError::NoChange { .. }
        | ForgeError::Moved { .. }
        | ForgeError::Invalid { .. }
        | ForgeError::TooLarge { .. } => false,
    }
}

/// Whether GitHub said no to the step itself, and would say so again.
pub(super) fn is_refusal(error: &StepError) -> bool {
    matches!(error, StepError::Forge(error) if !passes(error))
}

/// When to try again: when GitHub says, else after 5 seconds, doubled each time up to an hour, with some jitter. `None`
/// when trying again has become pointless.
pub(super) fn next_attempt(error: &StepError, (attempts, refusals): (u32, u32), now: Timestamp) -> Option<Timestamp> {
    let given_up = match error {
        StepError::Forge(ForgeError::RateLimited { until, .. }) => {
            return Some((*until).max(now + SignedDuration::from_secs(1)));
        }
        StepError::Corrupt(_) | StepError::Panicked(_) | StepError::Store(StoreError::Corrupt { .. }) => true,
        StepError::Forge(_) => is_refusal(error) && refusals + 1 >= REFUSALS_MAX,
        StepError::Registry(_) | StepError::Store(_) => false,
    };
    if given_up {
        return None;
    }
    let mut pauses = backon::ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(5))
        .with_max_delay(PAUSE_MAX)
        .with_factor(2.0)
        .without_max_times()
        .with_jitter()
        .build();
    // Twenty doublings are beyond the longest pause.
    let pause = pauses.nth(attempts.clamp(1, 20) as usize - 1).unwrap_or(PAUSE_MAX);
    Some(now + SignedDuration::try_from(pause).unwrap_or(SignedDuration::from_hours(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable() -> StepError {
        StepError::Forge(ForgeError::Unavailable { endpoint: "GET /".into(), why: "502".into() })
    }

    #[test]
    fn an_outage_of_any_length_gives_nothing_up() {
        let now = Timestamp::UNIX_EPOCH;
        for attempts in [1, 2, 12, 13, 100, u32::MAX] {
            let at = next_attempt(&unavailable(), (attempts, 4), now).unwrap();
            assert!(at > now && at <= now + SignedDuration::from_hours(2), "{attempts}: {at}");
        }
    }

    #[test]
    fn a_refusal_is_given_up_after_a_few_attempts_and_a_defect_at_once() {
        let now = Timestamp::UNIX_EPOCH;
        let forbidden =
            StepError::Forge(ForgeError::Forbidden { endpoint: "GET /".into(), needs: None, message: "no".into() });
        assert!(next_attempt(&forbidden, (99, REFUSALS_MAX - 2), now).is_some());
        assert_eq!(next_attempt(&forbidden, (1, REFUSALS_MAX - 1), now), None);
        assert_eq!(next_attempt(&StepError::Panicked("x".into()), (1, 0), now), None);
    }
}
