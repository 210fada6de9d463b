//! The house keeps to its drawing: who may import whom, what stays where, and that the pages which describe it name
//! what exists.

mod support {
    pub mod house;
    pub mod markdown;
    pub mod pages;
    pub mod source;
}

use rstest::rstest;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use support::house::{Room, faults, module_of};
use support::markdown::{code_spans, table};
use support::pages::{is_path, local_links, prose};

/// What the rooms that reach outside, and those above them, find below.
const PURE: [&str; 10] = [
    "domain",
    "document",
    "subscription",
    "versioning",
    "managers",
    "drivers",
    "scanners",
    "planner",
    "safeguards",
    "commands",
];

/// The table of rooms. It stands here once as data and in ARCHITECTURE.md once for people; a test compares the two.
fn rooms() -> Vec<Room<'static>> {
    let pure = |name, may_import: &[&'static str]| Room { name, pure: true, may_import: may_import.to_vec() };
    let outside = |name, may_import: &[&[&'static str]]| Room { name, pure: false, may_import: may_import.concat() };
    vec![
        pure("domain", &[]),
        pure("document", &["domain"]),
        pure("subscription", &["domain", "document", "versioning"]),
        pure("versioning", &["domain"]),
        pure("managers", &["domain", "document", "versioning"]),
        pure("drivers", &["domain", "document", "versioning", "managers"]),
        pure("scanners", &["domain", "managers"]),
        pure("activity", &["domain", "document", "versioning", "managers", "drivers", "scanners"]),
        pure("planner", &["domain", "subscription", "versioning"]),
        pure("safeguards", &["domain"]),
        pure("commands", &["domain", "subscription"]),
        outside("metrics", &[&["domain"]]),
        outside("forge", &[&["domain", "metrics"]]),
        outside("registries", &[&["domain", "metrics"]]),
        outside("sources", &[&["domain", "document", "versioning", "managers", "activity", "forge", "store"]]),
        outside("checkout", &[&["domain", "managers"]]),
        outside("store", &[&["domain"]]),
        outside(
            "bulk",
            &[&["domain", "document", "managers", "drivers", "scanners", "activity", "checkout", "forge", "store"]],
        ),
        outside("pipeline", &[&PURE, &["metrics", "forge", "registries", "store"]]),
        outside("web", &[&PURE, &["metrics", "forge", "registries", "store", "pipeline", "settings"]]),
        outside(
            "cli",
            &[
                &PURE,
                &[
                    "activity",
                    "forge",
                    "registries",
                    "sources",
                    "checkout",
                    "store",
                    "bulk",
                    "pipeline",
                    "app",
                    "settings",
                    "telemetry",
                ],
            ],
        ),
        outside("settings", &[&["domain"]]),
        outside("telemetry", &[&["settings"]]),
        outside(
            "app",
            &[
                &PURE,
                &[
                    "activity",
                    "metrics",
                    "forge",
                    "registries",
                    "sources",
                    "store",
                    "bulk",
                    "pipeline",
                    "web",
                    "settings",
                ],
            ],
        ),
        outside("main", &[&["app", "cli", "settings", "telemetry"]]),
        outside("lib", &[]),
    ]
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below a folder with an ending, relative to it.
fn files(folder: &Path, ending: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.map(|entry| entry.expect("readable")) {
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        if entry.path().is_dir() {
            found.extend(files(&entry.path(), ending).into_iter().map(|file| format!("{name}/{file}")));
        } else if name.ends_with(ending) {
            found.push(name);
        }
    }
    found.sort();
    found
}

fn said(faults: &[String]) -> String {
    format!("\n{}\n", faults.join("\n"))
}

#[test]
fn every_file_keeps_to_the_rules_of_its_room() {
    let source = root().join("src");
    let files = files(&source, ".rs");
    assert!(files.iter().any(|file| file == "domain/mod.rs"), "found {files:?}");
    let rooms = rooms();
    let found: Vec<_> = files.iter().flat_map(|file| faults(file, &read(&source.join(file)), &rooms)).collect();
    assert!(found.is_empty(), "{}", said(&found));
}

/// The rows of ARCHITECTURE.md's table: `room`, whether it is pure, the rooms it may import.
fn rows_of_the_page(page: &str) -> Vec<Room<'_>> {
    table(page, "## Rooms")
        .into_iter()
        .map(|cells| Room {
            name: code_spans(cells[0])[0].trim_end_matches('/').trim_end_matches(".rs"),
            pure: cells[1] == "yes",
            may_import: code_spans(cells[2]),
        })
        .collect()
}

#[test]
fn the_table_of_the_page_is_the_table_of_the_test() {
    let page = read(&root().join("ARCHITECTURE.md"));
    let (page, test) = (rows_of_the_page(&page), rooms());
    let names = |rooms: &[Room<'_>]| rooms.iter().map(|room| room.name.to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&page), names(&test));
    for (page, test) in page.iter().zip(&test) {
        let set = |room: &Room<'_>| room.may_import.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!((page.pure, set(page)), (test.pure, set(test)), "`{}`: page left, test right", page.name);
    }
}

#[test]
fn imports_of_the_table_never_go_in_circles() {
    let rooms = rooms();
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    while settled.len() < rooms.len() {
        let ready = |room: &&Room<'_>| {
            !settled.contains(room.name) && room.may_import.iter().all(|import| settled.contains(import))
        };
        let next: Vec<_> = rooms.iter().filter(ready).map(|room| room.name).collect();
        assert!(!next.is_empty(), "a circle among those that are not in {settled:?}");
        settled.extend(next);
    }
}

#[test]
fn every_room_the_page_names_is_there() {
    let source = root().join("src");
    let page = read(&root().join("ARCHITECTURE.md"));
    let there = |name: &str| source.join(name).join("mod.rs").exists() || source.join(format!("{name}.rs")).exists();
    let missing: Vec<_> =
        rows_of_the_page(&page).into_iter().map(|room| room.name.to_owned()).filter(|name| !there(name)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names rooms that are not in src/: {missing:?}");
}

/// The pages whose paths must exist.
fn pages() -> Vec<String> {
    let docs = files(&root().join("docs"), ".md").into_iter().map(|file| format!("docs/{file}"));
    ["ARCHITECTURE.md", "README.md"].map(str::to_owned).into_iter().chain(docs).collect()
}

/// A path is named from the root of the repository, or from `src/`; a `*` stands for what is below the folder before it.
fn exists(path: &str) -> bool {
    let fixed =
        path.split_once('*').map_or(path, |(before, _)| before.rsplit_once('/').map_or("", |(folder, _)| folder));
    ["", "src"].iter().any(|folder| root().join(folder).join(fixed).exists())
}

#[test]
fn every_path_the_pages_name_is_there() {
    let mut missing = Vec::new();
    for name in pages() {
        let file = root().join(&name);
        // The README and the folder of further pages may not be written yet.
        if !file.exists() {
            continue;
        }
        let page = read(&file);
        for (line, text) in prose(&page) {
            let named = code_spans(text).into_iter().filter(|span| is_path(span) && !exists(span));
            missing.extend(named.map(|span| format!("{name}:{line}: `{span}` is not there")));
            let folder = file.parent().expect("a page lies in a folder");
            let linked = local_links(text).into_iter().filter(|target| !folder.join(target).exists());
            missing.extend(linked.map(|target| format!("{name}:{line}: the link to {target} leads nowhere")));
        }
    }
    assert!(missing.is_empty(), "{}", said(&missing));
}

// The checker can fail.

#[rstest]
#[case::down("planner/mod.rs", "use crate::domain::Update;")]
#[case::own_room("forge/client.rs", "use crate::forge::auth; use super::auth::Token;")]
#[case::group("managers/pypi.rs", "use crate::{domain::Update, versioning::{Scheme, pep440}};")]
#[case::inline_module("domain/ids.rs", "mod tests { use super::super::ids; use super::*; }")]
#[case::comment("domain/ids.rs", "// use crate::store::Store;\n/* /* crate::store */ crate::web */ //! [`crate::cli`]")]
#[case::text(
    "domain/ids.rs",
    r####"const A: &str = "crate::store"; const B: &str = r#"use crate::web; " SELECT 1"#;"####
)]
#[case::lifetime("domain/ids.rs", "fn a<'a>(b: &'a str) -> char { '\"' } // \"\nfn c() -> char { '\\'' }")]
#[case::unit_tests("domain/ids.rs", "#[cfg(test)]\nmod tests { use super::*; }")]
#[case::visibility("forge/client.rs", "pub(super) fn a() {} pub(in crate::forge) fn b() {} pub(crate) fn c() {}")]
#[case::prose("web/pages.rs", r#"const A: &str = "Select what to UPDATE"; "#)]
#[case::executable("main.rs", "fn main() { mass_driver::cli::main() }")]
#[case::word_of_another("domain/ids.rs", "fn a(tokio: u8, sqlx: u8) { tokio + sqlx; b::tokio::c; }")]
fn good_source_passes(#[case] path: &str, #[case] source: &str) {
    assert_eq!(faults(path, source, &rooms()), Vec::<String>::new());
}

#[rstest]
#[case::up("planner/mod.rs", "use crate::store::Store;", "src/planner/mod.rs:1: `planner` may not import `store`")]
#[case::aside("forge/client.rs", "\nuse crate::registries::Registry;", ":2: `forge` may not import `registries`")]
#[case::in_a_path("domain/ids.rs", "fn a() { crate::store::open() }", "`domain` may not import `store`")]
#[case::in_a_group("planner/mod.rs", "use crate::{domain::{Update, ids}, store};", "`planner` may not import `store`")]
#[case::in_a_late_group("planner/mod.rs", "use {std::fmt, crate::web};", "`planner` may not import `web`")]
#[case::by_super("forge/mod.rs", "use super::store::Store;", "`forge` may not import `store`")]
#[case::by_supers("forge/git/tree.rs", "use super::super::super::store;", "`forge` may not import `store`")]
#[case::by_super_group("forge/client.rs", "use super::{auth, super::store::Store};", "`forge` may not import `store`")]
#[case::by_self_super("forge/mod.rs", "use self::super::store;", "`forge` may not import `store`")]
#[case::by_inline_module("forge/mod.rs", "mod a { use super::super::store; }", "`forge` may not import `store`")]
#[case::after_inline_module("forge/mod.rs", "mod a { fn b() {} } use super::store;", "`forge` may not import `store`")]
#[case::by_macro("domain/ids.rs", "macro_rules! a { () => { $crate::store::b() } }", "`domain` may not import `store`")]
#[case::by_crate_name("domain/ids.rs", "use mass_driver::store;", "`domain` may not import `store`")]
#[case::by_glob("store/mod.rs", "use crate::*;", "`store` may not import `*`")]
#[case::by_alias("store/mod.rs", "use crate as house;", "`store` may not import `*`")]
#[case::by_root_name("store/mod.rs", "use crate::Update;", "`store` may not import `Update`")]
#[case::by_root_export("lib.rs", "pub mod domain; pub use crate::domain::Update;", "`lib` may not import `domain`")]
#[case::no_room("plumbing/mod.rs", "", "`plumbing` is no room of the table")]
#[case::no_room_file("plumbing.rs", "", "`plumbing` is no room of the table")]
#[case::sqlx_outside("pipeline/plan.rs", "use sqlx::Row;", "SQL stays in `store`: `sqlx`")]
#[case::sql_outside(
    "pipeline/plan.rs",
    r##"fn a() { b(r#"
    SELECT 1"#) }"##,
    "SQL stays in `store`: \"SELECT 1"
)]
#[case::sql_update("web/api.rs", r#"const A: &str = "UPDATE proposal SET state = $1";"#, "SQL stays in `store`")]
#[case::pure_async("planner/mod.rs", "pub async fn plan() {}", "`planner` is pure, but has `async`")]
#[case::pure_http("managers/mod.rs", "fn a() { reqwest::get(b) }", "`managers` is pure, but has `reqwest`")]
#[case::pure_file("managers/mod.rs", "use std::fs;", "`managers` is pure, but has `std::fs`")]
#[case::vague("forge/mod.rs", "pub mod utils;", "`utils` says nothing")]
#[case::vague_private("forge/mod.rs", "mod helpers {}", "`helpers` says nothing")]
#[case::path_attribute("forge/mod.rs", "#[path = \"../store/mod.rs\"] mod a;", "lies where its name says")]
#[case::include("forge/mod.rs", "include!(\"../store/a.rs\");", "lies where its name says")]
#[case::plumbing("forge/mod.rs", "#[cfg(test)] fn fake() {}", "`cfg(test)` belongs on `mod tests`")]
#[case::plumbing_inverse("forge/mod.rs", "#[cfg(not(test))] fn real() {}", "`cfg(test)` belongs on `mod tests`")]
#[case::too_long("forge/mod.rs", &"\n".repeat(601), "601 lines are too many")]
fn bad_source_is_caught(#[case] path: &str, #[case] source: &str, #[case] expected: &str) {
    let found = faults(path, source, &rooms());
    assert!(found.len() == 1 && found[0].contains(expected), "expected {expected:?} in {found:#?}");
}

