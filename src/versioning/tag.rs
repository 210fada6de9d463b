//! Tags of images and of repositories: numbers with a prefix, a prerelease mark and a variant around them.
//!
//! No standard orders them. What is here holds for every scheme of tags: a tag moves only to tags that are written alike. The
//! schemes say how they read one ([`Tagged`]), and nothing else.

use super::numbering::{Numbering, Version};
use super::{BadRange, Pep440, compare_numbers, in_any, joined, step_between};
use crate::domain::VersionStep;
use std::cmp::Ordering;

/// From so many digits on, a lone number is a date or a build's number, which does not follow `3` or `12`.
const DIGITS_OF_A_DATE: usize = 6;

/// A scheme whose versions are tags. Who uses one names it in full, so that a constraint is a tag, too.
pub(super) trait Tagged: Sync {
    /// See [`Scheme::name`](super::Scheme::name).
    const NAME: &'static str;

    /// Takes a tag apart, if it is one with a version.
    fn read(tag: &str) -> Option<Tag<'_>>;
}

/// A tag taken apart.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    /// What stands before the first number: `v`, `release-`.
    pub(super) prefix: &'a str,
    /// See [`Scheme::line`](super::Scheme::line): the prefix, unless a scheme says otherwise.
    pub(super) line: &'a str,
    /// Whether it is followed by releases that are written with another `v` or count of numbers, too.
    pub(super) is_release: bool,
    numbers: Vec<u64>,
    /// The separators between the numbers: `..`, `.-`.
    shape: String,
    /// How many digits the first number is written with.
    first_digits: usize,
    /// The rank of the prerelease mark, and its number.
    pub(super) pre: Option<(u8, u64)>,
    /// All that follows, its separator included: `-slim`; empty for none.
    pub(super) variant: &'a str,
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
    /// Reads the version behind a prefix. Expects no more than some hundred bytes of ASCII.
    pub(super) fn parse(prefix: &'a str, version: &'a str) -> Option<Self> {
        let mut rest = version;
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
        Some(Self { prefix, line: prefix, is_release: false, numbers, shape, first_digits, pre, variant })
    }

    /// How many numbers it has.
    pub(super) fn count_of_numbers(&self) -> usize {
        self.numbers.len()
    }

    /// Whether its numbers are joined by dots alone.
    pub(super) fn is_dotted(&self) -> bool {
        self.shape.bytes().all(|separator| separator == b'.')
    }

    /// Whether it is named after a day or a build, as far as its digits tell: `20240201`, `2024-01`.
    pub(super) fn is_dated(&self) -> bool {
        let year = self.first_digits == 4 && self.numbers.first().is_some_and(|first| (1900..2100).contains(first));
        year || self.first_digits >= DIGITS_OF_A_DATE
    }

    /// Whether its numbers begin with those of another, and go on.
    pub(super) fn goes_on_from(&self, other: &Self) -> bool {
        self.numbers.len() > other.numbers.len() && self.numbers.starts_with(&other.numbers)
    }

    /// Whether both are of one kind: the same variant, dates or none.
    fn same_kind(&self, other: &Self) -> bool {
        let dated = |tag: &Self| (tag.first_digits >= DIGITS_OF_A_DATE).then_some(tag.first_digits);
        self.variant == other.variant && dated(self) == dated(other)
    }

    /// Whether both have the same prefix, separators and count of numbers.
    fn same_shape(&self, other: &Self) -> bool {
        self.prefix == other.prefix && self.shape == other.shape
    }
}

impl<'a> Version<'a> for Tag<'a> {
    fn line(&self) -> &'a str {
        self.line
    }

    fn order(&self, other: &Self) -> Ordering {
        let pre = |tag: &Self| tag.pre.unwrap_or((u8::MAX, 0));
        let order = compare_numbers(&self.numbers, &other.numbers).then_with(|| pre(self).cmp(&pre(other)));
        order.then_with(|| self.variant.cmp(other.variant))
    }

    fn is_prerelease(&self) -> bool {
        self.pre.is_some()
    }

    fn is_of_the_release_of(&self, other: &Self) -> bool {
        compare_numbers(&self.numbers, &other.numbers).is_eq()
    }

    fn is_written_like(&self, other: &Self) -> bool {
        self.same_kind(other) && (self.same_shape(other) || (self.is_release && other.is_release))
    }

    fn step_to(&self, other: &Self) -> VersionStep {
        step_between(&self.numbers, &other.numbers)
    }
}

impl<T: Tagged> Numbering for T {
    type Version<'v> = Tag<'v>;

    const NAME: &'static str = <T as Tagged>::NAME;

    fn parse(version: &str) -> Option<Tag<'_>> {
        T::read(version)
    }

    fn current(&self, constraint: &str) -> Option<String> {
        T::read(constraint).map(|_| constraint.to_string())
    }

    /// The range is read as PEP 440 reads it, over the tag's numbers alone; or it is a tag, and means that one.
    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange> {
        // The range is judged even where the version is not understood.
        let numbers = T::read(version).map(|tag| joined(&tag.numbers)).unwrap_or_default();
        let is_tag = |text: &str| T::read(text).is_some();
        in_any(range, |range| match Pep440.matches(range, &numbers) {
            // Of a prerelease, the numbers alone would not tell.
            _ if range == version && is_tag(range) => Ok(true),
            Err(_) if is_tag(range) => Ok(false),
            judged => judged.map_err(|bad| bad.why),
        })
    }

    fn rewrite(&self, constraint: &str, to: &str) -> Option<String> {
        let (from, other) = (T::read(constraint)?, T::read(to)?);
        // `v1.0` and `1.0.0` are one release.
        let differ = constraint != to && (from.same_shape(&other) || from.order(&other).is_ne());
        (differ && from.is_written_like(&other)).then(|| to.to_string())
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
