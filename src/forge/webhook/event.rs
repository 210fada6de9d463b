//! What a delivery means to us.

use super::json::{Document, Flag, List, Obj, PayloadError, Text};
use super::payload;
use super::push::{ChangedPaths, changed_paths, is_set, tree_of};
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

/// What a delivery is about, whatever event it is. Errors: [`PayloadError::NotJson`].
pub fn peek(body: &[u8]) -> Result<Header, PayloadError> {
    header(Document::new(body)?)
}

fn header(document: Document<'_>) -> Result<Header, PayloadError> {
    let envelope: payload::Envelope = document.read()?;
    Ok(Header {
        action: envelope.action.0,
        installation: envelope.installation.0.and_then(|it| it.id.0).map(InstallationId),
        repo: envelope.repository.0.and_then(|it| it.id.0).map(RepoId),
    })
}

/// What a delivery means.
///
/// `name` is the value of `X-GitHub-Event`. Unknown events and actions are [`EventKind::Other`], not errors.
/// Errors: [`PayloadError::NotJson`], or [`PayloadError::Field`] where an event that we act on is not understood.
pub fn parse_event(name: &str, body: &[u8]) -> Result<Event, PayloadError> {
    let document = Document::new(body)?;
    let Header { action, installation, repo } = header(document)?;
    let needs = Needs { event: name };
    let kind = match name {
        "ping" => Some(EventKind::Ping),
        "installation" => installation_event(needs, action.as_deref(), document, installation)?,
        "installation_repositories" => installation_repositories_event(needs, action.as_deref(), document)?,
        "push" => Some(push_event(needs, document)?),
        "pull_request" => pull_event(needs, action.as_deref(), document)?,
        "repository" => repository_event(needs, action.as_deref(), document)?,
        "check_run" => check_run_event(needs, action.as_deref(), document)?,
        _ => None,
    };
    let kind = kind.unwrap_or_else(|| EventKind::Other { event: name.chars().take(100).collect() });
    Ok(Event { installation, repo, action, kind })
}

/// Makes the error that names what an event lacks.
#[derive(Clone, Copy)]
struct Needs<'a> {
    event: &'a str,
}

impl Needs<'_> {
    fn some<T>(self, value: Option<T>, field: &'static str) -> Result<T, PayloadError> {
        value.ok_or_else(|| PayloadError::Field { event: self.event.into(), field })
    }

    fn object_id(self, text: &Text, field: &'static str) -> Result<ObjectId, PayloadError> {
        self.some(text.0.as_deref().and_then(|text| ObjectId::parse(text).ok()), field)
    }

    fn name(self, text: Text, field: &'static str) -> Result<RepoName, PayloadError> {
        self.some(text.0.and_then(|text| RepoName::parse(&text).ok()), field)
    }

    fn repository(self, repository: Obj<payload::Repository>) -> Result<RepoFacts, PayloadError> {
        let repository = self.some(repository.0, "repository")?;
        Ok(RepoFacts {
            id: RepoId(self.some(repository.id.0, "repository.id")?),
            name: self.name(repository.full_name, "repository.full_name")?,
            default_branch: repository.default_branch.0.filter(|branch| !branch.is_empty()),
            private: is_private(repository.private),
            fork: is_set(repository.fork),
            archived: is_set(repository.archived),
            disabled: is_set(repository.disabled),
            web_url: repository.html_url.0.unwrap_or_default(),
        })
    }

    fn summaries(
        self,
        list: Vec<Obj<payload::Repository>>,
        field: &'static str,
    ) -> Result<Vec<RepoSummary>, PayloadError> {
        let summary = |Obj(entry): Obj<payload::Repository>| {
            let entry = self.some(entry, field)?;
            Ok(RepoSummary {
                id: RepoId(self.some(entry.id.0, field)?),
                name: self.name(entry.full_name, field)?,
                private: is_private(entry.private),
            })
        };
        list.into_iter().map(summary).collect()
    }
}

/// What is not said to be public is treated as private.
fn is_private(flag: Flag) -> bool {
    flag.0.unwrap_or(true)
}

type Understood = Result<Option<EventKind>, PayloadError>;

fn installation_event(
    needs: Needs<'_>,
    action: Option<&str>,
    document: Document<'_>,
    id: Option<InstallationId>,
) -> Understood {
    let change = match action {
        Some("created") => {
            let payload: payload::InstallationEvent = document.read()?;
            let (account, target) =
                payload.installation.0.map(|it| (it.account.0, it.target_type.0)).unwrap_or_default();
            let account = account.unwrap_or_default();
            let kind = target.or(account.kind.0).unwrap_or_default();
            InstallationChange::Created {
                account: AccountFacts {
                    login: account.login.0.unwrap_or_default(),
                    kind: AccountKind::from_type(&kind),
                },
                // Left out for many repositories; they are listed by a request anyway.
                repositories: needs
                    .summaries(payload.repositories.0.unwrap_or_default(), "repositories[].full_name")?,
            }
        }
        Some("deleted") => InstallationChange::Deleted,
        Some("suspend") => InstallationChange::Suspended,
        Some("unsuspend") => InstallationChange::Unsuspended,
        Some("new_permissions_accepted") => InstallationChange::NewPermissionsAccepted,
        _ => return Ok(None),
    };
    needs.some(id, "installation.id")?;
    Ok(Some(EventKind::Installation(change)))
}

