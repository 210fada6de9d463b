//! What others wrote: plug-ins on the PATH and commands, in the sandbox.
#![cfg(target_os = "linux")]

use crate::world::{FORGE, World, refs, shell, ssh};
use serde_json::json;

const STAMP: &str = "migration:\n  commit_message: Stamp\n  branch_name: stamp\n  driver_name: stamp\n  driver_config: { words: hello }\n";

#[test]
fn a_driver_of_somebody_changes_files_and_says_what_else_there_is() {
    let world = World::new();
    world.install(
        "mass-driver-driver-stamp",
        r#"request=$(cat)
if [ -e skip ]; then echo '{"version": 1, "outcome": "does_not_apply", "details": "skip lies there"}'; exit; fi
if [ -e crash ]; then echo 'the stamp broke' >&2; exit 3; fi
if [ -e lie ]; then echo '{"version": 1, "outcome": "patched"}'; exit; fi
printf '%s\n' "$request" | tr ',' '\n' | grep words > stamp.txt
git log --oneline > /dev/null 2>&1
echo '{"version": 1, "outcome": "patched", "details": "stamped"}'"#,
    );
    for (name, file) in [("good", "a"), ("skipped", "skip"), ("crashed", "crash"), ("lied", "lie")] {
        world.repository(name, &[(file, "x\n")]);
    }
    world.write("stamp.yaml", &format!("{STAMP}{FORGE}"));
    let names = ["good", "skipped", "crashed", "lied"].map(ssh);
    let told = world.drive("stamp.yaml", &refs(&names), &[]).expect(1);
    assert_eq!(told.ends(), ["pull_request_opened", "does_not_apply", "failed", "failed"], "{told:?}");
    let report = told.json();
    let why = |at: usize| report["repositories"][at]["reason"].as_str().unwrap().to_owned();
    assert_eq!((why(0).as_str(), why(1).as_str()), ("stamped", "skip lies there"));
    assert!(why(2).contains("`stamp`") && why(2).contains("the stamp broke"), "{}", why(2));
    assert!(why(3).contains("says that it changed files, and changed none"), "{}", why(3));
    assert!(world.file("good", "stamp", "stamp.txt").unwrap().contains("\"words\":\"hello\""));
    assert_eq!(world.pulls("good")[0].files, ["stamp.txt"]);
}

#[test]
fn a_driver_that_answers_other_than_its_folder_says_is_refused() {
    let world = World::new();
    world.install(
        "mass-driver-driver-stamp",
        r#"cat > /dev/null
if [ ! -e clean ]; then echo hello > stamp.txt; echo more >> outcome; fi
printf '{"version": 1, "outcome": "%s"}\n' "$(head -n 1 outcome)""#,
    );
    let repositories = [
        ("made", "already_patched\n", false),
        ("alien", "does_not_apply\n", false),
        ("broken", "error\n", false),
        ("settled", "already_patched\n", true),
    ];
    for (name, outcome, clean) in repositories {
        let files = [("outcome", outcome), ("clean", "")];
        world.repository(name, &files[..if clean { 2 } else { 1 }]);
    }
    world.write("stamp.yaml", &format!("{STAMP}{FORGE}"));
    let names = repositories.map(|(name, ..)| ssh(name));
    let told = world.drive("stamp.yaml", &refs(&names), &[]).expect(1);
    assert_eq!(told.ends(), ["failed", "failed", "failed", "already_patched"], "{told:?}");
    let report = told.json();
    let why = |at: usize| report["repositories"][at]["reason"].as_str().unwrap_or_default().to_owned();
    let refused = |outcome: &str| {
        format!("the plug-in `stamp` answers `{outcome}`, and changed 2 files; a change is answered with `patched`")
    };
    assert_eq!(why(0), refused("already_patched"));
    assert_eq!(why(1), refused("does_not_apply"));
    assert!(!why(2).contains("answers"), "what failed failed: {}", why(2));
    assert!(names.iter().enumerate().all(|(at, _)| report["repositories"][at]["commit"].is_null()), "{report}");
}

#[test]
fn a_driver_that_fails_without_a_word_is_said_to() {
    let world = World::new();
    world.install(
        "mass-driver-driver-stamp",
        r#"cat > /dev/null; echo '{"version": 1, "outcome": "error", "details": " "}'"#,
    );
    world.repository("silent", &[("a", "x\n")]);
    world.write("stamp.yaml", STAMP);
    let told = world.drive("stamp.yaml", &[&ssh("silent")], &[]).expect(1);
    assert_eq!(told.json()["repositories"][0]["reason"], "the plug-in `stamp` does not say why", "{told:?}");
}

