//! Laws: an edit gives exactly the file a person would have written with the new version, and no text, whatever
//! it holds, makes a manager panic or change something it was not asked to.

use crate::edits::{constraint_after, edit_of};
use mass_driver::domain::{Dependency, RepoPath};
use mass_driver::managers::{self, Edit, EditError, Manager};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Stands for the version in templates; replaced by the old one and by the new one.
pub(crate) const HERE: &str = "@V@";

/// Stands for the commit in templates, as [`HERE`].
pub(crate) const COMMIT: &str = "@SHA@";

/// Where a manager's file lies.
pub(crate) fn path_for(manager: &str) -> RepoPath {
    let path = match manager {
        "requirements" => "api/requirements.txt",
        "pyproject" => "pyproject.toml",
        "setup-cfg" => "setup.cfg",
        "pipfile" => "Pipfile",
        "package-json" => "web/package.json",
        "pnpm-workspace" => "pnpm-workspace.yaml",
        "cargo" => "crates/a/Cargo.toml",
        "compose" => "compose.yaml",
        "github-actions" => ".github/workflows/ci.yml",
        "pre-commit" => ".pre-commit-config.yaml",
        _ => "Dockerfile",
    };
    RepoPath::parse(path).unwrap()
}

pub(crate) fn manager(name: &str) -> &'static dyn Manager {
    managers::by_name(name).unwrap()
}

pub(crate) fn pick(choices: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(choices).prop_map(str::to_string)
}

pub(crate) fn lines(line: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(line, 0..8)
}

/// Line ends, mark, and whether the last line ends.
pub(crate) fn encoding() -> impl Strategy<Value = (&'static str, &'static str, bool)> {
    (prop::sample::select(vec!["\n", "\r\n"]), prop::sample::select(vec!["", "\u{feff}"]), any::<bool>())
}

pub(crate) fn file(lines: &[String], (end, mark, last): (&str, &str, bool)) -> String {
    // A template may span lines.
    let text = lines.join("\n").replace('\n', end);
    format!("{mark}{text}{}", if last { end } else { "" })
}

/// The edit of the template's version gives the template with the new one, and a second time there is nothing to do.
pub(crate) fn check(
    name: &str,
    lines: &[String],
    encoding: (&str, &str, bool),
    constraint: &str,
) -> Result<(), TestCaseError> {
    let (manager, path) = (manager(name), path_for(name));
    let template = file(lines, encoding);
    let filled = |version, commit: &str| template.replace(HERE, version).replace(COMMIT, &commit.repeat(40));
    let (before, after) = (filled("1.0", "a"), filled("2.0", "e"));
    let found = manager.extract(&path, &before);
    prop_assert_eq!(&found.problem, &None, "{}", before);
    let target = |d: &&Dependency| d.package.name.ends_with("target-pkg") || d.package.name == "library/target";
    let is_meant = |d: &&Dependency| target(d) && d.constraint == constraint && d.skip.is_none();
    let to = constraint.trim_start_matches(['=', '^']).replace("1.0", "2.0");
    let mut edits: Vec<Edit> = found.dependencies.iter().filter(is_meant).map(|meant| edit_of(meant, &to)).collect();
    // Places for the same versions of Python are meant by one edit.
    let mut pythons = BTreeSet::new();
    edits.retain(|edit| pythons.insert(edit.python.clone()));
    let Some(edit) = edits.first() else { return Ok(()) };
    let edited = manager.edit(&path, &before, &edits);
    prop_assert_eq!(edited.as_ref(), Ok(&after), "{}", before);
    let again = manager.edit(&path, &after, &edits);
    prop_assert_eq!(again, Err(EditError::AlreadyThere(edit.package.clone())));
    let moved = manager.extract(&path, &after);
    prop_assert_eq!(moved.dependencies.len(), found.dependencies.len());
    for (old, new) in found.dependencies.iter().zip(&moved.dependencies) {
        let mut expected = old.clone();
        if old.package == edit.package && old.constraint == constraint && old.skip.is_none() {
            expected.digest = edit.digest_to.clone();
            expected.constraint = constraint.replace("1.0", "2.0");
            expected.current = Some(to.clone());
        }
        prop_assert_eq!(&expected, new);
    }
    Ok(())
}

/// Whatever the text: no panic, and an edit that succeeds changes the packages it names and no other.
pub fn survives(name: &str, text: &str) -> Result<(), TestCaseError> {
    let (manager, path) = (manager(name), path_for(name));
    let found = manager.extract(&path, text);
    for dependency in found.dependencies.iter().filter(|d| d.skip.is_none()).take(8) {
        let to = dependency.current.clone().unwrap_or_default().replacen(|c: char| c.is_ascii_digit(), "77", 1);
        let edit = edit_of(dependency, &to);
        let Ok(edited) = manager.edit(&path, text, std::slice::from_ref(&edit)) else { continue };
        let others = |found: &managers::Extraction| {
            let others = found.dependencies.iter().filter(|d| d.package != dependency.package);
            // Hashes that come or go move what stands below them.
            let line = |d: &Dependency| if dependency.hashed { 0 } else { d.line };
            others.map(|d| (d.package.clone(), d.constraint.clone(), line(d), d.skip.clone())).collect::<Vec<_>>()
        };
        let moved = manager.extract(&path, &edited);
        prop_assert_eq!(others(&found), others(&moved), "{:?}\n{:?}", text, edited);
        let wanted = constraint_after(&edit);
        prop_assert!(moved.dependencies.iter().any(|d| Some(&d.constraint) == wanted.as_ref()));
    }
    Ok(())
}
