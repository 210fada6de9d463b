//! A client that costs little: deliveries on connections that stay open, over plain TCP, each measured from its first
//! byte sent to the last byte of its answer.

use crate::payload::Signed;
use anyhow::{Context as _, ensure};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use uuid::Uuid;

/// How many deliveries are under way at a time.
pub const CONNECTIONS: usize = 32;

/// What came of a run.
pub struct Outcome {
    /// From the first delivery to the last answer.
    pub elapsed: Duration,
    /// The GUIDs that were acknowledged, with any 2xx.
    pub acknowledged: Vec<Uuid>,
    /// The seconds each of them took, sorted.
    pub latencies: Vec<f64>,
    /// Answers of any other kind.
    pub refused: usize,
}

/// Sends as many deliveries as are answered within a time. Runs on a thread of its own, so that client and server share
/// the machine and nothing else.
pub async fn load(
    address: SocketAddr,
    path: &'static str,
    pushes: Arc<Vec<Signed>>,
    lasts: Duration,
) -> anyhow::Result<Outcome> {
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(send_all(address, path, pushes, lasts))
    })
    .await?
}

async fn send_all(
    address: SocketAddr,
    path: &'static str,
    pushes: Arc<Vec<Signed>>,
    lasts: Duration,
) -> anyhow::Result<Outcome> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.context("the server does not answer")?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for (first, stream) in streams.into_iter().enumerate() {
        connections.spawn(send(stream, (address, path), Arc::clone(&pushes), first * 7, begun + lasts));
    }
    let mut outcome = Outcome { elapsed: Duration::ZERO, acknowledged: Vec::new(), latencies: Vec::new(), refused: 0 };
    while let Some(ended) = connections.join_next().await {
        let part = ended??;
        outcome.acknowledged.extend(part.acknowledged);
        outcome.latencies.extend(part.latencies);
        outcome.refused += part.refused;
    }
    outcome.elapsed = begun.elapsed();
    outcome.latencies.sort_by(f64::total_cmp);
    Ok(outcome)
}

async fn send(
    mut stream: TcpStream,
    (address, path): (SocketAddr, &str),
    pushes: Arc<Vec<Signed>>,
    first: usize,
    until: Instant,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome { elapsed: Duration::ZERO, acknowledged: Vec::new(), latencies: Vec::new(), refused: 0 };
    let (mut request, mut answer) = (Vec::with_capacity(32 * 1024), vec![0; 16 * 1024]);
    for push in pushes.iter().cycle().skip(first) {
        let guid = Uuid::new_v4();
        request.clear();
        request.extend_from_slice(
            format!(
                "POST {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: GitHub-Hookshot/0000000\r\naccept: */*\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\nx-github-event: push\r\n\
                 x-github-delivery: {guid}\r\nx-github-hook-id: 1\r\nx-github-hook-installation-target-type: integration\r\n\
                 x-hub-signature-256: {}\r\n\r\n",
                push.body.len(),
                push.signature
            )
            .as_bytes(),
        );
        request.extend_from_slice(&push.body);
        let begun = Instant::now();
        if begun >= until {
            break;
        }
        stream.write_all(&request).await.context("sending a delivery")?;
        let status = read_answer(&mut stream, &mut answer).await?;
        if (200..300).contains(&status) {
            outcome.latencies.push(begun.elapsed().as_secs_f64());
            outcome.acknowledged.push(guid);
        } else {
            outcome.refused += 1;
        }
    }
    Ok(outcome)
}

/// Reads one answer, which has a length or is in chunks, and returns its status.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<u16> {
    let mut filled = 0;
    loop {
        ensure!(filled < buffer.len(), "an answer is longer than expected");
        let read = stream.read(&mut buffer[filled..]).await.context("reading an answer")?;
        ensure!(read > 0, "the server closed a connection");
        filled += read;
        let text = &buffer[..filled];
        let Some(head) = text.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let lines = std::str::from_utf8(&text[..head])?.to_ascii_lowercase();
        let header = |name: &str| lines.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let body = &text[head + 4..];
        let whole = match header("content-length:") {
            Some(length) => body.len() >= length.parse()?,
            None if header("transfer-encoding:") == Some("chunked") => body.ends_with(b"0\r\n\r\n"),
            None => true,
        };
        if whole {
            let status = lines.split(' ').nth(1).context("an answer without a status")?;
            return Ok(status.parse()?);
        }
    }
}
