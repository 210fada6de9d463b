//! The laws of an order and of rewriting, over proper versions and over anything else.

use super::pypi;
use mass_driver::domain::Ecosystem;
use mass_driver::versioning::scheme;
use proptest::prelude::*;
use std::cmp::Ordering;

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
