//! Simple indexes of Python packages, spoken to in JSON.
//!
//! Source: PEP 691 (the JSON form), PEP 700 (`versions`, `upload-time`), PEP 592 (yanked files), PEP 503 (names).
//! The hashes are those of the page, which the index answers for; no file is fetched.

use super::error::RegistryError;
use super::fetch::host;
use super::index::Index;
use super::json::{Entries, ascii_line, or_default, parse, protocol, raised, time};
use super::pythons::FilesPythons;
use super::{Answer, FoundRelease, Listing, MAX_RELEASES, Registry, digest_of, tidy};
use crate::domain::PackageId;
use async_trait::async_trait;
use http::StatusCode;
use jiff::Timestamp;
use pep440_rs::Version;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::str::FromStr as _;

const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";
/// More files than any project has; what counts is that there is a bound.
const MAX_FILES: usize = 250_000;

/// Asks a simple index.
pub(super) struct SimpleIndex(pub(super) Index);

#[derive(Deserialize)]
struct Page {
    meta: Meta,
    versions: Option<Entries<String, MAX_RELEASES>>,
    files: Entries<File, MAX_FILES>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Meta {
    api_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    filename: String,
    #[serde(default, deserialize_with = "or_default")]
    upload_time: Option<String>,
    #[serde(default, deserialize_with = "raised")]
    yanked: bool,
    #[serde(default, deserialize_with = "or_default")]
    hashes: Hashes,
    #[serde(default, deserialize_with = "or_default")]
    requires_python: Option<String>,
}

#[derive(Default, Deserialize)]
struct Hashes {
    #[serde(default, deserialize_with = "or_default")]
    sha256: Option<String>,
}

/// A project's page, where it came from, and its ETag.
struct Read {
    page: Page,
    registry: String,
    etag: Option<String>,
}

impl SimpleIndex {
    /// A project's page, unless it is the one that `etag` came with.
    async fn page(&self, package: &PackageId, etag: Option<&str>) -> Result<Option<Read>, RegistryError> {
        // The empty part makes the slash at the end, without which indexes redirect.
        let address = self.0.address(&[&package.name, ""]);
        let Some(reply) = self.0.unless_known(package, address, SIMPLE_JSON, etag).await? else {
            return Ok(None);
        };
        let registry = host(&reply.url);
        if reply.status() == StatusCode::NOT_ACCEPTABLE {
            return Err(protocol(&registry, "it has no JSON form (PEP 691) of its pages"));
        }
        let reply = reply.success(package)?;
        let kind = reply.header("content-type").unwrap_or_default();
        if !is_json(kind) {
            return Err(protocol(&registry, &format!("`{kind}` came where JSON (PEP 691) was asked for")));
        }
        let etag = reply.etag();
        let body = reply.body(self.0.fetch.limits.body_bytes).await?;
        let page: Page = parse(body, &registry).await?;
        if page.meta.api_version.split('.').next() != Some("1") {
            let why = format!("its API version is `{}`, and 1 is what we speak", page.meta.api_version);
            return Err(protocol(&registry, &why));
        }
        Ok(Some(Read { page, registry, etag }))
    }
}

#[async_trait]
impl Registry for SimpleIndex {
    fn name(&self) -> &'static str {
        "simple index"
    }

