//! Lock files: where an ecosystem's tool wrote down which versions it chose.

use super::repo::RepoPath;

/// A lock file of a repository, and how it is brought up to date once a manifest has changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockFile {
    /// Where it is.
    pub path: RepoPath,
    /// The tool it belongs to, as its executable is called: `npm`, `cargo`.
    pub tool: &'static str,
    /// What to run in the folder it lies in: it changes the lock file for what the manifests ask now, and nothing else.
    pub command: &'static str,
}
