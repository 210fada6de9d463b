//! Connections: how many are held, how long one may stay silent, and how they end when the server stops.
//!
//! Whoever connects is a stranger who may never ask anything, ask a word a minute, or never read the answer. Each of these
//! ends by one rule: between requests, a connection has a limit of time, and a much shorter one when all places are taken.
//! While a request is worked on it has none: handlers limit what they wait for themselves, the body of a webhook above all.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use futures_util::future::{FutureExt as _, pending};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

/// How long after it began a connection must have asked something. Heads are a few hundred bytes.
const FIRST_HEAD: Duration = Duration::from_secs(10);
/// How long after an answer the connection is kept for the next request. Proxies keep theirs for 60 seconds as a rule (nginx,
/// the load balancers of the clouds), and what they send on one that is just being closed is lost: so they are to close
/// first. It spares whoever asks for figures twice a minute a new connection, too.
const IDLE: Duration = Duration::from_secs(75);
/// The same, and that of a first head, while all places are taken and somebody may be waiting for one. A proxy that has let
/// a connection rest for so long has others, and is the least likely to be just sending something on it.
const IDLE_WHEN_FULL: Duration = Duration::from_secs(5);
/// How long requests under way are waited for at the end: longer than a webhook's body may take.
const LAST_REQUESTS: Duration = Duration::from_secs(10);
/// How many connections are held at once. Each is an open file, and a process may usually have 1,024 of these: the other half
/// is for the database, GitHub and the registries. Later ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 512;
/// How much of a request's head is read before it is refused with 431, and so what a connection costs before it is known
/// what it wants. GitHub's heads are below 2 KiB.
const HEAD_MAX_BYTES: usize = 64 * 1024;
/// How long nobody is let in after the system has refused to: as a rule all files are in use, and it would do so again.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What connections are granted.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From its beginning until its first request's head is there.
    pub first_head: Duration,
    /// From when a request's handler returns until its answer is made and read, and the next request's head is there.
    pub idle: Duration,
    /// Instead of both for one connection at a time, the first to have been silent for so long, whenever no place is left.
    pub idle_when_full: Duration,
    /// For the requests under way, once the server is told to stop.
    pub last_requests: Duration,
    /// How many there are at once.
    pub connections: usize,
}

impl Default for Limits {
    /// 10 seconds, 75 seconds, 5 seconds, 10 seconds, 512.
    fn default() -> Self {
        Self {
            first_head: FIRST_HEAD,
            idle: IDLE,
            idle_when_full: IDLE_WHEN_FULL,
            last_requests: LAST_REQUESTS,
            connections: CONNECTIONS_MAX,
        }
    }
}

/// Answers on `listener` until `stop` turns true or its sender is gone. Then nobody is let in any more, connections without a
/// request end at once, and the requests under way are finished within [`Limits::last_requests`].
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, mut stop: watch::Receiver<bool>) {
    let stopped = stop.clone();
    let mut connections = JoinSet::new();
    // Who waits to be woken here has been silent for long enough to go; they are woken in the order they came. A wish that
    // nobody waits for is kept for the first who will, as long as no place is free, and more of them are still one.
    let give_way = Arc::new(Notify::new());
    loop {
        let full = connections.len() >= limits.connections;
        if full {
            give_way.notify_one();
        } else {
            // Takes a wish back that was kept: a place became free without it.
            let _ = give_way.notified().now_or_never();
        }
        tokio::select! {
            (stream, peer) = accept(&listener), if !full => {
                let give_way = Arc::clone(&give_way);
                connections.spawn(attend(stream, peer, router.clone(), limits, give_way, stopped.clone()));
            }
            Some(_) = connections.join_next() => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(limits.last_requests, finished).await.is_err() {
        let requests = connections.len();
        tracing::warn!(requests, after = ?limits.last_requests, "some requests were not finished; they are broken off");
        connections.shutdown().await;
    }
}

/// Whoever comes next, however long the system refuses to let anybody in.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted just now; that is tried again");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Whether it went wrong for one who is gone already, and says nothing about the next.
fn is_the_peers(error: &Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// How far a connection has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has not asked anything yet.
    Silent,
    /// A request is worked on.
    Asked,
    /// The handler of the last request has returned. The rest of the answer may still be made, and not be sent yet.
    Answered,
}

/// Answers what one connection asks, until it ends, is silent for too long or the server stops.
async fn attend(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    give_way: Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are written in one piece: there is nothing to wait for. Without it, they are only later.
    drop(stream.set_nodelay(true));
    let (progress, mut standing) = watch::channel(Standing::Silent);
    let service = service_fn(|request: hyper::Request<Incoming>| {
        progress.send_replace(Standing::Asked);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.clone().oneshot(request);
        answer.inspect(|_| {
            progress.send_replace(Standing::Answered);
        })
    });
    let mut http = http1::Builder::new();
    // Its limit of time would be one for first heads and for idling.
    http.header_read_timeout(None).max_buf_size(HEAD_MAX_BYTES);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut stopping = false;
    loop {
        let now = *standing.borrow_and_update();
        let too_long = async {
            let limit = match now {
                Standing::Silent => limits.first_head,
                Standing::Asked => pending().await,
                Standing::Answered => limits.idle,
            };
            let when_full = limits.idle_when_full.min(limit);
            sleep(when_full).await;
            // Ends early for the one who is asked to make room.
            let _ = timeout(limit - when_full, give_way.notified()).await;
        };
        tokio::select! {
            // In this order: with a request that has just begun, nobody is silent for too long. The wish for room that is
            // dropped then unheard goes on to the next.
            biased;
            // Errors are those of the other side: it went away, or does not speak HTTP and was told so.
            _ = connection.as_mut() => return,
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                // Half a head is no request. The protocol's graceful end would wait for the other half.
                if *standing.borrow() == Standing::Silent {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                stopping = true;
            }
            _ = standing.changed() => {}
            () = too_long => {
                tracing::debug!(%peer, standing = ?now, "closes a silent connection");
                return;
            }
        }
    }
}
