//! Makes a pull request out of a proposal whose time has come.
//!
//! The order of things is what makes a crash harmless: GitHub is asked to create a tree, a commit, a branch, a pull request;
//! then our row says so. A repeat looks first, recognises what it made before by the branch's name and the commit's
//! parent and tree, and adopts it.

use super::{Done, Step, StepError, guard, sync, target};
use crate::domain::{
    Change, FileChange, Head, Proposal, ProposalId, ProposalState, RepoId, RepoPath, RepoState, Site, Update, Verdict,
};
use crate::forge::{ForgeError, GitHub, Proposed, PullStatus};
use crate::managers::{self, Edit};
use crate::planner::prose;
use crate::registries::{Registries, RegistryError};
use crate::store::{ManifestRow, RepositoryRow, Store};
use crate::subscription::SubscriptionFile;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Opens the pull request of one proposal, unless something speaks against it now. `repeated` says that this step was
/// begun before and may have got any distance.
pub async fn execute(
    store: &Store,
    forge: &GitHub,
    registries: &Registries,
    (repo, id): (RepoId, &ProposalId),
    repeated: bool,
    now: Timestamp,
) -> Result<Done, StepError> {
    let (Some(row), Some(mut proposal)) = (store.repository(repo).await?, store.proposal(id).await?) else {
        return Ok(Done::Finished(store.begin().await?));
    };
    let Some((file, base, base_branch)) = ready(&row, &proposal)? else { return plan_again(store, &row, now).await };
    if proposal.due_at > now {
        let tx = store.begin().await?;
        return Ok(Done::PutBack { tx, until: proposal.due_at, why: proposal.reason });
    }
    let all = store.proposals(repo).await?;
    match guard::verdict(&proposal.group, &proposal.updates, &all, &file) {
        Verdict::Go => {}
        Verdict::Wait { .. } | Verdict::Stop { .. } => return plan_again(store, &row, now).await,
    }
    let digests = match digests(registries, &proposal.updates).await {
        Ok(digests) => digests,
        Err(error) if !error.may_pass() => return fail(store, &row, proposal, &error.to_string(), now).await,
        Err(error) => return Err(error.into()),
    };
    let manifests = store.manifests(repo).await?;
    let files = match edited(&manifests, &proposal.updates, &digests) {
        Ok(files) => files,
        Err(why) => return fail(store, &row, proposal, &why, now).await,
    };
    let delay = guard::subscription_of(&proposal.updates, &file).map_or_else(|| "immediate".into(), |s| s.delay.kind());
    let occasion = prose::Occasion {
        timezone: &file.timezone,
        delay: &delay,
        file: row.config.path.as_ref().map_or(".mass-driver.yaml", |path| path.as_str()),
    };
    let change = Change {
        base,
        base_branch,
        branch: proposal.branch.clone(),
        files,
        message: prose::commit_message(&proposal.title, &proposal.updates),
        title: proposal.title.clone(),
        body: prose::body(&proposal.updates, &occasion),
    };
    match forge.propose(&target(&row), &change, repeated).await {
        Ok(proposed) => opened(store, &row, proposal, &all, proposed, now).await,
        // The branch's name is taken by something that is not ours: leave it alone and use another.
        Err(ForgeError::Conflict { .. }) if !proposal.branch.ends_with(&suffix(&proposal.id)) => {
            proposal.branch = format!("{}-{}", proposal.branch, suffix(&proposal.id));
            let mut tx = store.begin().await?;
            tx.save_proposal(&proposal).await?;
            Ok(Done::PutBack { tx, until: now, why: "its branch's name was taken".into() })
        }
        Err(
            ForgeError::StaleBase { .. }
            | ForgeError::Gone { .. }
            | ForgeError::Moved { .. }
            | ForgeError::Archived { .. }
            | ForgeError::Empty { .. },
        ) => sync_again(store, &row, now).await,
        Err(
            error @ (ForgeError::Conflict { .. }
            | ForgeError::Invalid { .. }
            | ForgeError::Forbidden { .. }
            | ForgeError::NoChange { .. }),
        ) => fail(store, &row, proposal, &error.to_string(), now).await,
        Err(error) => Err(error.into()),
    }
}

/// What is needed to go ahead: the file in force, and a head whose manifests are all indexed.
type Ready = (SubscriptionFile, Head, String);

fn ready(row: &RepositoryRow, proposal: &Proposal) -> Result<Option<Ready>, StepError> {
    let usable = row.repository.state == RepoState::Active && proposal.state == ProposalState::Waiting;
    let file = sync::file_in_force(&row.config)?;
    let head = row.head.clone().filter(|head| row.indexed_commit.as_ref() == Some(&head.commit));
    Ok(match (usable, file, head, row.repository.default_branch.clone()) {
        (true, Some(file), Some(head), Some(branch)) => Some((file, head, branch)),
        _ => None,
    })
}

/// Part of a proposal's id: the random end, since ids made in the same moment begin alike.
fn suffix(id: &ProposalId) -> String {
    let plain: Vec<char> = id.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    plain[plain.len().saturating_sub(8)..].iter().collect()
}

async fn plan_again(store: &Store, row: &RepositoryRow, now: Timestamp) -> Result<Done, StepError> {
    let repo = row.repository.id;
    let installation = Some(row.repository.installation);
    let indexed = row.head.as_ref().map(|head| &head.commit) == row.indexed_commit.as_ref();
    let next = if indexed { Step::Plan { repo } } else { Step::Index { repo } };
    let mut tx = store.begin().await?;
    next.queue(&mut tx, installation, now).await?;
    Ok(Done::Finished(tx))
}

