//! What hooks of pre-commit are pinned to: tags of git repositories that nobody moves.
//!
//! An action's `v4` is a series, which follows its releases by itself, so a [`GitTag`] keeps its precision. A `rev` is to be a
//! release: `v0.991` is followed by `v1.0.0` and `21.12b0` by `22.1.0`. Source: pre-commit's documentation, "Using the
//! latest version for a repository": `autoupdate` takes the latest tag, and a `rev` that moves is not provided for.

use super::git_tag::parse;
use super::tag::Tag;
use super::{BadRange, GitTag, Scheme};
use crate::domain::VersionStep;
use std::cmp::Ordering;

/// The scheme of pre-commit's revisions.
#[derive(Debug)]
pub struct Revision;

impl Scheme for Revision {
    fn name(&self) -> &'static str {
        "revision"
    }

    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (parse(a)?, parse(b)?);
        (part(&a) == part(&b)).then(|| a.order(&b).then_with(|| a.variant.cmp(b.variant)))
    }

    /// The prefix, without telling `v` from none.
    fn line<'v>(&self, version: &'v str) -> Option<&'v str> {
        parse(version).map(|tag| part(&tag))
    }

    fn is_prerelease(&self, version: &str) -> bool {
        GitTag.is_prerelease(version)
    }

    fn step(&self, from: &str, to: &str) -> Option<VersionStep> {
        self.compare(from, to)?.is_lt().then_some(())?;
        Some(parse(from)?.step_to(&parse(to)?))
    }

    fn current(&self, constraint: &str) -> Option<String> {
        GitTag.current(constraint)
    }

    fn is_candidate(&self, constraint: &str, current: &str, candidate: &str) -> bool {
        let (Some(from), Some(to)) = (parse(current), parse(candidate)) else { return false };
        let fits = from.may_become(&to) || (are_releases(&from, &to) && from.may_grow_into(&to));
        fits && self.rewrite(constraint, candidate).is_some()
    }

    /// The range is read as PEP 440 reads it, over the tag's numbers alone; or it is a tag, and means that one.
    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange> {
        GitTag.matches(range, version)
    }

    fn rewrite(&self, constraint: &str, to: &str) -> Option<String> {
        let (from, other) = (parse(constraint)?, parse(to)?);
        // `v1.0` and `1.0.0` are one release.
        let another = || are_releases(&from, &other) && from.order(&other).is_ne();
        (constraint != to && (from.same_shape(&other) || another())).then(|| to.to_string())
    }
}

/// Whose version a tag is: that of a part of the repository, or of all of it.
fn part<'a>(tag: &Tag<'a>) -> &'a str {
    if is_plain(tag) { "" } else { tag.prefix }
}

fn is_plain(tag: &Tag<'_>) -> bool {
    matches!(tag.prefix, "" | "v" | "V")
}

/// Whether both name a release of the whole repository, however many numbers it is written with. A lone number may be a
/// series, or a build's.
fn are_releases(a: &Tag<'_>, b: &Tag<'_>) -> bool {
    let is_release = |tag: &Tag<'_>| is_plain(tag) && tag.is_dotted() && tag.count_of_numbers() >= 2;
    is_release(a) && is_release(b) && a.same_kind(b)
}
