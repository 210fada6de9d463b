//! `mass-driver check` and `mass-driver schema`, as a person and a script see them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use jiff::Timestamp;
use mass_driver::cli::check::{CheckArgs, CheckFormat, run};
use mass_driver::cli::{Exit, schema};
use mass_driver::subscription::{FILE_NAMES, ORGANISATION_FILE_NAMES};
use std::path::Path;

const BROKEN: &str = "delay: weakly\nlimit: 0\nlabls: x\nsubscriptions:\n  - migration: pipy\n    min_age: 3x\n";
const GOOD: &str = "timezone: Europe/Paris\ndelay: weekly\nsubscriptions:\n  - migration: pypi\n    min_age: { major: 14d, minor: 3d }\n    group: minor-and-patch\n  - migration: docker\n    delay: immediate\n  - migration: npm\n    paths: web/**\n    delay: \"*/15 8-18 * * mon-fri\"\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// What is printed, without styles and with the temporary folder called `.`.
fn check(folder: &Path, path: &str, format: CheckFormat) -> (Exit, String) {
    let now: Timestamp = "2026-02-25T12:00:00Z".parse().unwrap();
    let mut out = anstream::StripStream::new(Vec::new());
    let result = run(&CheckArgs { path: folder.join(path), format }, now, &mut out);
    let printed = String::from_utf8(out.into_inner()).unwrap();
    let (exit, text) = match result {
        Ok(exit) => (exit, printed),
        Err(error) => (Exit::of(&error), format!("error: {error:#}")),
    };
    (exit, text.replace(folder.to_str().unwrap(), "."))
}

#[test]
fn five_mistakes_are_five_problems_on_their_lines() {
    let folder = folder(&[(FILE_NAMES[0], BROKEN)]);
    let (exit, text) = check(folder.path(), "", CheckFormat::Text);
    assert_eq!(exit, Exit::Failed);
    insta::assert_snapshot!(text);
}

#[test]
fn a_valid_file_is_summed_up() {
    let folder = folder(&[(FILE_NAMES[1], GOOD)]);
    let (exit, text) = check(folder.path(), FILE_NAMES[1], CheckFormat::Text);
    assert_eq!(exit, Exit::Done);
    insta::assert_snapshot!(text);
}

#[test]
fn delays_by_step_are_summed_up_step_by_step() {
    let text = "delay: weekly\nsubscriptions:\n  - pypi\n  - migration: npm\n    delay: { patch: immediate, major: { every: month, on: [1, 15] } }\n";
    let folder = folder(&[(FILE_NAMES[0], text)]);
    let (exit, text) = check(folder.path(), "", CheckFormat::Text);
    assert_eq!(exit, Exit::Done);
    insta::assert_snapshot!(text, @r"
    ./.mass-driver.yaml is valid: 2 subscriptions, at most 5 pull requests open at once, times in UTC
     migration  pull requests                                    next slot                   min age  group  paths
     pypi       every Monday at 06:00                            Mon 2026-03-02 06:00        none     none   all
     npm        major on the 1st and 15th of the month at 06:00  major Sun 2026-03-01 06:00  none     none   all
                minor every Monday at 06:00                      minor Mon 2026-03-02 06:00
                patch at once                                    patch -
    ");
    let (_, text) = check(folder.path(), "", CheckFormat::Json);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["next_slots"], serde_json::json!(["2026-03-02T06:00:00Z", "2026-02-25T12:00:00Z"]));
    assert_eq!(value["file"]["subscriptions"][1]["delay"]["patch"], "immediate");
}

#[test]
fn scripts_get_one_json_object() {
    let folder = folder(&[("good.yaml", "subscriptions: [pypi]"), ("bad.yaml", "subscriptions: [pipy]")]);
    let (exit, text) = check(folder.path(), "good.yaml", CheckFormat::Json);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (exit, &value["valid"], &value["file"]["subscriptions"][0]["migration"]),
        (Exit::Done, &true.into(), &"pypi".into())
    );
    assert_eq!(value["next_slots"][0], "2026-02-25T12:00:00Z");
    let (exit, text) = check(folder.path(), "bad.yaml", CheckFormat::Json);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((exit, &value["valid"], &value["problems"][0]["column"]), (Exit::Failed, &false.into(), &17.into()));
}

