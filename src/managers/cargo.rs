//! The dependencies of a Rust package or workspace in Cargo.toml.
//!
//! Sources: The Cargo Book, "Specifying Dependencies", "The Manifest Format", "Workspaces", "Overriding Dependencies".

use super::aliases;
use super::edit::Find;
use super::format::Format;
use super::requirement::Place;
use super::toml_file::TomlFile;
use super::written::Written;
use super::{Found, MOST_DEPENDENCIES, cut};
use crate::domain::{Ecosystem, RepoPath, Skip};
use crate::versioning::{self, Scheme};
use std::collections::BTreeMap;
use toml_edit::{Item, Key, TableLike};

/// The manager of Cargo.toml.
#[derive(Debug)]
pub struct Cargo;

/// The tables of dependencies of a package, and of each target. Those with `_` are of older editions.
const TABLES: [&str; 5] =
    ["dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies"];

const INHERITED: &str = "its version stands in the Cargo.toml of the workspace";
const PATH_TOO: &str = "the path is used here, and the version has to fit what lies there";
const GIT_TOO: &str = "the repository is used here, and the version has to fit what lies there";
const PATCH: &str = "it takes the place of a release in the whole workspace";

impl Format for Cargo {
    const NAME: &'static str = "cargo";

    const ECOSYSTEM: Ecosystem = Ecosystem::Cargo;

    /// What `cargo vendor` copied, or a build left behind, is not the repository's own.
    fn claims(path: &RepoPath) -> bool {
        path.file_name() == "Cargo.toml"
            && !path.folder().split('/').any(|folder| matches!(folder, "vendor" | "target"))
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        let file = TomlFile::parse(text)?;
        let line_of = |at| file.line_of(at);
        let place = Place { manager: Self::NAME, path, line_of: &line_of };
        let mut reader = Reader { file: &file, place, finds: Vec::new(), keys: BTreeMap::new() };
        reader.manifest(file.root());
        let Reader { mut finds, keys, .. } = reader;
        if finds.len() > MOST_DEPENDENCIES {
            return Err(format!("there are more than {MOST_DEPENDENCIES} dependencies in it"));
        }
        aliases::leave_alone(finds.iter_mut().map(|(_, find)| find), &keys);
        Ok(Found::sorted(finds))
    }
}

/// The tables in a table, by the keys they have there.
fn tables(table: Option<&dyn TableLike>) -> impl Iterator<Item = &dyn TableLike> {
    table.into_iter().flat_map(|table| table.iter()).filter_map(|(_, item)| item.as_table_like())
}

fn inner<'t>(table: &'t dyn TableLike, key: &str) -> Option<&'t dyn TableLike> {
    table.get(key).and_then(Item::as_table_like)
}

/// Collects what a file holds, each with the byte at which it stands.
struct Reader<'a> {
    file: &'a TomlFile<'a>,
    place: Place<'a>,
    finds: Vec<(usize, Find)>,
    /// The keys of the dependencies in their tables, by their place among the finds.
    keys: BTreeMap<usize, String>,
}

