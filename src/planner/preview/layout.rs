//! Tables and lists of bounded length, and texts cut where that shows least.

use crate::domain::ObjectId;

/// GitHub takes so much in a summary and in a text. It counts characters; as many bytes are never more. Unit: bytes.
const LONGEST: usize = 65_535;
/// What stands at the end of a text that was cut.
const CUT: &str = "\n… and more than fits here.\n";

/// `1 update`, `2 updates`.
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The beginning of a commit's id, which GitHub turns into a link.
pub(super) fn short_id(commit: &ObjectId) -> &str {
    &commit.as_str()[..12.min(commit.as_str().len())]
}

/// `a`, `a and b`, `a, b and others`: the first few of a list.
pub(super) fn a_few(all: impl ExactSizeIterator<Item = String>, few: usize) -> String {
    let n = all.len();
    let shown: Vec<String> = all.take(few).collect();
    if n > few {
        return format!("{} and other reasons, see below", shown.join(", "));
    }
    shown.join(" and ")
}

/// The text as far as it fits, cut at the end of a line. Nothing we write leaves anything open at the end of a line.
pub(super) fn fitting(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let mut end = LONGEST - CUT.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // A line as long as that is none of ours; it is cut at a character.
    let end = text[..end].rfind('\n').map_or(end, |newline| newline + 1);
    format!("{}{CUT}", &text[..end])
}

/// A table under a heading.
pub(super) struct Table {
    start: String,
    rows: Vec<String>,
}

impl Table {
    pub(super) fn new(heading: &str, columns: &[&str]) -> Self {
        let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
        let rule = vec!["---"; columns.len()];
        Self { start: format!("## {heading}\n\n{}{}", line(columns), line(&rule)), rows: Vec::new() }
    }

    /// Adds a row of cells, each Markdown without `|` and line ends.
    pub(super) fn add(&mut self, cells: &[String]) {
        self.rows.push(format!("| {} |\n", cells.join(" | ")));
    }

    /// The table with its first rows, and how many more there are; nothing where there are none.
    pub(super) fn at_most(&self, rows: usize) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut text = self.start.clone();
        text.extend(self.rows.iter().take(rows).map(String::as_str));
        if self.rows.len() > rows {
            text += &format!("\n… and {} more.\n", self.rows.len() - rows);
        }
        text + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_the_end_of_a_line_within_the_limit() {
        let fits = "x".repeat(LONGEST);
        assert_eq!(fitting(&fits), fits);
        for line in ["a line\n", "| `ä` | `üüü` |\n", "\u{1f680}\u{1f680}\n"] {
            let text = line.repeat(20_000);
            let cut = fitting(&text);
            assert!(cut.len() <= LONGEST, "{}", cut.len());
            assert!(cut.len() > LONGEST - 100, "as much as fits: {}", cut.len());
            let kept = cut.strip_suffix(CUT).unwrap();
            assert!(text.starts_with(kept) && kept.ends_with('\n'));
        }
        let one_line = fitting(&"ä".repeat(LONGEST));
        assert!(one_line.len() <= LONGEST && one_line.ends_with(CUT));
    }

    #[test]
    fn a_table_says_how_many_rows_it_leaves_out() {
        let mut table = Table::new("Things", &["A"]);
        assert_eq!(table.at_most(2), "");
        for n in 0..3 {
            table.add(&[n.to_string()]);
        }
        assert_eq!(table.at_most(2), "## Things\n\n| A |\n| --- |\n| 0 |\n| 1 |\n\n… and 1 more.\n\n");
    }
}