#[test]
fn a_file_knows_its_module() {
    assert_eq!(module_of("forge/git/mod.rs"), ["forge", "git"]);
    assert_eq!(module_of("forge/client.rs"), ["forge", "client"]);
    assert_eq!(module_of("app.rs"), ["app"]);
    assert!(module_of("lib.rs").is_empty());
}

#[rstest]
#[case("src/domain/mod.rs", true)]
#[case("store/", true)]
#[case("settings.rs", true)]
#[case("tests/fixtures/*/in.txt", true)]
#[case("/webhooks/github", false)]
#[case("acme/api", false)]
#[case("mass-driver/pypi/httpx", false)]
#[case("application/json", false)]
#[case("cargo test", false)]
#[case("pyproject.toml", false)]
#[case(".mass-driver.yaml", false)]
#[case("sqlite://mass-driver.db", false)]
#[case("planner::plan", false)]
fn a_code_span_is_a_path_or_not(#[case] span: &str, #[case] expected: bool) {
    assert_eq!(is_path(span), expected);
}

#[test]
fn pages_are_read_without_their_fences() {
    let page = "a `b/c.rs`\n```\n`d/e.rs`\n```\n[f](g.md#h) and [i](https://example.com/j.md)\n";
    let spans: Vec<_> =
        prose(page).iter().flat_map(|(line, text)| code_spans(text).into_iter().map(|span| (*line, span))).collect();
    assert_eq!(spans, [(1, "b/c.rs")]);
    let links: Vec<_> = prose(page).iter().flat_map(|(_, text)| local_links(text)).collect();
    assert_eq!(links, ["g.md"]);
    assert!(exists("tests/architecture.rs") && exists("domain/") && exists("tests/*.rs"));
    assert!(!exists("tests/architecture.py") && !exists("nowhere/*.rs"));
}
