//! Everything that ever happened, a portion at a time: for whoever holds it against the rules.

use super::proposals::{LedgerRow, NamedProposalRecord, select_proposals};
use super::sql::{Value, statements, time, values, word};
use super::{Store, StoreError};
use crate::domain::{Ecosystem, PackageId, Proposal, ProposalId, RepoId, RepoName};
use jiff::Timestamp;
use std::collections::HashMap;

statements! {
    PROPOSALS_AFTER = select_proposals!(
        "(SELECT name FROM repository WHERE repository.id = proposal.repo_id) AS repository_name, ",
        "WHERE id > $1 ORDER BY id LIMIT $2"
    );
    PROPOSALS_OF_ONE_AFTER = select_proposals!(
        "(SELECT name FROM repository WHERE repository.id = proposal.repo_id) AS repository_name, ",
        "WHERE repo_id = $1 AND id > $2 ORDER BY id LIMIT $3"
    );
    LEDGERS_FOR = "SELECT proposal_id, at, what, detail FROM ledger WHERE proposal_id IN (VALUES ($1)) ORDER BY at, id";
    RELEASE_TIMES = "SELECT ecosystem, package, version, first_seen_at, counts_from FROM release
        WHERE (ecosystem, package, version) IN (VALUES ($1, $2, $3))";
}

/// When a release was first seen, and from when its age counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseTimes {
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// From when its age counts.
    pub counts_from: Timestamp,
}

impl Store {
    /// The next proposals after one, by their ids, with the names of their repositories; from the first one on where none
    /// is named. All, or those of one repository.
    pub async fn proposals_after(
        &self,
        after: Option<&ProposalId>,
        repo: Option<RepoId>,
        limit: u32,
    ) -> Result<Vec<(Proposal, RepoName)>, StoreError> {
        let after = after.map_or("", ProposalId::as_str);
        let rows: Vec<NamedProposalRecord> = match repo {
            Some(repo) => self.rows(PROPOSALS_OF_ONE_AFTER, values![repo, after, limit]).await?,
            None => self.rows(PROPOSALS_AFTER, values![after, limit]).await?,
        };
        rows.into_iter().map(NamedProposalRecord::read).collect()
    }

    /// What happened to each of these proposals, in order. Those without a line are left out.
    pub async fn ledgers_for<'p>(
        &self,
        proposals: impl IntoIterator<Item = &'p ProposalId>,
    ) -> Result<HashMap<ProposalId, Vec<LedgerRow>>, StoreError> {
        let keys: Vec<Vec<Value>> = proposals.into_iter().map(|id| values![id]).collect();
        let mut ledgers: HashMap<ProposalId, Vec<LedgerRow>> = HashMap::new();
        for (proposal, at, what, detail) in self.rows_for::<(String, i64, String, String)>(LEDGERS_FOR, keys).await? {
            ledgers.entry(ProposalId(proposal)).or_default().push(LedgerRow { at: time(at), what, detail });
        }
        Ok(ledgers)
    }

    /// The times of those of these releases that are known, each given as package and version.
    pub async fn release_times<'r>(
        &self,
        releases: impl IntoIterator<Item = (&'r PackageId, &'r str)>,
    ) -> Result<HashMap<(PackageId, String), ReleaseTimes>, StoreError> {
        let key = |(package, version): (&PackageId, &str)| values![package.ecosystem, &package.name, version];
        let keys = releases.into_iter().map(key).collect();
        let rows = self.rows_for::<(String, String, String, i64, i64)>(RELEASE_TIMES, keys).await?;
        let read = |(ecosystem, name, version, first_seen_at, counts_from): (String, _, _, _, _)| {
            let ecosystem = word("release.ecosystem", &ecosystem, Ecosystem::from_word)?;
            let times = ReleaseTimes { first_seen_at: time(first_seen_at), counts_from: time(counts_from) };
            Ok(((PackageId { ecosystem, name }, version), times))
        };
        rows.into_iter().map(read).collect()
    }
}
