//! Pull requests.

use git2::Oid;
use serde_json::{Value, json};

use super::{Render, node_id, stamp, stamp_or_null};
use crate::git::Git;
use crate::mergeability;
use crate::reply::Reply;
use crate::state::{Pull, Repo, Review};

/// The two trees a pull request's diff lies between: the merge base's and the head's.
pub(crate) fn diff_sides(git: &Git, pull: &Pull) -> Result<(Option<Oid>, Oid), git2::Error> {
    let head = git.tree_of(pull.head_sha)?;
    let base = match git.merge_base(pull.base_sha, pull.head_sha) {
        Some(base) => Some(git.tree_of(base)?),
        None => None,
    };
    Ok((base, head))
}

/// The commits of a pull request, oldest first.
pub(crate) fn pull_commits(git: &Git, pull: &Pull) -> Result<Vec<Oid>, git2::Error> {
    git.commits_between(&[pull.base_sha], pull.head_sha)
}

impl Render<'_> {
    /// `pull-request-simple`, or with `full` the `pull-request` that one asks for by number.
    pub(crate) fn pull(&self, id: i64, number: i64, full: bool) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let pull = repo.pulls.get(&number).ok_or_else(Reply::not_found)?;
        let (api, page) = (self.repo_api(repo), format!("{}/pull/{number}", self.repo_page(repo)));
        let (this, issue) = (format!("{api}/pulls/{number}"), format!("{api}/issues/{number}"));
        let statuses = format!("{api}/statuses/{}", pull.head_sha);
        let href = |address: String| json!({ "href": address });
        let users = |logins: &[String]| logins.iter().map(|login| self.user(login)).collect::<Vec<_>>();
        let labels = pull.labels.iter().map(|name| self.label(id, name)).collect::<Result<Vec<_>, _>>()?;
        let merge_commit = match (&pull.merged, pull.open) {
            (Some(merged), _) => json!(merged.sha.to_string()),
            _ => Value::Null,
        };
        let mut value = json!({
            "url": this,
            "id": pull.id,
            "node_id": node_id("011:PullRequest", pull.id),
            "html_url": page,
            "diff_url": format!("{page}.diff"),
            "patch_url": format!("{page}.patch"),
            "issue_url": issue,
            "commits_url": format!("{this}/commits"),
            "review_comments_url": format!("{this}/comments"),
            "review_comment_url": format!("{api}/pulls/comments{{/number}}"),
            "comments_url": format!("{issue}/comments"),
            "statuses_url": statuses,
            "number": number,
            "state": if pull.open { "open" } else { "closed" },
            "locked": pull.locked,
            "active_lock_reason": null,
            "title": pull.title,
            "user": self.user(&pull.author),
            "body": pull.body,
            "labels": labels,
            "milestone": null,
            "created_at": stamp(pull.created_at),
            "updated_at": stamp(pull.updated_at),
            "closed_at": stamp_or_null(pull.closed_at),
            "merged_at": stamp_or_null(pull.merged.as_ref().map(|merged| merged.at)),
            "merge_commit_sha": merge_commit,
            "assignee": pull.assignees.first().map_or(Value::Null, |login| self.user(login)),
            "assignees": users(&pull.assignees),
            "requested_reviewers": users(&pull.reviewers),
            "requested_teams": pull.teams.iter().filter_map(|slug| self.team(&repo.owner, slug)).collect::<Vec<_>>(),
            "head": self.side(&pull.head_owner, &pull.head_branch, pull.head_sha, pull.head_repo)?,
            "base": self.side(&repo.owner, &pull.base_branch, pull.base_sha, id)?,
            "_links": {
                "self": href(this.clone()),
                "html": href(page.clone()),
                "issue": href(issue.clone()),
                "comments": href(format!("{issue}/comments")),
                "review_comments": href(format!("{this}/comments")),
                "review_comment": href(format!("{api}/pulls/comments{{/number}}")),
                "commits": href(format!("{this}/commits")),
                "statuses": href(statuses.clone()),
            },
            "author_association": self.state.association(repo, &pull.author),
            "auto_merge": null,
            "draft": pull.draft,
        });
        if full {
            self.fill(&mut value, repo, pull)?;
        }
        Ok(value)
    }

    /// `pull-request-review`.
    pub(crate) fn review(&self, id: i64, number: i64, review: &Review) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let page = format!("{}/pull/{number}", self.repo_page(repo));
        let html = format!("{page}#pullrequestreview-{}", review.id);
        let pull = format!("{}/pulls/{number}", self.repo_api(repo));
        Ok(json!({
            "id": review.id,
            "node_id": node_id("017:PullRequestReview", review.id),
            "user": self.user(&review.author),
            "body": "",
            "state": review.state,
            "html_url": html,
            "pull_request_url": pull,
            "_links": { "html": { "href": html }, "pull_request": { "href": pull } },
            "submitted_at": stamp(review.submitted_at),
            "commit_id": review.commit.to_string(),
            "author_association": self.state.association(repo, &review.author),
        }))
    }

    fn fill(&self, value: &mut Value, repo: &Repo, pull: &Pull) -> Result<(), Reply> {
        let git = &repo.git;
        let (base, head) = diff_sides(git, pull)?;
        let changes = git.changes(base, Some(head))?;
        let (mergeable, state) = self.mergeability(repo, pull)?;
        value["merged"] = json!(pull.merged.is_some());
        value["mergeable"] = json!(mergeable);
        value["rebaseable"] = json!(mergeable);
        value["mergeable_state"] = json!(state);
        value["merged_by"] = pull.merged.as_ref().map_or(Value::Null, |merged| self.user(&merged.by));
        value["comments"] = json!(repo.comments.values().filter(|comment| comment.number == pull.number).count());
        value["review_comments"] = json!(0);
        value["maintainer_can_modify"] = json!(pull.maintainer_can_modify);
        value["commits"] = json!(pull_commits(git, pull)?.len());
        value["additions"] = json!(changes.iter().map(|change| change.additions).sum::<usize>());
        value["deletions"] = json!(changes.iter().map(|change| change.deletions).sum::<usize>());
        value["changed_files"] = json!(changes.len());
        Ok(())
    }

    /// Null and `unknown` until GitHub has worked it out for this head and this base.
    fn mergeability(&self, repo: &Repo, pull: &Pull) -> Result<(Option<bool>, &'static str), Reply> {
        let sides = repo.branch(&pull.base_branch).map(|base| (pull.head_sha, base));
        if pull.judged.sides != sides || pull.judged.unknown_left > 0 {
            return Ok((None, "unknown"));
        }
        Ok(mergeability::verdict(repo, pull)?)
    }

    fn side(&self, owner: &str, branch: &str, sha: Oid, repo: i64) -> Result<Value, Reply> {
        let shown = if self.state.repos.contains_key(&repo) { self.repo(repo)? } else { Value::Null };
        Ok(json!({
            "label": format!("{owner}:{branch}"),
            "ref": branch,
            "sha": sha.to_string(),
            "user": self.user(owner),
            "repo": shown,
        }))
    }

    /// `pull-request-minimal`, as check runs name their pull requests.
    pub(crate) fn pull_stub(&self, repo: &Repo, pull: &Pull) -> Value {
        let side = |branch: &str, sha: Oid, of: i64| {
            let of = self.state.repos.get(&of).unwrap_or(repo);
            json!({
                "ref": branch,
                "sha": sha.to_string(),
                "repo": { "id": of.id, "url": self.repo_api(of), "name": of.name },
            })
        };
        json!({
            "url": format!("{}/pulls/{}", self.repo_api(repo), pull.number),
            "id": pull.id,
            "number": pull.number,
            "head": side(&pull.head_branch, pull.head_sha, pull.head_repo),
            "base": side(&pull.base_branch, pull.base_sha, repo.id),
        })
    }
}
