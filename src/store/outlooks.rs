//! How the dependencies of each repository stand, as its last plan left it.

use super::sql::{Value, each, parsed, small, statements, time, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Ecosystem, Outlook, PackageId, RepoId, RepoPath, Standing};
use std::collections::HashMap;

/// How the dependencies of one repository stand: as it is stored, and as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlookChange {
    /// The repository.
    pub repo: RepoId,
    /// All that is stored, in its order.
    pub before: Vec<Outlook>,
    /// All that is to be stored, in its order.
    pub after: Vec<Outlook>,
}

#[derive(sqlx::FromRow)]
struct OutlookRecord {
    repo_id: i64,
    ecosystem: String,
    package: String,
    path: String,
    line: i64,
    current: Option<String>,
    target: Option<String>,
    standing: String,
    reason: String,
    until: Option<i64>,
}

macro_rules! select_outlook {
    ($tail:literal) => {
        concat!(
            "SELECT repo_id, ecosystem, package, path, line, current, target, standing, reason, until FROM outlook ",
            $tail
        )
    };
}

statements! {
    OUTLOOK = select_outlook!("WHERE repo_id = $1 ORDER BY position");
    OUTLOOKS = select_outlook!("WHERE repo_id IN (VALUES (CAST($1 AS BIGINT))) ORDER BY repo_id, position");
    SAVE_OUTLOOK = "INSERT INTO outlook
            (repo_id, position, ecosystem, package, path, line, current, target, standing, reason, until)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (repo_id, position) DO UPDATE SET ecosystem = excluded.ecosystem, package = excluded.package,
            path = excluded.path, line = excluded.line, current = excluded.current, target = excluded.target,
            standing = excluded.standing, reason = excluded.reason, until = excluded.until";
    FORGET_OUTLOOK = "DELETE FROM outlook
        WHERE (repo_id, position) IN (VALUES (CAST($1 AS BIGINT), CAST($2 AS BIGINT)))";
}

impl Store {
    /// How the dependencies of a repository stand, in the order they were stored.
    pub async fn outlook(&self, repo: RepoId) -> Result<Vec<Outlook>, StoreError> {
        let rows: Vec<OutlookRecord> = self.rows(OUTLOOK, values![repo]).await?;
        rows.into_iter().map(OutlookRecord::read).collect()
    }

    /// How the dependencies of several repositories stand, each in the order they were stored. Those without any are
    /// left out.
    pub async fn outlooks(&self, repos: &[RepoId]) -> Result<HashMap<RepoId, Vec<Outlook>>, StoreError> {
        let mut found: HashMap<RepoId, Vec<Outlook>> = HashMap::new();
        for record in self.rows_for::<OutlookRecord>(OUTLOOKS, each(repos)).await? {
            found.entry(RepoId(record.repo_id)).or_default().push(record.read()?);
        }
        Ok(found)
    }
}

impl Tx {
    /// Makes what is stored of several repositories, none of them twice, what it is to be. Rows that stay as they are
    /// are not written: after a release of one package that is all but one or two of a repository.
    pub async fn replace_outlooks(
        &mut self,
        changes: impl IntoIterator<Item = &OutlookChange>,
    ) -> Result<(), StoreError> {
        let (mut gone, mut written): (Vec<Vec<Value>>, Vec<Vec<Value>>) = (Vec::new(), Vec::new());
        for OutlookChange { repo, before, after } in changes {
            gone.extend((after.len()..before.len()).map(|position| values![*repo, position as i64]));
            let other = after.iter().enumerate().filter(|(position, entry)| before.get(*position) != Some(entry));
            written.extend(other.map(|(position, entry)| row(*repo, position, entry)));
        }
        self.execute_for(FORGET_OUTLOOK, gone).await?;
        self.execute_for(SAVE_OUTLOOK, written).await
    }
}

/// An entry as the table takes it.
fn row(repo: RepoId, position: usize, entry: &Outlook) -> Vec<Value> {
    values![
        repo,
        position as i64,
        entry.package.ecosystem,
        &entry.package.name,
        &entry.path,
        entry.line,
        entry.current.as_ref(),
        entry.target.as_ref(),
        entry.standing.as_str(),
        &entry.reason,
        entry.until
    ]
}

impl OutlookRecord {
    fn read(self) -> Result<Outlook, StoreError> {
        let ecosystem = word("outlook.ecosystem", &self.ecosystem, Ecosystem::from_word)?;
        Ok(Outlook {
            package: PackageId { ecosystem, name: self.package },
            path: parsed("outlook.path", &self.path, RepoPath::parse)?,
            line: small("outlook.line", self.line)?,
            current: self.current,
            target: self.target,
            standing: word("outlook.standing", &self.standing, Standing::from_word)?,
            reason: self.reason,
            until: self.until.map(time),
        })
    }
}
