//! Labels, comments, reactions and the lock of a pull request's conversation.

use serde_json::json;

use super::Act;
use crate::access::Role;
use crate::render::Render;
use crate::reply::Reply;
use crate::state::{Comment, Label, Reaction};

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
        self.may_comment(repo, number)?;
        let (id, now, author) = (self.state.new_id(), self.now, self.actor.clone());
        let comment = Comment {
            id,
            number,
            author,
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

    /// A locked conversation is closed to all but people who may push; an App is none of them.
    fn may_comment(&self, repo: i64, number: i64) -> Result<(), Reply> {
        let locked = self.pull(repo, number)?.locked;
        let writes = self.state.role(self.repo(repo)?, &self.actor).is_some_and(|role| role >= Role::Write);
        if locked && !writes {
            return Err(Reply::error(403, "Unable to create comment because issue is locked."));
        }
        Ok(())
    }

    pub(crate) fn set_locked(&mut self, repo: i64, number: i64, locked: bool) -> Result<(), Reply> {
        let pull = self.pull_mut(repo, number)?;
        if pull.locked == locked {
            return Ok(());
        }
        pull.locked = locked;
        self.pull_event(repo, number, if locked { "locked" } else { "unlocked" }, json!({}))
    }

    /// Reacts to a comment; reacting twice in the same way gives the first reaction and `false`.
    pub(crate) fn react(&mut self, repo: i64, comment: i64, content: &str) -> Result<(Reaction, bool), Reply> {
        if !Render::is_reaction(content) {
            return Err(Reply::field("Reaction", "content", "invalid"));
        }
        let (id, by, created_at) = (self.state.new_id(), self.actor.clone(), self.now);
        let comment = self.repo_mut(repo)?.comments.get_mut(&comment).ok_or_else(Reply::not_found)?;
        let known = comment.reactions.iter().find(|old| old.by == by && old.content == content);
        if let Some(old) = known {
            return Ok((old.clone(), false));
        }
        let reaction = Reaction { id, by, content: content.to_owned(), created_at };
        comment.reactions.push(reaction.clone());
        Ok((reaction, true))
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
