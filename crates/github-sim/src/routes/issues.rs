//! The issue side of pull requests: labels, comments, reactions, assignees.

use jiff::Timestamp;
use serde_json::Value;

use super::{Call, Need, READ_DISCUSSION, WRITE_DISCUSSION};
use crate::acts::PullEdit;
use crate::reply::{Answer, Reply};
use crate::request::{optional, required, strings};

pub(super) fn route(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    let need: Need = if call.method() == "GET" { READ_DISCUSSION } else { WRITE_DISCUSSION };
    call.allow(repo, need)?;
    match rest {
        ["labels"] if call.method() == "GET" => {
            let names: Vec<_> = call.repo(repo)?.labels.values().map(|label| label.name.clone()).collect();
            let render = call.render();
            call.list(names, |name| render.label(repo, &name))
        }
        ["labels"] if call.method() == "POST" => create_label(call, repo),
        ["labels", name @ ..] if call.method() == "GET" => Ok(Reply::ok(call.render().label(repo, &name.join("/"))?)),
        ["issues", "comments"] if call.method() == "GET" => comments_of_all(call, repo),
        ["issues", "comments", id, below @ ..] => {
            let id = id.parse().map_err(|_| Reply::not_found())?;
            comment(call, repo, id, below)
        }
        ["issues", number, below @ ..] => {
            let number = number.parse().map_err(|_| Reply::not_found())?;
            call.act.pull(repo, number)?;
            issue(call, repo, number, below)
        }
        _ => Err(Reply::not_found()),
    }
}

fn issue(call: &mut Call<'_>, repo: i64, number: i64, below: &[&str]) -> Answer {
    match (call.method(), below) {
        ("GET", []) => Ok(Reply::ok(call.render().issue(repo, number)?)),
        ("PATCH", []) => edit(call, repo, number),
        ("GET", ["labels"]) => labels(call, repo, number),
        ("POST", ["labels"]) => {
            let names = label_names(call)?;
            call.act.add_labels(repo, number, &names)?;
            labels(call, repo, number)
        }
        ("PUT", ["labels"]) => {
            let names = label_names(call)?;
            replace_labels(call, repo, number, &names)?;
            labels(call, repo, number)
        }
        ("DELETE", ["labels"]) => {
            for old in call.act.pull(repo, number)?.labels.clone() {
                call.act.remove_label(repo, number, &old)?;
            }
            Ok(Reply::no_content())
        }
        ("DELETE", ["labels", name @ ..]) => {
            call.act.remove_label(repo, number, &name.join("/"))?;
            labels(call, repo, number)
        }
        ("GET", ["comments"]) => {
            let since = since(call)?;
            let comments = call.repo(repo)?.comments.values().filter(|comment| comment.number == number);
            let wanted = comments.filter(|comment| since.is_none_or(|since| comment.updated_at >= since));
            let ids: Vec<_> = wanted.map(|comment| comment.id).collect();
            let render = call.render();
            call.list(ids, |id| render.comment(repo, id))
        }
        ("PUT" | "DELETE", ["lock"]) => {
            let lock = call.method() == "PUT";
            call.act.set_locked(repo, number, lock)?;
            Ok(Reply::no_content())
        }
        ("POST", ["comments"]) => {
            let body = required(&call.request.json()?, "body")?;
            let id = call.act.add_comment(repo, number, &body)?;
            Ok(Reply::created(call.render().comment(repo, id)?))
        }
        ("POST" | "DELETE", ["assignees"]) => {
            let logins = strings(&call.request.json()?, "assignees")?;
            let add = call.method() == "POST";
            call.act.assign(repo, number, &logins, add)?;
            Ok(Reply::json(if add { 201 } else { 200 }, call.render().issue(repo, number)?))
        }
        _ => Err(Reply::not_found()),
    }
}

/// Comments changed since then, to the second; GitHub refuses what is not a time.
fn since(call: &Call<'_>) -> Result<Option<Timestamp>, Reply> {
    let parse = |text: &str| text.parse::<Timestamp>().map_err(|_| Reply::field("IssueComment", "since", "invalid"));
    call.request.param("since").map(parse).transpose()
}

/// The comments of all pull requests; `since`, `sort` (`created`, `updated`), `direction`.
fn comments_of_all(call: &Call<'_>, repo: i64) -> Answer {
    let since = since(call)?;
    let comments = call.repo(repo)?.comments.values();
    let mut wanted: Vec<_> = comments.filter(|comment| since.is_none_or(|since| comment.updated_at >= since)).collect();
    if call.request.param("sort") == Some("updated") {
        wanted.sort_by_key(|comment| (comment.updated_at, comment.id));
    }
    if call.request.param("direction") == Some("desc") {
        wanted.reverse();
    }
    let render = call.render();
    call.list(wanted, |comment| render.comment(repo, comment.id))
}

