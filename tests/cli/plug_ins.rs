//! What an Activity file may name, with its keys; and what a shell needs to complete commands.

use crate::executable::{command, folder, run, told};
use serde_json::Value;

const COMMANDS: [&str; 4] = ["drivers", "scanners", "sources", "forges"];

fn json(arguments: &[&str]) -> Value {
    let (code, out, err) = run(folder(&[]).path(), &[arguments, &["--format", "json"]].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    serde_json::from_str(&out).unwrap()
}

#[test]
fn each_is_listed_and_shown_with_its_keys_and_an_example() {
    let root = folder(&[]);
    for word in COMMANDS {
        let entries = json(&[word]);
        let (code, listed, err) = run(root.path(), &[word]);
        assert_eq!((code, err.as_str()), (0, ""));
        assert_eq!(run(root.path(), &[word, "--list"]).1, listed, "as the Python tool has it");
        assert_eq!(run(root.path(), &[word.trim_end_matches('s')]).1, listed, "and by its other name");
        assert!(entries.as_array().unwrap().len() >= 3);
        for entry in entries.as_array().unwrap() {
            let name = entry["name"].as_str().unwrap();
            assert!(listed.lines().any(|line| line.trim_start().starts_with(name)), "{listed}");
            let (code, shown, _) = run(root.path(), &[word, "--info", name]);
            assert!(code == 0 && shown.contains("\nExample:\n  "), "{shown}");
            for key in entry["keys"].as_array().unwrap() {
                let needed = if key["required"] == true { "yes" } else { "no" };
                let about: String = key["about"].as_str().unwrap().chars().take(12).collect();
                let table = shown.split("\nKeys of ").nth(1).unwrap();
                let is_of = |line: &&str| line.split_whitespace().next() == key["name"].as_str();
                let row = table.lines().find(is_of).unwrap();
                assert!(row.split_whitespace().nth(1) == Some(needed) && row.contains(about.trim()), "{row}");
            }
            assert_eq!(json(&[word, "--info", name]), *entry);
        }
    }
}

#[test]
fn a_name_that_there_is_not_is_refused_with_what_was_meant() {
    let root = folder(&[]);
    for (word, name, told) in [
        ("drivers", "countr", "there is no driver `countr`, did you mean `counter`? `mass-driver drivers` lists them"),
        ("scanner", "root-file", "`root-files`"),
        ("sources", "x\u{1b}[31m", "there is no source `x\u{fffd}[31m`; `mass-driver sources` lists them"),
        ("forges", "gitlab", "there is no forge `gitlab`"),
    ] {
        let (code, out, err) = run(root.path(), &[word, "--info", name]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.contains(told), "{err}");
    }
}

#[cfg(unix)]
#[test]
fn plug_ins_on_the_path_are_listed_and_none_hides_what_is_built_in() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = folder(&[
        ("mass-driver-driver-tidy", "#!/bin/sh\n"),
        ("mass-driver-driver-counter", "#!/bin/sh\n"),
        ("mass-driver-scanner-tidy", "#!/bin/sh\n"),
        ("mass-driver-source-plain", "no program\n"),
    ]);
    for name in ["mass-driver-driver-tidy", "mass-driver-driver-counter", "mass-driver-scanner-tidy"] {
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(root.path().join(name), executable).unwrap();
    }
    let list = |arguments: &[&str]| told(command(root.path(), arguments).env("PATH", root.path()).output().unwrap());
    let (code, out, err) = list(&["drivers"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let tidy = out.lines().find(|line| line.trim_start().starts_with("tidy ")).unwrap();
    assert!(tidy.contains("mass-driver-driver-tidy"), "{tidy}");
    assert_eq!(out.lines().filter(|line| line.trim_start().starts_with("counter ")).count(), 1, "{out}");
    let never = format!(
        "The plug-in {} is never run: `counter` is built in.",
        root.path().join("mass-driver-driver-counter").display()
    );
    assert!(out.contains(&never), "{out}");
    assert!(list(&["drivers", "--info", "counter"]).1.contains(&never));
    let (_, entries, _) = list(&["drivers", "--format", "json"]);
    let entries: Value = serde_json::from_str(&entries).unwrap();
    let hides =
        entries.as_array().unwrap().iter().filter(|entry| entry["hides"].is_string()).map(|entry| &entry["name"]);
    assert_eq!(hides.collect::<Vec<_>>(), ["counter"]);
    let (code, out, _) = list(&["drivers", "--info", "tidy"]);
    assert!(code == 0 && out.contains("Its keys are its own") && out.contains("  driver_name: tidy\n"), "{out}");
    assert!(list(&["scanners"]).1.contains("mass-driver-scanner-tidy"));
    assert!(!list(&["sources"]).1.contains("plain"), "it cannot be run");
}

#[test]
fn completions_know_what_people_see_and_no_more() {
    let root = folder(&[]);
    let (_, help, _) = run(root.path(), &["completions", "--help"]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, err) = run(root.path(), &["completions", shell]);
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(script.contains("view-pr") && script.contains("pr-filelist"), "{shell}");
        assert!(
            !script.contains("sandbox") && !script.contains("Run a program restricted"),
            "{shell} completes what is hidden"
        );
        assert!(
            help.contains(&format!("mass-driver completions {shell} >")),
            "how to install them for {shell}: {help}"
        );
    }
    assert_eq!(run(root.path(), &["completions", "tcsh"]).0, 2);
}

/// The script is one that bash reads, and completes by.
#[cfg(unix)]
#[test]
fn bash_completes_commands_and_options() {
    let root = folder(&[]);
    std::fs::write(root.path().join("completions"), run(root.path(), &["completions", "bash"]).1).unwrap();
    let complete = |words: &str| {
        let script = format!(
            "source ./completions; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             registered=$(complete -p mass-driver); registered=${{registered#*-F }}; ${{registered%% *}} mass-driver \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s ' \"${{COMPREPLY[@]}}\""
        );
        let output = std::process::Command::new("bash").args(["-c", &script]).current_dir(root.path()).output();
        let Ok(output) = output else { return None };
        Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    // A machine without bash has nothing to complete.
    let Some(command) = complete("mass-driver view") else { return };
    assert_eq!(command, "view-pr");
    assert_eq!(complete("mass-driver view-pr --pr-f").unwrap(), "--pr-filelist");
    assert_eq!(complete("mass-driver ca").unwrap(), "");
}
