//! The words of the check run on a subscription file.

use crate::scene::{Scene, at};
use crate::support::harmless::fault;
use mass_driver::domain::{Ecosystem, ObjectId, Outlook, PackageId, PullNumber, RepoPath, Standing};
use mass_driver::planner::preview::{Closing, InForce, Place, Preview, Words, preview, problems, removed};
use mass_driver::planner::{Draft, Plan};
use mass_driver::subscription::{self, Problem, SubscriptionFile};
use std::collections::BTreeSet;

const LONGEST: usize = 65_535;
const PATH: &str = ".mass-driver.yaml";

/// What is said of a plan of which everything due may go ahead.
fn words(file: &SubscriptionFile, plan: &Plan, before: Option<&Plan>, now: &str) -> Words {
    let ready: BTreeSet<String> = plan.drafts.iter().map(|draft| draft.group.clone()).collect();
    let place = Place::Proposed;
    preview(&Preview { path: PATH, place, file, plan, ready: &ready, closings: &[], before, unread: 0 }, at(now))
}

fn two_packages(yaml: &str) -> Scene {
    Scene::subscribed(yaml)
        .manifest("requirements.txt", "httpx==0.27.0\nflask==3.0.0\n")
        .release("httpx", "0.27.0", "2025-01-01")
        .release("httpx", "0.28.0", "2026-02-01")
        .release("flask", "3.0.0", "2025-01-01")
        .release("flask", "3.1.0", "2026-02-01")
}

#[test]
fn what_is_opened_now_and_later_is_counted_by_its_time() {
    let weekly =
        two_packages("timezone: Europe/Paris\ndelay: weekly\nsubscriptions: [pypi]\n").subscribed_since("2026-02-26");
    let plan = weekly.plan("2026-02-26");
    let words = words(&weekly.file, &plan, None, "2026-02-26");
    assert_eq!(words.title, "2 pull requests later");
    assert!(
        words.summary.contains("- **2 pull requests** on Monday 2026-03-02 06:00 Europe/Paris\n"),
        "{}",
        words.summary
    );
    assert!(
        words.text.contains("| Monday 2026-03-02 06:00 Europe/Paris | `Bump flask from 3.0.0 to 3.1.0` |"),
        "{}",
        words.text
    );
}

#[test]
fn what_changes_against_the_file_in_force_is_told_with_both_times() {
    let weekly = two_packages("delay: weekly\nsubscriptions: [pypi]\n").subscribed_since("2026-02-26");
    let before = weekly.plan("2026-02-26");
    let now = two_packages("subscriptions:\n  - migration: pypi\n    ignore: [flask]\n").subscribed_since("2026-02-26");
    let after = now.plan("2026-02-26");
    let words = words(&now.file, &after, Some(&before), "2026-02-26");
    assert_eq!(words.title, "1 pull request now, 1 held back");
    assert!(
        words.summary.contains("Compared with the file in force: 1 update sooner, 1 update no longer."),
        "{}",
        words.summary
    );
    assert!(words.text.contains("| `httpx` `0.28.0` | Monday 2026-03-02 06:00 UTC | now |"), "{}", words.text);
    assert!(words.text.contains("| `flask` `3.1.0` | Monday 2026-03-02 06:00 UTC | line "), "{}", words.text);
}

#[test]
fn what_is_due_and_may_not_go_ahead_is_held_back_with_its_reason() {
    let scene = two_packages("limit: 1\nsubscriptions: [pypi]\n");
    let mut plan = scene.plan("2026-02-26");
    plan.drafts[1].reason = "1 pull request is open, and 1 may be".into();
    let ready = BTreeSet::from([plan.drafts[0].group.clone()]);
    let place = Place::Default;
    let (file, plan) = (&scene.file, &plan);
    let shown = Preview { path: PATH, place, file, plan, ready: &ready, closings: &[], before: None, unread: 0 };
    let words = preview(&shown, at("2026-02-26"));
    assert_eq!(words.title, "1 pull request now, 1 held back");
    assert!(words.summary.contains("is valid and in force"), "{}", words.summary);
    assert!(
        words.summary.contains("Held back: **1 update**, because 1 pull request is open, and 1 may be."),
        "{}",
        words.summary
    );
}

#[test]
fn a_file_that_finds_nothing_says_so() {
    let scene = Scene::subscribed("subscriptions: [pypi]\n");
    let none = words(&scene.file, &scene.plan("2026-02-26"), None, "2026-02-26");
    assert_eq!(none.title, "The file is valid; no dependencies were found");
    let scene = scene.manifest("requirements.txt", "httpx==0.27.0\n").release("httpx", "0.27.0", "2025-01-01");
    let current = words(&scene.file, &scene.plan("2026-02-26"), None, "2026-02-26");
    assert_eq!(current.title, "The file is valid; nothing is to be updated now");
    assert!(current.summary.contains("everything it asks for is up to date"), "{}", current.summary);
}

