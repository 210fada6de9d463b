//! Reads YAML into a tree that knows the place of every node.
//!
//! It works on the parser's events instead of deserialising, for three reasons: a mistake becomes a problem
//! beside the others rather than the end of the reading, spans are never lost, and aliases, which are
//! refused, are never expanded. Nothing here recurses: depth costs heap, up to a bound.

use super::node::{Key, Limits, Map, Node, Value, decode, small};
use super::problem::{Problems, Spot, quoted};
use super::syntax::{QUOTE_STAR, report, too_deep};
use serde_saphyr::granit_parser::{self as granit, Event, Marker, ScalarStyle, Span};
use std::collections::HashMap;

/// How deep lists and mappings may be nested. No file that is read here needs more than half of it.
pub(super) const MAX_DEPTH: usize = 16;

/// Reads the one document of a file. `None` when there is nothing to validate; then a problem says why. `begin` tells how to
/// begin such a file.
pub fn read(bytes: &[u8], limits: Limits, begin: &str, problems: &mut Problems) -> Option<Node> {
    let text = decode(bytes, limits, problems)?;
    let mut builder = Builder::new(limits);
    let options = granit::options! { emit_unresolved_aliases: true, emit_anchor_events: true, emit_comments: false };
    for next in granit::Parser::new_from_str_with_options(text, options) {
        let stop = match next {
            Ok((event, span)) => builder.take(event, span, problems),
            Err(error) => {
                report(&error, text, problems);
                true
            }
        };
        if stop {
            break;
        }
    }
    let root = builder.finish();
    // What an error left of a file without any mapping says nothing about what was meant.
    let root = root.filter(|root| problems.is_empty() || matches!(root.value, Value::Map(_) | Value::List(_)));
    if root.is_none() && problems.is_empty() {
        problems.add(Spot::START, "the file is empty", begin);
    }
    root
}

pub(super) fn spot_at(marker: Marker) -> Spot {
    Spot { line: small(marker.line().max(1)), column: small(marker.col() + 1), length: 1 }
}

fn spot_of(span: Span) -> Spot {
    let one_line = span.start.line() == span.end.line();
    let length = if one_line { span.end.col().saturating_sub(span.start.col()) } else { 1 };
    Spot { length: small(length.max(1)), ..spot_at(span.start) }
}

/// A list or mapping that is still being read.
#[derive(Debug)]
enum Open {
    List { at: Spot, items: Vec<Node> },
    Map { at: Spot, map: Map, lines: HashMap<String, u32>, key: Option<Option<Key>> },
}

#[derive(Debug)]
struct Builder {
    limits: Limits,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
}

impl Builder {
    fn new(limits: Limits) -> Self {
        Self { limits, open: Vec::new(), root: None, nodes: 0, documents: 0 }
    }

