//! Blobs: the bytes of files, by sha.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Call, READ_CONTENTS, WRITE_CONTENTS};
use crate::git::oid;
use crate::render::node_id;
use crate::reply::{Answer, Reply};
use crate::request::{optional, required};

/// GitHub's largest blob over this route.
const MAX_BLOB: usize = 100 * 1024 * 1024;

pub(super) fn route(call: &mut Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    match (call.method(), rest) {
        ("GET", ["git", "blobs", sha]) => get(call, repo, sha),
        ("POST", ["git", "blobs"]) => create(call, repo),
        _ => Err(Reply::not_found()),
    }
}

fn get(call: &Call<'_>, repo: i64, sha: &str) -> Answer {
    call.allow(repo, READ_CONTENTS)?;
    call.not_empty(repo)?;
    let refuse = || Reply::unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].");
    let id = oid(sha).ok_or_else(refuse)?;
    let bytes = call.repo(repo)?.git.blob(id).ok_or_else(Reply::not_found)?;
    if bytes.len() > MAX_BLOB {
        return Err(Reply::error(403, "This API returns blobs up to 100 MB in size. The requested blob is too large."));
    }
    if call.request.accepts("raw") {
        return Ok(Reply::bytes("application/vnd.github.raw; charset=utf-8", bytes));
    }
    Ok(Reply::ok(json!({
        "sha": sha,
        "node_id": node_id("04:Blob", format!("{repo}:{sha}")),
        "size": bytes.len(),
        "url": format!("{}/git/blobs/{sha}", call.render().repo_api(call.repo(repo)?)),
        "content": in_lines(&bytes),
        "encoding": "base64",
    })))
}

/// Base64 as GitHub sends it: lines of 60 characters.
pub(super) fn in_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(text.len() + text.len() / 60 + 1);
    for line in text.as_bytes().chunks(60) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push('\n');
    }
    lines
}

fn create(call: &mut Call<'_>, repo: i64) -> Answer {
    call.allow(repo, WRITE_CONTENTS)?;
    let body = call.request.json()?;
    let content = required(&body, "content")?;
    call.not_empty(repo)?;
    let bytes = match optional(&body, "encoding")?.as_deref() {
        None | Some("utf-8") => content.into_bytes(),
        Some("base64") => {
            let packed: String = content.chars().filter(|character| !character.is_whitespace()).collect();
            STANDARD.decode(packed).map_err(|_| Reply::unprocessable("content is not valid Base64"))?
        }
        Some(_) => return Err(Reply::unprocessable("encoding must be utf-8 or base64")),
    };
    if bytes.len() > MAX_BLOB {
        return Err(Reply::unprocessable("Sorry, your input was too large to process."));
    }
    let id = call.repo(repo)?.git.write_blob(&bytes)?;
    let api = call.render().repo_api(call.repo(repo)?);
    Ok(Reply::created(json!({ "sha": id.to_string(), "url": format!("{api}/git/blobs/{id}") })))
}
