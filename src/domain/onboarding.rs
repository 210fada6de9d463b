//! The one pull request that brings a repository its first subscription file.

use super::ids::RepoId;
use super::proposal::PullRequest;
use super::repo::ObjectId;
use jiff::Timestamp;

/// How far the onboarding of a repository has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnboardingState {
    /// It was looked at, and holds nothing that could be kept up to date. Looked at again when it has another commit.
    Nothing,
    /// The pull request is being made.
    Opening,
    /// The pull request is open.
    Open,
    /// Merged: from then on the file counts.
    Merged,
    /// Closed by a person: never again.
    Closed,
    /// Let go by the bot, with a word.
    Withdrawn,
    /// Could not be made; the reason says why.
    Failed,
}

impl OnboardingState {
    /// Every state, in the order of the declaration.
    pub const ALL: [Self; 7] =
        [Self::Nothing, Self::Opening, Self::Open, Self::Merged, Self::Closed, Self::Withdrawn, Self::Failed];

    /// The word the store and the JSON use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Opening => "opening",
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
            Self::Failed => "failed",
        }
    }

    /// The state a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// The onboarding of one repository. There is one row for it, whatever becomes of it: nobody is asked twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onboarding {
    /// The repository.
    pub repo: RepoId,
    /// How far it has come.
    pub state: OnboardingState,
    /// Why it stands there, in a sentence for people.
    pub reason: String,
    /// The branch it is sent on; empty as long as nothing is.
    pub branch: String,
    /// The commit of the default branch that it was made for, or in which nothing was found.
    pub commit: ObjectId,
    /// The branch that the pull request goes to: the default one when it was made.
    pub base_branch: Option<String>,
    /// The pull request, once there is one. While there is none yet: the one before, where it is asked anew.
    pub pull: Option<PullRequest>,
    /// What is still to be said on the pull request before it is closed.
    pub farewell: Option<String>,
    /// When it was begun: the day's number counts from then.
    pub begun_at: Timestamp,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
}
