//! Files by path: read in GitHub's shapes, and written one at a time.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use git2::{FileMode, ObjectType, Oid};
use serde_json::{Value, json};

use super::{Call, READ_CONTENTS, WRITE_CONTENTS};
use crate::acts::Refusal;
use crate::git::Entry;
use crate::reply::{Answer, Reply};
use crate::request::{encode, optional, required};

/// Up to here the content comes with the JSON; above it only `raw` gives the bytes.
const MAX_INLINE: usize = 1024 * 1024;
const MAX_RAW: usize = 100 * 1024 * 1024;
/// How many symbolic links in a row are followed.
const MAX_LINKS: usize = 8;

pub(super) fn route(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    let path = rest[1..].join("/");
    match call.method() {
        "GET" => get(call, repo, &path),
        "PUT" => put(call, repo, &path),
        "DELETE" => delete(call, repo, &path),
        _ => Err(Reply::not_found()),
    }
}

fn get(call: &Call<'_>, repo: i64, path: &str) -> Answer {
    call.allow(repo, READ_CONTENTS)?;
    let this = call.repo(repo)?;
    if this.git.is_empty() {
        return Err(Reply::error(404, "This repository is empty."));
    }
    let name = call.request.param("ref").unwrap_or(&this.default_branch);
    let commit = this.git.commit_of(name);
    let commit = commit.ok_or_else(|| Reply::error(404, &format!("No commit found for the ref {name}")))?;
    let root = this.git.tree_of(commit)?;
    let (mut at, mut mode, mut id) = match path {
        "" => (String::new(), i32::from(FileMode::Tree), root),
        _ => {
            let (mode, id) = this.git.entry_at(root, path).ok_or_else(Reply::not_found)?;
            (path.to_owned(), mode, id)
        }
    };
    for _ in 0..MAX_LINKS {
        if mode != i32::from(FileMode::Link) {
            break;
        }
        let target = String::from_utf8_lossy(&this.git.blob(id).unwrap_or_default()).into_owned();
        let Some(next) = resolve(&at, &target) else { break };
        let Some((next_mode, next_id)) = this.git.entry_at(root, &next) else { break };
        (at, mode, id) = (next, next_mode, next_id);
    }
    if mode == i32::from(FileMode::Tree) {
        let (entries, _) = this.git.list_tree(id, false, 1_000)?;
        let prefix = if at.is_empty() { String::new() } else { format!("{at}/") };
        let listed: Vec<_> = entries
            .iter()
            .map(|entry| show(call, repo, name, &format!("{prefix}{}", entry.path), entry.mode, entry.id, entry.size))
            .collect::<Result<_, _>>()?;
        return Ok(Reply::ok(Value::Array(listed)));
    }
    let bytes = this.git.blob(id);
    let size = bytes.as_ref().map(Vec::len);
    if let (Some(bytes), true) = (&bytes, call.request.accepts("raw")) {
        if bytes.len() > MAX_RAW {
            return Err(Reply::error(
                403,
                "This API returns blobs up to 100 MB in size. The requested blob is too large.",
            ));
        }
        return Ok(Reply::bytes("application/vnd.github.raw; charset=utf-8", bytes.clone()));
    }
    let mut value = show(call, repo, name, &at, mode, id, size)?;
    if let (Some(bytes), "file") = (bytes, value["type"].as_str().unwrap_or_default()) {
        let inline = bytes.len() <= MAX_INLINE;
        value["encoding"] = json!(if inline { "base64" } else { "none" });
        value["content"] = json!(if inline { super::blobs::in_lines(&bytes) } else { String::new() });
    }
    Ok(Reply::ok(value))
}

