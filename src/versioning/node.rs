//! Versions and ranges of npm.
//!
//! Source: node-semver's README, "Ranges" and "Range Grammar"; npm's package.json documentation, "dependencies".
//!
//! A range is taken apart here, by the grammar and no looser, and nodejs-semver is asked about one comparator at a time: given
//! several that exclude each other (`>=3 <2`) it allows what either allows, where npm allows nothing.

use super::numbering::Numbering;
use super::partial::{self, Clause, Operator, Partial};
use super::{BadRange, LONGEST_BYTES, Scheme, bounded, in_any};
use semver::Version;
use std::cmp::Ordering;
use std::ops::Range;

/// The scheme of npm.
#[derive(Debug)]
pub struct Node;

impl Numbering for Node {
    type Version<'v> = Version;

    const NAME: &'static str = "node";

    fn parse(version: &str) -> Option<Version> {
        partial::parse(version)
    }

    /// Of several alternatives (`^1 || ^2`) the highest has the say.
    fn current(&self, constraint: &str) -> Option<String> {
        highest(&alternatives(constraint).ok()?).map(|(_, current)| current)
    }

    /// A comma is read as a space, as other ecosystems write it. A prerelease lies where the release lies that it leads to,
    /// or where the range names it.
    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange> {
        let asked = partial::asked(version);
        in_any(range, |range| {
            if range.split(',').any(|part| part.trim().is_empty()) {
                return Err("a version is missing".into());
            }
            let spaced = range.replace(',', " ");
            let alternatives = alternatives(&spaced)?;
            Ok(asked.iter().any(|version| alternatives.iter().any(|one| one.allows(version))))
        })
    }

    fn rewrite(&self, constraint: &str, to: &str) -> Option<String> {
        let alternatives = alternatives(constraint).ok()?;
        let target = partial::released(to)?;
        if alternatives.iter().any(|one| one.allows(&target)) {
            return None;
        }
        let (one, current) = highest(&alternatives)?;
        let moved = one.moved_to(&target, constraint)?;
        let text = match alternatives.as_slice() {
            [.., before_last, last] => {
                // What is below the highest alternative was left out on purpose.
                if Node.compare(&current, to)?.is_ge() {
                    return None;
                }
                // `^1 || ^2` says which series work: one more does. A stretch with bounds of its own grows instead.
                match one.is_series() {
                    true => {
                        inserted(constraint, last.at.end, &[&constraint[before_last.at.end..last.at.start], &moved])
                    }
                    false => replaced(constraint, &one.at, &moved),
                }
            }
            _ => replaced(constraint, &one.at, &moved),
        };
        let allowed = self::alternatives(&text).is_ok_and(|moved| moved.iter().any(|one| one.allows(&target)));
        allowed.then_some(text)
    }
}

impl Node {
    /// Whether a constraint is a range, or the name of a dist-tag (`latest`), which names no version.
    ///
    /// Errors: what is wrong with it, for people.
    pub fn understand(constraint: &str) -> Result<(), String> {
        if Self::is_dist_tag(constraint) { Ok(()) } else { alternatives(constraint).map(drop) }
    }

    /// Whether a constraint is the name of a dist-tag: a word that is no range.
    pub fn is_dist_tag(constraint: &str) -> bool {
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        constraint.starts_with(|c: char| c.is_ascii_alphabetic())
            && constraint.len() <= LONGEST_BYTES
            && constraint.bytes().all(word)
            && alternatives(constraint).is_err()
    }
}

/// One of the alternatives between `||`: comparators that must all hold, none of them for "anything".
struct Alternative<'a> {
    comparators: Vec<Comparator<'a>>,
    /// Where it stands in the range, without spaces around.
    at: Range<usize>,
}

struct Comparator<'a> {
    clause: Clause<'a>,
    allowed: nodejs_semver::Range,
}

impl Comparator<'_> {
    /// Whether a version lies within its bounds, prerelease or not.
    fn spans(&self, version: &nodejs_semver::Version) -> bool {
        self.allowed.satisfies_with_prerelease(version, true)
    }
}

