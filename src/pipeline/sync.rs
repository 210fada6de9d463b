//! Brings what we know of installations, repositories and subscription files in line with GitHub.

use super::watch::UNWANTED_PAUSE;
use super::{Done, Step, StepError, finished, target};
use crate::domain::{
    FileMode, Head, InstallationId, ObjectId, Proposal, ProposalState, RepoId, RepoName, RepoPath, RepoState,
    Repository,
};
use crate::forge::{EntryKind, ForgeError, GitHub, ListedRepository, Target, TreeEntry};
use crate::store::{
    Claimed, Config, ConfigState, Installation, ListedRow, Store, StoreError, Subscription as SubscriptionColumns, Tx,
};
use crate::subscription::{self, FILE_NAMES, MAX_BYTES, Problem, SubscriptionFile};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};

/// Why a fork is not served. It carries its original's subscription file, which its owner never asked for, and what the
/// original merges arrives in it anyway; the peers leave forks alone for the same reason.
pub(super) const FORK: &str = "the repository is a fork, and updates reach it through its original";

/// So many repositories of a new installation are stored in one transaction: others want to write in between.
const PORTION: usize = 500;
/// Who changes their mind about a closed pull request does so soon. As far back GitHub's log of deliveries goes.
const REOPENED_WITHIN: SignedDuration = SignedDuration::from_hours(3 * 24);
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
    let steps: Vec<Step> = pulls.chain(repositories).collect();
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

/// Has everything planned anew that failed in an installation. Its permissions have just been changed: what was missing
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
    Ok(())
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
    if listed.state == RepoState::Active && stored.is_none_or(|row| row.repository.state != RepoState::Active) {
        wake(tx, repo, now).await?;
        for number in tx.open_pulls(repo).await? {
            Step::Follow { repo, number }.queue(tx, Some(listed.installation), now).await?;
        }
    }
    step.queue(tx, Some(listed.installation), now).await
}