#[test]
fn a_removed_file_says_what_becomes_of_what_there_is() {
    let of = |place, waiting, closings: &[Closing]| removed(place, waiting, closings).summary;
    assert!(of(Place::Proposed, 0, &[]).ends_with("Once this is merged, none are opened any more."));
    assert!(of(Place::Default, 2, &[closing(7)]).ends_with(
        "From now on, none are opened any more; 2 planned ones are dropped. mass-driver closes **1 open pull request**, with a word why: `#7 Bump httpx`. One that people have committed to, or led to another base, stays open."
    ));
    let many: Vec<Closing> = (1..=8).map(closing).collect();
    assert!(
        of(Place::Proposed, 0, &many).contains("It then closes **8 open pull requests**, with a word why: `#1 Bump")
    );
    assert!(of(Place::Proposed, 0, &many).contains("`#6 Bump httpx`, and 2 more. One that"));
}

fn closing(number: i64) -> Closing {
    Closing { number: PullNumber(number), title: "Bump httpx".into(), reason: "nobody asks for it".into() }
}

#[test]
fn what_a_file_closes_is_told_with_its_reason() {
    let scene = Scene::subscribed("subscriptions: [pypi]\n");
    let (file, plan, ready) = (&scene.file, &scene.plan("2026-02-26"), &BTreeSet::new());
    for (place, closes) in [(Place::Default, "It closes"), (Place::Proposed, "It would close")] {
        let closings = [closing(7)];
        let shown = Preview { path: PATH, place, file, plan, ready, closings: &closings, before: None, unread: 0 };
        let words = preview(&shown, at("2026-02-26"));
        assert_eq!(words.title, "1 open pull request closed");
        assert!(words.summary.contains(&format!("{closes} **1 open pull request**")), "{}", words.summary);
        assert!(words.text.contains("| `#7 Bump httpx` | nobody asks for it |"), "{}", words.text);
        assert_eq!(fault(&words.summary), None);
    }
}

/// A plan of many pull requests for packages with names that nobody should have, and as many that are held back.
fn large(rows: usize, name: &str) -> (SubscriptionFile, Plan) {
    let scene = two_packages("subscriptions: [pypi]\n");
    let plan = scene.plan("2026-02-26");
    let draft = |n: usize| Draft {
        group: n.to_string(),
        title: name.repeat(40),
        reason: name.repeat(40),
        ..plan.drafts[0].clone()
    };
    let outlook = |n: usize| Outlook {
        package: PackageId { ecosystem: Ecosystem::Pypi, name: format!("{name}{n}") },
        path: RepoPath::parse("requirements.txt").unwrap(),
        line: 1,
        current: None,
        target: Some(name.repeat(40)),
        standing: Standing::Refused,
        reason: format!("{}{n}", name.repeat(200)),
        until: None,
    };
    let (drafts, outlook) = ((0..rows).map(draft).collect(), (0..rows).map(outlook).collect());
    (scene.file, Plan { drafts, outlook, ..Plan::default() })
}

#[test]
fn bad_input_23_a_preview_of_any_size_is_cut_cleanly() {
    for name in ["a", "ä", "\u{1f680}", "`", "```\n", "|", "\u{202e}", "<!--", "@octocat #1 "] {
        let (file, plan) = large(500, name);
        let words = words(&file, &plan, Some(&Plan::default()), "2026-02-26");
        assert!(words.text.len() <= LONGEST && words.summary.len() <= LONGEST, "{name}");
        // The headings are ours.
        let body: String =
            words.text.lines().filter(|line| !line.starts_with("## ")).map(|l| format!("{l}\n")).collect();
        assert_eq!(fault(&body).or(fault(&words.summary)), None, "{name}");
        assert!(words.text.ends_with('\n'), "{name}: no line is cut in the middle");
        assert!(!words.title.contains('\n') && words.title.chars().count() <= 256, "{name}");
        // Rows of a table have as many cells as its head, whatever stands in them.
        for line in words.text.lines().filter(|line| line.starts_with("| ") && line.contains(" | ")) {
            assert!(matches!(line.matches(" | ").count(), 2 | 3), "{name}: {line}");
        }
    }
}

#[test]
fn bad_input_24_a_summary_and_a_text_stay_within_the_limit() {
    let problem = |n| Problem { line: n, column: 1, length: 1, what: "ä".repeat(700), fix: "\u{1f680}".repeat(700) };
    let found: Vec<Problem> = (1..=101).map(problem).collect();
    let commit = InForce::Since(Some(ObjectId::parse(&"a".repeat(64)).unwrap()));
    let words = problems(PATH, &found, Place::Default, &commit);
    assert!(words.summary.len() <= LONGEST && words.text.len() <= LONGEST);
    assert!(words.text.ends_with("more than fits here.\n"), "it is cut");
    let few = problems(PATH, &found[..1], Place::Default, &commit);
    assert!(few.text.len() < LONGEST && !few.text.contains("more than fits here"));
}

/// The words are the same as `mass-driver check` has.
#[test]
fn problems_are_those_of_the_file() {
    let found = subscription::parse(b"limit: many\nsubscriptions: [pipy]\n").unwrap_err();
    let words = problems(PATH, &found, Place::Proposed, &InForce::None);
    assert_eq!(words.title, "2 problems in .mass-driver.yaml");
    assert!(words.summary.ends_with("If it is merged like this, no pull requests are opened."), "{}", words.summary);
    for problem in &found {
        assert!(words.text.contains(&format!("Line {}, column {}:", problem.line, problem.column)), "{}", words.text);
    }
}
