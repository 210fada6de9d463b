//! What was sent where, and what a later run makes of that: also after a push of which nobody knows how it ended.

use crate::interrupted::held;
use crate::world::{FORGE, World, count_to, migration, ssh};
use github_sim::{Fault, FaultKind, Role};
use std::time::Duration;

fn open(branch: &str) -> String {
    format!("{FORGE}  head_branch: {branch}\n  pr_title: A number\n")
}

fn refused() -> Fault {
    let refusal = FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(5 * 3600) };
    Fault::once("POST", "/repos/acme/api/pulls", refusal)
}

/// The first change went there, the second did not, and then its clone was lost: the first is not taken for it.
#[test]
fn what_was_sent_of_a_former_change_is_not_believed_of_a_later_one() {
    let world = World::new();
    world.counters(&["api"]);
    world.write("open.yaml", &open("count"));
    world.write("count.yaml", &migration(1));
    world.drive("count.yaml", &[&ssh("api")], &[]).expect(0);
    world.github.fault(refused());
    world.drive("open.yaml", &[&ssh("api")], &[]).expect(1);
    world.write("count.yaml", &migration(2));
    world.drive("count.yaml", &[&ssh("api")], &[]).expect(0);
    world.github.set_role("acme/api", "dana", Role::Read).unwrap();
    world.drive("open.yaml", &[], &["--retry-failed"]).expect(1);
    world.github.set_role("acme/api", "dana", Role::Write).unwrap();
    // It was not sent elsewhere either.
    world.write("other.yaml", &open("other"));
    world.drive("other.yaml", &[&ssh("api")], &["--dry-run"]).expect(0);
    std::fs::remove_dir_all(world.home().join(".cache")).unwrap();
    let told = world.drive("open.yaml", &[&ssh("api")], &[]).expect(1);
    assert!(told.out.contains("is not in the cache any more"), "{told:?}");
    assert!(world.pulls("api").is_empty());
}

/// Pushed, and then the process was killed before it could tell.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_sent_is_not_sent_elsewhere() {
    let world = World::new();
    world.counters(&["api"]);
    world.write("count.yaml", &migration(1));
    world.drive("count.yaml", &[&ssh("api")], &[]).expect(0);
    world.write("open.yaml", &open("a"));
    held(&world, &["run", "open.yaml", "--repo-path", &ssh("api")], ("GET", "/repos/acme/api/git/ref/**")).await.kill();
    world.write("other.yaml", &open("b"));
    for more in [&["--dry-run"][..], &[]] {
        let told = world.drive("other.yaml", &[&ssh("api")], more).expect(1);
        assert!(told.out.contains("acme/api has no branch b on GitHub, and no run has left a change here"), "{told:?}");
    }
    world.a_minute_after(2).await;
    assert_eq!(world.drive("open.yaml", &[], &["--resume"]).expect(0).ends(), ["pull_request_opened"]);
    assert_eq!(world.pulls("api").len(), 1);
}

/// The same where the commit is made on a branch of another name, and the run that goes on comes to nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_sent_under_another_name_is_not_sent_elsewhere() {
    let world = World::new();
    world.counters(&["api"]);
    world.write("count.yaml", &format!("{}  head_branch: fix\n", count_to(1)));
    held(&world, &["run", "count.yaml", "--repo-path", &ssh("api")], ("GET", "/repos/acme/api/git/ref/**"))
        .await
        .kill();
    world.a_minute_after(1).await;
    world.github.fault(Fault::once(
        "GET",
        "/repos/acme/api",
        FaultKind::Status { status: 404, message: "Not Found".into() },
    ));
    world.drive("count.yaml", &[], &["--resume"]).expect(1);
    world.write("other.yaml", &open("other"));
    world.drive("other.yaml", &[&ssh("api")], &[]).expect(1);
    assert_eq!(world.drive("count.yaml", &[], &["--retry-failed"]).expect(0).ends(), ["pull_request_opened"]);
    assert_eq!(world.pulls("api").len(), 1);
}

/// git says that it went well, and nothing is there.
#[test]
fn a_push_that_only_says_it_went_well_is_found_out() {
    let world = World::new();
    world.counters(&["api"]);
    world.install("git", r#"PATH=${PATH#*:}; if [ "$1" = push ]; then printf 'To x\nDone\n'; else exec git "$@"; fi"#);
    world.write("count.yaml", &count_to(1));
    let told = world.drive("count.yaml", &[&ssh("api")], &[]).expect(1);
    assert!(told.out.contains("count was pushed to acme/api, but the GitHub that is asked"), "{told:?}");
    assert!(told.out.contains("has no such branch") && world.pulls("api").is_empty(), "{told:?}");
}

/// Another file pushed the same commit there once; since then the branch was deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_was_made_anew_is_of_who_made_it() {
    let world = World::new();
    world.counters(&["api"]);
    world.write("count.yaml", &migration(1));
    world.drive("count.yaml", &[&ssh("api")], &[]).expect(0);
    world.write("former.yaml", &open("count"));
    world.drive("former.yaml", &[&ssh("api")], &[]).expect(0);
    world.github.close("acme/api", 1).unwrap();
    world.github.delete_branch("acme/api", "count").unwrap();
    world.write("open.yaml", &open("count"));
    held(&world, &["run", "open.yaml", "--repo-path", &ssh("api")], ("GET", "/repos/acme/api/git/ref/**")).await.kill();
    world.a_minute_after(3).await;
    assert_eq!(world.drive("open.yaml", &[], &["--resume"]).expect(0).ends(), ["pull_request_opened"]);
    world.write("count.yaml", &migration(2));
    world.drive("count.yaml", &[&ssh("api")], &[]).expect(0);
    assert_eq!(world.drive("open.yaml", &[&ssh("api")], &[]).expect(0).ends(), ["pull_request_updated"]);
    assert_eq!(world.file("api", "count", "counter.txt").unwrap(), "2\n");
}

