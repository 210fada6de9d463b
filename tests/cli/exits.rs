//! The exit code of every command: 0 done, 1 done and something failed or was found wanting, 2 not begun.

use crate::executable::{FILE, GOOD, at, command, folder, run, told};
use crate::stored::seeded;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;

/// A folder in which each command has something to do.
async fn busy() -> tempfile::TempDir {
    let root = folder(&[(FILE, GOOD), ("requirements.txt", "httpx==0.27.0\n")]);
    seeded(root.path(), at("2026-03-05T12:00:00Z")).await;
    for (path, text) in [("broken", "subscriptions: [pipy]\n"), ("empty", "subscriptions: [npm]\n")] {
        fs::create_dir(root.path().join(path)).unwrap();
        fs::write(root.path().join(path).join(FILE), text).unwrap();
    }
    fs::create_dir(root.path().join("bad")).unwrap();
    fs::write(root.path().join("bad/pyproject.toml"), "[project\n").unwrap();
    let counter = "migration:\n  commit_message: Count\n  driver_name: counter\n  driver_config: { target_file: n, target_count: 2 }\n";
    fs::write(root.path().join("count.yaml"), counter).unwrap();
    fs::write(root.path().join("scan.yaml"), "scan:\n  scanner_names: [root-files]\n").unwrap();
    fs::write(root.path().join("none.txt"), "# no pull request yet\n").unwrap();
    fs::write(root.path().join("key.pem"), include_str!("../forge/keys/pkcs1.pem")).unwrap();
    root
}

/// The commands of the executable, by its own word.
fn commands(root: &Path) -> BTreeSet<String> {
    let (_, help, _) = run(root, &["--help"]);
    let list = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[tokio::test]
async fn every_command_ends_by_one_rule() {
    let root = busy().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serve: Vec<&str> = ["serve", "--github-app-id", "1", "--github-app-private-key-file", "key.pem", "--listen"]
        .into_iter()
        .chain([address.as_str(), "--database-url", "sqlite://other.db"])
        .collect();
    let cases: [(i32, &[&str]); 47] = [
        (0, &["check"]),
        (1, &["check", "broken"]),
        (2, &["check", "nowhere"]),
        (0, &["deps", "empty"]),
        (1, &["deps", "bad"]),
        (2, &["deps", "nowhere"]),
        (0, &["plan", "empty"]),
        (1, &["plan", "--pypi-url", "http://127.0.0.1:9/"]),
        (1, &["plan", "broken"]),
        (2, &["plan", "bad"]),
        (2, &["plan", "--pypi-url", "nonsense"]),
        (0, &["why", "acme/api"]),
        (1, &["why", "acme/other"]),
        (2, &["why", "acme"]),
        (0, &["audit"]),
        (1, &["audit", "acme/other"]),
        (2, &["audit", "--database-url", "sqlite://nowhere.db"]),
        (0, &["retry", "--all"]),
        (1, &["retry", "acme/other"]),
        (2, &["retry"]),
        // Runs that come to a good end are told in `tests/runs`.
        (1, &["run", "count.yaml", "--repo-path", "nowhere", "--cache-folder", "clones"]),
        (2, &["run", "nowhere.yaml"]),
        (2, &["run", "count.yaml", "--repo-path", "nowhere", "--cache-folder", "count.yaml"]),
        (1, &["scan", "scan.yaml", "--repo-path", "nowhere", "--cache-folder", "clones"]),
        (2, &["scan", "count.yaml", "--repo-path", "nowhere"]),
        (0, &["runs"]),
        (1, &["runs", "show", "9"]),
        (2, &["runs", "--database-url", "sqlite://nowhere.db"]),
        (0, &["view-pr", "--pr-filelist", "none.txt"]),
        (1, &["view-pr", "--run", "9"]),
        (2, &["view-pr"]),
        (0, &["drivers"]),
        (2, &["drivers", "--info", "nothing"]),
        (0, &["scanners", "--list"]),
        (2, &["scanners", "--info", "nothing"]),
        (0, &["sources", "--info", "index"]),
        (2, &["sources", "--info", "nothing"]),
        (0, &["forges"]),
        (2, &["forges", "--info", "nothing"]),
        (0, &["completions", "bash"]),
        (2, &["completions", "nothing"]),
        (0, &["new", "driver", "tidy"]),
        (2, &["new", "driver", "Tidy"]),
        (0, &["schema", "subscription"]),
        (2, &["schema", "nothing"]),
        // Stopping a server as one should ends it with 0, see `serve.rs`.
        (1, &serve),
        (2, &["serve"]),
    ];
    #[expect(clippy::disallowed_methods, reason = "git is on the PATH of whoever tests")]
    let path = std::env::var_os("PATH").unwrap();
    let person = [("GIT_AUTHOR_NAME", "Jo"), ("GIT_AUTHOR_EMAIL", "jo@example.com")];
    let mut seen = BTreeSet::new();
    for (expected, arguments) in cases {
        let mut command = command(root.path(), arguments);
        // Runs need git and a home.
        command.env("PATH", &path).env("HOME", root.path()).envs(person);
        let (code, out, err) = told(command.env("GITHUB_WEBHOOK_SECRET", "a secret").output().unwrap());
        assert_eq!(code, expected, "{arguments:?}\n{out}\n{err}");
        assert!(code != 2 || (out.is_empty() && !err.is_empty()), "{arguments:?}: nothing was begun, and that is said");
        seen.insert(arguments[0].to_owned());
    }
    assert_eq!(seen, commands(root.path()));
    let page = include_str!("../../docs/exit-codes.md").split("| command |").nth(1).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned);
    assert_eq!(rows.collect::<BTreeSet<_>>(), seen, "docs/exit-codes.md left, the commands right");
}

