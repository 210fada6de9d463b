//! The dependencies of a Python project in pyproject.toml.
//!
//! Sources: PEP 621 (`project.dependencies`, `project.optional-dependencies`), PEP 735 (`dependency-groups`),
//! PEP 518 (`build-system.requires`).

use super::edit;
use super::requirement::{self, Place};
use super::toml_string;
use super::{Edit, EditError, Extraction, Found, MOST_DEPENDENCIES, Manager, cut, readable, without_mark};
use crate::domain::{Ecosystem, RepoPath};
use toml_edit::{Document, Item, TableLike, Value};

/// The manager of pyproject.toml.
#[derive(Debug)]
pub struct Pyproject;

const NAME: &str = "pyproject";

impl Manager for Pyproject {
    fn name(&self) -> &'static str {
        NAME
    }

    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Pypi
    }

    fn claims(&self, path: &RepoPath) -> bool {
        path.file_name() == "pyproject.toml"
    }

    fn extract(&self, path: &RepoPath, text: &str) -> Extraction {
        Extraction::of(find(path, text))
    }

    fn edit(&self, path: &RepoPath, text: &str, edits: &[Edit]) -> Result<String, EditError> {
        edit::apply(text, edits, |text| find(path, text))
    }
}

fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
    readable(text)?;
    let (mark, toml) = without_mark(text);
    let line_starts = super::line_starts(text);
    let line_of = |at| super::line_of(&line_starts, at);
    let document = Document::parse(toml).map_err(|error| {
        let line = line_of(mark + error.span().map_or(0, |span| span.start));
        format!("line {line}: {}", cut(error.message().lines().next().unwrap_or("not TOML")))
    })?;
    let place = Place { manager: NAME, path, line_of: &line_of };
    let mut finds = Vec::new();
    for value in requirement_lists(document.as_table()) {
        let list = value.as_array().into_iter().flatten();
        // What is no string is an `include-group` of PEP 735, or a mistake that the project's own tools will tell.
        for (string, span) in list.filter_map(|entry| Some((entry.as_str()?, entry.span()?))) {
            // The string is read again to know where each character stands; both readings must agree.
            let decoded = toml.get(span.clone()).and_then(|raw| toml_string::decode(raw, mark + span.start));
            if let Some(requirement) =
                decoded.filter(|d| d.text().replace("\r\n", "\n") == string.replace("\r\n", "\n"))
            {
                finds.push((span.start, requirement::read(&requirement.trimmed(), None, &place)));
            }
        }
    }
    if finds.len() > MOST_DEPENDENCIES {
        return Err(format!("there are more than {MOST_DEPENDENCIES} requirements in it"));
    }
    finds.sort_by_key(|(start, _)| *start);
    Ok(Found { finds: finds.into_iter().map(|(_, find)| find).collect(), includes: Vec::new() })
}

/// The lists of requirements the standards know.
fn requirement_lists<'a>(root: &'a dyn TableLike) -> Vec<&'a Value> {
    let table = |item: Option<&'a Item>| item.and_then(Item::as_table_like);
    let lists = |table: &'a dyn TableLike| table.iter().filter_map(|(_, item)| item.as_value());
    let project = table(root.get("project"));
    let list_of = |table: Option<&'a dyn TableLike>, key| table.and_then(|t| t.get(key)).and_then(Item::as_value);
    let mut found = Vec::new();
    found.extend(list_of(table(root.get("build-system")), "requires"));
    found.extend(list_of(project, "dependencies"));
    found.extend(table(project.and_then(|p| p.get("optional-dependencies"))).into_iter().flat_map(lists));
    found.extend(table(root.get("dependency-groups")).into_iter().flat_map(lists));
    found
}
