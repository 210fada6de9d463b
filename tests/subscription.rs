//! The subscription file: what it may say, what its problems look like, and that its JSON Schema agrees.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "subscription/mistakes.rs"]
mod mistakes;
#[path = "subscription/organisation.rs"]
mod organisation;
#[path = "subscription/pointless.rs"]
mod pointless;

use jiff::SignedDuration;
use mass_driver::domain::{Ecosystem, PackageId, RepoPath, VersionStep};
use mass_driver::subscription::*;
use rstest::rstest;
use std::path::{Path, PathBuf};

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/subscription").join(folder);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml")).collect();
    files.sort();
    assert!(files.len() > 4, "the fixtures are there");
    files
}

/// Compares with the snapshot beside the fixture.
fn assert_beside(fixture: &Path, text: String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(fixture.parent().unwrap());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(fixture.file_stem().unwrap().to_str().unwrap(), text));
}

fn schema() -> jsonschema::Validator {
    let schema = json_schema();
    jsonschema::meta::validate(&schema).expect("the schema is a schema");
    jsonschema::validator_for(&schema).unwrap()
}

fn as_json(bytes: &[u8]) -> Option<serde_json::Value> {
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}');
    serde_saphyr::from_str(text).ok()
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn file(text: &str) -> SubscriptionFile {
    parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{}", lines(&problems)))
}

fn problems(text: &str) -> Vec<Problem> {
    parse(text.as_bytes()).expect_err(text)
}

#[test]
fn valid_files_are_read_and_the_schema_takes_them() {
    let schema = schema();
    for fixture in fixtures("valid") {
        let bytes = std::fs::read(&fixture).unwrap();
        let file = parse(&bytes).unwrap_or_else(|problems| panic!("{}: {}", fixture.display(), lines(&problems)));
        let stored = serde_json::to_string_pretty(&file).unwrap();
        assert_eq!(serde_json::from_str::<SubscriptionFile>(&stored).unwrap(), file, "what is stored comes back");
        let written = as_json(&bytes).unwrap();
        let complaints: Vec<_> = schema.iter_errors(&written).map(|error| error.to_string()).collect();
        assert!(complaints.is_empty(), "{}: {complaints:?}", fixture.display());
        assert_beside(&fixture, stored);
    }
}

#[test]
fn problems_of_files_that_the_schema_refuses_too() {
    let schema = schema();
    for fixture in fixtures("invalid") {
        let bytes = std::fs::read(&fixture).unwrap();
        assert!(!schema.is_valid(&as_json(&bytes).unwrap()), "{}", fixture.display());
        assert_beside(&fixture, lines(&parse(&bytes).unwrap_err()));
    }
}

#[test]
fn problems_that_only_reading_finds() {
    for fixture in fixtures("subtle") {
        let problems = parse(&std::fs::read(&fixture).unwrap()).expect_err(&fixture.display().to_string());
        assert_beside(&fixture, lines(&problems));
    }
}

#[rstest]
#[case("subscriptions: pypi", "subscriptions: [pypi]")]
#[case("subscriptions: [pypi]", "subscriptions: [{ migration: pypi }]")]
#[case("subscriptions: { migration: pypi }", "subscriptions: [{ migration: pypi }]")]
#[case("subscriptions: [dockerfile]", "subscriptions: [docker]")]
#[case("labels: a\nsubscriptions: [pypi]", "labels: [a]\nsubscriptions: [pypi]")]
#[case("automerge: minor\nsubscriptions: [pypi]", "automerge: [patch, minor]\nsubscriptions: [pypi]")]
#[case("automerge: patch\nsubscriptions: [{ migration: pypi, automerge: none }]", "subscriptions: [pypi]")]
#[case("reviewers: ['@alice', acme/x]\nsubscriptions: [pypi]", "reviewers: [alice, '@acme/x']\nsubscriptions: [pypi]")]
#[case(
    "subscriptions: [{ migration: pypi, ignore: django }]",
    "subscriptions: [{ migration: pypi, ignore: [{ name: django }] }]"
)]
#[case("subscriptions: [{ migration: pypi, paths: a/b }]", "subscriptions: [{ migration: pypi, paths: [a/b] }]")]
#[case(
    "min_age: 3d\nsubscriptions: [pypi]",
    "min_age: { major: 3d, minor: 72h, patch: 3 days }\nsubscriptions: [pypi]"
)]
#[case("delay: daily\nsubscriptions: [pypi]", "delay: { every: day }\nsubscriptions: [pypi]")]
#[case(
    "delay: weekly\nsubscriptions: [pypi]",
    "delay: { every: week, on: [monday], at: \"06:00\" }\nsubscriptions: [pypi]"
)]
#[case("delay: monthly\nsubscriptions: [pypi]", "delay: { every: month, on: 1, at: 6:00 }\nsubscriptions: [pypi]")]
#[case("delay: weekly\nsubscriptions: [pypi]", "subscriptions: [pypi]\ndelay: weekly")]
#[case("delay: weekly\nsubscriptions: [pypi]", "subscriptions: [{ migration: pypi, delay: weekly }]")]
#[case(
    "delay: weekly\nsubscriptions: [pypi]",
    "delay: { major: weekly, minor: { every: week }, patch: { every: week, on: mon } }\nsubscriptions: [pypi]"
)]
#[case(
    "delay: { patch: immediate, minor: daily, major: weekly }\nsubscriptions: [pypi]",
    "delay: weekly\nsubscriptions: [{ migration: pypi, delay: { minor: daily, patch: immediate } }]"
)]
#[case(
    "delay: { minor: daily }\nsubscriptions: [pypi]",
    "subscriptions: [{ migration: pypi, delay: { minor: daily } }]"
)]
#[case("labels: x\nsubscriptions: [{ migration: pypi, labels: [] }]", "subscriptions: [pypi]")]
fn two_ways_to_say_the_same(#[case] one: &str, #[case] other: &str) {
    let without_lines = |text: &str| {
        let mut file = file(text);
        file.labels.clear();
        for subscription in &mut file.subscriptions {
            subscription.line = 0;
            subscription.ignore.iter_mut().for_each(|rule| rule.line = 0);
        }
        file
    };
    assert_eq!(without_lines(one), without_lines(other));
}

