//! What becomes of the pull request: people merge, close or reopen it; the file comes by other hands, or the organisation does
//! not ask for it any more, and then the bot lets it go with a word.

use super::Case;
use super::before::{ask_anew, went_elsewhere};
use crate::domain::{Onboarding, OnboardingState, PullNumber, RepoState};
use crate::forge::{ForgeError, PullState, PullStatus};
use crate::pipeline::execute::{TRIES_MAX, look_again};
use crate::pipeline::follow::is_final;
use crate::pipeline::line::{self, Admission};
use crate::pipeline::retire::{CLOCKS_DIFFER, Retired, Retiring, WRITES_TO_RETIRE, retire_pull};
use crate::pipeline::{Done, Step, StepError, finished, target};
use crate::store::ConfigState;

/// Looks at the pull request, and lets it go where it is not wanted any more.
pub(super) async fn follow(case: &Case<'_>, onboarding: Onboarding) -> Result<Done, StepError> {
    let Some(pull) = onboarding.pull.as_ref().filter(|_| case.row.repository.state == RepoState::Active) else {
        return finished(case.store).await;
    };
    let found = match case.forge.pull(&target(case.row), pull.number).await {
        Ok(found) => found,
        Err(error @ (ForgeError::Gone { .. } | ForgeError::Moved { .. })) => {
            return not_there(case, onboarding, error).await;
        }
        Err(error) => return Err(error.into()),
    };
    let is_elsewhere = went_elsewhere(case, &onboarding, &found);
    if is_elsewhere && found.status == PullStatus::Merged {
        return ask_anew(case, &onboarding).await;
    }
    if let Some(amended) = after(&onboarding, &found) {
        tracing::info!(repository = %case.row.repository.name, pull = %found.number, state = amended.state.as_str(), "the pull request that adds a subscription file has changed");
        let mut tx = case.tx().await?;
        tx.save_onboarding(&Onboarding { updated_at: case.now, ..amended }).await?;
        // One that was reopened may be unwanted by now.
        if found.status == PullStatus::Open {
            Step::Onboard { repo: onboarding.repo }.queue(&mut tx, Some(case.installation()), case.now).await?;
        }
        return Ok(Done::Finished(tx));
    }
    // The organisation may have thought better of it before anything was closed, or a person brings it back.
    let is_withdrawn = onboarding.state == OnboardingState::Withdrawn && found.status == PullStatus::Open;
    if is_withdrawn && case.wish.is_some() && unwanted(case, is_elsewhere).is_none() {
        let (state, reason) = (OnboardingState::Open, open_reason(found.number));
        let mut tx = case.tx().await?;
        let wanted = Onboarding { state, reason, farewell: None, updated_at: case.now, ..onboarding };
        tx.save_onboarding(&wanted).await?;
        return Ok(Done::Finished(tx));
    }
    if let Some(words) = &onboarding.farewell {
        // Our turn to close it may come late. Whoever did that before our words stood there meant it, and is not asked anew.
        let since = onboarding.updated_at - CLOCKS_DIFFER;
        if is_elsewhere
            && found.status == PullStatus::Closed
            && !case.forge.commented_since(&target(case.row), (found.number, since), words).await?
        {
            let (state, reason) = (OnboardingState::Closed, closed_reason(found.number));
            let mut tx = case.tx().await?;
            let closed = Onboarding { state, reason, farewell: None, updated_at: case.now, ..onboarding };
            tx.save_onboarding(&closed).await?;
            return Ok(Done::Finished(tx));
        }
        return let_go(case, onboarding, is_elsewhere).await;
    }
    let is_open = onboarding.state == OnboardingState::Open;
    let is_renamed = onboarding.base_branch.as_ref() != Some(&found.base_branch)
        && case.row.repository.default_branch.as_ref() == Some(&found.base_branch);
    match unwanted(case, is_elsewhere).filter(|_| is_open) {
        None if is_open && is_renamed => {
            // GitHub takes it along where the branch is renamed.
            let mut tx = case.tx().await?;
            tx.save_onboarding(&Onboarding { base_branch: Some(found.base_branch), ..onboarding }).await?;
            Ok(Done::Finished(tx))
        }
        None => finished(case.store).await,
        Some(why) => {
            let farewell = Some(format!("Closed: {why}."));
            let state = OnboardingState::Withdrawn;
            let withdrawn = Onboarding { state, reason: why, farewell, updated_at: case.now, ..onboarding };
            // Before anything is closed: whoever hears of it then knows that it was us.
            let mut tx = case.tx().await?;
            tx.save_onboarding(&withdrawn).await?;
            tx.commit().await?;
            let_go(case, withdrawn, is_elsewhere).await
        }
    }
}

