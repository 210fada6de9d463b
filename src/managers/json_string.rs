//! The text of a JSON string, and where in the file each of its bytes is written.
//!
//! Source: RFC 8259, section 7. The file was parsed before: escapes are known to be well-formed.

use super::written::Written;
use crate::domain::Span;

/// Decodes the string that `raw`, its quotes included, is; `base` is where it begins in the file.
/// `None` when it is not a string.
pub(super) fn decode(raw: &str, base: usize) -> Option<Written> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    let base = base + 1;
    if !inner.contains('\\') {
        return Some(Written::verbatim(inner, base));
    }
    let mut text = Written::default();
    let mut at = 0;
    while let Some(c) = inner[at..].chars().next() {
        let length = if c == '\\' {
            let (meant, length) = escape(&inner[at..])?;
            text.push(meant, Span { start: base + at, end: base + at + length });
            length
        } else {
            text.push_verbatim(c, base + at);
            c.len_utf8()
        };
        at += length;
    }
    Some(text)
}

/// The character an escape stands for and the escape's length. Two escapes of four digits may be one character.
fn escape(text: &str) -> Option<(char, usize)> {
    let meant = match text[1..].chars().next()? {
        'u' => return unicode(text),
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        c @ ('"' | '\\' | '/') => c,
        _ => return None,
    };
    Some((meant, 2))
}

fn unicode(text: &str) -> Option<(char, usize)> {
    const LENGTH: usize = r"\u0000".len();
    let unit = |at: usize| {
        let digits = text.get(at..at + LENGTH)?.strip_prefix(r"\u")?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    };
    let first = unit(0)?;
    match char::from_u32(first.into()) {
        Some(c) => Some((c, LENGTH)),
        None => char::decode_utf16([first, unit(LENGTH)?]).next()?.ok().map(|c| (c, 2 * LENGTH)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape() {
        let cases = [
            (r#""^1.0""#, "^1.0"),
            (r#""\u005e1\/\\\"\b\f\n\r\t""#, "^1/\\\"\u{8}\u{c}\n\r\t"),
            (r#""é\u00E9\ud83d\ude00!""#, "éé😀!"),
            (r#""""#, ""),
        ];
        for (raw, meant) in cases {
            assert_eq!(decode(raw, 0).unwrap().text(), meant, "{raw}");
        }
        for wrong in [r#""\ud83d""#, r#""\ud83dx""#, r#""\u+123""#, r#""\x41""#, r#""\"#, "'a'", "\""] {
            assert!(decode(wrong, 0).is_none(), "{wrong}");
        }
        let text = decode(r#""\u005e1.0""#, 10).unwrap();
        assert_eq!(text.origin(0), Some(Span { start: 11, end: 17 }));
        assert_eq!(text.origin(1), Some(Span { start: 17, end: 18 }));
    }
}
