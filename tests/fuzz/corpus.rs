//! What people write, as the fixtures of the managers have it: the texts that mutations begin with.

use mass_driver::domain::RepoPath;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A manifest under the path that its fixture gives it.
pub struct Seed {
    pub path: RepoPath,
    pub text: String,
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/managers")
}

fn expected(case: &Path) -> Value {
    let text = fs::read_to_string(case.join("expected.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// The manifests of a manager's fixtures, before and after their edits.
pub fn seeds(manager: &str) -> Vec<Seed> {
    let mut seeds = Vec::new();
    for case in entries(&fixtures().join(manager)) {
        let expected = expected(&case);
        let Some(path) = expected["path"].as_str().and_then(|path| RepoPath::parse(path).ok()) else { continue };
        for file in entries(&case) {
            let is_manifest = file.file_name().is_some_and(|name| name != "expected.json");
            if let (true, Ok(text)) = (is_manifest, fs::read_to_string(&file)) {
                seeds.push(Seed { path: path.clone(), text });
            }
        }
    }
    assert!(!seeds.is_empty(), "{manager} has no fixtures");
    seeds
}

/// The texts of all managers' manifests: a piece of one is put into another.
pub fn all_texts() -> Vec<String> {
    let managers = entries(&fixtures());
    let names = managers.iter().filter_map(|folder| folder.file_name()?.to_str());
    names.flat_map(seeds).map(|seed| seed.text).collect()
}

/// The versions and constraints of all fixtures, each once.
pub fn versions() -> Vec<String> {
    let mut versions = Vec::new();
    for case in entries(&fixtures()).iter().flat_map(|manager| entries(manager)) {
        let expected = expected(&case);
        let rows = ["dependencies", "edits"].into_iter().filter_map(|list| expected[list].as_array()).flatten();
        for row in rows {
            let texts = ["constraint", "current", "from", "to"].into_iter().filter_map(|key| row[key].as_str());
            versions.extend(texts.map(str::to_owned));
        }
    }
    versions.sort();
    versions.dedup();
    versions
}
