//! What becomes of a pull request after it was opened: people merge or close it, checks run, a newer one takes its place.

use super::line::{self, Admission};
use super::{Done, Step, StepError, Writing, finished, merge, plan, target};
use crate::domain::{Farewell, Proposal, ProposalId, ProposalState, PullNumber, PullRequest, RepoId, RepoState};
use crate::forge::{ForgeError, GitHub, PullState, PullStatus, Target};
use crate::planner::prose;
use crate::registries::Registries;
use crate::store::{DependencyRow, RepositoryRow, Store};
use jiff::{SignedDuration, Timestamp};

/// Looks at one of our pull requests and takes over what happened to it.
pub async fn follow(
    store: &Store,
    forge: &GitHub,
    (repo, number): (RepoId, PullNumber),
    now: Timestamp,
) -> Result<Done, StepError> {
    let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal_by_pull(repo, number).await?)
    else {
        return Ok(Done::Finished(store.begin().await?));
    };
    let status = match forge.pull(&target(&row), number).await {
        Ok(status) => status,
        Err(ForgeError::Gone { .. } | ForgeError::Moved { .. }) => {
            let mut tx = store.begin().await?;
            let look = Step::SyncRepository { repo, details: true, name: None };
            look.queue(&mut tx, Some(row.repository.installation), now).await?;
            return Ok(Done::Finished(tx));
        }
        Err(error) => return Err(error.into()),
    };
    take_over(store, &row, &proposal, &status, now).await
}

/// Takes over what a look at a pull request found.
pub(super) async fn take_over(
    store: &Store,
    row: &RepositoryRow,
    proposal: &Proposal,
    pull: &PullState,
    now: Timestamp,
) -> Result<Done, StepError> {
    let (repo, installation) = (row.repository.id, Some(row.repository.installation));
    let Some((amended, word)) = after(proposal, pull, now) else {
        let mut tx = store.begin().await?;
        if pull.status == PullStatus::Open && merge::is_wished(row, proposal)? {
            Step::Merge { repo, number: pull.number }.queue(&mut tx, installation, now).await?;
        }
        return Ok(Done::Finished(tx));
    };
    let indexed = amended.state != ProposalState::Merged || is_indexed(&amended, &store.dependencies(repo).await?);
    let mut tx = store.begin().await?;
    tx.save_proposal(&amended).await?;
    tx.record(&proposal.id, now, word, &format!("#{}", pull.number)).await?;
    // The push of the merge may be late. A plan made before it is indexed would see the old versions, and propose what
    // lies between them and the merged ones.
    let next = if indexed { Step::Plan { repo } } else { Step::SyncRepository { repo, details: false, name: None } };
    next.queue(&mut tx, installation, now).await?;
    if amended.state == ProposalState::Open && merge::is_wished(row, &amended)? {
        Step::Merge { repo, number: pull.number }.queue(&mut tx, installation, now).await?;
    }
    Ok(Done::Finished(tx))
}

/// Whether none of a proposal's places still has the version it moves from. Pure.
fn is_indexed(merged: &Proposal, dependencies: &[DependencyRow]) -> bool {
    !merged.updates.iter().any(|update| {
        update.sites.iter().any(|site| {
            dependencies.iter().map(|row| &row.dependency).any(|dependency| {
                dependency.package == update.package
                    && dependency.path == site.path
                    && dependency.current.as_deref() == Some(&site.from)
            })
        })
    })
}

/// The proposal after its pull request was looked at, with the ledger's word for it; `None` if nothing changed. Pure.
fn after(proposal: &Proposal, pull: &PullState, now: Timestamp) -> Option<(Proposal, &'static str)> {
    let number = pull.number;
    let (state, reason, word) = match (pull.status, proposal.state) {
        (PullStatus::Merged, _) => (ProposalState::Merged, format!("pull request #{number} was merged"), "merged"),
        // We closed it ourselves, or are about to.
        (PullStatus::Closed, ProposalState::Superseded | ProposalState::Withdrawn) => return None,
        (PullStatus::Closed, _) => (
            ProposalState::Closed,
            format!("a person closed pull request #{number}; these versions are not proposed again"),
            "closed",
        ),
        (PullStatus::Open, ProposalState::Superseded | ProposalState::Withdrawn) => return None,
        (PullStatus::Open, _) => (ProposalState::Open, format!("pull request #{number} is open"), "reopened"),
    };
    (state != proposal.state).then(|| (Proposal { state, reason, updated_at: now, ..proposal.clone() }, word))
}

