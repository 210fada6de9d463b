//! What a process said, as people may see it: its last lines, nothing that steers a terminal, and no secrets.

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
    let lines: Vec<String> = lines.map(|line| printable(line.trim_end())).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(MOST_LINES)..].join("\n")
}

/// A text on one line, in which nothing steers a terminal.
pub(super) fn printable(text: &str) -> String {
    let mut shown: String =
        text.chars().take(LONGEST_LINE).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST_LINE).is_some() {
        shown.push('…');
    }
    shown
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

fn is_hidden(c: char) -> bool {
    let steers = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c.is_control() || steers || matches!(c, '\u{e0000}'..='\u{e007f}')
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
    fn floods_are_cut() {
        let said = "x".repeat(1 << 20) + "\n" + &"line\n".repeat(100);
        let shown = last_words(said.as_bytes(), &[]);
        assert_eq!(shown.lines().count(), MOST_LINES);
        assert!(last_words("y".repeat(1 << 20).as_bytes(), &[]).chars().count() <= LONGEST_LINE + 1);
    }

    #[test]
    fn addresses_without_a_password_stay() {
        for text in ["https://git@host/x", "see https://host/a:b@c", "ssh://git@host:22/x", "a://", "://@"] {
            assert_eq!(without_secrets(text, &[]), text);
        }
    }
}