/// Opened by an attempt that was killed; then people closed it, and made the change by hand.
#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_not_told_of_an_attempt_that_needed_none() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.write("count.yaml", &format!("{}  labels: [chore]\n", count_to(1)));
    let arguments = ["run", "count.yaml", "--repo-path", &repositories[0]];
    let run = held(&world, &arguments, ("POST", "/repos/acme/a/issues/1/labels")).await;
    world.knows_of_pull(1).await;
    run.kill();
    world.github.close("acme/a", 1).unwrap();
    world.commit("a", "main", ("counter.txt", "1\n"), "By hand");
    world.a_minute_after(1).await;
    let told = world.drive("count.yaml", &[], &["--resume"]).expect(0);
    assert_eq!(told.ends(), ["already_patched"]);
    assert_eq!(told.json()["repositories"][0]["pull_request"], serde_json::Value::Null);
}

/// What a run would refuse, its dry run refuses; and it says the same.
#[test]
fn a_dry_run_promises_nothing_that_the_run_refuses() {
    let world = World::new();
    let repositories = world.counters(&["taken", "other", "gone"]);
    world.commit("taken", "count", ("counter.txt", "5\n"), "By hand");
    world.write("count.yaml", &count_to(1));
    world.drive("count.yaml", &[&repositories[1]], &[]).expect(0);
    world.write("again.yaml", &count_to(2));
    world.write("main.yaml", &count_to(1).replace("branch_name: count", "branch_name: main"));
    world.write("base.yaml", &format!("{}  base_branch: nowhere\n", count_to(1)));
    world.write("open.yaml", &open("missing"));
    world.commit("taken", "deps", ("other.txt", "x\n"), "By hand");
    world.write("clash.yaml", &count_to(1).replace("branch_name: count", "branch_name: deps/bump"));
    for (activity, repository, why) in [
        ("clash.yaml", &repositories[0], "its branch `deps` is in the way of `deps/bump`"),
        ("count.yaml", &repositories[0], "the branch count is there already"),
        ("again.yaml", &repositories[1], "which run 1 of "),
        ("main.yaml", &repositories[0], "`head_branch` and the branch it goes to are both main"),
        ("base.yaml", &repositories[0], "no branch nowhere"),
        ("open.yaml", &repositories[2], "acme/gone has no branch missing on GitHub"),
    ] {
        for more in [&["--dry-run"][..], &[]] {
            let told = world.drive(activity, &[repository], more).expect(1);
            let reason = told.json()["repositories"][0]["reason"].as_str().unwrap().to_owned();
            assert!(reason.contains(why), "{activity} {more:?}: {reason}");
        }
    }
    // Its own branch it may move.
    world.write("count.yaml", &count_to(2));
    world.drive("count.yaml", &[&repositories[1]], &["--dry-run"]).expect(0);
}

/// The default branch has what is not to go there yet.
#[test]
fn a_change_begins_from_the_branch_that_it_goes_to() {
    let world = World::new();
    world.counters(&["api"]);
    world.commit("api", "dev", ("other.txt", "not released\n"), "Not released");
    world.github.set_default_branch("acme/api", "dev").unwrap();
    world.write("count.yaml", &format!("{}  base_branch: main\n", count_to(1)));
    let told = world.drive("count.yaml", &[&ssh("api")], &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_opened"]);
    assert_eq!(told.json()["repositories"][0]["base_branch"], "main");
    assert_eq!(world.pulls("api")[0].files, ["counter.txt"]);
    // The default branch is not ours to move, wherever the pull request goes.
    world.write("dev.yaml", &format!("{}  base_branch: main\n", count_to(1).replace(": count\n", ": dev\n")));
    let told = world.drive("dev.yaml", &[&ssh("api")], &[]).expect(1);
    assert!(told.out.contains("name another `head_branch`") && !told.out.contains("Delete it"), "{told:?}");
}

/// Others work in the same clone meanwhile, on other branches.
#[test]
fn a_change_that_was_made_before_goes_to_the_branch_that_it_was_made_on() {
    let world = World::new();
    world.counters(&["api"]);
    world.commit("api", "dev", ("other.txt", "not released\n"), "Not released");
    world.write("count.yaml", &migration(1));
    let made = world.drive("count.yaml", &[&ssh("api")], &[]).expect(0).json();
    world.write("repos.csv", &format!("clone_url,upstream_branch\n{},dev\n", ssh("api")));
    let source = "source:\n  source_name: csv-filelist\n  source_config: { csv_file: repos.csv }\n";
    world.write("scan.yaml", &format!("{source}scan:\n  scanner_names: [root-files]\n"));
    world.run(&["scan", "scan.yaml"]).expect(0);
    world.write("open.yaml", &open("count"));
    for more in [&["--dry-run"][..], &[]] {
        let told = world.drive("open.yaml", &[&ssh("api")], more).expect(0).json();
        for key in ["base_branch", "base_commit"] {
            assert_eq!(told["repositories"][0][key], made["repositories"][0][key], "{key} {more:?}");
        }
    }
    assert_eq!((world.pulls("api")[0].base.as_str(), world.pulls("api")[0].files.len()), ("main", 1));
    // Where the clone is gone, what is on GitHub still goes there.
    world.github.set_default_branch("acme/api", "dev").unwrap();
    let told = world.drive("open.yaml", &[&ssh("api")], &["--no-cache"]).expect(0);
    assert_eq!(told.ends(), ["pull_request_unchanged"]);
}
