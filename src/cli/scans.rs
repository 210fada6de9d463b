//! What scanners found, for people, for spreadsheets and for scripts.

use super::print::{add_row, lines, new_table};
use crate::domain::text::is_hidden;
use crate::domain::{Phase, Run, RunRepository, RunState, Scanned};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::Write;

/// How the results of scanners are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ScanFormat {
    /// For people: a row for a repository and a scanner
    #[default]
    Table,
    /// For spreadsheets: a row for a repository and a scanner, a column for a fact
    Csv,
    /// For scripts: one JSON array
    Json,
}

/// What a scanner found, as JSON.
pub(super) fn json(scanned: &Scanned) -> Value {
    match &scanned.facts {
        Ok(facts) => json!({ "commit": scanned.commit, "scanned_at": scanned.at, "facts": facts }),
        Err(problem) => json!({ "commit": scanned.commit, "scanned_at": scanned.at, "problem": problem }),
    }
}

/// Prints what scanners found in a run.
pub(super) fn print(
    run: &Run,
    all: &[RunRepository],
    scanner: Option<&str>,
    format: ScanFormat,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut found: Vec<Row<'_>> = all.iter().flat_map(Row::of).collect();
    found.retain(|row| scanner.is_none_or(|wanted| row.scanner.is_none_or(|name| name == wanted)));
    match format {
        ScanFormat::Json => {
            let row = |row: &Row<'_>| {
                let mut told = row.scanned.map_or_else(|| json!({ "commit": null, "scanned_at": null }), json);
                if let Err(problem) = row.facts {
                    told["problem"] = json!(problem);
                }
                told["run"] = json!(run.id);
                told["version"] = json!(run.version);
                told["repository"] = json!(row.one.repository.id);
                told["scanner"] = json!(row.scanner);
                told
            };
            writeln!(out, "{}", crate::cli::print::json(&found.iter().map(row).collect::<Vec<_>>())?)?;
        }
        // Each repository that a scanner came to has something of it, a problem at least.
        ScanFormat::Table if found.is_empty() && scanner.is_none() && run.ended_at.is_some() && !all.is_empty() => {
            writeln!(out, "Run {} had no scanners.", run.id)?;
        }
        ScanFormat::Table if found.is_empty() => writeln!(out, "No scanner has found anything.")?,
        ScanFormat::Table => {
            let mut table = new_table(["Repository", "Scanner", "Commit", "Found"]);
            for row in found {
                let facts = match row.facts {
                    Ok(facts) => {
                        facts.iter().map(|(key, value)| format!("{key}: {}", plain(value))).collect::<Vec<_>>()
                    }
                    Err(problem) => vec![format!("failed: {}", problem.replace('\n', " "))],
                };
                let commit = row.commit().get(..12).unwrap_or_default();
                add_row(
                    &mut table,
                    [&row.one.repository.id, row.scanner.unwrap_or_default(), commit, &facts.join(", ")],
                );
            }
            write!(out, "{}", lines(table))?;
        }
        ScanFormat::Csv => print_csv(run, &found, out)?,
    }
    Ok(())
}

/// What a scanner found in a repository, or why none came to it.
struct Row<'a> {
    one: &'a RunRepository,
    scanner: Option<&'a str>,
    scanned: Option<&'a Scanned>,
    facts: Result<&'a Map<String, Value>, &'a str>,
}

impl<'a> Row<'a> {
    fn of(one: &'a RunRepository) -> Vec<Self> {
        let is_unread = one.scans.is_empty() && one.state == RunState::Failed && one.phase <= Phase::Scan;
        let why = one.reason.as_deref().filter(|_| is_unread);
        let unread = why.map(|why| Self { one, scanner: None, scanned: None, facts: Err(why) });
        let found = one.scans.iter().map(|(name, scanned)| {
            let facts = scanned.facts.as_ref().map_err(String::as_str);
            Self { one, scanner: Some(name), scanned: Some(scanned), facts }
        });
        unread.into_iter().chain(found).collect()
    }

    fn commit(&self) -> &str {
        self.scanned.map_or("", |scanned| scanned.commit.as_str())
    }
}

/// A row for a repository and scanner, a column for each fact of any of them.
fn print_csv(run: &Run, found: &[Row<'_>], out: &mut dyn Write) -> anyhow::Result<()> {
    let (mut columns, mut seen) = (Vec::new(), BTreeSet::new());
    for key in found.iter().flat_map(|row| row.facts.iter().flat_map(|facts| facts.keys())) {
        if seen.insert(key) {
            columns.push(key.as_str());
        }
    }
    let mut head = vec!["repository", "scanner", "commit", "scanned_at", "run", "version", "problem"];
    head.extend(&columns);
    writeln!(out, "{}", head.into_iter().map(csv_cell).collect::<Vec<_>>().join(","))?;
    for row in found {
        let problem = row.facts.err().unwrap_or_default();
        let at = row.scanned.map(|scanned| scanned.at.to_string()).unwrap_or_default();
        let (id, scanner) = (run.id.to_string(), row.scanner.unwrap_or_default());
        let known = [row.one.repository.id.as_str(), scanner, row.commit(), &at, &id, &run.version, problem];
        let mut cells = known.map(csv_cell).to_vec();
        for column in &columns {
            let value = row.facts.ok().and_then(|facts| facts.get(*column)).unwrap_or(&Value::Null);
            cells.push(if value.is_number() { plain(value) } else { csv_cell(&plain(value)) });
        }
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

/// A value as people read it: a text without quotes, nothing for nothing.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A cell of a CSV file (RFC 4180). A text that a spreadsheet would run as a formula is kept from it by an apostrophe.
fn csv_cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    let text: String = text.chars().map(|c| if is_hidden(c) && c != '\n' { '\u{fffd}' } else { c }).collect();
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_what_they_say() {
        assert_eq!(csv_cell("plain"), "plain");
        assert_eq!(csv_cell("a,b \"c\"\nd"), "\"a,b \"\"c\"\"\nd\"");
        assert_eq!(csv_cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(csv_cell("a\u{1b}[31m"), "a\u{fffd}[31m");
    }
}
