//! People's roles and organisations' teams.

use serde_json::{Value, json};

use super::{Render, node_id};
use crate::access::Role;
use crate::reply::Reply;

impl Render<'_> {
    /// `repository-collaborator-permission`.
    pub(crate) fn collaborator_permission(&self, id: i64, login: &str, role: Role) -> Result<Value, Reply> {
        let private = self.repository(id)?.private;
        let mut user = self.user(login);
        user["permissions"] = json!({
            "admin": role >= Role::Admin,
            "maintain": role >= Role::Maintain,
            "push": role >= Role::Write,
            "triage": role >= Role::Triage,
            "pull": role >= Role::Read || !private,
        });
        user["role_name"] = json!(role.name(private));
        Ok(json!({ "permission": role.permission(private), "role_name": role.name(private), "user": user }))
    }

    /// `team`, of an organisation.
    pub(crate) fn team(&self, organization: &str, slug: &str) -> Option<Value> {
        let team = self.state.team(organization, slug)?;
        let owner = self.state.account(organization)?;
        let this = format!("{}/organizations/{}/team/{}", self.api, owner.id, team.id);
        Some(json!({
            "id": team.id,
            "node_id": node_id("04:Team", team.id),
            "name": team.slug,
            "slug": team.slug,
            "description": "",
            "privacy": "closed",
            "notification_setting": "notifications_enabled",
            "permission": "pull",
            "url": this,
            "html_url": format!("{}/orgs/{}/teams/{}", self.site.root, owner.login, team.slug),
            "members_url": format!("{this}/members{{/member}}"),
            "repositories_url": format!("{this}/repos"),
            "type": "organization",
            "organization_id": owner.id,
            "parent": null,
        }))
    }
}
