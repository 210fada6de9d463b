//! The pull requests that bring repositories their first subscription file: one row for a repository, whatever became of it.

use super::sql::{each, from_json, parsed, small, statements, time, to_json, values, word};
use super::{Attempt, Store, StoreError, Tx};
use crate::domain::{
    Change, InstallationId, ObjectId, Onboarding, OnboardingState, Progress, PullNumber, PullRequest, RepoId, RepoName,
};
use jiff::Timestamp;
use std::collections::HashMap;

#[derive(sqlx::FromRow)]
struct OnboardingRecord {
    repo_id: i64,
    state: String,
    reason: String,
    branch: String,
    commit_id: String,
    base_branch: Option<String>,
    pull_number: Option<i64>,
    pull_url: Option<String>,
    pull_head: Option<String>,
    farewell: Option<String>,
    begun_at: i64,
    updated_at: i64,
}

statements! {
    ONBOARDING = "SELECT repo_id, state, reason, branch, commit_id, base_branch, pull_number, pull_url, pull_head, farewell, begun_at,
        updated_at FROM onboarding WHERE repo_id = $1";
    SAVE_ONBOARDING = "INSERT INTO onboarding
            (repo_id, state, reason, branch, commit_id, base_branch, pull_number, pull_url, pull_head, farewell, begun_at, updated_at,
            progress)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '{}')
        ON CONFLICT (repo_id) DO UPDATE SET state = excluded.state, reason = excluded.reason, branch = excluded.branch,
            commit_id = excluded.commit_id, base_branch = excluded.base_branch, pull_number = excluded.pull_number, pull_url = excluded.pull_url,
            pull_head = excluded.pull_head, farewell = excluded.farewell, begun_at = excluded.begun_at,
            updated_at = excluded.updated_at";
    ONBOARDINGS_OF = "SELECT repo_id, state, reason, branch, commit_id, base_branch, pull_number, pull_url, pull_head, farewell, begun_at,
        updated_at FROM onboarding WHERE repo_id IN (VALUES (CAST($1 AS BIGINT))) ORDER BY repo_id";
    FORGET_ONBOARDING = "DELETE FROM onboarding WHERE repo_id = $1";
    ONBOARDING_ATTEMPT = "SELECT change, progress, orderly_claim FROM onboarding WHERE repo_id = $1 AND change IS NOT NULL";
    BEGIN_ONBOARDING_ATTEMPT = "UPDATE onboarding SET change = $2, progress = '{}', orderly_claim = $3 WHERE repo_id = $1";
    SAVE_ONBOARDING_PROGRESS = "UPDATE onboarding SET progress = $2, orderly_claim = $3 WHERE repo_id = $1";
    END_ONBOARDING_ATTEMPT = "UPDATE onboarding SET change = NULL, progress = '{}', orderly_claim = NULL WHERE repo_id = $1";
    BEGUN = "SELECT o.begun_at FROM onboarding o JOIN repository r ON r.id = o.repo_id
        WHERE r.installation_id = $1 AND o.begun_at > $2 AND o.state <> 'nothing' ORDER BY o.begun_at DESC LIMIT $3";
    FORGET_FAILED = "DELETE FROM onboarding WHERE state = 'failed' AND pull_number IS NULL
        AND repo_id IN (SELECT id FROM repository WHERE installation_id = $1)";
    /// With a pull request, which went to a branch that is not the default one any more, it is to be asked anew, as before it failed.
    REVIVE_FAILED = "UPDATE onboarding SET state = 'nothing' WHERE state = 'failed' AND pull_number IS NOT NULL
        AND repo_id IN (SELECT id FROM repository WHERE installation_id = $1)";
    /// Those in which nothing was found have a row, without a branch: they are looked at again when a push brings something. With
    /// a pull request they are to be asked anew: it went to a branch that is not the default one any more. Those with pull
    /// requests of ours know what they do, and are not asked. What failed may fail again, and is tried after all others.
    CANDIDATES = "SELECT r.id, r.name FROM repository r LEFT JOIN onboarding o ON o.repo_id = r.id
        WHERE r.installation_id = $1 AND r.state = 'active' AND NOT r.fork AND r.config_state = 'none'
        AND r.config_commit IS NULL AND r.head_commit IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM proposal WHERE proposal.repo_id = r.id)
        AND (o.repo_id IS NULL OR o.state = 'failed' AND o.updated_at < $2
            OR o.state = 'nothing' AND o.pull_number IS NOT NULL AND (o.branch <> '' OR o.commit_id <> r.head_commit))
        ORDER BY CASE WHEN o.state = 'failed' THEN 1 ELSE 0 END, r.id";
    TO_LOOK_AT = "SELECT o.repo_id FROM onboarding o JOIN repository r ON r.id = o.repo_id
        WHERE r.installation_id = $1 AND r.state = 'active'
        AND (o.state IN ('opening', 'open') OR o.farewell IS NOT NULL OR o.state = 'closed' AND o.updated_at >= $2)
        ORDER BY o.repo_id";
}

