//! The listener: one request in, one answer out, everything written down.
//!
//! Faults, rate limits, conditional requests and GitHub's standing headers live here, around the routes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use futures_util::stream;
use http::{HeaderMap, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use crate::auth::{self, Caller};
use crate::exchange::Exchange;
use crate::faults::{FaultKind, RetryAfter};
use crate::limits;
use crate::reply::{Content, Reply};
use crate::request::Request;
use crate::routes;
use crate::site::Site;
use crate::state::State;

/// More than GitHub's largest blob in base64.
const MAX_BODY: usize = 150 * 1024 * 1024;

/// Requests an hour without any authentication.
const ANONYMOUS_REQUESTS: u64 = 60;

/// What the listener, the deliverer and the Rust API share.
pub(crate) struct Shared {
    pub site: Site,
    state: Mutex<State>,
    pub http: reqwest::Client,
    /// Where the bare repositories lie.
    pub folder: PathBuf,
    /// Rung whenever an event may have been queued.
    pub bell: Notify,
    pub auto_deliver: AtomicBool,
    /// One hand-over at a time, so that events keep their order.
    pub delivering: tokio::sync::Mutex<()>,
    /// One push over git at a time.
    pub pushing: tokio::sync::Mutex<()>,
}

impl Shared {
    pub(crate) fn new(site: Site, folder: PathBuf, http: reqwest::Client) -> Shared {
        Shared {
            site,
            state: Mutex::new(State::default()),
            http,
            folder,
            bell: Notify::new(),
            auto_deliver: AtomicBool::new(false),
            delivering: tokio::sync::Mutex::new(()),
            pushing: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ring(&self) {
        if self.auto_deliver.load(Ordering::SeqCst) {
            self.bell.notify_one();
        }
    }
}

/// How a request ends on the wire.
enum Ending {
    Answer(Response<Body>),
    /// Nothing is ever sent.
    Silence,
    /// The connection closes.
    Close,
}

pub(crate) async fn listen(shared: Arc<Shared>, listener: tokio::net::TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Answers are small and tests are many: waiting to fill a packet would cost 40 ms each time.
        drop(stream.set_nodelay(true));
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                let shared = Arc::clone(&shared);
                async move {
                    match serve(&shared, request).await {
                        Ending::Answer(response) => Ok(response),
                        Ending::Close => Err(io::Error::other("closed on purpose")),
                        Ending::Silence => Ok::<_, io::Error>(silence().await),
                    }
                }
            });
            // A client that went away is no concern of the stand-in's.
            drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn silence() -> Response<Body> {
    std::future::pending::<Infallible>().await;
    Response::new(Body::empty())
}

async fn serve(shared: &Arc<Shared>, request: http::Request<Incoming>) -> Ending {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(Body::new(body), MAX_BODY).await else {
        return Ending::Answer(plain(413, "The body is too large"));
    };
    let request = Request::new(&parts, body);
    if let Some(target) = crate::smart_http::target(&request) {
        return Ending::Answer(crate::smart_http::serve(shared, &request, target).await);
    }
    if !request.is_rest() {
        return Ending::Answer(crate::pages::serve(shared, &request));
    }
    let fault = struck_by(&mut shared.state(), &request);
    if let Some(FaultKind::Wait(gate)) = &fault {
        gate.pass().await;
    }
    let ending = rest(shared, &request, fault);
    shared.ring();
    ending
}

/// The failure a test ordered for this request, now one strike poorer.
fn struck_by(state: &mut State, request: &Request) -> Option<FaultKind> {
    let struck = state.faults.iter_mut().find(|fault| fault.strikes(&request.method, &request.path))?;
    struck.times -= 1;
    Some(struck.kind.clone())
}

fn rest(shared: &Shared, request: &Request, fault: Option<FaultKind>) -> Ending {
    let mut state = shared.state();
    let now = shared.site.now();
    state.last_sequence += 1;
    let sequence = state.last_sequence;
    state.writes += u64::from(request.creates_content());
    if fault == Some(FaultKind::ExpireTokens) {
        state.expire_tokens();
    }
    let reply = match &fault {
        Some(kind) if !kind.applies_request() => play(kind, now),
        _ => answer(&mut state, shared, request, now),
    };
    let shown = match fault {
        Some(FaultKind::BadGatewayAfter) => bad_gateway(),
        _ => reply,
    };
    let silent = matches!(fault, Some(FaultKind::Hang | FaultKind::HangAfter | FaultKind::Drop | FaultKind::DropAfter));
    let (response, body) = finish(shown);
    if !state.forgets_exchanges {
        let json = serde_json::from_slice(&body).ok();
        state.exchanges.push(Exchange {
            sequence,
            at: now,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            auth: auth::kind(&request.headers),
            request_headers: header_map(&request.headers),
            request_body: serde_json::from_slice(&request.body).ok(),
            status: if silent { 0 } else { response.status().as_u16() },
            response_headers: header_map(response.headers()),
            response_body: if silent { None } else { json },
            fault: fault.as_ref().map(|kind| kind.name().to_owned()),
        });
    }
    drop(state);
    match fault {
        Some(FaultKind::Hang | FaultKind::HangAfter) => Ending::Silence,
        Some(FaultKind::Drop | FaultKind::DropAfter) => Ending::Close,
        Some(FaultKind::CutBody) => Ending::Answer(cut(response, &body)),
        _ => Ending::Answer(response.map(|()| Body::from(body))),
    }
}

/// The answer to a request that no fault keeps from being carried out.
fn answer(state: &mut State, shared: &Shared, request: &Request, now: Timestamp) -> Reply {
    if request.headers.get("user-agent").is_none_or(|agent| agent.is_empty()) {
        let message =
            "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.";
        return Reply::error(403, message);
    }
    let caller = match auth::identify(state, &shared.site, &request.headers, now) {
        Ok(caller) => caller,
        Err(refusal) => return refusal,
    };
    // One account per installation; key 0 is the App's own, -1 the people's, -2 nobody's.
    let account = match &caller {
        Caller::Installation { id, .. } => *id,
        Caller::App => 0,
        Caller::Person(_) => -1,
        Caller::Anonymous => -2,
    };
    let (mut limits, free) = (state.limits.clone(), request.path == "/rate_limit");
    if matches!(caller, Caller::Anonymous) {
        limits.requests_per_hour = limits.requests_per_hour.min(ANONYMOUS_REQUESTS);
    }
    let mut window = state.windows.remove(&account).unwrap_or_default();
    let mut reply = if !free && window.spend(&limits, now).is_err() {
        limits::primary_exceeded(403, Some(account).filter(|id| *id > 0))
    } else if request.creates_content()
        && let Err(wait) = window.write(&limits, now)
    {
        limits::secondary_exceeded(403, Some(wait.to_string()))
    } else {
        let standing = window.standing(&limits, now);
        routes::answer(state, &shared.site, request, caller, now, standing)
    };
    if request.method == "GET" && reply.status == 200 {
        reply = conditional(request, reply);
        if reply.status == 304 {
            window.refund();
        }
    }
    for (name, value) in window.standing(&limits, now).headers() {
        reply.headers.push((name, value));
    }
    state.windows.insert(account, window);
    reply
}

/// Adds the entity tag, and answers 304 to whoever has it already.
fn conditional(request: &Request, reply: Reply) -> Reply {
    let bytes = match &reply.content {
        Content::Empty => return reply,
        Content::Json(value) => value.to_string().into_bytes(),
        Content::Bytes { bytes, .. } => bytes.clone(),
    };
    let mut digest = Sha256::new();
    digest.update(request.headers.get("accept").map(|accept| accept.as_bytes()).unwrap_or_default());
    digest.update(bytes);
    let tag = format!("W/\"{}\"", hex::encode(digest.finalize()));
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known =
        request.header("if-none-match").is_some_and(|known| known.split(',').any(|one| bare(one) == bare(&tag)));
    let reply = reply.with("etag", tag).with("cache-control", "private, max-age=60, s-maxage=60");
    if known { Reply { status: 304, content: Content::Empty, ..reply } } else { reply }
}

/// What a fault answers in place of the route.
fn play(kind: &FaultKind, now: Timestamp) -> Reply {
    match kind {
        FaultKind::PrimaryRateLimit { status, reset_in } => {
            let reset = now + SignedDuration::try_from(*reset_in).unwrap_or_default();
            let standing = limits::Standing { limit: 5_000, used: 5_000, resets_at: reset };
            let mut reply = limits::primary_exceeded(*status, None);
            reply.headers.extend(standing.headers());
            reply
        }
        FaultKind::SecondaryRateLimit { status, retry_after } => {
            let text = match retry_after {
                RetryAfter::Seconds(seconds) => Some(seconds.to_string()),
                RetryAfter::Missing => None,
                RetryAfter::Text(text) => Some(text.clone()),
            };
            let standing = limits::Standing { limit: 5_000, used: 17, resets_at: now + SignedDuration::from_mins(30) };
            let mut reply = limits::secondary_exceeded(*status, text);
            reply.headers.extend(standing.headers());
            reply
        }
        FaultKind::Status { status, message } => Reply::error(*status, message),
        FaultKind::Redirect { to } => Reply::error(301, "Moved Permanently").with("location", to.clone()),
        FaultKind::Answer { status, body } => Reply::json(*status, body.clone()),
        _ => bad_gateway(),
    }
}

/// GitHub's edge answers this one itself, with a page.
fn bad_gateway() -> Reply {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
    Reply { status: 502, headers: Vec::new(), content: Content::Bytes { media_type: "text/html", bytes: page.into() } }
}

/// The head of the response, and its body apart.
fn finish(reply: Reply) -> (Response<()>, Bytes) {
    let (media_type, body) = match reply.content {
        Content::Empty => (None, Vec::new()),
        Content::Json(value) => (Some("application/json; charset=utf-8"), value.to_string().into_bytes()),
        Content::Bytes { media_type, bytes } => (Some(media_type), bytes),
    };
    let request_id = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    let mut builder = Response::builder()
        .status(reply.status)
        .header("server", "github.com")
        .header("x-github-media-type", "github.v3; format=json")
        .header("x-github-api-version-selected", "2022-11-28")
        .header("x-github-request-id", format!("{}:{}:{}", &request_id[..4], &request_id[4..10], &request_id[10..18]));
    if let Some(media_type) = media_type {
        builder = builder.header("content-type", media_type);
    }
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    match builder.body(()) {
        Ok(response) => (response, Bytes::from(body)),
        Err(error) => {
            let message = format!("the stand-in made an impossible header: {error}");
            let mut response = Response::new(());
            *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
            (response, Bytes::from(message))
        }
    }
}

/// Promises the whole body and stops half-way.
fn cut(response: Response<()>, body: &Bytes) -> Response<Body> {
    let half = body.slice(..body.len() / 2);
    let parts = stream::iter([Ok(half), Err(io::Error::other("cut on purpose"))]);
    let (mut head, ()) = response.into_parts();
    head.headers.insert("content-length", body.len().into());
    Response::from_parts(head, Body::from_stream(parts))
}

pub(crate) fn plain(status: u16, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned() + "\n"));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn header_map(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .filter(|(name, _)| *name != "authorization")
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// The rate limit as `GET /rate_limit` shows it.
pub(crate) fn standing_json(standing: limits::Standing) -> Value {
    serde_json::json!({
        "limit": standing.limit,
        "remaining": standing.remaining(),
        "reset": standing.resets_at.as_second(),
        "used": standing.used,
        "resource": "core",
    })
}
