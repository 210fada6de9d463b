//! Versions and specifiers of Python packages.
//!
//! Source: PEP 440, "Version Identification and Dependency Specification", and its successor in the
//! packaging specifications, "Version specifiers".

use super::{BadRange, Scheme, compare_numbers, step_between};
use crate::domain::VersionStep;
use pep440_rs::{Operator, Version, VersionSpecifier};
use std::cmp::Ordering;
use std::ops::Range;
use std::str::FromStr;

/// The scheme of PEP 440.
#[derive(Debug)]
pub struct Pep440;

/// Longer texts are not read: no honest version or specifier comes near it.
const LONGEST_BYTES: usize = 512;

impl Scheme for Pep440 {
    fn name(&self) -> &'static str {
        "pep440"
    }

    fn compare(&self, a: &str, b: &str) -> Option<Ordering> {
        Some(parse(a)?.cmp(&parse(b)?))
    }

    fn line<'v>(&self, version: &'v str) -> Option<&'v str> {
        parse(version).map(|_| "")
    }

    fn is_prerelease(&self, version: &str) -> bool {
        parse(version).is_some_and(|v| v.any_prerelease())
    }

    fn step(&self, from: &str, to: &str) -> Option<VersionStep> {
        let (from, to) = (parse(from)?, parse(to)?);
        if from >= to {
            return None;
        }
        Some(if from.epoch() == to.epoch() { step_between(from.release(), to.release()) } else { VersionStep::Major })
    }

    fn current(&self, constraint: &str) -> Option<String> {
        let clauses = clauses(constraint).ok()?;
        let written = |c: &Clause| constraint[c.version.clone()].trim_end_matches(".*").to_string();
        if let Some(pin) = clauses.iter().find(|c| c.is_pin()) {
            return Some(written(pin));
        }
        let lower = clauses.iter().filter(|c| c.spec.has_lower_bound());
        if let Some(lowest) = lower.max_by(|a, b| a.spec.version().cmp(b.spec.version())) {
            return Some(written(lowest));
        }
        let upper = clauses.iter().filter(|c| matches!(c.operator(), Operator::LessThan | Operator::LessThanEqual));
        let bound = upper.min_by(|a, b| a.spec.version().cmp(b.spec.version()))?;
        if *bound.operator() == Operator::LessThanEqual {
            return Some(written(bound));
        }
        let release = bound.spec.version().release();
        let last = release.iter().rposition(|&n| n > 0)?;
        let mut below = release[..=last].to_vec();
        below[last] -= 1;
        Some(format!("{}{}", epoch_text(bound.spec.version()), joined(&below)))
    }

    fn is_candidate(&self, constraint: &str, current: &str, candidate: &str) -> bool {
        let (Some(from), Some(to)) = (parse(current), parse(candidate)) else { return false };
        let same_base = from.epoch() == to.epoch() && compare_numbers(from.release(), to.release()).is_eq();
        to > from
            // A local label (`+cu118`) names a variant of the build, as an image's suffix does.
            && from.local() == to.local()
            && (!to.any_prerelease() || (from.any_prerelease() && same_base))
            && self.rewrite(constraint, candidate).is_some()
    }

    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange> {
        let clauses = range_clauses(range)?;
        Ok(parse(version).is_some_and(|v| clauses.iter().all(|spec| allows(spec, &v))))
    }

    fn rewrite(&self, constraint: &str, to: &str) -> Option<String> {
        let clauses = clauses(constraint).ok()?;
        let target = parse(to)?;
        // `to` is written into a file: nothing but the characters of a version may get there.
        if !to.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'!' | b'+' | b'-' | b'_')) {
            return None;
        }
        if clauses.iter().all(|c| allows(&c.spec, &target)) {
            return None;
        }
        let mut text = constraint.to_string();
        for clause in clauses.iter().rev().filter(|c| !allows(&c.spec, &target)) {
            let moved = moved(clause.operator(), &constraint[clause.version.clone()], to, &target)?;
            text.replace_range(clause.version.clone(), &moved);
        }
        let allowed = self::clauses(&text).is_ok_and(|clauses| clauses.iter().all(|c| allows(&c.spec, &target)));
        allowed.then_some(text)
    }
}

impl Pep440 {
    /// Whether a constraint is one.
    ///
    /// Errors: what is wrong with it, for people.
    pub fn understand(constraint: &str) -> Result<(), String> {
        clauses(constraint).map(drop)
    }
}

/// One part of a constraint, between commas.
struct Clause {
    spec: VersionSpecifier,
    /// Where its version stands in the constraint.
    version: Range<usize>,
}

impl Clause {
    fn operator(&self) -> &Operator {
        self.spec.operator()
    }

    fn is_pin(&self) -> bool {
        matches!(self.operator(), Operator::Equal | Operator::ExactEqual)
    }
}

fn parse(version: &str) -> Option<Version> {
    (version.len() <= LONGEST_BYTES).then(|| Version::from_str(version).ok()).flatten()
}

