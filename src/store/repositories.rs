//! The repositories of the installations, the subscription file of each, and what is wrong with that file.

use super::config::{Config, ConfigState};
use super::sql::{each, from_json, parsed, statements, time, to_json, values, word};
use super::{Store, StoreError, SubscriptionRow, Tx};
use crate::domain::{Head, InstallationId, ObjectId, RepoId, RepoName, RepoPath, RepoState, Repository};
use jiff::Timestamp;

/// A repository as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct RepositoryRow {
    /// What GitHub told.
    pub repository: Repository,
    /// The default branch's head when we last looked.
    pub head: Option<Head>,
    /// Its subscription file.
    pub config: Config,
    /// When it was last read in full.
    pub synced_at: Option<Timestamp>,
    /// The last push that was taken in, by GitHub's clock.
    pub pushed_at: Option<Timestamp>,
    /// The commit whose manifests are indexed.
    pub indexed_commit: Option<ObjectId>,
    /// Why nothing happens here, where nothing does.
    pub note: Option<String>,
    /// When anything of it last changed.
    pub updated_at: Timestamp,
}

/// A repository as it is compared with GitHub's list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedRow {
    /// What GitHub told.
    pub repository: Repository,
    /// When it was last read in full.
    pub synced_at: Option<Timestamp>,
    /// The last push that was taken in, by GitHub's clock.
    pub pushed_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct RepositoryRecord {
    id: i64,
    installation_id: i64,
    name: String,
    default_branch: Option<String>,
    private: bool,
    fork: bool,
    state: String,
    web_url: String,
    head_commit: Option<String>,
    head_tree: Option<String>,
    config_path: Option<String>,
    config_blob: Option<String>,
    config_state: String,
    config_problems: String,
    config_file: Option<String>,
    config_text: Option<String>,
    config_since: Option<i64>,
    synced_at: Option<i64>,
    pushed_at: Option<i64>,
    indexed_commit: Option<String>,
    note: Option<String>,
    updated_at: i64,
}

#[derive(sqlx::FromRow)]
struct ListedRecord {
    id: i64,
    installation_id: i64,
    name: String,
    default_branch: Option<String>,
    private: bool,
    fork: bool,
    state: String,
    web_url: String,
    synced_at: Option<i64>,
    pushed_at: Option<i64>,
}

macro_rules! select_repositories {
    ($tail:literal) => {
        concat!(
            "SELECT id, installation_id, name, default_branch, private, fork, state, web_url, head_commit, head_tree, ",
            "config_path, config_blob, config_state, config_problems, config_file, config_text, config_since, ",
            "synced_at, pushed_at, indexed_commit, note, updated_at FROM repository ",
            $tail
        )
    };
}

/// Repositories as an overview shows them: what needs a look first, what nobody asked for last.
macro_rules! in_order_of_interest {
    ($start:expr) => {
        concat!(
            $start,
            "ORDER BY CASE WHEN state = 'removed' THEN 3 WHEN config_state = 'broken' THEN 0
                WHEN config_state = 'valid' THEN 1 ELSE 2 END, lower(name), id LIMIT $1"
        )
    };
}
pub(super) use in_order_of_interest;

statements! {
    SAVE_REPOSITORY = "INSERT INTO repository
            (id, installation_id, name, default_branch, private, fork, state, web_url, updated_at,
            config_state, config_problems)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'none', '[]')
        ON CONFLICT (id) DO UPDATE SET installation_id = excluded.installation_id, name = excluded.name,
            default_branch = excluded.default_branch, private = excluded.private, fork = excluded.fork,
            state = excluded.state, web_url = excluded.web_url, updated_at = excluded.updated_at";
    REPLACE_REPOSITORY = "UPDATE repository SET name = $5, default_branch = $6, private = $7, fork = $8, state = $9,
            web_url = $10, updated_at = $11
        WHERE id = $1 AND installation_id = $2 AND name = $3 AND state = $4";
    SET_HEAD = "UPDATE repository SET head_commit = $2, head_tree = $3, updated_at = $4 WHERE id = $1";
    SAVE_CONFIG = "UPDATE repository SET config_path = $2, config_blob = $3, config_state = $4, config_problems = $5,
        config_file = $6, config_text = $7, config_since = $8, updated_at = $9 WHERE id = $1";
    SET_LISTED_STATE = "UPDATE repository SET state = $3, updated_at = $4 WHERE id = $1 AND installation_id = $2";
    /// Changes nothing, but locks the row: what is told of the repository meanwhile comes after this transaction.
    HOLD_STATE = "UPDATE repository SET state = state WHERE id = $1 RETURNING state";
    SET_SYNCED = "UPDATE repository SET synced_at = $2, updated_at = $2 WHERE id = $1";
    SET_INDEXED = "UPDATE repository SET indexed_commit = $2, updated_at = $3 WHERE id = $1";
    NOTE_PUSH = "UPDATE repository SET pushed_at = $2 WHERE id = $1 AND (pushed_at IS NULL OR pushed_at < $2)";
    SET_NOTE = "UPDATE repository SET note = $2, updated_at = $3 WHERE id = $1";
    REPOSITORY = select_repositories!("WHERE id = $1");
    REPOSITORIES_BY_ID = select_repositories!("WHERE id IN (VALUES (CAST($1 AS BIGINT))) ORDER BY id");
    BY_NAME = select_repositories!(
        "WHERE lower(name) = lower($1) ORDER BY CASE state WHEN 'active' THEN 0 ELSE 1 END, updated_at DESC, id DESC
        LIMIT 1"
    );
    REPOSITORIES = in_order_of_interest!(select_repositories!(""));
    COUNT_REPOSITORIES = "SELECT count(*) FROM repository";
    LISTED = "SELECT id, installation_id, name, default_branch, private, fork, state, web_url, synced_at,
            pushed_at FROM repository WHERE installation_id = $1 ORDER BY id";
    SUBSCRIBED = "SELECT id FROM repository
        WHERE installation_id = $1 AND state = 'active' AND config_state <> 'none' ORDER BY id";
}

