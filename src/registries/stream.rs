//! Reading a document while it arrives, for answers that may be too large to be kept: a few pieces of it are in memory
//! at a time, and what of it is wanted.

use super::error::RegistryError;
use super::fetch::{Reply, host};
use super::json::protocol;
use serde::de::DeserializeOwned;
use std::io::{self, BufReader, Read};
use tokio::sync::mpsc;

/// Pieces that have arrived and are not read yet; each is what the connection had at once, tens of kilobytes.
const PIECES: usize = 8;

/// The value of an answer's JSON document of at most `most` bytes after decompression. It is read on a thread of its own,
/// as slowly or quickly as it arrives.
///
/// Errors: `Protocol` if it is no JSON, of another outline or larger; `Unavailable` if it breaks off.
pub(super) async fn read<T: DeserializeOwned + Send + 'static>(
    mut reply: Reply,
    most: usize,
) -> Result<T, RegistryError> {
    let registry = host(&reply.url);
    let (pieces, arriving) = mpsc::channel(PIECES);
    let reading = tokio::task::spawn_blocking(move || {
        serde_json::from_reader(BufReader::new(Arriving { pieces: arriving, current: Vec::new(), at: 0 }))
    });
    let mut bytes = 0;
    let arrived = loop {
        match reply.piece(bytes, most).await {
            Ok(Some(piece)) => {
                bytes += piece.len();
                // Nobody takes it any more: the reader has found something wrong, and says what below.
                if pieces.send(piece).await.is_err() {
                    break Ok(());
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(pieces);
    // Why an answer ended early says more than what the reader makes of its half.
    arrived?;
    let read: Result<T, serde_json::Error> =
        reading.await.map_err(|_| protocol(&registry, "its JSON could not be read"))?;
    read.map_err(|error| protocol(&registry, &error.to_string()))
}

/// The pieces as one stream of bytes. It ends when nobody sends any more, also when the look-up was given up.
struct Arriving {
    pieces: mpsc::Receiver<Vec<u8>>,
    current: Vec<u8>,
    at: usize,
}

impl Read for Arriving {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.current.len() {
            let Some(piece) = self.pieces.blocking_recv() else { return Ok(0) };
            (self.current, self.at) = (piece, 0);
        }
        let read = (&self.current[self.at..]).read(into)?;
        self.at += read;
        Ok(read)
    }
}
