//! What people tell the bot on its pull requests, and what they decided by it.

use super::ids::{CommentId, PullNumber, RepoId};
use super::package::PackageId;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person asks for in a comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Bring the branch up to date with its base.
    Rebase,
    /// Make the change anew, whatever was done to it on the branch.
    Recreate,
    /// Do not propose this, or more than this, any more.
    Ignore {
        /// How much.
        scope: IgnoreScope,
        /// Of which package, as people write its name; of all in the pull request if it is left out.
        of: Option<String>,
    },
    /// Take back what was ignored or snoozed.
    Unignore {
        /// Of which package; of all in the pull request if it is left out.
        of: Option<String>,
    },
    /// Close the pull request and propose the same later.
    Snooze(Snooze),
    /// Say how everything in the pull request stands.
    Why,
    /// Say which commands there are.
    Help,
}

/// A line addressed to the bot that is no command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unclear {
    /// What was said, without the prefix, cut to what is worth repeating.
    pub said: String,
    /// What is wrong with it, and what would be right.
    pub why: String,
}

/// A comment on a pull request that gives commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// GitHub's number of it.
    pub id: CommentId,
    /// The repository.
    pub repo: RepoId,
    /// The pull request.
    pub pull: PullNumber,
    /// Who wrote it: a login.
    pub author: String,
    /// What it asks for, in its order.
    pub commands: Vec<Result<Command, Unclear>>,
    /// When it was written.
    pub at: Timestamp,
}

/// How much of a package a person does not want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IgnoreScope {
    /// One version.
    Version,
    /// Every version with the same first two numbers.
    Minor,
    /// Every version with the same first number.
    Major,
    /// All of it.
    Dependency,
}

impl IgnoreScope {
    /// Every scope, from the smallest to the largest.
    pub const ALL: [Self; 4] = [Self::Version, Self::Minor, Self::Major, Self::Dependency];

    /// The word the store and the commands use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Dependency => "dependency",
        }
    }

    /// The scope a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// For how long a pull request is to stay away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Snooze {
    /// For a length of time from the comment on.
    For(SignedDuration),
    /// Until the beginning of a day, in the time zone of the subscription file.
    Until(Date),
}

/// What a person decided about a package of a repository, by a comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The package.
    pub package: PackageId,
    /// What is decided.
    pub what: Decided,
    /// Who decided it: a login.
    pub by: String,
    /// On which pull request.
    pub pull: PullNumber,
    /// When.
    pub at: Timestamp,
}

/// What is decided about a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// It is not proposed any more, as far as the scope goes around a version.
    Ignored {
        /// How much of it.
        scope: IgnoreScope,
        /// The version the pull request was about.
        version: String,
    },
    /// Nothing of it is proposed before a time.
    Snoozed {
        /// Until then.
        until: Timestamp,
    },
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |of: &Option<String>| of.as_ref().map_or(String::new(), |name| format!(" of {name}"));
        match self {
            Self::Rebase => f.write_str("rebase"),
            Self::Recreate => f.write_str("recreate"),
            Self::Ignore { scope, of: name } => write!(f, "ignore this {}{}", scope.as_str(), of(name)),
            Self::Unignore { of: None } => f.write_str("unignore"),
            Self::Unignore { of: Some(name) } => write!(f, "unignore {name}"),
            Self::Snooze(Snooze::For(length)) => {
                write!(f, "snooze {}", super::time::in_words(*length))
            }
            Self::Snooze(Snooze::Until(day)) => write!(f, "snooze until {day}"),
            Self::Why => f.write_str("why"),
            Self::Help => f.write_str("help"),
        }
    }
}
