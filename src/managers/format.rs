//! What a format has to say for itself to be a [`Manager`]; the rest is the same for all of them.

use super::edit::{self, Find};
use super::{Edit, EditError, Extraction, Manager};
use crate::domain::{Ecosystem, PackageId, RepoPath};

/// One kind of manifest. What [`Manager`] has too is described there.
pub(super) trait Format: Sync {
    const NAME: &'static str;

    const ECOSYSTEM: Ecosystem;

    fn claims(path: &RepoPath) -> bool;

    /// Reads a file. An error says for people why that cannot be done, with the line where there is one.
    fn find(path: &RepoPath, text: &str) -> Result<Found, String>;

    fn reader_of_includes() -> Option<&'static dyn Manager> {
        None
    }
}

impl<F: Format> Manager for F {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn ecosystem(&self) -> Ecosystem {
        F::ECOSYSTEM
    }

    fn claims(&self, path: &RepoPath) -> bool {
        F::claims(path)
    }

    fn extract(&self, path: &RepoPath, text: &str) -> Extraction {
        Extraction::of(F::find(path, text))
    }

    fn edit(&self, path: &RepoPath, text: &str, edits: &[Edit]) -> Result<String, EditError> {
        edit::apply(text, edits, |text| F::find(path, text))
    }

    fn reader_of_includes(&self) -> Option<&'static dyn Manager> {
        F::reader_of_includes()
    }
}

/// What a format keeps of a file while it reads or edits it.
#[derive(Default)]
pub(super) struct Found {
    pub(super) finds: Vec<Find>,
    pub(super) includes: Vec<RepoPath>,
    /// See [`Extraction::develops`].
    pub(super) develops: Option<PackageId>,
}

impl Found {
    /// Finds in the order of the text, and nothing else.
    pub(super) fn of(finds: impl IntoIterator<Item = Find>) -> Self {
        Self { finds: finds.into_iter().collect(), ..Self::default() }
    }

    /// Finds with the bytes at which they stand, in any order.
    pub(super) fn sorted(mut finds: Vec<(usize, Find)>) -> Self {
        finds.sort_by_key(|(start, _)| *start);
        Self::of(finds.into_iter().map(|(_, find)| find))
    }

    /// Takes in a file that `from` includes under the name `written`, if it lies in the repository.
    pub(super) fn include(&mut self, from: &RepoPath, written: &str) {
        const MOST_INCLUDES: usize = 100;
        let elsewhere = ["http:", "https:", "file:"]
            .iter()
            .any(|scheme| written.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        if elsewhere || written.contains("://") || written.contains("${") || self.includes.len() >= MOST_INCLUDES {
            return;
        }
        let file = from.join_sibling(written).ok().filter(|file| file != from);
        self.includes.extend(file.filter(|file| !self.includes.contains(file)));
    }
}
