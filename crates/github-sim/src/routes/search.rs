//! Repositories by search, and those of an organisation.

use serde_json::{Value, json};

use super::{Call, with_link};
use crate::access::Role;
use crate::auth::Caller;
use crate::reply::{Answer, Reply};
use crate::state::Repo;

/// GitHub shows no more of a search.
const SHOWN_MAX: usize = 1_000;

pub(super) fn repositories(call: &mut Call<'_>) -> Answer {
    if call.method() != "GET" {
        return Err(Reply::not_found());
    }
    let query = call.request.param("q").unwrap_or_default().trim().to_owned();
    if query.is_empty() {
        return Err(Reply::unprocessable("Validation Failed"));
    }
    let number =
        |name: &str, usual: usize| call.request.param(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (size, page): (usize, usize) = (number("per_page", 30).clamp(1, 100), number("page", 1).max(1));
    if size.saturating_mul(page - 1) >= SHOWN_MAX {
        return Err(Reply::unprocessable("Only the first 1000 search results are available"));
    }
    let terms: Vec<&str> = query.split_whitespace().collect();
    let mut ids: Vec<i64> =
        visible(call).filter(|repo| terms.iter().all(|term| meets(repo, term))).map(|repo| repo.id).collect();
    ids.sort_unstable();
    let total = ids.len();
    ids.truncate(SHOWN_MAX);
    let (ids, link) = call.page(ids);
    let render = call.render();
    let items = ids
        .into_iter()
        .map(|id| {
            let mut item = render.repo(id)?;
            item["score"] = json!(1.0);
            Ok(item)
        })
        .collect::<Result<Vec<Value>, Reply>>()?;
    let body = json!({ "total_count": total, "incomplete_results": false, "items": items });
    Ok(with_link(Reply::ok(body), link))
}

pub(super) fn of_organisation(call: &mut Call<'_>, login: &str) -> Answer {
    if call.act.state.account(login).is_none() {
        return Err(Reply::not_found());
    }
    let mut ids: Vec<i64> =
        visible(call).filter(|repo| repo.owner.eq_ignore_ascii_case(login)).map(|repo| repo.id).collect();
    ids.sort_unstable();
    let render = call.render();
    let permissions = call.permissions();
    call.list(ids, |id| {
        let mut repo = render.repo(id)?;
        let push = permissions.is_some_and(|held| held.get("contents").is_some_and(|level| level == "write"));
        repo["permissions"] = json!({ "admin": false, "push": push, "pull": true });
        Ok(repo)
    })
}

/// The repositories that the caller may know of.
fn visible<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Repo> {
    call.act.state.repos.values().filter(|repo| match &call.caller {
        _ if !repo.private => true,
        Caller::Person(login) => call.act.state.role(repo, login).unwrap_or(Role::Outsider) != Role::Outsider,
        Caller::Installation { id, repositories, .. } => {
            let covers = call.act.state.installations.get(id).is_some_and(|found| call.act.state.covers(found, repo));
            covers && repositories.as_ref().is_none_or(|ids| ids.contains(&repo.id))
        }
        Caller::App | Caller::Anonymous => false,
    })
}

/// Whether a repository meets one term: a qualifier, or a word of its name.
fn meets(repo: &Repo, term: &str) -> bool {
    match term.split_once(':') {
        Some(("org" | "user", login)) => repo.owner.eq_ignore_ascii_case(login),
        Some(("repo", name)) => repo.full_name().eq_ignore_ascii_case(name),
        Some(("archived", word)) => repo.archived == (word == "true"),
        Some(("is", "private")) => repo.private,
        Some(("is", "public")) => !repo.private,
        Some(("is", "archived")) => repo.archived,
        Some(_) => false,
        None => repo.name.to_lowercase().contains(&term.to_lowercase()),
    }
}
