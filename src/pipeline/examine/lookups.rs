//! Releases of packages that nobody asked for until now, looked up for a preview and forgotten again.
//!
//! The command line does the same for a checkout.

use crate::domain::package::age_starts_at;
use crate::domain::{PackageId, Release};
use crate::planner::Known;
use crate::registries::{Answer, FoundRelease, Registries, RegistryError};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How many packages are looked up at a time …
const LOOKUPS_AT_ONCE: usize = 16;
/// … and how many for one preview. People wait for it, and a file of somebody else's fork may ask for it.
const LOOKUPS_MAX: usize = 200;
/// So long all of them may take together: a registry that hangs must not keep a worker from others.
pub const PATIENCE: Duration = Duration::from_secs(25);

/// Asks the registries about packages. What is not answered when the patience is over is looked up later.
pub async fn look_up(
    registries: &Registries,
    packages: BTreeSet<PackageId>,
    (patience, now): (Duration, Timestamp),
) -> BTreeMap<PackageId, Known> {
    let (of_the_forge, others): (Vec<PackageId>, Vec<PackageId>) =
        packages.into_iter().partition(|package| package.ecosystem.is_of_the_forge());
    let mut known: BTreeMap<PackageId, Known> = BTreeMap::new();
    let later = |why: &str| Known::Elsewhere(why.into());
    known.extend(
        of_the_forge.into_iter().map(|package| (package, later("its tags are looked up once the file is merged"))),
    );
    known.extend(others.iter().map(|package| (package.clone(), later("it is looked up once the file is merged"))));
    let deadline = Instant::now() + patience;
    let mut answers = futures_util::stream::iter(others.into_iter().take(LOOKUPS_MAX))
        .map(|package| async move {
            let answer = registries.releases(&package, None).await;
            (package, answer)
        })
        .buffer_unordered(LOOKUPS_AT_ONCE);
    while let Ok(Some((package, answer))) = timeout_at(deadline, answers.next()).await {
        let found = known_of(answer, now);
        known.insert(package, found);
    }
    known
}

/// What a registry's answer tells of a package of which nothing was known.
pub fn known_of(answer: Result<Answer, RegistryError>, now: Timestamp) -> Known {
    match answer {
        Ok(Answer::Found(listing)) => {
            Known::Releases(listing.releases.into_iter().map(|found| release(found, now)).collect())
        }
        Ok(Answer::NotModified) => Known::NotYetAsked,
        Err(error) => Known::Failed(error.to_string()),
    }
}

/// A release as it would be stored if it were seen now for the first time.
fn release(found: FoundRelease, now: Timestamp) -> Release {
    Release {
        counts_from: age_starts_at(found.published_at, now, None),
        version: found.version,
        published_at: found.published_at,
        first_seen_at: now,
        yanked: found.yanked,
        above_latest: found.above_latest,
        content: None,
        requires_python: found.requires_python,
    }
}
