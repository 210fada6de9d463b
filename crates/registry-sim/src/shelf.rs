//! What the registries hold: releases of packages, images with their tags, tokens in circulation.

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

pub(crate) const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const IMAGE_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The platforms of every image; the first is the one a client gets that does not understand an index.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];

/// A world of packages with names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum System {
    Pypi,
    Npm,
    Cargo,
}

/// One release of a package.
#[derive(Clone)]
pub(crate) struct Released {
    pub(crate) version: String,
    pub(crate) published_at: Option<Timestamp>,
    pub(crate) yanked: bool,
    /// Wheels that were uploaded later, by their platform: when.
    pub(crate) wheels: BTreeMap<String, Timestamp>,
    /// The versions of Python it is for.
    pub(crate) requires_python: String,
}

/// Where to read about a package, in its publisher's words.
#[derive(Clone, Default)]
pub(crate) struct Pages {
    pub(crate) source: Option<String>,
    pub(crate) homepage: Option<String>,
}

/// A document addressed by its digest.
#[derive(Clone)]
pub(crate) struct Manifest {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// One image repository.
#[derive(Default)]
pub(crate) struct Image {
    /// Tag to digest, in the lexical order of the tag list.
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) manifests: HashMap<String, Manifest>,
}

impl Image {
    /// The manifest a client without knowledge of indexes is given: that of the first platform.
    pub(crate) fn first_platform(&self, index: &Manifest) -> Option<(String, Manifest)> {
        let document: serde_json::Value = serde_json::from_slice(&index.bytes).ok()?;
        let digest = document["manifests"][0]["digest"].as_str()?;
        Some((digest.to_owned(), self.manifests.get(digest)?.clone()))
    }
}

/// What a token allows, and until when.
pub(crate) struct Grant {
    pub(crate) repositories: Vec<String>,
    pub(crate) expires_at: Timestamp,
}

/// Everything the registries hold.
pub(crate) struct Shelf {
    packages: BTreeMap<(System, String), Vec<Released>>,
    /// Where `latest` was pointed by hand, by the name of the npm package.
    latest: HashMap<String, String>,
    pages: BTreeMap<(System, String), Pages>,
    pub(crate) images: BTreeMap<String, Image>,
    pub(crate) grants: HashMap<String, Grant>,
    pub(crate) tags_per_page: usize,
    pub(crate) token_lifetime_seconds: i64,
    /// Counts every change: the index's `_last-serial`, and what makes two builds of an image differ.
    pub(crate) serial: u64,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            packages: BTreeMap::new(),
            latest: HashMap::new(),
            pages: BTreeMap::new(),
            images: BTreeMap::new(),
            grants: HashMap::new(),
            tags_per_page: 100,
            token_lifetime_seconds: 300,
            serial: 0,
        }
    }
}

impl Shelf {
    /// The releases of a package, however its name is written; `None` if there never were any.
    pub(crate) fn releases(&self, system: System, name: &str) -> Option<&Vec<Released>> {
        self.packages.get(&key(system, name))
    }

    /// The names of a system's packages, in order.
    pub(crate) fn names(&self, system: System) -> impl Iterator<Item = &str> {
        let of_system = self.packages.keys().filter(move |(other, _)| *other == system);
        of_system.map(|(_, name)| name.as_str())
    }

    /// Adds a release, or replaces the one of the same version.
    pub(crate) fn release(&mut self, system: System, name: &str, version: &str, published_at: Option<Timestamp>) {
        self.serial += 1;
        let releases = self.packages.entry(key(system, name)).or_default();
        releases.retain(|release| release.version != version);
        releases.push(Released {
            version: version.to_owned(),
            published_at,
            yanked: false,
            wheels: BTreeMap::new(),
            requires_python: ">=3.9".to_owned(),
        });
    }

    pub(crate) fn require_python(&mut self, name: &str, version: &str, range: &str) -> bool {
        self.serial += 1;
        let releases = self.packages.get_mut(&key(System::Pypi, name));
        releases
            .and_then(|releases| releases.iter_mut().find(|release| release.version == version))
            .map(|release| range.clone_into(&mut release.requires_python))
            .is_some()
    }

    pub(crate) fn add_wheel(&mut self, name: &str, version: &str, platform: &str, at: Timestamp) -> bool {
        self.serial += 1;
        let releases = self.packages.get_mut(&key(System::Pypi, name));
        releases
            .and_then(|releases| releases.iter_mut().find(|release| release.version == version))
            .map(|release| release.wheels.insert(platform.to_owned(), at))
            .is_some()
    }

