//! One request to a registry: to an address that may be asked, in its turn, with every bound kept.

use super::address::{NotPublic, PublicOnly, literal_ip, why_not_public};
use super::error::{RegistryError, RegistrySettingsError};
use super::json::{ascii_line, protocol};
use super::settings::{Limits, PRIVATE_HOSTS};
use crate::domain::PackageId;
use http::{HeaderMap, Method, StatusCode, header};
use jiff::fmt::rfc2822;
use reqwest::{Client, Url, redirect};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const USER_AGENT: &str = concat!("mass-driver/", env!("CARGO_PKG_VERSION"));
const MAX_REDIRECTS: usize = 5;
/// A wait longer than this is not believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// How many hosts' turns are remembered before idle ones are forgotten.
const REMEMBERED_HOSTS: usize = 1_000;

/// A scheme, host and port.
pub(super) type Origin = String;

/// The origin of an address.
pub(super) fn origin(url: &Url) -> Origin {
    url.origin().ascii_serialization()
}

/// The host and port of an address, for messages.
pub(super) fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or("(no host)");
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

/// An address below another, each part taken as one segment; `None` if a part would climb out of it.
pub(super) fn under(base: &Url, parts: &[&str]) -> Option<Url> {
    if parts.iter().any(|part| matches!(*part, "." | "..")) {
        return None;
    }
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(parts);
    Some(url)
}

/// A request to make.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    /// `Authorization` among them is sent to the origin of `url` and to no other.
    pub(super) headers: HeaderMap,
    /// The origins an operator vouches for in this call. They may be private and use plain http; every other address
    /// on the way must be public and use https.
    pub(super) trusted: Vec<Origin>,
}

/// Makes requests. Clients, and whose turn it is at each host.
pub(super) struct Fetch {
    anywhere: Client,
    public_only: Client,
    turns: Mutex<HashMap<Origin, Arc<Semaphore>>>,
    pub(super) limits: Limits,
}

impl Fetch {
    /// Errors: the TLS machinery could not be set up.
    pub(super) fn new(limits: Limits) -> Result<Self, RegistrySettingsError> {
        // Redirects are followed by hand, so that each address is judged. A proxy would resolve names in our stead,
        // and the judgement would be about nothing: none is used.
        let client = || {
            Client::builder()
                .user_agent(USER_AGENT)
                .connect_timeout(limits.connect)
                .timeout(limits.request)
                .redirect(redirect::Policy::none())
                .referer(false)
                .no_proxy()
        };
        Ok(Self {
            anywhere: client().build()?,
            public_only: client().dns_resolver(PublicOnly).build()?,
            turns: Mutex::default(),
            limits,
        })
    }

    /// The answer to a call, whatever its status, after redirects.
    ///
    /// Errors: `Refused` for an address that may not be asked, `Unavailable` without an answer, `Protocol` for
    /// redirects that lead nowhere.
    pub(super) async fn send(&self, call: Call) -> Result<Reply, RegistryError> {
        let Call { method, mut url, mut headers, trusted } = call;
        for _ in 0..=MAX_REDIRECTS {
            let client = self.client_for(&url, &trusted)?;
            let turn = self.turn(&url).await?;
            let request = client.request(method.clone(), url.clone()).headers(headers.clone());
            let response = request.send().await.map_err(|error| explain(&url, &error))?;
            let reply = Reply { url, response, _turn: turn };
            let Some(next) = reply.redirect()? else { return Ok(reply) };
            if origin(&next) != origin(&reply.url) {
                headers.remove(header::AUTHORIZATION);
            }
            url = next;
        }
        Err(protocol(&host(&url), "it redirects in circles"))
    }

    /// The client for an address: any for those vouched for, else the one that reaches public hosts only.
    fn client_for(&self, url: &Url, trusted: &[Origin]) -> Result<&Client, RegistryError> {
        let refused = |why: String| RegistryError::Refused { address: host(url), why };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("it carries credentials".into()));
        }
        if trusted.contains(&origin(url)) {
            return Ok(&self.anywhere);
        }
        if url.scheme() != "https" {
            return Err(refused(format!(
                "it is not https, and no operator's setting vouches for it ({PRIVATE_HOSTS})"
            )));
        }
        match literal_ip(url).and_then(why_not_public) {
            Some(kind) => Err(not_public(url, kind)),
            None => Ok(&self.public_only),
        }
    }

    /// Waits until fewer than the allowed number of requests are under way at the host.
    async fn turn(&self, url: &Url) -> Result<OwnedSemaphorePermit, RegistryError> {
        let turns = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            if turns.len() >= REMEMBERED_HOSTS {
                turns.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
            }
            let fresh = || Arc::new(Semaphore::new(self.limits.requests_per_host.max(1)));
            Arc::clone(turns.entry(origin(url)).or_insert_with(fresh))
        };
        turns.acquire_owned().await.map_err(|_| unavailable(url, "we are shutting down".into()))
    }
}

