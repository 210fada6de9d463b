//! Pull requests.

use serde_json::json;

use super::{Call, READ_CONTENTS, READ_PULLS, WRITE_CONTENTS, WRITE_PULLS};
use crate::acts::{MergeMethod, NewPull, PullEdit};
use crate::render::{node_id, pull_commits};
use crate::reply::{Answer, Reply};
use crate::request::{optional, required, strings};

pub(super) fn route(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    let (number, below) = match rest {
        ["pulls"] => {
            return match call.method() {
                "GET" => list(call, repo),
                "POST" => create(call, repo),
                _ => Err(Reply::not_found()),
            };
        }
        ["pulls", number, below @ ..] => (number.parse::<i64>().map_err(|_| Reply::not_found())?, below),
        _ => return Err(Reply::not_found()),
    };
    match (call.method(), below) {
        ("GET", []) => {
            call.allow(repo, READ_PULLS)?;
            call.act.pull(repo, number)?;
            if call.request.accepts("diff") {
                let pull = call.act.pull(repo, number)?;
                let (base, head) = call.act.merge_base_tree(repo, pull)?;
                let text = call.repo(repo)?.git.unified_diff(base, Some(head))?;
                return Ok(Reply::bytes("application/vnd.github.diff; charset=utf-8", text.into_bytes()));
            }
            call.act.ask_mergeability(repo, number)?;
            let shown = call.render().pull(repo, number, true)?;
            call.act.answered_mergeability(repo, number)?;
            Ok(Reply::ok(shown))
        }
        ("PATCH", []) => update(call, repo, number),
        ("GET", ["files"]) => {
            call.allow(repo, READ_PULLS)?;
            let pull = call.act.pull(repo, number)?;
            let (base, head) = call.act.merge_base_tree(repo, pull)?;
            let changes = call.repo(repo)?.git.changes(base, Some(head))?;
            let render = call.render();
            let head = pull.head_sha;
            call.list(changes, |change| Ok(render.file_changes(repo, head, &[change])?[0].clone()))
        }
        ("GET", ["commits"]) => {
            call.allow(repo, READ_PULLS)?;
            let pull = call.act.pull(repo, number)?;
            let commits = pull_commits(&call.repo(repo)?.git, pull)?;
            let render = call.render();
            call.list(commits, |id| render.commit(repo, id))
        }
        ("GET", ["merge"]) => {
            call.allow(repo, READ_CONTENTS)?;
            if call.act.pull(repo, number)?.merged.is_some() {
                Ok(Reply::no_content())
            } else {
                Err(Reply::not_found())
            }
        }
        ("PUT", ["update-branch"]) => {
            call.allow(repo, WRITE_PULLS)?;
            let expected = optional(&call.request.json()?, "expected_head_sha")?;
            call.act.update_branch(repo, number, expected.as_deref())?;
            let url = format!("{}/pulls/{number}", call.render().repo_api(call.repo(repo)?));
            Ok(Reply::json(202, json!({ "message": "Updating pull request branch.", "url": url })))
        }
        ("GET", ["reviews"]) => {
            call.allow(repo, READ_PULLS)?;
            let reviews = call.act.pull(repo, number)?.reviews.clone();
            let render = call.render();
            call.list(reviews, |review| render.review(repo, number, &review))
        }
        ("PUT", ["merge"]) => merge(call, repo, number),
        ("GET", ["requested_reviewers"]) => {
            call.allow(repo, READ_PULLS)?;
            let render = call.render();
            let (pull, owner) = (call.act.pull(repo, number)?, &call.repo(repo)?.owner);
            let users: Vec<_> = pull.reviewers.iter().map(|login| render.user(login)).collect();
            let teams: Vec<_> = pull.teams.iter().filter_map(|slug| render.team(owner, slug)).collect();
            Ok(Reply::ok(json!({ "users": users, "teams": teams })))
        }
        ("POST" | "DELETE", ["requested_reviewers"]) => {
            call.allow(repo, WRITE_PULLS)?;
            let body = call.request.json()?;
            let (people, teams) = (strings(&body, "reviewers")?, strings(&body, "team_reviewers")?);
            let add = call.method() == "POST";
            // A team is looked up by its name, which only those may who may read the organisation's members.
            if !teams.is_empty() && call.permissions().is_some_and(|granted| !granted.contains_key("members")) {
                let owner = &call.repo(repo)?.owner;
                let team = call.act.state.team(owner, &teams[0]).map_or(0, |team| team.id);
                let id = node_id("04:Team", team);
                return Err(Reply::unprocessable(&format!(
                    "Could not resolve to a node with the global id of '{id}'."
                )));
            }
            call.act.request_reviews(repo, number, &people, &teams, add)?;
            Ok(Reply::json(if add { 201 } else { 200 }, call.render().pull(repo, number, false)?))
        }
        _ => Err(Reply::not_found()),
    }
}

