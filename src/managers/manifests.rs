//! All manifests of one commit, as far as its files were read: those that managers claim by name, and what these include.

use super::{Extraction, Manager, included, leave_developed_alone, managers_for};
use crate::domain::{Dependency, Reading, RepoPath, Snapshot, in_bytes};
use std::collections::BTreeSet;
use std::fmt;

/// One manifest as one manager read it.
pub struct Manifest {
    /// Where it lies.
    pub path: RepoPath,
    /// The manager that read it.
    pub manager: &'static dyn Manager,
    /// What is in it.
    pub extraction: Extraction,
}

/// The manifests of a commit.
#[derive(Debug, Default)]
pub struct Manifests {
    /// Those that were read, sorted by path.
    pub read: Vec<Manifest>,
    /// The files that would have to be read to go on.
    pub unread: BTreeSet<RepoPath>,
    /// What could not be read, with the reason: sentences for people.
    pub problems: Vec<String>,
}

impl Manifests {
    /// Finds them in what was read of a commit.
    pub fn of(files: &Snapshot) -> Self {
        let mut found = Self::default();
        let mut queue: Vec<(RepoPath, &'static dyn Manager)> = files
            .files()
            .flat_map(|(path, _)| managers_for(path).map(move |manager| (path.clone(), manager)))
            .collect();
        let mut seen = BTreeSet::new();
        while let Some((path, manager)) = queue.pop() {
            // What is included and not there, or a link, is passed over as the server does.
            if files.mode(&path).is_none() || !seen.insert((path.clone(), manager.name())) {
                continue;
            }
            let text = match files.reading(&path) {
                Some(Reading::Text(text)) => text,
                Some(Reading::Binary) => {
                    found.problems.push(format!("{path} cannot be read: it is not a text in UTF-8"));
                    continue;
                }
                Some(Reading::LfsPointer) => {
                    found.problems.push(format!("{path} cannot be read: it is kept in Git LFS"));
                    continue;
                }
                Some(Reading::TooLarge { bytes }) => {
                    let size = usize::try_from(*bytes).map_or_else(|_| format!("{bytes} bytes"), in_bytes);
                    found.problems.push(format!("{path} cannot be read: it has {size}"));
                    continue;
                }
                None => {
                    found.unread.insert(path);
                    continue;
                }
            };
            let extraction = manager.extract(&path, text);
            found.problems.extend(extraction.problem.iter().map(|problem| format!("{path} cannot be read: {problem}")));
            queue.extend(included(manager, &extraction.includes));
            found.read.push(Manifest { path, manager, extraction });
        }
        found.finish();
        found
    }

    fn finish(&mut self) {
        let developed = self.read.iter().filter_map(|manifest| manifest.extraction.develops.clone()).collect();
        leave_developed_alone(
            self.read.iter_mut().flat_map(|manifest| &mut manifest.extraction.dependencies),
            &developed,
        );
        self.read.sort_by(|a, b| (&a.path, a.manager.name()).cmp(&(&b.path, b.manager.name())));
        self.problems.sort();
        self.problems.dedup();
    }

    /// Every dependency that was found, by file and then in the order of its text.
    pub fn dependencies(&self) -> impl Iterator<Item = &Dependency> {
        self.read.iter().flat_map(|manifest| &manifest.extraction.dependencies)
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Manifest");
        shown.field("path", &self.path).field("manager", &self.manager.name()).field("extraction", &self.extraction);
        shown.finish()
    }
}
