//! Which comments tell the version of a pinned commit.

use crate::edits::edit_of;
use mass_driver::domain::RepoPath;
use mass_driver::managers;
use rstest::rstest;

/// The version that a comment behind a pinned action gives it.
fn version_of(comment: &str) -> Option<String> {
    let path = RepoPath::parse(".github/workflows/ci.yml").unwrap();
    let commit = "a".repeat(40);
    let text = format!("jobs:\n  a:\n    steps:\n      - uses: acme/build@{commit} {comment}\n");
    let manager = managers::managers_for(&path).next().unwrap();
    let extraction = manager.extract(&path, &text);
    assert_eq!(extraction.problem, None, "{text}");
    let [dependency] = &extraction.dependencies[..] else { panic!("{extraction:?}") };
    assert_eq!(dependency.digest.as_deref(), Some(commit.as_str()));
    assert_eq!(dependency.current.is_none(), dependency.skip.is_some());
    dependency.current.clone()
}

#[rstest]
#[case("# v4", "v4")]
#[case("#v4.1.2", "v4.1.2")]
#[case("# v4.1.2-rc.1", "v4.1.2-rc.1")]
#[case("# v4.1.2 (2024-01-15)", "v4.1.2")]
#[case("# 4.1", "4.1")]
#[case("# 4.1.2, see the wiki", "4.1.2")]
#[case("# 3.13.0rc1", "3.13.0rc1")]
#[case("# 2024.01.15", "2024.01.15")]
#[case("# bundle-v2", "bundle-v2")]
#[case("# bundle-2.16.0", "bundle-2.16.0")]
#[case("# widget/v1.2", "widget/v1.2")]
#[case("# tag=v4", "v4")]
#[case("# frozen: 4", "4")]
#[case("# frozen: release-2024-01", "release-2024-01")]
#[case("# pin @v4", "v4")]
#[case("# ratchet:acme/build@v4", "v4")]
fn a_comment_tells_the_version(#[case] comment: &str, #[case] version: &str) {
    assert_eq!(version_of(comment).as_deref(), Some(version));
}

#[rstest]
#[case::series("# v4.x")]
#[case::upper_case_series("# v4.X")]
#[case::series_of_minors("# v4.1.x")]
#[case::bare_series("# 4.x")]
#[case::tagged_series("# tag=v4.x")]
#[case::day("# 2024-01-15 audit")]
#[case::pinned_day("# pinned 2024-01-15")]
#[case::lone_number("# 4 steps")]
#[case::remark("# node-20")]
#[case::tool("# python-3.12 is needed")]
#[case::glued("# node20.1")]
#[case::later_word("# since v4")]
#[case::dot("# 4.")]
#[case::dots("# v4..1")]
#[case::none("")]
fn a_remark_tells_none(#[case] comment: &str) {
    assert_eq!(version_of(comment), None);
}

#[rstest]
#[case("# 4.1.2, see the wiki", "v5.0.0", Some("# 5.0.0, see the wiki"))]
#[case("# v4.1.2", "5.0.0", Some("# v5.0.0"))]
#[case("# v4.1.2", "v5.0.0", Some("# v5.0.0"))]
#[case("# 4.1.2", "5.0.0", Some("# 5.0.0"))]
#[case("# 4.1.2", "v5", None)]
#[case("# widget/v4.1.2", "v5.0.0", None)]
fn a_comment_keeps_its_style(#[case] comment: &str, #[case] to: &str, #[case] becomes: Option<&str>) {
    let path = RepoPath::parse(".github/workflows/ci.yml").unwrap();
    let text = |commit: &str, comment: &str| {
        format!("jobs:\n  a:\n    steps:\n      - uses: acme/build@{} {comment}\n", commit.repeat(40))
    };
    let before = text("a", comment);
    let manager = managers::managers_for(&path).next().unwrap();
    let edit = edit_of(&manager.extract(&path, &before).dependencies[0], to);
    assert_eq!(manager.edit(&path, &before, &[edit]).ok(), becomes.map(|comment| text("e", comment)));
}

#[test]
fn a_tag_in_use_keeps_its_prefix() {
    let path = RepoPath::parse("action.yml").unwrap();
    let text = "runs:\n  using: composite\n  steps:\n    - uses: acme/build@4.1.2\n";
    let manager = managers::managers_for(&path).next().unwrap();
    let edit = edit_of(&manager.extract(&path, text).dependencies[0], "v5.0.0");
    assert!(manager.edit(&path, text, &[edit]).is_err());
}
