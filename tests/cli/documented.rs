//! What scripts get as JSON has no key that its page does not explain, and no page explains one that is not there.

use crate::audited;
use crate::executable::{FILE, GOOD, at, command, folder, run, told};
use crate::ignored::git;
use crate::stored::{park, seeded};
use mass_driver::store::Store;
use registry_sim::RegistrySim;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The keys of all objects in a value.
pub fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            into.extend(map.keys().cloned());
            map.values().for_each(|value| keys(value, into));
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
        _ => {}
    }
}

fn section(page: &str, heading: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let section = text.split(&format!("\n{heading}\n")).nth(1).unwrap_or_else(|| panic!("{page} has no {heading}"));
    section.split("\n## ").next().unwrap().to_owned()
}

/// What stands in backticks in a section.
fn named(page: &str, heading: &str) -> BTreeSet<String> {
    section(page, heading).split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The keys that the tables of a section explain, in their first column.
pub fn explained(page: &str, heading: &str) -> BTreeSet<String> {
    let section = section(page, heading);
    let first_cells = section.lines().filter_map(|line| line.strip_prefix('|')?.split('|').next());
    first_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// What commands print in a folder, against a section of a page; `elsewhere` are keys that only other circumstances bring.
fn assert_explained(folder: &Path, commands: &[&[&str]], page: &str, heading: &str, elsewhere: &[&str]) {
    let mut seen: BTreeSet<String> = elsewhere.iter().map(|key| (*key).to_owned()).collect();
    for arguments in commands {
        let (_, out, err) = run(folder, &[*arguments, &["--format", "json"]].concat());
        keys(&serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")), &mut seen);
    }
    assert_eq!(explained(page, heading), seen, "{page} left, the command right");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_of_why_and_audit_is_explained() {
    let folder = folder(&[]);
    let now = at("2026-03-05T12:00:00Z");
    seeded(folder.path(), now).await;
    let store = Store::connect(&format!("sqlite://{}", folder.path().join("mass-driver.db").display())).await.unwrap();
    park(&store, &["repo:1"], now).await;
    store.close().await;
    let onboarding = ["begun_at"];
    let of_a_problem = ["column", "fix", "length", "what"];
    let of_some_updates = ["refresh", "python", "snoozed_until"];
    let elsewhere = [&onboarding[..], &of_a_problem, &of_some_updates].concat();
    audited::open(folder.path(), at("2026-03-09T04:59:59Z"), 1).await.0.close().await;
    let (_, out, _) = run(folder.path(), &["why", "acme/api", "--format", "json"]);
    // How a delay is kept is as many things as delays are.
    let without_delay = |out: &str| {
        let mut value: Value = serde_json::from_str(out).unwrap();
        for proposal in value["proposals"].as_array_mut().unwrap() {
            for update in proposal["updates"].as_array_mut().unwrap() {
                update["terms"].as_array_mut().unwrap().iter_mut().for_each(|terms| terms["delay"] = Value::Null);
            }
        }
        value
    };
    let mut seen: BTreeSet<String> = elsewhere.iter().map(|key| (*key).to_owned()).collect();
    keys(&without_delay(&out), &mut seen);
    // What an object holds that has no table of its own is named beside its key.
    let (first, anywhere) = (explained("docs/why.md", "## As JSON"), named("docs/why.md", "## As JSON"));
    let missing: Vec<&String> = seen.difference(&anywhere).collect();
    assert!(missing.is_empty(), "docs/why.md does not name {missing:?}");
    let invented: Vec<&String> = first.difference(&seen).collect();
    assert!(invented.is_empty(), "docs/why.md explains {invented:?}, which the command does not print");

    let of_other_violations =
        ["drafted_at", "known", "ledger", "reckoned", "time", "written", "terms_not_understood", "without_terms"];
    assert_explained(folder.path(), &[&["audit"]], "docs/audit.md", "## As JSON", &of_other_violations);
}

#[test]
fn every_key_of_deps_is_explained() {
    let folder = folder(&[(FILE, GOOD), ("requirements.txt", "httpx==0.27.0\n")]);
    assert_explained(folder.path(), &[&["deps"]], "docs/deps.md", "## As JSON", &[]);
}

/// The keys of what a command prints as JSON; `free` are those whose values are anybody's own.
fn printed(folder: &Path, arguments: &[&str], free: &[&str]) -> BTreeSet<String> {
    fn without(value: &mut Value, free: &[&str]) {
        match value {
            Value::Object(map) => map.iter_mut().for_each(|(key, value)| {
                if free.contains(&key.as_str()) { *value = Value::Null } else { without(value, free) }
            }),
            Value::Array(items) => items.iter_mut().for_each(|value| without(value, free)),
            _ => {}
        }
    }
    #[expect(clippy::disallowed_methods, reason = "git is on the PATH of whoever tests")]
    let path = std::env::var_os("PATH").unwrap();
    let mut command = command(folder, &[arguments, &["--format", "json"]].concat());
    let (_, out, err) = told(command.env("PATH", path).env("HOME", folder).output().unwrap());
    let mut value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    without(&mut value, free);
    let mut seen = BTreeSet::new();
    keys(&value, &mut seen);
    seen
}

fn and(seen: &[BTreeSet<String>], elsewhere: &[&str]) -> BTreeSet<String> {
    seen.iter().flatten().cloned().chain(elsewhere.iter().map(|key| (*key).to_owned())).collect()
}

#[test]
fn every_key_of_check_is_explained() {
    let folder = folder(&[(FILE, GOOD), ("broken/.mass-driver.yaml", "subscriptions: [pipy]\n")]);
    let seen = ["", "broken"].map(|path| printed(folder.path(), &["check", &format!("./{path}")], &["file"]));
    assert_eq!(explained("docs/check.md", "## `check` as JSON"), and(&seen, &["organisation"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_of_plan_is_explained() {
    let folder = folder(&[(FILE, GOOD), ("requirements.txt", "httpx==0.27.0\nrich==1.0.0\n")]);
    let registry = RegistrySim::start(Arc::new(mass_driver::app::now)).unwrap();
    for (name, version) in [("httpx", "0.27.0"), ("httpx", "0.28.0"), ("rich", "1.0.0")] {
        registry.release_at(name, version, at("2026-01-01T00:00:00Z"));
    }
    let seen = printed(folder.path(), &["plan", "--pypi-url", &registry.simple_url()], &["updates"]);
    assert_eq!(explained("docs/check.md", "## `plan` as JSON"), seen);
}

#[test]
fn every_key_of_a_run_is_explained() {
    let change = "scan: { scanner_names: [root-files] }\nmigration:\n  commit_message: x\n  commit_author_name: x\n  \
                  commit_author_email: x@example.com\n  driver_name: stamper\n  driver_config: { filepath_to_create: b, file_contents: b }\n";
    let folder = folder(&[("change.yaml", change), ("repo/a", "x\n")]);
    for arguments in [&["init", "--quiet"][..], &["add", "a"], &["commit", "--quiet", "--message=x"]] {
        git(&folder.path().join("repo"), arguments);
    }
    let over = ["--repo-path", "repo", "--cache-folder", "clones"];
    let free = ["facts", "scans", "patch_data"];
    let of_a_run = printed(folder.path(), &[&["run", "change.yaml", "--diff"], &over[..]].concat(), &free);
    let listed = printed(folder.path(), &["runs"], &free);
    let scanned = printed(folder.path(), &["runs", "scans", "1"], &free);
    let elsewhere = ["number", "url", "problem"];
    let named = named("docs/runs.md", "## As JSON");
    let all = and(&[of_a_run, listed, scanned], &elsewhere);
    let missing: Vec<&String> = all.difference(&named).collect();
    assert!(missing.is_empty(), "docs/runs.md does not name {missing:?}");
    let invented: Vec<String> = explained("docs/runs.md", "## As JSON").difference(&all).cloned().collect();
    assert!(invented.is_empty(), "docs/runs.md explains {invented:?}, which the commands do not print");
}
