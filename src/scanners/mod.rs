//! Reading facts from a repository without changing it.
//!
//! Pure: a scanner sees a [`Snapshot`], asks for the texts it wants to see, and answers with JSON. A scanner is a file here
//! and a line in [`TABLE`].

mod dependencies;
mod dockerfile_from;
mod root_files;

use crate::domain::{RepoPath, Snapshot};
use serde_json::{Map, Value};

pub use dependencies::DependencyRow;

/// Reads facts of one kind.
pub trait Scanner: Sync {
    /// The name that Activity files use.
    fn name(&self) -> &'static str;

    /// What it reads, in a sentence or two of Markdown.
    fn about(&self) -> &'static str;

    /// The files whose texts it needs, as far as it can tell by what was read so far. It is asked again once they are read,
    /// until it wants nothing new.
    fn wants(&self, files: &Snapshot) -> Vec<RepoPath>;

    /// The facts.
    ///
    /// Errors: why there are none, for people.
    fn scan(&self, files: &Snapshot) -> Result<Map<String, Value>, String>;
}

/// Every scanner that is built in.
pub const TABLE: &[&dyn Scanner] =
    &[&root_files::RootFiles, &dockerfile_from::DockerfileFrom, &dependencies::Dependencies];

/// The scanner of a name.
pub fn by_name(name: &str) -> Option<&'static dyn Scanner> {
    TABLE.iter().copied().find(|scanner| scanner.name() == name)
}
