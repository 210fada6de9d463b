//! When packages are looked at: which are due, and how the next look is put off or hastened.

use super::packages::{PackageRecord, select_packages};
use super::sql::{statements, values};
use super::{PackageRow, Store, StoreError, Tx};
use crate::domain::{PackageId, RepoId};
use jiff::{SignedDuration, Timestamp};

/// A look at a package is under way no longer than this, as a rule: for so long the next one is put off when it is queued.
pub const LOOK_UNDER_WAY: SignedDuration = SignedDuration::from_mins(5);

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

/// The order in which package rows are locked, by everybody: that of their bytes, in which [`in_order`] puts them as well.
/// The databases' own order differs from one to the next, and with more rows than one statement takes, that of the statements
/// counts too. SQLite has one writer, who waits for nobody.
macro_rules! lock_in_order {
    () => {
        " ORDER BY package.ecosystem COLLATE \"C\", package.name COLLATE \"C\" FOR UPDATE OF package"
    };
}

/// Sets the time of the next look for the packages that `$which` selects, in one order for all: two transactions then
/// wait for each other, and not each for the other. An UPDATE by itself takes rows as it comes upon them.
///
/// What was seen before the lock was had is looked at again in the row itself, as it is then; of other tables Postgres goes
/// by what it saw. So whoever makes a package wanted writes its row, and whoever goes by nobody wanting it asks that the
/// row is as it was.
macro_rules! next_check {
    ($which:expr, $lock:expr) => {
        concat!(
            "WITH chosen AS MATERIALIZED (",
            $which,
            $lock,
            ") UPDATE package SET next_check_at = chosen.until
            FROM chosen WHERE package.ecosystem = chosen.ecosystem AND package.name = chosen.name"
        )
    };
}

macro_rules! postpone_checks {
    ($lock:expr) => {
        next_check!(
            "SELECT package.ecosystem, package.name, asked.column3 AS until
                FROM (VALUES ($1, $2, CAST($3 AS BIGINT))) AS asked
                JOIN package ON package.ecosystem = asked.column1 AND package.name = asked.column2",
            $lock
        )
    };
}

macro_rules! postpone_unwanted {
    ($lock:expr) => {
        next_check!(
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
    ($lock:expr) => {
        next_check!(
            "SELECT package.ecosystem, package.name, asked.column2 AS until
                FROM (VALUES (CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT),
                    CAST($5 AS BIGINT))) AS asked
                JOIN dependency ON dependency.repo_id = asked.column1 AND dependency.since >= asked.column4
                JOIN package ON package.ecosystem = dependency.ecosystem AND package.name = dependency.package
                WHERE package.next_check_at <> asked.column2 AND package.last_error IS NULL
                AND (package.checked_at < asked.column3 OR package.checked_at IS NULL
                    AND (package.next_check_at < asked.column2 OR package.next_check_at > asked.column5))",
            $lock
        )
    };
}

statements! {
    PACKAGES_DUE = due_packages!("IS NOT NULL");
    PACKAGES_UNWANTED = due_packages!("IS NULL");
    POSTPONE_CHECKS = postpone_checks!(""), on postgres: postpone_checks!(lock_in_order!());
    /// Those that nobody uses at this moment either, and that nobody touched since they were found to be unwanted.
    POSTPONE_UNWANTED = postpone_unwanted!(""), on postgres: postpone_unwanted!(lock_in_order!());
    /// Those of some repositories that nobody asked about for long, and that did not fail. Those that are due, too: their rows
    /// are touched, for whoever is about to put them off. Not those whose first look is under way.
    WAKE_PACKAGES = wake_packages!(""), on postgres: wake_packages!(lock_in_order!());
}

impl Store {
    /// The packages to ask a registry about, the longest due first: those that an active repository uses which
    /// subscribes to their ecosystem.
    pub async fn packages_due(&self, now: Timestamp, limit: u32) -> Result<Vec<PackageRow>, StoreError> {
        self.rows(PACKAGES_DUE, values![now, limit]).await?.into_iter().map(PackageRecord::read).collect()
    }

    /// The packages that are due and that no active repository both uses and subscribes to, the longest due first.
    pub async fn packages_unwanted(&self, now: Timestamp, limit: u32) -> Result<Vec<PackageRow>, StoreError> {
        self.rows(PACKAGES_UNWANTED, values![now, limit]).await?.into_iter().map(PackageRecord::read).collect()
    }
}

impl Tx {
    /// Has the packages of some repositories looked at now that were last looked at before some time: they may have been put
    /// off because nobody subscribed to them. A pause after a failure stays, and a first look that is under way will do.
    ///
    /// Once in a transaction at most, with up to 500 repositories: the rows of two calls are not locked in one order.
    pub async fn wake_packages(
        &mut self,
        repos: &[RepoId],
        looked_at_before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = |repo: &RepoId| values![*repo, now, looked_at_before, i64::MIN, now + LOOK_UNDER_WAY];
        self.execute_for(WAKE_PACKAGES, repos.iter().map(row).collect()).await
    }

    /// The same, for those packages alone that a file of the repository has used since `now`: what it used before is looked at
    /// in its time.
    pub async fn wake_new_packages(
        &mut self,
        repo: RepoId,
        looked_at_before: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute_for(WAKE_PACKAGES, vec![values![repo, now, looked_at_before, now, now + LOOK_UNDER_WAY]]).await
    }

    /// Puts the next look at packages off that nobody uses, as they were found, unless somebody does by now.
    pub async fn postpone_unwanted(&mut self, found: &[PackageRow], until: Timestamp) -> Result<(), StoreError> {
        let mut found: Vec<&PackageRow> = found.iter().collect();
        found.sort_unstable_by_key(|row| place(&row.package));
        let row = |row: &PackageRow| values![row.package.ecosystem, &row.package.name, row.next_check_at, until];
        self.execute_for(POSTPONE_UNWANTED, found.into_iter().map(row).collect()).await
    }

    /// Puts the next look at packages off.
    pub async fn postpone_checks(
        &mut self,
        packages: impl IntoIterator<Item = &PackageId>,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let row = |package: &PackageId| values![package.ecosystem, &package.name, until];
        let rows = in_order(packages).into_iter().map(row).collect();
        self.execute_for(POSTPONE_CHECKS, rows).await
    }
}

/// A package's place in the order in which rows are locked.
fn place(package: &PackageId) -> (&str, &str) {
    (package.ecosystem.as_str(), &package.name)
}

/// Packages in the order in which their rows are locked, each once. Two transactions then wait for each other, and not each
/// for the other.
pub(super) fn in_order<'a>(packages: impl IntoIterator<Item = &'a PackageId>) -> Vec<&'a PackageId> {
    let mut packages: Vec<&PackageId> = packages.into_iter().collect();
    packages.sort_unstable_by_key(|package| place(package));
    packages.dedup();
    packages
}
