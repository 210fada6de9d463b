//! Versions: examples of every rule, and the laws of an order over hostile texts.

mod cargo;
mod docker;
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
        for range in ["", "five", ">=", "=>5", ">=5,,<6", &"1".repeat(40)] {
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
