//! What is shown before and after: dry runs, diffs, versions, former runs.

use crate::world::{Told, World, checkout, count_to, git, migration, refs, ssh};

#[test]
fn the_version_is_told() {
    let world = World::new();
    let told = world.run(&["--version"]).expect(0);
    assert_eq!(told.out, format!("mass-driver {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_dry_run_shows_diffs_and_leaves_github_as_it_is() {
    let world = World::new();
    let repositories = world.counters(&["api", "web"]);
    world.write("count.yaml", &count_to(1));
    let mut arguments = vec!["run", "count.yaml", "--dry-run", "--diff", "--repo-path"];
    arguments.extend(refs(&repositories));
    let told = world.run(&arguments).expect(0);
    told.shows(&["acme/api.git", "acme/web.git", "-0", "+1", "     2  100.0 %  patched, in the clone alone"]);
    world.run(&arguments).expect(0);
    assert_eq!(world.github.writes(), 0);
    assert_eq!(world.github.branches("acme/api").unwrap().len(), 1);
    let told = world.drive("count.yaml", &refs(&repositories), &["--dry-run", "--diff"]).expect(0).json();
    let one = &told["repositories"][0];
    assert!(one["diff"].as_str().unwrap().contains("-0\n+1\n"), "{told}");
    assert!(one["reason"].as_str().unwrap().ends_with("a pull request would be opened: Count to 1"), "{told}");
    world.run(&["runs"]).expect(0).shows(&["dry run", "done"]);
    // What a dry run needs no token for, it does without.
    let told = world.command(&arguments).env_remove("FORGE_TOKEN").output().unwrap();
    Told::of(told).expect(0);
}

#[test]
fn a_former_run_tells_of_itself_and_its_diffs_again() {
    let world = World::new();
    let mut repositories = world.counters(&["api"]);
    repositories.push(ssh("gone"));
    world.write("count.yaml", &count_to(1));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(1);
    world.run(&["runs"]).expect(0).shows(&["count.yaml", "done"]);
    world.run(&["runs", "show", "1"]).expect(0).shows(&["pull request opened", "acme/api/pull/1", "failed"]);
    let failed = world.run(&["runs", "show", "1", "--failed", "--format", "json"]).expect(0);
    assert_eq!(failed.ends(), ["failed"]);
    let elsewhere = format!("sqlite://{}", world.runs_file().display());
    let told = world.command(&["runs", "show", "1", "--database-url", &elsewhere]).current_dir(world.home()).output();
    Told::of(told.unwrap()).expect(0).shows(&["acme/api/pull/1"]);
    world.run(&["runs", "diff", "1"]).expect(0).shows(&["# git@github.com:acme/api.git", "-0\n+1\n"]);
    world.run(&["runs", "show", "2"]).expect(1);
    world.run(&["run", "count.yaml", "--dry-run", "--repo-path", &repositories[0]]).expect(0);
    world.run(&["runs", "scans", "2"]).expect(0).shows(&["Run 2 had no scanners."]);
    world.run(&["runs", "forget", "2"]).expect(0);
    world.run(&["runs", "forget", "1"]).expect(0).shows(&["Run 1 is forgotten."]);
    world.run(&["runs"]).expect(0).shows(&["No run is kept here."]);
}

/// A change of line ends is nothing but `\r`, and an escape in a file is part of it: whoever applies a diff needs both.
#[test]
fn the_diff_of_a_former_run_can_be_applied() {
    let world = World::new();
    let before = "a\r\nb\u{1b}[31mb\r\n";
    checkout(&world.work().join("repo"), &[("words.txt", before)]);
    world.write(
        "change.yaml",
        "migration:\n  commit_message: LF\n  branch_name: lf\n  driver_name: replace\n  driver_config: { paths: words.txt, from: \"b\\r\\n\", to: \"c\\n\" }\n",
    );
    let told = world.run(&["run", "change.yaml", "--repo-path", "repo", "--diff"]).expect(0);
    told.shows(&[" a\r\n", "-b\u{fffd}[31mb\r\n", "+b\u{fffd}[31mc\n"]);
    world.write("repo/change.diff", &world.run(&["runs", "diff", "1"]).expect(0).out);
    git(&world.work().join("repo"), &["apply", "change.diff"]);
    assert_eq!(world.read("repo/words.txt"), "a\r\nb\u{1b}[31mc\n");
}

#[test]
fn a_forge_that_opens_nothing_says_what_would_be_opened() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &format!("{}forge:\n  forge_name: dummy\n  pr_title: A number\n", migration(1)));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["patched"]);
    assert!(told.out.contains("a pull request would be opened: A number"), "{}", told.out);
    assert_eq!(world.github.writes(), 0);
}

#[test]
fn clones_are_kept_where_one_says_or_not_at_all() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &count_to(1));
    world.drive("count.yaml", &refs(&repositories), &["--no-cache"]).expect(0);
    assert!(!world.home().join(".cache").exists());
    world.write("count.yaml", &count_to(2));
    world.drive("count.yaml", &refs(&repositories), &["--cache-folder", "clones"]).expect(0);
    assert!(world.work().join("clones").is_dir() && !world.home().join(".cache").exists());
    // What was prepared is gone: it is made anew.
    std::fs::remove_dir_all(world.work().join("clones")).unwrap();
    world.write("count.yaml", &count_to(3));
    let told = world.drive("count.yaml", &refs(&repositories), &["--cache-folder", "clones"]).expect(0);
    assert_eq!(told.ends(), ["pull_request_updated"]);
}