    fn reading(&self) -> &'static str {
        "simple-index/1"
    }

    async fn releases(&self, package: &PackageId, etag: Option<&str>) -> Result<Answer, RegistryError> {
        let Some(Read { page, registry, etag }) = self.page(package, etag).await? else {
            return Ok(Answer::NotModified);
        };
        let files = page.files.some_of(&registry)?;
        let versions = page.versions.map(|versions| versions.some_of(&registry)).transpose()?;
        let releases = releases_of(&package.name, versions, &files);
        if releases.len() > MAX_RELEASES {
            return Err(protocol(&registry, &format!("a list of more than {MAX_RELEASES} releases")));
        }
        Ok(Answer::Found(Listing { releases, etag }))
    }

    fn gives_hashes(&self) -> bool {
        true
    }

    async fn hashes(&self, package: &PackageId, version: &str) -> Result<Option<Vec<String>>, RegistryError> {
        let missing = |registry: &str| RegistryError::NotFound {
            what: ascii_line(&format!("{package} {version}")),
            registry: registry.to_owned(),
        };
        let Some(Read { page, registry, .. }) = self.page(package, None).await? else {
            return Err(missing(&self.0.host()));
        };
        let files = page.files.some_of(&registry)?;
        hashes_of(&package.name, version, &files).map_err(|NoFiles| missing(&registry))
    }
}

/// A release of which the page lists no file.
#[derive(Debug, PartialEq, Eq)]
struct NoFiles;

/// The hashes of all files of a release, in order; `None` if one of them has no SHA-256: pip would refuse that file, and
/// it may be the very one that somebody's machine needs.
fn hashes_of(project: &str, version: &str, files: &[File]) -> Result<Option<Vec<String>>, NoFiles> {
    let wanted = Key::of(version);
    let is_wanted = |file: &&File| version_in(&file.filename, project).is_some_and(|found| Key::of(found) == wanted);
    let found: Vec<Option<String>> = files.iter().filter(is_wanted).map(|file| file.hashes.sha256()).collect();
    if found.is_empty() {
        return Err(NoFiles);
    }
    let hashes: Option<BTreeSet<String>> = found.into_iter().collect();
    Ok(hashes.map(|hashes| hashes.into_iter().collect()))
}

impl Hashes {
    /// `sha256:` and the digits, if they are what they should be.
    fn sha256(&self) -> Option<String> {
        let digits = self.sha256.as_deref()?.to_ascii_lowercase();
        (digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| format!("sha256:{digits}"))
    }
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let json = [SIMPLE_JSON, "application/vnd.pypi.simple.latest+json", "application/json"];
    json.iter().any(|known| kind.eq_ignore_ascii_case(known))
}

/// Two ways of writing one version (`1.0-rc1`, `1.0rc1`) have the same key.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Parsed(Box<Version>),
    Text(String),
}

impl Key {
    fn of(version: &str) -> Self {
        Version::from_str(version)
            .map_or_else(|_| Self::Text(version.to_owned()), |version| Self::Parsed(version.into()))
    }
}

/// What a version's files say together.
struct Files<'a> {
    written: &'a str,
    first_upload: Option<Timestamp>,
    all_yanked: bool,
    /// The hashes of all of them; `None` when one has none.
    hashes: Option<BTreeSet<String>>,
    pythons: FilesPythons<'a>,
}

/// The releases of a page: the versions it lists, else those its file names carry.
///
/// A release was published with its first file, and is yanked when all its files are. A listed version without any file
/// cannot be installed: it counts as yanked.
fn releases_of(project: &str, listed: Option<Vec<String>>, files: &[File]) -> Vec<FoundRelease> {
    let mut order: Vec<Files<'_>> = Vec::new();
    let mut by_version: HashMap<Key, usize> = HashMap::new();
    for file in files {
        let Some(version) = version_in(&file.filename, project).filter(|version| super::is_plain_version(version))
        else {
            continue;
        };
        let at = *by_version.entry(Key::of(version)).or_insert_with(|| {
            let (hashes, pythons) = (Some(BTreeSet::new()), FilesPythons::default());
            order.push(Files { written: version, first_upload: None, all_yanked: true, hashes, pythons });
            order.len() - 1
        });
        let uploaded = file.upload_time.as_deref().and_then(time);
        let known = &mut order[at];
        known.first_upload = known.first_upload.into_iter().chain(uploaded).min();
        known.all_yanked &= file.yanked;
        known.pythons.add(file.requires_python.as_deref(), file.yanked);
        known.hashes = known.hashes.take().zip(file.hashes.sha256()).map(|(mut hashes, hash)| {
            hashes.insert(hash);
            hashes
        });
    }
    let release = |version: String, files: Option<&Files<'_>>| FoundRelease {
        version,
        published_at: files.and_then(|files| files.first_upload),
        yanked: files.is_none_or(|files| files.all_yanked),
        above_latest: false,
        digest: files.and_then(|files| files.hashes.as_ref()).map(digest_of),
        requires_python: files.and_then(|files| files.pythons.together()),
    };
    match listed {
        None => tidy(order.iter().map(|files| release(files.written.to_owned(), Some(files)))),
        Some(listed) => {
            let plain = listed.into_iter().filter(|version| super::is_plain_version(version));
            tidy(plain.map(|version| {
                let files = by_version.get(&Key::of(&version)).map(|at| &order[*at]);
                release(version, files)
            }))
        }
    }
}

