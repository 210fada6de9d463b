//! Scanners: the facts that each reads from a repository.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

#[path = "support/snapshots.rs"]
mod snapshots;

use mass_driver::domain::Snapshot;
use mass_driver::scanners::{TABLE, by_name};
use serde_json::{Value, json};
use snapshots::{Entry, Repository};

fn scan(scanner: &str, repository: &Repository) -> Result<Value, String> {
    let scanner = by_name(scanner).unwrap();
    let (snapshot, _) = repository.read(|files: &Snapshot| scanner.wants(files));
    scanner.scan(&snapshot).map(Value::Object)
}

#[test]
fn files_at_the_top() {
    let repository = Repository::of([("README.md", ""), ("docs/LICENSE", ""), ("Makefile/a", "")])
        .with("LICENSE", Entry::Symlink)
        .with("Dockerfile", Entry::Binary)
        .with(".gitignore", Entry::Submodule);
    let expected = json!({
        "changelog_md": false, "readme_md": true, "license": true, "makefile": false, "gitignore": false, "dockerfile": true,
    });
    assert_eq!(scan("root-files", &repository).unwrap(), expected);
}

#[test]
fn what_a_dockerfile_builds_on() {
    let text = "# FROM nothing\nFROM python:3.12 AS build\r\n FROM indented\nfrom lower\u{b}FROM scratch";
    let expected =
        json!({ "dockerfile_exists": true, "dockerfile_from_lines": ["FROM python:3.12 AS build", "FROM scratch"] });
    assert_eq!(scan("dockerfile-from", &Repository::of([("Dockerfile", text)])).unwrap(), expected);
    let none = json!({ "dockerfile_exists": false, "dockerfile_from": null });
    assert_eq!(scan("dockerfile-from", &Repository::of([("a/Dockerfile", text)])).unwrap(), none);
}

#[test]
fn a_dockerfile_that_cannot_be_read_is_said() {
    for (entry, words) in [
        (Entry::Binary, "Dockerfile is not a text in UTF-8"),
        (Entry::LfsPointer, "Dockerfile is kept in Git LFS, which is not read"),
        (Entry::TooLarge(7), "Dockerfile is too large: it has 7 bytes"),
        (Entry::Symlink, "Dockerfile is a symbolic link, which is not followed"),
    ] {
        assert_eq!(scan("dockerfile-from", &Repository::default().with("Dockerfile", entry)).unwrap_err(), words);
    }
}

#[test]
fn dependencies_of_all_managers_and_of_what_they_include() {
    let repository = Repository::of([
        ("requirements.txt", "-r deps/base.in\nflask==3.0.0\n"),
        ("deps/base.in", "-r ../requirements.txt\nhttpx>=0.27  # http\n"),
        ("Dockerfile", "FROM ghcr.io/acme/base:1.2\n"),
        ("web/package.json", "{\"dependencies\": {\"react\": \"file:../react\"}}"),
        ("Cargo.toml", "[package"),
    ])
    .with("b/Dockerfile", Entry::Binary);
    let expected = json!({
        "dependencies": [
            { "manager": "dockerfile", "file": "Dockerfile", "line": 1, "name": "ghcr.io/acme/base", "current": "1.2", "constraint": "1.2", "registry": "ghcr.io", "skipped": null },
            { "manager": "requirements", "file": "deps/base.in", "line": 2, "name": "httpx", "current": "0.27", "constraint": ">=0.27", "registry": "pypi", "skipped": null },
            { "manager": "requirements", "file": "requirements.txt", "line": 2, "name": "flask", "current": "3.0.0", "constraint": "==3.0.0", "registry": "pypi", "skipped": null },
            { "manager": "package-json", "file": "web/package.json", "line": 1, "name": "react", "current": null, "constraint": "", "registry": "npm", "skipped": "it comes from a path, a URL or a repository, not from a registry" },
        ],
        "unread": [
            "Cargo.toml cannot be read: line 1: unclosed table, expected `]`",
            "b/Dockerfile cannot be read: it is not a text in UTF-8",
        ],
    });
    assert_eq!(scan("dependencies", &repository).unwrap(), expected);
}

#[test]
fn what_is_not_asked_for_is_not_read() {
    let repository = Repository::of([("README.md", ""), ("requirements.txt", "a==1\n"), ("src/main.py", "")]);
    let scanner = by_name("dependencies").unwrap();
    let (snapshot, rounds) = repository.read(|files: &Snapshot| scanner.wants(files));
    assert_eq!(rounds, 1);
    assert!(
        snapshot
            .files()
            .filter(|(path, _)| snapshot.reading(path).is_some())
            .all(|(path, _)| path.as_str() == "requirements.txt")
    );
}

#[test]
fn every_scanner_has_words() {
    assert!(TABLE.iter().all(|scanner| scanner.about().ends_with('.') && by_name(scanner.name()).is_some()));
}
