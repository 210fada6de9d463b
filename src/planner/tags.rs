//! By which tag a repository has a release, and how to get from there to what changed.
//!
//! No registry says so. Most repositories write the version, with a `v` or without; those that hold several packages put the
//! package's name before it. What one release of a package was found by is tried first for the next.

use crate::domain::{Ecosystem, PackageId};
use std::fmt::Write as _;

/// So many tags are tried for a release: each is a request.
pub const TAGS_TRIED_MAX: usize = 5;
/// Longer tags are not tried. Unit: bytes.
const TAG_MAX_BYTES: usize = 200;

/// How a tag is made from a version: what stands before it and behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape<'a> {
    before: &'a str,
    behind: &'a str,
}

impl<'a> Shape<'a> {
    /// The shape of a version's tag; `None` if the version is not in it.
    pub fn of(tag: &'a str, version: &str) -> Option<Self> {
        // The last one: names of packages have numbers as well.
        let at = tag.rfind(version).filter(|_| !version.is_empty())?;
        let behind = &tag[at + version.len()..];
        // `v1.2` does not tell how `1.2.3` is written, nor `v1.2.30`.
        let is_cut = behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.')
            || tag[..at].ends_with(|c: char| c.is_ascii_digit() || c == '.');
        (!is_cut).then_some(Self { before: &tag[..at], behind })
    }

    /// The tag of another version.
    pub fn tag(self, version: &str) -> String {
        format!("{}{version}{}", self.before, self.behind)
    }
}

