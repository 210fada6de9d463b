//! `mass-driver deps`: what the managers find in a checkout.

use super::UsageError;
use super::print::{add_row, json, lines, new_table, printable};
use crate::domain::{Dependency, Ecosystem, PackageId};
use crate::sources::checkout::read_checkout;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

/// The arguments of `mass-driver deps`.
#[derive(Clone, Debug, clap::Args)]
pub struct DepsArgs {
    /// The checkout: the folder of a repository
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Table,
    /// For scripts: one JSON array
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
    /// Where its releases are looked up: the ecosystem's registry, the host that an image or a repository of hooks names, or `github`.
    registry: &'a str,
    skipped: Option<String>,
}

/// Prints the dependencies of a checkout to `out`, and what was passed over to `notes`.
///
/// Errors: [`UsageError`] when the folder cannot be read; else when the result cannot be written.
pub fn deps(args: &DepsArgs, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<()> {
    let checkout = read_checkout(&args.path).map_err(|error| UsageError(error.to_string()))?;
    for note in &checkout.notes {
        writeln!(notes, "note: {}", printable(note))?;
    }
    let found = checkout.manifests.iter().flat_map(|manifest| &manifest.extraction.dependencies);
    let rows: Vec<Row<'_>> = found.map(row).collect();
    match args.format {
        Format::Json => {
            // In one piece: standard output passes every line on by itself, which is many for a large checkout.
            out.write_all((json(&rows)? + "\n").as_bytes())?;
        }
        Format::Table if rows.is_empty() => {
            writeln!(out, "No dependencies in {}.", printable(&args.path.display().to_string()))?;
        }
        Format::Table => write!(out, "{}", table(&rows))?,
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

/// Images and repositories of hooks may name their host; a name that was not understood may hold anything.
fn registry(dependency: &Dependency) -> &str {
    let PackageId { ecosystem, name } = &dependency.package;
    let is_host = |host: &&str| {
        let (name, port) = host.split_once(':').unwrap_or((host, "0"));
        (host.contains(['.', ':']) || *host == "localhost")
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
            && port.bytes().all(|b| b.is_ascii_digit())
    };
    let host = name.split_once('/').map(|(host, _)| host).filter(is_host);
    match ecosystem {
        Ecosystem::Docker | Ecosystem::PreCommit => host.unwrap_or(ecosystem.as_str()),
        Ecosystem::GithubActions => "github",
        Ecosystem::Pypi | Ecosystem::Npm | Ecosystem::Cargo => ecosystem.as_str(),
    }
}

fn table(rows: &[Row<'_>]) -> String {
    let mut table = new_table(["Where", "Name", "Current", "Constraint", "Manager", "Left alone because"]);
    for row in rows {
        let cells = [
            &format!("{}:{}", row.file, row.line),
            row.name,
            row.current.unwrap_or_default(),
            row.constraint,
            row.manager,
            row.skipped.as_deref().unwrap_or_default(),
        ];
        add_row(&mut table, cells);
    }
    lines(table)
}
