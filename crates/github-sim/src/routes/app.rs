//! What the App may ask of itself: installations, tokens, the delivery log, and its making from a manifest.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::Call;
use crate::auth::{Caller, new_token};
use crate::render::{default_permissions, stamp};
use crate::reply::{Answer, Reply};
use crate::request::strings;
use crate::state::{Holder, Installation, Permissions, Token};

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Answer {
    if let ("POST", ["app-manifests", code, "conversions"]) = (call.method(), path) {
        return convert_manifest(call, code);
    }
    if let ("GET", ["apps", slug]) = (call.method(), path) {
        return if *slug == call.act.site.slug { Ok(Reply::ok(call.render().app())) } else { Err(Reply::not_found()) };
    }
    if !matches!(call.caller, Caller::App) {
        return Err(Reply::error(401, "A JSON web token could not be decoded"));
    }
    match (call.method(), path) {
        ("GET", ["app"]) => Ok(Reply::ok(call.render().app())),
        ("GET", ["app", "installations"]) => {
            let render = call.render();
            let all = call.act.state.installations.values().collect();
            call.list(all, |installation| {
                let mut value = render.installation(installation);
                // GitHub's description of this list, unlike the others, asks for an enterprise's fields as well.
                value["account"]["name"] = value["account"]["login"].clone();
                value["account"]["slug"] = value["account"]["login"].clone();
                value["account"]["created_at"] = value["created_at"].clone();
                value["account"]["updated_at"] = value["updated_at"].clone();
                Ok(value)
            })
        }
        ("GET", ["app", "installations", id]) => {
            let installation = find(call, id)?;
            Ok(Reply::ok(call.render().installation(installation)))
        }
        ("DELETE", ["app", "installations", id]) => {
            let id = find(call, id)?.id;
            call.act.uninstall(id)?;
            Ok(Reply::no_content())
        }
        ("PUT" | "DELETE", ["app", "installations", id, "suspended"]) => {
            let id = find(call, id)?.id;
            let suspended = call.method() == "PUT";
            call.act.set_suspended(id, suspended)?;
            Ok(Reply::no_content())
        }
        ("GET", ["orgs" | "users", login, "installation"]) => {
            let mut all = call.act.state.installations.values();
            let found = all.find(|installation| installation.account.eq_ignore_ascii_case(login));
            Ok(Reply::ok(call.render().installation(found.ok_or_else(Reply::not_found)?)))
        }
        ("GET", ["repos", owner, name, "installation"]) => match call.act.state.repo_named(owner, name) {
            Some(repo) => installation_of(call, repo),
            None => {
                let repo = call.formerly(owner, name).ok_or_else(Reply::not_found)?;
                Err(call.moved(repo, &["installation"]))
            }
        },
        ("GET", ["repositories", id, "installation"]) => {
            installation_of(call, id.parse().map_err(|_| Reply::not_found())?)
        }
        ("POST", ["app", "installations", id, "access_tokens"]) => access_token(call, id),
        ("GET", ["app", "hook", "deliveries"]) => deliveries(call),
        ("GET", ["app", "hook", "deliveries", id]) => {
            let id = delivery_id(id)?;
            let found = call.act.state.log.iter().find(|attempt| attempt.id == id).ok_or_else(Reply::not_found)?;
            Ok(Reply::ok(call.render().delivery(found, true)))
        }
        ("POST", ["app", "hook", "deliveries", id, "attempts"]) => {
            let id = delivery_id(id)?;
            if !crate::webhooks::redeliver(call.act.state, id) {
                return Err(Reply::not_found());
            }
            Ok(Reply::json(202, json!({})))
        }
        _ => Err(Reply::not_found()),
    }
}

fn installation_of(call: &Call<'_>, repo: i64) -> Answer {
    let found = call.act.state.installation_of(repo).ok_or_else(Reply::not_found)?;
    Ok(Reply::ok(call.render().installation(found)))
}

fn find<'a>(call: &'a Call<'_>, id: &str) -> Result<&'a Installation, Reply> {
    let found = id.parse::<i64>().ok().and_then(|id| call.act.state.installations.get(&id));
    found.ok_or_else(Reply::not_found)
}

fn access_token(call: &mut Call<'_>, id: &str) -> Answer {
    let installation = find(call, id)?.clone();
    if installation.suspended_at.is_some() {
        return Err(Reply::error(403, "This installation has been suspended"));
    }
    let body = call.request.json()?;
    let covered = call.act.state.repos_of(&installation);
    let repositories = asked_repositories(call, &body, &installation.account, &covered)?;
    let permissions = asked_permissions(&body, &installation.permissions)?;
    let expires_at = call.act.now + SignedDuration::from_secs(call.act.state.limits.token_seconds);
    let token = new_token(call.act.state);
    let holder = Holder::Installation {
        id: installation.id,
        repositories: repositories.clone(),
        permissions: permissions.clone(),
    };
    call.act.state.tokens.insert(token.clone(), Token { holder, expires_at });
    let mut answer = json!({
        "token": token,
        "expires_at": stamp(expires_at),
        "permissions": permissions,
        "repository_selection": if repositories.is_some() { "selected" } else { installation.selection.word() },
    });
    if let Some(ids) = repositories {
        let render = call.render();
        answer["repositories"] = ids.into_iter().map(|id| render.repo(id)).collect::<Result<Value, _>>()?;
    }
    Ok(Reply::json(201, answer))
}

