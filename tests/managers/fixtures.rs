//! `tests/fixtures/managers/MANAGER/NAME/`: a manifest under its own name, `expected.json`, and `after.…`, the
//! manifest after the edits that `expected.json` names.

use mass_driver::domain::{Ecosystem, PackageId, RepoPath};
use mass_driver::managers::{self, Edit, Extraction, Manager};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[derive(Debug, Deserialize)]
struct Expected {
    /// The documentation the case is written from.
    #[expect(dead_code, reason = "for readers of the fixture; required to be there")]
    source: String,
    path: String,
    #[serde(flatten)]
    extraction: Summary,
    edits: Vec<EditRow>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
struct Summary {
    dependencies: Vec<Row>,
    #[serde(default)]
    includes: Vec<String>,
    #[serde(default)]
    problem: Option<String>,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Row {
    line: u32,
    name: String,
    /// The package's ecosystem, where it is not the manager's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ecosystem: Option<Ecosystem>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    constraint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// Whether hashes of files are pinned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    hashed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EditRow {
    name: String,
    /// As in [`Row`].
    #[serde(default)]
    ecosystem: Option<Ecosystem>,
    from: String,
    constraint: String,
    to: String,
    #[serde(default)]
    digest_from: Option<String>,
    #[serde(default)]
    digest_to: Option<String>,
    #[serde(default)]
    hashes_to: Vec<String>,
}

fn summary(manager: &dyn Manager, extraction: &Extraction) -> Summary {
    let row = |d: &mass_driver::domain::Dependency| Row {
        line: d.line,
        name: d.package.name.clone(),
        ecosystem: Some(d.package.ecosystem).filter(|ecosystem| *ecosystem != manager.ecosystem()),
        constraint: d.constraint.clone(),
        current: d.current.clone(),
        digest: d.digest.clone(),
        hashed: d.hashed,
        skipped: d.skip.as_ref().map(ToString::to_string),
    };
    Summary {
        dependencies: extraction.dependencies.iter().map(row).collect(),
        includes: extraction.includes.iter().map(ToString::to_string).collect(),
        problem: extraction.problem.clone(),
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

type Vary = fn(&str) -> String;

/// The same text as an editor on another system saves it.
const VARIANTS: [(&str, Vary); 5] = [
    ("as it is", |t| t.to_string()),
    ("CRLF", |t| t.replace('\n', "\r\n")),
    ("byte order mark", |t| format!("\u{feff}{t}")),
    ("no final newline", |t| t.trim_end_matches('\n').to_string()),
    ("all of it", |t| format!("\u{feff}{}", t.trim_end_matches('\n').replace('\n', "\r\n"))),
];

fn check(manager: &'static dyn Manager, folder: &Path) {
    let expected: Expected = serde_json::from_str(&read(&folder.join("expected.json"))).unwrap();
    let path = RepoPath::parse(&expected.path).unwrap();
    let text = read(&folder.join(path.file_name()));
    // A version is moved wherever it stands, for whichever versions of Python.
    let all = manager.extract(&path, &text).dependencies;
    let pythons_of = |e: &EditRow| {
        let meant = all.iter().filter(|d| d.package.name == e.name && d.constraint == e.constraint);
        meant.map(|d| d.python.clone()).collect::<BTreeSet<_>>()
    };
    let edits: Vec<Edit> = expected
        .edits
        .iter()
        .flat_map(|e| pythons_of(e).into_iter().map(move |python| (e, python)))
        .map(|(e, python)| Edit {
            package: PackageId { ecosystem: e.ecosystem.unwrap_or(manager.ecosystem()), name: e.name.clone() },
            from: e.from.clone(),
            constraint: e.constraint.clone(),
            to: e.to.clone(),
            python,
            digest_from: e.digest_from.clone(),
            digest_to: e.digest_to.clone(),
            hashes_to: e.hashes_to.clone(),
        })
        .collect();
    for (variant, vary) in VARIANTS {
        let what = format!("{} ({variant})", folder.display());
        let text = vary(&text);
        let found = summary(manager, &manager.extract(&path, &text));
        assert_eq!(found, expected.extraction, "{what}:\n{}", serde_json::to_string_pretty(&found).unwrap());
        if edits.is_empty() {
            continue;
        }
        let after = vary(&read(&folder.join(format!("after.{}", path.file_name()))));
        let edited = manager.edit(&path, &text, &edits).unwrap_or_else(|e| panic!("{what}: {e}"));
        assert!(edited == after, "{what}:\n{}", similar::TextDiff::from_lines(&after, &edited).unified_diff());
        assert!(manager.edit(&path, &after, &edits).is_err(), "{what}: a second time there is nothing to edit");
    }
}

#[test]
fn every_fixture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/managers");
    for manager in managers::TABLE {
        let cases = folders(&root.join(manager.name()));
        assert!(!cases.is_empty(), "{} has no fixtures", manager.name());
        for case in cases {
            check(*manager, &case);
        }
    }
}
