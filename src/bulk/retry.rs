//! Waiting as long as GitHub asks for, and repeating what it gave no answer to.

use super::words::one_line;
use crate::domain::Clock;
use crate::domain::text::cut;
use crate::domain::time::clock_time;
use crate::forge::ForgeError;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A pause that GitHub asks for is kept, if it is not longer than this.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(70);
/// How often a request is repeated that GitHub did not answer.
const REPEATS_MAX: u32 = 4;
/// Shorter pauses are not worth a word.
const UNTOLD: SignedDuration = SignedDuration::from_secs(5);

/// As much of a cause as stands beside a pause; all of it comes with the failure, if it comes to that. Unit: characters.
const LONGEST_CAUSE: usize = 80;

/// Who waits, and who hears of it.
pub struct Retry<'a> {
    clock: Arc<dyn Clock>,
    tell: Box<dyn Fn(&str) + Send + Sync + 'a>,
    pause: Box<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'a>,
    /// Until when people know that is waited: of many who wait for the same, one says so.
    told: Mutex<Timestamp>,
}

impl<'a> Retry<'a> {
    /// Waits by a clock. `tell` hears of pauses that people notice.
    pub fn new(clock: Arc<dyn Clock>, tell: impl Fn(&str) + Send + Sync + 'a) -> Self {
        let pause = |time| -> BoxFuture<'static, ()> { Box::pin(tokio::time::sleep(time)) };
        Self { clock, tell: Box::new(tell), pause: Box::new(pause), told: Mutex::new(Timestamp::MIN) }
    }

    /// The same, letting time pass in another way.
    pub fn pausing(self, pause: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'a) -> Self {
        Self { pause: Box::new(pause), ..self }
    }

    /// Asks, and asks again where that may be repeated. `of_forge` is what an error says of GitHub, if it says anything.
    ///
    /// Errors: those of `ask`: whatever is not mended by waiting, and pauses beyond an hour.
    pub async fn run<T, E, F: Future<Output = Result<T, E>>>(
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
                    repeats += 1;
                    SignedDuration::from_secs(1 << (repeats - 1))
                }
                _ => return Err(error),
            };
            if wait > LONGEST_PAUSE {
                return Err(error);
            }
            // One that is over already is none.
            let Some(pause) = Duration::try_from(wait).ok().filter(|pause| !pause.is_zero()) else { continue };
            if wait > UNTOLD && self.is_news(now + wait) {
                (self.tell)(&words(of_forge(&error), now + wait));
            }
            (self.pause)(pause).await;
        }
    }

    /// Lets some time pass.
    pub(super) async fn pause(&self, time: Duration) {
        (self.pause)(time).await;
    }

    /// Whether nobody was told of a pause until then yet.
    fn is_news(&self, until: Timestamp) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = until.duration_since(*told) > UNTOLD;
        if is_news {
            *told = until;
        }
        is_news
    }
}

/// What people hear of a pause.
fn words(error: Option<&ForgeError>, until: Timestamp) -> String {
    let until = clock_time(until);
    match error {
        Some(ForgeError::Unavailable { why, .. }) => {
            format!("GitHub does not answer ({}); trying again at {until}", innermost(&one_line(why)))
        }
        _ => format!("GitHub asks to wait until {until}; going on then"),
    }
}

/// The end of a chain of causes, which is nearest to what happened.
fn innermost(why: &str) -> String {
    let mut rest = why;
    while rest.chars().nth(LONGEST_CAUSE).is_some()
        && let Some((_, cause)) = rest.split_once(": ")
    {
        rest = cause;
    }
    cut(rest, LONGEST_CAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join3;
    use std::sync::atomic::{AtomicBool, Ordering};

    struct Still(Timestamp);

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            self.0
        }
    }

    #[tokio::test]
    async fn of_many_who_wait_for_the_same_one_says_so() {
        let now: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        let words = Mutex::new(Vec::new());
        let retry = Retry::new(Arc::new(Still(now)), |word| words.lock().unwrap().push(word.to_owned()));
        let retry = retry.pausing(|_| Box::pin(tokio::task::yield_now()));
        let ask = async |minutes| {
            let until = now + SignedDuration::from_mins(minutes);
            let limited = || ForgeError::RateLimited { until, secondary: false, endpoint: "GET /user".into() };
            let first = AtomicBool::new(true);
            let once = || async { if first.swap(false, Ordering::Relaxed) { Err(limited()) } else { Ok(minutes) } };
            retry.run(|error| Some(error), once).await.unwrap()
        };
        assert_eq!(join3(ask(30), ask(30), ask(60)).await, (30, 30, 60));
        let told =
            ["09:30:01", "10:00:01"].map(|until| format!("GitHub asks to wait until {until} UTC; going on then"));
        assert_eq!(*words.lock().unwrap(), told);
    }

    #[test]
    fn a_github_that_is_silent_is_not_said_to_have_asked_for_a_pause() {
        let until: Timestamp = "2026-01-05T16:42:50Z".parse().unwrap();
        let endpoint = "GET /user".to_owned();
        let because = |why: String| words(Some(&ForgeError::Unavailable { endpoint: endpoint.clone(), why }), until);
        let (refused, end) = (
            "tcp connect error: Connection refused (os error 111), at http://127.0.0.1:1",
            "trying again at 16:42:50 UTC",
        );
        let chain = format!("Service Error: error sending request: client error (Connect): {refused}");
        assert_eq!(because(chain), format!("GitHub does not answer ({refused}); {end}"));
        assert_eq!(because("502: bad".to_owned()), format!("GitHub does not answer (502: bad); {end}"));
        let (long, cut) = ("ä".repeat(200), "ä".repeat(79));
        assert_eq!(because(format!("a: {long}")), format!("GitHub does not answer ({cut}…); {end}"));
        let limited = ForgeError::RateLimited { until, secondary: true, endpoint };
        assert_eq!(words(Some(&limited), until), "GitHub asks to wait until 16:42:50 UTC; going on then");
    }
}
