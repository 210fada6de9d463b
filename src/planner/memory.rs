//! What became of earlier proposals, looked up by package and file.

use crate::domain::{Dependency, PackageId, Proposal, ProposalState, RepoPath, Site, Update};
use crate::versioning::Scheme;
use jiff::Timestamp;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// The stored proposals of a repository, indexed once for a plan.
pub struct Memory<'a> {
    /// The moves that matter to a package in a file, from the oldest proposal to the newest.
    moves: BTreeMap<(&'a PackageId, &'a RepoPath), Vec<Move<'a>>>,
    /// The branches that are, or were, somebody's pull request.
    branches: BTreeSet<&'a str>,
}

/// A package that a proposal moved, or meant to move, in one file.
struct Move<'a> {
    proposal: &'a Proposal,
    update: &'a Update,
}

impl Move<'_> {
    fn sites_in<'b>(&'b self, path: &'b RepoPath) -> impl Iterator<Item = &'b Site> {
        self.update.sites.iter().filter(move |site| site.path == *path)
    }

    /// Whether it moved the place that a dependency is, as far as these are told apart by versions of Python: a package may
    /// stand in a file for several, and what was merged for one says nothing of the others.
    fn is_for_pythons_of(&self, dependency: &Dependency) -> bool {
        self.sites_in(&dependency.path).any(|site| site.python.is_none() || site.python == dependency.python)
    }

    fn goes_to(&self, version: &str, refresh: Option<&str>) -> bool {
        self.update.to == version && self.update.refresh.as_deref() == refresh
    }

    /// Until when a release had to be known for this proposal to have passed over it: closing a pull request says
    /// nothing about what came after it was opened; merging it leaves everything behind that came before.
    fn chosen_at(&self) -> Timestamp {
        match (self.proposal.state, self.proposal.opened_at) {
            (ProposalState::Merged, _) | (_, None) => self.proposal.updated_at,
            (_, Some(opened_at)) => opened_at,
        }
    }
}

/// An earlier proposal that speaks against a release.
pub struct Objection<'a> {
    /// The proposal.
    pub proposal: &'a Proposal,
    /// The version it moved to, where that is newer than the release: the release was passed over by it.
    pub went_to: Option<&'a str>,
}

/// A release that might be proposed to a dependency.
pub struct Question<'q> {
    /// The dependency.
    pub dependency: &'q Dependency,
    /// The group the update would belong to.
    pub group: &'q str,
    /// The version.
    pub version: &'q str,
    /// What its tag points at by now, where that alone is new.
    pub refresh: Option<&'q str>,
    /// From when its age counts.
    pub counts_from: Timestamp,
}

impl<'a> Memory<'a> {
    /// Indexes the proposals of a repository; their order does not matter.
    pub fn of(proposals: &'a [Proposal]) -> Self {
        let mut sorted: Vec<&Proposal> = proposals.iter().collect();
        sorted.sort_by_key(|p| (p.created_at, &p.id));
        let mut moves: BTreeMap<_, Vec<Move<'a>>> = BTreeMap::new();
        let mut branches = BTreeSet::new();
        for proposal in sorted {
            match proposal.state {
                // Its branch's name was never used.
                ProposalState::Waiting => continue,
                ProposalState::Withdrawn if proposal.pull.is_none() => continue,
                ProposalState::Superseded | ProposalState::Withdrawn => {}
                ProposalState::Open | ProposalState::Merged | ProposalState::Closed | ProposalState::Failed => {
                    for update in &proposal.updates {
                        let paths: BTreeSet<&RepoPath> = update.sites.iter().map(|site| &site.path).collect();
                        for path in paths {
                            moves.entry((&update.package, path)).or_default().push(Move { proposal, update });
                        }
                    }
                }
            }
            branches.insert(proposal.branch.as_str());
        }
        Self { moves, branches }
    }

    fn moves_of<'m>(&'m self, dependency: &'m Dependency) -> &'m [Move<'a>] {
        self.moves.get(&(&dependency.package, &dependency.path)).map_or(&[], Vec::as_slice)
    }

    /// The open proposal that moves a dependency to a version, or to what that points at by now.
    pub fn open(&self, dependency: &Dependency, version: &str, refresh: Option<&str>) -> Option<&'a Proposal> {
        let mut newest_first = self.moves_of(dependency).iter().rev();
        let found = newest_first.find(|m| m.proposal.state == ProposalState::Open && m.goes_to(version, refresh));
        found.map(|m| m.proposal)
    }

    /// The proposal in a state that speaks against a release, if there is one.
    ///
    /// It speaks against the version it moved to, and against the older ones that were there when it was made: whoever
    /// closes a pull request for 0.28.1 does not want one for 0.28.0 next.
    pub fn objection(
        &self,
        state: ProposalState,
        question: &Question<'_>,
        scheme: &dyn Scheme,
    ) -> Option<Objection<'a>> {
        let Question { dependency, group, version, refresh, counts_from } = question;
        let is_refresh = |m: &&Move<'_>| m.update.refresh.is_some();
        let mut moves = self.moves_of(dependency).iter().rev().filter(|m| m.proposal.state == state);
        if state == ProposalState::Merged && refresh.is_some() {
            // A tag may be moved back to what it pointed at before: only the last time says where the file should be.
            let last = moves.find(is_refresh).filter(|m| m.goes_to(version, *refresh));
            return last.map(|m| Objection { proposal: m.proposal, went_to: None });
        }
        moves.find_map(|m| {
            // What failed on other text than today's may work now.
            let applies = state != ProposalState::Failed
                || m.sites_in(&dependency.path).any(|site| {
                    site.constraint == dependency.constraint
                        && Some(&site.from) == dependency.current.as_ref()
                        && site.digest == dependency.digest
                });
            let passed_over = || {
                m.proposal.group == *group
                    // What a tag points at by now is nothing that a newer version goes past.
                    && refresh.is_none()
                    && (state != ProposalState::Merged || m.is_for_pythons_of(dependency))
                    && *counts_from <= m.chosen_at()
                    && scheme.compare(version, &m.update.to) == Some(Ordering::Less)
            };
            match applies {
                true if m.goes_to(version, *refresh) => Some(Objection { proposal: m.proposal, went_to: None }),
                true if passed_over() => Some(Objection { proposal: m.proposal, went_to: Some(&m.update.to) }),
                _ => None,
            }
        })
    }

    /// Whether a branch is, or was, a pull request's.
    pub fn knows_branch(&self, branch: &str) -> bool {
        self.branches.contains(branch)
    }
}
