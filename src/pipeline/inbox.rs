//! From a webhook to the steps it asks for.
//!
//! Deliveries come late, twice and out of order, so an event is only a hint where to look again: what is true is read
//! from GitHub by the step. The one exception is the push that touches nothing we track, right on top of the head we
//! know. It moves our head without a request, and it is by far the most frequent event.

mod examination;
mod known;

pub use self::known::{KnownBranch, KnownRepository};
use self::known::{brings_manifests, known_repository};
use super::{Done, Step, StepError};
use crate::commands;
use crate::domain::{
    Asked, Comment, DeliveryId, Head, Onboarding, OnboardingState, Proposal, ProposalState, RepoId, RepoPath,
    Repository,
};
use crate::forge::PullStatus;
use crate::forge::webhook::{
    self, ChangedPaths, CommentFacts, Event, EventKind, PayloadError, PullFacts, Push, RepoFacts,
};
use crate::managers;
use crate::store::{ConfigState, NewDelivery, Outcome, Store};
use jiff::Timestamp;

/// What became of a delivery that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is stored.
    New,
    /// It was stored before.
    Duplicate,
}

/// A delivery that makes sense, as it will be stored.
#[derive(Clone, Debug)]
pub struct Incoming {
    row: NewDelivery,
    ignored: bool,
}

/// GitHub's actions are single words.
const ACTION_CHARS_MAX: usize = 100;

impl Incoming {
    /// Reads a delivery. Pure, but a body of megabytes takes a while: see [`parse_apart`].
    ///
    /// Errors: the payload is not JSON, or not what the event's name promises.
    pub fn read(delivery: DeliveryId, event_name: &str, body: Vec<u8>) -> Result<Self, PayloadError> {
        let event = webhook::parse_event(event_name, &body)?;
        let ignored = matches!(event.kind, EventKind::Ping | EventKind::Other { .. });
        // An event that nobody will read again is counted, not kept.
        let payload = if ignored { Vec::new() } else { body };
        let row = NewDelivery {
            guid: delivery,
            event: event_name.to_string(),
            // It is part of an index, which takes no text of any length.
            action: event.action.map(|action| action.chars().take(ACTION_CHARS_MAX).collect()),
            installation: event.installation,
            repo: event.repo,
            payload: String::from_utf8(payload).map_err(|error| PayloadError::NotJson(error.to_string()))?,
        };
        Ok(Self { row, ignored })
    }

    /// Whether it asks for nothing, whatever it says.
    pub fn is_ignored(&self) -> bool {
        self.ignored
    }

    /// The step that will decide what it asks for.
    pub(super) fn step(&self) -> Step {
        Step::Inbox { delivery: self.row.guid.clone(), repo: self.row.repo }
    }

    /// The size of what is kept of it.
    pub(super) fn bytes(&self) -> usize {
        self.row.payload.len()
    }

    /// Its row, what became of it already, and what is to be done with it.
    pub(super) fn into_parts(self) -> (NewDelivery, Option<Outcome>, Option<Step>) {
        let step = self.step();
        if self.ignored { (self.row, Some(Outcome::Ignored), None) } else { (self.row, None, Some(step)) }
    }
}

