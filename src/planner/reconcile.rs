//! Brings the stored proposals of a repository in line with a plan.

use super::Draft;
use crate::domain::{Proposal, ProposalId, ProposalState, RepoId};
use jiff::Timestamp;

/// A proposal that has to be stored, and what happened to it, for the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
    /// The proposal as it is from now on.
    pub proposal: Proposal,
    /// What happened.
    pub event: Amendment,
}

/// What a plan did to a stored proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amendment {
    /// It is new.
    Drafted,
    /// It waits with other content or another date than before.
    Redrafted,
    /// Only its words changed.
    Reworded,
    /// It is no longer wanted.
    Withdrawn,
}

/// The changes that make the waiting proposals equal to the drafts. Everything that is not waiting stays as it is.
///
/// `new_id` is asked once for each new proposal.
pub fn reconcile(
    repo: RepoId,
    stored: &[Proposal],
    drafts: Vec<Draft>,
    withdrawn_because: &str,
    now: Timestamp,
    mut new_id: impl FnMut() -> ProposalId,
) -> Vec<Amended> {
    let waiting = |p: &&Proposal| p.state == ProposalState::Waiting;
    let mut amended: Vec<Amended> = stored
        .iter()
        .filter(waiting)
        .filter(|p| !drafts.iter().any(|draft| draft.group == p.group))
        .map(|p| {
            let proposal = Proposal {
                state: ProposalState::Withdrawn,
                reason: withdrawn_because.to_string(),
                updated_at: now,
                ..p.clone()
            };
            Amended { proposal, event: Amendment::Withdrawn }
        })
        .collect();
    for draft in drafts {
        match stored.iter().filter(waiting).find(|p| p.group == draft.group) {
            None => {
                let proposal = draft.into_proposal(new_id(), repo, now);
                amended.push(Amended { proposal, event: Amendment::Drafted });
            }
            Some(old) => {
                let redrafted = old.content != draft.content || old.due_at != draft.due_at;
                // A branch may have been changed to get out of the way of another; it holds as long as the content does.
                let branch = if redrafted { draft.branch.clone() } else { old.branch.clone() };
                let proposal = Proposal {
                    branch,
                    created_at: old.created_at,
                    updated_at: old.updated_at,
                    ..draft.into_proposal(old.id.clone(), repo, now)
                };
                if proposal != *old {
                    let event = if redrafted { Amendment::Redrafted } else { Amendment::Reworded };
                    amended.push(Amended { proposal: Proposal { updated_at: now, ..proposal }, event });
                }
            }
        }
    }
    amended
}
