//! Asks registries, and the forge where versions are tags, about the packages that somebody subscribes to: each package
//! once, however many repositories use it.

use super::retry::passes;
use super::tags::{self, Look};
use super::{Done, Step, StepError, contents};
use crate::domain::package::age_starts_at;
use crate::domain::{Content, InstallationId, PackageId, Release, RepoId};
use crate::forge::{GitHub, Tag, TagList};
use crate::planner::polling::next_look;
use crate::registries::{Answer, FoundRelease, Listing, Registries, RegistryError};
use crate::store::{LOOK_UNDER_WAY, NewWork, PackageRow, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A package whose registry does not know it, or refuses, is asked about again after this.
const LASTING_FAILURE_PAUSE: SignedDuration = SignedDuration::from_hours(6);
/// A package that nobody subscribes to is not thought of again before this has passed, unless somebody does. After that
/// long without an answer a new subscriber has it looked at at once.
pub(super) const UNWANTED_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// How many packages are queued in one transaction, so that none holds up the others for long.
const PACKAGES_AT_ONCE: u32 = 1_000;
/// How many users of a package are queued in one transaction, likewise.
pub(super) const USERS_AT_ONCE: u32 = 2_000;

/// Queues a look at every package that is due. Returns how many.
pub async fn queue_due(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let mut queued = 0;
    loop {
        let due = store.packages_due(now, PACKAGES_AT_ONCE).await?;
        queue(store, &due, now).await?;
        queued += due.len();
        if due.len() < PACKAGES_AT_ONCE as usize {
            break;
        }
    }
    put_off_unwanted(store, now).await?;
    Ok(queued)
}

/// Takes what nobody subscribes to any more from the front of the list, where it would be looked at each second: whether
/// somebody does takes long to find out of a package that many use.
async fn put_off_unwanted(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    let unwanted = store.packages_unwanted(now, PACKAGES_AT_ONCE).await?;
    if unwanted.is_empty() {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    tx.postpone_unwanted(&unwanted, now + UNWANTED_PAUSE).await?;
    tx.commit().await
}

async fn queue(store: &Store, packages: &[PackageRow], now: Timestamp) -> Result<(), StoreError> {
    if packages.is_empty() {
        return Ok(());
    }
    let looks = packages.iter().map(|row| Step::Watch { package: row.package.clone() }.work(None, now));
    let looks = looks.collect::<Result<Vec<NewWork>, StoreError>>()?;
    let mut tx = store.begin().await?;
    tx.enqueue_all(&looks, now).await?;
    // They are on their way; they are not to be queued again while they are looked at.
    tx.postpone_checks(packages.iter().map(|row| &row.package), now + LOOK_UNDER_WAY).await?;
    tx.commit().await
}

/// Asks the registry, or the forge, about one package, and has every repository that uses it planned anew if anything
/// changed. `interval` is the least time between two looks; where releases are rare there is more, see [`next_look`].
pub async fn watch(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
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
    let answer = if package.ecosystem.is_of_the_forge() {
        of_the_forge(tags::look(store, forge, &row, now).await?, row.failures)
    } else {
        of_a_registry(registries.releases(package, row.etag.as_deref()).await, row.failures)
    };
    let stored = store.releases_of(std::slice::from_ref(package)).await?.remove(package).unwrap_or_default();
    match answer {
        Heard::Unchanged => {
            let save = contents::of_tags(store, registries, package, &stored, &[], now).await?;
            let users = if save.is_empty() { Vec::new() } else { store.users_of(package, None, USERS_AT_ONCE).await? };
            let next = next_look(package, &stored, interval, now);
            let mut tx = store.begin().await?;
            tx.save_releases(package, &save, &[]).await?;
            tx.package_checked(package, row.etag.as_deref(), now, next).await?;
            queue_plans(&mut tx, package, &users, now).await?;
            Ok(Done::Finished(tx))
        }
        Heard::Listed(listed) => {
            let mut news = compare(&row, &stored, listed.releases, listed.complete, now);
            let contents = contents::of_tags(store, registries, package, &stored, &news.save, now).await?;
            news.save.retain(|one| contents.iter().all(|other| other.version != one.version));
            news.save.extend(contents);
            let changed = !news.save.is_empty()
                || !news.gone.is_empty()
                || row.checked_at.is_none()
                || row.last_error.is_some()
                || row.private_to != listed.private_to;
            let users = if changed { store.users_of(package, None, USERS_AT_ONCE).await? } else { Vec::new() };
            let next = next_look(package, stored.iter().chain(&news.save), interval, now);
            let mut tx = store.begin().await?;
            // Releases before the package, as whoever finds that one of them was moved.
            tx.save_releases(package, &news.save, &news.gone).await?;
            tx.set_private_to(package, listed.private_to).await?;
            tx.package_checked(package, listed.etag.as_deref(), now, next).await?;
            queue_plans(&mut tx, package, &users, now).await?;
            Ok(Done::Finished(tx))
        }
        Heard::Nothing { why, pause } => {
            // What is known stays. Who never got an answer is told why there is none.
            let users = if row.checked_at.is_none() && row.last_error.is_none() {
                store.users_of(package, None, USERS_AT_ONCE).await?
            } else {
                Vec::new()
            };
            let mut tx = store.begin().await?;
            tx.package_failed(package, &why, now + pause).await?;
            queue_plans(&mut tx, package, &users, now).await?;
            Ok(Done::Finished(tx))
        }
        Heard::Later { until, why } => Ok(Done::PutOff { tx: store.begin().await?, until, why }),
    }
}

/// What came of a look, wherever it went.
enum Heard {
    Unchanged,
    Listed(Listed),
    /// Nothing that is of use; to be asked again after the pause.
    Nothing {
        why: String,
        pause: SignedDuration,
    },
    /// Nobody was asked.
    Later {
        until: Timestamp,
        why: Option<String>,
    },
}

struct Listed {
    releases: Vec<FoundRelease>,
    /// Whether what is not among them is not there any more.
    complete: bool,
    etag: Option<String>,
    private_to: Option<InstallationId>,
}

fn of_a_registry(answer: Result<Answer, RegistryError>, failures: u32) -> Heard {
    match answer {
        Ok(Answer::NotModified) => Heard::Unchanged,
        Ok(Answer::Found(Listing { releases, etag })) => {
            Heard::Listed(Listed { releases, complete: true, etag, private_to: None })
        }
        Err(error) => Heard::Nothing { why: error.to_string(), pause: pause_after(&error, failures) },
    }
}

fn of_the_forge(look: Look, failures: u32) -> Heard {
    match look {
        Look::NotModified => Heard::Unchanged,
        Look::Found(TagList { tags, complete, marks }, private_to) => {
            let release = |tag: Tag| FoundRelease {
                published_at: tag.published_at,
                digest: Some(tag.commit.to_string()),
                ..FoundRelease::named(tag.name)
            };
            let releases = tags.into_iter().map(release).collect();
            Heard::Listed(Listed { releases, complete, etag: marks, private_to })
        }
        Look::Nothing(why) => Heard::Nothing { why, pause: LASTING_FAILURE_PAUSE },
        Look::Failed(error) => {
            let pause = if passes(&error) { growing_pause(failures) } else { LASTING_FAILURE_PAUSE };
            Heard::Nothing { why: error.to_string(), pause }
        }
        Look::Later(until, why) => Heard::Later { until, why },
    }
}

/// Has the users of a package planned that come after one of them, a portion at a time.
pub async fn announce(store: &Store, package: &PackageId, after: RepoId, now: Timestamp) -> Result<Done, StepError> {
    let users = store.users_of(package, Some(after), USERS_AT_ONCE).await?;
    let mut tx = store.begin().await?;
    queue_plans(&mut tx, package, &users, now).await?;
    Ok(Done::Finished(tx))
}

/// Has these users of a package planned and, where they are as many as are asked for at once, those after them.
pub(super) async fn queue_plans(
    tx: &mut Tx,
    package: &PackageId,
    users: &[(RepoId, InstallationId)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let plans = users.iter().map(|(repo, installation)| Step::Plan { repo: *repo }.work(Some(*installation), now));
    tx.enqueue_all(&plans.collect::<Result<Vec<NewWork>, StoreError>>()?, now).await?;
    match users.last() {
        Some((last, _)) if users.len() >= USERS_AT_ONCE as usize => {
            Step::Announce { package: package.clone(), after: *last }.queue(tx, None, now).await
        }
        _ => Ok(()),
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
        _ => growing_pause(failures),
    }
}

/// A minute, doubled with each failure up to two hours.
fn growing_pause(failures: u32) -> SignedDuration {
    SignedDuration::from_mins(1 << failures.min(7)).min(SignedDuration::from_hours(2))
}

/// What a listing changes.
#[derive(Debug, Default, PartialEq, Eq)]
struct News {
    /// New releases, and known ones that were yanked or put back, or whose tag was moved.
    save: Vec<Release>,
    /// Versions that are not listed any more.
    gone: Vec<String>,
}

/// Compares what is listed with what is stored. A release that is known keeps the time its age counts from; what a tag
/// points at counts from when it was first seen to. Pure.
fn compare(
    package: &PackageRow,
    stored: &[Release],
    listed: Vec<FoundRelease>,
    complete: bool,
    now: Timestamp,
) -> News {
    let known: BTreeMap<&str, &Release> = stored.iter().map(|r| (r.version.as_str(), r)).collect();
    let names: BTreeSet<&str> = listed.iter().map(|r| r.version.as_str()).collect();
    let is_gone = |version: &&&str| complete && !names.contains(**version);
    let gone = known.keys().filter(is_gone).map(|version| version.to_string()).collect();
    let save = listed
        .iter()
        .filter_map(|found| match known.get(found.version.as_str()) {
            Some(release) => {
                // Most of its users get it from the moment on at which it becomes the latest.
                let promoted = release.above_latest && !found.above_latest;
                let seen = Release {
                    counts_from: if promoted { now } else { release.counts_from },
                    yanked: found.yanked,
                    above_latest: found.above_latest,
                    content: content_of(release, found, now),
                    requires_python: found.requires_python.clone(),
                    ..(*release).clone()
                };
                (seen != **release).then_some(seen)
            }
            None => {
                let counts_from = age_starts_at(found.published_at, now, package.checked_at);
                Some(Release {
                    version: found.version.clone(),
                    published_at: found.published_at,
                    first_seen_at: now,
                    counts_from,
                    yanked: found.yanked,
                    above_latest: found.above_latest,
                    // When a release was published says nothing of what its tag was made to point at, or which files were
                    // added to it, since.
                    content: found.digest.clone().map(|digest| Content { digest, since: now }),
                    requires_python: found.requires_python.clone(),
                })
            }
        })
        .collect();
    News { save, gone }
}

/// What a known release points at by a listing. A tag that was moved is as young as our seeing it.
fn content_of(known: &Release, found: &FoundRelease, now: Timestamp) -> Option<Content> {
    match (&known.content, &found.digest) {
        (Some(content), Some(digest)) if content.digest == *digest => Some(content.clone()),
        (_, Some(digest)) => Some(Content { digest: digest.clone(), since: now }),
        (content, None) => content.clone(),
    }
}
