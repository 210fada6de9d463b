//! Lists and mappings between brackets, with commas: all of JSON, and such as YAML and TOML have too.

use super::data::Data;
use super::tree::{Entry, Kind, Splices, Tree, end_of_line, indentation, line_end, line_start, whole_lines};
use super::{json, toml_value, yaml_value};
use std::ops::Range;

/// How a format writes what is between brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Json,
    Yaml,
    Toml,
}

impl Syntax {
    pub(super) fn key(self, name: &str) -> String {
        match self {
            Self::Json => json::string(name),
            Self::Yaml => yaml_value::scalar(&Data::Text(name.into()), true).unwrap_or_else(|_| json::string(name)),
            Self::Toml => toml_value::key(name),
        }
    }

    pub(super) fn value(self, data: &Data) -> Result<String, String> {
        match self {
            Self::Json => json::inline(data),
            Self::Yaml => yaml_value::flow(data),
            Self::Toml => toml_value::inline(data),
        }
    }

    /// A value in the quotes of what stood there.
    pub(super) fn like(self, written: &str, data: &Data) -> Result<String, String> {
        match self {
            Self::Json => json::inline(data),
            Self::Yaml => yaml_value::like(written, data, true),
            Self::Toml => toml_value::like(written, data),
        }
    }

    const fn between(self) -> &'static str {
        match self {
            Self::Json | Self::Yaml => ": ",
            Self::Toml => " = ",
        }
    }

    /// The length of a comment that a text begins with, without the end of its line.
    fn comment(self, text: &str) -> Option<usize> {
        let line = || text.find('\n').unwrap_or(text.len());
        match self {
            Self::Json if text.starts_with("//") => Some(line()),
            Self::Json if text.starts_with("/*") => Some(text.find("*/").map_or(text.len(), |end| end + 2)),
            Self::Yaml | Self::Toml if text.starts_with('#') => Some(line()),
            _ => None,
        }
    }

    /// Where a character stands in a range that holds nothing else but blanks and comments.
    fn find(self, text: &str, range: Range<usize>, wanted: char) -> Option<usize> {
        let mut at = range.start;
        while at < range.end {
            let rest = text.get(at..range.end)?;
            let first = rest.chars().next()?;
            if first == wanted {
                return Some(at);
            }
            at += self.comment(rest).unwrap_or(first.len_utf8());
        }
        None
    }

    /// Whether a stretch of a line holds blanks and whole comments alone.
    fn is_blank(self, mut text: &str) -> bool {
        loop {
            text = text.trim_start();
            match self.comment(text) {
                Some(length) => text = &text[length..],
                None => return text.is_empty(),
            }
        }
    }
}

/// The bytes of an item, or of a key with its value.
fn extent(container: &Tree, place: usize) -> Option<Range<usize>> {
    match &container.kind {
        Kind::Map { entries, .. } => {
            entries.get(place).map(|entry| entry.key.start..entry.value.span.end.max(entry.key.end))
        }
        Kind::List { items, .. } => items.get(place).map(|item| item.span.clone()),
        Kind::Leaf(_) => None,
    }
}

/// Adds an item, or a key with its value, behind the last one.
pub(super) fn insert(
    text: &str,
    container: &Tree,
    key: Option<&str>,
    value: &Data,
    syntax: Syntax,
) -> Result<Splices, String> {
    let close =
        container.span.end.checked_sub(1).filter(|close| *close > container.span.start).ok_or("it has no end")?;
    let Some(last) = container.len().checked_sub(1).and_then(|last| extent(container, last)) else {
        return insert_first(text, container, key, value, syntax);
    };
    let comma = syntax.find(text, last.end..close, ',');
    let own_line = text[line_start(text, last.start)..last.start].trim().is_empty()
        && line_start(text, last.start) > container.span.start;
    let new = |margin: Option<&str>| entry(text, container, key, value, syntax, margin);
    if !own_line {
        let new = new(None)?;
        return Ok(match comma {
            Some(comma) => Splices::of(comma + 1..comma + 1, format!(" {new},")),
            None => Splices::of(last.end..last.end, format!(", {new}")),
        });
    }
    let margin = indentation(text, last.start);
    let new = format!("{}{margin}{}", line_end(text), new(Some(margin))?);
    let behind = comma.map_or(last.end, |comma| comma + 1);
    let line = end_of_line(text, behind);
    let at = if line <= close && syntax.is_blank(&text[behind..line]) { line } else { behind };
    Ok(match comma {
        // A comma behind the last one is the style of this file.
        Some(_) => Splices::of(at..at, format!("{new},")),
        None if at == last.end => Splices::of(at..at, format!(",{new}")),
        None => Splices::of(last.end..last.end, ",").and(at..at, new),
    })
}

