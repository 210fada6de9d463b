//! Handing events over: signed POSTs, one after another, each written into the App's delivery log.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::exchange::WebhookPost;
use crate::server::Shared;
use crate::state::{Attempt, Event, State};

/// GitHub hangs up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(10);
const MAX_RESPONSE: usize = 64 * 1024;

/// What became of one event.
#[derive(Debug, Clone)]
pub struct DeliveryOutcome {
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// What the App answered; 0 when it could not be reached or did not answer in time.
    pub status: u16,
    /// Whether this was a second attempt at the same delivery.
    pub redelivery: bool,
}

/// `sha256=` and the HMAC over the raw bytes, as in `X-Hub-Signature-256`.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Posts one event to the App and logs the attempt.
pub(crate) async fn deliver(shared: &Shared, event: Event) -> DeliveryOutcome {
    let (url, rotated) = {
        let state = shared.state();
        (state.webhook_url.clone(), state.webhook_secret.clone())
    };
    let body = event.payload.to_string().into_bytes();
    let site = &shared.site;
    let secret = rotated.as_deref().unwrap_or(&site.webhook_secret);
    let headers: BTreeMap<String, String> = [
        ("accept", "*/*".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("user-agent", "GitHub-Hookshot/0d1e2f3".to_owned()),
        ("x-github-delivery", event.guid.clone()),
        ("x-github-event", event.name.clone()),
        ("x-github-hook-id", site.hook_id.to_string()),
        ("x-github-hook-installation-target-id", site.app_id.to_string()),
        ("x-github-hook-installation-target-type", "integration".to_owned()),
        ("x-hub-signature-256", signature(secret, &body)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let started = Instant::now();
    let answer = match url {
        Some(url) => {
            let mut request = shared.http.post(url).timeout(PATIENCE).body(body);
            for (name, value) in &headers {
                request = request.header(name, value);
            }
            read(request).await
        }
        None => Err("no webhook address is set".to_owned()),
    };
    let duration_seconds = (started.elapsed().as_secs_f64() * 100.0).round() / 100.0;
    let (status_code, response_headers, response_body, reached) = match answer {
        Ok((code, headers, body)) => (code, headers, body, true),
        Err(why) => (502, BTreeMap::new(), why, false),
    };
    let status = match status_code {
        200..=299 => "OK".to_owned(),
        _ if !reached => "failed to connect to host".to_owned(),
        code => format!("Invalid HTTP Response: {code}"),
    };
    let shown_status = if reached { status_code } else { 0 };
    let mut state = shared.state();
    state.webhook_posts.push(WebhookPost {
        guid: event.guid.clone(),
        event: event.name.clone(),
        action: event.action.clone(),
        headers: headers.clone(),
        body: event.payload.clone(),
        status: shown_status,
        response_body: response_body.clone(),
    });
    let outcome = DeliveryOutcome {
        guid: event.guid.clone(),
        event: event.name.clone(),
        action: event.action.clone(),
        status: shown_status,
        redelivery: event.redelivery,
    };
    let id = state.new_id();
    state.log.push(Attempt {
        id,
        event,
        at: shared.site.now(),
        duration_seconds,
        status,
        status_code,
        request_headers: headers,
        response_headers,
        response_body,
    });
    outcome
}

async fn read(request: reqwest::RequestBuilder) -> Result<(u16, BTreeMap<String, String>, String), String> {
    let response = request.send().await.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let mut body = response.bytes().await.map_err(|error| error.to_string())?.to_vec();
    body.truncate(MAX_RESPONSE);
    Ok((status, headers, String::from_utf8_lossy(&body).into_owned()))
}

/// Queues the event of a logged attempt once more, under the same GUID. False if the log has no such id.
pub(crate) fn redeliver(state: &mut State, attempt: i64) -> bool {
    let found = state.log.iter().find(|logged| logged.id == attempt).map(|logged| logged.event.clone());
    requeue(state, found)
}

/// Queues an event that was already handed over.
pub(crate) fn requeue(state: &mut State, event: Option<Event>) -> bool {
    let Some(mut event) = event else { return false };
    event.redelivery = true;
    state.pending.push_back(event);
    true
}

#[cfg(test)]
mod tests {
    use super::signature;

    /// GitHub's own example, from its page on validating webhook deliveries.
    #[test]
    fn signs_as_the_documentation_does() {
        let expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(signature("It's a Secret to Everybody", b"Hello, World!"), expected);
    }
}
