//! References: the last step of every change.

use git2::{Oid, Reference};
use serde_json::Value;

use super::{Call, READ_CONTENTS, WRITE_CONTENTS};
use crate::acts::Refusal;
use crate::git::{FileChange, oid};
use crate::reply::{Answer, Reply};
use crate::request::required;

pub(super) fn route(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    match (call.method(), rest) {
        ("GET", ["git", "ref", name @ ..]) => {
            call.allow(repo, READ_CONTENTS)?;
            call.not_empty(repo)?;
            let name = format!("refs/{}", name.join("/"));
            let target = call.repo(repo)?.git.reference(&name).ok_or_else(Reply::not_found)?;
            Ok(Reply::ok(call.render().reference(repo, &name, target)?))
        }
        ("GET", ["git", "matching-refs", name @ ..]) => {
            call.allow(repo, READ_CONTENTS)?;
            call.not_empty(repo)?;
            let found = call.repo(repo)?.git.references(&format!("refs/{}", name.join("/")))?;
            let render = call.render();
            call.list(found.into_iter().collect(), |(name, target): (String, Oid)| {
                render.reference(repo, &name, target)
            })
        }
        ("POST", ["git", "refs"]) => create(call, repo),
        ("PATCH", ["git", "refs", name @ ..]) => update(call, repo, &format!("refs/{}", name.join("/"))),
        ("DELETE", ["git", "refs", name @ ..]) => {
            call.allow(repo, WRITE_CONTENTS)?;
            let name = format!("refs/{}", name.join("/"));
            let before = known(call, repo, &name)?;
            check_protection(call, repo, &name, Some(before), None)?;
            call.act.move_reference(repo, &name, Some(before), None, false)?;
            Ok(Reply::no_content())
        }
        _ => Err(Reply::not_found()),
    }
}

fn create(call: &mut Call<'_>, repo: i64) -> Answer {
    call.allow(repo, WRITE_CONTENTS)?;
    let body = call.request.json()?;
    let (name, sha) = (required(&body, "ref")?, required(&body, "sha")?);
    call.not_empty(repo)?;
    if !name.starts_with("refs/") || name.matches('/').count() < 2 || !Reference::is_valid_name(&name) {
        return Err(Reply::unprocessable(&format!("{name} is not a valid ref name.")));
    }
    if name.starts_with("refs/pull/") {
        return Err(Reply::unprocessable("Reference cannot be created: refs/pull is read-only"));
    }
    let git = &call.repo(repo)?.git;
    if git.reference(&name).is_some() {
        return Err(Reply::unprocessable("Reference already exists"));
    }
    let target = object(call, repo, &name, &sha)?;
    refuse_workflows(call, repo, &name, target)?;
    call.act.move_reference(repo, &name, None, Some(target), false)?;
    Ok(Reply::created(call.render().reference(repo, &name, target)?))
}

fn update(call: &mut Call<'_>, repo: i64, name: &str) -> Answer {
    call.allow(repo, WRITE_CONTENTS)?;
    let body = call.request.json()?;
    let sha = required(&body, "sha")?;
    let force = match &body["force"] {
        Value::Null => false,
        Value::Bool(force) => *force,
        _ => return Err(Reply::unprocessable("Invalid request.\n\nFor 'properties/force', it is not a boolean.")),
    };
    call.not_empty(repo)?;
    let before = known(call, repo, name)?;
    let after = object(call, repo, name, &sha)?;
    if !force && !call.repo(repo)?.git.is_ancestor(before, after) {
        return Err(Reply::unprocessable("Update is not a fast forward"));
    }
    check_protection(call, repo, name, Some(before), Some(after))?;
    refuse_workflows(call, repo, name, after)?;
    call.act.move_reference(repo, name, Some(before), Some(after), false)?;
    Ok(Reply::ok(call.render().reference(repo, name, after)?))
}

fn known(call: &Call<'_>, repo: i64, name: &str) -> Result<Oid, Reply> {
    let found = call.repo(repo)?.git.reference(name).filter(|_| !name.starts_with("refs/pull/"));
    found.ok_or_else(|| Reply::unprocessable("Reference does not exist"))
}

/// The object a reference is to point at: any for a tag, a commit for a branch.
fn object(call: &Call<'_>, repo: i64, name: &str, sha: &str) -> Result<Oid, Reply> {
    let Some(id) = oid(sha) else {
        return Err(Reply::unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f]."));
    };
    match call.repo(repo)?.git.kind(id) {
        Some(git2::ObjectType::Commit) => Ok(id),
        Some(_) if !name.starts_with("refs/heads/") => Ok(id),
        Some(_) => Err(Reply::unprocessable("Object is not a commit")),
        None => Err(Reply::unprocessable("Object does not exist")),
    }
}

fn check_protection(
    call: &Call<'_>,
    repo: i64,
    name: &str,
    before: Option<Oid>,
    after: Option<Oid>,
) -> Result<(), Reply> {
    let Some(branch) = name.strip_prefix("refs/heads/") else { return Ok(()) };
    call.act.protection_refuses(repo, branch, before, after).map_err(|Refusal(reply)| reply)
}

/// A commit that brings a workflow no branch has, or takes away one they all have, needs the workflows permission.
pub(super) fn refuse_workflows(call: &Call<'_>, repo: i64, name: &str, target: Oid) -> Result<(), Reply> {
    if call.may_change_workflows() || !name.starts_with("refs/heads/") {
        return Ok(());
    }
    let this = call.repo(repo)?;
    let hidden: Vec<Oid> = this.git.references("refs/heads/")?.into_values().collect();
    for commit in this.git.commits_between(&hidden, target)? {
        let known = |change: &FileChange| {
            let wanted = if change.status == "removed" { None } else { change.id };
            let at = |tip: &Oid| {
                let tree = this.git.tree_of(*tip).ok()?;
                this.git.entry_at(tree, &change.path).map(|(_, id)| id)
            };
            hidden.iter().any(|tip| at(tip) == wanted)
        };
        let mut touched = this.git.changes_of(commit)?.into_iter();
        let touched = touched.find(|change| change.path.starts_with(".github/workflows/") && !known(change));
        if let Some(change) = touched {
            let message = format!(
                "refusing to allow a GitHub App to create or update workflow `{}` without `workflows` permission",
                change.path
            );
            return Err(Reply::unprocessable(&message));
        }
    }
    Ok(())
}