impl Store {
    /// The onboarding of a repository.
    pub async fn onboarding(&self, repo: RepoId) -> Result<Option<Onboarding>, StoreError> {
        self.row::<OnboardingRecord>(ONBOARDING, values![repo]).await?.map(OnboardingRecord::read).transpose()
    }

    /// The onboardings of several repositories; those without one are left out.
    pub async fn onboardings_of(&self, repos: &[RepoId]) -> Result<HashMap<RepoId, Onboarding>, StoreError> {
        let rows: Vec<OnboardingRecord> = self.rows_for(ONBOARDINGS_OF, each(repos)).await?;
        rows.into_iter().map(|record| Ok((RepoId(record.repo_id), record.read()?))).collect()
    }

    /// The onboarding that a pull request is of.
    pub async fn onboarding_by_pull(&self, repo: RepoId, number: PullNumber) -> Result<Option<Onboarding>, StoreError> {
        let found = self.onboarding(repo).await?;
        Ok(found.filter(|one| one.pull.as_ref().is_some_and(|pull| pull.number == number)))
    }

    /// The change that is being sent for an onboarding; `None` when nothing of it can be on GitHub, or all is known.
    pub async fn onboarding_attempt(&self, repo: RepoId) -> Result<Option<Attempt>, StoreError> {
        let row: Option<(String, String, Option<i64>)> = self.row(ONBOARDING_ATTEMPT, values![repo]).await?;
        row.map(|(change, progress, orderly_claim)| {
            Ok(Attempt {
                change: from_json("onboarding.change", &change)?,
                progress: from_json("onboarding.progress", &progress)?,
                orderly_claim: orderly_claim.map(|claim| small("onboarding.orderly_claim", claim)).transpose()?,
                errand: None,
            })
        })
        .transpose()
    }

    /// When the last onboardings of an installation were begun since a time, the latest first.
    pub async fn onboardings_begun(
        &self,
        installation: InstallationId,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let rows: Vec<(i64,)> = self.rows(BEGUN, values![installation, since, limit]).await?;
        Ok(rows.into_iter().map(|(at,)| time(at)).collect())
    }

    /// The repositories of an installation in which nobody has looked for anything to be onboarded for, and that might be as
    /// far as their rows tell, whatever its owner asks for; and, after them, those in which it failed before a time.
    pub async fn onboarding_candidates(
        &self,
        installation: InstallationId,
        failed_before: Timestamp,
    ) -> Result<Vec<(RepoId, RepoName)>, StoreError> {
        let rows: Vec<(i64, String)> = self.rows(CANDIDATES, values![installation, failed_before]).await?;
        rows.into_iter()
            .map(|(id, name)| Ok((RepoId(id), parsed("repository.name", &name, RepoName::parse)?)))
            .collect()
    }

    /// The repositories of an installation whose onboarding is under way, or was ended by a person since a time.
    pub async fn onboardings_to_look_at(
        &self,
        installation: InstallationId,
        closed_since: Timestamp,
    ) -> Result<Vec<RepoId>, StoreError> {
        let rows: Vec<(i64,)> = self.rows(TO_LOOK_AT, values![installation, closed_since]).await?;
        Ok(rows.into_iter().map(|(id,)| RepoId(id)).collect())
    }
}

