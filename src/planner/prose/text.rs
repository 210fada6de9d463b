//! Untrusted text made fit for a title, a commit's message and Markdown.

use crate::domain::text::{cut, ends_line_or_steers, is_hidden};

/// A Markdown code span that shows `text` and nothing else, at most `max` characters of it. Within a code span GitHub
/// makes no links, mentions or HTML.
pub fn code(text: &str, max: usize) -> String {
    let shown = cut(visible(text).trim(), max);
    if shown.is_empty() {
        return "–".into();
    }
    // A span ends at as many backticks as it began with.
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    if longest == 0 {
        return format!("`{shown}`");
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence} {shown} {fence}")
}

/// A code span that stays within a cell of a table: a cell ends at a `|`, escaped or not as renderers like it, and no
/// package, version or usual path has one.
pub fn cell(text: &str, max: usize) -> String {
    code(&text.replace('|', "¦"), max)
}

/// A package, a version or a path for where there are no code spans: titles and messages of commits.
///
/// Letters of ASCII, digits and `.`, `_`, `-`, `+`, `!`, `/`, and `:` before a port remain. That leaves no `@user`, no
/// `#1`, no address, no `[skip ci]`, and no white space that would let a word and a number be read together.
pub fn plain(text: &str, max: usize) -> String {
    let characters: Vec<char> = visible(text).chars().collect();
    let mut plain = String::new();
    for (i, c) in characters.iter().enumerate() {
        let port = *c == ':' && characters.get(i + 1).is_some_and(char::is_ascii_digit);
        let kept = c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '!' | '/') || port;
        match kept {
            true => plain.push(*c),
            false if plain.ends_with('-') => {}
            false => plain.push('-'),
        }
    }
    let shown = plain.trim_matches('-');
    if shown.is_empty() { "?".into() } else { cut(shown, max) }
}

/// Whether a text reads the same in Markdown and makes GitHub link, mention or refer to nothing.
pub fn is_plain_prose(text: &str) -> bool {
    let is_plain = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, ' ' | ',' | '.' | ';' | ':' | '?' | '(' | ')' | '/' | '-' | '+' | '…' | '–')
    };
    let is_commit = |word: &str| word.len() >= 7 && word.chars().all(|c| c.is_ascii_hexdigit());
    let lower = text.to_ascii_lowercase();
    text.chars().all(is_plain)
        && !["://", "www.", "gh-"].iter().any(|mark| lower.contains(mark))
        && !text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_commit)
}

/// The text on one line, without control characters and without what reverses, joins or hides text.
pub fn visible(text: &str) -> String {
    let shown = |c| match c {
        c if ends_line_or_steers(c) => Some(' '),
        c => (!is_hidden(c)).then_some(c),
    };
    text.chars().filter_map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_cannot_be_left() {
        assert_eq!(code("httpx", 80), "`httpx`");
        assert_eq!(code("a`b", 80), "`` a`b ``");
        assert_eq!(code("``", 80), "``` `` ```");
        assert_eq!(code("a|b\nc", 80), "`a|b c`");
        assert_eq!(cell("a|b\nc", 80), "`a¦b c`");
        assert_eq!(code("safe\u{202e}txt", 80), "`safetxt`");
        assert_eq!(code(" \u{2028} ", 80), "–");
        assert_eq!(code("`".repeat(9).as_str(), 5), "````` ````… `````");
    }

    #[test]
    fn plain_text_names_nobody_and_nothing() {
        let cases = [
            ("registry.example.com:5000/acme/base", "registry.example.com:5000/acme/base"),
            ("1!2.0.post1+local.7", "1!2.0.post1+local.7"),
            ("@octocat", "octocat"),
            ("fixes #1", "fixes-1"),
            ("closes GH-1", "closes-GH-1"),
            ("https://example.com/a/issues/1", "https-//example.com/a/issues/1"),
            ("x [skip ci]\nSkip-Checks: true", "x-skip-ci-Skip-Checks-true"),
            ("<b>`x`</b>", "b-x-/b"),
            ("paypаl", "payp-l"),
            ("\u{202e}", "?"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text, 80), expected, "{text}");
        }
    }

    #[test]
    fn what_hides_is_left_out_and_what_parts_words_is_a_space() {
        assert_eq!(visible("a\u{1b}b\u{2028}c\u{61c}d\u{ad}e\u{200b}f\u{e0041}g\u{fffa}é"), "a b cdefgé");
    }
}
