//! What is being sent to GitHub for a proposal, from before the first request until its outcome is known.

use super::sql::{each, from_json, statements, to_json, values};
use super::{Store, StoreError, Tx};
use crate::domain::{Change, ProposalId, RepoId};
use jiff::Timestamp;
use std::collections::BTreeSet;

statements! {
    BEGIN_ATTEMPT = "INSERT INTO attempt (proposal_id, repo_id, change, begun_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (proposal_id) DO UPDATE SET change = excluded.change, begun_at = excluded.begun_at";
    END_ATTEMPT = "DELETE FROM attempt WHERE proposal_id = $1";
    ATTEMPT = "SELECT change FROM attempt WHERE proposal_id = $1";
    ATTEMPTED_OF = "SELECT proposal_id FROM attempt WHERE repo_id IN (VALUES (CAST($1 AS BIGINT)))";
    ATTEMPTED = "SELECT proposal_id FROM attempt WHERE repo_id = $1 ORDER BY proposal_id";
}

impl Store {
    /// The change that is being sent for a proposal; `None` when nothing of it can be on GitHub, or all is known.
    pub async fn attempt(&self, proposal: &ProposalId) -> Result<Option<Change>, StoreError> {
        let row: Option<(String,)> = self.row(ATTEMPT, values![proposal]).await?;
        row.map(|(change,)| from_json("attempt.change", &change)).transpose()
    }

    /// The proposals of a repository for which something is being sent.
    pub async fn attempted(&self, repo: RepoId) -> Result<BTreeSet<ProposalId>, StoreError> {
        let rows: Vec<(String,)> = self.rows(ATTEMPTED, values![repo]).await?;
        Ok(rows.into_iter().map(|(id,)| ProposalId(id)).collect())
    }

    /// The proposals of several repositories for which something is being sent.
    pub async fn attempted_of(&self, repos: &[RepoId]) -> Result<BTreeSet<ProposalId>, StoreError> {
        let rows: Vec<(String,)> = self.rows_for(ATTEMPTED_OF, each(repos)).await?;
        Ok(rows.into_iter().map(|(id,)| ProposalId(id)).collect())
    }
}

impl Tx {
    /// Notes what is about to be sent for a proposal. To be committed before the first request.
    pub async fn begin_attempt(
        &mut self,
        (repo, proposal): (RepoId, &ProposalId),
        change: &Change,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = to_json("attempt.change", change)?;
        self.execute(BEGIN_ATTEMPT, values![proposal, repo, change, now]).await.map(drop)
    }

    /// Notes that nothing is being sent for a proposal any more: what became of it is known.
    pub async fn end_attempt(&mut self, proposal: &ProposalId) -> Result<(), StoreError> {
        self.execute(END_ATTEMPT, values![proposal]).await.map(drop)
    }
}
