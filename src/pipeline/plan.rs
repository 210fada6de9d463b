//! Plans repositories: what to propose to each, when, and why not yet.
//!
//! Many are planned together at the price of a few queries: a release reaches all that use the package in the same
//! minute, and what they need to know of packages is mostly the same.

mod facts;
pub(super) mod foresee;
pub(super) mod partings;

use super::notes::{self, Looks};
use super::{Done, Step, StepError, guard, merge};
use crate::domain::{
    Ecosystem, Farewell, Outlook, PackageId, Proposal, ProposalId, ProposalState, RepoId, RepoPath, RepoState, Rework,
    Standing, Update, Verdict,
};
use crate::planner::{self, Amended, Amendment, Catalogue, Draft, Facts, Plan, audit};
use crate::registries::Registries;
use crate::store::{NewWork, OutlookChange, RepositoryRow, Store, StoreError, Tx};
use crate::subscription::SubscriptionFile;
pub(super) use facts::blocked;
use facts::{Loaded, RepositoryFacts};
use jiff::Timestamp;
use partings::{Parting, left, partings};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Why releases cannot be written where hashes are pinned, by ecosystem.
pub type WithoutHashes = BTreeMap<Ecosystem, &'static str>;

/// What these registries cannot be asked for. Nothing is asked.
pub fn without_hashes(registries: &Registries) -> WithoutHashes {
    Ecosystem::ALL.into_iter().filter_map(|one| Some((one, registries.why_no_hashes(one)?))).collect()
}

/// Plans one repository and stores what changes by it.
pub async fn plan(store: &Store, registries: &Registries, repo: RepoId, now: Timestamp) -> Result<Done, StepError> {
    plan_all(store, registries, &[repo], now).await.map(Done::Finished)
}

/// Plans several repositories, none of them twice, and stores what changes by it: the very rows that planning each alone
/// would store. The transaction also ends the steps that ask for it, and is to be committed then.
///
/// Made for some dozens at a time. Errors: of the store, and [`StepError::Corrupt`] if anything stored of any of them does
/// not make sense. Nothing is stored then, and planning each alone shows which one it is.
pub async fn plan_all(
    store: &Store,
    registries: &Registries,
    repos: &[RepoId],
    now: Timestamp,
) -> Result<Tx, StepError> {
    let without_hashes = without_hashes(registries);
    let mut outcomes = Vec::with_capacity(repos.len());
    for portion in facts::portions(store, repos).await? {
        let loaded = facts::load(store, &portion).await?;
        let mut outlooks = store.outlooks(&portion).await?;
        let mut catalogue = Catalogue::of(&loaded.packages);
        for one in &loaded.repositories {
            let shown = outlooks.remove(&one.row.repository.id).unwrap_or_default();
            outcomes.push(decide(one, &loaded, shown, &without_hashes, &mut catalogue, now)?);
            // Planning dozens takes a moment, and other tasks have webhooks to answer.
            tokio::task::yield_now().await;
        }
    }
    let drafted = outcomes.iter().flat_map(|one| &one.amended).map(|change| &change.proposal);
    let looks = notes::looks(store, drafted, now).await?;
    let mut tx = store.begin().await?;
    save(&mut tx, &outcomes, &looks, now).await?;
    Ok(tx)
}

/// Whether the plan, made now, asks for just what this proposal holds.
pub(super) async fn still_wants(
    store: &Store,
    registries: &Registries,
    (row, proposal): (&RepositoryRow, &Proposal),
    now: Timestamp,
) -> Result<bool, StepError> {
    let without_hashes = without_hashes(registries);
    let loaded = facts::load_of(store, vec![row.clone()]).await?;
    let mut catalogue = Catalogue::of(&loaded.packages);
    Ok(loaded.repositories.iter().any(|one| {
        let drafts = plan_of(one, &without_hashes, &mut catalogue, now).drafts;
        let is_wanted = |draft: &Draft| draft.group == proposal.group && draft.content == proposal.content;
        // The rules may have become slower since.
        drafts.iter().any(|draft| is_wanted(draft) && draft.due_at <= now)
    }))
}

