//! Check runs.

use serde_json::{Value, json};

use super::{Call, READ_CHECKS, WRITE_CHECKS, with_link};
use crate::acts::CheckFields;
use crate::auth::Caller;
use crate::git::oid;
use crate::reply::{Answer, Reply};
use crate::request::{optional, required};
use crate::state::CheckApp;

pub(super) fn route(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    match (call.method(), rest) {
        ("POST", ["check-runs"]) => {
            only_apps(call)?;
            call.allow(repo, WRITE_CHECKS)?;
            let body = call.request.json()?;
            let (name, sha) = (required(&body, "name")?, required(&body, "head_sha")?);
            let git = &call.repo(repo)?.git;
            let head = oid(&sha).filter(|id| git.kind(*id) == Some(git2::ObjectType::Commit));
            let head = head.ok_or_else(|| Reply::unprocessable(&format!("No commit found for SHA: {sha}")))?;
            let fields = CheckFields { name: Some(name), ..fields(&body)? };
            let id = call.act.create_check(repo, CheckApp::Own, head, fields)?;
            Ok(Reply::created(call.render().check_run(repo, id)?))
        }
        ("PATCH", ["check-runs", id]) => {
            only_apps(call)?;
            call.allow(repo, WRITE_CHECKS)?;
            let id = id.parse().map_err(|_| Reply::not_found())?;
            let run = call.repo(repo)?.checks.get(&id).ok_or_else(Reply::not_found)?;
            if run.app != CheckApp::Own {
                return Err(Reply::error(
                    403,
                    "Invalid app_id `15368` - check run can only be modified by the GitHub App that created it.",
                ));
            }
            let body = call.request.json()?;
            let fields = CheckFields { name: optional(&body, "name")?, ..fields(&body)? };
            call.act.update_check(repo, id, fields)?;
            Ok(Reply::ok(call.render().check_run(repo, id)?))
        }
        ("POST", ["check-runs", id, "rerequest"]) => {
            call.allow(repo, WRITE_CHECKS)?;
            let id = id.parse().map_err(|_| Reply::not_found())?;
            call.act.ask_of_check(repo, id, None)?;
            Ok(Reply::json(201, json!({})))
        }
        ("GET", ["check-runs", id]) => {
            call.allow(repo, READ_CHECKS)?;
            let id = id.parse().map_err(|_| Reply::not_found())?;
            Ok(Reply::ok(call.render().check_run(repo, id)?))
        }
        ("GET", ["check-runs", id, "annotations"]) => {
            call.allow(repo, READ_CHECKS)?;
            let id: i64 = id.parse().map_err(|_| Reply::not_found())?;
            let run = call.repo(repo)?.checks.get(&id).ok_or_else(Reply::not_found)?;
            let page = format!("{}/blob/{}", call.render().repo_page(call.repo(repo)?), run.head_sha);
            call.list(run.annotations.clone(), |mut annotation| {
                annotation["blob_href"] = json!(format!("{page}/{}", annotation["path"].as_str().unwrap_or_default()));
                for field in ["title", "raw_details", "start_column", "end_column"] {
                    if annotation.get(field).is_none() {
                        annotation[field] = Value::Null;
                    }
                }
                Ok(annotation)
            })
        }
        _ => Err(Reply::not_found()),
    }
}

fn only_apps(call: &Call<'_>) -> Result<(), Reply> {
    match call.caller {
        Caller::Installation { .. } => Ok(()),
        _ => Err(Reply::error(403, "You must authenticate via a GitHub App.")),
    }
}

fn fields(body: &Value) -> Result<CheckFields, Reply> {
    let time = |field: &str| {
        let refuse =
            |_| Reply::unprocessable(&format!("Invalid request.\n\nFor 'properties/{field}', it is not a time."));
        body[field].as_str().map(|text| text.parse().map_err(refuse)).transpose()
    };
    Ok(CheckFields {
        name: None,
        status: optional(body, "status")?,
        conclusion: optional(body, "conclusion")?,
        details_url: optional(body, "details_url")?,
        external_id: optional(body, "external_id")?,
        started_at: time("started_at")?,
        completed_at: time("completed_at")?,
        output: Some(body["output"].clone()).filter(|output| !output.is_null()),
        actions: body["actions"].as_array().cloned(),
    })
}

