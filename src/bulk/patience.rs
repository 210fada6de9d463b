//! Waiting as long as GitHub asks for, and repeating what it gave no answer to.

use crate::domain::Clock;
use crate::forge::ForgeError;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// A pause that GitHub asks for is kept, if it is not longer than this.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(70);
/// How often a request is repeated that GitHub did not answer.
const REPEATS_MAX: u32 = 4;
/// Shorter pauses are not worth a word.
const UNTOLD: SignedDuration = SignedDuration::from_secs(5);

/// Who waits, and who hears of it.
pub struct Patience {
    clock: Arc<dyn Clock>,
    tell: Box<dyn Fn(&str) + Send + Sync>,
}

impl Patience {
    /// Waits by a clock. `tell` hears of pauses that people notice.
    pub fn new(clock: Arc<dyn Clock>, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { clock, tell: Box::new(tell) }
    }

    /// Asks, and asks again where that may be repeated. `of_forge` is what an error says of GitHub, if it says anything.
    ///
    /// Errors: those of `ask`: whatever is not mended by waiting, and pauses beyond an hour.
    pub async fn with<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        of_forge: impl Fn(&E) -> Option<&ForgeError>,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, E> {
        let mut repeats = 0;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let now = self.clock.now();
            let wait = match of_forge(&error) {
                Some(ForgeError::RateLimited { until, .. }) => until.duration_since(now) + SignedDuration::from_secs(1),
                Some(ForgeError::Unavailable { .. }) if repeats < REPEATS_MAX => {
                    SignedDuration::from_secs(1 << repeats)
                }
                _ => return Err(error),
            };
            if wait > LONGEST_PAUSE {
                return Err(error);
            }
            repeats += 1;
            if wait > UNTOLD {
                (self.tell)(&format!("GitHub asks to wait until {}; going on then", minute(now + wait)));
            }
            // A pause that is over already is none.
            tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
        }
    }
}

fn minute(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%H:%M:%S UTC").to_string()
}
