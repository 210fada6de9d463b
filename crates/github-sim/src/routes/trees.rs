//! Trees: listed with GitHub's truncation, and written with its rules about base and deletion.

use std::collections::BTreeMap;

use git2::{FileMode, ObjectType, Oid};
use serde_json::{Value, json};

use super::{Call, READ_CONTENTS, WRITE_CONTENTS};
use crate::git::{Entry, ListedEntry, oid};
use crate::reply::{Answer, Reply};

pub(super) fn route(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    match (call.method(), rest) {
        ("GET", ["git", "trees", name @ ..]) if !name.is_empty() => get(call, repo, &name.join("/")),
        ("POST", ["git", "trees"]) => create(call, repo),
        _ => Err(Reply::not_found()),
    }
}

/// A tree by its own sha, a commit's, or a branch or tag.
fn get(call: &Call<'_>, repo: i64, name: &str) -> Answer {
    call.allow(repo, READ_CONTENTS)?;
    call.not_empty(repo)?;
    let git = &call.repo(repo)?.git;
    let tree = match oid(name).filter(|id| git.kind(*id) == Some(ObjectType::Tree)) {
        Some(tree) => tree,
        None => git.tree_of(git.commit_of(name).ok_or_else(Reply::not_found)?)?,
    };
    // Any value asks for recursion, `0` and `false` too.
    let recursive = call.request.params.contains_key("recursive");
    let limit = call.act.state.limits.tree_entries;
    let (entries, truncated) = git.list_tree(tree, recursive, if recursive { limit } else { usize::MAX })?;
    Ok(Reply::ok(show(call, repo, tree, &entries, truncated)?))
}

fn show(call: &Call<'_>, repo: i64, tree: Oid, entries: &[ListedEntry], truncated: bool) -> Result<Value, Reply> {
    let api = call.render().repo_api(call.repo(repo)?);
    let entries: Vec<_> = entries
        .iter()
        .map(|entry| {
            let mut value = json!({
                "path": entry.path,
                "mode": format!("{:06o}", entry.mode),
                "type": entry.kind.str(),
                "sha": entry.id.to_string(),
            });
            if let Some(size) = entry.size {
                value["size"] = json!(size);
            }
            if entry.kind != ObjectType::Commit {
                value["url"] = json!(format!("{api}/git/{}s/{}", entry.kind.str(), entry.id));
            }
            value
        })
        .collect();
    Ok(json!({
        "sha": tree.to_string(),
        "url": format!("{api}/git/trees/{tree}"),
        "tree": entries,
        "truncated": truncated,
    }))
}

fn create(call: &mut Call<'_>, repo: i64) -> Answer {
    call.allow(repo, WRITE_CONTENTS)?;
    let body = call.request.json()?;
    call.not_empty(repo)?;
    let Value::Array(asked) = &body["tree"] else {
        return Err(Reply::unprocessable("Invalid request.\n\n\"tree\" wasn't supplied."));
    };
    if asked.is_empty() {
        return Err(Reply::unprocessable("Invalid tree info"));
    }
    let git = &call.repo(repo)?.git;
    let base = match &body["base_tree"] {
        Value::Null => None,
        name => {
            let refuse = || Reply::unprocessable("base_tree is not a valid tree oid");
            let id = name.as_str().and_then(oid).ok_or_else(refuse)?;
            Some(match git.kind(id) {
                Some(ObjectType::Tree) => id,
                Some(ObjectType::Commit) => git.tree_of(id)?,
                _ => return Err(refuse()),
            })
        }
    };
    let mut entries = BTreeMap::new();
    for item in asked {
        let path = item["path"].as_str().unwrap_or_default();
        check_path(path)?;
        if path.starts_with(".github/workflows/") && !call.may_change_workflows() {
            // Seen, not documented: not a word about the missing permission.
            return Err(Reply::not_found());
        }
        let entry = entry(call, repo, base, path, item)?;
        entries.insert(path.to_owned(), entry);
    }
    let inside_a_file = entries
        .keys()
        .any(|path| path.match_indices('/').any(|(at, _)| matches!(entries.get(&path[..at]), Some(Entry::Put { .. }))));
    if inside_a_file {
        return Err(Reply::unprocessable("tree.path contains a path that is both a file and a folder"));
    }
    let git = &call.repo(repo)?.git;
    let tree = git.write_tree(base, &entries)?;
    let (listed, _) = git.list_tree(tree, false, usize::MAX)?;
    Ok(Reply::created(show(call, repo, tree, &listed, false)?))
}

fn check_path(path: &str) -> Result<(), Reply> {
    // git itself takes no longer paths; and a tree is as deep as its path has parts.
    let malformed = path.is_empty()
        || path.len() > 4_096
        || path.contains('\0')
        || path.split('/').any(|part| {
            matches!(part, "" | "." | "..") || part.eq_ignore_ascii_case(".git") || part.eq_ignore_ascii_case("git~1")
        });
    if malformed { Err(Reply::unprocessable("tree.path contains a malformed path component")) } else { Ok(()) }
}

fn entry(call: &Call<'_>, repo: i64, base: Option<Oid>, path: &str, item: &Value) -> Result<Entry, Reply> {
    let git = &call.repo(repo)?.git;
    let has_sha = item.get("sha").is_some();
    let content = item["content"].as_str();
    if has_sha && content.is_some() {
        return Err(Reply::unprocessable("Must supply either tree.sha or tree.content"));
    }
    if has_sha && item["sha"].is_null() {
        let there = base.and_then(|base| git.entry_at(base, path)).is_some();
        // GitHub's own words for removing what is not there.
        return if there { Ok(Entry::Remove) } else { Err(Reply::unprocessable("GitRPC::BadObjectState")) };
    }
    let mode = match item["mode"].as_str() {
        Some("100644") => FileMode::Blob,
        Some("100755") => FileMode::BlobExecutable,
        Some("040000") => FileMode::Tree,
        Some("160000") => FileMode::Commit,
        Some("120000") => FileMode::Link,
        _ => return Err(Reply::unprocessable("Must supply a valid tree.mode")),
    };
    let id = match (content, item["sha"].as_str()) {
        (Some(text), _) => git.write_blob(text.as_bytes())?,
        (None, Some(sha)) => {
            let id = oid(sha).ok_or_else(|| {
                Reply::unprocessable("The tree.sha parameter must be exactly 40 characters and contain only [0-9a-f].")
            })?;
            let kind = match mode {
                FileMode::Tree => Some(ObjectType::Tree),
                FileMode::Commit => None,
                _ => Some(ObjectType::Blob),
            };
            if let Some(kind) = kind
                && git.kind(id) != Some(kind)
            {
                return Err(Reply::unprocessable(&format!("tree.sha {sha} is not a valid {}", kind.str())));
            }
            id
        }
        (None, None) => return Err(Reply::unprocessable("Must supply either tree.sha or tree.content")),
    };
    Ok(Entry::Put { mode: i32::from(mode), id })
}