/// Takes over what the checks say about the head of one of our open pull requests.
pub async fn checks(
    store: &Store,
    forge: &GitHub,
    (repo, number): (RepoId, PullNumber),
    now: Timestamp,
) -> Result<Done, StepError> {
    let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal_by_pull(repo, number).await?)
    else {
        return Ok(Done::Finished(store.begin().await?));
    };
    let Some(pull) = proposal.pull.as_ref().filter(|_| proposal.state == ProposalState::Open) else {
        return Ok(Done::Finished(store.begin().await?));
    };
    let found = match forge.checks(&target(&row), &pull.head).await {
        Ok(found) => found,
        // Not being told what checks say is no harm, and asking again would not help.
        Err(error) if is_final(&error) => {
            tracing::warn!(repository = %row.repository.name, pull = %pull.number, %error, "checks could not be read");
            return finished(store).await;
        }
        Err(error) => return Err(error.into()),
    };
    let mut tx = store.begin().await?;
    if merge::is_wished(&row, &proposal)? {
        Step::Merge { repo, number }.queue(&mut tx, Some(row.repository.installation), now).await?;
    }
    if found != proposal.checks {
        tx.save_proposal(&Proposal { checks: found, updated_at: now, ..proposal }).await?;
    }
    Ok(Done::Finished(tx))
}

/// Puts a proposal's labels on its pull request.
pub async fn label(
    store: &Store,
    forge: &GitHub,
    (repo, id): (RepoId, &ProposalId),
    &Writing { lease, pace, clock }: &Writing<'_>,
) -> Result<Done, StepError> {
    if let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal(id).await?)
        && let Some(pull) = &proposal.pull
        && !proposal.labels.is_empty()
    {
        if row.repository.state == RepoState::Archived {
            return rest(store, &row, Archive::Known, None, clock.now()).await;
        }
        let one = (row.repository.installation, 1);
        if let Admission::Later(done) = line::admit(store, lease, one, clock.now(), pace).await? {
            return Ok(done);
        }
        match forge.add_labels(&target(&row), pull.number, &proposal.labels).await {
            Err(ForgeError::Archived { .. }) if lease.work.refusals < SURPRISES_MAX => {
                return rest(store, &row, Archive::News, None, clock.now()).await;
            }
            // A pull request without labels is better than a step that fails for ever.
            Err(error) if is_final(&error) => {
                tracing::warn!(repository = %row.repository.name, pull = %pull.number, %error, "labels could not be set");
            }
            other => other?,
        }
    }
    Ok(Done::Finished(store.begin().await?))
}

/// A step that rests is looked at this often, in our own rows. It is woken when the repository changes.
const REST: SignedDuration = SignedDuration::from_hours(24);
/// So often GitHub may refuse a write because of an archive of which its own answers know nothing.
pub(super) const SURPRISES_MAX: u32 = 5;
/// The comment, the closing and the branch's removal.
const WRITES_TO_RETIRE: u32 = 3;