#[test]
fn the_example_of_the_readme_shows_what_it_would_do_here() {
    let world = World::new();
    let activity = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/security-policy.yaml");
    checkout(&world.work(), &[("a", "x\n")]);
    let activity = activity.display().to_string();
    let told = world.run(&["run", &activity, "--repo-path", ".", "--dry-run", "--diff"]).expect(0);
    told.shows(&[
        "+++ b/SECURITY.md",
        "+Write to security@example.com.",
        "patched, in the clone alone",
        "this cannot be sent: its address",
    ]);
}

/// What one looks for first: how many there are for which reason.
#[test]
fn the_summary_has_the_reasons_of_what_was_passed_by() {
    let world = World::new();
    let mut repositories = world.counters(&["api", "web"]);
    for name in ["old", "older"] {
        world.repository(name, &[("README.md", "x\n")]);
        repositories.push(ssh(name));
    }
    world.write("repos.txt", &repositories.join("\n"));
    world.write("count.yaml", &format!("{}forge:\n  forge_name: dummy\n", migration(1)));
    let told = world.run(&["run", "count.yaml", "--repo-filelist", "repos.txt"]).expect(0);
    told.shows(&[
        "2  a pull request would be opened: Count to 1",
        "2  there is no file counter.txt",
        "     2  50.0 %  does not apply",
    ]);
}

#[test]
fn the_summary_has_each_reason_of_failures_once() {
    let world = World::new();
    world.write("count.yaml", &migration(1));
    let gone: Vec<String> = (0..7).map(|number| ssh(&format!("gone-{number}"))).collect();
    world.write("repos.txt", &gone.join("\n"));
    let told = world.run(&["run", "count.yaml", "--repo-filelist", "repos.txt"]).expect(1);
    let told =
        told.shows(&["\nFailed:\n     7 x clone: ", "         git@github.com:acme/gone-4.git\n         and 2 more"]);
    assert!(!told.out.contains("gone-5"), "{}", told.out);
}

#[test]
fn a_trial_is_over_the_first_repositories_of_a_list_that_comes_by_a_pipe() {
    let world = World::new();
    let repositories = world.counters(&["api", "web", "tool"]);
    world.write("count.yaml", &migration(1));
    let line =
        format!("printf '%s\\n' {} | mass-driver run count.yaml --repo-filelist - --limit 2", repositories.join(" "));
    let told = Told::of(world.shell(&line).output().unwrap()).expect(0);
    told.shows(&["2 repositories:", "2  100.0 %  patched"]);
}

/// A file keeps its rights, a link leads on, and what is no file is written into.
#[cfg(unix)]
#[test]
fn the_json_goes_where_the_name_leads() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &migration(1));
    world.write("there.json", "old");
    let there = world.work().join("there.json");
    std::fs::set_permissions(&there, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("there.json", world.work().join("link.json")).unwrap();
    world.drive("count.yaml", &refs(&repositories), &["--json-outfile", "link.json"]).expect(0);
    assert!(world.read("there.json").contains("\"end\": \"patched\""));
    assert!(world.work().join("link.json").is_symlink());
    assert_eq!(std::fs::metadata(&there).unwrap().permissions().mode() & 0o777, 0o640);
    let line = format!("mass-driver run count.yaml --json-outfile /dev/stdout --repo-path {} | cat", repositories[0]);
    Told::of(world.shell(&line).output().unwrap()).expect(0).shows(&["\"end\": \"patched\"", "1 repository:"]);
    world.write("log", "before\n");
    world.shell(&line.replace("| cat", ">> log 2> /dev/null")).status().unwrap();
    let log = world.read("log");
    assert!(log.starts_with("before\n") && log.contains("\"end\"") && log.contains("1 repository:"), "{log}");
    world.shell(&line.replace("| cat", "> log 2> /dev/null")).status().unwrap();
    let log = world.read("log");
    assert!(log.starts_with("1 repository:") && log.ends_with("}\n") && !log.contains("before"), "{log}");
}

/// Whoever has seen enough of the result still learns by the exit code that something failed.
#[test]
fn a_closed_pipe_changes_no_exit_code_and_loses_no_file() {
    let world = World::new();
    let mut repositories = world.counters(&["api"]);
    repositories.push(ssh("gone"));
    world.write("count.yaml", &migration(1));
    let line = format!(
        "{{ mass-driver run count.yaml --diff --json-outfile out.json --repo-path {} || echo $? > code; }} | true",
        repositories.join(" ")
    );
    world.shell(&line).status().unwrap();
    assert_eq!(world.read("code"), "1\n");
    world.shell(&line.replace("|| echo", "2>&- || echo")).status().unwrap();
    assert_eq!(world.read("code"), "1\n", "nor does a closed standard error");
    assert!(world.read("out.json").contains("+1"));
}
