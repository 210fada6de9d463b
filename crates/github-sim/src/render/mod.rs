//! State as GitHub's JSON: one function per shape of the OpenAPI description.
//!
//! Reads the state, never changes it.

mod access;
mod apps;
mod checks;
mod commits;
mod issues;
mod pulls;
mod repos;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::reply::Reply;
use crate::site::Site;
use crate::state::{AccountKind, Repo, State};

pub(crate) use apps::default_permissions;
pub(crate) use pulls::{diff_sides, pull_commits};

pub(crate) struct Render<'a> {
    pub state: &'a State,
    pub site: &'a Site,
    /// The REST root that the addresses in the answer start with.
    pub api: String,
}

/// GitHub's time format: whole seconds, `Z`.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(crate) fn stamp_or_null(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| Value::String(stamp(at)))
}

/// An opaque id in the style of GitHub's GraphQL nodes.
pub(crate) fn node_id(kind: &str, id: impl std::fmt::Display) -> String {
    STANDARD.encode(format!("{kind}:{id}")).trim_end_matches('=').to_owned()
}

impl Render<'_> {
    pub(crate) fn repository(&self, id: i64) -> Result<&Repo, Reply> {
        self.state.repos.get(&id).ok_or_else(Reply::not_found)
    }

    /// `simple-user`; the ghost of GitHub for an account that is gone.
    pub(crate) fn user(&self, login: &str) -> Value {
        let (id, login, kind) = match self.state.account(login) {
            Some(account) => (account.id, account.login.as_str(), account.kind),
            None => (10_137, "ghost", AccountKind::User),
        };
        let kind = match kind {
            AccountKind::User => "User",
            AccountKind::Organization => "Organization",
            AccountKind::Bot => "Bot",
        };
        let escaped = login.replace('[', "%5B").replace(']', "%5D");
        let api = format!("{}/users/{escaped}", self.api);
        let page = match login.strip_suffix("[bot]") {
            Some(slug) => format!("{}/apps/{slug}", self.site.root),
            None => format!("{}/{login}", self.site.root),
        };
        json!({
            "login": login,
            "id": id,
            "node_id": node_id("04:User", id),
            "avatar_url": format!("{}/avatars/u/{id}", self.site.root),
            "gravatar_id": "",
            "url": api,
            "html_url": page,
            "followers_url": format!("{api}/followers"),
            "following_url": format!("{api}/following{{/other_user}}"),
            "gists_url": format!("{api}/gists{{/gist_id}}"),
            "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{api}/subscriptions"),
            "organizations_url": format!("{api}/orgs"),
            "repos_url": format!("{api}/repos"),
            "events_url": format!("{api}/events{{/privacy}}"),
            "received_events_url": format!("{api}/received_events"),
            "type": kind,
            "user_view_type": "public",
            "site_admin": false,
        })
    }

    /// The `organization` of a webhook, if that account is one.
    pub(crate) fn organization(&self, login: &str) -> Option<Value> {
        let account = self.state.account(login).filter(|account| account.kind == AccountKind::Organization)?;
        let (id, login) = (account.id, &account.login);
        let api = format!("{}/orgs/{login}", self.api);
        Some(json!({
            "login": login,
            "id": id,
            "node_id": node_id("012:Organization", id),
            "url": api,
            "repos_url": format!("{api}/repos"),
            "events_url": format!("{api}/events"),
            "hooks_url": format!("{api}/hooks"),
            "issues_url": format!("{api}/issues"),
            "members_url": format!("{api}/members{{/member}}"),
            "public_members_url": format!("{api}/public_members{{/member}}"),
            "avatar_url": format!("{}/avatars/u/{id}", self.site.root),
            "description": "",
        }))
    }
}
