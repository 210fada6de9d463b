//! Words of a Dockerfile: joined lines and quotes. All of it keeps track of where each character stands.

use super::super::written::Written;

/// The words of a text; quotes hold a word together and are kept for [`Variables::expand`](super::super::variables::Variables::expand).
pub(super) fn words(text: &Written, escape: char) -> Vec<Written> {
    let mut words: Vec<Written> = Vec::new();
    let mut word = Written::default();
    let mut quote = None;
    let mut escaped = false;
    for (_, c, origin) in text.chars() {
        match quote {
            _ if escaped => escaped = false,
            Some(q) if c == q => quote = None,
            Some('\'') => {}
            _ if c == escape => escaped = true,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if c.is_whitespace() => {
                words.push(std::mem::take(&mut word));
                continue;
            }
            _ => {}
        }
        word.push(c, origin);
    }
    words.push(word);
    words.retain(|word| !word.text().is_empty());
    words
}

/// A stretch of the file without its line continuations, and without the comments and empty lines between them.
pub(super) fn joined(raw: &str, base: usize, escape: char) -> Written {
    let mut text = Written::default();
    let mut at = 0;
    while let Some(c) = raw[at..].chars().next() {
        let after = &raw[at + c.len_utf8()..];
        if c == escape
            && let Some(next_line) = line_end(after)
        {
            at = raw.len() - skip_comments(next_line).len();
            continue;
        }
        text.push_verbatim(c, base + at);
        at += c.len_utf8();
    }
    text
}

/// What follows the end of the line, if nothing but blanks comes before it.
fn line_end(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([' ', '\t']);
    text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n'))
}

fn skip_comments(mut text: &str) -> &str {
    loop {
        let line = text.split_inclusive('\n').next().unwrap_or_default();
        let content = line.trim();
        if line.is_empty() || !(content.is_empty() || content.starts_with('#')) || !line.ends_with('\n') {
            return text;
        }
        text = &text[line.len()..];
    }
}
