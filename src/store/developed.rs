//! The packages that a repository develops itself, by the manifest that says so.

use super::sql::{each, statements, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Ecosystem, PackageId, RepoId, RepoPath};
use std::collections::{BTreeSet, HashMap};

statements! {
    DEVELOPED = "SELECT repo_id, ecosystem, package FROM developed WHERE repo_id IN (VALUES (CAST($1 AS BIGINT)))";
    SAVE_DEVELOPED = "INSERT INTO developed (repo_id, path, manager, ecosystem, package) VALUES ($1, $2, $3, $4, $5)";
    FORGET_DEVELOPED = "DELETE FROM developed WHERE repo_id = $1 AND path = $2 AND manager = $3";
}

impl Store {
    /// The packages that each of several repositories develops. Those without any are left out.
    pub async fn developed(&self, repos: &[RepoId]) -> Result<HashMap<RepoId, BTreeSet<PackageId>>, StoreError> {
        let mut found: HashMap<RepoId, BTreeSet<PackageId>> = HashMap::new();
        for (repo, ecosystem, name) in self.rows_for::<(i64, String, String)>(DEVELOPED, each(repos)).await? {
            let ecosystem = word("developed.ecosystem", &ecosystem, Ecosystem::from_word)?;
            found.entry(RepoId(repo)).or_default().insert(PackageId { ecosystem, name });
        }
        Ok(found)
    }
}

impl Tx {
    /// Says which package a manifest is about, which has to be stored before.
    pub async fn set_developed(
        &mut self,
        repo: RepoId,
        path: &RepoPath,
        manager: &str,
        package: Option<&PackageId>,
    ) -> Result<(), StoreError> {
        self.execute(FORGET_DEVELOPED, values![repo, path, manager]).await?;
        if let Some(PackageId { ecosystem, name }) = package {
            self.execute(SAVE_DEVELOPED, values![repo, path, manager, *ecosystem, name]).await?;
        }
        Ok(())
    }
}
