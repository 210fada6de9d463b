//! How commands print what files, registries and GitHub wrote: in one style, and so that it cannot steer a terminal.

use comfy_table::{ContentArrangement, Table, presets};

/// A table as all commands print them: no lines, as wide as the terminal allows.
pub(super) fn new_table<const N: usize>(columns: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns);
    table
}

/// Adds a row of untrusted texts.
pub(super) fn add_row<const N: usize>(table: &mut Table, cells: [&str; N]) {
    table.add_row(cells.map(printable));
}

/// The lines of a table, without the spaces that fill its last column.
pub(super) fn lines(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// What came from elsewhere must not steer the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
