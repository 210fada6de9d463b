//! Which open proposals are not wanted any more, or not all of them. Pure.

use super::facts::RepositoryFacts;
use crate::domain::{PackageId, Proposal, ProposalId, ProposalState, RepoState};
use crate::planner::{self, Known, Today};
use crate::store::ConfigState;
use std::collections::{BTreeMap, BTreeSet};

/// Reasons that are told of one proposal.
const REASONS_MAX: usize = 3;
/// Why nothing that is open is wanted where the file was removed.
pub(in crate::pipeline) const NO_FILE: &str = "the repository has no subscription file any more";

/// An open proposal of which something is not wanted any more.
pub(super) struct Parting<'a> {
    /// The proposal.
    pub(super) proposal: &'a Proposal,
    /// Whether nothing of it is wanted.
    pub(super) whole: bool,
    /// Why, in a sentence.
    pub(super) reason: String,
}

/// Looks through the open proposals of a repository.
pub(super) fn partings<'a>(one: &'a RepositoryFacts, packages: &BTreeMap<PackageId, Known>) -> Vec<Parting<'a>> {
    let open = one.proposals.iter().filter(|p| p.state == ProposalState::Open && p.pull.is_some());
    let Some(file) = one.plannable() else {
        let row = &one.row;
        let is_left = row.repository.state == RepoState::Active
            && row.config.state == ConfigState::None
            && row.synced_at.is_some()
            && one.file.is_none();
        let whole = |proposal| Parting { proposal, whole: true, reason: NO_FILE.into() };
        return if is_left { open.map(whole).collect() } else { Vec::new() };
    };
    let today = Today {
        file,
        used: &one.used,
        unreadable: &one.unreadable,
        packages,
        unseen: &one.unseen,
        decisions: &one.decisions,
    };
    let parting = |proposal: &'a Proposal| {
        let reasons: Vec<Option<String>> =
            proposal.updates.iter().map(|update| planner::unwanted(update, &today)).collect();
        let whole = reasons.iter().all(Option::is_some);
        let distinct: BTreeSet<String> = reasons.into_iter().flatten().collect();
        let count = distinct.len();
        let mut reason = distinct.into_iter().take(REASONS_MAX).collect::<Vec<_>>().join("; ");
        if count > REASONS_MAX {
            reason.push_str(&format!("; and {} more", count - REASONS_MAX));
        }
        (count > 0).then_some(Parting { proposal, whole, reason })
    };
    open.filter_map(parting).collect()
}

/// The proposals that a plan is not to count as open: what is left of them is planned anew.
pub(super) fn left(partings: &[Parting<'_>]) -> BTreeSet<ProposalId> {
    partings.iter().map(|parting| parting.proposal.id.clone()).collect()
}
