//! What is being sent to GitHub for a proposal, from before the first request until its outcome is known.

use super::sql::{each, from_json, small, statements, to_json, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Change, Progress, ProposalId, RepoId, Rework};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

statements! {
    BEGIN_ATTEMPT = "INSERT INTO attempt (proposal_id, repo_id, change, begun_at, errand) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (proposal_id) DO UPDATE SET change = excluded.change, begun_at = excluded.begun_at, errand = excluded.errand,
            progress = excluded.progress, orderly_claim = excluded.orderly_claim";
    SAVE_PROGRESS = "UPDATE attempt SET progress = $2, orderly_claim = $3 WHERE proposal_id = $1";
    END_ATTEMPT = "DELETE FROM attempt WHERE proposal_id = $1";
    ATTEMPT = "SELECT change, progress, orderly_claim, errand FROM attempt WHERE proposal_id = $1";
    ATTEMPTED_OF = "SELECT proposal_id, errand FROM attempt WHERE repo_id IN (VALUES (CAST($1 AS BIGINT)))";
    ATTEMPTED = "SELECT proposal_id FROM attempt WHERE repo_id = $1 ORDER BY proposal_id";
}

/// A change on its way to GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What is sent.
    pub change: Change,
    /// How far it has got, as far as GitHub's answers were seen and stored.
    pub progress: Progress,
    /// The claim of its step that ended in good order, with nothing under way: things are as `progress` says, as long
    /// as no later claim has begun to send. `None` while one is sending, and after it was interrupted.
    pub orderly_claim: Option<u32>,
    /// What is done by it to a pull request that is open; `None` where it is to become one.
    pub errand: Option<Rework>,
}

impl Attempt {
    /// Whether nothing of it was sent, for certain: it may be replaced by another change.
    pub fn is_unsent(&self) -> bool {
        self.orderly_claim.is_some() && self.progress.is_start() && self.progress.refused.is_none()
    }
}

impl Store {
    /// The change that is being sent for a proposal; `None` when nothing of it can be on GitHub, or all is known.
    pub async fn attempt(&self, proposal: &ProposalId) -> Result<Option<Attempt>, StoreError> {
        let row: Option<(String, String, Option<i64>, Option<String>)> = self.row(ATTEMPT, values![proposal]).await?;
        row.map(|(change, progress, orderly_claim, errand)| {
            Ok(Attempt {
                change: from_json("attempt.change", &change)?,
                progress: from_json("attempt.progress", &progress)?,
                orderly_claim: orderly_claim.map(|claim| small("attempt.orderly_claim", claim)).transpose()?,
                errand: errand_of(errand)?,
            })
        })
        .transpose()
    }

    /// The proposals of a repository for which something is being sent.
    pub async fn attempted(&self, repo: RepoId) -> Result<BTreeSet<ProposalId>, StoreError> {
        let rows: Vec<(String,)> = self.rows(ATTEMPTED, values![repo]).await?;
        Ok(rows.into_iter().map(|(id,)| ProposalId(id)).collect())
    }

    /// The proposals of several repositories for which something is being sent, and what for, as [`Attempt::errand`].
    pub async fn attempted_of(&self, repos: &[RepoId]) -> Result<BTreeMap<ProposalId, Option<Rework>>, StoreError> {
        let rows: Vec<(String, Option<String>)> = self.rows_for(ATTEMPTED_OF, each(repos)).await?;
        rows.into_iter().map(|(id, errand)| Ok((ProposalId(id), errand_of(errand)?))).collect()
    }
}

fn errand_of(errand: Option<String>) -> Result<Option<Rework>, StoreError> {
    errand.map(|errand| word("attempt.errand", &errand, Rework::from_word)).transpose()
}

impl Tx {
    /// Notes what is about to be sent for a proposal. To be committed before the first request.
    pub async fn begin_attempt(
        &mut self,
        (repo, proposal): (RepoId, &ProposalId),
        change: &Change,
        errand: Option<Rework>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let change = to_json("attempt.change", change)?;
        self.execute(BEGIN_ATTEMPT, values![proposal, repo, change, now, errand.map(Rework::as_str)]).await.map(drop)
    }

    /// Notes how far an attempt has got. `orderly_claim` is the claim that stores this as its end; `None` says that
    /// something is about to be sent, so that whoever comes next has to look.
    pub async fn save_progress(
        &mut self,
        proposal: &ProposalId,
        progress: &Progress,
        orderly_claim: Option<u32>,
    ) -> Result<(), StoreError> {
        let progress = to_json("attempt.progress", progress)?;
        self.execute(SAVE_PROGRESS, values![proposal, progress, orderly_claim.map(i64::from)]).await.map(drop)
    }

    /// Notes that nothing is being sent for a proposal any more: what became of it is known.
    pub async fn end_attempt(&mut self, proposal: &ProposalId) -> Result<(), StoreError> {
        self.execute(END_ATTEMPT, values![proposal]).await.map(drop)
    }
}