/// Whether a specifier allows a version.
///
/// pep440_rs compares a prefix (`==1.2.*`) with as many numbers as the version has, so that `1` would match:
/// PEP 440 asks to pad with zeros.
fn allows(spec: &VersionSpecifier, version: &Version) -> bool {
    let prefix = matches!(spec.operator(), Operator::EqualStar | Operator::NotEqualStar);
    let missing = spec.version().release().len().saturating_sub(version.release().len());
    if prefix && missing > 0 {
        let padded = version.release().iter().copied().chain(std::iter::repeat_n(0, missing));
        return spec.contains(&version.clone().with_release(padded));
    }
    spec.contains(version)
}

fn clauses(constraint: &str) -> Result<Vec<Clause>, String> {
    if constraint.len() > LONGEST_BYTES {
        return Err(format!("it is longer than {LONGEST_BYTES} bytes"));
    }
    let mut start = 0;
    let mut clauses = Vec::new();
    for part in constraint.split(',') {
        let spec = VersionSpecifier::from_str(part).map_err(|e| one_line(&e.to_string()))?;
        let operator_end = part.find(|c: char| !c.is_whitespace() && !"=!~<>".contains(c)).unwrap_or(part.len());
        clauses.push(Clause { spec, version: start + operator_end..start + part.trim_end().len() });
        start += part.len() + 1;
    }
    Ok(clauses)
}

fn range_clauses(range: &str) -> Result<Vec<VersionSpecifier>, BadRange> {
    let bad = |why: String| BadRange { range: range.chars().take(80).collect(), why };
    let parts = range.split(',').map(|part| {
        let part = part.trim();
        // A bare version, or `5.*`, is meant as an equality.
        if part.starts_with(|c: char| c.is_ascii_digit() || c == 'v') { format!("=={part}") } else { part.to_string() }
    });
    let text = parts.collect::<Vec<_>>().join(",");
    Ok(clauses(&text).map_err(bad)?.into_iter().map(|c| c.spec).collect())
}

/// The version of one clause moved so that the clause allows the target, in the style it was written in.
fn moved(operator: &Operator, written: &str, to: &str, target: &Version) -> Option<String> {
    let style = Style::of(written)?;
    let public = to.split('+').next().unwrap_or(to);
    let fits = |version: &str| {
        VersionSpecifier::from_str(&format!("{operator}{version}")).is_ok_and(|spec| allows(&spec, target))
    };
    match operator {
        Operator::Equal | Operator::ExactEqual if to.starts_with(['v', 'V']) => Some(to.into()),
        Operator::Equal | Operator::ExactEqual => Some(format!("{}{to}", style.v)),
        Operator::EqualStar => Some(format!("{}.*", style.release_of(target))),
        Operator::TildeEqual => Some(style.release_of(target)).filter(|v| fits(v)).or_else(|| Some(public.into())),
        Operator::LessThan => style.bound_above(target),
        Operator::LessThanEqual => Some(public.into()),
        // An exclusion is meant, and a lower bound above the target makes it no upgrade.
        _ => None,
    }
}

/// What there is to keep of a version as it is written.
struct Style<'a> {
    /// A leading `v`, which PEP 440 allows.
    v: &'a str,
    release: Vec<u64>,
    /// What follows the release: `rc1`, `.dev0`.
    suffix: &'a str,
}

impl<'a> Style<'a> {
    fn of(written: &'a str) -> Option<Self> {
        let (v, rest) = written.split_at(usize::from(written.starts_with(['v', 'V'])));
        let rest = rest.split_once('!').map_or(rest, |(_, after)| after).trim_end_matches(".*");
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let digits = rest[..end].trim_end_matches('.');
        let release = digits.split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        Some(Self { v, release, suffix: &rest[digits.len()..] })
    }

    /// The target's release in as many numbers as the text has.
    fn release_of(&self, target: &Version) -> String {
        let numbers: Vec<u64> =
            (0..self.release.len()).map(|i| target.release().get(i).copied().unwrap_or(0)).collect();
        format!("{}{}{}", self.v, epoch_text(target), joined(&numbers))
    }

    /// The next bound above the target: the last number of the old bound that is not zero says at which place
    /// it cuts (`<2` and `<2.0` at the first, `<2.5` at the second).
    fn bound_above(&self, target: &Version) -> Option<String> {
        let at = self.release.iter().rposition(|&n| n > 0).unwrap_or(0);
        let mut numbers = vec![0; self.release.len()];
        for (i, number) in numbers.iter_mut().enumerate().take(at + 1) {
            *number = target.release().get(i).copied().unwrap_or(0);
        }
        numbers[at] = numbers[at].checked_add(1)?;
        Some(format!("{}{}{}{}", self.v, epoch_text(target), joined(&numbers), self.suffix))
    }
}

fn epoch_text(version: &Version) -> String {
    if version.epoch() == 0 { String::new() } else { format!("{}!", version.epoch()) }
}

fn joined(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(160).collect()
}
