//! What a repository's plan would be by a subscription file that does not count, or does not count yet. Nothing is stored.

use super::facts::{self, Loaded, RepositoryFacts};
use super::partings::Parting;
use super::{goes, guard, held, new_id, partings, plan_of, without_hashes};
use crate::domain::{Dependency, PackageId, Proposal, ProposalId, ProposalState, RepoId, Verdict};
use crate::pipeline::StepError;
use crate::planner::preview::Closing;
use crate::planner::{Catalogue, Known, Plan, Used};
use crate::registries::Registries;
use crate::store::{ConfigState, RepositoryRow, Store};
use crate::subscription::SubscriptionFile;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that the plan by another file depends on.
pub(in crate::pipeline) struct Ahead {
    file: SubscriptionFile,
    loaded: Loaded,
}

/// The plan by another file.
#[derive(Default)]
pub(in crate::pipeline) struct Foreseen {
    /// The plan.
    pub plan: Plan,
    /// The groups of those drafts that are due and that the safeguards let through, one after another.
    pub ready: BTreeSet<String>,
    /// The open pull requests of which nothing is wanted any more.
    pub closings: Vec<Closing>,
}

impl Ahead {
    /// Reads what is stored. `dependencies` are those of the repository, where they are not the stored ones.
    pub async fn load(
        store: &Store,
        row: &RepositoryRow,
        file: &SubscriptionFile,
        dependencies: Option<Vec<Dependency>>,
        now: Timestamp,
    ) -> Result<Self, StepError> {
        let mut row = row.clone();
        let corrupt = |error: serde_json::Error| StepError::Corrupt(format!("the subscription file: {error}"));
        row.config.file = Some(serde_json::to_value(file).map_err(corrupt)?);
        row.config.state = ConfigState::Valid;
        let repo = row.repository.id;
        let mut loaded = facts::load_of(store, vec![row]).await?;
        let since = subscribed_since(store, repo, file, now).await?;
        for one in &mut loaded.repositories {
            one.subscribed_since.clone_from(&since);
            if let Some(dependencies) = &dependencies {
                let used = |dependency: &Dependency| Used { dependency: dependency.clone(), since: now };
                one.used = dependencies.iter().map(used).collect();
            }
        }
        if dependencies.is_some() {
            facts::reload(store, &mut loaded).await?;
        }
        Ok(Self { file: file.clone(), loaded })
    }

    /// The packages that the file asks for and that nobody has looked up yet.
    pub fn unknown(&self) -> BTreeSet<PackageId> {
        let used = self.loaded.repositories.iter().flat_map(|one| &one.used).map(|used| &used.dependency);
        let wanted = used.filter(|dependency| {
            dependency.skip.is_none()
                && self.file.subscription_for(dependency.package.ecosystem, &dependency.path).is_some()
        });
        let is_unknown =
            |package: &&PackageId| matches!(self.loaded.packages.get(*package), None | Some(Known::NotYetAsked));
        wanted.map(|dependency| &dependency.package).filter(is_unknown).cloned().collect()
    }

    /// Takes over what was found out about packages.
    pub fn learn(&mut self, known: BTreeMap<PackageId, Known>) {
        self.loaded.packages.extend(known);
    }

    /// The plan, and what of it may go ahead at once.
    pub fn foresee(&self, registries: &Registries, now: Timestamp) -> Foreseen {
        let without_hashes = without_hashes(registries);
        let mut catalogue = Catalogue::of(&self.loaded.packages);
        let mut foreseen = Foreseen::default();
        for one in &self.loaded.repositories {
            foreseen.plan = plan_of(one, &without_hashes, &mut catalogue, now);
            let partings = partings(one, catalogue.packages());
            let goes = |parting: &Parting<'_>, ready: &[String]| goes(parting, one, ready, &self.loaded.attempted);
            // What is closed makes room. Where a draft takes the place of an open one, it counts itself.
            let leaving = partings.iter().filter(|parting| goes(parting, &[])).map(|parting| &parting.proposal.id);
            foreseen.ready = self.admit(one, &mut foreseen.plan, &leaving.collect(), now);
            let ready: Vec<String> = foreseen.ready.iter().cloned().collect();
            let gone = partings.into_iter().filter(|parting| goes(parting, &ready));
            foreseen.closings = gone.filter_map(|parting| closing(parting.proposal, &parting.reason)).collect();
        }
        foreseen
    }

    /// Asks the safeguards about each draft that is due, as if those before it were open already and those that are leaving
    /// were closed; who has to wait gets their reason. Pure, but for identifiers.
    fn admit(
        &self,
        one: &RepositoryFacts,
        plan: &mut Plan,
        leaving: &BTreeSet<&ProposalId>,
        now: Timestamp,
    ) -> BTreeSet<String> {
        let (mut ready, mut proposals) = (BTreeSet::new(), one.proposals.clone());
        proposals.retain(|proposal| !leaving.contains(&proposal.id));
        let attempted = &self.loaded.attempted;
        for draft in plan.drafts.iter_mut().filter(|draft| draft.due_at <= now) {
            let places = guard::places(&proposals, attempted, &draft.group);
            let verdict =
                held(one, &draft.group).unwrap_or_else(|| guard::verdict(&draft.updates, &places, &self.file));
            match verdict {
                Verdict::Go => {
                    let proposal = draft.clone().into_proposal(new_id(), one.row.repository.id, now);
                    proposals.push(Proposal { state: ProposalState::Open, ..proposal });
                    ready.insert(draft.group.clone());
                }
                Verdict::Wait { why, .. } | Verdict::Stop { why } => draft.reason = why,
            }
        }
        ready
    }
}

/// The end of an open proposal, as it is told beforehand.
pub(in crate::pipeline) fn closing(proposal: &Proposal, reason: &str) -> Option<Closing> {
    let (number, title) = (proposal.pull.as_ref()?.number, proposal.title.clone());
    Some(Closing { number, title, reason: reason.to_owned() })
}

/// Since when each subscription of a file would have been there: what is subscribed to already keeps its time.
async fn subscribed_since(
    store: &Store,
    repo: RepoId,
    file: &SubscriptionFile,
    now: Timestamp,
) -> Result<Vec<Timestamp>, StepError> {
    let mut since: BTreeMap<String, Timestamp> = BTreeMap::new();
    for row in store.subscriptions(repo).await? {
        let earliest = since.entry(row.subscription.migration).or_insert(row.since);
        *earliest = row.since.min(*earliest);
    }
    Ok(file.subscriptions.iter().map(|one| since.get(&one.migration.to_string()).copied().unwrap_or(now)).collect())
}