fn installation_repositories_event(needs: Needs<'_>, action: Option<&str>, document: Document<'_>) -> Understood {
    if !matches!(action, Some("added" | "removed")) {
        return Ok(None);
    }
    let payload: payload::InstallationRepositoriesEvent = document.read()?;
    let removed = payload.repositories_removed.0.unwrap_or_default();
    Ok(Some(EventKind::InstallationRepositories {
        added: needs.summaries(payload.repositories_added.0.unwrap_or_default(), "repositories_added[].full_name")?,
        removed: removed
            .into_iter()
            .map(|entry| needs.some(entry.0.and_then(|it| it.id.0), "repositories_removed[].id").map(RepoId))
            .collect::<Result<_, _>>()?,
    }))
}

fn push_event(needs: Needs<'_>, document: Document<'_>) -> Result<EventKind, PayloadError> {
    let mut payload: payload::PushEvent = document.read()?;
    let repository = needs.repository(std::mem::take(&mut payload.repository))?;
    let git_ref = needs.some(payload.git_ref.0.take(), "ref")?;
    let branch = git_ref.strip_prefix("refs/heads/").map(str::to_owned);
    let after = needs.object_id(&payload.after, "after")?;
    Ok(EventKind::Push(Box::new(Push {
        is_default_branch: branch.is_some() && branch == repository.default_branch,
        branch,
        git_ref,
        repository,
        before: needs.object_id(&payload.before, "before")?,
        created: is_set(payload.created),
        deleted: is_set(payload.deleted) || after.is_zero(),
        forced: is_set(payload.forced),
        tree: tree_of(&payload).and_then(|tree| ObjectId::parse(tree).ok()),
        after,
        changed: changed_paths(payload),
    })))
}

fn pull_event(needs: Needs<'_>, action: Option<&str>, document: Document<'_>) -> Understood {
    let action = match action {
        Some("opened") => PullAction::Opened,
        Some("closed") => PullAction::Closed,
        Some("reopened") => PullAction::Reopened,
        Some("synchronize") => PullAction::Synchronized,
        Some("edited") => PullAction::Edited,
        _ => return Ok(None),
    };
    let payload: payload::PullEvent = document.read()?;
    let pull = needs.some(payload.pull_request.0, "pull_request")?;
    let head = needs.some(pull.head.0, "pull_request.head")?;
    let merged = pull.merged.0.unwrap_or(pull.merged_at.0.is_some());
    let status = match pull.state.0.as_deref() {
        _ if merged => PullStatus::Merged,
        Some("open") => PullStatus::Open,
        Some("closed") => PullStatus::Closed,
        _ => return needs.some(None, "pull_request.state"),
    };
    let login = |account: payload::Account| {
        Some(Sender { login: account.login.0?, bot: account.kind.0.as_deref() == Some("Bot") })
    };
    Ok(Some(EventKind::PullRequest(Box::new(PullFacts {
        action,
        number: PullNumber(needs.some(payload.number.0.or(pull.number.0), "number")?),
        status,
        head_sha: needs.object_id(&head.sha, "pull_request.head.sha")?,
        head_branch: needs.some(head.branch.0, "pull_request.head.ref")?,
        head_repo: head.repo.0.and_then(|repo| repo.id.0).map(RepoId),
        base_branch: needs.some(pull.base.0.and_then(|base| base.branch.0), "pull_request.base.ref")?,
        web_url: pull.html_url.0.unwrap_or_default(),
        sender: payload.sender.0.and_then(login),
    }))))
}

fn repository_event(needs: Needs<'_>, action: Option<&str>, document: Document<'_>) -> Understood {
    let payload: payload::RepositoryEvent = document.read()?;
    let changes = payload.changes.0.unwrap_or_default();
    let change = match action {
        Some("created") => RepositoryChange::Created,
        Some("renamed") => {
            let from = changes.repository.0.and_then(|it| it.name.0).and_then(|it| it.from.0);
            RepositoryChange::Renamed { from }
        }
        Some("transferred") => RepositoryChange::Transferred,
        Some("archived") => RepositoryChange::Archived,
        Some("unarchived") => RepositoryChange::Unarchived,
        Some("deleted") => RepositoryChange::Deleted,
        Some("edited") => RepositoryChange::Edited { default_branch_changed: changes.default_branch.0.is_some() },
        Some("privatized") => RepositoryChange::Privatized,
        Some("publicized") => RepositoryChange::Publicized,
        _ => return Ok(None),
    };
    Ok(Some(EventKind::Repository { change, repository: needs.repository(payload.repository)? }))
}

fn check_run_event(needs: Needs<'_>, action: Option<&str>, document: Document<'_>) -> Understood {
    let action = match action {
        Some("created") => CheckAction::Created,
        Some("completed") => CheckAction::Completed,
        Some("rerequested") => CheckAction::Rerequested,
        Some("requested_action") => CheckAction::RequestedAction,
        _ => return Ok(None),
    };
    let payload: payload::CheckRunEvent = document.read()?;
    let run = needs.some(payload.check_run.0, "check_run")?;
    let List(pulls) = run.pull_requests;
    Ok(Some(EventKind::CheckRun(CheckRun {
        action,
        id: run.id.0,
        head_sha: needs.object_id(&run.head_sha, "check_run.head_sha")?,
        name: run.name.0.unwrap_or_default(),
        status: run.status.0.unwrap_or_default(),
        conclusion: run.conclusion.0,
        app_id: run.app.0.and_then(|app| app.id.0),
        pulls: pulls
            .unwrap_or_default()
            .into_iter()
            .filter_map(|pull| pull.0.and_then(|it| it.number.0).map(PullNumber))
            .collect(),
    })))
}
