//! `mass-driver deps`: what the managers find in a checkout.

use super::passed_over::{is_whole, tell};
use super::print::{add_row, json, lines, new_table, printable};
use super::{Exit, UsageError};
use crate::checkout::{Checkout, read_checkout};
use crate::domain::{Dependency, RepoPath};
use crate::scanners::DependencyRow;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The end of `deps --help`, which names every folder of [`crate::checkout::LEFT_OUT`].
const HELP: &str = "Left out, because the server sees none of it or a tool filled it: what git ignores; submodules; symbolic links; \
Python environments (folders with a pyvenv.cfg); and, unless git tracks files in them, folders called .git, node_modules, target, \
venv, .venv, .tox, .nox or __pycache__.

What is left out for another reason, and what cannot be read, is told on standard error. The exit code is 1 when a manifest or \
a folder could not be read; whatever could be is printed all the same.";

/// The arguments of `mass-driver deps`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = HELP)]
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

/// Prints the dependencies of a checkout to `out`, and what was passed over to `notes`.
///
/// Returns [`Exit::Failed`] when something in it could not be read. Errors: [`UsageError`] when the folder cannot be read; else when the result cannot be written.
pub fn deps(args: &DepsArgs, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<Exit> {
    let checkout = read_checkout(&args.path).map_err(|error| UsageError(error.to_string()))?;
    tell(&checkout, notes)?;
    let found: Vec<&Dependency> =
        checkout.manifests.iter().flat_map(|manifest| &manifest.extraction.dependencies).collect();
    match args.format {
        Format::Json => {
            let rows: Vec<DependencyRow<'_>> = found.into_iter().map(DependencyRow::of).collect();
            // In one piece: standard output passes every line on by itself, which is many for a large checkout.
            out.write_all((json(&rows)? + "\n").as_bytes())?;
        }
        Format::Table if found.is_empty() => writeln!(out, "{}", nothing_found(&checkout, &args.path))?,
        Format::Table => write!(out, "{}", table(&found))?,
    }
    is_whole(&checkout, "list", notes)
}

/// Says that there is nothing, and where it was looked for: `.` alone would not tell.
fn nothing_found(checkout: &Checkout, path: &Path) -> String {
    let whole = path.canonicalize();
    let place = printable(&whole.as_deref().unwrap_or(path).to_string_lossy());
    let files: BTreeSet<&RepoPath> = checkout.manifests.iter().map(|manifest| &manifest.path).collect();
    match files.len() {
        0 => format!("No manifest was found in {place}."),
        1 => format!("No dependency was found in the manifest of {place}."),
        count => format!("No dependency was found in the {count} manifests of {place}."),
    }
}

/// What a file pins besides the version: the commit, the image's digest, or the hashes of the version's files.
fn pinned_to(dependency: &Dependency) -> String {
    /// Enough to know one by.
    const SHOWN: usize = 12;
    let start = |digest: &str| digest.chars().take(SHOWN).collect::<String>();
    match &dependency.digest {
        Some(digest) => match digest.split_once(':') {
            Some((_, digest)) => format!("digest {}", start(digest)),
            None => format!("commit {}", start(digest)),
        },
        None if dependency.hashed => "hashes".into(),
        None => String::new(),
    }
}

fn table(found: &[&Dependency]) -> String {
    let columns = ["Where", "Ecosystem", "Name", "Current", "Constraint", "Pinned to", "Manager", "Left alone because"];
    let mut table = new_table(columns);
    for dependency in found {
        let cells = [
            &format!("{}:{}", dependency.path, dependency.line),
            dependency.package.ecosystem.as_str(),
            &dependency.package.name,
            dependency.current.as_deref().unwrap_or_default(),
            &dependency.constraint,
            &pinned_to(dependency),
            &dependency.manager,
            &dependency.skip.as_ref().map(ToString::to_string).unwrap_or_default(),
        ];
        add_row(&mut table, cells);
    }
    lines(table)
}
