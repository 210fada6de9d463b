//! A stranger's words, so that they read as they are and mean nothing to GitHub.

use super::links::Link;
use crate::domain::text::cut;
use crate::planner::prose::text::code;

/// Longer words are cut. Unit: characters.
const WORD_MAX_CHARS: usize = 300;
/// How far from its beginning the end of a `{{ template }}` is looked for. Unit: bytes.
const TEMPLATE_MAX_BYTES: usize = 120;

/// A piece of text, as it is to be written.
#[derive(Debug, PartialEq, Eq)]
pub enum Word {
    /// White space.
    Space,
    /// Text to be escaped.
    Plain(String),
    /// Text that stands in a code span, or GitHub would see more in it.
    Code(String),
    /// An address of the web, and what to show for it.
    Link { url: String, shown: String },
}

/// Takes a text apart. Words end at white space, and between ASCII and other characters: whatever GitHub finds in a text is in
/// ASCII, and languages without spaces are not one long word.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if first.is_whitespace() {
            words.push(Word::Space);
            rest.find(|c: char| !c.is_whitespace())
        } else if let Some(length) = template(rest) {
            words.push(Word::Code(rest[..length].to_string()));
            Some(length)
        } else if first.is_ascii() {
            let end = rest.find(|c: char| !c.is_ascii() || c.is_whitespace());
            let (this, after) = rest.split_at(end.unwrap_or(rest.len()));
            word(this, after.starts_with(may_be_of_a_name), &mut words);
            end
        } else {
            let mut many = rest.char_indices().take_while(|(_, c)| !c.is_ascii() && !c.is_whitespace());
            let end = many.nth(WORD_MAX_CHARS).map(|(at, _)| at);
            let end = end.or_else(|| rest.find(|c: char| c.is_ascii() || c.is_whitespace()));
            words.push(Word::Plain(rest[..end.unwrap_or(rest.len())].to_string()));
            end
        };
        rest = end.map_or("", |end| &rest[end..]);
    }
    words
}

/// The length of the `{{ template }}` or `${{ expression }}` that a text begins with.
fn template(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('$').unwrap_or(text).strip_prefix("{{")?;
    let near = inner.as_bytes().get(..TEMPLATE_MAX_BYTES).unwrap_or(inner.as_bytes());
    let end = near.windows(2).position(|pair| pair == b"}}")?;
    Some(text.len() - inner.len() + end + 2)
}

/// Whether a character right after an address may belong to the name of its host: all may but ASCII, white space and the
/// punctuation that is written there.
fn may_be_of_a_name(c: char) -> bool {
    let is_punctuation = matches!(c, '«' | '»' | '\u{2010}'..='\u{2064}' | '\u{3001}'..='\u{3020}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}');
    !c.is_ascii() && !c.is_whitespace() && !is_punctuation
}

/// A word of ASCII: what is around it stays outside of the code span or the link that it becomes. `goes_on` says that other
/// characters follow it that a name may have.
fn word(text: &str, goes_on: bool, words: &mut Vec<Word>) {
    const OPENING: [char; 3] = ['(', '"', '\''];
    const CLOSING: [char; 10] = [')', '"', '\'', '.', ',', ';', ':', '!', '?', '>'];
    if !is_read_by_github(text) {
        // A cut can make a commit's id of what was too long for one.
        let short = cut(text, WORD_MAX_CHARS);
        words.push(if is_read_by_github(&short) { Word::Code(short) } else { Word::Plain(short) });
        return;
    }
    let start = address_start(text).unwrap_or(text.len() - text.trim_start_matches(OPENING).len());
    let core = text[start..].trim_end_matches(CLOSING);
    let (before, after) = (&text[..start], &text[start + core.len()..]);
    if !before.is_empty() {
        // What stands before an address can be anything.
        let before = cut(before, WORD_MAX_CHARS);
        words.push(if is_read_by_github(&before) { Word::Code(before) } else { Word::Plain(before) });
    }
    // The beginning of a name is another host.
    let is_part = goes_on && after.chars().all(|c| c == '.') && !has_path(core);
    match Link::read(core).filter(|_| !is_part) {
        Some(Link { url: Some(url), shown }) => words.push(Word::Link { url, shown }),
        Some(Link { url: None, shown }) => words.push(Word::Code(shown)),
        None if core.is_empty() => {}
        None => words.push(Word::Code(core.to_string())),
    }
    if !after.is_empty() {
        words.push(Word::Plain(cut(after, WORD_MAX_CHARS)));
    }
}

/// Whether an address has anything after its host.
fn has_path(address: &str) -> bool {
    address.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#']))
}

fn address_start(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    ["https://", "http://"].iter().filter_map(|scheme| lower.find(scheme)).min()
}

