//! The releases of packages in the order of their versions, worked out once for all plans that ask about them.

use super::Known;
use crate::domain::{PackageId, Release};
use crate::versioning::{Scheme, scheme};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

/// What is known of packages, and the order of their releases as far as somebody asked.
///
/// One for each plan, or for the plans of several repositories: most of them use the same packages, and reading every
/// version of each anew for each dependency is what a plan would spend its time on.
#[derive(Debug)]
pub struct Catalogue<'p> {
    packages: &'p BTreeMap<PackageId, Known>,
    /// By package, then by line: see [`Scheme::line`].
    ordered: HashMap<&'p PackageId, Lines<'p>>,
}

/// The releases of one package whose versions are understood, each line from the oldest to the newest.
type Lines<'p> = HashMap<&'p str, Line<'p>>;

#[derive(Debug)]
struct Line<'p> {
    releases: Vec<&'p Release>,
    sorted: bool,
}

impl<'p> Catalogue<'p> {
    /// A catalogue of these packages, in which nothing was looked up yet.
    pub fn of(packages: &'p BTreeMap<PackageId, Known>) -> Self {
        Self { packages, ordered: HashMap::new() }
    }

    /// What it was made of.
    pub fn packages(&self) -> &'p BTreeMap<PackageId, Known> {
        self.packages
    }

    /// The releases of a package that are newer than a version and of its line, taken back ones included, from the oldest
    /// to the newest.
    pub(super) fn newer_than(&mut self, package: &PackageId, current: &str) -> &[&'p Release] {
        let scheme = scheme(package.ecosystem);
        let releases = self.line_of(package, current);
        &releases[releases.partition_point(|release| order(scheme, release, current).is_le())..]
    }

    /// The release of this very name, be it taken back.
    pub(super) fn release(&mut self, package: &PackageId, version: &str) -> Option<&'p Release> {
        let scheme = scheme(package.ecosystem);
        let releases = self.line_of(package, version);
        let first = releases.partition_point(|release| order(scheme, release, version).is_lt());
        let mut equal = releases[first..].iter().take_while(|release| order(scheme, release, version).is_eq());
        equal.find(|release| release.version == version).copied()
    }

    /// All releases of a version's line, taken back ones included.
    pub(super) fn of_line_of(&mut self, package: &PackageId, version: &str) -> &[&'p Release] {
        self.line_of(package, version)
    }

    /// Whether a version is above the one that the package's registry calls the latest: above all releases that are not.
    pub(super) fn is_above_latest(&mut self, package: &PackageId, version: &str) -> bool {
        let scheme = scheme(package.ecosystem);
        let mut others = self.line_of(package, version).iter().rev().filter(|release| !release.above_latest);
        others.next().is_none_or(|latest| order(scheme, latest, version).is_lt())
    }

    /// The release of a version, however either of them is written (`2.0`, `2.0.0`).
    pub(super) fn equal_to(&mut self, package: &PackageId, version: &str) -> Option<&'p Release> {
        let scheme = scheme(package.ecosystem);
        let releases = self.line_of(package, version);
        let first = releases.partition_point(|release| order(scheme, release, version).is_lt());
        releases.get(first).filter(|release| order(scheme, release, version).is_eq()).copied()
    }

    /// The releases of a version's line, from the oldest to the newest.
    fn line_of(&mut self, package: &PackageId, version: &str) -> &[&'p Release] {
        let Some((package, Known::Releases(releases))) = self.packages.get_key_value(package) else { return &[] };
        let scheme = scheme(package.ecosystem);
        let lines = self.ordered.entry(package).or_insert_with(|| {
            let mut lines = Lines::new();
            for release in releases {
                if let Some(line) = scheme.line(&release.version) {
                    let new = || Line { releases: Vec::new(), sorted: false };
                    lines.entry(line).or_insert_with(new).releases.push(release);
                }
            }
            lines
        });
        let Some(line) = scheme.line(version).and_then(|line| lines.get_mut(line)) else { return &[] };
        if !line.sorted {
            line.releases.sort_by(|a, b| {
                let by_version = order(scheme, a, &b.version);
                by_version.then_with(|| (&a.version, a.counts_from).cmp(&(&b.version, b.counts_from)))
            });
            line.sorted = true;
        }
        &line.releases
    }
}

/// The order of versions of one line.
fn order(scheme: &dyn Scheme, release: &Release, version: &str) -> Ordering {
    scheme.compare(&release.version, version).unwrap_or(Ordering::Equal)
}
