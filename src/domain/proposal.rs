//! What the bot means to send to one repository, and what became of it.

use super::ids::{ProposalId, PullNumber, RepoId};
use super::package::PackageId;
use super::repo::{ObjectId, RepoPath};
use super::update::Update;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalState {
    /// Not yet a pull request; the reason says what it waits for.
    Waiting,
    /// A pull request that people can merge.
    Open,
    /// Merged.
    Merged,
    /// Closed by a person: the same content is not proposed again.
    Closed,
    /// A newer proposal took its place.
    Superseded,
    /// No longer wanted: before it became a pull request, or closed with a word since.
    Withdrawn,
    /// Could not be made; the reason says why.
    Failed,
}

impl ProposalState {
    /// Every state, in the order of the declaration.
    pub const ALL: [Self; 7] =
        [Self::Waiting, Self::Open, Self::Merged, Self::Closed, Self::Superseded, Self::Withdrawn, Self::Failed];

    /// The word the store, the API and the page use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Closed => "closed",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
            Self::Failed => "failed",
        }
    }

    /// The state a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Why a pull request is closed by the bot, as far as that decides what is said on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Farewell {
    /// Another one goes further.
    Replaced {
        /// That one.
        by: PullNumber,
    },
    /// A person told the bot so, and was answered.
    Told,
    /// The proposal's reason says why.
    NotWanted,
}

/// What is done anew on the branch of an open pull request, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rework {
    /// It cannot be merged as it is: its base holds other text where it changes something.
    Conflict,
    /// A person asked to have it brought up to date with its base.
    Rebase,
    /// A person asked to have the change made anew, whatever is on the branch.
    Recreate,
}

impl Rework {
    /// The word the store and logs use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Rebase => "rebase",
            Self::Recreate => "recreate",
        }
    }

    /// The errand a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Conflict, Self::Rebase, Self::Recreate].into_iter().find(|how| how.as_str() == word)
    }
}

/// The pull request of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: PullNumber,
    /// Where people see it.
    pub url: String,
    /// The commit we put at the head of its branch.
    pub head: ObjectId,
}

/// What is known of the branch of one of our pull requests, beside the commit that we left at its head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullBranch {
    /// The commit of the base that it holds; `None` where nobody noted it.
    pub base: Option<ObjectId>,
    /// The branch that it goes to by our doing; `None` where nobody noted it.
    pub base_branch: Option<String>,
    /// Whether people's commits are below ours.
    pub shared: bool,
    /// Why it is left as it is, if it is.
    pub held: Option<Held>,
    /// When we closed its pull request and took it away: should that be open again, a person reopened it.
    pub closed_at: Option<Timestamp>,
}

/// Why the branch of a pull request is left as it is. It is looked at again when the branch or its base has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Why, in a sentence for people.
    pub why: String,
    /// The commit at the head of the branch by then.
    pub head: ObjectId,
    /// The commit at the head of its base by then.
    pub base: ObjectId,
    /// Whether that is for the sake of people's commits: then newer versions wait for them too.
    pub people: bool,
}

/// What the conversation of a pull request is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// It holds something else than before.
    Revised,
    /// Its branch is left as it is, and why.
    Held,
    /// Its branch is not left as it is any more. Nobody is told in words: what follows speaks for itself.
    Freed,
    /// A person asked for something that cannot be done: its branch is gone, or leads elsewhere.
    Elsewhere,
    /// A person asked to have it made anew, and somebody has pushed since.
    Overtaken,
}

impl News {
    /// The word the store and logs use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revised => "revised",
            Self::Held => "held",
            Self::Freed => "freed",
            Self::Elsewhere => "elsewhere",
            Self::Overtaken => "overtaken",
        }
    }
}

/// A group of updates for one repository, with its state, reason and due time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Ours, made when it is first stored.
    pub id: ProposalId,
    /// The repository.
    pub repo: RepoId,
    /// Which group of the repository it is: `pypi/httpx`, `pypi minor-and-patch`, `group backend`. At most one
    /// proposal per group waits at a time.
    pub group: String,
    /// A hash of the packages and target versions. What a person closed is remembered by it.
    pub content: String,
    /// Where it stands.
    pub state: ProposalState,
    /// Why it stands there, in a sentence for people.
    pub reason: String,
    /// The first moment it may be opened.
    pub due_at: Timestamp,
    /// The pull request's title.
    pub title: String,
    /// The branch it is sent on.
    pub branch: String,
    /// What it changes.
    pub updates: Vec<Update>,
    /// The labels it gets.
    pub labels: Vec<String>,
    /// The pull request, once there is one.
    pub pull: Option<PullRequest>,
    /// What the checks on the pull request's head last said (`success`, `failure` …), once something was said.
    pub checks: Option<String>,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When the pull request was opened.
    pub opened_at: Option<Timestamp>,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
}

impl Proposal {
    /// Whether it changes a workflow, for which GitHub asks more than for other files.
    pub fn touches_workflows(&self) -> bool {
        self.updates.iter().flat_map(|update| &update.sites).any(|site| site.path.is_workflow())
    }
}

/// How a dependency of a subscribed repository stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// There is nothing newer that the rules could allow.
    UpToDate,
    /// An update will come; time or a free place releases it.
    Waiting,
    /// A pull request is open.
    Open,
    /// A rule of the file, or a person, says no.
    Refused,
    /// It cannot be read or looked up.
    Failed,
}

impl Standing {
    /// Every standing, in the order of the declaration.
    pub const ALL: [Self; 5] = [Self::UpToDate, Self::Waiting, Self::Open, Self::Refused, Self::Failed];

    /// The word the store, the API and the page use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpToDate => "up_to_date",
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// The standing a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == word)
    }
}

/// What the plan says about one dependency, or about one withheld version of it: the answer to "why is
/// there no pull request?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// The package.
    pub package: PackageId,
    /// The file it stands in.
    pub path: RepoPath,
    /// The line there, counted from 1.
    pub line: u32,
    /// The version in use, where it is known.
    pub current: Option<String>,
    /// The version it could move to, where there is one.
    pub target: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// Why, in a sentence for people.
    pub reason: String,
    /// When time alone will release it.
    pub until: Option<Timestamp>,
}
