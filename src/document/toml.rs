//! Reads TOML into the same tree as YAML.
//!
//! A mistake of TOML itself ends the reading: the parser does not go on after one. All others are found together.

use super::node::{Key, Limits, Map, Node, Value, decode, small};
use super::problem::{Problems, Spot};
use std::ops::Range;
use toml_edit::{Document, Item, TableLike};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Each part of a dotted key is a table in the one before. Neither these nor brackets within brackets are bounded where a file is
/// parsed or given back, and some thousands of them take more stack than a thread has (seen). Keys that people write have seven parts
/// at most …
const KEY_PARTS_MAX: usize = 32;
/// … and their brackets stand four deep.
const DEPTH_MAX: usize = 64;

/// Reads a file. `None` when there is nothing to validate; then a problem says why. `begin` tells how to begin such a file.
pub fn read(bytes: &[u8], limits: Limits, begin: &str, problems: &mut Problems) -> Option<Node> {
    let text = decode(bytes, limits, problems)?;
    if text.trim().is_empty() {
        problems.add(Spot::START, "the file is empty", begin);
        return None;
    }
    // As YAML does: how the lines of the file end is no part of a text that goes over several. A `\r` that is written stays.
    let text = text.replace("\r\n", "\n");
    let text = text.as_str();
    let lines = Lines::of(text);
    if let Some((at, what)) = too_deep(text) {
        problems.add(lines.spot(at..at + 1), format!("{what} is more than is read"), "write it with fewer parts");
        return None;
    }
    match Document::parse(text) {
        Err(error) => {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            let fix = "correct it; a text stands in quotes, a list in `[…]`, a table begins with `[name]`";
            problems.add(lines.spot(error.span().unwrap_or_default()), format!("this is not TOML: {message}"), fix);
            None
        }
        Ok(document) => {
            let mut reader = Reader { lines, limits, nodes: 0, full: false };
            let map = reader.table(document.as_table(), problems);
            Some(Node { at: Spot::START, value: Value::Map(map) })
        }
    }
}

struct Reader<'a> {
    lines: Lines<'a>,
    limits: Limits,
    nodes: usize,
    full: bool,
}

impl Reader<'_> {
    fn table(&mut self, table: &dyn TableLike, problems: &mut Problems) -> Map {
        let mut map = Map { entries: Vec::new(), cut_short: false };
        for (name, item) in table.iter() {
            if self.full {
                map.cut_short = true;
                break;
            }
            let written = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
            let at = self.lines.spot(written.unwrap_or_default());
            let node = self.item(item, at, problems);
            map.entries.push((Key { at, name: name.into() }, node));
        }
        map
    }

    /// What stands under a key; a table that is written by its keys alone stands where the key does.
    fn item(&mut self, item: &Item, key: Spot, problems: &mut Problems) -> Node {
        match item {
            Item::None => Node { at: key, value: Value::Null },
            Item::Value(value) => self.value(value, key, problems),
            Item::Table(table) => {
                self.count(key, problems);
                Node { at: key, value: Value::Map(self.table(table, problems)) }
            }
            Item::ArrayOfTables(tables) => {
                self.count(key, problems);
                let items = tables.iter().map(|table| {
                    let at = table.span().map_or(key, |span| self.lines.spot(span));
                    Node { at, value: Value::Map(self.table(table, problems)) }
                });
                Node { at: key, value: Value::List(items.collect()) }
            }
        }
    }

    fn value(&mut self, value: &toml_edit::Value, key: Spot, problems: &mut Problems) -> Node {
        let at = value.span().map_or(key, |span| self.lines.spot(span));
        self.count(at, problems);
        let written = value.span().and_then(|span| self.lines.text.get(span));
        let value = match value {
            toml_edit::Value::String(text) => Value::Text(text.value().clone()),
            // As they are written: `0o755` says more than 493, and `1.10` is no 1.1. What stands in a file has a place.
            toml_edit::Value::Integer(number) => {
                Value::Number(written.map_or_else(|| number.value().to_string(), str::to_owned))
            }
            toml_edit::Value::Float(number) => {
                Value::Number(written.map_or_else(|| format!("{:?}", number.value()), |text| text.replace('_', "")))
            }
            toml_edit::Value::Boolean(truth) => Value::Bool(*truth.value()),
            toml_edit::Value::Datetime(time) => Value::Date(time.value().to_string()),
            toml_edit::Value::InlineTable(table) => Value::Map(self.table(table, problems)),
            toml_edit::Value::Array(items) => {
                let mut list = Vec::new();
                for item in items {
                    if self.full {
                        break;
                    }
                    list.push(self.value(item, at, problems));
                }
                Value::List(list)
            }
        };
        Node { at, value }
    }

    fn count(&mut self, at: Spot, problems: &mut Problems) {
        self.nodes += 1;
        if !self.full {
            self.full = self.limits.refuse_more(self.nodes, at, problems);
        }
    }
}

/// A text and where its lines begin.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The place of some bytes. What goes over several lines is shown by its first character.
    fn spot(&self, span: Range<usize>) -> Spot {
        let line = self.starts.partition_point(|&start| start <= span.start);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(start..span.start).map_or(0, |before| before.chars().count()) + 1;
        let within = self.text.get(span).filter(|within| !within.contains('\n'));
        let length = within.map_or(1, |within| within.chars().count().max(1));
        Spot { line: small(line), column: small(column), length: small(length) }
    }
}

/// Where a TOML text goes deeper than is read, and what.
pub fn too_deep(toml: &str) -> Option<(usize, String)> {
    let (mut dots, mut open) = (0, Vec::new());
    for token in Source::new(toml).lex() {
        let kind = token.kind();
        match kind {
            TokenKind::Dot => dots += 1,
            TokenKind::LeftSquareBracket => open.push(TokenKind::RightSquareBracket),
            TokenKind::LeftCurlyBracket => open.push(TokenKind::RightCurlyBracket),
            // A bracket that closes nothing is passed over, as the parser may do.
            _ if open.last() == Some(&kind) => drop(open.pop()),
            _ => {}
        }
        if !matches!(kind, TokenKind::Dot | TokenKind::Whitespace | TokenKind::Atom) && !is_quoted(kind) {
            dots = 0;
        }
        let at = token.span().start();
        if dots >= KEY_PARTS_MAX {
            return Some((at, format!("a key of more than {KEY_PARTS_MAX} parts")));
        }
        if open.len() > DEPTH_MAX {
            return Some((at, format!("brackets more than {DEPTH_MAX} deep")));
        }
    }
    None
}

fn is_quoted(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::LiteralString | TokenKind::BasicString)
}
