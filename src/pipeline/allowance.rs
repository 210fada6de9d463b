//! What GitHub allows, around each step that asks it: pauses that any process ran into are kept to, the last requests of
//! the hour are left to writes, and what was heard is stored for the others.

use super::{Done, Step};
use crate::domain::{Heard, InstallationId, Pause, Place, Quota};
use crate::forge::GitHub;
use crate::safeguards::{pauses, quota};
use crate::store::{Budget, Store, StoreError};
use jiff::{SignedDuration, Timestamp};

/// What was heard is stored when requests became fewer by this part of the limit …
const MATERIAL_PERCENT: i64 = 1;
/// … or when it was last stored this long ago.
const STALE: SignedDuration = SignedDuration::from_secs(10);

/// Puts a step off that may not ask GitHub now; `None` lets it go ahead. Asks GitHub nothing.
pub async fn before(
    store: &Store,
    forge: &GitHub,
    step: &Step,
    installation: Option<InstallationId>,
    now: Timestamp,
) -> Result<Option<Done>, StoreError> {
    if !step.asks_github() {
        return Ok(None);
    }
    let mut own = None;
    for budget in store.budgets_for(installation).await? {
        if let Some(pause) = budget.pause.filter(|pause| now < pause.until) {
            forge.heed(budget.installation, pause);
        }
        if budget.installation == installation {
            own = Some(budget);
        }
    }
    // The App's own pause concerns tokens: an installation that has one may go on.
    let Some(own) = own else { return Ok(None) };
    if let Some(pause) = own.pause.filter(|pause| now < pause.until) {
        let why =
            format!("GitHub's {} limit is reached; it is asked again at {}", pause.limit.as_str(), moment(pause.until));
        return Ok(Some(Done::PutOff { tx: store.begin().await?, until: pause.until, why: Some(why) }));
    }
    let (Some(left), Some(installation)) = (own.quota, installation) else { return Ok(None) };
    // A write may be waiting for just that look.
    let is_waited_for = matches!(step, Step::SyncRepository { details: true, .. });
    if quota::is_low(&left, now)
        && !is_waited_for
        && (!step.writes() || is_of_a_stranger(store, step).await?)
        && store.any_due(installation, Step::WRITING, left.resets_at).await?
    {
        let why = format!(
            "the {} requests that GitHub allows until {} are left to pull requests that are due",
            left.remaining,
            moment(left.resets_at)
        );
        return Ok(Some(Done::PutOff { tx: store.begin().await?, until: left.resets_at, why: Some(why) }));
    }
    Ok(None)
}

/// Whether anybody at all can ask for a step, as often as they like: a look at the file of a fork.
async fn is_of_a_stranger(store: &Store, step: &Step) -> Result<bool, StoreError> {
    let Step::Examine { repo, commit, again: false } = step else { return Ok(false) };
    let known = store.examination(*repo, commit).await?;
    Ok(known.is_some_and(|known| matches!(known.asked.place, Place::Pull(_))))
}

/// Stores what a step heard of the limits, where it changes anything for others. Returns until when the installation is
/// paused, if GitHub refused it anything. To be called when no transaction of the step is open.
pub async fn after(
    store: &Store,
    forge: &GitHub,
    installation: Option<InstallationId>,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    // A token is asked for in the App's own name.
    if installation.is_some()
        && let Some(heard) = forge.heard(None)
    {
        remember(store, forge, None, &heard, now).await?;
    }
    match forge.heard(installation) {
        Some(heard) => remember(store, forge, installation, &heard, now).await,
        None => Ok(None),
    }
}

/// Says in the log whom GitHub asks for a pause, and for how long.
fn tell(installation: Option<InstallationId>, pause: &Pause, refusals: u32) {
    // A number as in the spans, or the word that the figures have for the App itself.
    let whose: &dyn tracing::Value = installation.as_ref().map_or(&"app", |installation| &installation.0);
    tracing::warn!(installation = whose, limit = pause.limit.as_str(), until = %pause.until, in_a_row = refusals, "GitHub asks for a pause");
}

async fn remember(
    store: &Store,
    forge: &GitHub,
    installation: Option<InstallationId>,
    heard: &Heard,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let Some(refusal) = &heard.refusal else {
        let known = store.budget(installation).await?;
        if let Some(quota) = heard.quota.filter(|quota| is_material(quota, &known, now)) {
            let mut tx = store.begin().await?;
            tx.save_quota(installation, &quota, now).await?;
            tx.commit().await?;
        }
        return Ok(None);
    };
    let mut tx = store.begin().await?;
    let known = tx.lock_budget(installation).await?;
    let (pause, refusals) = pauses::after(known.pause, known.refusals, refusal);
    tx.save_pause(installation, &pause, refusals).await?;
    if let Some(quota) = &heard.quota {
        tx.save_quota(installation, quota, now).await?;
    }
    tx.commit().await?;
    forge.heed(installation, pause);
    tell(installation, &pause, refusals);
    if let Some(installation) = installation {
        // Apart from the budget's row, which nobody shall wait for meanwhile. What is missed here is put off when it is
        // taken up.
        let mut tx = store.begin().await?;
        tx.postpone_asking(installation, pause.until).await?;
        tx.commit().await?;
    }
    Ok(Some(pause.until))
}

/// Whether others should know. Pure.
fn is_material(heard: &Quota, known: &Budget, now: Timestamp) -> bool {
    let Some(quota) = known.quota else { return true };
    let fallen = quota.remaining - heard.remaining;
    let stale = known.observed_at.is_none_or(|at| now.duration_since(at) >= STALE);
    heard.resets_at > quota.resets_at
        || (heard.resets_at == quota.resets_at
            && fallen > 0
            && (stale || fallen * 100 >= heard.limit * MATERIAL_PERCENT))
}

fn moment(at: Timestamp) -> String {
    at.strftime("%F %T UTC").to_string()
}
