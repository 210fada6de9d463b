//! Runs that do not come to their end at once: killed, failed in part, told to wait.

use crate::world::{Told, World, count_to, migration, refs, ssh};
use github_sim::{Fault, FaultKind, Gate, RetryAfter};
use std::process::{Child, Stdio};
use std::time::Duration;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Kills a run over five repositories when it is about to open its third pull request.
async fn killed(world: &World) {
    let repositories = world.counters(&NAMES);
    world.write("repos.txt", &repositories.join("\n"));
    world.write("count.yaml", &count_to(1));
    let arguments = ["run", "count.yaml", "--parallel", "1", "--repo-filelist", "repos.txt"];
    held(world, &arguments, ("POST", "/repos/acme/c/pulls")).await.kill();
}

/// A run that stands at a request to GitHub.
pub struct Held {
    run: Child,
    gate: Gate,
}

pub async fn held(world: &World, arguments: &[&str], (method, path): (&str, &str)) -> Held {
    let gate = Gate::default();
    world.github.fault(Fault::once(method, path, FaultKind::Wait(gate.clone())));
    let run = world.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    gate.reached_by(1).await;
    Held { run, gate }
}

impl Held {
    /// Whether the request is done nobody will ever tell it.
    pub fn kill(mut self) {
        self.run.kill().unwrap();
        assert_eq!(self.run.wait().unwrap().code(), None, "it was killed");
        self.gate.open();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_in_the_middle_is_resumed_and_nothing_is_done_twice() {
    let world = World::new();
    killed(&world).await;
    let opened = || NAMES.map(|name| world.pulls(name).len());
    world.run(&["runs", "--format", "json"]).expect(0).shows(&["\"under way\""]);
    // For all that is known, somebody is still at it.
    world.drive("count.yaml", &[], &["--resume"]).expect(2).notes(&["run 1 is under way", "takes the run up in"]);
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
    let told = world.drive("count.yaml", &[], &["--resume"]).expect(0).notes(&["nothing was left to do of run 1"]);
    assert_eq!(told.ends(), ends, "what is done is told again");
    assert_eq!(world.github.writes(), writes);
}

/// Ctrl-Z for longer than a minute, a run that is resumed elsewhere, and then `fg`.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_another_process_took_up_goes_on_there_alone() {
    let world = World::new();
    let repositories = world.counters(&NAMES);
    world.write("repos.txt", &repositories.join("\n"));
    world.write("count.yaml", &count_to(1));
    let gate = Gate::default();
    world.github.fault(Fault::once("POST", "/repos/acme/b/pulls", FaultKind::Wait(gate.clone())));
    let arguments = ["run", "count.yaml", "--parallel", "1", "--repo-filelist", "repos.txt", "--format", "json"];
    let first = world.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    gate.reached_by(1).await;
    world.a_minute_after(1).await;
    assert_eq!(world.drive("count.yaml", &[], &["--resume"]).expect(0).ends(), ["pull_request_opened"; 5]);
    let ended = world.run(&["runs", "show", "1", "--format", "json"]).expect(0).out;
    let asked = || world.github.exchanges().iter().filter(|one| one.path.contains("/acme/c")).count();
    let before = asked();
    gate.open();
    let told = Told::of(first.wait_with_output().unwrap()).expect(1);
    told.notes(&["mass-driver: run 1 was taken up by another process: it goes on there"]);
    assert_eq!(world.run(&["runs", "show", "1", "--format", "json"]).expect(0).out, ended);
    assert_eq!(asked(), before, "nothing was begun but what was under way");
    assert_eq!(NAMES.map(|name| world.pulls(name).len()), [1; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_activity_or_another_way_is_not_resumed() {
    let world = World::new();
    killed(&world).await;
    world.a_minute_after(1).await;
    world.drive("count.yaml", &[], &["--resume", "--dry-run"]).expect(2).notes(&["there is no dry run"]);
    world.write("count.yaml", &count_to(2));
    world.drive("count.yaml", &[], &["--resume"]).expect(2).notes(&["was changed since run 1", "or begin a new run"]);
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
}

/// What was to be done again and was not come to is still to be done.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_was_killed_is_resumed() {
    let world = World::new();
    let repositories = world.counters(&["a", "b"]);
    world.write("count.yaml", &count_to(1));
    let refused = || FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(5 * 3600) };
    world.github.fault(Fault::once("POST", "/repos/acme/*/pulls", refused()).times(2));
    assert_eq!(world.drive("count.yaml", &refs(&repositories), &[]).expect(1).ends(), ["failed"; 2]);
    world.github.clear_faults();
    held(&world, &["run", "count.yaml", "--retry-failed", "--parallel", "1"], ("POST", "/repos/acme/*/pulls"))
        .await
        .kill();
    world.a_minute_after(1).await;
    world.drive("count.yaml", &[], &["--resume"]).expect(0);
    assert_eq!(["a", "b"].map(|name| world.pulls(name).len()), [1, 1]);
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
    interrupt(&child);
    let mut notes = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut said = heard(&mut notes, "stopping");
    gate.open();
    let told = Told::of(child.wait_with_output().unwrap()).expect(1);
    std::io::Read::read_to_string(&mut notes, &mut said).unwrap();
    let mut expected = vec!["pull_request_opened"; 5];
    expected[2..].fill("not_done");
    assert_eq!(told.ends(), expected);
    assert!(said.contains("`mass-driver run count.yaml --resume` goes on"), "{said}");
    assert_eq!(world.drive("count.yaml", &[], &["--resume"]).expect(0).ends(), ["pull_request_opened"; 5]);
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
}

/// Ctrl-C at a scan: it is told as what it is, and counts as no run that could be gone on with.
#[test]
fn a_scan_that_is_stopped_is_told_as_interrupted() {
    let world = World::new();
    let repositories = world.counters(&["a", "b"]);
    world.write("repos.txt", &repositories.join("\n"));
    world.write("scan.yaml", "scan:\n  scanner_names: [root-files]\n");
    // The first clone waits until somebody has opened this and closed it again.
    let held = world.work().join("held");
    assert!(std::process::Command::new("mkfifo").arg(&held).status().unwrap().success());
    let wait = format!("case \"$*\" in *clone*) cat {0}; mv {0} {0}.once;; esac", held.display());
    world.install("git", &format!("[ ! -e {} ] || {{ {wait}; }}\nPATH=${{PATH#*:}} exec git \"$@\"", held.display()));
    let arguments = ["scan", "scan.yaml", "--parallel", "1", "--repo-filelist", "repos.txt"];
    let mut child = world.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let holds = std::fs::File::options().write(true).open(&held).unwrap();
    interrupt(&child);
    let mut notes = std::io::BufReader::new(child.stderr.take().unwrap());
    heard(&mut notes, "stopping");
    drop(holds);
    Told::of(child.wait_with_output().unwrap()).expect(1).shows(&["root-files"]);
    world.run(&["runs"]).expect(0).shows(&["scan", "interrupted"]);
    world.drive("scan.yaml", &[], &["--resume"]).expect(2).notes(&["there is no run"]);
}

/// What ends a job is a stop as well: what is under way comes to its end, and the next run goes on at once.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_is_stopped_and_can_be_resumed_at_once() {
    // Whoever began the tests may want them to outlive the terminal; then so do the runs.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let hangs_up = ignored.is_some_and(|ignored| ignored & 1 == 0);
    for signal in ["-TERM", "-HUP"].into_iter().filter(|signal| *signal == "-TERM" || hangs_up) {
        let world = World::new();
        let repositories = world.counters(&["a", "b"]);
        world.write("repos.txt", &repositories.join("\n"));
        world.write("count.yaml", &count_to(1));
        let gate = Gate::default();
        world.github.fault(Fault::once("POST", "/repos/acme/a/pulls", FaultKind::Wait(gate.clone())));
        let arguments = ["run", "count.yaml", "--parallel", "1", "--repo-filelist", "repos.txt"];
        let mut child = world.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        gate.reached_by(1).await;
        let pid = child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
        heard(&mut std::io::BufReader::new(child.stderr.as_mut().unwrap()), "stopping");
        gate.open();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{signal}");
        assert_eq!(world.drive("count.yaml", &[], &["--resume"]).expect(0).ends(), ["pull_request_opened"; 2]);
    }
}

/// The git of a run that was killed lives on for a while. Nobody works in its folder meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_a_git_that_outlived_its_run_is_not_taken() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.write("count.yaml", &migration(1));
    let (held, once) = (world.work().join("held"), world.work().join("once"));
    assert!(std::process::Command::new("mkfifo").arg(&held).status().unwrap().success());
    let wait =
        format!("case \"$*\" in *clone*) mkdir {} 2> /dev/null && cat {};; esac", once.display(), held.display());
    world.install("git", &format!("{wait}\nPATH=${{PATH#*:}} exec git \"$@\""));
    let mut child = world.command(&["run", "count.yaml", "--repo-path", &repositories[0]]).spawn().unwrap();
    let holds = std::fs::File::options().write(true).open(&held).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0).json();
    assert!(told["repositories"][0]["clone"].as_str().unwrap().ends_with(".2"), "{told}");
    drop(holds);
}

