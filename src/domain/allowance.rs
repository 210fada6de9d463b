//! What GitHub allows an installation: requests in an hour, pauses, and its turn to write.
//!
//! GitHub tells, the store remembers, the safeguards judge: these are the words they share. Where an installation may be
//! absent (`None`), the App itself is meant, which has limits of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The requests of one window, as an answer's headers told them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many there are in a window. Unit: requests.
    pub limit: i64,
    /// How many of them are left. Unit: requests.
    pub remaining: i64,
    /// When the next window begins.
    pub resets_at: Timestamp,
}

/// Which limit a pause is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The requests of the hour are used up.
    Hourly,
    /// Too much at once, or too much content made: GitHub's "secondary" limits.
    Secondary,
}

impl Limit {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hourly => "hourly",
            Self::Secondary => "secondary",
        }
    }

    /// The limit a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Hourly, Self::Secondary].into_iter().find(|limit| limit.as_str() == word)
    }
}

/// A time in which GitHub wants to hear nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When it ends.
    pub until: Timestamp,
    /// What it is about.
    pub limit: Limit,
}

/// GitHub's word that a limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When it came.
    pub at: Timestamp,
    /// The pause that follows from this answer alone.
    pub pause: Pause,
    /// Whether GitHub named the end of the pause. If not, refusals in a row make the pause longer.
    pub told: bool,
}

/// What was heard of the limits since somebody asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The newest window's requests.
    pub quota: Option<Quota>,
    /// The latest refusal.
    pub refusal: Option<Refusal>,
}

/// How far the line of those who want to write has been given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// When the next one in line may write.
    pub next_write_at: Timestamp,
    /// Up to when the hourly allowance is used: each write moves it on by the time in which the allowance grows by one.
    pub used_to: Timestamp,
}

impl Pace {
    /// Nobody has written yet.
    pub const IDLE: Self = Self { next_write_at: Timestamp::UNIX_EPOCH, used_to: Timestamp::UNIX_EPOCH };
}

/// A time in which one piece of work writes, and no other of its installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// When its next write may be sent.
    pub from: Timestamp,
    /// When the next one's turn begins.
    pub until: Timestamp,
}