#[test]
fn a_subscription_overrides_the_defaults_of_the_file() {
    let file = file(
        "delay: weekly\nmin_age: 5d\ngroup: all\nlabels: [a]\nsubscriptions:\n  - pypi\n  - migration: docker\n    delay: immediate\n    min_age: { major: 14d }\n    group: none\n    labels: [b]\n",
    );
    let [pypi, docker] = &file.subscriptions[..] else { panic!("two subscriptions") };
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    assert_eq!(
        (pypi.delay.to_string().as_str(), pypi.min_age, &pypi.group),
        ("every Monday at 06:00", MinAge::same(days(5)), &Grouping::All)
    );
    assert_eq!(
        (&docker.delay, &docker.group, &docker.labels[..]),
        (&Delays::same(Delay::Immediate), &Grouping::None, &["b".to_owned()][..])
    );
    assert_eq!(docker.min_age.for_step(VersionStep::Major), days(14));
    assert_eq!(docker.min_age.for_step(VersionStep::Patch), days(5), "steps left out keep the file's default");
    assert_eq!((pypi.line, docker.line), (6, 7));
}

#[test]
fn a_file_falls_to_the_first_subscription_that_matches() {
    let text = "subscriptions:\n  - { migration: pypi, paths: [services/**] }\n  - pypi\n  - { migration: docker, paths: ['*/Dockerfile'] }\n";
    let file = file(text);
    let line =
        |ecosystem, path: &str| file.subscription_for(ecosystem, &RepoPath::parse(path).unwrap()).map(|one| one.line);
    assert_eq!(line(Ecosystem::Pypi, "services/a/requirements.txt"), Some(2));
    assert_eq!(line(Ecosystem::Pypi, "requirements.txt"), Some(3));
    assert_eq!(line(Ecosystem::Docker, "web/Dockerfile"), Some(4));
    assert_eq!(line(Ecosystem::Docker, "web/api/Dockerfile"), None, "`*` stays within a part of the path");
}

#[test]
fn ignore_rules_know_how_each_ecosystem_spells_names() {
    let file = file(
        "subscriptions: [{ migration: pypi, ignore: [Typing.Extensions, 'zope._*', 'types-*', python, ghcr.example.com/acme/*] }]",
    );
    let ignored = |ecosystem, name: &str| {
        let package = PackageId { ecosystem, name: name.into() };
        file.subscriptions[0].ignore.iter().any(|rule| rule.names(&package))
    };
    assert!(ignored(Ecosystem::Pypi, "typing-extensions") && ignored(Ecosystem::Pypi, "types-requests"));
    assert!(ignored(Ecosystem::Pypi, "zope-interface"));
    assert!(!ignored(Ecosystem::Pypi, "requests-types"));
    assert!(
        ignored(Ecosystem::Docker, "library/python") && ignored(Ecosystem::Docker, "ghcr.example.com/acme/team/base")
    );
    assert!(!ignored(Ecosystem::Docker, "acme/python"));
}