/// Without the other side nothing takes a clone's place: what was made in it may still be wanted.
#[test]
fn a_moment_without_network_costs_no_clone() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.write("count.yaml", &migration(1));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    let settings = world.home().join("gitconfig");
    let reachable = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, reachable.replace(&format!("\"{}/\"", world.github.url()), "\"http://127.0.0.1:9/\""))
        .unwrap();
    world.write("scan.yaml", "scan:\n  scanner_names: [root-files]\n");
    world.run(&["scan", "scan.yaml", "--repo-path", &repositories[0]]).expect(1);
    std::fs::write(&settings, reachable).unwrap();
    world.write("open.yaml", &format!("{}  head_branch: count\n  pr_title: A number\n", crate::world::FORGE));
    assert_eq!(world.drive("open.yaml", &refs(&repositories), &[]).expect(0).ends(), ["pull_request_opened"]);
}

/// Nothing is begun that lacks what it needs, and nothing says that it is under way.
#[test]
fn what_cannot_begin_leaves_no_run_behind() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.write("count.yaml", &count_to(1));
    let arguments = ["run", "count.yaml", "--repo-path", &repositories[0]];
    let told = Told::of(world.command(&arguments).env_remove("FORGE_TOKEN").output().unwrap()).expect(2);
    told.notes(&["there is no token"]);
    let outfile = ["--json-outfile", "nowhere/out.json"];
    world.drive("count.yaml", &refs(&repositories), &outfile).expect(2).notes(&["there is no folder nowhere"]);
    let told = world.drive("count.yaml", &refs(&repositories), &["--json-outfile", "."]).expect(2);
    told.notes(&[". is a folder; name another file with --json-outfile"]);
    for zero in ["--limit", "--parallel"] {
        world.drive("count.yaml", &refs(&repositories), &[zero, "0"]).expect(2).notes(&["it must be 1 or more"]);
    }
    world.run(&["runs", "--limit", "0"]).expect(2).notes(&["it must be 1 or more"]);
    world.write(
        "index.yaml",
        &format!(
            "source:\n  source_name: index\n  source_config: {{ ecosystem: pypi, package: httpx }}\n{}",
            count_to(1)
        ),
    );
    let told = world.drive("index.yaml", &[], &["--database-url", "sqlite://typo.db"]).expect(2);
    told.notes(&["there is no database at `typo.db`"]);
    assert!(!world.work().join("typo.db").exists());
    world.run(&["runs"]).expect(0).shows(&["No run is kept here."]);
    world.drive("count.yaml", &refs(&repositories), &["--resume"]).expect(2).notes(&["--resume", "--repo-path"]);
    world.write("file/is", "no folder");
    let state = world.work().join("file/is");
    let told = world.command(&arguments).env("XDG_STATE_HOME", &state).output().unwrap();
    Told::of(told).expect(2).notes(&["for runs cannot be made: ", "; set XDG_STATE_HOME", "--database-url"]);
}

