//! Makes a pull request out of a proposal whose time has come.
//!
//! What is about to be sent is written down before the first request, as an *attempt*: base, branch, files, words. From
//! then on, and until the outcome is known, the plan leaves the proposal alone, and a repeat sends the very same
//! change: it recognises by the branch's name and the commit's parent and tree what was made before, and adopts it. If
//! the world has moved on in the meantime, the repeat takes back what it finds (a branch; a pull request is kept and
//! followed) and everything is planned anew. So a proposal never has two branches or two pull requests, and none is
//! forgotten, wherever a process is killed and whatever happens before the next one.

use super::edits::{digests, edited};
use super::{Done, Step, StepError, finished, guard, plan, sync, target};
use crate::domain::{Change, Proposal, ProposalId, ProposalState, PullRequest, RepoId, RepoState, Verdict};
use crate::forge::{ForgeError, GitHub, Proposed, PullStatus};
use crate::planner::prose;
use crate::registries::Registries;
use crate::store::{Claimed, RepositoryRow, Store};
use crate::subscription::SubscriptionFile;
use jiff::{SignedDuration, Timestamp};

/// How often a proposal is tried while the repository is not as we know it, before it counts as failed.
const TRIES_MAX: u32 = 5;
/// How long to wait for the repository to be read again.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// What everybody here needs to know of the proposal at hand.
struct Case<'a> {
    row: &'a RepositoryRow,
    proposal: Proposal,
    /// All proposals of the repository.
    all: &'a [Proposal],
    lease: &'a Claimed,
    now: Timestamp,
}

/// Whether a proposal may be sent now, and as what.
enum Intent {
    Send(Change),
    /// Its time has not come.
    Early,
    /// The facts it was planned with do not hold any more.
    PlanAgain,
    /// It cannot be made.
    Impossible(String),
}

/// Opens the pull request of one proposal, unless something speaks against it now.
pub async fn execute(
    store: &Store,
    forge: &GitHub,
    registries: &Registries,
    (repo, id): (RepoId, &ProposalId),
    lease: &Claimed,
    now: Timestamp,
) -> Result<Done, StepError> {
    let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal(id).await?) else {
        return finished(store).await;
    };
    // The plan has its words for this, and asks again when it changes.
    if row.repository.state != RepoState::Active || proposal.state != ProposalState::Waiting {
        return finished(store).await;
    }
    let all = store.proposals(repo).await?;
    let begun = store.attempt(id).await?;
    let case = Case { row: &row, proposal, all: &all, lease, now };
    let intent = intent(store, registries, &case).await?;
    match (begun, intent) {
        (None, Intent::Send(change)) => {
            let mut tx = store.begin().await?;
            tx.still_ours(lease).await?;
            tx.begin_attempt((repo, id), &change, now).await?;
            tx.commit().await?;
            send(store, forge, case, &change, false).await
        }
        (Some(begun), Intent::Send(change))
            if same(&begun, &change) && plan::still_wants(store, &row, &case.proposal, now).await? =>
        {
            send(store, forge, case, &begun, true).await
        }
        (Some(begun), _) => take_back(store, forge, case, &begun).await,
        (None, Intent::Early) => {
            let (tx, until) = (store.begin().await?, case.proposal.due_at);
            Ok(Done::PutBack { tx, until, why: case.proposal.reason })
        }
        (None, Intent::PlanAgain) => plan_again(store, &row, now).await,
        (None, Intent::Impossible(why)) => fail(store, case, &why).await,
    }
}

/// The same files on the same base under the same name; words may differ.
fn same(one: &Change, other: &Change) -> bool {
    (&one.base, &one.base_branch, &one.branch, &one.files)
        == (&other.base, &other.base_branch, &other.branch, &other.files)
}

