//! Check runs, their suites, and commit statuses.

use git2::Oid;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Act;
use crate::reply::Reply;
use crate::state::{CheckApp, CheckRun, CheckSuite};

/// The writable part of a check run, as both POST and PATCH send it.
#[derive(Debug, Clone, Default)]
pub(crate) struct CheckFields {
    pub name: Option<String>,
    pub status: Option<String>,
    pub conclusion: Option<String>,
    pub details_url: Option<String>,
    pub external_id: Option<String>,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub output: Option<Value>,
    pub actions: Option<Vec<Value>>,
}

const RESOURCE: &str = "CheckRun";
const MAX_TEXT: usize = 65_535;
const MAX_ANNOTATIONS: usize = 50;

/// GitHub's limits on a check run's output.
fn check_output(output: &Value) -> Result<(), Reply> {
    let missing = |field: &str| Err(Reply::field(RESOURCE, field, "missing_field"));
    if !output["summary"].is_string() {
        return missing("summary");
    }
    for field in ["summary", "text"] {
        if output[field].as_str().is_some_and(|text| text.chars().count() > MAX_TEXT) {
            return Err(Reply::custom(
                RESOURCE,
                &format!("Only {MAX_TEXT} characters are allowed; {field} is too long"),
            ));
        }
    }
    let annotations = output["annotations"].as_array().map(Vec::as_slice).unwrap_or_default();
    if annotations.len() > MAX_ANNOTATIONS {
        return Err(Reply::custom(
            RESOURCE,
            &format!(
                "No more than {MAX_ANNOTATIONS} annotations can be sent in one request; {} were",
                annotations.len()
            ),
        ));
    }
    for annotation in annotations {
        for field in ["path", "start_line", "end_line", "annotation_level", "message"] {
            if annotation[field].is_null() {
                return missing(field);
            }
        }
        if !matches!(annotation["annotation_level"].as_str(), Some("notice" | "warning" | "failure")) {
            return Err(Reply::field(RESOURCE, "annotation_level", "invalid"));
        }
        let several_lines = annotation["start_line"] != annotation["end_line"];
        if several_lines && !annotation["start_column"].is_null() {
            return Err(Reply::field(RESOURCE, "start_column", "invalid"));
        }
    }
    Ok(())
}

