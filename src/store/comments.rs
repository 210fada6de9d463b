//! Comments that give commands, and what was answered.

use super::sql::{from_json, statements, time, to_json, values};
use super::{Store, StoreError, Tx};
use crate::domain::{Comment, CommentId, PullNumber, RepoId};
use jiff::Timestamp;

/// A comment and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentRow {
    /// The comment.
    pub comment: Comment,
    /// What is to be answered: empty for nothing, `None` as long as it was neither obeyed nor refused.
    pub answer: Option<String>,
    /// Whether the answer stands on the pull request.
    pub answered: bool,
}

#[derive(sqlx::FromRow)]
struct CommentRecord {
    pull_number: i64,
    author: String,
    commands: String,
    said_at: i64,
    answer: Option<String>,
    answered_at: Option<i64>,
}

statements! {
    SAVE_COMMENT = "INSERT INTO comment (repo_id, id, pull_number, author, commands, said_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (repo_id, id) DO NOTHING";
    COMMENT = "SELECT pull_number, author, commands, said_at, answer, answered_at FROM comment
        WHERE repo_id = $1 AND id = $2";
    SAVE_ANSWER = "UPDATE comment SET answer = $3 WHERE repo_id = $1 AND id = $2 AND answer IS NULL";
    END_COMMENT = "UPDATE comment SET answered_at = $3 WHERE repo_id = $1 AND id = $2";
    FORGET_COMMENTS = "DELETE FROM comment WHERE said_at < $1 AND answered_at IS NOT NULL";
}

impl Store {
    /// A comment that gives commands.
    pub async fn comment(&self, repo: RepoId, id: CommentId) -> Result<Option<CommentRow>, StoreError> {
        let record: Option<CommentRecord> = self.row(COMMENT, values![repo, id]).await?;
        record.map(|record| record.read(repo, id)).transpose()
    }
}

impl Tx {
    /// Stores a comment, unless it is there. Says whether it is new.
    pub async fn save_comment(&mut self, comment: &Comment) -> Result<bool, StoreError> {
        let Comment { id, repo, pull, author, commands, at } = comment;
        let commands = to_json("comment.commands", commands)?;
        let rows = self.execute(SAVE_COMMENT, values![*repo, *id, *pull, author, commands, *at]).await?;
        Ok(rows > 0)
    }

    /// Notes that a comment was obeyed or refused, and what is answered: nothing, if that is empty. The first answer stays.
    pub async fn save_answer(&mut self, repo: RepoId, id: CommentId, answer: &str) -> Result<(), StoreError> {
        self.execute(SAVE_ANSWER, values![repo, id, answer]).await.map(drop)
    }

    /// Notes that the answer stands on the pull request.
    pub async fn end_comment(&mut self, repo: RepoId, id: CommentId, now: Timestamp) -> Result<(), StoreError> {
        self.execute(END_COMMENT, values![repo, id, now]).await.map(drop)
    }

    /// Forgets answered comments from before a time, and says how many.
    pub async fn forget_comments(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.execute(FORGET_COMMENTS, values![before]).await
    }
}

impl CommentRecord {
    fn read(self, repo: RepoId, id: CommentId) -> Result<CommentRow, StoreError> {
        let comment = Comment {
            id,
            repo,
            pull: PullNumber(self.pull_number),
            author: self.author,
            commands: from_json("comment.commands", &self.commands)?,
            at: time(self.said_at),
        };
        Ok(CommentRow { comment, answer: self.answer, answered: self.answered_at.is_some() })
    }
}
