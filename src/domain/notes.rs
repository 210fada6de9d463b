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

/// How far the look at what is said of a release has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotesState {
    /// Nobody has looked yet.
    Asked,
    /// Somebody has, and that is all there is.
    Known,
    /// Somebody tried to, and it may be tried again.
    Failed,
}

impl NotesState {
    /// Every state, in the order of the declaration.
    pub const ALL: [Self; 3] = [Self::Asked, Self::Known, Self::Failed];

    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Known => "known",
            Self::Failed => "failed",
        }
    }

    /// The state a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What a look at a release found. The addresses begin with `https://`; the texts are as their authors wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundNotes {
    /// The source code of the package.
    pub source: Option<String>,
    /// Its own page.
    pub homepage: Option<String>,
    /// The list of its changes.
    pub changelog: Option<String>,
    /// The page of its repository on the forge.
    pub page: Option<String>,
    /// The tag of the release there.
    pub tag: Option<String>,
    /// The title of the release there.
    pub title: Option<String>,
    /// What is written about it there.
    pub body: Option<String>,
}
