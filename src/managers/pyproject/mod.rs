//! The dependencies of a Python project in pyproject.toml, and in hatch.toml.
//!
//! Sources: PEP 621 (`project.dependencies`, `project.optional-dependencies`), PEP 735 (`dependency-groups`),
//! PEP 518 (`build-system.requires`); for tables of tools see [`tools`].

mod tools;

use super::edit::Find;
use super::format::Format;
use super::python;
use super::requirement::{self, Place};
use super::toml_file::TomlFile;
use super::{Found, MOST_DEPENDENCIES, Manager, requirements};
use crate::domain::{Ecosystem, RepoPath};
use crate::versioning::Pythons;
use std::collections::BTreeMap;
use toml_edit::{Item, TableLike, Value};

/// The manager of pyproject.toml.
#[derive(Debug)]
pub struct Pyproject;

/// Hatch's file of its own holds what would be in `tool.hatch`.
const HATCH_FILE: &str = "hatch.toml";

impl Format for Pyproject {
    const NAME: &'static str = "pyproject";

    const ECOSYSTEM: Ecosystem = Ecosystem::Pypi;

    fn claims(path: &RepoPath) -> bool {
        matches!(path.file_name(), "pyproject.toml" | HATCH_FILE)
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        let file = TomlFile::parse(text)?;
        let line_of = |at| file.line_of(at);
        let place = Place { manager: Self::NAME, path, line_of: &line_of };
        let mut found = Found::default();
        let (mut finds, mut apart) = (Vec::new(), Apart::new());
        if path.file_name() == HATCH_FILE {
            let lists = tools::hatch_lists(file.root());
            keep_apart(&file, lists.iter().map(|list| (*list, None)), &mut apart);
            read_lists(&file, &lists, &place, &mut finds);
        } else {
            read_lists(&file, &standard_lists(file.root()), &place, &mut finds);
            if let Some(tools) = table_in(file.root(), "tool") {
                read_lists(&file, &tools::lists(tools), &place, &mut finds);
                let elsewhere = tools::elsewhere(tools);
                for (_, find) in &mut finds {
                    if let Some(skip) = elsewhere.get(&find.dependency.package.name) {
                        find.leave_alone(skip.clone());
                    }
                }
                tools::read_poetry(&file, tools, &place, &mut finds);
                let project = project_pythons(file.root()).unwrap_or(Pythons::ALL);
                let hatch = table_in(tools, "hatch").into_iter().flat_map(tools::hatch_lists);
                keep_apart(&file, hatch.map(|list| (list, None)), &mut apart);
                let groups = tools::groups_with_pythons(file.root(), tools).into_iter();
                keep_apart(&file, groups.map(|(list, pythons)| (list, Some(pythons.and(project)))), &mut apart);
                tools::included_files(tools).into_iter().for_each(|name| found.include(path, name));
            }
        }
        if finds.len() > MOST_DEPENDENCIES {
            return Err(format!("there are more than {MOST_DEPENDENCIES} requirements in it"));
        }
        limit(&mut finds, &apart, project_pythons(file.root()));
        Ok(Found { includes: found.includes, ..Found::sorted(finds) })
    }

    /// setuptools takes lists from requirements files.
    fn reader_of_includes() -> Option<&'static dyn Manager> {
        Some(&requirements::Requirements)
    }
}

/// Lists that are not, or not alone, for what the project runs on, by the byte at which they begin: where they end, and what they are
/// for, as far as that is known.
type Apart = BTreeMap<usize, (usize, Option<Pythons>)>;

fn keep_apart<'a>(file: &TomlFile<'_>, lists: impl Iterator<Item = (&'a Value, Option<Pythons>)>, apart: &mut Apart) {
    for (list, pythons) in lists {
        let Some(span) = list.span() else { continue };
        let length = span.len();
        let start = file.start_of(Some(span));
        apart.insert(start, (start + length, pythons));
    }
}

/// Narrows what was found down to the versions of Python it is for.
fn limit(finds: &mut [(usize, Find)], apart: &Apart, project: Option<Pythons>) {
    let mut by_list: BTreeMap<Option<usize>, Vec<&mut Find>> = BTreeMap::new();
    for (start, find) in finds {
        let list = apart.range(..=*start).next_back().filter(|(_, (end, _))| *start < *end);
        by_list.entry(list.map(|(list, _)| *list)).or_default().push(find);
    }
    for (list, finds) in by_list {
        let pythons = list.map_or(project, |list| apart.get(&list).and_then(|(_, pythons)| *pythons));
        python::limit(finds, pythons);
    }
}

/// The versions of Python that the project runs on: `requires-python`, else what Poetry's table says.
fn project_pythons(root: &dyn TableLike) -> Option<Pythons> {
    let standard = table_in(root, "project").and_then(|project| value_in(project, "requires-python"));
    let poetry = || table_in(table_in(table_in(root, "tool")?, "poetry")?, "dependencies")?.get("python");
    let range = standard.and_then(Value::as_str).or_else(|| match poetry()? {
        Item::Value(Value::String(range)) => Some(range.value().as_str()),
        table => table.as_table_like()?.get("version")?.as_str(),
    });
    Pythons::of_range(range?)
}

/// Reads lists of requirements; each is remembered with where it begins.
fn read_lists(file: &TomlFile<'_>, lists: &[&Value], place: &Place<'_>, finds: &mut Vec<(usize, Find)>) {
    for value in lists.iter().filter_map(|list| list.as_array()).flatten() {
        // What is no string is an `include-group` of PEP 735, or a mistake that the project's own tools will tell.
        let Some(requirement) = file.string(value) else { continue };
        if finds.len() > MOST_DEPENDENCIES {
            return;
        }
        // PDM keeps the options of its command line.
        let option = ["-e ", "--editable "].iter().find(|option| requirement.text().starts_with(**option));
        let find = match option {
            Some(option) => requirement::editable(&requirement.slice(option.len()..requirement.text().len()), place),
            None => requirement::read(&requirement, None, place),
        };
        finds.push((file.start_of(value.span()), find));
    }
}

/// The lists of requirements the standards know.
fn standard_lists(root: &dyn TableLike) -> Vec<&Value> {
    let mut found = Vec::new();
    found.extend(table_in(root, "build-system").and_then(|table| value_in(table, "requires")));
    if let Some(project) = table_in(root, "project") {
        found.extend(value_in(project, "dependencies"));
        found.extend(table_in(project, "optional-dependencies").into_iter().flat_map(values));
    }
    found.extend(table_in(root, "dependency-groups").into_iter().flat_map(values));
    found
}

fn table_in<'a>(table: &'a dyn TableLike, key: &str) -> Option<&'a dyn TableLike> {
    table.get(key).and_then(Item::as_table_like)
}

fn value_in<'a>(table: &'a dyn TableLike, key: &str) -> Option<&'a Value> {
    table.get(key).and_then(Item::as_value)
}

fn values(table: &dyn TableLike) -> impl Iterator<Item = &Value> {
    table.iter().filter_map(|(_, item)| item.as_value())
}

fn tables(table: &dyn TableLike) -> impl Iterator<Item = &dyn TableLike> {
    table.iter().filter_map(|(_, item)| item.as_table_like())
}