#[test]
fn a_scanner_of_somebody_reads_facts() {
    let world = World::new();
    world.install(
        "mass-driver-scanner-lines",
        r#"cat > /dev/null; echo "{\"version\": 1, \"facts\": {\"lines\": $(cat a | wc -l)}}""#,
    );
    world.repository("good", &[("a", "x\ny\n")]);
    world.repository("bad", &[("b", "x\n")]);
    world.write("scan.yaml", "scan:\n  scanner_names: [lines]\n");
    let told = world.run(&["scan", "scan.yaml", "--format", "json", "--repo-path", &ssh("good"), &ssh("bad")]);
    let found = told.json();
    assert_eq!(found[0]["facts"], json!({ "lines": 2 }), "{told:?}");
}

#[test]
fn a_source_of_somebody_finds_repositories() {
    let world = World::new();
    world.counters(&["api"]);
    let one = format!(r#"{{"id": "the api", "clone_url": "{}", "patch_data": {{"count": "3"}}}}"#, ssh("api"));
    let script = format!("cat > /dev/null\necho '{{\"version\": 1, \"repositories\": [{one}]}}'");
    world.install("mass-driver-source-ours", &script);
    let text = crate::world::migration(1).replace("target_count: 1", "target_count: '{{ patch_data.count }}'");
    world.write("count.yaml", &format!("source:\n  source_name: ours\n{text}"));
    let told = world.run(&["run", "count.yaml", "--diff"]).expect(0);
    told.shows(&["# the api", "+3"]);
}

#[test]
fn a_source_that_fails_is_named_once() {
    let world = World::new();
    world.install("mass-driver-source-ours", "cat > /dev/null; echo 'no such team' >&2; exit 3");
    world.write("count.yaml", &format!("source:\n  source_name: ours\n{}", crate::world::migration(1)));
    let told = world.run(&["run", "count.yaml", "--diff"]).expect(1);
    let why = "the source plug-in `ours` failed with exit code 3. It said: no such team";
    assert!(told.err.contains(why), "{}", told.err);
    assert_eq!(told.err.matches("ours").count(), 1, "{}", told.err);
}

#[test]
fn a_command_changes_what_it_finds_and_fails_by_its_exit_code() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("shell.yaml", &format!("{}{FORGE}", shell("sed -i s/0/1/ counter.txt && chmod +x counter.txt", "")));
    assert_eq!(world.drive("shell.yaml", &refs(&repositories), &[]).expect(0).ends(), ["pull_request_opened"]);
    assert_eq!(world.file("api", "shell", "counter.txt").unwrap(), "1\n");
    world.write("shell.yaml", &shell("true", ""));
    assert_eq!(world.drive("shell.yaml", &refs(&repositories), &[]).expect(0).ends(), ["already_patched"]);
    world.write("shell.yaml", &shell("echo broken >&2; exit 4", ""));
    let told = world.drive("shell.yaml", &refs(&repositories), &[]).expect(1);
    assert!(told.out.contains("broken") && told.out.contains('4'), "{}", told.out);
}

#[test]
fn a_command_sees_no_token_and_reads_and_writes_nothing_of_its_person() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("private.txt", "mine\n");
    let private = world.work().join("private.txt");
    let script = format!("env > seen.txt; cat {0} >> seen.txt; echo x > {0}; true", private.display());
    world.write("shell.yaml", &format!("{}{FORGE}", shell(&script, "")));
    assert_eq!(world.drive("shell.yaml", &refs(&repositories), &[]).expect(0).ends(), ["pull_request_opened"]);
    let seen = world.file("api", "shell", "seen.txt").unwrap();
    assert!(!seen.contains(&world.token) && !seen.contains("mine") && !seen.contains("FORGE_TOKEN"), "{seen}");
    assert!(seen.contains("PATH="), "{seen}");
    assert_eq!(world.read("private.txt"), "mine\n");
    let allow = format!("  allow:\n    read: ['{}']\n", private.display());
    world.write("shell.yaml", &format!("{}{FORGE}", shell(&script, &allow)));
    world.drive("shell.yaml", &refs(&repositories), &[]).expect(0);
    assert!(world.file("api", "shell", "seen.txt").unwrap().contains("mine"));
    assert_eq!(world.read("private.txt"), "mine\n");
}

#[test]
fn a_command_reaches_the_network_only_where_that_is_granted() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    let host = world.github.url().trim_start_matches("http://").to_owned();
    let (host, port) = host.split_once(':').unwrap();
    let script = format!(
        "python3 -c 'import socket; socket.create_connection((\"{host}\", {port}), 5); open(\"counter.txt\", \"w\").write(\"9\")'"
    );
    world.write("shell.yaml", &shell(&script, ""));
    assert_eq!(world.drive("shell.yaml", &refs(&repositories), &[]).expect(1).ends(), ["failed"]);
    world.write("shell.yaml", &shell(&script, "  allow:\n    network: true\n"));
    let told = world.drive("shell.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["patched"], "{told:?}");
}
