//! Proves from the ledger that a pull request was not opened before its time, or says what speaks against it. Pure.
//!
//! The due time is reckoned again, from the terms that were written down with the draft: not looked up in what the draft says
//! of itself. That has to agree as well, and so have the order of events and what the store knows of the release.

use super::timing::{self, ReleaseFacts};
use crate::domain::{PackageId, Proposal, Terms, Update};
use crate::subscription::Delay;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The ledger's word for a new draft.
pub const DRAFTED: &str = "drafted";
/// The ledger's word for a draft that was changed.
pub const REDRAFTED: &str = "redrafted";
/// The ledger's word for a pull request that was opened.
pub const OPENED: &str = "opened";

/// What the ledger keeps of a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drafted {
    /// The first moment it may be opened.
    pub due_at: Timestamp,
    /// Why it was not open yet.
    pub reason: String,
    /// See [`Proposal::content`]; empty where an older version wrote it.
    #[serde(default)]
    pub content: String,
    /// What it changes.
    pub updates: Vec<DraftedUpdate>,
}

/// What the ledger keeps of an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftedUpdate {
    /// The package, as `pypi/httpx`.
    pub package: String,
    /// What it moves to, as people read it.
    pub to: String,
    /// From when the release's age counts.
    pub released_at: Timestamp,
    /// When it was old enough, and both subscription and dependency were there.
    pub eligible_at: Timestamp,
    /// The first moment the delay allows.
    pub due_at: Timestamp,
    /// What these times follow from; empty where an older version wrote it.
    #[serde(default)]
    pub terms: Vec<Terms>,
}

impl Drafted {
    /// What is kept of a proposal.
    pub fn of(proposal: &Proposal) -> Self {
        let update = |update: &Update| DraftedUpdate {
            package: update.package.to_string(),
            to: update.target(),
            released_at: update.released_at,
            eligible_at: update.eligible_at,
            due_at: update.due_at,
            terms: update.terms.clone(),
        };
        Self {
            due_at: proposal.due_at,
            reason: proposal.reason.clone(),
            content: proposal.content.clone(),
            updates: proposal.updates.iter().map(update).collect(),
        }
    }

    /// As the ledger's detail.
    pub fn to_detail(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Read back from the ledger's detail; `None` for any other text.
    pub fn read(detail: &str) -> Option<Self> {
        serde_json::from_str(detail).ok()
    }
}

/// A line of a proposal's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// When.
    pub at: Timestamp,
    /// What happened, in a word.
    pub what: &'a str,
    /// The circumstances.
    pub detail: &'a str,
}

/// What the store knows of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownRelease {
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// From when its age counts.
    pub counts_from: Timestamp,
}

/// What the ledger says of one proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It never became a pull request, so there is nothing to prove.
    NotOpened,
    /// Its pull request was not early.
    Proven,
    /// Nothing speaks against it, but what it would take to prove it is not there.
    NotProvable(Gap),
    /// Something speaks against it.
    Violated(Vec<Violation>),
}

/// What is missing to prove anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// Its draft was written by a version that kept no terms.
    WithoutTerms,
    /// Its terms were written by a version that this one does not understand, or mean a time zone it does not have.
    TermsNotUnderstood,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithoutTerms => {
                "drafted by an older version, which did not write down what the due time followed from"
            }
            Self::TermsNotUnderstood => "drafted by terms that this version cannot read",
        })
    }
}