/// Updates of an open proposal with the times they would have if they were drafted now: a release may hold something else
/// since. `None` where the plan would not draft all of them, or any is not old enough.
pub(super) async fn renewed(
    store: &Store,
    registries: &Registries,
    (row, proposal, updates): (&RepositoryRow, &Proposal, &[Update]),
    now: Timestamp,
) -> Result<Option<Vec<Update>>, StepError> {
    let without_hashes = without_hashes(registries);
    let mut loaded = facts::load_of(store, vec![row.clone()]).await?;
    let Some(mut one) = loaded.repositories.pop() else { return Ok(None) };
    one.proposals.retain(|p| p.id != proposal.id);
    let mut catalogue = Catalogue::of(&loaded.packages);
    let drafts = plan_of(&one, &without_hashes, &mut catalogue, now).drafts;
    let drafted: Vec<&Update> = drafts.iter().filter(|d| d.group == proposal.group).flat_map(|d| &d.updates).collect();
    let renewed = |update: &Update| {
        let is_same = |new: &&&Update| {
            (&new.package, &new.to, &new.refresh) == (&update.package, &update.to, &update.refresh)
                && new.eligible_at <= now
        };
        drafted.iter().find(is_same).map(|new| Update { sites: update.sites.clone(), ..(*new).clone() })
    };
    Ok(updates.iter().map(renewed).collect())
}

/// Whether the plan, made now, is content with a proposal's open pull request: each of its updates is what it would have
/// there, at every place.
pub(super) async fn still_open(
    store: &Store,
    registries: &Registries,
    (row, proposal): (&RepositoryRow, &Proposal),
    now: Timestamp,
) -> Result<bool, StepError> {
    let without_hashes = without_hashes(registries);
    let loaded = facts::load_of(store, vec![row.clone()]).await?;
    let mut catalogue = Catalogue::of(&loaded.packages);
    let Some(one) = loaded.repositories.first() else { return Ok(false) };
    let outlook = plan_of(one, &without_hashes, &mut catalogue, now).outlook;
    Ok(stands(proposal, &outlook))
}

/// Whether all that a proposal holds is open by this outlook. Pure.
fn stands(proposal: &Proposal, outlook: &[Outlook]) -> bool {
    let is_open = |package: &PackageId, path: &RepoPath, target: &str| {
        outlook.iter().any(|row| {
            row.standing == Standing::Open
                && row.package == *package
                && row.path == *path
                && row.target.as_deref() == Some(target)
        })
    };
    let mut updates = proposal.updates.iter();
    updates.all(|update| update.sites.iter().all(|site| is_open(&update.package, &site.path, &update.target())))
}

/// Why an open proposal is not wanted any more, if the plan, made now, has nothing to put in its place.
pub(super) async fn unwanted(
    store: &Store,
    registries: &Registries,
    (row, proposal): (&RepositoryRow, &Proposal),
    now: Timestamp,
) -> Result<Option<String>, StepError> {
    let without_hashes = without_hashes(registries);
    let loaded = facts::load_of(store, vec![row.clone()]).await?;
    let Some(one) = loaded.repositories.first() else { return Ok(None) };
    // Files that have changed and are not read yet tell nothing: the plan after that asks again.
    let is_read = row.head.as_ref().map(|head| &head.commit) == row.indexed_commit.as_ref();
    if one.plannable().is_some() && !is_read {
        return Ok(None);
    }
    let mut catalogue = Catalogue::of(&loaded.packages);
    let plan = plan_of(one, &without_hashes, &mut catalogue, now);
    let ready = match &one.file {
        Some(file) => guarded(plan, one, &loaded.attempted, file, now).1,
        None => Vec::new(),
    };
    let mut partings = partings(one, &loaded.packages).into_iter();
    let found = partings.find(|p| p.proposal.id == proposal.id && goes(p, one, &ready, &loaded.attempted));
    Ok(found.map(|parting| parting.reason))
}

