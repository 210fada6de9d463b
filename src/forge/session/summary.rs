//! How a pull request is doing: what reviewers said last, what its checks come to.

use super::super::pages::read_while;
use super::super::pulls::{AccountBody, AccountId};
use super::super::tokens::Access;
use super::{ForgeError, GitHubSession, Target};
use crate::domain::{Check, Colour, ObjectId, PullNumber};
use serde::Deserialize;
use std::collections::BTreeMap;

/// More reviews than these are not read.
const REVIEWS_MAX: usize = 1_000;

/// What all checks of a commit come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChecksState {
    /// There is none.
    None,
    /// All have ended, and none of them badly.
    Green,
    /// Some have not ended, and none ended badly.
    Pending,
    /// One of them at least ended badly.
    Red,
    /// Whoever asks may not see them, or there are too many.
    Unknown,
}

#[derive(Deserialize)]
struct ReviewBody {
    #[serde(default)]
    user: Option<AccountBody>,
    state: String,
}

impl GitHubSession {
    /// What the checks and commit statuses of a commit come to.
    pub async fn checks_of(&self, target: &Target, commit: &ObjectId) -> Result<ChecksState, ForgeError> {
        let runs = visible(self.github.check_runs(target, commit).await)?;
        let statuses = visible(self.github.statuses(target, commit).await)?;
        Ok(come_to(runs, statuses))
    }

    /// How many people's last word on a pull request is that it is good, and how many's that it has to change.
    pub async fn reviews(&self, target: &Target, number: PullNumber) -> Result<(usize, usize), ForgeError> {
        let first = target.path(&["pulls", &number.to_string(), "reviews"]) + "?per_page=100";
        let mut words: BTreeMap<Option<AccountId>, String> = BTreeMap::new();
        let mut count = 0;
        read_while(&self.github.client, target.scope(Access::Pulls).into(), first, |page: Vec<ReviewBody>| {
            count += page.len();
            let judging = page.into_iter().filter(|review| review.state != "COMMENTED" && review.state != "PENDING");
            words.extend(judging.map(|review| (review.user.map(|user| user.id), review.state)));
            count < REVIEWS_MAX
        })
        .await?;
        let said = |word: &str| words.values().filter(|state| *state == word).count();
        Ok((said("APPROVED"), said("CHANGES_REQUESTED")))
    }
}

/// `None` for what may not be seen: a token for chosen repositories cannot read checks.
fn visible(found: Result<Option<Vec<Check>>, ForgeError>) -> Result<Option<Vec<Check>>, ForgeError> {
    match found {
        Err(ForgeError::Forbidden { .. } | ForgeError::Gone { .. }) => Ok(None),
        found => found,
    }
}

/// A red one is red whatever else there is; that all is well is said only when all was seen. Pure.
fn come_to(runs: Option<Vec<Check>>, statuses: Option<Vec<Check>>) -> ChecksState {
    let all_seen = runs.is_some() && statuses.is_some();
    let worst = runs.into_iter().chain(statuses).flatten().map(|check| check.colour).max();
    match worst {
        Some(Colour::Red) => ChecksState::Red,
        _ if !all_seen => ChecksState::Unknown,
        Some(Colour::Pending) => ChecksState::Pending,
        Some(Colour::Green | Colour::Grey) => ChecksState::Green,
        None => ChecksState::None,
    }
}
