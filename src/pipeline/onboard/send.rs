//! Sends the change that was written down, or takes it back, a write at a time where writes are paced.
//!
//! As with every other change, a claim that ends in good order says so; after any other the next one looks what is there.

use super::Case;
use super::before::{as_if_never_begun, asked_before, take_over};
use crate::domain::{Change, Onboarding, OnboardingState, Progress, RepoId, RepoState, Turn};
use crate::forge::{Advance, ForgeError, Proposed, PullStatus, Retreat};
use crate::pipeline::execute::{TRIES_MAX, WRITES, is_elsewhere, is_refusal, look_again};
use crate::pipeline::line::{self, Admission};
use crate::pipeline::{Done, Step, StepError, Writing, finished, target};
use crate::planner::onboarding::BRANCH;
use crate::store::Attempt;

/// The tree, where nobody knows it, and the removal of the branch.
const WRITES_TO_TAKE_BACK: u32 = 2;

/// Goes on with an onboarding whose pull request is being made.
pub(super) async fn go_on(case: &Case<'_>, onboarding: Onboarding) -> Result<Done, StepError> {
    if case.row.repository.state != RepoState::Active {
        // It goes on when that changes.
        return finished(case.store).await;
    }
    let Some(begun) = case.store.onboarding_attempt(onboarding.repo).await? else {
        return forget(case, &onboarding).await;
    };
    let is_unsent = begun.orderly_claim.is_some() && begun.progress.is_start();
    let is_wanted = begun.progress.refused.is_none() && case.wish_for_it().is_some();
    let head = case.row.head.as_ref().map(|head| &head.commit);
    let goes_to_default = case.row.repository.default_branch.as_ref() == Some(&begun.change.base_branch);
    // The commit it stands on may be gone; what was not sent can be made anew for the present one. To a branch that is known not
    // to be the default one any more nothing more is sent.
    let is_behind = head != Some(&begun.change.base.commit);
    let is_outdated = !goes_to_default || is_behind && (is_unsent || case.writing.lease.work.refusals > 0);
    if is_unsent && (!is_wanted || is_outdated) {
        return forget(case, &onboarding).await;
    }
    let takes_back = !is_wanted || is_outdated;
    let writes = if takes_back { WRITES_TO_TAKE_BACK } else { WRITES };
    let turn =
        match line::admit(case.store, case.writing.lease, (case.installation(), writes), case.now, case.writing.pace)
            .await?
        {
            Admission::Now(turn) => turn,
            Admission::Later(done) => return Ok(done),
        };
    let mut tx = case.tx().await?;
    // From here on something may be under way.
    tx.save_onboarding_progress(onboarding.repo, &begun.progress, None).await?;
    tx.commit().await?;
    if takes_back { take_back(case, onboarding, begun, turn).await } else { send(case, onboarding, begun, turn).await }
}

/// Nothing of it was sent, or nothing is left of it: as if it had never been begun. It may be begun anew at once.
async fn forget(case: &Case<'_>, onboarding: &Onboarding) -> Result<Done, StepError> {
    let mut tx = case.tx().await?;
    as_if_never_begun(&mut tx, onboarding, case.now).await?;
    if case.wish_for_it().is_some() {
        return Ok(Done::PutOff { tx, until: case.now, why: None });
    }
    Ok(Done::Finished(tx))
}

async fn send(
    case: &Case<'_>,
    onboarding: Onboarding,
    Attempt { change, progress, orderly_claim, .. }: Attempt,
    turn: Option<Turn>,
) -> Result<Done, StepError> {
    let (to, look) = (target(case.row), orderly_claim.is_none());
    let before = if look { asked_before(case, &change.branch).await } else { Ok(None) };
    let sent = match (before, turn) {
        (Ok(Some(before)), _) => return take_over(case, onboarding, before, &change.base.commit).await,
        (Err(error), _) => Err(error),
        (Ok(None), None) => case.forge.propose(&to, &change, look || !progress.is_start()).await.map(Advance::Arrived),
        (Ok(None), Some(_)) if look => case.forge.take_up(&to, &change).await,
        (Ok(None), Some(_)) => case.forge.advance(&to, &change, &progress).await,
    };
    match (sent, turn) {
        (Ok(Advance::Arrived(proposed)), _) => arrived(case, onboarding, proposed).await,
        (Ok(Advance::Further(progress)), turn) => {
            let claim = Some(case.writing.lease.work.claims);
            next_write(case, onboarding.repo, (&progress, claim), turn).await
        }
        // Somebody else has a branch of that name: it is left alone, and another name is taken.
        (Err(error @ ForgeError::Conflict { .. }), _) if change.branch == BRANCH => {
            let branch = format!("{BRANCH}-{}", &change.base.commit.as_str()[..8]);
            let mut tx = case.tx().await?;
            tx.save_onboarding(&Onboarding { branch: branch.clone(), updated_at: case.now, ..onboarding.clone() })
                .await?;
            let change = Change { branch, ..change };
            tx.begin_onboarding_attempt(onboarding.repo, &change, case.writing.lease.work.claims).await?;
            Ok(Done::PutBack { tx, until: case.now, why: error.to_string() })
        }
        (Err(error), _) if is_elsewhere(&error) && case.writing.lease.work.refusals + 1 < TRIES_MAX => {
            look_again(case.store, case.row, &error, case.now).await
        }
        (Err(error), _) if is_elsewhere(&error) || is_refusal(&error) => {
            // Stored before anything is taken back: a repeat must not send it once more.
            let progress = Progress { refused: Some(error.to_string()), ..progress };
            let mut tx = case.tx().await?;
            tx.save_onboarding_progress(onboarding.repo, &progress, None).await?;
            Ok(Done::PutOff { tx, until: case.now, why: None })
        }
        (Err(error), _) => Err(error.into()),
    }
}

