//! A sparse index that lies on a file server, as private ones do, and that cargo reads as well.

use crate::server::{files, listing, output, package, release, versions};
use mass_driver::domain::Ecosystem;
use mass_driver::registries::{Answer, Registries, RegistryError, RegistrySettings};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::tempdir;

/// A line of an index. `more` has the fields that some lines lack.
fn line(version: &str, more: Value) -> String {
    let mut line = json!({ "name": "demo_crate", "vers": version, "deps": [], "cksum": "00".repeat(32), "features": {},
        "yanked": false });
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("{line}\n")
}

fn write(root: &Path, lines: &[String]) {
    let folder = root.join("de/mo");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("demo_crate"), lines.concat()).unwrap();
}

/// The version of `demo_crate` that cargo chooses from an index for a requirement.
pub fn chosen_by_cargo(index: &str, requirement: &str) -> String {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/lib.rs"), "").unwrap();
    let dependency = format!("demo_crate = {{ version = \"{requirement}\", registry = \"ours\" }}");
    let manifest = format!(
        "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n{dependency}\n"
    );
    fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    // A home of its own keeps the machine's settings and caches out.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["generate-lockfile", "--quiet"]).current_dir(folder.path());
    cargo.env("CARGO_HOME", folder.path().join("home")).env("no_proxy", "127.0.0.1");
    cargo.env("CARGO_REGISTRIES_OURS_INDEX", format!("sparse+{index}"));
    output(&mut cargo, b"");
    let lock = fs::read_to_string(folder.path().join("Cargo.lock")).unwrap();
    let (_, rest) = lock.split_once("name = \"demo_crate\"\nversion = \"").unwrap_or_else(|| panic!("{lock}"));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn real_file_servers_serve_sparse_indexes_with_etags_and_cargo_reads_the_same() {
    let folder = tempdir().unwrap();
    let root = folder.path().to_owned();
    fs::write(root.join("config.json"), r#"{"dl": "http://127.0.0.1:9/"}"#).unwrap();
    let published = "2026-01-02T03:04:05Z";
    let mut lines = vec![
        line("1.0.0", json!({ "pubtime": published })),
        line("1.2.0", json!({ "v": 2, "features2": { "extra": [] } })),
        line("1.3.0", json!({ "yanked": true })),
        line("1.9.0", json!({ "v": 99 })),
    ];
    write(&root, &lines);
    let server = files(folder);
    let settings =
        RegistrySettings { cargo_url: Some(format!("sparse+{}", server.url())), ..RegistrySettings::default() };
    let registries = Registries::new(&settings).unwrap();
    let demo = package(Ecosystem::Cargo, "demo_crate");

    let found = listing(registries.releases(&demo, None).await);
    assert_eq!(versions(&found.releases), ["1.0.0", "1.2.0", "1.3.0"], "a form of the future is passed over");
    assert_eq!(release(&found.releases, "1.0.0").published_at, Some(published.parse().unwrap()));
    assert_eq!(release(&found.releases, "1.2.0").published_at, None);
    assert!(release(&found.releases, "1.3.0").yanked);
    assert_eq!(chosen_by_cargo(&server.url(), "1"), "1.2.0", "neither what is yanked nor what is not understood");

    let etag = found.etag.expect("the file server gives one");
    assert_eq!(registries.releases(&demo, Some(&etag)).await.unwrap(), Answer::NotModified);
    lines.push(line("1.4.0", json!({})));
    write(&root, &lines);
    let found = listing(registries.releases(&demo, Some(&etag)).await);
    assert_eq!(versions(&found.releases), ["1.0.0", "1.2.0", "1.3.0", "1.4.0"]);
    assert_eq!(chosen_by_cargo(&server.url(), "1"), "1.4.0");

    let error = registries.releases(&package(Ecosystem::Cargo, "absent"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
}
