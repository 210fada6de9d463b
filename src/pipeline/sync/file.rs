//! The subscription file at the head of a repository's default branch: found, read, and in force until a better one comes.

use crate::domain::{FileMode, Head, ObjectId, RepoPath};
use crate::forge::{EntryKind, ForgeError, GitHub, Target, TreeEntry};
use crate::pipeline::StepError;
use crate::store::{Config, ConfigState, Subscription as SubscriptionColumns};
use crate::subscription::{self, FILE_NAMES, MAX_BYTES, Problem, SubscriptionFile};
use jiff::Timestamp;

/// The subscription file as found at a head.
pub(in crate::pipeline) enum Found {
    /// There is none.
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

/// Looks for the subscription file at a head. What was read `before` is not read again.
pub(super) async fn find_file(
    forge: &GitHub,
    target: &Target,
    head: &Head,
    before: &Config,
) -> Result<Found, ForgeError> {
    let tree = forge.tree(target, &head.tree).await?;
    find_in(forge, target, &tree, before).await
}

/// Looks for the subscription file among the entries of a tree's root, or of all of it. What was read `before` is not read
/// again.
pub(in crate::pipeline) async fn find_in(
    forge: &GitHub,
    target: &Target,
    tree: &[TreeEntry],
    before: &Config,
) -> Result<Found, ForgeError> {
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
pub(in crate::pipeline) fn config_after(before: &Config, found: Found, now: Timestamp) -> Config {
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
pub(in crate::pipeline) fn file_in_force(config: &Config) -> Result<Option<SubscriptionFile>, StepError> {
    config
        .file
        .as_ref()
        .map(|file| serde_json::from_value(file.clone()))
        .transpose()
        .map_err(|error| StepError::Corrupt(format!("the stored subscription file: {error}")))
}

/// What is wrong with the file that was last read.
pub(in crate::pipeline) fn problems(config: &Config) -> Result<Vec<Problem>, StepError> {
    serde_json::from_value(config.problems.clone())
        .map_err(|error| StepError::Corrupt(format!("the stored problems of a subscription file: {error}")))
}

/// What a file subscribes to, as it is stored. Pure.
pub(super) fn subscription_rows(file: &SubscriptionFile) -> Vec<SubscriptionColumns> {
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
