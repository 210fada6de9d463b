//! `mass-driver deps` over real folders.
#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use mass_driver::checkout::{CheckoutError, read_checkout};
use mass_driver::cli::deps::{DepsArgs, Format, deps};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn run(root: &Path, format: Format) -> (String, String) {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    deps(&DepsArgs { path: root.into(), format }, &mut out, &mut notes).unwrap();
    (String::from_utf8(out).unwrap(), String::from_utf8(notes).unwrap())
}

#[test]
fn json_has_one_row_for_each_use() {
    let root = folder(&[
        ("requirements.txt", "-r more/base.in\nhttpx==0.27.0\n"),
        ("more/base.in", "-r ../requirements.txt\nflask\n"),
        ("Dockerfile", "FROM ghcr.example.com/acme/base:1.0\n"),
    ]);
    let rows: serde_json::Value = serde_json::from_str(&run(root.path(), Format::Json).0).unwrap();
    let expected = serde_json::json!([
        {"manager": "dockerfile", "file": "Dockerfile", "line": 1, "name": "ghcr.example.com/acme/base",
         "current": "1.0", "constraint": "1.0", "registry": "ghcr.example.com", "skipped": null},
        {"manager": "requirements", "file": "more/base.in", "line": 2, "name": "flask", "current": null,
         "constraint": "", "registry": "pypi", "skipped": "no version is written, so there is nothing to change"},
        {"manager": "requirements", "file": "requirements.txt", "line": 2, "name": "httpx", "current": "0.27.0",
         "constraint": "==0.27.0", "registry": "pypi", "skipped": null},
    ]);
    assert_eq!(rows, expected);
}

/// The keys are what scripts rely on: these, in this order, and no others.
#[test]
fn json_has_these_keys_and_no_others() {
    let root = folder(&[
        ("Dockerfile", "FROM python:3.12\n"),
        ("Cargo.toml", "[dependencies]\nserde = { version = \"1.0.0\", registry = \"ours\" }\n"),
        ("package.json", "{\"dependencies\": {\"left-pad\": \"^1.3.0\"}}\n"),
    ]);
    let (json, _) = run(root.path(), Format::Json);
    let keys: Vec<&str> = json.lines().filter_map(|line| line.trim().strip_prefix('"')?.split('"').next()).collect();
    let expected = ["manager", "file", "line", "name", "current", "constraint", "registry", "skipped"];
    assert_eq!(keys, expected.repeat(3));
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    let others = serde_json::json!([
        {"manager": "cargo", "file": "Cargo.toml", "line": 2, "name": "serde", "current": null, "constraint": "1.0.0",
         "registry": "cargo", "skipped": "it comes from the registry `ours`"},
        {"manager": "package-json", "file": "package.json", "line": 1, "name": "left-pad", "current": "1.3.0",
         "constraint": "^1.3.0", "registry": "npm", "skipped": null},
    ]);
    assert_eq!(rows.as_array().unwrap()[0], others[0]);
    assert_eq!(rows.as_array().unwrap()[2], others[1]);
    assert_eq!(run(folder(&[]).path(), Format::Json).0, "[]\n");
}

#[test]
fn every_row_says_where_its_releases_are_looked_up() {
    let root = folder(&[
        (
            ".github/workflows/ci.yml",
            "jobs: {a: {container: node:20, steps: [{uses: Actions/Checkout@v4}, {uses: ./x}]}}\n",
        ),
        (
            ".pre-commit-config.yaml",
            "repos:\n- repo: https://github.com/psf/black\n  rev: 24.1.0\n  hooks:\n  - {id: a, additional_dependencies: [b==1, c@2.0.0]}\n- repo: local\n",
        ),
        ("compose.yaml", "include: [more/services.yaml]\nservices: {a: {image: 'localhost:5000/x:1.0'}}\n"),
        (
            "more/services.yaml",
            "services: {a: {image: 'x:${V:-a/b}'}, b: {image: 'y.example.com/z'}, c: {image: '${R.}/x'}}\n",
        ),
    ]);
    let (json, notes) = run(root.path(), Format::Json);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap_or("-").to_string();
    let found: Vec<_> =
        rows.iter().map(|r| ["manager", "name", "current", "registry"].map(|key| text(r, key))).collect();
    let expected = [
        ["github-actions", "library/node", "20", "docker"],
        ["github-actions", "actions/checkout", "v4", "github"],
        ["github-actions", "./x", "-", "github"],
        ["pre-commit", "github.com/psf/black", "24.1.0", "github.com"],
        ["pre-commit", "b", "1", "pypi"],
        ["pre-commit", "c", "2.0.0", "npm"],
        ["pre-commit", "local", "-", "pre-commit"],
        ["compose", "localhost:5000/x", "1.0", "localhost:5000"],
        ["compose", "x:a/b", "-", "docker"],
        ["compose", "y.example.com/z", "-", "y.example.com"],
        ["compose", "${R.}/x", "-", "docker"],
    ];
    assert_eq!(found, expected.map(|row| row.map(String::from)), "{notes}");
}

