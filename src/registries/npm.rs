//! Registries of JavaScript packages, asked for the full document of a package, its *packument*.
//!
//! Source: the npm registry's documentation of package metadata: `versions` by version, each with `deprecated` where its
//! publisher took it back, `time` by version, and `dist-tags`, of which `latest` names what `npm install` installs. The
//! abbreviated form has no times, so the full one is asked for, which for a popular package is tens of megabytes: it is
//! read as it arrives, and only what is named here is kept.

use super::error::RegistryError;
use super::fetch::host;
use super::index::Index;
use super::json::{Object, Table, or_default, parse, protocol, time};
use super::{Answer, FoundRelease, Links, Listing, MAX_RELEASES, Registry, stream, tidy};
use crate::domain::PackageId;
use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Url;
use semver::Version;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use std::collections::HashMap;

/// `time` also has the versions that were taken out of the registry, and two entries about the package.
const MAX_TIMES: usize = 2 * MAX_RELEASES;
/// The registry's own limit on names, in bytes.
const MAX_NAME_BYTES: usize = 214;

/// The document of one version is its `package.json` and a little more. Unit: bytes.
const VERSION_MAX_BYTES: usize = 2 << 20;

/// Asks a registry of JavaScript packages.
pub(super) struct Npm(pub(super) Index);

#[derive(Deserialize)]
struct Packument {
    #[serde(default)]
    versions: Option<Table<Object<Manifest>, MAX_RELEASES>>,
    #[serde(default)]
    time: Object<Table<Time, MAX_TIMES>>,
    #[serde(default, rename = "dist-tags")]
    tags: Object<Tags>,
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default, deserialize_with = "or_default")]
    latest: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default, deserialize_with = "deprecated")]
    deprecated: bool,
}

/// Whether a version is deprecated: its publisher wrote why, or raised the flag of old. An empty text takes it back.
fn deprecated<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Word {
        Flag(Option<bool>),
        Why(String),
        Other(IgnoredAny),
    }
    Ok(match Word::deserialize(from)? {
        Word::Flag(flag) => flag.unwrap_or(false),
        Word::Why(why) => !why.is_empty(),
        Word::Other(_) => true,
    })
}

/// An entry of `time`: a point in time, or, under `unpublished`, what became of the package.
struct Time(Option<Timestamp>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Entry {
            Text(String),
            Other(IgnoredAny),
        }
        Ok(Self(match Entry::deserialize(from)? {
            Entry::Text(text) => time(&text),
            Entry::Other(_) => None,
        }))
    }
}

/// The document of one version.
#[derive(Deserialize)]
struct OneVersion {
    #[serde(default)]
    repository: Said,
    #[serde(default)]
    homepage: Said,
}

/// An address, by itself or as the `url` of an object, as `package.json` allows.
#[derive(Default)]
struct Said(Option<String>);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Object { url: String },
            Other(IgnoredAny),
        }
        Ok(Self(match Form::deserialize(from)? {
            Form::Text(url) | Form::Object { url } => Some(url),
            Form::Other(_) => None,
        }))
    }
}

impl Npm {
    /// `@scope/name` is one segment, its slash escaped: that is how registries know it.
    fn address(&self, package: &PackageId) -> Option<Url> {
        is_name(&package.name).then(|| self.0.address(&[&package.name]))?
    }

    fn address_of(&self, package: &PackageId, version: &str) -> Option<Url> {
        is_name(&package.name).then(|| self.0.address(&[&package.name, version]))?
    }
}

#[async_trait]
impl Registry for Npm {
    fn name(&self) -> &'static str {
        "npm registry"
    }

    fn reading(&self) -> &'static str {
        "npm/2"
    }

    async fn releases(&self, package: &PackageId, etag: Option<&str>) -> Result<Answer, RegistryError> {
        let Some(reply) = self.0.unless_known(package, self.address(package), "application/json", etag).await? else {
            return Ok(Answer::NotModified);
        };
        let reply = reply.success(package)?;
        let (etag, registry) = (reply.etag(), host(&reply.url));
        let packument: Packument = stream::read(reply, self.0.fetch.limits.packument_bytes).await?;
        let releases = releases_of(packument, &registry)?;
        Ok(Answer::Found(Listing { releases, etag }))
    }

    async fn links(&self, package: &PackageId, version: &str) -> Result<Links, RegistryError> {
        let address = self.address_of(package, version);
        let Some(reply) = self.0.unless_known(package, address, "application/json", None).await? else {
            return Ok(Links::default());
        };
        let reply = reply.success(package)?;
        let registry = host(&reply.url);
        let one: OneVersion = parse(reply.body(VERSION_MAX_BYTES).await?, &registry).await?;
        Ok(Links { source: one.repository.0, homepage: one.homepage.0, changelog: None })
    }
}

