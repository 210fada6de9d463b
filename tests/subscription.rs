//! The subscription file: what it may say, what its problems look like, and that its JSON Schema agrees.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

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
fn a_delay_by_step_tells_what_is_wrong_with_it() {
    let one = |delay: &str| {
        let found = problems(&format!("subscriptions: [pypi]\ndelay: {delay}\n"));
        assert_eq!(found.len(), 1, "{}", lines(&found));
        found[0].sentence()
    };
    assert_eq!(
        one("{ minor: weakly }"),
        "unknown delay `weakly`, did you mean `weekly`?; use `immediate`, `daily`, `weekly` or `monthly`, a cron line such as `0 6 * * 1`, or a mapping with `every`"
    );
    assert_eq!(
        one("{ mjor: weekly }"),
        "unknown key `mjor` in `delay` by step, did you mean `major`?; use `major`, `minor` or `patch`"
    );
    assert_eq!(
        one("{ minor: weekly, at: '09:00' }"),
        "`at` is not a key of `delay` by step; times stand below a step: `minor: { every: week, on: monday }`"
    );
    assert_eq!(one("{ minor: }"), "`minor` has no value; write one, or remove the key");
    assert_eq!(one("{}"), "`every` is missing in `delay`; add it: the round: `day`, `week` or `month`");
    assert!(one("3").contains("a delay must be a text"));
}

#[test]
fn files_stored_before_delays_had_steps_are_read() {
    let stored = serde_json::to_value(file("delay: weekly\nsubscriptions: [pypi]")).unwrap();
    let delay = &stored["subscriptions"][0]["delay"];
    assert_eq!(delay, &serde_json::json!({ "schedule": { "weekly": { "on": ["monday"], "at": "06:00:00" } } }));
    assert_eq!(serde_json::from_value::<Delays>(serde_json::json!("immediate")).unwrap(), Delays::default());
}

#[test]
fn a_misspelled_migration_is_told_with_its_place_and_the_right_word() {
    let [problem] = &problems("subscriptions:\n  - migration: pipy\n")[..] else { panic!("one problem") };
    assert_eq!((problem.line, problem.column, problem.length), (2, 16, 4));
    assert_eq!(problem.what, "unknown migration `pipy`, did you mean `pypi`?");
}

/// What people call an ecosystem leads to its word; the name of one that is not served leads nowhere.
#[rstest]
#[case("npm", &["javascript", "JavaScript", "typescript", "node", "nodejs", "Node.js", "js", "yarn", "pnpm", "bun", "NPM", "nmp", "npmjs"])]
#[case("cargo", &["rust", "crates", "crate", "crates.io", "Cargo", "crago", "carg"])]
#[case("pypi", &["PyPI", "pip3", "poetry", "uv", "pipenv", "pdm", "Python", "pyton", "py", "setuptools"])]
#[case("github-actions", &["actions", "action", "gha", "github", "github_actions", "GitHub Actions", "githubactions", "github-action", "gh-actions", "workflows"])]
#[case("docker", &["image", "images", "container", "containers", "oci", "compose", "docker-compose", "docker_compose", "Docker", "dokcer", "Dockerfile", "podman"])]
#[case("pre-commit", &["precommit", "pre_commit", "Pre-Commit", "pre-comit", "hooks"])]
fn other_words_for_an_ecosystem_lead_to_it(#[case] word: &str, #[case] written: &[&str]) {
    for written in written {
        let found = problems(&format!("subscriptions: ['{written}']\n"));
        assert_eq!(found[0].what, format!("unknown migration `{written}`, did you mean `{word}`?"));
    }
}

#[test]
fn names_of_what_is_not_served_lead_to_nothing_else() {
    for written in [
        "composer",
        "go",
        "gomod",
        "maven",
        "gradle",
        "nuget",
        "bundler",
        "ruby",
        "rubygems",
        "terraform",
        "helm",
        "hex",
        "pub",
        "swift",
        "conda",
        "nix",
        "gitlab",
        "gitsubmodule",
        "make",
        "all",
        "java",
        "c",
        "php",
    ] {
        let found = problems(&format!("subscriptions: [{written}]\n"));
        assert_eq!(found[0].what, format!("unknown migration `{written}`"));
    }
}

#[rstest]
#[case("pypi, npm", "[pypi, npm]")]
#[case("python docker  cargo", "[python, docker, cargo]")]
fn a_list_without_brackets_is_called_that(#[case] written: &str, #[case] list: &str) {
    let found = problems(&format!("subscriptions: {written}\n"));
    assert_eq!(found[0].what, format!("`{written}` is one text, and no list"));
    assert_eq!(found[0].fix, format!("write `{list}`"));
}

#[test]
fn a_migration_written_as_a_key_is_known_by_its_other_words_too() {
    let found = problems("subscriptions:\n  - javascript:\n      delay: weekly\n");
    assert_eq!(found[0].what, "the migration `javascript` is written as a key", "{}", lines(&found));
    assert!(found[0].fix.starts_with("write `- migration: npm`"), "{}", found[0].fix);
}

/// A character that is no part of a text is pointed at where it stands, and not called the beginning of a value.
#[rstest]
#[case("labels: [\"a\u{7}b\"]\nsubscriptions: [pypi]", (1, 12), "\\u{7}")]
#[case("labels: ['a\u{7}b']\nsubscriptions: [pypi]", (1, 12), "\\u{7}")]
#[case("subscriptions: [pypi]\nlabels: [a\u{1b}b]", (2, 11), "\\u{1b}")]
#[case("# a\u{0}\nsubscriptions: [pypi]", (1, 4), "\\u{0}")]
#[case("subscriptions: [pypi] # \u{85}\u{80}", (1, 26), "\\u{80}")]
#[case("a: |\r\n  x\r\n  y\u{1b}\n", (3, 4), "\\u{1b}")]
fn a_control_character_is_called_one(#[case] text: &str, #[case] place: (u32, u32), #[case] shown: &str) {
    let found = problems(text);
    let problem = found.iter().find(|p| p.what.contains("character")).unwrap_or_else(|| panic!("{}", lines(&found)));
    assert_eq!(problem.what, format!("the control character `{shown}` stands here"));
    assert_eq!(((problem.line, problem.column), problem.length), (place, 1));
    assert_eq!(problem.fix, "remove it; it may be invisible in your editor");
}

