//! From a delivery's bytes to what it means.

use super::facts::{
    AccountFacts, CheckAction, CheckRun, Event, EventKind, Header, InstallationChange, PullAction, PullFacts, Push,
    RepoFacts, RepoSummary, RepositoryChange, Sender,
};
use super::json::{Document, Flag, List, Obj, PayloadError, Text};
use super::payload;
use super::push::{changed_paths, is_set, tree_of};
use crate::domain::{InstallationId, ObjectId, PullNumber, RepoId, RepoName};
use crate::forge::{AccountKind, PullStatus};

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
