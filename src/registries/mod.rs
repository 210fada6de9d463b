//! The room that asks registries which releases a package has, and which digest a tag points at.
//!
//! One file per protocol behind [`Registry`]: the deps.dev API, simple indexes (PEP 691), npm's packuments, Cargo's sparse
//! indexes, image registries (OCI distribution). [`Registries`] is the table that says which of them answers for a package.
//!
//! The first four are an `index` each: one document says all of a package. All requests go through `fetch`.
//!
//! The room knows packages and addresses, never repositories, subscriptions or the store. It does not repeat a failed
//! request: the caller's queue does, and the errors say when. Two things are untrusted here: every byte of an answer
//! (sizes, counts, types and times are checked, see `json` and `fetch`), and every address that an operator did not
//! set: the host in an image's name, a redirect, a token service (see `address`).

mod address;
mod cargo_index;
mod deps_dev;
mod error;
mod fetch;
mod index;
mod json;
mod npm;
mod oci;
mod pythons;
mod settings;
mod simple_index;
mod stream;
mod table;

pub use error::{RegistryError, RegistrySettingsError};
pub use settings::{Limits, RegistrySettings};
pub use table::Registries;

use crate::domain::PackageId;
use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The longest version or tag that is taken over, in bytes; the OCI distribution specification allows tags 128.
const MAX_VERSION_BYTES: usize = 128;

/// The most releases a package may have before its answer is refused: several times the largest ones known.
const MAX_RELEASES: usize = 50_000;

/// A service that knows the releases of packages.
#[async_trait]
pub trait Registry: Send + Sync {
    /// What it is called in logs and messages.
    fn name(&self) -> &'static str;

    /// Names the reader and what it makes of an answer: a word and a number, without spaces. Whoever has it take something
    /// else from the same answer raises the number. An answer that was read by another reader is then asked for anew, be it
    /// unchanged: see [`Registries::releases`].
    fn reading(&self) -> &'static str;

    /// All releases the package has now; [`Answer::NotModified`] if nothing changed since the answer `etag` came with.
    ///
    /// Errors: see [`RegistryError`], whose variants say what to do about them.
    async fn releases(&self, package: &PackageId, etag: Option<&str>) -> Result<Answer, RegistryError>;

    /// Whether [`hashes`](Self::hashes) are to be had here.
    fn gives_hashes(&self) -> bool {
        false
    }

    /// `sha256:` and digits for every file of a release, in order; `None` if the registry does not say all of them.
    ///
    /// Errors: see [`RegistryError`]; `NotFound` if there is no file of such a release.
    async fn hashes(&self, _package: &PackageId, _version: &str) -> Result<Option<Vec<String>>, RegistryError> {
        Ok(None)
    }

    /// Where the publisher of a release says that more can be read; nothing if the registry does not say.
    ///
    /// Errors: see [`RegistryError`]; `NotFound` if there is no such release.
    async fn links(&self, _package: &PackageId, _version: &str) -> Result<Links, RegistryError> {
        Ok(Links::default())
    }
}

/// Where to read about a release, as its publisher wrote it down: texts of strangers, of which nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Its source code.
    pub source: Option<String>,
    /// Its own page.
    pub homepage: Option<String>,
    /// The list of its changes.
    pub changelog: Option<String>,
}

/// What a registry says of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing changed since the answer that the caller's ETag came with.
    NotModified,
    /// Everything there is.
    Found(Listing),
}

/// All releases of a package at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Every version once, in the registry's order, which means nothing.
    pub releases: Vec<FoundRelease>,
    /// What to send along next time, where the registry gives one.
    pub etag: Option<String>,
}

/// A release as a registry describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRelease {
    /// The version or tag as the registry writes it: visible ASCII, at most 128 bytes.
    pub version: String,
    /// When the registry says it was published; `None` if it does not say, or nothing that can be read.
    pub published_at: Option<Timestamp>,
    /// Taken back by its publisher, or not to be used any more by its word.
    pub yanked: bool,
    /// Above the version that the registry calls the latest; `false` where it calls none so.
    pub above_latest: bool,
    /// What the version points at, where it is a tag and the answer says so.
    pub digest: Option<String>,
    /// As in [`Release::requires_python`](crate::domain::Release::requires_python).
    pub requires_python: Option<String>,
}

impl FoundRelease {
    /// A release of which the registry says nothing but its version.
    pub fn named(version: impl Into<String>) -> Self {
        let version = version.into();
        Self { version, published_at: None, yanked: false, above_latest: false, digest: None, requires_python: None }
    }
}

/// One digest over the hashes of all files of a release: it changes when a file is added, taken away or replaced.
pub fn digest_of<'h>(hashes: impl IntoIterator<Item = &'h String>) -> String {
    let mut all = Sha256::new();
    for hash in hashes {
        all.update(hash);
        all.update("\n");
    }
    format!("sha256:{}", hex::encode(all.finalize()))
}

/// Whether a version is fit to be kept at all. No ecosystem has versions that are not visible ASCII, and text that is
/// not must not reach a pull request.
fn is_plain_version(version: &str) -> bool {
    !version.is_empty() && version.len() <= MAX_VERSION_BYTES && version.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The releases fit to be kept, each version once.
///
/// Where a registry contradicts itself the more careful reading wins: a missing or later time makes the release
/// younger, a version that one entry calls yanked is yanked, and two words on Python are none.
fn tidy(found: impl IntoIterator<Item = FoundRelease>) -> Vec<FoundRelease> {
    let mut releases: Vec<FoundRelease> = Vec::new();
    let mut position: HashMap<String, usize> = HashMap::new();
    for release in found {
        if !is_plain_version(&release.version) {
            continue;
        }
        match position.entry(release.version.clone()) {
            Entry::Vacant(free) => {
                free.insert(releases.len());
                releases.push(release);
            }
            Entry::Occupied(taken) => {
                let first = &mut releases[*taken.get()];
                first.published_at = first.published_at.zip(release.published_at).map(|(a, b)| a.max(b));
                first.yanked |= release.yanked;
                first.above_latest |= release.above_latest;
                if first.requires_python != release.requires_python {
                    first.requires_python = None;
                }
            }
        }
    }
    releases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(version: &str, second: Option<i64>, yanked: bool) -> FoundRelease {
        let published_at = second.map(|second| Timestamp::from_second(second).unwrap());
        FoundRelease { published_at, yanked, ..FoundRelease::named(version) }
    }

    #[test]
    fn contradictions_are_read_the_careful_way() {
        let tidied = tidy([
            release("1", Some(10), false),
            release("2", Some(10), false),
            release("1", Some(20), true),
            release("2", None, false),
        ]);
        assert_eq!(tidied, [release("1", Some(20), true), release("2", None, false)]);
    }

    #[test]
    fn two_words_on_python_are_none() {
        let says = |python: &str| FoundRelease { requires_python: Some(python.into()), ..release("1", None, false) };
        assert_eq!(tidy([says(">=3.8"), says(">=3.9")]), [release("1", None, false)]);
        assert_eq!(tidy([says(">=3.8"), says(">=3.8")]), [says(">=3.8")]);
    }

    #[test]
    fn versions_that_are_no_plain_text_are_left_out() {
        let forty_digits = "1".repeat(40);
        let odd = ["", "1 2", "1\n", "１", "1\u{202e}", &"9".repeat(129), &forty_digits];
        let kept = tidy(odd.map(|version| release(version, None, false)));
        assert_eq!(kept, [release(&forty_digits, None, false)]);
    }
}