/// Decides what a stored delivery asks for.
pub async fn decide(store: &Store, delivery: &DeliveryId, now: Timestamp) -> Result<Done, StepError> {
    let Some(row) = store.delivery(delivery).await? else { return Ok(Done::Finished(store.begin().await?)) };
    let payload = store.payload(delivery).await?.unwrap_or_default();
    let bytes = payload.len();
    let parsed = parse_apart(bytes, move || webhook::parse_event(&row.event, payload.as_bytes())).await;
    let event = match parsed {
        Ok(event) => event,
        Err(error) => {
            let mut tx = store.begin().await?;
            tx.finish_delivery(delivery, Outcome::Refused, Some(&error.to_string()), now).await?;
            return Ok(Done::Finished(tx));
        }
    };
    let known = match event.repo {
        Some(repo) => known_repository(store, repo, &event).await?,
        None => None,
    };
    let decision = steps_for(&event, known.as_ref());
    let mut tx = store.begin().await?;
    if let Some(comment) = &decision.comment {
        tx.save_comment(comment).await?;
    }
    if let (Some(head), Some(known)) = (&decision.head, &known) {
        tx.set_head(known.row.repository.id, Some(head), now).await?;
        if decision.indexed {
            tx.set_indexed(known.row.repository.id, &head.commit, now).await?;
        }
    }
    if let (EventKind::Push(push), Some(known)) = (&event.kind, &known)
        && let (true, Some(at)) = (push.is_default_branch, push.pushed_at)
    {
        tx.note_push(known.row.repository.id, at).await?;
    }
    // A webhook set up on the repository itself names no installation.
    let installation = event.installation.or(known.as_ref().map(|known| known.row.repository.installation));
    if let Some(asked) = &decision.examination {
        tx.ask_examination(asked, now).await?;
    }
    for step in &decision.steps {
        match step {
            // One that waits for its turn to write keeps that; it reads everything anew by then.
            Step::Merge { .. } | Step::Onboard { .. } => step.queue_unless_queued(&mut tx, installation, now).await?,
            _ => step.queue(&mut tx, installation, now).await?,
        }
    }
    if let (Some(installation), true) = (event.installation, grants_permissions(&event)) {
        super::sync::forget_failures(store, &mut tx, installation, now).await?;
    }
    let outcome =
        if decision.steps.is_empty() && decision.head.is_none() { Outcome::Ignored } else { Outcome::Handled };
    tx.finish_delivery(delivery, outcome, Some(&decision.note), now).await?;
    Ok(Done::Finished(tx))
}

/// From this size on, reading a body takes long enough to hold up the other requests and steps of its thread.
const LARGE_BYTES: usize = 256 * 1024;

