//! What people are told of their mistakes, and that hostile files are refused in as few words.

use super::{lines, problems};
use mass_driver::subscription::*;
use rstest::rstest;

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

#[rstest]
#[case(
    "automerge: pach",
    "`pach` is no step of versions, did you mean `patch`?; use `none`, `patch`, `minor` or `major`"
)]
#[case(
    "automerge: true",
    "`automerge` is no switch: it says which steps are merged; write `patch`, `minor` or `major`: that step and those below it"
)]
#[case("automerge: false", "`automerge` is no switch; write `none`, or remove the key")]
#[case("automerge: []", "`automerge` is empty; write `none`, or remove the key")]
#[case("automerge: [none]", "`none` stands in a list of steps; write `automerge: none`, or remove it")]
#[case("automerge: [minor, minor]", "the step `minor` is here twice; keep one of them")]
#[case(
    "merge_method: sqash",
    "`sqash` is no way of merging, did you mean `squash`?; use `merge`, `squash` or `rebase`"
)]
#[case("reviewers: [alice, '@Alice']", "`@Alice` is here twice; keep one of them")]
#[case(
    "reviewers: a b",
    "`a b` is not a reviewer: it is neither a login, such as `alice`, nor a team, such as `acme/platform`; write for example `alice` or `acme/platform`, or `codeowners`"
)]
#[case(
    "assignees: acme/platform",
    "`acme/platform` is a team, and only people can be assigned; name people, or ask the team in `reviewers`"
)]
#[case(
    "assignees: [a, b, c, d, e, f, g, h, i, j, k]",
    "`k` is one too many: GitHub takes 10 at most; name fewer, or a team"
)]
#[case("draft: yes", "`draft` must be true or false, this is the text `yes`; write `true` or `false`")]
fn what_follows_the_opening_tells_what_is_wrong_with_it(#[case] line: &str, #[case] said: &str) {
    for text in
        [format!("{line}\nsubscriptions: [pypi]\n"), format!("subscriptions: [{{ migration: pypi, {line} }}]\n")]
    {
        let found = problems(&text);
        assert_eq!(found.len(), 1, "{text}: {}", lines(&found));
        assert_eq!(found[0].sentence(), said, "{text}");
    }
}

#[test]
fn a_misspelled_migration_is_told_with_its_place_and_the_right_word() {
    let [problem] = &problems("subscriptions:\n  - migration: pipy\n")[..] else { panic!("one problem") };
    assert_eq!((problem.line, problem.column, problem.length), (2, 16, 4));
    assert_eq!(problem.what, "unknown migration `pipy`, did you mean `pypi`?");
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
fn a_range_the_ecosystem_cannot_read_is_a_problem_where_it_stands() {
    let text = "subscriptions:\n  - migration: pypi\n    ignore: { name: django, versions: \"5 - 6\" }\n  - migration: docker\n    ignore: [{ name: python, versions: \">=4\" }]\n";
    let found = problems(text);
    assert_eq!(found.len(), 1, "{}", lines(&found));
    assert_eq!((found[0].line, found[0].column), (3, 39));
    assert!(found[0].what.contains("`5 - 6` is not a range of versions for `pypi`"), "{}", found[0].what);
}

/// Those that are left out before it, because they are wrong or there twice, do not move the place.
#[test]
fn a_team_among_assignees_is_told_where_it_stands() {
    let found = problems("subscriptions: [pypi]\nassignees: [a b, alice, alice, acme/platform, bob]\n");
    let team = found.iter().find(|problem| problem.what.contains("is a team")).unwrap();
    assert_eq!((found.len(), team.line, team.column), (3, 2, 32), "{}", lines(&found));
}
