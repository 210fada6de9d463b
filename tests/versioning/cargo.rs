//! Cargo: what requirements allow, stand for and become. Examples from The Cargo Book, "Specifying Dependencies" ("Version
//! requirement syntax").

use super::crates;
use mass_driver::versioning::Cargo;
use rstest::rstest;

#[rstest]
#[case::one_number("1", "2.0.1", Some("2"))]
#[case::two_numbers("1.2", "2.0.1", Some("2.0"))]
#[case::three_numbers("1.2.3", "2.0.1", Some("2.0.1"))]
#[case::compatible("1.2.3", "1.9.0", None)]
#[case::before_one("0.2.3", "0.3.1", Some("0.3.1"))]
#[case::before_one_of_two("0.2", "0.3.1", Some("0.3"))]
#[case::before_one_compatible("0.2.3", "0.2.9", None)]
#[case::zeros("0.0.3", "0.0.4", Some("0.0.4"))]
#[case::two_zeros("0.0", "0.1.2", Some("0.1"))]
#[case::zero("0", "1.2.3", Some("1"))]
#[case::caret("^1.2.3", "2.0.0", Some("^2.0.0"))]
#[case::tilde("~1.2.3", "1.3.0", Some("~1.3.0"))]
#[case::tilde_of_two("~1.2", "1.3.4", Some("~1.3"))]
#[case::tilde_of_one("~1", "2.3.4", Some("~2"))]
#[case::tilde_allows("~1", "1.3.4", None)]
#[case::wildcard("1.*", "2.3.4", Some("2.*"))]
#[case::wildcards("1.2.*", "1.3.4", Some("1.3.*"))]
#[case::wildcard_twice("1.*.*", "2.3.4", Some("2.*.*"))]
#[case::anything("*", "9.0.0", None)]
#[case::pin("=1.2.3", "1.2.4", Some("=1.2.4"))]
#[case::pin_with_a_space("= 1.2.3", "1.2.4", Some("= 1.2.4"))]
#[case::series("=1.2", "1.3.4", Some("=1.3"))]
#[case::bounds(">=1, <2", "2.3.4", Some(">=1, <3"))]
#[case::bounds_without_a_space(">=1.2.0,<2.0.0", "2.3.4", Some(">=1.2.0,<3.0.0"))]
#[case::inclusive_bound(">= 1.2, <= 1.5.1", "1.6.0", Some(">= 1.2, <= 1.6.0"))]
#[case::no_upper_bound(">=1", "9.0.0", None)]
#[case::below_the_lower_bound(">=3", "2.0.0", None)]
#[case::three_clauses(">=1.2, <1.9, ^1", "2.1.0", Some(">=1.2, <2.2, ^2"))]
#[case::prerelease("=2.0.0-rc.1", "2.0.0-rc.2", Some("=2.0.0-rc.2"))]
#[case::prerelease_allowed("2.0.0-rc.1", "2.0.0-rc.2", None)]
#[case::prerelease_for_a_series("1", "2.0.0-rc.1", None)]
#[case::build("=1.0.0+curl-7", "1.0.1+curl-8", Some("=1.0.1"))]
#[case::build_alone("=1.0.0+curl-7", "1.0.0+curl-8", None)]
#[case::not_a_requirement("one", "2.0.0", None)]
fn requirements_move(#[case] requirement: &str, #[case] to: &str, #[case] moved: Option<&str>) {
    assert_eq!(crates().rewrite(requirement, to).as_deref(), moved);
}

#[rstest]
#[case("1", "1")]
#[case("^1.2", "1.2")]
#[case("1.2.*", "1.2")]
#[case("=1.2.3-rc.1", "1.2.3-rc.1")]
#[case(">=1.2, <2", "1.2")]
#[case("<2", "1")]
#[case("<=1.9", "1.9")]
fn requirements_stand_for_a_version(#[case] requirement: &str, #[case] current: &str) {
    assert_eq!(crates().current(requirement).as_deref(), Some(current));
}

#[test]
fn what_cargo_does_not_take_is_not_understood() {
    assert_eq!((Cargo::understand("*"), crates().current("*")), (Ok(()), None));
    let hostile = [">=1,".repeat(10_000), "1".repeat(40), format!("{}1", ">=1,".repeat(40)), "é".into(), "1.0é".into()];
    let written =
        ["", "v1", "1.2.3.4", "==1", "=>1", "1,,2", "1,", "1 || 2", "01", "1.2-beta", "latest", "1 - 2", "<", "~>1"];
    for requirement in written.into_iter().map(String::from).chain(hostile) {
        let shown: String = requirement.chars().take(40).collect();
        assert!(Cargo::understand(&requirement).is_err(), "{shown}");
        assert_eq!((crates().current(&requirement), crates().rewrite(&requirement, "9.0.0")), (None, None), "{shown}");
    }
}

#[rstest]
#[case::newer("1.2.3", "1.2.3", "2.0.0", true)]
#[case::allowed("1.2.3", "1.2.3", "1.3.0", false)]
#[case::prerelease("1.2.3", "1.2.3", "2.0.0-alpha.1", false)]
#[case::next_prerelease("=2.0.0-alpha.1", "2.0.0-alpha.1", "2.0.0-alpha.2", true)]
#[case::out_of_prerelease("=2.0.0-alpha.1", "2.0.0-alpha.1", "2.0.0", true)]
#[case::another_build("=1.0.0", "1.0.0", "1.0.0+build.2", false)]
#[case::older("=1.2.3", "1.2.3", "1.2.2", false)]
fn candidates(#[case] requirement: &str, #[case] current: &str, #[case] candidate: &str, #[case] is: bool) {
    assert_eq!(crates().is_candidate(requirement, current, candidate), is);
}
