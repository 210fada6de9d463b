//! What versions point at, where they are tags that may be moved: learned when a tag is new, and held against what is stored
//! in the moment before it is written down.
//!
//! What is written is what is stored, and what is stored has an age. A tag that points elsewhere by the time it would be
//! written is not written: its new content is stored as just seen, and waits for its age like any release.

use super::edits::{self, Hashes};
use super::{StepError, tags};
use crate::domain::{Content, Dependency, Ecosystem, PackageId, Release, RepoId, Update};
use crate::forge::GitHub;
use crate::planner::age;
use crate::registries::{Registries, RegistryError, digest_of};
use crate::store::{PackageRow, RepositoryRow, Store};
use crate::versioning::scheme;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

/// So many uses of an image are looked through for digests …
const PINS_CONSIDERED: u32 = 200;
/// … and the digests of so many tags are asked for in one look at it, and so many again of those that are known.
const DIGESTS_AT_ONCE: usize = 10;

/// What versions point at, by package and version.
pub(super) type Contents = BTreeMap<(PackageId, String), String>;

/// Whether what updates point at is what they were planned with.
pub(super) enum Checked {
    /// It is. What has to be known to write them, and the hashes of files that were seen by looking.
    As(Contents, Hashes),
    /// What is stored of their releases has changed since they were planned.
    PlanAgain,
    /// Releases point at something else than what is stored.
    Moved(Vec<Moved>),
    /// What they point at is not to be had.
    Impossible(String),
}

/// A release that was found to point at something else than what is stored of it.
#[derive(Debug)]
pub(super) struct Moved {
    /// The package.
    pub(super) package: PackageId,
    /// The release.
    pub(super) version: String,
    /// The digest that was stored when it was looked at.
    pub(super) before: Option<String>,
    /// What it points at now.
    pub(super) now: Content,
}

/// Holds what the updates of a repository point at against what is stored; with `look`, also against what it is now.
pub(super) async fn check(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    user: &RepositoryRow,
    updates: &[Update],
    look: bool,
    now: Timestamp,
) -> Result<Checked, StepError> {
    let meant: Vec<&Update> = updates.iter().filter(|update| is_content_meant(update)).collect();
    let packages: Vec<PackageId> = meant.iter().map(|update| update.package.clone()).collect();
    let releases = store.releases_of(&packages).await?;
    let rows: BTreeMap<PackageId, PackageRow> =
        store.packages(&packages).await?.into_iter().map(|row| (row.package.clone(), row)).collect();
    let (mut contents, mut hashes, mut moved) = (Contents::new(), Hashes::new(), Vec::new());
    for update in meant {
        let Update { package, to, .. } = update;
        let stored = releases.get(package).and_then(|all| all.iter().find(|release| release.version == *to));
        let (Some(stored), Some(row)) = (stored, rows.get(package)) else { return Ok(Checked::PlanAgain) };
        let is_hidden = row.private_to.is_some_and(|owner| owner != user.repository.installation);
        let known = stored.content.as_ref().map(|content| &content.digest);
        let is_another = update.refresh.is_some() && update.refresh.as_ref() != known;
        if is_hidden || is_another || starts(update, stored) > update.released_at {
            return Ok(Checked::PlanAgain);
        }
        let release = (package.clone(), to.clone());
        let digest = match (look, known) {
            (false, Some(known)) => known.clone(),
            _ => match find(store, (forge, registries), user, row, to).await? {
                Ok(Found::Digest(digest)) => digest,
                Ok(Found::Files(files)) => {
                    let digest = digest_of(&files);
                    hashes.insert(release.clone(), files);
                    digest
                }
                Err(why) => return Ok(Checked::Impossible(why)),
            },
        };
        if known == Some(&digest) {
            contents.insert(release, digest);
        } else {
            let (package, version) = release;
            moved.push(Moved { package, version, before: known.cloned(), now: Content { digest, since: now } });
        }
    }
    Ok(if moved.is_empty() { Checked::As(contents, hashes) } else { Checked::Moved(moved) })
}

/// What a version was found to point at.
enum Found {
    /// A digest or a commit.
    Digest(String),
    /// Files, by their hashes.
    Files(Vec<String>),
}

