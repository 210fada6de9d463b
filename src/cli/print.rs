//! How commands print what files, registries and GitHub wrote: in one style, and so that it cannot steer a terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

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
    table.add_row(cells.map(|cell| match cell.char_indices().nth(LONGEST_CELL) {
        None => printable(cell),
        Some((end, _)) => printable(&cell[..end]) + "…",
    }));
}

/// The lines of a table, without the spaces that fill its last column. Names, paths and versions stay whole, so that
/// they can be copied; on a narrow terminal it is the prose that is wrapped.
pub(super) fn lines(mut table: Table) -> String {
    let widths = table.column_max_content_widths();
    for (column, width) in table.column_iter_mut().zip(widths) {
        let padding = column.padding_width();
        column.set_constraint(match width {
            ..=SHORT => ColumnConstraint::ContentWidth,
            _ => ColumnConstraint::LowerBoundary(Width::Fixed(SHORT + padding)),
        });
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// What came from elsewhere must not steer the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
