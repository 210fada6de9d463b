//! Every way in which a repository ends.

use crate::world::{Told, World, count_to, migration, refs, ssh};

#[test]
fn patched_already_patched_does_not_apply_and_error_stand_side_by_side() {
    let world = World::new();
    for (name, path, text) in [
        ("patched", "counter.txt", "0\n"),
        ("already", "counter.txt", "1\n"),
        ("without", "README.md", "# No counter\n"),
        ("wrong", "counter.txt", "many\n"),
    ] {
        world.repository(name, &[(path, text)]);
    }
    world.write("count.yaml", &count_to(1));
    let names = ["patched", "already", "without", "wrong"].map(ssh);
    let told = world.drive("count.yaml", &refs(&names), &[]).expect(1);
    assert_eq!(told.ends(), ["pull_request_opened", "already_patched", "does_not_apply", "failed"]);
    let report = told.json();
    let of = |at: usize, key: &str| report["repositories"][at][key].as_str().unwrap_or_default().to_owned();
    assert_eq!([0, 1, 2, 3].map(|at| of(at, "outcome")), ["patched", "already_patched", "does_not_apply", "error"]);
    assert_eq!(of(1, "reason"), "counter.txt holds 1");
    assert_eq!(of(2, "reason"), "there is no file counter.txt");
    assert_eq!((of(3, "phase").as_str(), of(3, "reason").contains("many")), ("patch", true));
    assert_eq!(["already", "without", "wrong"].map(|name| world.pulls(name).len()), [0; 3]);
    assert_eq!(
        ["already", "without", "wrong"].map(|name| world.github.branches(&format!("acme/{name}")).unwrap().len()),
        [1; 3]
    );
    // Nothing that failed is hidden behind what went well.
    let table = world.run(&["run", "count.yaml", "--repo-path", &ssh("without"), &ssh("already")]).expect(0);
    table.shows(&["     1  50.0 %  already patched", "     1  50.0 %  does not apply"]);
}

#[test]
fn a_repository_without_a_commit_and_an_archived_one_are_told_as_such() {
    let world = World::new();
    world.counters(&["old"]);
    world.github.archive("acme/old").unwrap();
    world.write("count.yaml", &count_to(1));
    let empty = world.work().join("empty");
    std::fs::create_dir(&empty).unwrap();
    crate::world::git(&empty, &["init", "--quiet"]);
    let told = world.drive("count.yaml", &[&ssh("old"), "empty"], &[]).expect(1);
    assert_eq!(told.ends(), ["failed"; 2]);
    let report = told.json();
    let why = |at: usize| report["repositories"][at]["reason"].as_str().unwrap().to_owned();
    assert!(why(0).contains("acme/old is archived on GitHub"), "{}", why(0));
    assert!(why(1).contains("the repository is empty"), "{}", why(1));
    assert_eq!(world.github.branches("acme/old").unwrap().len(), 1);
}

#[test]
fn what_lies_on_no_forge_gets_no_pull_request_and_that_is_a_failure() {
    let world = World::new();
    crate::world::checkout(&world.work().join("local"), &[("counter.txt", "0\n")]);
    world.write("count.yaml", &count_to(1));
    let told = world.drive("count.yaml", &["local"], &[]).expect(1);
    assert_eq!(told.ends(), ["failed"]);
    assert!(told.out.contains("names no repository on GitHub (OWNER/NAME)"), "{}", told.out);
    assert_eq!(world.github.writes(), 0);
}

#[test]
fn commits_carry_the_name_of_the_activity_or_else_that_of_git() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    world.write("count.yaml", &count_to(1));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    let author = &world.commits("api", "count")[0].author;
    assert_eq!((author.name.as_str(), author.email.as_str()), ("Dana", "dana@example.com"));
    let named = "  branch_name: count\n  commit_author_name: Bo\n  commit_author_email: bo@example.com\n";
    world.write("count.yaml", &count_to(2).replace("  branch_name: count\n", named));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    let author = &world.commits("api", "count")[0].author;
    assert_eq!((author.name.as_str(), author.email.as_str()), ("Bo", "bo@example.com"));
    // Without either, nobody is made up.
    world.write("count.yaml", &migration(3));
    let mut command = world.command(&["run", "count.yaml", "--repo-path", &repositories[0]]);
    let settings = world.home().join("nobody");
    std::fs::write(&settings, "").unwrap();
    crate::world::checkout(&world.work().join("local"), &[("counter.txt", "0\n")]);
    command.env("GIT_CONFIG_GLOBAL", settings).arg("local");
    Told::of(command.output().unwrap()).expect(2).notes(&["git config --global user.name"]);
}
