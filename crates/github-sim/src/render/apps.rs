//! The App, its installations and its delivery log.

use serde_json::{Value, json};

use super::{Render, node_id, stamp, stamp_or_null};
use crate::state::{AccountKind, Attempt, Installation, Permissions};

impl Render<'_> {
    /// `integration`: the App itself.
    pub(crate) fn app(&self) -> Value {
        let app = self.site;
        json!({
            "id": app.app_id,
            "client_id": app.client_id,
            "slug": app.slug,
            "node_id": node_id("03:App", app.app_id),
            "owner": self.user(&self.site.app_owner),
            "name": app.slug,
            "description": "Keeps repositories up to date",
            "external_url": format!("{}/apps/{}/home", self.site.root, app.slug),
            "html_url": format!("{}/apps/{}", self.site.root, app.slug),
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
            "permissions": default_permissions(),
            "events": self.state.app_events,
            "installations_count": self.state.installations.len(),
        })
    }

    /// The App behind check runs that are not ours.
    pub(crate) fn other_app(&self) -> Value {
        let mut app = self.app();
        app["id"] = json!(15_368);
        app["client_id"] = json!("Iv1.otherci");
        app["slug"] = json!("other-ci");
        app["name"] = json!("Other CI");
        app["node_id"] = json!(node_id("03:App", 15_368));
        app["description"] = json!("Somebody else's checks");
        app["html_url"] = json!(format!("{}/apps/other-ci", self.site.root));
        app
    }

    /// `performed_via_github_app`: the App behind a bot's login, null for people.
    pub(crate) fn app_of(&self, login: &str) -> Value {
        match login.strip_suffix("[bot]") {
            None => Value::Null,
            Some(slug) if slug == self.site.slug => self.app(),
            Some(slug) => {
                let mut app = self.other_app();
                app["slug"] = json!(slug);
                app["name"] = json!(slug);
                app["html_url"] = json!(format!("{}/apps/{slug}", self.site.root));
                app
            }
        }
    }

    pub(crate) fn installation(&self, installation: &Installation) -> Value {
        let account = self.state.account(&installation.account);
        let (target, kind) = match account {
            Some(account) if account.kind == AccountKind::Organization => (account.id, "Organization"),
            Some(account) => (account.id, "User"),
            None => (0, "User"),
        };
        let id = installation.id;
        let page = match kind {
            "Organization" => {
                format!("{}/organizations/{}/settings/installations/{id}", self.site.root, installation.account)
            }
            _ => format!("{}/settings/installations/{id}", self.site.root),
        };
        let suspended_by = match installation.suspended_at {
            Some(_) => self.user(&installation.account),
            None => Value::Null,
        };
        json!({
            "id": id,
            "client_id": self.site.client_id,
            "account": self.user(&installation.account),
            "repository_selection": installation.selection.word(),
            "access_tokens_url": format!("{}/app/installations/{id}/access_tokens", self.api),
            "repositories_url": format!("{}/installation/repositories", self.api),
            "html_url": page,
            "app_id": self.site.app_id,
            "app_slug": self.site.slug,
            "target_id": target,
            "target_type": kind,
            "permissions": installation.permissions,
            "events": installation.events,
            "created_at": stamp(installation.created_at),
            "updated_at": stamp(installation.updated_at),
            "single_file_name": null,
            "has_multiple_single_files": false,
            "single_file_paths": [],
            "suspended_by": suspended_by,
            "suspended_at": stamp_or_null(installation.suspended_at),
        })
    }

    /// `hook-delivery-item`, or with `full` the whole delivery.
    pub(crate) fn delivery(&self, attempt: &Attempt, full: bool) -> Value {
        let event = &attempt.event;
        let mut value = json!({
            "id": attempt.id,
            "guid": event.guid,
            "delivered_at": attempt.at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "redelivery": event.redelivery,
            "duration": attempt.duration_seconds,
            "status": attempt.status,
            "status_code": attempt.status_code,
            "event": event.name,
            "action": event.action,
            "installation_id": event.installation,
            "repository_id": event.repository,
            "throttled_at": null,
        });
        if full {
            value["url"] = json!(self.state.webhook_url.clone().unwrap_or_default());
            value["request"] = json!({ "headers": attempt.request_headers, "payload": event.payload });
            value["response"] = json!({ "headers": attempt.response_headers, "payload": attempt.response_body });
        }
        value
    }
}

/// The least the product needs: metadata, statuses and members read; contents, pull requests and checks write.
pub(crate) fn default_permissions() -> Permissions {
    let reads = ["metadata", "statuses", "members"].map(|name| (name, "read"));
    let writes = ["contents", "pull_requests", "checks"].map(|name| (name, "write"));
    [reads, writes].concat().into_iter().map(|(name, level)| (name.to_owned(), level.to_owned())).collect()
}
