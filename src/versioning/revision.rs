//! What hooks of pre-commit are pinned to: tags of git repositories that nobody moves.
//!
//! An action's `v4` is a series, which follows its releases by itself, so a [`GitTag`] keeps its precision. A `rev` is to be a
//! release: `v0.991` is followed by `v1.0.0` and `21.12b0` by `22.1.0`. Source: pre-commit's documentation, "Using the
//! latest version for a repository": `autoupdate` takes the latest tag, and a `rev` that moves is not provided for.

use super::GitTag;
use super::tag::{Tag, Tagged};

/// The scheme of pre-commit's revisions.
#[derive(Debug)]
pub struct Revision;

/// A tag is of the line of its prefix, which says whose version it is: that of a part of the repository, or, as `v` or none,
/// that of all of it.
impl Tagged for Revision {
    const NAME: &'static str = "revision";

    fn read(tag: &str) -> Option<Tag<'_>> {
        let mut tag = GitTag::read(tag)?;
        if matches!(tag.prefix, "" | "v" | "V") {
            tag.line = "";
            // A lone number may be a series, or a build's.
            tag.is_release = tag.is_dotted() && tag.count_of_numbers() >= 2;
        }
        Some(tag)
    }
}
