//! `POST /webhooks/github`: who sent it, is it whole, is it safe in the store? Then 202, and the work comes later.
//!
//! GitHub wants an answer within 10 seconds and repeats nothing by itself, so a delivery is only acknowledged once it is
//! durable, and everything that can be wrong with it is said with the status that fits.

use super::WebState;
use crate::domain::DeliveryId;
use crate::forge::webhook;
use crate::pipeline::inbox;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// GitHub never delivers a larger payload. Source: GitHub docs, "Webhook events and payloads".
pub const BODY_MAX_BYTES: usize = 25 * 1024 * 1024;
/// Less than the 10 seconds after which GitHub gives up.
const BODY_PATIENCE: Duration = Duration::from_secs(8);
/// Bodies from this size on are taken a few at a time: until its signature is checked, a body is anybody's.
const LARGE_BYTES: u64 = 1024 * 1024;
/// How many large bodies are in memory at once.
const LARGE_AT_ONCE: usize = 8;
/// How much of all smaller bodies is in memory at once, in KiB. Thousands of usual deliveries fit in.
const SMALL_KIB: usize = 64 * 1024;

/// How much is taken in at a time. Clones share the count.
#[derive(Clone, Debug)]
pub struct Intake {
    patience: Duration,
    /// One permit is one large body.
    large: Arc<Semaphore>,
    /// One permit is one KiB of a small body.
    small: Arc<Semaphore>,
}

impl Intake {
    /// An intake that waits so long for a body, and holds so many large ones and so many KiB of small ones in memory.
    pub fn new(patience: Duration, large_at_once: usize, small_kib: usize) -> Self {
        Self { patience, large: Arc::new(Semaphore::new(large_at_once)), small: Arc::new(Semaphore::new(small_kib)) }
    }
}

impl Default for Intake {
    /// 8 seconds, 8 large bodies and 64 MiB of small ones.
    fn default() -> Self {
        Self::new(BODY_PATIENCE, LARGE_AT_ONCE, SMALL_KIB)
    }
}

/// What a sender is told: a status and a sentence.
type Answer = (StatusCode, String);

fn answer(status: StatusCode, sentence: impl Into<String>) -> Answer {
    (status, sentence.into() + "\n")
}

/// Checks, stores and acknowledges one delivery.
///
/// 202 stored, or stored before; 400 a header is missing or the payload is not JSON; 401 not signed with our secret;
/// 408 too slow; 413 too large; 503 it cannot be taken now (GitHub keeps it for redelivery).
pub async fn receive(State(state): State<WebState>, headers: HeaderMap, body: Body) -> Answer {
    let (became, answer) = match accept(&state, &headers, body).await {
        Ok(accepted) => accepted,
        Err(refused) => ("refused", refused),
    };
    let event = webhook::known_event(required(&headers, "x-github-event").unwrap_or_default());
    state.metrics.webhook_answered(event, became, answer.0.as_u16());
    answer
}

/// What became of a delivery, in a word, and what its sender is told.
async fn accept(state: &WebState, headers: &HeaderMap, body: Body) -> Result<(&'static str, Answer), Answer> {
    let refused = |answer: &Answer| log_refusal(headers, answer);
    let event = required(headers, "x-github-event").inspect_err(refused)?.to_string();
    let delivery = DeliveryId(required(headers, "x-github-delivery").inspect_err(refused)?.to_string());
    let (body, room) = read(headers, body, &state.intake).await.inspect_err(refused)?;
    let signatures: Vec<HeaderValue> = headers.get_all("x-hub-signature-256").iter().cloned().collect();
    let secrets = Arc::clone(&state.webhook_secrets);
    let incoming = {
        let (event, delivery) = (event.clone(), delivery.clone());
        inbox::parse_apart(body.len(), move || {
            webhook::verify(&secrets, &body, &signatures)
                .map_err(|error| answer(StatusCode::UNAUTHORIZED, error.to_string()))?;
            inbox::Incoming::read(delivery, &event, body)
                .map_err(|error| answer(StatusCode::BAD_REQUEST, error.to_string()))
        })
        .await
    };
    let incoming = incoming.inspect_err(refused)?;
    let became = if incoming.is_ignored() { "ignored" } else { "new" };
    match state.mailroom.receive(incoming, room, state.clock.now()).await {
        Ok(inbox::Received::New) => {
            tracing::debug!(%delivery, event, "stored a webhook");
            Ok((became, answer(StatusCode::ACCEPTED, "stored")))
        }
        Ok(inbox::Received::Duplicate) => {
            tracing::debug!(%delivery, event, "a webhook was stored before");
            Ok(("duplicate", answer(StatusCode::ACCEPTED, "stored before, nothing to do")))
        }
        Err(error) => {
            tracing::error!(%delivery, event, %error, "a webhook could not be stored");
            Err(answer(StatusCode::SERVICE_UNAVAILABLE, "the delivery could not be stored; please deliver it again"))
        }
    }
}

/// Says which delivery was refused, and why; a header that is missing or unreadable is left empty.
fn log_refusal(headers: &HeaderMap, (status, why): &Answer) {
    let [event, delivery] = ["x-github-event", "x-github-delivery"].map(|name| required(headers, name).unwrap_or(""));
    tracing::warn!(delivery, event, status = status.as_u16(), why = why.trim_end(), "refused a webhook");
}

fn required<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Answer> {
    let value =
        headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty() && value.len() <= 200);
    value.ok_or_else(|| answer(StatusCode::BAD_REQUEST, format!("the header `{name}` is missing or unreadable")))
}

async fn read(
    headers: &HeaderMap,
    body: Body,
    intake: &Intake,
) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Answer> {
    let too_large = || answer(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {BODY_MAX_BYTES} bytes are taken"));
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if announced.is_some_and(|length| length > BODY_MAX_BYTES as u64) {
        return Err(too_large());
    }
    let deadline = Instant::now() + intake.patience;
    let turn = async |of: &Arc<Semaphore>, permits: u32, what: &str| {
        let turn = timeout_at(deadline, Arc::clone(of).acquire_many_owned(permits)).await;
        let sentence = format!("too many {what} at once; please deliver it again");
        turn.ok().and_then(Result::ok).ok_or_else(|| answer(StatusCode::SERVICE_UNAVAILABLE, sentence))
    };
    // What does not say how large it is may be large.
    let large = announced.is_none_or(|length| length >= LARGE_BYTES);
    let mut permit = if large { Some(turn(&intake.large, 1, "large deliveries").await?) } else { None };
    let mut body = Limited::new(body, BODY_MAX_BYTES);
    let mut bytes = Vec::new();
    loop {
        let frame = match timeout_at(deadline, body.frame()).await {
            Ok(None) => return Ok((bytes, permit)),
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) if error.downcast_ref::<LengthLimitError>().is_some() => return Err(too_large()),
            Ok(Some(Err(_))) => return Err(answer(StatusCode::BAD_REQUEST, "the body broke off")),
            Err(_) => return Err(answer(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")),
        };
        let Ok(data) = frame.into_data() else { continue };
        // What was announced but never comes takes no room from what does.
        let held = permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needed = (bytes.len() + data.len()).div_ceil(1024).saturating_sub(held);
        if let (false, Ok(needed @ 1..)) = (large, u32::try_from(needed)) {
            let more = turn(&intake.small, needed, "deliveries").await?;
            match &mut permit {
                Some(permit) => permit.merge(more),
                none => *none = Some(more),
            }
        }
        bytes.extend_from_slice(&data);
    }
}
