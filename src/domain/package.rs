//! Packages, their releases, and where a repository uses them.

use super::repo::RepoPath;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A world of packages with one way of naming and numbering them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ecosystem {
    /// Python packages.
    Pypi,
    /// Container images.
    Docker,
    /// Actions and reusable workflows of GitHub.
    GithubActions,
    /// Hooks of pre-commit: repositories with tags.
    PreCommit,
    /// JavaScript packages.
    Npm,
    /// Rust crates.
    Cargo,
}

impl Ecosystem {
    /// Every ecosystem, in the order of the declaration.
    pub const ALL: [Self; 6] = [Self::Pypi, Self::Docker, Self::GithubActions, Self::PreCommit, Self::Npm, Self::Cargo];

    /// The word subscriptions use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pypi => "pypi",
            Self::Docker => "docker",
            Self::GithubActions => "github-actions",
            Self::PreCommit => "pre-commit",
            Self::Npm => "npm",
            Self::Cargo => "cargo",
        }
    }

    /// Whether its packages are repositories of a forge and its versions their tags.
    pub const fn is_of_the_forge(self) -> bool {
        match self {
            Self::GithubActions | Self::PreCommit => true,
            Self::Pypi | Self::Docker | Self::Npm | Self::Cargo => false,
        }
    }

    /// The words that stand for ecosystems, other names included.
    pub const WORDS: [(&str, Self); 9] = [
        ("pypi", Self::Pypi),
        ("pip", Self::Pypi),
        ("python", Self::Pypi),
        ("docker", Self::Docker),
        ("dockerfile", Self::Docker),
        ("github-actions", Self::GithubActions),
        ("pre-commit", Self::PreCommit),
        ("npm", Self::Npm),
        ("cargo", Self::Cargo),
    ];

    /// The ecosystem a word stands for, its other names included.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(known, _)| *known == word).map(|(_, ecosystem)| ecosystem)
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A package: its ecosystem, and its name in the ecosystem's normal form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PackageId {
    /// The world it lives in.
    pub ecosystem: Ecosystem,
    /// Its normalised name: PEP 503 for `pypi`; for `docker` the image without tag and digest, as
    /// written when it names a registry host (`registry.example.com/acme/base`), without one when it names none (`library/python`);
    /// for `github-actions` the repository in lower case (`actions/cache`, whatever path within it is used); for `pre-commit` host and
    /// path of the repository in lower case, without `.git` (`github.com/psf/black`); for `npm` and `cargo` the name as it is written.
    pub name: String,
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ecosystem, self.name)
    }
}

/// A version of a package and since when it has been there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The version as the registry writes it.
    pub version: String,
    /// When the registry says it was published.
    pub published_at: Option<Timestamp>,
    /// When we first saw it.
    pub first_seen_at: Timestamp,
    /// From when its age counts: see [`age_starts_at`].
    pub counts_from: Timestamp,
    /// Taken back by its publisher.
    pub yanked: bool,
    /// Above the version that its registry calls the latest, where it calls one so: published under another tag, or left
    /// behind when the publisher pointed `latest` at an older version. For those alone who are above the latest already.
    pub above_latest: bool,
    /// What the version points at, where it is a tag that may be moved.
    pub content: Option<Content>,
    /// The versions of Python it is for, where its index tells: `>=3.9`, empty for all of them, with `||` between what its
    /// files say differently.
    pub requires_python: Option<String>,
}

/// What a tag points at, or which files a release has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The commit's id in hexadecimal digits; the image's digest (`sha256:…`), or one over the hashes of the files.
    pub digest: String,
    /// Since when it has been seen to be so. A tag that was moved is as young as its move, and a release to which a file was
    /// added as young as that.
    pub since: Timestamp,
}

/// From when a release's age counts.
///
/// The registry's publishing time, if it is believable: not later than now (`first_seen_at`), and not earlier
/// than the previous look at the package (`looked_at`), at which the release would have been there. In every
/// other case the moment we first saw it: a missing, future or backdated time makes a release younger, never older.
pub fn age_starts_at(
    published_at: Option<Timestamp>,
    first_seen_at: Timestamp,
    looked_at: Option<Timestamp>,
) -> Timestamp {
    match published_at {
        Some(published) if published <= first_seen_at && looked_at.is_none_or(|looked| published >= looked) => {
            published
        }
        _ => first_seen_at,
    }
}

/// A range of bytes in a text: from `start`, up to but without `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// Why a dependency that was seen cannot be updated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// There is no version in the text, so nothing to change.
    Unpinned,
    /// It names a path, a URL or a repository instead of a released version.
    NotFromRegistry,
    /// A variable without a default stands where the name or version should be.
    Variable(String),
    /// The version or constraint is not understood; the text says why.
    NotUnderstood(String),
    /// It is seen, and left alone for the reason given.
    LeftAlone(String),
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpinned => f.write_str("no version is written, so there is nothing to change"),
            Self::NotFromRegistry => f.write_str("it comes from a path, a URL or a repository, not from a registry"),
            Self::Variable(name) => write!(f, "the variable `{name}` has no default"),
            Self::NotUnderstood(why) => write!(f, "not understood: {why}"),
            Self::LeftAlone(why) => f.write_str(why),
        }
    }
}

/// One use of a package by a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The manager that found it, by its name in the table of managers.
    pub manager: String,
    /// The file it stands in.
    pub path: RepoPath,
    /// The line of the version in that file, counted from 1.
    pub line: u32,
    /// The package.
    pub package: PackageId,
    /// The package's name as the file writes it.
    pub written_name: String,
    /// The version in use: what is pinned, or the lowest that the constraint allows. `None` when skipped.
    pub current: Option<String>,
    /// The constraint as the file writes it (`==0.27.0`, `~=2.1`, a tag); empty when there is none.
    pub constraint: String,
    /// The image's digest or the commit's id, where the file pins one.
    pub digest: Option<String>,
    /// Whether the file pins hashes of the version's files, which an update has to replace.
    #[serde(default)]
    pub hashed: bool,
    /// The versions of Python it is for, where its marker or its file's project says so: `>=3.8,<3.12`. A release that one
    /// of these cannot install is none for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// Whether these end before those that its project runs on, or begin nowhere: its line was split off for older ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_behind: bool,
    /// Why it cannot be updated, where it cannot.
    pub skip: Option<Skip>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_publishing_time_counts_only_when_it_is_believable() {
        assert_eq!(age_starts_at(Some(at(50)), at(100), None), at(50), "first look: the registry is believed");
        assert_eq!(age_starts_at(Some(at(90)), at(100), Some(at(80))), at(90), "published between two looks");
        assert_eq!(
            age_starts_at(Some(at(50)), at(100), Some(at(80))),
            at(100),
            "backdated: it was not there at the previous look"
        );
        assert_eq!(age_starts_at(Some(at(150)), at(100), None), at(100), "from the future");
        assert_eq!(age_starts_at(None, at(100), None), at(100), "no time at all");
    }
}
