//! What `mass-driver new` writes: all nine templates, tested by their own tests and run as plug-ins.
#![cfg(target_os = "linux")]

use crate::sandboxed::{Den, python};
use crate::scene::{commit_files, run as git};
use mass_driver::bulk::plug_in::{PlugIn, PlugInKind, Task, discover};
use mass_driver::bulk::sandbox::Grants;
use mass_driver::domain::PatchOutcome;
use serde_json::json;
use std::ffi::OsStr;
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
    let facts = the(PlugInKind::Scanner).scan(&den.sandbox, &task).await.unwrap();
    assert_eq!(facts["files"], 1);
    let driver = the(PlugInKind::Driver);
    assert_eq!(driver.drive(&den.sandbox, &task).await.unwrap().outcome, PatchOutcome::Patched);
    assert_eq!(driver.drive(&den.sandbox, &task).await.unwrap().outcome, PatchOutcome::AlreadyPatched);
    let repositories = the(PlugInKind::Source).find(&den.sandbox, &task).await.unwrap();
    let addresses: Vec<&str> = repositories.iter().map(|found| found.clone_url.as_str()).collect();
    assert_eq!(addresses, ["https://git.example.com/acme/api", "https://git.example.com/acme/web"]);
    run_examples(den, folders, grants);
}

/// Runs the Activities that the READMEs show, as they stand there.
fn run_examples(den: &Den, programs: &[PathBuf], grants: &Grants) {
    let at = den.path("git.example.com/acme");
    for name in ["api", "web"] {
        let work = at.join(name);
        std::fs::create_dir_all(&work).unwrap();
        git(&work, &["init", "--quiet", "--initial-branch=main"]);
        commit_files(&work, &[("README.md", "# The colour\n")]);
    }
    let path = std::env::join_paths(
        programs.iter().cloned().chain(std::env::split_paths(&den.sandbox.environment[OsStr::new("PATH")])),
    );
    let path = path.unwrap();
    let run = |command: &str, kind: PlugInKind, more: &[&str]| {
        let readme = den.path("plug-ins").join(format!("mass-driver-{kind}-my-own/README.md"));
        let readme = std::fs::read_to_string(readme).unwrap();
        let (_, example) = readme.split_once("```yaml\n").unwrap();
        let mut example = example.split_once("```").unwrap().0.to_owned();
        // What this machine's Python needs is no matter of the template.
        for folder in &grants.read {
            let allow = format!("{kind}:\n  allow: {{ read: ['{}'] }}\n", folder.display());
            let allow = if kind == PlugInKind::Driver { allow.replace("driver:", "migration:") } else { allow };
            let allow = allow.replace("scanner:", "scan:");
            let section = allow.split_once('\n').unwrap().0;
            example = example.replacen(&format!("{section}\n"), &allow, 1);
        }
        let activity = den.path(&format!("{kind}.yaml"));
        std::fs::write(&activity, &example).unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_mass-driver"));
        run.args([command, activity.to_str().unwrap(), "--format", "json"]).args(more).current_dir(&den.folder);
        run.env_clear().env("PATH", &path).env("HOME", den.path("home"));
        let leads = format!("url.file://{}/.insteadOf", at.display());
        let settings =
            [(leads.as_str(), "https://git.example.com/acme/"), ("user.name", "Dana"), ("user.email", "d@example.com")];
        run.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (at, (key, value)) in settings.iter().enumerate() {
            run.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        let output = run.output().unwrap();
        assert!(output.status.success(), "{example}\n{}", text(&output));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let api = at.join("api");
    let driven = run("run", PlugInKind::Driver, &["--dry-run", "--repo-path", api.to_str().unwrap()]);
    assert_eq!(driven["repositories"][0]["outcome"], "patched", "{driven}");
    let scanned = run("scan", PlugInKind::Scanner, &["--repo-path", api.to_str().unwrap()]);
    assert_eq!(scanned[0]["facts"]["files"], 1, "{scanned}");
    let found = run("scan", PlugInKind::Source, &[]);
    assert_eq!(found.as_array().unwrap().len(), 2, "{found}");
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
    den.sandbox.environment.insert("PATH".into(), path.into());
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
    for (kind, taken) in [("driver", "replace"), ("scanner", "root-files"), ("source", "repo-list")] {
        let output = new(&den, &[kind, taken]);
        let told = format!("the {kind} `{taken}` is built in, and a plug-in of that name would never be run");
        assert!(output.status.code() == Some(2) && text(&output).contains(&told), "{}", text(&output));
    }
    assert_eq!(std::fs::read_dir(den.path("clone")).unwrap().count(), 0);
    assert!(new(&den, &["scanner", "replace"]).status.success(), "only drivers are called so");
    let quoted = text(&new(&den, &["driver", "mine", "--into", "it's a folder"]));
    assert!(quoted.contains(r"cd 'it'\''s a folder/mass-driver-driver-mine' && "), "{quoted}");
    assert!(new(&den, &["driver", "mine"]).status.success());
    let program = den.path("clone/mass-driver-driver-mine/mass-driver-driver-mine");
    std::fs::write(&program, "my work").unwrap();
    let output = new(&den, &["driver", "mine", "--language=shell"]);
    assert!(output.status.code() == Some(2) && text(&output).contains("is there already"), "{}", text(&output));
    assert_eq!(std::fs::read_to_string(program).unwrap(), "my work");
}
