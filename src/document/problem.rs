//! What is wrong with a file that somebody wrote, where, and what would be right.

use crate::domain::text::{cut, is_hidden};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One mistake of a file.
///
/// Lines and columns are counted from 1; columns and lengths count characters, as editors do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The line it is on.
    pub line: u32,
    /// The column it starts at.
    pub column: u32,
    /// How many characters of that line it takes, at least 1.
    pub length: u32,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub fix: String,
}

impl Problem {
    /// A problem with the file as a whole: with what it is, rather than with what it says.
    pub fn whole_file(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { line: 1, column: 1, length: 1, what: what.into(), fix: fix.into() }
    }

    /// The mistake as one line without its place: what is wrong, then what would be right.
    pub fn sentence(&self) -> String {
        format!("{}; {}", self.what, self.fix)
    }

    /// The line of the file it is on, without its end; `None` if the file has no such line.
    pub fn source_line<'a>(&self, text: &'a str) -> Option<&'a str> {
        nth_line(text.strip_prefix('\u{feff}').unwrap_or(text), self.line)
    }
}

/// A line of a text by its number from 1. As in YAML, `\n`, `\r\n` and a lone `\r` end a line.
pub(super) fn nth_line(text: &str, number: u32) -> Option<&str> {
    let mut rest = text;
    for _ in 1..number {
        let end = rest.find(['\n', '\r'])?;
        let length = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + length..];
    }
    rest.split(['\n', '\r']).next()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.line, self.column, self.what, self.fix)
    }
}

/// A place in the text: a line, a column, and how many characters from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
    /// In characters.
    pub length: u32,
}

impl Spot {
    /// The first character of the file, for what concerns the whole of it.
    pub const START: Self = Self { line: 1, column: 1, length: 1 };
}

/// How many problems are worth showing: who has more will mend the first ones and look again.
const MOST_SHOWN: usize = 100;

/// Collects the problems of a file, so that one mistake does not hide the next.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
    left_out: usize,
}

impl Problems {
    /// Takes one in.
    pub fn add(&mut self, at: Spot, what: impl Into<String>, fix: impl Into<String>) {
        if self.found.len() >= MOST_SHOWN {
            self.left_out += 1;
            return;
        }
        self.found.push(Problem {
            line: at.line,
            column: at.column,
            length: at.length,
            what: what.into(),
            fix: fix.into(),
        });
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether there is one on a line.
    pub fn any_on(&self, line: u32) -> bool {
        self.found.iter().any(|problem| problem.line == line)
    }

    /// How many were found so far.
    pub fn count(&self) -> usize {
        self.found.len() + self.left_out
    }

    /// The problems by position, then by text; the same mistake at the same place once.
    pub fn sorted(mut self) -> Vec<Problem> {
        self.found.sort();
        self.found.dedup();
        if let (Some(last), 1..) = (self.found.last(), self.left_out) {
            let (line, column, length) = (last.line, last.column, last.length);
            let what = format!("{} more problems were found than are shown", self.left_out);
            self.found.push(Problem { line, column, length, what, fix: "mend those above and check again".into() });
        }
        self.found
    }
}

/// A text of the file as a message quotes it: in backticks, cut to a readable length, nothing invisible.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    format!("`{}`", cut(text, LONGEST).chars().flat_map(char_shown).collect::<String>())
}

fn char_shown(c: char) -> impl Iterator<Item = char> {
    // A backtick would end what is quoted.
    let (escaped, plain) = if is_hidden(c) || c == '`' { (Some(c.escape_unicode()), None) } else { (None, Some(c)) };
    escaped.into_iter().flatten().chain(plain)
}

/// `, did you mean …?` if one of the known words is near enough to the one written, or nothing.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, known).map(|word| format!(", did you mean `{word}`?")).unwrap_or_default()
}

/// The known word that is most like the one written, if any is near.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.chars().take(64).collect::<String>().to_lowercase();
    let likeness = |word: &str| {
        let lower = word.to_lowercase();
        let common = strsim::jaro_winkler(&written, &lower);
        // Short words are far apart by proportion after a single slip: `mon` and `mno`.
        let slips = strsim::damerau_levenshtein(&written, &lower);
        if slips <= 1 || (slips == 2 && lower.chars().count() >= 4) { common.max(0.85) } else { common }
    };
    known
        .into_iter()
        .map(|word| (word, likeness(word)))
        .filter(|(_, like)| *like >= 0.82)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(word, _)| word)
}

/// `a, b or c`, each in backticks.
pub fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_stays_in_its_quotes_and_hides_nothing() {
        assert_eq!(quoted("size 日"), "`size 日`");
        assert_eq!(quoted("a`b\u{1b}c\u{2028}"), "`a\\u{60}b\\u{1b}c\\u{2028}`");
        assert_eq!(quoted("a\u{61c}b\u{ad}c\u{202e}d\u{200b}"), "`a\\u{61c}b\\u{ad}c\\u{202e}d\\u{200b}`");
        assert_eq!(quoted("a\u{e0041}b\u{fe0f}"), "`a\\u{e0041}b\\u{fe0f}`");
        assert_eq!(quoted(&"x".repeat(61)), format!("`{}…`", "x".repeat(59)));
    }
}