fn edit(call: &mut Call<'_>, repo: i64, number: i64) -> Answer {
    let body = call.request.json()?;
    let edit = PullEdit {
        title: optional(&body, "title")?,
        body: if body.get("body").is_some() { Some(optional(&body, "body")?) } else { None },
        state: optional(&body, "state")?,
        ..PullEdit::default()
    };
    call.act.edit_pull(repo, number, edit)?;
    if body.get("labels").is_some() {
        let names = label_names(call)?;
        replace_labels(call, repo, number, &names)?;
    }
    Ok(Reply::ok(call.render().issue(repo, number)?))
}

fn replace_labels(call: &mut Call<'_>, repo: i64, number: i64, names: &[String]) -> Result<(), Reply> {
    for old in call.act.pull(repo, number)?.labels.clone() {
        if !names.iter().any(|name| name.eq_ignore_ascii_case(&old)) {
            call.act.remove_label(repo, number, &old)?;
        }
    }
    call.act.add_labels(repo, number, names)
}

fn create_label(call: &mut Call<'_>, repo: i64) -> Answer {
    let body = call.request.json()?;
    let name = required(&body, "name")?;
    if call.repo(repo)?.labels.contains_key(&name.to_lowercase()) {
        return Err(Reply::field("Label", "name", "already_exists"));
    }
    let color = optional(&body, "color")?.unwrap_or_else(|| "ededed".to_owned());
    if color.len() != 6 || !color.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Reply::field("Label", "color", "invalid"));
    }
    let description = optional(&body, "description")?.unwrap_or_default();
    call.act.create_label(repo, &name, &color, &description)?;
    Ok(Reply::created(call.render().label(repo, &name)?))
}

fn labels(call: &Call<'_>, repo: i64, number: i64) -> Answer {
    let names = call.act.pull(repo, number)?.labels.clone();
    let render = call.render();
    Ok(Reply::ok(names.iter().map(|name| render.label(repo, name)).collect::<Result<Value, _>>()?))
}

/// `{"labels": [...]}` or, as GitHub also takes it, the bare list; items are names or objects with one.
fn label_names(call: &Call<'_>) -> Result<Vec<String>, Reply> {
    let body: Value =
        serde_json::from_slice(&call.request.body).map_err(|_| Reply::error(400, "Problems parsing JSON"))?;
    let items = match &body {
        Value::Array(items) => items,
        Value::Object(object) => match object.get("labels") {
            Some(Value::Array(items)) => items,
            _ => return Err(Reply::unprocessable("Invalid request.\n\n\"labels\" wasn't supplied.")),
        },
        _ => return Err(Reply::unprocessable("Invalid request.\n\n\"labels\" wasn't supplied.")),
    };
    let name = |item: &Value| item.as_str().or(item["name"].as_str()).map(str::to_owned);
    items.iter().map(|item| name(item).ok_or_else(|| Reply::field("Label", "name", "invalid"))).collect()
}

fn comment(call: &mut Call<'_>, repo: i64, id: i64, below: &[&str]) -> Answer {
    if !call.repo(repo)?.comments.contains_key(&id) {
        return Err(Reply::not_found());
    }
    match (call.method(), below) {
        ("GET", []) => Ok(Reply::ok(call.render().comment(repo, id)?)),
        ("PATCH", []) => {
            let body = required(&call.request.json()?, "body")?;
            call.act.edit_comment(repo, id, &body)?;
            Ok(Reply::ok(call.render().comment(repo, id)?))
        }
        ("DELETE", []) => {
            call.act.delete_comment(repo, id)?;
            Ok(Reply::no_content())
        }
        ("GET", ["reactions"]) => {
            let reactions = call.repo(repo)?.comments.get(&id).map(|comment| comment.reactions.clone());
            let render = call.render();
            call.list(reactions.unwrap_or_default(), |reaction| Ok(render.reaction(&reaction)))
        }
        ("POST", ["reactions"]) => {
            let content = required(&call.request.json()?, "content")?;
            let (reaction, new) = call.act.react(repo, id, &content)?;
            Ok(Reply::json(if new { 201 } else { 200 }, call.render().reaction(&reaction)))
        }
        ("DELETE", ["reactions", reaction]) => {
            let reaction: i64 = reaction.parse().map_err(|_| Reply::not_found())?;
            let comment = call.act.repo_mut(repo)?.comments.get_mut(&id).ok_or_else(Reply::not_found)?;
            let at = comment.reactions.iter().position(|known| known.id == reaction).ok_or_else(Reply::not_found)?;
            comment.reactions.remove(at);
            Ok(Reply::no_content())
        }
        _ => Err(Reply::not_found()),
    }
}
