//! The packages of a Pipfile.
//!
//! Source: Pipenv's documentation, "Pipfile & Pipfile.lock".

use super::format::Format;
use super::package_table;
use super::requirement::Place;
use super::toml_file::TomlFile;
use super::{Found, MOST_DEPENDENCIES};
use crate::domain::{Ecosystem, RepoPath};
use crate::versioning::Pep440;

/// The manager of Pipfiles.
#[derive(Debug)]
pub struct Pipfile;

/// The tables that are no category of packages; every other one is, whatever its name.
const NO_PACKAGES: [&str; 6] = ["source", "requires", "scripts", "pipenv", "pipfile", "build-system"];

impl Format for Pipfile {
    const NAME: &'static str = "pipfile";

    const ECOSYSTEM: Ecosystem = Ecosystem::Pypi;

    fn claims(path: &RepoPath) -> bool {
        path.file_name() == "Pipfile"
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        let file = TomlFile::parse(text)?;
        let line_of = |at| file.line_of(at);
        let place = Place { manager: Self::NAME, path, line_of: &line_of };
        let mut finds = Vec::new();
        let categories = file.root().iter().filter(|(name, _)| !NO_PACKAGES.contains(name));
        for packages in categories.filter_map(|(_, item)| item.as_table_like()) {
            package_table::read(&file, packages, Pep440::understand, &place, &mut finds);
        }
        if finds.len() > MOST_DEPENDENCIES {
            return Err(format!("there are more than {MOST_DEPENDENCIES} packages in it"));
        }
        Ok(Found::sorted(finds))
    }
}