/// Pushed, and then the process was killed before it could tell; meanwhile the base went on.
#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_was_pushed_by_a_killed_run_is_known_as_its_own() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.write("count.yaml", &count_to(1));
    held(&world, &["run", "count.yaml", "--repo-path", &repositories[0]], ("GET", "/repos/acme/a/git/ref/**"))
        .await
        .kill();
    world.a_minute_after(1).await;
    world.commit("a", "main", ("other.txt", "meanwhile\n"), "Meanwhile");
    assert_eq!(world.drive("count.yaml", &[], &["--resume"]).expect(0).ends(), ["pull_request_opened"]);
    assert_eq!((world.commits("a", "count").len(), world.pulls("a").len()), (1, 1));
}

/// Opened, and then the process was killed: labels and reviewers come with the next run, and only with that one.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_did_not_come_to_put_on_its_pull_request_is_put_there_later() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.write("count.yaml", &format!("{}  labels: [chore]\n", count_to(1)));
    held(&world, &["run", "count.yaml", "--repo-path", &repositories[0]], ("POST", "/repos/acme/a/issues/1/labels"))
        .await
        .kill();
    world.a_minute_after(1).await;
    world.drive("count.yaml", &[], &["--resume"]).expect(0);
    assert_eq!(world.pulls("a")[0].labels, ["chore"]);
    world.github.unlabel("acme/a", 1, "chore").unwrap();
    world.write("count.yaml", &format!("{}  labels: [chore]\n", count_to(2)));
    let told = world.drive("count.yaml", &refs(&repositories), &[]).expect(0);
    assert_eq!(told.ends(), ["pull_request_updated"]);
    assert!(world.pulls("a")[0].labels.is_empty(), "what people took away stays away");
}

