//! What runs sent where, also where a run did not come to tell what became of it.

use super::sql::{parsed, statements, values};
use super::{RunLease, Store, StoreError, Tx};
use crate::domain::{ObjectId, RunId};

/// A commit that a run pushed, or was about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPush {
    /// The commit.
    pub commit: ObjectId,
    /// The run.
    pub run: RunId,
    /// Where its Activity file lies.
    pub activity: String,
}

/// A change that a run made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    /// The commit.
    pub commit: ObjectId,
    /// The clone that it is in.
    pub folder: Option<String>,
    /// The commit that the branch on GitHub had when it was sent there: this one, or one with the same change.
    pub there: Option<ObjectId>,
    /// The branch that it begins from.
    pub base_branch: Option<String>,
    /// The commit that it follows.
    pub base: Option<ObjectId>,
}

statements! {
    SAVE_RUN_PUSH = "INSERT INTO run_push (run_id, repository, branch, commit_id) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING";
    FORGET_RUN_PUSH = "DELETE FROM run_push WHERE run_id = $1 AND repository = $2 AND branch = $3 AND commit_id = $4
        AND EXISTS (SELECT 1 FROM run WHERE run.id = $1 AND run.holder = $5)";
    PUSHES_OF = "SELECT commit_id, run_id, activity FROM run_push JOIN run ON run.id = run_id
        WHERE commit_id = $1 AND branch = $2 ORDER BY run_id DESC LIMIT 100";
    /// Of each branch the newest change counts; one that went to another branch is none for this.
    LAST_CHANGE = "SELECT changed.commit_id, changed.folder, (SELECT MAX(sent.pushed) FROM run_repository sent
            WHERE sent.clone_url = $1 AND sent.commit_id = changed.commit_id AND sent.branch = $2),
            changed.base_branch, changed.base_commit
        FROM run_repository changed JOIN run ON run.id = changed.run_id
        WHERE changed.clone_url = $1 AND changed.outcome = 'patched' AND changed.commit_id IS NOT NULL AND run.kind = 'run'
            AND NOT EXISTS (SELECT 1 FROM run_repository newer JOIN run later ON later.id = newer.run_id
                WHERE newer.clone_url = $1 AND newer.branch = changed.branch AND newer.run_id > changed.run_id
                    AND newer.outcome = 'patched' AND newer.commit_id IS NOT NULL AND later.kind = 'run')
            AND (changed.branch = $2
                OR NOT EXISTS (SELECT 1 FROM run_repository sent WHERE sent.clone_url = $1
                    AND sent.commit_id = changed.commit_id AND sent.branch <> $2 AND sent.pushed IS NOT NULL)
                AND NOT EXISTS (SELECT 1 FROM run_push about JOIN run_repository its ON its.run_id = about.run_id
                    WHERE its.clone_url = $1 AND about.commit_id = changed.commit_id AND about.branch <> $2))
        ORDER BY CASE WHEN changed.branch = $2 THEN 0 ELSE 1 END, changed.run_id DESC LIMIT 1";
}

/// Commit, clone, commit on GitHub, and the branch and commit that it begins from.
type LastChangeRow = (String, Option<String>, Option<String>, Option<String>, Option<String>);

/// Commit, run, Activity.
type PushRow = (String, i64, String);

fn push((id, run, activity): PushRow) -> Result<RunPush, StoreError> {
    Ok(RunPush { commit: parsed("run_push.commit_id", &id, ObjectId::parse)?, run: RunId(run), activity })
}

impl Store {
    /// The runs that have pushed a commit to a branch or were about to, in whatever repository, the latest first, 100 at most.
    pub async fn pushes_of(&self, commit: &ObjectId, branch: &str) -> Result<Vec<RunPush>, StoreError> {
        let rows: Vec<PushRow> = self.rows(PUSHES_OF, values![commit, branch]).await?;
        rows.into_iter().map(push).collect()
    }

    /// The last change that a run made in a repository: the newest for this branch, or else the newest for another branch, if that
    /// was not sent and was not about to be. Dry runs do not count.
    pub async fn last_change_of(&self, clone_url: &str, branch: &str) -> Result<Option<LastChange>, StoreError> {
        let row: Option<LastChangeRow> = self.row(LAST_CHANGE, values![clone_url, branch]).await?;
        let Some((commit, folder, there, base_branch, base)) = row else { return Ok(None) };
        let object = |id: &str| parsed("a commit of run_repository", id, ObjectId::parse);
        let (there, base) = (there.as_deref().map(object).transpose()?, base.as_deref().map(object).transpose()?);
        Ok(Some(LastChange { commit: object(&commit)?, folder, there, base_branch, base }))
    }
}

impl Tx {
    /// Stores that a commit is about to be pushed to a branch of a repository (`HOST/OWNER/NAME` in small letters). `false` if an
    /// earlier attempt of the run has stored the same.
    pub async fn save_run_push(
        &mut self,
        run: RunId,
        repository: &str,
        branch: &str,
        commit: &ObjectId,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(SAVE_RUN_PUSH, values![run.0, repository, branch, commit]).await? > 0)
    }

    /// Forgets that a commit was about to be pushed: it was refused. Nothing is forgotten of a run that another process works on.
    pub async fn forget_run_push(
        &mut self,
        lease: &RunLease,
        repository: &str,
        branch: &str,
        commit: &ObjectId,
    ) -> Result<(), StoreError> {
        let row = values![lease.run().0, repository, branch, commit, &lease.holder];
        self.execute(FORGET_RUN_PUSH, row).await.map(drop)
    }
}
