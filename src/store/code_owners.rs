//! The file of each repository that says who owns which of its files.

use super::sql::{parsed, statements, values};
use super::{Store, StoreError, Tx};
use crate::domain::{ObjectId, RepoId, RepoPath};

/// The file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeOwnersFile {
    /// Where it lies.
    pub path: RepoPath,
    /// Its blob.
    pub blob: ObjectId,
    /// What it says; nothing, where it is no text or too large.
    pub text: String,
}

statements! {
    CODE_OWNERS = "SELECT path, blob, said FROM code_owners WHERE repo_id = $1";
    CODE_OWNERS_BLOB = "SELECT path, blob FROM code_owners WHERE repo_id = $1";
    SAVE_CODE_OWNERS = "INSERT INTO code_owners (repo_id, path, blob, said) VALUES ($1, $2, $3, $4)
        ON CONFLICT (repo_id) DO UPDATE SET path = excluded.path, blob = excluded.blob, said = excluded.said";
    FORGET_CODE_OWNERS = "DELETE FROM code_owners WHERE repo_id = $1";
}

impl Store {
    /// The file of a repository, if it has one and that is asked for.
    pub async fn code_owners(&self, repo: RepoId) -> Result<Option<CodeOwnersFile>, StoreError> {
        let row: Option<(String, String, String)> = self.row(CODE_OWNERS, values![repo]).await?;
        row.map(|(path, blob, text)| {
            let (path, blob) = read(&path, &blob)?;
            Ok(CodeOwnersFile { path, blob, text })
        })
        .transpose()
    }

    /// Where the stored file lies, and its blob.
    pub async fn code_owners_blob(&self, repo: RepoId) -> Result<Option<(RepoPath, ObjectId)>, StoreError> {
        let row: Option<(String, String)> = self.row(CODE_OWNERS_BLOB, values![repo]).await?;
        row.map(|(path, blob)| read(&path, &blob)).transpose()
    }
}

impl Tx {
    /// Stores the file of a repository, or that there is none.
    pub async fn set_code_owners(&mut self, repo: RepoId, file: Option<&CodeOwnersFile>) -> Result<(), StoreError> {
        match file {
            Some(CodeOwnersFile { path, blob, text }) => {
                self.execute(SAVE_CODE_OWNERS, values![repo, path, blob, text]).await
            }
            None => self.execute(FORGET_CODE_OWNERS, values![repo]).await,
        }
        .map(drop)
    }
}

fn read(path: &str, blob: &str) -> Result<(RepoPath, ObjectId), StoreError> {
    Ok((parsed("code_owners.path", path, RepoPath::parse)?, parsed("code_owners.blob", blob, ObjectId::parse)?))
}
