//! What hurt with the Python tool, each by its name.

use crate::world::{FORGE, World, checkout, count_to, ends, git, migration, refs, ssh};
use serde_json::Value;
use std::process::Stdio;

#[test]
fn file_and_http_addresses_are_cloned() {
    let world = World::new();
    world.counters(&["api"]);
    world.write("count.yaml", &migration(1));
    for name in ["local", "other"] {
        checkout(&world.work().join(name), &[("counter.txt", "0\n")]);
    }
    let file = format!("file://{}", world.work().join("local").display());
    let http = format!("{}/acme/api.git", world.github.url());
    let told = world.drive("count.yaml", &[&file, &http, "local/../other", &ssh("api")], &[]).expect(0);
    assert_eq!(told.ends(), ["patched"; 4], "{told:?}");
}

#[test]
fn when_all_clones_fail_that_is_said_and_is_a_failure() {
    let world = World::new();
    world.write("count.yaml", &migration(1));
    let told = world.run(&["run", "count.yaml", "--repo-path", &ssh("gone"), "./nowhere"]).expect(1);
    told.shows(&["2 repositories:", "     2  100.0 %  failed", "Failed:", "acme/gone", "nowhere", "clone"]);
}

#[test]
fn a_clone_that_failed_counts_in_the_totals() {
    let world = World::new();
    let mut repositories = world.counters(&["one", "two"]);
    repositories.push(ssh("gone"));
    world.write("count.yaml", &migration(1));
    let mut arguments = vec!["run", "count.yaml", "--json-outfile", "result.json", "--repo-path"];
    arguments.extend(refs(&repositories));
    let told = world.run(&arguments).expect(1);
    told.shows(&["3 repositories:", "     2  66.7 %  patched", "     1  33.3 %  failed"]);
    let report: Value = serde_json::from_str(&world.read("result.json")).unwrap();
    assert_eq!(ends(&report), ["patched", "patched", "failed"]);
    assert_eq!((&report["repositories"][2]["phase"], &report["finished"]), (&"clone".into(), &true.into()));
    assert!(report["repositories"][2]["reason"].as_str().unwrap().contains("not found"), "{report}");
}

#[test]
fn one_missing_repository_hurts_no_other_in_parallel_and_the_json_is_whole() {
    let world = World::new();
    let mut repositories = world.counters(&["a", "b", "c", "d", "e", "f", "g"]);
    repositories.insert(3, ssh("gone"));
    world.write("count.yaml", &count_to(1));
    let more = ["--parallel", "4", "--json-outfile", "result.json"];
    let told = world.drive("count.yaml", &refs(&repositories), &more).expect(1);
    let mut expected = vec!["pull_request_opened"; 8];
    expected[3] = "failed";
    assert_eq!(told.ends(), expected);
    let report: Value = serde_json::from_str(&world.read("result.json")).unwrap();
    assert_eq!(report, told.json());
    assert_eq!(["a", "g"].map(|name| world.pulls(name).len()), [1, 1]);
}

#[test]
fn a_push_that_is_rejected_is_a_failure_and_no_pull_request_is_claimed() {
    let world = World::new();
    let mut repositories = world.counters(&["good"]);
    let id = world.repository("strict", &[("counter.txt", "0\n")]);
    repositories.push(ssh("strict"));
    let hook = world.github.folder().join(format!("{id}.git/hooks/pre-receive"));
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho 'Names of branches begin with a ticket.' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    world.write("count.yaml", &count_to(1));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(1);
    assert_eq!(told.ends(), ["pull_request_opened", "failed"], "{told:?}");
    let failed = &told.json()["repositories"][1];
    assert_eq!((&failed["phase"], &failed["outcome"]), (&"push".into(), &"patched".into()));
    assert_eq!((&failed["pull_request"], &failed["pushed"]), (&Value::Null, &Value::Null));
    let why = failed["reason"].as_str().unwrap();
    assert!(why.contains("the push was rejected") && why.contains("Names of branches begin with a ticket."), "{why}");
    assert_eq!((world.pulls("good").len(), world.pulls("strict").len()), (1, 0));
}

#[test]
fn who_may_not_push_is_told_so() {
    let world = World::new();
    world.counters(&["api"]);
    world.github.set_role("acme/api", "dana", github_sim::Role::Read).unwrap();
    world.write("count.yaml", &count_to(1));
    let told = world.drive("count.yaml", &[&ssh("api")], &[]).expect(1);
    assert_eq!(told.ends(), ["failed"]);
    assert!(told.out.contains("access was refused"), "{}", told.out);
    assert!(world.pulls("api").is_empty());
}