/// The same where the branch was there, and no push tells that it is ours.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_opened_for_a_branch_of_others_gets_its_labels_later() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.commit("a", "by-hand", ("counter.txt", "5\n"), "By hand");
    let keys = "  head_branch: by-hand\n  pr_title: A number\n  git_push_first: false\n  labels: [chore]\n";
    world.write("open.yaml", &format!("{}{keys}", crate::world::FORGE));
    let arguments = ["run", "open.yaml", "--repo-path", &repositories[0]];
    let run = held(&world, &arguments, ("POST", "/repos/acme/a/issues/1/labels")).await;
    world.knows_of_pull(1).await;
    run.kill();
    world.a_minute_after(1).await;
    assert_eq!(world.drive("open.yaml", &[], &["--resume"]).expect(0).ends(), ["pull_request_opened"]);
    assert_eq!(world.pulls("a")[0].labels, ["chore"]);
}

/// The first attempt pushed; then somebody made the change by hand.
#[test]
fn what_a_former_attempt_made_is_not_told_of_a_later_one() {
    let world = World::new();
    let repositories = world.counters(&["a"]);
    world.write("count.yaml", &count_to(1));
    let refused = FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(5 * 3600) };
    world.github.fault(Fault::once("POST", "/repos/acme/a/pulls", refused));
    world.drive("count.yaml", &refs(&repositories), &[]).expect(1);
    world.run(&["runs", "diff", "1"]).expect(0).shows(&["+1"]);
    world.commit("a", "main", ("counter.txt", "1\n"), "By hand");
    let told = world.drive("count.yaml", &[], &["--retry-failed"]).expect(0);
    assert_eq!(told.ends(), ["already_patched"]);
    assert_eq!(told.json()["repositories"][0]["commit"], serde_json::Value::Null);
    assert_eq!(world.run(&["runs", "diff", "1"]).expect(0).out, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_under_way_is_not_forgotten() {
    let world = World::new();
    killed(&world).await;
    world.run(&["runs", "forget", "1"]).expect(2).notes(&["under way"]);
    world.a_minute_after(1).await;
    world.run(&["runs", "forget", "1"]).expect(0);
}

fn interrupt(child: &std::process::Child) {
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
}

/// Reads until some words come. Returns all that came.
fn heard(notes: &mut impl std::io::BufRead, words: &str) -> String {
    let mut said = String::new();
    while !said.contains(words) {
        assert!(notes.read_line(&mut said).unwrap() > 0, "{said}");
    }
    said
}
