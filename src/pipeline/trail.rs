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
        commit = Empty,
        package = Empty,
    );
    // Arguments that cannot be read are an error of their own, told where the step is walked.
    let step: Option<Step> = serde_json::from_value(work.args.clone()).ok();
    let subject = step.map_or(Subject::Other, |step| identify(&span, &step));
    if let Subject::Repository(id) = subject {
        span.record("repository_id", id);
    }
    // Once: what is recorded a second time is written a second time.
    match (work.installation, subject) {
        (Some(installation), _) => drop(span.record("installation", installation.0)),
        (None, Subject::Installation(id)) => drop(span.record("installation", id)),
        (None, Subject::Repository(_) | Subject::Other) => {}
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
#[derive(Clone, Copy)]
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
        Step::SyncInstallation { installation }
        | Step::CatchUp { installation }
        | Step::OnboardAll { installation, more: _ } => Subject::Installation(installation.0),
        Step::SyncRepository { repo, name, details: _ } => {
            if let Some(name) = name {
                span.record("repository", display(name));
            }
            Subject::Repository(repo.0)
        }
        Step::Watch { package } | Step::Announce { package, .. } | Step::Notes { package, version: _ } => {
            span.record("package", display(package));
            Subject::Other
        }
        Step::Index { repo } | Step::Plan { repo } | Step::Onboard { repo } => Subject::Repository(repo.0),
        Step::Examine { repo, commit, again: _ } => {
            span.record("commit", display(commit));
            Subject::Repository(repo.0)
        }
        Step::Execute { repo, proposal }
        | Step::Label { repo, proposal }
        | Step::Invite { repo, proposal, whom: _ }
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
        Step::Follow { repo, number } | Step::Checks { repo, number } | Step::Merge { repo, number } => {
            span.record("pull", number.0);
            Subject::Repository(repo.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{InstallationId, RepoId};
    use crate::store::{WorkId, WorkRow, WorkState};
    use jiff::Timestamp;
    use std::io::{Result, Write};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, text: &[u8]) -> Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    /// A line that is logged within a step, as people read it.
    fn line_within(step: &Step, installation: Option<i64>) -> String {
        let work = WorkRow {
            id: WorkId("w".into()),
            step: step.name().into(),
            subject: "s".into(),
            unique_key: "k".into(),
            installation: installation.map(InstallationId),
            args: serde_json::to_value(step).unwrap(),
            asks_github: true,
            patience: Duration::ZERO,
            state: WorkState::Running,
            due_at: Timestamp::UNIX_EPOCH,
            attempts: 1,
            refusals: 0,
            claims: 1,
            last_error: None,
            created_at: Timestamp::UNIX_EPOCH,
        };
        let claimed = Claimed { work, lease_token: "t".into(), lease_until: Timestamp::UNIX_EPOCH };
        let log = Log::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(lines, || span(&claimed).in_scope(|| tracing::error!("x")));
        let bytes = log.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_installation_is_named_once() {
        let (installation, repo) = (InstallationId(5), RepoId(9));
        let of_installation = Step::SyncInstallation { installation };
        for (step, installation) in
            [(&of_installation, Some(5)), (&of_installation, None), (&Step::Index { repo }, Some(5))]
        {
            let line = line_within(step, installation);
            assert_eq!(line.matches("installation=5").count(), 1, "{line}");
        }
        assert_eq!(line_within(&Step::Index { repo }, None).matches("installation=").count(), 0);
    }
}
