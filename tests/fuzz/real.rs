//! Manifests that people wrote for their own sake: those of this repository, and those that lie in the sources of the crates it is
//! built from, as far as these are here. Places all over them are asked to move.
//!
//! Cargo writes a manifest of its own into each crate, beside the one that the crate's author wrote. So it tells what that holds.

use crate::dice::Dice;
use crate::edits::edit_of;
use crate::manifests::{edits, newer, sound};
use mass_driver::domain::{Dependency, RepoPath};
use mass_driver::managers::{self, Extraction, Manager};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders deeper than this hold tests of something else.
const DEEPEST: usize = 6;
const LARGEST_BYTES: usize = 200_000;
/// So many places of a file are asked to move, at most, spread over it.
const PLACES: usize = 12;
/// What nobody wrote for its own sake.
const LEFT_OUT: [&str; 3] = [".git", "target", "fixtures"];

/// A file as its author wrote it, and where it lies in its own repository.
struct Manifest {
    file: PathBuf,
    path: RepoPath,
    text: String,
}

/// The folders of the crates that `Cargo.lock` names, where Cargo keeps what it fetched.
fn sources() -> Vec<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "where Cargo keeps its files is no setting of the server")]
    let (home, user) = (std::env::var_os("CARGO_HOME"), std::env::var_os("HOME"));
    let Some(home) = home.map(PathBuf::from).or_else(|| Some(PathBuf::from(user?).join(".cargo"))) else {
        return Vec::new();
    };
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let lock: toml_edit::DocumentMut = lock.parse().unwrap();
    let packages = lock["package"].as_array_of_tables().unwrap().iter();
    let names: Vec<String> =
        packages.filter_map(|p| Some(format!("{}-{}", p["name"].as_str()?, p["version"].as_str()?))).collect();
    let registries = fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten().map(|entry| entry.path());
    registries.flat_map(|registry| names.iter().map(move |name| registry.join(name)).collect::<Vec<_>>()).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The manifests below a folder that is the root of a repository.
fn manifests(root: &Path) -> Vec<Manifest> {
    let mut found = Vec::new();
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (file, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if kind.is_dir() && depth < DEEPEST && !LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
                folders.push((file, depth + 1));
            } else if kind.is_file() && !file.with_extension("toml.orig").exists() {
                found.extend(manifest(root, file));
            }
        }
    }
    found
}

fn manifest(root: &Path, file: PathBuf) -> Option<Manifest> {
    let path = RepoPath::parse(&written_path(file.strip_prefix(root).ok()?.to_str()?)).ok()?;
    managers::managers_for(&path).next()?;
    let text = fs::read_to_string(&file).ok().filter(|text| text.len() <= LARGEST_BYTES)?;
    Some(Manifest { file, path, text })
}

/// Where the author of a crate has a file.
fn written_path(below: &str) -> String {
    match below.strip_suffix("Cargo.toml.orig") {
        Some(folder) => format!("{folder}Cargo.toml"),
        None => below.replace('\\', "/"),
    }
}

/// What is wrong with what a manager makes of a file; else, how many places were asked to move.
fn wrong(manager: &dyn Manager, path: &RepoPath, text: &str) -> Result<usize, String> {
    let found = manager.extract(path, text);
    sound(manager, path, text, &found)?;
    let movable: Vec<&Dependency> = found.dependencies.iter().filter(|dependency| dependency.skip.is_none()).collect();
    let moved = movable.iter().step_by(movable.len() / PLACES + 1);
    for (dependency, seed) in moved.clone().zip(0..) {
        let to = newer(&mut Dice(seed), dependency);
        edits(manager, path, text, &found, &edit_of(dependency, &to))?;
    }
    Ok(moved.count())
}

/// Moves places of every file, also as other systems' editors would save it. Says of each manager how many files and places.
pub fn move_places() -> BTreeMap<&'static str, (usize, usize)> {
    let mut counts: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    let folders = sources().into_iter().chain([root().to_owned()]);
    for Manifest { file, path, text } in folders.flat_map(|folder| manifests(&folder)) {
        for manager in managers::managers_for(&path) {
            let lines: Vec<&str> = text.lines().collect();
            let moved = [text.clone(), format!("\u{feff}{}", lines.join("\r\n"))]
                .map(|text| wrong(manager, &path, &text).unwrap_or_else(|what| panic!("{}: {what}", file.display())));
            let (files, places) = counts.entry(manager.name()).or_default();
            (*files, *places) = (*files + 1, *places + moved[0]);
        }
    }
    counts
}

/// Compares what is read of a crate's manifest with what Cargo made of it. Says how many requirements there were.
pub fn compare_with_cargo() -> usize {
    let cargo = managers::by_name("cargo").unwrap();
    let path = RepoPath::parse("Cargo.toml").unwrap();
    let mut compared = 0;
    for folder in sources() {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let (Some(text), Some(made)) = (read("Cargo.toml.orig"), read("Cargo.toml")) else { continue };
        let (written, made) = (cargo.extract(&path, &text), cargo.extract(&path, &made));
        let here = folder.display();
        assert_eq!((&written.problem, &made.problem), (&None, &None), "{here}");
        let (to_move, all) = (requirements(&written, |d| d.skip.is_none()), requirements(&written, |_| true));
        // What a workspace keeps for its members is not in the manifest of one of them, nor is what it has from there in its own.
        let (keeps, takes) = (text.contains("[workspace"), text.contains("workspace = true"));
        let unknown = &to_move - &requirements(&made, |_| true);
        assert!(keeps || unknown.is_empty(), "{here}: Cargo knows nothing of {unknown:?}");
        let missed = &requirements(&made, |d| d.skip.is_none()) - &all;
        assert!(takes || missed.is_empty(), "{here}: {missed:?} were not read");
        compared += to_move.len();
    }
    compared
}

fn requirements(found: &Extraction, wanted: fn(&Dependency) -> bool) -> BTreeSet<(&str, &str)> {
    let wanted = found.dependencies.iter().filter(|dependency| wanted(dependency));
    wanted.map(|dependency| (dependency.package.name.as_str(), dependency.constraint.as_str())).collect()
}
