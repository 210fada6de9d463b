//! Release notes and links in the text of a pull request, and what strangers try with names and notes.

use crate::hostile::is_branch;
use crate::scene::{at, package};
use mass_driver::domain::{Ecosystem, PackageLinks, ReleaseNotes, RepoPath, Site, Update, VersionStep};
use mass_driver::planner::prose::{self, Occasion};
use std::collections::BTreeSet;

fn update(ecosystem: Ecosystem, name: &str, from: &str, to: &str) -> Update {
    let site = Site {
        path: RepoPath::parse("requirements.txt").unwrap(),
        manager: "requirements".into(),
        line: 3,
        from: from.into(),
        constraint: format!("=={from}"),
        digest: None,
        hashed: false,
        python: None,
    };
    let time = at("2026-03-04");
    Update {
        refresh: None,
        package: package(ecosystem, name),
        to: to.into(),
        step: VersionStep::Minor,
        sites: vec![site],
        released_at: time,
        eligible_at: time,
        due_at: time,
        terms: Vec::new(),
    }
}

fn noted(name: &str, version: &str, title: &str, text: &str) -> ReleaseNotes {
    ReleaseNotes {
        package: package(Ecosystem::Pypi, name),
        version: version.into(),
        title: title.into(),
        text: text.into(),
        url: Some(format!("https://github.com/acme/{name}/releases/tag/{version}")),
    }
}

fn linked(name: &str) -> PackageLinks {
    let on_github = |path: &str| Some(format!("https://github.com/acme/{name}{path}"));
    PackageLinks {
        package: package(Ecosystem::Pypi, name),
        source: on_github(""),
        changelog: on_github("/blob/main/CHANGELOG.md"),
        homepage: Some(format!("https://{name}.example.com")),
        compare: on_github("/compare/1.0...1.2"),
    }
}

fn body(updates: &[Update], notes: &[ReleaseNotes], links: &[PackageLinks]) -> String {
    let timezone = jiff::tz::TimeZone::UTC;
    let occasion =
        Occasion { timezone: &timezone, delay: "weekly", file: ".mass-driver.yaml", lock_files: &[], notes, links };
    prose::body(updates, &occasion)
}

const GENERATED: &str = "## What's Changed\r\n* Keep connections open by @octocat in https://github.com/acme/httpx/pull/12\r\n* \
    Fix the reading of empty answers, fixes #34\r\n\r\n## New Contributors\r\n* @hubot made their first contribution in \
    https://github.com/acme/httpx/pull/13\r\n\r\n**Full Changelog**: https://github.com/acme/httpx/compare/1.1...1.2\r\n";

#[test]
fn a_body_with_the_notes_of_one_update() {
    let updates = [update(Ecosystem::Pypi, "httpx", "1.0", "1.2")];
    let notes = [
        noted("httpx", "1.1", "1.1", "- The first of two.\n"),
        noted("httpx", "1.2", "Faster, and kinder to servers", GENERATED),
        noted("httpx", "1.0", "", "What is in use already.\n"),
        noted("httpx", "1.3", "", "What is newer than asked for.\n"),
        noted("other", "1.2", "", "Of another package.\n"),
    ];
    insta::assert_snapshot!(body(&updates, &notes, &[linked("httpx")]));
}

#[test]
fn a_body_with_the_notes_of_a_group() {
    let updates = [update(Ecosystem::Pypi, "httpx", "1.0", "1.2"), update(Ecosystem::Pypi, "idna", "1.0", "1.1")];
    let notes = [
        noted("httpx", "1.2", "v1.2", "Faster.\n\n```python\nhttpx.get(url)\n```\n"),
        noted("idna", "1.1", "", "# 1.1\n\nNew *tables*.\n\n| Table | Rows |\n| --- | --- |\n| a | 1 |\n"),
    ];
    insta::assert_snapshot!(body(&updates, &notes, &[linked("httpx"), linked("idna")]));
}

#[test]
fn links_alone_are_a_section_too() {
    let updates = [update(Ecosystem::Pypi, "httpx", "1.0", "1.2")];
    let hostile = PackageLinks {
        package: package(Ecosystem::Pypi, "httpx"),
        source: Some("https://github.com/acme/httpx".into()),
        changelog: Some("javascript:alert(1)".into()),
        homepage: Some("https://user@evil.example".into()),
        compare: Some("https://github.com/acme/httpx".into()),
    };
    let text = body(&updates, &[], &[hostile]);
    assert!(
        text.contains("\n\n### Read more\n\n- `httpx`: [source](https://github.com/acme/httpx)\n\n---\n"),
        "{text}"
    );
    let without = body(&updates, &[], &[]);
    assert!(!without.contains("###  Read more") && !without.contains("What is new") && !without.contains("\n\n\n"));
    assert_eq!(body(&updates, &[noted("httpx", "1.2", "", " \n")], &[]), without, "empty notes are none");
}

/// What is outside of the folds, and what is in them.
fn folds(body: &str) -> (String, Vec<&str>) {
    let mut parts = body.split("<details>\n");
    let mut outside = parts.next().unwrap().to_string();
    let folds = parts.map(|part| {
        let (fold, rest) = part.split_once("</details>\n").expect("a fold ends");
        outside.push_str(rest);
        fold
    });
    let folds = folds.collect();
    (outside, folds)
}

