//! Pins whose version stays while the tag behind it moves on: `actions/checkout@<commit> # v4`, `python:3.13-slim@sha256:…`. Pure.
//!
//! What such a pin is offered is what its tag points at now, once that is old enough: not what it pointed at before. That was
//! taken out of the tag by its publisher, who may have known why.

use crate::domain::{Dependency, Ecosystem, Release};
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

/// Holds the digest or commit that a dependency pins against what its version points at, `release` being that version's.
pub fn of<'a>(dependency: &Dependency, release: Option<&'a Release>) -> Pin<'a> {
    let pinned = dependency.digest.as_deref();
    let content = release.filter(|release| !release.yanked).and_then(|release| release.content.as_ref());
    let (Some(pinned), Some(release), Some(content)) = (pinned, release, content) else { return Pin::Kept };
    if content.digest.eq_ignore_ascii_case(pinned) {
        Pin::Kept
    } else if may_move(dependency.package.ecosystem, &release.version) {
        Pin::Stale(&content.digest)
    } else {
        Pin::Doubtful(&content.digest)
    }
}

/// Whether a tag is one that its publisher moves on with each release, or rebuilds. The tag of one release is not: who
/// moves `v4.1.2` either made a mistake or is not who should.
fn may_move(ecosystem: Ecosystem, tag: &str) -> bool {
    match ecosystem {
        Ecosystem::Docker => true,
        Ecosystem::GithubActions => !GitTag::is_full(tag),
        // A `rev` names a release, and releases may have two numbers.
        Ecosystem::PreCommit => GitTag::is_lone(tag),
        Ecosystem::Pypi | Ecosystem::Npm | Ecosystem::Cargo => false,
    }
}
