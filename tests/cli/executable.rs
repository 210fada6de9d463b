//! The executable in a folder of its own.

use jiff::Timestamp;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub const FILE: &str = ".mass-driver.yaml";
pub const GOOD: &str = "timezone: Europe/Paris\nsubscriptions:\n  - { migration: pypi, delay: weekly, min_age: 3d }\n";

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

/// The command in a folder, with no settings of the machine it runs on.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mass-driver"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// The exit code, standard output and standard error of a run.
pub fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    told(command(folder, arguments).output().unwrap())
}

pub fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}
