//! Requirements files of pip, and what they include.
//!
//! Source: pip's documentation, "Requirements File Format".

use super::compiled::Comments;
use super::format::Format;
use super::hashes::{HashOption, Hashes};
use super::python;
use super::requirement::{self, Place};
use super::written::Written;
use super::{Found, MOST_DEPENDENCIES, readable, without_mark};
use crate::domain::{Ecosystem, RepoPath, Span};
use std::ops::Range;

/// The manager of requirements and constraints files.
#[derive(Debug)]
pub struct Requirements;

impl Format for Requirements {
    const NAME: &'static str = "requirements";

    const ECOSYSTEM: Ecosystem = Ecosystem::Pypi;

    /// `requirements.txt`, `requirements-dev.txt`, `dev-requirements.txt`, `requirements/*.txt`; `constraints` likewise,
    /// and `.in`, from which pip-tools and uv make the `.txt`, or `.pip` for `.txt`.
    fn claims(path: &RepoPath) -> bool {
        let name = path.file_name().to_ascii_lowercase();
        let Some(stem) = [".txt", ".in", ".pip"].iter().find_map(|end| name.strip_suffix(end)) else { return false };
        let folder = path.folder().rsplit('/').next().unwrap_or_default();
        ["requirements", "constraints"].iter().any(|word| {
            let before = stem.strip_suffix(word).is_some_and(|s| s.is_empty() || s.ends_with(['-', '_', '.']));
            let after = stem.strip_prefix(word).is_some_and(|s| s.is_empty() || s.starts_with(['-', '_', '.']));
            before || after || folder == *word
        })
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        readable(text)?;
        let mut found = Found::default();
        let line_starts = super::line_starts(text);
        let place = Place { manager: Self::NAME, path, line_of: &|at| super::line_of(&line_starts, at) };
        let mut comments = Comments::default();
        for line in logical_lines(text) {
            let (line, comment) = split_comment(&line);
            if line.text().starts_with('-') {
                read_options(&line, &place, &mut found);
            } else if !line.text().is_empty() {
                let (requirement, options) = split_options(&line);
                let hashes = hashes(&options, requirement.span().map_or(0, |span| span.end));
                found.finds.push(requirement::read(&requirement, hashes, &place));
            }
            if found.finds.len() > MOST_DEPENDENCIES {
                return Err(format!("there are more than {MOST_DEPENDENCIES} requirements in it"));
            }
            if let Some(comment) = comment {
                comments.add(&comment, found.finds.len());
            }
        }
        comments.leave_transitive_alone(&mut found.finds);
        python::limit(&mut found.finds, None);
        Ok(found)
    }
}

/// Lines as pip joins them: a `\` at the end goes on with the next line, unless the line is a comment.
fn logical_lines(text: &str) -> impl Iterator<Item = Written> {
    let mut physical = physical_lines(text);
    std::iter::from_fn(move || {
        let mut line: Option<Written> = None;
        for range in physical.by_ref() {
            let part = &text[range.clone()];
            let comment = part.trim_start().starts_with('#');
            let continued = part.ends_with('\\') && !comment;
            let part = if continued { part.trim_end_matches('\\') } else { part };
            let line = line.get_or_insert_default();
            if comment {
                // Where pip joins it to the line before, it must still be read as a comment.
                line.push(' ', Span { start: range.start, end: range.start });
            }
            line.append(&Written::verbatim(part, range.start));
            if !continued {
                break;
            }
        }
        line
    })
}

/// What ends a line for pip, beside `\r\n`. Source: Python's documentation, `str.splitlines`.
const LINE_ENDS: [char; 10] =
    ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];

/// The lines of a text without their ends.
fn physical_lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = without_mark(text).0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = rest.find(LINE_ENDS).unwrap_or(rest.len());
        let ending =
            if rest[end..].starts_with("\r\n") { 2 } else { rest[end..].chars().next().map_or(0, char::len_utf8) };
        let line = start..start + end;
        start += end + ending;
        Some(line)
    })
}

/// A line without its comment, and the comment: it begins with `#` at the start or after white space.
fn split_comment(line: &Written) -> (Written, Option<String>) {
    let text = line.text();
    let start = text
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|&at| text[..at].chars().next_back().is_none_or(char::is_whitespace));
    let comment = start.map(|at| text[at + 1..].to_string());
    (line.slice(0..start.unwrap_or(text.len())).trimmed(), comment)
}

/// The requirement, and the options that follow it: they begin at the first word that begins with `-`.
fn split_options(line: &Written) -> (Written, Written) {
    let text = line.text();
    let at = text
        .match_indices('-')
        .map(|(at, _)| at)
        .find(|&at| text[..at].chars().next_back().is_some_and(char::is_whitespace))
        .unwrap_or(text.len());
    (line.slice(0..at).trimmed(), line.slice(at..text.len()))
}

/// The hashes among the options that follow a requirement, which ends at the byte `end` of the file.
fn hashes(options: &Written, end: usize) -> Option<Hashes> {
    let mut found = Vec::new();
    let mut gap_start = end;
    let mut words = words(options).into_iter();
    while let Some(mut word) = words.next() {
        if let Some((_, value)) = option(&word.text, ["--hash"].iter()) {
            let value = value.or_else(|| {
                let next = words.next()?;
                word.span.end = next.span.end;
                Some(next.text)
            });
            found.push(HashOption { value: value.unwrap_or_default(), span: word.span, gap_start });
        }
        gap_start = word.span.end;
    }
    Hashes::of(found)
}

/// A line of options: includes and editable requirements are of interest.
fn read_options(line: &Written, place: &Place<'_>, found: &mut Found) {
    const INCLUDES: [&str; 4] = ["-r", "--requirement", "-c", "--constraint"];
    const EDITABLE: [&str; 2] = ["-e", "--editable"];
    let mut words = words(line).into_iter();
    while let Some(word) = words.next() {
        let Some((option, value)) = option(&word.text, INCLUDES.iter().chain(&EDITABLE)) else { continue };
        let Some(value) = value.or_else(|| words.next().map(|word| word.text)) else { break };
        if EDITABLE.contains(&option) {
            found.finds.push(requirement::editable(&value, place));
        } else {
            found.include(place.path, value.text());
        }
    }
}

/// The option a word is, and its value where the word carries it: `-rbase.txt`, `--requirement=base.txt`.
fn option<'a>(word: &Written, mut known: impl Iterator<Item = &'a &'a str>) -> Option<(&'a str, Option<Written>)> {
    known.find_map(|option| {
        let value = word.text().strip_prefix(option)?;
        let at = word.text().len() - value.len();
        match value.strip_prefix('=') {
            _ if value.is_empty() => Some((*option, None)),
            Some(_) => Some((*option, Some(word.slice(at + 1..word.text().len())))),
            None if option.starts_with("--") => None,
            None => Some((*option, Some(word.slice(at..word.text().len())))),
        }
    })
}

/// A word and the bytes of the file it stands in, its quotes included.
struct Word {
    text: Written,
    span: Span,
}

/// The words of a line, as a shell would split it: quotes hold words together and are not part of them.
fn words(line: &Written) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote = None;
    for (_, c, origin) in line.chars() {
        if quote.is_none() && c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_with(|| Word { text: Written::default(), span: origin });
        word.span.end = origin.end;
        match quote {
            Some(q) if c == q => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => word.text.push(c, origin),
        }
    }
    words.extend(word);
    words
}
