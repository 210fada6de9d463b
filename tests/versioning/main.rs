//! Versions: examples of every rule, and the laws of an order over hostile texts.

mod cargo;
mod docker;
mod generated;
mod git_tag;
mod laws;
mod node;
mod pages;
mod pypi;

use mass_driver::domain::{Ecosystem, VersionStep};
use mass_driver::versioning::{Scheme, scheme};
use rstest::rstest;
use std::cmp::Ordering;

fn pypi() -> &'static dyn Scheme {
    scheme(Ecosystem::Pypi)
}

fn docker() -> &'static dyn Scheme {
    scheme(Ecosystem::Docker)
}

fn npm() -> &'static dyn Scheme {
    scheme(Ecosystem::Npm)
}

fn crates() -> &'static dyn Scheme {
    scheme(Ecosystem::Cargo)
}

fn tags() -> &'static dyn Scheme {
    scheme(Ecosystem::GithubActions)
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
#[case(Ecosystem::Npm, "1.2", "1.3.0", Some(VersionStep::Minor))]
#[case(Ecosystem::Npm, "0.2.3", "0.3.0", Some(VersionStep::Minor))]
#[case(Ecosystem::Npm, "1", "1.0.0", None)]
#[case(Ecosystem::Npm, "2.0.0-rc.1", "2.0.0", Some(VersionStep::Patch))]
#[case(Ecosystem::Cargo, "1", "2.0.1", Some(VersionStep::Major))]
#[case(Ecosystem::Cargo, "1.0.0", "1.0.0+build", None)]
#[case(Ecosystem::GithubActions, "v4", "v5", Some(VersionStep::Major))]
#[case(Ecosystem::PreCommit, "v4.1.2", "v4.1.3", Some(VersionStep::Patch))]
#[case(Ecosystem::PreCommit, "v4.1.2", "4.1.3", Some(VersionStep::Patch))]
#[case(Ecosystem::PreCommit, "v0.991", "v1.0.0", Some(VersionStep::Major))]
#[case(Ecosystem::GithubActions, "v4.1.2", "4.1.3", None)]
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
#[case(Ecosystem::Docker, "3.13-slim", "3.13-slim", true)]
#[case(Ecosystem::Docker, "3.13-slim", "3.13-alpine", false)]
#[case(Ecosystem::Pypi, "^5", "5.2", true)]
#[case(Ecosystem::Pypi, "<2 || >=5,<6", "5.2", true)]
#[case(Ecosystem::Pypi, "<2 || >=5,<6", "3.0", false)]
#[case(Ecosystem::GithubActions, ">=4", "v5", true)]
#[case(Ecosystem::GithubActions, ">=v4,<6", "v6.0.0", false)]
#[case(Ecosystem::GithubActions, "5.*", "v5.1.2", true)]
#[case(Ecosystem::GithubActions, "v5", "v5.0", true)]
#[case(Ecosystem::PreCommit, ">=2", "v2.1.0-rc.1", true)]
#[case(Ecosystem::PreCommit, "widget/v1.2", "widget/v1.2", true)]
#[case(Ecosystem::PreCommit, "widget/v1.2", "gadget/v1.2", false)]
#[case(Ecosystem::Npm, ">=5", "5.0.1", true)]
#[case(Ecosystem::Npm, ">=5 <6", "6.0.0", false)]
#[case(Ecosystem::Npm, ">=5,<6", "5.9.0", true)]
#[case(Ecosystem::Npm, "5.x || 7.x", "7.1.0", true)]
#[case(Ecosystem::Npm, "5 - 6", "6.9.0", true)]
#[case(Ecosystem::Npm, "^5.1", "5.0.0", false)]
#[case(Ecosystem::Npm, ">=5", "5.0.0-rc.1", true)]
#[case(Ecosystem::Npm, "<5", "5.0.0-rc.1", false)]
#[case(Ecosystem::Npm, "5.0.0-rc.1", "5.0.0-rc.1", true)]
#[case(Ecosystem::Npm, "5.0.0-rc.1", "5.0.0", false)]
#[case(Ecosystem::Npm, ">=3 <2", "4.0.0", false)]
#[case(Ecosystem::Npm, ">=5", "next", false)]
#[case(Ecosystem::Cargo, ">=5", "5.0.1", true)]
#[case(Ecosystem::Cargo, ">=5, <6", "6.0.0", false)]
#[case(Ecosystem::Cargo, "5", "5.9.0", true)]
#[case(Ecosystem::Cargo, "=5.1", "5.2.0", false)]
#[case(Ecosystem::Cargo, "5.*", "5.2.0", true)]
#[case(Ecosystem::Cargo, "^1 || ^2", "2.2.0", true)]
#[case(Ecosystem::Cargo, ">=5", "5.0.0-rc.1", true)]
#[case(Ecosystem::Cargo, "<5", "5.0.0-rc.1", false)]
fn ranges(#[case] ecosystem: Ecosystem, #[case] range: &str, #[case] version: &str, #[case] inside: bool) {
    assert_eq!(scheme(ecosystem).matches(range, version).unwrap(), inside);
}

#[test]
fn a_range_that_is_none_is_told() {
    let long = ">=1 || ".repeat(10_000);
    for ecosystem in Ecosystem::ALL {
        for range in [
            "",
            "five",
            ">=",
            "=>5",
            ">=5,,<6",
            ">=5,",
            ">=5 ||",
            "|| >=5",
            "5 | 6",
            "latest",
            &"1".repeat(40),
            &long,
            "é",
        ] {
            assert!(scheme(ecosystem).matches(range, "1.0").is_err(), "{ecosystem}: {range}");
        }
        if ecosystem != Ecosystem::Npm {
            assert!(scheme(ecosystem).matches("5 - 6", "1.0").is_err(), "{ecosystem}");
        }
    }
    let told = pypi().matches("=>5", "1.0").unwrap_err().to_string();
    assert!(told.contains("`=>5`") && told.contains("`>=5,<6`"), "{told}");
}

#[test]
fn hostile_versions_are_ordered_or_none() {
    let (digits, dots) = ("9".repeat(40), "1.".repeat(100_000));
    for version in [&digits, &dots, "", "١.٢", "1.0\0", "é", "1..2", "-", "v", "$(x)", "1.0 ", "1.0.0-", "1.0.0\n"] {
        for ecosystem in Ecosystem::ALL {
            let scheme = scheme(ecosystem);
            let _ = (scheme.compare(version, "1.0"), scheme.is_prerelease(version), scheme.step("1.0", version));
            for constraint in ["==1.0", "1.0", "^1.0", "=1.0.0", "v1.0"] {
                assert!(!scheme.is_candidate(constraint, "1.0", version), "{ecosystem}: {constraint} to {version:?}");
            }
        }
    }
    assert_eq!(pypi().compare("v1", "1.0"), Some(Ordering::Equal));
    assert_eq!(npm().compare("1.0.0+a", "1.0.0+b"), Some(Ordering::Equal));
}