/// Closes the pull request of a proposal that a newer one replaced, that is not wanted any more, or whose files have moved on;
/// says why, and takes its branch away. Where writes are paced, each claim sends one of them, and looks again what is left to do.
pub async fn retire(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    (repo, id): (RepoId, &ProposalId),
    farewell: Farewell,
    &Writing { lease, pace, clock }: &Writing<'_>,
) -> Result<Done, StepError> {
    let (Some(row), Some(mut proposal)) = (store.repository(repo).await?, store.proposal(id).await?) else {
        return finished(store).await;
    };
    if let (ProposalState::Open, Farewell::Overtaken, Some(pull)) = (proposal.state, farewell, &proposal.pull)
        && row.repository.state == RepoState::Active
    {
        // Its own merge moves its files on, too, and the news of that may come later than the push.
        let found = match forge.pull(&target(&row), pull.number).await {
            // The next plan asks for it again.
            Err(error) if is_final(&error) => return finished(store).await,
            found => found?,
        };
        let now = clock.now();
        if found.status != PullStatus::Open {
            return take_over(store, &row, &proposal, &found, now).await;
        }
        // It may have waited for long, and what was taken back meanwhile is a pull request again that can be merged.
        if !plan::still_overtaken(store, registries, (repo, id), now).await? {
            return finished(store).await;
        }
        proposal = Proposal { state: ProposalState::Superseded, reason: OVERTAKEN.into(), updated_at: now, ..proposal };
        let mut tx = store.begin().await?;
        tx.still_ours(lease).await?;
        tx.save_proposal(&proposal).await?;
        tx.record(id, now, "superseded", "its files have moved on").await?;
        Step::Plan { repo }.queue(&mut tx, Some(row.repository.installation), now).await?;
        tx.commit().await?;
    }
    let is_over = matches!(proposal.state, ProposalState::Superseded | ProposalState::Withdrawn);
    let Some(pull) = proposal.pull.as_ref().filter(|_| is_over) else {
        return finished(store).await;
    };
    if row.repository.state == RepoState::Archived {
        return rest(store, &row, Archive::Known, Some((proposal, farewell)), clock.now()).await;
    }
    let writes = (row.repository.installation, WRITES_TO_RETIRE);
    let turn = match line::admit(store, lease, writes, clock.now(), pace).await? {
        Admission::Now(turn) => turn,
        Admission::Later(done) => return Ok(done),
    };
    let words = closing_words(&proposal, farewell);
    let how = Retiring { words: words.as_deref(), repeated: lease.work.claims > 1, one_write: turn.is_some() };
    match (retire_pull(forge, &target(&row), &proposal.branch, pull, how).await, turn) {
        (Ok(Retired::InPart), Some(turn)) => {
            return Ok(line::after_write(store, lease, &turn, clock.now(), pace).await?);
        }
        (Ok(_), _) => {}
        (Err(ForgeError::Archived { .. }), _) if lease.work.refusals < SURPRISES_MAX => {
            return rest(store, &row, Archive::News, Some((proposal, farewell)), clock.now()).await;
        }
        // The newer pull request says that it goes further; the older one stays where GitHub keeps us from it.
        (Err(error), _) if is_final(&error) => {
            tracing::warn!(repository = %row.repository.name, pull = %pull.number, %error, "a pull request that is over could not be closed");
        }
        (Err(error), _) => return Err(error.into()),
    }
    let mut tx = store.begin().await?;
    let reason = reason_of(&proposal, farewell);
    if proposal.reason != reason {
        tx.save_proposal(&Proposal { reason, updated_at: clock.now(), ..proposal }).await?;
    }
    Ok(Done::Finished(tx))
}

/// How we know that a repository is archived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Archive {
    /// It is stored.
    Known,
    /// GitHub has just said so.
    News,
}

/// Nothing can be written in an archived repository. The step rests until that changes, and nobody asks GitHub meanwhile.
/// A pull request that stays open by it says so.
///
/// Whoever stores that it is over has the steps go on that rest by then. So the state is held until this one does: it can
/// then not be told of the end before it rests, and miss it.
pub(super) async fn rest(
    store: &Store,
    row: &RepositoryRow,
    archive: Archive,
    left_open: Option<(Proposal, Farewell)>,
    now: Timestamp,
) -> Result<Done, StepError> {
    let repo = row.repository.id;
    let mut tx = store.begin().await?;
    let is_stored = tx.hold_state(repo).await? == Some(RepoState::Archived);
    if archive == Archive::Known && !is_stored {
        // It is over since it was read.
        return Ok(Done::PutOff { tx, until: now, why: None });
    }
    if let Some((proposal, farewell)) = left_open {
        let reason = format!("{}{LEFT_OPEN}", reason_of(&proposal, farewell));
        if proposal.reason != reason {
            tx.record(&proposal.id, now, "left open", "the repository is archived").await?;
            tx.save_proposal(&Proposal { reason, updated_at: now, ..proposal }).await?;
        }
    }
    let (until, why) = (now + REST, "the repository is archived; this goes on when it is not any more".to_owned());
    if is_stored {
        return Ok(Done::PutOff { tx, until, why: Some(why) });
    }
    // We were not told. Should it be over by the time of the look, this goes on, and may be refused once more: that counts.
    let look = Step::SyncRepository { repo, details: true, name: None };
    look.queue(&mut tx, Some(row.repository.installation), now).await?;
    Ok(Done::PutBack { tx, until, why })
}