#[test]
fn security_04_notes_stay_in_their_fold() {
    let traps = "</details>\n\n<!-- \n\n```\n@octocat fixes #1\n\n[x]: y\n";
    let updates = [update(Ecosystem::Pypi, "httpx", "1.0", "1.2")];
    let text = body(&updates, &[noted("httpx", "1.2", "</details> @octocat fixes #1 <!--", traps)], &[]);
    let (outside, folds) = folds(&text);
    assert_eq!(folds.len(), 1, "{text}");
    assert!(outside.contains("- **Merge** it when it suits you.") && !outside.contains("octocat"), "{text}");
    assert!(folds[0].contains("`@octocat` fixes `#1`"), "{text}");
}

#[test]
fn security_05_templates_trailers_and_words_for_ci_are_letters_or_gone() {
    let trap = "{{secrets}} ${{ secrets.TOKEN }}\n\nSkip-Checks: true\nCo-authored-by: Octocat <octocat@example.com>\n[skip ci] `[ci skip]`";
    let updates = [update(Ecosystem::Pypi, trap, trap, trap), update(Ecosystem::Pypi, "b", "1", "2")];
    let title = prose::title("pypi all", &updates);
    let message = prose::commit_message(&title, &updates);
    for text in [&title, &message] {
        for part in ["{{", "[skip", "[ci", "skip-checks:", "co-authored-by:", "\nSkip"] {
            assert!(!text.to_lowercase().contains(part), "{part} in {text}");
        }
    }
    let notes = ReleaseNotes {
        package: updates[0].package.clone(),
        version: trap.into(),
        title: trap.into(),
        text: format!("{trap}\n\n    {trap}\n"),
        url: None,
    };
    let text = body(&updates, &[notes], &[]);
    assert!(text.contains("`{{secrets}}` `${{ secrets.TOKEN }}`"), "shown as it is: {text}");
    let (_, folds) = folds(&text);
    for part in ["[skip ci]", "[ci skip]", "<octocat@"] {
        assert!(folds.len() == 1 && !folds[0].contains(part), "{part} in {text}");
    }
    assert!(text.trim_end().ends_with("or not at all (`ignore`)."), "no trailer is last: {text}");
}

#[test]
fn bad_input_22_names_that_no_branch_can_have_get_one_each() {
    let long = "n".repeat(300);
    let names = [
        "a b", "a..b", "..", "a@{b", "@", "x.lock", "a/b.lock", ".lock", "a.", "-a", "a//b", "/a", "a~1", "a^", "a:b",
        "a?b", "a*b", "a[b", "a\\b", "a\u{7f}b", "a\tb", "ü", "日本", "", &long, "Case", "case", "CASE",
    ];
    let mut branches = BTreeSet::new();
    for name in names {
        let updates = [update(Ecosystem::Npm, name, "1.0", "1.2")];
        let branch = prose::branch(&format!("npm/{name}"), &updates, &prose::content_hash(&updates), |_| false);
        assert!(is_branch(&branch) && branch.is_ascii() && branch.len() < 120, "{name}: {branch}");
        assert_eq!(branch, branch.to_lowercase(), "{name}: some disks take two cases for one");
        assert!(branches.insert(branch.clone()), "{name}: {branch} is taken");
    }
}

#[test]
fn bad_input_23_titles_and_bodies_are_cut_cleanly() {
    let long = "é".repeat(257);
    for count in [1, 2, 3, 400] {
        let updates: Vec<Update> =
            (0..count).map(|n| update(Ecosystem::Pypi, &format!("{n:03}-{}", "n".repeat(250)), &long, &long)).collect();
        assert!(prose::title("group a", &updates).chars().count() <= 256);
        let notes: Vec<ReleaseNotes> = updates
            .iter()
            .map(|update| ReleaseNotes {
                package: update.package.clone(),
                version: update.to.clone(),
                title: "🦀 @octocat ".repeat(100),
                text: format!("- 🦀\n\n```\n{}", "日本語 `code`\n".repeat(10_000)),
                url: Some(format!("https://example.com/{}", "é/".repeat(300))),
            })
            .collect();
        let text = body(&updates, &notes, &[]);
        assert!(text.chars().count() <= 58_000, "{count}: {}", text.chars().count());
        assert!(text.ends_with("or not at all (`ignore`).\n"), "{text}");
        let (outside, folds) = folds(&text);
        assert!(outside.contains("### Why now") && outside.matches("```").count() == 0, "{text}");
        for fold in &folds {
            assert!(fold.trim_end().ends_with("… (cut)"), "{count}: {fold}");
            assert_eq!(fold.lines().filter(|line| line.starts_with("```")).count() % 2, 0, "{fold}");
        }
        assert!(count == 400 || folds.len() == count, "{count}: {}", folds.len());
    }
}

#[test]
fn tables_have_the_first_right_to_the_room() {
    let names: Vec<String> = (0..60).map(|n| format!("package-{n:02}")).collect();
    let updates: Vec<Update> = names.iter().map(|name| update(Ecosystem::Pypi, name, "1.0", "1.2")).collect();
    let notes: Vec<ReleaseNotes> =
        names.iter().map(|name| noted(name, "1.2", "", &"A change.\n\n".repeat(1_000))).collect();
    let links: Vec<PackageLinks> = names.iter().map(|name| linked(name)).collect();
    let text = body(&updates, &notes, &links);
    assert!(text.chars().count() <= 58_000);
    for name in &names {
        assert!(text.matches(&format!("| `{name}` |")).count() == 2, "{name} is in both tables: {text}");
    }
    assert!(text.contains("### What is new"), "{text}");
}
