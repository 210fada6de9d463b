//! Texts that are read as they are: as far as somebody is willing to, and lists with an entry in each line.

use std::io::{self, Read};

/// Why a text was not read. It stands behind the name of what was read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is longer than it may be.
    #[error("is larger than {}, which is the most that is read", in_units(*.max_bytes))]
    TooLarge {
        /// As long as it may be. Unit: bytes.
        max_bytes: u64,
    },
    /// It is text of another kind, or none.
    #[error("is not UTF-8 in line {line}; save it as UTF-8")]
    NotUtf8 {
        /// The first line that is not, counted from 1.
        line: u64,
    },
    /// Reading failed.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// What there is to read, without the byte order mark that some editors put before it.
///
/// Errors: [`Unreadable`]; of what is too large no more than `max_bytes` and one byte is read.
pub fn read_bounded(from: impl Read, max_bytes: u64) -> Result<String, Unreadable> {
    let bytes = read_beginning(from, max_bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(Unreadable::TooLarge { max_bytes });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Unreadable::NotUtf8 { line: 1 + good.iter().filter(|byte| **byte == b'\n').count() as u64 }
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The bytes of what there is to read, and of what is longer than `max_bytes` one byte more: whoever judges them sees that
/// there are too many, and says so with everything else that is wrong.
///
/// Errors: those of reading.
pub fn read_beginning(from: impl Read, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The entries of a list with one in each line, with the numbers of their lines from 1. Empty lines are left out, and so are
/// comments: what follows a `#` at the beginning of a line or behind white space. Elsewhere entries may have one in them.
pub fn list_lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.lines().map(without_comment)).filter(|(_, entry)| !entry.is_empty())
}

fn without_comment(line: &str) -> &str {
    let line = line.trim();
    let comment =
        line.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || line[..*at].ends_with(char::is_whitespace)));
    comment.map_or(line, |(at, _)| line[..at].trim_end())
}

/// `16 MiB`, `4 KiB`, `10 bytes`.
fn in_units(bytes: u64) -> String {
    match bytes {
        _ if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes >= 1 << 10 && bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_their_entries_on_their_lines() {
        let text =
            "acme/api#3\n  acme/api#4 # the first one\r\n# acme/api#5\n\n\t#x\nh/pull/3#top\t# here\né#3 #é\n\u{a0}a#b";
        let found: Vec<_> = list_lines(text).collect();
        assert_eq!(found, [(1, "acme/api#3"), (2, "acme/api#4"), (6, "h/pull/3#top"), (7, "é#3"), (8, "a#b")]);
        assert_eq!(list_lines("").count(), 0);
    }

    #[test]
    fn no_more_is_read_than_may_be() {
        assert_eq!(read_bounded(&b"\xef\xbb\xbfabc"[..], 6).unwrap(), "abc");
        let why = |from: &[u8], max| read_bounded(from, max).unwrap_err().to_string();
        assert_eq!(why(b"abcd", 3), "is larger than 3 bytes, which is the most that is read");
        assert_eq!(why(b"a\nb\n\xff\n", 100), "is not UTF-8 in line 3; save it as UTF-8");
        // What never ends is left where it is too long.
        let endless = read_bounded(io::repeat(b'x'), 1 << 20).unwrap_err();
        assert!(matches!(endless, Unreadable::TooLarge { max_bytes: 1_048_576 }), "{endless}");
        assert!(endless.to_string().starts_with("is larger than 1 MiB,"), "{endless}");
        assert_eq!(read_beginning(io::repeat(b'x'), 10).unwrap().len(), 11);
    }

    #[test]
    fn a_failure_keeps_the_systems_words() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        assert_eq!(read_bounded(Broken, 1).unwrap_err().to_string(), "cannot be read: the disk is gone");
    }
}
