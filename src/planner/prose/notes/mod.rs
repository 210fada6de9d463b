//! Release notes of strangers, made fit for the text of a pull request.
//!
//! The notes are parsed as the Markdown they are, and written anew: paragraphs, bold headings, lists, quotes, code, tables,
//! emphasis and links to the web. What has no such form is text or is dropped, so there is no list of what is forbidden that
//! could be short of something. In text every character that Markdown knows is escaped, and a word is a code span if GitHub
//! would find more in it: a name to notify, an issue, a commit, an address, a formula.
//!
//! Why a code span: GitHub turns Markdown into HTML, cleans that, and looks for names and references in the text that came
//! out of it. An entity (`@&#8203;name`, `&#64;name`), a backslash or a comment between the two is gone by then, or leaves an invisible
//! character in what people copy. It does not look into `code`, `pre` and `a`.
//!
//! A squash merge puts the text raw into a commit's message where the repository asks for descriptions there, which is not the
//! default. A message has no code, so what makes GitHub act is broken up within code as well: `[skip ci]`, and a closing keyword
//! before an issue. Names and references in code stay as they are, since people copy it: a decorator is `@name`, a colour `#123456`.
//! In such a message GitHub may link them, and note the commit at an issue; nothing is closed by that.
//!
//! Addresses of issues, pull requests, discussions and commits leave a trace on them, wherever they are linked from. Those of
//! github.com go by way of its host for that, which leaves none; on other hosts, of which one may be the forge, they are text.
//! Addresses that a repository made up for itself (`TICKET-123`) cannot be known: they become links to its own tracker, and nobody is told.
//!
//! Time and memory are bounded by the bytes that are read, however they are nested (`tests/fuzz/notes.rs`).

mod html;
mod line;
mod links;
mod page;
mod words;

use line::{Form, Line};

pub use links::Link;

/// What is read of the notes. The rest would hardly be shown: a text is at most 58,000 characters. Unit: bytes.
const READ_MAX_BYTES: usize = 200_000;
/// Where less is shown, less is read: marks, addresses and comments take their part of it.
const READ_BYTES_A_CHAR: usize = 16;
/// So much is read in any case. Unit: bytes.
const READ_MIN_BYTES: usize = 16_000;

/// Release notes that somebody wrote, and what to make of them.
#[derive(Clone, Copy, Debug)]
pub struct Notes<'a> {
    /// The notes in Markdown; nothing is known of them.
    pub text: &'a str,
    /// Where the whole text is.
    pub link: Option<&'a str>,
    /// The most that is written, with the words that tell of a cut. Unit: characters.
    pub max_chars: usize,
}

impl Notes<'_> {
    /// The notes in Markdown that can stand between blank lines anywhere in a text on GitHub: nothing is open at its end, nothing
    /// in it ends what is around it. Empty if there is nothing to show. What is too long is cut between two blocks, and says so.
    pub fn to_markdown(self) -> String {
        let Self { text, link, max_chars } = self;
        let mut end = text.len().min(max_chars.saturating_mul(READ_BYTES_A_CHAR).clamp(READ_MIN_BYTES, READ_MAX_BYTES));
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let linked = link.and_then(Link::read).and_then(|Link { url, shown }| {
            Some(format!("… (cut; the whole text: [{}]({}))", words::span(&shown, 80, false), url?))
        });
        let more = linked.filter(|more| more.chars().count() + 2 <= max_chars).unwrap_or_else(|| "… (cut)".into());
        page::page(&text[..end], end < text.len(), &more, max_chars)
    }
}

/// A stranger's words as they are, on one line: no Markdown is read in them. At most `max` characters are written.
pub fn inline(text: &str, max: usize) -> String {
    let form = Form { room: max, break_costs: 0, one_line: true, in_cell: false, in_item: false };
    let mut line = Line::new(form);
    // Every character takes one at least.
    line.text(&text.chars().take(max).collect::<String>());
    line.finish().0
}
