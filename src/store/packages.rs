//! Packages that somebody uses, their releases, and when to ask about them again. By whom they are used is in `users.rs`.

use super::sql::{small, statements, time, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Content, Ecosystem, InstallationId, PackageId, Release, RepoId};
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
    above_latest: bool,
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

/// A user of a package: an active repository that uses it and subscribes to its ecosystem. One such is looked for, package
/// by package. An EXISTS would leave Postgres the choice of joining all dependencies first.
macro_rules! a_user {
    () => {
        "(SELECT dependency.repo_id FROM dependency
            JOIN repository ON repository.id = dependency.repo_id
            JOIN subscription ON subscription.repo_id = dependency.repo_id
            WHERE dependency.ecosystem = package.ecosystem AND dependency.package = package.name
            AND repository.state = 'active' AND subscription.ecosystem = package.ecosystem
            LIMIT 1)"
    };
}

macro_rules! due_packages {
    ($user:literal) => {
        concat!(
            select_packages!("WHERE next_check_at <= $1 AND "),
            a_user!(),
            $user,
            " ORDER BY next_check_at, ecosystem, name LIMIT $2"
        )
    };
}

/// Sets the time of the next look for the packages that `$which` selects, in one order for all: two transactions then
/// wait for each other, and not each for the other. An UPDATE by itself takes rows as it comes upon them.
///
/// What was seen before the lock was had is looked at again in the row itself, as it is then; of other tables Postgres goes
/// by what it saw. So whoever makes a package wanted writes its row, and whoever goes by nobody wanting it asks that the
/// row is as it was.
macro_rules! next_check {
    ($time:literal, $which:expr, $lock:literal) => {
        concat!(
            "WITH chosen AS MATERIALIZED (",
            $which,
            " ORDER BY package.ecosystem, package.name",
            $lock,
            ") UPDATE package SET next_check_at = ",
            $time,
            " FROM chosen WHERE package.ecosystem = chosen.ecosystem AND package.name = chosen.name"
        )
    };
}

macro_rules! postpone_checks {
    ($lock:literal) => {
        next_check!(
            "chosen.until",
            "SELECT package.ecosystem, package.name, asked.column3 AS until
                FROM (VALUES ($1, $2, CAST($3 AS BIGINT))) AS asked
                JOIN package ON package.ecosystem = asked.column1 AND package.name = asked.column2",
            $lock
        )
    };
}

macro_rules! postpone_unwanted {
    ($lock:literal) => {
        next_check!(
            "chosen.until",
            concat!(
                "SELECT package.ecosystem, package.name, asked.column4 AS until
                FROM (VALUES ($1, $2, CAST($3 AS BIGINT), CAST($4 AS BIGINT))) AS asked
                JOIN package ON package.ecosystem = asked.column1 AND package.name = asked.column2
                    AND package.next_check_at = asked.column3
                WHERE ",
                a_user!(),
                " IS NULL"
            ),
            $lock
        )
    };
}

macro_rules! wake_packages {
    ($lock:literal) => {
        next_check!(
            "$2",
            "SELECT ecosystem, name FROM package
                WHERE next_check_at <> $2 AND last_error IS NULL AND (checked_at IS NULL OR checked_at < $3)
                AND (ecosystem, name) IN (SELECT ecosystem, package FROM dependency WHERE repo_id = $1 AND since >= $4)",
            $lock
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
    POSTPONE_CHECKS = postpone_checks!(""), on postgres: postpone_checks!(" FOR UPDATE OF package");
    /// Those that nobody uses at this moment either, and that nobody touched since they were found to be unwanted.
    POSTPONE_UNWANTED = postpone_unwanted!(""), on postgres: postpone_unwanted!(" FOR UPDATE OF package");
    PACKAGE = select_packages!("WHERE ecosystem = $1 AND name = $2");
    PACKAGES = select_packages!("WHERE (ecosystem, name) IN (VALUES ($1, $2)) ORDER BY ecosystem, name");
    PACKAGES_DUE = due_packages!("IS NOT NULL");
    PACKAGES_UNWANTED = due_packages!("IS NULL");
    /// Those of a repository that nobody asked about for long, and that did not fail. Those that are due, too: their rows are
    /// touched, for whoever is about to put them off.
    WAKE_PACKAGES = wake_packages!(""), on postgres: wake_packages!(" FOR UPDATE OF package");
    SAVE_RELEASE = "INSERT INTO release
            (ecosystem, package, version, published_at, first_seen_at, counts_from, yanked, above_latest, digest,
            digest_since, requires_python)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (ecosystem, package, version) DO UPDATE SET published_at = excluded.published_at,
            counts_from = excluded.counts_from, yanked = excluded.yanked, above_latest = excluded.above_latest,
            digest = excluded.digest, digest_since = excluded.digest_since,
            requires_python = excluded.requires_python";
    MOVE_RELEASE = "UPDATE release SET digest = $5, digest_since = $6
        WHERE ecosystem = $1 AND package = $2 AND version = $3 AND COALESCE(digest, '') = $4";
    FORGET_ETAG = "UPDATE package SET etag = NULL WHERE ecosystem = $1 AND name = $2";
    FORGET_RELEASE = "DELETE FROM release WHERE ecosystem = $1 AND package = $2 AND version = $3";
    RELEASES = "SELECT ecosystem, package, version, published_at, first_seen_at, counts_from, yanked, above_latest,
        digest, digest_since, requires_python FROM release
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
        self.execute(WAKE_PACKAGES, values![repo, now, looked_at_before, i64::MIN]).await.map(drop)
    }

    /// The same, for those packages alone that a file of the repository has used since `now`: what it used before is looked at
    /// in its time.
    pub async fn wake_new_packages(
        &mut self,
        repo: RepoId,
        looked_at_before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(WAKE_PACKAGES, values![repo, now, looked_at_before, now]).await.map(drop)
    }

    /// Puts the next look at packages off that nobody uses, as they were found, unless somebody does by now.
    pub async fn postpone_unwanted(&mut self, found: &[PackageRow], until: Timestamp) -> Result<(), StoreError> {
        let row = |row: &PackageRow| values![row.package.ecosystem, &row.package.name, row.next_check_at, until];
        self.execute_for(POSTPONE_UNWANTED, found.iter().map(row).collect()).await
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

    /// Stores what a release points at now, if it is still stored with the digest `before`; `false` when it is not, and
    /// nothing is changed. The next look at the package then reads everything anew: what the registry calls unchanged is
    /// the list as it was before.
    pub async fn move_release(
        &mut self,
        (package, version): (&PackageId, &str),
        before: Option<&str>,
        now: &Content,
    ) -> Result<bool, StoreError> {
        let (ecosystem, name) = (package.ecosystem, &package.name);
        let row = values![ecosystem, name, version, before.unwrap_or_default(), &now.digest, now.since];
        let moved = self.execute(MOVE_RELEASE, row).await? > 0;
        if moved {
            self.execute(FORGET_ETAG, values![ecosystem, name]).await?;
        }
        Ok(moved)
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
            let Release {
                version,
                published_at,
                first_seen_at,
                counts_from,
                yanked,
                above_latest,
                content,
                requires_python,
            } = release;
            values![
                package.ecosystem,
                &package.name,
                version,
                *published_at,
                *first_seen_at,
                *counts_from,
                *yanked,
                *above_latest,
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
            above_latest: self.above_latest,
            content: self.digest.zip(self.digest_since).map(|(digest, at)| Content { digest, since: time(at) }),
            requires_python: self.requires_python,
        };
        Ok((PackageId { ecosystem, name: self.package }, release))
    }
}