/// The releases of a package: its `versions`, since `time` goes on naming those that are gone.
fn releases_of(packument: Packument, registry: &str) -> Result<Vec<FoundRelease>, RegistryError> {
    let times = packument.time.good().map(|times| times.entries).unwrap_or_default();
    let Some(versions) = packument.versions else {
        // A package that was taken out of the registry as a whole is a document without versions that says so.
        return match times.iter().any(|(name, _)| name == "unpublished") {
            true => Ok(Vec::new()),
            false => Err(protocol(registry, "it names no versions of the package")),
        };
    };
    let mut published: HashMap<String, Option<Timestamp>> = HashMap::new();
    for (version, Time(time)) in times {
        // Of two times for one version the later one is believed, and none above both.
        published.entry(version).and_modify(|first| *first = first.zip(time).map(|(a, b)| a.max(b))).or_insert(time);
    }
    let latest = packument.tags.good().and_then(|tags| tags.latest);
    // A tag may outlive its version; then it says nothing about the others.
    let latest = latest.filter(|latest| versions.entries.iter().any(|(version, _)| version == latest));
    let latest = latest.and_then(|latest| Version::parse(&latest).ok());
    let entries = versions.entries.len();
    let understood: Vec<(String, Manifest)> =
        versions.entries.into_iter().filter_map(|(version, manifest)| Some((version, manifest.good()?))).collect();
    if understood.is_empty() && entries > 0 {
        return Err(protocol(registry, &format!("none of its {entries} versions has the expected fields")));
    }
    Ok(tidy(understood.into_iter().map(|(version, manifest)| FoundRelease {
        published_at: published.get(&version).copied().flatten(),
        above_latest: latest.as_ref().is_some_and(|latest| is_above(&version, latest)),
        yanked: manifest.deprecated,
        ..FoundRelease::named(version)
    })))
}

/// Whether a version is higher than the one that `npm install` installs: published under another tag, or left behind when
/// its publisher pointed `latest` at an older one.
fn is_above(version: &str, latest: &Version) -> bool {
    Version::parse(version).is_ok_and(|version| version.cmp_precedence(latest).is_gt())
}

