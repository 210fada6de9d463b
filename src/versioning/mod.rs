//! How each ecosystem numbers its releases: which is newer, how far apart two are, and what a manifest's
//! text becomes when it moves to another version.
//!
//! Pure. It knows versions and constraints as texts, not which file they stand in. Every text is untrusted:
//! what is not understood is `None` or `false`, never a panic.
//!
//! The rule of all schemes: an update is proposed only where the current text excludes the new version or pins
//! another one. A text that already allows it is up to date.
//!
//! A file for each scheme. What all have in common is in `numbering`, what the schemes of tags have in `tag`, and what npm and
//! Cargo have in `partial`.

mod cargo;
mod docker_tag;
mod git_tag;
mod marker;
mod node;
mod numbering;
mod partial;
mod pep440;
mod python;
mod revision;
mod tag;

use crate::domain::{Ecosystem, VersionStep};
use std::cmp::Ordering;

pub use cargo::Cargo;
pub use docker_tag::DockerTag;
pub use git_tag::GitTag;
pub use node::Node;
pub use pep440::Pep440;
pub use python::Pythons;
pub use revision::Revision;

/// One way of numbering releases.
pub trait Scheme: Sync {
    /// The scheme's name, for logs and messages.
    fn name(&self) -> &'static str;

    /// The order of two versions; `None` when one is not understood, or they do not belong to one line
    /// (image tags of two variants).
    fn compare(&self, a: &str, b: &str) -> Option<Ordering>;

    /// What versions have in common that can be compared with each other: image tags the variant, others nothing but that
    /// they are versions. `None` for a text that is not understood.
    fn line<'v>(&self, version: &'v str) -> Option<&'v str>;

    /// Whether the version comes before a release: alpha, beta, candidate, development. `false` when not understood.
    fn is_prerelease(&self, version: &str) -> bool;

    /// How far the second version is from the first; `None` unless it is newer.
    fn step(&self, from: &str, to: &str) -> Option<VersionStep>;

    /// The version that a constraint stands for: what it pins, or the lowest it allows; with an upper bound alone,
    /// the bound itself (`<=1.9`), or the highest series below it (`4` for `<5`). `None` when it names none.
    fn current(&self, constraint: &str) -> Option<String>;

    /// Whether an update of this constraint to the candidate should be considered: the candidate is newer than
    /// `current`, of the same line, a prerelease only where a prerelease of the same release is in use,
    /// and [`rewrite`](Self::rewrite) has something to write.
    fn is_candidate(&self, constraint: &str, current: &str, candidate: &str) -> bool;

    /// Whether a version lies in a range, as `ignore` rules write it (`>=5`, `>=5,<6`, `5.*`; in every scheme `||` stands between
    /// alternatives). A version that is not understood lies in no range.
    ///
    /// Errors: [`BadRange`] when the range is not understood.
    fn matches(&self, range: &str, version: &str) -> Result<bool, BadRange>;

    /// The constraint in the same style, moved so that it allows `to`. `None` when it allows `to` already,
    /// or cannot be moved there without losing what it says.
    fn rewrite(&self, constraint: &str, to: &str) -> Option<String>;
}

/// A range of versions that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{range}` is not a range of versions: {why}; write for example `>=5`, `>=5,<6` or `5.*`")]
pub struct BadRange {
    /// The range as written, cut to a readable length.
    pub range: String,
    /// What is wrong with it.
    pub why: String,
}

/// The scheme an ecosystem numbers its releases by.
pub fn scheme(ecosystem: Ecosystem) -> &'static dyn Scheme {
    match ecosystem {
        Ecosystem::Pypi => &Pep440,
        Ecosystem::Docker => &DockerTag,
        Ecosystem::GithubActions => &GitTag,
        Ecosystem::PreCommit => &Revision,
        Ecosystem::Npm => &Node,
        Ecosystem::Cargo => &Cargo,
    }
}

/// Whether a version lies in one of the alternatives of a range; each of them is judged, even behind one it lies in.
fn in_any(range: &str, lies_in: impl Fn(&str) -> Result<bool, String>) -> Result<bool, BadRange> {
    let bad = |why: String| BadRange { range: range.chars().take(80).collect(), why };
    bounded(range).map_err(bad)?;
    let mut found = false;
    for one in range.split("||").map(str::trim) {
        if one.is_empty() {
            return Err(bad("a version is missing".into()));
        }
        found |= lies_in(one).map_err(bad)?;
    }
    Ok(found)
}

/// Longer texts are not read: no honest version, constraint or range comes near it.
const LONGEST_BYTES: usize = 512;

fn bounded(text: &str) -> Result<(), String> {
    if text.len() <= LONGEST_BYTES { Ok(()) } else { Err(format!("it is longer than {LONGEST_BYTES} bytes")) }
}

/// The step between two lists of numbers, of which the second is the newer: where they first differ decides.
/// Missing numbers count as zero; lists that do not differ are a patch apart (a prerelease and its release).
fn step_between(from: &[u64], to: &[u64]) -> VersionStep {
    let number = |list: &[u64], i: usize| list.get(i).copied().unwrap_or(0);
    match (0..from.len().max(to.len())).find(|&i| number(from, i) != number(to, i)) {
        Some(0) => VersionStep::Major,
        Some(1) => VersionStep::Minor,
        _ => VersionStep::Patch,
    }
}

/// Compares two lists of numbers; missing numbers count as zero.
fn compare_numbers(a: &[u64], b: &[u64]) -> Ordering {
    let number = |list: &[u64], i: usize| list.get(i).copied().unwrap_or(0);
    (0..a.len().max(b.len())).map(|i| number(a, i).cmp(&number(b, i))).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

/// The next upper bound above a target: the last number of the old bound that is not zero says at which place it cuts
/// (`<2` and `<2.0` at the first, `<2.5` at the second). `None` when a number gets too large.
fn bound_above(bound: &[u64], target: &[u64]) -> Option<Vec<u64>> {
    let at = bound.iter().rposition(|&n| n > 0).unwrap_or(0);
    let mut numbers: Vec<u64> =
        (0..bound.len()).map(|i| if i <= at { target.get(i).copied().unwrap_or(0) } else { 0 }).collect();
    let last = numbers.get_mut(at)?;
    *last = last.checked_add(1)?;
    Some(numbers)
}

/// The highest series below an upper bound: `4` for `5` and `5.0`, `5.1` for `5.2`. `None` for zero.
fn below(bound: &[u64]) -> Option<Vec<u64>> {
    let last = bound.iter().rposition(|&n| n > 0)?;
    let mut numbers = bound[..=last].to_vec();
    numbers[last] -= 1;
    Some(numbers)
}

fn joined(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}
