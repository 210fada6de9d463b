//! Versions of three numbers as constraints write them, with fewer numbers or with wildcards, and how they move:
//! what npm and Cargo have in common. Which versions a constraint allows is for the two schemes to say.

use super::numbering;
use super::{LONGEST_BYTES, joined, step_between};
use crate::domain::VersionStep;
use semver::{BuildMetadata, Prerelease, Version};
use std::cmp::Ordering;
use std::ops::Range;

/// The longest number. npm's own limit is 2^53 - 1, and nodejs-semver's has 15 digits.
const MOST_DIGITS: usize = 15;

/// A version with some of its numbers: `1.2.3-rc.1`, `1.2`, `1.x`, `*`.
pub(super) struct Partial<'a> {
    /// A leading `v`, which npm allows.
    v: &'a str,
    /// The numbers written, at most three.
    numbers: Vec<u64>,
    /// What stands for the others: `.x`, `.*.*`, `x`.
    wildcards: &'a str,
    /// The prerelease mark without its `-`; empty for none.
    pre: &'a str,
}

impl<'a> Partial<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > LONGEST_BYTES || !text.is_ascii() {
            return None;
        }
        let (v, rest) = text.split_at(usize::from(text.starts_with(['v', 'V'])));
        let end = rest.find(['-', '+']).unwrap_or(rest.len());
        let (core, qualifier) = rest.split_at(end);
        let parts: Vec<&str> = core.split('.').collect();
        let wild = parts.iter().position(|part| matches!(*part, "x" | "X" | "*")).unwrap_or(parts.len());
        let (written, wildcards) = parts.split_at(wild);
        if parts.len() > 3 || !wildcards.iter().all(|part| matches!(*part, "x" | "X" | "*")) {
            return None;
        }
        let numbers: Vec<u64> = written.iter().map(|part| number(part)).collect::<Option<_>>()?;
        if numbers.len() < 3 && !qualifier.is_empty() {
            return None;
        }
        let digits = written.iter().map(|part| part.len() + 1).sum::<usize>().saturating_sub(1);
        let (pre, build) = qualifier.split_once('+').unwrap_or((qualifier, ""));
        let built = qualifier.contains('+');
        if (built && BuildMetadata::new(build).map_or(true, |build| build.is_empty())) || pre == "-" {
            return None;
        }
        let pre = pre.strip_prefix('-').unwrap_or(pre);
        Prerelease::new(pre).ok()?;
        Some(Self { v, numbers, wildcards: &core[digits..], pre })
    }

    /// The version it is when missing numbers are zeros; `None` for a wildcard.
    pub(super) fn version(&self) -> Option<Version> {
        if self.numbers.is_empty() || !self.wildcards.is_empty() {
            return None;
        }
        Some(self.lowest())
    }

    /// The lowest version it can stand for.
    pub(super) fn lowest(&self) -> Version {
        let number = |i: usize| self.numbers.get(i).copied().unwrap_or(0);
        let pre = Prerelease::new(self.pre).unwrap_or(Prerelease::EMPTY);
        Version { major: number(0), minor: number(1), patch: number(2), pre, build: BuildMetadata::EMPTY }
    }

    /// Whether all three numbers are written.
    pub(super) fn is_full(&self) -> bool {
        self.numbers.len() == 3
    }

    /// Whether no number is written: `*`.
    pub(super) fn is_any(&self) -> bool {
        self.numbers.is_empty()
    }

    /// It without `v`, wildcards and build.
    pub(super) fn plain(&self) -> String {
        let numbers = joined(&self.numbers);
        if self.pre.is_empty() { numbers } else { format!("{numbers}-{}", self.pre) }
    }

    /// The target in as many numbers as are written, with the same wildcards. `None` when a prerelease would have to
    /// be named in fewer than three numbers.
    fn moved_to(&self, target: &Version) -> Option<String> {
        let numbers = [target.major, target.minor, target.patch];
        let written = joined(&numbers[..self.numbers.len()]);
        match target.pre.as_str() {
            "" => Some(format!("{}{written}{}", self.v, self.wildcards)),
            pre => self.is_full().then(|| format!("{}{written}-{pre}", self.v)),
        }
    }

    /// The next bound above the target.
    fn bound_above(&self, target: &Version) -> Option<String> {
        let numbers = super::bound_above(&self.numbers, &numbers(target))?;
        let pre = if self.pre.is_empty() { String::new() } else { format!("-{}", self.pre) };
        Some(format!("{}{}{}{pre}", self.v, joined(&numbers), self.wildcards))
    }
}