impl Tx {
    /// As [`Store::onboardings_begun`], as this transaction sees it.
    pub async fn onboardings_begun(
        &mut self,
        installation: InstallationId,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let rows: Vec<(i64,)> = self.rows(BEGUN, values![installation, since, limit]).await?;
        Ok(rows.into_iter().map(|(at,)| time(at)).collect())
    }

    /// Stores how far an onboarding has come.
    pub async fn save_onboarding(&mut self, onboarding: &Onboarding) -> Result<(), StoreError> {
        let Onboarding { repo, state, reason, branch, commit, base_branch, pull, farewell, begun_at, updated_at } =
            onboarding;
        let pull = pull.as_ref();
        let row = values![
            *repo,
            state.as_str(),
            reason,
            branch,
            commit,
            base_branch.as_ref(),
            pull.map(|pull| pull.number),
            pull.map(|pull| &pull.url),
            pull.map(|pull| &pull.head),
            farewell.as_ref(),
            *begun_at,
            *updated_at
        ];
        self.execute(SAVE_ONBOARDING, row).await.map(drop)
    }

    /// Forgets an onboarding of which nothing was seen by anybody.
    pub async fn forget_onboarding(&mut self, repo: RepoId) -> Result<(), StoreError> {
        self.execute(FORGET_ONBOARDING, values![repo]).await.map(drop)
    }

    /// Forgets the onboardings of an installation that failed before anybody saw anything of them. Those that had a pull request
    /// before know of it, and are to be asked anew. Returns how many there are of both.
    pub async fn forget_failed_onboardings(&mut self, installation: InstallationId) -> Result<u64, StoreError> {
        let forgotten = self.execute(FORGET_FAILED, values![installation]).await?;
        Ok(forgotten + self.execute(REVIVE_FAILED, values![installation]).await?)
    }

    /// Notes what is about to be sent for an onboarding that is stored. To be committed before the first request.
    pub async fn begin_onboarding_attempt(
        &mut self,
        repo: RepoId,
        change: &Change,
        orderly_claim: u32,
    ) -> Result<(), StoreError> {
        let change = to_json("onboarding.change", change)?;
        self.execute(BEGIN_ONBOARDING_ATTEMPT, values![repo, change, orderly_claim]).await.map(drop)
    }

    /// Notes how far it has got, as [`Tx::save_progress`] does for a proposal.
    pub async fn save_onboarding_progress(
        &mut self,
        repo: RepoId,
        progress: &Progress,
        orderly_claim: Option<u32>,
    ) -> Result<(), StoreError> {
        let progress = to_json("onboarding.progress", progress)?;
        self.execute(SAVE_ONBOARDING_PROGRESS, values![repo, progress, orderly_claim.map(i64::from)]).await.map(drop)
    }

    /// Notes that nothing is being sent any more: what became of it is known.
    pub async fn end_onboarding_attempt(&mut self, repo: RepoId) -> Result<(), StoreError> {
        self.execute(END_ONBOARDING_ATTEMPT, values![repo]).await.map(drop)
    }
}

impl OnboardingRecord {
    fn read(self) -> Result<Onboarding, StoreError> {
        let object = |what, text: &str| parsed(what, text, ObjectId::parse);
        let pull = match (self.pull_number, self.pull_url, self.pull_head) {
            (Some(number), Some(url), Some(head)) => {
                Some(PullRequest { number: PullNumber(number), url, head: object("onboarding.pull_head", &head)? })
            }
            _ => None,
        };
        Ok(Onboarding {
            repo: RepoId(self.repo_id),
            state: word("onboarding.state", &self.state, OnboardingState::from_word)?,
            reason: self.reason,
            branch: self.branch,
            commit: object("onboarding.commit_id", &self.commit_id)?,
            base_branch: self.base_branch,
            pull,
            farewell: self.farewell,
            begun_at: time(self.begun_at),
            updated_at: time(self.updated_at),
        })
    }
}
