//! YAML as a manager needs it: values by their keys, and where in the file each character of a text stands.
//!
//! Built from the parser's events into a list of nodes. An alias is a second way to the same node, never a copy; merge
//! keys are followed when a key is looked up. What is looked at and how much text is read is counted, so that a file of aliases
//! that multiply each other, or of many to one long text, costs what any other file costs. Nothing recurses deeper than
//! [`value::MOST_MERGES`].

mod scalar;
mod value;

use super::{cut, line_of, line_starts, readable, without_mark};
use serde_saphyr::granit_parser::{self as granit, Event, ScalarStyle};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;

pub(super) use value::Value;

/// The most keys, values, lists and mappings of a file.
const MOST_NODES: usize = 200_000;

/// The most entries that are looked at in one file, aliased ones each time. Reading a long text takes steps as well.
const MOST_STEPS: usize = 1_000_000;

/// How much text is compared, searched or hashed in the time of a step. Unit: bytes.
const SEEN_IN_A_STEP: usize = 16;

/// How much text is taken apart, each of its characters with its place, in the time of a step. Unit: bytes.
const WRITTEN_IN_A_STEP: usize = 8;

/// A file, all its documents.
#[derive(Debug)]
pub(super) struct Yaml<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
    nodes: Vec<Node<'a>>,
    roots: Vec<usize>,
    /// The comments, each from its `#` to the end of its line, in the order of the text.
    comments: Vec<Range<usize>>,
    steps_left: Cell<usize>,
}

#[derive(Debug)]
enum Node<'a> {
    Scalar {
        text: Cow<'a, str>,
        style: ScalarStyle,
        span: Range<usize>,
        /// Whether a tag makes it something else than a text.
        tagged: bool,
    },
    List(Vec<usize>),
    Map(Vec<(usize, usize)>),
}

/// Reads a file.
///
/// Errors: what is wrong with it, with the line.
pub(super) fn read(text: &str) -> Result<Yaml<'_>, String> {
    readable(text)?;
    let (mark, body) = without_mark(text);
    let line_starts = line_starts(text);
    let options = granit::options! { emit_comments: false };
    let mut builder = Builder { mark, ..Builder::default() };
    for next in granit::Parser::new_from_str_with_options(body, options) {
        let (event, span) = next.map_err(|error| {
            format!("line {}: {}", error.marker().line().max(1), cut(error.info().lines().next().unwrap_or("not YAML")))
        })?;
        builder.take(event, span.byte_range().unwrap_or_default());
        if builder.nodes.len() > MOST_NODES {
            return Err(format!("there are more than {MOST_NODES} keys and values in it"));
        }
    }
    let comments = comments(text, &builder.nodes);
    let Builder { nodes, roots, .. } = builder;
    Ok(Yaml { text, line_starts, nodes, roots, comments, steps_left: Cell::new(MOST_STEPS) })
}

/// Comments begin at a `#` after white space that stands in no scalar.
fn comments(text: &str, nodes: &[Node<'_>]) -> Vec<Range<usize>> {
    let scalars = nodes.iter().filter_map(|node| match node {
        Node::Scalar { span, .. } => Some(span.clone()),
        _ => None,
    });
    let mut comments: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for scalar in scalars.chain(std::iter::once(text.len()..text.len())) {
        while let Some(gap) = text.get(at..scalar.start)
            && let Some(hash) = gap.find('#').map(|hash| at + hash)
        {
            if text[..hash].chars().next_back().is_none_or(|c| scalar::is_blank(c) || c == '\u{feff}') {
                let rest = &text[hash..];
                at = hash + rest.find(['\n', '\r']).unwrap_or(rest.len());
                comments.push(hash..at);
            } else {
                at = hash + 1;
            }
        }
        at = at.max(scalar.end);
    }
    comments
}

/// A list or mapping that is still being read.
struct Open {
    id: usize,
    /// The key whose value is to come, in a mapping.
    key: Option<usize>,
}

#[derive(Default)]
struct Builder<'a> {
    mark: usize,
    nodes: Vec<Node<'a>>,
    roots: Vec<usize>,
    open: Vec<Open>,
    anchors: HashMap<usize, usize>,
}

impl<'a> Builder<'a> {
    fn take(&mut self, event: Event<'a>, span: Range<usize>) {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tagged = tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag("str"));
                let span = span.start + self.mark..span.end + self.mark;
                self.add(Node::Scalar { text, style, span, tagged }, anchor);
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Node::List(Vec::new()), anchor),
            Event::MappingStart(_, anchor, _) => self.begin(Node::Map(Vec::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
            }
            Event::Alias(anchor) => {
                if let Some(&id) = self.anchors.get(&anchor) {
                    self.place(id);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, node: Node<'a>, anchor: usize) {
        let id = self.add(node, anchor);
        self.open.push(Open { id, key: None });
    }

    fn add(&mut self, node: Node<'a>, anchor: usize) -> usize {
        let id = self.nodes.len();
        self.nodes.push(node);
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        self.place(id);
        id
    }

    /// Puts a node where it belongs.
    fn place(&mut self, id: usize) {
        let Some(open) = self.open.last_mut() else { return self.roots.push(id) };
        match &mut self.nodes[open.id] {
            Node::List(items) => items.push(id),
            Node::Map(entries) => match open.key.take() {
                Some(key) => entries.push((key, id)),
                None => open.key = Some(id),
            },
            Node::Scalar { .. } => {}
        }
    }
}

impl<'a> Yaml<'a> {
    /// The documents of the file.
    pub(super) fn documents(&self) -> impl Iterator<Item = Value<'_>> {
        self.roots.iter().map(|&id| Value { yaml: self, id })
    }

    /// The line of a byte, counted from 1.
    pub(super) fn line_of(&self, at: usize) -> u32 {
        line_of(&self.line_starts, at)
    }

    /// To be asked when all was looked up and read.
    ///
    /// Errors: when the file's aliases made it too much; then not all of it was found.
    pub(super) fn all_seen(&self) -> Result<(), String> {
        if self.steps_left.get() == 0 { Err("its aliases stand for too much".into()) } else { Ok(()) }
    }

    /// Takes note that so many entries are looked at; false when it was too much.
    fn step(&self, entries: usize) -> bool {
        self.spend(entries + 1)
    }

    /// Takes note that so many steps are made; false when it was too much.
    fn spend(&self, steps: usize) -> bool {
        self.steps_left.set(self.steps_left.get().saturating_sub(steps));
        self.steps_left.get() > 0
    }
}
