//! Versions: examples of every rule, and the laws of an order over hostile texts.
use mass_driver::domain::{Ecosystem, VersionStep};
use mass_driver::versioning::{Scheme, scheme};
use proptest::prelude::*;
use rstest::rstest;
use std::cmp::Ordering;

fn pypi() -> &'static dyn Scheme {
    scheme(Ecosystem::Pypi)
}

fn docker() -> &'static dyn Scheme {
    scheme(Ecosystem::Docker)
}

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

#[rstest]
#[case(Ecosystem::Pypi, "1.0", "2.0", Some(VersionStep::Major))]
#[case(Ecosystem::Pypi, "1.0", "1.1", Some(VersionStep::Minor))]
#[case(Ecosystem::Pypi, "1.0", "1.0.1", Some(VersionStep::Patch))]
#[case(Ecosystem::Pypi, "1.0", "1.0.post1", Some(VersionStep::Patch))]
#[case(Ecosystem::Pypi, "1.0", "1!1.0", Some(VersionStep::Major))]
#[case(Ecosystem::Pypi, "4", "5.1", Some(VersionStep::Major))]
#[case(Ecosystem::Pypi, "1.0", "1.0.0", None)]
#[case(Ecosystem::Pypi, "1.1", "1.0", None)]
#[case(Ecosystem::Docker, "3.12-slim", "3.13-slim", Some(VersionStep::Minor))]
#[case(Ecosystem::Docker, "3.12-slim", "3.13", None)]
#[case(Ecosystem::Docker, "20", "22", Some(VersionStep::Major))]
#[case(Ecosystem::Docker, "3.13.0rc1", "3.13.0", Some(VersionStep::Patch))]
fn steps(#[case] ecosystem: Ecosystem, #[case] from: &str, #[case] to: &str, #[case] step: Option<VersionStep>) {
    assert_eq!(scheme(ecosystem).step(from, to), step);
}

#[rstest]
#[case(Ecosystem::Pypi, ">=5", "5.0.1", true)]
#[case(Ecosystem::Pypi, ">=5,<6", "6.0", false)]
#[case(Ecosystem::Pypi, "5.*", "5.2", true)]
#[case(Ecosystem::Pypi, "5.*", "6.0", false)]
#[case(Ecosystem::Pypi, "5.0", "5.0.0", true)]
#[case(Ecosystem::Pypi, "==1.2.*", "1", false)]
#[case(Ecosystem::Pypi, "!=1.2.*", "1", true)]
#[case(Ecosystem::Pypi, ">=5", "banana", false)]
#[case(Ecosystem::Docker, ">=3.13", "3.13-slim", true)]
#[case(Ecosystem::Docker, ">=3.13", "3.13.0rc1-slim", true)]
#[case(Ecosystem::Docker, "3.*", "v4.0", false)]
#[case(Ecosystem::Docker, ">=3", "latest", false)]
fn ranges(#[case] ecosystem: Ecosystem, #[case] range: &str, #[case] version: &str, #[case] inside: bool) {
    assert_eq!(scheme(ecosystem).matches(range, version).unwrap(), inside);
}

#[test]
fn a_range_that_is_none_is_told() {
    for ecosystem in Ecosystem::ALL {
        for range in ["", "five", ">=", "=>5", ">=5,,<6", "^5", "5 - 6", &"1".repeat(40)] {
            assert!(scheme(ecosystem).matches(range, "1.0").is_err(), "{range}");
        }
    }
    let told = pypi().matches("=>5", "1.0").unwrap_err().to_string();
    assert!(told.contains("`=>5`") && told.contains("`>=5,<6`"), "{told}");
}

