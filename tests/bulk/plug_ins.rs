//! Plug-ins: found on the `PATH`, asked over the protocol, in the sandbox.
#![cfg(target_os = "linux")]

use crate::sandboxed::Den;
use mass_driver::bulk::plug_in::{DriverAnswer, PlugIn, PlugInError, PlugInKind, Reason, Task, discover};
use mass_driver::bulk::sandbox::{Grants, SandboxError};
use mass_driver::domain::{PatchOutcome, SourcedRepository};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::PathBuf;

fn install(den: &Den, file: &str, script: &str) -> PathBuf {
    let program = den.path("bin").join(file);
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    program
}

fn plug_in(den: &Den, kind: PlugInKind, script: &str) -> PlugIn {
    let program = install(den, &format!("mass-driver-{kind}-x"), script);
    let found = discover(den.path("bin").as_os_str())[&kind]["x"].clone();
    assert_eq!(found, PlugIn { kind, name: "x".to_owned(), program });
    found
}

fn repository() -> SourcedRepository {
    let text =
        r#"{"id": "acme/api", "clone_url": "https://git.example.com/acme/api", "patch_data": {"owner": "Dana \"D\""}}"#;
    serde_json::from_str(text).unwrap()
}

/// Has a driver work in the den's clone.
async fn drive(den: &Den, script: &str) -> Result<DriverAnswer, PlugInError> {
    let (config, repository) = (json!({ "old": "a\nb", "n": [1, null] }), repository());
    let (folder, scratch, grants) = (den.path("clone"), den.path("scratch"), Grants::default());
    let task = Task {
        config: &config,
        repository: Some(&repository),
        folder: &folder,
        scratch: &scratch,
        reads: &[],
        grants: &grants,
    };
    plug_in(den, PlugInKind::Driver, script).drive(&den.sandbox, &task).await
}

#[test]
fn plug_ins_are_found_where_a_shell_would_find_them() {
    let den = Den::new();
    for name in
        ["driver-a", "driver-a-b", "scanner-a", "source-a", "driver-", "driver-A", "driver-a.py", "other-a", "driver"]
    {
        install(&den, &format!("mass-driver-{name}"), "");
    }
    std::fs::write(den.path("bin/mass-driver-driver-text"), "no program").unwrap();
    std::fs::create_dir(den.path("bin/mass-driver-driver-folder")).unwrap();
    std::fs::create_dir(den.path("late")).unwrap();
    std::fs::copy(den.path("bin/mass-driver-driver-a"), den.path("late/mass-driver-driver-a")).unwrap();
    std::fs::copy(den.path("bin/mass-driver-driver-a"), den.path("late/mass-driver-driver-late")).unwrap();
    let path = std::env::join_paths([den.path("bin"), den.path("late"), PathBuf::from("relative"), den.path("absent")]);
    let found = discover(&path.unwrap());
    let names = |kind| found[&kind].keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(names(PlugInKind::Driver), ["a", "a-b", "late"]);
    assert_eq!((names(PlugInKind::Scanner), names(PlugInKind::Source)), (vec!["a"], vec!["a"]));
    assert_eq!(found[&PlugInKind::Driver]["a"].program, den.path("bin/mass-driver-driver-a"));
    assert!(discover(OsStr::new("")).is_empty());
}

#[tokio::test]
async fn a_driver_is_told_everything_and_works_in_the_clone() {
    let den = Den::new();
    let script = "cat > request && echo '{\"version\": 1, \"outcome\": \"patched\", \"details\": \"one file\"}'";
    let answer = DriverAnswer { outcome: PatchOutcome::Patched, details: "one file".to_owned() };
    assert_eq!(drive(&den, script).await.unwrap(), answer);
    let request: Value = serde_json::from_slice(&std::fs::read(den.path("clone/request")).unwrap()).unwrap();
    let expected = json!({
        "version": 1,
        "kind": "driver",
        "name": "x",
        "config": { "old": "a\nb", "n": [1, null] },
        "repository": {
            "id": "acme/api",
            "clone_url": "https://git.example.com/acme/api",
            "patch_data": { "owner": "Dana \"D\"" },
        },
        "folder": den.path("clone"),
    });
    assert_eq!(request, expected);
}

