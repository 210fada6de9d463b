//! What can go wrong between us and GitHub, sorted by what the caller does about it.

use crate::domain::{ObjectId, PullNumber};
use jiff::Timestamp;

/// Why a request to GitHub has no result.
///
/// `endpoint` is the method and path (`POST /repos/acme/api/git/trees`), without query. No variant ever
/// holds a token, a key or a request's body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// The settings cannot work. Do: tell the operator, do not start.
    #[error("the GitHub settings cannot be used: {why}")]
    Settings {
        /// What is wrong and what would be right.
        why: String,
    },
    /// GitHub asks for a pause. Do: nothing for this installation before `until`.
    #[error("GitHub's {} rate limit is reached; wait until {until} ({endpoint})", if *secondary { "secondary" } else { "hourly" })]
    RateLimited {
        /// When to ask again.
        until: Timestamp,
        /// Whether it is a limit on bursts and content creation rather than the hourly one.
        secondary: bool,
        /// What was asked.
        endpoint: String,
    },
    /// No usable answer came: 5xx, time-out, connection refused or cut. A write may have been applied. Do: repeat
    /// later, with `look_first` where there is one.
    #[error("GitHub did not answer {endpoint}: {why}; the request can be repeated later")]
    Unavailable {
        /// What was asked.
        endpoint: String,
        /// What happened instead of an answer.
        why: String,
    },
    /// 404 or 410: deleted, or not visible to this installation. Do: stop; ask again what the installation holds.
    #[error("GitHub does not show {endpoint} to this installation (deleted, or access was removed): {message}")]
    Gone {
        /// What was asked.
        endpoint: String,
        /// GitHub's words.
        message: String,
    },
    /// The App lacks a permission, or a rule of the repository or organisation forbids it. Do: stop, tell the owner.
    #[error("GitHub refused {endpoint}: {message}{}", needs.as_ref().map(|n| format!("; the App needs the permission {n}, granted by the account's owner")).unwrap_or_default())]
    Forbidden {
        /// What was asked.
        endpoint: String,
        /// The permission that would allow it (`contents=write`), where GitHub names it.
        needs: Option<String>,
        /// GitHub's words.
        message: String,
    },
    /// The owner, or GitHub, suspended the installation. Do: park its work until `unsuspend`.
    #[error("the installation is suspended ({endpoint}); its work resumes when it is unsuspended")]
    Suspended {
        /// What was asked.
        endpoint: String,
    },
    /// The repository is read-only. Do: park its work until it is unarchived.
    #[error("the repository is archived and so read-only ({endpoint})")]
    Archived {
        /// What was asked.
        endpoint: String,
    },
    /// The repository has no commit yet. Do: wait for its first push.
    #[error("the repository is empty ({endpoint})")]
    Empty {
        /// What was asked.
        endpoint: String,
    },
    /// Something else stands where we meant to write. Do: leave it alone; choose another name or tell people.
    #[error("{endpoint} would overwrite something that is not ours: {why}")]
    Conflict {
        /// What was asked.
        endpoint: String,
        /// What stands there.
        why: String,
        /// The commit the branch holds, where that is known.
        found: Option<ObjectId>,
        /// The open pull request on that branch, where there is one.
        pull: Option<PullNumber>,
    },
    /// What the change is based on no longer exists. Do: read the head again and make the change anew.
    #[error("the commit the change is based on is no longer there ({endpoint}: {message}); it must be made anew")]
    StaleBase {
        /// What was asked.
        endpoint: String,
        /// GitHub's words.
        message: String,
    },
    /// The change makes no difference to its base. Do: nothing is left to propose.
    #[error("the change makes no difference: the base branch already holds it ({endpoint})")]
    NoChange {
        /// What showed it.
        endpoint: String,
    },
    /// GitHub does not accept who we are. Do: tell the operator; the message says what to check.
    #[error("GitHub does not accept our credentials at {endpoint}: {why}")]
    Unauthorized {
        /// What was asked.
        endpoint: String,
        /// GitHub's words and what to check.
        why: String,
    },
    /// The name now belongs to another repository. Do: look the repository up by its id.
    #[error("{endpoint} now leads to another repository (id {found} instead of {expected}); look it up by its id")]
    Moved {
        /// What was asked.
        endpoint: String,
        /// The repository that was meant.
        expected: i64,
        /// The repository that answered.
        found: i64,
    },
    /// 400 or 422 for another reason: the request itself is wrong. Do: stop, this is a defect or a rule unknown to us.
    #[error("GitHub found {endpoint} invalid: {message}")]
    Invalid {
        /// What was asked.
        endpoint: String,
        /// GitHub's words, with the fields it names.
        message: String,
    },
    /// The object is larger than we read. Do: treat it as not readable.
    #[error("{endpoint} is larger than the {limit} read from it")]
    TooLarge {
        /// What was asked.
        endpoint: String,
        /// The most we read, with its unit.
        limit: String,
    },
    /// The answer is not what GitHub documents. Do: as after [`ForgeError::Unavailable`], and report it if it stays.
    #[error("the answer to {endpoint} is not understood: {why}")]
    Protocol {
        /// What was asked.
        endpoint: String,
        /// What is wrong with the answer.
        why: String,
    },
}

impl ForgeError {
    /// Whether GitHub refused the request as invalid, in these words (part of its message, case ignored).
    pub(super) fn says(&self, words: &str) -> bool {
        match self {
            Self::Invalid { message, .. } | Self::Gone { message, .. } => {
                message.to_ascii_lowercase().contains(&words.to_ascii_lowercase())
            }
            _ => false,
        }
    }
}
