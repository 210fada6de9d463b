//! A text as it is meant, which remembers where in the file each of its bytes was written.
//!
//! Escapes, continuation lines and variables are all the same to an edit: the text it wants to change stands
//! elsewhere in the file, perhaps in pieces.

use crate::domain::Span;
use std::ops::Range;

/// A decoded text and the origin of each of its bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    text: String,
    /// For each byte of the text, the bytes of the file that stand for it.
    origins: Vec<Span>,
}

/// A stretch of a file and the text that replaces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
}

impl Written {
    /// A stretch of the file as it is; `base` is where `text` begins in the file.
    pub(super) fn verbatim(text: &str, base: usize) -> Self {
        let origins = (base..base + text.len()).map(|start| Span { start, end: start + 1 }).collect();
        Self { text: text.into(), origins }
    }

    /// A text whose characters stand somewhere from the byte `at` on, in a way that no edit can follow.
    pub(super) fn nowhere(text: &str, at: usize) -> Self {
        Self { text: text.into(), origins: vec![Span { start: at, end: at }; text.len()] }
    }

    /// Appends a character that the stretch `origin` of the file stands for.
    pub(super) fn push(&mut self, c: char, origin: Span) {
        self.text.push(c);
        self.origins.extend(std::iter::repeat_n(origin, c.len_utf8()));
    }

    /// Appends a character that stands in the file as it is, from the byte `start` on.
    pub(super) fn push_verbatim(&mut self, c: char, start: usize) {
        self.text.push(c);
        self.origins.extend((start..start + c.len_utf8()).map(|start| Span { start, end: start + 1 }));
    }

    /// Appends another text with its origins.
    pub(super) fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
        self.origins.extend_from_slice(&other.origins);
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// A part of the text with its origins. The range must lie on character boundaries.
    pub(super) fn slice(&self, range: Range<usize>) -> Self {
        Self { text: self.text[range.clone()].into(), origins: self.origins[range].into() }
    }

    /// Without white space around it.
    pub(super) fn trimmed(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        self.slice(start..start + self.text.trim().len())
    }

    /// The place in the file where a byte of the text was written.
    pub(super) fn origin(&self, at: usize) -> Option<Span> {
        self.origins.get(at).copied()
    }

    /// The stretch of the file from its first byte to its last, with all that may stand between its pieces.
    pub(super) fn span(&self) -> Option<Span> {
        Some(Span { start: self.origins.first()?.start, end: self.origins.last()?.end })
    }

    /// Each character with its place in the text and the bytes of the file that stand for it.
    pub(super) fn chars(&self) -> impl Iterator<Item = (usize, char, Span)> {
        self.text.char_indices().map(|(at, c)| {
            let (first, last) = (self.origins[at], self.origins[at + c.len_utf8() - 1]);
            (at, c, Span { start: first.start, end: last.end })
        })
    }

    /// Whether a part of the text stands in one piece in the file.
    pub(super) fn in_one_piece(&self, range: Range<usize>) -> bool {
        self.runs().any(|run| run.start <= range.start && range.end <= run.end)
    }

    /// The change to the file that turns this text into `new` by changing one piece of it, and that piece alone:
    /// the one that holds the byte `at`, if given, else the first that will do.
    pub(super) fn splice(&self, new: &str, at: Option<usize>) -> Option<Splice> {
        let runs = self.runs().filter(|run| at.is_none_or(|at| run.contains(&at)));
        runs.into_iter().find_map(|run| {
            let (before, after) = (&self.text[..run.start], &self.text[run.end..]);
            let text = new.strip_prefix(before)?.strip_suffix(after)?;
            Some(Splice {
                start: self.origins[run.start].start,
                end: self.origins[run.end - 1].end,
                text: text.to_string(),
            })
        })
    }

    /// The pieces: stretches whose bytes follow each other in the file, one for one.
    fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        std::iter::from_fn(move || {
            if start >= self.text.len() {
                return None;
            }
            let mut end = start + 1;
            while end < self.text.len() && self.follows(end) {
                end += 1;
            }
            Some(std::mem::replace(&mut start, end)..end)
        })
    }

    /// Whether the byte `at` stands right after the one before it. Bytes of one escape belong together.
    fn follows(&self, at: usize) -> bool {
        let (before, here) = (self.origins[at - 1], self.origins[at]);
        let plain = |span: Span| span.end - span.start == 1;
        before == here || (before.end == here.start && plain(before) && plain(here)) || !self.text.is_char_boundary(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_piece_changes_and_the_others_stay() {
        // As in `ARG PY=3.12` (at 7) and `FROM python:${PY}-slim` (at 30).
        let mut tag = Written::verbatim("3.12", 7);
        tag.append(&Written::verbatim("-slim", 30));
        assert_eq!(tag.text(), "3.12-slim");
        let splice = |new: &str, at| tag.splice(new, at).map(|s| (s.start, s.end, s.text));
        assert_eq!(splice("4.0-slim", Some(0)), Some((7, 11, "4.0".into())));
        assert_eq!(splice("3.12-alpine", None), Some((30, 35, "-alpine".into())));
        assert_eq!(splice("3.12-alpine", Some(0)), None);
        assert_eq!(splice("4.0-alpine", None), None, "two pieces would change");
        assert!(tag.in_one_piece(0..4) && !tag.in_one_piece(3..5));
    }
}
