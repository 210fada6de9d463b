//! Tags of container images, which no standard orders. Read by the habits of the widely used images.
//!
//! A tag is an optional `v`, numbers joined by `.`, `-` or `_`, an optional prerelease mark, and a variant:
//! `v1.2`, `3.13.0rc1-slim`, `17.0.2_8-jre`, `22.04`, `15-3.4-alpine`. A tag moves only to tags of the same shape:
//! the same `v`, separators, count of numbers and variant. `3.12-slim` never becomes `3.13`, `3.13.1-slim` or `3.13-alpine`.

use super::{BadRange, Pep440, Scheme, compare_numbers, step_between};
use crate::domain::VersionStep;
use std::cmp::Ordering;
use std::ops::Range;

/// The scheme of image tags.
#[derive(Debug)]
pub struct DockerTag;

/// The longest tag. Source: OCI distribution specification, "Pulling manifests".
const LONGEST_BYTES: usize = 128;

/// From so many digits on, a lone number is a date or a build's number, which does not follow `3` or `12`.
const DIGITS_OF_A_DATE: usize = 6;

impl Scheme for DockerTag {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        let (a, b) = (Tag::parse(a)?, Tag::parse(b)?);
        (a.variant == b.variant).then(|| a.order(&b))
    }

    fn line<'v>(&self, version: &'v str) -> Option<&'v str> {
        Tag::parse(version).map(|tag| tag.variant)
    }

    fn is_prerelease(&self, version: &str) -> bool {
        Tag::parse(version).is_some_and(|tag| tag.pre.is_some())
    }

    fn step(&self, from: &str, to: &str) -> Option<VersionStep> {
        self.compare(from, to)?.is_lt().then_some(())?;
        Some(step_between(&Tag::parse(from)?.numbers, &Tag::parse(to)?.numbers))
    }

    fn current(&self, constraint: &str) -> Option<String> {
        Tag::parse(constraint).map(|_| constraint.to_string())
    }

    fn is_candidate(&self, constraint: &str, current: &str, candidate: &str) -> bool {
        let (Some(from), Some(to)) = (Tag::parse(current), Tag::parse(candidate)) else { return false };
        let same_numbers = compare_numbers(&from.numbers, &to.numbers).is_eq();
        from.same_line(&to)
            && from.order(&to).is_lt()
            && (to.pre.is_none() || (from.pre.is_some() && same_numbers))
            && self.rewrite(constraint, candidate).is_some()
    }

    /// The range is read as PEP 440 reads it, over the tag's numbers alone.
    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange> {
        let numbers = Tag::parse(version).map(|tag| tag.numbers.iter().map(u64::to_string).collect::<Vec<_>>());
        // The range is judged even where the version is not understood.
        Pep440.matches(range, &numbers.unwrap_or_default().join("."))
    }

    fn rewrite(&self, constraint: &str, to: &str) -> Option<String> {
        (constraint != to && Tag::parse(constraint)?.same_line(&Tag::parse(to)?)).then(|| to.to_string())
    }
}

impl DockerTag {
    /// Where a tag's version stands: its numbers and prerelease mark, without `v` and variant.
    pub fn version_range(tag: &str) -> Option<Range<usize>> {
        let parsed = Tag::parse(tag)?;
        Some(usize::from(parsed.v)..tag.len() - parsed.variant.len())
    }
}

/// A tag taken apart.
struct Tag<'a> {
    v: bool,
    numbers: Vec<u64>,
    /// The separators between the numbers: `..`, `.-`.
    shape: String,
    /// How many digits the first number is written with.
    first_digits: usize,
    /// The rank of the prerelease mark, and its number.
    pre: Option<(u8, u64)>,
    /// All that follows, its separator included: `-slim`; empty for none.
    variant: &'a str,
}

/// Prerelease marks and their order. The glued one-letter ones are PEP 440's, as in `3.13.0rc1`.
const MARKS: [(&str, u8); 13] = [
    ("nightly", 0),
    ("snapshot", 0),
    ("canary", 0),
    ("develop", 0),
    ("dev", 0),
    ("ea", 0),
    ("alpha", 1),
    ("a", 1),
    ("beta", 2),
    ("b", 2),
    ("preview", 3),
    ("pre", 3),
    ("rc", 4),
];

impl<'a> Tag<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if text.len() > LONGEST_BYTES || !text.bytes().all(allowed) {
            return None;
        }
        let v = text.starts_with(['v', 'V']);
        let mut rest = &text[usize::from(v)..];
        let (mut numbers, mut shape, mut first_digits) = (Vec::new(), String::new(), 0);
        loop {
            // After the first number, a separator goes before the next.
            let (separator, after) = rest.split_at(usize::from(!numbers.is_empty() && !rest.is_empty()));
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let glued = after[digits..].starts_with(|c: char| c.is_ascii_alphabetic());
            // `-8u292` and `-3d` are words of the variant, but `3.13.0rc1` ends in a mark.
            let part_of_a_word = glued && !numbers.is_empty() && mark(&after[digits..]).is_none();
            if digits == 0 || part_of_a_word || !matches!(separator, "" | "." | "-" | "_") {
                break;
            }
            if numbers.is_empty() {
                first_digits = digits;
            }
            numbers.push(after[..digits].parse().ok()?);
            shape.push_str(separator);
            rest = &after[digits..];
        }
        if numbers.is_empty() {
            return None;
        }
        let (pre, variant) = mark(rest).map_or((None, rest), |(pre, rest)| (Some(pre), rest));
        if variant.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return None;
        }
        Some(Self { v, numbers, shape, first_digits, pre, variant })
    }

    fn order(&self, other: &Self) -> Ordering {
        let pre = |tag: &Self| tag.pre.unwrap_or((u8::MAX, 0));
        compare_numbers(&self.numbers, &other.numbers).then_with(|| pre(self).cmp(&pre(other)))
    }

    fn same_line(&self, other: &Self) -> bool {
        let dated = |tag: &Self| (tag.first_digits >= DIGITS_OF_A_DATE).then_some(tag.first_digits);
        self.v == other.v && self.shape == other.shape && self.variant == other.variant && dated(self) == dated(other)
    }
}

/// The prerelease mark a text begins with, and what follows it: `rc1-slim`, `-rc.1`, `-beta`.
fn mark(text: &str) -> Option<((u8, u64), &str)> {
    let word = text.trim_start_matches(['-', '.', '_']);
    let separated = word.len() < text.len();
    if text.len() - word.len() > 1 {
        return None;
    }
    let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (name, after) = word.split_at(letters);
    let (_, rank) = MARKS.into_iter().find(|(mark, _)| mark.eq_ignore_ascii_case(name))?;
    let number =
        after.strip_prefix(['.', '-']).filter(|n| n.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(after);
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    // `-a` and `-b` alone are more likely names of variants.
    if name.len() == 1 && (separated || digits == 0) {
        return None;
    }
    // In `-rc-12-slim` the number might as well be part of the variant: it is read as the mark's.
    let (number, rest) = if digits == 0 { (0, after) } else { (number[..digits].parse().ok()?, &number[digits..]) };
    (!rest.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some(((rank, number), rest))
}
