//! Reading manifests and editing them: which packages a file uses, in which versions, and the same file with
//! a version moved.
//!
//! Pure: texts in, values and texts out. This room knows file formats; it does not know repositories, registries
//! or what a subscription asks for. Every text is untrusted. An edit changes the version's bytes and nothing else.
//!
//! A manager is a file (or folder) here, named after its format, that implements `Format`, a line in [`TABLE`],
//! and a folder of fixtures in `tests/fixtures/managers/`. It reads a file into *finds*: dependencies that know where in the
//! file they are written. The other files are what managers share:
//!
//! - `edit` makes edits of finds; `format` makes a manager of a format;
//! - `written` is a text that remembers where each of its bytes stands in the file; `toml_file`, `toml_string`, `json_string`,
//!   `yaml` and `variables` make such texts, whatever escapes, folds and defaults are in between;
//! - `requirement`, `hashes`, `compiled` and `package_table` read what several Python files hold, `image` references to images,
//!   `git_ref` tags and commits with their comments;
//! - `manifests` are all of them in one commit, `named` the package that people mean by a name;
//! - `aliases` finds what must not move although it could; `lock_files` knows which files an update leaves behind.

mod aliases;
mod cargo;
mod compiled;
mod compose;
mod dockerfile;
mod edit;
mod format;
mod git_ref;
mod github_actions;
mod hashes;
mod image;
mod json_string;
mod lock_files;
mod manifests;
mod named;
mod package_json;
mod package_table;
mod pipfile;
mod pnpm_workspace;
mod pre_commit;
mod pyproject;
mod python;
mod requirement;
mod requirements;
mod setup_cfg;
mod toml_file;
mod toml_string;
mod variables;
mod written;
mod yaml;

use crate::domain::{Dependency, Ecosystem, PackageId, RepoPath, Skip};
use format::Found;
use std::collections::BTreeSet;

pub use lock_files::{is_lock_file, lock_files};
pub use manifests::{Manifest, Manifests};
pub use named::{ecosystem_schema, package_named, read_ecosystem, read_package};

/// The largest manifest that is read, from a working copy as from GitHub, in bytes. Larger ones are not written by hand.
pub const LARGEST_MANIFEST_BYTES: usize = 1_000_000;

/// The most dependencies of one file. A file with more is a list of something else.
pub const MOST_DEPENDENCIES: usize = 5_000;

/// Reads and edits one kind of manifest.
pub trait Manager: Sync {
    /// The name people see and the index stores: `requirements`, `pyproject`, `dockerfile`.
    fn name(&self) -> &'static str;

    /// The ecosystem of the packages it finds, or of most of them: an image that a workflow names is of `docker`.
    fn ecosystem(&self) -> Ecosystem;

    /// Whether a file is of this kind, by its path alone.
    fn claims(&self, path: &RepoPath) -> bool;

    /// The dependencies written in a file, in the order of the text. A dependency that cannot be updated is
    /// listed with the reason; what cannot be read at all is the extraction's `problem`.
    fn extract(&self, path: &RepoPath, text: &str) -> Extraction;

    /// The text with all edits made at every place that matches, and not a byte changed elsewhere.
    /// Edits that are made already are passed over when others remain.
    ///
    /// Errors: [`EditError`]; then nothing is to be written.
    fn edit(&self, path: &RepoPath, text: &str, edits: &[Edit]) -> Result<String, EditError>;

    /// The manager that reads the files it includes, where that is another one.
    fn reader_of_includes(&self) -> Option<&'static dyn Manager> {
        None
    }
}

/// Every manager.
pub const TABLE: &[&dyn Manager] = &[
    &requirements::Requirements,
    &pyproject::Pyproject,
    &setup_cfg::SetupCfg,
    &pipfile::Pipfile,
    &dockerfile::Dockerfile,
    &package_json::PackageJson,
    &pnpm_workspace::PnpmWorkspace,
    &cargo::Cargo,
    &compose::Compose,
    &github_actions::GithubActions,
    &pre_commit::PreCommit,
];

/// The managers that claim a file by its path.
pub fn managers_for(path: &RepoPath) -> impl Iterator<Item = &'static dyn Manager> {
    TABLE.iter().copied().filter(move |manager| manager.claims(path))
}

/// The manager of a name, as a [`Dependency`] carries it.
pub fn by_name(name: &str) -> Option<&'static dyn Manager> {
    TABLE.iter().copied().find(|manager| manager.name() == name)
}

/// Whether some manager claims the file by its path. Files that are reached by an include alone are not among these.
pub fn may_be_manifest(path: &RepoPath) -> bool {
    managers_for(path).next().is_some()
}

