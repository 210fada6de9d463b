//! Commits, as git objects and as GitHub shows them; comparisons.

use git2::{ObjectType, Oid};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Call, READ_CONTENTS, WRITE_CONTENTS, with_link};
use crate::git::{Person, oid};
use crate::reply::{Answer, Reply};
use crate::request::{required, strings};

pub(super) fn route(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    match (call.method(), rest) {
        ("GET", ["git", "commits", sha]) => {
            call.allow(repo, READ_CONTENTS)?;
            call.not_empty(repo)?;
            let git = &call.repo(repo)?.git;
            let id = oid(sha).filter(|id| git.kind(*id) == Some(ObjectType::Commit)).ok_or_else(Reply::not_found)?;
            Ok(Reply::ok(call.render().git_commit(repo, id)?))
        }
        ("GET", ["git", "tags", sha]) => {
            call.allow(repo, READ_CONTENTS)?;
            call.not_empty(repo)?;
            let id = oid(sha).ok_or_else(Reply::not_found)?;
            Ok(Reply::ok(call.render().git_tag(repo, id)?))
        }
        ("POST", ["git", "commits"]) => create(call, repo),
        ("GET", ["commits"]) => list(call, repo),
        ("GET", ["commits", name @ ..]) => {
            call.allow(repo, READ_CONTENTS)?;
            let id = call.commit_named(repo, &name.join("/"))?;
            if call.request.accepts("sha") {
                return Ok(Reply::bytes("application/vnd.github.sha; charset=utf-8", id.to_string().into_bytes()));
            }
            if call.request.accepts("diff") {
                let git = &call.repo(repo)?.git;
                let before = git.parents(id)?.first().map(|parent| git.tree_of(*parent)).transpose()?;
                let text = git.unified_diff(before, Some(git.tree_of(id)?))?;
                return Ok(Reply::bytes("application/vnd.github.diff; charset=utf-8", text.into_bytes()));
            }
            Ok(Reply::ok(call.render().full_commit(repo, id)?))
        }
        ("GET", ["compare", range @ ..]) => compare(call, repo, &range.join("/")),
        _ => Err(Reply::not_found()),
    }
}

fn create(call: &mut Call<'_>, repo: i64) -> Answer {
    call.allow(repo, WRITE_CONTENTS)?;
    let body = call.request.json()?;
    let (message, tree) = (required(&body, "message")?, required(&body, "tree")?);
    call.not_empty(repo)?;
    let git = &call.repo(repo)?.git;
    let tree = oid(&tree).filter(|id| git.kind(*id) == Some(ObjectType::Tree));
    let tree = tree.ok_or_else(|| Reply::unprocessable("Tree SHA does not exist"))?;
    let mut parents = Vec::new();
    for parent in strings(&body, "parents")? {
        let known = oid(&parent).filter(|id| git.kind(*id) == Some(ObjectType::Commit));
        let message = "Parent SHA does not exist or is not a commit object";
        parents.push(known.ok_or_else(|| Reply::unprocessable(message))?);
    }
    // Signed by GitHub only where the App leaves all of these to it.
    let own_words = ["author", "committer", "signature"].iter().any(|field| !body[*field].is_null());
    let by_person = matches!(call.caller, crate::auth::Caller::Person(_));
    let bot = call.act.person();
    let author = match person(&body["author"], "author", call.act.now)? {
        Some(author) => author,
        None => bot.clone(),
    };
    let committer = match person(&body["committer"], "committer", call.act.now)? {
        Some(committer) => committer,
        None if own_words || by_person => author.clone(),
        None => call.act.web_flow(),
    };
    let written = call.repo(repo)?.git.write_commit(tree, &parents, &author, &committer, &message);
    // What git cannot write: a NUL in the message, angle brackets alone for a name.
    let id = written.map_err(|error| Reply::unprocessable(&format!("Invalid commit: {}", error.message())))?;
    if !own_words && !by_person {
        call.act.repo_mut(repo)?.verified.insert(id);
    }
    Ok(Reply::created(call.render().git_commit(repo, id)?))
}

