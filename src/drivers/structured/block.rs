//! Lists and mappings in YAML's block style, where indentation says what belongs together.

use super::data::Data;
use super::tree::{Kind, Splices, Tree, end_of_line, line_end, line_start, whole_lines};
use super::yaml::colon;
use super::yaml_value::{self, is_block};

const ODD_KEY: &str = "one of the keys beside it is written in an unusual way";
const ODD_ITEM: &str = "one of the items beside it is written in an unusual way";

/// The blanks up to the column of a byte.
fn column(text: &str, at: usize) -> String {
    " ".repeat(text[line_start(text, at)..at].chars().count())
}

/// Whether nothing but a comment follows on a line.
fn is_rest(text: &str) -> bool {
    let rest = text.trim_start();
    rest.is_empty() || (rest.starts_with('#') && (rest.len() < text.len() || text.is_empty()))
}

/// Where the line ends on which a value ends.
fn line_of_end(text: &str, end: usize) -> Result<usize, String> {
    let line = end_of_line(text, end);
    if is_rest(&text[end..line]) { Ok(line) } else { Err("something else stands on the line on which it ends".into()) }
}

/// The dash of an item.
fn dash(text: &str, item: &Tree) -> Result<usize, String> {
    let before = text[..item.span.start].trim_end();
    let dash = before.len().checked_sub(1).filter(|_| before.ends_with('-') && !item.span.is_empty());
    dash.ok_or_else(|| ODD_ITEM.into())
}

fn on_lines(text: &str, margin: &str, lines: &[String]) -> String {
    lines.iter().map(|line| format!("{}{margin}{line}", line_end(text))).collect()
}

/// Adds a key with its value, or an item, behind the last one.
pub(super) fn insert(text: &str, container: &Tree, key: &str, value: &Data) -> Result<Splices, String> {
    let at = line_of_end(text, container.span.end)?;
    let (margin, lines) = match &container.kind {
        Kind::Map { entries, .. } => {
            let first = entries.first().ok_or(ODD_KEY)?;
            colon(text, first.key.end).ok_or(ODD_KEY)?;
            (column(text, first.key.start), yaml_value::entry(key, value)?)
        }
        _ => {
            let first = container.child(0).ok_or(ODD_ITEM)?;
            let item = yaml_value::lines(&Data::List(vec![value.clone()]))?;
            (column(text, dash(text, first)?), item)
        }
    };
    Ok(Splices::of(at..at, on_lines(text, &margin, &lines)))
}

/// Gives a key or an item another value.
pub(super) fn replace(text: &str, container: &Tree, place: usize, value: &Data) -> Result<Splices, String> {
    let old = container.child(place).ok_or("it is not there")?;
    let several = text.get(old.span.clone()).is_none_or(|written| written.contains('\n'));
    let Kind::Map { entries, .. } = &container.kind else { return replace_item(text, old, value) };
    let key = entries.get(place).map(|entry| entry.key.clone()).ok_or(ODD_KEY)?;
    let behind = colon(text, key.end).ok_or(ODD_KEY)? + 1;
    let same_line = line_start(text, old.span.start) == line_start(text, key.start);
    if old.span.is_empty() || same_line && (!several || !old.is_block()) {
        if !is_block(value) && !several && !old.span.is_empty() {
            return Ok(Splices::of(old.span.clone(), like(text, old, value)?));
        }
        let end = old.span.end.max(behind);
        if !is_block(value) {
            return Ok(Splices::of(behind..end, format!(" {}", yaml_value::scalar(value, false)?)));
        }
        let line = line_of_end(text, end)?;
        let lines = on_lines(text, &(column(text, key.start) + "  "), &yaml_value::lines(value)?);
        return Ok(Splices::of(behind..end, "").and(line..line, lines));
    }
    let (from, to) = (end_of_line(text, behind), line_of_end(text, old.span.end)?);
    if !is_block(value) {
        return Ok(Splices::of(behind..behind, format!(" {}", yaml_value::scalar(value, false)?)).and(from..to, ""));
    }
    let lines = on_lines(text, &column(text, old.span.start), &yaml_value::lines(value)?);
    Ok(Splices::of(from..to, lines))
}

fn replace_item(text: &str, old: &Tree, value: &Data) -> Result<Splices, String> {
    dash(text, old)?;
    let start = old.span.start;
    if is_block(value) {
        let lines = yaml_value::lines(value)?;
        let margin = format!("{}{}", line_end(text), column(text, start));
        return Ok(Splices::of(start..old.span.end, lines.join(&margin)));
    }
    let end = if old.is_block() { line_of_end(text, old.span.end)? } else { old.span.end };
    Ok(Splices::of(start..end, like(text, old, value)?))
}

/// A value without parts, in the quotes that the old one has, or without.
fn like(text: &str, old: &Tree, value: &Data) -> Result<String, String> {
    let written = text.get(old.span.clone()).unwrap_or_default();
    Ok(match value {
        Data::Text(new) if written.starts_with('\'') && !new.contains(|c: char| c.is_control() || c == '\'') => {
            format!("'{new}'")
        }
        Data::Text(new) if written.starts_with('"') => yaml_value::quoted(new),
        value => yaml_value::scalar(value, false)?,
    })
}

/// Takes out one of several keys or items.
pub(super) fn delete(text: &str, container: &Tree, place: usize) -> Result<Splices, String> {
    let starts = |place: usize| -> Result<Option<usize>, String> {
        match &container.kind {
            Kind::Map { entries, .. } => Ok(entries.get(place).map(|entry| entry.key.start)),
            _ => container.child(place).map(|item| dash(text, item)).transpose(),
        }
    };
    let start = starts(place)?.ok_or("it is not there")?;
    let end = container.child(place).ok_or("it is not there")?.span.end;
    if text[line_start(text, start)..start].trim().is_empty() {
        line_of_end(text, end)?;
        return Ok(Splices::of(whole_lines(text, &(start..end)), ""));
    }
    let next = starts(place + 1)?.ok_or(ODD_ITEM)?;
    Ok(Splices::of(start..next, ""))
}