/// Whether a text can be a package's name, of today or of the days when capitals and marks were allowed:
/// `name` or `@scope/name`.
fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!'()*".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(fits)
    };
    let parts = match text.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| part(scope) && part(name)),
        None => part(text),
    };
    parts && text.len() <= MAX_NAME_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;
    use std::collections::HashSet;

    #[test]
    fn names_are_a_part_or_a_scope_and_a_part() {
        for name in ["left-pad", "@types/node", "JSONStream", "a", "lodash.merge", "@a/b.c", "x~1", "(a)"] {
            assert!(is_name(name), "{name}");
        }
        let long = "a".repeat(215);
        for wrong in
            ["", "@", "@a", "@a/", "@/a", "a/b", "@a/b/c", "..", "@../a", "@a/..", ".a", "a b", "a?b", "é", &long]
        {
            assert!(!is_name(wrong), "{wrong}");
        }
    }

    fn read(text: &str) -> Result<Vec<FoundRelease>, RegistryError> {
        releases_of(serde_json::from_str(text).unwrap(), "registry.example")
    }

    #[test]
    fn an_address_is_a_text_or_an_object() {
        let said = |text: &str| {
            let one: OneVersion = serde_json::from_str(text).unwrap();
            (one.repository.0, one.homepage.0)
        };
        let (source, home) = (Some("o/r".to_string()), Some("https://x.example".to_string()));
        assert_eq!(said(r#"{"repository": "o/r", "homepage": "https://x.example"}"#), (source.clone(), home));
        assert_eq!(said(r#"{"repository": {"type": "git", "url": "o/r", "directory": "x"}}"#), (source, None));
        for nothing in
            ["{}", r#"{"repository": null, "homepage": 7}"#, r#"{"repository": {"url": []}, "homepage": []}"#]
        {
            assert_eq!(said(nothing), (None, None), "{nothing}");
        }
    }

    fn second(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    fn release(version: &str, published_at: Option<Timestamp>, yanked: bool) -> FoundRelease {
        FoundRelease { published_at, yanked, ..FoundRelease::named(version) }
    }

    #[test]
    fn a_version_has_its_time_and_is_yanked_when_it_is_deprecated() {
        let found = read(
            r#"{"name": "x", "dist-tags": {"latest": "1.6.0"}, "readme": "long", "versions": {
                "1.0.0": {"name": "x", "version": "1.0.0", "dist": {"tarball": "t", "signatures": [{"sig": "s"}]}},
                "1.1.0": {"deprecated": "use y"}, "1.2.0": {"deprecated": ""}, "1.3.0": {"deprecated": false},
                "1.4.0": {"deprecated": true}, "1.5.0": {"deprecated": {"why": 1}}, "1.6.0": {"deprecated": null}
            }, "time": {
                "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-02T00:00:00.000Z",
                "1.0.0": "2026-01-01T00:00:00.000Z", "0.9.0": "2025-12-01T00:00:00.000Z"
            }}"#,
        );
        let plain = |version| release(version, None, false);
        let taken_back = |version| release(version, None, true);
        let expected = [
            release("1.0.0", second(1_767_225_600), false),
            taken_back("1.1.0"),
            plain("1.2.0"),
            plain("1.3.0"),
            taken_back("1.4.0"),
            taken_back("1.5.0"),
            plain("1.6.0"),
        ];
        assert_eq!(found.unwrap(), expected, "what `time` alone names is gone");
    }

    #[test]
    fn an_unpublished_package_has_no_releases_and_a_document_without_versions_is_none() {
        let unpublished = r#"{"name": "x", "time": {"1.0.0": "2026-01-01T00:00:00Z",
            "unpublished": {"time": "2026-01-02T00:00:00Z", "versions": ["1.0.0"]}}}"#;
        assert_eq!(read(unpublished).unwrap(), []);
        assert_eq!(read(r#"{"versions": {}}"#).unwrap(), []);
        for other in
            [r#"{"error": "not_found"}"#, r#"{"versions": null}"#, r#"{"versions": {"1.0.0": 5, "2.0.0": []}}"#]
        {
            assert!(matches!(read(other), Err(RegistryError::Protocol { .. })), "{other}");
        }
    }

    #[test]
    fn times_that_are_none_or_contradict_each_other_make_a_release_younger() {
        let found = read(
            r#"{"versions": {"1.0.0": {}, "2.0.0": {}, "3.0.0": {}}, "time": {"1.0.0": 5, "2.0.0": "2026-01-01T00:00:00Z",
                "3.0.0": "2026-01-01T00:00:00Z", "2.0.0": "2026-01-01T00:00:10Z", "3.0.0": {}}}"#,
        );
        let expected = [
            release("1.0.0", None, false),
            release("2.0.0", second(1_767_225_610), false),
            release("3.0.0", None, false),
        ];
        assert_eq!(found.unwrap(), expected);
        for time in ["null", "[]", "\"2026\"", "7"] {
            let found = read(&format!(r#"{{"time": {time}, "versions": {{"1.0.0": {{}}}}}}"#));
            assert_eq!(found.unwrap(), [release("1.0.0", None, false)], "{time}");
        }
    }

    /// JSON of every kind, as deep as a few levels.
    fn any_json() -> impl Strategy<Value = Value> {
        let word = prop_oneof!["deprecated", "1\\.[0-9]\\.0", "2026-01-0[1-9]T00:00:00Z", "\\PC{0,10}"];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            word.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec((word.clone(), inner), 0..6)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_a_document_says_its_releases_are_plain_and_each_there_once(
            versions in any_json(), time in any_json(), tags in any_json(),
        ) {
            let text = serde_json::json!({"versions": versions, "time": time, "dist-tags": tags}).to_string();
            let read = serde_json::from_str(&text).ok().and_then(|packument| releases_of(packument, "x").ok());
            let found = read.unwrap_or_default();
            let names: HashSet<&str> = found.iter().map(|release| release.version.as_str()).collect();
            prop_assert_eq!(names.len(), found.len());
            for release in &found {
                prop_assert!(super::super::is_plain_version(&release.version));
                let dated = time.get(&release.version).and_then(Value::as_str).and_then(super::time);
                prop_assert_eq!(release.published_at, dated);
                prop_assert!(versions[&release.version].is_object());
            }
        }
    }

    #[test]
    fn half_a_document_is_an_error_and_no_fewer_releases() {
        let text =
            r#"{"versions": {"1.0.0": {"deprecated": "x"}, "2.0.0": {}}, "time": {"1.0.0": "2026-01-01T00:00:00Z"}}"#;
        for end in 0..text.len() {
            assert!(serde_json::from_str::<Packument>(&text[..end]).is_err(), "{}", &text[..end]);
        }
    }
}