/// As people write them, and as their files have them.
#[rstest]
#[case(Ecosystem::Npm, "'@scope/*'", &["@scope/name", "@scope/other"], &["scope", "@scoped/name"])]
#[case(Ecosystem::Npm, "'@Scope/name'", &["@scope/name"], &["@scope/name-x", "name"])]
#[case(Ecosystem::Npm, "eslint-*", &["eslint-plugin-x"], &["@x/eslint-plugin", "eslint"])]
#[case(Ecosystem::GithubActions, "Actions/Cache", &["actions/cache"], &["actions/cache-x", "x/actions/cache"])]
#[case(Ecosystem::GithubActions, "actions/*", &["actions/cache", "actions/checkout"], &["acme/actions"])]
#[case(Ecosystem::PreCommit, "github.com/psf/black", &["github.com/psf/black"], &["gitlab.com/psf/black"])]
#[case(Ecosystem::PreCommit, "psf/black", &["github.com/psf/black", "gitlab.com/psf/black"], &["github.com/x/psf/black"])]
#[case(Ecosystem::PreCommit, "psf/*", &["github.com/psf/black"], &["github.com/acme/black"])]
#[case(Ecosystem::PreCommit, "https://github.com/psf/black", &["github.com/psf/black"], &["github.com/psf/blacken"])]
#[case(Ecosystem::PreCommit, "https://github.com/psf/black.git", &["github.com/psf/black"], &[])]
#[case(Ecosystem::Cargo, "serde-json", &["serde_json", "serde-json"], &["serde"])]
#[case(Ecosystem::Cargo, "serde_*", &["serde_json", "serde-yaml"], &["serde"])]
#[case(Ecosystem::Docker, "registry.example.com:5000/*", &["registry.example.com:5000/acme/base"], &["library/python"])]
#[case(Ecosystem::Pypi, "Typing.Extensions", &["typing-extensions"], &["typing"])]
fn an_ignore_rule_names_packages_as_people_do(
    #[case] ecosystem: Ecosystem,
    #[case] rule: &str,
    #[case] ignored: &[&str],
    #[case] others: &[&str],
) {
    let file = file(&format!("subscriptions: [{{ migration: {ecosystem}, ignore: {rule} }}]"));
    let names = |name: &str| file.subscriptions[0].ignore[0].names(&PackageId { ecosystem, name: name.into() });
    for name in ignored {
        assert!(names(name), "{name}");
    }
    for name in others {
        assert!(!names(name), "{name}");
    }
}

#[test]
fn files_stored_before_delays_had_steps_are_read() {
    let stored = serde_json::to_value(file("delay: weekly\nsubscriptions: [pypi]")).unwrap();
    let delay = &stored["subscriptions"][0]["delay"];
    assert_eq!(delay, &serde_json::json!({ "schedule": { "weekly": { "on": ["monday"], "at": "06:00:00" } } }));
    assert_eq!(serde_json::from_value::<Delays>(serde_json::json!("immediate")).unwrap(), Delays::default());
}

#[test]
fn a_time_zone_is_a_name_of_the_database() {
    for odd in [
        "+02:00",
        "CET-1CEST",
        "../../../etc/passwd",
        "/etc/localtime",
        "posix/Europe/Paris",
        "right/UTC",
        "posixrules",
        "leapseconds",
        "Europe",
        "Etc/Unknown",
        "local",
        "x",
    ] {
        let text = format!("timezone: '{odd}'\nsubscriptions: [pypi]");
        assert!(parse(text.as_bytes()).is_err(), "{odd}");
    }
    for good in ["UTC", "Europe/Paris", "america/argentina/buenos_aires", "EST5EDT", "Etc/GMT+5", "GB"] {
        let file = file(&format!("timezone: {good}\nsubscriptions: [pypi]"));
        assert!(file.timezone.iana_name().unwrap().eq_ignore_ascii_case(good));
        assert_eq!(serde_json::from_str::<SubscriptionFile>(&serde_json::to_string(&file).unwrap()).unwrap(), file);
    }
}

#[test]
fn the_documentation_is_right() {
    let text = include_str!("../docs/subscription-file.md");
    let mut blocks = text.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap()).peekable();
    let (mut valid, mut invalid) = (0, 0);
    while let Some((kind, block)) = blocks.next() {
        match kind {
            "yaml" => {
                file(block);
                valid += 1;
            }
            "yaml invalid" => {
                let (_, expected) = blocks.next_if(|(kind, _)| *kind == "text").expect("the problems follow the file");
                assert_eq!(lines(&problems(block)).trim_end(), expected.trim_end());
                invalid += 1;
            }
            other => panic!("a block of {other:?} is not checked"),
        }
    }
    assert!(valid >= 8 && invalid >= 2, "{valid} valid and {invalid} invalid examples were found");

    // Every delay of the table, as it stands there.
    let delays = text.split("| written | pull requests may be opened |").nth(1).unwrap().split("\n\n").next().unwrap();
    let delays: Vec<_> = delays.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(delays.len() == 9, "{delays:?}");
    for delay in delays {
        file(&format!("delay: {delay}\nsubscriptions: [pypi]"));
    }

    // Every key is described, and the caps are those of the code.
    let names = json_schema().to_string();
    for key in
        ["timezone", "limit", "delay", "min_age", "group", "labels", "ignore", "paths", "migration", "subscriptions"]
            .into_iter()
            .chain(["automerge", "merge_method", "reviewers", "assignees", "draft"])
    {
        assert!(names.contains(&format!("\"{key}\"")) && text.contains(&format!("`{key}`")), "{key}");
    }
    assert_eq!(MAX_BYTES, 256 * 1024);
    assert!(text.contains("256 KiB") && text.contains("5,000 keys") && text.contains("16 levels"));
    let long = file(
        "subscriptions:\n  - migration: pypi\n    delay: immediate\n    min_age: { major: 0d, minor: 0d, patch: 0d }\n    group: none\n    ignore: []\n",
    );
    let mut short = file("subscriptions: pypi\n");
    short.subscriptions[0].line = 2;
    assert_eq!(short, long, "the two files that mean the same");
}
