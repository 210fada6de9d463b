//! `POST /webhooks/github`: who sent it, is it whole, is it safe in the store? Then 202, and the work comes later.
//!
//! GitHub wants an answer within 10 seconds and repeats nothing by itself, so a delivery is only acknowledged once it is
//! durable, and everything that can be wrong with it is said with the status that fits.

use super::WebState;
use crate::domain::DeliveryId;
use crate::forge::webhook;
use crate::pipeline::inbox;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::Duration;

/// GitHub never delivers a larger payload. Source: GitHub docs, "Webhook events and payloads".
pub const BODY_MAX_BYTES: usize = 25 * 1024 * 1024;
/// How long a body may take: less than the 10 seconds after which GitHub gives up.
pub const BODY_PATIENCE: Duration = Duration::from_secs(8);

/// What a sender is told: a status and a sentence.
type Answer = (StatusCode, String);

fn answer(status: StatusCode, sentence: impl Into<String>) -> Answer {
    (status, sentence.into() + "\n")
}

/// Checks, stores and acknowledges one delivery.
///
/// 202 stored, or stored before; 400 a header is missing or the payload is not JSON; 401 not signed with our secret;
/// 408 too slow; 413 too large; 503 the database cannot take it now (GitHub keeps it for redelivery).
pub async fn receive(State(state): State<WebState>, headers: HeaderMap, body: Body) -> Answer {
    match accept(&state, &headers, body).await {
        Ok(answer) | Err(answer) => answer,
    }
}

async fn accept(state: &WebState, headers: &HeaderMap, body: Body) -> Result<Answer, Answer> {
    let event = required(headers, "x-github-event")?.to_string();
    let delivery = DeliveryId(required(headers, "x-github-delivery")?.to_string());
    let body = read(headers, body, state.body_patience).await?;
    let signatures: Vec<HeaderValue> = headers.get_all("x-hub-signature-256").iter().cloned().collect();
    let secrets = Arc::clone(&state.webhook_secrets);
    let incoming = {
        let (event, delivery) = (event.clone(), delivery.clone());
        inbox::parse_apart(body.len(), move || {
            webhook::verify(&secrets, &body, &signatures)
                .map_err(|error| answer(StatusCode::UNAUTHORIZED, error.to_string()))?;
            inbox::Incoming::read(delivery, &event, &body)
                .map_err(|error| answer(StatusCode::BAD_REQUEST, error.to_string()))
        })
        .await
    };
    let incoming = incoming.inspect_err(|(status, why)| {
        tracing::warn!(%delivery, event, status = status.as_u16(), why = why.trim_end(), "refused a webhook");
    })?;
    match inbox::receive(&state.store, &incoming, state.clock.now()).await {
        Ok(inbox::Received::New) => {
            state.arrived.notify_one();
            Ok(answer(StatusCode::ACCEPTED, "stored"))
        }
        Ok(inbox::Received::Duplicate) => Ok(answer(StatusCode::ACCEPTED, "stored before, nothing to do")),
        Err(error) => {
            tracing::error!(%delivery, event, %error, "a webhook could not be stored");
            Err(answer(StatusCode::SERVICE_UNAVAILABLE, "the delivery could not be stored; please deliver it again"))
        }
    }
}

fn required<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Answer> {
    let value =
        headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty() && value.len() <= 200);
    value.ok_or_else(|| answer(StatusCode::BAD_REQUEST, format!("the header `{name}` is missing or unreadable")))
}

async fn read(headers: &HeaderMap, body: Body, patience: Duration) -> Result<Bytes, Answer> {
    let too_large = || answer(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {BODY_MAX_BYTES} bytes are taken"));
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if announced.is_some_and(|length| length > BODY_MAX_BYTES as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(patience, Limited::new(body, BODY_MAX_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Ok(Err(_)) => Err(answer(StatusCode::BAD_REQUEST, "the body broke off")),
        Err(_) => Err(answer(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")),
    }
}
