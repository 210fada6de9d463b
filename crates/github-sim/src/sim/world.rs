//! Building the world: accounts, installations, repositories.

use std::collections::BTreeSet;

use super::{FileChangeInput, GitHubSim};
use crate::access::Role;
use crate::acts::NewRepo;
use crate::render::default_permissions;
use crate::reply::Reply;
use crate::state::{AccountKind, Permissions, Protection, Release};

/// Who does what nobody is named for.
pub(super) const SOMEBODY: &str = "alice";

/// What a new repository is like. The default is private, on `main`, and empty.
#[derive(Debug, Clone)]
pub struct RepoOptions {
    /// Whether only its installation may read it.
    pub private: bool,
    /// The default branch, even before it exists.
    pub default_branch: String,
    /// The line under its name.
    pub description: Option<String>,
    /// Whether it is a template.
    pub is_template: bool,
    /// Files of the first commit; without any the repository stays empty.
    pub files: Vec<FileChangeInput>,
}

impl Default for RepoOptions {
    fn default() -> RepoOptions {
        RepoOptions {
            private: true,
            default_branch: "main".to_owned(),
            description: None,
            is_template: false,
            files: Vec::new(),
        }
    }
}

impl RepoOptions {
    /// Everybody may read it.
    pub fn public(mut self) -> RepoOptions {
        self.private = false;
        self
    }

    /// Another default branch than `main`.
    pub fn default_branch(mut self, branch: &str) -> RepoOptions {
        branch.clone_into(&mut self.default_branch);
        self
    }

    /// One more file in the first commit.
    pub fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> RepoOptions {
        self.files.push(FileChangeInput::put(path, content));
        self
    }
}

/// How the App is installed. The default covers all repositories with the least permissions it needs.
#[derive(Debug, Clone)]
pub struct InstallOptions {
    /// `None` covers all repositories of the account, present and to come.
    pub repositories: Option<Vec<String>>,
    /// What the owner granted.
    pub permissions: Permissions,
    /// The events sent beyond `installation` and `installation_repositories`.
    pub events: Vec<String>,
}

impl Default for InstallOptions {
    fn default() -> InstallOptions {
        InstallOptions {
            repositories: None,
            permissions: default_permissions(),
            events: [
                "check_run",
                "check_suite",
                "issue_comment",
                "pull_request",
                "pull_request_review",
                "push",
                "repository",
                "status",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }
}

impl InstallOptions {
    /// Only these repositories, as `owner/name`.
    pub fn only(mut self, repositories: &[&str]) -> InstallOptions {
        self.repositories = Some(repositories.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// Grants or changes one permission.
    pub fn permission(mut self, name: &str, level: &str) -> InstallOptions {
        self.permissions.insert(name.to_owned(), level.to_owned());
        self
    }

    /// Withholds one permission.
    pub fn without(mut self, name: &str) -> InstallOptions {
        self.permissions.remove(name);
        self
    }

    /// Listens to one event more.
    pub fn event(mut self, name: &str) -> InstallOptions {
        self.events.push(name.to_owned());
        self
    }
}

impl GitHubSim {
    /// Makes an organisation; returns its id. Making it again changes nothing.
    pub fn organization(&self, login: &str) -> i64 {
        self.shared.state().account_or(login, AccountKind::Organization).id
    }

    /// Makes a person; returns their id. Making them again changes nothing.
    pub fn person(&self, login: &str) -> i64 {
        self.shared.state().account_or_person(login).id
    }

    /// Installs the App on all repositories of an account; returns the installation's id.
    pub fn install(&self, login: &str) -> anyhow::Result<i64> {
        self.install_with(login, InstallOptions::default())
    }

    /// Installs the App as told; returns the installation's id.
    pub fn install_with(&self, login: &str, options: InstallOptions) -> anyhow::Result<i64> {
        let ids = match options.repositories {
            Some(names) => Some(names.iter().map(|name| self.find(name)).collect::<anyhow::Result<BTreeSet<_>>>()?),
            None => None,
        };
        self.act(SOMEBODY, |act| act.install(login, ids, options.permissions, options.events))
    }

    /// The owner adds a repository to the selected ones.
    pub fn add_to_installation(&self, installation: i64, repo: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.change_selection(installation, &[id], &[]))
    }

    /// The owner takes a repository out; from then on only selected ones are covered.
    pub fn remove_from_installation(&self, installation: i64, repo: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.change_selection(installation, &[], &[id]))
    }

    /// The owner suspends the App: no tokens, no events.
    pub fn suspend(&self, installation: i64) -> anyhow::Result<()> {
        self.act(SOMEBODY, |act| act.set_suspended(installation, true))
    }

    /// The owner lets the App go on.
    pub fn unsuspend(&self, installation: i64) -> anyhow::Result<()> {
        self.act(SOMEBODY, |act| act.set_suspended(installation, false))
    }

    /// The owner removes the App.
    pub fn uninstall(&self, installation: i64) -> anyhow::Result<()> {
        self.act(SOMEBODY, |act| act.uninstall(installation))
    }

    /// The owner grants other permissions.
    pub fn accept_permissions(&self, installation: i64, permissions: Permissions) -> anyhow::Result<()> {
        self.act(SOMEBODY, |act| act.accept_permissions(installation, permissions))
    }

    /// Makes a repository, `owner/name`, with a first commit if it has files; returns its id.
    pub fn create_repo(&self, full_name: &str, options: RepoOptions) -> anyhow::Result<i64> {
        let (owner, name) = match full_name.split_once('/') {
            Some((owner, name)) if !owner.is_empty() && !name.is_empty() => (owner, name),
            _ => anyhow::bail!("{full_name} is not owner/name"),
        };
        let new = NewRepo {
            owner: owner.to_owned(),
            name: name.to_owned(),
            private: options.private,
            default_branch: options.default_branch.clone(),
            description: options.description,
            parent: None,
            is_template: options.is_template,
        };
        let folder = self.shared.folder.clone();
        let id = self.act(SOMEBODY, |act| act.create_repo(&folder, new))?;
        if !options.files.is_empty() {
            self.push_as(SOMEBODY, full_name, &options.default_branch, &options.files, "Begin")?;
        }
        Ok(id)
    }

    /// Forks a repository with all its branches; returns the fork's id. From then on its owner is an
    /// [`Role::Outsider`] to the original, unless told otherwise.
    pub fn fork(&self, full_name: &str, owner: &str) -> anyhow::Result<i64> {
        let parent = self.find(full_name)?;
        let folder = self.shared.folder.clone();
        self.act(owner, |act| {
            let source = act.repo(parent)?;
            let new = NewRepo {
                owner: owner.to_owned(),
                name: source.name.clone(),
                private: source.private,
                default_branch: source.default_branch.clone(),
                description: source.description.clone(),
                parent: Some(parent),
                is_template: false,
            };
            let path = source.git.path.clone();
            // Who needs a fork is usually nobody in particular over here.
            act.repo_mut(parent)?.roles.entry(owner.to_lowercase()).or_insert(Role::Outsider);
            let id = act.create_repo(&folder, new)?;
            act.repo(id)?.git.fetch(&path, "refs/heads/*", "refs/heads/*")?;
            Ok(id)
        })
    }

    /// Renames a repository; the old name redirects until it is used again.
    pub fn rename(&self, repo: &str, name: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.rename_repo(id, name))
    }

    /// Gives a repository to another account.
    pub fn transfer(&self, repo: &str, new_owner: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.transfer_repo(id, new_owner))
    }

