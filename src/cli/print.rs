//! How commands print what files, registries and GitHub wrote: in one style, and so that it cannot steer a terminal.

use crate::domain::text::{cut, is_hidden};
use anyhow::Context as _;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Serialize;
use std::fmt::Write as _;
use std::io;

/// A column with longer texts may be wrapped, down to this many characters.
const SHORT: u16 = 24;

/// A table as all commands print them: no lines, as wide as the terminal allows. Prose stands in the last column.
pub(super) fn new_table<const N: usize>(columns: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns);
    table
}

/// The longest text of a cell, in characters. A name may be as long as its file; the table counts its columns in 16 bits.
const LONGEST_CELL: usize = 500;

/// Adds a row of untrusted texts.
pub(super) fn add_row<const N: usize>(table: &mut Table, cells: [&str; N]) {
    table.add_row(cells.map(|cell| printable(&cut(cell, LONGEST_CELL))));
}

/// The lines of a table, without the spaces that fill its last column. Names, paths and versions stay whole, so that
/// they can be copied; on a narrow terminal it is the prose that is wrapped, and where an address is wider, the table is.
pub(super) fn lines(mut table: Table) -> String {
    let widths = table.column_max_content_widths();
    let addresses: Vec<u16> = (0..widths.len())
        .map(|column| table.column_cells_iter(column).flatten().filter_map(|cell| longest_address(&cell.content())))
        .map(|lengths| lengths.max().unwrap_or_default())
        .collect();
    for ((column, width), address) in table.column_iter_mut().zip(widths).zip(addresses) {
        let padding = column.padding_width();
        let least = address.max(SHORT);
        column.set_constraint(match width {
            width if width <= least => ColumnConstraint::ContentWidth,
            _ => ColumnConstraint::LowerBoundary(Width::Fixed(least + padding)),
        });
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The width of the longest address in a text: one that is broken can be neither opened nor copied.
fn longest_address(text: &str) -> Option<u16> {
    let addresses = text.split_whitespace().filter(|word| word.contains("://") || word.starts_with("git@"));
    addresses.filter_map(|address| u16::try_from(address.chars().count()).ok()).max()
}

/// What came from elsewhere, on one line: it must neither steer the terminal nor seem to be another text than it is.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// Who reads a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// A person at a terminal: as [`printable`], but what indents stays, and a carriage return at the end of a line is seen.
    Terminal,
    /// Whoever reads the log of a job, or applies it: what ends lines stays as well.
    Log,
    /// A program, which needs each byte as it is.
    Program,
}

/// A change as its reader needs it. It ends with the end of a line.
pub(super) fn change(diff: &str, reader: Reader) -> String {
    let mut shown = String::with_capacity(diff.len() + 1);
    // `\n` alone ends a line of a diff: a `\r` before it belongs to the line of the file.
    for line in diff.split_terminator('\n') {
        let shows = |kept: char| move |c: char| if is_hidden(c) && c != '\t' && c != kept { '\u{fffd}' } else { c };
        match (reader, line.strip_suffix('\r')) {
            (Reader::Program, _) => shown.push_str(line),
            (Reader::Log, _) => shown.extend(line.chars().map(shows('\r'))),
            (Reader::Terminal, None) => shown.extend(line.chars().map(shows('\t'))),
            (Reader::Terminal, Some(line)) => {
                shown.extend(line.chars().map(shows('\t')));
                shown.push_str("^M");
            }
        }
        shown.push('\n');
    }
    shown
}

/// JSON over several lines, in which the same characters are escaped: the values stay what they are.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<String> {
    let text = serde_json::to_string_pretty(value).context("the result cannot be written as JSON")?;
    if text.chars().all(|c| c == '\n' || !is_hidden(c)) {
        return Ok(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        // Outside of strings JSON has none of them but line breaks.
        if c == '\n' || !is_hidden(c) {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    Ok(escaped)
}

/// Standard output, of which it is told when nothing can be written to it: the system's own words (`No space left on device`) do
/// not say where. A reader like `head` that has seen enough is no failure: the rest goes nowhere, and the command comes to
/// its own end. Only who flushes is told, and may stop.
pub struct Output<W> {
    to: W,
    is_closed: bool,
}

impl<W: io::Write> Output<W> {
    /// Writes to a standard output.
    pub fn new(to: W) -> Self {
        Self { to, is_closed: false }
    }
}

impl<W: io::Write> io::Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        match self.to.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(bytes.len())
            }
            written => written.map_err(|error| io::Error::new(error.kind(), unwritten(&error))),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.to.flush().map_err(|error| io::Error::new(error.kind(), unwritten(&error)))
    }
}

/// Standard error. Where nobody listens, the exit code is left to say it.
pub struct Notes<W>(pub W);

impl<W: io::Write> io::Write for Notes<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// That a result did not get out, and why.
pub fn unwritten(error: &io::Error) -> String {
    format!("the result cannot be written to standard output: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let odd = "a\u{1b}[31mb\u{9b}c\r\n\td\u{202e}e\u{2066}f\u{200b}g\u{2028}h\u{e0041}i\u{61c}j\u{ad}é";
        let shown = printable(odd);
        assert_eq!(shown.chars().count(), odd.chars().count(), "one for one: columns stay");
        assert_eq!(shown.replace('\u{fffd}', "?"), "a?[31mb?c???d?e?f?g?h?i?j?é");
        assert_eq!(printable("src/größe/日本.txt"), "src/größe/日本.txt");
    }

    #[test]
    fn a_change_is_shown_to_people_and_whole_for_programs() {
        let diff = "-a\tb\u{1b}[31m\n+a\tb\u{1b}[31m\rc\r\n";
        assert_eq!(change(diff, Reader::Terminal), "-a\tb\u{fffd}[31m\n+a\tb\u{fffd}[31m\u{fffd}c^M\n");
        assert_eq!(change(diff, Reader::Log), "-a\tb\u{fffd}[31m\n+a\tb\u{fffd}[31m\rc\r\n");
        assert_eq!(change(diff, Reader::Program), diff);
        assert_eq!(change("+a", Reader::Program), "+a\n");
    }

    #[test]
    fn addresses_stay_whole() {
        let mut table = new_table(["Repository", "Pull request", "Why"]);
        let (id, url) = ("git@github.com:acme/infrastructure.git", "https://github.com/acme/infrastructure/pull/1");
        add_row(&mut table, [id, url, "it is as long as a sentence, and is wrapped where the words end"]);
        table.set_width(80);
        let shown = lines(table);
        assert!(shown.contains(id) && shown.contains(url), "{shown}");
        assert!(shown.lines().count() > 2, "{shown}");
    }

    #[test]
    fn json_says_the_same_in_other_characters() {
        let value = serde_json::json!({ "a\u{202e}": ["b\u{9b}\u{e0041}\n", "é"] });
        let text = json(&value).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !is_hidden(c)), "{text:?}");
        assert!(text.contains("\\u202e") && text.contains("\\udb40\\udc41") && text.contains('é'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