/// A setting that cannot be used is wrong usage wherever it is read.
#[tokio::test]
async fn the_same_setting_ends_every_command_with_the_same_code() {
    let root = busy().await;
    let serve = ["serve", "--github-app-id", "1", "--github-app-private-key-file", "key.pem"];
    for (variable, value, commands) in [
        ("DATABASE_URL", "mysql://x", [&serve[..], &["why", "acme/api"], &["audit"], &["retry", "--all"]].as_slice()),
        ("DATABASE_URL", "sqlite:///no/folder/x.db", &[&serve, &["why", "acme/api"]]),
        ("MASS_DRIVER_NPM_URL", "nonsense", &[&serve, &["plan"]]),
        ("MASS_DRIVER_PUBLIC_URL", "nonsense", &[&serve]),
        ("GITHUB_APP_ID", "many", &[&["serve", "--github-app-private-key-file", "key.pem"]]),
        ("GITHUB_APP_PRIVATE_KEY", "no key", &[&["serve", "--github-app-id", "1"]]),
        ("GITHUB_API_URL", "nonsense", &[&serve]),
        ("MASS_DRIVER_LOG", "mass_driver=[{", &[&serve]),
        ("MASS_DRIVER_ROLE", "web", &[&serve]),
    ] {
        for arguments in commands {
            let mut command = command(root.path(), arguments);
            let output = command.env("GITHUB_WEBHOOK_SECRET", "a secret").env(variable, value).output().unwrap();
            let (code, out, err) = told(output);
            assert_eq!((code, out.as_str()), (2, ""), "{variable}={value} {arguments:?}: {err}");
        }
    }
}

/// What may pass is no wrong usage: who starts servers again shall not be told that it is in vain.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_cannot_be_opened_just_now_is_a_failure() {
    let root = busy().await;
    // Nobody can open a socket as a file: the nearest to a disk with a fault that every machine has.
    for name in ["other.db.lock", "key.socket"] {
        drop(std::os::unix::net::UnixListener::bind(root.path().join(name)).unwrap());
    }
    let serve = ["serve", "--github-app-id", "1", "--database-url", "sqlite://other.db"];
    for (key, told_of) in [("key.pem", "the same may work later: the lock "), ("key.socket", "cannot read key.socket")]
    {
        let mut command = command(root.path(), &serve);
        command.env("GITHUB_WEBHOOK_SECRET", "a secret").env("GITHUB_APP_PRIVATE_KEY_FILE", key);
        let (code, out, err) = told(command.output().unwrap());
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.contains(told_of) && err.lines().count() == 1, "{err}");
    }
}

/// A disk that is full, as `/dev/full` is.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_result_that_cannot_be_written_is_a_failure_with_a_word() {
    let root = busy().await;
    for arguments in [
        &["check"][..],
        &["check", "broken"],
        &["check", "--format", "json"],
        &["deps", "empty"],
        &["deps", "empty", "--format", "json"],
        &["plan", "empty"],
        &["plan", "empty", "--format", "json"],
        &["why", "acme/api"],
        &["why", "acme/api", "--format", "json"],
        &["audit"],
        &["audit", "--format", "json"],
        &["retry", "--list"],
        &["retry", "--list", "--format", "json"],
        &["drivers"],
        &["sources", "--info", "index"],
        &["forges", "--format", "json"],
        &["completions", "zsh"],
        &["view-pr", "--pr-filelist", "none.txt"],
        &["schema", "subscription"],
        &["schema", "organisation"],
        &["--help"],
        &["--version"],
        &["serve", "--help"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let child = command(root.path(), arguments).stdout(full).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let (code, _, err) = told(child.wait_with_output().unwrap());
        assert_eq!(code, 1, "{arguments:?}: {err}");
        let told = "mass-driver: the result cannot be written to standard output: ";
        assert!(err.starts_with(told) && err.lines().count() == 1, "{arguments:?}: {err}");
    }
}
