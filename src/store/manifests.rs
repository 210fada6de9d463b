//! The files a repository is watched for, and the packages they use.

use super::sql::{each, from_json, parsed, statements, time, to_json, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Dependency, FileMode, ObjectId, RepoId, RepoPath};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// A file that a manager reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Where it is.
    pub path: RepoPath,
    /// The manager that reads it.
    pub manager: String,
    /// The blob that was read.
    pub blob: ObjectId,
    /// Its mode, to be kept.
    pub mode: FileMode,
    /// Its text.
    pub text: String,
    /// Why it could not be read, where it could not.
    pub problem: Option<String>,
    /// Other files it draws in: a change of theirs is a change of this one.
    pub includes: Vec<RepoPath>,
}

/// A manifest as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestRow {
    /// The file.
    pub manifest: Manifest,
    /// When it was stored.
    pub updated_at: Timestamp,
}

/// What is known of a stored manifest without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestHead {
    /// Where it is.
    pub path: RepoPath,
    /// The manager that reads it.
    pub manager: String,
    /// The blob that was read.
    pub blob: ObjectId,
    /// Its mode.
    pub mode: FileMode,
    /// Why it could not be read, where it could not.
    pub problem: Option<String>,
    /// Other files it draws in.
    pub includes: Vec<RepoPath>,
    /// How many dependencies are stored of it.
    pub dependencies: usize,
}

/// A dependency as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyRow {
    /// The use of the package.
    pub dependency: Dependency,
    /// Since when the file uses this package.
    pub since: Timestamp,
}

#[derive(sqlx::FromRow)]
struct ManifestRecord {
    path: String,
    manager: String,
    blob: String,
    mode: String,
    text: String,
    problem: Option<String>,
    includes: String,
    updated_at: i64,
}

#[derive(sqlx::FromRow)]
struct HeadRecord {
    path: String,
    manager: String,
    blob: String,
    mode: String,
    problem: Option<String>,
    includes: String,
    dependencies: i64,
}

statements! {
    SAVE_MANIFEST = "INSERT INTO manifest (repo_id, path, manager, blob, mode, text, problem, includes, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (repo_id, path, manager) DO UPDATE SET blob = excluded.blob, mode = excluded.mode,
            text = excluded.text, problem = excluded.problem, includes = excluded.includes,
            updated_at = excluded.updated_at";
    REMOVE_MANIFEST = "DELETE FROM manifest WHERE repo_id = $1 AND path = $2 AND manager = $3";
    MANIFESTS = "SELECT path, manager, blob, mode, text, problem, includes, updated_at FROM manifest
        WHERE repo_id = $1 ORDER BY path, manager";
    MANIFEST_HEADS = "SELECT path, manager, blob, mode, problem, includes,
            (SELECT count(*) FROM dependency WHERE dependency.repo_id = manifest.repo_id
                AND dependency.path = manifest.path AND dependency.manager = manifest.manager) AS dependencies
        FROM manifest WHERE repo_id = $1 ORDER BY path, manager";
    MANIFEST_PROBLEMS = "SELECT path, problem FROM manifest WHERE repo_id = $1 AND problem IS NOT NULL
        ORDER BY path, manager";
    UNREADABLE_OF = "SELECT repo_id, path FROM manifest
        WHERE problem IS NOT NULL AND repo_id IN (VALUES (CAST($1 AS BIGINT))) ORDER BY repo_id, path";
    TRACKED = "SELECT path, includes FROM manifest WHERE repo_id = $1 ORDER BY path";
    FORGET_DEPENDENCIES = "DELETE FROM dependency WHERE repo_id = $1 AND path = $2 AND manager = $3";
    INSERT_DEPENDENCY = "INSERT INTO dependency
            (repo_id, path, manager, ordinal, ecosystem, package, dependency, since, pins_content)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    DEPENDENCIES_SINCE = "SELECT ecosystem, package, min(since) FROM dependency WHERE repo_id = $1 AND path = $2
        GROUP BY ecosystem, package";
    DEPENDENCIES_OF = "SELECT repo_id, dependency, since FROM dependency WHERE repo_id IN (VALUES (CAST($1 AS BIGINT)))
        ORDER BY repo_id, path, manager, ordinal";
    DEPENDENCY_COUNTS = "SELECT repo_id, count(*) FROM dependency WHERE repo_id IN (VALUES (CAST($1 AS BIGINT)))
        GROUP BY repo_id";
    MANIFEST_TIMES = "SELECT repo_id, path, updated_at FROM manifest WHERE repo_id IN (VALUES (CAST($1 AS BIGINT)))
        ORDER BY repo_id, path, manager";
    DEPENDENCIES = "SELECT dependency, since FROM dependency WHERE repo_id = $1 ORDER BY path, manager, ordinal";
}

