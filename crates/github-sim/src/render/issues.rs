//! The issue side of a pull request: labels, comments, reactions.

use serde_json::{Value, json};

use super::{Render, node_id, stamp, stamp_or_null};
use crate::reply::Reply;
use crate::state::{Comment, Reaction};

const REACTIONS: [&str; 8] = ["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"];

impl Render<'_> {
    pub(crate) fn label(&self, id: i64, name: &str) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let label = repo.labels.get(&name.to_lowercase()).ok_or_else(Reply::not_found)?;
        Ok(json!({
            "id": label.id,
            "node_id": node_id("05:Label", label.id),
            "url": format!("{}/labels/{}", self.repo_api(repo), label.name.replace(' ', "%20")),
            "name": label.name,
            "color": label.color,
            "default": false,
            "description": label.description,
        }))
    }

    /// `issue`: what the issues API and comment events say of a pull request.
    pub(crate) fn issue(&self, id: i64, number: i64) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let pull = repo.pulls.get(&number).ok_or_else(Reply::not_found)?;
        let (api, page) = (self.repo_api(repo), format!("{}/pull/{number}", self.repo_page(repo)));
        let this = format!("{api}/issues/{number}");
        let labels = pull.labels.iter().map(|name| self.label(id, name)).collect::<Result<Vec<_>, _>>()?;
        Ok(json!({
            "id": pull.id,
            "node_id": node_id("05:Issue", pull.id),
            "url": this,
            "repository_url": api,
            "labels_url": format!("{this}/labels{{/name}}"),
            "comments_url": format!("{this}/comments"),
            "events_url": format!("{this}/events"),
            "html_url": page,
            "number": number,
            "state": if pull.open { "open" } else { "closed" },
            "title": pull.title,
            "body": pull.body,
            "user": self.user(&pull.author),
            "labels": labels,
            "assignee": pull.assignees.first().map_or(Value::Null, |login| self.user(login)),
            "assignees": pull.assignees.iter().map(|login| self.user(login)).collect::<Vec<_>>(),
            "milestone": null,
            "locked": pull.locked,
            "active_lock_reason": null,
            "draft": pull.draft,
            "comments": repo.comments.values().filter(|comment| comment.number == number).count(),
            "closed_at": stamp_or_null(pull.closed_at),
            "created_at": stamp(pull.created_at),
            "updated_at": stamp(pull.updated_at),
            "author_association": self.state.association(repo, &pull.author),
            "reactions": self.reaction_rollup(&format!("{this}/reactions"), &[]),
            "pull_request": {
                "url": format!("{api}/pulls/{number}"),
                "html_url": page,
                "diff_url": format!("{page}.diff"),
                "patch_url": format!("{page}.patch"),
                "merged_at": stamp_or_null(pull.merged.as_ref().map(|merged| merged.at)),
            },
        }))
    }

    pub(crate) fn comment(&self, id: i64, comment: i64) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let comment: &Comment = repo.comments.get(&comment).ok_or_else(Reply::not_found)?;
        let (api, number) = (self.repo_api(repo), comment.number);
        let this = format!("{api}/issues/comments/{}", comment.id);
        Ok(json!({
            "id": comment.id,
            "node_id": node_id("012:IssueComment", comment.id),
            "url": this,
            "html_url": format!("{}/pull/{number}#issuecomment-{}", self.repo_page(repo), comment.id),
            "issue_url": format!("{api}/issues/{number}"),
            "user": self.user(&comment.author),
            "body": comment.body,
            "created_at": stamp(comment.created_at),
            "updated_at": stamp(comment.updated_at),
            "author_association": self.state.association(repo, &comment.author),
            "performed_via_github_app": self.app_of(&comment.author),
            "reactions": self.reaction_rollup(&format!("{this}/reactions"), &comment.reactions),
        }))
    }

    pub(crate) fn reaction(&self, reaction: &Reaction) -> Value {
        json!({
            "id": reaction.id,
            "node_id": node_id("08:Reaction", reaction.id),
            "user": self.user(&reaction.by),
            "content": reaction.content,
            "created_at": stamp(reaction.created_at),
        })
    }

    fn reaction_rollup(&self, url: &str, reactions: &[Reaction]) -> Value {
        let mut value = json!({ "url": url, "total_count": reactions.len() });
        for content in REACTIONS {
            value[content] = json!(reactions.iter().filter(|reaction| reaction.content == content).count());
        }
        value
    }

    pub(crate) fn is_reaction(content: &str) -> bool {
        REACTIONS.contains(&content)
    }
}