/// Whether a proposal is to be closed: nothing of it is wanted, nothing is being sent to its branch, neither for it nor for a
/// newer one of its group, and nothing is ready to take its place there.
fn goes(parting: &Parting<'_>, one: &RepositoryFacts, ready: &[String], attempted: &BTreeSet<ProposalId>) -> bool {
    let Parting { proposal, whole, .. } = parting;
    let is_sent = |p: &Proposal| p.group == proposal.group && attempted.contains(&p.id);
    *whole && !one.proposals.iter().any(is_sent) && !ready.contains(&proposal.group)
}

/// What is to be stored of one repository's plan.
struct Outcome {
    /// Proposals that change, with what happened to them.
    amended: Vec<Amended>,
    /// Proposals that are being sent and cannot go on: only their words change.
    held_up: Vec<Proposal>,
    outlook: OutlookChange,
    /// Steps to take; those that wait already may become due sooner by it.
    steps: Vec<NewWork>,
    /// Steps to take unless they wait already.
    steps_unless_queued: Vec<NewWork>,
}

/// Decides what a repository's plan changes. Pure, but for the new proposals' identifiers.
fn decide(
    one: &RepositoryFacts,
    Loaded { attempted, errands, .. }: &Loaded,
    shown: Vec<Outlook>,
    without_hashes: &WithoutHashes,
    catalogue: &mut Catalogue<'_>,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let RepositoryFacts { row, blocked, file, proposals, .. } = one;
    let (repo, installation) = (row.repository.id, Some(row.repository.installation));
    let mut plan = plan_of(one, without_hashes, catalogue, now);
    let withdrawn_because = blocked.as_deref().unwrap_or(match file {
        Some(_) => "it is up to date, or the subscription file does not ask for it any more",
        None => "there was never a subscription file that could be used",
    });
    // What is being sent stays as it was written down, until its outcome is known.
    let is_sent = |p: &Proposal| p.state == ProposalState::Waiting && attempted.contains(&p.id);
    let sending: Vec<&Proposal> = proposals.iter().filter(|p| is_sent(p)).collect();
    let others = without(proposals, is_sent);
    plan.drafts.retain(|draft| !sending.iter().any(|p| p.group == draft.group));
    let (plan, ready) = match file {
        Some(file) => guarded(plan, one, attempted, file, now),
        None => (plan, Vec::new()),
    };
    let partings = partings(one, catalogue.packages());
    let amended = planner::reconcile(repo, &others, plan.drafts, withdrawn_because, now, new_id);
    let ids: BTreeMap<&str, &ProposalId> = others
        .iter()
        .filter(|p| p.state == ProposalState::Waiting)
        .chain(amended.iter().map(|a| &a.proposal))
        .map(|p| (p.group.as_str(), &p.id))
        .collect();

    let (mut steps, mut steps_unless_queued, mut held_up) = (Vec::new(), Vec::new(), Vec::new());
    for id in partings.iter().filter(|p| goes(p, one, &ready, attempted)).map(|p| p.proposal.id.clone()) {
        let step = Step::Retire { repo, proposal: id, farewell: Farewell::NotWanted };
        steps_unless_queued.push(step.work(installation, now)?);
    }
    for &proposal in &sending {
        match blocked {
            Some(why) if row.repository.state != RepoState::Active => {
                let reason = format!("{why}; it was being sent, and is looked after when that changes");
                held_up.push(Proposal { reason, ..proposal.clone() });
            }
            _ => {
                let step = Step::Execute { repo, proposal: proposal.id.clone() };
                steps_unless_queued.push(step.work(installation, now)?);
            }
        }
    }
    // What is being sent to the branch of a pull request is brought to its end, whatever kept its step from that.
    let is_on_its_way = |p: &&Proposal| p.state != ProposalState::Waiting && attempted.contains(&p.id);
    if row.repository.state == RepoState::Active {
        for proposal in proposals.iter().filter(is_on_its_way).map(|p| p.id.clone()) {
            let how = errands.get(&proposal).copied().unwrap_or(Rework::Conflict);
            steps_unless_queued.push(Step::Rework { repo, proposal, how }.work(installation, now)?);
        }
    }
    for proposal in ready.iter().filter_map(|group| ids.get(group.as_str()).copied()) {
        let step = Step::Execute { repo, proposal: proposal.clone() }.work(installation, now)?;
        // One that failed waits, however often it is planned for other reasons.
        let is_new = amended.iter().any(|change| change.proposal.id == *proposal);
        if is_new { &mut steps } else { &mut steps_unless_queued }.push(step);
    }
    // Nothing is merged that the plan does not ask for; what it asks for again is looked at.
    let comes_back = |p: &&Proposal| {
        let is_wished = file.as_ref().is_some_and(|file| merge::wants(p, file));
        p.state == ProposalState::Open && is_wished && stands(p, &plan.outlook) && !stands(p, &shown)
    };
    for number in proposals.iter().filter(comes_back).filter_map(|p| Some(p.pull.as_ref()?.number)) {
        steps_unless_queued.push(Step::Merge { repo, number }.work(installation, now)?);
    }
    if let Some(wake_at) = plan.wake_at {
        steps.push(Step::Plan { repo }.work(installation, wake_at)?);
    }
    let outlook = OutlookChange { repo, before: shown, after: plan.outlook };
    Ok(Outcome { amended, held_up, outlook, steps, steps_unless_queued })
}