/// Whether GitHub, or a bot that reads the text, would see more than text in it: a name to be notified, an issue, a pull
/// request, a commit, an address, a formula, a command, an alert, a template.
pub fn is_read_by_github(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    let followed = |mark: &str, by: fn(u8) -> bool| {
        lower.match_indices(mark).any(|(at, _)| bytes.get(at + mark.len()).copied().is_some_and(by))
    };
    lower.contains(['@', '$'])
        || followed("#", |b| b.is_ascii_digit())
        || followed("gh-", |b| b.is_ascii_digit())
        || ["://", "www.", "{{", "}}", "[!", "[^", "mailto:", "xmpp:"].iter().any(|mark| lower.contains(mark))
        || ["/issues/", "/issue/", "/pull/", "/pulls/", "/commit/", "/commits/", "/discussions/"]
            .iter()
            .any(|part| lower.contains(part))
        || followed("/", |b| b.is_ascii_alphabetic()) && lower.trim_start_matches(['(', '"', '\'']).starts_with('/')
        || has_commit(bytes)
}

/// Whether 7 to 64 hexadecimal digits stand on their own.
fn has_commit(lower: &[u8]) -> bool {
    lower
        .split(|b| !b.is_ascii_alphanumeric() && *b != b'_')
        .any(|run| (7..=64).contains(&run.len()) && run.iter().all(u8::is_ascii_hexdigit))
}

/// Text in Markdown that shows it and nothing else. `starts` says that it is the first of its line, where more means something.
pub fn escaped(text: &str, starts: bool) -> String {
    let characters: Vec<char> = text.chars().collect();
    let number = characters.iter().take_while(|c| c.is_ascii_digit()).count();
    let mut escaped = String::with_capacity(text.len() + 8);
    for (i, c) in characters.iter().enumerate() {
        let near = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(char::is_ascii_alphanumeric);
        let means = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '~' | '|' | '$' => true,
            // Within a word it means nothing.
            '_' => !(near(i.checked_sub(1)) && near(Some(i + 1))),
            '&' => characters.get(i + 1).is_some_and(|c| *c == '#' || c.is_ascii_alphanumeric()),
            '-' | '+' | '=' | '#' | '>' => starts && i == 0,
            // It can be the second line of a table.
            ':' => starts && i == 0 && characters.get(1) == Some(&'-'),
            '.' | ')' => starts && i == number && number > 0,
            _ => false,
        };
        if means {
            escaped.push('\\');
        }
        escaped.push(*c);
    }
    escaped
}

/// A code span, on a line or in a cell of a table.
pub fn span(text: &str, max: usize, in_cell: bool) -> String {
    let text = literal(text);
    code(&if in_cell { text.replace('|', "¦") } else { text }, max)
}

/// What in a commit's message keeps the checks from running.
const SKIPS: [&str; 5] = ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"];

/// Whether a text in brackets keeps the checks from running.
pub fn is_skip(text: &str) -> bool {
    SKIPS.iter().any(|skip| skip.eq_ignore_ascii_case(text))
}

/// A line of code without what is acted on in the messages of commits too, where nothing is code: a squash merge may put the
/// pull request's text into one. `[skip ci]` loses its brackets, and between a closing keyword and its issue comes a dash.
pub fn literal(line: &str) -> String {
    // Lowering ASCII leaves every byte where it is.
    let lower = line.to_ascii_lowercase();
    let mut text = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let rest = &lower[at..];
        if c == '['
            && let Some(skip) = SKIPS.iter().find(|skip| rest.starts_with(**skip))
        {
            text.push('(');
            text.push_str(&line[at + 1..at + skip.len() - 1]);
            text.push(')');
            at += skip.len();
        } else if let Some(length) = closing_keyword(&lower, at) {
            text.push_str(&line[at..at + length]);
            text.push_str(" – ");
            at += length;
            at += line[at..].len() - line[at..].trim_start().len();
        } else {
            text.push(c);
            at += c.len_utf8();
        }
    }
    text
}

const KEYWORDS: [&str; 9] = ["closes", "closed", "close", "fixes", "fixed", "fix", "resolves", "resolved", "resolve"];

/// Whether a line ends with a word that closes the issue after it.
pub fn ends_with_keyword(line: &str) -> bool {
    let line = line.trim_end().trim_end_matches(':').trim_end();
    let word = line.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// The length of the keyword (with its colon) that stands at a place and closes the issue after it.
fn closing_keyword(lower: &str, at: usize) -> Option<usize> {
    if lower[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    // Near it: else a line of keywords would be read once for each of them.
    let mut end = lower.len().min(at + 300);
    while !lower.is_char_boundary(end) {
        end -= 1;
    }
    let rest = &lower[at..end];
    let keyword = KEYWORDS.iter().find(|keyword| {
        rest.strip_prefix(**keyword).is_some_and(|after| after.starts_with(|c: char| c.is_whitespace() || c == ':'))
    })?;
    let after = rest[keyword.len()..].trim_start();
    let (after, colon) = after.strip_prefix(':').map_or((after, false), |after| (after, true));
    let what = after.trim_start().split(char::is_whitespace).next()?;
    let length = if colon { rest.len() - after.len() } else { keyword.len() };
    is_read_by_github(what).then_some(length)
}
