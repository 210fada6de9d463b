//! Merging without a person: what checks say, how a pull request becomes part of its base, what is remembered meanwhile.

use super::repo::ObjectId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a check or a commit status comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Colour {
    /// It ended well.
    Green,
    /// It ended without a word for or against: `neutral`, `skipped`.
    Grey,
    /// It has not ended.
    Pending,
    /// It ended in any other way.
    Red,
}

/// A check, or a commit status, of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, as people see it on the pull request. Whoever reports it chooses it.
    pub name: String,
    /// What it comes to.
    pub colour: Colour,
    /// Whether the bot itself reported it.
    pub own: bool,
}

/// How a pull request becomes part of its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeMethod {
    /// One commit with two parents.
    Merge,
    /// One commit with all changes.
    Squash,
    /// Every commit anew on top of the base.
    Rebase,
}

impl MergeMethod {
    /// Every method, in the order in which they are preferred.
    pub const ALL: [Self; 3] = [Self::Merge, Self::Squash, Self::Rebase];

    /// The word that GitHub and the subscription file use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
        }
    }

    /// The method a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }
}

impl fmt::Display for MergeMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is remembered of a pull request that is to be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merging {
    /// The commit at its head.
    pub head: ObjectId,
    /// Since when that is known to be its head.
    pub since: Timestamp,
    /// When GitHub was asked to merge it; whether it did is seen there.
    pub sent_at: Option<Timestamp>,
}

/// What a remark on an open pull request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Whether it is merged without a person, and what that waits for.
    Merging,
    /// Who could not be asked for a review.
    Reviewers,
    /// Who could not be assigned.
    Assignees,
    /// That it is no draft, although it should be one.
    Draft,
}

impl Topic {
    /// Every topic, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Merging, Self::Reviewers, Self::Assignees, Self::Draft];

    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merging => "merging",
            Self::Reviewers => "reviewers",
            Self::Assignees => "assignees",
            Self::Draft => "draft",
        }
    }

    /// The topic a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == word)
    }
}
