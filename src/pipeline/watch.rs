//! Asks registries about the packages that somebody subscribes to: each package once, however many repositories use it.

use super::{Done, Step, StepError};
use crate::domain::package::age_starts_at;
use crate::domain::{PackageId, Release};
use crate::registries::{Answer, FoundRelease, Registries, RegistryError};
use crate::store::{PackageRow, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A package whose registry does not know it, or refuses, is asked about again after this.
const LASTING_FAILURE_PAUSE: SignedDuration = SignedDuration::from_hours(6);
/// How many packages are queued at a time.
const BATCH: u32 = 500;

/// Queues a look at every package that is due. Returns how many.
pub async fn queue_due(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let due = store.packages_due(now, BATCH).await?;
    queue(store, &due, now).await?;
    Ok(due.len())
}

async fn queue(store: &Store, packages: &[PackageRow], now: Timestamp) -> Result<(), StoreError> {
    if packages.is_empty() {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    for PackageRow { package, .. } in packages {
        Step::Watch { package: package.clone() }.queue(&mut tx, None, now).await?;
        // It is on its way; it is not to be queued again while it is looked at.
        tx.postpone_check(package, now + SignedDuration::from_mins(5)).await?;
    }
    tx.commit().await
}

/// Asks the registry about one package, and has every repository that uses it planned anew if anything changed.
pub async fn watch(
    store: &Store,
    registries: &Registries,
    package: &PackageId,
    interval: SignedDuration,
    now: Timestamp,
) -> Result<Done, StepError> {
    let Some(row) = store.package(package).await? else { return Ok(Done::Finished(store.begin().await?)) };
    let recently = row
        .checked_at
        .is_some_and(|checked| checked <= now && now.duration_since(checked) < SignedDuration::from_secs(30));
    if recently && row.last_error.is_none() {
        return Ok(Done::Finished(store.begin().await?));
    }
    let answer = registries.releases(package, row.etag.as_deref()).await;
    let stored = store.releases_of(std::slice::from_ref(package)).await?.remove(package).unwrap_or_default();

    match answer {
        Ok(Answer::NotModified) => {
            let mut tx = store.begin().await?;
            tx.package_checked(package, row.etag.as_deref(), now, now + interval).await?;
            Ok(Done::Finished(tx))
        }
        Ok(Answer::Found(listing)) => {
            let news = compare(&row, &stored, listing.releases, now);
            let changed =
                !news.save.is_empty() || !news.gone.is_empty() || row.checked_at.is_none() || row.last_error.is_some();
            let users = if changed { store.users_of(package).await? } else { Vec::new() };
            let mut tx = store.begin().await?;
            tx.save_releases(package, &news.save, &news.gone).await?;
            tx.package_checked(package, listing.etag.as_deref(), now, now + interval).await?;
            for (repo, installation) in users {
                Step::Plan { repo }.queue(&mut tx, Some(installation), now).await?;
            }
            Ok(Done::Finished(tx))
        }
        Err(error) => {
            // What is known stays. Who never got an answer is told why there is none.
            let users = if row.checked_at.is_none() && row.last_error.is_none() {
                store.users_of(package).await?
            } else {
                Vec::new()
            };
            let mut tx = store.begin().await?;
            tx.package_failed(package, &error.to_string(), now + pause_after(&error, row.failures)).await?;
            for (repo, installation) in users {
                Step::Plan { repo }.queue(&mut tx, Some(installation), now).await?;
            }
            Ok(Done::Finished(tx))
        }
    }
}

/// How long to leave a registry alone: what it asks for; else, where the failure may pass by itself, a minute, doubled with
/// each further one up to two hours.
fn pause_after(error: &RegistryError, failures: u32) -> SignedDuration {
    if !error.may_pass() {
        return LASTING_FAILURE_PAUSE;
    }
    match error.retry_after().map(SignedDuration::try_from) {
        Some(Ok(asked)) => asked.clamp(SignedDuration::from_secs(1), SignedDuration::from_hours(24)),
        _ => SignedDuration::from_mins(1 << failures.min(7)).min(SignedDuration::from_hours(2)),
    }
}

/// What a listing changes.
#[derive(Debug, Default, PartialEq, Eq)]
struct News {
    /// New releases, and known ones that were yanked or put back.
    save: Vec<Release>,
    /// Versions that are not listed any more.
    gone: Vec<String>,
}

/// Compares what a registry lists with what is stored. A release that is known keeps the time its age counts from. Pure.
fn compare(package: &PackageRow, stored: &[Release], listed: Vec<FoundRelease>, now: Timestamp) -> News {
    let known: BTreeMap<&str, &Release> = stored.iter().map(|r| (r.version.as_str(), r)).collect();
    let names: BTreeSet<&str> = listed.iter().map(|r| r.version.as_str()).collect();
    let gone = known.keys().filter(|version| !names.contains(*version)).map(|version| version.to_string()).collect();
    let save = listed
        .iter()
        .filter_map(|found| match known.get(found.version.as_str()) {
            Some(release) if release.yanked == found.yanked => None,
            Some(release) => Some(Release { yanked: found.yanked, ..(*release).clone() }),
            None => Some(Release {
                version: found.version.clone(),
                published_at: found.published_at,
                first_seen_at: now,
                counts_from: age_starts_at(found.published_at, now, package.checked_at),
                yanked: found.yanked,
            }),
        })
        .collect();
    News { save, gone }
}
