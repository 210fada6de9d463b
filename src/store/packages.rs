//! Packages that somebody uses, and their releases. When they are asked about is in `looks.rs`, by whom they are used in
//! `users.rs`.

use super::looks::in_order;
use super::sql::{small, statements, time, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Content, Ecosystem, InstallationId, PackageId, Release};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

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
pub(super) struct PackageRecord {
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

pub(super) use select_packages;

statements! {
    ENSURE_PACKAGES = "INSERT INTO package (ecosystem, name, next_check_at) VALUES ($1, $2, $3)
        ON CONFLICT (ecosystem, name) DO NOTHING";
    PACKAGE_CHECKED = "UPDATE package SET etag = $3, checked_at = $4, next_check_at = $5, failures = 0,
        last_error = NULL WHERE ecosystem = $1 AND name = $2";
    SET_PRIVATE_TO = "UPDATE package SET private_to = $3 WHERE ecosystem = $1 AND name = $2";
    PACKAGE_FAILED = "UPDATE package SET last_error = $3, next_check_at = $4, failures = failures + 1
        WHERE ecosystem = $1 AND name = $2";
    PACKAGE = select_packages!("WHERE ecosystem = $1 AND name = $2");
    PACKAGES = select_packages!("WHERE (ecosystem, name) IN (VALUES ($1, $2)) ORDER BY ecosystem, name");
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
        let rows =
            in_order(packages).into_iter().map(|package| values![package.ecosystem, &package.name, now]).collect();
        self.execute_for(ENSURE_PACKAGES, rows).await
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
    pub(super) fn read(self) -> Result<PackageRow, StoreError> {
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
