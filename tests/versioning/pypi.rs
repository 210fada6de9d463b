//! PEP 440 and Poetry: what constraints stand for and become.

use super::pypi;
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
#[case::not_a_constraint("2.0", "3.0", None)]
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
    for constraint in ["", "!=1.0", "<0", "1.0", "==x", "=>1"] {
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
