//! Sparse indexes of Rust crates: a file for each crate, of one line of JSON for each version.
//!
//! Source: the Cargo book, "Registry index": where a crate's file lies, its fields, `v` (the form of a line), and `pubtime`,
//! which a line has only if the index knows it. Requests need nothing of the index's `config.json`, which says where
//! crates are downloaded.

use super::error::RegistryError;
use super::fetch::{host, under};
use super::index::Index;
use super::json::{ascii_line, lines, or_default, protocol, raised, time};
use super::{Answer, FoundRelease, Listing, MAX_RELEASES, Registry, tidy};
use crate::domain::PackageId;
use async_trait::async_trait;
use http::StatusCode;
use reqwest::Url;
use serde::Deserialize;

/// The newest form of lines that is documented. Cargo passes over lines of a form it does not know.
const KNOWN_FORM: u64 = 2;
/// Longer than any registry allows names to be.
const MAX_NAME_BYTES: usize = 128;

/// Asks a sparse index.
pub(super) struct CargoIndex(pub(super) Index);

#[derive(Deserialize)]
struct Line {
    vers: String,
    #[serde(default, deserialize_with = "raised")]
    yanked: bool,
    #[serde(default, deserialize_with = "or_default")]
    pubtime: Option<String>,
    /// Absent in the first form.
    #[serde(default = "first_form")]
    v: u64,
}

fn first_form() -> u64 {
    1
}

/// Where an index keeps the file of a crate; `None` if no crate has such a name.
fn file_of(index: &Url, name: &str) -> Option<Url> {
    let name = name.to_ascii_lowercase();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if name.len() > MAX_NAME_BYTES || !name.bytes().all(fits) {
        return None;
    }
    let path: &[&str] = match name.len() {
        0 => return None,
        1 => &["1", &name],
        2 => &["2", &name],
        3 => &["3", &name[..1], &name],
        _ => &[&name[..2], &name[2..4], &name],
    };
    under(index, path)
}

#[async_trait]
impl Registry for CargoIndex {
    fn name(&self) -> &'static str {
        "sparse index"
    }

    fn reading(&self) -> &'static str {
        "cargo-index/1"
    }

    async fn releases(&self, package: &PackageId, etag: Option<&str>) -> Result<Answer, RegistryError> {
        let file = file_of(&self.0.base.url, &package.name);
        let Some(reply) = self.0.unless_known(package, file, "text/plain", etag).await? else {
            return Ok(Answer::NotModified);
        };
        let registry = host(&reply.url);
        // One of the three statuses by which an index says that it has no such crate.
        if reply.status() == StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS {
            return Err(RegistryError::NotFound { what: ascii_line(&package.to_string()), registry });
        }
        let reply = reply.success(package)?;
        let etag = reply.etag();
        let body = reply.body(self.0.fetch.limits.body_bytes).await?;
        let read = lines::<Line, MAX_RELEASES>(body, &registry).await?.some_of(&registry)?;
        if read.is_empty() {
            return Err(protocol(&registry, "its file of the crate is empty"));
        }
        let known = read.into_iter().filter(|line| line.v <= KNOWN_FORM);
        let releases = tidy(known.map(|line| FoundRelease {
            published_at: line.pubtime.as_deref().and_then(time),
            yanked: line.yanked,
            ..FoundRelease::named(line.vers)
        }));
        Ok(Answer::Found(Listing { releases, etag }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registries::settings::RegistrySettings;

    fn url(index: &str, name: &str) -> Option<String> {
        let settings = RegistrySettings { cargo_url: Some(index.into()), ..RegistrySettings::default() };
        file_of(&settings.cargo().unwrap().unwrap().url, name).map(Into::into)
    }

    #[test]
    fn a_crates_file_lies_where_the_length_of_its_name_says() {
        for (name, path) in [
            ("a", "1/a"),
            ("ab", "2/ab"),
            ("abc", "3/a/abc"),
            ("Serde", "se/rd/serde"),
            ("cargo_metadata", "ca/rg/cargo_metadata"),
            ("a-b-c", "a-/b-/a-b-c"),
        ] {
            assert_eq!(url("https://index.example/", name), Some(format!("https://index.example/{path}")));
            assert_eq!(url("sparse+https://index.example/x", name), Some(format!("https://index.example/x/{path}")));
        }
        let long = "a".repeat(129);
        for wrong in ["", "a/b", "../..", "..", "é", "ééé", "a b", "a%2fb", "a?b", &long] {
            assert_eq!(url("https://index.example/", wrong), None, "{wrong}");
        }
    }
}
