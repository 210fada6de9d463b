//! Labels, comments, assignees and reviewers of a pull request.

use serde_json::json;

use super::Act;
use crate::reply::Reply;
use crate::state::{Comment, Label};

impl Act<'_> {
    /// Adds labels, making those that the repository does not have yet, as GitHub does.
    pub(crate) fn add_labels(&mut self, repo: i64, number: i64, names: &[String]) -> Result<(), Reply> {
        for name in names {
            if name.is_empty() || name.chars().count() > 50 {
                return Err(Reply::field("Label", "name", "invalid"));
            }
        }
        for name in names {
            let label = self.label(repo, name)?;
            let pull = self.pull_mut(repo, number)?;
            if pull.labels.contains(&label.name) {
                continue;
            }
            pull.labels.push(label.name.clone());
            let label = self.render().label(repo, &label.name)?;
            self.pull_event(repo, number, "labeled", json!({ "label": label }))?;
        }
        Ok(())
    }

    pub(crate) fn remove_label(&mut self, repo: i64, number: i64, name: &str) -> Result<(), Reply> {
        let pull = self.pull_mut(repo, number)?;
        let Some(at) = pull.labels.iter().position(|label| label.eq_ignore_ascii_case(name)) else {
            return Err(Reply::error(404, "Label does not exist"));
        };
        let removed = pull.labels.remove(at);
        let label = self.render().label(repo, &removed)?;
        self.pull_event(repo, number, "unlabeled", json!({ "label": label }))
    }

    fn label(&mut self, repo: i64, name: &str) -> Result<Label, Reply> {
        let key = name.to_lowercase();
        if let Some(label) = self.repo(repo)?.labels.get(&key) {
            return Ok(label.clone());
        }
        self.create_label(repo, name, "ededed", "")
    }

    pub(crate) fn create_label(
        &mut self,
        repo: i64,
        name: &str,
        color: &str,
        description: &str,
    ) -> Result<Label, Reply> {
        let id = self.state.new_id();
        let label = Label { id, name: name.to_owned(), color: color.to_owned(), description: description.to_owned() };
        self.repo_mut(repo)?.labels.insert(name.to_lowercase(), label.clone());
        let shown = self.render().label(repo, name)?;
        self.emit(repo, "label", Some("created"), json!({ "label": shown }));
        Ok(label)
    }

    pub(crate) fn add_comment(&mut self, repo: i64, number: i64, body: &str) -> Result<i64, Reply> {
        check_body(body)?;
        self.pull(repo, number)?;
        let (id, now, author) = (self.state.new_id(), self.now, self.actor.clone());
        let by_app = author == self.site.bot_login();
        let comment = Comment {
            id,
            number,
            author,
            by_app,
            body: body.to_owned(),
            created_at: now,
            updated_at: now,
            reactions: Vec::new(),
        };
        self.repo_mut(repo)?.comments.insert(id, comment);
        let render = self.render();
        let fields = json!({ "issue": render.issue(repo, number)?, "comment": render.comment(repo, id)? });
        self.emit(repo, "issue_comment", Some("created"), fields);
        Ok(id)
    }

    pub(crate) fn edit_comment(&mut self, repo: i64, id: i64, body: &str) -> Result<(), Reply> {
        check_body(body)?;
        let now = self.now;
        let comment = self.repo_mut(repo)?.comments.get_mut(&id).ok_or_else(Reply::not_found)?;
        let from = std::mem::replace(&mut comment.body, body.to_owned());
        comment.updated_at = now;
        let number = comment.number;
        let render = self.render();
        let fields = json!({
            "changes": { "body": { "from": from } },
            "issue": render.issue(repo, number)?,
            "comment": render.comment(repo, id)?,
        });
        self.emit(repo, "issue_comment", Some("edited"), fields);
        Ok(())
    }

    pub(crate) fn delete_comment(&mut self, repo: i64, id: i64) -> Result<(), Reply> {
        let number = self.repo(repo)?.comments.get(&id).ok_or_else(Reply::not_found)?.number;
        let render = self.render();
        let fields = json!({ "issue": render.issue(repo, number)?, "comment": render.comment(repo, id)? });
        self.repo_mut(repo)?.comments.remove(&id);
        self.emit(repo, "issue_comment", Some("deleted"), fields);
        Ok(())
    }

    pub(crate) fn assign(&mut self, repo: i64, number: i64, logins: &[String], add: bool) -> Result<(), Reply> {
        for login in logins {
            // GitHub passes over people it cannot assign, without a word.
            let Some(account) = self.state.account(login).cloned() else { continue };
            let pull = self.pull_mut(repo, number)?;
            let present = pull.assignees.contains(&account.login);
            match (add, present) {
                (true, false) => pull.assignees.push(account.login.clone()),
                (false, true) => pull.assignees.retain(|name| *name != account.login),
                _ => continue,
            }
            let user = self.render().user(&account.login);
            let action = if add { "assigned" } else { "unassigned" };
            self.pull_event(repo, number, action, json!({ "assignee": user }))?;
        }
        Ok(())
    }

    pub(crate) fn request_reviews(
        &mut self,
        repo: i64,
        number: i64,
        logins: &[String],
        teams: &[String],
        add: bool,
    ) -> Result<(), Reply> {
        let author = self.pull(repo, number)?.author.clone();
        for login in logins {
            if self.state.account(login).is_none() {
                let message = "Reviews may only be requested from collaborators. One or more of the users or teams you \
                               specified is not a collaborator of this repository.";
                return Err(Reply::unprocessable(message));
            }
            if add && login.eq_ignore_ascii_case(&author) {
                return Err(Reply::unprocessable("Review cannot be requested from pull request author."));
            }
        }
        let pull = self.pull_mut(repo, number)?;
        if add {
            pull.teams.extend(teams.iter().filter(|team| !pull.teams.contains(team)).cloned().collect::<Vec<_>>());
        } else {
            pull.teams.retain(|team| !teams.contains(team));
        }
        for login in logins {
            let pull = self.pull_mut(repo, number)?;
            let present = pull.reviewers.contains(login);
            match (add, present) {
                (true, false) => pull.reviewers.push(login.clone()),
                (false, true) => pull.reviewers.retain(|name| name != login),
                _ => continue,
            }
            let user = self.render().user(login);
            let action = if add { "review_requested" } else { "review_request_removed" };
            self.pull_event(repo, number, action, json!({ "requested_reviewer": user }))?;
        }
        Ok(())
    }
}

fn check_body(body: &str) -> Result<(), Reply> {
    if body.trim().is_empty() {
        return Err(Reply::custom("IssueComment", "body can't be blank"));
    }
    if body.chars().count() > 65_536 {
        return Err(Reply::custom("IssueComment", "body is too long (maximum is 65536 characters)"));
    }
    Ok(())
}
