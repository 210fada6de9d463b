//! npm: what ranges allow, stand for and become. Examples from node-semver's README ("Ranges", "Advanced Range Syntax") and npm's
//! documentation of package.json ("dependencies").

use super::npm;
use mass_driver::versioning::Node;
use rstest::rstest;

#[rstest]
#[case::caret("^1.2.3", "2.0.0", Some("^2.0.0"))]
#[case::caret_and_a_patch("^1.2.3", "2.1.4", Some("^2.1.4"))]
#[case::caret_of_two("^1.2", "2.1.4", Some("^2.1"))]
#[case::caret_of_one("^1", "2.1.4", Some("^2"))]
#[case::caret_allows("^1.2.3", "1.9.0", None)]
#[case::caret_before_one("^0.2.3", "0.3.1", Some("^0.3.1"))]
#[case::caret_before_one_allows("^0.2.3", "0.2.9", None)]
#[case::caret_of_a_patch("^0.0.3", "0.0.4", Some("^0.0.4"))]
#[case::caret_of_zero("^0", "1.2.3", Some("^1"))]
#[case::caret_with_wildcards("^1.x", "2.1.0", Some("^2.x"))]
#[case::caret_with_a_space("^ 1.2.3", "2.0.0", Some("^ 2.0.0"))]
#[case::tilde("~1.2.3", "1.3.0", Some("~1.3.0"))]
#[case::tilde_of_two("~1.2", "1.3.4", Some("~1.3"))]
#[case::tilde_of_one("~1", "2.3.4", Some("~2"))]
#[case::tilde_allows("~1.2.3", "1.2.9", None)]
#[case::pessimistic("~> 1.2", "1.3.0", Some("~> 1.3"))]
#[case::wildcard("1.2.x", "1.3.4", Some("1.3.x"))]
#[case::wildcard_of_one("1.x", "2.3.4", Some("2.x"))]
#[case::wildcards("1.x.x", "2.3.4", Some("2.x.x"))]
#[case::star("1.2.*", "1.3.4", Some("1.3.*"))]
#[case::capital("1.X", "2.0.0", Some("2.X"))]
#[case::partial("1.2", "1.3.4", Some("1.3"))]
#[case::partial_of_one("1", "2.3.4", Some("2"))]
#[case::partial_allows("1", "1.3.4", None)]
#[case::anything("*", "9.0.0", None)]
#[case::nothing_written("", "9.0.0", None)]
#[case::pin("1.2.3", "1.3.0", Some("1.3.0"))]
#[case::pin_with_a_sign("=1.2.3", "1.3.0", Some("=1.3.0"))]
#[case::pin_with_v("v1.2.3", "1.3.0", Some("v1.3.0"))]
#[case::pin_with_both("=v1.2.3", "1.3.0", Some("=v1.3.0"))]
#[case::pin_of_the_same("1.2.3", "1.2.3", None)]
#[case::pin_with_a_build("1.2.3+sha.1", "1.3.0", Some("1.3.0"))]
#[case::bounds(">=1.2 <2", "2.3.4", Some(">=1.2 <3"))]
#[case::bounds_written_long(">=1.2.0 <2.0.0", "2.3.4", Some(">=1.2.0 <3.0.0"))]
#[case::bound_of_a_minor("<1.10", "2.3.1", Some("<2.4"))]
#[case::bound_that_excludes_prereleases("<2.0.0-0", "2.3.1", Some("<3.0.0-0"))]
#[case::bounds_with_spaces(">= 1.2   < 2", "2.3.4", Some(">= 1.2   < 3"))]
#[case::inclusive_bound(">=1.2.3 <=2.0.0", "2.3.4", Some(">=1.2.3 <=2.3.4"))]
#[case::inclusive_partial_bound("<=2", "3.4.5", Some("<=3"))]
#[case::no_upper_bound(">=1.2.3", "9.0.0", None)]
#[case::below_the_lower_bound(">=3", "2.0.0", None)]
#[case::hyphen("1.2.3 - 2.3.4", "3.1.0", Some("1.2.3 - 3.1.0"))]
#[case::hyphen_to_a_partial("1.2 - 2", "3.1.0", Some("1.2 - 3"))]
#[case::hyphen_allows("1.2.3 - 2", "2.9.9", None)]
#[case::alternatives("^1 || ^2", "3.1.0", Some("^1 || ^2 || ^3"))]
#[case::alternatives_without_spaces("^1.0.0||^2.0.0", "3.1.0", Some("^1.0.0||^2.0.0||^3.1.0"))]
#[case::alternatives_the_other_way_round("^2 || ^1", "3.1.0", Some("^2 || ^1 || ^3"))]
#[case::alternative_wildcards("1.x || 2.x", "3.0.0", Some("1.x || 2.x || 3.x"))]
#[case::alternative_stretches(">=1 <2 || >=3 <4", "4.1.0", Some(">=1 <2 || >=3 <5"))]
#[case::between_alternatives("^1 || ^3", "2.1.0", None)]
#[case::alternatives_allow("^1 || ^2", "2.9.0", None)]
#[case::spaces_around(" ^1.2.3 ", "2.0.0", Some(" ^2.0.0 "))]
#[case::next_prerelease("2.0.0-rc.1", "2.0.0-rc.2", Some("2.0.0-rc.2"))]
#[case::prerelease_allowed("^2.0.0-rc.1", "2.0.0-rc.2", None)]
#[case::release_of_an_allowed_prerelease("^2.0.0-rc.1", "2.0.0", None)]
#[case::out_of_a_pinned_prerelease("2.0.0-rc.1", "2.0.0", Some("2.0.0"))]
#[case::prerelease_for_a_series("1.x", "2.0.0-rc.1", None)]
#[case::tag("latest", "2.0.0", None)]
#[case::not_a_full_version("^1.2.3", "2", None)]
#[case::empty_set(">=3 <2", "4.0.0", Some(">=3 <5"))]
fn ranges_move(#[case] range: &str, #[case] to: &str, #[case] moved: Option<&str>) {
    assert_eq!(npm().rewrite(range, to).as_deref(), moved);
}