/// The files to read next after `manager` read a file and found what it `includes`: an included file is read by the manager
/// that reached it, or the one that it names for that, whatever the file's name. The caller keeps count of what it has read; includes may form circles.
pub fn included(
    manager: &'static dyn Manager,
    includes: &[RepoPath],
) -> impl Iterator<Item = (RepoPath, &'static dyn Manager)> {
    let reader = manager.reader_of_includes().unwrap_or(manager);
    includes.iter().map(move |path| (path.clone(), reader))
}

/// Leaves those dependencies alone that the repository develops itself. A release of the same name may be anybody's.
pub fn leave_developed_alone<'d>(
    dependencies: impl IntoIterator<Item = &'d mut Dependency>,
    developed: &BTreeSet<PackageId>,
) {
    for dependency in dependencies {
        if dependency.skip.is_none() && developed.contains(&dependency.package) {
            dependency.skip = Some(Skip::LeftAlone("it is developed in this repository".into()));
            dependency.current = None;
        }
    }
}

/// What a manager found in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extraction {
    /// The dependencies, in the order of the text.
    pub dependencies: Vec<Dependency>,
    /// The files it includes, inside the repository, each once.
    pub includes: Vec<RepoPath>,
    /// The package whose manifest the file is, where the ecosystem takes that before a released one of the same name.
    pub develops: Option<PackageId>,
    /// Why the file could not be read, with the line where there is one. Nothing was found then.
    pub problem: Option<String>,
}

impl Extraction {
    fn of(found: Result<Found, String>) -> Self {
        match found {
            Ok(found) => Self {
                dependencies: found.finds.into_iter().map(|find| find.dependency).collect(),
                includes: found.includes,
                develops: found.develops,
                problem: None,
            },
            Err(problem) => Self { problem: Some(problem), ..Self::default() },
        }
    }
}

/// One change to a file: a package's constraint moved to a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The package.
    pub package: PackageId,
    /// The version in use, as extracted.
    pub from: String,
    /// The constraint, as extracted.
    pub constraint: String,
    /// The version to move to; the one in use, where only its digest is to be another.
    pub to: String,
    /// The versions of Python it is for, as extracted: one package may stand in a file for several of them, and for all.
    pub python: Option<String>,
    /// The digest pinned there, as extracted.
    pub digest_from: Option<String>,
    /// The digest or commit of the new version; needed where one is pinned.
    pub digest_to: Option<String>,
    /// The hashes of the new version's files (`sha256:…`), each once; needed where hashes are pinned.
    pub hashes_to: Vec<String>,
}

/// Why an edit was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// The dependency is not in the file any more, or not with this constraint and digest.
    #[error("{0} does not stand in the file as it was indexed; index the file again")]
    NotFound(PackageId),
    /// Every edit asked for is in the file already.
    #[error("the file has {0} at its new version already")]
    AlreadyThere(PackageId),
    /// A digest is pinned, and no new one was given.
    #[error("{0} is pinned to a digest, and the digest of the new version is not known")]
    NeedsDigest(PackageId),
    /// Hashes of files are pinned, and no new ones were given.
    #[error("{0} is pinned to hashes, and the hashes of the new version are not known")]
    NeedsHashes(PackageId),
    /// The new version or digest is not one, or the constraint cannot be moved to it.
    #[error("{package} cannot be moved from `{constraint}` to `{to}`")]
    CannotMove {
        /// The package.
        package: PackageId,
        /// The constraint as written.
        constraint: String,
        /// The version or digest it should have moved to.
        to: String,
    },
    /// Two edits ask for different text at one place, as when two images share a variable.
    #[error("two updates ask for different text at one place; one of them moves {0}")]
    Conflict(PackageId),
}

/// The text without its byte order mark, and the mark's length: spans count from the file's first byte.
fn without_mark(text: &str) -> (usize, &str) {
    text.strip_prefix('\u{feff}').map_or((0, text), |rest| ('\u{feff}'.len_utf8(), rest))
}

/// Refuses what is no text written by hand.
fn readable(text: &str) -> Result<(), String> {
    if text.len() > LARGEST_MANIFEST_BYTES {
        return Err(format!("it is larger than {LARGEST_MANIFEST_BYTES} bytes"));
    }
    if text.contains('\0') {
        return Err("it is not a text in UTF-8: there are zero bytes in it".into());
    }
    Ok(())
}

/// Where each line of a text begins.
fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// The line of a byte, counted from 1.
fn line_of(line_starts: &[usize], at: usize) -> u32 {
    u32::try_from(line_starts.partition_point(|&start| start <= at)).unwrap_or(u32::MAX)
}

/// A text cut to what fits in a table or a message.
fn cut(text: &str) -> String {
    const LONGEST: usize = 120;
    crate::domain::text::cut(text, LONGEST)
}
