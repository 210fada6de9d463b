//! What became of earlier proposals, looked up by package and file.

use super::{Used, farewell};
use crate::domain::{Dependency, PackageId, Proposal, ProposalState, RepoPath, Site, Update};
use crate::versioning::Scheme;
use jiff::Timestamp;
use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The stored proposals of a repository, indexed once for a plan.
pub struct Memory<'a> {
    pasts: BTreeMap<(&'a PackageId, &'a RepoPath), Past<'a>>,
    /// The branches that are, or were, somebody's pull request.
    branches: BTreeSet<&'a str>,
}

/// What is known of a package in one file.
#[derive(Default)]
struct Past<'a> {
    /// The moves that matter, from the oldest proposal to the newest.
    moves: Vec<Move<'a>>,
    /// Where it stands today.
    places: Vec<&'a Dependency>,
}

/// A package that a proposal moved, or meant to move, in one file.
struct Move<'a> {
    proposal: &'a Proposal,
    update: &'a Update,
    /// Whether a place was changed since it was merged to what was there neither before nor after.
    changed_since: OnceCell<bool>,
}

impl Move<'_> {
    fn sites_in<'b>(&'b self, path: &'b RepoPath) -> impl Iterator<Item = &'b Site> {
        self.update.sites.iter().filter(move |site| site.path == *path)
    }

    /// Whether what was merged speaks of the place that a dependency is: a package may stand in a file several times, and what
    /// was merged for one place says nothing of the others.
    ///
    /// It speaks of a place that stands as it did before. Where one that was moved is neither so nor as new as it was moved to,
    /// somebody changed it, and nobody can tell any more which of them it was.
    fn was_made_for(&self, dependency: &Dependency, places: &[&Dependency], scheme: &dyn Scheme) -> bool {
        let as_before = |place: &Dependency| {
            let mut sites = self.sites_in(&dependency.path);
            sites.any(|site| site.constraint == place.constraint && site.python == place.python)
        };
        as_before(dependency) || *self.changed_since.get_or_init(|| self.some_changed(&dependency.path, places, scheme))
    }

    fn some_changed(&self, path: &RepoPath, places: &[&Dependency], scheme: &dyn Scheme) -> bool {
        let before: HashSet<_> = self.sites_in(path).map(|site| (site.constraint.as_str(), &site.python)).collect();
        let is_done = |current: &str| scheme.compare(current, &self.update.to).is_some_and(Ordering::is_ge);
        let accounted = places.iter().filter(|place| {
            before.contains(&(place.constraint.as_str(), &place.python))
                || place.current.as_deref().is_some_and(is_done)
        });
        accounted.count() < self.sites_in(path).count()
    }

    /// Whether it moves the place that a dependency is, while it is open: one that stands as it did then, or one that may be
    /// what has become of a place that does not.
    fn moves(&self, dependency: &Dependency, places: &[&Dependency]) -> bool {
        let stands =
            |site: &Site, place: &Dependency| site.constraint == place.constraint && site.digest == place.digest;
        let is_gone = |site: &Site| !places.iter().any(|place| stands(site, place));
        let sites = || self.sites_in(&dependency.path);
        sites().any(|site| stands(site, dependency))
            || (sites().any(is_gone) && farewell::moves(self.update, dependency))
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
    /// Indexes the proposals of a repository that uses these dependencies; their order does not matter.
    pub fn of(proposals: &'a [Proposal], used: &'a [Used]) -> Self {
        let mut sorted: Vec<&Proposal> = proposals.iter().collect();
        sorted.sort_by_key(|p| (p.created_at, &p.id));
        let mut pasts: BTreeMap<_, Past<'a>> = BTreeMap::new();
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
                            let one = Move { proposal, update, changed_since: OnceCell::new() };
                            pasts.entry((&update.package, path)).or_default().moves.push(one);
                        }
                    }
                }
            }
            branches.insert(proposal.branch.as_str());
        }
        for Used { dependency, .. } in used {
            if let Some(past) = pasts.get_mut(&(&dependency.package, &dependency.path)) {
                past.places.push(dependency);
            }
        }
        Self { pasts, branches }
    }

    fn past_of<'m>(&'m self, dependency: &'m Dependency) -> Option<&'m Past<'a>> {
        self.pasts.get(&(&dependency.package, &dependency.path))
    }

    /// The open proposal that moves a dependency to a version, or to what that points at by now.
    pub fn open(&self, dependency: &Dependency, version: &str, refresh: Option<&str>) -> Option<&'a Proposal> {
        let past = self.past_of(dependency)?;
        let is_open = |m: &&Move<'_>| m.proposal.state == ProposalState::Open && m.goes_to(version, refresh);
        let mut newest_first = past.moves.iter().rev();
        newest_first.find(|m| is_open(m) && m.moves(dependency, &past.places)).map(|m| m.proposal)
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
        let Past { moves, places } = self.past_of(dependency)?;
        let mut moves = moves.iter().rev().filter(|m| m.proposal.state == state);
        if state == ProposalState::Merged && refresh.is_some() {
            // A tag may be moved back to what it pointed at before: only the last time says where the file should be.
            let last = moves.find(is_refresh).filter(|m| m.goes_to(version, *refresh));
            return last.map(|m| Objection { proposal: m.proposal, went_to: None });
        }
        moves.find_map(|m| {
            let applies = || match state {
                // What failed on other text than today's may work now.
                ProposalState::Failed => m.sites_in(&dependency.path).any(|site| {
                    site.constraint == dependency.constraint
                        && Some(&site.from) == dependency.current.as_ref()
                        && site.digest == dependency.digest
                }),
                ProposalState::Merged => m.was_made_for(dependency, places, scheme),
                _ => true,
            };
            let passed_over = || {
                m.proposal.group == *group
                    // What a tag points at by now is nothing that a newer version goes past.
                    && refresh.is_none()
                    && *counts_from <= m.chosen_at()
                    && scheme.compare(version, &m.update.to) == Some(Ordering::Less)
            };
            if m.goes_to(version, *refresh) {
                applies().then_some(Objection { proposal: m.proposal, went_to: None })
            } else {
                (passed_over() && applies()).then_some(Objection { proposal: m.proposal, went_to: Some(&m.update.to) })
            }
        })
    }

    /// Whether a branch is, or was, a pull request's.
    pub fn knows_branch(&self, branch: &str) -> bool {
        self.branches.contains(branch)
    }
}