impl Reader<'_> {
    fn manifest(&mut self, root: &dyn TableLike) {
        let workspace = inner(root, "workspace").and_then(|workspace| inner(workspace, "dependencies"));
        let of_targets = tables(inner(root, "target"))
            .flat_map(|target| TABLES.into_iter().filter_map(move |name| inner(target, name)));
        let own = TABLES.into_iter().filter_map(|name| inner(root, name));
        for table in own.chain(of_targets).chain(workspace) {
            for (name, item) in table.iter() {
                let at = self.start(table.key(name), item);
                self.dependency(name, item, at);
            }
        }
        for table in tables(inner(root, "patch")) {
            for (name, item) in table.iter() {
                let at = self.start(table.key(name), item);
                let skip = Skip::LeftAlone(PATCH.into());
                self.push(at, package_of(name, item), Written::default(), Some(skip));
            }
        }
        for (specification, item) in inner(root, "replace").into_iter().flat_map(|table| table.iter()) {
            let at = self.start(inner(root, "replace").and_then(|table| table.key(specification)), item);
            let name = replaced(specification);
            self.push(at, name, Written::default(), Some(Skip::LeftAlone(PATCH.into())));
        }
    }

    fn dependency(&mut self, key: &str, item: &Item, at: usize) {
        if self.finds.len() > MOST_DEPENDENCIES {
            return;
        }
        let name = package_of(key, item);
        let (requirement, mut skip) = match (item.as_str(), item.as_table_like()) {
            (Some(_), _) => (Some(item), None),
            (None, Some(table)) => (table.get("version"), elsewhere(table)),
            (None, None) => (None, Some(Skip::NotUnderstood("it is neither a version nor a table".into()))),
        };
        let mut constraint = Written::default();
        match requirement.map(|item| item.as_value().and_then(|value| self.file.string(value))) {
            Some(Some(written)) => {
                constraint = written;
                skip = skip.or_else(|| why_no_requirement(constraint.text()));
            }
            Some(None) => skip = skip.or_else(|| Some(Skip::NotUnderstood("its version is not a string".into()))),
            None => skip = skip.or(Some(Skip::Unpinned)),
        }
        if !is_name(name) {
            skip = Some(Skip::NotUnderstood("that is no name of a package".into()));
        }
        self.keys.insert(self.finds.len(), key.into());
        self.push(at, name, constraint, skip);
    }

    /// The byte of the file at which an entry begins.
    fn start(&self, key: Option<&Key>, item: &Item) -> usize {
        self.file.start_of(key.and_then(Key::span).or_else(|| item.span()))
    }

    fn push(&mut self, at: usize, name: &str, constraint: Written, skip: Option<Skip>) {
        let find = Find::by_constraint(&self.place, (Ecosystem::Cargo, &cut(name)), constraint, skip, at);
        self.finds.push((at, find));
    }
}

/// The package that an entry means: its `package`, where it gives it another name here.
fn package_of<'t>(key: &'t str, item: &'t Item) -> &'t str {
    item.as_table_like().and_then(|table| table.get("package")).and_then(Item::as_str).unwrap_or(key)
}

/// Why the version of an entry, if it has one, is not looked up at crates.io.
fn elsewhere(table: &dyn TableLike) -> Option<Skip> {
    let has = |key: &str| table.contains_key(key);
    let left_alone = |why: &str| Some(Skip::LeftAlone(why.into()));
    if table.get("workspace").is_some_and(|value| value.as_bool() != Some(false)) {
        return left_alone(INHERITED);
    }
    match (has("version"), has("path"), has("git")) {
        (true, true, _) => return left_alone(PATH_TOO),
        (true, false, true) => return left_alone(GIT_TOO),
        (false, true, _) | (false, _, true) => return Some(Skip::NotFromRegistry),
        (_, false, false) => {}
    }
    match table.get("registry") {
        Some(name) if name.as_str() != Some("crates-io") => {
            left_alone(&format!("it comes from the registry `{}`", cut(name.as_str().unwrap_or("?"))))
        }
        _ if has("registry-index") => left_alone("it comes from another registry"),
        _ => None,
    }
}

/// Why a text is no requirement with a version in it; `None` if it is one.
fn why_no_requirement(text: &str) -> Option<Skip> {
    match versioning::Cargo::understand(text) {
        Ok(()) => versioning::Cargo.current(text).is_none().then_some(Skip::Unpinned),
        Err(why) => Some(Skip::NotUnderstood(why)),
    }
}

/// The package of a key of `replace`: `name:1.0`, `name@1.0` or `https://…#name:1.0`.
fn replaced(specification: &str) -> &str {
    let specification = specification.rsplit_once('#').map_or(specification, |(_, after)| after);
    specification.split([':', '@']).next().unwrap_or(specification)
}

/// Whether a text is a crate's name. Source: The Cargo Book, "The Manifest Format" (name), with crates.io's limits.
fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
