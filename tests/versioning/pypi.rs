//! PEP 440 and Poetry: what constraints stand for and become.

use super::pypi;
use mass_driver::versioning::Pep440;
use rstest::rstest;

#[rstest]
#[case::pin("==0.27.0", "0.28.0", Some("==0.28.0"))]
#[case::pin_of_the_same("==1.0", "1.0.0", None)]
#[case::pin_with_v("==v1.0", "1.1", Some("==v1.1"))]
#[case::exact("===1.0", "1.1", Some("===1.1"))]
#[case::pin_beside_others(">=1,==1.4,!=1.3", "1.5", Some(">=1,==1.5,!=1.3"))]
#[case::compatible_allows("~=2.1", "2.9", None)]
#[case::compatible_excludes("~=2.1", "3.4.1", Some("~=3.4"))]
#[case::compatible_of_three("~=2.1.0", "2.2", Some("~=2.2.0"))]
#[case::compatible_with_a_prerelease("~=2.1", "3.0rc1", Some("~=3.0rc1"))]
#[case::upper_bound(">=1,<2", "2.3.1", Some(">=1,<3"))]
#[case::upper_bound_written_long("<2.0.0", "2.3.1", Some("<3.0.0"))]
#[case::upper_bound_of_a_minor(">=1.2 , < 1.10", "1.10.1", Some(">=1.2 , < 1.11"))]
#[case::upper_bound_of_a_minor_across_a_major("<1.10", "2.3.1", Some("<2.4"))]
#[case::upper_bound_with_dev("<2.dev0", "2.1", Some("<3.dev0"))]
#[case::inclusive_upper_bound("<=1.9", "1.10.2", Some("<=1.10.2"))]
#[case::zero_bound("<0", "1.2", Some("<2"))]
#[case::no_upper_bound(">=1", "9", None)]
#[case::allowed_already(">=1,<3", "2.9", None)]
#[case::prefix("==1.2.*", "1.4.7", Some("==1.4.*"))]
#[case::prefix_longer_than_the_version("==1.2.3.*", "2.0", Some("==2.0.0.*"))]
#[case::prefix_and_its_own_patch("==1.2.*", "1.2.9", None)]
#[case::exclusion_is_meant(">=1,!=2.0", "2.0", None)]
#[case::exclusion_is_kept("<2,!=1.5", "2.0", Some("<3,!=1.5"))]
#[case::exclusion_of_a_series("<2,!=2.*", "2.1", None)]
#[case::below_the_lower_bound(">=3", "2", None)]
#[case::epoch("==1.0", "1!1.0", Some("==1!1.0"))]
#[case::epoch_of_a_bound("<2", "1!1.4", Some("<1!2"))]
#[case::local("==2.1.0+cu118", "2.2.0+cu118", Some("==2.2.0+cu118"))]
#[case::nothing_written("", "2.0", None)]
#[case::hostile_target("==1.0", "2.0\n--index-url=http://example.com", None)]
fn python_constraints_move(#[case] constraint: &str, #[case] to: &str, #[case] moved: Option<&str>) {
    assert_eq!(pypi().rewrite(constraint, to).as_deref(), moved);
}

#[rstest]
#[case("==1.2.*", "1.2")]
#[case(">=1,<2", "1")]
#[case(">=1,>1.4", "1.4")]
#[case("~= 2.1", "2.1")]
#[case("<5", "4")]
#[case("<5.0", "4")]
#[case("<5.2", "5.1")]
#[case("<=1.9", "1.9")]
fn python_constraints_stand_for_a_version(#[case] constraint: &str, #[case] current: &str) {
    assert_eq!(pypi().current(constraint).as_deref(), Some(current));
}

#[test]
fn some_python_constraints_stand_for_none() {
    for constraint in ["", "!=1.0", "<0", "*", "==x", "=>1", "^", "~", "^x", "=", "1.0 - 2.0", "^18446744073709551615"]
    {
        assert_eq!(pypi().current(constraint), None, "{constraint}");
    }
}

#[rstest]
#[case::newer("==1.0", "1.0", "1.1", true)]
#[case::older("==1.0", "1.0", "0.9", false)]
#[case::prerelease("==1.0", "1.0", "2.0rc1", false)]
#[case::development("==1.0", "1.0", "2.0.dev3", false)]
#[case::next_prerelease("==2.0a1", "2.0a1", "2.0b1", true)]
#[case::prerelease_of_another("==2.0a1", "2.0a1", "2.1a1", false)]
#[case::out_of_prerelease("==2.0a1", "2.0a1", "2.0", true)]
#[case::post("==1.0", "1.0", "1.0.post1", true)]
#[case::allowed(">=1", "1", "2", false)]
#[case::other_build("==1.0+cpu", "1.0+cpu", "1.1", false)]
#[case::same_build("==1.0+cpu", "1.0+cpu", "1.1+cpu", true)]
#[case::local_of_a_plain_pin("==1.0", "1.0", "1.1+evil", false)]
#[case::not_a_version("==1.0", "1.0", "banana", false)]
fn python_candidates(#[case] constraint: &str, #[case] current: &str, #[case] candidate: &str, #[case] is: bool) {
    assert_eq!(pypi().is_candidate(constraint, current, candidate), is);
}

