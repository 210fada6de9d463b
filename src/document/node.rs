//! What a file holds, whichever format it is written in: values that know where they stand.

use super::problem::{Problems, Spot, quoted};
use crate::domain::in_bytes;

/// How much of a file is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest file that is read at all. Unit: bytes.
    pub bytes: usize,
    /// The most keys, values, lists and mappings it may have.
    pub nodes: usize,
    /// How a file that has more is made shorter.
    pub shorter: &'static str,
}

impl Limits {
    /// Whether there are more nodes than are read; then that is a problem, at the first one that is too many.
    pub(super) fn refuse_more(&self, nodes: usize, at: Spot, problems: &mut Problems) -> bool {
        if nodes > self.nodes {
            let what = format!("the file has more than {} keys and values; the rest is not read", self.nodes);
            problems.add(at, what, self.shorter);
        }
        nodes > self.nodes
    }
}

/// A value of the file and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub at: Spot,
    /// What it is.
    pub value: Value,
}

/// What stands at a place; in YAML by the core schema of version 1.2.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number as it is written: `0o755`, `1_000`, `1.10`. See [`whole_number`].
    Number(String),
    /// A date or a time of TOML, as it is written; YAML knows none.
    Date(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping.
    Map(Map),
    /// Already reported; readers pass it by in silence.
    Unreadable,
}

/// A mapping without its repeated keys, which are reported.
#[derive(Clone, Debug)]
pub struct Map {
    /// The keys and what stands under them, in the order of the file.
    pub entries: Vec<(Key, Node)>,
    /// Whether reading ended inside it, so that a missing key proves nothing.
    pub cut_short: bool,
}

/// A key and where it stands.
#[derive(Clone, Debug)]
pub struct Key {
    /// Where it begins.
    pub at: Spot,
    /// The key.
    pub name: String,
}

impl Node {
    /// What kind of value this is, with its article.
    pub fn kind(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Bool(value) => format!("the truth value `{value}`"),
            Value::Number(text) => format!("the number {}", quoted(text)),
            Value::Date(text) => format!("the date {}", quoted(text)),
            Value::Text(text) => format!("the text {}", quoted(text)),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a mapping".into(),
            Value::Unreadable => "unreadable".into(),
        }
    }
}

/// A whole number as people write it: in decimal digits, or as `0x`, `0o` or `0b` say, with `_` between digits where they like.
///
/// `None` for what is none, or too large.
pub fn whole_number(written: &str) -> Option<i64> {
    let (sign, digits) = match written.strip_prefix(['-', '+']) {
        Some(digits) if written.starts_with('-') => ("-", digits),
        Some(digits) => ("", digits),
        None => ("", written),
    };
    let bases = [("0x", 16), ("0o", 8), ("0b", 2)];
    let based = bases.into_iter().find_map(|(prefix, base)| Some((digits.strip_prefix(prefix)?, base)));
    let (digits, base) = based.unwrap_or((digits, 10));
    let digit = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_digit(base));
    if !digits.split('_').all(digit) {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{}", digits.replace('_', "")), base).ok()
}

/// The bytes as text without a byte order mark.
pub(super) fn decode<'a>(bytes: &'a [u8], limits: Limits, problems: &mut Problems) -> Option<&'a str> {
    if bytes.len() > limits.bytes {
        // Whoever read it stopped here, so nobody knows how large it is.
        let what = format!("the file is larger than {}, which is the most that is read", in_bytes(limits.bytes));
        problems.add(Spot::START, what, "such a file fits on a page; remove what does not belong in it");
        return None;
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        problems.add(Spot::START, "the file is UTF-16", "save it as UTF-8");
        return None;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) => {
            let before =
                String::from_utf8_lossy(&bytes[..error.valid_up_to()]).replace("\r\n", "\n").replace('\r', "\n");
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let what = format!("the byte 0x{:02x} is not UTF-8", bytes[error.valid_up_to()]);
            problems.add(Spot { line: small(line), column: small(column), length: 1 }, what, "save the file as UTF-8");
            None
        }
    }
}

pub(super) fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_as_people_write_them() {
        for (written, number) in [
            ("10", Some(10)),
            ("-10", Some(-10)),
            ("+1_000", Some(1000)),
            ("0o755", Some(493)),
            ("0xFf", Some(255)),
            ("0b11", Some(3)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1.0", None),
            ("--1", None),
            ("0x-1", None),
            ("0x", None),
            ("_1", None),
            ("1__0", None),
            ("", None),
        ] {
            assert_eq!(whole_number(written), number, "{written}");
        }
    }
}
