//! An update: one package, one target version, and every place of a repository it changes.

use super::package::{Dependency, PackageId};
use super::repo::RepoPath;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How far apart two versions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionStep {
    /// Only the third or a later number differs.
    Patch,
    /// The second number differs.
    Minor,
    /// The first number differs.
    Major,
}

impl fmt::Display for VersionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

/// One place an update changes: what a manager needs to find the dependency again and edit it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Site {
    /// The file.
    pub path: RepoPath,
    /// The manager that reads and edits it.
    pub manager: String,
    /// The line when it was last indexed, counted from 1; for people, not for the edit.
    pub line: u32,
    /// The version in use there.
    pub from: String,
    /// The constraint as written there.
    pub constraint: String,
    /// The digest or commit pinned there, if any: the edit then needs the new one.
    pub digest: Option<String>,
    /// Whether hashes of files are pinned there: the edit then needs the new ones.
    #[serde(default)]
    pub hashed: bool,
    /// The versions of Python it is for, where the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
}

/// A move of one package to one version, at all its sites in a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// The package.
    pub package: PackageId,
    /// The version to move to.
    pub to: String,
    /// What the version points at now, where that alone is new: a *refresh* of pins whose tag was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// The largest step over the sites.
    pub step: VersionStep,
    /// Where, sorted by path and line; never empty.
    pub sites: Vec<Site>,
    /// From when the release's age counts.
    pub released_at: Timestamp,
    /// When it became old enough, and both subscription and dependency were there.
    pub eligible_at: Timestamp,
    /// The first moment the delay allows.
    pub due_at: Timestamp,
    /// What these times follow from: each set of terms that holds at some of the sites, once. Empty where an older version
    /// stored it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<Terms>,
}

/// All that the due time of an update follows from, at one or more of its sites: kept so that it can be reckoned again later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// From when the release's age counts there.
    pub counts_from: Timestamp,
    /// Since when the subscription has been there.
    pub subscribed_since: Timestamp,
    /// Since when the repository has used the package.
    pub dependency_since: Timestamp,
    /// How old the release has to be for its step.
    pub min_age: SignedDuration,
    /// The delay for its step, as the subscription room writes it.
    pub delay: serde_json::Value,
    /// The time zone of the delay by its name in the time zone database; empty where it has none.
    pub timezone: String,
    /// Until when a person put it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
}

impl Site {
    /// The place of a dependency, for an update of it.
    pub fn of(dependency: &Dependency) -> Self {
        Self {
            path: dependency.path.clone(),
            manager: dependency.manager.clone(),
            line: dependency.line,
            from: dependency.current.clone().unwrap_or_default(),
            constraint: dependency.constraint.clone(),
            digest: dependency.digest.clone(),
            hashed: dependency.hashed,
            python: dependency.python.clone(),
        }
    }

    /// Whether what the version points at is written there: an image's digest, a commit, the hashes of files.
    pub const fn is_pinned(&self) -> bool {
        self.digest.is_some() || self.hashed
    }
}

/// What an update moves to, as people read it: a version, or a tag and the beginning of what it points at, `v4 (5d6e7f8)`.
pub fn target_name(version: &str, refresh: Option<&str>) -> String {
    match refresh {
        None => version.to_owned(),
        Some(digest) => format!("{version} ({})", short_digest(digest)),
    }
}

/// The beginning of a commit's id or a digest: enough to tell it from others at a glance.
pub fn short_digest(digest: &str) -> String {
    const SHOWN: usize = 7;
    let digits = digest.rsplit(':').next().unwrap_or(digest);
    digits.chars().take(SHOWN).collect()
}

impl Update {
    /// What it moves to, as people read it.
    pub fn target(&self) -> String {
        target_name(&self.to, self.refresh.as_deref())
    }

    /// The distinct versions it moves from, sorted as text.
    pub fn from_versions(&self) -> Vec<&str> {
        let mut versions: Vec<&str> = self.sites.iter().map(|site| site.from.as_str()).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }
}