/// Something that speaks against a pull request's having been in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Violation {
    /// It was opened before it was due.
    Early {
        /// What was early: `pypi/httpx 0.28.0`.
        update: String,
        /// When it was opened.
        opened_at: Timestamp,
        /// When it was due: the later of what was written down and what follows from the terms.
        due_at: Timestamp,
    },
    /// A time that was written down is not the one that follows from the terms.
    Misreckoned {
        /// Of what.
        update: String,
        /// Which time: `released`, `eligible` or `due`.
        time: &'static str,
        /// As it was written down.
        written: Timestamp,
        /// As it follows.
        reckoned: Timestamp,
    },
    /// The age of the release was counted from a time at which nobody knew of it.
    ReleasedLater {
        /// Of what.
        update: String,
        /// From when its age was counted.
        written: Timestamp,
        /// From when it counts by what is stored of the release.
        known: Timestamp,
    },
    /// The ledger has no line of its being drafted before it was opened.
    NotDrafted {
        /// When it was opened.
        opened_at: Timestamp,
    },
    /// The ledger has a draft of it from after it was opened.
    DraftedAfterwards {
        /// When it was opened.
        opened_at: Timestamp,
        /// When it was drafted.
        drafted_at: Timestamp,
    },
    /// What was opened is not what was drafted last.
    OtherContent,
    /// Proposal and ledger tell different times of its opening.
    OtherTime {
        /// As the proposal has it.
        proposal: Option<Timestamp>,
        /// As the ledger has it.
        ledger: Option<Timestamp>,
    },
}

impl Violation {
    /// Whether it says that a pull request was early; if not, that the ledger is not in order.
    pub const fn is_early(&self) -> bool {
        matches!(self, Self::Early { .. } | Self::ReleasedLater { .. })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_never = |at: &Option<Timestamp>| at.map_or_else(|| "never".into(), |at| at.to_string());
        match self {
            Self::Early { update, opened_at, due_at } => {
                write!(f, "{update} was opened at {opened_at} and due at {due_at}: early")
            }
            Self::Misreckoned { update, time, written, reckoned } => {
                write!(f, "{update}: the ledger says {time} at {written}, by its own terms it is {reckoned}")
            }
            Self::ReleasedLater { update, written, known } => {
                write!(f, "{update}: its age was counted from {written}, and it is known from {known} on: early")
            }
            Self::NotDrafted { opened_at } => {
                write!(f, "opened at {opened_at}, and the ledger has no draft from before that")
            }
            Self::DraftedAfterwards { opened_at, drafted_at } => {
                write!(f, "opened at {opened_at}, and drafted again after that, at {drafted_at}")
            }
            Self::OtherContent => f.write_str("what was opened is not what was drafted last"),
            Self::OtherTime { proposal, ledger } => {
                let (proposal, ledger) = (or_never(proposal), or_never(ledger));
                write!(f, "opened at {proposal} by the proposal, at {ledger} by the ledger")
            }
        }
    }
}

/// Whether a moment comes before another, as the store tells them: in whole milliseconds.
fn is_before(one: Timestamp, other: Timestamp) -> bool {
    one.as_millisecond() < other.as_millisecond()
}

