//! Facts of many repositories: as a table, for a spreadsheet, for a script.

use crate::world::{World, ssh};
use serde_json::json;

const SCAN: &str = "scan:\n  scanner_names: [root-files, dockerfile-from]\n";

fn world() -> World {
    let world = World::new();
    world.repository("api", &[("Dockerfile", "FROM python:3.13 AS build\nFROM scratch\n"), ("LICENSE", "x\n")]);
    world.repository("web", &[("README.md", "# Web\n")]);
    world.write("scan.yaml", SCAN);
    world.write("repos.txt", &format!("{}\n{}\n", ssh("api"), ssh("web")));
    world
}

#[test]
fn what_scanners_found_is_a_table_a_spreadsheet_and_json() {
    let world = world();
    let scan = |format: &str| world.run(&["scan", "scan.yaml", "--repo-filelist", "repos.txt", "--format", format]);
    let table = scan("table").expect(0);
    table.shows(&["Repository", "root-files", "dockerfile-from", "acme/web.git", "license: true", "FROM scratch"]);

    let csv = scan("csv").expect(0).out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 5, "{csv}");
    assert!(lines[0].starts_with("repository,scanner,commit,scanned_at,run,version,problem,"), "{csv}");
    assert!(lines[0].ends_with("dockerfile_exists,dockerfile_from_lines") || lines[0].contains("readme_md"), "{csv}");

    let found = scan("json").expect(0).json();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 4);
    let of = |name: &str, scanner: &str| {
        let one = found.iter().find(|one| one["repository"] == ssh(name).as_str() && one["scanner"] == scanner);
        one.unwrap_or_else(|| panic!("{found:?}"))
    };
    assert_eq!(of("api", "dockerfile-from")["facts"]["dockerfile_from_lines"][1], "FROM scratch");
    let (run, version) = (&of("web", "root-files")["run"], &of("web", "root-files")["version"]);
    assert_eq!((run, version), (&json!(3), &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!(of("web", "root-files")["facts"]["readme_md"], json!(true));
    assert_eq!(of("web", "root-files")["commit"], world.github.head("acme/web", "main").unwrap().unwrap());
    assert!(of("web", "root-files")["scanned_at"].as_str().is_some_and(|at| at.ends_with('Z')));
    assert_eq!(world.github.writes(), 0);
}

#[test]
fn a_scan_and_what_is_kept_of_it_name_the_same_times() {
    let world = world();
    let told = world.run(&["scan", "scan.yaml", "--repo-filelist", "repos.txt", "--format", "json"]).expect(0);
    let kept = world.run(&["runs", "scans", "1", "--format", "json"]).expect(0);
    assert_eq!(told.json(), kept.json());
    world.write("count.yaml", &crate::world::count_to(1));
    let told = world.drive("count.yaml", &[&ssh("web")], &["--dry-run"]);
    let kept = world.run(&["runs", "show", "2", "--format", "json"]).expect(0);
    assert_eq!(told.json()["started_at"], kept.json()["started_at"]);
}

#[test]
fn a_repository_that_cannot_be_scanned_is_told_and_the_others_are_there() {
    let world = world();
    let told = world.run(&[
        "scan",
        "scan.yaml",
        "--format",
        "json",
        "--json-outfile",
        "all.json",
        "--repo-path",
        &ssh("gone"),
        &ssh("web"),
    ]);
    let told = told.expect(1).notes(&["acme/gone.git: ", "not found"]);
    let rows = told.json();
    let unread = rows.as_array().unwrap().iter().find(|row| row["repository"] == ssh("gone").as_str()).unwrap();
    assert!(unread["problem"].as_str().unwrap().contains("not found") && unread["scanner"].is_null(), "{unread}");
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert!(world.read("all.json").contains("\"end\": \"failed\""));
}

#[test]
fn scanners_run_along_with_a_run_and_are_kept_with_it() {
    let world = world();
    world.run(&["run", "scan.yaml", "--repo-filelist", "repos.txt"]).expect(0).shows(&["license: true", "read"]);
    world.run(&["runs", "scans", "1", "--scanner", "root-files", "--format", "csv"]).expect(0).shows(&["readme_md"]);
    let none = "migration:\n  commit_message: x\n  driver_name: deleter\n  driver_config: { deletion_target: x }\n";
    world.write("none.yaml", none);
    let told = world.run(&["scan", "none.yaml", "--repo-path", &ssh("web")]).expect(2);
    told.notes(&["none.yaml has no section `scan`"]);
}
