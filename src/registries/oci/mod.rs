//! Image registries: the OCI distribution API, tags and digests only.
//!
//! Source: the OCI distribution specification 1.1 ("Listing tags", "Pulling manifests"), and the token protocol that
//! registries share. Tags carry no publishing times, so a release's age counts from when it was first seen. Tag lists
//! come in pages, of which an ETag would vouch for the first alone: none is used.

mod challenge;
mod place;
mod tokens;

use super::error::RegistryError;
use super::fetch::{Call, Fetch, Reply, host, origin};
use super::json::{Entries, ascii_line, parse, protocol};
use super::settings::Base;
use super::{Answer, FoundRelease, Listing, MAX_RELEASES, Registry, tidy};
use crate::domain::{Ecosystem, PackageId};
use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderValue, Method, StatusCode};
use place::{Place, Places};
use reqwest::Url;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use tokens::Tokens;

/// Tags asked for per page; registries give fewer where they wish.
const TAGS_PER_PAGE: &str = "1000";
/// More pages than an honest registry needs: none gives fewer than 100 tags a page.
const MAX_PAGES: usize = MAX_RELEASES / 100;
/// The specification asks registries to take manifests of up to 4 MiB.
const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;
/// What a digest may be the digest of. Without the kinds of index, a registry answers for one platform.
const MANIFEST_KINDS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Asks the registries of images.
pub(super) struct Images {
    places: Places,
    tokens: Tokens,
    fetch: Arc<Fetch>,
}

#[derive(Deserialize)]
struct TagList {
    tags: Entries<String, MAX_RELEASES>,
}

impl Images {
    /// `docker` is the registry of images without a host, `private` the roots of private hosts that names may carry.
    pub(super) fn new(docker: Option<Base>, private: Vec<Url>, fetch: Arc<Fetch>) -> Self {
        Self { places: Places::new(docker, private), tokens: Tokens::new(Arc::clone(&fetch)), fetch }
    }

    /// The digest an image's tag points at.
    pub(super) async fn digest(&self, image: &PackageId, tag: &str) -> Result<String, RegistryError> {
        let what = ascii_line(&format!("{image}:{tag}"));
        let place = self.places.of(image)?;
        let missing = || RegistryError::NotFound { what: what.clone(), registry: host(&place.root) };
        if image.ecosystem != Ecosystem::Docker || !is_tag(tag) {
            return Err(missing());
        }
        let url = place.url(&["manifests", tag]).ok_or_else(missing)?;
        let head = self.ask(&place, Method::HEAD, url.clone(), MANIFEST_KINDS).await?;
        let stated = head.header("docker-content-digest").map(str::to_owned);
        match (head.status(), stated) {
            (StatusCode::OK, Some(digest)) if is_digest(&digest) => return Ok(digest),
            // The header is optional, and so, to some, is HEAD: the manifest itself tells.
            (StatusCode::OK | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED, None) => {}
            (StatusCode::OK, Some(digest)) => {
                return Err(protocol(&host(&head.url), &format!("`{digest}` is no digest")));
            }
            _ => return Err(head.failure(&what)),
        }
        drop(head);
        let full = self.ask(&place, Method::GET, url, MANIFEST_KINDS).await?;
        if full.status() != StatusCode::OK {
            return Err(full.failure(&what));
        }
        let bytes = full.body(MAX_MANIFEST_BYTES.min(self.fetch.limits.body_bytes)).await?;
        Ok(format!("sha256:{}", hex::encode(Sha256::digest(&bytes))))
    }

    async fn tags(&self, image: &PackageId) -> Result<Vec<String>, RegistryError> {
        let what = ascii_line(&image.to_string());
        let place = self.places.of(image)?;
        let registry = host(&place.root);
        let missing = || RegistryError::NotFound { what: what.clone(), registry: registry.clone() };
        let mut url = place.url(&["tags", "list"]).ok_or_else(missing)?;
        url.query_pairs_mut().append_pair("n", TAGS_PER_PAGE);
        let mut tags = Vec::new();
        let mut bytes_left = self.fetch.limits.body_bytes;
        for _ in 0..MAX_PAGES {
            let reply = self.ask(&place, Method::GET, url, "application/json").await?;
            if reply.status() != StatusCode::OK {
                return Err(reply.failure(&what));
            }
            let next = next_page(&place, &reply)?;
            let body = reply.body(bytes_left).await?;
            bytes_left -= body.len();
            let page: TagList = parse(body, &registry).await?;
            tags.extend(page.tags.some_of(&registry)?);
            if tags.len() > MAX_RELEASES {
                return Err(protocol(&registry, &format!("a list of more than {MAX_RELEASES} tags")));
            }
            match next {
                None => return Ok(tags),
                Some(next) => url = next,
            }
        }
        Err(protocol(&registry, &format!("its list of tags has no end within {MAX_PAGES} pages")))
    }

