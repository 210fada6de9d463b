//! The push event: the one payload that is more than fields of the state.

use git2::Oid;
use serde_json::{Value, json};

use crate::acts::Act;
use crate::reply::Reply;

/// `ref`, `before`, `after`, the commits between with their paths, and the flags.
pub(crate) fn push_payload(
    act: &mut Act<'_>,
    repo: i64,
    name: &str,
    before: Option<Oid>,
    after: Option<Oid>,
    forced: bool,
) -> Result<Value, Reply> {
    let pusher = act.person();
    let limits = act.state.limits.clone();
    let render = act.render();
    let this = render.repository(repo)?;
    let git = &this.git;
    let page = render.repo_page(this);
    // An annotated tag points at a tag object; the commits are those behind it.
    let commit = |id: Oid| git.repo.find_object(id, None).and_then(|object| object.peel_to_commit()).ok();
    let tip = after.and_then(commit).map(|commit| commit.id());
    let old = before.and_then(commit).map(|commit| commit.id());
    let mut commits = Vec::new();
    if let Some(tip) = tip {
        let hidden: Vec<Oid> = match old {
            Some(old) => vec![old],
            // A new branch brings the commits that no other branch has.
            None => git
                .references("refs/heads/")?
                .into_iter()
                .filter(|(other, _)| other != name)
                .map(|(_, id)| id)
                .collect(),
        };
        let is_tag = name.starts_with("refs/tags/");
        let between = if is_tag { Vec::new() } else { git.commits_between(&hidden, tip)? };
        for sha in between.into_iter().take(limits.push_commits) {
            commits.push(render.push_commit(repo, sha, limits.push_paths)?);
        }
    }
    let head_commit = match tip {
        Some(tip) => render.push_commit(repo, tip, limits.push_paths)?,
        None => Value::Null,
    };
    let text = |id: Option<Oid>| id.unwrap_or(Oid::ZERO_SHA1).to_string();
    let short = |id: Option<Oid>| text(id)[..12].to_owned();
    let compare = match (before, after) {
        (None, Some(_)) => format!("{page}/compare/{}", name.splitn(3, '/').nth(2).unwrap_or(name)),
        _ => format!("{page}/compare/{}...{}", short(before), short(after)),
    };
    Ok(json!({
        "ref": name,
        "before": text(before),
        "after": text(after),
        "created": before.is_none(),
        "deleted": after.is_none(),
        "forced": forced,
        "base_ref": null,
        "compare": compare,
        "commits": commits,
        "head_commit": head_commit,
        "pusher": { "name": pusher.name, "email": pusher.email },
    }))
}
