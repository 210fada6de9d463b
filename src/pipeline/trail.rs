//! What every log line within a step carries, so that one delivery, repository or proposal can be followed through the
//! log: a span with the identifiers of the step, and a line that names each step it queues.

use super::Step;
use crate::domain::{Farewell, RepoName};
use crate::store::{Claimed, NewWork};
use tracing::Span;
use tracing::field::{Empty, display};

/// The span of one attempt at a step. It is there whatever the log's level, so that a lone error says where it belongs.
pub fn span(claimed: &Claimed) -> Span {
    let work = &claimed.work;
    let span = tracing::error_span!(
        "step",
        step = work.step,
        work = %work.id,
        key = work.unique_key,
        attempt = work.attempts,
        installation = Empty,
        repository_id = Empty,
        repository = Empty,
        delivery = Empty,
        proposal = Empty,
        pull = Empty,
        comment = Empty,
        package = Empty,
    );
    // Arguments that cannot be read are an error of their own, told where the step is walked.
    let step: Option<Step> = serde_json::from_value(work.args.clone()).ok();
    match step.map(|step| identify(&span, &step)) {
        Some(Subject::Repository(id)) => drop(span.record("repository_id", id)),
        Some(Subject::Installation(id)) => drop(span.record("installation", id)),
        Some(Subject::Other) | None => {}
    }
    if let Some(installation) = work.installation {
        span.record("installation", installation.0);
    }
    span
}

/// Notes the name of the repository that the present step is about, once it is known.
pub fn name(repository: &RepoName) {
    Span::current().record("repository", display(repository));
}

/// Notes that a step is queued. Within another step the line links the two: it carries the span of the one, and the key of
/// the other.
pub fn queued(new: &NewWork) {
    tracing::debug!(queued = new.unique_key, due_at = %new.due_at, "queues a step");
}

/// What a step works on, by number.
enum Subject {
    Repository(i64),
    Installation(i64),
    Other,
}

/// Notes whom and what a step is about. Whoever adds a step is asked here for its identifiers.
fn identify(span: &Span, step: &Step) -> Subject {
    match step {
        Step::SyncApp | Step::Redeliver { .. } | Step::Tidy => Subject::Other,
        Step::Inbox { delivery, repo } => {
            span.record("delivery", display(delivery));
            repo.map_or(Subject::Other, |repo| Subject::Repository(repo.0))
        }
        Step::SyncInstallation { installation } | Step::CatchUp { installation } => {
            Subject::Installation(installation.0)
        }
        Step::SyncRepository { repo, name, details: _ } => {
            if let Some(name) = name {
                span.record("repository", display(name));
            }
            Subject::Repository(repo.0)
        }
        Step::Watch { package } | Step::Announce { package, .. } => {
            span.record("package", display(package));
            Subject::Other
        }
        Step::Index { repo } | Step::Plan { repo } => Subject::Repository(repo.0),
        Step::Execute { repo, proposal }
        | Step::Label { repo, proposal }
        | Step::Rework { repo, proposal, how: _ }
        | Step::Tell { repo, proposal, news: _ }
        | Step::Retire { repo, proposal, farewell: Farewell::Told | Farewell::NotWanted } => {
            span.record("proposal", display(proposal));
            Subject::Repository(repo.0)
        }
        Step::Retire { repo, proposal, farewell: Farewell::Replaced { by } } => {
            span.record("proposal", display(proposal)).record("pull", by.0);
            Subject::Repository(repo.0)
        }
        Step::Obey { repo, comment } => {
            span.record("comment", comment.0);
            Subject::Repository(repo.0)
        }
        Step::Follow { repo, number } | Step::Checks { repo, number } => {
            span.record("pull", number.0);
            Subject::Repository(repo.0)
        }
    }
}
