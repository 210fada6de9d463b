//! Where in the file each character of a YAML scalar stands.
//!
//! The parser says what a scalar means and from where to where it is written. Here both are laid side by side: what is
//! no white space stands in the text in the same order, perhaps as an escape; white space may have been folded.
//!
//! Source: YAML 1.2.2, chapters 5.7 "Escaped Characters", 7.3 "Flow Scalar Styles", 8.1 "Block Scalar Styles".

use super::super::written::Written;
use crate::domain::Span;
use serde_saphyr::granit_parser::ScalarStyle;

/// The meant text with the place of each character; `raw` is how the file writes it from the byte `base` on.
/// `None` when they do not agree.
pub(super) fn written(meant: &str, raw: &str, base: usize, style: ScalarStyle) -> Option<Written> {
    let (raw, base) = content(raw, base, style)?;
    let mut written = Written::default();
    let mut at = 0;
    for c in meant.chars() {
        loop {
            let sign = Sign::first(&raw[at..], style)?;
            let Some(sign) = sign.filter(|sign| !is_blank(c) || sign.means.is_none_or(is_blank)) else {
                // White space that stands elsewhere: empty lines at the start of a block scalar, the line end at its end.
                is_blank(c).then(|| written.push(c, Span { start: base + at, end: base + at }))?;
                break;
            };
            let origin = Span { start: base + at, end: base + at + sign.length };
            let folded = sign.means.is_some_and(is_blank) && !sign.escaped;
            if sign.means == Some(c) || (folded && is_blank(c)) {
                at += sign.length;
                match sign.means == Some(c) {
                    true if sign.length == c.len_utf8() => written.push_verbatim(c, origin.start),
                    true => written.push(c, origin),
                    // A line end that is meant as a space parts the text: what stands before it and after it are two pieces.
                    false => written.push(c, Span { start: origin.start, end: origin.start }),
                }
                break;
            }
            (folded || sign.means.is_none()).then(|| at += sign.length)?;
        }
    }
    raw[at..].chars().all(is_blank).then_some(written)
}

/// The part of the raw text that holds the scalar's characters: without quotes, without a block scalar's first line.
fn content(raw: &str, base: usize, style: ScalarStyle) -> Option<(&str, usize)> {
    let skipped = match style {
        ScalarStyle::Plain => return Some((raw, base)),
        ScalarStyle::SingleQuoted => return Some((raw.strip_prefix('\'')?.strip_suffix('\'')?, base + 1)),
        ScalarStyle::DoubleQuoted => return Some((raw.strip_prefix('"')?.strip_suffix('"')?, base + 1)),
        _ if raw.starts_with(['|', '>']) => raw.find('\n')?,
        _ => 0,
    };
    Some((&raw[skipped..], base + skipped))
}

/// Something that stands for one character, or for none: the `\` that ends a line.
struct Sign {
    means: Option<char>,
    length: usize,
    escaped: bool,
}

impl Sign {
    /// The sign a text begins with, if there is one; `None` for an escape that is none.
    fn first(text: &str, style: ScalarStyle) -> Option<Option<Self>> {
        let plain = |means: char, length| Some(Some(Self { means: Some(means), length, escaped: false }));
        let Some(c) = text.chars().next() else { return Some(None) };
        match (c, style) {
            ('\\', ScalarStyle::DoubleQuoted) => {
                let (means, length) = escape(text)?;
                Some(Some(Self { means, length, escaped: true }))
            }
            ('\'', ScalarStyle::SingleQuoted) => plain(c, text.starts_with("''").then_some(2)?),
            ('\r', _) if text.starts_with("\r\n") => plain('\n', 2),
            _ => plain(c, c.len_utf8()),
        }
    }
}

/// The character an escape stands for and the escape's length; no character for a `\` that ends a line, which takes
/// the white space at the start of the next line with it.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let hex = |digits: usize| {
        let code = u32::from_str_radix(text.get(2..2 + digits)?, 16).ok()?;
        Some((Some(char::from_u32(code)?), 2 + digits))
    };
    let named = match text[1..].chars().next()? {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        c @ (' ' | '"' | '/' | '\\') => c,
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' => return hex(2),
        'u' => return hex(4),
        'U' => return hex(8),
        '\n' | '\r' => return Some((None, text.len() - text[1..].trim_start_matches(is_blank).len())),
        _ => return None,
    };
    Some((Some(named), 2))
}

pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}
