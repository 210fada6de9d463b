//! Lists and mappings in YAML's block style, where indentation says what belongs together.

use super::data::Data;
use super::tree::{Entry, Kind, Splices, Tree, end_of_line, indentation, line_end, line_start, whole_lines};
use super::yaml::colon;
use super::yaml_value::{self, Indents, is_block};

const ODD_KEY: &str = "one of the keys beside it is written in an unusual way";
const ODD_ITEM: &str = "one of the items beside it is written in an unusual way";

/// How far a file indents: as below its first key that has a mapping or list on lines of its own, and by two where nothing tells.
pub(super) fn indents(text: &str, root: &Tree) -> Indents {
    let (mut map, mut list) = (None, None);
    look_for_indents(text, root, &mut map, &mut list);
    let usual = map.or(list.filter(|columns| *columns > 0)).unwrap_or(2);
    Indents { map: map.unwrap_or(usual), list: list.unwrap_or(usual) }
}

fn look_for_indents(text: &str, tree: &Tree, map: &mut Option<usize>, list: &mut Option<usize>) {
    if let Kind::Map { block: true, entries } = &tree.kind {
        for Entry { key, value, .. } in entries.iter().filter(|entry| entry.value.is_block()) {
            let found = if matches!(value.kind, Kind::List { .. }) { &mut *list } else { &mut *map };
            let columns = column(text, value.span.start).len().checked_sub(column(text, key.start).len());
            *found = found.or(columns);
        }
    }
    for place in 0..tree.len() {
        let Some(child) = tree.child(place).filter(|child| child.is_block()) else { continue };
        if map.is_some() && list.is_some() {
            return;
        }
        look_for_indents(text, child, map, list);
    }
}

/// The blanks up to the column of a byte.
fn column(text: &str, at: usize) -> String {
    // A byte order mark takes no column.
    " ".repeat(text[line_start(text, at)..at].trim_start_matches('\u{feff}').chars().count())
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
pub(super) fn insert(
    text: &str,
    container: &Tree,
    key: &str,
    value: &Data,
    indents: Indents,
) -> Result<Splices, String> {
    let at = line_of_end(text, container.span.end)?;
    let (margin, lines) = match &container.kind {
        Kind::Map { entries, .. } => {
            let first = entries.first().ok_or(ODD_KEY)?;
            colon(text, first.key.end).ok_or(ODD_KEY)?;
            (column(text, first.key.start), yaml_value::entry(key, value, indents)?)
        }
        _ => {
            let first = container.child(0).ok_or(ODD_ITEM)?;
            let item = yaml_value::lines(&Data::List(vec![value.clone()]), indents)?;
            (column(text, dash(text, first)?), item)
        }
    };
    Ok(Splices::of(at..at, on_lines(text, &margin, &lines)))
}

/// Gives a key or an item another value.
pub(super) fn replace(
    text: &str,
    container: &Tree,
    place: usize,
    value: &Data,
    indents: Indents,
) -> Result<Splices, String> {
    let old = container.child(place).ok_or("it is not there")?;
    let written = text.get(old.span.clone()).unwrap_or("\n");
    let several = written.contains('\n');
    let Kind::Map { entries, .. } = &container.kind else { return replace_item(text, old, value, indents) };
    let key = entries.get(place).map(|entry| entry.key.clone()).ok_or(ODD_KEY)?;
    let behind = colon(text, key.end).ok_or(ODD_KEY)? + 1;
    let margin = column(text, key.start) + &indents.of(value);
    let same_line = line_start(text, old.span.start) == line_start(text, key.start);
    if old.span.is_empty() || same_line && (!several || !old.is_block()) {
        if !is_block(value) && !several && !old.span.is_empty() {
            return Ok(Splices::of(old.span.clone(), yaml_value::like(written, value, false)?));
        }
        let end = old.span.end.max(behind);
        if !is_block(value) {
            return Ok(Splices::of(behind..end, format!(" {}", yaml_value::scalar(value, false)?)));
        }
        let line = line_of_end(text, end)?;
        let lines = on_lines(text, &margin, &yaml_value::lines(value, indents)?);
        return Ok(Splices::of(behind..end, "").and(line..line, lines));
    }
    let (from, to) = (end_of_line(text, behind), line_of_end(text, old.span.end)?);
    if !is_block(value) {
        return Ok(Splices::of(behind..behind, format!(" {}", yaml_value::scalar(value, false)?)).and(from..to, ""));
    }
    // One of the same kind stays at its column.
    let same_kind = matches!((&old.kind, value), (Kind::Map { .. }, Data::Map(_)) | (Kind::List { .. }, Data::List(_)));
    let margin = if same_kind { column(text, old.span.start) } else { margin };
    let lines = on_lines(text, &margin, &yaml_value::lines(value, indents)?);
    Ok(Splices::of(from..to, lines))
}

fn replace_item(text: &str, old: &Tree, value: &Data, indents: Indents) -> Result<Splices, String> {
    dash(text, old)?;
    let start = old.span.start;
    if is_block(value) {
        let lines = yaml_value::lines(value, indents)?;
        let margin = format!("{}{}", line_end(text), column(text, start));
        return Ok(Splices::of(start..old.span.end, lines.join(&margin)));
    }
    let end = if old.is_block() { line_of_end(text, old.span.end)? } else { old.span.end };
    let written = text.get(old.span.clone()).unwrap_or_default();
    Ok(Splices::of(start..end, yaml_value::like(written, value, false)?))
}

/// Takes out the one key or item that something below a key has, which is empty then: `value`. Comments above it stay.
pub(super) fn empty(
    text: &str,
    container: &Tree,
    place: usize,
    value: &Data,
    indents: Indents,
) -> Result<Splices, String> {
    let (Kind::Map { entries, .. }, Some(old)) = (&container.kind, container.child(place)) else {
        return replace(text, container, place, value, indents);
    };
    let key = &entries.get(place).ok_or(ODD_KEY)?.key;
    let behind = colon(text, key.end).ok_or(ODD_KEY)? + 1;
    let line = line_start(text, old.span.start);
    let above = text[..line].strip_suffix('\n').map_or(line, |above| above.strip_suffix('\r').unwrap_or(above).len());
    if above < behind {
        return Err(ODD_KEY.into());
    }
    let word = format!(" {}", yaml_value::scalar(value, false)?);
    Ok(Splices::of(behind..behind, word).and(above..line_of_end(text, old.span.end)?, ""))
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
    // It begins on the line of a dash, which the next one takes over.
    let next = starts(place + 1)?.ok_or(ODD_ITEM)?;
    let line = line_start(text, start);
    let before = &text[line..start];
    let between = text.get(line_of_end(text, end)?..next).ok_or(ODD_ITEM)?;
    let comments: Vec<&str> = between.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if before.contains(|c: char| !matches!(c, ' ' | '-')) || comments.iter().any(|line| !line.starts_with('#')) {
        return Err(ODD_ITEM.into());
    }
    // Comments above the next one are about that.
    let margin = indentation(text, start);
    let above: String = comments.iter().map(|comment| format!("{margin}{comment}{}", line_end(text))).collect();
    Ok(Splices::of(line..line, above).and(start..next, ""))
}
