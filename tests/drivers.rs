//! Drivers: what each makes of a repository, what its keys may be, and the laws of all of them.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

#[path = "support/snapshots.rs"]
mod snapshots;

#[path = "drivers/anchors.rs"]
mod anchors;
#[path = "drivers/fixtures.rs"]
mod fixtures;
#[path = "drivers/hostile.rs"]
mod hostile;
#[path = "drivers/keys.rs"]
mod keys;
#[path = "drivers/laws.rs"]
mod laws;
#[path = "drivers/line_ends.rs"]
mod line_ends;

use mass_driver::document::{Limits, Problems, toml, yaml};
use mass_driver::domain::{FileEdit, Snapshot};
use mass_driver::drivers::{self, Outcome, Prepared};
use snapshots::{Entry, Repository};

/// Reads the keys of a driver, in YAML, or in TOML where they look so; or tells their problems.
pub fn prepare(driver: &str, config: &str, in_toml: bool) -> Result<Prepared, Vec<String>> {
    let limits = Limits { bytes: 1_000_000, nodes: 100_000, shorter: "shorten it" };
    let mut problems = Problems::default();
    let read = if in_toml { toml::read } else { yaml::read };
    let node = read(config.as_bytes(), limits, "begin", &mut problems);
    let kind = drivers::by_name(driver).unwrap_or_else(|| panic!("there is no driver {driver}"));
    let prepared = node.and_then(|node| (kind.read)(&node, &mut problems));
    let problems: Vec<String> = problems.sorted().iter().map(ToString::to_string).collect();
    match prepared {
        Some(prepared) if problems.is_empty() => Ok(prepared),
        _ => Err(problems),
    }
}

/// What a driver of texts makes of a repository.
pub fn run(driver: &str, config: &str, repository: &Repository) -> Outcome {
    match prepare(driver, config, false) {
        Ok(Prepared::Texts(driver)) => {
            let (snapshot, _) = repository.read(|files: &Snapshot| driver.wants(files));
            driver.patch(&snapshot)
        }
        other => panic!("{driver}: {other:?}\n{config}"),
    }
}

/// The repository with the edits of an outcome made.
pub fn patched(repository: &Repository, outcome: &Outcome) -> Repository {
    let mut after = repository.clone();
    if let Outcome::Patched { edits, .. } = outcome {
        assert!(!edits.is_empty());
        for edit in edits {
            match edit {
                FileEdit::Write(change) => {
                    after.0.insert(change.path.clone(), Entry::Text(change.mode, change.text.clone()));
                }
                FileEdit::Delete(path) => drop(after.0.remove(path).unwrap()),
            }
        }
    }
    after
}

/// An outcome's name and its words.
pub fn in_words(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Patched { note, .. } => ("patched", note.clone().unwrap_or_default()),
        Outcome::AlreadyPatched { note } => ("already_patched", note.clone()),
        Outcome::DoesNotApply { why } => ("does_not_apply", why.clone()),
        Outcome::Error { why } => ("error", why.clone()),
    }
}
