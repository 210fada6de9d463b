//! The versions that pnpm-workspace.yaml holds for the packages of a workspace: its catalogs and its overrides.
//!
//! Source: pnpm's documentation, "pnpm-workspace.yaml", "Catalogs", "Settings" (`overrides`).

use super::edit::{self, Find};
use super::package_json::selector;
use super::package_json::specifier::{self, Specifier};
use super::requirement::Place;
use super::yaml::{self, Value};
use super::{Edit, EditError, Extraction, Found, MOST_DEPENDENCIES, Manager, cut};
use crate::domain::{Dependency, Ecosystem, RepoPath, Skip};
use crate::versioning::{Node, Scheme};
use std::collections::{BTreeMap, HashSet};

/// The manager of pnpm-workspace.yaml.
#[derive(Debug)]
pub struct PnpmWorkspace;

const NAME: &str = "pnpm-workspace";

const NARROW: &str = "its key says that it is for some versions or uses of the package alone";

impl Manager for PnpmWorkspace {
    fn name(&self) -> &'static str {
        NAME
    }

    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    /// Packages that were installed and committed are not the repository's own.
    fn claims(&self, path: &RepoPath) -> bool {
        path.file_name() == "pnpm-workspace.yaml" && !path.folder().split('/').any(|folder| folder == "node_modules")
    }

    fn extract(&self, path: &RepoPath, text: &str) -> Extraction {
        Extraction::of(find(path, text))
    }

    fn edit(&self, path: &RepoPath, text: &str, edits: &[Edit]) -> Result<String, EditError> {
        edit::apply(text, edits, |text| find(path, text))
    }
}

/// Finds by the place of the version and the package it is for: what aliases lead to counts once for each package.
type Finds = BTreeMap<(usize, String), Find>;

fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
    let yaml = yaml::read(text)?;
    let line_of = |at| yaml.line_of(at);
    let place = Place { manager: NAME, path, line_of: &line_of };
    let mut finds = Finds::new();
    // Catalogs may be aliases of each other, or merge one.
    let mut seen = HashSet::new();
    for document in yaml.documents() {
        let named = document.get("catalogs").into_iter().flat_map(Value::entries).map(|(_, catalog)| catalog);
        for catalog in document.get("catalog").into_iter().chain(named) {
            for (name, value) in texts(catalog).filter(|(name, value)| seen.insert((value.id(), *name))) {
                add(&mut finds, entry(name, value, &place), value)?;
            }
        }
        for (key, value) in document.get("overrides").into_iter().flat_map(texts) {
            add(&mut finds, replacement(key, value, &place), value)?;
        }
    }
    yaml.all_seen()?;
    leave_shared(&mut finds);
    Ok(Found { finds: finds.into_values().collect(), includes: Vec::new() })
}

/// The entries of a mapping whose values are texts; pnpm takes no others.
fn texts<'y>(map: Value<'y>) -> impl Iterator<Item = (&'y str, Value<'y>)> {
    map.entries().into_iter().filter(|(_, value)| value.text().is_some())
}

fn add(finds: &mut Finds, find: Find, value: Value<'_>) -> Result<(), String> {
    finds.entry((value.start(), find.dependency.package.name.clone())).or_insert(find);
    if finds.len() > MOST_DEPENDENCIES {
        return Err(format!("there are more than {MOST_DEPENDENCIES} dependencies in it"));
    }
    Ok(())
}

/// Where an alias makes one text the version of several packages, none of them is updated: the new version of one need
/// not exist for the other.
fn leave_shared(finds: &mut Finds) {
    let mut users: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (at, name) in finds.keys() {
        users.entry(*at).or_default().push(name.clone());
    }
    for ((at, name), find) in finds {
        if let Some(other) = users.get(at).into_iter().flatten().find(|other| *other != name) {
            find.leave_alone(Skip::NotUnderstood(format!("its version is used for `{other}` too")));
        }
    }
}

/// What is asked of one package.
fn entry(name: &str, value: Value<'_>, place: &Place<'_>) -> Find {
    let (written, unreadable) = match value.written() {
        Ok(written) => (written, None),
        Err((written, skip)) => (written, Some(skip)),
    };
    let Specifier { package, constraint, skip } = specifier::read(&written);
    let name = package.as_deref().unwrap_or(name);
    let skip = if selector::is_name(name) {
        unreadable.or(skip)
    } else {
        Some(Skip::NotUnderstood("that is no name of a package".into()))
    };
    let at = constraint.origin(0).map_or(value.start(), |origin| origin.start);
    let dependency = Dependency {
        current: if skip.is_none() { Node.current(constraint.text()) } else { None },
        constraint: constraint.text().into(),
        skip,
        ..place.dependency(Ecosystem::Npm, &cut(name), at)
    };
    Find { dependency, constraint, version_at: None, digest: None, hashes: None }
}

/// What an override puts in the place of a package.
fn replacement(key: &str, value: Value<'_>, place: &Place<'_>) -> Find {
    let name = selector::pnpm(key);
    let text = value.text().unwrap_or_default();
    let left_alone = match text.strip_prefix('$') {
        Some(other) => format!("it follows what the package.json beside this file asks of `{}`", cut(other)),
        None if text == "-" => "it takes the package out".into(),
        None => {
            let mut find = entry(name, value, place);
            if name != key {
                find.leave_alone(Skip::LeftAlone(NARROW.into()));
            }
            return find;
        }
    };
    let dependency = place.dependency(Ecosystem::Npm, &cut(name), value.start());
    Find::left_alone(Dependency { skip: Some(Skip::LeftAlone(left_alone)), ..dependency })
}
