//! The packages of a Pipfile.
//!
//! Source: Pipenv's documentation, "Pipfile & Pipfile.lock".

use super::format::Format;
use super::package_table;
use super::python;
use super::requirement::Place;
use super::toml_file::TomlFile;
use super::{Found, MOST_DEPENDENCIES};
use crate::domain::{Ecosystem, RepoPath};
use crate::versioning::{Pep440, Pythons};
use toml_edit::{Item, TableLike};

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
        python::limit(finds.iter_mut().map(|(_, find)| find), project_pythons(file.root()));
        Ok(Found::sorted(finds))
    }
}

/// The one version of Python that the project runs on.
fn project_pythons(root: &dyn TableLike) -> Option<Pythons> {
    let requires = root.get("requires").and_then(Item::as_table_like)?;
    let full = requires.get("python_full_version").and_then(Item::as_str);
    let version = requires.get("python_version").and_then(Item::as_str).or(full)?;
    // A full version stands for all of its minor one.
    let minor: Vec<&str> = version.split('.').take(2).collect();
    Pythons::of_range(&format!("=={}.*", minor.join(".")))
}
