//! TOML: tables by their headers and dotted keys, and values in them.

use super::data::{Data, nested};
use super::flow::{self, Syntax};
use super::path::Step;
use super::toml_value::{inline, key};
use super::tree::{DEEPEST, Entry, Kind, Splices, Tree, end_of_line, line_end, line_start, whole_lines};
use crate::document::toml::too_deep;
use std::ops::Range;
use toml_edit::{ArrayOfTables, Document, Item, Table, TableLike, Value};

/// A file that was parsed.
pub(super) struct Toml<'t> {
    text: &'t str,
    /// The length of the byte order mark: spans count from behind it.
    mark: usize,
    document: Document<&'t str>,
}

/// What a step leads to.
#[derive(Clone, Copy)]
enum Here<'d> {
    Table(&'d Table),
    Tables(&'d ArrayOfTables),
    Value(&'d Value),
}

impl<'d> Here<'d> {
    fn of(item: &'d Item) -> Option<Self> {
        match item {
            Item::None => None,
            Item::Value(value) => Some(Self::Value(value)),
            Item::Table(table) => Some(Self::Table(table)),
            Item::ArrayOfTables(tables) => Some(Self::Tables(tables)),
        }
    }

    fn step(self, step: &Step) -> Option<Self> {
        match self {
            Self::Table(table) => Self::of(table.get(&step.name)?),
            Self::Tables(tables) => tables.get(step.index?).map(Self::Table),
            Self::Value(_) => None,
        }
    }
}

impl<'t> Toml<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self, String> {
        let mark = text.len() - text.trim_start_matches('\u{feff}').len();
        let line = |at: usize| text[..(mark + at).min(text.len())].matches('\n').count() + 1;
        if let Some((at, what)) = too_deep(&text[mark..]) {
            return Err(format!("line {}: {what}", line(at)));
        }
        let document = Document::parse(&text[mark..]).map_err(|error| {
            let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
            format!("line {}: {message}", line(error.span().map_or(0, |span| span.start)))
        })?;
        // Dotted keys between braces between dotted keys multiply what the parser lets pass.
        if !document.as_table().iter().all(|(_, item)| is_within(item, DEEPEST)) {
            return Err(format!("its values are nested deeper than {DEEPEST} levels"));
        }
        Ok(Self { text, mark, document })
    }

    pub(super) fn data(&self) -> Data {
        table_data(self.document.as_table())
    }

    fn span(&self, span: Option<Range<usize>>) -> Result<Range<usize>, String> {
        let span = span.ok_or("it is written in an unusual way")?;
        Ok(span.start + self.mark..span.end + self.mark)
    }

    /// What the steps lead to, the last one first, each with how many steps lead there.
    fn way(&self, steps: &[Step]) -> Vec<(usize, Here<'_>)> {
        let mut way = vec![(0, Here::Table(self.document.as_table()))];
        for (at, step) in steps.iter().enumerate() {
            let Some(next) = way.last().and_then(|(_, here)| here.step(step)) else { break };
            way.push((at + 1, next));
        }
        way.reverse();
        way
    }

    /// The text with a key set; it is known to differ.
    pub(super) fn set(&self, steps: &[Step], value: &Data) -> Result<String, String> {
        let way = self.way(steps);
        let Some(&(reached, here)) = way.first() else { return Err("it is not there".into()) };
        let rest = &steps[reached..];
        let splices = match here {
            Here::Value(written) => self.in_value(written, rest, value)?,
            Here::Table(_) if rest.is_empty() => return self.set_table(steps, value),
            Here::Tables(_) if rest.is_empty() => {
                return Err("it is a list of tables; set its tables one by one".into());
            }
            Here::Table(_) => self.add(&way, steps, value)?,
            Here::Tables(_) => match (rest, value) {
                ([_], Data::Map(rows)) if !is_in_list(&way[1..]) => self.section(&steps[..reached], rows, true)?,
                _ => return Err("a list of tables takes whole tables, one at a time".into()),
            },
        };
        splices.make(self.text).ok_or_else(|| "its places overlap".into())
    }

    /// A table keeps its header, and each of its keys is set by itself; none of them is missing in the new one.
    fn set_table(&self, steps: &[Step], value: &Data) -> Result<String, String> {
        let Data::Map(new) = value else {
            return Err(format!("it is a table, and {} cannot take its place; delete it first", value.kind()));
        };
        let data = self.data();
        let Some(Data::Map(old)) = data.get(steps) else { return Err("it is not there".into()) };
        let below = |name: &str| [steps, &[Step { name: name.into(), index: None }]].concat();
        let mut text = self.text.to_owned();
        for (name, value) in new {
            if !old.iter().any(|(key, old)| key == name && old.says(value)) {
                text = Toml::read(&text)?.set(&below(name), value)?;
            }
        }
        Ok(text)
    }

    /// Sets something in a value, or the value itself.
    fn in_value(&self, written: &Value, rest: &[Step], value: &Data) -> Result<Splices, String> {
        let tree = self.tree(written)?;
        let (places, here) = tree.deepest(rest);
        if here.marked {
            return Err("it is written by dotted keys between braces".into());
        }
        match rest[places.len()..].split_first() {
            None => {
                let written = self.text.get(here.span.clone()).unwrap_or_default();
                let new = Syntax::Toml.like(written, value)?;
                Ok(Splices::of(here.span.clone(), new))
            }
            Some((step, below)) => {
                let name = matches!(here.kind, Kind::Map { .. }).then_some(step.name.as_str());
                flow::insert(self.text, here, name, &nested(below, value)?, Syntax::Toml)
            }
        }
    }

    /// Adds a key to a table.
    fn add(&self, way: &[(usize, Here<'_>)], steps: &[Step], value: &Data) -> Result<Splices, String> {
        let reached = way.first().map_or(0, |(reached, _)| *reached);
        let rest = &steps[reached..];
        let is_table = matches!(value, Data::Map(rows) if !rows.is_empty());
        let dotted = matches!(way.first(), Some((_, Here::Table(table))) if table.is_dotted());
        if (rest.len() > 1 || is_table) && !dotted && !is_in_list(way) {
            return match (value, steps.split_last()) {
                (Data::Map(rows), _) if is_table => self.section(steps, rows, false),
                (_, Some((last, above))) => self.section(above, &[(last.name.clone(), value.clone())], false),
                _ => Err("it is not there".into()),
            };
        }
        // Dotted keys belong to the table under whose header they stand.
        let owner = way.iter().find_map(|(reached, here)| match here {
            Here::Table(table) if !table.is_dotted() => Some((*reached, *table)),
            _ => None,
        });
        let Some((above, owner)) = owner else { return Err("it is not there".into()) };
        let names: Vec<String> = steps[above..].iter().map(|step| key(&step.name)).collect();
        let row = format!("{} = {}", names.join("."), inline(value)?);
        let end = line_end(self.text);
        let values = values_of(owner);
        let last = values.iter().filter_map(|value| value.span()).map(|span| span.end + self.mark).max();
        if let Some(last) = last {
            let at = end_of_line(self.text, last);
            let margin = &self.text[line_start(self.text, last)..];
            let margin = &margin[..margin.len() - margin.trim_start_matches([' ', '\t']).len()];
            return Ok(Splices::of(at..at, format!("{end}{margin}{row}")));
        }
        if above == 0 {
            let behind = &self.text[self.mark..];
            let gap = if behind.trim().is_empty() || behind.starts_with(['\n', '\r']) { "" } else { end };
            return Ok(Splices::of(self.mark..self.mark, format!("{row}{end}{gap}")));
        }
        if owner.is_implicit() {
            let rows = [(steps[above].name.clone(), nested(&steps[above + 1..], value)?)];
            return self.section(&steps[..above], &rows, false);
        }
        let at = end_of_line(self.text, self.span(owner.span())?.start);
        Ok(Splices::of(at..at, format!("{end}{row}")))
    }

    /// A table at the end of the file.
    fn section(&self, steps: &[Step], rows: &[(String, Data)], one_of_many: bool) -> Result<Splices, String> {
        let end = line_end(self.text);
        let names: Vec<String> = steps.iter().map(|step| key(&step.name)).collect();
        let name = names.join(".");
        let header = if one_of_many { format!("[[{name}]]") } else { format!("[{name}]") };
        let mut lines = vec![header];
        for (name, value) in rows {
            lines.push(format!("{} = {}", key(name), inline(value)?));
        }
        let before = match self.text.get(self.mark..) {
            None | Some("") => String::new(),
            Some(text) if text.ends_with('\n') => end.into(),
            Some(_) => format!("{end}{end}"),
        };
        let at = self.text.len();
        Ok(Splices::of(at..at, format!("{before}{}{end}", lines.join(end))))
    }

    /// The text without a key; it is known to be there.
    pub(super) fn delete(&self, steps: &[Step]) -> Result<String, String> {
        let (last, above) = steps.split_last().ok_or("it is not there")?;
        let way = self.way(above);
        let &(reached, here) = way.first().ok_or("it is not there")?;
        let splices = match here {
            Here::Value(value) => {
                let tree = self.tree(value)?;
                let (places, container) = tree.deepest(&above[reached..]);
                let place = container.place(last).filter(|_| places.len() == above.len() - reached);
                if container.marked {
                    return Err("it is written by dotted keys between braces".into());
                }
                flow::delete(self.text, container, place.ok_or("it is not there")?, Syntax::Toml)?
            }
            here => {
                let mut ranges = Vec::new();
                match (here, here.step(last).ok_or("it is not there")?) {
                    (Here::Table(table), Here::Value(value)) => {
                        let key = self.span(table.key(&last.name).and_then(toml_edit::Key::span))?;
                        ranges.push(whole_lines(self.text, &(key.start..self.span(value.span())?.end)));
                    }
                    (_, Here::Table(table)) => self.lines_of(table, &mut ranges)?,
                    (_, Here::Tables(tables)) => {
                        for table in tables {
                            self.lines_of(table, &mut ranges)?;
                        }
                    }
                    (Here::Tables(_) | Here::Value(_), Here::Value(_)) => return Err("it is not there".into()),
                }
                ranges.into_iter().fold(Splices::default(), |splices, range| splices.and(range, ""))
            }
        };
        splices.make(self.text).ok_or_else(|| "its places overlap".into())
    }

    /// The lines of a table and of those in it.
    fn lines_of(&self, table: &Table, ranges: &mut Vec<Range<usize>>) -> Result<(), String> {
        if table.is_dotted() || table.is_implicit() {
            for (_, item) in table {
                if let (true, Some(value)) = (table.is_dotted(), item.as_value()) {
                    ranges.push(whole_lines(self.text, &self.span(value.span())?));
                }
            }
        } else {
            let header = self.span(table.span())?.start;
            let values = values_of(table);
            let ends = values.iter().filter_map(|value| value.span()).map(|span| span.end + self.mark);
            let end = ends.max().unwrap_or(header);
            let mut lines = whole_lines(self.text, &(header..end));
            // The empty line before a table goes with it.
            let before = &self.text[..lines.start];
            let above = before.strip_suffix("\r\n").or(before.strip_suffix('\n')).unwrap_or(before);
            if above.is_empty() || above.ends_with('\n') {
                lines.start = above.len();
            }
            ranges.push(lines);
        }
        let in_body = |inner: &Table| inner.is_dotted() && !table.is_dotted() && !table.is_implicit();
        for (_, item) in table {
            match item {
                Item::Table(inner) if in_body(inner) => self.headers_of(inner, ranges)?,
                Item::Table(inner) => self.lines_of(inner, ranges)?,
                Item::ArrayOfTables(tables) => {
                    for inner in tables {
                        self.lines_of(inner, ranges)?;
                    }
                }
                Item::Value(_) | Item::None => {}
            }
        }
        Ok(())
    }

    /// The tables with headers of their own below dotted keys whose lines are taken care of.
    fn headers_of(&self, dotted: &Table, ranges: &mut Vec<Range<usize>>) -> Result<(), String> {
        for (_, item) in dotted {
            match item {
                Item::Table(inner) if inner.is_dotted() => self.headers_of(inner, ranges)?,
                Item::Table(inner) => self.lines_of(inner, ranges)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The text with one place changed at which a key is written; it may be written at others.
    pub(super) fn rename_once(&self, steps: &[Step], to: &str) -> Result<String, String> {
        let (last, above) = steps.split_last().ok_or("it is not there")?;
        let way = self.way(above);
        let &(reached, here) = way.first().ok_or("it is not there")?;
        let span = match here {
            Here::Table(table) => self.span(table.key(&last.name).and_then(toml_edit::Key::span))?,
            Here::Tables(_) => return Err("the tables of a list have no names".into()),
            Here::Value(value) => {
                let tree = self.tree(value)?;
                let (_, container) = tree.deepest(&above[reached..]);
                let Kind::Map { entries, .. } = &container.kind else { return Err("it is not there".into()) };
                entries.iter().find(|entry| entry.name == last.name).ok_or("it is not there")?.key.clone()
            }
        };
        Splices::of(span, key(to)).make(self.text).ok_or_else(|| "its places overlap".into())
    }

    /// A value with the bytes of its parts. What dotted keys between braces make has none, and is marked.
    fn tree(&self, value: &Value) -> Result<Tree, String> {
        let kind = match value {
            Value::Array(array) => {
                Kind::List { block: false, items: array.iter().map(|item| self.tree(item)).collect::<Result<_, _>>()? }
            }
            Value::InlineTable(table) => {
                let mut entries = Vec::new();
                for (name, item) in table.iter() {
                    let key = self.span(TableLike::key(table, name).and_then(toml_edit::Key::span))?;
                    entries.push(Entry { key, name: name.into(), anchored: false, value: self.tree(item)? });
                }
                Kind::Map { block: false, entries }
            }
            leaf => Kind::Leaf(value_data(leaf)),
        };
        match value.span() {
            Some(span) => {
                let span = span.start + self.mark..span.end + self.mark;
                Ok(Tree { span, marked: false, anchored: false, kind })
            }
            None => Ok(Tree { span: 0..0, marked: true, anchored: false, kind }),
        }
    }
}

/// Whether an item is nested no deeper than so many levels.
fn is_within(item: &Item, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return false };
    match item {
        Item::None => true,
        Item::Value(value) => is_value_within(value, levels),
        Item::Table(table) => table.iter().all(|(_, item)| is_within(item, levels)),
        Item::ArrayOfTables(tables) => tables.iter().all(|table| table.iter().all(|(_, item)| is_within(item, levels))),
    }
}

fn is_value_within(value: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return false };
    match value {
        Value::Array(items) => items.iter().all(|item| is_value_within(item, levels)),
        Value::InlineTable(table) => table.iter().all(|(_, value)| is_value_within(value, levels)),
        _ => true,
    }
}

fn is_in_list(way: &[(usize, Here<'_>)]) -> bool {
    way.iter().any(|(_, here)| matches!(here, Here::Tables(_)))
}

/// The values that stand in a table's own lines, those of its dotted keys included.
fn values_of(table: &Table) -> Vec<&Value> {
    let mut values = Vec::new();
    for (_, item) in table {
        match item {
            Item::Value(value) => values.push(value),
            Item::Table(inner) if inner.is_dotted() => values.extend(values_of(inner)),
            _ => {}
        }
    }
    values
}

fn table_data(table: &Table) -> Data {
    Data::Map(table.iter().map(|(name, item)| (name.to_owned(), item_data(item))).collect())
}

fn item_data(item: &Item) -> Data {
    match item {
        Item::None => Data::Null,
        Item::Value(value) => value_data(value),
        Item::Table(table) => table_data(table),
        Item::ArrayOfTables(tables) => Data::List(tables.iter().map(table_data).collect()),
    }
}

fn value_data(value: &Value) -> Data {
    match value {
        Value::String(text) => Data::Text(text.value().clone()),
        Value::Integer(number) => Data::Number(number.display_repr().into_owned()),
        Value::Float(number) => Data::Number(number.display_repr().into_owned()),
        Value::Boolean(truth) => Data::Bool(*truth.value()),
        Value::Datetime(time) => Data::Other(time.value().to_string()),
        Value::Array(array) => Data::List(array.iter().map(value_data).collect()),
        Value::InlineTable(table) => {
            Data::Map(table.iter().map(|(name, value)| (name.to_owned(), value_data(value))).collect())
        }
    }
}