/// Runs what reads a body of so many bytes: a large one on a thread for blocking work.
pub async fn parse_apart<T: Send + 'static>(bytes: usize, read: impl FnOnce() -> T + Send + 'static) -> T {
    if bytes < LARGE_BYTES {
        return read();
    }
    match tokio::task::spawn_blocking(read).await {
        Ok(result) => result,
        // Only a panic ends it early, as the task is never cancelled: let it go on as if it had not been sent away.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Whether the owner of an account has just allowed the App more, or something else.
fn grants_permissions(event: &Event) -> bool {
    event.kind == EventKind::Installation && event.action.as_deref() == Some("new_permissions_accepted")
}

/// What an event asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// The steps to take.
    pub steps: Vec<Step>,
    /// The default branch's new head, where the event alone proves it.
    pub head: Option<Head>,
    /// Whether everything tracked is the same at that head.
    pub indexed: bool,
    /// What a person asks for in a comment, to be stored before it is obeyed.
    pub comment: Option<Comment>,
    /// The commit whose subscription file is to be examined, to be stored before that is done.
    pub examination: Option<Asked>,
    /// Why, in a few words.
    pub note: String,
}

impl Decision {
    fn nothing(note: &str) -> Self {
        Self { note: note.into(), ..Self::default() }
    }

    fn look(step: Step, note: &str) -> Self {
        Self { steps: vec![step], note: note.into(), ..Self::default() }
    }
}

/// Which steps an event asks for, given what is known. Pure.
pub fn steps_for(event: &Event, known: Option<&KnownRepository>) -> Decision {
    if let (Some(installation), Some(known)) = (event.installation, known)
        && installation != known.row.repository.installation
    {
        // It was transferred, or the event is from before that: the installation's list knows.
        let note = "the repository is another installation's than we know";
        return Decision::look(Step::SyncInstallation { installation }, note);
    }
    match &event.kind {
        EventKind::Ping | EventKind::Other { .. } => Decision::nothing("nothing to do"),
        EventKind::Installation | EventKind::InstallationRepositories => match event.installation {
            Some(installation) => {
                Decision::look(Step::SyncInstallation { installation }, "the installation may have changed")
            }
            None => Decision::nothing("it names no installation"),
        },
        EventKind::Repository { name } => match (event.repo, event.installation) {
            (Some(repo), _) if known.is_some() => Decision::look(
                Step::SyncRepository { repo, details: true, name: Some(name.clone()) },
                "the repository may have changed",
            ),
            (_, Some(installation)) => {
                Decision::look(Step::SyncInstallation { installation }, "a repository that is not known yet")
            }
            _ => Decision::nothing("it names no installation"),
        },
        EventKind::Push(push) => match (known, event.installation) {
            (Some(known), _) => steps_for_push(push, known),
            (None, Some(installation)) => {
                Decision::look(Step::SyncInstallation { installation }, "a push to a repository that is not known yet")
            }
            (None, None) => Decision::nothing("a push to a repository that is not known, without an installation"),
        },
        EventKind::PullRequest(pull) => match (event.repo, known.and_then(|known| known.proposal.as_ref())) {
            // Where the branch was held, our own commit at its head is news.
            (Some(_), Some(proposal)) if is_known(pull, proposal) && known.is_some_and(|known| !known.is_held) => {
                Decision::nothing("our pull request is as we know it")
            }
            (Some(repo), Some(_)) => {
                Decision::look(Step::Follow { repo, number: pull.number }, "one of our pull requests may have changed")
            }
            (Some(_), None)
                if known.and_then(|known| known.onboarding.as_ref()).is_some_and(|one| is_as_known(pull, one)) =>
            {
                Decision::nothing("our pull request that adds the file is as we know it")
            }
            (Some(repo), None) if known.is_some_and(|known| known.onboarding.is_some()) => {
                Decision::look(Step::Onboard { repo }, "our pull request that adds the file may have changed")
            }
            (Some(_), None) => known.map_or_else(
                || Decision::nothing("a pull request of a repository that is not known"),
                |known| examination::of_pull(event.action.as_deref(), pull, known),
            ),
            (None, _) => Decision::nothing("not one of our pull requests"),
        },
        EventKind::Rerequested { head_sha } => match known {
            Some(known) => examination::again(known.row.repository.id, head_sha),
            None => Decision::nothing("a check of a repository that is not known"),
        },
        EventKind::Comment(comment) => match (event.repo, known.and_then(|known| known.proposal.as_ref())) {
            (Some(repo), Some(_)) => steps_for_comment(repo, comment),
            (Some(repo), None) if known.is_some_and(|known| known.onboarding.is_some()) => {
                steps_for_comment(repo, comment)
            }
            _ => Decision::nothing("not a command on one of our pull requests"),
        },
        EventKind::Verdict { .. } => match (event.repo, known) {
            (Some(repo), Some(known)) if !known.pulls_at_head.is_empty() => Decision {
                steps: known.pulls_at_head.iter().map(|&number| Step::Merge { repo, number }).collect(),
                note: "a check or status of one of our pull requests changed".into(),
                ..Decision::default()
            },
            _ => Decision::nothing("not a check or status of one of our pull requests"),
        },
        EventKind::Reconsidered { number } => match (event.repo, known.and_then(|known| known.proposal.as_ref())) {
            (Some(repo), Some(proposal)) if proposal.state == ProposalState::Open => Decision::look(
                Step::Merge { repo, number: *number },
                "people may think otherwise of one of our pull requests",
            ),
            _ => Decision::nothing("not one of our open pull requests"),
        },
        EventKind::CheckRun { .. } => match (event.repo, known) {
            (Some(repo), Some(known)) if !known.pulls_at_head.is_empty() => Decision {
                steps: known.pulls_at_head.iter().map(|&number| Step::Checks { repo, number }).collect(),
                note: "a check of one of our pull requests changed".into(),
                ..Decision::default()
            },
            _ => Decision::nothing("not a check of one of our pull requests"),
        },
    }
}

fn steps_for_comment(repo: RepoId, facts: &CommentFacts) -> Decision {
    let commands = commands::read(&facts.body);
    if commands.is_empty() {
        return Decision::nothing("it gives no command");
    }
    let CommentFacts { id, pull, author, at, .. } = facts;
    let comment = Comment { id: *id, repo, pull: *pull, author: author.clone(), commands, at: *at };
    Decision {
        steps: vec![Step::Obey { repo, comment: *id }],
        comment: Some(comment),
        note: "a command".into(),
        ..Decision::default()
    }
}

/// Whether an event tells of a pull request just what we know: open, with our commit at its head.
fn is_known(pull: &PullFacts, proposal: &Proposal) -> bool {
    let head = proposal.pull.as_ref().map(|known| &known.head);
    pull.status == PullStatus::Open && proposal.state == ProposalState::Open && head == Some(&pull.head_sha)
}

/// The same for the pull request that adds the file.
fn is_as_known(pull: &PullFacts, onboarding: &Onboarding) -> bool {
    let head = onboarding.pull.as_ref().map(|known| &known.head);
    pull.status == PullStatus::Open && onboarding.state == OnboardingState::Open && head == Some(&pull.head_sha)
}

fn steps_for_push(push: &Push, known: &KnownRepository) -> Decision {
    let repo = known.row.repository.id;
    let sync = |details, note: &str| {
        let name = Some(push.repository.name.clone()).filter(|name| *name != known.row.repository.name);
        Decision::look(Step::SyncRepository { repo, details: details || name.is_some(), name }, note)
    };
    if push.deleted || !push.is_default_branch {
        return examination::of_push(push, known);
    }
    if facts_differ(&push.repository, &known.row.repository) {
        return sync(true, "the repository's details are not those we know");
    }
    if known.row.repository.fork && known.row.synced_at.is_some() {
        return Decision::nothing(super::sync::FORK);
    }
    let ChangedPaths::Known(changed) = &push.changed else {
        return sync(false, "the push does not tell all it changed");
    };
    let touches_file = examination::names_file(changed);
    let Some(head) = &known.row.head else { return sync(false, "the repository's head is not known yet") };
    if head.commit == push.after {
        return Decision::nothing("that commit is known already");
    }
    if push.pushed_at.zip(known.row.pushed_at).is_some_and(|(told, known)| told < known) {
        // It fits the head we know all the same where somebody went back to that by force.
        return sync(false, "a later push is known");
    }
    if head.commit != push.before {
        return sync(false, "the push is not on top of the head we know");
    }
    let Some(tree) = &push.tree else { return sync(false, "the push does not name its tree") };
    if touches_file {
        return sync(false, "the subscription file changed");
    }
    if examination::names_organisations(changed, known) {
        return sync(false, "what the organisation asks for changed");
    }
    let head = Head { commit: push.after.clone(), tree: tree.clone() };
    // Its head is kept up to date all the same: a push that never came, and may have brought a file, shows at the next.
    if known.row.config.state == ConfigState::None && known.row.synced_at.is_some() {
        if known.may_be_onboarded && brings_manifests(push) {
            let note = "a repository without a subscription file, which its organisation asks for, has new manifests";
            return Decision { head: Some(head), ..Decision::look(Step::Onboard { repo }, note) };
        }
        let note = "the repository has no subscription file".into();
        return Decision { head: Some(head), note, ..Decision::default() };
    }
    let touches_manifests = changed.iter().any(|path| {
        // What a lock file says does not matter, only that it is there: one that is known is left unread.
        let is_new_lock_file = |path: &RepoPath| managers::is_lock_file(path) && !known.lock_files.contains(path);
        known.tracked.contains(path)
            || RepoPath::parse(path).is_ok_and(|path| managers::may_be_manifest(&path) || is_new_lock_file(&path))
    });
    if touches_manifests {
        let note = "manifests changed".into();
        return Decision { steps: vec![Step::Index { repo }], head: Some(head), note, ..Decision::default() };
    }
    // What was not indexed before is not indexed now either.
    let indexed = known.row.indexed_commit.as_ref() == Some(&push.before);
    let steps = if indexed { Vec::new() } else { vec![Step::Index { repo }] };
    Decision { steps, head: Some(head), indexed, note: "nothing we track changed".into(), ..Decision::default() }
}

/// Whether a payload's repository differs from the stored one in what decides where we write.
fn facts_differ(told: &RepoFacts, known: &Repository) -> bool {
    told.name != known.name || told.default_branch != known.default_branch || told.state != known.state
}