/// What a version points at now, or why that is not to be had.
async fn find(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    user: &RepositoryRow,
    package: &PackageRow,
    version: &str,
) -> Result<Result<Found, String>, StepError> {
    let id = &package.package;
    if id.ecosystem.is_of_the_forge() {
        let commit = tags::commit_of(store, forge, user, package, version).await?;
        return Ok(commit
            .map(|commit| Found::Digest(commit.to_string()))
            .ok_or_else(|| format!("{} has no tag {version} any more", id.name)));
    }
    let found = match id.ecosystem {
        Ecosystem::Docker => registries.digest(id, version).await.map(Found::Digest),
        _ => match registries.hashes(id, version).await {
            Ok(Some(hashes)) => Ok(Found::Files(hashes)),
            Ok(None) => return Ok(Err(edits::no_hashes(registries, id, version))),
            Err(error) => Err(error),
        },
    };
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(error) if !error.may_pass() => Ok(Err(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Whether it matters to any place of an update what its version points at.
fn is_content_meant(update: &Update) -> bool {
    update.sites.iter().any(|site| age::is_content_meant(&update.package, &update.to, site.is_pinned()))
}

/// From when the age of an update's release counts, as it is stored now.
fn starts(update: &Update, release: &Release) -> Timestamp {
    let each = update.sites.iter().map(|site| age::counts_from(release, &update.package, site.is_pinned()));
    each.max().unwrap_or(release.counts_from)
}

/// The releases of an image whose digests were not known and are now, or are others than before: of those tags that somebody who
/// pins the image by its digest uses or could move to. `news` are releases that are about to be stored, `stored` those that are.
///
/// What a registry does not tell is asked for again at the next look, and in any case before it is written.
pub(super) async fn of_tags(
    store: &Store,
    registries: &Registries,
    package: &PackageId,
    stored: &[Release],
    news: &[Release],
    now: Timestamp,
) -> Result<Vec<Release>, StepError> {
    if package.ecosystem != Ecosystem::Docker {
        return Ok(Vec::new());
    }
    let pins = pins(store, package, now).await?;
    let mut pins: Vec<(&str, &str)> =
        pins.iter().filter_map(|pin| Some((pin.constraint.as_str(), pin.current.as_deref()?))).collect();
    pins.sort_unstable();
    pins.dedup();
    if pins.is_empty() {
        return Ok(Vec::new());
    }
    let is_new = |release: &Release| news.iter().any(|new| new.version == release.version);
    let known = stored.iter().filter(|release| !is_new(release));
    let there: Vec<&Release> = known.chain(news).filter(|release| !release.yanked).collect();
    let mut found = Vec::new();
    for release in not_known(&there, &pins).into_iter().chain(looked_at_again(&there, &pins, now)) {
        let digest = match registries.digest(package, &release.version).await {
            Ok(digest) => digest,
            Err(RegistryError::NotFound { .. }) => continue,
            Err(error) => {
                tracing::debug!(%package, version = release.version, %error, "a digest is asked for later");
                break;
            }
        };
        if release.content.as_ref().is_none_or(|content| content.digest != digest) {
            found.push(Release { content: Some(Content { digest, since: now }), ..release.clone() });
        }
    }
    Ok(found)
}

/// Uses of an image that pin its digest. Of an image that thousands use not all are looked through: those from some place on,
/// another one in each turn, and from the first on where these are not enough.
async fn pins(store: &Store, package: &PackageId, now: Timestamp) -> Result<Vec<Dependency>, StepError> {
    let Some((first, last)) = store.users_span(package).await? else { return Ok(Vec::new()) };
    let span = last.0.abs_diff(first.0).saturating_add(1);
    let from = RepoId(first.0 + tags::place(tags::turn(package, now), span));
    let mut pins = store.digest_pins(package, from, PINS_CONSIDERED).await?;
    let more = PINS_CONSIDERED.saturating_sub(u32::try_from(pins.len()).unwrap_or(u32::MAX));
    if more > 0 && from > first {
        pins.extend(store.digest_pins(package, first, more).await?);
    }
    Ok(pins)
}

/// Tags that some pin could move to and whose digests are not known, the newest of each variant first: as many as are asked for
/// in one look. Pure.
fn not_known<'r>(there: &[&'r Release], pins: &[(&str, &str)]) -> Vec<&'r Release> {
    let scheme = scheme(Ecosystem::Docker);
    let is_wanted = |release: &&&Release| {
        release.content.is_none()
            && pins.iter().any(|(text, current)| scheme.is_candidate(text, current, &release.version))
    };
    let mut wanted: Vec<&Release> = there.iter().filter(is_wanted).copied().collect();
    // Variants cannot be compared with each other: the newest of each come first.
    let line = |release: &Release| scheme.line(&release.version).unwrap_or_default().to_owned();
    wanted.sort_by(|a, b| {
        let newest_first = || scheme.compare(&b.version, &a.version).unwrap_or(Ordering::Equal);
        line(a).cmp(&line(b)).then_with(newest_first).then_with(|| a.version.cmp(&b.version))
    });
    let mut before: HashMap<String, usize> = HashMap::new();
    wanted.sort_by_cached_key(|release| {
        let place = before.entry(line(release)).or_default();
        *place += 1;
        *place
    });
    wanted.truncate(DIGESTS_AT_ONCE);
    wanted
}

/// Tags that may have been moved since they were last asked for: those that pins use, and the newest that each could move to. Of
/// more than are asked for in one look, it is now these and now those. Pure.
fn looked_at_again<'r>(there: &[&'r Release], pins: &[(&str, &str)], now: Timestamp) -> Vec<&'r Release> {
    let scheme = scheme(Ecosystem::Docker);
    let mut wanted: BTreeMap<&str, &Release> = BTreeMap::new();
    for (text, current) in pins {
        wanted.extend(there.iter().find(|release| release.version == *current).map(|r| (r.version.as_str(), *r)));
        let known = there
            .iter()
            .filter(|release| release.content.is_some() && scheme.is_candidate(text, current, &release.version));
        let newest = known.max_by(|a, b| scheme.compare(&a.version, &b.version).unwrap_or(Ordering::Equal));
        wanted.extend(newest.map(|release| (release.version.as_str(), *release)));
    }
    let mut wanted: Vec<&Release> = wanted.into_values().collect();
    wanted.sort_by_cached_key(|release| Sha256::digest(format!("{} {now}", release.version)));
    wanted.truncate(DIGESTS_AT_ONCE);
    wanted
}
