//! Ends of lines: a text is searched as if each of its lines ended with `\n`, and changed as they end.

use std::borrow::Cow;
use std::ops::Range;

/// A text, and what is searched in its place. Places are those of what is searched, unless they are said to be the text's.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    searched: Cow<'t, str>,
    /// Where lines end. Empty for a text without `\r\n`, in which all places are the text's own.
    ends: Vec<usize>,
    /// Those of `ends` that are `\r\n` in the text.
    crlf: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// A text as it is, with whatever ends its lines.
    pub(super) fn exactly(text: &'t str) -> Self {
        Self { text, searched: Cow::Borrowed(text), ends: Vec::new(), crlf: Vec::new() }
    }

    /// A text with `\n` in the place of each `\r\n`.
    pub(super) fn of(text: &'t str) -> Self {
        let mut lines = Self::exactly(text);
        if !text.contains("\r\n") {
            return lines;
        }
        let mut searched = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let ended = line.strip_suffix('\n');
            let with_crlf = ended.and_then(|line| line.strip_suffix('\r'));
            searched.push_str(with_crlf.or(ended).unwrap_or(line));
            if ended.is_some() {
                lines.ends.push(searched.len());
                lines.crlf.extend(with_crlf.map(|_| searched.len()));
                searched.push('\n');
            }
        }
        lines.searched = Cow::Owned(searched);
        lines
    }

    /// What is searched.
    pub(super) fn searched(&self) -> &str {
        &self.searched
    }

    /// What stands in the text there.
    pub(super) fn slice(&self, range: Range<usize>) -> &'t str {
        &self.text[self.place(range.start)..self.place(range.end)]
    }

    /// What stands in the text from there on.
    pub(super) fn rest(&self, from: usize) -> &'t str {
        &self.text[self.place(from)..]
    }

    /// A place in the text. Of a `\r\n` it is the beginning or the end, never the middle.
    fn place(&self, at: usize) -> usize {
        at + self.crlf.partition_point(|end| *end < at)
    }

    /// How many lines end in a range. Nobody needs to know it of a text in which all ends are alike.
    fn ends_in(&self, range: Range<usize>) -> Range<usize> {
        let before = |at: usize| self.ends.partition_point(|end| *end < at);
        before(range.start)..before(range.end)
    }

    /// What ends the line of that number, counted from 0, in what is put in place of a range: what ended it there before, and
    /// where it is one more, what ends the last one, or the line that the range stands in.
    fn end(&self, replaced: &Range<usize>, number: usize) -> &'static str {
        let inside = self.ends_in(replaced.clone());
        let at = if inside.is_empty() { inside.end } else { (inside.start + number).min(inside.end - 1) };
        let end = self.ends.get(at).or(self.ends.last());
        if end.is_some_and(|end| self.crlf.binary_search(end).is_ok()) { "\r\n" } else { "\n" }
    }

    /// Puts pieces in the place of a range, one after the other, with the ends of lines that belong there.
    pub(super) fn put(&self, new: &mut String, replaced: &Range<usize>, ended: &mut usize, piece: Put<'_>) {
        match piece {
            Put::Found(range) => {
                *ended += self.ends_in(range.clone()).len();
                new.push_str(self.slice(range));
            }
            Put::Text(text) if self.crlf.is_empty() => new.push_str(text),
            Put::Text(text) => {
                for line in text.split_inclusive('\n') {
                    let Some(line) = line.strip_suffix('\n') else {
                        new.push_str(line);
                        continue;
                    };
                    new.push_str(line);
                    new.push_str(self.end(replaced, *ended));
                    *ended += 1;
                }
            }
        }
    }
}

/// A piece of what is put in.
#[derive(Debug)]
pub(super) enum Put<'p> {
    /// A text, with `\n` for whatever ends a line.
    Text(&'p str),
    /// What was found in a range, as it stands in the text.
    Found(Range<usize>),
}
