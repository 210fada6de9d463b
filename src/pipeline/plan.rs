//! Plans a repository: what to propose, when, and why not yet.

use super::{Done, Step, StepError, finished, guard, sync};
use crate::domain::{PackageId, Proposal, ProposalId, ProposalState, RepoId, RepoPath, RepoState, Standing, Verdict};
use crate::planner::{self, Amendment, Draft, Facts, Known, Plan, Used};
use crate::store::{ConfigState, RepositoryRow, Store};
use crate::subscription::SubscriptionFile;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A proposal that failed is tried again after this, or as soon as one of its files has changed.
const FAILURE_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// Plans one repository and stores what changes by it.
pub async fn plan(store: &Store, repo: RepoId, now: Timestamp) -> Result<Done, StepError> {
    let Some(row) = store.repository(repo).await? else { return finished(store).await };
    let installation = Some(row.repository.installation);
    let proposals = store.proposals(repo).await?;
    let attempted = store.attempted(repo).await?;
    let file = sync::file_in_force(&row.config)?;
    let blocked = blocked(&row);
    let mut plan = match (&blocked, &file) {
        (None, Some(file)) => plan_with(store, repo, file, &proposals, now).await?,
        _ => Plan::default(),
    };
    let withdrawn_because = blocked.clone().unwrap_or_else(|| {
        let why = match file {
            Some(_) => "it is up to date, or the subscription file does not ask for it any more",
            None => "there was never a subscription file that could be used",
        };
        why.to_string()
    });
    // What is being sent stays as it was written down, until its outcome is known.
    let (sending, others): (Vec<&Proposal>, Vec<&Proposal>) =
        proposals.iter().partition(|p| p.state == ProposalState::Waiting && attempted.contains(&p.id));
    let others: Vec<Proposal> = others.into_iter().cloned().collect();
    plan.drafts.retain(|draft| !sending.iter().any(|p| p.group == draft.group));
    let (plan, ready) = match &file {
        Some(file) => guarded(plan, &proposals, &attempted, file, now),
        None => (plan, Vec::new()),
    };
    let amended = planner::reconcile(repo, &others, plan.drafts, &withdrawn_because, now, new_id);
    let ids: BTreeMap<String, ProposalId> = others
        .iter()
        .filter(|p| p.state == ProposalState::Waiting)
        .chain(amended.iter().map(|a| &a.proposal))
        .map(|p| (p.group.clone(), p.id.clone()))
        .collect();

    let mut tx = store.begin().await?;
    for change in &amended {
        tx.save_proposal(&change.proposal).await?;
        if let Some(what) = ledger_word(change.event) {
            tx.record(&change.proposal.id, now, what, &ledger_detail(&change.proposal)).await?;
        }
    }
    for &proposal in &sending {
        match &blocked {
            Some(why) if row.repository.state != RepoState::Active => {
                let reason = format!("{why}; it was being sent, and is looked after when that changes");
                tx.save_proposal(&Proposal { reason, ..proposal.clone() }).await?;
            }
            _ => {
                let step = Step::Execute { repo, proposal: proposal.id.clone() };
                step.queue_unless_queued(&mut tx, installation, now).await?;
            }
        }
    }
    tx.replace_outlook(repo, &plan.outlook).await?;
    for group in ready {
        if let Some(proposal) = ids.get(&group) {
            let step = Step::Execute { repo, proposal: proposal.clone() };
            // One that failed waits, however often it is planned for other reasons.
            if amended.iter().any(|change| change.proposal.id == *proposal) {
                step.queue(&mut tx, installation, now).await?;
            } else {
                step.queue_unless_queued(&mut tx, installation, now).await?;
            }
        }
    }
    if let Some(wake_at) = plan.wake_at {
        Step::Plan { repo }.queue_at(&mut tx, installation, wake_at, now).await?;
    }
    Ok(Done::Finished(tx))
}

/// Whether the plan, made now, asks for just what this proposal holds.
pub(super) async fn still_wants(
    store: &Store,
    row: &RepositoryRow,
    proposal: &Proposal,
    now: Timestamp,
) -> Result<bool, StepError> {
    let (None, Some(file)) = (blocked(row), sync::file_in_force(&row.config)?) else { return Ok(false) };
    let proposals = store.proposals(proposal.repo).await?;
    let plan = plan_with(store, proposal.repo, &file, &proposals, now).await?;
    Ok(plan.drafts.iter().any(|draft| draft.group == proposal.group && draft.content == proposal.content))
}

fn new_id() -> ProposalId {
    ProposalId(uuid::Uuid::now_v7().to_string())
}

/// Why nothing may be proposed to a repository, whatever its file says.
fn blocked(row: &RepositoryRow) -> Option<String> {
    let why = match row.repository.state {
        RepoState::Active if row.repository.fork => sync::FORK,
        RepoState::Active if row.config.state == ConfigState::None => "the repository has no subscription file",
        RepoState::Active if row.repository.default_branch.is_none() => "the repository has no default branch",
        RepoState::Active if row.head.is_none() => "the repository has no commit yet",
        RepoState::Active => return None,
        RepoState::Archived => "the repository is archived",
        RepoState::Disabled => "the repository was disabled by GitHub",
        RepoState::Suspended => "the installation is suspended",
        RepoState::Removed => "the repository was deleted, or taken from the installation",
    };
    Some(why.to_string())
}

