//! What organisations ask for in all their repositories: the file of each, by the repository that holds it.

use super::config::{Config, ConfigState};
use super::sql::{from_json, parsed, statements, time, to_json, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{InstallationId, ObjectId, RepoId, RepoName, RepoPath};

/// The organisation's file, and where it lies.
#[derive(Clone, Debug, PartialEq)]
pub struct OrganisationRow {
    /// The name of the repository that holds it.
    pub repository: RepoName,
    /// Where people see that repository.
    pub web_url: String,
    /// Its default branch.
    pub default_branch: Option<String>,
    /// The file as it was last read, and the last good one.
    pub config: Config,
}

#[derive(sqlx::FromRow)]
struct ConfigRecord {
    path: Option<String>,
    blob: Option<String>,
    state: String,
    problems: String,
    file: Option<String>,
    text: Option<String>,
    since: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct OrganisationRecord {
    name: String,
    web_url: String,
    default_branch: Option<String>,
    #[sqlx(flatten)]
    config: ConfigRecord,
}

statements! {
    SAVE_ORGANISATION = "INSERT INTO organisation (repo_id, path, blob, state, problems, file, text, since)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (repo_id) DO UPDATE SET path = excluded.path, blob = excluded.blob, state = excluded.state,
            problems = excluded.problems, file = excluded.file, text = excluded.text, since = excluded.since";
    ORGANISATION = "SELECT path, blob, state, problems, file, text, since FROM organisation WHERE repo_id = $1";
    /// An archived repository still says what it says; of one that is not ours to see any more, nobody knows.
    ORGANISATION_OF = "SELECT r.name AS name, r.web_url AS web_url, r.default_branch AS default_branch, o.path AS path,
            o.blob AS blob, o.state AS state, o.problems AS problems, o.file AS file, o.text AS text, o.since AS since
        FROM organisation o JOIN repository r ON r.id = o.repo_id
        WHERE r.installation_id = $1 AND r.state IN ('active', 'archived') AND NOT r.fork
        AND lower(r.name) LIKE '%/.github' ORDER BY r.id LIMIT 1";
}

impl Store {
    /// The organisation's file of a repository that may hold one; `None` as long as nobody has looked.
    pub async fn organisation(&self, repo: RepoId) -> Result<Option<Config>, StoreError> {
        self.row::<ConfigRecord>(ORGANISATION, values![repo]).await?.map(ConfigRecord::read).transpose()
    }

    /// What the owner of an installation asks for in all its repositories; `None` where nobody can know.
    pub async fn organisation_of(&self, installation: InstallationId) -> Result<Option<OrganisationRow>, StoreError> {
        let record: Option<OrganisationRecord> = self.row(ORGANISATION_OF, values![installation]).await?;
        record.map(OrganisationRecord::read).transpose()
    }
}

impl Tx {
    /// Stores the organisation's file of a repository.
    pub async fn save_organisation(&mut self, repo: RepoId, config: &Config) -> Result<(), StoreError> {
        let file = config.file.as_ref().map(|file| to_json("organisation.file", file)).transpose()?;
        let row = values![
            repo,
            config.path.as_ref(),
            config.blob.as_ref(),
            config.state.as_str(),
            to_json("organisation.problems", &config.problems)?,
            file,
            config.text.as_ref(),
            config.since
        ];
        self.execute(SAVE_ORGANISATION, row).await.map(drop)
    }
}

impl ConfigRecord {
    fn read(self) -> Result<Config, StoreError> {
        Ok(Config {
            path: self.path.map(|path| parsed("organisation.path", &path, RepoPath::parse)).transpose()?,
            blob: self.blob.map(|blob| parsed("organisation.blob", &blob, ObjectId::parse)).transpose()?,
            state: word("organisation.state", &self.state, ConfigState::from_word)?,
            problems: from_json("organisation.problems", &self.problems)?,
            file: self.file.map(|file| from_json("organisation.file", &file)).transpose()?,
            text: self.text,
            since: self.since.map(time),
        })
    }
}

impl OrganisationRecord {
    fn read(self) -> Result<OrganisationRow, StoreError> {
        Ok(OrganisationRow {
            repository: parsed("repository.name", &self.name, RepoName::parse)?,
            web_url: self.web_url,
            default_branch: self.default_branch,
            config: self.config.read()?,
        })
    }
}
