//! The bare connection below octocrab: no redirects, no retries, our user agent.
//!
//! octocrab's own connector adds a second `user-agent` to ours and knows no proxies, so octocrab is given one built on
//! the HTTP client that the rest of the house uses, too.

use super::ForgeError;
use http::{Request, Response};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use reqwest::{Url, redirect, retry};
use std::time::Duration;

const USER_AGENT: &str = concat!("mass-driver/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Builds the transport to the host of `base`; `read_timeout` is how long it may be silent. Needs a Tokio runtime.
pub(super) fn connect(read_timeout: Duration, base: &Url) -> Result<Octocrab, ForgeError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(read_timeout)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false);
    if base.scheme() == "https" {
        builder = builder.https_only(true);
    } else {
        // Plain HTTP is for loopback, which no proxy reaches.
        builder = builder.no_proxy();
    }
    // octocrab spawns its worker at once, and would panic.
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(ForgeError::Settings { why: "the GitHub client must be built inside a Tokio runtime".into() });
    }
    let unusable = |error| ForgeError::Settings { why: format!("no HTTP client can be built: {error}") };
    let client = builder.build().map_err(unusable)?;
    let service = tower::service_fn(move |request: Request<OctoBody>| {
        let client = client.clone();
        async move {
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))?;
            // Errors carry the address, which `endpoint` says already and better.
            let response = client.execute(request).await.map_err(reqwest::Error::without_url)?;
            Ok::<_, reqwest::Error>(Response::<reqwest::Body>::from(response))
        }
    });
    let built = OctocrabBuilder::new_empty().with_service(service).with_auth(AuthState::None).build();
    built.map_err(|never| match never {})
}
