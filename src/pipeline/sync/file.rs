//! The files that people write for us, at the head of a repository's default branch: found, read, and in force until a better
//! one comes. There are two kinds: a repository's subscriptions, and what an organisation asks for in all its repositories.

use crate::domain::{FileMode, ObjectId, RepoPath};
use crate::forge::{EntryKind, ForgeError, GitHub, Target, TreeEntry};
use crate::pipeline::StepError;
use crate::store::{Config, ConfigState, Subscription as SubscriptionColumns};
use crate::subscription::{
    self, FILE_NAMES, MAX_BYTES, ORGANISATION_FILE_NAMES, OrganisationFile, Problem, SubscriptionFile,
};
use jiff::Timestamp;
use serde_json::Value as Json;

/// A kind of file that people write for us.
pub(in crate::pipeline) struct Kind {
    /// The names it may have; it is there once.
    names: &'static [&'static str],
    /// The problem of a repository that has it under several of them.
    several: fn() -> Problem,
    /// Its content as it is stored, or its problems.
    read: fn(&[u8]) -> Result<Json, Vec<Problem>>,
}

/// What a repository subscribes to.
pub(in crate::pipeline) const SUBSCRIPTIONS: Kind = Kind {
    names: &FILE_NAMES,
    several: subscription::both_present,
    read: |bytes| subscription::parse(bytes).map(|file| json(serde_json::to_value(&file))),
};

/// What an organisation asks for.
pub(in crate::pipeline) const ORGANISATION: Kind = Kind {
    names: &ORGANISATION_FILE_NAMES,
    several: subscription::several_organisation_files,
    read: |bytes| subscription::parse_organisation(bytes).map(|file| json(serde_json::to_value(&file))),
};

fn json(value: serde_json::Result<Json>) -> Json {
    value.unwrap_or_default()
}

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

/// Looks for a file among the entries of a tree's root, or of all of it. What was read `before` is not read again.
pub(in crate::pipeline) async fn find_in(
    kind: &Kind,
    forge: &GitHub,
    target: &Target,
    tree: &[TreeEntry],
    before: &Config,
) -> Result<Found, ForgeError> {
    let files: Vec<&TreeEntry> = kind.names.iter().filter_map(|name| tree.iter().find(|e| e.path == *name)).collect();
    let (entry, other) = match files.as_slice() {
        [] => return Ok(Found::None),
        [one] => (*one, None),
        [one, other, ..] => (*one, Some(*other)),
    };
    let Ok(path) = RepoPath::parse(&entry.path) else { return Ok(Found::None) };
    let unreadable = |problem| Found::Unreadable { path: path.clone(), blob: entry.id.clone(), problem };
    if other.is_some() {
        return Ok(unreadable((kind.several)()));
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
    // Of several files that were there, one may be left as it was.
    let was_several = before.problems == json(serde_json::to_value([(kind.several)()]));
    if before.blob.as_ref() == Some(&entry.id) && before.path.as_ref() == Some(&path) && !was_several {
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
pub(in crate::pipeline) fn config_after(kind: &Kind, before: &Config, found: Found, now: Timestamp) -> Config {
    let (path, blob, parsed) = match found {
        Found::None => return Config::none(),
        Found::Unchanged => return before.clone(),
        Found::Unreadable { path, blob, problem } => (path, blob, Err((vec![problem], None))),
        Found::File { path, blob, bytes } => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            (
                path,
                blob,
                (kind.read)(&bytes).map(|file| (file, text.clone())).map_err(|problems| (problems, Some(text))),
            )
        }
    };
    match parsed {
        Ok((file, text)) => Config {
            path: Some(path),
            blob: Some(blob),
            state: ConfigState::Valid,
            problems: json(serde_json::to_value([(); 0])),
            file: Some(file),
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

/// What an organisation asks for, by the file in force.
pub(in crate::pipeline) fn organisation_in_force(config: &Config) -> Result<Option<OrganisationFile>, StepError> {
    let read = |file: &Json| serde_json::from_value(file.clone());
    let corrupt = |error| StepError::Corrupt(format!("the stored file of an organisation: {error}"));
    config.file.as_ref().map(read).transpose().map_err(corrupt)
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
