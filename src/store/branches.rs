//! What is known of the branches of our pull requests.

use super::sql::{each, parsed, statements, values};
use super::{Store, StoreError, Tx};
use crate::domain::{Held, ObjectId, PullBranch, PullNumber, RepoId};
use std::collections::HashMap;

#[derive(sqlx::FromRow)]
struct BranchRecord {
    repo_id: i64,
    pull_number: i64,
    base: Option<String>,
    shared: bool,
    held_because: Option<String>,
    held_head: Option<String>,
    held_base: Option<String>,
}

statements! {
    SAVE_BRANCH = "INSERT INTO pull_branch (repo_id, pull_number, base, shared, held_because, held_head, held_base)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (repo_id, pull_number) DO UPDATE SET base = excluded.base, shared = excluded.shared,
            held_because = excluded.held_because, held_head = excluded.held_head, held_base = excluded.held_base";
    BRANCH = "SELECT repo_id, pull_number, base, shared, held_because, held_head, held_base FROM pull_branch
        WHERE repo_id = $1 AND pull_number = $2";
    HELD_OF = "SELECT repo_id, pull_number, base, shared, held_because, held_head, held_base FROM pull_branch
        WHERE held_because IS NOT NULL AND repo_id IN (VALUES (CAST($1 AS BIGINT))) ORDER BY repo_id, pull_number";
}

impl Store {
    /// The branch of one of our pull requests; of one that nothing was noted of, what that means.
    pub async fn pull_branch(&self, repo: RepoId, number: PullNumber) -> Result<PullBranch, StoreError> {
        let record: Option<BranchRecord> = self.row(BRANCH, values![repo, number]).await?;
        record.map_or_else(|| Ok(PullBranch::default()), BranchRecord::read)
    }

    /// Of each of several repositories, the pull requests whose branches are left as they are, and why. Repositories
    /// without any are left out.
    pub async fn held_of(&self, repos: &[RepoId]) -> Result<HashMap<RepoId, Vec<(PullNumber, Held)>>, StoreError> {
        let mut found: HashMap<RepoId, Vec<_>> = HashMap::new();
        for record in self.rows_for::<BranchRecord>(HELD_OF, each(repos)).await? {
            let (repo, number) = (RepoId(record.repo_id), PullNumber(record.pull_number));
            found.entry(repo).or_default().extend(record.read()?.held.map(|held| (number, held)));
        }
        Ok(found)
    }
}

impl Tx {
    /// As [`Store::pull_branch`], as this transaction sees it.
    pub async fn pull_branch(&mut self, repo: RepoId, number: PullNumber) -> Result<PullBranch, StoreError> {
        let rows: Vec<BranchRecord> = self.rows(BRANCH, values![repo, number]).await?;
        rows.into_iter().next().map_or_else(|| Ok(PullBranch::default()), BranchRecord::read)
    }

    /// Notes what is known of the branch of a pull request.
    pub async fn save_pull_branch(
        &mut self,
        (repo, number): (RepoId, PullNumber),
        branch: &PullBranch,
    ) -> Result<(), StoreError> {
        let PullBranch { base, shared, held } = branch;
        let held = held.as_ref();
        let (why, head, at) = (held.map(|h| &h.why), held.map(|h| &h.head), held.map(|h| &h.base));
        self.execute(SAVE_BRANCH, values![repo, number, base.as_ref(), *shared, why, head, at]).await.map(drop)
    }
}

impl BranchRecord {
    fn read(self) -> Result<PullBranch, StoreError> {
        let id = |name: &'static str, text: &str| parsed(name, text, ObjectId::parse);
        let held = match (self.held_because, self.held_head, self.held_base) {
            (Some(why), Some(head), Some(base)) => {
                Some(Held { why, head: id("pull_branch.held_head", &head)?, base: id("pull_branch.held_base", &base)? })
            }
            _ => None,
        };
        let base = self.base.map(|base| id("pull_branch.base", &base)).transpose()?;
        Ok(PullBranch { base, shared: self.shared, held })
    }
}
