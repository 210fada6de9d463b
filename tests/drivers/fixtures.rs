//! `tests/fixtures/drivers/DRIVER/NAME.txt`: the driver's keys, the files before, the files that differ afterwards, and the outcome.
//!
//! A line `=== config.yaml` (or `config.toml`), `=== before PATH`, `=== after PATH`, `=== deleted PATH` or `=== outcome` begins each
//! part. Behind a path may stand `(executable)`, and before its text `(binary)`, `(lfs)`, `(large)`, `(symlink)` or `(submodule)`.

use super::snapshots::{Entry, Repository, path};
use super::{in_words, patched, prepare};
use mass_driver::domain::{FileMode, RepoPath};
use mass_driver::drivers::{Prepared, TABLE};
use std::path::Path;

/// The parts of a case: what stands behind `===`, and the text below it.
fn parts(text: &str) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix("=== "), parts.last_mut()) {
            (Some(head), _) => parts.push((head.trim().to_owned(), String::new())),
            (None, Some((_, body))) => body.push_str(line),
            (None, None) => panic!("a case begins with `===`: {line}"),
        }
    }
    parts
}

fn entry(name: &str, text: &str) -> (RepoPath, Entry) {
    let (name, attribute) = name.split_once(" (").map_or((name, ""), |(name, rest)| (name, rest.trim_end_matches(')')));
    let entry = match attribute {
        "" => Entry::Text(FileMode::Regular, text.into()),
        "executable" => Entry::Text(FileMode::Executable, text.into()),
        "binary" => Entry::Binary,
        "lfs" => Entry::LfsPointer,
        "large" => Entry::TooLarge(123_456_789),
        "symlink" => Entry::Symlink,
        "submodule" => Entry::Submodule,
        other => panic!("no such attribute: {other}"),
    };
    (path(name), entry)
}

fn check(driver: &str, file: &Path) {
    let shown = file.display();
    let mut config = None;
    let (mut before, mut expected, mut changed) = (Repository::default(), Repository::default(), Vec::new());
    let mut outcome = String::new();
    for (head, body) in parts(&std::fs::read_to_string(file).unwrap()) {
        match head.split_once(' ').unwrap_or((head.as_str(), "")) {
            ("config.yaml", _) => config = Some((body, false)),
            ("config.toml", _) => config = Some((body, true)),
            ("before", name) => {
                let (name, entry) = entry(name, &body);
                before.0.insert(name.clone(), entry.clone());
                expected.0.insert(name, entry);
            }
            ("after", name) => changed.push(entry(name, &body)),
            ("deleted", name) => drop(expected.0.remove(&path(name)).unwrap()),
            ("outcome", _) => outcome = body.trim_end().to_owned(),
            (other, _) => panic!("{shown}: no such part: {other}"),
        }
    }
    expected.0.extend(changed);
    let (config, in_toml) = config.unwrap();
    let driver = match prepare(driver, &config, in_toml) {
        Ok(Prepared::Texts(driver)) => driver,
        other => panic!("{shown}: {other:?}"),
    };
    let (snapshot, _) = before.read(|files| driver.wants(files));
    let found = driver.patch(&snapshot);
    let (name, words) = in_words(&found);
    let said = format!("{name}\n{words}");
    assert_eq!(said.trim_end(), outcome, "{shown}");
    let after = patched(&before, &found);
    assert_eq!(format!("{after:#?}"), format!("{expected:#?}"), "{shown}");
    if name == "patched" {
        let (snapshot, _) = after.read(|files| driver.wants(files));
        let again = driver.patch(&snapshot);
        // A file that is gone leaves nothing to tell that it was there.
        let settled = matches!(in_words(&again).0, "already_patched") || driver_deletes(file) || by_place(&config);
        assert!(settled, "{shown}: a second run says {again:?}");
    }
}

/// Whether something is taken out of a list by its place, where another item is found the next time.
fn by_place(config: &str) -> bool {
    config
        .lines()
        .any(|line| line.trim_start().starts_with("- ") && line.trim_end_matches(']').ends_with(char::is_numeric))
}

fn driver_deletes(file: &Path) -> bool {
    file.parent().unwrap().ends_with("deleter")
}

#[test]
fn every_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/drivers");
    let mut failed = Vec::new();
    for kind in TABLE.iter().filter(|kind| kind.name != "shell") {
        let entries = std::fs::read_dir(folder.join(kind.name)).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries.collect();
        files.sort();
        assert!(files.len() >= 2, "{} has cases", kind.name);
        for file in files {
            let checked = std::panic::catch_unwind(|| check(kind.name, &file));
            failed.extend(checked.is_err().then_some(file));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
