//! Commit statuses, the older sister of check runs.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Call, READ_STATUSES, WRITE_STATUSES};
use crate::git::oid;
use crate::reply::{Answer, Reply};
use crate::request::{optional, required};
use crate::state::Status;

pub(super) fn create(call: &mut Call<'_>, repo: i64, sha: &str) -> Answer {
    if call.method() != "POST" {
        return Err(Reply::not_found());
    }
    call.allow(repo, WRITE_STATUSES)?;
    let body = call.request.json()?;
    let state = required(&body, "state")?;
    if !matches!(state.as_str(), "error" | "failure" | "pending" | "success") {
        return Err(Reply::field("Status", "state", "invalid"));
    }
    let git = &call.repo(repo)?.git;
    let sha = oid(sha).filter(|id| git.kind(*id) == Some(git2::ObjectType::Commit));
    let sha = sha.ok_or_else(|| Reply::unprocessable("No commit found for SHA"))?;
    let status = Status {
        id: call.act.state.new_id(),
        sha,
        state,
        context: optional(&body, "context")?.unwrap_or_else(|| "default".to_owned()),
        description: optional(&body, "description")?,
        target_url: optional(&body, "target_url")?,
        creator: call.act.actor.clone(),
        created_at: call.act.now,
    };
    call.act.add_status(repo, status.clone())?;
    Ok(Reply::created(call.render().status(repo, &status)?))
}

pub(super) fn list(call: &mut Call<'_>, repo: i64, reference: &str) -> Answer {
    call.allow(repo, READ_STATUSES)?;
    let sha = call.commit_named(repo, reference)?;
    let render = call.render();
    let found = call.repo(repo)?.statuses.iter().rev().filter(|status| status.sha == sha).collect();
    call.list(found, |status| render.status(repo, status))
}

/// The newest status of each context, and the worst of them.
pub(super) fn combined(call: &mut Call<'_>, repo: i64, reference: &str) -> Answer {
    if call.method() != "GET" {
        return Err(Reply::not_found());
    }
    call.allow(repo, READ_STATUSES)?;
    let sha = call.commit_named(repo, reference)?;
    let this = call.repo(repo)?;
    let of_sha = this.statuses.iter().filter(|status| status.sha == sha);
    let latest: BTreeMap<_, _> = of_sha.map(|status| (status.context.clone(), status)).collect();
    let any = |state: &str| latest.values().any(|status| status.state == state);
    let state = if any("failure") || any("error") {
        "failure"
    } else if any("pending") || latest.is_empty() {
        "pending"
    } else {
        "success"
    };
    let render = call.render();
    let statuses = latest.values().map(|status| render.status(repo, status)).collect::<Result<Vec<_>, _>>()?;
    let api = render.repo_api(this);
    Ok(Reply::ok(json!({
        "state": state,
        "statuses": statuses,
        "sha": sha.to_string(),
        "total_count": latest.len(),
        "repository": render.repo(repo)?,
        "commit_url": format!("{api}/commits/{sha}"),
        "url": format!("{api}/commits/{sha}/status"),
    })))
}
