//! Brings what we know of installations, repositories and subscription files in line with GitHub.

mod file;
mod organisation;

use self::file::{Found, subscription_rows};
pub(super) use self::file::{
    ORGANISATION, SUBSCRIPTIONS, config_after, file_in_force, find_in, organisation_in_force, problems,
};
use self::organisation::Shelf;
pub(super) use self::organisation::is_for_all;
use super::watch::UNWANTED_PAUSE;
use super::{Done, Step, StepError, branch, finished, onboard, target};
use crate::domain::{
    Asked, InstallationId, Place, Proposal, ProposalState, RepoId, RepoName, RepoState, Repository, Rework,
};
use crate::forge::{ForgeError, GitHub, ListedRepository, Target};
use crate::store::{Claimed, Config, ConfigState, Installation, ListedRow, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// Why a fork is not served. It carries its original's subscription file, which its owner never asked for, and what the
/// original merges arrives in it anyway; the peers leave forks alone for the same reason.
pub(super) const FORK: &str = "the repository is a fork, and updates reach it through its original";

/// So many repositories of a new installation are stored in one transaction: others want to write in between.
const PORTION: usize = 500;
/// Who changes their mind about a closed pull request does so soon. As far back GitHub's log of deliveries goes.
pub(super) const REOPENED_WITHIN: SignedDuration = SignedDuration::from_hours(3 * 24);
/// By so much our clock may differ from GitHub's.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(10);
/// More installations than this are not looked for among those that GitHub does not list any more.
const INSTALLATIONS_MAX: u32 = 100_000;

/// Has every installation of the App looked at, and those we know that GitHub does not list any more.
pub async fn app(store: &Store, forge: &GitHub, now: Timestamp) -> Result<Done, StepError> {
    let listed: BTreeSet<InstallationId> = forge.installations().await?.into_iter().map(|info| info.id).collect();
    let stored = store.installations(INSTALLATIONS_MAX).await?;
    let lost = stored.iter().map(|row| &row.installation).filter(|i| !i.removed && !listed.contains(&i.id));
    let lost: BTreeSet<InstallationId> = lost.map(|installation| installation.id).collect();
    tracing::info!(installations = listed.len(), lost = lost.len(), "GitHub knows this App");
    let mut tx = store.begin().await?;
    for &installation in listed.iter().chain(&lost) {
        Step::SyncInstallation { installation }.queue(&mut tx, Some(installation), now).await?;
    }
    for &installation in &listed {
        Step::CatchUp { installation }.queue(&mut tx, Some(installation), now).await?;
    }
    Ok(Done::Finished(tx))
}

/// Has every open pull request, every one that was closed lately and may be open again, and every subscribed repository of an installation looked at: people merged, closed and
/// pushed while nobody listened, and GitHub does not tell again.
pub async fn catch_up(store: &Store, installation: InstallationId, now: Timestamp) -> Result<Done, StepError> {
    let pulls = store.pulls_to_look_at(installation, now - REOPENED_WITHIN).await?;
    let pulls = pulls.into_iter().map(|(repo, number)| Step::Follow { repo, number });
    let repositories = store.subscribed_repositories(installation).await?;
    let repositories = repositories.into_iter().map(|repo| Step::SyncRepository { repo, details: false, name: None });
    let steps: Vec<Step> = pulls.chain(repositories).chain([Step::OnboardAll { installation, more: false }]).collect();
    // A repetition finds those queued that wait already.
    for portion in steps.chunks(PORTION) {
        let mut tx = store.begin().await?;
        for step in portion {
            step.queue_last(&mut tx, Some(installation), now).await?;
        }
        tx.commit().await?;
    }
    finished(store).await
}

/// Reads an installation and its repositories anew.
pub async fn installation(
    store: &Store,
    forge: &GitHub,
    id: InstallationId,
    lease: &Claimed,
    now: Timestamp,
) -> Result<Done, StepError> {
    let before = store.installation(id).await?.map(|row| row.installation);
    let mut info = match forge.installation(id).await {
        Ok(info) => Some(info),
        Err(ForgeError::Gone { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut listed = Vec::new();
    if let Some(info) = info.as_mut().filter(|info| !info.suspended) {
        match forge.repositories(id).await {
            Ok(found) => listed = found,
            // It happened just now.
            Err(ForgeError::Suspended { .. }) => info.suspended = true,
            Err(error) => return Err(error.into()),
        }
    }
    let usable = info.as_ref().is_some_and(|info| !info.suspended);
    let stored: HashMap<RepoId, ListedRow> =
        store.listed_repositories(id).await?.into_iter().map(|row| (row.repository.id, row)).collect();
    let there: BTreeSet<RepoId> = listed.iter().map(|listed| listed.repository.id).collect();

    // A repetition finds those that were stored before, so the portions need not be one transaction.
    for portion in listed.chunks(PORTION) {
        let mut tx = store.begin().await?;
        // The list may be old by now, and somebody else have a newer one.
        tx.still_ours(lease).await?;
        // All at once, and packages before what is queued, as whoever has a package planned: nobody then waits for one who
        // waits for him.
        let woken = portion.iter().filter(|one| comes_back(&one.repository, stored.get(&one.repository.id)));
        let woken: Vec<RepoId> = woken.map(|one| one.repository.id).collect();
        tx.wake_packages(&woken, now - UNWANTED_PAUSE, now).await?;
        for one in portion {
            list(&mut tx, one, stored.get(&one.repository.id), now).await?;
        }
        tx.commit().await?;
    }
    let mut tx = store.begin().await?;
    match &info {
        Some(info) => {
            let row = Installation {
                id,
                account: info.account.clone(),
                account_kind: info.account_kind.as_str().to_string(),
                suspended: info.suspended,
                removed: false,
            };
            tx.save_installation(&row, now).await?;
        }
        None => drop(tx.set_installation_removed(id, true, now).await?),
    }
    let lost = if info.is_none() || usable { RepoState::Removed } else { RepoState::Suspended };
    let mut plans = Vec::new();
    for (&repo, row) in stored.iter().filter(|(repo, _)| !there.contains(repo)) {
        if row.repository.state != lost {
            tx.set_listed_state((id, repo), lost, now).await?;
            plans.push(Step::Plan { repo }.work(Some(id), now)?);
        }
    }
    tx.enqueue_all(&plans, now).await?;
    if usable {
        // What was refused may be granted now; what waited for the end of a suspension need not wait any longer.
        tx.unpark_installation(id, now).await?;
        if before.is_some_and(|before| before.suspended || before.removed) {
            tx.hasten_installation(id, now).await?;
        }
    }
    Ok(Done::Finished(tx))
}

/// Has everything tried anew that failed in an installation. Its permissions have just been changed: what was missing
/// may be there now, and what failed for another reason costs one more attempt.
pub(super) async fn forget_failures(
    store: &Store,
    tx: &mut Tx,
    installation: InstallationId,
    now: Timestamp,
) -> Result<(), StepError> {
    for failed in store.failed_proposals_of(installation).await? {
        let (id, repo) = (failed.id.clone(), failed.repo);
        let reason = format!("{}; the App's permissions were changed since, so it is planned anew", failed.reason);
        let withdrawn = Proposal { state: ProposalState::Withdrawn, reason, updated_at: now, ..failed };
        tx.save_proposal(&withdrawn).await?;
        tx.record(&id, now, "withdrawn", "the App's permissions were changed").await?;
        Step::Plan { repo }.queue(tx, Some(installation), now).await?;
    }
    // What was held up by their want is looked at again, and held again where that is as before.
    for (repo, number) in store.held_of_installation(installation).await? {
        let open = store.proposal_by_pull(repo, number).await?.filter(|p| p.state == ProposalState::Open);
        if let Some(proposal) = open {
            if let Some(row) = store.repository(repo).await? {
                branch::release(tx, &row, (&proposal.id, number), now + branch::SECOND_THOUGHT, now).await?;
            }
            let step = Step::Rework { repo, proposal: proposal.id, how: Rework::Conflict };
            step.queue(tx, Some(installation), now).await?;
        }
    }
    if tx.forget_failed_onboardings(installation).await? > 0 {
        Step::OnboardAll { installation, more: true }.queue(tx, Some(installation), now).await?;
    }
    Ok(())
}

/// Whether a repository is served from now on that was not before: it is new, or was suspended, archived or away. Pure.
fn comes_back(listed: &Repository, stored: Option<&ListedRow>) -> bool {
    listed.state == RepoState::Active && stored.is_none_or(|row| row.repository.state != RepoState::Active)
}

/// Takes over what an installation's list says of a repository. Of one we know, only the state is believed: its name and
/// its default branch belong together with its head, and change with it, in the repository's own step.
async fn list(
    tx: &mut Tx,
    ListedRepository { repository: listed, pushed_at }: &ListedRepository,
    stored: Option<&ListedRow>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let repo = listed.id;
    let sync = |details, name| Step::SyncRepository { repo, details, name };
    if stored.is_none() {
        tx.save_repository(listed, now).await?;
    }
    if let Some(at) = pushed_at {
        tx.note_push(repo, *at).await?;
    }
    let step = match stored {
        None if listed.state == RepoState::Active => sync(false, None),
        None => Step::Plan { repo },
        Some(row) => {
            let known = &row.repository;
            let as_listed = Repository { state: listed.state, ..known.clone() } == *listed;
            if known.state != listed.state {
                tx.set_listed_state((listed.installation, repo), listed.state, now).await?;
            }
            match listed.state {
                RepoState::Active if !as_listed => sync(true, Some(listed.name.clone())),
                RepoState::Active if row.synced_at.is_none() || known.state != RepoState::Active => sync(false, None),
                _ if known.state != listed.state => Step::Plan { repo },
                RepoState::Active if missed_a_push(row, *pushed_at) => {
                    return sync(false, None).queue_last(tx, Some(listed.installation), now).await;
                }
                _ => return Ok(()),
            }
        }
    };
    // What became of its pull requests was told to nobody, or to another installation.
    if comes_back(listed, stored) {
        wake(tx, repo, &WAITING, now).await?;
        for number in tx.open_pulls(repo).await? {
            Step::Follow { repo, number }.queue(tx, Some(listed.installation), now).await?;
        }
    }
    step.queue(tx, Some(listed.installation), now).await
}

/// The steps that may wait for a change of the repository …
const WAITING: [&str; 8] = ["execute", "index", "invite", "label", "merge", "retire", "rework", "tell"];
/// … and those that may wait for the end of its archive. The others have a pause that is to be kept to.
const RESTING: [&str; 5] = ["invite", "label", "retire", "rework", "tell"];

/// Has the steps of these names go on at once that wait for just what is being stored of a repository.
async fn wake(tx: &mut Tx, repo: RepoId, steps: &[&str], now: Timestamp) -> Result<(), StoreError> {
    let subject = Step::Plan { repo }.subject();
    for step in steps {
        tx.hasten(&subject, step, now).await?;
    }
    Ok(())
}

/// Whether somebody may have pushed what we have not seen. A head that was read after the listed push holds it. What a
/// webhook told of a later push holds it, too; of a push in the same second it does not, since GitHub tells no more
/// than the second, and another one may have followed within it. Pure.
fn missed_a_push(known: &ListedRow, listed_at: Option<Timestamp>) -> bool {
    let read_to = known.synced_at.map(|at| at - CLOCKS_DIFFER);
    let is_read = |at: Timestamp| read_to.is_some_and(|read_to| at < read_to);
    let is_overtaken = |at: Timestamp| known.pushed_at.is_some_and(|told| at < told);
    listed_at.is_some_and(|at| !is_read(at) && !is_overtaken(at))
}

/// Reads a repository's head and subscription file anew, and its details too where `details` asks for it.
pub async fn repository(
    store: &Store,
    forge: &GitHub,
    repo: RepoId,
    details: bool,
    name: Option<&RepoName>,
    now: Timestamp,
) -> Result<Done, StepError> {
    let Some(mut row) = store.repository(repo).await? else { return Ok(Done::Finished(store.begin().await?)) };
    let before = row.repository.clone();
    let installation = before.installation;
    if details {
        let target = Target { name: name.unwrap_or(&row.repository.name).clone(), ..target(&row) };
        match forge.repository(&target).await {
            Ok(found) => row.repository = Repository { installation, ..found },
            // Deleted, taken from the installation, or known under a name that is not its own any more: the list decides.
            Err(
                ForgeError::Gone { .. }
                | ForgeError::Moved { .. }
                | ForgeError::Suspended { .. }
                | ForgeError::Unauthorized { .. },
            ) => {
                let mut tx = store.begin().await?;
                Step::SyncInstallation { installation }.queue(&mut tx, Some(installation), now).await?;
                return Ok(Done::Finished(tx));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if row.repository.state != RepoState::Active || row.repository.fork {
        let mut tx = store.begin().await?;
        if !tx.replace_repository(&before, &row.repository, now).await? {
            return overtaken(tx, &before, now).await;
        }
        tx.set_note(repo, Some(FORK).filter(|_| row.repository.fork), now).await?;
        tx.set_synced(repo, now).await?;
        Step::Plan { repo }.queue(&mut tx, Some(installation), now).await?;
        return Ok(Done::Finished(tx));
    }
    let target = target(&row);
    let head = match &row.repository.default_branch {
        Some(branch) => forge.head(&target, branch).await?,
        None => None,
    };
    // The file goes with the head: neither is stored without the other.
    let same = head.is_some() && head == row.head && row.synced_at.is_some();
    let shelf = Shelf::of(store, &row).await?;
    let tree = match &head {
        Some(head) if !same || shelf.is_unread() => Some(forge.tree(&target, &head.tree).await?),
        _ => None,
    };
    let found = match &tree {
        _ if same => Found::Unchanged,
        Some(tree) => find_in(&SUBSCRIPTIONS, forge, &target, tree, &row.config).await?,
        None => Found::None,
    };
    let config = config_after(&SUBSCRIPTIONS, &row.config, found, now);
    let organisation = shelf.renewed(forge, &target, tree.as_deref(), now).await?;
    let onboards = onboard::is_due(store, (&row.repository, &config, head.as_ref())).await?;

    let mut tx = store.begin().await?;
    if !tx.replace_repository(&before, &row.repository, now).await? {
        return overtaken(tx, &before, now).await;
    }
    if row.repository != before || head != row.head {
        wake(&mut tx, repo, &WAITING, now).await?;
    } else if details {
        // Nothing has changed, by what was stored; but somebody may rest because of an archive that was never stored.
        wake(&mut tx, repo, &RESTING, now).await?;
    }
    if let Some(head) = &head {
        tx.set_head(repo, Some(head), now).await?;
    }
    tx.save_config(repo, &config, now).await?;
    if config.blob != row.config.blob {
        // It may say otherwise who merges what is open; those of which it says nothing are not asked about.
        for number in tx.open_pulls(repo).await? {
            Step::Merge { repo, number }.queue(&mut tx, Some(installation), now).await?;
        }
    }
    if config.state == ConfigState::None {
        tx.replace_subscriptions(repo, &[], now).await?;
    } else if let Some(file) = file_in_force(&config)? {
        let changed = tx.replace_subscriptions(repo, &subscription_rows(&file), now).await?;
        if changed || before.state != RepoState::Active {
            tx.wake_packages(&[repo], now - UNWANTED_PAUSE, now).await?;
        }
    }
    let is_other = is_another_file(&row.config, &config);
    if let Some(head) = head.as_ref().filter(|_| is_other || organisation.is_some()) {
        if is_other && config.state == ConfigState::Valid {
            tx.set_config_commit(repo, &head.commit).await?;
        }
        let asks = organisation.as_ref().map(|organisation| organisation.state);
        // Nobody has just pushed what is there at the first look. That it does not work is worth a word all the same.
        let is_broken = [Some(config.state), asks].contains(&Some(ConfigState::Broken));
        let is_there = is_other || asks.is_some_and(|state| state != ConfigState::None);
        if is_broken || (row.synced_at.is_some() && is_there) {
            let place = Place::Branch(row.repository.default_branch.clone().unwrap_or_default());
            let asked = Asked { repo, commit: head.commit.clone(), place, follows: None, named: is_other };
            tx.ask_examination(&asked, now).await?;
            let step = Step::Examine { repo, commit: head.commit.clone(), again: false };
            step.queue_unless_queued(&mut tx, Some(installation), now).await?;
        }
    }
    tx.set_synced(repo, now).await?;
    if let Some(organisation) = &organisation {
        tx.save_organisation(repo, organisation).await?;
        Step::OnboardAll { installation, more: false }.queue(&mut tx, Some(installation), now).await?;
    }
    if onboards {
        Step::Onboard { repo }.queue_unless_queued(&mut tx, Some(installation), now).await?;
    }
    let next = if config.file.is_some() && head.is_some() { Step::Index { repo } } else { Step::Plan { repo } };
    next.queue(&mut tx, Some(installation), now).await?;
    Ok(Done::Finished(tx))
}

/// Whether the file at the head is not the one that was there before. Pure.
fn is_another_file(before: &Config, after: &Config) -> bool {
    (&before.path, &before.blob, before.state) != (&after.path, &after.blob, after.state)
}

/// The list of an installation told something else of the repository while it was read: what was read may be older than
/// that, so it is dropped and read again.
async fn overtaken(mut tx: Tx, before: &Repository, now: Timestamp) -> Result<Done, StepError> {
    let step = Step::SyncRepository { repo: before.id, details: true, name: None };
    step.queue(&mut tx, Some(before.installation), now).await?;
    Ok(Done::Finished(tx))
}