async fn take_back(
    case: &Case<'_>,
    onboarding: Onboarding,
    Attempt { change, mut progress, .. }: Attempt,
    turn: Option<Turn>,
) -> Result<Done, StepError> {
    if let Some(before) = asked_before(case, &change.branch).await.or_else(let_be)? {
        return take_over(case, onboarding, before, &change.base.commit).await;
    }
    let error = loop {
        match case.forge.withdraw(&target(case.row), &change, progress.tree.as_ref()).await {
            Ok(Retreat::Recognised(tree)) => progress.tree = Some(tree),
            Ok(Retreat::Kept(proposed)) => return arrived(case, onboarding, proposed).await,
            // A person's pull request from that branch: nothing of ours is there.
            Ok(Retreat::Done) | Err(ForgeError::Conflict { pull: Some(_), .. }) => {
                return match progress.refused {
                    Some(why) => fail(case, onboarding, why).await,
                    None => forget(case, &onboarding).await,
                };
            }
            Err(error) => break error,
        }
        if turn.is_some() {
            // Nothing says how far it got while it was sent: should it be wanted again, somebody has to look.
            return next_write(case, onboarding.repo, (&progress, None), turn).await;
        }
        // The removal comes next, and it must still be ours to decide.
        case.tx().await?.commit().await?;
    };
    match error {
        error
            if is_elsewhere(&error)
                && progress.refused.is_none()
                && case.writing.lease.work.refusals + 1 < TRIES_MAX =>
        {
            look_again(case.store, case.row, &error, case.now).await
        }
        error if is_elsewhere(&error) || is_refusal(&error) => {
            tracing::warn!(repository = %case.row.repository.name, branch = change.branch, %error, "what was begun could not be taken back");
            fail(case, onboarding, progress.refused.unwrap_or_else(|| error.to_string())).await
        }
        error => Err(error.into()),
    }
}

/// What GitHub refuses to say is no reason to leave anything there.
fn let_be<T>(error: ForgeError) -> Result<Option<T>, ForgeError> {
    if is_elsewhere(&error) || is_refusal(&error) { Ok(None) } else { Err(error) }
}

/// Ends a claim after one write.
async fn next_write(
    case: &Case<'_>,
    repo: RepoId,
    (progress, orderly_claim): (&Progress, Option<u32>),
    turn: Option<Turn>,
) -> Result<Done, StepError> {
    let Writing { lease, pace, clock } = *case.writing;
    let mut tx = case.tx().await?;
    tx.save_onboarding_progress(repo, progress, orderly_claim).await?;
    let until = match &turn {
        Some(turn) => line::keep_rest(&mut tx, lease, turn, clock.now(), pace).await?,
        None => clock.now(),
    };
    Ok(Done::PutOff { tx, until, why: None })
}

/// The change stands on GitHub as a pull request.
pub(super) async fn arrived(
    case: &Case<'_>,
    onboarding: Onboarding,
    Proposed { pull, status, adopted, .. }: Proposed,
) -> Result<Done, StepError> {
    let repo = onboarding.repo;
    tracing::info!(repository = %case.row.repository.name, pull = %pull.number, adopted, "opened a pull request that adds a subscription file");
    let mut tx = case.tx().await?;
    tx.end_onboarding_attempt(repo).await?;
    let reason = format!("pull request #{} adds the file", pull.number);
    let open =
        Onboarding { state: OnboardingState::Open, reason, pull: Some(pull), updated_at: case.now, ..onboarding };
    tx.save_onboarding(&open).await?;
    if status != PullStatus::Open || case.wish_for_it().is_none() {
        // An earlier attempt got this far, and people were faster than our repeat.
        Step::Onboard { repo }.queue(&mut tx, Some(case.installation()), case.now).await?;
    }
    Ok(Done::Finished(tx))
}

async fn fail(case: &Case<'_>, onboarding: Onboarding, why: String) -> Result<Done, StepError> {
    tracing::warn!(repository = %case.row.repository.name, why, "a pull request that adds a subscription file could not be made");
    let mut tx = case.tx().await?;
    tx.end_onboarding_attempt(onboarding.repo).await?;
    let reason = format!("the pull request that adds the file could not be made: {why}");
    let failed = Onboarding { state: OnboardingState::Failed, reason, updated_at: case.now, ..onboarding };
    tx.save_onboarding(&failed).await?;
    Ok(Done::Finished(tx))
}
