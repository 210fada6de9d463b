//! The text of a TOML string, and where in the file each of its bytes is written.
//!
//! Source: TOML 1.1, "String". The file was parsed before: escapes are known to be well-formed.

use super::written::Written;
use crate::domain::Span;

/// Decodes the string that `raw`, its quotes included, is; `base` is where it begins in the file.
/// `None` when it is not a string.
pub(super) fn decode(raw: &str, base: usize) -> Option<Written> {
    let fence = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|fence| raw.starts_with(fence))?;
    let inner = raw.strip_prefix(fence)?.strip_suffix(fence)?;
    let multi_line = fence.len() == 3;
    // A line end right after the opening quotes is not part of the text.
    let first_line_end = inner.len() - inner.strip_prefix("\r\n").or(inner.strip_prefix('\n')).unwrap_or(inner).len();
    let skipped = if multi_line { first_line_end } else { 0 };
    let (inner, base) = (&inner[skipped..], base + fence.len() + skipped);
    if fence.starts_with('\'') { Some(Written::verbatim(inner, base)) } else { unescape(inner, base) }
}

fn unescape(inner: &str, base: usize) -> Option<Written> {
    let mut text = Written::default();
    let mut at = 0;
    while let Some(c) = inner[at..].chars().next() {
        let (meant, length) = if c == '\\' { escape(&inner[at..])? } else { (Some(c), c.len_utf8()) };
        match meant {
            Some(c) if length == c.len_utf8() => text.push_verbatim(c, base + at),
            Some(c) => text.push(c, Span { start: base + at, end: base + at + length }),
            None => {}
        }
        at += length;
    }
    Some(text)
}

/// The character an escape stands for and the escape's length; no character for a `\` that ends a line.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let hex = |digits: usize| {
        let code = u32::from_str_radix(text.get(2..2 + digits)?, 16).ok()?;
        Some((Some(char::from_u32(code)?), 2 + digits))
    };
    match text[1..].chars().next()? {
        'b' => Some((Some('\u{8}'), 2)),
        't' => Some((Some('\t'), 2)),
        'n' => Some((Some('\n'), 2)),
        'f' => Some((Some('\u{c}'), 2)),
        'r' => Some((Some('\r'), 2)),
        'e' => Some((Some('\u{1b}'), 2)),
        '"' => Some((Some('"'), 2)),
        '\\' => Some((Some('\\'), 2)),
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        c if c.is_whitespace() => Some((None, text.len() - text[1..].trim_start().len())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_of_string() {
        let cases = [
            (r#""a\u003d\"b""#, "a=\"b"),
            (r"'a\b'", r"a\b"),
            ("\"\"\"\nab\\\n   c\"\"\"", "abc"),
            ("'''\r\na'b'''", "a'b"),
            (r#""""#, ""),
        ];
        for (raw, meant) in cases {
            assert_eq!(decode(raw, 0).unwrap().text(), meant, "{raw}");
        }
        let text = decode(r#""a\u003db""#, 10).unwrap();
        assert_eq!(text.origin(1), Some(Span { start: 12, end: 18 }));
        assert_eq!(text.origin(2), Some(Span { start: 18, end: 19 }));
    }
}
