//! What an operator sets: addresses of registries, the private ones that files may name, and bounds.

use super::address::is_loopback;
use super::error::RegistrySettingsError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use reqwest::Url;
use std::fmt;
use std::time::Duration;

/// The setting for the deps.dev API's root.
pub(super) const DEPS_DEV_URL: &str = "MASS_DRIVER_DEPS_DEV_URL";
/// The setting for a simple index.
pub(super) const PYPI_URL: &str = "MASS_DRIVER_PYPI_URL";
/// The setting for a registry of JavaScript packages.
pub(super) const NPM_URL: &str = "MASS_DRIVER_NPM_URL";
/// The setting for a sparse index.
pub(super) const CARGO_URL: &str = "MASS_DRIVER_CARGO_URL";
/// The setting for the registry of images whose names carry no host.
pub(super) const DOCKER_URL: &str = "MASS_DRIVER_DOCKER_URL";
/// The setting for private hosts that image names may point at.
pub(super) const PRIVATE_HOSTS: &str = "MASS_DRIVER_PRIVATE_REGISTRIES";

/// The public deps.dev API, a data service about packages.
const PUBLIC_DEPS_DEV: &str = "https://api.deps.dev";

/// Where packages are looked up.
///
/// An address may carry `user:password@`, and for npm and Cargo also `token@`; it is sent to that very scheme, host and port only, and never shown.
/// Addresses set here may be private and may use plain http: they are the operator's own.
#[derive(Clone, Default)]
pub struct RegistrySettings {
    /// `MASS_DRIVER_DEPS_DEV_URL`: the root of a deps.dev API. Default: the public one. Not used for the packages of which
    /// an index of one's own is set below.
    pub deps_dev_url: Option<String>,
    /// `MASS_DRIVER_PYPI_URL`: the root of a PEP 691 simple index (`https://example.com/simple/`). Default: none, and
    /// deps.dev is asked.
    pub pypi_url: Option<String>,
    /// `MASS_DRIVER_NPM_URL`: the root of a registry of JavaScript packages that answers with packuments. Default: none, and
    /// deps.dev is asked.
    pub npm_url: Option<String>,
    /// `MASS_DRIVER_CARGO_URL`: the root of a sparse index of crates, with or without Cargo's `sparse+` before it. Default:
    /// none, and deps.dev is asked.
    pub cargo_url: Option<String>,
    /// `MASS_DRIVER_DOCKER_URL`: the registry of images whose names carry no host. A path is put before the image's
    /// name, as proxies of registries want it: with `https://example.com/hub`, `library/python` is asked for as
    /// `hub/library/python`. Default: none, and such images cannot be looked up.
    pub docker_url: Option<String>,
    /// `MASS_DRIVER_PRIVATE_REGISTRIES`: hosts (`registry.internal`, `10.0.0.5:5000`, `localhost:5000`) on loopback or
    /// private networks that the image names in repositories' files may point at. Everything else that files name must
    /// be public and is asked over https; a loopback host named here is asked over plain http. Default: none.
    pub private_hosts: Vec<String>,
    /// Bounds on time, size and number.
    pub limits: Limits,
}

impl fmt::Debug for RegistrySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |url: &Option<String>| url.as_deref().map(without_credentials);
        f.debug_struct("RegistrySettings")
            .field("deps_dev_url", &shown(&self.deps_dev_url))
            .field("pypi_url", &shown(&self.pypi_url))
            .field("npm_url", &shown(&self.npm_url))
            .field("cargo_url", &shown(&self.cargo_url))
            .field("docker_url", &shown(&self.docker_url))
            .field("private_hosts", &self.private_hosts)
            .field("limits", &self.limits)
            .finish()
    }
}

/// Bounds on what one look-up may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection to be made. Default: 5 s.
    pub connect: Duration,
    /// For one request, its answer's body included. Default: 30 s.
    pub request: Duration,
    /// For a whole look-up: waiting for a turn, tokens, every page. Default: 120 s.
    pub lookup: Duration,
    /// Bytes of an answer after decompression, all its pages together. Default: 32 MiB.
    pub body_bytes: usize,
    /// Bytes of an npm packument after decompression. It is read as it arrives and is never in memory as a whole. Default:
    /// 256 MiB.
    pub packument_bytes: usize,
    /// Requests under way at one host. Default: 8.
    pub requests_per_host: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(30),
            lookup: Duration::from_secs(120),
            body_bytes: 32 * 1024 * 1024,
            packument_bytes: 256 * 1024 * 1024,
            requests_per_host: 8,
        }
    }
}

/// What a name without a password stands for in an address.
#[derive(Clone, Copy)]
enum NameAlone {
    /// A user with an empty password.
    User,
    /// A token, sent as a bearer's: what npm does.
    Bearer,
    /// A token, sent as it is: what Cargo does.
    Token,
}