fn asked_repositories(
    call: &Call<'_>,
    body: &Value,
    account: &str,
    covered: &[i64],
) -> Result<Option<BTreeSet<i64>>, Reply> {
    let refuse = || {
        Reply::unprocessable(
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    };
    let mut asked = BTreeSet::new();
    for name in strings(body, "repositories")? {
        asked.insert(call.act.state.repo_named(account, &name).ok_or_else(refuse)?);
    }
    match &body["repository_ids"] {
        Value::Null => {}
        Value::Array(ids) => {
            for id in ids {
                let message = "Invalid request.\n\nFor 'repository_ids/items', a value is not an integer.";
                asked.insert(id.as_i64().ok_or_else(|| Reply::unprocessable(message))?);
            }
        }
        _ => {
            return Err(Reply::unprocessable(
                "Invalid request.\n\nFor 'properties/repository_ids', it is not an array.",
            ));
        }
    }
    if asked.len() > 500 {
        return Err(Reply::unprocessable("Too many repositories for installation"));
    }
    if asked.iter().any(|id| !covered.contains(id)) {
        return Err(refuse());
    }
    Ok((!asked.is_empty()).then_some(asked))
}

fn asked_permissions(body: &Value, granted: &Permissions) -> Result<Permissions, Reply> {
    let refuse = || Reply::unprocessable("The permissions requested are not granted to this installation.");
    let asked = match &body["permissions"] {
        Value::Null => return Ok(granted.clone()),
        Value::Object(asked) if asked.is_empty() => return Ok(granted.clone()),
        Value::Object(asked) => asked,
        _ => {
            return Err(Reply::unprocessable("Invalid request.\n\nFor 'properties/permissions', it is not an object."));
        }
    };
    let rank = |level: &str| ["read", "write", "admin"].iter().position(|known| *known == level);
    let mut permissions = Permissions::new();
    for (name, level) in asked {
        let level = level.as_str().unwrap_or_default();
        let wanted = rank(level).ok_or_else(refuse)?;
        let held = granted.get(name).and_then(|held| rank(held)).ok_or_else(refuse)?;
        if wanted > held {
            return Err(refuse());
        }
        permissions.insert(name.clone(), level.to_owned());
    }
    // Every token may read metadata.
    permissions.entry("metadata".to_owned()).or_insert_with(|| "read".to_owned());
    Ok(permissions)
}

fn delivery_id(text: &str) -> Result<i64, Reply> {
    text.parse().map_err(|_| Reply::error(400, "Bad Request"))
}

/// Newest first; pages by cursor, which is the id to go on below.
fn deliveries(call: &mut Call<'_>) -> Answer {
    let kept_since = call.act.now - SignedDuration::from_hours(24 * call.act.state.limits.delivery_log_days);
    call.act.state.log.retain(|attempt| attempt.at >= kept_since);
    let size = call.request.param("per_page").and_then(|text| text.parse().ok()).unwrap_or(30_usize).clamp(1, 100);
    let below = match call.request.param("cursor") {
        None | Some("") => i64::MAX,
        Some(cursor) => {
            let id = cursor.strip_prefix("v1_").and_then(|id| id.parse().ok());
            id.ok_or_else(|| Reply::error(422, "Invalid cursor"))?
        }
    };
    let status = call.request.param("status");
    if status.is_some_and(|status| !matches!(status, "success" | "failure")) {
        return Err(Reply::unprocessable("Invalid status"));
    }
    let wanted = |code: u16| match status {
        Some("success") => code < 400,
        Some(_) => code >= 400,
        None => true,
    };
    let all: Vec<_> =
        call.act.state.log.iter().rev().filter(|attempt| attempt.id < below && wanted(attempt.status_code)).collect();
    let render = call.render();
    let body = all.iter().take(size).map(|attempt| render.delivery(attempt, false)).collect::<Value>();
    let mut reply = Reply::ok(body);
    if let Some(last) = all.get(size - 1)
        && all.len() > size
    {
        let filter = status.map(|status| format!("&status={status}")).unwrap_or_default();
        let next = format!("{}/app/hook/deliveries?per_page={size}{filter}&cursor=v1_{}", call.api(), last.id);
        reply = reply.with("link", format!("<{next}>; rel=\"next\""));
    }
    Ok(reply)
}

/// The last step of registering from a manifest: the code, once, for the App's secrets.
fn convert_manifest(call: &mut Call<'_>, code: &str) -> Answer {
    let manifest = call.act.state.manifest_codes.remove(code).ok_or_else(Reply::not_found)?;
    let app = call.act.site.credentials();
    let mut answer = call.render().app();
    if let Some(name) = manifest["name"].as_str() {
        answer["name"] = json!(name);
    }
    answer["permissions"] = match &manifest["default_permissions"] {
        Value::Null => json!(default_permissions()),
        asked => asked.clone(),
    };
    answer["events"] = match &manifest["default_events"] {
        Value::Null => json!([]),
        asked => asked.clone(),
    };
    answer["client_id"] = json!(app.client_id);
    answer["client_secret"] = json!(uuid::Uuid::new_v4().simple().to_string());
    answer["webhook_secret"] = json!(app.webhook_secret);
    answer["pem"] = json!(app.private_key_pem);
    Ok(Reply::json(201, answer))
}
