//! `deps` in folders as they really lie about: what could not be read, what is left out, and how that is told.

use super::executable::{FILE, command, folder, run, told};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The names of the packages that `deps --format json` lists, in its order.
fn names(json: &str) -> Vec<String> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

fn write(root: &Path, path: impl AsRef<Path>, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn what_could_be_read_is_printed_though_the_exit_code_says_that_it_is_not_all() {
    let root = folder(&[("requirements.txt", "a==1\n"), ("pyproject.toml", "[project\n")]);
    write(root.path(), "big/requirements.txt", &"# long\n".repeat(200_000));
    fs::write(root.path().join("Dockerfile"), b"FROM \xff\n").unwrap();
    for format in ["json", "table"] {
        let (code, out, err) = run(root.path(), &["deps", "--format", format]);
        assert_eq!(code, 1, "{err}");
        if format == "json" {
            assert_eq!(names(&out), ["a"]);
        }
        let lines: Vec<&str> = err.lines().collect();
        let [docker, large, broken, end] = lines[..] else { panic!("{err}") };
        assert_eq!(docker, "error: Dockerfile cannot be read: it is not a text in UTF-8");
        assert_eq!(large, "error: big/requirements.txt cannot be read: it is larger than 1,000,000 bytes");
        assert!(broken.starts_with("error: pyproject.toml cannot be read: line 1"), "{broken}");
        assert_eq!(end, "mass-driver: 3 files or folders could not be read, so the list is not complete");
    }
    let (code, help, _) = run(root.path(), &["deps", "--help"]);
    assert_eq!(code, 0);
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("The exit code is 1 when a manifest"), "{help}");

    write(root.path(), FILE, "subscriptions: [npm]\n");
    let (code, _, err) = run(root.path(), &["plan"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.ends_with("3 files or folders could not be read, so the plan is not complete\n"), "{err}");
}

#[cfg(unix)]
#[test]
fn odd_names_are_left_out_with_a_word() {
    use std::os::unix::ffi::OsStrExt as _;
    let root = folder(&[("requirements.txt", "a==1\n")]);
    for name in [&b"bell\x07"[..], b"latin-\xe9", b"back\\slash"] {
        write(root.path(), Path::new(std::ffi::OsStr::from_bytes(name)).join("requirements.txt"), "lost==1\n");
    }
    for name in [&b"requirements-\xe9.txt"[..], b"Dockerfile\x1b[31m", b"photo-\xe9.jpg"] {
        write(root.path(), std::ffi::OsStr::from_bytes(name), "lost==1\n");
    }
    let (code, out, err) = run(root.path(), &["deps", "--format", "json"]);
    assert_eq!((code, names(&out)), (0, vec!["a".to_owned()]), "{err}");
    for expected in [
        r"note: bell\u{7}/ is left out: there is a backslash or a control character in its name",
        r"note: latin-\xe9/ is left out: its name is not UTF-8",
        r"note: back\\slash/ is left out: there is a backslash",
        r"note: requirements-\xe9.txt is left out: its name is not UTF-8",
        r"note: Dockerfile\u{1b}[31m is left out: there is a backslash",
        "note: 5 files or folders are left out because of their names",
    ] {
        assert!(err.contains(expected), "{expected}\n{err}");
    }
    assert!(!err.contains("photo") && !err.contains('\u{1b}'), "{err}");
}

#[cfg(unix)]
#[test]
fn many_odd_names_are_counted() {
    let root = folder(&[]);
    for n in 0..100 {
        fs::create_dir(root.path().join(format!("{n}\u{7}"))).unwrap();
    }
    let (code, _, err) = run(root.path(), &["deps"]);
    assert_eq!(code, 0);
    assert!(
        err.contains("note: 100 files or folders are left out because of their names, of which 20 are named"),
        "{err}"
    );
    assert_eq!(err.lines().count(), 21, "{err}");
}

#[cfg(unix)]
#[test]
fn many_links_are_counted() {
    let root = folder(&[]);
    for n in 0..30 {
        std::os::unix::fs::symlink(".", root.path().join(format!("link-{n}"))).unwrap();
    }
    let (code, _, err) = run(root.path(), &["deps"]);
    assert_eq!(code, 0);
    assert!(err.contains("note: 10 more symbolic links to folders are left out\n"), "{err}");
    assert_eq!(err.lines().count(), 21, "{err}");
}

#[test]
fn what_lies_behind_a_file_is_not_there() {
    let root = folder(&[("file", "")]);
    assert_eq!(run(root.path(), &["deps", "file/x"]).2, "mass-driver: there is no folder `file/x`\n");
    assert_eq!(run(root.path(), &["check", "file/x"]).2, "mass-driver: there is no file or folder `file/x`\n");
}

#[cfg(unix)]
#[test]
fn pipes_links_and_deep_folders_are_told() {
    let root = folder(&[]);
    let deep = "d/".repeat(70);
    write(root.path(), format!("{deep}requirements.txt"), "deep==1\n");
    assert!(Command::new("mkfifo").arg(root.path().join("requirements.txt")).status().unwrap().success());
    std::os::unix::fs::symlink(".", root.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", root.path().join("Dockerfile")).unwrap();
    let (code, out, err) = run(root.path(), &["deps", "--format", "json"]);
    assert_eq!((code, out.as_str()), (0, "[]\n"));
    for expected in [
        "note: requirements.txt is left out: it is not a file",
        "note: Dockerfile is left out: it is a symbolic link",
        "note: loop/ is left out: it is a symbolic link",
        "is left out: it is more than 64 folders deep",
    ] {
        assert!(err.contains(expected), "{expected}\n{err}");
    }
}

/// Whoever runs the tests as root may read everything, so then the command runs as somebody else.
#[cfg(unix)]
#[test]
fn an_unreadable_folder_is_called_that() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    let root = folder(&[("requirements.txt", "a==1\n")]);
    write(root.path(), "closed/requirements.txt", "b==1\n");
    write(root.path(), format!("closed/{FILE}"), "subscriptions: [pypi]\n");
    write(root.path(), "shut/.keep", "");
    write(root.path(), "shut.yaml", "subscriptions: [pypi]\n");
    let mode =
        |path: &str, mode| fs::set_permissions(root.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    mode("", 0o755);
    for closed in ["closed", "shut", "shut.yaml"] {
        mode(closed, 0);
    }
    let as_nobody = |arguments: &[&str]| {
        let mut command = command(root.path(), arguments);
        if fs::metadata(root.path()).unwrap().uid() == 0 {
            command.uid(65_534).gid(65_534);
        }
        told(command.output().unwrap())
    };
    let (code, out, err) = as_nobody(&["deps", "--format", "json"]);
    assert_eq!((code, names(&out)), (1, vec!["a".to_owned()]), "{err}");
    assert!(err.contains("error: closed/ cannot be read: permission denied\n"), "{err}");
    let refused = "`closed` may not be read by the user who runs this command";
    for (arguments, expected) in [
        (["check", "closed"], format!("mass-driver: {refused}\n")),
        (["deps", "closed"], format!("mass-driver: {refused}\n")),
        (
            ["check", "closed/.mass-driver.yaml"],
            format!("mass-driver: {}\n", refused.replace("closed", "closed/.mass-driver.yaml")),
        ),
        (["check", "shut.yaml"], format!("mass-driver: {}\n", refused.replace("closed", "shut.yaml"))),
    ] {
        assert_eq!(as_nobody(&arguments), (2, String::new(), expected), "{arguments:?}");
    }
    mode("closed", 0o755);
    mode("shut", 0o755);
}

#[test]
fn an_empty_folder_is_named_in_full() {
    let root = folder(&[]);
    let whole = root.path().canonicalize().unwrap();
    let (code, out, _) = run(root.path(), &["deps"]);
    assert_eq!((code, out), (0, format!("No manifest was found in {}.\n", whole.display())));
    write(root.path(), "package.json", "{}");
    write(root.path(), "web/package.json", "{}");
    let (_, out, _) = run(root.path(), &["deps", "web/.."]);
    assert_eq!(out, format!("No dependency was found in the 2 manifests of {}.\n", whole.display()));
}

#[test]
fn the_table_tells_ecosystems_and_pins() {
    let commit = "8ade135a41bc03ea155e62e844d188df1ea18608";
    let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let root = folder(&[
        (
            "action.yml",
            &format!("runs: {{using: composite, steps: [\n{{uses: actions/checkout@{commit}}}, # v4.1.0\n]}}\n"),
        ),
        ("Dockerfile", &format!("FROM python:3.12@{digest}\n")),
        ("requirements.txt", &format!("a==1 --hash={digest}\nb==1\n")),
    ]);
    let (code, out, err) = run(root.path(), &["deps"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let row = |name: &str| -> Vec<String> {
        let line = out.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}\n{out}"));
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    };
    assert_eq!(row("Where")[1..6], ["Ecosystem", "Name", "Current", "Constraint", "Pinned to"]);
    assert_eq!(row("requirements.txt:1")[1..6], ["pypi", "a", "1", "==1", "hashes"]);
    assert_eq!(row("requirements.txt:2")[1..], ["pypi", "b", "1", "==1", "requirements"]);
    assert!(row("library/python").contains(&"digest 0123456789ab".to_owned()), "{out}");
    let action = row("actions/checkout");
    assert!(action[1] == "github-actions" && action.contains(&"commit 8ade135a41bc".to_owned()), "{out}");
}

/// A name may be as long as its file. JSON has it whole.
#[test]
fn a_name_without_end_does_not_break_the_table() {
    let name = "a".repeat(100_000);
    let root = folder(&[("requirements.txt", &format!("{name}==1\nb==1\n"))]);
    let (code, out, err) = run(root.path(), &["deps"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("aaa…") && out.lines().all(|line| line.chars().count() < 3_000), "{out}");
    let (_, out, _) = run(root.path(), &["deps", "--format", "json"]);
    assert_eq!(names(&out).last().unwrap(), "b");
}

#[test]
fn help_names_the_folders_that_are_left_out() {
    let root = folder(&[]);
    let (_, help, _) = run(root.path(), &["deps", "--help"]);
    for left_out in mass_driver::checkout::LEFT_OUT {
        assert!(help.contains(left_out), "{left_out}: {help}");
    }
}
