//! Tags of container images, which no standard orders. Read by the habits of the widely used images.
//!
//! A tag is an optional `v`, numbers joined by `.`, `-` or `_`, an optional prerelease mark, and a variant:
//! `v1.2`, `3.13.0rc1-slim`, `17.0.2_8-jre`, `22.04`, `15-3.4-alpine`. A tag moves only to tags of the same shape:
//! the same `v`, separators, count of numbers and variant. `3.12-slim` never becomes `3.13`, `3.13.1-slim` or `3.13-alpine`.

use super::tag::{self, Tag};
use super::{BadRange, Scheme};
use crate::domain::VersionStep;
use std::cmp::Ordering;
use std::ops::Range;

/// The scheme of image tags.
#[derive(Debug)]
pub struct DockerTag;

/// The longest tag. Source: OCI distribution specification, "Pulling manifests".
const LONGEST_BYTES: usize = 128;

impl Scheme for DockerTag {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (parse(a)?, parse(b)?);
        (a.variant == b.variant).then(|| a.order(&b))
    }

    fn line<'v>(&self, version: &'v str) -> Option<&'v str> {
        parse(version).map(|tag| tag.variant)
    }

    fn is_prerelease(&self, version: &str) -> bool {
        parse(version).is_some_and(|tag| tag.pre.is_some())
    }

    fn step(&self, from: &str, to: &str) -> Option<VersionStep> {
        self.compare(from, to)?.is_lt().then_some(())?;
        Some(parse(from)?.step_to(&parse(to)?))
    }

    fn current(&self, constraint: &str) -> Option<String> {
        parse(constraint).map(|_| constraint.to_string())
    }

    fn is_candidate(&self, constraint: &str, current: &str, candidate: &str) -> bool {
        let (Some(from), Some(to)) = (parse(current), parse(candidate)) else { return false };
        from.may_become(&to) && self.rewrite(constraint, candidate).is_some()
    }

    /// The range is read as PEP 440 reads it, over the tag's numbers alone; or it is a tag, and means that one.
    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange> {
        tag::matches(range, version, parse, |text| parse(text).is_some())
    }

    fn rewrite(&self, constraint: &str, to: &str) -> Option<String> {
        (constraint != to && parse(constraint)?.same_shape(&parse(to)?)).then(|| to.to_string())
    }
}

impl DockerTag {
    /// Where a tag's version stands: its numbers and prerelease mark, without `v` and variant.
    pub fn version_range(tag: &str) -> Option<Range<usize>> {
        let parsed = parse(tag)?;
        Some(parsed.prefix.len()..tag.len() - parsed.variant.len())
    }
}

fn parse(tag: &str) -> Option<Tag<'_>> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if tag.len() > LONGEST_BYTES || !tag.bytes().all(allowed) {
        return None;
    }
    let (v, version) = tag.split_at(usize::from(tag.starts_with(['v', 'V'])));
    Tag::parse(v, version)
}
