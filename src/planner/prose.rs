//! The words of a proposal: title, branch, commit message and body.
//!
//! Package names and versions come from files and registries, so they are untrusted: in Markdown they stand in code
//! spans, in a branch only letters, digits, `.`, `_` and `-` are left of them.

use super::timing;
use crate::domain::{PackageId, Update};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// GitHub refuses longer titles with 422 (seen; it is not documented).
const TITLE_MAX_CHARS: usize = 256;
/// GitHub's limit is 65,536 characters; the field cuts earlier, to leave room for what it adds itself.
const BODY_MAX_CHARS: usize = 58_000;
/// Rows of the table of updates in a body.
const BODY_MAX_ROWS: usize = 150;

/// A hash of what a set of updates moves to which version, independent of their order.
pub fn content_hash(updates: &[Update]) -> String {
    let mut pairs: Vec<String> = updates.iter().map(|u| format!("{}@{}", u.package, u.to)).collect();
    pairs.sort_unstable();
    let hash = Sha256::digest(pairs.join("\n"));
    hex::encode(&hash[..8])
}

/// The pull request's title: one line of at most 256 characters.
pub fn title(group: &str, updates: &[Update]) -> String {
    let text = match updates {
        [one] => format!("Bump {} {}{}", one_line(display_name(&one.package)), from_to(one), folder_of(one)),
        many => format!("Bump {} packages: {}", many.len(), names(group, many)),
    };
    cut_chars(&text, TITLE_MAX_CHARS)
}

fn names(group: &str, updates: &[Update]) -> String {
    let mut list: Vec<String> = updates.iter().map(|u| one_line(display_name(&u.package))).collect();
    list.dedup();
    match list.as_slice() {
        [a] => a.clone(),
        [a, b] => format!("{a} and {b}"),
        [a, b, c] => format!("{a}, {b} and {c}"),
        _ => format!("the {} group", one_line(group)),
    }
}

fn from_to(update: &Update) -> String {
    match update.from_versions().as_slice() {
        [from] => format!("from {} to {}", one_line(from), one_line(&update.to)),
        _ => format!("to {}", one_line(&update.to)),
    }
}

fn folder_of(update: &Update) -> String {
    let folder = update.sites.first().map_or("", |site| site.path.folder());
    if folder.is_empty() || update.sites.iter().any(|site| site.path.folder() != folder) {
        String::new()
    } else {
        format!(" in /{}", one_line(folder))
    }
}

/// What people call the package: images of the default registry lose their `library/`.
pub fn display_name(package: &PackageId) -> &str {
    package.name.strip_prefix("library/").unwrap_or(&package.name)
}

/// The branch for a set of updates: always a valid ref, three parts deep so that none can block another, and
/// different for different content.
pub fn branch(group: &str, updates: &[Update], content: &str) -> String {
    let (room, wanted) = match updates {
        [one] => (one.package.ecosystem.as_str(), format!("{}-{}", display_name(&one.package), one.to)),
        _ => ("group", group.to_string()),
    };
    let slug = slug(&wanted);
    let short = content.get(..8).unwrap_or(content);
    if updates.len() == 1 && slug == wanted {
        format!("mass-driver/{room}/{slug}")
    } else {
        format!("mass-driver/{room}/{slug}-{short}")
    }
}

/// Lower-case letters, digits and single `.`, `_`, `-`, starting and ending with a letter or digit; at most 80 characters.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        let c = if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
        let after_mark = slug.chars().last().is_none_or(|last| !last.is_ascii_alphanumeric());
        if slug.len() < 80 && (c.is_ascii_alphanumeric() || !after_mark) {
            slug.push(c);
        }
    }
    let trimmed = slug.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    // git refuses refs that end in `.lock`.
    let safe = trimmed.strip_suffix(".lock").map_or(trimmed.to_string(), |stem| format!("{stem}-lock"));
    if safe.is_empty() { "update".into() } else { safe }
}

