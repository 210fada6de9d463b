//! What the App is and where GitHub is.

use super::ForgeError;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How to reach GitHub, and as whom.
#[derive(Clone, Debug)]
pub struct GitHubSettings {
    /// REST root, such as `https://api.github.com` or `https://ghes.example.com/api/v3`. Plain `http` only on loopback.
    pub api_url: String,
    /// The App's id, from its settings page.
    pub app_id: i64,
    /// The App's RSA private key, PEM, PKCS#1 or PKCS#8.
    pub private_key_pem: SecretString,
    /// How long one request may take, body included. GitHub itself gives up after 10 seconds.
    pub request_timeout: Duration,
    /// Requests under way at once in this process. GitHub allows 100, whichever process they come from.
    pub concurrent_requests: usize,
}

impl GitHubSettings {
    /// Settings with GitHub's own limits: 30 seconds a request, and 32 requests at once, so that three processes stay
    /// below 100.
    pub fn new(api_url: impl Into<String>, app_id: i64, private_key_pem: SecretString) -> Self {
        Self {
            api_url: api_url.into(),
            app_id,
            private_key_pem,
            request_timeout: Duration::from_secs(30),
            concurrent_requests: 32,
        }
    }

    /// The REST root as a URL whose path does not end in `/`.
    pub(super) fn base(&self) -> Result<Url, ForgeError> {
        base(&self.api_url)
    }
}

/// How to reach GitHub in the name of a person.
#[derive(Clone, Debug)]
pub struct PersonSettings {
    /// REST root, as in [`GitHubSettings`].
    pub api_url: String,
    /// The person's token.
    pub token: SecretString,
    /// How long one request may take, body included.
    pub request_timeout: Duration,
    /// Requests under way at once. GitHub allows 100, whatever else runs for the same person.
    pub concurrent_requests: usize,
}

impl PersonSettings {
    /// Settings with 30 seconds a request and 16 requests at once.
    pub fn new(api_url: impl Into<String>, token: SecretString) -> Self {
        Self { api_url: api_url.into(), token, request_timeout: Duration::from_secs(30), concurrent_requests: 16 }
    }

    pub(super) fn base(&self) -> Result<Url, ForgeError> {
        base(&self.api_url)
    }

    /// The token without white space around it, as files and clipboards add it.
    pub(super) fn usable_token(&self) -> Result<SecretString, ForgeError> {
        let token = self.token.expose_secret().trim();
        let fail = |why: &str| Err(ForgeError::Settings { why: format!("the token {why}") });
        if token.is_empty() {
            return fail("is empty");
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return fail("holds white space or other characters that no token has; copy it again");
        }
        Ok(SecretString::from(token.to_owned()))
    }
}

fn base(api_url: &str) -> Result<Url, ForgeError> {
    let fail = |why: &str| ForgeError::Settings { why: format!("the API address in GITHUB_API_URL {why}") };
    let url = Url::parse(api_url.trim())
        .map_err(|e| fail(&format!("is not a URL ({e}); expected one like https://HOST/api/v3")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fail("holds a user name or password; leave them out, the App's key is the credential"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fail("has a query or fragment; only scheme, host, port and path are expected"));
    }
    if let Some(right) = meant_instead(&url) {
        return Err(fail(&format!("is not where GitHub's API is: set it to {right}")));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(fail(
            "starts with http://, which would send tokens in the clear; use https://, as in https://HOST/api/v3",
        )),
        _ => Err(fail("must start with https://, as in https://HOST/api/v3")),
    }
}

/// The API's address for who wrote the address of the site that people see.
///
/// Source: GitHub REST docs, "Getting started with the REST API": the API of an Enterprise Server is below `/api/v3`; of
/// GitHub's own sites it has a host of its own.
fn meant_instead(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
    let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    match host.strip_prefix("www.").unwrap_or(&host) {
        "github.com" => Some("https://api.github.com".into()),
        site if site.ends_with(".ghe.com") && !site.starts_with("api.") => Some(format!("https://api.{site}")),
        // A gateway of one's own may have the API at its root, under a name that says so; a stand-in has loopback.
        _ if url.path() == "/" && !host.starts_with("api.") && !is_loopback(url) => {
            Some(format!("https://{authority}/api/v3"))
        }
        _ => None,
    }
}

/// The host of the addresses that people see, for the REST root at an address: `github.com` for `https://api.github.com`,
/// `ghes.example.com:8443` for `https://ghes.example.com:8443/api/v3`. `None` for what is no address.
pub fn web_host(api_url: &str) -> Option<String> {
    let url = Url::parse(api_url.trim()).ok()?;
    url.has_host().then(|| web_host_of(&url))
}

pub(super) fn web_host_of(base: &Url) -> String {
    let host = base.host_str().unwrap_or_default().to_ascii_lowercase();
    let host = host.strip_prefix("api.").unwrap_or(&host);
    base.port().map_or_else(|| host.into(), |port| format!("{host}:{port}"))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What is wrong with a private key, judging by how it looks. Never quotes it.
pub(super) fn key_complaint(pem: &SecretString) -> &'static str {
    let text = pem.expose_secret();
    let has = |words| text.contains(words);
    if text.trim().is_empty() {
        "the private key is empty"
    } else if has("OPENSSH PRIVATE KEY") {
        "the private key is in OpenSSH's format; use the .pem file that GitHub gave out"
    } else if has("ENCRYPTED") {
        "the private key is protected by a passphrase; use the .pem file as GitHub gave it out"
    } else if has("BEGIN PUBLIC KEY") || has("BEGIN RSA PUBLIC KEY") || has("BEGIN CERTIFICATE") {
        "this is a public key or certificate; the App's private key is needed"
    } else if has("EC PRIVATE KEY") {
        "the private key is for elliptic curves; GitHub Apps use RSA"
    } else if has("PRIVATE KEY") && has("\\n") {
        "the private key has the two characters `\\n` where its lines should end; give it with real line breaks or as a file"
    } else if has("PRIVATE KEY") {
        "the private key is damaged or not RSA; download a new one from the App's settings page"
    } else {
        "the private key is not PEM; it should begin with -----BEGIN RSA PRIVATE KEY-----"
    }
}
