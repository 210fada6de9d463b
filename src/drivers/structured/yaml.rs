//! YAML, read with the bytes of its values.

use super::data::Data;
use super::tree::{DEEPEST, Entry, Kind, Tree};
use crate::document::Value;
use crate::document::yaml::plain_scalar;
use serde_saphyr::granit_parser::{self as granit, Event, ScalarStyle, StructureStyle};
use std::collections::HashSet;
use std::ops::Range;

/// The most keys and values of a file.
const MOST_NODES: usize = 200_000;

/// Reads a text; spans count from its first byte, a byte order mark included.
pub(super) fn read(text: &str) -> Result<Tree, String> {
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    let options = granit::options! { emit_comments: false };
    let mut builder = Builder { text, mark, open: Vec::new(), root: None, documents: 0, nodes: 0, end: mark };
    for next in granit::Parser::new_from_str_with_options(&text[mark..], options) {
        let (event, span) = next.map_err(|error| {
            let what = error.info().lines().next().unwrap_or("not YAML").chars().take(120).collect::<String>();
            format!("line {}: {what}", error.marker().line().max(1))
        })?;
        builder.take(event, span.byte_range().unwrap_or_default())?;
    }
    let empty = Tree { span: text.len()..text.len(), marked: false, anchored: false, kind: Kind::Leaf(Data::Null) };
    Ok(builder.root.unwrap_or(empty))
}

/// A key whose value is to come: its bytes, its name, and whether it has an anchor.
type Key = (Range<usize>, String, bool);

/// A list or mapping that is still being read.
struct Open {
    tree: Tree,
    names: HashSet<String>,
    /// The key whose value is to come.
    key: Option<Key>,
}

struct Builder<'a> {
    text: &'a str,
    mark: usize,
    open: Vec<Open>,
    root: Option<Tree>,
    documents: usize,
    nodes: usize,
    /// Where the last value ended.
    end: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), String> {
        let span = span.start + self.mark..span.end + self.mark;
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err("it holds several documents, and a key could mean any of them".into());
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let data = match (&tag, style) {
                    (Some(tag), _) => Data::Other(format!("{tag:?} {text}")),
                    (None, ScalarStyle::Plain) => data_of(plain_scalar(&text)),
                    (None, _) => Data::Text(text.to_string()),
                };
                let raw = self.text.get(span.clone()).unwrap_or_default().trim_end();
                let is_empty = style == ScalarStyle::Plain && (raw.is_empty() || text.is_empty());
                let span = match style {
                    _ if is_empty => self.after_colon(),
                    // The parser's place may be that of the text, or of the sign on the line before it.
                    ScalarStyle::Literal | ScalarStyle::Folded => {
                        let sign = self.text.get(self.end..span.start).and_then(|before| before.find(['|', '>']));
                        sign.map_or(span.start, |sign| self.end + sign)..span.start + raw.len()
                    }
                    _ => span.start..span.start + raw.len(),
                };
                let (marked, anchored) = (anchor != 0 || tag.is_some(), anchor != 0);
                self.add(Tree { span, marked, anchored, kind: Kind::Leaf(data) })?;
            }
            Event::Alias(_) => {
                let name = self.text.get(span.clone()).unwrap_or_default().trim_end();
                let span = span.start..span.start + name.len();
                let kind = Kind::Leaf(Data::Other(name.into()));
                self.add(Tree { span, marked: false, anchored: false, kind })?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                let kind = Kind::List { block: style == StructureStyle::Block, items: Vec::new() };
                let (marked, anchored) = (anchor != 0 || tag.is_some(), anchor != 0);
                self.begin(Tree { span, marked, anchored, kind })?;
            }
            Event::MappingStart(style, anchor, tag) => {
                let kind = Kind::Map { block: style == StructureStyle::Block, entries: Vec::new() };
                let (marked, anchored) = (anchor != 0 || tag.is_some(), anchor != 0);
                self.begin(Tree { span, marked, anchored, kind })?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { mut tree, .. }) = self.open.pop() else { return Ok(()) };
                let first = match &tree.kind {
                    Kind::Map { entries, .. } => entries.first().map(|entry| entry.key.start),
                    // A list begins with its first dash.
                    _ => tree.child(0).map(|item| {
                        let before = self.text[..item.span.start].trim_end();
                        if before.ends_with('-') { before.len() - 1 } else { item.span.start }
                    }),
                };
                tree.span = match first.filter(|_| tree.is_block()) {
                    Some(first) => first..self.end,
                    None => tree.span.start..span.end,
                };
                self.add(tree)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Where a value would stand that is not written: behind the colon of its key, or behind what came last.
    fn after_colon(&self) -> Range<usize> {
        let key = self.open.last().and_then(|open| open.key.as_ref());
        let at = key.map_or(self.end, |(key, ..)| colon(self.text, key.end).map_or(key.end, |colon| colon + 1));
        at..at
    }

    fn begin(&mut self, tree: Tree) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("its values are nested deeper than {DEEPEST} levels"));
        }
        self.open.push(Open { tree, names: HashSet::new(), key: None });
        Ok(())
    }

    fn add(&mut self, tree: Tree) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(format!("there are more than {MOST_NODES} keys and values in it"));
        }
        self.end = self.end.max(tree.span.end);
        let Some(open) = self.open.last_mut() else {
            self.root = Some(tree);
            return Ok(());
        };
        match &mut open.tree.kind {
            Kind::List { items, .. } => items.push(tree),
            Kind::Map { entries, .. } => match open.key.take() {
                Some((key, name, anchored)) => entries.push(Entry { key, name, anchored, value: tree }),
                None => {
                    let name = match tree.kind {
                        Kind::Leaf(Data::Text(name) | Data::Number(name) | Data::Other(name)) => name,
                        Kind::Leaf(Data::Bool(truth)) => truth.to_string(),
                        Kind::Leaf(_) => String::new(),
                        _ => return Err("a list or mapping stands where a key belongs".into()),
                    };
                    if !open.names.insert(name.clone()) {
                        let line = self.text[..tree.span.start].matches('\n').count() + 1;
                        return Err(format!("line {line}: the key `{name}` is there twice"));
                    }
                    open.key = Some((tree.span, name, tree.anchored));
                }
            },
            Kind::Leaf(_) => {}
        }
        Ok(())
    }
}

fn data_of(value: Value) -> Data {
    match value {
        Value::Bool(truth) => Data::Bool(truth),
        Value::Number(number) => Data::Number(number),
        Value::Text(text) => Data::Text(text),
        _ => Data::Null,
    }
}

/// The colon behind a key, on its line.
pub(super) fn colon(text: &str, key_end: usize) -> Option<usize> {
    let rest = text.get(key_end..)?;
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    rest[blanks..].starts_with(':').then_some(key_end + blanks)
}