/// Adds to brackets that hold nothing.
fn insert_first(
    text: &str,
    container: &Tree,
    key: Option<&str>,
    value: &Data,
    syntax: Syntax,
) -> Result<Splices, String> {
    let inner = container.span.start + 1..container.span.end - 1;
    if !syntax.is_blank(&text[inner.clone()]) || text[inner.clone()].trim().is_empty() {
        let outer = indentation(text, container.span.start);
        // JSON of several lines gives each entry its own.
        let several = syntax == Syntax::Json && (container.span.start == 0 || text.trim().contains('\n'));
        let several = several && key.is_some() || text[inner.clone()].contains('\n');
        if !several {
            return Ok(Splices::of(inner, entry(text, container, key, value, syntax, None)?));
        }
        let (end, margin) = (line_end(text), format!("{outer}{}", unit(text)));
        let new = entry(text, container, key, value, syntax, Some(&margin))?;
        return Ok(Splices::of(inner, format!("{end}{margin}{new}{end}{outer}")));
    }
    let (end, outer) = (line_end(text), indentation(text, container.span.start));
    let margin = format!("{outer}{}", unit(text));
    let new = entry(text, container, key, value, syntax, Some(&margin))?;
    let kept = text[inner.clone()].trim_end().len() + inner.start;
    Ok(Splices::of(kept..inner.end, format!("{end}{margin}{new}{end}{outer}")))
}

fn entry(
    text: &str,
    container: &Tree,
    key: Option<&str>,
    value: &Data,
    syntax: Syntax,
    margin: Option<&str>,
) -> Result<String, String> {
    let value = match (syntax, margin) {
        (Syntax::Json, Some(margin)) => json::pretty(value, unit(text), margin, line_end(text))?,
        _ => syntax.value(value)?,
    };
    Ok(match key {
        None => value,
        Some(key) => format!("{}{}{value}", syntax.key(key), between(text, container, syntax)),
    })
}

/// What stands between the keys and values of a mapping: as with the last one.
fn between<'t>(text: &'t str, container: &Tree, syntax: Syntax) -> &'t str {
    let last = match &container.kind {
        Kind::Map { entries, .. } => entries.last(),
        _ => None,
    };
    let written = last.and_then(|Entry { key, value, .. }| text.get(key.end..value.span.start));
    let plain = |between: &&str| {
        let sign = if syntax == Syntax::Toml { "=" } else { ":" };
        between.trim() == sign && !between.contains(['\n', '\r']) && (syntax != Syntax::Yaml || between.ends_with(' '))
    };
    written.filter(plain).unwrap_or(syntax.between())
}

/// By what a text indents: the blanks of its first line that has some.
pub(super) fn unit(text: &str) -> &str {
    let blanks = text.lines().map(|line| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]);
    blanks
        .zip(text.lines())
        .find(|(blanks, line)| !blanks.is_empty() && blanks.len() < line.trim_end().len())
        .map_or("  ", |(blanks, _)| blanks)
}

/// Takes out an item, or a key with its value, with one comma.
pub(super) fn delete(text: &str, container: &Tree, place: usize, syntax: Syntax) -> Result<Splices, String> {
    let own = extent(container, place).ok_or("it is not there")?;
    let close = container.span.end - 1;
    let next = extent(container, place + 1).map_or(close, |next| next.start);
    let before = place.checked_sub(1).and_then(|before| extent(container, before));
    let comma = syntax.find(text, own.end..next, ',');
    let comma_before = match &before {
        Some(before) if comma.is_none() => syntax.find(text, before.end..own.start, ','),
        _ => None,
    };
    let end = comma.map_or(own.end, |comma| comma + 1);
    let starts_line = text[line_start(text, own.start)..own.start].trim().is_empty()
        && line_start(text, own.start) > container.span.start;
    let line = end_of_line(text, end);
    let splices = if starts_line && line < close && line <= next && syntax.is_blank(&text[end..line]) {
        Splices::of(whole_lines(text, &(own.start..end)), "")
    } else if let Some(comma) = comma_before.filter(|_| !starts_line) {
        return Ok(Splices::of(comma..own.end, ""));
    } else {
        let blanks = text[end..next].len() - text[end..next].trim_start_matches([' ', '\t']).len();
        let blanks =
            if end + blanks == close && before.is_none() && text[container.span.start + 1..own.start].trim().is_empty()
            {
                return Ok(Splices::of(container.span.start + 1..close, ""));
            } else {
                blanks
            };
        Splices::of(own.start..end + blanks, "")
    };
    Ok(match comma_before {
        Some(comma) => splices.and(comma..comma + 1, ""),
        None => splices,
    })
}