impl Store {
    /// Of each of several repositories, the manifests that could not be read. Those without any are left out.
    pub async fn unreadable_of(&self, repos: &[RepoId]) -> Result<HashMap<RepoId, BTreeSet<RepoPath>>, StoreError> {
        let mut found: HashMap<RepoId, BTreeSet<RepoPath>> = HashMap::new();
        for (repo, path) in self.rows_for::<(i64, String)>(UNREADABLE_OF, each(repos)).await? {
            found.entry(RepoId(repo)).or_default().insert(parsed("manifest.path", &path, RepoPath::parse)?);
        }
        Ok(found)
    }

    /// The manifests of a repository, by path.
    pub async fn manifests(&self, repo: RepoId) -> Result<Vec<ManifestRow>, StoreError> {
        self.rows(MANIFESTS, values![repo]).await?.into_iter().map(ManifestRecord::read).collect()
    }

    /// The manifests of a repository without their texts, by path.
    pub async fn manifest_heads(&self, repo: RepoId) -> Result<Vec<ManifestHead>, StoreError> {
        self.rows(MANIFEST_HEADS, values![repo]).await?.into_iter().map(HeadRecord::read).collect()
    }

    /// The manifests of a repository that could not be read, by path, each with why.
    pub async fn manifest_problems(&self, repo: RepoId) -> Result<Vec<(RepoPath, String)>, StoreError> {
        let rows: Vec<(String, String)> = self.rows(MANIFEST_PROBLEMS, values![repo]).await?;
        rows.into_iter()
            .map(|(path, problem)| Ok((parsed("manifest.path", &path, RepoPath::parse)?, problem)))
            .collect()
    }

    /// The paths whose change matters: the manifests of a repository and what they include.
    pub async fn tracked_paths(&self, repo: RepoId) -> Result<BTreeSet<RepoPath>, StoreError> {
        let mut paths = BTreeSet::new();
        for (path, includes) in self.rows::<(String, String)>(TRACKED, values![repo]).await? {
            paths.insert(parsed("manifest.path", &path, RepoPath::parse)?);
            paths.extend(from_json::<Vec<RepoPath>>("manifest.includes", &includes)?);
        }
        Ok(paths)
    }

    /// The dependencies of a repository, in the order of its files.
    pub async fn dependencies(&self, repo: RepoId) -> Result<Vec<DependencyRow>, StoreError> {
        let rows: Vec<(String, i64)> = self.rows(DEPENDENCIES, values![repo]).await?;
        rows.into_iter()
            .map(|(dependency, since)| {
                Ok(DependencyRow { dependency: from_json("dependency", &dependency)?, since: time(since) })
            })
            .collect()
    }

    /// The dependencies of several repositories, in the order of their files. Those without any are left out.
    pub async fn dependencies_of(&self, repos: &[RepoId]) -> Result<HashMap<RepoId, Vec<DependencyRow>>, StoreError> {
        let mut found: HashMap<RepoId, Vec<DependencyRow>> = HashMap::new();
        for (repo, dependency, since) in self.rows_for::<(i64, String, i64)>(DEPENDENCIES_OF, each(repos)).await? {
            let row = DependencyRow { dependency: from_json("dependency", &dependency)?, since: time(since) };
            found.entry(RepoId(repo)).or_default().push(row);
        }
        Ok(found)
    }

    /// How many dependencies each of several repositories has. Those without any are left out.
    pub async fn dependency_counts(&self, repos: &[RepoId]) -> Result<HashMap<RepoId, usize>, StoreError> {
        let rows: Vec<(i64, i64)> = self.rows_for(DEPENDENCY_COUNTS, each(repos)).await?;
        let count =
            |count: i64| usize::try_from(count).map_err(|_| StoreError::corrupt("the count of dependencies", count));
        rows.into_iter().map(|(repo, dependencies)| Ok((RepoId(repo), count(dependencies)?))).collect()
    }

