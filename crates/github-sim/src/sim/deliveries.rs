//! Handing events to the App step by step, in order or not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::GitHubSim;
use crate::state::Event;
use crate::webhooks::{DeliveryOutcome, deliver, requeue};

/// An event that waits to be handed over.
#[derive(Debug, Clone)]
pub struct PendingEvent {
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// The whole payload.
    pub payload: serde_json::Value,
}

impl From<&Event> for PendingEvent {
    fn from(event: &Event) -> PendingEvent {
        PendingEvent {
            guid: event.guid.clone(),
            event: event.name.clone(),
            action: event.action.clone(),
            payload: event.payload.clone(),
        }
    }
}

impl GitHubSim {
    /// Where the App's webhooks go.
    pub fn set_webhook_url(&self, url: &str) {
        self.shared.state().webhook_url = Some(url.to_owned());
    }

    /// The operator rotates the webhook secret: what is handed over from now on is signed with this one.
    pub fn set_webhook_secret(&self, secret: &str) {
        self.shared.state().webhook_secret = Some(secret.to_owned());
    }

    /// Queues the `ping` that GitHub sends to a webhook when it is made.
    pub fn ping(&self) -> anyhow::Result<()> {
        self.act(super::world::SOMEBODY, |act| {
            crate::webhooks::ping(act);
            Ok(())
        })
    }

    /// What waits to be handed over, in order.
    pub fn pending(&self) -> Vec<PendingEvent> {
        self.shared.state().pending.iter().map(PendingEvent::from).collect()
    }

    /// Hands over what is pending now, one after another; what that causes stays pending.
    pub async fn deliver_pending(&self) -> Vec<DeliveryOutcome> {
        let events = self.shared.state().pending.drain(..).collect();
        self.hand_over(events).await
    }

    /// Hands over what is pending now, last first.
    pub async fn deliver_reversed(&self) -> Vec<DeliveryOutcome> {
        let mut events: Vec<Event> = self.shared.state().pending.drain(..).collect();
        events.reverse();
        self.hand_over(events).await
    }

    /// Hands over only the first pending event.
    pub async fn deliver_next(&self) -> Option<DeliveryOutcome> {
        let event = self.shared.state().pending.pop_front()?;
        self.hand_over(vec![event]).await.pop()
    }

    /// Hands over an event of the test's own making, as if GitHub had sent it; returns the App's answer.
    pub async fn deliver_raw(&self, event: &str, payload: serde_json::Value) -> DeliveryOutcome {
        let event = Event {
            guid: uuid::Uuid::new_v4().to_string(),
            name: event.to_owned(),
            action: payload["action"].as_str().map(str::to_owned),
            installation: payload["installation"]["id"].as_i64(),
            repository: payload["repository"]["id"].as_i64(),
            payload,
            redelivery: false,
        };
        let shared = Arc::clone(&self.shared);
        self.on_own_runtime(async move { deliver(&shared, event).await }).await
    }

    async fn hand_over(&self, events: Vec<Event>) -> Vec<DeliveryOutcome> {
        let shared = Arc::clone(&self.shared);
        self.on_own_runtime(async move {
            let _order = shared.delivering.lock().await;
            let mut outcomes = Vec::with_capacity(events.len());
            for event in events {
                outcomes.push(deliver(&shared, event).await);
            }
            outcomes
        })
        .await
    }

    /// The caller's runtime may be paused or be ending; the stand-in's own is neither.
    async fn on_own_runtime<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        match &self.running.runtime {
            Some(runtime) => match runtime.spawn(work).await {
                Ok(done) => done,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
            None => work.await,
        }
    }

    /// Hands events over as soon as they happen, or stops doing so.
    pub fn auto_deliver(&self, on: bool) {
        self.shared.auto_deliver.store(on, Ordering::SeqCst);
        if on {
            self.shared.bell.notify_one();
        }
    }

    /// Whether every event so far was handed over and answered. Only of use with [`GitHubSim::auto_deliver`].
    pub fn all_delivered(&self) -> bool {
        self.shared.state().pending.is_empty() && self.shared.delivering.try_lock().is_ok()
    }

    pub(super) fn spawn_deliverer(&self) {
        let shared = Arc::clone(&self.shared);
        let Some(runtime) = &self.running.runtime else { return };
        runtime.spawn(async move {
            loop {
                shared.bell.notified().await;
                loop {
                    if !shared.auto_deliver.load(Ordering::SeqCst) {
                        break;
                    }
                    let _order = shared.delivering.lock().await;
                    let next = shared.state().pending.pop_front();
                    match next {
                        Some(event) => drop(deliver(&shared, event).await),
                        None => break,
                    }
                }
            }
        });
    }

    /// The first pending event is lost: never handed over, and not in the log.
    pub fn drop_next(&self) -> Option<PendingEvent> {
        self.shared.state().pending.pop_front().as_ref().map(PendingEvent::from)
    }

    /// All pending events are lost. Says how many there were.
    pub fn drop_pending(&self) -> usize {
        self.shared.state().pending.drain(..).count()
    }

    /// Takes the first pending event of that name aside, until [`GitHubSim::release_held`].
    pub fn hold(&self, event: &str) -> Option<PendingEvent> {
        let mut state = self.shared.state();
        let at = state.pending.iter().position(|pending| pending.name == event)?;
        let held = state.pending.remove(at)?;
        let view = PendingEvent::from(&held);
        state.held.push(held);
        Some(view)
    }

    /// What was held joins the end of the queue: late, and out of order.
    pub fn release_held(&self) -> usize {
        let mut state = self.shared.state();
        let held = std::mem::take(&mut state.held);
        let count = held.len();
        state.pending.extend(held);
        drop(state);
        self.shared.ring();
        count
    }

    /// Queues a delivery once more under the same GUID, whether handed over or still pending. False if unknown.
    pub fn repeat(&self, guid: &str) -> bool {
        let mut state = self.shared.state();
        let logged =
            state.log.iter().rev().find(|attempt| attempt.event.guid == guid).map(|attempt| attempt.event.clone());
        let found = logged.or_else(|| state.pending.iter().find(|event| event.guid == guid).cloned());
        let queued = requeue(&mut state, found);
        drop(state);
        self.shared.ring();
        queued
    }
}