/// Neither standard input nor standard error is a terminal in this test.
#[test]
fn without_a_terminal_nothing_dies_at_the_pause() {
    let world = World::new();
    let repositories = world.counters(&["a", "b", "c"]);
    world.write("count.yaml", &format!("{}  interactive_pause_every: 1\n", count_to(1)));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_opened"; 3]);
    assert!(!told.err.contains("[y/N]"), "{}", told.err);
}

/// Runs `count.yaml` where somebody answers; `script` gives a program a terminal. The exit code, and what is shown.
#[cfg(target_os = "linux")]
fn on_terminal(world: &World, arguments: &str, answers: &str) -> (i32, String) {
    let line = format!("script -qec 'mass-driver run count.yaml {arguments}' /dev/null");
    let mut child = world.shell(&line).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // The terminal stays open until the command has ended.
    let mut answer = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut answer, answers.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Both rows are prepared in one clone, the second after the first.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_each_change_goes_to_the_branch_that_it_was_made_on() {
    let world = World::new();
    world.counters(&["api"]);
    world.commit("api", "dev", ("other.txt", "not released\n"), "Not released");
    let rows = ["main", "dev"].map(|branch| format!("{branch},{},{branch}\n", ssh("api")));
    world.write("repos.csv", &format!("repo_id,clone_url,upstream_branch\n{}", rows.concat()));
    let source = "source:\n  source_name: csv-filelist\n  source_config: { csv_file: repos.csv }\n";
    let change = count_to(1).replace("branch_name: count", "branch_name: 'count-{{ repo.id }}'");
    world.write("count.yaml", &format!("{source}{change}  interactive_pause_every: 2\n"));
    let (code, shown) = on_terminal(&world, "--parallel 1", "y\n");
    let pulls = world.pulls("api");
    let went: Vec<_> = pulls.iter().map(|pull| (pull.head_branch.as_str(), pull.base.as_str())).collect();
    assert_eq!((code, went), (0, vec![("count-main", "main"), ("count-dev", "dev")]), "{shown}");
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_it_is_asked_before_anything_is_sent() {
    let world = World::new();
    let repositories = world.counters(&["a", "b"]);
    world.write("count.yaml", &format!("{}  interactive_pause_every: 1\n", count_to(1)));
    world.write("repos.txt", &repositories.join("\n"));
    let (code, shown) = on_terminal(&world, "--parallel 1 --repo-filelist repos.txt", "y\nn\n");
    assert!(code == 1 && shown.contains("Push and open pull requests for 1 repository (1 patched)?"), "{code} {shown}");
    assert!(shown.contains("not all is done") && !shown.contains("No repositories."), "{shown}");
    assert_eq!(["a", "b"].map(|name| world.pulls(name).len()), [1, 0]);
    let (code, shown) = on_terminal(&world, "--resume --no-pause", "");
    assert!(code == 0 && !shown.contains("[y/N]"), "{code} {shown}");
    assert_eq!(["a", "b"].map(|name| world.pulls(name).len()), [1, 1]);
}

/// Who pipes the list in cannot answer, and nothing is pushed unasked.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_a_list_from_a_pipe_wants_a_word() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.write("count.yaml", &count_to(1));
    let run = format!("echo {} | mass-driver run count.yaml --repo-filelist -", repositories[0]);
    let on_terminal = |more: &str| {
        let line = format!("script -qec '{run} {more}' /dev/null");
        let output = world.shell(&line).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, shown) = on_terminal("");
    assert!(code == 2 && shown.contains("add --no-pause or --dry-run") && world.pulls("a").is_empty(), "{shown}");
    assert_eq!((on_terminal("--no-pause").0, world.pulls("a").len()), (0, 1));
}

/// Ctrl-C at the question is a no, and does not wait for an answer.
#[cfg(target_os = "linux")]
#[test]
fn a_question_can_be_stopped() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.write("count.yaml", &count_to(1));
    let line = format!(
        "script -qec 'trap : INT; mass-driver run count.yaml --repo-path {}; echo code $?' /dev/null",
        repositories[0]
    );
    let mut child = world.shell(&line).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut terminal, mut shown) = (child.stdout.take().unwrap(), Vec::new());
    while !String::from_utf8_lossy(&shown).contains("[y/N]") {
        let mut some = [0; 1024];
        let count = std::io::Read::read(&mut terminal, &mut some).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&shown));
        shown.extend(&some[..count]);
    }
    let mut keys = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut keys, b"\x03").unwrap();
    std::io::Read::read_to_end(&mut terminal, &mut shown).unwrap();
    let shown = String::from_utf8_lossy(&shown);
    child.wait().unwrap();
    assert!(shown.contains("not all is done") && shown.contains("code 1") && world.pulls("a").is_empty(), "{shown}");
    world.run(&["runs"]).expect(0).shows(&["interrupted"]);
    drop(keys);
}

