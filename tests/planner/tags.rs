//! Actions whose version is written otherwise than their repository's tags.

use crate::scene::{Scene, at, drafts, outlook, package};
use mass_driver::domain::{Ecosystem, Release};
use mass_driver::planner::Known;

/// An action as a file uses it, and the tags of its repository.
fn scene(reference: &str, tags: &[&str]) -> Scene {
    let text = format!("runs:\n  using: composite\n  steps:\n    - uses: acme/build@{reference}\n");
    let mut scene = Scene::subscribed("subscriptions: [github-actions]\n").manifest("action.yml", &text);
    let release = |version: &&str| Release {
        version: version.to_string(),
        published_at: None,
        first_seen_at: at("2026-03-01"),
        counts_from: at("2026-03-01"),
        yanked: false,
        above_latest: false,
        content: None,
        requires_python: None,
    };
    let releases = tags.iter().map(release).collect();
    scene.packages.insert(package(Ecosystem::GithubActions, "acme/build"), Known::Releases(releases));
    scene
}

fn pinned(comment: &str) -> String {
    format!("{} # {comment}", "a".repeat(40))
}

#[test]
fn a_comment_may_leave_the_v_out() {
    let tags = ["v4.1.2", "v4.2.0", "v5", "v4.3.0-rc.1"];
    let plan = scene(&pinned("4.1.2"), &tags).plan("2026-03-05");
    assert_eq!(drafts(&plan, "2026-03-05"), ["Bump acme/build from 4.1.2 to v4.2.0, now"]);
    let site = &plan.drafts[0].updates[0].sites[0];
    assert_eq!((site.from.as_str(), site.constraint.as_str()), ("4.1.2", "4.1.2"), "the file's own words");
    let plan = scene(&pinned("v4.1.2"), &["4.1.2", "4.1.3"]).plan("2026-03-05");
    assert_eq!(drafts(&plan, "2026-03-05"), ["Bump acme/build from v4.1.2 to 4.1.3, now"]);
}

#[test]
fn a_comment_that_names_a_tag_means_that_one() {
    let plan = scene(&pinned("4.1.2"), &["4.1.2", "v4.1.2", "v4.2.0"]).plan("2026-03-05");
    assert_eq!(outlook(&plan), ["acme/build 4.1.2: up_to_date, there is nothing newer"]);
}

#[test]
fn the_newest_one_is_up_to_date_without_its_v_too() {
    let plan = scene(&pinned("4.1.2"), &["v4.1.1", "v4.1.2"]).plan("2026-03-05");
    assert_eq!(outlook(&plan), ["acme/build 4.1.2: up_to_date, there is nothing newer"]);
}

#[test]
fn what_is_no_tag_is_told() {
    let told = |version: &str| {
        format!(
            "acme/build {version}: failed, `{version}` is none of the known tags of acme/build, so what follows it is unknown"
        )
    };
    let plan = scene("4.1.2", &["v4.1.2", "v4.2.0"]).plan("2026-03-05");
    assert_eq!(outlook(&plan), [told("4.1.2")], "a tag in use is never written otherwise");
    let plan = scene(&pinned("4.0.9"), &["v4.1.2"]).plan("2026-03-05");
    assert_eq!(outlook(&plan), [told("4.0.9")]);
}
