//! A repository's files at one commit: all of their names, and the texts of those that somebody has read.

use super::change::{FileChange, FileMode};
use super::repo::RepoPath;
use std::collections::BTreeMap;
use std::ops::Bound;

/// What a name of a git tree stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file with its mode.
    File(FileMode),
    /// A symbolic link. It is never followed, read or replaced.
    Symlink,
    /// Another repository. It is never looked into.
    Submodule,
}

/// What reading a file came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of it. It is text in UTF-8 without zero bytes.
    Text(String),
    /// It is not text.
    Binary,
    /// The file is kept in Git LFS; the repository holds a pointer in its place.
    LfsPointer,
    /// It is larger than is read.
    TooLarge {
        /// Its size in bytes.
        bytes: u64,
    },
}

/// A repository's files at one commit. Names that are no [`RepoPath`] are left out, and nothing of theirs is ever changed.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    entries: BTreeMap<RepoPath, EntryKind>,
    readings: BTreeMap<RepoPath, Reading>,
}

impl Snapshot {
    /// A commit of which nothing was read yet.
    pub fn new(entries: BTreeMap<RepoPath, EntryKind>) -> Self {
        Self { entries, readings: BTreeMap::new() }
    }

    /// The files, by path. Symbolic links and submodules are none.
    pub fn files(&self) -> impl Iterator<Item = (&RepoPath, FileMode)> {
        self.entries.iter().filter_map(|(path, kind)| match kind {
            EntryKind::File(mode) => Some((path, *mode)),
            EntryKind::Symlink | EntryKind::Submodule => None,
        })
    }

    /// What a name stands for; `None` for folders and what is not there.
    pub fn kind(&self, path: &RepoPath) -> Option<EntryKind> {
        self.entries.get(path).copied()
    }

    /// The mode of a file; `None` where there is none of that name.
    pub fn mode(&self, path: &RepoPath) -> Option<FileMode> {
        match self.kind(path)? {
            EntryKind::File(mode) => Some(mode),
            EntryKind::Symlink | EntryKind::Submodule => None,
        }
    }

    /// Whether something lies below a path, so that it is a folder.
    pub fn is_folder(&self, path: &RepoPath) -> bool {
        let below = format!("{path}/");
        // Names beside a folder may sort between it and what it holds: `a`, `a.txt`, `a/b`.
        let following = self.entries.range::<RepoPath, _>((Bound::Excluded(path), Bound::Unbounded));
        following
            .take_while(|(other, _)| other.as_str().starts_with(path.as_str()))
            .any(|(other, _)| other.as_str().starts_with(&below))
    }

    /// Takes in what reading a file came to.
    pub fn read(&mut self, path: RepoPath, reading: Reading) {
        self.readings.insert(path, reading);
    }

    /// What reading a file came to; `None` where it was not read, or is not there.
    pub fn reading(&self, path: &RepoPath) -> Option<&Reading> {
        self.readings.get(path)
    }

    /// The text of a file that was read; `None` also where it has none.
    pub fn text(&self, path: &RepoPath) -> Option<&str> {
        match self.readings.get(path)? {
            Reading::Text(text) => Some(text),
            Reading::Binary | Reading::LfsPointer | Reading::TooLarge { .. } => None,
        }
    }

    /// Those of some paths that are files nobody has read yet.
    pub fn unread<'a>(&self, wanted: impl IntoIterator<Item = &'a RepoPath>) -> Vec<RepoPath> {
        let missing = |path: &&RepoPath| self.mode(path).is_some() && !self.readings.contains_key(*path);
        wanted.into_iter().filter(missing).cloned().collect()
    }
}

/// One change to a file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileEdit {
    /// The file has this content from now on; it may be a new one.
    Write(FileChange),
    /// The file goes.
    Delete(RepoPath),
}

impl FileEdit {
    /// Which file.
    pub fn path(&self) -> &RepoPath {
        match self {
            Self::Write(change) => &change.path,
            Self::Delete(path) => path,
        }
    }
}
