//! Tags of images.

use super::docker;
use rstest::rstest;

#[rstest]
#[case("3.12-slim", "3.13-slim", true)]
#[case("3.12-slim", "3.13", false)]
#[case("3.12-slim", "3.13.1-slim", false)]
#[case("3.12-slim", "3.13-alpine", false)]
#[case("3.12-slim", "3.13-rc-slim", false)]
#[case("3.12-slim", "3.11-slim", false)]
#[case("3.12-slim", "4.0-slim", true)]
#[case("3.13-rc-slim", "3.13-slim", true)]
#[case("3.13.0rc1-slim", "3.13.0rc2-slim", true)]
#[case("3.13.0rc1-slim", "3.14.0a1-slim", false)]
#[case("3.13.0rc1", "3.13.0", true)]
#[case("v1.2", "v1.3", true)]
#[case("v1.2", "1.3", false)]
#[case("1.2", "v1.3", false)]
#[case("1.2.3", "1.2.4-beta.1", false)]
#[case("20-bookworm-slim", "22-bookworm-slim", true)]
#[case("20-bookworm-slim", "22-trixie-slim", false)]
#[case("12", "20240101", false)]
#[case("20230101", "20240101", true)]
#[case("20230101", "2024010101", false)]
#[case("2024-01-15", "2024-02-01", true)]
#[case("22.04", "24.04", true)]
#[case("15-3.4-alpine", "16-3.4-alpine", true)]
#[case("17.0.2_8-jre", "17.0.10_7-jre", true)]
#[case("17.0.2_8-jre", "17.0.10-jre", false)]
#[case("1.25-alpine3.19", "1.26-alpine3.19", true)]
#[case("1.25-alpine3.19", "1.26-alpine3.20", false)]
#[case("9.4-1134", "9.5-1020", true)]
#[case("latest", "3.13", false)]
#[case("bookworm", "trixie", false)]
fn image_candidates(#[case] tag: &str, #[case] candidate: &str, #[case] is: bool) {
    assert_eq!(docker().is_candidate(tag, tag, candidate), is);
}

#[test]
fn a_tag_is_rewritten_within_its_line_alone() {
    assert_eq!(docker().rewrite("3.12-slim", "3.13-slim").as_deref(), Some("3.13-slim"));
    for other in ["3.12-slim", "3.13", "3.13-alpine", "v3.13-slim", "3.13-slim\nRUN true", ""] {
        assert_eq!(docker().rewrite("3.12-slim", other), None, "{other:?}");
    }
}

#[test]
fn the_documented_rules_leave_the_long_term_releases() {
    let page = include_str!("../../docs/ecosystems/docker.md");
    let ranges: Vec<&str> = page.lines().filter_map(|line| line.trim().strip_prefix("versions: ")).collect();
    let ignores = |range: &str, tag: &str| docker().matches(range.trim_matches('"'), tag).unwrap();
    let [ubuntu, node] = ranges[..] else { panic!("{ranges:?}") };
    for (range, kept, ignored) in [
        (ubuntu, ["22.04", "24.04", "26.04", "28.04"], ["22.10", "23.04", "25.10", "26.10"]),
        (node, ["20", "22-slim", "24.1", "26.0.1-alpine"], ["21", "23-slim", "25.1", "27.0.1-alpine"]),
    ] {
        for (kept, ignored) in kept.into_iter().zip(ignored) {
            assert_eq!((ignores(range, kept), ignores(range, ignored)), (false, true), "{kept} {ignored}");
        }
    }
}
