//! `mass-driver deps`: what the managers find in a checkout.

use crate::domain::{Dependency, Ecosystem};
use crate::sources::checkout::read_checkout;
use anyhow::Context;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

/// The arguments of `mass-driver deps`.
#[derive(Clone, Debug, clap::Args)]
pub struct DepsArgs {
    /// The folder of a repository.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For scripts.
    Json,
}

/// One dependency as it is printed.
#[derive(Debug, Serialize)]
struct Row<'a> {
    manager: &'a str,
    file: &'a str,
    line: u32,
    name: &'a str,
    current: Option<&'a str>,
    constraint: &'a str,
    /// Where its releases are looked up: the ecosystem's registry, or the host that an image names.
    registry: &'a str,
    skipped: Option<String>,
}

/// Prints the dependencies of a checkout to `out`, and what was passed over to `notes`.
///
/// Errors: when the folder cannot be read, or the result not be written.
pub fn deps(args: &DepsArgs, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<()> {
    let checkout = read_checkout(&args.path)?;
    for note in &checkout.notes {
        writeln!(notes, "note: {}", printable(note))?;
    }
    let found = checkout.manifests.iter().flat_map(|manifest| &manifest.extraction.dependencies);
    let rows: Vec<Row<'_>> = found.map(row).collect();
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &rows).context("the result cannot be written")?;
            writeln!(out)?;
        }
        Format::Table if rows.is_empty() => writeln!(out, "No dependencies in {}.", args.path.display())?,
        Format::Table => writeln!(out, "{}", table(&rows))?,
    }
    Ok(())
}

fn row(dependency: &Dependency) -> Row<'_> {
    Row {
        manager: &dependency.manager,
        file: dependency.path.as_str(),
        line: dependency.line,
        name: &dependency.package.name,
        current: dependency.current.as_deref(),
        constraint: &dependency.constraint,
        registry: registry(dependency),
        skipped: dependency.skip.as_ref().map(ToString::to_string),
    }
}

fn registry(dependency: &Dependency) -> &str {
    let host = dependency.package.name.split_once('/').map(|(host, _)| host);
    let named = |host: &str| host.contains(['.', ':']) || host == "localhost";
    match dependency.package.ecosystem {
        Ecosystem::Docker => host.filter(|host| named(host)).unwrap_or("docker"),
        Ecosystem::Pypi => "pypi",
    }
}

fn table(rows: &[Row<'_>]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["FILE", "LINE", "NAME", "CURRENT", "CONSTRAINT", "SKIPPED", "MANAGER"]);
    for row in rows {
        table.add_row([
            printable(row.file),
            row.line.to_string(),
            printable(row.name),
            printable(row.current.unwrap_or_default()),
            printable(row.constraint),
            printable(row.skipped.as_deref().unwrap_or_default()),
            row.manager.to_string(),
        ]);
    }
    table
}

/// What came from a file must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
