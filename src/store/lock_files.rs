//! The lock files that lie in each repository.

use super::sql::{parsed, statements, values};
use super::{Store, StoreError, Tx};
use crate::domain::{RepoId, RepoPath};
use std::collections::BTreeSet;

statements! {
    LOCK_FILES = "SELECT path FROM lock_file WHERE repo_id = $1 ORDER BY path";
    SAVE_LOCK_FILE = "INSERT INTO lock_file (repo_id, path) VALUES ($1, $2)";
    FORGET_LOCK_FILE = "DELETE FROM lock_file
        WHERE (repo_id, path) IN (VALUES (CAST($1 AS BIGINT), CAST($2 AS TEXT)))";
}

impl Store {
    /// The paths of a repository's lock files, as they were at the last look.
    pub async fn lock_files(&self, repo: RepoId) -> Result<BTreeSet<RepoPath>, StoreError> {
        let rows: Vec<(String,)> = self.rows(LOCK_FILES, values![repo]).await?;
        rows.into_iter().map(|(path,)| parsed("lock_file.path", &path, RepoPath::parse)).collect()
    }
}

impl Tx {
    /// Makes what is stored of a repository's lock files what they are `now`; `before` is what is stored.
    /// The repository has to be stored before.
    pub async fn replace_lock_files(
        &mut self,
        repo: RepoId,
        before: &BTreeSet<RepoPath>,
        now: &BTreeSet<RepoPath>,
    ) -> Result<(), StoreError> {
        let gone = before.difference(now).map(|path| values![repo, path]).collect();
        let new = now.difference(before).map(|path| values![repo, path]).collect();
        self.execute_for(FORGET_LOCK_FILE, gone).await?;
        self.execute_for(SAVE_LOCK_FILE, new).await
    }
}
