//! Events for the App: who is told, with which payload, in which order.

mod delivery;
mod payload;

use serde_json::{Value, json};

use crate::acts::Act;
use crate::render::node_id;
use crate::state::Event;

pub use delivery::{DeliveryOutcome, signature};
pub(crate) use delivery::{deliver, redeliver, requeue};
pub(crate) use payload::push_payload;

/// The permission without which an event is not sent, by event.
fn permission_for(event: &str) -> &'static str {
    match event {
        "push" | "create" | "delete" | "release" => "contents",
        "pull_request" | "pull_request_review" => "pull_requests",
        "check_run" | "check_suite" => "checks",
        "status" => "statuses",
        _ => "metadata",
    }
}

/// Queues an event about a repository for the installation that sees it, if that listens.
pub(crate) fn emit_for_repo(act: &mut Act<'_>, repo: i64, event: &str, action: Option<&str>, fields: Value) {
    let Some(installation) = act.state.installation_of(repo) else { return };
    // Issues and comments on pull requests go to Apps with either permission.
    let held = |name: &str| installation.permissions.contains_key(name);
    let permitted = match event {
        "issue_comment" | "label" => held("issues") || held("pull_requests"),
        _ => held(permission_for(event)),
    };
    let wanted = installation.events.iter().any(|name| name == event);
    if installation.suspended_at.is_some() || !permitted || !wanted {
        return;
    }
    let id = installation.id;
    let render = act.render();
    let Ok(repository) = render.repository(repo) else { return };
    let organization = render.organization(&repository.owner);
    let shown = if event == "push" { render.push_repo(repo) } else { render.repo(repo) };
    let Ok(shown) = shown else { return };
    let mut payload = json!({});
    payload["repository"] = shown;
    if let Some(organization) = organization {
        payload["organization"] = organization;
    }
    payload["sender"] = render.user(&act.actor);
    payload["installation"] = json!({ "id": id, "node_id": node_id("023:IntegrationInstallation", id) });
    queue(act, event, action, Some(id), Some(repo), payload, fields);
}

/// Queues an event about an installation; the App always receives those.
pub(crate) fn emit_for_installation(act: &mut Act<'_>, id: i64, event: &str, action: &str, fields: Value) {
    let Some(installation) = act.state.installations.get(&id) else { return };
    let render = act.render();
    let payload = json!({ "installation": render.installation(installation), "sender": render.user(&act.actor) });
    queue(act, event, Some(action), Some(id), None, payload, fields);
}

/// Queues the event GitHub sends when a webhook is made.
pub(crate) fn ping(act: &mut Act<'_>) {
    let hook = json!({
        "type": "App",
        "id": act.site.hook_id,
        "name": "web",
        "active": true,
        "app_id": act.site.app_id,
        "events": act.state.app_events,
        "config": {
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": "********",
            "url": act.state.webhook_url.clone().unwrap_or_default(),
        },
        "created_at": crate::render::stamp(act.now),
        "updated_at": crate::render::stamp(act.now),
        "deliveries_url": format!("{}/app/hook/deliveries", act.site.root),
    });
    let fields = json!({ "zen": "Design for failure.", "hook_id": act.site.hook_id, "hook": hook });
    queue(act, "ping", None, None, None, json!({}), fields);
}

fn queue(
    act: &mut Act<'_>,
    event: &str,
    action: Option<&str>,
    installation: Option<i64>,
    repository: Option<i64>,
    mut payload: Value,
    fields: Value,
) {
    if let (Some(payload), Value::Object(fields)) = (payload.as_object_mut(), fields) {
        payload.extend(fields);
        if let Some(action) = action {
            payload.insert("action".to_owned(), json!(action));
        }
    }
    act.state.pending.push_back(Event {
        guid: uuid::Uuid::new_v4().to_string(),
        name: event.to_owned(),
        action: action.map(str::to_owned),
        installation,
        repository,
        payload,
        redelivery: false,
    });
}