/// An answer whose body is still to be read.
pub(super) struct Reply {
    /// Where it came from, after redirects.
    pub(super) url: Url,
    response: reqwest::Response,
    /// Held until the body has been read.
    _turn: OwnedSemaphorePermit,
}

impl Reply {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The text of a header, if it is there and is plain text of at most 4 kB.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok().filter(|text| text.len() <= 4096)
    }

    /// The ETag, if it is one worth keeping.
    pub(super) fn etag(&self) -> Option<String> {
        self.header("etag").filter(|etag| !etag.is_empty() && etag.len() <= 512).map(str::to_owned)
    }

    /// Where the answer sends us, if it does.
    fn redirect(&self) -> Result<Option<Url>, RegistryError> {
        if !matches!(self.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let lost = || protocol(&host(&self.url), "it redirects without saying where to");
        let next = self.header("location").ok_or_else(lost)?;
        self.url.join(next).map(Some).map_err(|_| lost())
    }

    /// The answer, if it is a success. `what` was asked for.
    ///
    /// Errors: see [`failure`](Self::failure).
    pub(super) fn success(self, what: &PackageId) -> Result<Self, RegistryError> {
        if self.status() == StatusCode::OK { Ok(self) } else { Err(self.failure(&what.to_string())) }
    }

    /// The error a status stands for that is no success. `what` was asked for.
    pub(super) fn failure(&self, what: &str) -> RegistryError {
        let (what, registry) = (ascii_line(what), host(&self.url));
        let retry_after = self.retry_after();
        let status = self.status();
        match status.as_u16() {
            404 | 410 => RegistryError::NotFound { what, registry },
            429 => RegistryError::RateLimited { registry, retry_after },
            403 if retry_after.is_some() => RegistryError::RateLimited { registry, retry_after },
            401 | 403 => RegistryError::Denied { what, registry },
            408 | 425 | 500..=599 => {
                RegistryError::Unavailable { registry, why: format!("it answered {status}"), retry_after }
            }
            _ => protocol(&registry, &format!("it answered {status}")),
        }
    }

    /// How long `retry-after` asks us to wait. A date is taken relative to the answer's own `date`, so that no clock
    /// but the registry's is involved.
    fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        let wait = match text.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let date = |text: &str| rfc2822::parse(text).ok().map(|date| date.timestamp());
                let wait = date(text)?.duration_since(date(self.header("date")?)?);
                Duration::try_from(wait).unwrap_or_default()
            }
        };
        Some(wait.min(MAX_RETRY_AFTER))
    }

    /// The body, if it is at most `most` bytes after decompression.
    pub(super) async fn body(mut self, most: usize) -> Result<Vec<u8>, RegistryError> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece(body.len(), most).await? {
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The next piece of a body of which `before` bytes have come; `None` at its end.
    ///
    /// Errors: `Protocol` if it makes, or announces that it will make, more than `most` bytes; `Unavailable` if it breaks off.
    pub(super) async fn piece(&mut self, before: usize, most: usize) -> Result<Option<Vec<u8>>, RegistryError> {
        let too_large = |url: &Url| protocol(&host(url), &format!("it is larger than {most} bytes"));
        if before == 0 && self.response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_large(&self.url));
        }
        let piece = self.response.chunk().await.map_err(|error| explain(&self.url, &error))?;
        match piece {
            Some(piece) if before + piece.len() > most => Err(too_large(&self.url)),
            piece => Ok(piece.map(Vec::from)),
        }
    }
}

fn not_public(url: &Url, kind: &str) -> RegistryError {
    let why = format!("its host is {kind}; an operator may allow it in {PRIVATE_HOSTS}");
    RegistryError::Refused { address: host(url), why }
}

fn unavailable(url: &Url, why: String) -> RegistryError {
    RegistryError::Unavailable { registry: host(url), why, retry_after: None }
}

/// What an error of the HTTP client means. Its own text names the whole address; ours names the host.
fn explain(url: &Url, error: &reqwest::Error) -> RegistryError {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
        if let Some(refused) = cause.downcast_ref::<NotPublic>() {
            return not_public(url, refused.kind);
        }
    }
    let last = ascii_line(&cause.to_string());
    if error.is_timeout() {
        unavailable(url, "it took too long".into())
    } else if error.is_connect() {
        unavailable(url, format!("no connection: {last}"))
    } else if error.is_decode() {
        unavailable(url, format!("its answer broke off or is not compressed as announced: {last}"))
    } else {
        unavailable(url, format!("the connection broke: {last}"))
    }
}
