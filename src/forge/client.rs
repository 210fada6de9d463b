//! One request: credentials, headers, redirects, limits of time and size, and the sorting of its outcome.
//!
//! octocrab is the transport only. Its own retries, cache, pages and token refresh stay off: it repeats a POST on a
//! 502, stored a truncated body, drops the credentials of absolute `next` links on Enterprise hosts, and asked ten
//! times for one token.

use super::answer::{Answer, readable, without};
use super::auth::AppKey;
use super::heard::Standings;
use super::settings::PersonSettings;
use super::tokens::{TokenScope, Tokens};
use super::{ForgeError, GitHubSettings, transport};
use crate::domain::{Clock, InstallationId, Limit, Pause};
use crate::metrics::{AnswerClass, Metrics, RequestKind};
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use octocrab::{OctoBody, Octocrab};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

const API_VERSION: &str = "2022-11-28";
/// GitHub cuts recursive trees at 7 MB; everything else we read is smaller.
const MOST_BYTES: usize = 32 << 20;
const MOST_REDIRECTS: usize = 5;

/// A request, before anybody has signed it.
pub(super) struct Call {
    method: Method,
    /// Path and query below the REST root, percent-encoded.
    path: String,
    body: Option<Vec<u8>>,
    most_bytes: usize,
    /// What the caller knows of the answer already.
    known: Option<HeaderValue>,
    /// It reads another repository than the one its token is for.
    elsewhere: bool,
}

impl Call {
    pub(super) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: None, most_bytes: MOST_BYTES, known: None, elsewhere: false }
    }

    /// Asks only for what is newer than the answer with this entity tag. The answer may then be a 304.
    pub(super) fn unless(self, etag: &str) -> Self {
        Self { known: HeaderValue::from_str(etag).ok(), ..self }
    }

    /// Follows the redirects of a renamed repository although the token is not for that one: it opens what everybody
    /// may see, and the caller has to find out whether that is what was opened.
    pub(super) fn elsewhere(self) -> Self {
        Self { elsewhere: true, ..self }
    }

    pub(super) fn delete(path: String) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    pub(super) fn post(path: String, body: &Value) -> Self {
        Self { method: Method::POST, body: Some(body.to_string().into_bytes()), ..Self::get(path) }
    }

    /// A POST without a body.
    pub(super) fn post_nothing(path: String) -> Self {
        Self { method: Method::POST, ..Self::get(path) }
    }

    pub(super) fn patch(path: String, body: &Value) -> Self {
        Self { method: Method::PATCH, ..Self::post(path, body) }
    }

    pub(super) fn put(path: String, body: &Value) -> Self {
        Self { method: Method::PUT, ..Self::post(path, body) }
    }

    /// Refuses answers above this size, instead of the usual limit.
    pub(super) fn at_most(self, bytes: usize) -> Self {
        Self { most_bytes: bytes, ..self }
    }

    fn kind(&self) -> RequestKind {
        if self.method.is_safe() { RequestKind::Read } else { RequestKind::Write }
    }

    /// Method and path, as errors name them.
    pub(super) fn endpoint(&self) -> String {
        format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default())
    }
}

/// Who asks.
#[derive(Clone, Copy)]
pub(super) enum Identity {
    /// The App itself, by its JWT.
    App,
    /// An installation of it, by a token.
    Installation(TokenScope),
}

impl From<TokenScope> for Identity {
    fn from(scope: TokenScope) -> Self {
        Self::Installation(scope)
    }
}

/// What requests are signed with.
enum Credential {
    /// An App's key, and the tokens that GitHub gives out for it.
    App(AppKey),
    /// A person's token. It is all they have: whichever identity a request names, this signs it.
    Person(SecretString),
}

pub(super) struct Client {
    octocrab: Octocrab,
    base: Url,
    credential: Credential,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
    timeout: Duration,
    places: Semaphore,
    metrics: Metrics,
    standings: Standings,
}

impl Client {
    pub(super) fn new(settings: GitHubSettings, clock: Arc<dyn Clock>, metrics: Metrics) -> Result<Self, ForgeError> {
        let base = settings.base()?;
        let app = AppKey::new(&settings, clock.now())?;
        let reach = (base, settings.request_timeout, settings.concurrent_requests);
        Self::signing(Credential::App(app), reach, clock, metrics)
    }

    /// A client that asks in the name of a person.
    pub(super) fn of_person(settings: PersonSettings, clock: Arc<dyn Clock>) -> Result<Self, ForgeError> {
        let reach = (settings.base()?, settings.request_timeout, settings.concurrent_requests);
        Self::signing(Credential::Person(settings.usable_token()?), reach, clock, Metrics::new())
    }

