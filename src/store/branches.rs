//! What is known of the branches of our pull requests.

use super::sql::{each, parsed, statements, time, values};
use super::{Store, StoreError, Tx};
use crate::domain::{Held, InstallationId, ObjectId, PullBranch, PullNumber, RepoId};
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
    held_for_people: bool,
    closed_at: Option<i64>,
    base_branch: Option<String>,
}

/// A query of branches, with what distinguishes it at its end.
macro_rules! select_branches {
    ($tail:literal) => {
        concat!(
            "SELECT repo_id, pull_number, base, shared, held_because, held_head, held_base, held_for_people, closed_at, ",
            "base_branch FROM pull_branch ",
            $tail
        )
    };
}

statements! {
    SAVE_BRANCH = "INSERT INTO pull_branch
            (repo_id, pull_number, base, shared, held_because, held_head, held_base, held_for_people, closed_at,
            base_branch)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (repo_id, pull_number) DO UPDATE SET base = excluded.base, shared = excluded.shared,
            held_because = excluded.held_because, held_head = excluded.held_head, held_base = excluded.held_base,
            held_for_people = excluded.held_for_people, closed_at = excluded.closed_at,
            base_branch = excluded.base_branch";
    BRANCH = select_branches!("WHERE repo_id = $1 AND pull_number = $2");
    HELD_OF = select_branches!(
        "WHERE held_because IS NOT NULL AND repo_id IN (VALUES (CAST($1 AS BIGINT))) ORDER BY repo_id, pull_number"
    );
    HELD_OF_INSTALLATION = "SELECT repo_id, pull_number FROM pull_branch
        WHERE held_because IS NOT NULL AND NOT held_for_people
        AND repo_id IN (SELECT id FROM repository WHERE installation_id = $1 AND state = 'active')
        ORDER BY repo_id, pull_number";
}

impl Store {
    /// The branch of one of our pull requests; of one that nothing was noted of, what that means.
    pub async fn pull_branch(&self, repo: RepoId, number: PullNumber) -> Result<PullBranch, StoreError> {
        let record: Option<BranchRecord> = self.row(BRANCH, values![repo, number]).await?;
        record.map_or_else(|| Ok(PullBranch::default()), BranchRecord::read)
    }

    /// The pull requests of an installation whose branches are left as they are for another reason than people's commits.
    pub async fn held_of_installation(
        &self,
        installation: InstallationId,
    ) -> Result<Vec<(RepoId, PullNumber)>, StoreError> {
        let rows: Vec<(i64, i64)> = self.rows(HELD_OF_INSTALLATION, values![installation]).await?;
        Ok(rows.into_iter().map(|(repo, number)| (RepoId(repo), PullNumber(number))).collect())
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
        let PullBranch { base, base_branch, shared, held, closed_at } = branch;
        let held = held.as_ref();
        let (why, head, at) = (held.map(|h| &h.why), held.map(|h| &h.head), held.map(|h| &h.base));
        let people = held.is_some_and(|held| held.people);
        let base_branch = base_branch.as_ref();
        let row = values![repo, number, base.as_ref(), *shared, why, head, at, people, *closed_at, base_branch];
        self.execute(SAVE_BRANCH, row).await.map(drop)
    }
}

impl BranchRecord {
    fn read(self) -> Result<PullBranch, StoreError> {
        let id = |name: &'static str, text: &str| parsed(name, text, ObjectId::parse);
        let held = match (self.held_because, self.held_head, self.held_base) {
            (Some(why), Some(head), Some(base)) => Some(Held {
                why,
                head: id("pull_branch.held_head", &head)?,
                base: id("pull_branch.held_base", &base)?,
                people: self.held_for_people,
            }),
            _ => None,
        };
        let closed_at = self.closed_at.map(time);
        let base = self.base.map(|base| id("pull_branch.base", &base)).transpose()?;
        Ok(PullBranch { base, base_branch: self.base_branch, shared: self.shared, held, closed_at })
    }
}
