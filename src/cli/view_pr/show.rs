//! How pull requests are shown: in groups with counts and shares of all, as JSON, and what changed since.

use super::super::print::{add_row, lines, new_table, printable};
use super::super::summary::share;
use super::standing::{Seen, Standing};
use super::wanted::Wanted;
use crate::domain::time::clock_time;
use crate::forge::session::ChecksState;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Empties a terminal, and begins at its top.
pub(super) const CLEARED: &str = "\u{1b}[2J\u{1b}[H";

/// A pull request and what is known of it.
pub(super) struct Row {
    pub(super) wanted: Wanted,
    pub(super) seen: Seen,
}

impl Row {
    /// Where it is to be seen, or else how it was written.
    fn place(&self) -> &str {
        self.seen.url.as_deref().unwrap_or(&self.wanted.written)
    }
}

/// The counts, then each group.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = counts(rows);
    for (standing, those) in groups(rows) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{}", capital(standing.words()));
        let mut table = new_table(["  Pull request", "Remark"]);
        for row in those {
            add_row(&mut table, [&format!("  {}", row.place()), &row.seen.remark()]);
        }
        // The heading of the group says enough.
        text.extend(lines(table).split_inclusive('\n').skip(1));
    }
    text
}

/// How many there are of each group.
pub(super) fn counts(rows: &[Row]) -> String {
    let all = rows.len();
    let mut text = match all {
        0 => return "No pull requests.\n".into(),
        1 => "1 pull request:\n".to_owned(),
        _ => format!("{all} pull requests:\n"),
    };
    for (standing, those) in groups(rows) {
        let _ = writeln!(text, "{:>6}  {:>7}  {}", those.len(), share(those.len(), all), standing.words());
    }
    text
}

fn groups(rows: &[Row]) -> BTreeMap<Standing, Vec<&Row>> {
    let mut groups: BTreeMap<Standing, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(row.seen.standing).or_default().push(row);
    }
    groups
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// All of it for scripts.
pub(super) fn json(rows: &[Row], now: Timestamp) -> Value {
    let pulls: Vec<Value> = rows.iter().map(row_json).collect();
    let groups = groups(rows);
    let groups = groups.iter().map(|(state, those)| json!({ "state": state, "pull_requests": those.len() }));
    json!({ "looked_at": now, "total": rows.len(), "counts": groups.collect::<Vec<_>>(), "pull_requests": pulls })
}

fn row_json(row: &Row) -> Value {
    let Row { wanted, seen } = row;
    let address = wanted.address.as_ref().ok();
    json!({
        "asked_for": wanted.written,
        "repository": address.map(|address| address.repository.to_string()),
        "number": address.map(|address| address.number),
        "url": seen.url,
        "state": seen.standing,
        "approvals": seen.word.map(|word| word.approvals),
        "changes_requested": seen.word.map(|word| word.changes_requested),
        "checks": seen.word.map(|word| checks(word.checks)),
        "why": seen.why,
    })
}

const fn checks(state: ChecksState) -> &'static str {
    match state {
        ChecksState::None => "none",
        ChecksState::Green => "green",
        ChecksState::Pending => "pending",
        ChecksState::Red => "red",
        ChecksState::Unknown => "unknown",
    }
}

/// What changed of a pull request, in a line.
pub(super) fn change(now: Timestamp, before: &Row, after: &Seen) -> String {
    let place = after.url.as_deref().unwrap_or(before.place());
    let (old, new) = (before.seen.standing.words(), after.standing.words());
    let remark = after.remark();
    let remark = if remark.is_empty() { remark } else { format!(" ({remark})") };
    let from = if old == new { String::new() } else { format!("{old} -> ") };
    printable(&format!("{}  {place}  {from}{new}{remark}", clock_time(now)))
}

/// What stands below a table that will be drawn anew.
pub(super) fn footer(now: Timestamp, open: usize, interval: Duration) -> String {
    match open {
        0 => format!("{}: all are over.", clock_time(now)),
        _ => format!(
            "{}: {open} to be looked at again, every {} s. Ctrl-C ends this.",
            clock_time(now),
            interval.as_secs()
        ),
    }
}
