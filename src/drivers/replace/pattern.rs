//! What is found and what is put in its place. All of it takes time in proportion to the text, whatever the text is.

use super::lines::{Lines, Put};
use regex::{Captures, Regex, RegexBuilder};
use std::ops::Range;

/// How much memory an expression may take once compiled. Unit: bytes.
const LARGEST_PROGRAM: usize = 4 << 20;

/// The byte order mark.
const MARK: &str = "\u{feff}";

/// How deep groups may be nested in an expression.
const DEEPEST: u32 = 64;

/// Something to find, and what it becomes.
#[derive(Debug)]
pub(super) struct Pattern {
    search: Search,
    /// Whether ends of lines are what they are: somebody wrote `\r`, and knows how lines end. Else `\n` is any end of a line.
    exact: bool,
    /// Whether a byte order mark is a character like others: somebody wrote it. Else a text begins behind it.
    with_mark: bool,
}

#[derive(Debug)]
enum Search {
    Literal { from: String, to: String },
    Regex { from: Regex, to: Vec<Piece>, made: Option<Regex> },
}

/// A piece of what is put in.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// What a group found.
    Group(usize),
}

/// What is wrong with the texts of an expression.
#[derive(Debug)]
pub(super) enum Bad {
    From(String),
    /// What is wrong, and what would be right.
    To(String, String),
}

impl Pattern {
    pub(super) fn literal(from: String, to: String) -> Self {
        let exact = from.contains('\r') || to.contains('\r');
        let with_mark = from.contains(MARK) || to.contains(MARK);
        Self { search: Search::Literal { from, to }, exact, with_mark }
    }

    pub(super) fn regex(from: &str, to: &str) -> Result<Self, Bad> {
        let exact = names_carriage_return(from) || to.contains('\r');
        let with_mark = from.contains(MARK) || to.contains(MARK) || from.to_ascii_lowercase().contains("feff");
        let from = build(from).map_err(|error| Bad::From(in_words(&error)))?;
        let to = pieces(to, &from)?;
        let made = made(&to);
        Ok(Self { search: Search::Regex { from, to, made }, exact, with_mark })
    }

    /// What is looked for, as it was written.
    pub(super) fn from(&self) -> &str {
        match &self.search {
            Search::Literal { from, .. } => from,
            Search::Regex { from, .. } => from.as_str(),
        }
    }

    /// In how many places it was found, and the text with all of them replaced. `None` if that would be longer than `largest`.
    pub(super) fn replace(&self, text: &str, largest: usize) -> Option<(usize, String)> {
        let (mark, text) = self.behind_mark(text);
        let lines = self.lines(text);
        let searched = lines.searched();
        let mut new = Replaced { lines: &lines, new: String::new(), at: 0, count: 0, largest };
        match &self.search {
            Search::Literal { from, to } => {
                // `http` for `https`: what stands in a `to` already is no `from`.
                let made: Vec<Range<usize>> =
                    if to.contains(from.as_str()) { ranges(searched, to).collect() } else { Vec::new() };
                for found in ranges(searched, from) {
                    let before = made.partition_point(|range| range.start <= found.start);
                    let inside = before.checked_sub(1).and_then(|at| made.get(at));
                    if inside.is_none_or(|range| found.end > range.end) {
                        new.put(found, std::iter::once(Put::Text(to)))?;
                    }
                }
            }
            Search::Regex { from, to, .. } => {
                for found in from.captures_iter(searched) {
                    let whole = found.get(0)?.range();
                    new.put(whole, to.iter().map(|piece| piece.of(&found)))?;
                }
            }
        }
        new.finish().map(|(count, new)| (count, format!("{mark}{new}")))
    }

    /// The byte order mark that a text begins with, and the text behind it.
    fn behind_mark<'t>(&self, text: &'t str) -> (&'static str, &'t str) {
        match text.strip_prefix(MARK) {
            Some(text) if !self.with_mark => (MARK, text),
            _ => ("", text),
        }
    }

    /// Whether a text in which nothing is to be replaced looks as if that had been done before. Where what is put in could be
    /// anything, it is taken to be so.
    pub(super) fn is_made_in(&self, text: &str) -> bool {
        let lines = self.lines(self.behind_mark(text).1);
        match &self.search {
            Search::Literal { to, .. } => lines.searched().contains(to.as_str()),
            Search::Regex { made, .. } => made.as_ref().is_none_or(|made| made.is_match(lines.searched())),
        }
    }

    fn lines<'t>(&self, text: &'t str) -> Lines<'t> {
        if self.exact { Lines::exactly(text) } else { Lines::of(text) }
    }
}

impl Piece {
    fn of<'p>(&'p self, found: &Captures<'_>) -> Put<'p> {
        match self {
            Self::Text(text) => Put::Text(text),
            Self::Group(group) => found.get(*group).map_or(Put::Text(""), |found| Put::Found(found.range())),
        }
    }
}

/// A text while pieces of it are replaced.
struct Replaced<'l, 't> {
    lines: &'l Lines<'t>,
    new: String,
    at: usize,
    count: usize,
    largest: usize,
}

impl Replaced<'_, '_> {
    fn put<'p>(&mut self, found: Range<usize>, pieces: impl Iterator<Item = Put<'p>>) -> Option<()> {
        self.new.push_str(self.lines.slice(self.at..found.start));
        let mut ended = 0;
        for piece in pieces {
            self.lines.put(&mut self.new, &found, &mut ended, piece);
            if self.new.len() > self.largest {
                return None;
            }
        }
        self.at = found.end;
        self.count += 1;
        Some(())
    }

    fn finish(mut self) -> Option<(usize, String)> {
        self.new.push_str(self.lines.rest(self.at));
        (self.new.len() <= self.largest || self.count == 0).then_some((self.count, self.new))
    }
}

