//! A file's values with the bytes at which they are written. JSON and YAML are read into it.

use super::data::Data;
use super::path::Step;
use std::ops::Range;

/// The deepest that values may be nested.
pub(super) const DEEPEST: usize = 100;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Tree {
    /// Its bytes. Of a list or mapping in block style: from its first key or item to the end of its last value.
    pub(super) span: Range<usize>,
    /// Whether other values are written by reference to this one, or it says that it is of another kind than it looks.
    pub(super) marked: bool,
    /// Whether other values may be written by reference to this one.
    pub(super) anchored: bool,
    pub(super) kind: Kind,
}

/// What stands there.
#[derive(Debug)]
pub(super) enum Kind {
    Leaf(Data),
    List { block: bool, items: Vec<Tree> },
    Map { block: bool, entries: Vec<Entry> },
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Range<usize>,
    pub(super) name: String,
    /// Whether the key itself has an anchor.
    pub(super) anchored: bool,
    pub(super) value: Tree,
}

impl Tree {
    /// What it says.
    pub(super) fn data(&self) -> Data {
        match &self.kind {
            Kind::Leaf(data) => data.clone(),
            Kind::List { items, .. } => Data::List(items.iter().map(Self::data).collect()),
            Kind::Map { entries, .. } => {
                Data::Map(entries.iter().map(|entry| (entry.name.clone(), entry.value.data())).collect())
            }
        }
    }

    /// The place of what a step leads to, among the items or entries.
    pub(super) fn place(&self, step: &Step) -> Option<usize> {
        match &self.kind {
            Kind::Map { entries, .. } => entries.iter().position(|entry| entry.name == step.name),
            Kind::List { items, .. } => step.index.filter(|index| *index < items.len()),
            Kind::Leaf(_) => None,
        }
    }

    /// The item or the value of the entry at a place.
    pub(super) fn child(&self, place: usize) -> Option<&Self> {
        match &self.kind {
            Kind::Map { entries, .. } => entries.get(place).map(|entry| &entry.value),
            Kind::List { items, .. } => items.get(place),
            Kind::Leaf(_) => None,
        }
    }

    /// How many items or entries it has.
    pub(super) fn len(&self) -> usize {
        match &self.kind {
            Kind::Map { entries, .. } => entries.len(),
            Kind::List { items, .. } => items.len(),
            Kind::Leaf(_) => 0,
        }
    }

    /// Whether it is a list or mapping in block style.
    pub(super) fn is_block(&self) -> bool {
        matches!(self.kind, Kind::Map { block: true, .. } | Kind::List { block: true, .. })
    }

    /// Whether it, or something in it, is referred to from elsewhere, or tagged.
    pub(super) fn is_marked_anywhere(&self) -> bool {
        self.marked || (0..self.len()).any(|place| self.child(place).is_some_and(Self::is_marked_anywhere))
    }

    /// The deepest value that the steps lead to, and how many of them lead there.
    pub(super) fn deepest(&self, steps: &[Step]) -> (Vec<usize>, &Self) {
        let (mut here, mut places) = (self, Vec::new());
        for step in steps {
            let Some(place) = here.place(step) else { break };
            let Some(child) = here.child(place) else { break };
            places.push(place);
            here = child;
        }
        (places, here)
    }

    /// The value at places, each within the one before.
    pub(super) fn at(&self, places: &[usize]) -> Option<&Self> {
        places.iter().try_fold(self, |tree, place| tree.child(*place))
    }
}

/// Stretches of a text and what they become; none may overlap another.
#[derive(Debug, Default)]
pub(super) struct Splices(Vec<(Range<usize>, String)>);

impl Splices {
    /// One stretch.
    pub(super) fn of(range: Range<usize>, text: impl Into<String>) -> Self {
        Self(vec![(range, text.into())])
    }

    /// And another one.
    pub(super) fn and(mut self, range: Range<usize>, text: impl Into<String>) -> Self {
        self.0.push((range, text.into()));
        self
    }

    /// The text with all of them made; `None` where they contradict each other.
    pub(super) fn make(mut self, text: &str) -> Option<String> {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut made = String::with_capacity(text.len());
        let mut at = 0;
        for (range, new) in &self.0 {
            made.push_str(text.get(at..range.start)?);
            made.push_str(new);
            at = range.end;
        }
        made.push_str(text.get(at..)?);
        Some(made)
    }
}

/// How a text ends its lines.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Where the line of a byte begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Where the line of a byte ends, before its line end.
pub(super) fn end_of_line(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    if end > at && text[..end].ends_with('\r') { end - 1 } else { end }
}

/// The blanks a line begins with.
pub(super) fn indentation(text: &str, at: usize) -> &str {
    let start = line_start(text, at);
    let line = &text[start..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The lines from that of `start` to that of `end`, with the last one's line end; at the end of a text without one, with that
/// before them.
pub(super) fn whole_lines(text: &str, span: &Range<usize>) -> Range<usize> {
    let (start, end) = (line_start(text, span.start), end_of_line(text, span.end));
    let after = text[end..].len()
        - text[end..].strip_prefix("\r\n").or(text[end..].strip_prefix('\n')).unwrap_or(&text[end..]).len();
    if after > 0 || start == 0 {
        return start..end + after;
    }
    let before = text[..start].strip_suffix("\r\n").or(text[..start].strip_suffix('\n')).map_or(start, str::len);
    before..end
}
