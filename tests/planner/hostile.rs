//! Names that nobody would give: what is made of them is a branch that git takes, and prose that does nothing.

use crate::scene::{at, package};
use mass_driver::domain::{Ecosystem, RepoPath, Site, Update, VersionStep};
use mass_driver::planner::prose::{self, Occasion};
use proptest::prelude::*;

const TRAPS: [&str; 27] = [
    "a..b",
    "a@{1}",
    "x.lock",
    ".lock",
    "-",
    "",
    "a`b",
    "``",
    "a|b",
    "a\\|b",
    "@octocat",
    "#1",
    "fixes #1",
    "closes GH-1",
    "https://example.com/acme/api/issues/1",
    "<img src=x>",
    "safe\u{202e}txt",
    "a\u{200b}@b",
    "x\n\n[skip ci]",
    "{{secret}}",
    "[a](javascript:x)",
    "a//b/../c~^:?*",
    "@scope/name",
    "@scope/.name",
    "owner/repo",
    "github.com/owner/repo",
    "v4",
];

fn hostile() -> impl Strategy<Value = String> {
    let trap = prop::sample::select(TRAPS.to_vec()).prop_map(str::to_string);
    prop_oneof![
        trap,
        Just("a".repeat(300)),
        Just("ü".repeat(300)),
        "\\PC{0,40}",
        "[a-z@#`|.\\- ]{0,12}",
        "[a-z]{1,2}-?[0-9]?",
        "[0-9]\\.[0-9](-[a-z0-9])?",
    ]
}

fn hostile_updates() -> impl Strategy<Value = Vec<Update>> {
    let path = prop_oneof!["[a-z@#`|<&* .\\-]{1,30}/[a-z@#`]{1,9}", Just("fixes #1/@octocat".to_string())];
    let ecosystem = prop::sample::select(Ecosystem::ALL.to_vec());
    let one = (hostile(), hostile(), hostile(), path, ecosystem).prop_map(|(name, from, to, path, ecosystem)| {
        let path = RepoPath::parse(&path).unwrap_or_else(|_| RepoPath::parse("requirements.txt").unwrap());
        let site = Site {
            path,
            manager: "x".into(),
            line: 7,
            from,
            constraint: String::new(),
            digest: None,
            hashed: false,
            python: None,
        };
        let time = at("2026-03-04");
        Update {
            refresh: None,
            package: package(ecosystem, &name),
            to,
            step: VersionStep::Minor,
            sites: vec![site],
            released_at: time,
            eligible_at: time,
            due_at: time,
            terms: Vec::new(),
        }
    });
    prop::collection::vec(one, 1..6).prop_map(|mut updates| {
        updates.sort_by(|a, b| (&a.package, &a.to).cmp(&(&b.package, &b.to)));
        updates.dedup_by(|a, b| a.package == b.package && a.to == b.to);
        updates
    })
}

/// The rules of `git check-ref-format --branch`.
pub fn is_branch(name: &str) -> bool {
    let forbidden = |c: char| c.is_control() || " ~^:?*[\\\u{7f}".contains(c);
    !name.is_empty()
        && !name.starts_with('-')
        && !name.contains("..")
        && !name.contains("@{")
        && !name.contains("//")
        && !name.ends_with('.')
        && !name.ends_with('/')
        && name != "@"
        && !name.chars().any(forbidden)
        && name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}

/// A Markdown text without its code spans, by the rule of CommonMark: a span ends at as many backticks as it began with.
fn outside_code(text: &str) -> String {
    let mut outside = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        outside.push_str(&rest[..start]);
        let length = rest[start..].len() - rest[start..].trim_start_matches('`').len();
        let inside = &rest[start + length..];
        let mut from = 0;
        let end = loop {
            let Some(at) = inside[from..].find('`').map(|at| at + from) else { break None };
            let run = inside[at..].len() - inside[at..].trim_start_matches('`').len();
            if run == length {
                break Some(at + run);
            }
            from = at + run;
        };
        // Without an end the backticks are text.
        let Some(end) = end else { panic!("a code span is left open: {rest}") };
        rest = &inside[end..];
    }
    outside + rest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_names_stay_harmless(updates in hostile_updates(), group in hostile()) {
        let content = prose::content_hash(&updates);
        let branch = prose::branch(&group, &updates, &content, |_| false);
        prop_assert!(is_branch(&branch), "{branch}");
        prop_assert!(branch.matches('/').count() == 2 && branch.len() < 120, "{branch}");

        let title = prose::title(&group, &updates);
        prop_assert!(title.chars().count() <= 256 && title.starts_with("Bump "));
        let message = prose::commit_message(&title, &updates);
        prop_assert_eq!(message.lines().next(), Some(title.as_str()));
        for line in message.lines() {
            prop_assert!(line.chars().all(|c| c == '…' || (c.is_ascii() && !c.is_ascii_control())), "{line}");
            for trap in ["@", "#", "://", "`", "<", "[", "*", "fixes GH", "fixes: GH", "{{"] {
                prop_assert!(!line.contains(trap), "{trap} in {line}");
            }
        }

        let body = prose::body(&updates, &Occasion { timezone: &jiff::tz::TimeZone::UTC, delay: &group, file: &group, lock_files: &[], notes: &[], links: &[] });
        prop_assert!(body.chars().count() <= 58_000);
        let outside = outside_code(&body);
        for trap in ["@", "#1", "://", "<", "fixes", "{{", "]("] {
            prop_assert!(!outside.contains(trap), "{trap} outside of code in {body}");
        }
        let hidden = ['\u{202e}', '\u{200b}'];
        prop_assert!(!body.contains(hidden));
        for row in body.lines().filter(|line| line.starts_with('|')) {
            prop_assert_eq!(row.matches('|').count(), 6, "{}", row);
        }
    }

    #[test]
    fn other_content_has_another_branch(a in hostile_updates(), b in hostile_updates(), group in hostile()) {
        let of = |updates: &[Update], group: &str| (prose::content_hash(updates), prose::branch(group, updates, &prose::content_hash(updates), |_| false));
        let own = |updates: &[Update]| updates[0].package.to_string();
        let own_major = |updates: &[Update]| format!("{} major", updates[0].package);
        prop_assert_ne!(of(&a, &own(&a)).1, of(&b, &own_major(&b)).1);
        prop_assert_eq!(of(&a, &own_major(&a)).0 == of(&b, &own_major(&b)).0, of(&a, &own_major(&a)).1 == of(&b, &own_major(&b)).1);
        prop_assert_eq!(of(&a, &group).0 == of(&b, &group).0, of(&a, &group).1 == of(&b, &group).1);
        prop_assert_eq!(of(&a, &own(&a)).0 == of(&b, &own(&b)).0, of(&a, &own(&a)).1 == of(&b, &own(&b)).1);
    }
}

#[test]
fn the_rules_of_branches_are_gits() {
    for bad in
        ["", "-a", "a..b", "a@{b", "a//b", "a.", "a/", "@", "a b", "a~1", ".a", "a/.b", "a.lock", "a.lock/b", "a\u{7f}"]
    {
        assert!(!is_branch(bad), "{bad}");
    }
    assert!(is_branch("mass-driver/pypi/httpx-0.28.0"));
}
