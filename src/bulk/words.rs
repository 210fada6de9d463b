//! What a process said, as people may see it: its last lines, nothing that steers a terminal, and no secrets.

use crate::domain::text::{cut, is_hidden};

/// As much of a process's complaint as helps somebody. Unit: lines.
const MOST_LINES: usize = 8;
/// Unit: characters of a line.
const LONGEST_LINE: usize = 300;
const HIDDEN: &str = "***";

/// The last lines of an output, without empty ones. `secrets` are blotted out wherever they stand, and so is who an address
/// signs in as.
pub(super) fn last_words(output: &[u8], secrets: &[String]) -> String {
    // What is cut first is never shown: a process may have said megabytes.
    let tail = &output[output.len().saturating_sub(16 << 10)..];
    let text = without_secrets(&String::from_utf8_lossy(tail), secrets);
    // A line that a progress bar wrote over is seen as it was last.
    let lines = text.split('\n').map(|line| line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default());
    let lines: Vec<String> = lines.map(|line| one_line(line.trim_end())).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(MOST_LINES)..].join("\n")
}

/// At most [`LONGEST_LINE`] characters of a text on one line, in which nothing steers a terminal. Line breaks and tabs become spaces.
pub(super) fn one_line(text: &str) -> String {
    let plain = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if is_hidden(c) => '\u{fffd}',
        c => c,
    };
    cut(text, LONGEST_LINE).chars().map(plain).collect()
}

/// A text in which secrets, and who an address signs in as, are blotted out.
pub(super) fn without_secrets(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() > 3) {
        text = text.replace(secret, HIDDEN);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(|c: char| c == '/' || c.is_whitespace() || matches!(c, '\'' | '"')).unwrap_or(after.len());
        rest = after;
        if let Some(sign) = after[..end].rfind('@')
            && after[..sign].contains(':')
        {
            shown.push_str(HIDDEN);
            rest = &after[sign..];
        }
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_shown_and_no_secret() {
        let said =
            b"one\n\nWriting 10%\rWriting 100%\nfatal: https://me:hunter2@host/x sent c2VjcmV0 and \x1b[31mred\n";
        let shown = last_words(said, &["c2VjcmV0".to_owned()]);
        assert_eq!(shown, "one\nWriting 100%\nfatal: https://***@host/x sent *** and \u{fffd}[31mred");
    }

    #[test]
    fn what_parts_words_becomes_spaces() {
        assert_eq!(last_words(b"error:\tnot\x0bhere\r\n\tREADME.md", &[]), "error: not\u{fffd}here\n README.md");
        assert_eq!(one_line("one\ntwo\tthree"), "one two three");
    }

    #[test]
    fn nothing_steers_a_terminal_or_hides() {
        let odd = "a\u{1b}b\u{2028}c\u{61c}d\u{ad}e\u{202e}f\u{200b}g\u{e0041}h\u{e0100}é";
        assert_eq!(one_line(odd).replace('\u{fffd}', "?"), "a?b?c?d?e?f?g?h?é");
    }

    #[test]
    fn floods_are_cut() {
        let said = "x".repeat(1 << 20) + "\n" + &"line\n".repeat(100);
        let shown = last_words(said.as_bytes(), &[]);
        assert_eq!(shown.lines().count(), MOST_LINES);
        assert!(last_words("y".repeat(1 << 20).as_bytes(), &[]).chars().count() <= LONGEST_LINE);
    }

    #[test]
    fn addresses_without_a_password_stay() {
        for text in ["https://git@host/x", "see https://host/a:b@c", "ssh://git@host:22/x", "a://", "://@"] {
            assert_eq!(without_secrets(text, &[]), text);
        }
    }
}