    fn signing(
        credential: Credential,
        (base, timeout, concurrent_requests): (Url, Duration, usize),
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Result<Self, ForgeError> {
        let octocrab = transport::connect(timeout, &base)?;
        Ok(Self {
            octocrab,
            base,
            credential,
            tokens: Tokens::new(),
            clock,
            timeout,
            places: Semaphore::new(concurrent_requests.clamp(1, 100)),
            metrics,
            standings: Standings::default(),
        })
    }

    /// The host of people's addresses, in lower case, with its port where that is not the usual one: `github.com` where the
    /// API is at `api.github.com`.
    pub(super) fn web_host(&self) -> String {
        super::settings::web_host_of(&self.base)
    }

    /// The App's id; a person has none, and no check is theirs.
    pub(super) fn app_id(&self) -> i64 {
        match &self.credential {
            Credential::App(app) => app.id(),
            Credential::Person(_) => 0,
        }
    }

    /// The token of the person that this client asks for; `None` for an App.
    pub(super) fn persons_token(&self) -> Option<&SecretString> {
        match &self.credential {
            Credential::App(_) => None,
            Credential::Person(token) => Some(token),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What was heard of the limits.
    pub(super) fn standings(&self) -> &Standings {
        &self.standings
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Sends a request and returns its success. A credential that GitHub refuses is renewed once.
    pub(super) async fn send(self: &Arc<Self>, call: &Call, identity: Identity) -> Result<Answer, ForgeError> {
        if let Credential::Person(token) = &self.credential {
            return self.exchange(call, token, None).await;
        }
        let scope = match identity {
            Identity::App => return self.send_as_app(call).await,
            Identity::Installation(scope) => scope,
        };
        // A token that may not be used now need not be asked for.
        self.heed_pause(call, Some(scope.installation))?;
        let token = self.tokens.get(self, scope).await?;
        match self.exchange(call, &token.secret, Some(scope)).await {
            // Nothing was done with a refused token, so even a write may be repeated.
            Err(ForgeError::Unauthorized { .. }) => {
                self.tokens.forget(scope, &token);
                let token = self.tokens.get(self, scope).await?;
                self.exchange(call, &token.secret, Some(scope)).await
            }
            outcome => outcome,
        }
    }

    /// The same, as the App itself.
    pub(super) async fn send_as_app(&self, call: &Call) -> Result<Answer, ForgeError> {
        let app = match &self.credential {
            Credential::App(app) => app,
            Credential::Person(token) => return self.exchange(call, token, None).await,
        };
        let jwt = app.jwt(self.now())?;
        match self.exchange(call, &jwt, None).await {
            Err(ForgeError::Unauthorized { .. }) => {
                app.forget();
                let jwt = app.jwt(self.now())?;
                self.exchange(call, &jwt, None).await
            }
            outcome => outcome,
        }
    }

    /// One request with its redirects, and what the answer means.
    async fn exchange(
        &self,
        call: &Call,
        credential: &SecretString,
        scope: Option<TokenScope>,
    ) -> Result<Answer, ForgeError> {
        let installation = scope.map(|scope| scope.installation);
        let mut path = call.path.clone();
        for _ in 0..=MOST_REDIRECTS {
            self.heed_pause(call, installation)?;
            let answer = self.round_trip(call, &path, credential).await;
            let now = self.now();
            self.metrics.github_request(installation, call.kind(), class(&answer, now));
            let answer = answer?;
            self.standings.hear(installation, answer.status, &answer.headers, now);
            // Only who says what is known already may be told that it still holds.
            if answer.status == StatusCode::NOT_MODIFIED && call.known.is_some() {
                return Ok(answer);
            }
            if !matches!(answer.status.as_u16(), 301 | 307 | 308) {
                if let Some(refusal) = answer.refusal(now) {
                    self.standings.refused(installation, refusal);
                }
                return answer.or_error(now);
            }
            let location = answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
            let location = location.ok_or_else(|| answer.not_understood("it redirects without saying where to"))?;
            path = self.own_path(&answer.endpoint, location)?;
            if let Some(expected) = scope.and_then(|scope| scope.repo).filter(|_| !call.elsewhere)
                && let Some(found) = repository_in(&path)
                && found != expected.0
            {
                return Err(ForgeError::Moved { endpoint: call.endpoint(), expected: expected.0, found });
            }
        }
        Err(ForgeError::Protocol { endpoint: call.endpoint(), why: "it redirects without end".into() })
    }

    async fn round_trip(&self, call: &Call, path: &str, credential: &SecretString) -> Result<Answer, ForgeError> {
        let endpoint = call.endpoint();
        let request = self.request(call, path, credential)?;
        let unavailable = |why: String| ForgeError::Unavailable {
            endpoint: endpoint.clone(),
            why: without(format!("{why}, at {}", self.base.origin().ascii_serialization()), credential),
        };
        let exchange = async {
            let response = self.octocrab.send(request).await.map_err(|error| unavailable(chain(&error)))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, call.most_bytes).collect().await.map_err(|error| {
                if error.is::<http_body_util::LengthLimitError>() {
                    ForgeError::TooLarge { endpoint: endpoint.clone(), limit: format!("{} bytes", call.most_bytes) }
                } else {
                    unavailable(format!("the answer was cut: {}", chain(error.as_ref())))
                }
            })?;
            let body = body.to_bytes().to_vec();
            let credential = credential.clone();
            Ok(Answer { endpoint: endpoint.clone(), status: head.status, headers: head.headers, body, credential })
        };
        // The place is taken outside of the time limit: waiting for a free one is not GitHub's slowness.
        let _place = self.places.acquire().await.map_err(|_| unavailable("this process is shutting down".into()))?;
        let outcome = tokio::time::timeout(self.timeout, exchange).await;
        outcome.unwrap_or_else(|_| Err(unavailable(format!("no complete answer within {:?}", self.timeout))))
    }

    fn request(&self, call: &Call, path: &str, credential: &SecretString) -> Result<Request<OctoBody>, ForgeError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", credential.expose_secret())).map_err(|_| {
            ForgeError::Protocol {
                endpoint: call.endpoint(),
                why: "the token GitHub gave out holds characters that no header may".into(),
            }
        })?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{path}", self.base.as_str().trim_end_matches('/')))
            .header(header::ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", API_VERSION)
            .header(header::AUTHORIZATION, bearer);
        if let Some(known) = &call.known {
            request = request.header(header::IF_NONE_MATCH, known);
        }
        let body = match &call.body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                OctoBody::from(body.clone())
            }
            None => OctoBody::empty(),
        };
        let invalid =
            |error: http::Error| ForgeError::Invalid { endpoint: call.endpoint(), message: error.to_string() };
        request.body(body).map_err(invalid)
    }

    /// Path and query, below the REST root, of an address that GitHub told us to go to.
    ///
    /// Errors: [`ForgeError::Protocol`] unless it is on our own scheme, host and port, without user name or password:
    /// credentials do not travel elsewhere.
    pub(super) fn own_path(&self, endpoint: &str, address: &str) -> Result<String, ForgeError> {
        let fail = |why: String| ForgeError::Protocol { endpoint: endpoint.into(), why };
        let url = self.base.join(address).map_err(|error| fail(format!("it leads to a broken address ({error})")))?;
        let ours =
            |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default());
        if ours(&url) != ours(&self.base) || !url.username().is_empty() || url.password().is_some() {
            let origin = readable(&url.origin().ascii_serialization());
            return Err(fail(format!(
                "it leads away from {} (to {origin}), where no credentials are sent; if both are the same GitHub, set \
                 the API address to the one it calls itself",
                self.base.origin().ascii_serialization()
            )));
        }
        let root = self.base.path().trim_end_matches('/');
        let path = url.path().strip_prefix(root).filter(|path| path.starts_with('/'));
        let path = path.ok_or_else(|| fail(format!("it leads out of the REST root {root}")))?;
        Ok(url.query().map_or_else(|| path.into(), |query| format!("{path}?{query}")))
    }

    /// Fails without a request while GitHub wants to hear nothing: asking on prolongs the ban.
    fn heed_pause(&self, call: &Call, installation: Option<InstallationId>) -> Result<(), ForgeError> {
        self.standings.pause(installation, self.now()).map_or(Ok(()), |Pause { until, limit }| {
            let secondary = limit == Limit::Secondary;
            Err(ForgeError::RateLimited { until, secondary, endpoint: call.endpoint() })
        })
    }
}

/// What came back, for the count of requests.
fn class(answer: &Result<Answer, ForgeError>, now: Timestamp) -> AnswerClass {
    match answer {
        Ok(answer) if answer.refusal(now).is_some() => AnswerClass::Limited,
        Ok(answer) => AnswerClass::Status(answer.status.as_u16()),
        Err(_) => AnswerClass::None,
    }
}

/// A path of these parts, each percent-encoded: a branch's `/` is part of its name.
pub(super) fn path(parts: &[&str]) -> String {
    parts.iter().fold(String::new(), |path, part| path + "/" + &encode(part))
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// The id in `/repositories/ID/…`, which is where GitHub redirects the old name of a repository to.
fn repository_in(path: &str) -> Option<i64> {
    let (id, _) = path.strip_prefix("/repositories/")?.split_once(['/', '?']).unwrap_or((&path[14..], ""));
    id.parse().ok()
}

/// An error with its causes, in one line; octocrab's own texts carry a backtrace below it.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string().lines().next().unwrap_or_default().to_string();
        if !text.is_empty() && !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    readable(&texts.join(": "))
}