/// What is added to the reason of one that cannot be closed.
const LEFT_OPEN: &str = "; it stays open as long as the repository is archived";

/// Why a proposal is over.
fn reason_of(proposal: &Proposal, farewell: Farewell) -> String {
    match farewell {
        Farewell::Replaced { by } => superseded_by(by),
        Farewell::Overtaken => OVERTAKEN.into(),
        Farewell::Told | Farewell::NotWanted => proposal.reason.trim_end_matches(LEFT_OPEN).to_string(),
    }
}

/// Why a proposal is superseded.
pub(super) fn superseded_by(by: PullNumber) -> String {
    format!("#{by} took its place")
}

/// The same, of one that has nothing in its place.
const OVERTAKEN: &str = "its files have moved on since it was opened";

/// How a pull request is retired.
#[derive(Clone, Copy)]
struct Retiring<'a> {
    /// What is said on it, if anything.
    words: Option<&'a str>,
    /// Whether an earlier claim may have written the comment.
    repeated: bool,
    /// Stop after one write.
    one_write: bool,
}

#[derive(PartialEq, Eq)]
enum Retired {
    InPart,
    Wholly,
}

async fn retire_pull(
    forge: &GitHub,
    target: &Target,
    branch: &str,
    pull: &PullRequest,
    Retiring { words, repeated, one_write }: Retiring<'_>,
) -> Result<Retired, ForgeError> {
    let found = forge.pull(target, pull.number).await?;
    // A person's commits on the branch make it theirs: it stays open.
    if found.head != pull.head {
        return Ok(Retired::Wholly);
    }
    if found.status == PullStatus::Open {
        let unsaid = match words {
            Some(words) if repeated && forge.commented(target, pull.number, words).await? => None,
            words => words,
        };
        if let Some(words) = unsaid {
            match forge.comment(target, pull.number, words).await {
                // A locked conversation: it is closed without words.
                Err(ForgeError::Forbidden { .. }) => {}
                Ok(()) if one_write => return Ok(Retired::InPart),
                outcome => outcome?,
            }
        }
        forge.close(target, pull.number).await?;
        if one_write {
            return Ok(Retired::InPart);
        }
    }
    forge.delete_branch(target, branch, &pull.head).await?;
    Ok(Retired::Wholly)
}

/// GitHub says no, or has nothing there any more: another attempt would end the same way.
pub(super) fn is_final(error: &ForgeError) -> bool {
    matches!(
        error,
        ForgeError::Invalid { .. }
            | ForgeError::Forbidden { .. }
            | ForgeError::Gone { .. }
            | ForgeError::Moved { .. }
            | ForgeError::Archived { .. }
            | ForgeError::Conflict { .. }
    )
}

/// What is said on a pull request that is closed; nothing where a person was answered already.
fn closing_words(proposal: &Proposal, farewell: Farewell) -> Option<String> {
    match farewell {
        Farewell::Replaced { by } => Some(format!("#{by} goes further than this pull request and takes its place.")),
        Farewell::Overtaken => Some(
            "The files that this pull request changes have moved on: what it was made from does not stand there any \
             more. What is left to update comes in a pull request of its own."
                .into(),
        ),
        Farewell::Told => None,
        Farewell::NotWanted => Some(format!("Closed: {}.", prose::sentence(&reason_of(proposal, farewell)))),
    }
}