/// Newest first; filters `state`, `head` (`owner:branch`), `base`, `sort`, `direction`.
fn list(call: &Call<'_>, repo: i64) -> Answer {
    call.allow(repo, READ_PULLS)?;
    let request = call.request;
    let state = request.param("state").unwrap_or("open");
    if !matches!(state, "open" | "closed" | "all") {
        return Err(Reply::field("PullRequest", "state", "invalid"));
    }
    // GitHub passes over a head without its owner.
    let head = request.param("head").and_then(|head| head.split_once(':'));
    let base = request.param("base");
    let mut found: Vec<_> = call
        .repo(repo)?
        .pulls
        .values()
        .filter(|pull| state == "all" || pull.open == (state == "open"))
        .filter(|pull| base.is_none_or(|base| pull.base_branch == base))
        .filter(|pull| {
            head.is_none_or(|(owner, branch)| pull.head_owner.eq_ignore_ascii_case(owner) && pull.head_branch == branch)
        })
        .collect();
    match request.param("sort") {
        Some("updated") => found.sort_by_key(|pull| (pull.updated_at, pull.number)),
        _ => found.sort_by_key(|pull| pull.number),
    }
    let ascending = match request.param("direction") {
        Some(direction) => direction == "asc",
        None => request.param("sort").is_some_and(|sort| sort != "created"),
    };
    if !ascending {
        found.reverse();
    }
    let render = call.render();
    call.list(found, |pull| render.pull(repo, pull.number, false))
}

fn create(call: &mut Call<'_>, repo: i64) -> Answer {
    call.allow(repo, WRITE_PULLS)?;
    let body = call.request.json()?;
    let new = NewPull {
        title: required(&body, "title")?,
        body: optional(&body, "body")?,
        head: required(&body, "head")?,
        base: required(&body, "base")?,
        draft: body["draft"].as_bool().unwrap_or(false),
        maintainer_can_modify: body["maintainer_can_modify"].as_bool(),
    };
    let number = call.act.open_pull(repo, new)?;
    let pull = call.render().pull(repo, number, true)?;
    Ok(Reply::created(pull))
}

fn update(call: &mut Call<'_>, repo: i64, number: i64) -> Answer {
    call.allow(repo, WRITE_PULLS)?;
    let body = call.request.json()?;
    let edit = PullEdit {
        title: optional(&body, "title")?,
        body: if body.get("body").is_some() { Some(optional(&body, "body")?) } else { None },
        state: optional(&body, "state")?,
        base: optional(&body, "base")?,
        maintainer_can_modify: body["maintainer_can_modify"].as_bool(),
    };
    call.act.pull(repo, number)?;
    call.act.edit_pull(repo, number, edit)?;
    Ok(Reply::ok(call.render().pull(repo, number, true)?))
}

fn merge(call: &mut Call<'_>, repo: i64, number: i64) -> Answer {
    call.allow(repo, WRITE_CONTENTS)?;
    let body = call.request.json()?;
    let method = match optional(&body, "merge_method")?.as_deref() {
        None | Some("merge") => MergeMethod::Merge,
        Some("squash") => MergeMethod::Squash,
        Some("rebase") => MergeMethod::Rebase,
        Some(_) => return Err(Reply::field("PullRequest", "merge_method", "invalid")),
    };
    let (title, message) = (optional(&body, "commit_title")?, optional(&body, "commit_message")?);
    let expected = optional(&body, "sha")?;
    let sha = call.act.merge_pull(repo, number, method, title, message, expected.as_deref())?;
    let body = json!({ "sha": sha.to_string(), "merged": true, "message": "Pull Request successfully merged" });
    Ok(Reply::ok(body))
}