/// Whether an expression speaks of carriage returns, by the letter or in one of the ways to write it: `\r`, `\x0D`, `\x{d}`, `\u000D`,
/// `\U0000000D`. A backslash before a backslash is none before what follows.
fn names_carriage_return(expression: &str) -> bool {
    let mut rest = expression.chars();
    while let Some(c) = rest.next() {
        if c == '\r' {
            return true;
        }
        if c != '\\' {
            continue;
        }
        let digits = match rest.next() {
            Some('r') => return true,
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            _ => continue,
        };
        let written = match rest.as_str().strip_prefix('{') {
            Some(braced) => braced.split('}').next(),
            None => rest.as_str().get(..digits),
        };
        if written.and_then(|hex| u32::from_str_radix(hex.trim(), 16).ok()) == Some(0x0d) {
            return true;
        }
    }
    false
}

fn ranges<'t>(text: &'t str, wanted: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
    text.match_indices(wanted).map(|(at, found)| at..at + found.len())
}

fn build(expression: &str) -> Result<Regex, regex::Error> {
    let mut builder = RegexBuilder::new(expression);
    builder.size_limit(LARGEST_PROGRAM).dfa_size_limit(LARGEST_PROGRAM).nest_limit(DEEPEST).build()
}

/// The last line of what the parser says names the mistake; the lines before it draw it.
fn in_words(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it is too large".into(),
        error => {
            let text = error.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    }
}

/// What is put in, in pieces: `$1`, `${1}`, `$name`, `${name}`, and `$$` for a dollar sign.
fn pieces(to: &str, from: &Regex) -> Result<Vec<Piece>, Bad> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = to;
    while let Some(dollar) = rest.find('$') {
        text.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            text.push('$');
            rest = after;
            continue;
        }
        let (name, after) = group_name(rest);
        let number = match name.parse::<usize>() {
            Ok(number) => Some(number).filter(|number| *number < from.captures_len()),
            Err(_) => from.capture_names().position(|known| known == Some(name)),
        };
        let Some(number) = number.filter(|_| !name.is_empty()) else {
            return Err(no_group(name, from));
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Group(number));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// The name of a group after a dollar sign, and what follows it.
fn group_name(text: &str) -> (&str, &str) {
    if let Some((name, after)) = text.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        return (name, after);
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

fn no_group(name: &str, from: &Regex) -> Bad {
    let shown: String = name.chars().take(40).collect();
    let digits = shown.len() - shown.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if shown.is_empty() {
        return Bad::To("a `$` in `to` names no group".into(), "write `$$` for a dollar sign".into());
    }
    let fix = if digits > 0 && digits < shown.len() {
        format!("write `${{{}}}{}` for a group with text behind it", &shown[..digits], &shown[digits..])
    } else {
        format!("`from` has {} groups; write `$$` for a dollar sign", from.captures_len() - 1)
    };
    Bad::To(format!("`from` has no group `{shown}`"), fix)
}

/// Finds what the pieces make, whatever the groups were; `None` where that could be anything.
fn made(pieces: &[Piece]) -> Option<Regex> {
    let mut expression = String::new();
    let mut says_something = false;
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                expression.push_str(&regex::escape(text));
                says_something = true;
            }
            Piece::Group(_) => expression.push_str(r"(?s:.*?)"),
        }
    }
    if says_something { build(&expression).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(pattern: &Pattern, text: &str) -> String {
        pattern.replace(text, 1_000).unwrap().1
    }

    #[test]
    fn what_is_made_already_is_not_made_again() {
        let pattern = Pattern::literal("http://a".into(), "see http://a/b".into());
        let once = replaced(&pattern, "http://a, see http://a/b");
        assert_eq!(once, "see http://a/b, see http://a/b");
        assert_eq!(replaced(&pattern, &once), once);
    }

    #[test]
    fn a_text_begins_behind_its_mark() {
        let pattern = Pattern::regex("(?m)^a$", "b").unwrap();
        assert_eq!(replaced(&pattern, "\u{feff}a\r\na\n"), "\u{feff}b\r\nb\n");
        for pattern in [Pattern::regex(r"^\x{FEFF}", "").unwrap(), Pattern::literal("\u{feff}".into(), String::new())] {
            assert_eq!(replaced(&pattern, "\u{feff}a"), "a", "unless somebody writes it");
        }
    }

    #[test]
    fn groups_by_number_and_name() {
        let pattern = Pattern::regex(r"(?<major>\d+)\.(\d+)", "${major}_$2 $$1").unwrap();
        assert_eq!(replaced(&pattern, "v1.2;"), "v1_2 $1;");
        for (to, fix) in [("$1x", "${1}x"), ("$3", "2 groups"), ("$ ", "$$"), ("${", "$$")] {
            let Err(Bad::To(_, said)) = Pattern::regex(r"(a)(b)", to) else { panic!("{to}") };
            assert!(said.contains(fix), "{to}: {said}");
        }
    }

    #[test]
    fn expressions_that_are_too_large_are_refused() {
        for bad in ["(", "a{1000}{1000}{1000}", r"\1", &"(".repeat(1_000)] {
            assert!(matches!(Pattern::regex(bad, ""), Err(Bad::From(_))), "{}", &bad[..bad.len().min(20)]);
        }
    }

    #[test]
    fn a_text_does_not_grow_without_end() {
        let pattern = Pattern::literal("a".into(), "b".repeat(500));
        assert!(pattern.replace(&"a".repeat(3), 1_000).is_none());
        assert!(pattern.replace(&"c".repeat(3_000), 1_000).is_some(), "nothing is replaced");
    }
}
