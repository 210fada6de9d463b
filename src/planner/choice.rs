//! What may become of a dependency: the releases it may move to, and which of them it is at a given time.

use super::rejection::Rejection;
use super::{Used, timing};
use crate::domain::update::target_name;
use crate::domain::{Decision, Proposal, Standing, Terms, VersionStep};
use crate::subscription::{Delay, Subscription};
use crate::versioning::scheme;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::Ordering;

/// A release a dependency may move to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The version.
    pub version: &'a str,
    /// What its tag points at by now, where that alone is new and the version is the one in use.
    pub refresh: Option<&'a str>,
    /// How far it is from the version in use.
    pub step: VersionStep,
    /// From when its age counts.
    pub counts_from: Timestamp,
    /// Whether it is a tag that points at something younger than itself.
    pub moved: bool,
    /// Since when the subscription has been there.
    pub subscribed_since: Timestamp,
    /// Since when the repository has used the package.
    pub dependency_since: Timestamp,
    /// When it is old enough, and both subscription and dependency were there.
    pub eligible_at: Timestamp,
    /// The first moment the delay allows.
    pub due_at: Timestamp,
    /// Who does not want to see it yet, and until when.
    pub snoozed: Option<(&'a Decision, Timestamp)>,
    /// The open pull request that moves the dependency to it, of whichever group.
    pub open: Option<&'a Proposal>,
}

/// A release a dependency may not move to, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected<'a> {
    /// The version.
    pub version: &'a str,
    /// As in [`Candidate`].
    pub refresh: Option<&'a str>,
    /// Why.
    pub why: Rejection,
}

impl Candidate<'_> {
    /// What it is called.
    pub fn name(&self) -> String {
        target_name(self.version, self.refresh)
    }
}

/// One dependency under one subscription, in one lane: major updates take a lane of their own, so that they never hold the
/// others back, unless `group: all` asks for everything together.
pub struct Choice<'a> {
    /// The dependency.
    pub used: &'a Used,
    /// The subscription that covers it.
    pub subscription: &'a Subscription,
    /// The group its proposals belong to.
    pub group: String,
    /// What it may move to, from the oldest version to the newest.
    pub candidates: Vec<Candidate<'a>>,
    /// What it may not move to, from the oldest version to the newest.
    pub rejected: Vec<Rejected<'a>>,
}

impl<'a> Choice<'a> {
    /// What it should move to at a given time: the newest version whose due time has come, or which is open already.
    ///
    /// What is open counts even when the rules have become slower since: nobody wants a step back in its place.
    pub fn target_at(&self, time: Timestamp) -> Option<&Candidate<'a>> {
        self.candidates.iter().rev().find(|c| c.open.is_some() || c.due_at <= time)
    }

    /// What the due time of a candidate follows from.
    pub fn terms(&self, candidate: &Candidate<'_>, timezone: &TimeZone) -> Terms {
        let delay = self.subscription.delay.for_step(candidate.step);
        Terms {
            counts_from: candidate.counts_from,
            subscribed_since: candidate.subscribed_since,
            dependency_since: candidate.dependency_since,
            min_age: self.subscription.min_age.for_step(candidate.step),
            delay: serde_json::to_value(delay).unwrap_or_default(),
            timezone: timezone.iana_name().unwrap_or_default().to_owned(),
            snoozed_until: candidate.snoozed.map(|(_, until)| until),
        }
    }

    /// Why a candidate is not a pull request yet, as far as age and delay go. `name` is how it is called.
    pub fn reason(&self, candidate: &Candidate<'_>, name: &str, timezone: &TimeZone, now: Timestamp) -> String {
        let min_age = self.subscription.min_age.for_step(candidate.step);
        let delay = self.subscription.delay.for_step(candidate.step);
        if let Some((snooze, until)) = candidate.snoozed.filter(|(_, until)| *until > now) {
            let (by, pull, until) = (&snooze.by, snooze.pull, timing::moment_in_words(timezone, until));
            return format!("{by} put it off on #{pull} until {until}");
        }
        if now.duration_since(candidate.counts_from) < min_age {
            let moved = candidate.moved.then(|| format!("{name}, whose tag was moved,"));
            let name = moved.as_deref().unwrap_or(name);
            let young = timing::too_young(name, candidate.counts_from, min_age, now);
            return match delay {
                Delay::Immediate => young,
                Delay::Schedule(_) => {
                    format!("{young}; then it {}", timing::waits_for(delay, timezone, candidate.due_at))
                }
            };
        }
        if candidate.due_at > now {
            return timing::waits_for(delay, timezone, candidate.due_at);
        }
        format!("due since {}, it is opened next", timing::moment_in_words(timezone, candidate.due_at))
    }

    /// When the words of [`reason`](Self::reason) change next although the target stays.
    pub fn reworded_at(&self, candidate: &Candidate<'_>, now: Timestamp) -> Option<Timestamp> {
        let min_age = self.subscription.min_age.for_step(candidate.step);
        timing::too_young_until(candidate.counts_from, min_age, now)
    }

    /// The candidates that are newer than the target of a time, so not due then, from the oldest to the newest.
    pub fn ahead(&self, time: Timestamp) -> &[Candidate<'a>] {
        let behind = self.candidates.iter().rposition(|c| c.open.is_some() || c.due_at <= time).map_or(0, |i| i + 1);
        self.candidates.get(behind..).unwrap_or_default()
    }

    /// Whether nothing it may move to is newer than the newest release it may not move to.
    pub fn newest_is_rejected(&self) -> bool {
        let scheme = scheme(self.used.dependency.package.ecosystem);
        let Some(rejected) = self.rejected.last() else { return false };
        self.candidates.last().is_none_or(|c| scheme.compare(c.version, rejected.version) == Some(Ordering::Less))
    }

    /// The next time after `time` at which the target changes.
    pub fn next_change(&self, time: Timestamp) -> Option<Timestamp> {
        self.ahead(time).iter().map(|c| c.due_at).min()
    }
}

/// A dependency, and what may become of it.
pub struct Assessed<'a> {
    /// The dependency.
    pub used: &'a Used,
    /// What may become of it.
    pub prospect: Prospect<'a>,
    /// What speaks against what it pins already, where newer releases do not settle that.
    pub doubt: Option<String>,
}

/// What may become of a dependency.
pub enum Prospect<'a> {
    /// There are newer releases: the lanes they are in, never none.
    Newer(Vec<Choice<'a>>),
    /// There is nothing to choose from, and why.
    Settled(Standing, String),
}
