//! Repositories and branches.

use serde_json::{Value, json};

use super::{Render, node_id, stamp};
use crate::acts::MergeMethod;
use crate::reply::Reply;
use crate::state::{Permissions, Repo};

impl Render<'_> {
    pub(crate) fn repo_api(&self, repo: &Repo) -> String {
        format!("{}/repos/{}", self.api, repo.full_name())
    }

    pub(crate) fn repo_page(&self, repo: &Repo) -> String {
        format!("{}/{}", self.site.root, repo.full_name())
    }

    /// The five fields by which installation events name a repository.
    pub(crate) fn repo_stub(&self, id: i64) -> Option<Value> {
        let repo = self.state.repos.get(&id)?;
        Some(json!({
            "id": id,
            "node_id": node_id("010:Repository", id),
            "name": repo.name,
            "full_name": repo.full_name(),
            "private": repo.private,
        }))
    }

    /// `repository`, as in lists, in pull requests and in most webhooks.
    pub(crate) fn repo(&self, id: i64) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let (api, page) = (self.repo_api(repo), self.repo_page(repo));
        let open = repo.pulls.values().filter(|pull| pull.open).count();
        let forks = self.state.repos.values().filter(|other| other.parent == Some(id)).count();
        let host = self.site.root.split("://").nth(1).unwrap_or_default();
        let full_name = repo.full_name();
        let mut value = json!({
            "id": id,
            "node_id": node_id("010:Repository", id),
            "name": repo.name,
            "full_name": full_name,
            "owner": self.user(&repo.owner),
            "private": repo.private,
            "html_url": page,
            "description": repo.description,
            "fork": repo.parent.is_some(),
            "url": api,
            "git_url": format!("git://{host}/{full_name}.git"),
            "ssh_url": format!("git@{host}:{full_name}.git"),
            "clone_url": format!("{page}.git"),
            "svn_url": page,
            "mirror_url": null,
            "homepage": null,
            "language": null,
            "forks_count": forks,
            "forks": forks,
            "stargazers_count": 0,
            "watchers_count": 0,
            "watchers": 0,
            "size": 1,
            "default_branch": repo.default_branch,
            "open_issues_count": open,
            "open_issues": open,
            "is_template": repo.is_template,
            "topics": [],
            "has_issues": true,
            "has_projects": true,
            "has_wiki": true,
            "has_pages": false,
            "has_downloads": true,
            "has_discussions": false,
            "archived": repo.archived,
            "disabled": repo.disabled,
            "visibility": if repo.private { "private" } else { "public" },
            "pushed_at": stamp(repo.pushed_at),
            "created_at": stamp(repo.created_at),
            "updated_at": stamp(repo.updated_at),
            "allow_forking": true,
            "web_commit_signoff_required": false,
            "license": null,
        });
        for (field, rest) in ADDRESSES {
            value[*field] = Value::String(format!("{api}{rest}"));
        }
        Ok(value)
    }

    /// `full-repository`, the answer to asking for one.
    pub(crate) fn full_repo(&self, id: i64, permissions: Option<&Permissions>) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let mut value = self.repo(id)?;
        let may_push = permissions.is_some_and(|held| held.get("contents").is_some_and(|level| level == "write"));
        value["permissions"] =
            json!({ "admin": false, "maintain": false, "push": may_push, "triage": may_push, "pull": true });
        value["allow_merge_commit"] = json!(repo.merge_methods.contains(&MergeMethod::Merge));
        value["allow_squash_merge"] = json!(repo.merge_methods.contains(&MergeMethod::Squash));
        value["allow_rebase_merge"] = json!(repo.merge_methods.contains(&MergeMethod::Rebase));
        value["allow_auto_merge"] = json!(false);
        value["allow_update_branch"] = json!(false);
        value["delete_branch_on_merge"] = json!(repo.delete_branch_on_merge);
        value["subscribers_count"] = json!(0);
        value["network_count"] = value["forks_count"].clone();
        if let Some(organization) = self.state.account(&repo.owner) {
            value["organization"] = self.user(&organization.login);
        }
        if let Some(parent) = repo.parent
            && self.state.repos.contains_key(&parent)
        {
            value["parent"] = self.repo(parent)?;
            value["source"] = self.repo(parent)?;
        }
        Ok(value)
    }

    /// The repository of a push event: times in seconds, the page as `url`, a few fields more.
    pub(crate) fn push_repo(&self, id: i64) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let mut value = self.repo(id)?;
        value["url"] = Value::String(self.repo_page(repo));
        value["created_at"] = json!(repo.created_at.as_second());
        value["pushed_at"] = json!(repo.pushed_at.as_second());
        value["stargazers"] = json!(0);
        value["master_branch"] = json!(repo.default_branch);
        value["owner"]["name"] = json!(repo.owner);
        value["owner"]["email"] = Value::Null;
        if self.organization(&repo.owner).is_some() {
            value["organization"] = json!(repo.owner);
        }
        Ok(value)
    }

    pub(crate) fn branch(&self, id: i64, name: &str) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let sha = repo.branch(name).ok_or_else(|| Reply::error(404, "Branch not found"))?;
        let api = self.repo_api(repo);
        let rules = repo.protected.get(name);
        let contexts = rules.map(|rules| rules.required_checks.clone()).unwrap_or_default();
        let checks: Vec<_> = contexts.iter().map(|context| json!({ "context": context, "app_id": null })).collect();
        Ok(json!({
            "name": name,
            "commit": self.commit(id, sha)?,
            "_links": { "html": format!("{}/tree/{name}", self.repo_page(repo)), "self": format!("{api}/branches/{name}") },
            "protected": rules.is_some(),
            "protection": {
                "enabled": rules.is_some(),
                "required_status_checks": {
                    "enforcement_level": if contexts.is_empty() { "off" } else { "non_admins" },
                    "contexts": contexts,
                    "checks": checks,
                },
            },
            "protection_url": format!("{api}/branches/{name}/protection"),
        }))
    }

    pub(crate) fn reference(&self, id: i64, name: &str, target: git2::Oid) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let api = self.repo_api(repo);
        let kind = repo.git.kind(target).map_or("commit", |kind| kind.str());
        Ok(json!({
            "ref": name,
            "node_id": node_id("03:Ref", format!("{id}:{name}")),
            "url": format!("{api}/git/{name}"),
            "object": { "type": kind, "sha": target.to_string(), "url": format!("{api}/git/{kind}s/{target}") },
        }))
    }
}

/// The addresses in a repository's JSON, after its own.
const ADDRESSES: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
];
