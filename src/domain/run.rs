//! A run of the command line over many repositories, and what became of each of them.

use super::ids::PullNumber;
use super::repo::ObjectId;
use super::sourced::SourcedRepository;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The number of a run, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Declares words that are stored and shown.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$about])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word that is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The one of a word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}

words! {
    /// What a run is for.
    RunKind {
        /// Changes, and what is made of them.
        Run = "run",
        /// Changes that do not leave this machine.
        DryRun = "dry_run",
        /// What scanners find.
        Scan = "scan",
    }
}

words! {
    /// What is done with a repository, in this order.
    Phase {
        /// It is cloned, or its clone brought up to date.
        Clone = "clone",
        /// Scanners read it.
        Scan = "scan",
        /// The driver changes it, and the change is committed.
        Patch = "patch",
        /// The commit is pushed.
        Push = "push",
        /// The pull request is opened or brought up to date.
        Propose = "propose",
    }
}

words! {
    /// How a repository stands in its run.
    RunState {
        /// Something is still to be done.
        Waiting = "waiting",
        /// All that the run asks for was done.
        Done = "done",
        /// It went wrong in its phase.
        Failed = "failed",
    }
}

words! {
    /// What a driver made of a repository.
    PatchOutcome {
        /// The change was made.
        Patched = "patched",
        /// The files were as the change would have made them.
        AlreadyPatched = "already_patched",
        /// The repository has nothing that the change is about.
        DoesNotApply = "does_not_apply",
        /// The change should have been made and could not be.
        Error = "error",
    }
}

words! {
    /// What a run did about a pull request.
    Delivery {
        /// It was opened.
        Opened = "opened",
        /// One was open already, and was brought up to date.
        Updated = "updated",
        /// One was open already, with this very change.
        Unchanged = "unchanged",
    }
}

/// What a scanner found in a repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scanned {
    /// When.
    pub at: Timestamp,
    /// In which commit.
    pub commit: ObjectId,
    /// The facts, or why there are none.
    pub facts: Result<serde_json::Map<String, serde_json::Value>, String>,
}

/// A pull request that a run opened or found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPull {
    /// Its number.
    pub number: PullNumber,
    /// Where people see it.
    pub url: String,
    /// What the run did about it.
    pub delivery: Delivery,
}

/// A repository in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRepository {
    /// Its place in the run, from 0.
    pub position: u32,
    /// The repository as it was found.
    pub repository: SourcedRepository,
    /// What is being done with it, or was done last.
    pub phase: Phase,
    /// How it stands.
    pub state: RunState,
    /// What the driver made of it.
    pub outcome: Option<PatchOutcome>,
    /// Why it failed; or else what the driver says, what a dry run would open, and what GitHub refused of a pull request.
    pub reason: Option<String>,
    /// The branch that the change begins from.
    pub base_branch: Option<String>,
    /// The commit that the change follows.
    pub base: Option<ObjectId>,
    /// The branch of the change.
    pub branch: Option<String>,
    /// The commit of the change.
    pub commit: Option<ObjectId>,
    /// The clone on this machine.
    pub folder: Option<String>,
    /// The commit at which the remote's branch stands since: `commit`, or an older one with the same change.
    pub pushed: Option<ObjectId>,
    /// Its pull request.
    pub pull: Option<RunPull>,
    /// What scanners found, by their names.
    pub scans: BTreeMap<String, Scanned>,
}

impl RunRepository {
    /// One with which nothing was done yet.
    pub fn new(position: u32, repository: SourcedRepository) -> Self {
        Self {
            position,
            repository,
            phase: Phase::Clone,
            state: RunState::Waiting,
            outcome: None,
            reason: None,
            base_branch: None,
            base: None,
            branch: None,
            commit: None,
            folder: None,
            pushed: None,
            pull: None,
            scans: BTreeMap::new(),
        }
    }

    /// Says what the commit of the change is. What was sent for another one is not told of it, and no pull request where there
    /// is no change.
    pub fn set_commit(&mut self, commit: Option<ObjectId>) {
        if self.commit != commit {
            self.pushed = None;
        }
        if commit.is_none() {
            self.pull = None;
        }
        self.commit = commit;
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// Where its Activity file lay.
    pub activity: String,
    /// What that file said.
    pub said: String,
    /// The version of the program that ran it.
    pub version: String,
    /// What it was for.
    pub kind: RunKind,
    /// When it began.
    pub started_at: Timestamp,
    /// When it came to its end; `None` while it is under way, and after it was interrupted.
    pub ended_at: Option<Timestamp>,
    /// Until when its process counts as alive.
    pub alive_until: Timestamp,
}

impl Run {
    /// Whether it never came to its end, and nobody works on it any more.
    pub fn is_interrupted(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.alive_until < now
    }
}
