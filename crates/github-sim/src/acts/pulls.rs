//! Pull requests open, change, close and open again.

use git2::Oid;
use serde_json::{Value, json};

use super::Act;
use crate::reply::Reply;
use crate::state::{Judged, Pull};

/// What `POST /pulls` asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewPull {
    pub title: String,
    pub body: Option<String>,
    /// `branch` or `owner:branch`.
    pub head: String,
    pub base: String,
    pub draft: bool,
    pub maintainer_can_modify: Option<bool>,
}

/// What `PATCH /pulls/{n}` asks for; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct PullEdit {
    pub title: Option<String>,
    pub body: Option<Option<String>>,
    pub state: Option<String>,
    pub base: Option<String>,
    pub maintainer_can_modify: Option<bool>,
}

const RESOURCE: &str = "PullRequest";

impl Act<'_> {
    pub(crate) fn open_pull(&mut self, repo: i64, new: NewPull) -> Result<i64, Reply> {
        check_texts(Some(&new.title), new.body.as_deref())?;
        let this = self.repo(repo)?;
        if new.draft && !this.drafts {
            return Err(Reply::unprocessable("Draft pull requests are not supported in this repository."));
        }
        let (head_owner, head_branch) = match new.head.split_once(':') {
            Some((owner, branch)) => (owner.to_owned(), branch.to_owned()),
            None => (this.owner.clone(), new.head.clone()),
        };
        let head_branch = head_branch.strip_prefix("refs/heads/").unwrap_or(&head_branch).to_owned();
        let base_branch = new.base.strip_prefix("refs/heads/").unwrap_or(&new.base).to_owned();
        let head_repo = self.head_repo(repo, &head_owner).ok_or_else(|| Reply::field(RESOURCE, "head", "invalid"))?;
        let head_sha = self.repo(head_repo)?.branch(&head_branch);
        let Some(base_sha) = this.branch(&base_branch) else { return Err(Reply::field(RESOURCE, "base", "invalid")) };
        let head_sha = head_sha.ok_or_else(|| Reply::field(RESOURCE, "head", "invalid"))?;
        let duplicate = this.pulls.values().any(|pull| {
            pull.open
                && pull.head_repo == head_repo
                && pull.head_branch == head_branch
                && pull.base_branch == base_branch
        });
        if duplicate {
            let message = format!("A pull request already exists for {head_owner}:{head_branch}.");
            return Err(Reply::custom(RESOURCE, &message));
        }
        let none_between = || Reply::custom(RESOURCE, &format!("No commits between {base_branch} and {}", new.head));
        if head_repo == repo && (head_branch == base_branch || this.git.is_ancestor(head_sha, base_sha)) {
            return Err(none_between());
        }
        let (id, now) = (self.state.new_id(), self.now);
        let author = self.actor.clone();
        let this = self.repo_mut(repo)?;
        this.last_number += 1;
        let number = this.last_number;
        let pull = Pull {
            id,
            number,
            title: new.title,
            body: new.body,
            open: true,
            draft: new.draft,
            locked: false,
            author,
            head_repo,
            head_owner,
            head_branch: head_branch.clone(),
            head_sha,
            base_branch: base_branch.clone(),
            base_sha,
            labels: Vec::new(),
            assignees: Vec::new(),
            reviewers: Vec::new(),
            teams: Vec::new(),
            reviews: Vec::new(),
            created_at: now,
            updated_at: now,
            closed_at: None,
            merged: None,
            maintainer_can_modify: new.maintainer_can_modify.unwrap_or(head_repo != repo),
            judged: Judged::default(),
        };
        this.pulls.insert(number, pull);
        self.copy_head(repo, number, head_sha)?;
        let git = &self.repo(repo)?.git;
        if head_repo != repo && git.is_ancestor(head_sha, base_sha) {
            self.repo_mut(repo)?.pulls.remove(&number);
            return Err(none_between());
        }
        self.pull_event(repo, number, "opened", json!({}))?;
        Ok(number)
    }

    /// The repository of the same network that this owner has.
    fn head_repo(&self, base: i64, owner: &str) -> Option<i64> {
        let network = |id: i64| self.state.repos.get(&id).map(|repo| repo.parent.unwrap_or(repo.id));
        if self.repo(base).ok()?.owner.eq_ignore_ascii_case(owner) {
            return Some(base);
        }
        let wanted = network(base);
        self.state
            .repos
            .values()
            .find(|repo| repo.owner.eq_ignore_ascii_case(owner) && network(repo.id) == wanted)
            .map(|repo| repo.id)
    }

    /// Keeps `refs/pull/N/head` of the base repository at the head, copying a fork's objects over.
    pub(super) fn copy_head(&mut self, repo: i64, number: i64, head: Oid) -> Result<(), Reply> {
        let pull = self.pull(repo, number)?;
        let name = format!("refs/pull/{number}/head");
        let git = &self.repo(repo)?.git;
        if pull.head_repo == repo {
            git.set_reference(&name, head)?;
        } else if let Ok(fork) = self.repo(pull.head_repo) {
            git.fetch(&fork.git.path, &format!("refs/heads/{}", pull.head_branch), &name)?;
        }
        Ok(())
    }

    pub(crate) fn edit_pull(&mut self, repo: i64, number: i64, edit: PullEdit) -> Result<(), Reply> {
        check_texts(edit.title.as_deref(), edit.body.as_ref().and_then(|body| body.as_deref()))?;
        if let Some(state) = &edit.state
            && !matches!(state.as_str(), "open" | "closed")
        {
            return Err(Reply::field(RESOURCE, "state", "invalid"));
        }
        let mut changes = serde_json::Map::new();
        if let Some(base) = &edit.base {
            let sha = self.repo(repo)?.branch(base).ok_or_else(|| Reply::field(RESOURCE, "base", "invalid"))?;
            if self.pull(repo, number)?.base_branch != *base {
                self.may_change_base(repo, number, base, sha)?;
                let pull = self.pull_mut(repo, number)?;
                let from = json!({ "ref": { "from": pull.base_branch }, "sha": { "from": pull.base_sha.to_string() } });
                changes.insert("base".to_owned(), from);
                pull.base_branch = base.clone();
                pull.base_sha = sha;
            }
        }
        let pull = self.pull_mut(repo, number)?;
        if let Some(title) = edit.title
            && title != pull.title
        {
            changes.insert("title".to_owned(), json!({ "from": pull.title }));
            pull.title = title;
        }
        if let Some(body) = edit.body
            && body != pull.body
        {
            changes.insert("body".to_owned(), json!({ "from": pull.body.clone().unwrap_or_default() }));
            pull.body = body;
        }
        if let Some(flag) = edit.maintainer_can_modify {
            pull.maintainer_can_modify = flag;
        }
        if !changes.is_empty() {
            self.pull_event(repo, number, "edited", json!({ "changes": Value::Object(changes) }))?;
        }
        let open = self.pull(repo, number)?.open;
        match edit.state.as_deref() {
            Some("closed") if open => self.close_pull(repo, number),
            Some("open") if !open => self.reopen_pull(repo, number),
            _ => Ok(()),
        }
    }

    /// A base must be another branch, without this very pull request into it, and lack something of the head.
    fn may_change_base(&self, repo: i64, number: i64, base: &str, sha: Oid) -> Result<(), Reply> {
        let (this, pull) = (self.repo(repo)?, self.pull(repo, number)?);
        let refuse = |message: String| {
            Err(Reply::invalid(json!({ "resource": RESOURCE, "code": "invalid", "field": "base", "message": message })))
        };
        let head = &pull.head_branch;
        if !pull.open {
            return refuse("Cannot change the base branch of a closed pull request.".to_owned());
        }
        let twin = this.pulls.values().any(|other| {
            other.open
                && other.head_repo == pull.head_repo
                && other.head_branch == pull.head_branch
                && other.base_branch == base
        });
        if twin {
            return refuse(format!("A pull request already exists for base branch '{base}' and head branch '{head}'"));
        }
        if this.git.is_ancestor(pull.head_sha, sha) {
            return refuse(format!("There are no new commits between base branch '{base}' and head branch '{head}'"));
        }
        Ok(())
    }

    pub(crate) fn close_pull(&mut self, repo: i64, number: i64) -> Result<(), Reply> {
        let now = self.now;
        let pull = self.pull_mut(repo, number)?;
        if !pull.open {
            return Ok(());
        }
        pull.open = false;
        pull.closed_at = Some(now);
        self.pull_event(repo, number, "closed", json!({}))
    }

    pub(crate) fn reopen_pull(&mut self, repo: i64, number: i64) -> Result<(), Reply> {
        let pull = self.pull(repo, number)?.clone();
        if pull.open {
            return Ok(());
        }
        let head = self.repo(pull.head_repo).ok().and_then(|repo| repo.branch(&pull.head_branch));
        let refuse = |message: &str| {
            Reply::invalid(json!({ "resource": RESOURCE, "code": "invalid", "field": "state", "message": message }))
        };
        if pull.merged.is_some() {
            return Err(refuse("state cannot be changed. The pull request cannot be reopened."));
        }
        let Some(head) = head else {
            let branch = &pull.head_branch;
            return Err(refuse(&format!("state cannot be changed. The {branch} branch has been deleted.")));
        };
        let twin = self.repo(repo)?.pulls.values().any(|other| {
            other.open
                && other.head_repo == pull.head_repo
                && other.head_branch == pull.head_branch
                && other.base_branch == pull.base_branch
        });
        if twin {
            let message = format!(
                "state cannot be changed. There is already an open pull request from {} to {}.",
                pull.head_branch, pull.base_branch
            );
            return Err(refuse(&message));
        }
        if head != pull.head_sha && !self.repo(repo)?.git.is_ancestor(pull.head_sha, head) {
            let branch = &pull.head_branch;
            return Err(refuse(&format!(
                "state cannot be changed. The {branch} branch was force-pushed or recreated."
            )));
        }
        self.copy_head(repo, number, head)?;
        let pull = self.pull_mut(repo, number)?;
        pull.open = true;
        pull.closed_at = None;
        pull.head_sha = head;
        self.pull_event(repo, number, "reopened", json!({}))
    }

    /// Tells the App of a pull request, with whatever the action adds to the payload.
    pub(crate) fn pull_event(&mut self, repo: i64, number: i64, action: &str, more: Value) -> Result<(), Reply> {
        let mut fields = json!({ "number": number, "pull_request": self.render().pull(repo, number, true)? });
        if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
            fields.extend(more);
        }
        shorten_teams(&mut fields);
        self.emit(repo, "pull_request", Some(action), fields);
        Ok(())
    }
}

/// Events name a team in fewer words than the REST API does.
fn shorten_teams(fields: &mut Value) {
    let shorten = |team: &mut Value| {
        if let Some(team) = team.as_object_mut() {
            team.retain(|field, _| !matches!(field.as_str(), "notification_setting" | "organization_id" | "type"));
        }
    };
    if let Some(team) = fields.get_mut("requested_team") {
        shorten(team);
    }
    if let Some(Value::Array(teams)) = fields.pointer_mut("/pull_request/requested_teams") {
        teams.iter_mut().for_each(shorten);
    }
}

fn check_texts(title: Option<&str>, body: Option<&str>) -> Result<(), Reply> {
    let too_long = |field: &str, maximum: usize| {
        Err(Reply::invalid(json!({
            "resource": RESOURCE,
            "code": "custom",
            "field": field,
            "message": format!("{field} is too long (maximum is {maximum} characters)"),
        })))
    };
    match (title, body) {
        (Some(title), _) if title.trim().is_empty() => Err(Reply::field(RESOURCE, "title", "missing_field")),
        (Some(title), _) if title.chars().count() > 256 => too_long("title", 256),
        (_, Some(body)) if body.chars().count() > 65_536 => too_long("body", 65_536),
        _ => Ok(()),
    }
}
