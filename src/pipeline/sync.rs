//! Brings what we know of installations, repositories and subscription files in line with GitHub.

use super::{Done, Step, StepError, target};
use crate::domain::{FileMode, Head, InstallationId, ObjectId, RepoId, RepoName, RepoPath, RepoState, Repository};
use crate::forge::{EntryKind, ForgeError, GitHub, Target, TreeEntry};
use crate::store::{Config, ConfigState, Installation, RepositoryRow, Store, Subscription as SubscriptionColumns};
use crate::subscription::{self, FILE_NAMES, MAX_BYTES, Problem, SubscriptionFile};
use jiff::Timestamp;
use std::collections::HashMap;

/// Of an installation at most this many repositories are known; GitHub's largest organisations have fewer.
const REPOSITORIES_MAX: u32 = 100_000;

/// Reads an installation and its repositories anew.
pub async fn installation(
    store: &Store,
    forge: &GitHub,
    id: InstallationId,
    now: Timestamp,
) -> Result<Done, StepError> {
    let stored = store.repositories_of(id, REPOSITORIES_MAX).await?;
    let info = match forge.installation(id).await {
        Ok(info) => Some(info),
        Err(ForgeError::Gone { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let usable = info.as_ref().is_some_and(|info| !info.suspended);
    let listed = if usable { forge.repositories(id).await? } else { Vec::new() };

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
    let mut known: HashMap<RepoId, &RepositoryRow> = stored.iter().map(|row| (row.repository.id, row)).collect();
    for repository in &listed {
        let before = known.remove(&repository.id);
        tx.save_repository(repository, now).await?;
        for step in after_listing(repository, before) {
            step.queue(&mut tx, Some(id), now).await?;
        }
    }
    let lost = if info.is_none() || usable { RepoState::Removed } else { RepoState::Suspended };
    for (repo, row) in known {
        if row.repository.state != lost {
            tx.set_repo_state(repo, lost, now).await?;
            Step::Plan { repo }.queue(&mut tx, Some(id), now).await?;
        }
    }
    Ok(Done::Finished(tx))
}

/// What a repository of an installation's list needs, given what was known of it.
fn after_listing(repository: &Repository, before: Option<&RepositoryRow>) -> Vec<Step> {
    let repo = repository.id;
    let changed = before.is_none_or(|row| row.repository != *repository || row.synced_at.is_none());
    match repository.state {
        _ if !changed => Vec::new(),
        RepoState::Active => vec![Step::SyncRepository { repo, details: false, name: None }],
        _ => vec![Step::Plan { repo }],
    }
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
    let installation = row.repository.installation;
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
    if row.repository.state != RepoState::Active {
        let mut tx = store.begin().await?;
        tx.save_repository(&row.repository, now).await?;
        Step::Plan { repo }.queue(&mut tx, Some(installation), now).await?;
        return Ok(Done::Finished(tx));
    }
    let target = target(&row);
    let head = match &row.repository.default_branch {
        Some(branch) => forge.head(&target, branch).await?,
        None => None,
    };
    let found = match &head {
        Some(head) => find_file(forge, &target, head, &row.config).await?,
        None => Found::None,
    };
    let config = config_after(&row.config, found, now);

    let mut tx = store.begin().await?;
    tx.save_repository(&row.repository, now).await?;
    if let Some(head) = &head {
        tx.set_head(repo, Some(head), now).await?;
    }
    tx.save_config(repo, &config, now).await?;
    if config.state == ConfigState::None {
        tx.replace_subscriptions(repo, &[], now).await?;
    } else if let Some(file) = file_in_force(&config)? {
        tx.replace_subscriptions(repo, &subscription_rows(&file), now).await?;
    }
    tx.set_synced(repo, now).await?;
    let next = if config.file.is_some() && head.is_some() { Step::Index { repo } } else { Step::Plan { repo } };
    next.queue(&mut tx, Some(installation), now).await?;
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
    let is_file = entry.kind == EntryKind::Blob && FileMode::from_git(&entry.mode).is_some();
    if !is_file {
        return Ok(unreadable(Problem::whole_file(
            "it is a symbolic link, a folder or a submodule",
            "commit an ordinary file",
        )));
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
