//! The hashes of files that a requirement pins: where they stand, and the same list with other hashes.
//!
//! Source: pip's documentation, "Secure installs": `--hash=algorithm:digest`, any number of times.

use super::written::{Splice, Written};
use crate::domain::Span;

/// The hashes of one requirement, in the order of the text.
#[derive(Clone, Debug)]
pub(super) struct Hashes(Vec<HashOption>);

/// One hash with the option that carries it.
#[derive(Clone, Debug)]
pub(super) struct HashOption {
    /// `sha256:…`.
    pub(super) value: Written,
    /// The option, with its quotes where it has some.
    pub(super) span: Span,
    /// Where the word before it ends. What lies between, spaces and perhaps the end of a line, is the style of the list.
    pub(super) gap_start: usize,
}

impl Hashes {
    /// `None` when there are no hashes.
    pub(super) fn of(options: Vec<HashOption>) -> Option<Self> {
        (!options.is_empty()).then_some(Self(options))
    }

    /// The hashes as written.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|option| option.value.text())
    }

    /// Whether each stands in one piece, so that another can take its place.
    pub(super) fn can_be_replaced(&self) -> bool {
        self.0.iter().all(|option| option.value_span().is_some())
    }

    /// The changes that put `new` in the place of all hashes: the first ones take the places that are there, the rest
    /// follows in the style of the last one, and places that are left over go together with the gap before them.
    /// `None` when a hash stands in pieces, or there are no new ones.
    pub(super) fn splices(&self, text: &str, new: &[String]) -> Option<Vec<Splice>> {
        let kept = self.0.len().min(new.len());
        let (last, further) = (self.0[..kept].last()?, &new[kept..]);
        let mut splices = self.0[..kept].iter().zip(new).map(|(o, hash)| o.with(hash)).collect::<Option<Vec<_>>>()?;
        if !further.is_empty() {
            let value = last.value_span()?;
            let (gap, before) = (text.get(last.gap_start..last.span.start)?, text.get(last.span.start..value.start)?);
            let after = text.get(value.end..last.span.end)?;
            let more: String = further.iter().flat_map(|hash| [gap, before, hash, after]).collect();
            let splice = splices.last_mut()?;
            splice.text.push_str(after);
            splice.text.push_str(&more);
            splice.end = last.span.end;
        }
        let left_over = &self.0[kept..];
        splices.extend(left_over.iter().map(|o| Splice { start: o.gap_start, end: o.span.end, text: String::new() }));
        Some(splices)
    }
}

impl HashOption {
    fn value_span(&self) -> Option<Span> {
        let end = self.value.text().len();
        let in_one_piece = end > 0 && self.value.in_one_piece(0..end);
        let (first, last) = (self.value.origin(0)?, self.value.origin(end - 1)?);
        in_one_piece.then_some(Span { start: first.start, end: last.end })
    }

    fn with(&self, hash: &str) -> Option<Splice> {
        let span = self.value_span()?;
        Some(Splice { start: span.start, end: span.end, text: hash.into() })
    }
}

/// Whether a text is a hash as it is written into a file.
pub(super) fn is_sha256(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|digits| super::edit::is_hex(digits, 64))
}
