//! An index of packages that an operator set, and how all of them are asked: one document for a package, by a GET that is
//! spared where nothing has changed.

use super::error::RegistryError;
use super::fetch::{Call, Fetch, Reply, host, origin, under};
use super::json::ascii_line;
use super::settings::Base;
use crate::domain::PackageId;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::Url;
use std::sync::Arc;

/// Where an index is, and the means to ask it.
pub(super) struct Index {
    pub(super) base: Base,
    pub(super) fetch: Arc<Fetch>,
}

impl Index {
    /// An address of the index; `None` if a part of it would climb out.
    pub(super) fn address(&self, parts: &[&str]) -> Option<Url> {
        under(&self.base.url, parts)
    }

    /// The answer about a package at an address, whatever its status; `None` if it has not changed since `etag`. Without an
    /// address no package of the ecosystem can have such a name.
    ///
    /// Errors: `NotFound` without an address; else as for [`Fetch::send`].
    pub(super) async fn unless_known(
        &self,
        package: &PackageId,
        address: Option<Url>,
        accept: &'static str,
        etag: Option<&str>,
    ) -> Result<Option<Reply>, RegistryError> {
        let unknown = || RegistryError::NotFound { what: ascii_line(&package.to_string()), registry: self.host() };
        let url = address.ok_or_else(unknown)?;
        let etag = etag.and_then(|etag| HeaderValue::from_str(etag).ok());
        let conditional = etag.is_some();
        let mut headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        headers.extend(etag.map(|etag| (header::IF_NONE_MATCH, etag)));
        headers.extend(self.base.credentials.clone().map(|value| (header::AUTHORIZATION, value)));
        let trusted = vec![origin(&self.base.url)];
        let reply = self.fetch.send(Call { method: Method::GET, url, headers, trusted }).await?;
        Ok((!conditional || reply.status() != StatusCode::NOT_MODIFIED).then_some(reply))
    }

    /// Its host and port, for messages.
    pub(super) fn host(&self) -> String {
        host(&self.base.url)
    }
}
