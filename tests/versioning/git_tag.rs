//! Tags of git repositories: by the habits of GitHub's action-versioning guide (`v4` beside `v4.1.2`), of semver with prefixes, and of
//! monorepos.

use super::tags;
use rstest::rstest;

#[rstest]
#[case::major("v4", "v5", true)]
#[case::major_to_a_full_version("v4", "v5.0.1", false)]
#[case::major_to_two_numbers("v4", "v5.0", false)]
#[case::two_numbers("v4.1", "v4.2", true)]
#[case::two_numbers_across("v4.1", "v5.0", true)]
#[case::full("v4.1.2", "v5.0.0", true)]
#[case::full_to_major("v4.1.2", "v5", false)]
#[case::older("v4.1.2", "v4.1.1", false)]
#[case::same("v4", "v4", false)]
#[case::bare("4.1.2", "4.2.0", true)]
#[case::bare_to_v("4.1.2", "v4.2.0", false)]
#[case::v_to_bare("v4.1.2", "4.2.0", false)]
#[case::release("release-1.2", "release-1.3", true)]
#[case::another_prefix("release-1.2", "hotfix-1.3", false)]
#[case::monorepo("widget/v1.2.3", "widget/v1.3.0", true)]
#[case::another_part("widget/v1.2.3", "gadget/v1.3.0", false)]
#[case::part_with_a_number("k8s-v1.2", "k8s-v1.3", true)]
#[case::npm_style("@scope/widget@1.2.3", "@scope/widget@1.3.0", true)]
#[case::glued_prefix("go1.22.1", "go1.23.0", true)]
#[case::underscores("REL_12_1", "REL_12_2", true)]
#[case::prerelease("v1.2.3", "v1.3.0-rc.1", false)]
#[case::glued_prerelease("v1.2.3", "v1.3.0b2", false)]
#[case::next_prerelease("v1.2.3-rc.1", "v1.2.3-rc.2", true)]
#[case::out_of_prerelease("v1.2.3-rc.1", "v1.2.3", true)]
#[case::prerelease_of_another("v1.2.3-rc.1", "v1.3.0-rc.1", false)]
#[case::unknown_suffix("v1.2.3", "v1.3.0-node20", false)]
#[case::same_suffix("v1.2.3-node20", "v1.3.0-node20", true)]
#[case::final_suffix("5.6.1.Final", "5.6.2.Final", true)]
#[case::calendar("2024.01.15", "2024.02.01", true)]
#[case::calendar_with_dashes("2024-01-15", "2024-02-01", true)]
#[case::date("v20240115", "v20240201", true)]
#[case::date_after_a_number("v12", "v20240201", false)]
#[case::branch("main", "v1", false)]
#[case::to_a_branch("v1", "main", false)]
#[case::to_a_quote("v1", "v2\"", false)]
fn candidates(#[case] tag: &str, #[case] candidate: &str, #[case] is: bool) {
    assert_eq!(tags().is_candidate(tag, tag, candidate), is);
    assert_eq!(tags().rewrite(tag, candidate).is_some_and(|moved| moved == candidate && is), is);
}

#[test]
fn branches_words_and_commits_are_no_versions() {
    let commit = "8f4b7f84864484a7bf31766abe9204da3cbe65b3";
    let digits = "1".repeat(40);
    let long = format!("v1{}", ".1".repeat(200));
    for text in [
        "main", "master", "stable", "latest", "HEAD", "", "v", "release-", "8f4b7f8", "abc1234", commit, &digits,
        &long, "v1 ", "v1\n", "é1", "v1:2",
    ] {
        assert_eq!((tags().current(text), tags().line(text)), (None, None), "{text}");
    }
    for text in ["v4", "v4.1", "2024.01", "20240115", "release-1.2", "widget/v1.2.3"] {
        assert_eq!(tags().current(text).as_deref(), Some(text));
    }
}
