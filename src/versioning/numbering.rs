//! What all schemes have in common: whatever follows from two versions, however they are written, is said here once.
//!
//! A scheme is a type of version, which says how two of them compare, and what constraints make of it.

use super::{BadRange, Scheme};
use crate::domain::VersionStep;
use std::cmp::Ordering;

/// A version taken apart, of a text that lives for `'v`.
pub(super) trait Version<'v> {
    /// See [`Scheme::line`].
    fn line(&self) -> &'v str {
        ""
    }

    /// The order of two versions of one line.
    fn order(&self, other: &Self) -> Ordering;

    fn is_prerelease(&self) -> bool;

    /// Whether both are the same release or prereleases of it.
    fn is_of_the_release_of(&self, other: &Self) -> bool;

    /// Whether the other is written as a successor of this has to be.
    fn is_written_like(&self, _other: &Self) -> bool {
        true
    }

    /// How far the other, which is newer, is from this.
    fn step_to(&self, other: &Self) -> VersionStep;

    /// Whether the other is an update: newer, written alike, and a prerelease only of the release whose prerelease this is.
    fn may_become(&self, other: &Self) -> bool {
        let stays_stable = !other.is_prerelease() || (self.is_prerelease() && self.is_of_the_release_of(other));
        stays_stable && self.order(other).is_lt() && self.is_written_like(other)
    }
}

/// A scheme by its versions. The methods that [`Scheme`] has too are described there.
pub(super) trait Numbering: Sync {
    type Version<'v>: Version<'v>;

    const NAME: &'static str;

    /// `None` for a text that is no version of the scheme.
    fn parse(version: &str) -> Option<Self::Version<'_>>;

    fn current(&self, constraint: &str) -> Option<String>;

    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange>;

    fn rewrite(&self, constraint: &str, to: &str) -> Option<String>;
}

impl<N: Numbering> Scheme for N {
    fn name(&self) -> &'static str {
        N::NAME
    }

    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (N::parse(a)?, N::parse(b)?);
        (a.line() == b.line()).then(|| a.order(&b))
    }

    fn line<'v>(&self, version: &'v str) -> Option<&'v str> {
        N::parse(version).map(|version| version.line())
    }

    fn is_prerelease(&self, version: &str) -> bool {
        N::parse(version).is_some_and(|version| version.is_prerelease())
    }

    fn step(&self, from: &str, to: &str) -> Option<VersionStep> {
        let (from, to) = (N::parse(from)?, N::parse(to)?);
        (from.line() == to.line() && from.order(&to).is_lt()).then(|| from.step_to(&to))
    }

    fn current(&self, constraint: &str) -> Option<String> {
        Numbering::current(self, constraint)
    }

    fn is_candidate(&self, constraint: &str, current: &str, candidate: &str) -> bool {
        let (Some(from), Some(to)) = (N::parse(current), N::parse(candidate)) else { return false };
        from.may_become(&to) && Numbering::rewrite(self, constraint, candidate).is_some()
    }

    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange> {
        Numbering::matches(self, range, version)
    }

    fn rewrite(&self, constraint: &str, to: &str) -> Option<String> {
        Numbering::rewrite(self, constraint, to)
    }
}
