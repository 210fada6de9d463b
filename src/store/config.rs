//! A repository's subscription file, as it is stored with the repository.

use crate::domain::{ObjectId, RepoPath};
use jiff::Timestamp;
use serde_json::Value as Json;

/// How a repository's subscription file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConfigState {
    /// There is no file.
    None,
    /// The file at the head of the default branch is the one in force.
    Valid,
    /// The file at the head has problems; the last good one, if there was one, stays in force.
    Broken,
}

impl ConfigState {
    /// Every state, in the order of the declaration.
    pub const ALL: [Self; 3] = [Self::None, Self::Valid, Self::Broken];

    /// The word the store and the page use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Valid => "valid",
            Self::Broken => "broken",
        }
    }

    /// The state a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A repository's subscription file. The store reads neither the file nor its problems.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where it was found.
    pub path: Option<RepoPath>,
    /// The blob last read, good or bad: the same blob need not be read again.
    pub blob: Option<ObjectId>,
    /// How it stands.
    pub state: ConfigState,
    /// What is wrong with it: a JSON list, empty when nothing is.
    pub problems: Json,
    /// The last good file, as JSON: what is in force.
    pub file: Option<Json>,
    /// The text last read.
    pub text: Option<String>,
    /// Since when the file in force is in force.
    pub since: Option<Timestamp>,
}

impl Config {
    /// A repository without the file.
    pub fn none() -> Self {
        Self {
            path: None,
            blob: None,
            state: ConfigState::None,
            problems: Json::Array(Vec::new()),
            file: None,
            text: None,
            since: None,
        }
    }
}