impl Act<'_> {
    pub(crate) fn create_check(
        &mut self,
        repo: i64,
        app: CheckApp,
        head_sha: Oid,
        fields: CheckFields,
    ) -> Result<i64, Reply> {
        let name = fields.name.clone().ok_or_else(|| Reply::field(RESOURCE, "name", "missing_field"))?;
        check_fields(&fields)?;
        let suite = self.suite(repo, app, head_sha)?;
        let (id, now) = (self.state.new_id(), self.now);
        let mut run = CheckRun {
            id,
            suite,
            app,
            name,
            head_sha,
            external_id: String::new(),
            details_url: None,
            status: "queued".to_owned(),
            conclusion: None,
            started_at: None,
            completed_at: None,
            title: None,
            summary: None,
            text: None,
            annotations: Vec::new(),
            actions: Vec::new(),
        };
        let completes = apply(&mut run, fields, now);
        self.repo_mut(repo)?.checks.insert(id, run);
        self.check_event(repo, id, "created")?;
        if completes {
            self.completed(repo, id, suite)?;
        }
        Ok(id)
    }

    pub(crate) fn update_check(&mut self, repo: i64, id: i64, fields: CheckFields) -> Result<(), Reply> {
        check_fields(&fields)?;
        let now = self.now;
        let run = self.repo_mut(repo)?.checks.get_mut(&id).ok_or_else(Reply::not_found)?;
        let suite = run.suite;
        if apply(run, fields, now) {
            self.completed(repo, id, suite)?;
        }
        Ok(())
    }

    /// A run is over, and its suite with it if it was the last.
    fn completed(&mut self, repo: i64, id: i64, suite: i64) -> Result<(), Reply> {
        self.check_event(repo, id, "completed")?;
        let shown = self.render().check_suite(repo, suite)?;
        if shown["status"] == "completed" {
            self.emit(repo, "check_suite", Some("completed"), json!({ "check_suite": shown }));
        }
        Ok(())
    }

    /// An App says whether it will make more runs on a commit: a job that needs another has none before that one ended.
    pub(crate) fn more_to_come(&mut self, repo: i64, app: CheckApp, head: Oid, more: bool) -> Result<(), Reply> {
        let id = self.suite(repo, app, head)?;
        let suite = self.repo_mut(repo)?.suites.get_mut(&id).ok_or_else(Reply::not_found)?;
        let had_more = std::mem::replace(&mut suite.more_to_come, more);
        let shown = self.render().check_suite(repo, id)?;
        if had_more && shown["status"] == "completed" {
            self.emit(repo, "check_suite", Some("completed"), json!({ "check_suite": shown }));
        }
        Ok(())
    }

    /// Tells the App of a check run: `created`, `completed`.
    pub(crate) fn check_event(&mut self, repo: i64, id: i64, action: &str) -> Result<(), Reply> {
        let check = self.render().check_run_payload(repo, id)?;
        self.emit(repo, "check_run", Some(action), json!({ "check_run": check }));
        Ok(())
    }

    /// A person asks for a check run once more, or presses one of its buttons; GitHub tells its own App alone.
    pub(crate) fn ask_of_check(&mut self, repo: i64, id: i64, identifier: Option<&str>) -> Result<(), Reply> {
        let run = self.repo(repo)?.checks.get(&id).ok_or_else(Reply::not_found)?;
        if let Some(identifier) = identifier
            && !run.actions.iter().any(|action| action["identifier"] == identifier)
        {
            return Err(Reply::unprocessable(&format!("the check run has no action `{identifier}`")));
        }
        if run.app != CheckApp::Own {
            return Ok(());
        }
        let check = self.render().check_run_payload(repo, id)?;
        match identifier {
            None => self.emit(repo, "check_run", Some("rerequested"), json!({ "check_run": check })),
            Some(identifier) => {
                let fields = json!({ "check_run": check, "requested_action": { "identifier": identifier } });
                self.emit(repo, "check_run", Some("requested_action"), fields);
            }
        }
        Ok(())
    }

    /// A person asks for all check runs of ours on a commit once more.
    pub(crate) fn rerequest_suite(&mut self, repo: i64, suite: i64) -> Result<(), Reply> {
        let found = self.repo(repo)?.suites.get(&suite).ok_or_else(Reply::not_found)?;
        if found.app == CheckApp::Own {
            let shown = self.render().check_suite(repo, suite)?;
            self.emit(repo, "check_suite", Some("rerequested"), json!({ "check_suite": shown }));
        }
        Ok(())
    }

    pub(crate) fn suite(&mut self, repo: i64, app: CheckApp, head_sha: Oid) -> Result<i64, Reply> {
        let this = self.repo(repo)?;
        let known = this.suites.values().find(|suite| suite.app == app && suite.head_sha == head_sha);
        if let Some(suite) = known {
            return Ok(suite.id);
        }
        let branch = this.git.references("refs/heads/")?.into_iter().find(|(_, tip)| *tip == head_sha);
        let head_branch = branch.map(|(name, _)| name.trim_start_matches("refs/heads/").to_owned());
        let (id, created_at) = (self.state.new_id(), self.now);
        let suite = CheckSuite { id, app, head_sha, head_branch, before: None, created_at, more_to_come: false };
        self.repo_mut(repo)?.suites.insert(id, suite);
        Ok(id)
    }

    /// GitHub makes a suite for every push and asks each App that may write checks to fill it.
    pub(super) fn request_suite(
        &mut self,
        repo: i64,
        branch: &str,
        before: Option<Oid>,
        after: Oid,
    ) -> Result<(), Reply> {
        let may_write = self
            .state
            .installation_of(repo)
            .is_some_and(|installation| installation.permissions.get("checks").is_some_and(|level| level == "write"));
        if !may_write {
            return Ok(());
        }
        let id = self.suite(repo, CheckApp::Own, after)?;
        if let Some(suite) = self.repo_mut(repo)?.suites.get_mut(&id) {
            suite.head_branch = Some(branch.to_owned());
            suite.before = before;
        }
        let suite = self.render().check_suite(repo, id)?;
        self.emit(repo, "check_suite", Some("requested"), json!({ "check_suite": suite }));
        Ok(())
    }
}

