//! Commits in GitHub's two shapes, and changed files.

use git2::Oid;
use serde_json::{Value, json};

use super::{Render, node_id, stamp};
use crate::git::{FileChange, Person};
use crate::reply::Reply;
use crate::state::Repo;

fn git_user(person: &Person) -> Value {
    json!({ "name": person.name, "email": person.email, "date": stamp(person.at) })
}

/// `diff-entry`: one file of a pull request, commit or comparison.
fn file_change(repo_api: &str, repo_page: &str, head: Oid, change: &FileChange) -> Value {
    let path = change.path.replace(' ', "%20");
    let mut value = json!({
        "sha": change.id.map(|id| id.to_string()),
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": format!("{repo_page}/blob/{head}/{path}"),
        "raw_url": format!("{repo_page}/raw/{head}/{path}"),
        "contents_url": format!("{repo_api}/contents/{path}?ref={head}"),
    });
    if let Some(patch) = &change.patch {
        value["patch"] = json!(patch);
    }
    if let Some(previous) = &change.previous {
        value["previous_filename"] = json!(previous);
    }
    value
}

/// The parents of a commit; `commits` is the address below which they are described.
fn parents(repo: &Repo, sha: Oid, commits: &str, page: &str) -> Result<Vec<Value>, Reply> {
    let parent = |parent: Oid| {
        json!({
            "sha": parent.to_string(),
            "url": format!("{commits}/{parent}"),
            "html_url": format!("{page}/commit/{parent}"),
        })
    };
    Ok(repo.git.parents(sha)?.into_iter().map(parent).collect())
}

