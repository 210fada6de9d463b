//! From facts and `now` to proposals with a due time, and to a reason for everything that is held back.
//!
//! Pure: the facts come from the store, what is decided goes back there. The order of the facts never matters.

pub mod age;
pub mod audit;
mod catalogue;
mod choice;
pub mod codeowners;
mod decided;
mod farewell;
mod group;
mod memory;
pub mod onboarding;
mod outlook;
pub mod polling;
pub mod preview;
pub mod prose;
mod python;
mod reconcile;
mod refresh;
mod rejection;
mod select;
pub mod tags;
pub mod timing;

use crate::domain::{
    Decision, Dependency, Ecosystem, Outlook, PackageId, Proposal, ProposalId, ProposalState, Release, RepoId, Update,
};
use crate::subscription::SubscriptionFile;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub use catalogue::Catalogue;
use choice::{Choice, Prospect};
pub use decided::covers;
pub use farewell::{Today, all_stand, moves, unwanted};
use memory::Memory;
pub use reconcile::{Amended, Amendment, reconcile};
pub use rejection::{failed_until, tried_again};
pub use select::not_shown;

/// Everything the plan of one repository depends on.
pub struct Facts<'a> {
    /// The subscription file in force.
    pub file: &'a SubscriptionFile,
    /// Since when each subscription of the file has been there; same order.
    pub subscribed_since: &'a [Timestamp],
    /// The repository's dependencies.
    pub used: &'a [Used],
    /// What is known about their packages.
    pub packages: &'a BTreeMap<PackageId, Known>,
    /// Those of their packages that this repository may not know anything of: private repositories of others.
    pub unseen: &'a BTreeSet<PackageId>,
    /// Why releases of an ecosystem cannot be written where hashes are pinned, for those whose registry gives none.
    pub without_hashes: &'a BTreeMap<Ecosystem, &'static str>,
    /// All stored proposals of the repository.
    pub proposals: &'a [Proposal],
    /// What people decided about its packages.
    pub decisions: &'a [Decision],
}

/// A dependency and since when the repository has had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// The dependency.
    pub dependency: Dependency,
    /// When the package first appeared in that file.
    pub since: Timestamp,
}

/// What is known about a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// No registry has been asked yet.
    NotYetAsked,
    /// The registry could not tell; the text says why.
    Failed(String),
    /// Somebody else has to ask; the text says who.
    Elsewhere(String),
    /// Its releases.
    Releases(Vec<Release>),
}

/// What to propose to a repository, and how each of its dependencies stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// At most one for each group.
    pub drafts: Vec<Draft>,
    /// At least one row for each dependency.
    pub outlook: Vec<Outlook>,
    /// When time alone will change the plan next, if only its words.
    pub wake_at: Option<Timestamp>,
}

/// A proposal as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Which group of the repository it is.
    pub group: String,
    /// See [`Proposal::content`].
    pub content: String,
    /// What it changes, sorted by package and version.
    pub updates: Vec<Update>,
    /// The labels it gets.
    pub labels: Vec<String>,
    /// The first moment it may be opened.
    pub due_at: Timestamp,
    /// Why it is not open yet.
    pub reason: String,
    /// The pull request's title.
    pub title: String,
    /// Its branch.
    pub branch: String,
}

impl Draft {
    pub(crate) fn into_proposal(self, id: ProposalId, repo: RepoId, now: Timestamp) -> Proposal {
        Proposal {
            id,
            repo,
            group: self.group,
            content: self.content,
            state: ProposalState::Waiting,
            reason: self.reason,
            due_at: self.due_at,
            title: self.title,
            branch: self.branch,
            updates: self.updates,
            labels: self.labels,
            pull: None,
            checks: None,
            created_at: now,
            opened_at: None,
            updated_at: now,
        }
    }
}

/// The plan for a repository at `now`.
pub fn plan(facts: &Facts<'_>, now: Timestamp) -> Plan {
    plan_with(facts, &mut Catalogue::of(facts.packages), now)
}

/// The same plan, looked up in a catalogue that the plans of several repositories share.
///
/// A catalogue of other packages than those of the facts is of no use, and is not used.
pub fn plan_with<'p: 'a, 'a>(facts: &Facts<'a>, catalogue: &mut Catalogue<'p>, now: Timestamp) -> Plan {
    if !std::ptr::eq(facts.packages, catalogue.packages()) {
        return plan(facts, now);
    }
    let memory = Memory::of(facts.proposals, facts.used);
    let timezone = &facts.file.timezone;
    let assessed = select::assess(facts, catalogue, &memory, now);
    let choices = || {
        assessed.iter().flat_map(|one| match &one.prospect {
            Prospect::Newer(choices) => choices.as_slice(),
            Prospect::Settled(..) => &[],
        })
    };
    let drafts = group::drafts(choices(), &memory, timezone, now);
    let outlook = outlook::outlook(&assessed, timezone, now);
    // The words of what is shown grow old, too: "1 day old" is wrong tomorrow.
    let reworded =
        |choice: &Choice<'_>| outlook::shown_ahead(choice, now).filter_map(|c| choice.reworded_at(c, now)).min();
    let failed_until = |choice: &Choice<'_>| choice.rejected.iter().filter_map(|one| one.why.until()).min();
    let changes = |choice: &Choice<'_>| [choice.next_change(now), reworded(choice), failed_until(choice)];
    let wake_at = choices().flat_map(changes).flatten().min();
    Plan { drafts, outlook, wake_at }
}