/// Judges one proposal by its ledger, whose lines are in order, and by what is known of the releases in it.
pub fn judge(
    proposal: &Proposal,
    lines: &[Line<'_>],
    known: impl Fn(&PackageId, &str) -> Option<KnownRelease>,
) -> Verdict {
    let ledger = lines.iter().find(|line| line.what == OPENED).map(|line| line.at);
    let Some(opened_at) = [proposal.opened_at, ledger].into_iter().flatten().min() else { return Verdict::NotOpened };
    let mut found = Vec::new();
    let millisecond = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    if millisecond(proposal.opened_at) != millisecond(ledger) {
        found.push(Violation::OtherTime { proposal: proposal.opened_at, ledger });
    }
    let drafts = || lines.iter().filter(|line| matches!(line.what, DRAFTED | REDRAFTED));
    if let Some(late) = drafts().find(|line| is_before(opened_at, line.at)) {
        found.push(Violation::DraftedAfterwards { opened_at, drafted_at: late.at });
    }
    let last = drafts().rfind(|line| !is_before(opened_at, line.at));
    let gap = match last.map(|line| Drafted::read(line.detail)) {
        Some(Some(drafted)) => judge_draft(proposal, &drafted, opened_at, &mut found),
        Some(None) => Some(Gap::TermsNotUnderstood),
        None => {
            found.push(Violation::NotDrafted { opened_at });
            None
        }
    };
    releases(proposal, opened_at, known, &mut found);
    match gap {
        _ if !found.is_empty() => Verdict::Violated(found),
        Some(gap) => Verdict::NotProvable(gap),
        None => Verdict::Proven,
    }
}

/// Holds the draft that was opened against its own terms, and the opening against both.
fn judge_draft(
    proposal: &Proposal,
    drafted: &Drafted,
    opened_at: Timestamp,
    found: &mut Vec<Violation>,
) -> Option<Gap> {
    let mut gap = drafted.content.is_empty().then_some(Gap::WithoutTerms);
    if gap.is_none() && drafted.content != proposal.content {
        found.push(Violation::OtherContent);
    }
    if is_before(opened_at, drafted.due_at) && drafted.updates.is_empty() {
        found.push(Violation::Early { update: proposal.title.clone(), opened_at, due_at: drafted.due_at });
    }
    for update in &drafted.updates {
        let name = || format!("{} {}", update.package, update.to);
        let mut due_at = drafted.due_at.max(update.due_at);
        match reckon(&update.terms) {
            Ok(reckoned) => {
                due_at = due_at.max(reckoned.due_at);
                let times = [
                    ("released", update.released_at, reckoned.released_at),
                    ("eligible", update.eligible_at, reckoned.eligible_at),
                    ("due", update.due_at, reckoned.due_at),
                ];
                let wrong = times.into_iter().filter(|(_, written, reckoned)| written != reckoned);
                found.extend(wrong.map(|(time, written, reckoned)| Violation::Misreckoned {
                    update: name(),
                    time,
                    written,
                    reckoned,
                }));
            }
            Err(missing) => gap = gap.or(Some(missing)),
        }
        if is_before(opened_at, due_at) {
            found.push(Violation::Early { update: name(), opened_at, due_at });
        }
    }
    gap
}

/// Whether the age of a release was counted from before anybody knew of it.
///
/// What the store knows now may be younger than the pull request: a release that was not listed for a while is seen for the
/// first time again, and one that becomes the latest counts from that moment on.
fn releases(
    proposal: &Proposal,
    opened_at: Timestamp,
    known: impl Fn(&PackageId, &str) -> Option<KnownRelease>,
    found: &mut Vec<Violation>,
) {
    for update in &proposal.updates {
        let Some(known) = known(&update.package, &update.to) else { continue };
        let from = known.counts_from.min(known.first_seen_at);
        if !is_before(opened_at, known.first_seen_at) && is_before(update.released_at, from) {
            let name = format!("{} {}", update.package, update.target());
            found.push(Violation::ReleasedLater { update: name, written: update.released_at, known: from });
        }
    }
}

/// The times that follow from terms.
struct Reckoned {
    released_at: Timestamp,
    eligible_at: Timestamp,
    due_at: Timestamp,
}

/// Reckons the times of an update from its terms: those of the site that binds.
fn reckon(terms: &[Terms]) -> Result<Reckoned, Gap> {
    let mut latest: Option<Reckoned> = None;
    for one in terms {
        let delay: Delay = serde_json::from_value(one.delay.clone()).map_err(|_| Gap::TermsNotUnderstood)?;
        let timezone = TimeZone::get(&one.timezone).map_err(|_| Gap::TermsNotUnderstood)?;
        let Terms { counts_from, subscribed_since, dependency_since, .. } = *one;
        let eligible_at = ReleaseFacts { counts_from, subscribed_since, dependency_since }.eligible_at(one.min_age);
        let not_before = one.snoozed_until.map_or(eligible_at, |until| until.max(eligible_at));
        let due_at = timing::due_at(&delay, &timezone, not_before);
        let before = latest.unwrap_or(Reckoned { released_at: counts_from, eligible_at, due_at });
        latest = Some(Reckoned {
            released_at: before.released_at.max(counts_from),
            eligible_at: before.eligible_at.max(eligible_at),
            due_at: before.due_at.max(due_at),
        });
    }
    latest.ok_or(Gap::WithoutTerms)
}
