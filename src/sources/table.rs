//! A table of repositories as CSV: its further columns are known of them.

use super::{Discovery, SourceContext, SourceError, at, complaint, files};
use crate::activity::CsvShape;
use crate::domain::SourcedRepository;
use csv::StringRecord;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

const ID: &str = "repo_id";
const CLONE_URL: &str = "clone_url";
const UPSTREAM_BRANCH: &str = "upstream_branch";
/// A column of the Python tool's that says nothing here: what is cloned is always what is there now.
const PASSED_OVER: &str = "force_pull";

/// The repositories of a table.
pub(super) fn csv_file(file: &str, shape: &CsvShape, context: &SourceContext<'_>) -> Result<Discovery, SourceError> {
    let (path, text) = files::read(file, context)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(shape.delimiter)
        .quote(shape.quote)
        .escape(shape.escape)
        .double_quote(shape.double_quote)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut rows = reader.records();
    let columns = match &shape.columns {
        Some(columns) => columns.clone(),
        None => match rows.next() {
            None => return Err(wrong(&path, 1, "the table is empty; its first line names the columns")),
            Some(row) => {
                row.map_err(|error| broken(&path, &error))?.iter().map(|name| name.trim().to_owned()).collect()
            }
        },
    };
    check_columns(&path, &columns)?;
    let mut found = Discovery::default();
    for row in rows {
        let row = row.map_err(|error| broken(&path, &error))?;
        let line = || line_of(&text, &row);
        if let Some(one) = repository(&columns, &row).map_err(|why| wrong(&path, line(), why))? {
            if let Some(why) = complaint(&one) {
                return Err(wrong(&path, line(), why));
            }
            found.repositories.push(one);
        }
    }
    if found.repositories.is_empty() {
        found.remarks.push(format!("{} names no repository", path.display()));
    }
    Ok(found)
}

/// The line that a row begins on. The reader's own count is that of the empty lines before it.
fn line_of(text: &str, row: &StringRecord) -> u64 {
    let at = row.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
    let rest = text.get(at..).unwrap_or_default();
    let start = at + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
    1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count() as u64
}

fn check_columns(path: &Path, columns: &[String]) -> Result<(), SourceError> {
    let mut seen = HashSet::new();
    for column in columns {
        if !seen.insert(column) {
            let shown: String = column.chars().take(60).collect();
            return Err(wrong(path, 1, &format!("the column `{shown}` is there twice; rename one of them")));
        }
    }
    if !columns.iter().any(|column| column == CLONE_URL) {
        let shown: String = columns.join(", ").chars().take(200).collect();
        let why = format!("there is no column `{CLONE_URL}`, which git clones from; the columns are: {shown}");
        return Err(wrong(path, 1, &why));
    }
    Ok(())
}

/// The repository of a row; `None` for a row of empty cells.
fn repository(columns: &[String], row: &StringRecord) -> Result<Option<SourcedRepository>, &'static str> {
    if row.iter().all(|cell| cell.trim().is_empty()) {
        return Ok(None);
    }
    if row.len() != columns.len() {
        return Err(
            "this row has another number of cells than there are columns; quote cells that have a delimiter in them",
        );
    }
    let mut cells: BTreeMap<&str, &str> = columns.iter().map(String::as_str).zip(row.iter()).collect();
    let mut take = |name| cells.remove(name).map(str::trim).filter(|cell| !cell.is_empty());
    let clone_url = take(CLONE_URL).ok_or("`clone_url` is empty")?;
    let (id, branch) = (take(ID).unwrap_or(clone_url), take(UPSTREAM_BRANCH));
    take(PASSED_OVER);
    let patch_data = cells.into_iter().map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect();
    Ok(Some(SourcedRepository { upstream_branch: branch.map(str::to_owned), patch_data, ..at(id, clone_url) }))
}

fn wrong(path: &Path, line: u64, why: &str) -> SourceError {
    SourceError::Line { path: path.into(), line, why: why.into() }
}

fn broken(path: &Path, error: &csv::Error) -> SourceError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let why = format!(
                "this row has {len} cells, those above it {expected_len}; quote cells that have a delimiter in them"
            );
            wrong(path, line, &why)
        }
        _ => wrong(path, line, &format!("this is not CSV: {error}")),
    }
}