fn person(value: &Value, field: &str, now: Timestamp) -> Result<Option<Person>, Reply> {
    if value.is_null() {
        return Ok(None);
    }
    let text = |part: &str| {
        let message = format!("Invalid request.\n\nFor 'properties/{field}', \"{part}\" wasn't supplied.");
        value[part].as_str().map(str::to_owned).ok_or_else(|| Reply::unprocessable(&message))
    };
    let at = match value["date"].as_str() {
        Some(date) => {
            date.parse().map_err(|_| Reply::unprocessable(&format!("{field}.date is not a valid ISO 8601 time")))?
        }
        None => now,
    };
    Ok(Some(Person { name: text("name")?, email: text("email")?, at }))
}

/// Newest first, from `sha` (default: the default branch), filtered by path, author, since and until.
fn list(call: &Call<'_>, repo: i64) -> Answer {
    call.allow(repo, READ_CONTENTS)?;
    call.not_empty(repo)?;
    let this = call.repo(repo)?;
    let from = call.request.param("sha").unwrap_or(&this.default_branch);
    let tip = this.git.commit_of(from).ok_or_else(Reply::not_found)?;
    let mut all = this.git.commits_between(&[], tip)?;
    all.reverse();
    let time = |name: &str| call.request.param(name).and_then(|text| text.parse::<Timestamp>().ok());
    let (since, until) = (time("since"), time("until"));
    let mut kept = Vec::new();
    for id in all {
        let at = this.git.committer(id)?.at;
        if since.is_some_and(|since| at < since) || until.is_some_and(|until| at > until) {
            continue;
        }
        if let Some(path) = call.request.param("path").filter(|path| !path.is_empty()) {
            let below = format!("{}/", path.trim_end_matches('/'));
            if !this.git.changes_of(id)?.iter().any(|change| change.path == path || change.path.starts_with(&below)) {
                continue;
            }
        }
        kept.push(id);
    }
    let render = call.render();
    call.list(kept, |id| render.commit(repo, id))
}

fn compare(call: &Call<'_>, repo: i64, range: &str) -> Answer {
    call.allow(repo, READ_CONTENTS)?;
    call.not_empty(repo)?;
    let this = call.repo(repo)?;
    let (base, head) = range.split_once("...").ok_or_else(Reply::not_found)?;
    let commit = |name: &str| -> Result<Oid, Reply> {
        let name = name.rsplit_once(':').map_or(name, |(_, branch)| branch);
        this.git.commit_of(name).ok_or_else(Reply::not_found)
    };
    let (base_id, head_id) = (commit(base)?, commit(head)?);
    let common = this.git.merge_base(base_id, head_id);
    let common = common.ok_or_else(|| Reply::error(404, &format!("No common ancestor between {base} and {head}.")))?;
    let ahead = this.git.commits_between(&[base_id], head_id)?;
    let behind = this.git.commits_between(&[head_id], base_id)?.len();
    let status = match (ahead.len(), behind) {
        (0, 0) => "identical",
        (0, _) => "behind",
        (_, 0) => "ahead",
        _ => "diverged",
    };
    let changes = this.git.changes(Some(this.git.tree_of(common)?), Some(this.git.tree_of(head_id)?))?;
    let render = call.render();
    let (api, page) = (render.repo_api(this), render.repo_page(this));
    let total = ahead.len();
    let (shown, link) = call.page(ahead);
    let commits = shown.into_iter().map(|id| render.commit(repo, id)).collect::<Result<Vec<_>, _>>()?;
    let body = json!({
        "url": format!("{api}/compare/{base}...{head}"),
        "html_url": format!("{page}/compare/{base}...{head}"),
        "permalink_url": format!("{page}/compare/{base_id}...{head_id}"),
        "diff_url": format!("{page}/compare/{base}...{head}.diff"),
        "patch_url": format!("{page}/compare/{base}...{head}.patch"),
        "base_commit": render.commit(repo, base_id)?,
        "merge_base_commit": render.commit(repo, common)?,
        "status": status,
        "ahead_by": total,
        "behind_by": behind,
        "total_commits": total,
        "commits": commits,
        "files": render.file_changes(repo, head_id, &changes)?,
    });
    Ok(with_link(Reply::ok(body), link))
}