impl Alternative<'_> {
    fn allows(&self, version: &Version) -> bool {
        let Ok(published) = nodejs_semver::Version::parse(version.to_string()) else { return false };
        // A prerelease is allowed by a comparator alone that names one of the same release.
        let named = |comparator: &Comparator<'_>| {
            let lowest = comparator.clause.version.lowest();
            !lowest.pre.is_empty() && partial::numbers(&lowest) == partial::numbers(version)
        };
        self.comparators.iter().all(|comparator| comparator.spans(&published))
            && (version.pre.is_empty() || self.comparators.iter().any(named))
    }

    /// Whether it is one comparator that says where it ends itself: `^1.2`, `~1`, `1.x`, `1.2.3`.
    fn is_series(&self) -> bool {
        let ends =
            |one: &Comparator<'_>| matches!(one.clause.operator, Operator::Caret | Operator::Tilde | Operator::Equal);
        matches!(self.comparators.as_slice(), [one] if ends(one))
    }

    /// Its text, moved so that it allows the target.
    fn moved_to(&self, target: &Version, range: &str) -> Option<String> {
        let published = nodejs_semver::Version::parse(target.to_string()).ok()?;
        let mut text = range[..self.at.end].to_string();
        for Comparator { clause, .. } in self.comparators.iter().rev().filter(|one| !one.spans(&published)) {
            text.replace_range(clause.at.clone(), &clause.moved_to(target)?);
        }
        Some(text[self.at.start..].to_string())
    }
}

/// The alternative that stands for the highest version, and that version.
fn highest<'s, 'a>(alternatives: &'s [Alternative<'a>]) -> Option<(&'s Alternative<'a>, String)> {
    let named = alternatives.iter().filter_map(|one| {
        let current = partial::current(one.comparators.iter().map(|comparator| &comparator.clause))?;
        Some((one, current))
    });
    named.max_by(|(_, a), (_, b)| Node.compare(a, b).unwrap_or(Ordering::Equal))
}

/// Takes a range apart.
fn alternatives(range: &str) -> Result<Vec<Alternative<'_>>, String> {
    bounded(range)?;
    let mut start = 0;
    let mut alternatives = Vec::new();
    for part in range.split("||") {
        let trimmed = part.trim();
        let from = start + (part.len() - part.trim_start().len());
        let comparators = comparators(range, from..from + trimmed.len())?;
        alternatives.push(Alternative { comparators, at: from..from + trimmed.len() });
        start += part.len() + "||".len();
    }
    Ok(alternatives)
}

fn comparators(range: &str, at: Range<usize>) -> Result<Vec<Comparator<'_>>, String> {
    let words: Vec<Range<usize>> = words(range, at);
    if let [from, dash, to] = words.as_slice()
        && &range[dash.clone()] == "-"
    {
        return [(Operator::GreaterOrEqual, from), (Operator::LessOrEqual, to)]
            .into_iter()
            .map(|(operator, at)| comparator(range, operator, at.clone()))
            .collect();
    }
    let mut comparators = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let text = &range[word.clone()];
        let version = text.trim_start_matches(['<', '>', '=', '^', '~']);
        let operator = match &text[..text.len() - version.len()] {
            "" | "=" => Operator::Equal,
            "^" => Operator::Caret,
            "~" | "~>" => Operator::Tilde,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            other => return Err(format!("there is no operator `{other}`")),
        };
        let at = match version {
            // `>= 1.2`
            "" => words.next().ok_or("a version is missing")?,
            _ => word.end - version.len()..word.end,
        };
        comparators.push(comparator(range, operator, at)?);
    }
    Ok(comparators)
}

fn comparator(range: &str, operator: Operator, at: Range<usize>) -> Result<Comparator<'_>, String> {
    let written = &range[at.clone()];
    let not_understood = || format!("`{}` is no version", written.chars().take(80).collect::<String>());
    let version = Partial::parse(written).ok_or_else(not_understood)?;
    let nothing = version.is_any() && matches!(operator, Operator::Less | Operator::Greater);
    if nothing {
        return Err(format!("`{}{written}` allows nothing", operator.sign()));
    }
    let plain = if version.is_any() { "*".into() } else { version.plain() };
    let sign = if operator == Operator::Equal || version.is_any() { "" } else { operator.sign() };
    let allowed = nodejs_semver::Range::parse(format!("{sign}{plain}")).map_err(|_| not_understood())?;
    Ok(Comparator { clause: Clause { operator, version, at }, allowed })
}

/// Where the words of a stretch stand.
fn words(range: &str, at: Range<usize>) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (i, c) in range[at.clone()].char_indices().map(|(i, c)| (at.start + i, c)) {
        match (c.is_whitespace(), start) {
            (false, None) => start = Some(i),
            (true, Some(from)) => {
                words.push(from..i);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..at.end));
    words
}

fn replaced(text: &str, at: &Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..at.start], &text[at.end..])
}

fn inserted(text: &str, at: usize, new: &[&str]) -> String {
    format!("{}{}{}", &text[..at], new.concat(), &text[at..])
}
