//! The deps.dev API, version 3: public data about packages of many ecosystems.
//!
//! Source: the deps.dev API's documentation, `GetPackage`. It gives publishing times as the package's own registry
//! reports them, and calls deprecated what that registry calls yanked. It documents no conditional requests; an ETag
//! is used where one comes all the same.

use super::error::RegistryError;
use super::fetch::host;
use super::index::Index;
use super::json::{Entries, or_default, parse, raised, time};
use super::{Answer, FoundRelease, Listing, MAX_RELEASES, Registry, tidy};
use crate::domain::{Ecosystem, PackageId};
use async_trait::async_trait;
use reqwest::Url;
use serde::Deserialize;

/// Asks a deps.dev API.
pub(super) struct DepsDev(pub(super) Index);

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
    fn address(&self, package: &PackageId) -> Option<Url> {
        let system = match package.ecosystem {
            Ecosystem::Pypi => "pypi",
            Ecosystem::Npm => "npm",
            Ecosystem::Cargo => "cargo",
            Ecosystem::Docker | Ecosystem::GithubActions | Ecosystem::PreCommit => return None,
        };
        self.0.address(&["v3", "systems", system, "packages", &package.name])
    }
}

#[async_trait]
impl Registry for DepsDev {
    fn name(&self) -> &'static str {
        "deps.dev"
    }

    fn reading(&self) -> &'static str {
        "deps-dev/1"
    }

    async fn releases(&self, package: &PackageId, etag: Option<&str>) -> Result<Answer, RegistryError> {
        let Some(reply) = self.0.unless_known(package, self.address(package), "application/json", etag).await? else {
            return Ok(Answer::NotModified);
        };
        let reply = reply.success(package)?;
        let (etag, registry) = (reply.etag(), host(&reply.url));
        let body = reply.body(self.0.fetch.limits.body_bytes).await?;
        let versions = parse::<Package>(body, &registry).await?.versions.some_of(&registry)?;
        let releases = tidy(versions.into_iter().map(|version| FoundRelease {
            published_at: version.published_at.as_deref().and_then(time),
            yanked: version.is_deprecated,
            ..FoundRelease::named(version.version_key.version)
        }));
        Ok(Answer::Found(Listing { releases, etag }))
    }
}
