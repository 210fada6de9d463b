//! What was measured: a table for people, JSON for programs. Shows medians with their spread, and every check.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// One quantity of a figure, over its runs.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The figure.
    pub figure: &'static str,
    /// On what: a database, and what else sets it apart.
    pub on: String,
    /// What was measured.
    pub what: String,
    /// Its unit.
    pub unit: &'static str,
    /// What is asked for, where something is.
    pub reach: Option<&'static str>,
    /// One value a run, in the order of the runs.
    pub values: Vec<f64>,
    /// The one in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

/// Something that has to be true whatever the machine.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The figure.
    pub figure: &'static str,
    /// On what.
    pub on: String,
    /// What has to be.
    pub what: String,
    /// Whether it is.
    pub holds: bool,
    /// What was found.
    pub found: String,
}

/// Everything that was measured and checked.
#[derive(Serialize)]
pub struct Report {
    machine: Value,
    rows: Vec<Row>,
    checks: Vec<Check>,
    notes: Vec<String>,
    details: Vec<Value>,
}

/// The rows of one figure on one database, as they come in run by run.
#[derive(Default)]
pub struct Runs {
    columns: Vec<(String, &'static str, Option<&'static str>, Vec<f64>)>,
}

impl Runs {
    /// Adds a run's value of a quantity.
    pub fn add(&mut self, what: &str, unit: &'static str, reach: Option<&'static str>, value: f64) {
        match self.columns.iter_mut().find(|column| column.0 == what) {
            Some(column) => column.3.push(value),
            None => self.columns.push((what.to_owned(), unit, reach, vec![value])),
        }
    }
}

impl Report {
    /// An empty one about this machine.
    pub fn new(machine: Value) -> Self {
        Self { machine, rows: Vec::new(), checks: Vec::new(), notes: Vec::new(), details: Vec::new() }
    }

    /// Takes in the runs of a figure.
    pub fn take(&mut self, figure: &'static str, on: &str, runs: Runs) {
        for (what, unit, reach, values) in runs.columns {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let at = |share: f64| quantile(&sorted, share);
            let (median, min, max) = (at(0.5), at(0.0), at(1.0));
            self.rows.push(Row { figure, on: on.to_owned(), what, unit, reach, values, median, min, max });
        }
    }

    /// Notes something that has to hold, and what was found.
    pub fn check(&mut self, figure: &'static str, on: &str, what: &str, holds: bool, found: impl Into<String>) {
        let found = found.into();
        if !holds {
            anstream::eprintln!("  NOT TRUE: {figure} on {on}: {what}: {found}");
        }
        self.checks.push(Check { figure, on: on.to_owned(), what: what.to_owned(), holds, found });
    }

    /// Notes that two counts are the same.
    pub fn same(&mut self, figure: &'static str, on: &str, what: &str, found: u64, expected: u64) {
        self.check(figure, on, what, found == expected, format!("{found} of {expected}"));
    }

    /// Notes a figure that could not be taken: one more thing that is not as it should be.
    pub fn note_failure(&mut self, figure: &'static str, on: &str, outcome: anyhow::Result<()>) {
        if let Err(error) = outcome {
            self.check(figure, on, "the figure can be taken", false, format!("{error:#}"));
        }
    }

    /// Adds a sentence below the table.
    pub fn note(&mut self, sentence: impl Into<String>) {
        self.notes.push(sentence.into());
    }

    /// Adds what is too long for the table, for the file alone.
    pub fn detail(&mut self, figure: &'static str, on: &str, values: Value) {
        self.details.push(serde_json::json!({"figure": figure, "on": on, "values": values}));
    }

    /// Whether every check holds.
    pub fn all_true(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    /// Writes it as JSON.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }

    /// Prints what machine this is.
    pub fn show_machine(&self) {
        for (name, value) in self.machine.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            anstream::println!("{name:<10} {text}");
        }
        anstream::println!();
    }

    /// Prints the table, the checks and the notes.
    pub fn show(&self, path: &Path) {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["figure", "on", "what", "median", "min", "max", "unit", "runs", "asked for"]);
        let mut before = None;
        for row in &self.rows {
            let place = (row.figure, row.on.as_str());
            let (figure, on) = if before == Some(place) { ("", "") } else { place };
            before = Some(place);
            let [median, min, max] = [row.median, row.min, row.max].map(shown);
            let runs = row.values.len().to_string();
            let reach = row.reach.unwrap_or_default();
            table.add_row([figure, on, &row.what, &median, &min, &max, row.unit, &runs, reach]);
        }
        for column in 3..6 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        anstream::println!("\n{table}\n");
        for note in &self.notes {
            anstream::println!("{note}");
        }
        let wrong: Vec<&Check> = self.checks.iter().filter(|check| !check.holds).collect();
        anstream::println!(
            "{} checks, {} of them not true; all of it in {}",
            self.checks.len(),
            wrong.len(),
            path.display()
        );
        for check in wrong {
            anstream::println!("  NOT TRUE: {} on {}: {}: {}", check.figure, check.on, check.what, check.found);
        }
    }
}

/// The value below which this share of sorted values lies; between two, the mean of both.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above.min(last)] - sorted[below]) * (place - place.floor())
}

/// Three digits are as many as a measurement has.
fn shown(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "-".to_owned(),
        size if size >= 100.0 => thousands(value.round() as i64),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    format!("{}{}", if value < 0 { "-" } else { "" }, groups.join(","))
}