    /// The answer to a request about a place, with a token where the registry wants one.
    async fn ask(&self, place: &Place, method: Method, url: Url, accept: &'static str) -> Result<Reply, RegistryError> {
        let send = async |token: Option<HeaderValue>| {
            let mut call = Call {
                method: method.clone(),
                url: url.clone(),
                headers: Default::default(),
                trusted: place.trusted(),
            };
            call.headers.insert(ACCEPT, HeaderValue::from_static(accept));
            call.headers.extend(token.map(|token| (AUTHORIZATION, token)));
            self.fetch.send(call).await
        };
        let token = self.tokens.current(place).await;
        let reply = send(token.clone()).await?;
        if reply.status() != StatusCode::UNAUTHORIZED || origin(&reply.url) != origin(&place.root) {
            return Ok(reply);
        }
        let challenges = challenge::parse(reply.headers());
        drop(reply);
        let token = self.tokens.renewed(place, token, &challenges).await?;
        send(Some(token)).await
    }
}

#[async_trait]
impl Registry for Images {
    fn name(&self) -> &'static str {
        "image registry"
    }

    fn reading(&self) -> &'static str {
        "oci/1"
    }

    async fn releases(&self, package: &PackageId, _etag: Option<&str>) -> Result<Answer, RegistryError> {
        let tags = self.tags(package).await?;
        let releases = tidy(tags.into_iter().filter(|tag| is_tag(tag)).map(FoundRelease::named));
        Ok(Answer::Found(Listing { releases, etag: None }))
    }
}

/// The next page, where the answer links one. It must be at the same registry, or a registry could send us anywhere.
fn next_page(place: &Place, reply: &Reply) -> Result<Option<Url>, RegistryError> {
    let links = reply.headers().get_all(http::header::LINK).iter().filter_map(|value| value.to_str().ok());
    let Some(target) = links.flat_map(|links| links.split(",")).find_map(next_link) else { return Ok(None) };
    let registry = host(&reply.url);
    let next = reply.url.join(target).map_err(|_| protocol(&registry, "its link to the next page is no address"))?;
    if origin(&next) != origin(&place.root) {
        return Err(protocol(&registry, &format!("its next page is at another host, {}", host(&next))));
    }
    Ok(Some(next))
}

/// The target of one link if its relation is `next`.
fn next_link(link: &str) -> Option<&str> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_next = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("rel")
            && value
                .trim()
                .trim_matches('"')
                .split_ascii_whitespace()
                .any(|relation| relation.eq_ignore_ascii_case("next"))
    };
    parameters.split(';').any(is_next).then_some(target)
}

/// Whether a text is a tag. Source: OCI distribution specification, "Pulling manifests".
fn is_tag(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    first && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Whether a text is a digest of a registered algorithm.
fn is_digest(text: &str) -> bool {
    let length = match text.split_once(':') {
        Some(("sha256", _)) => 64,
        Some(("sha512", _)) => 128,
        _ => return false,
    };
    let hash = &text[7..];
    hash.len() == length && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_next_link_is_followed() {
        assert_eq!(next_link(r#"</v2/a/tags/list?last=b&n=2>; rel="next""#), Some("/v2/a/tags/list?last=b&n=2"));
        assert_eq!(next_link(" <x>; title=t; rel=NEXT"), Some("x"));
        assert_eq!(next_link(r#"<x>; rel="prev""#), None);
        assert_eq!(next_link("x; rel=next"), None);
        assert_eq!(next_link(""), None);
    }

    #[test]
    fn tags_and_digests_are_what_the_specification_says() {
        for (tag, is) in [("3.12-slim", true), ("_x", true), (".x", false), ("", false), ("a/b", false), ("é", false)]
        {
            assert_eq!(is_tag(tag), is, "{tag}");
        }
        assert!(is_digest(&format!("sha256:{}", "0a".repeat(32))));
        assert!(is_digest(&format!("sha512:{}", "0a".repeat(64))));
        for wrong in ["sha256:", "sha256:00", "md5:00", "", &format!("sha256:{}", "0A".repeat(32))] {
            assert!(!is_digest(wrong), "{wrong}");
        }
    }
}
