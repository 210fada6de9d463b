//! Tags of git repositories, which no standard orders: what actions are pinned to.
//!
//! A tag is a prefix (`v`, `release-`, `widget/v`, or none), numbers, perhaps a prerelease mark and a variant:
//! `v4`, `v4.1.2`, `2024.01.15`, `widget/v1.2.3-rc.1`. It moves only to tags of the same prefix and precision: `v4` to `v5`
//! and never to `v5.0.1`. Branches, words and commit ids are no versions.

use super::tag::{self, Tag};
use super::{BadRange, Scheme};
use crate::domain::VersionStep;
use std::cmp::Ordering;

/// The scheme of git tags.
#[derive(Debug)]
pub struct GitTag;

/// The longest tag. Git has no limit of its own; this is a file name's, which a loose reference is.
const LONGEST_BYTES: usize = 255;

impl Scheme for GitTag {
    fn name(&self) -> &'static str {
        "git_tag"
    }

    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (parse(a)?, parse(b)?);
        (a.prefix == b.prefix).then(|| a.order(&b).then_with(|| a.variant.cmp(b.variant)))
    }

    /// The prefix: precision and variant tell apart which tags may follow, not which can be compared.
    fn line<'v>(&self, version: &'v str) -> Option<&'v str> {
        parse(version).map(|tag| tag.prefix)
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

impl GitTag {
    /// Whether a tag names one release and no series of them: it has three numbers or more.
    pub fn is_full(tag: &str) -> bool {
        parse(tag).is_some_and(|tag| tag.count_of_numbers() >= 3)
    }

    /// Whether a tag has one number alone, as that of a series.
    pub fn is_lone(tag: &str) -> bool {
        parse(tag).is_some_and(|tag| tag.count_of_numbers() == 1)
    }

    /// The tag with `v` where it is written without, and without where it has one; `None` behind another prefix.
    pub fn with_or_without_v(tag: &str) -> Option<String> {
        match parse(tag)?.prefix {
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

/// The version begins at the first number from which on everything is one: `8` of `k8s-v1.2` is part of the prefix.
pub(super) fn parse(tag: &str) -> Option<Tag<'_>> {
    // A tag is written into files: nothing that means something there may be in it.
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-/+@".contains(&b);
    if tag.len() > LONGEST_BYTES || !tag.bytes().all(allowed) || is_commit(tag) {
        return None;
    }
    let digit = |i: usize| tag.as_bytes()[i].is_ascii_digit();
    let mut starts = (0..tag.len()).filter(|&i| digit(i) && (i == 0 || !digit(i - 1)));
    starts.find_map(|start| Tag::parse(&tag[..start], &tag[start..]))
}

/// Whether it looks like a commit's id, perhaps a short one: such a text is no version, even where it ends in digits.
fn is_commit(text: &str) -> bool {
    let hex = (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    hex && (text.len() >= 40 || text.bytes().any(|b| !b.is_ascii_digit()))
}