async fn sync_again(store: &Store, row: &RepositoryRow, now: Timestamp) -> Result<Done, StepError> {
    let step = Step::SyncRepository { repo: row.repository.id, details: true, name: None };
    let mut tx = store.begin().await?;
    step.queue(&mut tx, Some(row.repository.installation), now).await?;
    Ok(Done::Finished(tx))
}

async fn fail(
    store: &Store,
    row: &RepositoryRow,
    mut proposal: Proposal,
    why: &str,
    now: Timestamp,
) -> Result<Done, StepError> {
    tracing::warn!(repository = %row.repository.name, proposal = %proposal.id, why, "a pull request could not be made");
    proposal.state = ProposalState::Failed;
    proposal.reason = why.to_string();
    proposal.updated_at = now;
    let mut tx = store.begin().await?;
    tx.save_proposal(&proposal).await?;
    tx.record(&proposal.id, now, "failed", why).await?;
    Step::Plan { repo: proposal.repo }.queue(&mut tx, Some(row.repository.installation), now).await?;
    Ok(Done::Finished(tx))
}

async fn opened(
    store: &Store,
    row: &RepositoryRow,
    mut proposal: Proposal,
    all: &[Proposal],
    Proposed { pull, status, .. }: Proposed,
    now: Timestamp,
) -> Result<Done, StepError> {
    let installation = Some(row.repository.installation);
    tracing::info!(repository = %row.repository.name, proposal = %proposal.id, pull = %pull.number, "opened a pull request");
    proposal.state = ProposalState::Open;
    proposal.reason = format!("pull request #{} is open", pull.number);
    proposal.opened_at = Some(now);
    proposal.updated_at = now;
    let repo = proposal.repo;
    let mut tx = store.begin().await?;
    for old in all.iter().filter(|p| p.state == ProposalState::Open && p.group == proposal.group && p.id != proposal.id)
    {
        let reason = format!("#{} took its place", pull.number);
        tx.save_proposal(&Proposal { state: ProposalState::Superseded, reason, updated_at: now, ..old.clone() })
            .await?;
        tx.record(&old.id, now, "superseded", &format!("by #{}", pull.number)).await?;
        Step::Retire { repo, proposal: old.id.clone(), by: pull.number }.queue(&mut tx, installation, now).await?;
    }
    if !proposal.labels.is_empty() {
        Step::Label { repo, proposal: proposal.id.clone() }.queue(&mut tx, installation, now).await?;
    }
    if status != PullStatus::Open {
        // An earlier attempt got this far, and a person was faster than our repeat.
        Step::Follow { repo, number: pull.number }.queue(&mut tx, installation, now).await?;
    }
    tx.record(&proposal.id, now, "opened", &format!("#{}", pull.number)).await?;
    proposal.pull = Some(pull);
    tx.save_proposal(&proposal).await?;
    Step::Plan { repo }.queue(&mut tx, installation, now).await?;
    Ok(Done::Finished(tx))
}

/// The digests that updates of pinned images need, by package and version.
type Digests = BTreeMap<(String, String), String>;

async fn digests(registries: &Registries, updates: &[Update]) -> Result<Digests, RegistryError> {
    let mut digests = Digests::new();
    for update in updates.iter().filter(|update| update.sites.iter().any(|site| site.digest.is_some())) {
        let digest = registries.digest(&update.package, &update.to).await?;
        digests.insert((update.package.to_string(), update.to.clone()), digest);
    }
    Ok(digests)
}

/// The new texts of all files the updates touch. Pure.
fn edited(manifests: &[ManifestRow], updates: &[Update], digests: &Digests) -> Result<Vec<FileChange>, String> {
    let mut edits: BTreeMap<(&RepoPath, &str), Vec<Edit>> = BTreeMap::new();
    for update in updates {
        for site in &update.sites {
            let edits = edits.entry((&site.path, &site.manager)).or_default();
            let edit = edit_of(update, site, digests);
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
    }
    let mut changes: BTreeMap<&RepoPath, FileChange> = BTreeMap::new();
    for ((path, manager_name), edits) in edits {
        let row = manifests.iter().find(|m| m.manifest.path == *path && m.manifest.manager == manager_name);
        let (Some(row), Some(manager)) = (row, managers::by_name(manager_name)) else {
            return Err(format!("{path} is not among the files that were read"));
        };
        // Two managers may read one file: the second edits what the first one made.
        let before = changes.get(path).map_or(row.manifest.text.as_str(), |change| change.text.as_str());
        let text = manager.edit(path, before, &edits).map_err(|error| format!("{path}: {error}"))?;
        changes.insert(path, FileChange { path: path.clone(), mode: row.manifest.mode, text });
    }
    Ok(changes.into_values().collect())
}

fn edit_of(update: &Update, site: &Site, digests: &Digests) -> Edit {
    let digest = digests.get(&(update.package.to_string(), update.to.clone()));
    Edit {
        package: update.package.clone(),
        from: site.from.clone(),
        constraint: site.constraint.clone(),
        to: update.to.clone(),
        digest_from: site.digest.clone(),
        digest_to: digest.filter(|_| site.digest.is_some()).cloned(),
    }
}
