//! Commits whose subscription file was looked at, and what was said of it.

use super::sql::{parsed, statements, time, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Asked, CheckRunId, Examined, ObjectId, Place, RepoId};
use jiff::Timestamp;

/// A commit whose file is to be looked at, and what came of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// What is asked for.
    pub asked: Asked,
    /// What came of it; `None` as long as nobody has looked.
    pub outcome: Option<Examined>,
    /// The file that was found.
    pub blob: Option<ObjectId>,
    /// Our check run.
    pub check_run: Option<CheckRunId>,
    /// A hash of the words that stand in it, once all of them do.
    pub said: Option<String>,
    /// When that was.
    pub examined_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct ExaminationRecord {
    place: String,
    follows: Option<String>,
    named: bool,
    outcome: Option<String>,
    blob: Option<String>,
    check_run: Option<i64>,
    said: Option<String>,
    examined_at: Option<i64>,
}

statements! {
    /// A commit on two branches is left behind by neither of them alone.
    ASK_EXAMINATION = "INSERT INTO examination (repo_id, commit_id, place, follows, named, asked_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (repo_id, commit_id) DO UPDATE SET
            place = CASE WHEN excluded.place IN (examination.place, '') THEN examination.place ELSE '' END,
            follows = CASE WHEN excluded.place = '' THEN examination.follows ELSE excluded.follows END, named = examination.named OR excluded.named, asked_at = excluded.asked_at";
    /// Who goes back to a commit has left what followed it.
    RETURN_TO = "UPDATE examination SET follows = NULL WHERE repo_id = $1 AND follows = $2 AND place = $3";
    EXAMINATION = "SELECT place, follows, named, outcome, blob, check_run, said, examined_at FROM examination
        WHERE repo_id = $1 AND commit_id = $2";
    FOLLOWED = "SELECT commit_id FROM examination WHERE repo_id = $1 AND follows = $2 AND place = $3 LIMIT 1";
    REFUSED = "SELECT commit_id FROM examination WHERE repo_id = $1 AND outcome = 'refused' LIMIT 1";
    FORGET_REFUSED = "UPDATE examination SET outcome = 'nothing' WHERE repo_id = $1 AND outcome = 'refused'";
    SAVE_CHECK_RUN = "UPDATE examination SET check_run = $3 WHERE repo_id = $1 AND commit_id = $2";
    END_EXAMINATION = "UPDATE examination SET outcome = $3, blob = $4, said = $5, examined_at = $6
        WHERE repo_id = $1 AND commit_id = $2";
    FORGET_EXAMINATIONS = "DELETE FROM examination WHERE asked_at < $1";
    SET_CONFIG_COMMIT = "UPDATE repository SET config_commit = $2 WHERE id = $1";
    CONFIG_COMMIT = "SELECT config_commit FROM repository WHERE id = $1";
}

impl Store {
    /// What is asked, and was found out, about the file of a commit.
    pub async fn examination(&self, repo: RepoId, commit: &ObjectId) -> Result<Option<Examination>, StoreError> {
        let record: Option<ExaminationRecord> = self.row(EXAMINATION, values![repo, commit]).await?;
        record.map(|record| record.read(repo, commit)).transpose()
    }

    /// Whether somebody has pushed on top of a commit, in the very place where it is to be looked at.
    pub async fn is_followed(&self, asked: &Asked) -> Result<bool, StoreError> {
        if asked.place == Place::Anywhere {
            return Ok(false);
        }
        let row: Option<(String,)> =
            self.row(FOLLOWED, values![asked.repo, &asked.commit, asked.place.to_text()]).await?;
        Ok(row.is_some())
    }

    /// Whether GitHub refused to let us say anything in a repository, and has not let us since.
    pub async fn is_refused(&self, repo: RepoId) -> Result<bool, StoreError> {
        Ok(self.row::<(String,)>(REFUSED, values![repo]).await?.is_some())
    }

    /// The commit at whose head the file in force was first read.
    pub async fn config_commit(&self, repo: RepoId) -> Result<Option<ObjectId>, StoreError> {
        let row: Option<(Option<String>,)> = self.row(CONFIG_COMMIT, values![repo]).await?;
        object("repository.config_commit", row.and_then(|(commit,)| commit))
    }
}

impl Tx {
    /// Asks for a look at the file of a commit. What was found out about it stays.
    pub async fn ask_examination(&mut self, asked: &Asked, now: Timestamp) -> Result<(), StoreError> {
        let Asked { repo, commit, place, follows, named } = asked;
        let place = place.to_text();
        self.execute(RETURN_TO, values![*repo, commit, &place]).await?;
        self.execute(ASK_EXAMINATION, values![*repo, commit, place, follows.as_ref(), *named, now]).await.map(drop)
    }

    /// Notes which check run is ours on a commit.
    pub async fn save_check_run(&mut self, repo: RepoId, commit: &ObjectId, run: CheckRunId) -> Result<(), StoreError> {
        self.execute(SAVE_CHECK_RUN, values![repo, commit, run]).await.map(drop)
    }

    /// Notes what came of a look, and a hash of the words that stand in the check run.
    pub async fn end_examination(
        &mut self,
        (repo, commit): (RepoId, &ObjectId),
        outcome: Examined,
        (blob, said): (Option<&ObjectId>, Option<&str>),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if outcome == Examined::Said {
            self.execute(FORGET_REFUSED, values![repo]).await?;
        }
        let row = values![repo, commit, outcome.as_str(), blob, said, now];
        self.execute(END_EXAMINATION, row).await.map(drop)
    }

    /// Forgets looks that were asked for before a time, and says how many.
    pub async fn forget_examinations(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute(FORGET_EXAMINATIONS, values![before]).await
    }

    /// Notes the commit at whose head the file in force was first read.
    pub async fn set_config_commit(&mut self, repo: RepoId, commit: &ObjectId) -> Result<(), StoreError> {
        self.execute(SET_CONFIG_COMMIT, values![repo, commit]).await.map(drop)
    }
}

impl ExaminationRecord {
    fn read(self, repo: RepoId, commit: &ObjectId) -> Result<Examination, StoreError> {
        let outcome = self.outcome.map(|text| word("examination.outcome", &text, Examined::from_word)).transpose()?;
        Ok(Examination {
            asked: Asked {
                repo,
                commit: commit.clone(),
                place: Place::from_text(&self.place),
                follows: object("examination.follows", self.follows)?,
                named: self.named,
            },
            outcome,
            blob: object("examination.blob", self.blob)?,
            check_run: self.check_run.map(CheckRunId),
            said: self.said,
            examined_at: self.examined_at.map(time),
        })
    }
}

fn object(what: &str, text: Option<String>) -> Result<Option<ObjectId>, StoreError> {
    text.map(|text| parsed(what, &text, ObjectId::parse)).transpose()
}
