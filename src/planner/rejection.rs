//! Why a newer release is not proposed, whatever the time.

use super::memory::{Memory, Objection, Question};
use super::timing;
use crate::domain::{IgnoreScope, Proposal, ProposalState, PullNumber};
use crate::subscription::IgnoreRule;
use crate::versioning::Scheme;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// Why a newer release is not proposed, whatever the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// An ignore rule of the subscription names it.
    Ignored {
        /// The line of the rule in the subscription file.
        line: u32,
        /// The rule in words.
        rule: String,
    },
    /// A person told the bot so.
    Unwanted {
        /// Who: a login.
        by: String,
        /// On which pull request.
        pull: PullNumber,
        /// How much of it is not wanted.
        scope: IgnoreScope,
        /// The version that was spoken of.
        version: String,
    },
    /// A person closed a pull request with it, or with a newer one that passed over it.
    Closed(Earlier),
    /// A pull request with it, or with a newer one, was merged, but the file does not have it (any more, or yet).
    Merged(Earlier),
    /// Making the pull request failed.
    Failed {
        /// Why.
        why: String,
        /// When it is tried again at the latest.
        again_at: Timestamp,
    },
    /// It is not for a version of Python that the place is for.
    Python {
        /// What the release says it is for.
        requires: String,
        /// What the place is for.
        place: String,
        /// The first version that would have none.
        lost: String,
    },
    /// The place is for older versions of Python than its project runs on, and for which a release is, nobody knows.
    PythonUnknown {
        /// What the place is for.
        place: String,
        /// What the release says it is for, which is not understood; `None` where its index does not tell.
        requires: Option<String>,
    },
    /// The delay has no slot left on the calendar.
    Never {
        /// The delay in words.
        delay: String,
        /// The line of the subscription in the file.
        line: u32,
    },
}

impl Rejection {
    /// Until when it holds, where time alone ends it.
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Failed { again_at, .. } => Some(*again_at),
            _ => None,
        }
    }
}

/// An earlier pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its number, where it got one.
    pub number: Option<PullNumber>,
    /// The version it went to, where that is newer than the release.
    pub went_to: Option<String>,
}

impl fmt::Display for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pull request")?;
        self.number.map_or(Ok(()), |number| write!(f, " #{number}"))?;
        match &self.went_to {
            Some(version) => write!(f, ", which went past it to {version},"),
            None => f.write_str(" with it"),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignored { line, rule } => write!(f, "line {line} of the subscription file ignores {rule}"),
            Self::Unwanted { by, pull, scope, version } => {
                write!(f, "{by} asked on #{pull} not to propose {}", scope_in_words(*scope, version))
            }
            Self::Closed(pull) => write!(f, "{pull} was closed by a person; only newer releases are proposed"),
            // True in the minutes until the merged file is read, too.
            Self::Merged(pull) => {
                write!(f, "{pull} was merged; if the file goes without it, it is not proposed a second time")
            }
            Self::Failed { why, .. } => write!(f, "its pull request could not be made: {why}"),
            Self::Python { requires, place, lost } => write!(
                f,
                "it is for Python {}, and this place for {place}: on Python {lost} nothing could be installed",
                if requires.is_empty() { "of any version" } else { requires.as_str() },
            ),
            Self::PythonUnknown { place, requires: None } => write!(
                f,
                "this place is for Python {place} and none later, and its index does not tell for which versions of Python a release is"
            ),
            Self::PythonUnknown { place, requires: Some(requires) } => write!(
                f,
                "this place is for Python {place} and none later, and it is not understood for which versions of Python the release is: `{}`",
                requires.chars().take(80).collect::<String>()
            ),
            Self::Never { delay, line } => {
                write!(f, "the delay ({delay}) of line {line} of the subscription file never comes again")
            }
        }
    }
}

/// A proposal that failed is tried again after this, or as soon as one of its files has changed.
const FAILURE_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// When a proposal that failed is tried again at the latest.
pub fn failed_until(failed: &Proposal) -> Timestamp {
    failed.updated_at.checked_add(FAILURE_LASTS).unwrap_or(Timestamp::MAX)
}

/// Why a proposal failed, and when it is tried again.
pub fn tried_again(failed: &Proposal, timezone: &TimeZone) -> String {
    format!("{}; {}", failed.reason, again(failed_until(failed), timezone))
}

/// When something is tried again that failed, in words.
pub(super) fn again(at: Timestamp, timezone: &TimeZone) -> String {
    format!("tried again {}, or as soon as its file changes", timing::moment_in_words(timezone, at))
}

/// What a person does not want, in words.
pub fn scope_in_words(scope: IgnoreScope, version: &str) -> String {
    match scope {
        IgnoreScope::Version => version.to_string(),
        IgnoreScope::Minor => format!("{version} and versions with the same first two numbers"),
        IgnoreScope::Major => format!("{version} and versions with the same first number"),
        IgnoreScope::Dependency => "this dependency".to_string(),
    }
}

/// The rejection by the first of a subscription's ignore rules that names a version.
pub fn ignored(rules: &[&IgnoreRule], scheme: &dyn Scheme, version: &str) -> Option<Rejection> {
    rules.iter().find_map(|rule| {
        let name = rule.name.as_str();
        let words = match &rule.versions {
            None => format!("`{name}`"),
            Some(range) => match scheme.matches(range, version) {
                Ok(false) => return None,
                Ok(true) => format!("`{name}` `{range}`"),
                // A range nobody can read ignores everything: the rule's author wanted less, not more.
                Err(error) => format!("`{name}`, all of it, because {error}"),
            },
        };
        Some(Rejection::Ignored { line: rule.line, rule: words })
    })
}

/// The rejection by an earlier pull request of the dependency.
pub fn objection(
    memory: &Memory<'_>,
    question: &Question<'_>,
    scheme: &dyn Scheme,
    now: Timestamp,
) -> Option<Rejection> {
    let past = |state| memory.objection(state, question, scheme);
    let earlier = |objection: &Objection<'_>| Earlier {
        number: objection.proposal.pull.as_ref().map(|pull| pull.number),
        went_to: objection.went_to.map(str::to_string),
    };
    if let Some(closed) = past(ProposalState::Closed) {
        return Some(Rejection::Closed(earlier(&closed)));
    }
    if let Some(merged) = past(ProposalState::Merged) {
        return Some(Rejection::Merged(earlier(&merged)));
    }
    let failed = past(ProposalState::Failed)?.proposal;
    let again_at = failed_until(failed);
    (again_at > now).then(|| Rejection::Failed { why: failed.reason.clone(), again_at })
}
