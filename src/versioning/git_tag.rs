//! Tags of git repositories, which no standard orders: what actions are pinned to.
//!
//! A tag is a prefix (`v`, `release-`, `widget/v`, or none), numbers, perhaps a prerelease mark and a variant:
//! `v4`, `v4.1.2`, `2024.01.15`, `widget/v1.2.3-rc.1`. It moves only to tags of the same prefix and precision: `v4` to `v5`
//! and never to `v5.0.1`. Branches, words and commit ids are no versions.

use super::Scheme;
use super::tag::{Tag, Tagged};

/// The scheme of git tags.
#[derive(Debug)]
pub struct GitTag;

/// The longest tag. Git has no limit of its own; this is a file name's, which a loose reference is.
const LONGEST_BYTES: usize = 255;

/// Those of one prefix are of one line: precision and variant tell which tags may follow, not which can be compared.
impl Tagged for GitTag {
    const NAME: &'static str = "git_tag";

    /// The version begins at the first number from which on everything is one: `8` of `k8s-v1.2` is part of the prefix.
    fn read(tag: &str) -> Option<Tag<'_>> {
        // A tag is written into files: nothing that means something there may be in it.
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-/+@".contains(&b);
        if tag.len() > LONGEST_BYTES || !tag.bytes().all(allowed) || is_commit(tag) {
            return None;
        }
        let digit = |i: usize| tag.as_bytes()[i].is_ascii_digit();
        let mut starts = (0..tag.len()).filter(|&i| digit(i) && (i == 0 || !digit(i - 1)));
        starts.find_map(|start| Tag::parse(&tag[..start], &tag[start..]))
    }
}

impl GitTag {
    /// Whether a tag names one release and no series of them: it has three numbers or more.
    pub fn is_full(tag: &str) -> bool {
        Self::read(tag).is_some_and(|tag| tag.count_of_numbers() >= 3)
    }

    /// Whether a tag has one number alone, as that of a series; a day or a build's number is none.
    pub fn is_lone(tag: &str) -> bool {
        Self::read(tag).is_some_and(|tag| tag.count_of_numbers() == 1 && !tag.is_dated())
    }

    /// Whether a tag may be that of a series with two numbers, `v4.1`, of which `others` have a release: `v4.1.2`.
    pub fn is_series_among<'t>(tag: &str, others: impl IntoIterator<Item = &'t str>) -> bool {
        let Some(series) = Self::read(tag).filter(|tag| tag.count_of_numbers() == 2 && !tag.is_dated()) else {
            return false;
        };
        let mut others = others.into_iter().filter_map(Self::read);
        others.any(|other| {
            other.prefix == series.prefix && other.variant == series.variant && other.goes_on_from(&series)
        })
    }

    /// The tag with `v` where it is written without, and without where it has one; `None` behind another prefix.
    pub fn with_or_without_v(tag: &str) -> Option<String> {
        match Self::read(tag)?.prefix {
            "" => Some(format!("v{tag}")),
            "v" | "V" => Some(tag[1..].to_string()),
            _ => None,
        }
    }

    /// What becomes of the version that a comment gives to a pinned commit when the commit becomes that of `to`: the comment
    /// keeps its style, `4.1.2` beside the tag `v4.1.2`. The commit is what is used, so no tag of the comment's name is needed.
    pub fn rewrite_comment(comment: &str, to: &str) -> Option<String> {
        GitTag.rewrite(comment, to).or_else(|| {
            let tag = GitTag.rewrite(&Self::with_or_without_v(comment)?, to)?;
            Self::with_or_without_v(&tag)
        })
    }
}

/// Whether it looks like a commit's id, perhaps a short one: such a text is no version, even where it ends in digits.
fn is_commit(text: &str) -> bool {
    let hex = (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    hex && (text.len() >= 40 || text.bytes().any(|b| !b.is_ascii_digit()))
}
