//! Repositories for the bot to know: indexed, subscribed, each using twenty packages. Filled in through the store's own
//! methods, in transactions of many repositories.

use anyhow::{Context as _, anyhow};
use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{
    Ecosystem, FileMode, Head, InstallationId, ObjectId, PackageId, Release, RepoId, RepoName, RepoPath, RepoState,
    Repository,
};
use mass_driver::managers;
use mass_driver::store::{Config, ConfigState, Manifest, Store, StoreError, Subscription, Tx};
use mass_driver::subscription::{self, SubscriptionFile};
use std::collections::BTreeSet;
use std::ops::Range;

/// How many packages each repository uses.
pub const USED: usize = 20;
/// What is not released during a figure is spread over so many packages.
const LIBRARIES: usize = 2_000;
/// Repositories in a transaction.
const WIDE: usize = 100;
/// Transactions at once, for a database that can.
const AT_ONCE: usize = 4;
/// The version everybody uses, and the one that is released during a figure.
pub const OLD: &str = "1.0.0";
/// See [`OLD`].
pub const NEW: &str = "1.1.0";

/// A repository to be filled in.
pub struct Filled {
    /// Its id.
    pub repo: RepoId,
    /// Its installation.
    pub installation: InstallationId,
    /// Its name.
    pub name: RepoName,
    /// Its default branch's head.
    pub head: Head,
    /// Its requirements.txt.
    pub text: String,
    /// That file's blob.
    pub blob: ObjectId,
}

/// What fills repositories in.
pub struct Filler<'a> {
    store: &'a Store,
    now: Timestamp,
    text: &'static str,
    file: SubscriptionFile,
    path: RepoPath,
}

impl<'a> Filler<'a> {
    /// With this text of a subscription file in each repository.
    pub fn new(store: &'a Store, text: &'static str) -> anyhow::Result<Self> {
        let file = subscription::parse(text.as_bytes()).map_err(|problems| anyhow!("{problems:?}"))?;
        Ok(Self { store, now: mass_driver::app::now(), text, file, path: RepoPath::parse("requirements.txt")? })
    }

    /// The subscription file.
    pub fn file(&self) -> &SubscriptionFile {
        &self.file
    }

    /// Fills in many, and says how far it has got.
    pub async fn repositories(
        &self,
        range: Range<usize>,
        make: impl Fn(usize) -> anyhow::Result<Filled>,
    ) -> anyhow::Result<()> {
        let count = range.len();
        let make = &make;
        let parts = range.clone().step_by(WIDE).map(|first| {
            let numbers = first..range.end.min(first + WIDE);
            async move {
                let (mut tx, size) = (self.store.begin().await?, numbers.len());
                for number in numbers {
                    self.repository(&mut tx, &make(number)?).await?;
                }
                tx.commit().await?;
                anyhow::Ok(size)
            }
        });
        let mut parts = stream::iter(parts).buffer_unordered(AT_ONCE);
        let mut done = 0;
        while let Some(size) = parts.next().await {
            let before = done;
            done += size?;
            if count >= 5_000 && before * 10 / count < done * 10 / count {
                anstream::eprintln!("  {done} of {count} repositories filled in");
            }
        }
        Ok(())
    }

    async fn repository(&self, tx: &mut Tx, filled: &Filled) -> anyhow::Result<()> {
        let (repo, now) = (filled.repo, self.now);
        let repository = Repository {
            id: repo,
            installation: filled.installation,
            name: filled.name.clone(),
            default_branch: Some("main".to_owned()),
            private: true,
            fork: false,
            state: RepoState::Active,
            web_url: format!("https://github.example/{}", filled.name),
        };
        tx.save_repository(&repository, now).await?;
        tx.set_head(repo, Some(&filled.head), now).await?;
        let config = Config {
            path: Some(RepoPath::parse(".mass-driver.yaml")?),
            blob: Some(filled.blob.clone()),
            state: ConfigState::Valid,
            file: Some(serde_json::to_value(&self.file)?),
            text: Some(self.text.to_owned()),
            since: Some(now),
            ..Config::none()
        };
        tx.save_config(repo, &config, now).await?;
        let subscriptions: Vec<Subscription> = self.file.subscriptions.iter().map(columns).collect();
        tx.replace_subscriptions(repo, &subscriptions, now).await?;
        let manager = managers::managers_for(&self.path).next().context("no manager reads requirements.txt")?;
        let manifest = Manifest {
            path: self.path.clone(),
            manager: manager.name().to_owned(),
            blob: filled.blob.clone(),
            mode: FileMode::Regular,
            text: filled.text.clone(),
            problem: None,
            includes: Vec::new(),
        };
        tx.save_manifest(repo, &manifest, now).await?;
        let found = manager.extract(&self.path, &filled.text).dependencies;
        tx.replace_dependencies(repo, &self.path, manager.name(), &found, now).await?;
        tx.set_synced(repo, now).await?;
        tx.set_indexed(repo, &filled.head.commit, now).await?;
        Ok(())
    }

    /// Makes packages known that were looked at an hour ago, each with its old version; the next look is far off.
    pub async fn packages(&self, names: impl Iterator<Item = String>) -> Result<(), StoreError> {
        let hour = SignedDuration::from_hours(1);
        let (looked, long_ago) = (self.now - hour, self.now - hour * 24 * 365);
        let packages: BTreeSet<PackageId> = names.map(pypi).collect();
        let mut tx = self.store.begin().await?;
        tx.ensure_packages(&packages, looked).await?;
        let old = Release {
            version: OLD.to_owned(),
            published_at: Some(long_ago),
            first_seen_at: looked,
            counts_from: long_ago,
            yanked: false,
            above_latest: false,
            content: None,
            requires_python: None,
        };
        for package in &packages {
            tx.save_releases(package, std::slice::from_ref(&old), &[]).await?;
            tx.package_checked(package, None, looked, self.now + hour * 24 * 30).await?;
        }
        tx.commit().await
    }
}

/// A Python package.
pub fn pypi(name: String) -> PackageId {
    PackageId { ecosystem: Ecosystem::Pypi, name }
}

/// The packages that nothing is released of.
pub fn libraries() -> impl Iterator<Item = String> {
    (0..LIBRARIES).map(library)
}

fn library(number: usize) -> String {
    format!("library-{number}")
}

/// A requirements.txt with these packages, filled up to twenty with libraries that differ from repository to repository.
pub fn requirements(number: usize, first: impl Iterator<Item = String>) -> String {
    let others = (0..USED).map(|nth| library((number * 13 + nth * 101) % LIBRARIES));
    first.chain(others).take(USED).map(|name| format!("{name}=={OLD}\n")).collect()
}

fn columns(entry: &subscription::Subscription) -> Subscription {
    Subscription {
        migration: entry.migration.to_string(),
        ecosystem: entry.migration.ecosystem(),
        delay: entry.delay.to_string(),
        settings: serde_json::to_value(entry).unwrap_or_default(),
    }
}
