//! What a person saw who asked to have a branch made anew. What others push later is not theirs to drop, so it is noted at
//! the first look, whatever the step then waits for, and goes along with what the person asked for.

use crate::domain::{ObjectId, Proposal, PullNumber, Rework};
use crate::forge::{ForgeError, GitHub};
use crate::pipeline::{StepError, line, target};
use crate::store::{Attempt, Claimed, RepositoryRow, Store};
use serde_json::Value;

/// The key under which the head of the branch lies beside the fields of a step.
const SEEN: &str = "seen";

/// The head of the branch when it was first looked at.
fn seen(lease: &Claimed) -> Option<ObjectId> {
    line::beside(&lease.work.args, SEEN)
}

/// The claim of a step, with the head of its branch noted where that matters: as it is now, or as it was when what is written
/// down was worked out. One request at most, and none at later looks.
pub(super) async fn first_look(
    store: &Store,
    forge: &GitHub,
    (row, number): (&RepositoryRow, PullNumber),
    (how, begun): (Rework, Option<&Attempt>),
    lease: &Claimed,
) -> Result<Claimed, StepError> {
    let mut lease = lease.clone();
    if how != Rework::Recreate || seen(&lease).is_some() {
        return Ok(lease);
    }
    let own = begun.filter(|begun| begun.errand == Some(how));
    let head = match own.and_then(|begun| begun.change.onto.as_ref()) {
        Some(onto) => onto.head.clone(),
        None => match forge.pull(&target(row), number).await {
            Ok(found) => found.head,
            // Nothing can be lost there. Who looks at the branch has the words for it.
            Err(ForgeError::Gone { .. } | ForgeError::Moved { .. }) => return Ok(lease),
            Err(error) => return Err(error.into()),
        },
    };
    let args = line::with_beside(&lease.work.args, SEEN, head);
    let mut tx = store.begin().await?;
    tx.still_ours(&lease).await?;
    tx.keep_args(&lease, &args).await?;
    tx.commit().await?;
    lease.work.args = args;
    Ok(lease)
}

/// The arguments of another step with what was seen by this one.
pub(super) fn handed_on(lease: &Claimed, args: &Value) -> Value {
    seen(lease).map_or_else(|| args.clone(), |seen| line::with_beside(args, SEEN, seen))
}

/// Whether somebody has pushed to a branch with this head since it was first looked at. A commit of our own right on top of
/// what stood there then, a newer version for one, leaves nothing out.
pub(super) async fn is_overtaken(
    forge: &GitHub,
    (row, proposal): (&RepositoryRow, &Proposal),
    lease: &Claimed,
    head: &ObjectId,
) -> Result<bool, ForgeError> {
    let Some(seen) = seen(lease).filter(|seen| seen != head) else { return Ok(false) };
    let is_own = proposal.pull.as_ref().is_some_and(|pull| pull.head == *head);
    Ok(!is_own || forge.first_parent(&target(row), head).await?.as_ref() != Some(&seen))
}