#[test]
fn a_checkout_of_somebody_is_never_touched_and_nothing_untracked_is_swept_in() {
    let world = World::new();
    let folder = world.work().join("mine");
    checkout(&folder, &[("counter.txt", "0\n"), ("notes.txt", "as committed\n")]);
    for (name, text) in [("secret.env", "TOKEN=hunter2\n"), ("notes.txt", "half a sentence")] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    git(&folder, &["branch", "count"]);
    let state = || {
        let asked: [&[&str]; 3] = [&["status", "--porcelain", "--branch"], &["for-each-ref"], &["stash", "list"]];
        asked.map(|asked| git(&folder, asked)).join("\n") + &std::fs::read_to_string(folder.join("notes.txt")).unwrap()
    };
    let before = state();
    world.write("count.yaml", &migration(1));
    let told = world.run(&["run", "count.yaml", "--diff", "--repo-path", "mine"]).expect(0);
    let told = told.shows(&["+1", "patched"]).notes(&["what is not committed there stays out of it"]);
    assert!(!told.out.contains("secret") && !told.out.contains("half a sentence"), "{}", told.out);
    assert_eq!(state(), before);
}

#[test]
fn a_second_run_updates_its_branch_instead_of_stacking() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &count_to(1));
    assert_eq!(world.drive("count.yaml", &refs(&repositories), &[]).expect(0).ends(), ["pull_request_opened"]);
    let first = world.commits("api", "count");
    assert_eq!((first.len(), first[0].message.as_str()), (1, "Count to 1\n\nAs it was agreed.\n"));

    let again = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(again.ends(), ["pull_request_unchanged"], "{again:?}");
    assert_eq!(world.commits("api", "count")[0].sha, first[0].sha, "no check has to run again");

    world.write("count.yaml", &count_to(2));
    world.commit("api", "main", ("README.md", "# It moved on\n"), "Move on");
    let third = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(third.ends(), ["pull_request_updated"], "{third:?}");
    let commits = world.commits("api", "count");
    assert_eq!((commits.len(), commits[0].message.lines().next()), (1, Some("Count to 2")));
    assert_eq!(world.file("api", "count", "counter.txt").unwrap(), "2\n");
    assert_eq!(world.file("api", "count", "README.md").unwrap(), "# It moved on\n");
    let pulls = world.pulls("api");
    assert_eq!((pulls.len(), pulls[0].title.as_str(), pulls[0].body.trim()), (1, "Count to 2", "As it was agreed."));
}

#[test]
fn unknown_keys_are_refused_with_a_suggestion_before_anything_is_cloned() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &migration(1).replace("branch_name", "brnch_name"));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(2);
    let told = told.notes(&["count.yaml:6:3", "brnch_name", "branch_name"]);
    assert_eq!(told.out, "");
    assert!(!world.home().join(".cache").exists(), "nothing is cloned");
    world.write("count.toml", "[mass-driver.migraton]\ncommit_message = 'x'\n");
    world.drive("count.toml", &refs(&repositories), &[]).expect(2).notes(&["migraton", "`migration`"]);
}

#[test]
fn a_wrong_name_of_a_driver_is_a_clear_problem() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &migration(1).replace("counter\n", "conter\n"));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(2);
    let told = told.notes(&["count.yaml:7:16", "conter", "counter"]);
    assert!(!told.err.contains("panicked"), "{}", told.err);
    for (from, to, expected) in
        [("github", "gihub", "github"), ("target_count: 1", "target_count: one", "whole number")]
    {
        world.write("count.yaml", &format!("{}{FORGE}", migration(1)).replace(from, to));
        world.drive("count.yaml", &refs(&repositories), &[]).expect(2).notes(&["count.yaml:", expected]);
    }
}
