//! Pins whose version stays while the tag behind it moves on: `actions/checkout@<commit> # v4`, `python:3.13-slim@sha256:…`. Pure.
//!
//! What such a pin is offered is what its tag points at now, once that is old enough: not what it pointed at before. That was
//! taken out of the tag by its publisher, who may have known why.

use super::catalogue::Catalogue;
use crate::domain::{Dependency, Ecosystem, PackageId, Release};
use crate::versioning::GitTag;

/// What may become of a pin as long as its version stays.
pub enum Pin<'a> {
    /// Nothing: there is none, what its tag points at is not known, or it is what is pinned.
    Kept,
    /// Its tag points at this by now.
    Stale(&'a str),
    /// Its tag points at something else, and should never have been moved.
    Doubtful(&'a str),
}

/// Holds the digest or commit that a dependency pins against what the version in use points at.
pub fn of<'p>(dependency: &Dependency, current: &str, catalogue: &mut Catalogue<'p>) -> Pin<'p> {
    let Some(pinned) = dependency.digest.as_deref() else { return Pin::Kept };
    let release = catalogue.release(&dependency.package, current).filter(|release| !release.yanked);
    let Some((release, content)) = release.and_then(|release| Some((release, release.content.as_ref()?))) else {
        return Pin::Kept;
    };
    if content.digest.eq_ignore_ascii_case(pinned) {
        Pin::Kept
    } else if may_move(&dependency.package, release, catalogue) {
        Pin::Stale(&content.digest)
    } else {
        Pin::Doubtful(&content.digest)
    }
}

/// Whether a tag is one that its publisher moves on with each release, or rebuilds. The tag of one release is not: who
/// moves `v4.1.2` either made a mistake or is not who should.
fn may_move(package: &PackageId, release: &Release, catalogue: &mut Catalogue<'_>) -> bool {
    let tag = release.version.as_str();
    match package.ecosystem {
        Ecosystem::Docker => true,
        // Of two numbers are the series of some repositories and the releases of others.
        Ecosystem::GithubActions => {
            GitTag::is_lone(tag) || {
                let tags = catalogue.of_line_of(package, tag).iter().map(|release| release.version.as_str());
                GitTag::is_series_among(tag, tags)
            }
        }
        // A `rev` names a release, and releases may have two numbers.
        Ecosystem::PreCommit => GitTag::is_lone(tag),
        Ecosystem::Pypi | Ecosystem::Npm | Ecosystem::Cargo => false,
    }
}
