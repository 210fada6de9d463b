//! What `mass-driver new` writes: all nine templates, tested by their own tests and run as plug-ins.
#![cfg(target_os = "linux")]

use crate::caged::{Den, python};
use mass_driver::bulk::cage::Grants;
use mass_driver::bulk::plug_in::{Driven, PlugIn, PlugInKind, Task, discover};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn new(den: &Den, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mass-driver"));
    command.arg("new").args(arguments).current_dir(den.path("clone")).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Writes a template of each kind, and gives their folders.
fn all_three(den: &Den, language: &str) -> Vec<PathBuf> {
    let into = den.path("plug-ins");
    let kinds = PlugInKind::ALL.map(|kind| {
        let arguments = [kind.as_str(), "my-own", "--language", language, "--into", into.to_str().unwrap()];
        let output = new(den, &arguments);
        assert!(output.status.success(), "{}", text(&output));
        let folder = into.join(format!("mass-driver-{kind}-my-own"));
        assert!(text(&output).contains("test it:"), "{}", text(&output));
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(!readme.contains("{{") && readme.contains(&format!("mass-driver-{kind}-my-own")), "{readme}");
        folder
    });
    kinds.to_vec()
}

fn passes(command: &mut Command, folder: &Path) {
    let output = command.current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}: {}", folder.display(), text(&output));
}

/// Runs the three as plug-ins. `files` is what the driver of a language finds.
async fn run_them(den: &Den, folders: &[PathBuf], grants: &Grants) {
    let found = discover(&std::env::join_paths(folders).unwrap());
    let the = |kind: PlugInKind| -> &PlugIn { &found[&kind]["my-own"] };
    let (folder, scratch) = (den.path("clone"), den.path("scratch"));
    std::fs::write(folder.join("README.md"), "old text\n").unwrap();
    let config = json!({
        "files": ["README.md"], "old": "old", "new": "young",
        "base": "https://git.example.com/acme", "names": ["api", "web"],
    });
    let task = Task { config: &config, repository: None, folder: &folder, scratch: &scratch, reads: &[], grants };
    let facts = the(PlugInKind::Scanner).scan(&den.cage, &task).await.unwrap();
    assert_eq!(facts["files"], 1);
    let driver = the(PlugInKind::Driver);
    assert!(matches!(driver.drive(&den.cage, &task).await.unwrap(), Driven::Patched { .. }));
    assert!(matches!(driver.drive(&den.cage, &task).await.unwrap(), Driven::AlreadyPatched { .. }));
    let repositories = the(PlugInKind::Source).find(&den.cage, &task).await.unwrap();
    let addresses: Vec<&str> = repositories.iter().map(|found| found.clone_url.as_str()).collect();
    assert_eq!(addresses, ["https://git.example.com/acme/api", "https://git.example.com/acme/web"]);
}

#[tokio::test]
async fn in_python() {
    let den = Den::new();
    let folders = all_three(&den, "python");
    let (python, grants) = python();
    for folder in &folders {
        passes(Command::new(&python).args(["-m", "unittest"]).env("PYTHONDONTWRITEBYTECODE", "1"), folder);
    }
    // `env` is to find Python itself.
    let mut den = den;
    let path = format!("{}:/usr/bin:/bin", Path::new(&python).parent().unwrap().display());
    den.cage.environment.insert("PATH".into(), path.into());
    run_them(&den, &folders, &grants).await;
}

#[tokio::test]
async fn in_shell() {
    let den = Den::new();
    let folders = all_three(&den, "shell");
    for folder in &folders {
        passes(Command::new("sh").arg("test.sh"), folder);
    }
    run_them(&den, &folders, &Grants::default()).await;
}

#[tokio::test]
async fn in_rust() {
    let den = Den::new();
    let folders = all_three(&den, "rust");
    // One build of the crates they share, from what this one was built of.
    let target = den.path("target");
    for folder in &folders {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["test", "--offline", "--quiet", "--jobs=2"]).env("CARGO_TARGET_DIR", &target);
        // What this test was built with is not to reach them.
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_MANIFEST_DIR", "RUSTC_WRAPPER"] {
            cargo.env_remove(name);
        }
        passes(&mut cargo, folder);
    }
    run_them(&den, &[target.join("debug")], &Grants::default()).await;
}

#[test]
fn names_are_checked_and_nothing_is_overwritten() {
    let den = Den::new();
    for bad in ["", "A", "a/b", "../a", "-a", "a-", "a b", "größe", "1", "a.b", &"a".repeat(61)] {
        let output = new(&den, &["driver", "--", bad]);
        assert_eq!(output.status.code(), Some(2), "{bad}: {}", text(&output));
    }
    assert_eq!(std::fs::read_dir(den.path("clone")).unwrap().count(), 0);
    assert!(new(&den, &["driver", "mine"]).status.success());
    let program = den.path("clone/mass-driver-driver-mine/mass-driver-driver-mine");
    std::fs::write(&program, "my work").unwrap();
    let output = new(&den, &["driver", "mine", "--language=shell"]);
    assert!(output.status.code() == Some(2) && text(&output).contains("is there already"), "{}", text(&output));
    assert_eq!(std::fs::read_to_string(program).unwrap(), "my work");
}
