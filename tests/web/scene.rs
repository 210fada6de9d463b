//! A server on loopback, and somebody who sends it webhooks.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use mass_driver::domain::Clock;
use mass_driver::metrics::Metrics;
use mass_driver::pipeline::Mailroom;
use mass_driver::store::{Delivery, Store};
use mass_driver::web::serve::{Limits, serve};
use mass_driver::web::webhook::Intake;
use mass_driver::web::{self, WebState};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use secrecy::SecretString;
use sha2::Sha256;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub const SECRET: &str = "It's a Secret to Everybody";
pub const PREVIOUS_SECRET: &str = "the one before";
pub const ADMIN_TOKEN: &str = "let-me-see";

/// A clock that stands still.
pub struct Stopped(pub Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Wednesday 2026-03-04 12:00 UTC.
pub fn now() -> Timestamp {
    "2026-03-04T12:00:00Z".parse().unwrap()
}

pub struct Server {
    pub store: Store,
    pub address: SocketAddr,
    pub client: Client,
    stopper: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Server {
    pub async fn start(store: &Store) -> Self {
        Self::start_with(store, |_| {}).await
    }

    pub async fn start_with(store: &Store, change: impl FnOnce(&mut WebState)) -> Self {
        Self::start_within(store, Limits::default(), change).await
    }

    pub async fn start_within(store: &Store, limits: Limits, change: impl FnOnce(&mut WebState)) -> Self {
        let mut state = WebState {
            store: store.clone(),
            clock: Arc::new(Stopped(now())),
            webhook_secrets: [SECRET, PREVIOUS_SECRET].map(SecretString::from).into(),
            admin_token: Some(ADMIN_TOKEN.into()),
            local_pages: true,
            intake: Intake::new(Duration::from_secs(600), 1, 64 * 1024),
            mailroom: Mailroom::new(store.clone()),
            metrics: Metrics::new(),
        };
        change(&mut state);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stopper, stop) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, web::router(state), limits, stop));
        let client = Client::builder().no_proxy().build().unwrap();
        Self { store: store.clone(), address, client, stopper, serving }
    }

    /// Tells the server to stop; [`Server::stopped`] waits until it has.
    pub fn stop(&self) {
        self.stopper.send(true).unwrap();
    }

    pub async fn stopped(&mut self) {
        (&mut self.serving).await.unwrap();
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    /// A page as it is read by somebody who may.
    pub async fn page(&self, path: &str) -> String {
        let response = self.get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    /// A webhook that is not signed yet.
    pub fn unsigned(&self, event: &str, guid: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
        let request = self.client.post(self.url("/webhooks/github"));
        request.header("x-github-event", event).header("x-github-delivery", guid).body(body.into())
    }

    /// Sends a webhook as GitHub does.
    pub async fn deliver(&self, event: &str, guid: &str, body: impl Into<Vec<u8>>) -> Response {
        let body = body.into();
        let signature = sign(SECRET, &body);
        self.unsigned(event, guid, body).header("x-hub-signature-256", signature).send().await.unwrap()
    }

    pub async fn deliveries(&self) -> Vec<Delivery> {
        self.store.recent_deliveries(10_000).await.unwrap()
    }

    pub async fn queued(&self) -> i64 {
        self.store.queue_depth().await.unwrap().iter().map(|depth| depth.count).sum()
    }

    /// Writes a request's head, then spaces one by one, until an answer comes back.
    pub async fn drip(&self, head: Vec<u8>) -> String {
        let address = self.address;
        tokio::task::spawn_blocking(move || {
            let mut connection = TcpStream::connect(address).unwrap();
            connection.set_nodelay(true).unwrap();
            connection.write_all(&head).unwrap();
            // Waiting for an answer a moment at a time is what makes it drip.
            connection.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            let mut answer = Vec::new();
            let mut piece = [0; 4096];
            while !is_whole(&answer) {
                match connection.read(&mut piece) {
                    Ok(0) => break,
                    Ok(count) => answer.extend_from_slice(&piece[..count]),
                    Err(_) if answer.is_empty() => drop(connection.write_all(b" ")),
                    Err(_) => {}
                }
            }
            String::from_utf8(answer).unwrap()
        })
        .await
        .unwrap()
    }

    /// Writes bytes, says that no more will come, and returns what is answered until the connection ends.
    pub async fn hang_up_after(&self, bytes: Vec<u8>) -> String {
        let address = self.address;
        tokio::task::spawn_blocking(move || {
            let mut connection = TcpStream::connect(address).unwrap();
            connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            connection.write_all(&bytes).unwrap();
            connection.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            connection.read_to_end(&mut answer).unwrap();
            String::from_utf8(answer).unwrap()
        })
        .await
        .unwrap()
    }

    /// Writes bytes to a connection of its own and returns the first answer that comes back, its body included.
    ///
    /// Nothing is written after `bytes`, and the connection stays open for writing until the answer is there.
    pub async fn raw(&self, bytes: Vec<u8>) -> String {
        let address = self.address;
        tokio::task::spawn_blocking(move || {
            let mut connection = TcpStream::connect(address).unwrap();
            connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            connection.write_all(&bytes).unwrap();
            let mut answer = Vec::new();
            let mut piece = [0; 4096];
            while !is_whole(&answer) {
                match connection.read(&mut piece).unwrap() {
                    0 => break,
                    count => answer.extend_from_slice(&piece[..count]),
                }
            }
            String::from_utf8(answer).unwrap()
        })
        .await
        .unwrap()
    }
}

/// Whether an answer's head and as much body as it announces are there.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}

/// The value of `X-Hub-Signature-256`.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The status and the reason of an answer.
pub async fn answer(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    (status, response.text().await.unwrap())
}