#[test]
fn packages_of_the_repository_itself_are_not_looked_up_elsewhere() {
    let root = folder(&[
        ("package.json", "{\"name\": \"root\", \"dependencies\": {\"utils\": \"^1.0.0\", \"react\": \"^19.0.0\"}}"),
        ("packages/utils/package.json", "{\"name\": \"other\", \"name\": \"utils\"}"),
        ("requirements.txt", "utils==1.0\n"),
    ]);
    let rows: serde_json::Value = serde_json::from_str(&run(root.path(), Format::Json).0).unwrap();
    let short: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row["current"].as_str(), row["skipped"].as_str()))
        .collect();
    let developed = Some("it is developed in this repository");
    assert_eq!(short, [("utils", None, developed), ("react", Some("19.0.0"), None), ("utils", Some("1.0"), None)]);
}

#[test]
fn the_table_is_for_people() {
    let root = folder(&[("Dockerfile", "FROM python:3.12-slim\n"), ("requirements.txt", "a\u{1b}[31m==1\n")]);
    let (table, _) = run(root.path(), Format::Table);
    assert!(table.contains("library/python") && table.contains("3.12-slim"), "{table}");
    assert!(!table.contains('\u{1b}'), "a file must not colour the terminal");
    assert!(run(folder(&[]).path(), Format::Table).0.starts_with("No manifest was found in /"));
}

#[test]
fn what_is_not_the_repository_is_left_out() {
    let root = folder(&[
        ("api/requirements.txt", "a==1\n"),
        ("node_modules/x/requirements.txt", "b==1\n"),
        (".git/requirements.txt", "c==1\n"),
        ("my-env/pyvenv.cfg", ""),
        ("my-env/requirements.txt", "d==1\n"),
        ("module/.git", "gitdir: ../.git/modules/module\n"),
        ("module/requirements.txt", "e==1\n"),
        ("big/requirements.txt", &"# long\n".repeat(200_000)),
        ("missing/requirements.txt", "-r not-there.txt\n"),
        ("broken/pyproject.toml", "[project\n"),
    ]);
    fs::write(root.path().join("api/Dockerfile"), b"FROM \xff\n").unwrap();
    let (json, notes) = run(root.path(), Format::Json);
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 1, "{json}");
    for note in [
        "big/requirements.txt cannot be read: it is larger than 1,000,000 bytes",
        "missing/requirements.txt includes missing/not-there.txt, which is not there",
        "broken/pyproject.toml cannot be read: line 1",
        "api/Dockerfile cannot be read: it is not a text in UTF-8",
        "module/ is left out: it is a repository of its own",
    ] {
        assert!(notes.contains(note), "{note}\n{notes}");
    }
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_not_followed() {
    let outside = folder(&[("requirements.txt", "secret==1\n")]);
    let root = folder(&[("requirements.txt", "-r link/requirements.txt\n")]);
    std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("requirements.txt"), root.path().join("dev-requirements.txt"))
        .unwrap();
    let (json, notes) = run(root.path(), Format::Json);
    assert_eq!(json.trim(), "[]");
    assert_eq!(notes.matches("symbolic link").count(), 3, "{notes}");
}

#[test]
fn the_subscription_file_comes_along() {
    let root = folder(&[(".mass-driver.yaml", "subscriptions: []\n"), (".mass-driver.yml", "")]);
    let names: Vec<String> =
        read_checkout(root.path()).unwrap().subscriptions.into_iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(names, [".mass-driver.yaml", ".mass-driver.yml"]);
}

#[test]
fn a_missing_folder_is_told() {
    let root = folder(&[("file", "")]);
    assert!(matches!(read_checkout(&root.path().join("nowhere")), Err(CheckoutError::Missing(_))));
    assert!(matches!(read_checkout(&root.path().join("file")), Err(CheckoutError::NotAFolder(_))));
}