#[test]
fn workflows_get_annotations() {
    let folder = folder(&[("a,b.yaml", "subscriptions: [\"100%\"]")]);
    let (exit, text) = check(folder.path(), "a,b.yaml", CheckFormat::Github);
    assert_eq!(exit, Exit::Failed);
    insta::assert_snapshot!(text, @"::error file=./a%2Cb.yaml,line=1,col=17,endColumn=23,title=Mass driver subscription::unknown migration `100%25`; use `pypi`, `docker`, `github-actions`, `pre-commit`, `npm` or `cargo`, or `OWNER/NAME` for an authored migration");
}

#[test]
fn odd_texts_are_shown_without_harm() {
    let long = format!("subscriptions: [pypi] # {}\nx: \u{1b}[31m\ty\n", "é".repeat(5_000));
    for text in [
        long.as_bytes(),
        b"labels: [\xff]",
        b"\xff\xfe",
        b"",
        b"\xef\xbb\xbfdelay: x\r\n",
        b"a: \"\\e\x07\"",
        "é: [日本, `".as_bytes(),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("odd.yaml"), text).unwrap();
        for format in [CheckFormat::Text, CheckFormat::Json, CheckFormat::Github] {
            let (exit, text) = check(folder.path(), "odd.yaml", format);
            assert_eq!(exit, Exit::Failed);
            assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
        }
    }
}

/// It is read up to the limit alone, so its size is not known.
#[test]
fn a_large_file_is_larger_than_what_is_read() {
    let folder = folder(&[(FILE_NAMES[0], &"# a comment\n".repeat(100_000))]);
    let (exit, text) = check(folder.path(), "", CheckFormat::Text);
    assert_eq!(exit, Exit::Failed);
    assert!(text.contains("the file is larger than 262,144 bytes, which is the most that is read"), "{text}");
    assert!(!text.contains("262145"), "{text}");
}

#[test]
fn a_missing_file_is_a_usage_error_that_says_what_to_do() {
    let folder = folder(&[]);
    let (exit, text) = check(folder.path(), "", CheckFormat::Text);
    assert_eq!(exit, Exit::Usage);
    assert_eq!(
        text,
        "error: there is no `.mass-driver.yaml` in `./`. Give the path of a file, or write one: `subscriptions: [pypi]` is enough to begin with"
    );
    let (exit, text) = check(folder.path(), "nowhere", CheckFormat::Text);
    assert_eq!((exit, text.as_str()), (Exit::Usage, "error: there is no file or folder `./nowhere`"));
}

/// The server follows no link either, and says the same.
#[cfg(unix)]
#[test]
fn bad_input_17_what_is_no_file_is_called_by_its_name() {
    let folder = folder(&[("real.yaml", GOOD)]);
    let place = |name: &str| folder.path().join(name);
    for kind in ["link", "dangling", "folder", "pipe", "both"] {
        std::fs::create_dir(place(kind)).unwrap();
    }
    let name = FILE_NAMES[0];
    std::os::unix::fs::symlink("../real.yaml", place("link").join(name)).unwrap();
    std::os::unix::fs::symlink("nowhere.yaml", place("dangling").join(name)).unwrap();
    std::fs::create_dir(place("folder").join(name)).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(place("pipe").join(name)).status().unwrap().success());
    std::fs::write(place("both").join(name), GOOD).unwrap();
    std::os::unix::fs::symlink(name, place("both").join(FILE_NAMES[1])).unwrap();
    for (kind, expected) in [
        ("link", "it is a symbolic link"),
        ("dangling", "it is a symbolic link"),
        ("folder", "it is a folder"),
        ("pipe", "it is no file but a pipe, a socket or a device"),
        ("both", "both `.mass-driver.yaml` and `.mass-driver.yml` are here"),
    ] {
        for path in [kind.to_owned(), format!("{kind}/{name}")] {
            let (exit, text) = check(folder.path(), &path, CheckFormat::Text);
            let alone = kind == "both" && path.ends_with(name);
            assert_eq!(exit, if alone { Exit::Done } else { Exit::Failed }, "{path}: {text}");
            assert!(alone || text.contains(expected), "{path}: {text}");
            assert!(alone || kind == "both" || text.contains("commit an ordinary file"), "{path}: {text}");
        }
    }
    // Under another name it is the caller's own affair.
    std::os::unix::fs::symlink("real.yaml", place("mine.yaml")).unwrap();
    assert_eq!(check(folder.path(), "mine.yaml", CheckFormat::Text).0, Exit::Done);
}