    /// Makes a repository read-only.
    pub fn archive(&self, repo: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.set_archived(id, true))
    }

    /// Makes an archived repository writable again.
    pub fn unarchive(&self, repo: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.set_archived(id, false))
    }

    /// Makes a repository private or public.
    pub fn set_private(&self, repo: &str, private: bool) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.set_private(id, private))
    }

    /// Deletes a repository and its objects.
    pub fn delete_repo(&self, repo: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.delete_repo(id))
    }

    /// Makes another existing branch the default.
    pub fn set_default_branch(&self, repo: &str, branch: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.set_default_branch(id, branch))
    }

    /// Deletes the head branch of each pull request that is merged from now on.
    pub fn delete_branches_on_merge(&self, repo: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            act.repo_mut(id)?.delete_branch_on_merge = true;
            Ok(())
        })
    }

    /// Protects a branch: no force pushes, no deletion, changes by pull request, and the given rules for merging.
    pub fn protect(&self, repo: &str, branch: &str, rules: Protection) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            act.repo_mut(id)?.protected.insert(branch.to_owned(), rules);
            Ok(())
        })
    }

    /// Publishes a release of an existing tag, at the stand-in's now.
    pub fn release(&self, repo: &str, tag: &str, notes: &str) -> anyhow::Result<()> {
        self.add_release(repo, tag, notes, false, false)
    }

    /// The same, marked as not ready for production.
    pub fn prerelease(&self, repo: &str, tag: &str) -> anyhow::Result<()> {
        self.add_release(repo, tag, "", false, true)
    }

    /// Writes a release that is not published; only who may write to the repository sees it.
    pub fn draft_release(&self, repo: &str, tag: &str) -> anyhow::Result<()> {
        self.add_release(repo, tag, "", true, false)
    }

    /// Somebody rewrites the notes of a release.
    pub fn edit_release(&self, repo: &str, tag: &str, notes: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let mut releases = act.repo_mut(id)?.releases.iter_mut();
            let release = releases.find(|release| release.tag == tag).ok_or_else(Reply::not_found)?;
            notes.clone_into(&mut release.body);
            Ok(())
        })
    }

    fn add_release(&self, repo: &str, tag: &str, notes: &str, draft: bool, prerelease: bool) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            if !draft && act.repo(id)?.git.reference(&format!("refs/tags/{tag}")).is_none() {
                return Err(Reply::custom("Release", "the tag does not exist"));
            }
            let (release_id, now) = (act.state.new_id(), act.now);
            act.repo_mut(id)?.releases.push(Release {
                id: release_id,
                tag: tag.to_owned(),
                name: tag.to_owned(),
                body: notes.to_owned(),
                draft,
                prerelease,
                created_at: now,
                published_at: (!draft).then_some(now),
            });
            Ok(())
        })
    }
}