#[rstest]
#[case("labels: [\"a\\qb\"]\nsubscriptions: [pypi]")]
#[case("labels: [\"a\\xzz\"]\nsubscriptions: [pypi]")]
fn an_unknown_escape_is_called_one(#[case] text: &str) {
    let found = problems(text);
    assert!(found[0].what.contains("an escape (`\\`)"), "{}", lines(&found));
    assert!(found[0].fix.contains("single quotes"), "{}", lines(&found));
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
fn both_names_are_a_problem_that_names_both() {
    let text = both_present().to_string();
    assert!(FILE_NAMES.iter().all(|name| text.contains(name)), "{text}");
}

/// What these guard against takes minutes or gigabytes: then the test runner's own limit ends the test.
#[test]
fn bad_input_18_hostile_files_are_refused() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &(b'b'..=b'z')
            .map(|c| {
                let p = (c - 1) as char;
                format!("{0}: &{0} [{1}]\n", c as char, vec![format!("*{p}"); 9].join(","))
            })
            .collect::<String>();
    let deep_map = (0..600).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>();
    let cases: Vec<(&str, String, &str)> = vec![
        ("alias bomb", bomb, "aliases are not supported"),
        ("flow depth 10,000", "[".repeat(10_000), "nested deeper"),
        ("flow mapping depth 10,000", "{a: ".repeat(10_000), "nested deeper"),
        ("block depth 10,000", "- ".repeat(10_000), "nested deeper"),
        ("indented depth", deep_map, "nested deeper"),
        ("10 MB", "# comment\n".repeat(1_000_000), "the file is larger than 262,144 bytes"),
        ("10 MB in one line", "x".repeat(10_000_000), "the file is larger than 262,144 bytes"),
        ("many nodes", format!("subscriptions: [{}]", "pypi, ".repeat(40_000)), "more than 5000 keys"),
        ("many keys", (0..20_000).map(|n| format!("k{n}: 1\n")).collect(), "unknown key"),
        ("many equal keys", "subscriptions: pypi\n".repeat(10_000), "is here twice"),
        (
            "many entries",
            format!("subscriptions:\n{}", "  - {migration: pypi, paths: 'a/**/{b,c}*'}\n".repeat(1_200)),
            "never applies",
        ),
        ("long name", format!("subscriptions: [{}]", "a".repeat(200_000)), "unknown migration"),
        (
            "long glob",
            format!("subscriptions: [{{migration: pypi, paths: '{}'}}]", "{a,b}".repeat(20_000)),
            "longer than 200",
        ),
        ("long number", format!("limit: {}\nsubscriptions: [pypi]", "9".repeat(200_000)), "whole number"),
        ("long age", format!("min_age: {}d\nsubscriptions: [pypi]", "9".repeat(200_000)), "too large"),
        ("long cron", format!("delay: {} * * * *\nsubscriptions: [pypi]", "1,".repeat(100_000)), "longer than"),
        ("many quotes", "'".repeat(250_001), "quote"),
        ("many colons", ": ".repeat(100_000), ""),
        ("many questions", "? ".repeat(100_000), ""),
        ("many anchors", (0..20_000).map(|n| format!("- &a{n} x\n")).collect(), "anchors"),
        ("many tags", "- !!str x\n".repeat(20_000), "tags"),
    ];
    for (name, text, expected) in cases {
        let problems = problems(&text);
        assert!(problems.len() <= 101, "{name}: {} problems", problems.len());
        assert!(problems.iter().any(|problem| problem.what.contains(expected)), "{name}: {}", lines(&problems));
        assert!(problems.iter().all(|problem| problem.to_string().len() < 600), "{name} is quoted at length");
        assert!(problems.iter().all(|problem| problem.line > 0 && problem.column > 0), "{name} has no place");
    }
}

#[test]
fn bad_input_18_wrong_types_are_told_line_by_line() {
    let found = problems("timezone: [1]\nlimit: many\nlabels: { a: 1 }\nmin_age: true\nsubscriptions: 7\n");
    assert_eq!(found.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1, 2, 3, 4, 5], "{}", lines(&found));
}

#[test]
fn mistakes_before_a_broken_line_are_told_too() {
    let found = lines(&problems("delay: weakly\nsubscriptions:\n  - migration: pipy\n  - {migration: docker\n"));
    assert!(found.contains("weakly") && found.contains("pipy") && found.contains("never closed"), "{found}");
    assert!(!found.contains("missing"), "what was cut off is not missing: {found}");
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

#[test]
fn a_range_the_ecosystem_cannot_read_is_a_problem_where_it_stands() {
    let text = "subscriptions:\n  - migration: pypi\n    ignore: { name: django, versions: \"5 - 6\" }\n  - migration: docker\n    ignore: [{ name: python, versions: \">=4\" }]\n";
    let found = problems(text);
    assert_eq!(found.len(), 1, "{}", lines(&found));
    assert_eq!((found[0].line, found[0].column), (3, 39));
    assert!(found[0].what.contains("`5 - 6` is not a range of versions for `pypi`"), "{}", found[0].what);
}
