//! Repositories are made, renamed, moved, archived and deleted.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde_json::json;

use super::{Act, MergeMethod};
use crate::git::Git;
use crate::reply::Reply;
use crate::state::{Repo, Selection};

/// What a new repository is like.
pub(crate) struct NewRepo {
    pub owner: String,
    pub name: String,
    pub private: bool,
    pub default_branch: String,
    pub description: Option<String>,
    pub parent: Option<i64>,
    pub is_template: bool,
}

impl Act<'_> {
    pub(crate) fn create_repo(&mut self, folder: &Path, new: NewRepo) -> Result<i64, Reply> {
        if self.state.repo_named(&new.owner, &new.name).is_some() {
            return Err(Reply::custom("Repository", "name already exists on this account"));
        }
        let owner = self.state.account_or_person(&new.owner).login;
        let id = self.state.new_id();
        let git = Git::init(&folder.join(format!("{id}.git")), &new.default_branch)?;
        let repo = Repo {
            id,
            owner,
            name: new.name,
            private: new.private,
            parent: new.parent,
            archived: false,
            disabled: false,
            is_template: new.is_template,
            description: new.description,
            default_branch: new.default_branch,
            created_at: self.now,
            updated_at: self.now,
            pushed_at: self.now,
            delete_branch_on_merge: false,
            drafts: true,
            merge_methods: MergeMethod::ALL.into(),
            roles: BTreeMap::new(),
            git,
            last_number: 0,
            pulls: BTreeMap::new(),
            comments: BTreeMap::new(),
            labels: BTreeMap::new(),
            checks: BTreeMap::new(),
            suites: BTreeMap::new(),
            statuses: Vec::new(),
            releases: Vec::new(),
            protected: BTreeMap::new(),
            verified: HashSet::new(),
        };
        // The old name of a renamed repository, used again, stops redirecting.
        self.state.redirects.remove(&repo.full_name().to_lowercase());
        self.state.names.insert(repo.full_name().to_lowercase(), id);
        self.state.repos.insert(id, repo);
        self.emit(id, "repository", Some("created"), json!({}));
        let all =
            self.state.installation_of(id).filter(|found| found.selection == Selection::All).map(|found| found.id);
        if let Some(installation) = all {
            self.repositories_event(installation, &[id], &[]);
        }
        Ok(id)
    }

    pub(crate) fn rename_repo(&mut self, id: i64, name: &str) -> Result<(), Reply> {
        let owner = self.repo(id)?.owner.clone();
        if self.state.repo_named(&owner, name).is_some_and(|other| other != id) {
            return Err(Reply::custom("Repository", "name already exists on this account"));
        }
        let old = self.repo(id)?.full_name();
        self.state.redirects.insert(old.to_lowercase(), id);
        let (now, new_name) = (self.now, format!("{owner}/{name}").to_lowercase());
        self.state.redirects.remove(&new_name);
        let repo = self.repo_mut(id)?;
        repo.updated_at = now;
        let from = std::mem::replace(&mut repo.name, name.to_owned());
        let changes = json!({ "changes": { "repository": { "name": { "from": from } } } });
        self.emit(id, "repository", Some("renamed"), changes);
        Ok(())
    }

    /// Gives a repository to another account: the old installation loses it, one over there may gain it.
    pub(crate) fn transfer_repo(&mut self, id: i64, new_owner: &str) -> Result<(), Reply> {
        let account = self.state.account_or_person(new_owner);
        let name = self.repo(id)?.name.clone();
        if self.state.repo_named(&account.login, &name).is_some() {
            return Err(Reply::custom("Repository", "name already exists on this account"));
        }
        let lost_by = self.state.installation_of(id).map(|installation| installation.id);
        let old = self.repo(id)?.full_name();
        self.state.redirects.insert(old.to_lowercase(), id);
        let from = self.repo(id)?.owner.clone();
        if let Some(installation) = lost_by {
            self.repositories_event(installation, &[], &[id]);
            if let Some(Selection::Selected(ids)) =
                self.state.installations.get_mut(&installation).map(|installation| &mut installation.selection)
            {
                ids.remove(&id);
            }
        }
        self.repo_mut(id)?.owner = account.login;
        let render = self.render();
        let (kind, was) = match render.organization(&from) {
            Some(organization) => ("organization", organization),
            None => ("user", render.user(&from)),
        };
        self.emit(id, "repository", Some("transferred"), json!({ "changes": { "owner": { "from": { kind: was } } } }));
        if let Some(gained_by) = self.state.installation_of(id).map(|installation| installation.id) {
            self.repositories_event(gained_by, &[id], &[]);
        }
        Ok(())
    }

    pub(crate) fn set_archived(&mut self, id: i64, archived: bool) -> Result<(), Reply> {
        let now = self.now;
        let repo = self.repo_mut(id)?;
        repo.archived = archived;
        repo.updated_at = now;
        self.emit(id, "repository", Some(if archived { "archived" } else { "unarchived" }), json!({}));
        Ok(())
    }

    pub(crate) fn set_private(&mut self, id: i64, private: bool) -> Result<(), Reply> {
        self.repo_mut(id)?.private = private;
        self.emit(id, "repository", Some(if private { "privatized" } else { "publicized" }), json!({}));
        Ok(())
    }

    pub(crate) fn set_default_branch(&mut self, id: i64, branch: &str) -> Result<(), Reply> {
        if self.repo(id)?.branch(branch).is_none() {
            return Err(Reply::custom(
                "Repository",
                &format!(
                    "The branch {branch} was not found. Please push that ref first or create it via the Git Data API."
                ),
            ));
        }
        let repo = self.repo_mut(id)?;
        repo.git.set_head(branch)?;
        let from = std::mem::replace(&mut repo.default_branch, branch.to_owned());
        self.emit(id, "repository", Some("edited"), json!({ "changes": { "default_branch": { "from": from } } }));
        Ok(())
    }

    pub(crate) fn delete_repo(&mut self, id: i64) -> Result<(), Reply> {
        self.repo(id)?;
        self.emit(id, "repository", Some("deleted"), json!({}));
        if let Some(repo) = self.state.repos.remove(&id) {
            // Best effort: the whole folder goes with the stand-in anyway.
            drop(std::fs::remove_dir_all(&repo.git.path));
        }
        self.state.redirects.retain(|_, target| *target != id);
        for installation in self.state.installations.values_mut() {
            if let Selection::Selected(ids) = &mut installation.selection {
                ids.remove(&id);
            }
        }
        Ok(())
    }
}
