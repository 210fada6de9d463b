//! From a delivery's bytes to what it means.

use super::facts::{CommentFacts, Event, EventKind, PullFacts, Push, RepoFacts};
use super::json::{Document, Obj, PayloadError, Text};
use super::payload;
use super::push::{changed_paths, is_set, tree_of};
use crate::domain::{CommentId, InstallationId, ObjectId, PullNumber, RepoId, RepoName};
use crate::forge::{PullStatus, installations};

/// The events that [`parse_event`] acts on.
pub const KNOWN_EVENTS: [&str; 11] = [
    "ping",
    "installation",
    "installation_repositories",
    "push",
    "pull_request",
    "repository",
    "check_run",
    "check_suite",
    "status",
    "pull_request_review",
    "issue_comment",
];

/// An event's name where it is one of [`KNOWN_EVENTS`], else `other`: what is counted takes no names from outside.
pub fn known_event(name: &str) -> &'static str {
    KNOWN_EVENTS.into_iter().find(|known| *known == name).unwrap_or("other")
}

/// What a delivery means.
///
/// `name` is the value of `X-GitHub-Event`. Unknown events and actions are [`EventKind::Other`], not errors.
/// Errors: [`PayloadError::NotJson`], or [`PayloadError::Field`] where an event that we act on is not understood.
pub fn parse_event(name: &str, body: &[u8]) -> Result<Event, PayloadError> {
    let document = Document::new(body)?;
    let payload::Envelope { action, installation, repository } = document.read()?;
    let Text(action) = action;
    let installation = installation.0.and_then(|it| it.id.0).map(InstallationId);
    let repo = repository.0.and_then(|it| it.id.0).map(RepoId);
    let needs = Needs { event: name };
    let kind = match name {
        "ping" => Some(EventKind::Ping),
        "installation" => installation_event(needs, action.as_deref(), installation)?,
        "installation_repositories" => {
            matches!(action.as_deref(), Some("added" | "removed")).then_some(EventKind::InstallationRepositories)
        }
        "push" => Some(push_event(needs, document)?),
        "pull_request" => pull_event(needs, action.as_deref(), document)?,
        "repository" => repository_event(needs, action.as_deref(), document)?,
        "check_run" => check_run_event(needs, action.as_deref(), document)?,
        "check_suite" => suite_event(needs, action.as_deref(), document)?,
        "status" => Some(status_event(needs, document)?),
        "pull_request_review" => review_event(needs, action.as_deref(), document)?,
        "issue_comment" => comment_event(needs, action.as_deref(), document)?,
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
            name: self.name(repository.full_name, "repository.full_name")?,
            default_branch: repository.default_branch.0.filter(|branch| !branch.is_empty()),
            state: installations::state_of(is_set(repository.disabled), is_set(repository.archived)),
        })
    }
}

type Understood = Result<Option<EventKind>, PayloadError>;

fn installation_event(needs: Needs<'_>, action: Option<&str>, id: Option<InstallationId>) -> Understood {
    if !matches!(action, Some("created" | "deleted" | "suspend" | "unsuspend" | "new_permissions_accepted")) {
        return Ok(None);
    }
    needs.some(id, "installation.id")?;
    Ok(Some(EventKind::Installation))
}

fn push_event(needs: Needs<'_>, document: Document<'_>) -> Result<EventKind, PayloadError> {
    let mut payload: payload::PushEvent = document.read()?;
    let repository = std::mem::take(&mut payload.repository);
    let pushed_at = repository.0.as_ref().and_then(|repository| repository.pushed_at.0);
    let repository = needs.repository(repository)?;
    let git_ref = needs.some(payload.git_ref.0.take(), "ref")?;
    let branch = git_ref.strip_prefix("refs/heads/");
    let after = needs.object_id(&payload.after, "after")?;
    let tree = tree_of(&payload).and_then(|tree| ObjectId::parse(tree).ok());
    let (before, deleted) = (needs.object_id(&payload.before, "before")?, is_set(payload.deleted) || after.is_zero());
    let (changed, among_others) = changed_paths(payload);
    Ok(EventKind::Push(Box::new(Push {
        branch: branch.map(str::to_owned),
        is_default_branch: branch.is_some() && branch == repository.default_branch.as_deref(),
        repository,
        before,
        deleted,
        tree,
        after,
        among_others,
        changed,
        pushed_at,
    })))
}

