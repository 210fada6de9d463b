//! Commands in their sandbox, as a person meets it: what is left of them, and what is said of the sandbox.
#![cfg(target_os = "linux")]

use crate::world::{Told, World, migration, refs, shell, ssh};
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

fn entries(folder: PathBuf) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_run_removes_what_a_killed_one_left() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    let (work, temporary) = (world.home().join(".cache/mass-driver/work"), world.home().join("tmp"));
    std::fs::create_dir(&temporary).unwrap();
    // What a command starts in its turn would outlive the one who is killed.
    world.write("shell.yaml", &shell("touch begun && exec sleep 1000", ""));
    let mut command = world.command(&["run", "shell.yaml", "--repo-path", &repositories[0]]);
    command.env("TMPDIR", &temporary).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let has_begun = || {
        entries(work.clone()).iter().flat_map(|run| entries(run.clone())).any(|room| room.join("tree/begun").exists())
    };
    while !has_begun() {
        tokio::task::yield_now().await;
    }
    world.write("shell.yaml", &shell("echo 9 > counter.txt", ""));
    world.drive("shell.yaml", &refs(&repositories), &[]).expect(0);
    assert!(has_begun(), "it is somebody's who lives");
    child.kill().unwrap();
    child.wait().unwrap();

    world.drive("shell.yaml", &refs(&repositories), &[]).expect(0);
    let [left] = entries(work.clone()).try_into().unwrap();
    let [lock] = entries(left).into_iter().filter(|file| file.is_file()).collect::<Vec<_>>().try_into().unwrap();
    // An hour passes.
    let hour_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(3600);
    File::options().append(true).open(lock).unwrap().set_modified(hour_ago).unwrap();
    // It is removed aside, which the end of a run may interrupt.
    for _ in 0..20 {
        world.drive("shell.yaml", &refs(&repositories), &[]).expect(0);
        if entries(work.clone()).is_empty() {
            break;
        }
    }
    assert_eq!(entries(work), [] as [PathBuf; 0]);
    assert_eq!(entries(temporary), [] as [PathBuf; 0]);
}

/// What a cache of modules does: a folder with something in it that nobody may write into.
const SEALED: &str = "mkdir $HOME/mod && touch $HOME/mod/a && chmod 0555 $HOME/mod";

/// The command, by somebody whom the modes of folders hold: they do not hold root.
fn held_by_modes(world: &World, arguments: &str) -> Command {
    let is_root = std::fs::metadata(world.work()).unwrap().uid() == 0;
    let less = if is_root { "setpriv --bounding-set=-dac_override " } else { "" };
    world.shell(&format!("exec {less}mass-driver {arguments}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_sealed_is_gone_before_the_next_repository_is_worked_on() {
    let world = World::new();
    let repositories = world.counters(&["first", "second"]);
    let second = "case $MASS_DRIVER_REPOSITORY in *second*) touch begun && exec sleep 1000;; esac";
    world.write("shell.yaml", &shell(&format!("{SEALED} && echo 9 > counter.txt; {second}"), ""));
    let arguments = format!("run shell.yaml --parallel 1 --repo-path {}", repositories.join(" "));
    let mut command = held_by_modes(&world, &arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let work = world.home().join(".cache/mass-driver/work");
    let rooms = || -> Vec<PathBuf> {
        let all = entries(work.clone()).into_iter().flat_map(entries);
        all.filter(|room| room.is_dir()).collect()
    };
    while !rooms().iter().any(|room| room.join("tree/begun").exists()) {
        assert_eq!(child.try_wait().unwrap(), None);
        tokio::task::yield_now().await;
    }
    let left = rooms();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn what_a_source_of_somebody_sealed_is_gone_with_the_run() {
    let world = World::new();
    world.counters(&["api"]);
    let temporary = world.home().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let found = format!(r#"{{"version": 1, "repositories": [{{"id": "api", "clone_url": "{}"}}]}}"#, ssh("api"));
    world.install("mass-driver-source-ours", &format!("cat > /dev/null; {SEALED} && echo '{found}'"));
    world.write("count.yaml", &format!("source:\n  source_name: ours\n{}", migration(1)));
    let told = held_by_modes(&world, "run count.yaml --diff").env("TMPDIR", &temporary).output().unwrap();
    Told::of(told).expect(0).shows(&["# api"]);
    assert_eq!(entries(temporary), [] as [PathBuf; 0]);
}

#[test]
fn without_a_cache_nothing_is_kept_anywhere() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    let temporary = world.home().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    world.write("shell.yaml", &shell("echo 9 > counter.txt; pwd >&2; exit 3", ""));
    let mut command = world.command(&["run", "shell.yaml", "--no-cache", "--repo-path", &repositories[0]]);
    let output = command.env("TMPDIR", &temporary).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(&format!("{}/mass-driver-", temporary.display())), "{told}");
    assert_eq!(entries(temporary), [] as [PathBuf; 0]);
    assert!(!world.home().join(".cache").exists());
}

#[test]
fn a_failure_that_may_be_the_sandboxs_says_so() {
    let world = World::new();
    let repositories = world.counters(&["api"]);
    let hint = "It ran in a sandbox, which may be why: `allow` of the Activity grants more (docs/plug-ins.md, \"The sandbox\")";
    let why = |text: &str| {
        world.write("sandboxed.yaml", text);
        let told = world.drive("sandboxed.yaml", &refs(&repositories), &[]).expect(1);
        told.json()["repositories"][0]["reason"].as_str().unwrap().to_owned()
    };
    let secret = world.home().join("gitconfig");
    let reads = format!("cat '{}'", secret.display());
    for (command, said) in [
        (reads.as_str(), "Permission denied"),
        ("git -c user.useConfigOnly=true commit --quiet --allow-empty --message=mine", "lease tell me who you are"),
        ("python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 9), 5)'", "Permission"),
    ] {
        let why = why(&shell(command, ""));
        assert!(why.starts_with("the command ended with exit code ") && why.contains(said), "{why}");
        assert!(why.ends_with(&format!(". {hint}")), "{why}");
    }
    let answer = r#"{\"version\": 1, \"outcome\": \"error\", \"details\": \"$(cat why)\"}"#;
    world.install("mass-driver-driver-curious", &format!("cat > /dev/null; {reads} 2> why || echo \"{answer}\""));
    let plug_in = "migration:\n  commit_message: x\n  branch_name: x\n  driver_name: curious\n";
    let by_plug_in = why(plug_in);
    assert!(by_plug_in.contains("Permission denied") && by_plug_in.ends_with(hint), "{by_plug_in}");
    let everything = "  allow:\n    everything: true\n";
    let free = why(&shell("echo 'Permission denied' >&2; exit 3", everything));
    assert_eq!(free, "the command ended with exit code 3: Permission denied");
    let its_own = why(&shell("echo 'three tests failed' >&2; exit 3", ""));
    assert_eq!(its_own, "the command ended with exit code 3: three tests failed");
}