/// An address an operator set, taken apart.
#[derive(Clone)]
pub(super) struct Base {
    /// The address without credentials, query and fragment.
    pub(super) url: Url,
    /// The value of `Authorization` for it, marked sensitive.
    pub(super) credentials: Option<HeaderValue>,
}

impl RegistrySettings {
    /// The deps.dev API's root.
    pub(super) fn deps_dev(&self) -> Result<Base, RegistrySettingsError> {
        base(DEPS_DEV_URL, self.deps_dev_url.as_deref().unwrap_or(PUBLIC_DEPS_DEV), NameAlone::User)
    }

    /// The simple index, where one is set.
    pub(super) fn pypi(&self) -> Result<Option<Base>, RegistrySettingsError> {
        self.pypi_url.as_deref().map(|url| base(PYPI_URL, url, NameAlone::User)).transpose()
    }

    /// The registry of JavaScript packages, where one is set.
    pub(super) fn npm(&self) -> Result<Option<Base>, RegistrySettingsError> {
        self.npm_url.as_deref().map(|url| base(NPM_URL, url, NameAlone::Bearer)).transpose()
    }

    /// The sparse index, where one is set.
    pub(super) fn cargo(&self) -> Result<Option<Base>, RegistrySettingsError> {
        let plain = |url: &str| base(CARGO_URL, sparse(url), NameAlone::Token);
        self.cargo_url.as_deref().map(plain).transpose()
    }

    /// The registry of images without a host, where one is set.
    pub(super) fn docker(&self) -> Result<Option<Base>, RegistrySettingsError> {
        self.docker_url.as_deref().map(|url| base(DOCKER_URL, url, NameAlone::User)).transpose()
    }

    /// The roots of the private hosts that files may name: plain http on loopback, https elsewhere.
    pub(super) fn private(&self) -> Result<Vec<Url>, RegistrySettingsError> {
        self.private_hosts.iter().map(|host| private_root(host)).collect()
    }
}

fn base(setting: &'static str, text: &str, name_alone: NameAlone) -> Result<Base, RegistrySettingsError> {
    let wrong = |why: String| RegistrySettingsError::Address { setting, why };
    let mut url = Url::parse(text.trim())
        .map_err(|error| wrong(format!("not an address: {error}; write it in full, as https://HOST/PATH")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("the address must begin with https:// or http://, as https://HOST/PATH".into()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("the address must not have a query or a fragment".into()));
    }
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        (user, password) => {
            let plain = |text: &str| percent_decoded(text).ok_or_else(|| wrong("the credentials are not text".into()));
            let user = plain(user)?;
            let text = match (password, name_alone) {
                (None, NameAlone::Bearer) => format!("Bearer {user}"),
                (None, NameAlone::Token) => user,
                (password, _) => {
                    let pair = format!("{user}:{}", plain(password.unwrap_or_default())?);
                    format!("Basic {}", STANDARD.encode(pair))
                }
            };
            let mut value = HeaderValue::try_from(text).map_err(|_| wrong("the credentials cannot be sent".into()))?;
            value.set_sensitive(true);
            Some(value)
        }
    };
    let stripped = url.set_username("").and_then(|()| url.set_password(None));
    stripped.map_err(|()| wrong("the address has no host".into()))?;
    Ok(Base { url, credentials })
}

/// An index's address without the word by which Cargo tells sparse indexes from git repositories.
fn sparse(url: &str) -> &str {
    let url = url.trim();
    url.strip_prefix("sparse+").unwrap_or(url)
}

fn private_root(host: &str) -> Result<Url, RegistrySettingsError> {
    let wrong = |why: &str| RegistrySettingsError::Address { setting: PRIVATE_HOSTS, why: format!("`{host}` {why}") };
    let https = host_root("https", host)
        .ok_or_else(|| wrong("is not a host or host:port, as registry.example.com or 10.0.0.5:5000"))?;
    if is_loopback(&https) {
        host_root("http", host)
            .ok_or_else(|| wrong("is not a host or host:port, as registry.example.com or 10.0.0.5:5000"))
    } else {
        Ok(https)
    }
}

/// The root of a host as image names and operators write it (`example.com`, `10.0.0.5:5000`, `[::1]:5000`); `None` if
/// the text is anything more or less than that.
pub(super) fn host_root(scheme: &str, authority: &str) -> Option<Url> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let [first, .., last] = authority.as_bytes() else { return None };
    let ends = (first.is_ascii_alphanumeric() || *first == b'[') && (last.is_ascii_alphanumeric() || *last == b']');
    if !ends || !authority.bytes().all(fits) {
        return None;
    }
    Url::parse(&format!("{scheme}://{authority}/")).ok()
}

/// Text with `%xx` undone; `None` if that is no UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2)).flatten();
        match escaped.and_then(|digits| hex::decode(digits).ok()) {
            Some(byte) => {
                bytes.extend(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

fn without_credentials(url: &str) -> String {
    base("", sparse(url), NameAlone::User).map_or_else(|_| "(not an address)".into(), |base| base.url.into())
}
