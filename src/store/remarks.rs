//! What people are told of open pull requests beside that they are open.

use super::sql::{statements, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{ProposalId, Topic};
use std::collections::BTreeMap;

statements! {
    REMARKS = "SELECT topic, said FROM remark WHERE proposal_id = $1";
    SAVE_REMARK = "INSERT INTO remark (proposal_id, topic, said) VALUES ($1, $2, $3)
        ON CONFLICT (proposal_id, topic) DO UPDATE SET said = excluded.said";
    FORGET_REMARK = "DELETE FROM remark WHERE proposal_id = $1 AND topic = $2";
}

impl Store {
    /// The remarks on a proposal's pull request, one for each topic.
    pub async fn remarks(&self, proposal: &ProposalId) -> Result<BTreeMap<Topic, String>, StoreError> {
        let rows: Vec<(String, String)> = self.rows(REMARKS, values![proposal]).await?;
        rows.into_iter().map(|(topic, said)| Ok((word("remark.topic", &topic, Topic::from_word)?, said))).collect()
    }
}

impl Tx {
    /// Makes a remark on a topic, in place of the one before; or takes that back.
    pub async fn set_remark(
        &mut self,
        proposal: &ProposalId,
        topic: Topic,
        said: Option<&str>,
    ) -> Result<(), StoreError> {
        match said {
            Some(said) => self.execute(SAVE_REMARK, values![proposal, topic.as_str(), said]).await,
            None => self.execute(FORGET_REMARK, values![proposal, topic.as_str()]).await,
        }
        .map(drop)
    }
}