impl Store {
    /// One repository.
    pub async fn repository(&self, id: RepoId) -> Result<Option<RepositoryRow>, StoreError> {
        self.row(REPOSITORY, values![id]).await?.map(RepositoryRecord::read).transpose()
    }

    /// Those of these repositories that are known, by id.
    pub async fn repositories_by_id(&self, ids: &[RepoId]) -> Result<Vec<RepositoryRow>, StoreError> {
        let rows = self.rows_for::<RepositoryRecord>(REPOSITORIES_BY_ID, each(ids)).await?;
        rows.into_iter().map(RepositoryRecord::read).collect()
    }

    /// The repository that has this name, in whatever case. Names are reused: an active repository is preferred,
    /// then the one that changed last.
    pub async fn repository_by_name(&self, name: &RepoName) -> Result<Option<RepositoryRow>, StoreError> {
        self.row(BY_NAME, values![name.to_string()]).await?.map(RepositoryRecord::read).transpose()
    }

    /// The repositories for an overview, with what they subscribe to: those with a broken file first, then those with
    /// a file in force, those without one, and last those that are no longer ours; each by name.
    pub async fn repositories(&self, limit: u32) -> Result<Vec<(RepositoryRow, Vec<SubscriptionRow>)>, StoreError> {
        let rows: Vec<RepositoryRecord> = self.rows(REPOSITORIES, values![limit]).await?;
        let mut subscriptions = self.subscriptions_for_overview(limit).await?;
        rows.into_iter()
            .map(|record| {
                let own = subscriptions.remove(&RepoId(record.id)).unwrap_or_default();
                Ok((record.read()?, own))
            })
            .collect()
    }

    /// How many repositories are known, those we may not work on included.
    pub async fn repository_count(&self) -> Result<i64, StoreError> {
        Ok(self.row::<(i64,)>(COUNT_REPOSITORIES, values![]).await?.map_or(0, |(count,)| count))
    }

    /// All repositories of an installation, without their files: what to compare with GitHub's list.
    pub async fn listed_repositories(&self, installation: InstallationId) -> Result<Vec<ListedRow>, StoreError> {
        let rows: Vec<ListedRecord> = self.rows(LISTED, values![installation]).await?;
        rows.into_iter().map(ListedRecord::read).collect()
    }

    /// The repositories of an installation that may be worked on and have a subscription file, good or broken.
    pub async fn subscribed_repositories(&self, installation: InstallationId) -> Result<Vec<RepoId>, StoreError> {
        let rows: Vec<(i64,)> = self.rows(SUBSCRIBED, values![installation]).await?;
        Ok(rows.into_iter().map(|(id,)| RepoId(id)).collect())
    }
}

impl Tx {
    /// Stores what GitHub tells of a repository, new or changed. Its head and its file stay as they are.
    pub async fn save_repository(&mut self, repository: &Repository, now: Timestamp) -> Result<(), StoreError> {
        let Repository { id, installation, name, default_branch, private, fork, state, web_url } = repository;
        let row = values![
            *id,
            *installation,
            name.to_string(),
            default_branch.as_ref(),
            *private,
            *fork,
            state.as_str(),
            web_url,
            now
        ];
        self.execute(SAVE_REPOSITORY, row).await.map(drop)
    }

    /// Stores what a step found of a repository, unless what it was found with has changed meanwhile: `false` then, and
    /// the row stays as it is.
    pub async fn replace_repository(
        &mut self,
        before: &Repository,
        found: &Repository,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = values![
            before.id,
            before.installation,
            before.name.to_string(),
            before.state.as_str(),
            found.name.to_string(),
            found.default_branch.as_ref(),
            found.private,
            found.fork,
            found.state.as_str(),
            &found.web_url,
            now
        ];
        Ok(self.execute(REPLACE_REPOSITORY, row).await? > 0)
    }

