//! What a delivery can mean to us.

use super::push::ChangedPaths;
use crate::domain::{InstallationId, ObjectId, PullNumber, RepoId, RepoName, RepoState, Repository};
use crate::forge::{AccountKind, PullStatus};

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
    Installation(InstallationChange),
    /// The installation's selection of repositories changed.
    InstallationRepositories {
        /// What it covers from now on.
        added: Vec<RepoSummary>,
        /// What it no longer covers.
        removed: Vec<RepoId>,
    },
    /// A branch or tag moved.
    Push(Box<Push>),
    /// A pull request was opened, closed, changed …
    PullRequest(Box<PullFacts>),
    /// A repository was renamed, archived, deleted …
    Repository {
        /// What happened to it.
        change: RepositoryChange,
        /// The repository afterwards.
        repository: RepoFacts,
    },
    /// A check began or ended.
    CheckRun(CheckRun),
    /// An event or action that we do not act on: acknowledge and count it.
    Other {
        /// The event, by the name in `X-GitHub-Event`.
        event: String,
    },
}

/// What happened to an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstallationChange {
    /// It is new.
    Created {
        /// On which account.
        account: AccountFacts,
        /// The repositories it covers, as far as the payload lists them.
        repositories: Vec<RepoSummary>,
    },
    /// It was uninstalled.
    Deleted,
    /// It was suspended.
    Suspended,
    /// It is no longer suspended.
    Unsuspended,
    /// The owner granted the permissions the App has asked for since.
    NewPermissionsAccepted,
}

/// An account as installations name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// Its name; a ghost's is empty.
    pub login: String,
    /// Its kind.
    pub kind: AccountKind,
}

/// A repository as lists name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoSummary {
    /// Its id.
    pub id: RepoId,
    /// Its name.
    pub name: RepoName,
    /// Whether only some people may see it.
    pub private: bool,
}

/// A repository as events describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoFacts {
    /// Its id.
    pub id: RepoId,
    /// Its current name.
    pub name: RepoName,
    /// Its default branch.
    pub default_branch: Option<String>,
    /// Whether only some people may see it.
    pub private: bool,
    /// Whether it is a fork.
    pub fork: bool,
    /// Whether it is read-only.
    pub archived: bool,
    /// Whether GitHub disabled it.
    pub disabled: bool,
    /// Where people look at it.
    pub web_url: String,
}

impl RepoFacts {
    /// The repository as part of an installation.
    pub fn into_repository(self, installation: InstallationId) -> Repository {
        let state = match (self.disabled, self.archived) {
            (true, _) => RepoState::Disabled,
            (false, true) => RepoState::Archived,
            (false, false) => RepoState::Active,
        };
        Repository {
            id: self.id,
            installation,
            name: self.name,
            default_branch: self.default_branch,
            private: self.private,
            fork: self.fork,
            state,
            web_url: self.web_url,
        }
    }
}

/// A branch or tag that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The repository.
    pub repository: RepoFacts,
    /// The full name of what moved: `refs/heads/main`.
    pub git_ref: String,
    /// The branch, if it is one.
    pub branch: Option<String>,
    /// Whether that is the repository's default branch.
    pub is_default_branch: bool,
    /// The commit it pointed at; the null id if it is new.
    pub before: ObjectId,
    /// The commit it points at; the null id if it is deleted.
    pub after: ObjectId,
    /// Whether it is new.
    pub created: bool,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Whether commits were taken away.
    pub forced: bool,
    /// The root tree of `after`, where the payload tells.
    pub tree: Option<ObjectId>,
    /// What changed.
    pub changed: ChangedPaths,
}

/// What happened to a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullAction {
    /// It is new.
    Opened,
    /// It was closed; by a merge or not.
    Closed,
    /// It was opened again.
    Reopened,
    /// Its branch has other commits.
    Synchronized,
    /// Its title, text or base changed.
    Edited,
}

/// A pull request and what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullFacts {
    /// What happened.
    pub action: PullAction,
    /// Its number.
    pub number: PullNumber,
    /// Its status afterwards.
    pub status: PullStatus,
    /// Its branch.
    pub head_branch: String,
    /// The commit at the head of its branch.
    pub head_sha: ObjectId,
    /// The repository its branch is in; `None` when that was deleted.
    pub head_repo: Option<RepoId>,
    /// The branch it goes to.
    pub base_branch: String,
    /// Where people look at it.
    pub web_url: String,
    /// Who did it; `None` for a ghost.
    pub sender: Option<Sender>,
}

/// Who caused an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The name.
    pub login: String,
    /// Whether it is an App rather than a person.
    pub bot: bool,
}

/// What happened to a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepositoryChange {
    /// It is new.
    Created,
    /// It has another name; the old one, without owner, where the payload tells.
    Renamed {
        /// The old name without owner.
        from: Option<String>,
    },
    /// It has another owner.
    Transferred,
    /// It is read-only now.
    Archived,
    /// It is no longer read-only.
    Unarchived,
    /// It is gone.
    Deleted,
    /// Its settings changed.
    Edited {
        /// Whether it has another default branch.
        default_branch_changed: bool,
    },
    /// Only some people may see it now.
    Privatized,
    /// Everybody may see it now.
    Publicized,
}

/// What happened to a check run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckAction {
    /// It is new.
    Created,
    /// It ended.
    Completed,
    /// A person wants it again.
    Rerequested,
    /// A person pressed one of its buttons.
    RequestedAction,
}

/// A check run and what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRun {
    /// What happened.
    pub action: CheckAction,
    /// Its id.
    pub id: Option<i64>,
    /// Its name.
    pub name: String,
    /// The commit it checks.
    pub head_sha: ObjectId,
    /// How far it is (`queued`, `in_progress`, `completed` …).
    pub status: String,
    /// How it ended (`success`, `failure` …).
    pub conclusion: Option<String>,
    /// The App that made it.
    pub app_id: Option<i64>,
    /// The pull requests of the same repository that the commit is the head of.
    pub pulls: Vec<PullNumber>,
}

/// What storing a delivery needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// GitHub's word for what happened.
    pub action: Option<String>,
    /// The installation it is about.
    pub installation: Option<InstallationId>,
    /// The repository it is about.
    pub repo: Option<RepoId>,
}
