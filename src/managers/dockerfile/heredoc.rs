//! Here-documents: the parser knows them only right after `RUN`, while `RUN cat <<EOF > file` is as common.
//! Their lines are hidden from it, byte for byte, so that what it says about the rest stays true of the file.
//!
//! Source: Docker's documentation, "Dockerfile reference", Here-Documents; what counts as a marker follows BuildKit's
//! parser: a word of its own, digits, `<<`, perhaps `-`, and a name that may be quoted.

use super::super::written::Written;
use super::expand::{joined, words};
use std::borrow::Cow;

/// The text with markers and lines of here-documents made harmless, as long as before.
///
/// Errors: when a here-document does not end, with its line.
pub(super) fn hidden(body: &str, escape: char) -> Result<Cow<'_, str>, String> {
    if !body.contains("<<") {
        return Ok(Cow::Borrowed(body));
    }
    let mut hidden = body.as_bytes().to_vec();
    let mut at = 0;
    while at < body.len() {
        let start = at;
        at = instruction_end(body, at, escape);
        let instruction = joined(&body[start..at], start, escape);
        for (name, strip_tabs) in markers(&instruction, escape, &mut hidden) {
            at = hide_lines(body, at, &name, strip_tabs, &mut hidden).ok_or_else(|| {
                let line = 1 + body[..start].matches('\n').count();
                format!("line {line}: the here-document `{}` has no end", super::super::cut(&name))
            })?;
        }
    }
    // Only whole characters were replaced, by ASCII.
    Ok(String::from_utf8(hidden).map_or(Cow::Borrowed(body), Cow::Owned))
}

/// Where the instruction, comment or empty line that begins at `at` ends, its line end included.
fn instruction_end(body: &str, at: usize, escape: char) -> usize {
    let mut end = at;
    let mut inside = false;
    for line in body[at..].split_inclusive('\n') {
        end += line.len();
        let content = line.trim();
        let passed_over = content.is_empty() || content.starts_with('#');
        if (passed_over && !inside) || (!passed_over && !content.ends_with(escape)) {
            break;
        }
        inside = true;
    }
    end
}

/// The names of the here-documents that an instruction opens; their markers are hidden.
fn markers(instruction: &Written, escape: char, hidden: &mut [u8]) -> Vec<(String, bool)> {
    let words = words(instruction, escape);
    let mut keywords = words.iter().map(|word| word.text().to_ascii_uppercase()).skip_while(|word| word == "ONBUILD");
    if !keywords.next().is_some_and(|keyword| matches!(keyword.as_str(), "RUN" | "COPY" | "ADD")) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for word in &words {
        let digits = word.text().bytes().take_while(u8::is_ascii_digit).count();
        let Some(after) = word.text()[digits..].strip_prefix("<<").filter(|after| !after.contains('<')) else {
            continue;
        };
        let (strip_tabs, name) = after.strip_prefix('-').map_or((false, after), |name| (true, name));
        let name = name.replace(['"', '\'', '\\'], "");
        if !name.is_empty() {
            for place in [digits, digits + 1].into_iter().filter_map(|at| word.origin(at)) {
                hidden[place.start] = b'_';
            }
            found.push((name, strip_tabs));
        }
    }
    found
}

/// Hides the lines from `at` through the one that ends the here-document, and returns where the next begins.
fn hide_lines(body: &str, mut at: usize, name: &str, strip_tabs: bool, hidden: &mut [u8]) -> Option<usize> {
    for line in body[at..].split_inclusive('\n') {
        let end = at + line.len();
        for byte in hidden[at..end].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b'#';
        }
        at = end;
        let line = line.trim_end_matches(['\n', '\r']);
        if (if strip_tabs { line.trim_start_matches('\t') } else { line }) == name {
            return Some(at);
        }
    }
    None
}
