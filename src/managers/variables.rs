//! Texts with variables, as Dockerfiles and compose files write them: `${NAME:-default}`.
//!
//! It keeps track of where each character stands, so that an edit lands in a variable's default if the version does.

use super::written::Written;
use crate::domain::{Skip, Span};
use std::collections::HashMap;

/// The longest text a variable may expand to, in bytes: image names are short, and variables can double each other.
const LONGEST_BYTES: usize = 512;

/// How deep `${A:-${B:-…}}` is followed.
const DEEPEST: usize = 8;

/// How a format writes texts with variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Quotes are taken off, and the escape makes what follows it plain.
    /// Source: Docker's documentation, "Dockerfile reference", Environment replacement.
    Dockerfile { escape: char },
    /// `$$` is a dollar; the rest is YAML's. Source: Docker's documentation, "Compose file reference", Interpolation.
    Compose,
}

/// Variables with a value, and variables that are known to have none here.
#[derive(Debug, Default)]
pub(super) struct Variables(HashMap<String, Option<Written>>);

impl Variables {
    /// Gives a variable a value, or none.
    pub(super) fn set(&mut self, name: &str, value: Option<Written>) {
        self.0.insert(name.to_string(), value);
    }

    /// The text that is meant, variables replaced, or why that cannot be told.
    pub(super) fn expand(&self, text: &Written, syntax: Syntax) -> Result<Written, Skip> {
        self.expand_within(text, syntax, DEEPEST)
    }

    fn expand_within(&self, text: &Written, syntax: Syntax, depth: usize) -> Result<Written, Skip> {
        let not_understood = |why: &str| Skip::NotUnderstood(why.into());
        let chars: Vec<(usize, char, Span)> = text.chars().collect();
        let mut result = Written::default();
        let (quotes, escape) = match syntax {
            Syntax::Dockerfile { escape } => (true, Some(escape)),
            Syntax::Compose => (false, None),
        };
        let (mut single, mut double) = (false, false);
        let mut at = 0;
        while let Some(&(position, c, origin)) = chars.get(at) {
            at += 1;
            match c {
                '\'' if quotes && !double => single = !single,
                '"' if quotes && !single => double = !double,
                _ if single => result.push(c, origin),
                _ if Some(c) == escape => {
                    if let Some(&(_, next, origin)) = chars.get(at) {
                        result.push(next, origin);
                        at += 1;
                    }
                }
                '$' if syntax == Syntax::Compose && chars.get(at).is_some_and(|(_, next, _)| *next == '$') => {
                    result.push(c, Span { start: origin.start, end: chars[at].2.end });
                    at += 1;
                }
                '$' => {
                    let rest = &text.text()[position + 1..];
                    let (value, length) = self.variable(text, position + 1, rest, syntax, depth)?;
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
        syntax: Syntax,
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
        let colon = usize::from(modifier.starts_with(':'));
        let sign = modifier[colon..].chars().next().map_or(0, char::len_utf8);
        let (operator, word) = modifier.split_at(colon + sign);
        let declared = self.0.get(name).and_then(Option::as_ref);
        let set = declared.filter(|value| !operator.starts_with(':') || !value.text().is_empty());
        let word_at = start + length - 1 - word.len();
        let word = || match depth.checked_sub(1) {
            Some(depth) => self.expand_within(&text.slice(word_at..word_at + word.len()), syntax, depth),
            None => Err(Skip::NotUnderstood("its variables are nested too deeply".into())),
        };
        match operator {
            ":-" | "-" => Ok((set.cloned().map_or_else(word, Ok)?, length)),
            ":+" | "+" => Ok((if set.is_some() { word()? } else { Written::default() }, length)),
            ":?" | "?" => Ok((set.cloned().ok_or_else(|| Skip::Variable(name.into()))?, length)),
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
