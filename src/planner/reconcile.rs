//! Brings the stored proposals of a repository in line with a plan.

use super::Draft;
use crate::domain::{Proposal, ProposalId, ProposalState, RepoId, Terms};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

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
    /// It waits with other content, another date or by other terms than before.
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
    // One waits for each group. Should there be a second, the first stays and the second goes.
    let mut waiting: BTreeMap<&str, &Proposal> = BTreeMap::new();
    for one in stored.iter().filter(|p| p.state == ProposalState::Waiting) {
        let first = waiting.entry(&one.group).or_insert(one);
        if (one.created_at, &one.id) < (first.created_at, &first.id) {
            *first = one;
        }
    }
    let wanted: BTreeSet<&ProposalId> =
        drafts.iter().filter_map(|draft| waiting.get(draft.group.as_str())).map(|p| &p.id).collect();
    let mut amended: Vec<Amended> = stored
        .iter()
        .filter(|p| p.state == ProposalState::Waiting && !wanted.contains(&p.id))
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
        match waiting.get(draft.group.as_str()) {
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
                if proposal != **old {
                    // Other terms with the same outcome are worth a line, too: the last one has to hold those it was sent by.
                    let is_news = redrafted || terms(&proposal) != terms(old);
                    let event = if is_news { Amendment::Redrafted } else { Amendment::Reworded };
                    amended.push(Amended { proposal: Proposal { updated_at: now, ..proposal }, event });
                }
            }
        }
    }
    amended
}

fn terms(proposal: &Proposal) -> Vec<&[Terms]> {
    proposal.updates.iter().map(|update| update.terms.as_slice()).collect()
}
