//! The demo, run as a newcomer runs it: the program itself, with `--exit`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

/// The built example. `cargo test` and `cargo nextest run` build it beside the tests; told to build certain tests only,
/// they leave it as it is.
fn demo() -> Command {
    let here = std::env::current_exe().expect("the test knows where it is");
    // target/debug/deps/demo-… and target/debug/examples/demo
    let folder = here.ancestors().nth(2).expect("a test lies in its profile's folder");
    let program: PathBuf = folder.join("examples").join(format!("demo{}", std::env::consts::EXE_SUFFIX));
    let build = "Build it with `cargo build --workspace --example demo` and test again.";
    assert!(program.is_file(), "The demo is not built: there is no {}. {build}", program.display());
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo");
    let written = std::fs::read_dir(source).unwrap().map(|file| changed(&file.unwrap().path())).max();
    assert!(written <= Some(changed(&program)), "{} is older than its source. {build}", program.display());
    Command::new(program)
}

fn changed(path: &Path) -> SystemTime {
    path.metadata().and_then(|file| file.modified()).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn everything_said(output: &Output) -> String {
    format!("{}\n{}", text(&output.stdout), text(&output.stderr))
}

#[test]
fn everything_it_tells_is_true() {
    // No git, no node, no database server can be found, and no folder of a user.
    let output = demo().arg("--exit").env_remove("PATH").env_remove("HOME").output().unwrap();
    let said = everything_said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for promise in [
        "Bump python from 3.12-slim to 3.13-slim",
        "+FROM python:3.13-slim AS base",
        "It took 4 requests to GitHub",
        "made 0 requests to GitHub",
        "waits for Monday 2026-03-09 06:00 UTC (weekly)",
        "At 05:59:59 httpx still waits",
        "4:16 unknown migration `pipy`, did you mean `pypi`?",
        "The page was at http://127.0.0.1:",
    ] {
        let one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains(promise), "{promise:?} is not in\n{said}");
    }
    assert!(!said.contains('✗') && !said.contains('\u{1b}'), "{said}");
}

/// A disk that is full, as `/dev/full` is: nobody has seen the story, so it was not told.
#[cfg(target_os = "linux")]
#[test]
fn a_story_that_cannot_be_written_is_a_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = demo().arg("--exit").stdout(full).output().unwrap();
    let said = everything_said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("demo: the story cannot be written to standard output: "), "{said}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = demo().args(["--exit", "--port", &port]).output().unwrap();
    let said = everything_said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("cannot listen on 127.0.0.1:{port}; choose another port with --port")), "{said}");
}