#[rstest]
#[case("^1.2.3", "1.2.3")]
#[case("~1.2", "1.2")]
#[case("1.x", "1")]
#[case("v1.2.3", "1.2.3")]
#[case("=1.2.3-rc.1", "1.2.3-rc.1")]
#[case(">=1.2 <2", "1.2")]
#[case("<2", "1")]
#[case("<2.5.0", "2.4")]
#[case("<=1.9", "1.9")]
#[case("1.2.3 - 2.3.4", "1.2.3")]
#[case("^1 || ^2", "2")]
#[case("^2 || ^1", "2")]
#[case("1.2.3+sha.1", "1.2.3")]
fn ranges_stand_for_a_version(#[case] range: &str, #[case] current: &str) {
    assert_eq!(npm().current(range).as_deref(), Some(current));
}

#[test]
fn what_names_no_version_is_understood_all_the_same() {
    for range in ["", "*", "x", "latest", "next", "beta-2", "^*", ">=*", "||"] {
        assert_eq!(npm().current(range), None, "{range}");
        assert_eq!(Node::understand(range), Ok(()), "{range}");
    }
    assert!(
        Node::is_dist_tag("latest") && !Node::is_dist_tag("x") && !Node::is_dist_tag("v1") && !Node::is_dist_tag("*")
    );
}

#[test]
fn what_npm_does_not_take_is_not_understood() {
    let hostile = [
        "^1||".repeat(10_000),
        "1".repeat(40),
        ">=1 ".repeat(1_000),
        "é".into(),
        "^1.2.3é".into(),
        "1\u{a0}- 2é".into(),
    ];
    let written = [
        "1.2.3.4",
        "==1.2.3",
        "=>1",
        "^^1",
        "<*",
        ">x",
        "01.2.3",
        "1.2.3-01",
        "1.2-beta",
        ">=",
        "1 -",
        "- 1",
        "1 -2",
        "^1 | ^2",
        "1.2.3-",
        "1.2.3+",
        "1.2.3-a..b",
        "workspace:^1",
        "npm:a@1",
        "file:../a",
        "a/b",
        "1 - 2 - 3",
        ">=1, <2",
        "1.2.3-é",
    ];
    for range in written.into_iter().map(String::from).chain(hostile) {
        let shown: String = range.chars().take(40).collect();
        assert!(Node::understand(&range).is_err(), "{shown}");
        assert_eq!((npm().current(&range), npm().rewrite(&range, "9.0.0")), (None, None), "{shown}");
    }
}

#[rstest]
#[case::newer("1.2.3", "1.2.3", "1.3.0", true)]
#[case::older("1.2.3", "1.2.3", "1.2.2", false)]
#[case::prerelease("1.2.3", "1.2.3", "2.0.0-rc.1", false)]
#[case::next_prerelease("2.0.0-rc.1", "2.0.0-rc.1", "2.0.0-rc.2", true)]
#[case::prereleases_by_number("2.0.0-rc.9", "2.0.0-rc.9", "2.0.0-rc.10", true)]
#[case::prerelease_of_another("2.0.0-rc.1", "2.0.0-rc.1", "2.1.0-rc.1", false)]
#[case::out_of_prerelease("2.0.0-rc.1", "2.0.0-rc.1", "2.0.0", true)]
#[case::another_build("1.2.3", "1.2.3", "1.2.3+sha.2", false)]
#[case::not_a_version("1.2.3", "1.2.3", "next", false)]
fn candidates(#[case] range: &str, #[case] current: &str, #[case] candidate: &str, #[case] is: bool) {
    assert_eq!(npm().is_candidate(range, current, candidate), is);
}
