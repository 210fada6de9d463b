//! Reads a repository, writes the file for what is found in it, and stores the change: nothing is sent here.

use super::before::{as_if_never_begun, asked_before, take_over};
use super::{A_DAY_MAX, Case, DAY, Wish, is_acquainted, room_again};
use crate::domain::{Change, Dependency, FileChange, FileMode, Head, Onboarding, OnboardingState, RepoPath};
use crate::forge::ForgeError;
use crate::pipeline::examine::lookups;
use crate::pipeline::execute::{TRIES_MAX, look_again};
use crate::pipeline::plan::foresee::Ahead;
use crate::pipeline::{Done, Step, StepError, finished, index, target};
use crate::planner::onboarding::{Asker, BRANCH, Found, MESSAGE, TITLE, body, file};
use crate::planner::preview::{Place, Preview};
use crate::registries::Registries;
use crate::subscription::{self, FILE_NAMES, SubscriptionFile};
use jiff::Timestamp;

/// Begins the onboarding of a repository, if it is wanted, if the day's number allows it, and if there is anything to be kept
/// up to date in it.
pub(super) async fn begin(case: &Case<'_>, registries: &Registries) -> Result<Done, StepError> {
    let Case { store, row, now, .. } = *case;
    let repo = row.repository.id;
    let (Some(wish), Some(head), Some(base_branch)) =
        (case.wish_for_it(), row.head.as_ref(), row.repository.default_branch.as_ref())
    else {
        return finished(store).await;
    };
    if is_acquainted(store, repo).await? {
        return finished(store).await;
    }
    let begun = store.onboardings_begun(case.installation(), now - DAY, A_DAY_MAX).await?;
    if let Some(until) = room_again(&begun) {
        return another_day(case, until).await;
    }
    let dependencies = match index::dependencies_at(case.forge, &target(row), &head.commit, index::SHARE).await {
        Ok(found) => found,
        Err(error) => return unreadable(case, head, error).await,
    };
    let found = Found::of(&dependencies.0);
    if found.is_empty() {
        return nothing(case, head, "nothing was found that could be kept up to date").await;
    }
    match asked_before(case, BRANCH).await {
        Ok(None) => {}
        Ok(Some(before)) => return take_over(case, row_of(case, head), before, &head.commit).await,
        // Who may not look may not ask either, and that is said where it is tried.
        Err(ForgeError::Forbidden { .. }) => {}
        Err(error) => return unreadable(case, head, error).await,
    }
    let change = written(case, registries, (wish, &found), dependencies, (head, base_branch)).await?;

    let mut tx = case.tx().await?;
    // Those who would begin at the same time stand behind each other here.
    tx.lock_budget(Some(case.installation())).await?;
    let begun = tx.onboardings_begun(case.installation(), now - DAY, A_DAY_MAX).await?;
    if let Some(until) = room_again(&begun) {
        drop(tx);
        return another_day(case, until).await;
    }
    let onboarding = Onboarding {
        state: OnboardingState::Opening,
        reason: "a pull request that adds the file is being made".into(),
        branch: change.branch.clone(),
        base_branch: Some(change.base_branch.clone()),
        ..row_of(case, head)
    };
    tx.save_onboarding(&onboarding).await?;
    tx.begin_onboarding_attempt(repo, &change, case.writing.lease.work.claims).await?;
    // Its writes stand in line with all others; the next claim finds the change.
    Ok(Done::PutOff { tx, until: now, why: None })
}

/// A row of which only the state and its reason are still to be said.
fn row_of(case: &Case<'_>, head: &Head) -> Onboarding {
    Onboarding {
        repo: case.row.repository.id,
        state: OnboardingState::Nothing,
        reason: String::new(),
        branch: String::new(),
        commit: head.commit.clone(),
        base_branch: None,
        pull: case.before.clone(),
        farewell: None,
        begun_at: case.now,
        updated_at: case.now,
    }
}

/// There is nothing to be asked for at this commit.
async fn nothing(case: &Case<'_>, head: &Head, why: &str) -> Result<Done, StepError> {
    let mut tx = case.tx().await?;
    tx.save_onboarding(&Onboarding { reason: why.to_owned(), ..row_of(case, head) }).await?;
    Ok(Done::Finished(tx))
}

/// Enough were asked for today. Whoever has the others looked at comes again by then.
async fn another_day(case: &Case<'_>, until: Timestamp) -> Result<Done, StepError> {
    let installation = case.installation();
    let mut tx = case.tx().await?;
    // Nothing was found here before; now there may be, and it is to be among the others.
    if let Some(onboarding) = case.store.onboarding(case.row.repository.id).await? {
        as_if_never_begun(&mut tx, &onboarding, case.now).await?;
    }
    Step::OnboardAll { installation, more: true }.queue_at(&mut tx, Some(installation), until, case.now).await?;
    Ok(Done::Finished(tx))
}

async fn unreadable(case: &Case<'_>, head: &Head, error: ForgeError) -> Result<Done, StepError> {
    match error {
        ForgeError::TooLarge { .. } => nothing(case, head, "it has too many files to be read").await,
        ForgeError::Gone { .. }
        | ForgeError::StaleBase { .. }
        | ForgeError::Empty { .. }
        | ForgeError::Moved { .. }
        | ForgeError::Archived { .. }
            if case.writing.lease.work.refusals + 1 < TRIES_MAX =>
        {
            look_again(case.store, case.row, &error, case.now).await
        }
        // Until its next push.
        ForgeError::Gone { .. } | ForgeError::StaleBase { .. } | ForgeError::Empty { .. } => {
            nothing(case, head, "its files could not be read").await
        }
        error => Err(error.into()),
    }
}

/// The change that brings the file.
async fn written(
    case: &Case<'_>,
    registries: &Registries,
    (wish, found): (&Wish, &Found),
    (dependencies, unread): (Vec<Dependency>, usize),
    (head, base_branch): (&Head, &str),
) -> Result<Change, StepError> {
    let [name, _] = FILE_NAMES;
    let text = file(found.ecosystems());
    let ours = |what: String| StepError::Corrupt(format!("the file for {}: {what}", case.row.repository.name));
    let parsed: SubscriptionFile =
        subscription::parse(text.as_bytes()).map_err(|problems| ours(format!("{problems:?}")))?;
    let mut ahead = Ahead::load(case.store, case.row, &parsed, Some(dependencies), case.now).await?;
    let unknown = ahead.unknown();
    ahead.learn(lookups::look_up(registries, unknown, (lookups::PATIENCE, case.now)).await);
    let foreseen = ahead.foresee(registries, case.now);
    let preview = Preview {
        path: name,
        place: Place::Proposed,
        file: &parsed,
        plan: &foreseen.plan,
        ready: &foreseen.ready,
        before: None,
        closings: &[],
        unread,
    };
    let path = RepoPath::parse(name).map_err(|error| ours(error.to_string()))?;
    Ok(Change {
        base: head.clone(),
        onto: None,
        base_branch: base_branch.to_owned(),
        branch: BRANCH.to_owned(),
        files: vec![FileChange { path, mode: FileMode::Regular, text }],
        message: MESSAGE.to_owned(),
        title: TITLE.to_owned(),
        body: body(found, &Asker { account: &wish.account, link: &wish.link }, &preview, case.now),
        hashes: Vec::new(),
        draft: false,
    })
}
