//! What the publishers of packages say of them: release notes, and where to read more.

use super::package::PackageId;
use serde::{Deserialize, Serialize};

/// What was written about a release. All of it comes from strangers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseNotes {
    /// The package.
    pub package: PackageId,
    /// The version as the registry writes it.
    pub version: String,
    /// The title that was given to the release; empty if none was.
    pub title: String,
    /// The notes in Markdown, as they were found.
    pub text: String,
    /// Where they can be read in full.
    pub url: Option<String>,
}

/// Where to read about a package. All of it comes from strangers: addresses as registries give them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageLinks {
    /// The package.
    pub package: PackageId,
    /// Its source code.
    pub source: Option<String>,
    /// The list of its changes.
    pub changelog: Option<String>,
    /// Its own page.
    pub homepage: Option<String>,
    /// What differs between the version in use and the one that is proposed.
    pub compare: Option<String>,
}
