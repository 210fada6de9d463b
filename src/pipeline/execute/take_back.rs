//! Takes back what is not to become a pull request: the repository has moved on, or GitHub refused it for good. A branch
//! is deleted; a pull request is kept and followed, for a newer one to take its place. The branch of a pull request that was
//! there before is never moved back.
//!
//! Where writes are paced, each claim sends one of them here as well: the tree, where nobody knows it, and the removal.

use super::{
    Case, TRIES_MAX, arrived, fail, installation, is_elsewhere, is_refusal, join, put_off, read_again, taken_over,
};
use crate::domain::Progress;
use crate::forge::{ForgeError, GitHub, Retreat};
use crate::pipeline::line::Place;
use crate::pipeline::{Done, Step, StepError, Writing, target};
use crate::safeguards::pace;
use crate::store::{Attempt, Store};

/// Ends an attempt whose change is not what is wanted now, or was refused.
pub(in crate::pipeline) async fn take_back(
    store: &Store,
    forge: &GitHub,
    case: Case<'_>,
    mut begun: Attempt,
) -> Result<Done, StepError> {
    let Writing { lease, pace, .. } = *case.writing;
    let orderly = begun.orderly_claim.is_some();
    if orderly && begun.progress.is_start() {
        return taken_back(store, case, "the repository changed before it was sent").await;
    }
    if orderly || !pace.is_off() {
        // A tree that is known need not be written to recognise the branch by.
        let writes = if begun.progress.tree.is_some() { 1 } else { 2 };
        let mut tx = store.begin().await?;
        tx.still_ours(lease).await?;
        // Its turn was for what is taken back now: what of that was sent is not known here.
        match join(&mut tx, &case, writes, begun.progress.turn.map(|turn| (turn, writes)), 0).await? {
            Place::Now(turn) => {
                // Whoever repeats this, after an error, comes after the write that is about to be sent.
                begun.progress.turn = Some(pace::after_write(&turn, case.now, pace));
                tx.save_progress(&case.proposal.id, &begun.progress, None).await?;
                tx.commit().await?;
                begun.progress.turn = Some(turn);
            }
            Place::Later(turn) => {
                begun.progress.turn = Some(turn);
                let orderly_claim = begun.orderly_claim.map(|_| lease.work.claims);
                tx.save_progress(&case.proposal.id, &begun.progress, orderly_claim).await?;
                return put_off(tx, case, turn.from).await;
            }
            Place::Full(until) => return put_off(tx, case, until).await,
        }
    } else {
        let mut tx = store.begin().await?;
        tx.still_ours(lease).await?;
        tx.commit().await?;
    }
    retreat(store, forge, case, begun).await
}

/// Ends an attempt that GitHub refused, now and for good. That is stored before anything is taken back: a repeat must not
/// send it once more.
pub(super) async fn give_up(
    store: &Store,
    forge: &GitHub,
    case: Case<'_>,
    attempt: Attempt,
    why: String,
) -> Result<Done, StepError> {
    let Writing { lease, pace, clock } = *case.writing;
    let turn = attempt.progress.turn.map(|turn| pace::after_write(&turn, clock.now(), pace));
    let progress = Progress { refused: Some(why), turn, ..attempt.progress };
    let mut tx = store.begin().await?;
    tx.still_ours(lease).await?;
    tx.save_progress(&case.proposal.id, &progress, None).await?;
    if let Some(turn) = turn.filter(|_| !pace.is_off()) {
        return Ok(Done::PutOff { tx, until: turn.from, why: None });
    }
    tx.commit().await?;
    retreat(store, forge, case, Attempt { progress, orderly_claim: None, ..attempt }).await
}

/// Sends what is next of taking a change back: one write where writes are paced, else all of them.
async fn retreat(store: &Store, forge: &GitHub, case: Case<'_>, begun: Attempt) -> Result<Done, StepError> {
    let Attempt { change, mut progress, .. } = begun;
    let head = change.onto.as_ref().map(|onto| &onto.head);
    let Writing { lease, pace, clock } = *case.writing;
    let error = loop {
        match forge.withdraw(&target(case.row), &change, progress.tree.as_ref()).await {
            Ok(Retreat::Recognised(tree)) => progress.tree = Some(tree),
            Ok(Retreat::Kept(proposed)) => return arrived(store, case, &change, proposed).await,
            Ok(Retreat::Done) => {
                return match progress.refused {
                    Some(why) => fail(store, case, head, &why).await,
                    None => taken_back(store, case, "the repository changed while it was sent").await,
                };
            }
            Err(error) => break error,
        }
        let mut tx = store.begin().await?;
        if let Some(turn) = progress.turn.filter(|_| !pace.is_off()) {
            let turn = pace::after_write(&turn, clock.now(), pace);
            progress.turn = Some(turn);
            // Nothing says how far it got while it was sent: should it be wanted again, somebody has to look.
            tx.save_progress(&case.proposal.id, &progress, None).await?;
            return Ok(Done::PutOff { tx, until: turn.from, why: None });
        }
        // The removal comes next. Who took this step over meanwhile may have made the branch anew, and want it.
        tx.still_ours(lease).await?;
        tx.commit().await?;
    };
    if let ForgeError::Conflict { pull: Some(number), .. } = error {
        let proposed = taken_over(&change, number, &case.row.repository.web_url);
        return arrived(store, case, &change, proposed).await;
    }
    if !is_elsewhere(&error) && !is_refusal(&error) {
        return Err(error.into());
    }
    if let Some(why) = progress.refused {
        tracing::warn!(repository = %case.row.repository.name, branch = change.branch, %error, "what was begun could not be taken back");
        return fail(store, case, head, &why).await;
    }
    if is_elsewhere(&error) && lease.work.refusals + 1 < TRIES_MAX {
        return read_again(store, &case, &error).await;
    }
    fail(store, case, head, &error.to_string()).await
}

async fn taken_back(store: &Store, case: Case<'_>, why: &str) -> Result<Done, StepError> {
    let mut tx = store.begin().await?;
    tx.end_attempt(&case.proposal.id).await?;
    tx.record(&case.proposal.id, case.now, "taken back", why).await?;
    Step::Plan { repo: case.proposal.repo }.queue(&mut tx, installation(case.row), case.now).await?;
    Ok(Done::Finished(tx))
}