    /// Notes the head of the default branch; `None` for a repository that has become empty.
    pub async fn set_head(&mut self, repo: RepoId, head: Option<&Head>, now: Timestamp) -> Result<(), StoreError> {
        let (commit, tree) = (head.map(|head| &head.commit), head.map(|head| &head.tree));
        self.execute(SET_HEAD, values![repo, commit, tree, now]).await.map(drop)
    }

    /// Stores a repository's subscription file.
    pub async fn save_config(&mut self, repo: RepoId, config: &Config, now: Timestamp) -> Result<(), StoreError> {
        let file = config.file.as_ref().map(|file| to_json("repository.config_file", file)).transpose()?;
        let row = values![
            repo,
            config.path.as_ref(),
            config.blob.as_ref(),
            config.state.as_str(),
            to_json("repository.config_problems", &config.problems)?,
            file,
            config.text.as_ref(),
            config.since,
            now
        ];
        self.execute(SAVE_CONFIG, row).await.map(drop)
    }

    /// Notes whether we may work on a repository; `false` when it is not known, or does not belong to this installation
    /// any more.
    pub async fn set_listed_state(
        &mut self,
        (installation, repo): (InstallationId, RepoId),
        state: RepoState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(SET_LISTED_STATE, values![repo, installation, state.as_str(), now]).await? > 0)
    }

    /// The state of a repository, which stays as it is until this transaction ends; `None` when it is not known.
    pub async fn hold_state(&mut self, repo: RepoId) -> Result<Option<RepoState>, StoreError> {
        let rows: Vec<(String,)> = self.rows(HOLD_STATE, values![repo]).await?;
        rows.first().map(|(state,)| word("repository.state", state, RepoState::from_word)).transpose()
    }

    /// Notes that a repository was read in full just now.
    pub async fn set_synced(&mut self, repo: RepoId, now: Timestamp) -> Result<(), StoreError> {
        self.execute(SET_SYNCED, values![repo, now]).await.map(drop)
    }

    /// Notes which commit's manifests are indexed.
    pub async fn set_indexed(&mut self, repo: RepoId, commit: &ObjectId, now: Timestamp) -> Result<(), StoreError> {
        self.execute(SET_INDEXED, values![repo, commit, now]).await.map(drop)
    }

    /// Notes that a push was taken in, by GitHub's clock; a later one that was noted before stays.
    pub async fn note_push(&mut self, repo: RepoId, pushed_at: Timestamp) -> Result<(), StoreError> {
        self.execute(NOTE_PUSH, values![repo, pushed_at]).await.map(drop)
    }

    /// Notes why nothing happens in a repository, or with `None` that there is no such reason.
    pub async fn set_note(&mut self, repo: RepoId, note: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        self.execute(SET_NOTE, values![repo, note, now]).await.map(drop)
    }
}

impl ListedRecord {
    fn read(self) -> Result<ListedRow, StoreError> {
        let repository = Repository {
            id: RepoId(self.id),
            installation: InstallationId(self.installation_id),
            name: parsed("repository.name", &self.name, RepoName::parse)?,
            default_branch: self.default_branch,
            private: self.private,
            fork: self.fork,
            state: word("repository.state", &self.state, RepoState::from_word)?,
            web_url: self.web_url,
        };
        Ok(ListedRow { repository, synced_at: self.synced_at.map(time), pushed_at: self.pushed_at.map(time) })
    }
}

impl RepositoryRecord {
    fn read(self) -> Result<RepositoryRow, StoreError> {
        let object = |what, id: Option<String>| id.map(|id| parsed(what, &id, ObjectId::parse)).transpose();
        let head = match (
            object("repository.head_commit", self.head_commit)?,
            object("repository.head_tree", self.head_tree)?,
        ) {
            (Some(commit), Some(tree)) => Some(Head { commit, tree }),
            _ => None,
        };
        let config = Config {
            path: self.config_path.map(|path| parsed("repository.config_path", &path, RepoPath::parse)).transpose()?,
            blob: object("repository.config_blob", self.config_blob)?,
            state: word("repository.config_state", &self.config_state, ConfigState::from_word)?,
            problems: from_json("repository.config_problems", &self.config_problems)?,
            file: self.config_file.map(|file| from_json("repository.config_file", &file)).transpose()?,
            text: self.config_text,
            since: self.config_since.map(time),
        };
        Ok(RepositoryRow {
            repository: Repository {
                id: RepoId(self.id),
                installation: InstallationId(self.installation_id),
                name: parsed("repository.name", &self.name, RepoName::parse)?,
                default_branch: self.default_branch,
                private: self.private,
                fork: self.fork,
                state: word("repository.state", &self.state, RepoState::from_word)?,
                web_url: self.web_url,
            },
            head,
            config,
            synced_at: self.synced_at.map(time),
            pushed_at: self.pushed_at.map(time),
            indexed_commit: object("repository.indexed_commit", self.indexed_commit)?,
            note: self.note,
            updated_at: time(self.updated_at),
        })
    }
}
