//! Snapshots of repositories that are written down in tests, and what reads them for a driver or a scanner.

use mass_driver::domain::{EntryKind, FileMode, Reading, RepoPath, Snapshot};
use std::collections::BTreeMap;

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Entry {
    Text(FileMode, String),
    Binary,
    LfsPointer,
    TooLarge(u64),
    Symlink,
    Submodule,
}

/// A repository as a test writes it down.
#[derive(Clone, Debug, Default)]
pub struct Repository(pub BTreeMap<RepoPath, Entry>);

pub fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

impl Repository {
    pub fn of<'t>(files: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let text = |text: &str| Entry::Text(FileMode::Regular, text.into());
        Self(files.into_iter().map(|(name, contents)| (path(name), text(contents))).collect())
    }

    pub fn with(mut self, name: &str, entry: Entry) -> Self {
        self.0.insert(path(name), entry);
        self
    }

    /// Its commit, with what `wants` asks for read, as often as it asks for more. Returns how often that was.
    pub fn read(&self, mut wants: impl FnMut(&Snapshot) -> Vec<RepoPath>) -> (Snapshot, usize) {
        let kind = |entry: &Entry| match entry {
            Entry::Text(mode, _) => EntryKind::File(*mode),
            Entry::Binary | Entry::LfsPointer | Entry::TooLarge(_) => EntryKind::File(FileMode::Regular),
            Entry::Symlink => EntryKind::Symlink,
            Entry::Submodule => EntryKind::Submodule,
        };
        let mut snapshot = Snapshot::new(self.0.iter().map(|(path, entry)| (path.clone(), kind(entry))).collect());
        for round in 0..100 {
            let wanted = wants(&snapshot);
            let unread = snapshot.unread(&wanted);
            if unread.is_empty() {
                return (snapshot, round);
            }
            for path in unread {
                let reading = match &self.0[&path] {
                    Entry::Text(_, text) => Reading::Text(text.clone()),
                    Entry::Binary => Reading::Binary,
                    Entry::LfsPointer => Reading::LfsPointer,
                    Entry::TooLarge(bytes) => Reading::TooLarge { bytes: *bytes },
                    Entry::Symlink | Entry::Submodule => unreachable!("{path} is no file"),
                };
                snapshot.read(path, reading);
            }
        }
        panic!("it asks for more without end");
    }
}
