//! What is shown before and after: dry runs, diffs, versions, former runs.

use crate::world::{Told, World, count_to, migration, refs, ssh};

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
    assert_eq!(world.github.writes(), 0);
    assert_eq!(world.github.branches("acme/api").unwrap().len(), 1);
    // What a dry run needs no token for, it does without.
    let told = world.command(&arguments).env_remove("FORGE_TOKEN").output().unwrap();
    Told::of(told).expect(0);
    world.the_end();
}

#[test]
fn a_former_run_tells_of_itself_and_its_diffs_again() {
    let world = World::new();
    let mut repositories = world.counters(&["api"]);
    repositories.push(ssh("gone"));
    world.write("count.yaml", &count_to(1));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(1);
    world.run(&["runs"]).expect(0).shows(&["count.yaml", "done"]);
    world.run(&["runs", "show", "1"]).expect(0).shows(&["pull_request_opened", "acme/api/pull/1", "failed"]);
    let failed = world.run(&["runs", "show", "1", "--failed", "--format", "json"]).expect(0);
    assert_eq!(failed.ends(), ["failed"]);
    world.run(&["runs", "diff", "1"]).expect(0).shows(&["# git@github.com:acme/api.git", "-0\n+1\n"]);
    world.run(&["runs", "show", "2"]).expect(1);
    world.run(&["runs", "forget", "1"]).expect(0).shows(&["Run 1 is forgotten."]);
    world.run(&["runs"]).expect(0).shows(&["No run is kept here."]);
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
    world.the_end();
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
    world.the_end();
}