impl Render<'_> {
    fn verification(&self, id: i64, sha: Oid) -> Result<Value, Reply> {
        let verified = self.repository(id)?.verified.contains(&sha);
        let text = |text: &str| if verified { json!(text) } else { Value::Null };
        Ok(json!({
            "verified": verified,
            "reason": if verified { "valid" } else { "unsigned" },
            "signature": text("-----BEGIN PGP SIGNATURE-----\n\nstand-in\n-----END PGP SIGNATURE-----"),
            "payload": text(&format!("commit {sha}")),
            "verified_at": if verified { json!(stamp(self.repository(id)?.git.committer(sha)?.at)) } else { Value::Null },
        }))
    }

    /// `git-commit`: the git object itself.
    pub(crate) fn git_commit(&self, id: i64, sha: Oid) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let (git, api, page) = (&repo.git, self.repo_api(repo), self.repo_page(repo));
        let tree = git.tree_of(sha)?;
        let parents = parents(repo, sha, &format!("{api}/git/commits"), &page)?;
        Ok(json!({
            "sha": sha.to_string(),
            "node_id": node_id("06:Commit", format!("{id}:{sha}")),
            "url": format!("{api}/git/commits/{sha}"),
            "html_url": format!("{page}/commit/{sha}"),
            "author": git_user(&git.author(sha)?),
            "committer": git_user(&git.committer(sha)?),
            "tree": { "sha": tree.to_string(), "url": format!("{api}/git/trees/{tree}") },
            "message": git.message(sha)?,
            "parents": parents,
            "verification": self.verification(id, sha)?,
        }))
    }

    /// `git-tag`: the object of an annotated tag.
    pub(crate) fn git_tag(&self, id: i64, sha: Oid) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let api = self.repo_api(repo);
        let (name, message, tagger, target, kind) = repo.git.tag(sha).ok_or_else(Reply::not_found)?;
        let kind = kind.str();
        Ok(json!({
            "node_id": node_id("03:Tag", format!("{id}:{sha}")),
            "sha": sha.to_string(),
            "url": format!("{api}/git/tags/{sha}"),
            "tag": name,
            "message": message,
            "tagger": git_user(&tagger),
            "object": { "type": kind, "sha": target.to_string(), "url": format!("{api}/git/{kind}s/{target}") },
            "verification": { "verified": false, "reason": "unsigned", "signature": null, "payload": null, "verified_at": null },
        }))
    }

    /// The account behind an e-mail address, or null.
    fn account_by_email(&self, email: &str) -> Value {
        let found = self.state.accounts.values().find(|account| account.email() == email);
        found.map_or(Value::Null, |account| self.user(&account.login))
    }

    /// `commit` without stats and files, as in lists.
    pub(crate) fn commit(&self, id: i64, sha: Oid) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let (git, api, page) = (&repo.git, self.repo_api(repo), self.repo_page(repo));
        let (author, committer, tree) = (git.author(sha)?, git.committer(sha)?, git.tree_of(sha)?);
        let parents = parents(repo, sha, &format!("{api}/commits"), &page)?;
        Ok(json!({
            "sha": sha.to_string(),
            "node_id": node_id("06:Commit", format!("{id}:{sha}")),
            "commit": {
                "author": git_user(&author),
                "committer": git_user(&committer),
                "message": git.message(sha)?,
                "tree": { "sha": tree.to_string(), "url": format!("{api}/git/trees/{tree}") },
                "url": format!("{api}/git/commits/{sha}"),
                "comment_count": 0,
                "verification": self.verification(id, sha)?,
            },
            "url": format!("{api}/commits/{sha}"),
            "html_url": format!("{page}/commit/{sha}"),
            "comments_url": format!("{api}/commits/{sha}/comments"),
            "author": self.account_by_email(&author.email),
            "committer": self.account_by_email(&committer.email),
            "parents": parents,
        }))
    }

    /// `commit` with stats and files, as when asked for one.
    pub(crate) fn full_commit(&self, id: i64, sha: Oid) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let changes = repo.git.changes_of(sha)?;
        let mut value = self.commit(id, sha)?;
        let additions: usize = changes.iter().map(|change| change.additions).sum();
        let deletions: usize = changes.iter().map(|change| change.deletions).sum();
        value["stats"] = json!({ "total": additions + deletions, "additions": additions, "deletions": deletions });
        value["files"] = self.file_changes(id, sha, &changes)?;
        Ok(value)
    }

    pub(crate) fn file_changes(&self, id: i64, head: Oid, changes: &[FileChange]) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let (api, page) = (self.repo_api(repo), self.repo_page(repo));
        Ok(changes.iter().map(|change| file_change(&api, &page, head, change)).collect())
    }

    /// A commit as push events carry it.
    pub(crate) fn push_commit(&self, id: i64, sha: Oid, path_limit: usize) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let git = &repo.git;
        let (mut added, mut removed, mut modified) = (Vec::new(), Vec::new(), Vec::new());
        for change in git.changes_of(sha)? {
            match change.status {
                "added" => added.push(change.path),
                "removed" => removed.push(change.path),
                "renamed" => {
                    removed.extend(change.previous);
                    added.push(change.path);
                }
                _ => modified.push(change.path),
            }
        }
        for list in [&mut added, &mut removed, &mut modified] {
            list.truncate(path_limit);
        }
        let author = git.author(sha)?;
        Ok(json!({
            "id": sha.to_string(),
            "tree_id": git.tree_of(sha)?.to_string(),
            "distinct": true,
            "message": git.message(sha)?,
            "timestamp": stamp(author.at),
            "url": format!("{}/commit/{sha}", self.repo_page(repo)),
            "author": self.push_user(&author),
            "committer": self.push_user(&git.committer(sha)?),
            "added": added,
            "removed": removed,
            "modified": modified,
        }))
    }

    fn push_user(&self, person: &Person) -> Value {
        let mut value = json!({ "name": person.name, "email": person.email });
        if let Some(account) = self.state.accounts.values().find(|account| account.email() == person.email) {
            value["username"] = json!(account.login);
        } else if person.email == "noreply@github.com" {
            value["username"] = json!("web-flow");
        }
        value
    }
}