#[test]
fn hostile_versions_are_ordered_or_none() {
    let long = "9".repeat(40);
    for version in [long.as_str(), "", "١.٢", "1.0\0", "é", "1..2", "-", "v", "$(x)", "1.0 "] {
        for ecosystem in Ecosystem::ALL {
            let scheme = scheme(ecosystem);
            let _ = (scheme.compare(version, "1.0"), scheme.is_prerelease(version), scheme.step("1.0", version));
            assert!(!scheme.is_candidate("==1.0", "1.0", version), "{version:?}");
            assert!(!scheme.is_candidate("1.0", "1.0", version), "{version:?}");
        }
    }
    assert_eq!(pypi().compare("v1", "1.0"), Some(Ordering::Equal));
}

/// The rows of a table in the documentation, by the first word of its heading: each cell's texts in backticks.
fn documented<'a>(page: &'a str, heading: &str) -> Vec<Vec<Vec<&'a str>>> {
    let table = page.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let cells = |line: &'a str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let texts = |cell: &'a str| match cell.contains('`') {
        true => cell.split('`').skip(1).step_by(2).collect(),
        false => cell.split_whitespace().collect(),
    };
    table.take_while(|line| line.starts_with('|')).map(|line| cells(line).into_iter().map(texts).collect()).collect()
}

#[test]
fn the_documentation_of_python_constraints_is_true() {
    let rows = documented(include_str!("../docs/ecosystems/pypi.md"), "| written | released | becomes");
    assert!(rows.len() > 10);
    for row in rows {
        let (constraint, released, becomes) = (row[0][0], row[1][0], row[2].first().copied());
        assert_eq!(pypi().rewrite(constraint, released).as_deref(), becomes, "{constraint}");
        let current = pypi().current(constraint).unwrap();
        assert_eq!(pypi().is_candidate(constraint, &current, released), becomes.is_some(), "{constraint}");
    }
}

#[test]
fn the_documentation_of_tags_is_true() {
    let rows = documented(include_str!("../docs/ecosystems/docker.md"), "| written | moves to");
    assert!(rows.len() > 5);
    for row in rows {
        let tag = row[0][0];
        for (candidates, expected) in [(&row[1], true), (&row[2], false)] {
            for candidate in candidates.iter().filter(|text| text.contains(|c: char| c.is_ascii_digit())) {
                assert_eq!(docker().is_candidate(tag, tag, candidate), expected, "{tag} to {candidate}");
            }
        }
    }
}

fn python_version() -> impl Strategy<Value = String> {
    "(v|[01]!)?[0-3](\\.[0-3]){0,3}((a|b|rc)[0-2])?(\\.post[0-2])?(\\.dev[0-2])?(\\+[a-c1-3])?"
}

fn python_constraint() -> impl Strategy<Value = String> {
    let plain = (
        prop::sample::select(vec!["==", "===", ">=", ">", "<", "<=", "!=", "== ", "< "]),
        "[0-4](\\.[0-4]){0,2}(rc1)?",
    );
    let compatible = "~=[0-4](\\.[0-4]){1,2}".prop_map(|text| text);
    let prefix = "(==|!=)[0-4](\\.[0-4]){0,2}\\.\\*".prop_map(|text| text);
    let clause = prop_oneof![3 => plain.prop_map(|(op, v)| format!("{op}{v}")), 1 => compatible, 1 => prefix];
    prop::collection::vec(clause, 1..4).prop_map(|clauses| clauses.join(","))
}

fn tag() -> impl Strategy<Value = String> {
    "v?[0-3]([._-][0-3]){0,2}((a|rc)[0-2]|-rc|-beta\\.[0-2])?(-slim|-alpine3\\.1)?"
}

/// Versions as they should be, and anything else.
fn version(ecosystem: Ecosystem) -> BoxedStrategy<String> {
    let proper = match ecosystem {
        Ecosystem::Pypi => python_version().boxed(),
        Ecosystem::Docker | Ecosystem::GithubActions | Ecosystem::PreCommit => tag().boxed(),
        Ecosystem::Npm | Ecosystem::Cargo => "[0-3]\\.[0-3]\\.[0-3](-(alpha|rc\\.[0-2]))?".boxed(),
    };
    prop_oneof![8 => proper, 1 => ".{0,12}", 1 => "[0-9.v!+*a-]{0,50}"].boxed()
}

