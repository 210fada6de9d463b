//! Versions and specifiers of Python packages.
//!
//! Source: PEP 440, "Version Identification and Dependency Specification", and its successor in the packaging specifications,
//! "Version specifiers". Poetry writes constraints that are none of PEP 440's, and they are understood, too: `^1.2`, `~1.2`,
//! `1.2.*`, `*`, and a bare `1.2` for `==1.2`. Source: Poetry, "Dependency specification".

use super::numbering::{self, Numbering};
use super::{BadRange, below, bound_above, bounded, compare_numbers, in_any, joined, step_between};
use crate::domain::VersionStep;
use pep440_rs::{Operator, Version, VersionSpecifier};
use std::cmp::Ordering;
use std::ops::Range;
use std::str::FromStr;

/// The scheme of PEP 440.
#[derive(Debug)]
pub struct Pep440;

impl numbering::Version<'_> for Version {
    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn is_prerelease(&self) -> bool {
        self.any_prerelease()
    }

    fn is_of_the_release_of(&self, other: &Self) -> bool {
        self.epoch() == other.epoch() && compare_numbers(self.release(), other.release()).is_eq()
    }

    /// A local label (`+cu118`) names a variant of the build, as an image's suffix does.
    fn is_written_like(&self, other: &Self) -> bool {
        self.local() == other.local()
    }

    fn step_to(&self, other: &Self) -> VersionStep {
        if self.epoch() == other.epoch() { step_between(self.release(), other.release()) } else { VersionStep::Major }
    }
}

impl Numbering for Pep440 {
    type Version<'v> = Version;

    const NAME: &'static str = "pep440";

    fn parse(version: &str) -> Option<Version> {
        bounded(version).ok().and_then(|()| Version::from_str(version).ok())
    }

    fn current(&self, constraint: &str) -> Option<String> {
        let clauses = clauses(constraint).ok()?;
        let written = |c: &Clause| constraint[c.at.clone()].trim_end_matches(".*").to_string();
        if let Some(pin) = clauses.iter().find(|c| c.is_pin()) {
            return Some(written(pin));
        }
        let lower = clauses.iter().filter(|c| c.bounds.iter().any(VersionSpecifier::has_lower_bound));
        if let Some(lowest) = lower.max_by(|a, b| a.version().cmp(&b.version())) {
            return Some(written(lowest));
        }
        let is_upper = |c: &&Clause| matches!(c.style, Written::Pep440(Operator::LessThan | Operator::LessThanEqual));
        let bound = clauses.iter().filter(is_upper).min_by(|a, b| a.version().cmp(&b.version()))?;
        if bound.style == Written::Pep440(Operator::LessThanEqual) {
            return Some(written(bound));
        }
        let version = bound.version()?;
        Some(format!("{}{}", epoch_text(version), joined(&below(version.release())?)))
    }

    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange> {
        let version = Self::parse(version);
        in_any(range, |range| {
            let clauses = clauses(range)?;
            Ok(version.as_ref().is_some_and(|version| clauses.iter().all(|clause| clause.allows(version))))
        })
    }

    fn rewrite(&self, constraint: &str, to: &str) -> Option<String> {
        let clauses = clauses(constraint).ok()?;
        let target = Self::parse(to)?;
        // `to` is written into a file: nothing but the characters of a version may get there.
        if !to.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'!' | b'+' | b'-' | b'_')) {
            return None;
        }
        if clauses.iter().all(|c| c.allows(&target)) {
            return None;
        }
        let mut text = constraint.to_string();
        for clause in clauses.iter().rev().filter(|c| !c.allows(&target)) {
            let moved = clause.moved_to(&constraint[clause.at.clone()], to, &target)?;
            text.replace_range(clause.at.clone(), &moved);
        }
        let allowed = self::clauses(&text).is_ok_and(|clauses| clauses.iter().all(|c| c.allows(&target)));
        allowed.then_some(text)
    }
}

impl Pep440 {
    /// Whether a constraint is one of PEP 440.
    ///
    /// Errors: what is wrong with it, for people.
    pub fn understand(constraint: &str) -> Result<(), String> {
        match clauses(constraint)?.iter().find(|c| !matches!(c.style, Written::Pep440(_))) {
            Some(clause) => Err(format!("`{}` stands without an operator of PEP 440", &constraint[clause.at.clone()])),
            None => Ok(()),
        }
    }

    /// Whether a constraint is one that Poetry takes: those of PEP 440, and its own (`^1.2`, `~1.2`, `1.2`, `1.2.*`, `*`).
    /// Alternatives (`||`) are not understood.
    ///
    /// Errors: what is wrong with it, for people.
    pub fn understand_poetry(constraint: &str) -> Result<(), String> {
        clauses(constraint).map(drop)
    }
}

/// How one part of a constraint is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Pep440(Operator),
    /// Poetry's `^1.2`.
    Caret,
    /// Poetry's `~1.2`.
    Tilde,
    /// Poetry's `1.2` and `=1.2`.
    Version,
    /// Poetry's `1.2.*`.
    Prefix,
    /// Poetry's `*`.
    Any,
}

/// One part of a constraint, between commas.
struct Clause {
    style: Written,
    /// What it asks for; all of it must hold.
    bounds: Vec<VersionSpecifier>,
    /// Where its version stands in the constraint.
    at: Range<usize>,
}