/// The pull request is not where we look for it. The repository may be elsewhere, or not ours to see any more: it is read, and then
/// this step looks again. What is missing from a repository that is there will not come back.
async fn not_there(case: &Case<'_>, onboarding: Onboarding, error: ForgeError) -> Result<Done, StepError> {
    let work = &case.writing.lease.work;
    let is_open = onboarding.state == OnboardingState::Open;
    let is_under_way = is_open || onboarding.farewell.is_some();
    let is_read = case.row.synced_at.is_some_and(|at| at >= work.created_at) && work.refusals > 0;
    if is_under_way && is_read && matches!(error, ForgeError::Gone { .. }) {
        let over = Onboarding { farewell: None, updated_at: case.now, ..onboarding };
        let over = match over.pull.as_ref().filter(|_| is_open) {
            Some(pull) => {
                let reason = format!("GitHub does not show pull request #{} any more; {NOT_AGAIN}", pull.number);
                Onboarding { state: OnboardingState::Closed, reason, ..over }
            }
            None => over,
        };
        let mut tx = case.tx().await?;
        tx.save_onboarding(&over).await?;
        return Ok(Done::Finished(tx));
    }
    if is_under_way && work.refusals + 1 >= TRIES_MAX {
        return Err(error.into());
    }
    if is_under_way {
        return look_again(case.store, case.row, &error, case.now).await;
    }
    let mut tx = case.tx().await?;
    let look = Step::SyncRepository { repo: onboarding.repo, details: true, name: None };
    look.queue(&mut tx, Some(case.installation()), case.now).await?;
    Ok(Done::Finished(tx))
}

/// What follows from a closed pull request.
const NOT_AGAIN: &str = "this repository is not asked again";

/// The onboarding after its pull request was looked at; `None` if nothing changed. Pure.
fn after(onboarding: &Onboarding, pull: &PullState) -> Option<Onboarding> {
    let number = pull.number;
    let (state, reason) = match (pull.status, onboarding.state) {
        (PullStatus::Merged, _) => {
            (OnboardingState::Merged, format!("pull request #{number}, which added the file, was merged"))
        }
        (PullStatus::Closed, OnboardingState::Open) => (OnboardingState::Closed, closed_reason(number)),
        (PullStatus::Open, OnboardingState::Closed) => (OnboardingState::Open, open_reason(number)),
        // We closed it ourselves, or are about to, or let people have it.
        (PullStatus::Closed | PullStatus::Open, _) => return None,
    };
    let farewell = None;
    (state != onboarding.state).then(|| Onboarding { state, reason, farewell, ..onboarding.clone() })
}

fn open_reason(number: PullNumber) -> String {
    format!("pull request #{number} adds the file")
}

fn closed_reason(number: PullNumber) -> String {
    format!("a person closed pull request #{number}, which adds the file; {NOT_AGAIN}")
}

/// Why an open pull request is not wanted any more, if it is not. Pure.
fn unwanted(case: &Case<'_>, is_elsewhere: bool) -> Option<String> {
    if case.row.config.state != ConfigState::None {
        return Some("the file was added by other hands".into());
    }
    if is_elsewhere {
        return Some("the default branch is another one now".into());
    }
    // Where nobody can read what the organisation asks for, what was begun goes on.
    let wish = case.wish?;
    (!wish.asks(&case.row.repository.name)).then(|| "the organisation does not ask for it any more".into())
}

/// Says why, closes the pull request and removes its branch, one write at a time where writes are paced. One that people have
/// committed to is theirs, and stays. Where it went to another branch than the default one is now, it is asked anew.
async fn let_go(case: &Case<'_>, onboarding: Onboarding, is_elsewhere: bool) -> Result<Done, StepError> {
    let (lease, pace, clock) = (case.writing.lease, case.writing.pace, case.writing.clock);
    let (Some(pull), Some(words)) = (&onboarding.pull, &onboarding.farewell) else { return finished(case.store).await };
    let turn = match line::admit(case.store, lease, (case.installation(), WRITES_TO_RETIRE), case.now, pace).await? {
        Admission::Now(turn) => turn,
        Admission::Later(done) => return Ok(done),
    };
    let theirs = format!(
        "mass-driver would close this pull request: {}. People have taken it over, so it stays open and is left to you.",
        onboarding.reason
    );
    let how = Retiring {
        words: Some(words),
        theirs: Some(&theirs),
        elsewhere: Some(words),
        is_shared: false,
        base: case.row.repository.default_branch.as_deref(),
        opened_for: onboarding.base_branch.as_deref(),
        said_since: (lease.work.claims > 1).then(|| lease.work.created_at - CLOCKS_DIFFER),
        one_write: turn.is_some(),
    };
    match (retire_pull(case.forge, &target(case.row), &onboarding.branch, pull, how).await, turn) {
        (Ok(Retired::InPart), Some(turn)) => {
            return Ok(line::after_write(case.store, lease, &turn, clock.now(), pace).await?);
        }
        (Ok(Retired::Wholly), _) if is_elsewhere => return ask_anew(case, &onboarding).await,
        (Ok(_), _) => {}
        (Err(error), _) if is_final(&error) => {
            tracing::warn!(repository = %case.row.repository.name, pull = %pull.number, %error, "a pull request that adds a subscription file could not be closed");
        }
        (Err(error), _) => return Err(error.into()),
    }
    let mut tx = case.tx().await?;
    tx.save_onboarding(&Onboarding { farewell: None, updated_at: clock.now(), ..onboarding }).await?;
    Ok(Done::Finished(tx))
}
