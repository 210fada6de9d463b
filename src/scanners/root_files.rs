//! `root-files`: which of the usual files lie at the top of a repository.

use super::Scanner;
use crate::domain::{EntryKind, RepoPath, Snapshot};
use serde_json::{Map, Value};

/// The scanner.
#[derive(Debug)]
pub struct RootFiles;

/// What they are called in the result, and in the repository.
const FILES: [(&str, &str); 6] = [
    ("changelog_md", "CHANGELOG.md"),
    ("readme_md", "README.md"),
    ("license", "LICENSE"),
    ("makefile", "Makefile"),
    ("gitignore", ".gitignore"),
    ("dockerfile", "Dockerfile"),
];

impl Scanner for RootFiles {
    fn name(&self) -> &'static str {
        "root-files"
    }

    fn about(&self) -> &'static str {
        "Whether CHANGELOG.md, README.md, LICENSE, Makefile, .gitignore and Dockerfile lie at the top of the repository."
    }

    fn wants(&self, _: &Snapshot) -> Vec<RepoPath> {
        Vec::new()
    }

    fn scan(&self, files: &Snapshot) -> Result<Map<String, Value>, String> {
        let is_there = |name: &str| {
            let kind = RepoPath::parse(name).ok().and_then(|path| files.kind(&path));
            // A link that leads to a file stands for it; where it leads is not looked at.
            matches!(kind, Some(EntryKind::File(_) | EntryKind::Symlink))
        };
        Ok(FILES.into_iter().map(|(key, name)| (key.to_owned(), is_there(name).into())).collect())
    }
}