impl Clause {
    fn read(part: &str, start: usize) -> Result<Self, String> {
        let version = part.trim().trim_start_matches(['=', '!', '~', '<', '>', '^']).trim_start();
        let end = start + part.trim_end().len();
        let at = end - version.len()..end;
        let sign = part.trim().strip_suffix(version).unwrap_or_default().trim_end();
        let specifier = |text: &str| VersionSpecifier::from_str(text).map_err(|e| one_line(&e.to_string()));
        let (style, bounds) = match sign {
            "" if version == "*" => (Written::Any, Vec::new()),
            "" if version.ends_with(".*") => (Written::Prefix, vec![specifier(&format!("=={version}"))?]),
            "" | "=" if !version.is_empty() => (Written::Version, vec![specifier(&format!("=={version}"))?]),
            "^" | "~" => {
                let lowest = specifier(&format!(">={version}"))?;
                let style = if sign == "^" { Written::Caret } else { Written::Tilde };
                let next = next(style, lowest.version()).ok_or("its version is too large")?;
                (style, vec![lowest, VersionSpecifier::less_than_version(next)])
            }
            _ => {
                let specifier = specifier(part)?;
                (Written::Pep440(*specifier.operator()), vec![specifier])
            }
        };
        Ok(Self { style, bounds, at })
    }

    /// The version it names.
    fn version(&self) -> Option<&Version> {
        self.bounds.first().map(VersionSpecifier::version)
    }

    fn is_pin(&self) -> bool {
        matches!(self.style, Written::Version | Written::Pep440(Operator::Equal | Operator::ExactEqual))
    }

    fn allows(&self, version: &Version) -> bool {
        self.bounds.iter().all(|bound| allows(bound, version))
    }

    /// Its version, moved so that it allows the target, in the style it was written in.
    fn moved_to(&self, written: &str, to: &str, target: &Version) -> Option<String> {
        let style = Style::of(written)?;
        let public = to.split('+').next().unwrap_or(to);
        let precise = style.release_of(target);
        match self.style {
            Written::Version | Written::Pep440(Operator::Equal | Operator::ExactEqual)
                if to.starts_with(['v', 'V']) =>
            {
                Some(to.into())
            }
            Written::Version | Written::Pep440(Operator::Equal | Operator::ExactEqual) => {
                Some(format!("{}{to}", style.v))
            }
            Written::Prefix | Written::Pep440(Operator::EqualStar) => Some(format!("{precise}.*")),
            Written::Caret | Written::Tilde | Written::Pep440(Operator::TildeEqual) => {
                // Cut to fewer numbers a prerelease is below the bound.
                let cut_allows = Pep440::parse(&precise).is_some_and(|cut| cut <= *target);
                Some(if cut_allows { precise } else { public.into() })
            }
            Written::Pep440(Operator::LessThan) => style.bound_above(target),
            Written::Pep440(Operator::LessThanEqual) => Some(public.into()),
            // An exclusion is meant, and a lower bound above the target makes it no upgrade.
            Written::Any | Written::Pep440(_) => None,
        }
    }
}

/// The version before which Poetry's `^` and `~` end.
fn next(style: Written, lowest: &Version) -> Option<Version> {
    let release = lowest.release();
    let last = |most: usize| release.len().min(most) - 1;
    let at = match style {
        Written::Tilde => last(2),
        _ => release.iter().take(3).position(|&n| n > 0).unwrap_or(last(3)),
    };
    let mut numbers = release[..=at].to_vec();
    numbers[at] = numbers[at].checked_add(1)?;
    Some(Version::new(numbers).with_epoch(lowest.epoch()))
}

/// A constraint, read once to be held against many versions; `None` when it is not understood.
pub(super) fn judge(constraint: &str) -> Option<impl Fn(&Version) -> bool + use<>> {
    let clauses = clauses(constraint).ok()?;
    Some(move |version: &Version| clauses.iter().all(|clause| clause.allows(version)))
}
/// Whether a specifier allows a version.
///
/// pep440_rs differs from PEP 440 twice: it compares a prefix (`==1.2.*`) with as many numbers as the version has, so that `1`
/// would match, where zeros are to be added; and it keeps prereleases out of `<2.0rc2` and `<1!2.0`, where only `<2.0` does.
fn allows(spec: &VersionSpecifier, version: &Version) -> bool {
    let operator = spec.operator();
    let prefix = matches!(operator, Operator::EqualStar | Operator::NotEqualStar);
    let missing = spec.version().release().len().saturating_sub(version.release().len());
    if prefix && missing > 0 {
        let padded = version.release().iter().copied().chain(std::iter::repeat_n(0, missing));
        return spec.contains(&version.clone().with_release(padded));
    }
    let bound = spec.version();
    if *operator == Operator::LessThan && (bound.any_prerelease() || bound.epoch() != version.epoch()) {
        return version.clone().without_local() < *bound;
    }
    spec.contains(version)
}

fn clauses(constraint: &str) -> Result<Vec<Clause>, String> {
    bounded(constraint)?;
    let mut start = 0;
    let mut clauses = Vec::new();
    for part in constraint.split(',') {
        if is_torn(part) {
            return Err("there is white space inside an operator".into());
        }
        clauses.push(Clause::read(part, start)?);
        start += part.len() + 1;
    }
    Ok(clauses)
}

/// Whether white space stands between the characters of a clause's operator.
fn is_torn(clause: &str) -> bool {
    let of_operator = |c: char| "<>=!~^".contains(c);
    let clause = clause.trim_start();
    let behind = clause.trim_start_matches(of_operator);
    behind.len() < clause.len() && behind.trim_start() != behind && behind.trim_start().starts_with(of_operator)
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

    /// The next bound above the target.
    fn bound_above(&self, target: &Version) -> Option<String> {
        let numbers = bound_above(&self.release, target.release())?;
        Some(format!("{}{}{}{}", self.v, epoch_text(target), joined(&numbers), self.suffix))
    }
}

fn epoch_text(version: &Version) -> String {
    if version.epoch() == 0 { String::new() } else { format!("{}!", version.epoch()) }
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(160).collect()
}
