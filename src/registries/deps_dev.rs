//! The deps.dev API, version 3: public data about packages of many ecosystems.
//!
//! Source: the deps.dev API's documentation, `GetPackage`. It gives publishing times as the package's own registry
//! reports them, and calls deprecated what that registry calls yanked. It documents no conditional requests; an ETag
//! is used where one comes all the same.

use super::error::RegistryError;
use super::fetch::{Fetch, host, under, unknown};
use super::json::{Entries, or_default, parse, raised, time};
use super::settings::Base;
use super::{Answer, FoundRelease, Listing, MAX_RELEASES, Registry, tidy};
use crate::domain::{Ecosystem, PackageId};
use async_trait::async_trait;
use http::StatusCode;
use reqwest::Url;
use serde::Deserialize;
use std::sync::Arc;

/// Asks a deps.dev API.
pub(super) struct DepsDev {
    pub(super) base: Base,
    pub(super) fetch: Arc<Fetch>,
}

#[derive(Deserialize)]
struct Package {
    versions: Entries<Version, MAX_RELEASES>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version_key: VersionKey,
    #[serde(default, deserialize_with = "or_default")]
    published_at: Option<String>,
    #[serde(default, deserialize_with = "raised")]
    is_deprecated: bool,
}

#[derive(Deserialize)]
struct VersionKey {
    version: String,
}

impl DepsDev {
    fn url(&self, package: &PackageId) -> Option<Url> {
        let system = match package.ecosystem {
            Ecosystem::Pypi => "pypi",
            Ecosystem::Npm => "npm",
            Ecosystem::Cargo => "cargo",
            Ecosystem::Docker | Ecosystem::GithubActions | Ecosystem::PreCommit => return None,
        };
        under(&self.base.url, &["v3", "systems", system, "packages", &package.name])
    }
}

#[async_trait]
impl Registry for DepsDev {
    fn name(&self) -> &'static str {
        "deps.dev"
    }

    async fn releases(&self, package: &PackageId, etag: Option<&str>) -> Result<Answer, RegistryError> {
        let url = self.url(package).ok_or_else(|| unknown(package, &self.base.url))?;
        let Some(reply) = self.fetch.unless_known(&self.base, url, "application/json", etag).await? else {
            return Ok(Answer::NotModified);
        };
        if reply.status() != StatusCode::OK {
            return Err(reply.failure(&package.to_string()));
        }
        let (etag, registry) = (reply.etag(), host(&reply.url));
        let body = reply.body(self.fetch.limits.body_bytes).await?;
        let versions = parse::<Package>(body, &registry).await?.versions.some_of(&registry)?;
        let releases = tidy(versions.into_iter().map(|version| FoundRelease {
            version: version.version_key.version,
            published_at: version.published_at.as_deref().and_then(time),
            yanked: version.is_deprecated,
            digest: None,
            requires_python: None,
        }));
        Ok(Answer::Found(Listing { releases, etag }))
    }
}