fn with_versions(count: usize) -> impl Strategy<Value = (Ecosystem, Vec<String>)> {
    prop::sample::select(Ecosystem::ALL.to_vec())
        .prop_flat_map(move |e| (Just(e), prop::collection::vec(version(e), count)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_order_is_an_order((ecosystem, versions) in with_versions(3)) {
        let scheme = scheme(ecosystem);
        let compare = |a: usize, b: usize| scheme.compare(&versions[a], &versions[b]);
        prop_assert_eq!(compare(0, 1), compare(1, 0).map(Ordering::reverse));
        if let (Some(ab), Some(bc)) = (compare(0, 1), compare(1, 2)) && (ab == bc || ab.is_eq() || bc.is_eq()) {
            prop_assert_eq!(compare(0, 2), Some(ab.then(bc)));
        }
    }

    #[test]
    fn versions_of_one_line_compare((ecosystem, versions) in with_versions(2)) {
        let scheme = scheme(ecosystem);
        let lines = (scheme.line(&versions[0]), scheme.line(&versions[1]));
        let one = lines.0.is_some() && lines.0 == lines.1;
        prop_assert_eq!(scheme.compare(&versions[0], &versions[1]).is_some(), one);
    }

    #[test]
    fn a_step_is_a_step_up((ecosystem, versions) in with_versions(2)) {
        let scheme = scheme(ecosystem);
        let newer = scheme.compare(&versions[0], &versions[1]) == Some(Ordering::Less);
        prop_assert_eq!(scheme.step(&versions[0], &versions[1]).is_some(), newer);
    }

    #[test]
    fn a_moved_constraint_allows_its_target(constraint in python_constraint(), to in python_version()) {
        if let Some(moved) = pypi().rewrite(&constraint, &to) {
            prop_assert!(pypi().matches(&moved, &to).unwrap(), "{constraint} -> {moved} for {to}");
            prop_assert!(!pypi().matches(&constraint, &to).unwrap(), "{constraint} allowed {to}");
            prop_assert_eq!(pypi().rewrite(&moved, &to), None, "moved once, there is nothing to do");
            prop_assert_eq!(moved.matches(',').count(), constraint.matches(',').count());
        }
    }

    #[test]
    fn a_candidate_is_newer_and_can_be_written(
        (ecosystem, versions) in with_versions(1), constraint in python_constraint(), tag in tag()
    ) {
        let scheme = scheme(ecosystem);
        let constraint = if ecosystem == Ecosystem::Pypi { constraint } else { tag };
        if let Some(current) = scheme.current(&constraint) && scheme.is_candidate(&constraint, &current, &versions[0]) {
            prop_assert!(scheme.step(&current, &versions[0]).is_some());
            let moved = scheme.rewrite(&constraint, &versions[0]).unwrap();
            prop_assert!(moved != constraint);
            prop_assert!(!scheme.is_prerelease(&versions[0]) || scheme.is_prerelease(&current));
        }
    }

    #[test]
    fn no_text_makes_it_panic(a in any::<String>(), b in any::<String>(), mixed in "[<>=!~,. *0-9va-z+-]{0,40}") {
        for ecosystem in Ecosystem::ALL {
            let scheme = scheme(ecosystem);
            for (a, b) in [(&a, &b), (&mixed, &b), (&a, &mixed), (&mixed, &mixed)] {
                let _ = (scheme.compare(a, b), scheme.step(a, b), scheme.is_prerelease(a), scheme.current(a));
                let _ = (scheme.rewrite(a, b), scheme.rewrite(a, "2.0"), scheme.matches(a, b));
                let _ = (scheme.is_candidate(a, b, "2.0"), scheme.is_candidate(a, "1.0", b));
            }
        }
    }
}