#[tokio::test]
async fn scanners_and_sources_answer_in_their_ways() {
    let den = Den::new();
    let (config, folder, scratch, grants) = (json!({}), den.path("clone"), den.path("scratch"), Grants::default());
    let task =
        Task { config: &config, repository: None, folder: &folder, scratch: &scratch, reads: &[], grants: &grants };
    let scanner = plug_in(&den, PlugInKind::Scanner, "echo '{\"version\":1,\"facts\":{\"n\":3}}'");
    assert_eq!(scanner.scan(&den.sandbox, &task).await.unwrap()["n"], 3);
    let answer = "{\"version\":1,\"repositories\":[{\"id\":\"a\",\"clone_url\":\"/a\",\"upstream_branch\":\"dev\"}]}";
    let source = plug_in(&den, PlugInKind::Source, &format!("grep -q repository && exit 9; echo '{answer}'"));
    let found = source.find(&den.sandbox, &task).await.unwrap();
    assert_eq!((found.len(), found[0].upstream_branch.as_deref()), (1, Some("dev")));
    let error = source.drive(&den.sandbox, &task).await.unwrap_err();
    assert!(error.to_string().contains("the source plug-in `x` answered what is not understood"), "{error}");
}

#[tokio::test]
async fn whatever_goes_wrong_names_the_plug_in_and_says_what_it_said() {
    let den = Den::new();
    let script = "echo one >&2; printf 'last \\033[31mwords\\n' >&2; exit 3";
    let error = drive(&den, script).await.unwrap_err();
    let expected = "the driver plug-in `x` failed with exit code 3. It said: one\nlast \u{fffd}[31mwords";
    assert_eq!(error.to_string(), expected);

    let answered = |answer: &str| format!("echo noted >&2; echo '{answer}'");
    for (answer, expected) in [
        (
            "{\"version\":7,\"outcome\":\"patched\"}",
            "speaks version 7 of the protocol; this mass-driver speaks version 1",
        ),
        ("Working on it\n{\"version\":1,\"outcome\":\"patched\"}", "It began with: Working on it"),
        ("{\"version\":1,\"outcome\":\"patched\"}\ndone", "trailing characters"),
        ("{\"version\":1,\"outcome\":\"fixed\"}", "unknown variant `fixed`"),
        ("", "nothing was written to standard output"),
    ] {
        let said = drive(&den, &answered(answer)).await.unwrap_err().to_string();
        assert!(said.starts_with("the driver plug-in `x` ") && said.contains(expected), "{said}");
        assert!(said.ends_with("It said: noted"), "{said}");
    }
    let error = drive(&den, &format!("while :; do echo {}; done", "x".repeat(1 << 10))).await.unwrap_err();
    assert!(matches!(error.reason(), Reason::Sandbox(SandboxError::TooMuchOutput { .. })), "{error}");
}

#[tokio::test]
async fn a_plug_in_that_reads_nothing_of_a_long_request_is_fine() {
    let den = Den::new();
    let (config, folder, scratch, grants) =
        (json!("x".repeat(1 << 20)), den.path("clone"), den.path("scratch"), Grants::default());
    let task =
        Task { config: &config, repository: None, folder: &folder, scratch: &scratch, reads: &[], grants: &grants };
    let driver = plug_in(&den, PlugInKind::Driver, "echo '{\"version\":1,\"outcome\":\"does_not_apply\"}'");
    assert_eq!(driver.drive(&den.sandbox, &task).await.unwrap().outcome, PatchOutcome::DoesNotApply);
}

#[tokio::test]
async fn a_plug_in_reads_nothing_at_home() {
    let den = Den::new();
    let secret = den.path("home/secret");
    let error = drive(&den, &format!("cat {}", secret.display())).await.unwrap_err();
    assert!(!error.to_string().contains("hunter2") && error.to_string().contains("ermission denied"), "{error}");
}