/// The tags that the repository of a package may have for a version, the most likely first: at most [`TAGS_TRIED_MAX`], all of
/// them such as git allows. `known` is the shape by which another version was found.
pub fn candidates(package: &PackageId, version: &str, known: Option<Shape<'_>>) -> Vec<String> {
    let name = &package.name;
    // The version is a tag already.
    let own = match package.ecosystem {
        Ecosystem::GithubActions | Ecosystem::PreCommit => vec![version.to_owned()],
        Ecosystem::Docker => Vec::new(),
        Ecosystem::Pypi | Ecosystem::Npm | Ecosystem::Cargo => match name.rsplit_once('/') {
            // A scope is mostly the repository of many packages, in which `v1.2.3` may be another one.
            Some((_, short)) => vec![
                format!("{name}@{version}"),
                format!("v{version}"),
                format!("{short}@{version}"),
                version.to_owned(),
                format!("{short}-v{version}"),
            ],
            None => vec![
                format!("v{version}"),
                version.to_owned(),
                format!("{name}@{version}"),
                format!("{name}-v{version}"),
                format!("{name}-{version}"),
            ],
        },
    };
    let mut tags: Vec<String> = Vec::new();
    for tag in known.map(|shape| shape.tag(version)).into_iter().chain(own) {
        if is_tag(&tag) && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags.truncate(TAGS_TRIED_MAX);
    tags
}

/// The address of a release's page.
pub fn release_page(repository: &str, tag: &str) -> String {
    format!("{repository}/releases/tag/{}", encoded(tag))
}

/// The address of what changed between two versions of a package, by the tag of the newer one.
pub fn compare_page(package: &PackageId, repository: &str, (from, to): (&str, &str), tag: &str) -> Option<String> {
    let before = match package.ecosystem {
        Ecosystem::GithubActions | Ecosystem::PreCommit => from.to_owned(),
        _ => Shape::of(tag, to)?.tag(from),
    };
    (is_tag(&before) && is_tag(tag) && before != tag)
        .then(|| format!("{repository}/compare/{}...{}", encoded(&before), encoded(tag)))
}

/// Whether git allows it as the name of a tag. Source: git's documentation of `check-ref-format`.
fn is_tag(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    let odd = |byte: u8| !byte.is_ascii_graphic() || b"~^:?*[\\".contains(&byte);
    text.len() <= TAG_MAX_BYTES
        && !text.bytes().any(odd)
        && text.split('/').all(part)
        && !text.ends_with('.')
        && !text.starts_with('-')
        && text != "@"
        && !["..", "@{"].iter().any(|odd| text.contains(odd))
}

/// A tag as one part of a path.
fn encoded(tag: &str) -> String {
    let mut text = String::with_capacity(tag.len());
    for byte in tag.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
            _ => drop(write!(text, "%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn package(ecosystem: Ecosystem, name: &str) -> PackageId {
        PackageId { ecosystem, name: name.into() }
    }

    #[test]
    fn the_usual_tags_come_first() {
        let of = |ecosystem, name: &str, version: &str| candidates(&package(ecosystem, name), version, None);
        assert_eq!(
            of(Ecosystem::Pypi, "httpx", "0.28.0"),
            ["v0.28.0", "0.28.0", "httpx@0.28.0", "httpx-v0.28.0", "httpx-0.28.0"]
        );
        assert_eq!(
            of(Ecosystem::Npm, "@babel/core", "7.0.0"),
            ["@babel/core@7.0.0", "v7.0.0", "core@7.0.0", "7.0.0", "core-v7.0.0"]
        );
        assert_eq!(of(Ecosystem::GithubActions, "actions/cache", "v4.1.0"), ["v4.1.0"]);
        assert_eq!(of(Ecosystem::PreCommit, "github.com/psf/black", "24.1.0"), ["24.1.0"]);
        assert!(of(Ecosystem::Docker, "library/python", "3.13").is_empty());
    }

    #[test]
    fn what_was_found_before_is_tried_first() {
        let serde = package(Ecosystem::Cargo, "serde_json");
        let shape = Shape::of("release/1.0.1-final", "1.0.1");
        assert_eq!(candidates(&serde, "1.0.2", shape)[..2], ["release/1.0.2-final", "v1.0.2"]);
        assert_eq!(candidates(&serde, "1.0.2", Shape::of("v1.0.1", "1.0.1"))[..2], ["v1.0.2", "1.0.2"]);
        assert_eq!(candidates(&serde, "1.0.2", shape).len(), TAGS_TRIED_MAX);
        for (tag, version) in [("v1.2.3", "1.2"), ("v11.2", "1.2"), ("v1.2a", "1.2"), ("latest", "1.2"), ("v1", "")] {
            assert_eq!(Shape::of(tag, version), None, "{tag} {version}");
        }
    }

    #[test]
    fn a_tag_tells_where_the_changes_are() {
        let page = "https://github.com/o/r";
        let compare =
            |ecosystem, name: &str, moved, tag: &str| compare_page(&package(ecosystem, name), page, moved, tag);
        assert_eq!(
            compare(Ecosystem::Pypi, "httpx", ("0.27.0", "0.28.0"), "v0.28.0").unwrap(),
            "https://github.com/o/r/compare/v0.27.0...v0.28.0"
        );
        assert_eq!(
            compare(Ecosystem::Npm, "@a/b", ("1.0.0", "1.1.0"), "@a/b@1.1.0").unwrap(),
            "https://github.com/o/r/compare/%40a%2Fb%401.0.0...%40a%2Fb%401.1.0"
        );
        assert_eq!(
            compare(Ecosystem::GithubActions, "o/r", ("v3", "v4.1"), "v4.1").unwrap(),
            "https://github.com/o/r/compare/v3...v4.1"
        );
        assert_eq!(compare(Ecosystem::Pypi, "x", ("1.0", "1.1"), "latest"), None);
        assert_eq!(compare(Ecosystem::Pypi, "x", ("1 ../..", "1.1"), "v1.1"), None);
        assert_eq!(compare(Ecosystem::GithubActions, "o/r", ("", "v4"), "v4"), None);
        assert_eq!(release_page(page, "@a/b@1.1.0"), "https://github.com/o/r/releases/tag/%40a%2Fb%401.1.0");
    }

    proptest! {
        #[test]
        fn whatever_a_version_is_called_few_tags_are_tried_and_git_allows_them(
            name in "\\PC{0,30}|@?[a-z]{1,5}/?[a-z]{0,5}", version in "\\PC{0,30}|v?[0-9.]{0,9}", tag in "\\PC{0,30}|v?[0-9.]{0,9}",
        ) {
            for ecosystem in Ecosystem::ALL {
                let package = package(ecosystem, &name);
                let tags = candidates(&package, &version, Shape::of(&tag, &version));
                prop_assert!(tags.len() <= TAGS_TRIED_MAX);
                prop_assert!(tags.iter().all(|tag| is_tag(tag) && tag.is_ascii()));
                let compare = compare_page(&package, "https://x.example/o/r", (&tag, &version), &version);
                prop_assert!(compare.is_none_or(|page| page.bytes().all(|b| b.is_ascii_graphic())));
            }
        }
    }
}
