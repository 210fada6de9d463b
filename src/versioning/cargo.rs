//! Versions and requirements of Cargo.
//!
//! Source: The Cargo Book, "Specifying Dependencies"; Semantic Versioning 2.0.0. The crate that
//! Cargo itself uses says what a requirement allows. Here it is only taken apart, so that it can be changed in its own style.

use super::numbering::Numbering;
use super::partial::{self, Clause, Operator, Partial};
use super::{BadRange, bounded, in_any};
use semver::{Comparator, VersionReq};

/// The scheme of Cargo.
#[derive(Debug)]
pub struct Cargo;

impl Numbering for Cargo {
    type Version<'v> = semver::Version;

    const NAME: &'static str = "cargo";

    fn parse(version: &str) -> Option<semver::Version> {
        partial::parse(version)
    }

    fn current(&self, constraint: &str) -> Option<String> {
        let (clauses, _) = requirement(constraint).ok()?;
        partial::current(clauses.iter())
    }

    /// A prerelease lies where the release lies that it leads to, or where the range names it.
    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange> {
        let asked = partial::asked(version);
        in_any(range, |range| {
            let (_, allowed) = requirement(range)?;
            Ok(asked.iter().any(|version| allowed.matches(version)))
        })
    }

    fn rewrite(&self, constraint: &str, to: &str) -> Option<String> {
        let (clauses, allowed) = requirement(constraint).ok()?;
        let target = partial::released(to)?;
        if allowed.matches(&target) {
            return None;
        }
        let mut text = constraint.to_string();
        // Alone, a clause without a prerelease allows none; `>=1.0.0` beside `<2.0.0-rc.1` is not what keeps one out.
        let release = semver::Version { pre: semver::Prerelease::EMPTY, ..target.clone() };
        let holds = |comparator: &Comparator| {
            let asked = if comparator.pre.is_empty() { &release } else { &target };
            comparator.matches(asked)
        };
        for (clause, _) in clauses.iter().zip(&allowed.comparators).rev().filter(|(_, c)| !holds(c)) {
            text.replace_range(clause.at.clone(), &clause.moved_to(&target)?);
        }
        requirement(&text).is_ok_and(|(_, allowed)| allowed.matches(&target)).then_some(text)
    }
}

impl Cargo {
    /// Whether a requirement is one.
    ///
    /// Errors: what is wrong with it, for people.
    pub fn understand(requirement: &str) -> Result<(), String> {
        self::requirement(requirement).map(drop)
    }
}

/// A requirement taken apart, and as Cargo reads it. `*` has no comparators.
fn requirement(text: &str) -> Result<(Vec<Clause<'_>>, VersionReq), String> {
    bounded(text)?;
    let allowed = VersionReq::parse(text).map_err(|error| error.to_string())?;
    let mut start = 0;
    let mut clauses = Vec::new();
    for part in text.split(',') {
        clauses.push(clause(part, start).ok_or_else(|| format!("`{}` is no requirement", part.trim()))?);
        start += part.len() + 1;
    }
    // They are compared pair by pair.
    if clauses.len() != allowed.comparators.len() && !allowed.comparators.is_empty() {
        return Err("its parts cannot be told apart".into());
    }
    Ok((clauses, allowed))
}

fn clause(part: &str, start: usize) -> Option<Clause<'_>> {
    let trimmed = part.trim();
    let version = trimmed.trim_start_matches(['<', '>', '=', '^', '~']);
    let sign = &trimmed[..trimmed.len() - version.len()];
    let version = version.trim_start();
    let parsed = Partial::parse(version)?;
    let operator = match sign {
        // `1.*` means its series, and `1` what is compatible with it.
        "" if version.contains('*') => Operator::Equal,
        "" | "^" => Operator::Caret,
        "~" => Operator::Tilde,
        "=" => Operator::Equal,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        _ => return None,
    };
    let end = start + part.trim_end().len();
    Some(Clause { operator, version: parsed, at: end - version.len()..end })
}