/// What would be sent now. Head, tree and manifests are one snapshot: the head is one whose manifests are all indexed.
async fn intent(store: &Store, registries: &Registries, case: &Case<'_>) -> Result<Intent, StepError> {
    let Case { row, proposal, all, now, .. } = case;
    let file = sync::file_in_force(&row.config)?;
    let base = row.head.clone().filter(|head| row.indexed_commit.as_ref() == Some(&head.commit));
    let (Some(file), Some(base), Some(base_branch)) = (file, base, row.repository.default_branch.clone()) else {
        return Ok(Intent::PlanAgain);
    };
    if proposal.due_at > *now {
        return Ok(Intent::Early);
    }
    let attempted = store.attempted(proposal.repo).await?;
    let taken = guard::places(all, &attempted, &proposal.group);
    if guard::verdict(&proposal.updates, &taken, &file) != Verdict::Go {
        return Ok(Intent::PlanAgain);
    }
    let digests = match digests(registries, &proposal.updates).await {
        Ok(digests) => digests,
        Err(error) if !error.may_pass() => return Ok(Intent::Impossible(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let manifests = store.manifests(proposal.repo).await?;
    Ok(match edited(&manifests, &proposal.updates, &digests) {
        Ok(files) => {
            let (message, body) = words(row, proposal, &file);
            let (branch, title) = (proposal.branch.clone(), proposal.title.clone());
            Intent::Send(Change { base, base_branch, branch, files, message, title, body })
        }
        Err(why) => Intent::Impossible(why),
    })
}

/// The commit's message and the pull request's text. Pure.
fn words(row: &RepositoryRow, proposal: &Proposal, file: &SubscriptionFile) -> (String, String) {
    let delay = guard::subscription_of(&proposal.updates, file).map_or_else(|| "immediate".into(), |s| s.delay.kind());
    let occasion = prose::Occasion {
        timezone: &file.timezone,
        delay: &delay,
        file: row.config.path.as_ref().map_or(".mass-driver.yaml", |path| path.as_str()),
    };
    (prose::commit_message(&proposal.title, &proposal.updates), prose::body(&proposal.updates, &occasion))
}

/// Sends a change that was written down. `repeated` says that it was begun before and may have got any distance.
async fn send(
    store: &Store,
    forge: &GitHub,
    case: Case<'_>,
    change: &Change,
    repeated: bool,
) -> Result<Done, StepError> {
    match forge.propose(&target(case.row), change, repeated).await {
        Ok(proposed) => opened(store, case, proposed).await,
        Err(ForgeError::Conflict { pull: Some(number), .. }) if repeated => {
            let proposed = taken_over(change, number, &case.row.repository.web_url);
            opened(store, case, proposed).await
        }
        // The branch's name is taken by something that is not ours: leave it alone and use another.
        Err(ForgeError::Conflict { .. }) if !case.proposal.branch.ends_with(&suffix(&case.proposal.id)) => {
            let mut proposal = case.proposal;
            proposal.branch = format!("{}-{}", proposal.branch, suffix(&proposal.id));
            let mut tx = store.begin().await?;
            tx.save_proposal(&proposal).await?;
            tx.end_attempt(&proposal.id).await?;
            Ok(Done::PutBack { tx, until: case.now, why: "its branch's name was taken".into() })
        }
        Err(error) if is_elsewhere(&error) && case.lease.work.attempts < TRIES_MAX => {
            read_again(store, &case, &error).await
        }
        Err(error) if is_elsewhere(&error) || is_refusal(&error) => {
            if let Err(left) = forge.withdraw(&target(case.row), change).await {
                tracing::warn!(repository = %case.row.repository.name, branch = change.branch, error = %left, "what was begun could not be taken back");
            }
            fail(store, case, &error.to_string()).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Ends an attempt whose change is not what is wanted now: a pull request is kept and followed, for a newer one to take
/// its place; a branch is deleted.
async fn take_back(store: &Store, forge: &GitHub, case: Case<'_>, begun: &Change) -> Result<Done, StepError> {
    match forge.withdraw(&target(case.row), begun).await {
        Ok(Some(proposed)) => opened(store, case, proposed).await,
        Ok(None) => {
            let mut tx = store.begin().await?;
            tx.end_attempt(&case.proposal.id).await?;
            tx.record(&case.proposal.id, case.now, "taken back", "the repository changed while it was sent").await?;
            Step::Plan { repo: case.proposal.repo }.queue(&mut tx, installation(case.row), case.now).await?;
            Ok(Done::Finished(tx))
        }
        Err(ForgeError::Conflict { pull: Some(number), .. }) => {
            let proposed = taken_over(begun, number, &case.row.repository.web_url);
            opened(store, case, proposed).await
        }
        Err(error) if is_elsewhere(&error) && case.lease.work.attempts < TRIES_MAX => {
            read_again(store, &case, &error).await
        }
        Err(error) if is_elsewhere(&error) || is_refusal(&error) => fail(store, case, &error.to_string()).await,
        Err(error) => Err(error.into()),
    }
}

/// Our pull request, on which a person put commits before we saw that it exists. With the base as the head that we left
/// there, it never looks untouched, so it is never closed or deleted over their heads.
fn taken_over(change: &Change, number: crate::domain::PullNumber, repository_url: &str) -> Proposed {
    let url = format!("{repository_url}/pull/{number}");
    let pull = PullRequest { number, url, head: change.base.commit.clone() };
    Proposed { pull, adopted: true, status: PullStatus::Open }
}

/// The repository, or its head, is not where we think it is.
fn is_elsewhere(error: &ForgeError) -> bool {
    matches!(
        error,
        ForgeError::StaleBase { .. }
            | ForgeError::Gone { .. }
            | ForgeError::Moved { .. }
            | ForgeError::Archived { .. }
            | ForgeError::Empty { .. }
    )
}

/// GitHub says no to this very change, and would say so again.
fn is_refusal(error: &ForgeError) -> bool {
    matches!(
        error,
        ForgeError::Conflict { .. }
            | ForgeError::Invalid { .. }
            | ForgeError::Forbidden { .. }
            | ForgeError::NoChange { .. }
            | ForgeError::TooLarge { .. }
    )
}

/// Part of a proposal's id: the random end, since ids made in the same moment begin alike.
fn suffix(id: &ProposalId) -> String {
    let plain: Vec<char> = id.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    plain[plain.len().saturating_sub(8)..].iter().collect()
}

fn installation(row: &RepositoryRow) -> Option<crate::domain::InstallationId> {
    Some(row.repository.installation)
}

async fn plan_again(store: &Store, row: &RepositoryRow, now: Timestamp) -> Result<Done, StepError> {
    let repo = row.repository.id;
    let indexed = row.head.as_ref().map(|head| &head.commit) == row.indexed_commit.as_ref();
    let next = if indexed { Step::Plan { repo } } else { Step::Index { repo } };
    let mut tx = store.begin().await?;
    next.queue(&mut tx, installation(row), now).await?;
    Ok(Done::Finished(tx))
}

/// Has the repository read again, and this step repeated afterwards: as the same row, so that its tries are counted.
async fn read_again(store: &Store, case: &Case<'_>, error: &ForgeError) -> Result<Done, StepError> {
    let step = Step::SyncRepository { repo: case.row.repository.id, details: true, name: None };
    let mut tx = store.begin().await?;
    step.queue(&mut tx, installation(case.row), case.now).await?;
    Ok(Done::PutBack { tx, until: case.now + PAUSE, why: error.to_string() })
}

async fn fail(store: &Store, case: Case<'_>, why: &str) -> Result<Done, StepError> {
    let Case { row, mut proposal, now, .. } = case;
    tracing::warn!(repository = %row.repository.name, proposal = %proposal.id, why, "a pull request could not be made");
    proposal.state = ProposalState::Failed;
    proposal.reason = why.to_string();
    proposal.updated_at = now;
    let mut tx = store.begin().await?;
    tx.save_proposal(&proposal).await?;
    tx.end_attempt(&proposal.id).await?;
    tx.record(&proposal.id, now, "failed", why).await?;
    Step::Plan { repo: proposal.repo }.queue(&mut tx, installation(row), now).await?;
    Ok(Done::Finished(tx))
}

async fn opened(store: &Store, case: Case<'_>, Proposed { pull, status, .. }: Proposed) -> Result<Done, StepError> {
    let Case { row, mut proposal, all, now, .. } = case;
    let installation = installation(row);
    tracing::info!(repository = %row.repository.name, proposal = %proposal.id, pull = %pull.number, "opened a pull request");
    proposal.state = ProposalState::Open;
    proposal.reason = format!("pull request #{} is open", pull.number);
    proposal.opened_at = Some(now);
    proposal.updated_at = now;
    let repo = proposal.repo;
    let mut tx = store.begin().await?;
    for old in all.iter().filter(|p| p.state == ProposalState::Open && p.group == proposal.group && p.id != proposal.id)
    {
        let reason = format!("#{} took its place", pull.number);
        tx.save_proposal(&Proposal { state: ProposalState::Superseded, reason, updated_at: now, ..old.clone() })
            .await?;
        tx.record(&old.id, now, "superseded", &format!("by #{}", pull.number)).await?;
        Step::Retire { repo, proposal: old.id.clone(), by: pull.number }.queue(&mut tx, installation, now).await?;
    }
    if !proposal.labels.is_empty() {
        Step::Label { repo, proposal: proposal.id.clone() }.queue(&mut tx, installation, now).await?;
    }
    if status != PullStatus::Open {
        // An earlier attempt got this far, and a person was faster than our repeat.
        Step::Follow { repo, number: pull.number }.queue(&mut tx, installation, now).await?;
    }
    tx.end_attempt(&proposal.id).await?;
    tx.record(&proposal.id, now, "opened", &format!("#{}", pull.number)).await?;
    proposal.pull = Some(pull);
    tx.save_proposal(&proposal).await?;
    Step::Plan { repo }.queue(&mut tx, installation, now).await?;
    Ok(Done::Finished(tx))
}