/// Stores the outcomes of several repositories, each kind of row in as few statements as the database takes.
async fn save(tx: &mut Tx, outcomes: &[Outcome], looks: &Looks, now: Timestamp) -> Result<(), StoreError> {
    let amended = || outcomes.iter().flat_map(|one| &one.amended);
    let held_up = outcomes.iter().flat_map(|one| &one.held_up);
    // Of one repository, what is withdrawn makes room for what is drafted in its place.
    tx.save_proposals(amended().map(|change| &change.proposal).chain(held_up)).await?;
    let events: Vec<(&ProposalId, &str, String)> = amended()
        .filter_map(|Amended { proposal, event }| {
            Some((&proposal.id, ledger_word(*event)?, audit::Drafted::of(proposal).to_detail()))
        })
        .collect();
    tx.record_all(now, events.iter().map(|(proposal, what, detail)| (*proposal, *what, detail.as_str()))).await?;
    tx.replace_outlooks(outcomes.iter().map(|one| &one.outlook)).await?;
    looks.save(tx, now).await?;
    let all = |steps: fn(&Outcome) -> &[NewWork], more: &[NewWork]| {
        outcomes.iter().flat_map(steps).chain(more).cloned().collect::<Vec<NewWork>>()
    };
    tx.enqueue_all(&all(|one| &one.steps, looks.steps()), now).await?;
    tx.enqueue_all_unless_queued(&all(|one| &one.steps_unless_queued, looks.steps_unless_queued()), now).await
}

/// All proposals but some: the same ones, where that is none of them.
fn without(proposals: &[Proposal], left_out: impl Fn(&Proposal) -> bool) -> Cow<'_, [Proposal]> {
    if proposals.iter().any(&left_out) {
        Cow::Owned(proposals.iter().filter(|p| !left_out(p)).cloned().collect())
    } else {
        Cow::Borrowed(proposals)
    }
}

fn new_id() -> ProposalId {
    ProposalId(uuid::Uuid::now_v7().to_string())
}