/// The version a file's name carries, if the file is a wheel or a source distribution of the project.
///
/// Old source distributions keep dashes in the project's name, so the name ends where it first equals the project's.
fn version_in<'a>(filename: &'a str, project: &str) -> Option<&'a str> {
    let (stem, wheel) = match filename.strip_suffix(".whl") {
        Some(stem) => (stem, true),
        None => {
            let endings = [".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz", ".tar.Z", ".tar"];
            (endings.iter().find_map(|ending| filename.strip_suffix(ending))?, false)
        }
    };
    let dashes = stem.match_indices('-').map(|(at, _)| at);
    let end = dashes.take(64).find(|at| same_project(&stem[..*at], project))?;
    let rest = &stem[end + 1..];
    if wheel { rest.split('-').next() } else { Some(rest) }
}

/// Whether a name is, normalised, the project's normalised one.
fn same_project(name: &str, project: &str) -> bool {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.push(c.to_ascii_lowercase()),
        }
    }
    normal == project
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_give_their_version() {
        let cases = [
            ("httpx-0.28.0.tar.gz", "httpx", Some("0.28.0")),
            ("httpx-0.28.0-py3-none-any.whl", "httpx", Some("0.28.0")),
            ("numpy-2.1.0-1-cp313-cp313-manylinux_2_17_x86_64.whl", "numpy", Some("2.1.0")),
            ("zope_interface-6.0.tar.gz", "zope-interface", Some("6.0")),
            ("zope.interface-6.0.zip", "zope-interface", Some("6.0")),
            ("python-dateutil-2.8.2.tar.gz", "python-dateutil", Some("2.8.2")),
            ("Foo-1.0-rc1.tar.gz", "foo", Some("1.0-rc1")),
            ("torch-2.0+cu118-cp311-cp311-linux_x86_64.whl", "torch", Some("2.0+cu118")),
            ("httpx-0.28.0.exe", "httpx", None),
            ("other-1.0.tar.gz", "httpx", None),
            ("httpx.tar.gz", "httpx", None),
            ("", "httpx", None),
        ];
        for (filename, project, version) in cases {
            assert_eq!(version_in(filename, project), version, "{filename}");
        }
    }

    /// A time as good as any.
    const T: i64 = 1_767_225_600;

    fn file(filename: &str, second: Option<i64>, yanked: bool) -> File {
        let upload_time = second.map(|second| Timestamp::from_second(second).unwrap().to_string());
        File { filename: filename.into(), upload_time, yanked, hashes: Hashes::default(), requires_python: None }
    }

    #[test]
    fn a_release_has_the_hashes_of_all_its_files_or_none() {
        let hashed = |filename: &str, digits: &str| File {
            hashes: Hashes { sha256: Some(digits.into()) },
            ..file(filename, Some(T), false)
        };
        let (low, high) = ("0a".repeat(32), "FB".repeat(32));
        let mut files = vec![
            hashed("foo-1.0rc1.tar.gz", &high),
            hashed("foo-1.0rc1-py3-none-any.whl", &low),
            hashed("foo-1.0.tar.gz", &"cc".repeat(32)),
            hashed("foo-1.0rc1.exe", "none of pip's business"),
        ];
        let both = vec![format!("sha256:{low}"), format!("sha256:{}", "fb".repeat(32))];
        assert_eq!(hashes_of("foo", "1.0-rc.1", &files), Ok(Some(both)), "in order, however the version is written");
        assert_eq!(hashes_of("foo", "2.0", &files), Err(NoFiles));
        let digest = |files: &[File]| {
            let found = releases_of("foo", None, files);
            found.into_iter().find(|release| release.version == "1.0rc1").unwrap().digest
        };
        let before = digest(&files);
        assert_eq!(before, hashes_of("foo", "1.0rc1", &files).unwrap().map(|hashes| digest_of(&hashes)), "of the same");
        files.push(hashed("foo-1.0rc1-cp313-none-any.whl", &"dd".repeat(32)));
        assert_ne!(digest(&files), before, "a file was added");
        files.pop();
        files.reverse();
        assert_eq!(digest(&files), before, "in whatever order");
        files.reverse();
        for wrong in ["", "abc", &"g".repeat(64), &"a".repeat(65), &"é".repeat(32)] {
            files.push(hashed("foo-1.0rc1-cp313-none-any.whl", wrong));
            assert_eq!(hashes_of("foo", "1.0rc1", &files), Ok(None), "{wrong}");
            files.pop();
        }
        files.push(file("foo-1.0rc1-cp313-none-any.whl", None, false));
        assert_eq!(hashes_of("foo", "1.0rc1", &files), Ok(None), "one without a hash");
        assert_eq!(digest(&files), None);
    }

    proptest::proptest! {
        #[test]
        fn every_file_name_is_read_or_left(filename in "\\PC{0,40}", project in "[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}") {
            let version = version_in(&filename, &project).unwrap_or_default();
            proptest::prop_assert!(filename.contains(version));
        }

        #[test]
        fn names_written_in_any_way_give_the_version(
            parts in proptest::collection::vec("[a-z0-9]{1,8}", 1..4),
            separator in "[-_.]",
            version in "[0-9]{1,3}(\\.[0-9]{1,3}){0,3}((a|b|rc)[0-9])?",
        ) {
            let project = parts.join("-");
            let written = parts.join(&separator).to_uppercase();
            let sdist = format!("{written}-{version}.tar.gz");
            proptest::prop_assert_eq!(version_in(&sdist, &project), Some(version.as_str()));
            let wheel = format!("{}-{version}-py3-none-any.whl", parts.join("_"));
            proptest::prop_assert_eq!(version_in(&wheel, &project), Some(version.as_str()));
        }
    }

    #[test]
    fn a_release_is_what_its_files_say_together() {
        let files = [
            file("foo-1.0rc1.tar.gz", Some(T + 20), true),
            file("foo-1.0rc1-py3-none-any.whl", Some(T + 10), false),
            file("foo-1.1.tar.gz", None, true),
        ];
        let found = |version: &str, second: Option<i64>, yanked| FoundRelease {
            published_at: second.map(|second| Timestamp::from_second(second).unwrap()),
            yanked,
            requires_python: (version != "1.2").then(String::new),
            ..FoundRelease::named(version)
        };
        let derived = releases_of("foo", None, &files);
        assert_eq!(derived, [found("1.0rc1", Some(T + 10), false), found("1.1", None, true)]);
        let listed = Some(vec!["1.0-rc.1".into(), "1.1".into(), "1.2".into()]);
        let expected = [found("1.0-rc.1", Some(T + 10), false), found("1.1", None, true), found("1.2", None, true)];
        assert_eq!(releases_of("foo", listed, &files), expected, "a version without files cannot be installed");
    }
}
