//! What people are told of an open pull request beside that it is open: each topic has a sentence of its own in the store,
//! and the proposal's reason ends with all of them, wherever it is shown.

use crate::domain::{Proposal, ProposalId, ProposalState, Topic};
use crate::store::{Store, StoreError, Tx};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The remarks on a proposal, by topic.
pub(super) type Remarks = BTreeMap<Topic, String>;

/// Makes a remark on a topic, in place of the one before; or takes that back. What was said already is not stored again.
/// Returns the proposal as it is now. The transaction may hold nothing else of the proposal.
pub(super) async fn remark(
    store: &Store,
    tx: &mut Tx,
    proposal: Proposal,
    (topic, said): (Topic, Option<&str>),
    now: Timestamp,
) -> Result<Proposal, StoreError> {
    let before = store.remarks(&proposal.id).await?;
    // Somebody may have replaced the reason, and the remarks with it.
    let is_shown = proposal.state != ProposalState::Open || proposal.reason.ends_with(&tail(&before));
    if before.get(&topic).map(String::as_str) == said && is_shown {
        return Ok(proposal);
    }
    let mut after = before.clone();
    match said {
        Some(said) => after.insert(topic, said.to_owned()),
        None => after.remove(&topic),
    };
    tx.set_remark(&proposal.id, topic, said).await?;
    // The reason of one that is over says how it ended.
    if proposal.state != ProposalState::Open {
        return Ok(proposal);
    }
    let reason = reworded(&proposal.reason, &before, &after);
    let proposal = Proposal { reason, updated_at: now, ..proposal };
    tx.save_proposal(&proposal).await?;
    Ok(proposal)
}

/// A new reason of an open pull request, with all that is told of it besides.
pub(super) async fn with_remarks(store: &Store, id: &ProposalId, reason: &str) -> Result<String, StoreError> {
    Ok(format!("{reason}{}", tail(&store.remarks(id).await?)))
}

/// A reason with other remarks at its end. If somebody replaced the reason meanwhile, there are none at its end to be taken
/// away. Pure.
fn reworded(reason: &str, before: &Remarks, after: &Remarks) -> String {
    let bare = reason.strip_suffix(&tail(before)).unwrap_or(reason);
    format!("{bare}{}", tail(after))
}

fn tail(remarks: &Remarks) -> String {
    remarks.values().map(|said| format!("; {said}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_follow_the_reason_and_never_pile_up() {
        let remarks = |all: &[(Topic, &str)]| all.iter().map(|(topic, said)| (*topic, (*said).to_owned())).collect();
        let (none, one) = (Remarks::new(), remarks(&[(Topic::Merging, "it waits")]));
        let two = remarks(&[(Topic::Draft, "it is no draft"), (Topic::Merging, "it waits")]);
        let open = "pull request #5 is open";
        let said = reworded(open, &none, &one);
        assert_eq!(said, "pull request #5 is open; it waits");
        assert_eq!(reworded(&said, &one, &two), "pull request #5 is open; it waits; it is no draft");
        assert_eq!(reworded(&said, &one, &none), open);
        assert_eq!(reworded("another reason", &one, &two), "another reason; it waits; it is no draft");
    }
}