fn check_fields(fields: &CheckFields) -> Result<(), Reply> {
    if let Some(output) = &fields.output {
        check_output(output)?;
    }
    let conclusions =
        ["action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"];
    if let Some(conclusion) = &fields.conclusion
        && !conclusions.contains(&conclusion.as_str())
    {
        return Err(Reply::field(RESOURCE, "conclusion", "invalid"));
    }
    if fields.status.as_deref() == Some("completed") && fields.conclusion.is_none() {
        return Err(Reply::field(RESOURCE, "conclusion", "missing_field"));
    }
    let actions = fields.actions.as_deref().unwrap_or_default();
    if actions.len() > 3 {
        return Err(Reply::custom(RESOURCE, "No more than 3 actions are allowed"));
    }
    for action in actions {
        for (field, maximum) in [("label", 20), ("description", 40), ("identifier", 20)] {
            match action[field].as_str() {
                None => return Err(Reply::field(RESOURCE, field, "missing_field")),
                Some(text) if text.chars().count() > maximum => {
                    let message = format!("{field} is too long (maximum is {maximum} characters)");
                    return Err(Reply::custom(RESOURCE, &message));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

/// Writes the fields into the run; true if that completed it.
fn apply(run: &mut CheckRun, fields: CheckFields, now: Timestamp) -> bool {
    let was_completed = run.status == "completed";
    if let Some(name) = fields.name {
        run.name = name;
    }
    if fields.details_url.is_some() {
        run.details_url = fields.details_url;
    }
    if let Some(external_id) = fields.external_id {
        run.external_id = external_id;
    }
    if fields.started_at.is_some() {
        run.started_at = fields.started_at;
    }
    if let Some(status) = fields.status {
        if status != "completed" {
            run.conclusion = None;
            run.completed_at = None;
        }
        run.status = status;
    }
    if let Some(conclusion) = fields.conclusion {
        run.conclusion = Some(conclusion);
        run.status = "completed".to_owned();
        run.completed_at = Some(fields.completed_at.unwrap_or(now));
    }
    run.started_at = run.started_at.or(Some(now));
    if let Some(output) = fields.output {
        let text = |field: &str| output[field].as_str().map(str::to_owned);
        run.title = text("title").or(run.title.take());
        run.summary = text("summary");
        run.text = text("text");
        run.annotations.extend(output["annotations"].as_array().cloned().unwrap_or_default());
    }
    if let Some(actions) = fields.actions {
        run.actions = actions;
    }
    run.status == "completed" && !was_completed
}

impl Act<'_> {
    pub(crate) fn add_status(&mut self, repo: i64, status: crate::state::Status) -> Result<(), Reply> {
        let render = self.render();
        let shown = render.status(repo, &status)?;
        let fields = json!({
            "id": status.id,
            "sha": status.sha.to_string(),
            "name": self.repo(repo)?.full_name(),
            "target_url": status.target_url,
            "avatar_url": shown["avatar_url"],
            "context": status.context,
            "description": status.description,
            "state": status.state,
            "commit": render.commit(repo, status.sha)?,
            "branches": [],
            "created_at": shown["created_at"],
            "updated_at": shown["updated_at"],
        });
        self.repo_mut(repo)?.statuses.push(status);
        self.emit(repo, "status", None, fields);
        Ok(())
    }
}
