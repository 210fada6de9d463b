//! From when the age of a release counts for one use of it. Pure.

use crate::domain::{Dependency, PackageId, Release};
use crate::versioning::GitTag;
use jiff::Timestamp;

/// From when the age of a release counts where a file pins the package, by a digest or commit or not.
///
/// A version that is a tag may be made to point at something else. Who depends on what it points at waits for that to be old
/// enough, whatever the age of its name.
pub fn counts_from(release: &Release, package: &PackageId, pinned: bool) -> Timestamp {
    match &release.content {
        Some(content) if is_content_meant(package, &release.version, pinned) => release.counts_from.max(content.since),
        _ => release.counts_from,
    }
}

/// Whether whoever writes this version means what it points at today. A commit, a digest or the hashes of files say so; so does a full version
/// such as `v4.1.2`, which nobody should move. `v4` and `v4.1` are moved with every release, by design, and who writes
/// them has asked for that.
pub fn is_content_meant(package: &PackageId, version: &str, pinned: bool) -> bool {
    pinned || (package.ecosystem.is_of_the_forge() && GitTag::is_full(version))
}

/// The same for a dependency.
pub(super) fn of(release: &Release, dependency: &Dependency) -> Timestamp {
    counts_from(release, &dependency.package, dependency.digest.is_some() || dependency.hashed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Content, Ecosystem};

    #[test]
    fn a_moved_tag_is_as_young_as_its_move_for_whom_its_content_matters() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let starts = |ecosystem, version: &str, pinned| {
            let content = Some(Content { digest: "x".into(), since: at(500) });
            let package = PackageId { ecosystem, name: "acme/build".into() };
            let release = Release {
                version: version.into(),
                published_at: None,
                first_seen_at: at(100),
                counts_from: at(100),
                yanked: false,
                above_latest: false,
                content,
                requires_python: None,
            };
            counts_from(&release, &package, pinned).as_second()
        };
        assert_eq!(starts(Ecosystem::GithubActions, "v4.1.2", false), 500);
        assert_eq!(starts(Ecosystem::PreCommit, "24.1.0", false), 500);
        assert_eq!(starts(Ecosystem::GithubActions, "v4", false), 100, "moved by design");
        assert_eq!(starts(Ecosystem::GithubActions, "v4.1", false), 100);
        assert_eq!(starts(Ecosystem::GithubActions, "v4", true), 500, "pinned to its commit");
        assert_eq!(starts(Ecosystem::Docker, "3.13-slim", true), 500);
        assert_eq!(starts(Ecosystem::Docker, "3.13.1-slim", false), 100, "an image is rebuilt under its tag");
        assert_eq!(starts(Ecosystem::Pypi, "2.0", true), 500, "a file was added to those whose hashes are pinned");
        assert_eq!(starts(Ecosystem::Pypi, "2.0", false), 100);
    }
}
