//! What of a git repository is used: a tag, or a commit whose version stands in the comment behind it.
//!
//! Sources: GitHub's documentation, "Security hardening for GitHub Actions", Using third-party actions (`@SHA # v4.1.2`);
//! pre-commit's documentation, `autoupdate --freeze` (`# frozen: v1.2.3`).

use super::edit::Find;
use super::requirement::Place;
use super::written::Written;
use super::{cut, edit};
use crate::domain::{Dependency, Skip};
use crate::versioning::{GitTag, Scheme};

/// Words that may stand between `#` and the version: `# pin @v4`, `# tag=v4.1.2`, `# frozen: v1.2.3`.
const BEFORE_A_VERSION: [&str; 9] =
    ["renovate", "pin", "pinned", "tag", "version", "release", "frozen", "ratchet", "to"];

/// The find of a dependency on `reference`, with what the comment behind it adds.
pub(super) fn find(
    reference: &Written,
    comment: Option<&Written>,
    mut dependency: Dependency,
    place: &Place<'_>,
) -> Find {
    let text = reference.text();
    if let Some(at) = reference.origin(0) {
        dependency.line = (place.line_of)(at.start);
    }
    let listed = |skip, digest: Option<&str>| {
        let (constraint, digest) = (text.to_string(), digest.map(str::to_string));
        let constraint = if digest.is_some() { String::new() } else { cut(&constraint) };
        Find::left_alone(Dependency { constraint, digest, skip: Some(skip), ..dependency.clone() })
    };
    if edit::is_commit(text) {
        return match comment.and_then(version_in) {
            Some(version) => pinned(version, Some(reference.clone()), dependency),
            None => listed(commit_without_version(comment), Some(text)),
        };
    }
    if GitTag.current(text).is_some() {
        return pinned(reference.clone(), None, dependency);
    }
    if text.is_empty() {
        return listed(Skip::Unpinned, None);
    }
    let short = text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let what = if short { "a shortened commit" } else { "a branch, or a tag that is no version" };
    listed(Skip::LeftAlone(format!("`{}` is {what}", cut(text))), None)
}

fn pinned(version: Written, commit: Option<Written>, dependency: Dependency) -> Find {
    let dependency = Dependency {
        current: GitTag.current(version.text()),
        constraint: version.text().into(),
        digest: commit.as_ref().map(|commit| commit.text().into()),
        ..dependency
    };
    Find { dependency, constraint: version, version_at: None, digest: commit, hashes: None }
}

fn commit_without_version(comment: Option<&Written>) -> Skip {
    let why = match comment {
        Some(comment) => format!("names no version: `{}`", cut(comment.text())),
        None => "is missing: write the commit's version there, as `# v1.2.3`".into(),
    };
    Skip::LeftAlone(format!("it is pinned to a commit, and the comment behind it {why}"))
}

/// The version a comment begins with, known words before it passed over.
fn version_in(comment: &Written) -> Option<Written> {
    let text = comment.text();
    let (mut at, mut is_said_to_be_tag) = (0, false);
    loop {
        at += text[at..].len() - text[at..].trim_start_matches([' ', '\t', ':', '=', '@']).len();
        let end = at + text[at..].find([' ', '\t', ':', '=', '@', ',', ';', '(', ')']).unwrap_or(text.len() - at);
        let word = &text[at..end];
        if is_version(word) || (is_said_to_be_tag && GitTag.current(word).is_some() && !word.ends_with(['x', 'X'])) {
            return Some(comment.slice(at..end));
        }
        // `ratchet:actions/checkout@v4` names the repository once more.
        let repository = text[end..].starts_with('@') && word.contains('/');
        let known = BEFORE_A_VERSION.iter().any(|known| word.eq_ignore_ascii_case(known));
        // `tag=release-2024-01` and what `pre-commit autoupdate --freeze` writes.
        is_said_to_be_tag =
            ["tag", "frozen"].iter().any(|said| word.eq_ignore_ascii_case(said)) && text[end..].starts_with([':', '=']);
        (known || repository).then(|| at = end)?;
    }
}

/// Whether a word of a comment is a version. Where a tag is expected, `node-20` may be one; here it is a remark, and so are a
/// series such as `v4.x`, which does not tell whose version the commit is, and a day such as `2024-01-15`.
fn is_version(word: &str) -> bool {
    let bytes = word.as_bytes();
    let starts_a_word = |at: usize| at == 0 || !bytes[at - 1].is_ascii_alphanumeric() && bytes[at - 1] != b'.';
    let is_read_at = |at: usize| {
        let marked = matches!(bytes[at], b'v' | b'V');
        // Without `v`, a remark such as `python-3.12` looks alike.
        let fewest = match (marked, at) {
            (true, _) => 1,
            (false, 0) => 2,
            (false, _) => 3,
        };
        starts_a_word(at) && is_dotted(&word[at + usize::from(marked)..], fewest)
    };
    GitTag.current(word).is_some() && (0..bytes.len()).any(is_read_at)
}

/// Whether a text begins with so many numbers joined by dots, and goes on with no wildcard.
fn is_dotted(text: &str, fewest: usize) -> bool {
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let whole = text.split('.').take_while(is_number).count();
    let digits = |part: &str| part.bytes().take_while(u8::is_ascii_digit).count();
    // The first part that is more than a number: `2-rc` of `4.1.2-rc.1`, `x` of `4.x`.
    let odd = text.split('.').nth(whole);
    let numbers = whole + usize::from(odd.is_some_and(|part| digits(part) > 0));
    numbers >= fewest && !odd.is_some_and(|part| part.is_empty() || part.eq_ignore_ascii_case("x"))
}