fn pull_event(needs: Needs<'_>, action: Option<&str>, document: Document<'_>) -> Understood {
    if action == Some("ready_for_review") {
        return review_event(needs, Some("submitted"), document);
    }
    if !matches!(action, Some("opened" | "closed" | "reopened" | "synchronize" | "edited")) {
        return Ok(None);
    }
    let payload: payload::PullEvent = document.read()?;
    let pull = needs.some(payload.pull_request.0, "pull_request")?;
    let head = needs.some(pull.head.0, "pull_request.head")?;
    let merged = pull.merged.0.unwrap_or(pull.merged_at.0.is_some());
    let lies_in = |end: &payload::End| end.repo.0.as_ref().and_then(|repo| repo.id.0);
    let from_fork = lies_in(&head).is_none() || lies_in(&head) != pull.base.0.as_ref().and_then(lies_in);
    let status = match pull.state.0.as_deref() {
        _ if merged => PullStatus::Merged,
        Some("open") => PullStatus::Open,
        Some("closed") => PullStatus::Closed,
        _ => return needs.some(None, "pull_request.state"),
    };
    Ok(Some(EventKind::PullRequest(PullFacts {
        number: PullNumber(needs.some(payload.number.0.or(pull.number.0), "number")?),
        status,
        head_sha: needs.object_id(&head.sha, "pull_request.head.sha")?,
        before: payload.before.0.and_then(|before| ObjectId::parse(&before).ok()),
        from_fork,
    })))
}

fn repository_event(needs: Needs<'_>, action: Option<&str>, document: Document<'_>) -> Understood {
    let acted_upon = [
        "created",
        "renamed",
        "transferred",
        "archived",
        "unarchived",
        "deleted",
        "edited",
        "privatized",
        "publicized",
    ];
    if !action.is_some_and(|action| acted_upon.contains(&action)) {
        return Ok(None);
    }
    let payload: payload::RepositoryEvent = document.read()?;
    let repository = needs.some(payload.repository.0, "repository")?;
    Ok(Some(EventKind::Repository { name: needs.name(repository.full_name, "repository.full_name")? }))
}

fn check_run_event(needs: Needs<'_>, action: Option<&str>, document: Document<'_>) -> Understood {
    if !matches!(action, Some("created" | "completed" | "rerequested" | "requested_action")) {
        return Ok(None);
    }
    let payload: payload::CheckRunEvent = document.read()?;
    let run = needs.some(payload.check_run.0, "check_run")?;
    let head_sha = needs.object_id(&run.head_sha, "check_run.head_sha")?;
    // Only the App that made a run is asked for it again.
    let again = action == Some("rerequested");
    Ok(Some(if again { EventKind::Rerequested { head_sha } } else { EventKind::CheckRun { head_sha } }))
}

/// All checks of one App on a commit have ended, or a person asks for all of ours again.
fn suite_event(needs: Needs<'_>, action: Option<&str>, document: Document<'_>) -> Understood {
    if !matches!(action, Some("completed" | "rerequested")) {
        return Ok(None);
    }
    let payload: payload::CheckSuiteEvent = document.read()?;
    let suite = needs.some(payload.check_suite.0, "check_suite")?;
    let head_sha = needs.object_id(&suite.head_sha, "check_suite.head_sha")?;
    let again = action == Some("rerequested");
    Ok(Some(if again { EventKind::Rerequested { head_sha } } else { EventKind::Verdict { head_sha } }))
}

fn status_event(needs: Needs<'_>, document: Document<'_>) -> Result<EventKind, PayloadError> {
    let payload: payload::StatusEvent = document.read()?;
    Ok(EventKind::Verdict { head_sha: needs.object_id(&payload.sha, "sha")? })
}

/// What may have stood in the way of merging a pull request may be gone.
fn review_event(needs: Needs<'_>, action: Option<&str>, document: Document<'_>) -> Understood {
    if !matches!(action, Some("submitted" | "dismissed")) {
        return Ok(None);
    }
    let payload: payload::PullEvent = document.read()?;
    let pull = needs.some(payload.pull_request.0, "pull_request")?;
    Ok(Some(EventKind::Reconsidered { number: PullNumber(needs.some(pull.number.0, "pull_request.number")?) }))
}

/// A new comment that a person wrote on a pull request. Edited and deleted ones say nothing new, and what apps write is
/// not for us, our own answers least of all.
fn comment_event(needs: Needs<'_>, action: Option<&str>, document: Document<'_>) -> Understood {
    if action != Some("created") {
        return Ok(None);
    }
    let payload: payload::CommentEvent = document.read()?;
    let issue = needs.some(payload.issue.0, "issue")?;
    let comment = needs.some(payload.comment.0, "comment")?;
    let is_person = |account: &Obj<payload::Account>| {
        account.0.as_ref().is_some_and(|account| account.kind.0.as_deref() == Some("User"))
    };
    let by_a_person =
        is_person(&comment.user) && is_person(&payload.sender) && comment.performed_via_github_app.0.is_none();
    let author = comment.user.0.and_then(|user| user.login.0);
    let (Some(_), true, Some(author)) = (issue.pull_request.0, by_a_person, author) else { return Ok(None) };
    Ok(Some(EventKind::Comment(CommentFacts {
        id: CommentId(needs.some(comment.id.0, "comment.id")?),
        pull: PullNumber(needs.some(issue.number.0, "issue.number")?),
        author,
        body: comment.body.0.unwrap_or_default(),
        at: needs.some(comment.created_at.0, "comment.created_at")?,
    })))
}