/// Newest of each name first; filters `check_name`, `status`, `filter=all`, `app_id`.
pub(super) fn of_commit(call: &mut Call<'_>, repo: i64, reference: &str) -> Answer {
    if call.method() != "GET" {
        return Err(Reply::not_found());
    }
    call.allow(repo, READ_CHECKS)?;
    let sha = call.commit_named(repo, reference)?;
    let request = call.request;
    let mut ids: Vec<i64> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for run in call.repo(repo)?.checks.values().rev().filter(|run| run.head_sha == sha) {
        let wanted = request.param("check_name").is_none_or(|name| run.name == name)
            && request.param("status").is_none_or(|status| run.status == status)
            && request.param("app_id").is_none_or(|id| id == app_id(call, run.app).to_string());
        let latest = seen.insert((run.app, run.name.clone()));
        if wanted && (latest || request.param("filter") == Some("all")) {
            ids.push(run.id);
        }
    }
    runs(call, repo, ids)
}

/// One suite, its runs, and asking for it once more.
pub(super) fn suites(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    let (id, below) = match rest {
        ["check-suites", id, below @ ..] => (id.parse::<i64>().map_err(|_| Reply::not_found())?, below),
        _ => return Err(Reply::not_found()),
    };
    match (call.method(), below) {
        ("GET", []) => {
            call.allow(repo, READ_CHECKS)?;
            Ok(Reply::ok(call.render().suite_with_repo(repo, id)?))
        }
        ("GET", ["check-runs"]) => {
            call.allow(repo, READ_CHECKS)?;
            let this = call.repo(repo)?;
            this.suites.get(&id).ok_or_else(Reply::not_found)?;
            let ids = this.checks.values().rev().filter(|run| run.suite == id).map(|run| run.id).collect();
            runs(call, repo, ids)
        }
        ("POST", ["rerequest"]) => {
            call.allow(repo, WRITE_CHECKS)?;
            call.act.rerequest_suite(repo, id)?;
            Ok(Reply::json(201, json!({})))
        }
        _ => Err(Reply::not_found()),
    }
}

/// A commit's suites; filters `app_id` and `check_name`.
pub(super) fn suites_of_commit(call: &mut Call<'_>, repo: i64, reference: &str) -> Answer {
    if call.method() != "GET" {
        return Err(Reply::not_found());
    }
    call.allow(repo, READ_CHECKS)?;
    let sha = call.commit_named(repo, reference)?;
    let (this, request) = (call.repo(repo)?, call.request);
    let holds = |suite: i64, name: &str| this.checks.values().any(|run| run.suite == suite && run.name == name);
    let wanted = this.suites.values().filter(|suite| suite.head_sha == sha).filter(|suite| {
        request.param("app_id").is_none_or(|id| id == app_id(call, suite.app).to_string())
            && request.param("check_name").is_none_or(|name| holds(suite.id, name))
    });
    let ids: Vec<_> = wanted.map(|suite| suite.id).collect();
    let total = ids.len();
    let (ids, link) = call.page(ids);
    let render = call.render();
    let suites = ids.into_iter().map(|id| render.suite_with_repo(repo, id)).collect::<Result<Vec<_>, _>>()?;
    Ok(with_link(Reply::ok(json!({ "total_count": total, "check_suites": suites })), link))
}

fn app_id(call: &Call<'_>, app: CheckApp) -> i64 {
    match app {
        CheckApp::Own => call.act.site.app_id,
        CheckApp::OtherCi => 15_368,
    }
}

fn runs(call: &Call<'_>, repo: i64, ids: Vec<i64>) -> Answer {
    let total = ids.len();
    let (ids, link) = call.page(ids);
    let render = call.render();
    let runs = ids.into_iter().map(|id| render.check_run(repo, id)).collect::<Result<Vec<_>, _>>()?;
    Ok(with_link(Reply::ok(json!({ "total_count": total, "check_runs": runs })), link))
}