/// Poetry, "Dependency specification": caret, tilde, wildcard and exact requirements.
#[rstest]
#[case::caret("^1.2.3", "2.0.0", Some("^2.0.0"))]
#[case::caret_of_two("^1.2", "2.1.4", Some("^2.1"))]
#[case::caret_of_one("^1", "2.1.4", Some("^2"))]
#[case::caret_allows("^1.2", "1.9", None)]
#[case::caret_before_one("^0.2.3", "0.3.0", Some("^0.3.0"))]
#[case::caret_before_one_allows("^0.2.3", "0.2.9", None)]
#[case::caret_of_a_patch("^0.0.3", "0.0.4", Some("^0.0.4"))]
#[case::caret_of_zeros("^0.0", "0.1.2", Some("^0.1"))]
#[case::caret_of_zero("^0", "1.2", Some("^1"))]
#[case::caret_of_four("^1.2.3.4", "2.0", Some("^2.0.0.0"))]
#[case::caret_of_a_shorter_version("^1.2.3", "2.1", Some("^2.1.0"))]
#[case::caret_with_a_space("^ 1.2", "2.0", Some("^ 2.0"))]
#[case::caret_keeps_a_prerelease_out("^1.2", "2.0rc1", Some("^2.0rc1"))]
#[case::tilde("~1.2.3", "1.3.0", Some("~1.3.0"))]
#[case::tilde_of_two("~1.2", "1.3.4", Some("~1.3"))]
#[case::tilde_of_one("~1", "2.3.4", Some("~2"))]
#[case::tilde_allows("~1.2", "1.2.9", None)]
#[case::tilde_of_one_allows("~1", "1.9", None)]
#[case::wildcard("1.2.*", "1.3.4", Some("1.3.*"))]
#[case::wildcard_of_one("1.*", "2.3.4", Some("2.*"))]
#[case::anything("*", "9.0", None)]
#[case::version("1.2.3", "1.3.0", Some("1.3.0"))]
#[case::short_version("1.2", "1.2.1", Some("1.2.1"))]
#[case::version_with_a_sign("=1.2", "1.3", Some("=1.3"))]
#[case::with_an_exclusion("^1.2,!=1.4", "2.0", Some("^2.0,!=1.4"))]
#[case::epoch("^1.2", "1!1.3", Some("^1!1.3"))]
fn what_poetry_writes_moves(#[case] constraint: &str, #[case] to: &str, #[case] moved: Option<&str>) {
    assert_eq!(pypi().rewrite(constraint, to).as_deref(), moved);
}

#[rstest]
#[case("^1.2", "1.2")]
#[case("~1", "1")]
#[case("1.2.*", "1.2")]
#[case("1.2", "1.2")]
#[case("^1.2,<1.9", "1.2")]
fn what_poetry_writes_stands_for_a_version(#[case] constraint: &str, #[case] current: &str) {
    assert_eq!(pypi().current(constraint).as_deref(), Some(current));
    assert_eq!(Pep440::understand_poetry(constraint), Ok(()));
    assert!(Pep440::understand(constraint).is_err(), "no other tool takes {constraint}");
}

#[rstest]
#[case::prefix("==1.2.*", "1", false)]
#[case::candidate_below_a_candidate("<2.0rc2", "2.0rc1", true)]
#[case::candidate_of_another_epoch("<1!2.0", "2.0rc1", true)]
#[case::candidate_below_a_release("<2.0", "2.0rc1", false)]
#[case::post_above_a_release(">1.0", "1.0.post1", false)]
#[case::local("==1.0", "1.0+cpu", true)]
#[case::another_local("==1.0+cuda", "1.0+cpu", false)]
#[case::epoch(">=1", "1!0.1", true)]
#[case::compatible_with_three("~=2.2.3", "2.3", false)]
#[case::caret("^1.2", "2.0.dev1", false)]
fn what_specifiers_allow(#[case] range: &str, #[case] version: &str, #[case] inside: bool) {
    assert_eq!(pypi().matches(range, version).unwrap(), inside);
}
