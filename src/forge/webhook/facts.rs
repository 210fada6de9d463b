//! What a delivery can mean to us: the little of it that decides where to look again.

use super::push::ChangedPaths;
use crate::domain::{CommentId, InstallationId, ObjectId, PullNumber, RepoId, RepoName, RepoState};
use crate::forge::PullStatus;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A delivery, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The installation it is about. Webhooks of a repository or an organisation have none.
    pub installation: Option<InstallationId>,
    /// The repository it is about.
    pub repo: Option<RepoId>,
    /// GitHub's word for what happened; not every event has one.
    pub action: Option<String>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// GitHub tries out the webhook.
    Ping,
    /// The App was installed, uninstalled, suspended …
    Installation,
    /// The installation's selection of repositories changed.
    InstallationRepositories,
    /// A branch or tag moved.
    Push(Box<Push>),
    /// A pull request was opened, closed, changed …
    PullRequest(PullFacts),
    /// A repository was renamed, archived, deleted …
    Repository {
        /// Its name afterwards.
        name: RepoName,
    },
    /// A check began or ended.
    CheckRun {
        /// The commit it checks.
        head_sha: ObjectId,
    },
    /// A person wants our checks of a commit made again.
    Rerequested {
        /// The commit.
        head_sha: ObjectId,
    },
    /// What is said of a commit besides single checks changed: a status, or all checks of an App.
    Verdict {
        /// The commit.
        head_sha: ObjectId,
    },
    /// People think otherwise of a pull request: a review, or it is no draft any more.
    Reconsidered {
        /// The pull request.
        number: PullNumber,
    },
    /// A person wrote a comment on a pull request.
    Comment(CommentFacts),
    /// An event or action that we do not act on: acknowledge and count it.
    Other {
        /// The event, by the name in `X-GitHub-Event`.
        event: String,
    },
}

/// A repository as a push describes it: what decides where we write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoFacts {
    /// Its current name.
    pub name: RepoName,
    /// Its default branch.
    pub default_branch: Option<String>,
    /// Whether it can be written to.
    pub state: RepoState,
}

/// A branch or tag that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The repository.
    pub repository: RepoFacts,
    /// The branch; `None` for a tag.
    pub branch: Option<String>,
    /// Whether it is the repository's default branch that moved.
    pub is_default_branch: bool,
    /// The commit it pointed at; the null id if it is new.
    pub before: ObjectId,
    /// The commit it points at; the null id if it is deleted.
    pub after: ObjectId,
    /// Whether it was deleted.
    pub deleted: bool,
    /// The root tree of `after`, where the payload tells.
    pub tree: Option<ObjectId>,
    /// What changed.
    pub changed: ChangedPaths,
    /// Some of what changed, where the payload does not tell all. Untrusted text.
    pub among_others: BTreeSet<String>,
    /// When it happened, by GitHub's clock, in whole seconds.
    pub pushed_at: Option<Timestamp>,
}

/// A pull request after something happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullFacts {
    /// Its number.
    pub number: PullNumber,
    /// Its status.
    pub status: PullStatus,
    /// The commit at the head of its branch.
    pub head_sha: ObjectId,
    /// The commit that was there before, where it has just moved.
    pub before: Option<ObjectId>,
    /// Whether its branch lies in another repository, or in none any more.
    pub from_fork: bool,
}

/// A new comment on a pull request, by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentFacts {
    /// GitHub's number of it.
    pub id: CommentId,
    /// The pull request.
    pub pull: PullNumber,
    /// Who wrote it: a login.
    pub author: String,
    /// What it says, in Markdown.
    pub body: String,
    /// When it was written, by GitHub's clock.
    pub at: Timestamp,
}
