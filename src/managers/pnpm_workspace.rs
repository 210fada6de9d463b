//! The versions that pnpm-workspace.yaml holds for the packages of a workspace: its catalogs and its overrides.
//!
//! Source: pnpm's documentation, "pnpm-workspace.yaml", "Catalogs", "Settings" (`overrides`).

use super::aliases;
use super::edit::Find;
use super::format::Format;
use super::package_json::selector;
use super::package_json::specifier::{self, Specifier};
use super::requirement::Place;
use super::yaml::{self, Value};
use super::{Found, MOST_DEPENDENCIES, cut};
use crate::domain::{Dependency, Ecosystem, RepoPath, Skip};
use std::collections::{BTreeMap, HashSet};

/// The manager of pnpm-workspace.yaml.
#[derive(Debug)]
pub struct PnpmWorkspace;

const NARROW: &str = "its key says that it is for some versions or uses of the package alone";

impl Format for PnpmWorkspace {
    const NAME: &'static str = "pnpm-workspace";

    const ECOSYSTEM: Ecosystem = Ecosystem::Npm;

    /// Packages that were installed and committed are not the repository's own.
    fn claims(path: &RepoPath) -> bool {
        path.file_name() == "pnpm-workspace.yaml" && !path.folder().split('/').any(|folder| folder == "node_modules")
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        let yaml = yaml::read(text)?;
        let line_of = |at| yaml.line_of(at);
        let place = Place { manager: Self::NAME, path, line_of: &line_of };
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
        aliases::leave_shared_alone(finds.iter_mut().map(|((version, _), find)| (*version, find)));
        Ok(Found::of(finds.into_values()))
    }
}

/// Finds by the place of the version and the package it is for: what aliases lead to counts once for each package.
type Finds = BTreeMap<(usize, String), Find>;

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
    Find::by_constraint(place, (Ecosystem::Npm, &cut(name)), constraint, skip, value.start())
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