/// The commit's message: the title, then one line for each update.
pub fn commit_message(title: &str, updates: &[Update]) -> String {
    let mut message = format!("{title}\n");
    if updates.len() > 1 {
        message.push('\n');
        for update in updates {
            let _ = writeln!(message, "- {} {}", one_line(display_name(&update.package)), from_to(update));
        }
    }
    message
}

/// What a body says beside the updates.
pub struct Occasion<'a> {
    /// The timezone of the subscription file, in which dates are told.
    pub timezone: &'a TimeZone,
    /// The delay in words.
    pub delay: &'a str,
    /// The path of the subscription file.
    pub file: &'a str,
}

/// The pull request's text in Markdown.
pub fn body(updates: &[Update], occasion: &Occasion<'_>) -> String {
    let mut text = String::from("| Package | From | To | Step | Where |\n| --- | --- | --- | --- | --- |\n");
    for update in updates.iter().take(BODY_MAX_ROWS) {
        let from: Vec<String> = update.from_versions().into_iter().map(code).collect();
        let sites: Vec<String> = update.sites.iter().take(5).map(|s| code(&format!("{}:{}", s.path, s.line))).collect();
        let more = update.sites.len().saturating_sub(5);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {}{more} |",
            code(display_name(&update.package)),
            from.join(", "),
            code(&update.to),
            update.step,
            sites.join(", "),
        );
    }
    if updates.len() > BODY_MAX_ROWS {
        let _ = writeln!(
            text,
            "\n… and {} more packages: the commit message lists them all.",
            updates.len() - BODY_MAX_ROWS
        );
    }
    text.push_str("\n### Why now\n\n");
    for update in updates.iter().take(BODY_MAX_ROWS) {
        let when = |t: Timestamp| timing::moment_in_words(occasion.timezone, t);
        let _ = writeln!(
            text,
            "- {} {}: its age counts from {}, eligible since {}, due since {}.",
            code(display_name(&update.package)),
            code(&update.to),
            when(update.released_at),
            when(update.eligible_at),
            when(update.due_at),
        );
    }
    let _ = write!(
        text,
        "\nThe subscription in {} asks for this with the delay *{}*.\n\n---\n\n\
         Merge it when it suits you. If you close it, these versions are not proposed here again; newer ones are.\n",
        code(occasion.file),
        occasion.delay.replace(['*', '\n'], " "),
    );
    cut_chars(&text, BODY_MAX_CHARS)
}

/// A Markdown code span that shows `text` and nothing else, safe inside a table cell.
pub fn code(text: &str) -> String {
    let plain = one_line(text).replace('|', "\\|");
    if !plain.contains('`') {
        return format!("`{plain}`");
    }
    let longest = plain.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    format!("{fence} {plain} {fence}")
}

/// The text on one line, without control characters and without the marks that reverse or hide text.
fn one_line(text: &str) -> String {
    text.chars()
        .filter(
            |c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'),
        )
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// The first `max` characters, with an ellipsis in place of the last if something was cut.
fn cut_chars(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_string();
    }
    let mut cut: String = text.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_valid_refs() {
        let cases = [
            ("httpx-0.28.0", "httpx-0.28.0"),
            ("registry.example/acme/base-1..2", "registry.example-acme-base-1.2"),
            ("a b@{c}~^:?*[\\", "a-b-c"),
            ("x.lock", "x-lock"),
            ("-.-", "update"),
            ("Ünï", "n"),
        ];
        for (text, expected) in cases {
            assert_eq!(slug(text), expected, "{text}");
        }
        assert!(slug(&"a".repeat(300)).len() <= 80);
    }

    #[test]
    fn code_spans_cannot_be_left() {
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a|b\nc"), "`a\\|b c`");
        assert_eq!(code("safe\u{202e}txt"), "`safetxt`");
    }

    #[test]
    fn cuts_count_characters_not_bytes() {
        assert_eq!(cut_chars("äöü", 3), "äöü");
        assert_eq!(cut_chars("äöüß", 3), "äö…");
    }
}
