//! What this process heard of GitHub's limits, for each installation and for the App itself.
//!
//! A pause is kept to here at once, whoever runs into it; what other processes learn comes in by [`Standings::heed`].

use super::limits::{self, resource_is_core};
use crate::domain::{Heard, InstallationId, Pause, Quota, Refusal};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whose limits: an installation's, or the App's own.
pub(super) type Whose = Option<InstallationId>;

/// The limits as far as this process knows them.
#[derive(Default)]
pub(super) struct Standings {
    by_whom: Mutex<HashMap<Whose, Standing>>,
}

#[derive(Default)]
struct Standing {
    pause: Option<Pause>,
    /// What nobody has asked for yet.
    news: Option<Heard>,
}

impl Standings {
    /// The pause in which nothing may be asked now; asking on prolongs the ban.
    pub(super) fn pause(&self, whose: Whose, now: Timestamp) -> Option<Pause> {
        self.lock().get(&whose)?.pause.filter(|pause| now < pause.until)
    }

    /// Keeps to a pause, unless a longer one is known.
    pub(super) fn heed(&self, whose: Whose, pause: Pause) {
        self.lock().entry(whose).or_default().heed(pause);
    }

    /// Notes an answer's headers.
    pub(super) fn hear(&self, whose: Whose, status: StatusCode, headers: &HeaderMap, now: Timestamp) {
        // Whom GitHub does not recognise, it tells a stranger's limits.
        if status == StatusCode::UNAUTHORIZED || !resource_is_core(headers) {
            return;
        }
        if let Some(quota) = limits::quota(headers, now) {
            let mut standings = self.lock();
            let news = standings.entry(whose).or_default().news();
            news.quota = Some(match news.quota {
                // Answers overtake each other.
                Some(known) if newer(&known, &quota) => known,
                _ => quota,
            });
        }
    }

    /// Notes that GitHub refused to answer, and keeps to the pause.
    pub(super) fn refused(&self, whose: Whose, refusal: Refusal) {
        let mut standings = self.lock();
        let standing = standings.entry(whose).or_default();
        standing.heed(refusal.pause);
        standing.news().refusal = Some(refusal);
    }

    /// What is new since the last call.
    pub(super) fn take(&self, whose: Whose) -> Option<Heard> {
        self.lock().get_mut(&whose)?.news.take()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Whose, Standing>> {
        self.by_whom.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    fn heed(&mut self, pause: Pause) {
        if self.pause.is_none_or(|known| known.until < pause.until) {
            self.pause = Some(pause);
        }
    }

    fn news(&mut self) -> &mut Heard {
        self.news.get_or_insert(Heard { quota: None, refusal: None })
    }
}

fn newer(one: &Quota, other: &Quota) -> bool {
    (one.resets_at, -one.remaining) > (other.resets_at, -other.remaining)
}