async fn plan_with(
    store: &Store,
    repo: RepoId,
    file: &SubscriptionFile,
    proposals: &[Proposal],
    now: Timestamp,
) -> Result<Plan, StepError> {
    let since: Vec<Timestamp> = store.subscriptions(repo).await?.into_iter().map(|row| row.since).collect();
    let used: Vec<Used> = store
        .dependencies(repo)
        .await?
        .into_iter()
        .map(|row| Used { dependency: row.dependency, since: row.since })
        .collect();
    let wanted: BTreeSet<&PackageId> = used.iter().map(|u| &u.dependency.package).collect();
    let wanted: Vec<PackageId> = wanted.into_iter().cloned().collect();
    let mut releases = store.releases_of(&wanted).await?;
    let mut packages = BTreeMap::new();
    for row in store.packages(&wanted).await? {
        let known = match (row.checked_at, row.last_error) {
            (Some(_), _) => Known::Releases(releases.remove(&row.package).unwrap_or_default()),
            (None, Some(error)) => Known::Failed(error),
            (None, None) => Known::NotYetAsked,
        };
        packages.insert(row.package, known);
    }
    let any_failed = proposals.iter().any(|p| p.state == ProposalState::Failed);
    let manifests = if any_failed { store.manifests(repo).await? } else { Vec::new() };
    let manifests: Vec<(RepoPath, Timestamp)> =
        manifests.into_iter().map(|row| (row.manifest.path, row.updated_at)).collect();
    let failed: Vec<Timestamp> = proposals.iter().filter_map(|p| failed_until(p, &manifests, now)).collect();
    let proposals: Vec<Proposal> = proposals
        .iter()
        .filter(|p| p.state != ProposalState::Failed || failed_until(p, &manifests, now).is_some())
        .cloned()
        .collect();
    let facts = Facts { file, subscribed_since: &since, used: &used, packages: &packages, proposals: &proposals };
    let mut plan = planner::plan(&facts, now);
    plan.wake_at = plan.wake_at.into_iter().chain(failed).min();
    Ok(plan)
}

/// Until when a failure still holds its proposal back; `None` for one that is over: what it failed at may have passed, or
/// a person has changed a file of it. Pure.
fn failed_until(proposal: &Proposal, manifests: &[(RepoPath, Timestamp)], now: Timestamp) -> Option<Timestamp> {
    let failed_at = proposal.updated_at;
    let touches = |path: &RepoPath| proposal.updates.iter().any(|u| u.sites.iter().any(|site| site.path == *path));
    let changed = manifests.iter().any(|(path, updated_at)| *updated_at > failed_at && touches(path));
    let until = failed_at + FAILURE_LASTS;
    (proposal.state == ProposalState::Failed && !changed && until > now).then_some(until)
}

/// Asks the safeguards about every draft that is due. Returns the plan with their reasons in it, and the groups that
/// may go ahead.
fn guarded(
    mut plan: Plan,
    proposals: &[Proposal],
    attempted: &BTreeSet<ProposalId>,
    file: &SubscriptionFile,
    now: Timestamp,
) -> (Plan, Vec<String>) {
    let mut ready = Vec::new();
    for draft in plan.drafts.iter_mut().filter(|draft| draft.due_at <= now) {
        let (why, until) =
            match guard::verdict(&draft.updates, &guard::places(proposals, attempted, &draft.group), file) {
                Verdict::Go => {
                    ready.push(draft.group.clone());
                    continue;
                }
                Verdict::Wait { until, why } => (why, until),
                Verdict::Stop { why } => (why, None),
            };
        draft.reason.clone_from(&why);
        let held = |draft: &Draft, row: &crate::domain::Outlook| {
            row.standing == Standing::Waiting
                && draft.updates.iter().any(|u| u.package == row.package && Some(&u.to) == row.target.as_ref())
        };
        for row in plan.outlook.iter_mut().filter(|row| held(draft, row)) {
            row.reason.clone_from(&why);
            row.until = until;
        }
    }
    (plan, ready)
}

fn ledger_word(event: Amendment) -> Option<&'static str> {
    match event {
        Amendment::Drafted => Some("drafted"),
        Amendment::Redrafted => Some("redrafted"),
        Amendment::Withdrawn => Some("withdrawn"),
        Amendment::Reworded => None,
    }
}

/// What the ledger keeps of a proposal: enough to prove later that it was not early.
fn ledger_detail(proposal: &Proposal) -> String {
    let updates: Vec<serde_json::Value> = proposal
        .updates
        .iter()
        .map(|u| {
            serde_json::json!({
                "package": u.package.to_string(), "to": u.to,
                "released_at": u.released_at, "eligible_at": u.eligible_at, "due_at": u.due_at,
            })
        })
        .collect();
    serde_json::json!({ "due_at": proposal.due_at, "reason": proposal.reason, "updates": updates }).to_string()
}