    /// When each manifest of several repositories was last stored, by path. Those without any are left out.
    pub async fn manifest_times(
        &self,
        repos: &[RepoId],
    ) -> Result<HashMap<RepoId, Vec<(RepoPath, Timestamp)>>, StoreError> {
        let mut found: HashMap<RepoId, Vec<(RepoPath, Timestamp)>> = HashMap::new();
        for (repo, path, updated_at) in self.rows_for::<(i64, String, i64)>(MANIFEST_TIMES, each(repos)).await? {
            let path = parsed("manifest.path", &path, RepoPath::parse)?;
            found.entry(RepoId(repo)).or_default().push((path, time(updated_at)));
        }
        Ok(found)
    }
}

impl Tx {
    /// Stores a manifest, new or changed. Its repository has to be stored before.
    pub async fn save_manifest(&mut self, repo: RepoId, manifest: &Manifest, now: Timestamp) -> Result<(), StoreError> {
        let row = values![
            repo,
            &manifest.path,
            &manifest.manager,
            &manifest.blob,
            manifest.mode.as_str(),
            &manifest.text,
            manifest.problem.as_ref(),
            to_json("manifest.includes", &manifest.includes)?,
            now
        ];
        self.execute(SAVE_MANIFEST, row).await.map(drop)
    }

    /// Forgets a manifest and its dependencies; `false` when it is not there.
    pub async fn remove_manifest(&mut self, repo: RepoId, path: &RepoPath, manager: &str) -> Result<bool, StoreError> {
        Ok(self.execute(REMOVE_MANIFEST, values![repo, path, manager]).await? > 0)
    }

    /// Replaces the dependencies of one manifest, which has to be stored before. A package that this file used before
    /// keeps its `since`, be it on another line or found by another manager.
    pub async fn replace_dependencies(
        &mut self,
        repo: RepoId,
        path: &RepoPath,
        manager: &str,
        dependencies: &[Dependency],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let before: Vec<(String, String, i64)> = self.rows(DEPENDENCIES_SINCE, values![repo, path]).await?;
        let since: HashMap<(String, String), i64> =
            before.into_iter().map(|(ecosystem, package, since)| ((ecosystem, package), since)).collect();
        let rows = dependencies.iter().enumerate().map(|(ordinal, dependency)| {
            let package = &dependency.package;
            let key = (package.ecosystem.as_str().to_owned(), package.name.clone());
            let since = since.get(&key).copied().unwrap_or_else(|| now.as_millisecond());
            let json = to_json("dependency", dependency)?;
            let pins = dependency.digest.is_some();
            Ok(values![repo, path, manager, ordinal as i64, package.ecosystem, &package.name, json, since, pins])
        });
        let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
        self.execute(FORGET_DEPENDENCIES, values![repo, path, manager]).await?;
        self.execute_for(INSERT_DEPENDENCY, rows).await
    }
}

impl HeadRecord {
    fn read(self) -> Result<ManifestHead, StoreError> {
        Ok(ManifestHead {
            path: parsed("manifest.path", &self.path, RepoPath::parse)?,
            manager: self.manager,
            blob: parsed("manifest.blob", &self.blob, ObjectId::parse)?,
            mode: word("manifest.mode", &self.mode, FileMode::from_git)?,
            problem: self.problem,
            includes: from_json("manifest.includes", &self.includes)?,
            dependencies: usize::try_from(self.dependencies)
                .map_err(|_| StoreError::corrupt("the count of dependencies", self.dependencies))?,
        })
    }
}

impl ManifestRecord {
    fn read(self) -> Result<ManifestRow, StoreError> {
        Ok(ManifestRow {
            manifest: Manifest {
                path: parsed("manifest.path", &self.path, RepoPath::parse)?,
                manager: self.manager,
                blob: parsed("manifest.blob", &self.blob, ObjectId::parse)?,
                mode: word("manifest.mode", &self.mode, FileMode::from_git)?,
                text: self.text,
                problem: self.problem,
                includes: from_json("manifest.includes", &self.includes)?,
            },
            updated_at: time(self.updated_at),
        })
    }
}
