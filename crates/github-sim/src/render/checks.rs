//! Check runs, suites and commit statuses.

use std::collections::BTreeSet;

use git2::Oid;
use serde_json::{Value, json};

use super::{Render, node_id, stamp, stamp_or_null};
use crate::reply::Reply;
use crate::state::{CheckApp, Repo, Status};

impl Render<'_> {
    fn pulls_at(&self, repo: &Repo, sha: Oid) -> Vec<Value> {
        let at_head = repo.pulls.values().filter(|pull| pull.open && pull.head_sha == sha && pull.head_repo == repo.id);
        at_head.map(|pull| self.pull_stub(repo, pull)).collect()
    }

    fn check_app(&self, app: CheckApp) -> Value {
        let mut app = match app {
            CheckApp::Own => self.app(),
            CheckApp::OtherCi => self.other_app(),
        };
        // Told to the App itself alone.
        app.as_object_mut().map(|app| app.remove("installations_count"));
        app
    }

    /// `check-run`, as the REST API answers.
    pub(crate) fn check_run(&self, id: i64, check: i64) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let run = repo.checks.get(&check).ok_or_else(Reply::not_found)?;
        let this = format!("{}/check-runs/{check}", self.repo_api(repo));
        let page = format!("{}/runs/{check}", self.repo_page(repo));
        Ok(json!({
            "id": check,
            "node_id": node_id("08:CheckRun", check),
            "name": run.name,
            "head_sha": run.head_sha.to_string(),
            "external_id": run.external_id,
            "url": this,
            "html_url": page,
            "details_url": run.details_url.clone().unwrap_or_else(|| page.clone()),
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": stamp_or_null(run.started_at),
            "completed_at": stamp_or_null(run.completed_at),
            "output": {
                "title": run.title,
                "summary": run.summary,
                "text": run.text,
                "annotations_count": run.annotations.len(),
                "annotations_url": format!("{this}/annotations"),
            },
            "check_suite": { "id": run.suite },
            "app": self.check_app(run.app),
            "pull_requests": self.pulls_at(repo, run.head_sha),
        }))
    }

    /// A check run as events carry it: with its whole suite.
    pub(crate) fn check_run_payload(&self, id: i64, check: i64) -> Result<Value, Reply> {
        let mut value = self.check_run(id, check)?;
        let suite = value["check_suite"]["id"].as_i64().unwrap_or_default();
        value["check_suite"] = self.check_suite(id, suite)?;
        Ok(value)
    }

    pub(crate) fn check_suite(&self, id: i64, suite: i64) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        let found = repo.suites.get(&suite).ok_or_else(Reply::not_found)?;
        let git = &repo.git;
        // Of runs by the same name the newest counts.
        let mut seen = BTreeSet::new();
        let of_suite = repo.checks.values().rev().filter(|run| run.suite == suite);
        let runs: Vec<_> = of_suite.filter(|run| seen.insert(run.name.as_str())).collect();
        let done = !found.more_to_come && !runs.is_empty() && runs.iter().all(|run| run.status == "completed");
        let status = if done {
            "completed"
        } else if runs.is_empty() {
            "queued"
        } else {
            "in_progress"
        };
        let failed =
            runs.iter().find(|run| !matches!(run.conclusion.as_deref(), Some("success" | "neutral" | "skipped")));
        let conclusion = match (done, failed) {
            (false, _) => Value::Null,
            (true, Some(run)) => json!(run.conclusion),
            (true, None) => json!("success"),
        };
        let this = format!("{}/check-suites/{suite}", self.repo_api(repo));
        let (author, committer) = (git.author(found.head_sha)?, git.committer(found.head_sha)?);
        Ok(json!({
            "id": suite,
            "node_id": node_id("010:CheckSuite", suite),
            "head_branch": found.head_branch,
            "head_sha": found.head_sha.to_string(),
            "status": status,
            "conclusion": conclusion,
            "url": this,
            "before": found.before.unwrap_or(Oid::ZERO_SHA1).to_string(),
            "after": found.head_sha.to_string(),
            "pull_requests": self.pulls_at(repo, found.head_sha),
            "app": self.check_app(found.app),
            "created_at": stamp(found.created_at),
            "updated_at": stamp(found.created_at),
            "latest_check_runs_count": runs.len(),
            "check_runs_url": format!("{this}/check-runs"),
            "head_commit": {
                "id": found.head_sha.to_string(),
                "tree_id": git.tree_of(found.head_sha)?.to_string(),
                "message": git.message(found.head_sha)?,
                "timestamp": stamp(author.at),
                "author": { "name": author.name, "email": author.email },
                "committer": { "name": committer.name, "email": committer.email },
            },
        }))
    }

    /// `check-suite`, as the REST API answers: with its repository.
    pub(crate) fn suite_with_repo(&self, id: i64, suite: i64) -> Result<Value, Reply> {
        let mut value = self.check_suite(id, suite)?;
        value["repository"] = self.repo(id)?;
        Ok(value)
    }

    pub(crate) fn status(&self, id: i64, status: &Status) -> Result<Value, Reply> {
        let repo = self.repository(id)?;
        Ok(json!({
            "id": status.id,
            "node_id": node_id("013:StatusContext", status.id),
            "url": format!("{}/statuses/{}", self.repo_api(repo), status.sha),
            "avatar_url": format!("{}/avatars/in/{}", self.site.root, self.site.app_id),
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": stamp(status.created_at),
            "updated_at": stamp(status.created_at),
            "creator": self.user(&status.creator),
        }))
    }
}