fn resolve(link: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn show(
    call: &Call<'_>,
    repo: i64,
    reference: &str,
    path: &str,
    mode: i32,
    id: Oid,
    size: Option<usize>,
) -> Result<Value, Reply> {
    let this = call.repo(repo)?;
    let (api, page) = (call.render().repo_api(this), call.render().repo_page(this));
    let escaped = path.split('/').map(encode).collect::<Vec<_>>().join("/");
    let own = format!("{api}/contents/{escaped}?ref={}", encode(reference));
    let kind = match mode {
        mode if mode == i32::from(FileMode::Tree) => "dir",
        mode if mode == i32::from(FileMode::Link) => "symlink",
        mode if mode == i32::from(FileMode::Commit) => "submodule",
        _ => "file",
    };
    let git_url = match kind {
        "dir" => json!(format!("{api}/git/trees/{id}")),
        "submodule" => Value::Null,
        _ => json!(format!("{api}/git/blobs/{id}")),
    };
    let html = format!("{page}/{}/{reference}/{escaped}", if kind == "dir" { "tree" } else { "blob" });
    let raw = if kind == "file" || kind == "symlink" {
        json!(format!("{page}/raw/{reference}/{escaped}"))
    } else {
        Value::Null
    };
    let mut value = json!({
        "type": kind,
        "size": size.unwrap_or(0),
        "name": path.rsplit('/').next().unwrap_or(path),
        "path": path,
        "sha": id.to_string(),
        "url": own,
        "git_url": git_url,
        "html_url": html,
        "download_url": raw,
        "_links": { "self": own, "git": git_url, "html": html },
    });
    match kind {
        "symlink" => {
            let target = this.git.blob(id).unwrap_or_default();
            value["target"] = json!(String::from_utf8_lossy(&target));
        }
        "submodule" => value["submodule_git_url"] = json!(format!("{page}.git")),
        _ => {}
    }
    Ok(value)
}

fn put(call: &mut Call<'_>, repo: i64, path: &str) -> Answer {
    let body = call.request.json()?;
    let content = required(&body, "content")?;
    let packed: String = content.chars().filter(|character| !character.is_whitespace()).collect();
    let bytes = STANDARD.decode(packed).map_err(|_| Reply::unprocessable("content is not valid Base64"))?;
    write(call, repo, path, &body, Some(&bytes))
}

fn delete(call: &mut Call<'_>, repo: i64, path: &str) -> Answer {
    let body = match call.request.body.is_empty() {
        true => json!(call.request.params),
        false => call.request.json()?,
    };
    required(&body, "sha")?;
    write(call, repo, path, &body, None)
}

/// Commits one file put or removed on a branch; also the way to begin an empty repository.
fn write(call: &mut Call<'_>, repo: i64, path: &str, body: &Value, bytes: Option<&[u8]>) -> Answer {
    call.allow(repo, WRITE_CONTENTS)?;
    let message = required(body, "message")?;
    let sha = optional(body, "sha")?;
    if path.starts_with(".github/workflows/") && !call.may_change_workflows() {
        return Err(Reply::error(403, "Resource not accessible by integration")
            .with("x-accepted-github-permissions", "contents=write,workflows=write"));
    }
    let this = call.repo(repo)?;
    let branch = optional(body, "branch")?.unwrap_or_else(|| this.default_branch.clone());
    let before = this.branch(&branch);
    if before.is_none() && !this.git.is_empty() {
        return Err(Reply::error(404, &format!("Branch {branch} not found")));
    }
    let root = before.map(|commit| this.git.tree_of(commit)).transpose()?;
    let old = root.and_then(|root| this.git.entry_at(root, path));
    match (&old, &sha) {
        (Some(_), None) => return Err(Reply::unprocessable("Invalid request.\n\n\"sha\" wasn't supplied.")),
        (Some((_, id)), Some(sha)) if id.to_string() != *sha => {
            return Err(Reply::error(409, &format!("{path} does not match {sha}")));
        }
        (None, Some(sha)) if bytes.is_some() => return Err(Reply::error(409, &format!("{path} does not match {sha}"))),
        (None, _) if bytes.is_none() => return Err(Reply::not_found()),
        _ => {}
    }
    call.act
        .protection_refuses(repo, &branch, before, before.or(Some(Oid::ZERO_SHA1)))
        .map_err(|Refusal(reply)| Reply { status: 409, ..reply })?;
    let entry = match bytes {
        Some(bytes) => {
            let mode = old.map_or(i32::from(FileMode::Blob), |(mode, _)| mode);
            Entry::Put { mode, id: call.repo(repo)?.git.write_blob(bytes)? }
        }
        None => Entry::Remove,
    };
    let (bot, web_flow) = (call.act.person(), call.act.web_flow());
    let git = &call.repo(repo)?.git;
    let tree = git.write_tree(root, &BTreeMap::from([(path.to_owned(), entry)]))?;
    let parents: Vec<Oid> = before.into_iter().collect();
    let commit = git.write_commit(tree, &parents, &bot, &web_flow, &message)?;
    let written = git.entry_at(tree, path);
    let size = written.and_then(|(_, id)| git.blob(id)).map(|bytes| bytes.len());
    call.act.repo_mut(repo)?.verified.insert(commit);
    call.act.move_reference(repo, &format!("refs/heads/{branch}"), before, Some(commit), false)?;
    let shown = match written {
        Some((mode, id)) if call.repo(repo)?.git.kind(id) == Some(ObjectType::Blob) => {
            show(call, repo, &branch, path, mode, id, size)?
        }
        _ => Value::Null,
    };
    let status = if bytes.is_some() && old.is_none() { 201 } else { 200 };
    Ok(Reply::json(status, json!({ "content": shown, "commit": call.render().git_commit(repo, commit)? })))
}