    pub(crate) fn yank(&mut self, system: System, name: &str, version: &str) -> bool {
        self.serial += 1;
        let releases = self.packages.get_mut(&key(system, name));
        releases
            .and_then(|releases| releases.iter_mut().find(|release| release.version == version))
            .map(|release| release.yanked = true)
            .is_some()
    }

    pub(crate) fn delete(&mut self, system: System, name: &str, version: &str) -> bool {
        self.serial += 1;
        let Some(releases) = self.packages.get_mut(&key(system, name)) else { return false };
        let before = releases.len();
        releases.retain(|release| release.version != version);
        releases.len() < before
    }

    /// The version that `latest` points at: the last one published, deprecated or not, unless it was pointed elsewhere.
    pub(crate) fn latest(&self, name: &str) -> Option<&str> {
        let last = || self.releases(System::Npm, name)?.last().map(|release| release.version.as_str());
        self.latest.get(name).map(String::as_str).or_else(last)
    }

    /// Where to read about a package.
    pub(crate) fn pages(&self, system: System, name: &str) -> Pages {
        self.pages.get(&key(system, name)).cloned().unwrap_or_default()
    }

    pub(crate) fn pages_mut(&mut self, system: System, name: &str) -> &mut Pages {
        self.serial += 1;
        self.pages.entry(key(system, name)).or_default()
    }

    pub(crate) fn point_latest(&mut self, name: &str, version: &str) -> bool {
        self.serial += 1;
        let mut releases = self.releases(System::Npm, name).into_iter().flatten();
        let is_there = releases.any(|release| release.version == version);
        if is_there {
            self.latest.insert(name.to_owned(), version.to_owned());
        }
        is_there
    }

    pub(crate) fn tag(&mut self, image: &str, tag: &str) -> String {
        match self.digest(image, tag) {
            Some(digest) => digest,
            None => self.move_tag(image, tag),
        }
    }

    pub(crate) fn move_tag(&mut self, image: &str, tag: &str) -> String {
        self.serial += 1;
        let built = build(image, self.serial);
        let repository = self.images.entry(image.to_owned()).or_default();
        let digest = digest_of(&built[0].bytes);
        for manifest in built {
            repository.manifests.insert(digest_of(&manifest.bytes), manifest);
        }
        repository.tags.insert(tag.to_owned(), digest.clone());
        digest
    }

    pub(crate) fn delete_tag(&mut self, image: &str, tag: &str) -> bool {
        self.images.get_mut(image).is_some_and(|image| image.tags.remove(tag).is_some())
    }

    pub(crate) fn digest(&self, image: &str, tag: &str) -> Option<String> {
        self.images.get(image)?.tags.get(tag).cloned()
    }
}

/// An index and the manifests of its platforms, the index first. `build` makes their digests unique.
fn build(image: &str, build: u64) -> Vec<Manifest> {
    let blob = |kind: &str, media_type: &str, architecture: &str| {
        let contents = format!("{kind} of {image} for {architecture}, build {build}\n");
        json!({"mediaType": media_type, "digest": digest_of(contents.as_bytes()), "size": contents.len()})
    };
    let platforms: Vec<Manifest> = ARCHITECTURES
        .iter()
        .map(|architecture| {
            let document = json!({
                "schemaVersion": 2,
                "mediaType": IMAGE_MANIFEST,
                "config": blob("config", IMAGE_CONFIG, architecture),
                "layers": [blob("layer", IMAGE_LAYER, architecture)],
            });
            Manifest { media_type: IMAGE_MANIFEST, bytes: document.to_string().into_bytes() }
        })
        .collect();
    let listed: Vec<serde_json::Value> = platforms
        .iter()
        .zip(ARCHITECTURES)
        .map(|(manifest, architecture)| {
            json!({
                "mediaType": manifest.media_type,
                "digest": digest_of(&manifest.bytes),
                "size": manifest.bytes.len(),
                "platform": {"architecture": architecture, "os": "linux"},
            })
        })
        .collect();
    let index = json!({"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": listed});
    let mut all = vec![Manifest { media_type: IMAGE_INDEX, bytes: index.to_string().into_bytes() }];
    all.extend(platforms);
    all
}

/// What a package is filed under: Python's names in their normal form, all others as they are written.
fn key(system: System, name: &str) -> (System, String) {
    match system {
        System::Pypi => (system, normalised(name)),
        System::Npm | System::Cargo => (system, name.to_owned()),
    }
}

/// `sha256:` and the hexadecimal hash of the bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256_hex(bytes))
}

/// The hexadecimal SHA-256 of the bytes.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A project's name as PEP 503 normalises it.
pub(crate) fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.extend(c.to_lowercase()),
        }
    }
    normal
}
