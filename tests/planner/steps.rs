//! Steps of different sizes: each with its own age and delay, and the large ones apart from the small.

use crate::scene::{Scene, at, drafts, outlook};

const BY_STEP: &str =
    "subscriptions:\n  - { migration: pypi, delay: { patch: immediate, minor: weekly, major: monthly } }\n";

fn httpx(yaml: &str) -> Scene {
    Scene::subscribed(yaml)
        .manifest("requirements.txt", "httpx==0.27.0\n")
        .release("httpx", "0.27.1", "2026-03-04")
        .release("httpx", "0.28.0", "2026-03-04")
        .release("httpx", "1.0", "2026-03-04")
}

#[test]
fn each_step_has_its_own_delay() {
    let scene = httpx(BY_STEP);
    let plan = scene.plan("2026-03-04");
    assert_eq!(
        drafts(&plan, "2026-03-04"),
        ["Bump httpx from 0.27.0 to 0.27.1, now", "Bump httpx from 0.27.0 to 1.0, Wed 2026-04-01 06:00"]
    );
    assert_eq!(plan.drafts[1].reason, "waits for Wednesday 2026-04-01 06:00 UTC (monthly)");
    assert_eq!(plan.wake_at, Some(at("2026-03-09 06:00")));
    assert_eq!(
        outlook(&plan),
        [
            "httpx 0.27.0 -> 0.27.1: waiting, due since Wednesday 2026-03-04 00:00 UTC, it is opened next",
            "httpx 0.27.0 -> 0.28.0: waiting, waits for Monday 2026-03-09 06:00 UTC (weekly) [Mon 2026-03-09 06:00]",
            "httpx 0.27.0 -> 1.0: waiting, waits for Wednesday 2026-04-01 06:00 UTC (monthly) [Wed 2026-04-01 06:00]",
        ]
    );
    let scene = scene.opened("2026-03-04");
    assert_eq!(
        drafts(&scene.plan("2026-03-09 06:00"), "2026-03-09 06:00"),
        ["Bump httpx from 0.27.0 to 0.28.0, now", "Bump httpx from 0.27.0 to 1.0, Wed 2026-04-01 06:00"],
        "the minor step takes the place of the patch, which is open"
    );
}

#[test]
fn a_delay_counts_from_when_its_step_is_old_enough() {
    let yaml = "subscriptions:\n  - migration: pypi\n    delay: { minor: daily, major: weekly }\n    min_age: { minor: 2d, major: 14d }\n";
    let plan = httpx(yaml).plan("2026-03-04 12:00");
    assert_eq!(
        drafts(&plan, "2026-03-04 12:00"),
        ["Bump httpx from 0.27.0 to 0.27.1, now", "Bump httpx from 0.27.0 to 1.0, Mon 2026-03-23 06:00"]
    );
    assert_eq!(
        plan.drafts[1].reason,
        "1.0 is 0 days old, 14 days are asked for; then it waits for Monday 2026-03-23 06:00 UTC (weekly)"
    );
    assert_eq!(plan.outlook[1].until, Some(at("2026-03-06 06:00")));
}

/// What is not due yet neither holds the others back nor comes along with them.
#[test]
fn a_group_takes_what_is_due_of_each_member() {
    let yaml = "group: all\nsubscriptions:\n  - { migration: pypi, delay: { patch: immediate, minor: weekly, major: monthly } }\n";
    let scene = httpx(yaml)
        .manifest("dev-requirements.txt", "idna==3.6\nrich==13.7.0\n")
        .release("idna", "3.7", "2026-03-04")
        .release("rich", "13.7.1", "2026-03-04");
    let titles = |now: &str| {
        let plan = scene.plan(now);
        let versions = plan.drafts.iter().flat_map(|d| &d.updates).map(|u| format!("{} {}", u.package.name, u.to));
        (plan.drafts.len(), versions.collect::<Vec<_>>().join(", "), plan.drafts[0].due_at)
    };
    assert_eq!(titles("2026-03-05"), (1, "httpx 0.27.1, rich 13.7.1".into(), at("2026-03-04")));
    assert_eq!(titles("2026-03-09 06:00"), (1, "httpx 0.28.0, idna 3.7, rich 13.7.1".into(), at("2026-03-09 06:00")));
    assert_eq!(titles("2026-04-01 06:00"), (1, "httpx 1.0, idna 3.7, rich 13.7.1".into(), at("2026-04-01 06:00")));
}

#[test]
fn a_major_step_is_apart_unless_all_is_asked_for() {
    let scene = |group: &str| {
        let yaml = format!("group: {group}\nsubscriptions: [pypi]\n");
        let scene = httpx(&yaml).manifest("dev-requirements.txt", "django==4.2\nidna==3.6\n");
        let scene = scene.release("django", "5.0", "2026-03-04").release("idna", "3.7", "2026-03-04");
        drafts(&scene.plan("2026-03-05"), "2026-03-05")
    };
    assert_eq!(
        scene("none"),
        [
            "Bump django from 4.2 to 5.0, now",
            "Bump httpx from 0.27.0 to 0.28.0, now",
            "Bump httpx from 0.27.0 to 1.0, now",
            "Bump idna from 3.6 to 3.7, now",
        ]
    );
    assert_eq!(
        scene("minor-and-patch"),
        ["Bump httpx and idna, now", "Bump django from 4.2 to 5.0, now", "Bump httpx from 0.27.0 to 1.0, now"]
    );
    assert_eq!(scene("platform"), ["Bump httpx and idna, now", "Bump django and httpx, now"]);
    assert_eq!(scene("all"), ["Bump django, httpx and idna, now"]);
}

#[test]
fn closing_a_major_step_says_nothing_about_small_ones() {
    use mass_driver::domain::ProposalState::Closed;
    let scene = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("requirements.txt", "httpx==0.27.0\n")
        .release("httpx", "1.0", "2026-03-04")
        .opened("2026-03-04")
        .then(Closed, "2026-03-05")
        .release("httpx", "0.28.0", "2026-03-03");
    assert_eq!(drafts(&scene.plan("2026-03-06"), "2026-03-06"), ["Bump httpx from 0.27.0 to 0.28.0, now"]);
}

/// One release may be a small step for one file and a major one for another. Then they are two pull requests, on two branches.
#[test]
fn a_release_that_is_a_small_step_for_one_file_and_a_major_one_for_another() {
    let plan = Scene::subscribed("subscriptions: [pypi]\n")
        .manifest("new/requirements.txt", "django==5.0\n")
        .manifest("old/requirements.txt", "django==4.2\n")
        .release("django", "5.1", "2026-03-04")
        .plan("2026-03-05");
    let branches: Vec<(&str, &str)> = plan.drafts.iter().map(|d| (d.group.as_str(), d.branch.as_str())).collect();
    assert_eq!(
        branches,
        [("pypi/django", "mass-driver/pypi/django-5.1"), ("pypi/django major", "mass-driver/pypi-major/django-5.1")]
    );
    assert_eq!(plan.drafts[0].content, plan.drafts[1].content);
}