/// The plan for a repository by its file, before the safeguards are asked; an empty one where nothing may be proposed.
fn plan_of(
    one: &RepositoryFacts,
    without_hashes: &WithoutHashes,
    catalogue: &mut Catalogue<'_>,
    now: Timestamp,
) -> Plan {
    let Some(file) = one.plannable() else { return Plan::default() };
    let held_until = |p: &Proposal| holds_back_until(p, &one.manifests, now);
    let failed: Vec<Timestamp> = one.proposals.iter().filter_map(held_until).collect();
    let left = left(&partings(one, catalogue.packages()));
    let is_over = |p: &Proposal| p.state == ProposalState::Failed && held_until(p).is_none();
    let proposals = without(&one.proposals, |p| is_over(p) || left.contains(&p.id));
    let facts = Facts {
        file,
        subscribed_since: &one.subscribed_since,
        used: &one.used,
        packages: catalogue.packages(),
        unseen: &one.unseen,
        without_hashes,
        proposals: &proposals,
        decisions: &one.decisions,
    };
    let mut plan = planner::plan_with(&facts, catalogue, now);
    plan.wake_at = plan.wake_at.into_iter().chain(failed).min();
    plan
}

/// Until when a failure still holds its proposal back; `None` for one that is over: what it failed at may have passed, or
/// a person has changed a file of it. Pure.
fn holds_back_until(proposal: &Proposal, manifests: &[(RepoPath, Timestamp)], now: Timestamp) -> Option<Timestamp> {
    let failed_at = proposal.updated_at;
    let touches = |path: &RepoPath| proposal.updates.iter().any(|u| u.sites.iter().any(|site| site.path == *path));
    let changed = manifests.iter().any(|(path, updated_at)| *updated_at > failed_at && touches(path));
    let until = planner::failed_until(proposal);
    (proposal.state == ProposalState::Failed && !changed && until > now).then_some(until)
}

/// Asks the safeguards about every draft that is due. Returns the plan with their reasons in it, and the groups that
/// may go ahead.
fn guarded(
    mut plan: Plan,
    one: &RepositoryFacts,
    attempted: &BTreeSet<ProposalId>,
    file: &SubscriptionFile,
    now: Timestamp,
) -> (Plan, Vec<String>) {
    let mut ready = Vec::new();
    for draft in plan.drafts.iter_mut().filter(|draft| draft.due_at <= now) {
        let places = guard::places(&one.proposals, attempted, &draft.group);
        let verdict = held(one, &draft.group).unwrap_or_else(|| guard::verdict(&draft.updates, &places, file));
        let (why, until) = match verdict {
            Verdict::Go => {
                ready.push(draft.group.clone());
                continue;
            }
            Verdict::Wait { until, why } => (why, until),
            Verdict::Stop { why } => (why, None),
        };
        draft.reason.clone_from(&why);
        let waits = |draft: &Draft, row: &Outlook| {
            row.standing == Standing::Waiting
                && draft
                    .updates
                    .iter()
                    .any(|u| u.package == row.package && row.target.as_deref() == Some(u.target().as_str()))
        };
        for row in plan.outlook.iter_mut().filter(|row| waits(draft, row)) {
            row.reason.clone_from(&why);
            row.until = until;
        }
    }
    (plan, ready)
}

/// Whether people's commits were found to be in the way on the branch of a group's open pull request, and nothing has moved
/// since. Pure.
fn held(one: &RepositoryFacts, group: &str) -> Option<Verdict> {
    let open = one.proposals.iter().rev().find(|p| p.state == ProposalState::Open && p.group == group)?;
    let number = open.pull.as_ref()?.number;
    let (_, held) = one.held.iter().find(|(held, _)| *held == number).filter(|(_, held)| held.people)?;
    let is_same = one.row.head.as_ref().is_some_and(|head| head.commit == held.base);
    is_same.then(|| Verdict::Wait { until: None, why: held.why.clone() })
}

fn ledger_word(event: Amendment) -> Option<&'static str> {
    match event {
        Amendment::Drafted => Some(audit::DRAFTED),
        Amendment::Redrafted => Some(audit::REDRAFTED),
        Amendment::Withdrawn => Some("withdrawn"),
        Amendment::Reworded => None,
    }
}
