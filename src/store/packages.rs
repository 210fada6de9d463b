//! Packages that somebody uses, their releases, and when to ask about them again.

use super::sql::{from_json, small, statements, time, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Content, Dependency, Ecosystem, InstallationId, PackageId, Release, RepoId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A package as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRow {
    /// The package.
    pub package: PackageId,
    /// What the registry wants back to answer "not changed".
    pub etag: Option<String>,
    /// When the registry last answered.
    pub checked_at: Option<Timestamp>,
    /// When to ask next.
    pub next_check_at: Timestamp,
    /// How often asking failed since the last answer.
    pub failures: u32,
    /// Why it failed the last time; `None` after an answer.
    pub last_error: Option<String>,
    /// The installation whose private repository it is: what is known of it is not for repositories of others.
    pub private_to: Option<InstallationId>,
}

#[derive(sqlx::FromRow)]
struct PackageRecord {
    ecosystem: String,
    name: String,
    etag: Option<String>,
    checked_at: Option<i64>,
    next_check_at: i64,
    failures: i64,
    last_error: Option<String>,
    private_to: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct ReleaseRecord {
    ecosystem: String,
    package: String,
    version: String,
    published_at: Option<i64>,
    first_seen_at: i64,
    counts_from: i64,
    yanked: bool,
    digest: Option<String>,
    digest_since: Option<i64>,
    requires_python: Option<String>,
}

macro_rules! select_packages {
    ($tail:literal) => {
        concat!(
            "SELECT ecosystem, name, etag, checked_at, next_check_at, failures, last_error, private_to FROM package ",
            $tail
        )
    };
}

macro_rules! due_packages {
    ($user:literal) => {
        concat!(
            select_packages!(
                "WHERE next_check_at <= $1 AND (
                    SELECT dependency.repo_id FROM dependency
                    JOIN repository ON repository.id = dependency.repo_id
                    JOIN subscription ON subscription.repo_id = dependency.repo_id
                    WHERE dependency.ecosystem = package.ecosystem AND dependency.package = package.name
                    AND repository.state = 'active' AND subscription.ecosystem = package.ecosystem
                    LIMIT 1) "
            ),
            $user,
            " ORDER BY next_check_at, ecosystem, name LIMIT $2"
        )
    };
}

statements! {
    ENSURE_PACKAGES = "INSERT INTO package (ecosystem, name, next_check_at) VALUES ($1, $2, $3)
        ON CONFLICT (ecosystem, name) DO NOTHING";
    PACKAGE_CHECKED = "UPDATE package SET etag = $3, checked_at = $4, next_check_at = $5, failures = 0,
        last_error = NULL WHERE ecosystem = $1 AND name = $2";
    SET_PRIVATE_TO = "UPDATE package SET private_to = $3 WHERE ecosystem = $1 AND name = $2";
    PACKAGE_FAILED = "UPDATE package SET last_error = $3, next_check_at = $4, failures = failures + 1
        WHERE ecosystem = $1 AND name = $2";
    POSTPONE_CHECKS = "UPDATE package SET next_check_at = CAST(asked.column3 AS BIGINT)
        FROM (VALUES ($1, $2, CAST($3 AS BIGINT))) AS asked
        WHERE package.ecosystem = asked.column1 AND package.name = asked.column2";
    PACKAGE = select_packages!("WHERE ecosystem = $1 AND name = $2");
    PACKAGES = select_packages!("WHERE (ecosystem, name) IN (VALUES ($1, $2)) ORDER BY ecosystem, name");
    /// Only packages that an active repository uses which subscribes to their ecosystem: one such is looked for, package
    /// by package. An EXISTS would leave Postgres the choice of joining all dependencies first.
    PACKAGES_DUE = due_packages!("IS NOT NULL");
    PACKAGES_UNWANTED = due_packages!("IS NULL");
    /// Those of a repository that nobody asked about for long, and that did not fail.
    WAKE_PACKAGES = "UPDATE package SET next_check_at = $2
        WHERE next_check_at > $2 AND last_error IS NULL AND (checked_at IS NULL OR checked_at < $3)
        AND (ecosystem, name) IN (SELECT ecosystem, package FROM dependency WHERE repo_id = $1)";
    USERS = "SELECT DISTINCT dependency.repo_id, repository.installation_id FROM dependency
        JOIN repository ON repository.id = dependency.repo_id
        JOIN subscription ON subscription.repo_id = dependency.repo_id
        WHERE dependency.ecosystem = $1 AND dependency.package = $2
        AND repository.state = 'active' AND subscription.ecosystem = $1 AND dependency.repo_id > $3
        ORDER BY dependency.repo_id LIMIT $4";
    USER_WITHIN = "SELECT dependency.repo_id FROM dependency
        JOIN repository ON repository.id = dependency.repo_id
        JOIN subscription ON subscription.repo_id = dependency.repo_id
        WHERE dependency.ecosystem = $1 AND dependency.package = $2 AND repository.installation_id = $3
        AND repository.state = 'active' AND subscription.ecosystem = $1
        ORDER BY dependency.repo_id LIMIT 1";
    /// What is not there is written as `null`, so that this finds texts alone.
    DIGEST_PINS = "SELECT dependency FROM dependency WHERE ecosystem = $1 AND package = $2
        AND dependency LIKE '%\"digest\":\"%' ORDER BY repo_id, path, manager, ordinal LIMIT $3";
    SAVE_RELEASE = "INSERT INTO release
            (ecosystem, package, version, published_at, first_seen_at, counts_from, yanked, digest, digest_since,
            requires_python)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (ecosystem, package, version) DO UPDATE SET published_at = excluded.published_at,
            counts_from = excluded.counts_from, yanked = excluded.yanked,
            digest = excluded.digest, digest_since = excluded.digest_since,
            requires_python = excluded.requires_python";
    FORGET_RELEASE = "DELETE FROM release WHERE ecosystem = $1 AND package = $2 AND version = $3";
    RELEASES = "SELECT ecosystem, package, version, published_at, first_seen_at, counts_from, yanked, digest,
        digest_since, requires_python FROM release
        WHERE (ecosystem, package) IN (VALUES ($1, $2)) ORDER BY ecosystem, package, counts_from, version";
}

impl Store {
    /// One package.
    pub async fn package(&self, package: &PackageId) -> Result<Option<PackageRow>, StoreError> {
        let key = values![package.ecosystem, &package.name];
        self.row(PACKAGE, key).await?.map(PackageRecord::read).transpose()
    }

    /// Those of these packages that are known.
    pub async fn packages(&self, packages: &[PackageId]) -> Result<Vec<PackageRow>, StoreError> {
        let keys = packages.iter().map(|package| values![package.ecosystem, &package.name]).collect();
        self.rows_for::<PackageRecord>(PACKAGES, keys).await?.into_iter().map(PackageRecord::read).collect()
    }

    /// The packages to ask a registry about, the longest due first: those that an active repository uses which
    /// subscribes to their ecosystem.
    pub async fn packages_due(&self, now: Timestamp, limit: u32) -> Result<Vec<PackageRow>, StoreError> {
        self.rows(PACKAGES_DUE, values![now, limit]).await?.into_iter().map(PackageRecord::read).collect()
    }

    /// The packages that are due and that no active repository both uses and subscribes to, the longest due first.
    pub async fn packages_unwanted(&self, now: Timestamp, limit: u32) -> Result<Vec<PackageRow>, StoreError> {
        self.rows(PACKAGES_UNWANTED, values![now, limit]).await?.into_iter().map(PackageRecord::read).collect()
    }

    /// The releases of each of these packages, by the time their age counts from. Packages without any are left out.
    pub async fn releases_of(&self, packages: &[PackageId]) -> Result<HashMap<PackageId, Vec<Release>>, StoreError> {
        let mut asked: Vec<&PackageId> = packages.iter().collect();
        asked.sort_unstable();
        asked.dedup();
        let keys = asked.iter().map(|package| values![package.ecosystem, &package.name]).collect();
        let mut releases: HashMap<PackageId, Vec<Release>> = HashMap::new();
        for record in self.rows_for::<ReleaseRecord>(RELEASES, keys).await? {
            let (package, release) = record.read()?;
            releases.entry(package).or_default().push(release);
        }
        Ok(releases)
    }

    /// The active and subscribed repositories that use a package, by id: the first so many, from the beginning or after
    /// one of them.
    pub async fn users_of(
        &self,
        package: &PackageId,
        after: Option<RepoId>,
        limit: u32,
    ) -> Result<Vec<(RepoId, InstallationId)>, StoreError> {
        let after = after.map_or(i64::MIN, |repo| repo.0);
        let key = values![package.ecosystem, &package.name, after, limit];
        let rows: Vec<(i64, i64)> = self.rows(USERS, key).await?;
        Ok(rows.into_iter().map(|(repo, installation)| (RepoId(repo), InstallationId(installation))).collect())
    }

    /// An active and subscribed repository of an installation that uses a package, if there is any.
    pub async fn user_within(
        &self,
        package: &PackageId,
        installation: InstallationId,
    ) -> Result<Option<RepoId>, StoreError> {
        let row: Option<(i64,)> =
            self.row(USER_WITHIN, values![package.ecosystem, &package.name, installation]).await?;
        Ok(row.map(|(repo,)| RepoId(repo)))
    }

    /// The uses of a package that pin a digest or a commit, at most so many.
    pub async fn digest_pins(&self, package: &PackageId, limit: u32) -> Result<Vec<Dependency>, StoreError> {
        let rows: Vec<(String,)> = self.rows(DIGEST_PINS, values![package.ecosystem, &package.name, limit]).await?;
        rows.into_iter().map(|(dependency,)| from_json("dependency", &dependency)).collect()
    }
}

impl Tx {
    /// Makes packages known, to be asked about at once. Those that were known before stay as they are.
    pub async fn ensure_packages(
        &mut self,
        packages: impl IntoIterator<Item = &PackageId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // In one order for all: two transactions then wait for each other, and not each for the other.
        let distinct: BTreeSet<&PackageId> = packages.into_iter().collect();
        let rows = distinct.into_iter().map(|package| values![package.ecosystem, &package.name, now]).collect();
        self.execute_for(ENSURE_PACKAGES, rows).await
    }

    /// Has the packages of a repository looked at now that were last looked at before some time: they may have been put
    /// off because nobody subscribed to them. A pause after a failure stays.
    pub async fn wake_packages(
        &mut self,
        repo: RepoId,
        looked_at_before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(WAKE_PACKAGES, values![repo, now, looked_at_before]).await.map(drop)
    }

    /// Puts the next look at packages off.
    pub async fn postpone_checks(
        &mut self,
        packages: impl IntoIterator<Item = &PackageId>,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let distinct: BTreeSet<&PackageId> = packages.into_iter().collect();
        let rows = distinct.into_iter().map(|package| values![package.ecosystem, &package.name, until]).collect();
        self.execute_for(POSTPONE_CHECKS, rows).await
    }

    /// Notes a registry's answer, and when to ask again.
    pub async fn package_checked(
        &mut self,
        package: &PackageId,
        etag: Option<&str>,
        checked_at: Timestamp,
        next_check_at: Timestamp,
    ) -> Result<(), StoreError> {
        let row = values![package.ecosystem, &package.name, etag, checked_at, next_check_at];
        self.execute(PACKAGE_CHECKED, row).await.map(drop)
    }

    /// Notes whose private repository a package is; `None` for one that everybody may see.
    pub async fn set_private_to(
        &mut self,
        package: &PackageId,
        installation: Option<InstallationId>,
    ) -> Result<(), StoreError> {
        let row = values![package.ecosystem, &package.name, installation.map(|installation| installation.0)];
        self.execute(SET_PRIVATE_TO, row).await.map(drop)
    }

    /// Notes that asking failed, and when to try again.
    pub async fn package_failed(
        &mut self,
        package: &PackageId,
        error: &str,
        next_check_at: Timestamp,
    ) -> Result<(), StoreError> {
        let row = values![package.ecosystem, &package.name, error, next_check_at];
        self.execute(PACKAGE_FAILED, row).await.map(drop)
    }

    /// Stores releases, new or changed, and forgets those that are `gone`. The package has to be stored before.
    ///
    /// A known release keeps `first_seen_at`. A forgotten one that comes back is a new one: what
    /// stands behind the version may be something else by then.
    pub async fn save_releases(
        &mut self,
        package: &PackageId,
        releases: &[Release],
        gone: &[String],
    ) -> Result<(), StoreError> {
        for version in gone {
            self.execute(FORGET_RELEASE, values![package.ecosystem, &package.name, version]).await?;
        }
        // One statement cannot write one row twice, and a registry may well list a version twice.
        let distinct: BTreeMap<&str, &Release> =
            releases.iter().map(|release| (release.version.as_str(), release)).collect();
        let rows = distinct.into_values().map(|release| {
            let Release { version, published_at, first_seen_at, counts_from, yanked, content, requires_python } =
                release;
            values![
                package.ecosystem,
                &package.name,
                version,
                *published_at,
                *first_seen_at,
                *counts_from,
                *yanked,
                content.as_ref().map(|one| one.digest.as_str()),
                content.as_ref().map(|one| one.since),
                requires_python.as_ref()
            ]
        });
        let rows = rows.collect();
        self.execute_for(SAVE_RELEASE, rows).await
    }
}

impl PackageRecord {
    fn read(self) -> Result<PackageRow, StoreError> {
        let ecosystem = word("package.ecosystem", &self.ecosystem, Ecosystem::from_word)?;
        Ok(PackageRow {
            package: PackageId { ecosystem, name: self.name },
            etag: self.etag,
            checked_at: self.checked_at.map(time),
            next_check_at: time(self.next_check_at),
            failures: small("package.failures", self.failures)?,
            last_error: self.last_error,
            private_to: self.private_to.map(InstallationId),
        })
    }
}

impl ReleaseRecord {
    fn read(self) -> Result<(PackageId, Release), StoreError> {
        let ecosystem = word("release.ecosystem", &self.ecosystem, Ecosystem::from_word)?;
        let release = Release {
            version: self.version,
            published_at: self.published_at.map(time),
            first_seen_at: time(self.first_seen_at),
            counts_from: time(self.counts_from),
            yanked: self.yanked,
            content: self.digest.zip(self.digest_since).map(|(digest, at)| Content { digest, since: time(at) }),
            requires_python: self.requires_python,
        };
        Ok((PackageId { ecosystem, name: self.package }, release))
    }
}
