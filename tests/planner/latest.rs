//! Releases above the version that their publisher calls the latest.

use crate::scene::{Scene, at, package};
use mass_driver::domain::{Ecosystem, Release, Standing};
use mass_driver::planner::{Known, Plan};

const NOW: &str = "2026-03-04 12:00";

/// The plan for a package that is used so, of which these versions are known; those after the mark are above the latest.
fn plan(constraint: &str, versions: &str) -> Plan {
    let (up_to_latest, above) = versions.split_once('|').unwrap_or((versions, ""));
    let release = |version: &str, above_latest| Release {
        version: version.into(),
        published_at: Some(at("2026-02-01")),
        first_seen_at: at("2026-02-01"),
        counts_from: at("2026-02-01"),
        yanked: false,
        above_latest,
        content: None,
        requires_python: None,
    };
    let each = |versions: &str, above| versions.split_whitespace().map(|one| release(one, above)).collect::<Vec<_>>();
    let releases = [each(up_to_latest, false), each(above, true)].concat();
    let manifest = format!(r#"{{ "dependencies": {{ "left-pad": "{constraint}" }} }}"#);
    let mut scene = Scene::subscribed("subscriptions: [npm]\n").manifest("package.json", &manifest);
    scene.packages.insert(package(Ecosystem::Npm, "left-pad"), Known::Releases(releases));
    scene.plan(NOW)
}

/// What a package that is used so is moved to.
fn moved_to(constraint: &str, versions: &str) -> Option<String> {
    let drafts = plan(constraint, versions).drafts;
    assert!(drafts.len() <= 1, "{drafts:#?}");
    drafts.first().map(|draft| draft.updates[0].to.clone())
}

#[test]
fn whoever_is_not_above_the_latest_is_offered_the_latest_at_most() {
    let versions = "1.3.0 1.3.1 2.0.0 | 3.0.0 3.1.0";
    assert_eq!(moved_to("2.0.0", versions), None);
    assert_eq!(moved_to("^2.0.0", versions), None);
    assert_eq!(moved_to("^2", versions), None);
    assert_eq!(moved_to("1.3.1", versions).as_deref(), Some("2.0.0"));
    assert_eq!(moved_to("1.3.0", "1.3.0 1.3.1 | 3.0.0").as_deref(), Some("1.3.1"));
}

#[test]
fn whoever_is_above_the_latest_is_offered_what_is_newer_still() {
    assert_eq!(moved_to("3.0.0", "1.3.0 2.0.0 | 3.0.0 3.0.1").as_deref(), Some("3.0.1"));
    assert_eq!(moved_to("~3.0.0", "1.3.0 2.0.0 | 3.0.0 3.1.0").as_deref(), Some("3.1.0"));
    assert_eq!(
        moved_to("3.0.1", "1.3.0 2.0.0 | 3.0.0 3.1.0").as_deref(),
        Some("3.1.0"),
        "it was taken out of the registry"
    );
    assert_eq!(moved_to("3.0.0-rc.1", "1.3.0 2.0.0 | 3.0.0-rc.1 3.0.0").as_deref(), Some("3.0.0"));
}

#[test]
fn prereleases_have_rules_of_their_own() {
    assert_eq!(moved_to("2.0.0", "2.0.0 | 2.1.0-rc.1"), None);
    assert_eq!(moved_to("2.1.0-rc.1", "2.0.0 | 2.1.0-rc.1 2.1.0-rc.2").as_deref(), Some("2.1.0-rc.2"));
    assert_eq!(moved_to("1.0.0-rc.1", "1.0.0-rc.1 1.0.0-rc.2 1.0.0-rc.3 | 1.0.0").as_deref(), Some("1.0.0-rc.3"));
}

#[test]
fn the_outlook_says_what_is_kept_back() {
    let plan = plan("2.0.0", "1.0.0 2.0.0 | 3.0.0");
    let row = &plan.outlook[0];
    assert_eq!(row.standing, Standing::UpToDate);
    assert_eq!(row.reason, "what is newer is above the version that its publisher calls the latest");
}
