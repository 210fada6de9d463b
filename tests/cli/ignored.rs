//! What git ignores is not in the repository that the server sees, whatever lies in the folder.

use super::executable::{command, folder, told};
use std::fs;
use std::path::Path;
use std::process::Command;

pub fn git(root: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(root)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository with manifests that are tracked, new, ignored, and tracked though ignored or in a folder of tools.
fn repository() -> tempfile::TempDir {
    let root = folder(&[(".gitignore", "dist/\n*.gen.txt\n/part/*\n")]);
    for (path, package) in [
        ("requirements.txt", "tracked"),
        ("new/requirements.txt", "new"),
        ("dist/requirements.txt", "built"),
        ("part/forced/requirements.txt", "forced"),
        ("part/requirements.txt", "ignored"),
        ("target/requirements.txt", "of-a-folder-called-target"),
        ("target/debug/requirements.txt", "of-a-tool"),
    ] {
        fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
        fs::write(root.path().join(path), format!("{package}==1\n")).unwrap();
    }
    git(root.path(), &["init", "--quiet"]);
    git(root.path(), &["add", ".gitignore", "requirements.txt"]);
    git(root.path(), &["add", "--force", "part/forced/requirements.txt", "target/requirements.txt"]);
    root
}

fn names(root: &Path, arguments: &[&str]) -> (Vec<String>, String) {
    names_with(root, arguments, &[])
}

fn names_with(root: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let mut command = command(root, &[&["deps", "--format", "json"], arguments].concat());
    command.envs(variables.iter().copied());
    // git lies where the tests find it.
    command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
    let (code, out, err) = told(command.output().unwrap());
    assert_eq!(code, 0, "{err}");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    (rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect(), err)
}

#[test]
fn what_git_ignores_is_left_out_unless_it_is_tracked() {
    let root = repository();
    let (found, err) = names(root.path(), &[]);
    assert_eq!(found, ["new", "forced", "tracked", "of-a-folder-called-target"]);
    assert_eq!(err, "note: 2 files or folders are left out because git ignores them, such as dist/\n");
}

#[test]
fn a_folder_of_a_repository_is_asked_about_as_the_whole_is() {
    let root = repository();
    assert_eq!(names(root.path(), &["part"]).0, ["forced"]);
    // Whoever names an ignored folder wants to see what is in it.
    assert_eq!(names(root.path(), &["dist"]).0, ["built"]);
}

/// A database's folder, a build's links: they concern nobody, and are no reason to end with a failure.
#[cfg(unix)]
#[test]
fn what_is_odd_in_what_git_ignores_is_not_told() {
    let root = repository();
    std::os::unix::fs::symlink(".", root.path().join("dist/loop")).unwrap();
    std::os::unix::fs::symlink(".", root.path().join("link.gen.txt")).unwrap();
    fs::write(root.path().join("dist/Cargo.toml"), "[").unwrap();
    fs::create_dir(root.path().join("dist/bell\u{7}")).unwrap();
    let (_, err) = names(root.path(), &[]);
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[test]
fn a_subscription_file_that_git_ignores_is_read_with_a_word() {
    let root = repository();
    fs::write(root.path().join(".gitignore"), ".mass-driver.*\ndist/\n*.gen.txt\n/part/*\n").unwrap();
    fs::write(root.path().join(".mass-driver.yaml"), "subscriptions: [pypi]\n").unwrap();
    let (_, err) = names(root.path(), &[]);
    assert!(err.contains("note: git ignores .mass-driver.yaml; the server sees it once it is committed\n"), "{err}");
}

#[test]
fn an_include_that_git_ignores_is_not_there_for_the_server() {
    let root = repository();
    fs::write(root.path().join("requirements.txt"), "-r dist/requirements.txt\n-r more.gen.txt\ntracked==1\n").unwrap();
    fs::write(root.path().join("more.gen.txt"), "generated==1\n").unwrap();
    let (found, err) = names(root.path(), &[]);
    assert!(!found.contains(&"generated".to_owned()), "{found:?}");
    assert!(err.contains("note: requirements.txt includes more.gen.txt, which git ignores\n"), "{err}");
}

#[test]
fn without_git_everything_is_read_and_that_is_said() {
    let root = repository();
    fs::write(root.path().join(".git/config"), "[core\n").unwrap();
    let (found, err) = names(root.path(), &[]);
    assert!(found.contains(&"built".to_owned()), "{found:?}");
    assert!(
        err.starts_with("note: git could not tell which files it ignores, so all are read: fatal: bad config"),
        "{err}"
    );
    let mut command = command(root.path(), &["deps", "--format", "json"]);
    let (code, _, err) = told(command.env("PATH", root.path()).output().unwrap());
    assert_eq!(code, 0);
    assert!(
        err.starts_with("note: git could not tell which files it ignores, so all are read: it is not installed\n"),
        "{err}"
    );
}

/// As in a hook of git: what speaks of the repository that the hook is of.
#[test]
fn what_points_git_at_another_repository_is_not_passed_on() {
    let root = repository();
    let expected = names(root.path(), &[]);
    for (name, value) in [
        ("GIT_DIR", "/nowhere"),
        ("GIT_OBJECT_DIRECTORY", "/nowhere"),
        ("GIT_QUARANTINE_PATH", "/nowhere"),
        ("GIT_SHALLOW_FILE", "/nowhere"),
        ("GIT_LITERAL_PATHSPECS", "1"),
    ] {
        assert_eq!(names_with(root.path(), &[], &[(name, value)]), expected, "{name}");
    }
}

/// A repository's own settings may name commands, which git then runs. Not for us.
#[cfg(unix)]
#[test]
fn nothing_that_a_repository_configures_is_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = repository();
    let proof = root.path().join("it-ran");
    let hook = root.path().join("hook");
    fs::write(&hook, format!("#!/bin/sh\ntouch '{}'\n", proof.display())).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    for key in ["core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "diff.external"] {
        git(root.path(), &["config", key, hook.to_str().unwrap()]);
    }
    git(root.path(), &["config", "core.hooksPath", root.path().to_str().unwrap()]);
    fs::copy(&hook, root.path().join("post-index-change")).unwrap();
    assert_eq!(names(root.path(), &[]).0.len(), 4);
    assert!(!proof.exists());
    // What would be run is run by git itself, so that the proof is one.
    git(root.path(), &["-c", "core.pager=cat", "status"]);
    assert!(proof.exists());
}

/// Nor does it wait for ever where git does.
#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_an_ignore_file_holds_nothing_up() {
    let root = repository();
    fs::remove_file(root.path().join(".gitignore")).unwrap();
    assert!(Command::new("mkfifo").arg(root.path().join(".gitignore")).status().unwrap().success());
    let (found, err) = names(root.path(), &[]);
    assert!(found.contains(&"built".to_owned()), "{found:?}");
    assert!(err.starts_with("note: git could not tell which files it ignores, so all are read: "), "{err}");
}