/// Has the steps go on at once that may have waited for just this change of a repository.
async fn wake(tx: &mut Tx, repo: RepoId, now: Timestamp) -> Result<(), StoreError> {
    let subject = Step::Plan { repo }.subject();
    for step in ["execute", "index", "label", "retire"] {
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
    let found = match &head {
        // The file goes with the head: neither is stored without the other.
        Some(_) if head == row.head && row.synced_at.is_some() => Found::Unchanged,
        Some(head) => find_file(forge, &target, head, &row.config).await?,
        None => Found::None,
    };
    let config = config_after(&row.config, found, now);

    let mut tx = store.begin().await?;
    if !tx.replace_repository(&before, &row.repository, now).await? {
        return overtaken(tx, &before, now).await;
    }
    if row.repository != before || head != row.head {
        wake(&mut tx, repo, now).await?;
    }
    if let Some(head) = &head {
        tx.set_head(repo, Some(head), now).await?;
    }
    tx.save_config(repo, &config, now).await?;
    if config.state == ConfigState::None {
        tx.replace_subscriptions(repo, &[], now).await?;
    } else if let Some(file) = file_in_force(&config)?
        && tx.replace_subscriptions(repo, &subscription_rows(&file), now).await?
    {
        tx.wake_packages(repo, now - UNWANTED_PAUSE, now).await?;
    }
    tx.set_synced(repo, now).await?;
    let next = if config.file.is_some() && head.is_some() { Step::Index { repo } } else { Step::Plan { repo } };
    next.queue(&mut tx, Some(installation), now).await?;
    Ok(Done::Finished(tx))
}

/// The list of an installation told something else of the repository while it was read: what was read may be older than
/// that, so it is dropped and read again.
async fn overtaken(mut tx: Tx, before: &Repository, now: Timestamp) -> Result<Done, StepError> {
    let step = Step::SyncRepository { repo: before.id, details: true, name: None };
    step.queue(&mut tx, Some(before.installation), now).await?;
    Ok(Done::Finished(tx))
}

/// The subscription file as found at a head.
enum Found {
    None,
    /// The very bytes that were read last time.
    Unchanged,
    File {
        path: RepoPath,
        blob: ObjectId,
        bytes: Vec<u8>,
    },
    /// It cannot be read at all.
    Unreadable {
        path: RepoPath,
        blob: ObjectId,
        problem: Problem,
    },
}

async fn find_file(forge: &GitHub, target: &Target, head: &Head, before: &Config) -> Result<Found, ForgeError> {
    let tree = forge.tree(target, &head.tree).await?;
    let files: Vec<&TreeEntry> = FILE_NAMES.iter().filter_map(|name| tree.iter().find(|e| e.path == *name)).collect();
    let (entry, other) = match files.as_slice() {
        [] => return Ok(Found::None),
        [one] => (*one, None),
        [one, other, ..] => (*one, Some(*other)),
    };
    let Ok(path) = RepoPath::parse(&entry.path) else { return Ok(Found::None) };
    let unreadable = |problem| Found::Unreadable { path: path.clone(), blob: entry.id.clone(), problem };
    if other.is_some() {
        return Ok(unreadable(subscription::both_present()));
    }
    let other_kind = match entry.kind {
        EntryKind::Blob if FileMode::from_git(&entry.mode).is_some() => None,
        EntryKind::Blob => Some("a symbolic link"),
        EntryKind::Tree => Some("a folder"),
        EntryKind::Commit => Some("a submodule"),
        EntryKind::Other => Some("no file of a kind that is known here"),
    };
    if let Some(kind) = other_kind {
        return Ok(unreadable(subscription::not_a_file(kind)));
    }
    if before.blob.as_ref() == Some(&entry.id) && before.path.as_ref() == Some(&path) {
        return Ok(Found::Unchanged);
    }
    match forge.blob(target, &entry.id, MAX_BYTES as u64).await {
        Ok(bytes) => Ok(Found::File { path: path.clone(), blob: entry.id.clone(), bytes }),
        Err(ForgeError::TooLarge { .. }) => {
            Ok(unreadable(Problem::whole_file(format!("it is larger than {MAX_BYTES} bytes"), "make it smaller")))
        }
        Err(error) => Err(error),
    }
}

/// What is in force after the file was looked at. A broken file leaves the last good one in force. Pure.
fn config_after(before: &Config, found: Found, now: Timestamp) -> Config {
    let (path, blob, parsed) = match found {
        Found::None => return Config::none(),
        Found::Unchanged => return before.clone(),
        Found::Unreadable { path, blob, problem } => (path, blob, Err((vec![problem], None))),
        Found::File { path, blob, bytes } => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            (
                path,
                blob,
                subscription::parse(&bytes).map(|file| (file, text.clone())).map_err(|problems| (problems, Some(text))),
            )
        }
    };
    let json = |value: serde_json::Result<serde_json::Value>| value.unwrap_or_default();
    match parsed {
        Ok((file, text)) => Config {
            path: Some(path),
            blob: Some(blob),
            state: ConfigState::Valid,
            problems: json(serde_json::to_value([(); 0])),
            file: Some(json(serde_json::to_value(&file))),
            text: Some(text),
            since: before.since.or(Some(now)),
        },
        Err((problems, text)) => Config {
            path: Some(path),
            blob: Some(blob),
            state: ConfigState::Broken,
            problems: json(serde_json::to_value(&problems)),
            file: before.file.clone(),
            text: text.or_else(|| before.text.clone()),
            since: before.since,
        },
    }
}

/// The file whose subscriptions apply: the present one, or the last good one while the present one is broken.
pub fn file_in_force(config: &Config) -> Result<Option<SubscriptionFile>, StepError> {
    config
        .file
        .as_ref()
        .map(|file| serde_json::from_value(file.clone()))
        .transpose()
        .map_err(|error| StepError::Corrupt(format!("the stored subscription file: {error}")))
}

fn subscription_rows(file: &SubscriptionFile) -> Vec<SubscriptionColumns> {
    file.subscriptions
        .iter()
        .map(|s| SubscriptionColumns {
            migration: s.migration.to_string(),
            ecosystem: s.migration.ecosystem(),
            delay: s.delay.to_string(),
            settings: serde_json::to_value(s).unwrap_or_default(),
        })
        .collect()
}