/// What stands before a version in a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Caret,
    Tilde,
    /// `=`, and in npm a bare version: one version, or all that begin with the numbers written.
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    /// It as both npm and Cargo write it.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Caret => "^",
            Self::Tilde => "~",
            Self::Equal => "=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    fn is_upper_bound(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }
}

/// One part of a constraint, of which all must hold.
pub(super) struct Clause<'a> {
    pub(super) operator: Operator,
    /// The version, and where it stands in the constraint.
    pub(super) version: Partial<'a>,
    pub(super) at: Range<usize>,
}

impl Clause<'_> {
    /// The clause's version moved so that the clause allows the target, in its style.
    pub(super) fn moved_to(&self, target: &Version) -> Option<String> {
        match self.operator {
            Operator::Caret | Operator::Tilde | Operator::Equal | Operator::LessOrEqual => {
                self.version.moved_to(target)
            }
            Operator::Less => self.version.bound_above(target),
            // A lower bound above the target makes it no upgrade.
            Operator::Greater | Operator::GreaterOrEqual => None,
        }
    }
}

/// The version that clauses stand for together: see [`Scheme::current`](super::Scheme::current).
pub(super) fn current<'a, 'c: 'a>(clauses: impl Iterator<Item = &'a Clause<'c>> + Clone) -> Option<String> {
    let named = clauses.filter(|clause| !clause.version.is_any());
    let pin = |clause: &&Clause<'_>| clause.operator == Operator::Equal && clause.version.is_full();
    if let Some(pin) = named.clone().find(pin) {
        return Some(pin.version.plain());
    }
    let order = |a: &&Clause<'_>, b: &&Clause<'_>| a.version.lowest().cmp_precedence(&b.version.lowest());
    let lower = named.clone().filter(|clause| !clause.operator.is_upper_bound());
    if let Some(lowest) = lower.max_by(order) {
        return Some(lowest.version.plain());
    }
    let bound = named.filter(|clause| clause.operator.is_upper_bound()).min_by(order)?;
    match bound.operator {
        Operator::Less => super::below(&bound.version.numbers).map(|series| joined(&series)),
        _ => Some(bound.version.plain()),
    }
}

/// A version, in which numbers at its end may be missing (`1.2`, as constraints name it).
pub(super) fn parse(version: &str) -> Option<Version> {
    Partial::parse(version)?.version()
}

/// A version as indexes publish it, with all three numbers.
pub(super) fn released(version: &str) -> Option<Version> {
    let parsed = Partial::parse(version).filter(Partial::is_full)?;
    parsed.version()
}

/// Build metadata has no say in the order.
impl numbering::Version<'_> for Version {
    fn order(&self, other: &Self) -> Ordering {
        self.cmp_precedence(other)
    }

    fn is_prerelease(&self) -> bool {
        !self.pre.is_empty()
    }

    fn is_of_the_release_of(&self, other: &Self) -> bool {
        numbers(self) == numbers(other)
    }

    fn step_to(&self, other: &Self) -> VersionStep {
        step_between(&numbers(self), &numbers(other))
    }
}

pub(super) fn numbers(version: &Version) -> [u64; 3] {
    [version.major, version.minor, version.patch]
}

/// What a range is asked about: the version, and for a prerelease the release it leads to. `>=5` speaks of `5.0.0-rc.1`,
/// and `<5` does not. Nothing for a text that is no version.
pub(super) fn asked(version: &str) -> Vec<Version> {
    let Some(version) = parse(version) else { return Vec::new() };
    let release = Version { pre: Prerelease::EMPTY, ..version.clone() };
    if version.pre.is_empty() { vec![release] } else { vec![version, release] }
}

fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.len() <= MOST_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    (plain && (digits == "0" || !digits.starts_with('0'))).then(|| digits.parse().ok()).flatten()
}
