//! Here-documents: the parser knows them only right after `RUN`, while `RUN cat <<EOF > file` is as common.
//! Their lines are hidden from it, byte for byte, so that what it says about the rest stays true of the file.
//!
//! Source: Docker's documentation, "Dockerfile reference", Here-Documents; what counts as a marker follows BuildKit's
//! parser: a word of its own, of digits, `<<`, perhaps `-`, and a name that may be quoted.

use super::super::cut;
use super::super::written::Written;
use super::words::{joined, words};
use std::borrow::Cow;
use std::collections::HashMap;

/// The text with markers and lines of here-documents made harmless, as long as before.
///
/// Errors: when a here-document does not end, with its line.
pub(super) fn hidden(body: &str, escape: char) -> Result<Cow<'_, str>, String> {
    if !body.contains("<<") {
        return Ok(Cow::Borrowed(body));
    }
    let mut hidden = body.as_bytes().to_vec();
    let lines = Lines::of(body);
    let mut at = 0;
    while at < body.len() {
        let start = at;
        at = instruction_end(body, at, escape);
        for marker in markers(&joined(&body[start..at], start, escape)) {
            match lines.end(at, &marker) {
                Some(end) => {
                    marker.places.iter().for_each(|&place| hidden[place] = b'_');
                    hidden[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b'#');
                    at = end;
                }
                // Older parsers take `<< name` for no marker, newer ones do: here the text decides.
                None if marker.spaced => {}
                None => {
                    let line = 1 + body[..start].matches('\n').count();
                    return Err(format!("line {line}: the here-document `{}` has no end", cut(&marker.name)));
                }
            }
        }
    }
    // Whole lines and the two signs of a marker were replaced by ASCII: it is a text still.
    String::from_utf8(hidden).map(Cow::Owned).map_err(|_| "its here-documents are not understood".into())
}

/// What opens a here-document.
struct Marker {
    name: String,
    /// With `<<-`, tabs before the name that ends it do not count.
    strip_tabs: bool,
    /// Whether white space stands between `<<` and the name.
    spaced: bool,
    /// The bytes of `<<`.
    places: Vec<usize>,
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

/// The here-documents that an instruction opens. Their words escape with `\`, whatever the file does.
fn markers(instruction: &Written) -> Vec<Marker> {
    let words = words(instruction, '\\');
    let mut keywords = words.iter().map(|word| word.text().to_ascii_uppercase()).skip_while(|word| word == "ONBUILD");
    if !keywords.next().is_some_and(|keyword| matches!(keyword.as_str(), "RUN" | "COPY" | "ADD")) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let digits = word.text().bytes().take_while(u8::is_ascii_digit).count();
        let Some(after) = word.text()[digits..].strip_prefix("<<") else { continue };
        let spaced = after.is_empty();
        let after = if spaced { words.next().map_or("", Written::text) } else { after };
        let (strip_tabs, name) = after.strip_prefix('-').map_or((false, after), |name| (true, name));
        let name = if name.contains('<') { String::new() } else { unquoted(name) };
        if !name.is_empty() {
            let places = [digits, digits + 1].into_iter().filter_map(|at| word.origin(at)).map(|span| span.start);
            found.push(Marker { name, strip_tabs, spaced, places: places.collect() });
        }
    }
    found
}

/// A word without its quotes and escapes.
fn unquoted(word: &str) -> String {
    let mut plain = String::new();
    let mut quote = None;
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        match quote {
            Some(q) if c == q => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None | Some('"') if c == '\\' => plain.extend(chars.next()),
            _ => plain.push(c),
        }
    }
    plain
}

/// The lines of a text, and where each content stands last: a name that no later line has is not searched for
/// through the whole file, again for each marker.
struct Lines<'a> {
    body: &'a str,
    last: HashMap<&'a str, usize>,
    last_after_tabs: HashMap<&'a str, usize>,
}

impl<'a> Lines<'a> {
    fn of(body: &'a str) -> Self {
        let mut lines = Self { body, last: HashMap::new(), last_after_tabs: HashMap::new() };
        let mut at = 0;
        for line in body.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            lines.last.insert(content, at);
            lines.last_after_tabs.insert(content.trim_start_matches('\t'), at);
            at += line.len();
        }
        lines
    }

    /// Where a here-document that begins at `at` ends, the line with its name included.
    fn end(&self, mut at: usize, marker: &Marker) -> Option<usize> {
        let last = if marker.strip_tabs { &self.last_after_tabs } else { &self.last };
        last.get(marker.name.as_str()).filter(|&&last| last >= at)?;
        for line in self.body[at..].split_inclusive('\n') {
            at += line.len();
            let content = line.trim_end_matches(['\n', '\r']);
            if (if marker.strip_tabs { content.trim_start_matches('\t') } else { content }) == marker.name {
                return Some(at);
            }
        }
        None
    }
}
