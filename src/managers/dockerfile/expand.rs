//! Words of a Dockerfile: joined lines, quotes, and variables replaced by what `ARG` gives them.
//! All of it keeps track of where each character stands, so that an edit lands in the `ARG` if the version does.

use super::super::written::Written;
use crate::domain::{Skip, Span};
use std::collections::HashMap;

/// The longest text a variable may expand to, in bytes: image names are short, and variables can double each other.
const LONGEST_BYTES: usize = 512;

/// How deep `${A:-${B:-…}}` is followed.
const DEEPEST: usize = 8;

/// Arguments with a default, and arguments declared without one.
#[derive(Debug, Default)]
pub(super) struct Arguments(HashMap<String, Option<Written>>);

impl Arguments {
    /// Takes in the arguments of an `ARG` instruction: `A=1 B="2" C`.
    pub(super) fn declare(&mut self, arguments: &Written, escape: char) {
        for word in words(arguments, escape) {
            let Some(at) = word.text().find('=') else {
                self.0.insert(word.text().to_string(), None);
                continue;
            };
            let name = word.text()[..at].to_string();
            // A default that cannot be told is like none: the image that uses it is then listed with that reason.
            let default = self.expand(&word.slice(at + 1..word.text().len()), escape).ok();
            self.0.insert(name, default);
        }
    }

    /// The text with quotes removed and variables replaced, or why that cannot be told.
    pub(super) fn expand(&self, text: &Written, escape: char) -> Result<Written, Skip> {
        self.expand_within(text, escape, DEEPEST)
    }

    fn expand_within(&self, text: &Written, escape: char, depth: usize) -> Result<Written, Skip> {
        let not_understood = |why: &str| Skip::NotUnderstood(why.into());
        let chars: Vec<(usize, char, Span)> = text.chars().collect();
        let mut result = Written::default();
        let (mut single, mut double) = (false, false);
        let mut at = 0;
        while let Some(&(position, c, origin)) = chars.get(at) {
            at += 1;
            match c {
                '\'' if !double => single = !single,
                '"' if !single => double = !double,
                _ if single => result.push(c, origin),
                _ if c == escape => {
                    if let Some(&(_, next, origin)) = chars.get(at) {
                        result.push(next, origin);
                        at += 1;
                    }
                }
                '$' => {
                    let rest = &text.text()[position + 1..];
                    let (value, length) = self.variable(text, position + 1, rest, escape, depth)?;
                    result.append(&value);
                    let end = position + 1 + length;
                    at = chars.partition_point(|(start, ..)| *start < end);
                }
                _ => result.push(c, origin),
            }
            if result.text().len() > LONGEST_BYTES {
                return Err(not_understood("its variables expand to too long a text"));
            }
        }
        if single || double { Err(not_understood("a quote is not closed")) } else { Ok(result) }
    }

    /// The value of the variable that `rest`, the text after a `$`, names, and how long its name is written.
    fn variable(
        &self,
        text: &Written,
        start: usize,
        rest: &str,
        escape: char,
        depth: usize,
    ) -> Result<(Written, usize), Skip> {
        let Some(braced) = rest.strip_prefix('{') else {
            let name = name_at_start(rest);
            return Ok((self.value(name)?.clone(), name.len()));
        };
        let name = name_at_start(braced);
        let length = 1 + closing_brace(braced).ok_or_else(|| Skip::NotUnderstood("`${` without `}`".into()))? + 1;
        let modifier = &rest[1 + name.len()..length - 1];
        if modifier.is_empty() {
            return Ok((self.value(name)?.clone(), length));
        }
        let (operator, word) =
            modifier.split_at(modifier.find(|c| !matches!(c, ':' | '-' | '+')).unwrap_or(modifier.len()));
        let declared = self.0.get(name).and_then(Option::as_ref);
        let set = declared.filter(|value| !operator.starts_with(':') || !value.text().is_empty());
        let word_at = start + length - 1 - word.len();
        let word = || match depth.checked_sub(1) {
            Some(depth) => self.expand_within(&text.slice(word_at..word_at + word.len()), escape, depth),
            None => Err(Skip::NotUnderstood("its variables are nested too deeply".into())),
        };
        match operator {
            ":-" | "-" => Ok((set.cloned().map_or_else(word, Ok)?, length)),
            ":+" | "+" => Ok((if set.is_some() { word()? } else { Written::default() }, length)),
            _ => Err(Skip::NotUnderstood(format!("`${{{name}{modifier}}}` is more than a default"))),
        }
    }

    fn value(&self, name: &str) -> Result<&Written, Skip> {
        if name.is_empty() {
            return Err(Skip::NotUnderstood("`$` without the name of a variable".into()));
        }
        self.0.get(name).and_then(Option::as_ref).ok_or_else(|| Skip::Variable(name.into()))
    }
}

fn name_at_start(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Where the brace that is open at the start of the text closes.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        (open == 0).then_some(at)
    })
}

/// The words of a text; quotes hold a word together and are kept for [`Arguments::expand`].
pub(super) fn words(text: &Written, escape: char) -> Vec<Written> {
    let mut words: Vec<Written> = Vec::new();
    let mut word = Written::default();
    let mut quote = None;
    let mut escaped = false;
    for (_, c, origin) in text.chars() {
        match quote {
            _ if escaped => escaped = false,
            Some(q) if c == q => quote = None,
            Some('\'') => {}
            _ if c == escape => escaped = true,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if c.is_whitespace() => {
                words.push(std::mem::take(&mut word));
                continue;
            }
            _ => {}
        }
        word.push(c, origin);
    }
    words.push(word);
    words.retain(|word| !word.text().is_empty());
    words
}

/// A stretch of the file without its line continuations, and without the comments and empty lines between them.
pub(super) fn joined(raw: &str, base: usize, escape: char) -> Written {
    let mut text = Written::default();
    let mut at = 0;
    while let Some(c) = raw[at..].chars().next() {
        let after = &raw[at + c.len_utf8()..];
        if c == escape
            && let Some(next_line) = line_end(after)
        {
            at = raw.len() - skip_comments(next_line).len();
            continue;
        }
        text.push_verbatim(c, base + at);
        at += c.len_utf8();
    }
    text
}

/// What follows the end of the line, if nothing but blanks comes before it.
fn line_end(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([' ', '\t']);
    text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n'))
}

fn skip_comments(mut text: &str) -> &str {
    loop {
        let line = text.split_inclusive('\n').next().unwrap_or_default();
        let content = line.trim();
        if line.is_empty() || !(content.is_empty() || content.starts_with('#')) || !line.ends_with('\n') {
            return text;
        }
        text = &text[line.len()..];
    }
}
