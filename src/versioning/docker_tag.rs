//! Tags of container images, which no standard orders: read by the habits of widely used images.
//!
//! A tag is an optional `v`, numbers joined by `.`, `-` or `_`, an optional prerelease mark, and a variant:
//! `v1.2`, `3.13.0rc1-slim`, `17.0.2_8-jre`, `22.04`, `15-3.4-alpine`. A tag moves only to tags of the same shape:
//! the same `v`, separators, count of numbers and variant. `3.12-slim` never becomes `3.13`, `3.13.1-slim` or `3.13-alpine`.

use super::tag::{Tag, Tagged};
use std::ops::Range;

/// The scheme of image tags.
#[derive(Debug)]
pub struct DockerTag;

/// The longest tag. Source: OCI distribution specification, "Pulling manifests".
const LONGEST_BYTES: usize = 128;

/// Those of one variant are of one line.
impl Tagged for DockerTag {
    const NAME: &'static str = "docker";

    fn read(tag: &str) -> Option<Tag<'_>> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if tag.len() > LONGEST_BYTES || !tag.bytes().all(allowed) {
            return None;
        }
        let (v, version) = tag.split_at(usize::from(tag.starts_with(['v', 'V'])));
        let mut tag = Tag::parse(v, version)?;
        tag.line = tag.variant;
        Some(tag)
    }
}

impl DockerTag {
    /// Where a tag's version stands: its numbers and prerelease mark, without `v` and variant.
    pub fn version_range(tag: &str) -> Option<Range<usize>> {
        let parsed = Self::read(tag)?;
        Some(parsed.prefix.len()..tag.len() - parsed.variant.len())
    }
}
