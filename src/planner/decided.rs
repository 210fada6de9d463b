//! What people decided about packages by commands on pull requests, looked up by package.

use super::rejection::Rejection;
use crate::domain::{Decided, Decision, IgnoreScope, PackageId, VersionStep};
use crate::versioning::Scheme;
use jiff::Timestamp;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The decisions of a repository, indexed once for a plan.
pub struct Decisions<'a> {
    by_package: BTreeMap<&'a PackageId, Vec<&'a Decision>>,
}

impl<'a> Decisions<'a> {
    /// Indexes the decisions.
    pub fn of(decisions: &'a [Decision]) -> Self {
        let mut by_package: BTreeMap<_, Vec<&Decision>> = BTreeMap::new();
        for decision in decisions {
            by_package.entry(&decision.package).or_default().push(decision);
        }
        Self { by_package }
    }

    fn about(&self, package: &PackageId) -> &[&'a Decision] {
        self.by_package.get(package).map_or(&[], Vec::as_slice)
    }

    /// Why a version is not proposed, where a person does not want it: by the decision that goes farthest.
    pub fn refusal(&self, package: &PackageId, version: &str, scheme: &dyn Scheme) -> Option<Rejection> {
        let covering = self.about(package).iter().filter_map(|decision| match &decision.what {
            Decided::Ignored { scope, version: about } if covers(*scope, about, version, scheme) => {
                Some((*scope, about, decision))
            }
            _ => None,
        });
        covering.max_by_key(|(scope, ..)| *scope).map(|(scope, about, decision)| Rejection::Unwanted {
            by: decision.by.clone(),
            pull: decision.pull,
            scope,
            version: about.clone(),
        })
    }

    /// The decision that keeps a package's proposals away for longest, and until when. One that is over counts as well: the delay
    /// lets out what was put off at its first slot after that, which may be ahead.
    pub fn snooze(&self, package: &PackageId) -> Option<(&'a Decision, Timestamp)> {
        let about = self.about(package).iter();
        about
            .filter_map(|decision| match decision.what {
                Decided::Snoozed { until } => Some((*decision, until)),
                Decided::Ignored { .. } => None,
            })
            .max_by_key(|(_, until)| *until)
    }
}

/// Whether what was said about one version goes for another. Pure.
pub fn covers(scope: IgnoreScope, about: &str, version: &str, scheme: &dyn Scheme) -> bool {
    let same = || about == version || scheme.compare(about, version) == Some(Ordering::Equal);
    let apart = || scheme.step(about, version).or_else(|| scheme.step(version, about));
    match scope {
        IgnoreScope::Dependency => true,
        IgnoreScope::Version => same(),
        IgnoreScope::Minor => same() || apart() == Some(VersionStep::Patch),
        IgnoreScope::Major => same() || matches!(apart(), Some(VersionStep::Patch | VersionStep::Minor)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versioning::{DockerTag, GitTag, Pep440};
    use rstest::rstest;

    #[rstest]
    #[case(IgnoreScope::Version, &["2.1.3"], &["2.1.4", "2.1.2", "3.0"])]
    #[case(IgnoreScope::Minor, &["2.1.3", "2.1.9", "2.1", "2.1.3.post1"], &["2.2", "2.0.9", "3.1.3"])]
    #[case(IgnoreScope::Major, &["2.1.3", "2.99", "2.0"], &["1.9", "3.0", "12.1.3"])]
    #[case(IgnoreScope::Dependency, &["0.1", "2.1.3", "99"], &[])]
    fn a_scope_goes_around_its_version(#[case] scope: IgnoreScope, #[case] within: &[&str], #[case] without: &[&str]) {
        for version in within {
            assert!(covers(scope, "2.1.3", version, &Pep440), "{version}");
        }
        for version in without {
            assert!(!covers(scope, "2.1.3", version, &Pep440), "{version}");
        }
    }

    #[test]
    fn tags_are_covered_as_tags() {
        assert!(covers(IgnoreScope::Major, "v4", "v4.1.2", &GitTag));
        assert!(!covers(IgnoreScope::Major, "v4", "v5", &GitTag));
        assert!(covers(IgnoreScope::Minor, "3.13-slim", "3.13.2-slim", &DockerTag));
        assert!(!covers(IgnoreScope::Minor, "3.13-slim", "3.14-slim", &DockerTag));
    }
}