    /// Takes one event; true when reading should stop.
    fn take(&mut self, event: Event<'_>, span: Span, problems: &mut Problems) -> bool {
        let at = spot_of(span);
        let tagged = self.report_tag(&event, span, problems);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    problems.add(
                        at,
                        "a second document starts here",
                        "keep one document: remove this `---` and what follows, or merge both",
                    );
                    return true;
                }
            }
            Event::Scalar(text, style, ..) => {
                let value = if tagged { Value::Unreadable } else { scalar(&text, style) };
                return self.add(Node { at, value }, problems);
            }
            Event::SequenceStart(..) => return self.begin(Open::List { at, items: Vec::new() }, at, problems),
            Event::MappingStart(..) => {
                let map = Map { entries: Vec::new(), cut_short: false };
                return self.begin(Open::Map { at, map, lines: HashMap::new(), key: None }, at, problems);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(false, problems),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                problems.add(
                    at,
                    "a value that begins with `*` is an alias in YAML, and aliases are not supported",
                    QUOTE_STAR,
                );
                return self.add(Node { at, value: Value::Unreadable }, problems);
            }
            Event::Anchor(_, name) => {
                problems.add(at, format!("anchors are not supported: {}", quoted(&format!("&{name}"))), "remove it");
            }
            _ => {}
        }
        false
    }

    fn report_tag(&self, event: &Event<'_>, span: Span, problems: &mut Problems) -> bool {
        let (Event::Scalar(.., tag) | Event::SequenceStart(.., tag) | Event::MappingStart(.., tag)) = event else {
            return false;
        };
        if tag.is_some() {
            let at = span.tag_span().map_or_else(|| spot_of(span), spot_of);
            problems.add(at, "tags are not supported", "remove the tag; quote the value if it is meant as text");
        }
        tag.is_some()
    }

    fn begin(&mut self, open: Open, at: Spot, problems: &mut Problems) -> bool {
        if self.open.len() >= MAX_DEPTH {
            too_deep(at, problems);
            return true;
        }
        self.open.push(open);
        self.count(at, problems)
    }

    fn count(&mut self, at: Spot, problems: &mut Problems) -> bool {
        self.nodes += 1;
        self.limits.refuse_more(self.nodes, at, problems)
    }

    fn add(&mut self, node: Node, problems: &mut Problems) -> bool {
        let at = node.at;
        self.place(node, problems);
        self.count(at, problems)
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, mut node: Node, problems: &mut Problems) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { map, lines, key, .. }) => match key.take() {
                None => *key = Some(as_key(node, lines, problems)),
                Some(None) => {}
                Some(Some(key)) => {
                    // An empty value has no place of its own: the parser puts it at the next token.
                    if matches!(node.value, Value::Null) && node.at.line != key.at.line {
                        node.at = key.at;
                    }
                    map.entries.push((key, node));
                }
            },
        }
    }

    fn close(&mut self, cut_short: bool, problems: &mut Problems) -> bool {
        match self.open.pop() {
            None => {}
            Some(Open::List { at, items }) => {
                // A list that was cut before its first item is not an empty list.
                let value = if cut_short && items.is_empty() { Value::Unreadable } else { Value::List(items) };
                self.place(Node { at, value }, problems);
            }
            Some(Open::Map { at, mut map, key, .. }) => {
                map.cut_short = cut_short;
                if let Some(Some(key)) = key {
                    let value = Node { at: key.at, value: Value::Unreadable };
                    map.entries.push((key, value));
                }
                self.place(Node { at, value: Value::Map(map) }, problems);
            }
        }
        false
    }

    /// What was read, closing whatever an error left open, so that the part before it is validated too.
    fn finish(mut self) -> Option<Node> {
        let mut silent = Problems::default();
        while !self.open.is_empty() {
            self.close(true, &mut silent);
        }
        self.root
    }
}

/// The key a node stands for; `None`, reported, if its value cannot belong to the mapping.
fn as_key(node: Node, lines: &mut HashMap<String, u32>, problems: &mut Problems) -> Option<Key> {
    let at = node.at;
    let name = match node.value {
        Value::Text(name) | Value::Number(name) | Value::Date(name) => name,
        Value::Bool(value) => value.to_string(),
        Value::Unreadable => return None,
        Value::Null => {
            problems.add(at, "a key is missing before the `:`", "write the key, or remove the line");
            return None;
        }
        Value::List(_) | Value::Map(_) => {
            problems.add(at, "a list or mapping stands where a key belongs", "write a plain word followed by `:`");
            return None;
        }
    };
    if name == "<<" {
        problems.add(at, "merge keys are not supported", "write the keys out here");
        return None;
    }
    if let Some(first) = lines.insert(name.clone(), at.line) {
        problems.add(at, format!("the key {} is here twice, first on line {first}", quoted(&name)), "keep one of them");
        lines.insert(name, first);
        return None;
    }
    Some(Key { at, name })
}

/// A scalar's value by the core schema of YAML 1.2: `yes`, `on` and `12:30` are texts.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::Text(text.into());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ if is_number(text) => Value::Number(text.into()),
        _ => Value::Text(text.into()),
    }
}

/// The value of a text without quotes.
pub fn plain_scalar(text: &str) -> Value {
    scalar(text, ScalarStyle::Plain)
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let special = matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN");
    let based =
        unsigned.strip_prefix("0x").is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_hexdigit()))
            || unsigned
                .strip_prefix("0o")
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| matches!(c, '0'..='7')));
    let decimal = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.chars().any(|c| c.is_ascii_digit())
        && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
        && unsigned.parse::<f64>().is_ok();
    special || based || decimal
}