#[test]
fn both_names_at_once_are_a_problem() {
    let folder = folder(&[(FILE_NAMES[0], GOOD), (FILE_NAMES[1], GOOD)]);
    let (exit, text) = check(folder.path(), "", CheckFormat::Text);
    assert_eq!(exit, Exit::Failed);
    assert!(FILE_NAMES.iter().all(|name| text.contains(&format!("`{name}`"))), "{text}");
}

#[test]
fn the_schema_is_printed() {
    let mut out = Vec::new();
    let args = schema::SchemaArgs { name: schema::SchemaName::Subscription };
    assert_eq!(schema::run(&args, &mut out).unwrap(), Exit::Done);
    let schema: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(schema, mass_driver::subscription::json_schema());
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn an_organisations_file_is_checked_too() {
    let name = ORGANISATION_FILE_NAMES[0];
    let good = folder(&[(name, "onboarding: [\"service-*\"]\nexclude: service-old\n")]);
    let said = "asks for onboarding of the repositories service-*, without service-old";
    for path in ["", name] {
        let (exit, text) = check(good.path(), path, CheckFormat::Text);
        assert_eq!((exit, text), (Exit::Done, format!("./{name} is valid: it {said}\n")));
    }
    let (_, text) = check(good.path(), "", CheckFormat::Json);
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&answer["valid"], &answer["organisation"]["exclude"][0]), (&true.into(), &"service-old".into()));

    let bad = folder(&[(name, "onboarding: [a/b]\n")]);
    let (exit, text) = check(bad.path(), "", CheckFormat::Text);
    assert_eq!(exit, Exit::Failed);
    assert!(
        text.contains("1:14: `a/b` names an owner") || text.contains(":1:14") && text.contains("names an owner"),
        "{text}"
    );
    let (exit, text) = check(bad.path(), "", CheckFormat::Github);
    assert_eq!(exit, Exit::Failed);
    assert!(text.contains("line=1,col=14"), "{text}");

    // A `.github` repository may have subscriptions of its own.
    let both = folder(&[(name, "onboarding: [a/b]\n"), (FILE_NAMES[0], "subscriptions: [pypi]\n")]);
    for (format, words) in [(CheckFormat::Text, "is valid"), (CheckFormat::Github, "col=14")] {
        let (exit, text) = check(both.path(), "", format);
        assert!(exit == Exit::Failed && text.contains(words) && text.contains("names an owner"), "{text}");
    }

    let twice = folder(&[(name, "onboarding: all\n"), (ORGANISATION_FILE_NAMES[3], "onboarding: all\n")]);
    let (exit, text) = check(twice.path(), "", CheckFormat::Text);
    assert!(exit == Exit::Failed && text.contains("under several names"), "{text}");
}

#[test]
fn the_schema_of_the_organisations_file_is_printed() {
    let mut out = Vec::new();
    schema::run(&schema::SchemaArgs { name: schema::SchemaName::Organisation }, &mut out).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}
