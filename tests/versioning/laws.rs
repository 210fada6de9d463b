//! The laws of an order and of rewriting, over proper versions and over anything else.
//!
//! Each law is tried a thousand times, or `PROPTEST_CASES` times where that is more: with a million, the last of them gives every
//! scheme a million hostile texts.

use super::generated::{hostile, to_abuse, to_misread, to_move, with_versions};
use mass_driver::domain::Ecosystem;
use mass_driver::versioning::{Cargo, Node, Pep440, scheme};
use proptest::prelude::*;
use std::cmp::Ordering;

fn config() -> ProptestConfig {
    let by_default = ProptestConfig::default();
    ProptestConfig { failure_persistence: None, cases: by_default.cases.max(1_000), ..by_default }
}

/// What there is of a constraint beside its versions' numbers, prereleases and builds: operators, dots, wildcards, spaces.
fn style(constraint: &str) -> String {
    let mut style = String::new();
    let mut rest = constraint;
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let suffix = &rest[digits..];
        let marked = digits > 0 && suffix.starts_with(['-', '+', 'r']) && !suffix.starts_with("- ");
        let end = match marked {
            true => digits + suffix.find([' ', ',']).unwrap_or(suffix.len()),
            false => digits.max(first.len_utf8()),
        };
        style.push_str(if digits > 0 { "N" } else { &rest[..end] });
        rest = &rest[end..];
    }
    style
}

/// The same, without what tells how many numbers a version has. The `!` of an epoch is none.
fn operators(constraint: &str) -> String {
    constraint.replace("!=", "≠").chars().filter(|c| "<≠>=~^,|* ".contains(*c)).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_order_is_an_order((ecosystem, versions) in with_versions(3)) {
        let scheme = scheme(ecosystem);
        let compare = |a: usize, b: usize| scheme.compare(&versions[a], &versions[b]);
        prop_assert_eq!(compare(0, 1), compare(1, 0).map(Ordering::reverse));
        prop_assert!(compare(0, 0).is_none_or(Ordering::is_eq));
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
    fn a_moved_constraint_allows_its_target((ecosystem, (constraint, to)) in to_move()) {
        let scheme = scheme(ecosystem);
        if let Some(moved) = scheme.rewrite(&constraint, &to) {
            let said = format!("{ecosystem}: {constraint} -> {moved} for {to}");
            prop_assert!(moved != constraint, "{}", said);
            prop_assert_eq!(scheme.rewrite(&moved, &to), None, "moved once, there is nothing to do: {}", said);
            match ecosystem {
                Ecosystem::Docker | Ecosystem::GithubActions | Ecosystem::PreCommit => prop_assert_eq!(&moved, &to),
                _ => prop_assert!(scheme.matches(&moved, &to).unwrap(), "{}", said),
            }
            // What npm and Cargo keep out as a prerelease, an ignore rule may mean.
            if ecosystem == Ecosystem::Pypi || !scheme.is_prerelease(&to) && scheme.matches(&constraint, &to).is_ok() {
                prop_assert!(!scheme.matches(&constraint, &to).unwrap(), "allowed before: {}", said);
            }
        }
    }

    #[test]
    fn a_moved_constraint_keeps_its_style((ecosystem, (constraint, to)) in to_move()) {
        if let Some(moved) = scheme(ecosystem).rewrite(&constraint, &to) {
            match ecosystem {
                // A pin takes the version as it is published.
                Ecosystem::Pypi => prop_assert_eq!(operators(&moved), operators(&constraint)),
                // One more alternative is written as the one before.
                Ecosystem::Npm if moved.matches("||").count() > constraint.matches("||").count() => {
                    let (kept, added) = moved.rsplit_once(" || ").unwrap();
                    prop_assert_eq!(kept, &constraint);
                    prop_assert!(constraint.split(" || ").any(|one| style(one) == style(added)), "{}", moved);
                }
                Ecosystem::Npm | Ecosystem::Cargo => prop_assert_eq!(style(&moved), style(&constraint)),
                _ => prop_assert_eq!(scheme(ecosystem).line(&moved), scheme(ecosystem).line(&constraint)),
            }
        }
    }

    #[test]
    fn a_candidate_is_newer_and_can_be_written((ecosystem, (constraint, candidate)) in to_move()) {
        let scheme = scheme(ecosystem);
        if let Some(current) = scheme.current(&constraint) {
            prop_assert!(scheme.line(&current).is_some(), "{}: {} stands for {}", ecosystem, constraint, current);
            if scheme.is_candidate(&constraint, &current, &candidate) {
                prop_assert!(scheme.step(&current, &candidate).is_some());
                prop_assert!(scheme.rewrite(&constraint, &candidate).is_some());
                prop_assert!(!scheme.is_prerelease(&candidate) || scheme.is_prerelease(&current));
            }
        }
    }

    #[test]
    fn what_stands_for_a_version_is_understood((ecosystem, constraint) in to_misread()) {
        if scheme(ecosystem).current(&constraint).is_some() {
            match ecosystem {
                Ecosystem::Pypi => prop_assert_eq!(Pep440::understand_poetry(&constraint), Ok(())),
                Ecosystem::Npm => prop_assert_eq!(Node::understand(&constraint), Ok(())),
                Ecosystem::Cargo => prop_assert_eq!(Cargo::understand(&constraint), Ok(())),
                _ => prop_assert!(scheme(ecosystem).line(&constraint).is_some()),
            }
        }
    }

    #[test]
    fn what_is_written_is_a_version_alone((ecosystem, (constraint, to)) in to_abuse()) {
        if let Some(moved) = scheme(ecosystem).rewrite(&constraint, &to) {
            let harmless = |c: char| c.is_ascii_alphanumeric() || "._-+!/@<>=~^,|* ".contains(c);
            prop_assert!(moved.chars().all(harmless), "{}: {} to {} is {}", ecosystem, constraint, to, moved);
        }
    }

    #[test]
    fn no_text_makes_it_panic(a in hostile(), b in hostile()) {
        for ecosystem in Ecosystem::ALL {
            let scheme = scheme(ecosystem);
            let _ = (scheme.compare(&a, &b), scheme.step(&a, &b), scheme.is_prerelease(&a), scheme.current(&a), scheme.line(&a));
            let _ = (scheme.rewrite(&a, &b), scheme.rewrite(&a, "2.0.0"), scheme.matches(&a, &b), scheme.matches(&a, "2.0.0"));
            let _ = (scheme.is_candidate(&a, &b, "2.0.0"), scheme.is_candidate(&a, "1.0", &b));
        }
        let _ = (Node::is_dist_tag(&a), Node::understand(&a), Cargo::understand(&a), Pep440::understand(&a), Pep440::understand_poetry(&a));
    }
}
