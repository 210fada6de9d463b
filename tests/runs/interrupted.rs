//! Runs that do not come to their end at once: killed, failed in part, told to wait.

use crate::world::{Told, World, count_to, migration, refs, ssh};
use github_sim::{Fault, FaultKind, Gate, RetryAfter};
use std::process::Stdio;
use std::time::Duration;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Kills a run over five repositories when it is about to open its third pull request.
async fn killed(world: &World) {
    let repositories = world.counters(&NAMES);
    world.write("repos.txt", &repositories.join("\n"));
    world.write("count.yaml", &count_to(1));
    let gate = Gate::default();
    world.github.fault(Fault::once("POST", "/repos/acme/c/pulls", FaultKind::Wait(gate.clone())));
    let mut command = world.command(&["run", "count.yaml", "--parallel", "1", "--repo-filelist", "repos.txt"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    gate.reached_by(1).await;
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it was killed");
    gate.open();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_in_the_middle_is_resumed_and_nothing_is_done_twice() {
    let world = World::new();
    killed(&world).await;
    let opened = || NAMES.map(|name| world.pulls(name).len());
    world.run(&["runs", "--format", "json"]).expect(0).shows(&["\"under way\""]);
    // For all that is known, somebody is still at it.
    world.drive("count.yaml", &[], &["--resume"]).expect(2).notes(&["or was a minute ago", "run 1"]);
    world.a_minute_after(1).await;
    world.run(&["runs"]).expect(0).shows(&["interrupted"]);
    let told = world.drive("count.yaml", &[], &["--resume"]).expect(0);
    let ends = told.ends();
    assert_eq!(
        (&ends[..2], &ends[3..]),
        (&["pull_request_opened".to_owned(), ends[0].clone()][..], &[ends[0].clone(), ends[0].clone()][..])
    );
    assert!(ends[2].starts_with("pull_request_"), "whether the killed request arrived, nobody knows: {ends:?}");
    assert_eq!(opened(), [1; 5]);
    assert_eq!(NAMES.map(|name| world.commits(name, "count").len()), [1; 5]);
    let writes = world.github.writes();
    assert_eq!(world.drive("count.yaml", &[], &["--resume"]).expect(0).ends(), ends, "what is done is told again");
    assert_eq!(world.github.writes(), writes);
    world.the_end();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_activity_or_another_way_is_not_resumed() {
    let world = World::new();
    killed(&world).await;
    world.a_minute_after(1).await;
    world.drive("count.yaml", &[], &["--resume", "--dry-run"]).expect(2).notes(&["--dry-run"]);
    world.write("count.yaml", &count_to(2));
    world.drive("count.yaml", &[], &["--resume"]).expect(2).notes(&["another one than in run 1"]);
    world.write("other.yaml", &count_to(2));
    world.drive("other.yaml", &[], &["--resume"]).expect(2).notes(&["no run"]);
}

#[test]
fn what_failed_is_done_again_and_nothing_else() {
    let world = World::new();
    let mut repositories = world.counters(&["a", "b"]);
    repositories.insert(1, ssh("late"));
    world.write("count.yaml", &count_to(1));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(1);
    assert_eq!(told.ends(), ["pull_request_opened", "failed", "pull_request_opened"]);
    world.counters(&["late"]);
    world.github.close("acme/a", 1).unwrap();
    let told = world.drive("count.yaml", &[], &["--retry-failed"]).expect(0);
    assert_eq!((told.ends(), &told.json()["run"]), (vec!["pull_request_opened".to_owned(); 3], &1.into()));
    assert_eq!((world.pulls("late").len(), world.pulls("a").len()), (1, 1), "what is done stays as it is");
    let writes = world.github.writes();
    assert_eq!(world.drive("count.yaml", &[], &["--retry-failed"]).expect(0).ends(), ["pull_request_opened"; 3]);
    assert_eq!(world.github.writes(), writes);
    world.the_end();
}

#[test]
fn githubs_limits_are_waited_for_and_the_run_goes_on() {
    for (status, header) in [(403, true), (429, true), (403, false)] {
        let world = World::new();
        let repositories = world.counters(&["a", "b"]);
        world.write("count.yaml", &count_to(1));
        let kind = if header {
            FaultKind::SecondaryRateLimit { status, retry_after: RetryAfter::Seconds(1) }
        } else {
            FaultKind::PrimaryRateLimit { status, reset_in: Duration::from_secs(1) }
        };
        world.github.fault(Fault::once("POST", "/repos/acme/*/pulls", kind));
        let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
        assert_eq!(told.ends(), ["pull_request_opened"; 2], "{told:?}");
        assert_eq!(world.github.clear_faults(), 0, "the limit was met");
        assert_eq!(["a", "b"].map(|name| world.pulls(name).len()), [1, 1]);
        world.the_end();
    }
}

#[test]
fn a_limit_that_lasts_for_hours_is_told_and_retried_later() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.write("count.yaml", &count_to(1));
    let kind = FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(5 * 3600) };
    world.github.fault(Fault::once("POST", "/repos/acme/a/pulls", kind));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(1);
    assert_eq!(told.ends(), ["failed"]);
    assert!(world.pulls("a").is_empty());
    assert_eq!(world.drive("count.yaml", &[], &["--retry-failed"]).expect(0).ends(), ["pull_request_opened"]);
    world.the_end();
}

#[test]
fn an_answer_that_was_lost_makes_no_second_pull_request() {
    for kind in [FaultKind::BadGatewayAfter, FaultKind::DropAfter, FaultKind::BadGateway, FaultKind::CutBody] {
        let world = World::new();
        let repositories = world.counters(&["a"]);
        world.write("count.yaml", &count_to(1));
        world.github.fault(Fault::once("POST", "/repos/acme/a/pulls", kind.clone()));
        let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
        assert!(told.ends()[0].starts_with("pull_request_"), "{kind:?} {told:?}");
        assert_eq!(world.pulls("a").len(), 1, "{kind:?}");
        world.the_end();
    }
}

/// Ctrl-C: what is under way is finished, the rest is left for later.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_finishes_what_is_under_way_and_says_how_to_go_on() {
    let world = World::new();
    let repositories = world.counters(&NAMES);
    world.write("repos.txt", &repositories.join("\n"));
    world.write("count.yaml", &count_to(1));
    let gate = Gate::default();
    world.github.fault(Fault::once("POST", "/repos/acme/b/pulls", FaultKind::Wait(gate.clone())));
    let arguments = ["run", "count.yaml", "--parallel", "1", "--repo-filelist", "repos.txt", "--format", "json"];
    let mut child = world.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    gate.reached_by(1).await;
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let mut notes = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("stopping") {
        assert!(std::io::BufRead::read_line(&mut notes, &mut said).unwrap() > 0, "{said}");
    }
    gate.open();
    let told = Told::of(child.wait_with_output().unwrap()).expect(1);
    std::io::Read::read_to_string(&mut notes, &mut said).unwrap();
    let mut expected = vec!["pull_request_opened"; 5];
    expected[2..].fill("not_done");
    assert_eq!(told.ends(), expected);
    assert!(said.contains("`mass-driver run count.yaml --resume` goes on"), "{said}");
    assert_eq!(world.drive("count.yaml", &[], &["--resume"]).expect(0).ends(), ["pull_request_opened"; 5]);
    world.the_end();
}

#[test]
fn a_migration_without_a_forge_is_resumed_from_its_clones() {
    let world = World::new();
    let mut repositories = world.counters(&["a"]);
    repositories.push(ssh("late"));
    world.write("count.yaml", &migration(1));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(1);
    world.counters(&["late"]);
    assert_eq!(world.drive("count.yaml", &[], &["--retry-failed"]).expect(0).ends(), ["patched"; 2]);
    assert_eq!(world.github.writes(), 0);
}

#[test]
fn two_runs_at_once_do_not_meet_in_a_clone() {
    let world = World::new();
    let repositories = world.counters(&NAMES);
    world.write("repos.txt", &repositories.join("\n"));
    let start = |count: i64| {
        let name = format!("count-{count}.yaml");
        world.write(&name, &count_to(count).replace("branch_name: count", &format!("branch_name: count-{count}")));
        let arguments = ["run", &name, "--repo-filelist", "repos.txt", "--format", "json"];
        world.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [start(1), start(2)];
    for child in both {
        assert_eq!(Told::of(child.wait_with_output().unwrap()).expect(0).ends(), ["pull_request_opened"; 5]);
    }
    for name in NAMES {
        let texts = ["count-1", "count-2"].map(|branch| world.file(name, branch, "counter.txt").unwrap());
        assert_eq!((texts, world.pulls(name).len()), (["1\n".to_owned(), "2\n".into()], 2), "{name}");
    }
    world.the_end();
}
