//! What people decided about packages by commands.

use super::sql::{each, statements, time, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Decided, Decision, Ecosystem, IgnoreScope, PackageId, PullNumber, RepoId};
use std::collections::HashMap;

#[derive(sqlx::FromRow)]
struct DecisionRecord {
    repo_id: i64,
    ecosystem: String,
    package: String,
    scope: String,
    version: String,
    snoozed_to: Option<i64>,
    author: String,
    pull_number: i64,
    decided_at: i64,
}

statements! {
    SAVE_DECISION = "INSERT INTO decision
            (repo_id, ecosystem, package, scope, version, snoozed_to, author, pull_number, decided_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (repo_id, ecosystem, package, scope, version) DO UPDATE SET snoozed_to = excluded.snoozed_to,
            author = excluded.author, pull_number = excluded.pull_number, decided_at = excluded.decided_at";
    FORGET_DECISIONS = "DELETE FROM decision WHERE repo_id = $1 AND ecosystem = $2 AND package = $3";
    DECISIONS_OF = "SELECT repo_id, ecosystem, package, scope, version, snoozed_to, author, pull_number, decided_at
        FROM decision WHERE repo_id IN (VALUES (CAST($1 AS BIGINT)))
        ORDER BY repo_id, ecosystem, package, scope, version";
}

/// The scope's word of a decision that sets a time.
const SNOOZE: &str = "snooze";

impl Store {
    /// What was decided in each of several repositories, sorted by package. Those without decisions are left out.
    pub async fn decisions_of(&self, repos: &[RepoId]) -> Result<HashMap<RepoId, Vec<Decision>>, StoreError> {
        let mut found: HashMap<RepoId, Vec<Decision>> = HashMap::new();
        for record in self.rows_for::<DecisionRecord>(DECISIONS_OF, each(repos)).await? {
            found.entry(RepoId(record.repo_id)).or_default().push(record.read()?);
        }
        Ok(found)
    }
}

impl Tx {
    /// Stores a decision. One about the same package and the same versions is replaced.
    pub async fn save_decision(&mut self, repo: RepoId, decision: &Decision) -> Result<(), StoreError> {
        let Decision { package, what, by, pull, at } = decision;
        let (scope, version, until) = match what {
            Decided::Ignored { scope, version } => (scope.as_str(), version.as_str(), None),
            Decided::Snoozed { until } => (SNOOZE, "", Some(*until)),
        };
        let (ecosystem, package) = (package.ecosystem, &package.name);
        let values = values![repo, ecosystem, package, scope, version, until, by, *pull, *at];
        self.execute(SAVE_DECISION, values).await.map(drop)
    }

    /// Forgets all that was decided about a package, and says how much that was.
    pub async fn forget_decisions(&mut self, repo: RepoId, package: &PackageId) -> Result<u64, StoreError> {
        self.execute(FORGET_DECISIONS, values![repo, package.ecosystem, &package.name]).await
    }
}

impl DecisionRecord {
    fn read(self) -> Result<Decision, StoreError> {
        let ecosystem = word("decision.ecosystem", &self.ecosystem, Ecosystem::from_word)?;
        let what = match (self.scope.as_str(), self.snoozed_to) {
            (SNOOZE, until) => {
                let until = until.ok_or_else(|| StoreError::corrupt("decision.snoozed_to", "NULL"))?;
                Decided::Snoozed { until: time(until) }
            }
            (scope, _) => {
                let scope = word("decision.scope", scope, IgnoreScope::from_word)?;
                Decided::Ignored { scope, version: self.version }
            }
        };
        Ok(Decision {
            package: PackageId { ecosystem, name: self.package },
            what,
            by: self.author,
            pull: PullNumber(self.pull_number),
            at: time(self.decided_at),
        })
    }
}
