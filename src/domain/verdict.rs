//! What a safeguard says. "No" is an answer with a reason, not an error.

use jiff::Timestamp;

/// Whether a proposal may become a pull request at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against it.
    Go,
    /// Not now.
    Wait {
        /// When to ask again; `None` when an event, not time, will change the answer.
        until: Option<Timestamp>,
        /// Why, in a sentence for people.
        why: String,
    },
    /// Never, as things are.
    Stop {
        /// Why, in a sentence for people.
        why: String,
    },
}
