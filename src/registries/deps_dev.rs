//! The deps.dev API, version 3: public data about packages of many ecosystems.
//!
//! Source: the deps.dev API's documentation, `GetPackage` and `GetVersion`. It gives publishing times as the package's own registry
//! reports them, and calls deprecated what that registry calls yanked. It documents no conditional requests; an ETag
//! is used where one comes all the same.

use super::error::RegistryError;
use super::fetch::host;
use super::index::Index;
use super::json::{Entries, or_default, parse, raised, time};
use super::{Answer, FoundRelease, Links, Listing, MAX_RELEASES, Registry, tidy};
use crate::domain::{Ecosystem, PackageId};
use async_trait::async_trait;
use reqwest::Url;
use serde::Deserialize;

/// The answer about one release is read up to this size. Beside links it has licences, advisories and attestations. Unit: bytes.
const VERSION_MAX_BYTES: usize = 1 << 20;
/// Nobody put more links there by hand.
const MAX_LINKS: usize = 100;

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

/// A release by itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OneVersion {
    #[serde(default)]
    links: Entries<Link, MAX_LINKS>,
    #[serde(default)]
    related_projects: Entries<Related, MAX_LINKS>,
}

#[derive(Deserialize)]
struct Link {
    label: String,
    url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Related {
    project_key: ProjectKey,
    relation_type: String,
}

#[derive(Deserialize)]
struct ProjectKey {
    /// `github.com/owner/name`
    id: String,
}

impl DepsDev {
    fn address(&self, package: &PackageId, rest: &[&str]) -> Option<Url> {
        let system = match package.ecosystem {
            Ecosystem::Pypi => "pypi",
            Ecosystem::Npm => "npm",
            Ecosystem::Cargo => "cargo",
            Ecosystem::Docker | Ecosystem::GithubActions | Ecosystem::PreCommit => return None,
        };
        let mut parts = vec!["v3", "systems", system, "packages", &package.name];
        parts.extend(rest);
        self.0.address(&parts)
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
        let Some(reply) = self.0.unless_known(package, self.address(package, &[]), "application/json", etag).await?
        else {
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
    async fn links(&self, package: &PackageId, version: &str) -> Result<Links, RegistryError> {
        let address = self.address(package, &["versions", version]);
        let Some(reply) = self.0.unless_known(package, address, "application/json", None).await? else {
            return Ok(Links::default());
        };
        let reply = reply.success(package)?;
        let registry = host(&reply.url);
        let one: OneVersion = parse(reply.body(VERSION_MAX_BYTES).await?, &registry).await?;
        Ok(links_of(one))
    }
}

/// The first address of each kind. What the publisher says comes before what deps.dev found out.
fn links_of(one: OneVersion) -> Links {
    let labelled =
        |label: &str| one.links.understood.iter().find(|link| link.label == label).map(|link| link.url.clone());
    let related = || one.related_projects.understood.iter().find(|project| project.relation_type == "SOURCE_REPO");
    Links {
        source: labelled("SOURCE_REPO").or_else(|| Some(format!("https://{}", related()?.project_key.id))),
        homepage: labelled("HOMEPAGE"),
        changelog: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Links {
        links_of(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn links_are_found_by_their_labels() {
        let said = links(
            r#"{"links": [{"label": "HOMEPAGE", "url": "https://httpx.example"}, 7, {"label": "ORIGIN", "url": "x"},
                {"label": "SOURCE_REPO", "url": "git+https://github.com/encode/httpx.git"}],
                "relatedProjects": [{"projectKey": {"id": "github.com/other/fork"}, "relationType": "SOURCE_REPO"}]}"#,
        );
        assert_eq!(said.source.unwrap(), "git+https://github.com/encode/httpx.git");
        assert_eq!(said.homepage.unwrap(), "https://httpx.example");
        let found_out = links(
            r#"{"relatedProjects": [{"projectKey": {"id": "github.com/a/tracker"}, "relationType": "ISSUE_TRACKER"},
                {"projectKey": {"id": "github.com/encode/httpx"}, "relationType": "SOURCE_REPO"}]}"#,
        );
        assert_eq!(found_out.source.unwrap(), "https://github.com/encode/httpx");
        for nothing in ["{}", r#"{"links": null}"#, r#"{"links": [{"label": "SOURCE_REPO"}]}"#] {
            assert_eq!(links(nothing), Links::default(), "{nothing}");
        }
    }
}
