//! The App is installed, widened, narrowed, suspended and removed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Act;
use crate::reply::Reply;
use crate::state::{AccountKind, Installation, Permissions, Selection};

impl Act<'_> {
    pub(crate) fn install(
        &mut self,
        login: &str,
        repositories: Option<BTreeSet<i64>>,
        permissions: Permissions,
        events: Vec<String>,
    ) -> Result<i64, Reply> {
        let account = self.state.account_or(login, AccountKind::Organization);
        if self.state.installations.values().any(|known| known.account == account.login) {
            return Err(Reply::unprocessable("The App is already installed on this account"));
        }
        let id = self.state.new_id();
        let installation = Installation {
            id,
            account: account.login,
            selection: repositories.map_or(Selection::All, Selection::Selected),
            permissions,
            events,
            suspended_at: None,
            created_at: self.now,
            updated_at: self.now,
        };
        self.state.installations.insert(id, installation);
        let repositories = self.repositories_of(id);
        self.installation_event(id, "created", json!({ "repositories": repositories, "requester": null }));
        Ok(id)
    }

    pub(crate) fn uninstall(&mut self, id: i64) -> Result<(), Reply> {
        if !self.state.installations.contains_key(&id) {
            return Err(Reply::not_found());
        }
        let repositories = self.repositories_of(id);
        self.installation_event(id, "deleted", json!({ "repositories": repositories, "requester": null }));
        self.state.installations.remove(&id);
        self.state.tokens.retain(
            |_, token| !matches!(&token.holder, crate::state::Holder::Installation { id: of, .. } if *of == id),
        );
        Ok(())
    }

    pub(crate) fn set_suspended(&mut self, id: i64, suspended: bool) -> Result<(), Reply> {
        let now = self.now;
        let installation = self.state.installations.get_mut(&id).ok_or_else(Reply::not_found)?;
        installation.suspended_at = suspended.then_some(now);
        installation.updated_at = now;
        self.installation_event(id, if suspended { "suspend" } else { "unsuspend" }, json!({ "requester": null }));
        Ok(())
    }

    /// The owner grants what the App asks for now.
    pub(crate) fn accept_permissions(&mut self, id: i64, permissions: Permissions) -> Result<(), Reply> {
        let now = self.now;
        let installation = self.state.installations.get_mut(&id).ok_or_else(Reply::not_found)?;
        installation.permissions = permissions;
        installation.updated_at = now;
        self.installation_event(id, "new_permissions_accepted", json!({ "requester": null }));
        Ok(())
    }

    pub(crate) fn change_selection(&mut self, id: i64, added: &[i64], removed: &[i64]) -> Result<(), Reply> {
        let now = self.now;
        let all: BTreeSet<i64> = match self.state.installations.get(&id) {
            Some(installation) => self.state.repos_of(installation).into_iter().collect(),
            None => return Err(Reply::not_found()),
        };
        if let Some(installation) = self.state.installations.get_mut(&id) {
            let mut ids = match &installation.selection {
                Selection::All => all,
                Selection::Selected(ids) => ids.clone(),
            };
            ids.extend(added);
            ids.retain(|repo| !removed.contains(repo));
            installation.selection = Selection::Selected(ids);
            installation.updated_at = now;
        }
        if !added.is_empty() {
            self.repositories_event(id, added, &[]);
        }
        if !removed.is_empty() {
            self.repositories_event(id, &[], removed);
        }
        Ok(())
    }

    fn repositories_of(&self, id: i64) -> Value {
        let ids = self.state.installations.get(&id).map(|found| self.state.repos_of(found)).unwrap_or_default();
        let render = self.render();
        ids.into_iter().filter_map(|repo| render.repo_stub(repo)).collect()
    }

    pub(super) fn repositories_event(&mut self, installation: i64, added: &[i64], removed: &[i64]) {
        let render = self.render();
        let stubs = |ids: &[i64]| ids.iter().filter_map(|id| render.repo_stub(*id)).collect::<Vec<_>>();
        let selection = self.state.installations.get(&installation).map_or("all", |found| found.selection.word());
        let fields = json!({
            "repository_selection": selection,
            "repositories_added": stubs(added),
            "repositories_removed": stubs(removed),
            "requester": null,
        });
        let action = if added.is_empty() { "removed" } else { "added" };
        crate::webhooks::emit_for_installation(self, installation, "installation_repositories", action, fields);
    }

    fn installation_event(&mut self, id: i64, action: &str, fields: Value) {
        crate::webhooks::emit_for_installation(self, id, "installation", action, fields);
    }
}
