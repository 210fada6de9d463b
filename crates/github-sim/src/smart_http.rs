//! `git clone` and `git push` over HTTP, by handing the bare repository to `git http-backend`.
//!
//! The only part that needs a `git` executable; without one it says so with 501.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;

use axum::body::Body;
use git2::Oid;
use http::Response;
use tokio::io::AsyncWriteExt as _;

use crate::access::Role;
use crate::acts::Act;
use crate::auth::{self, Caller};
use crate::request::Request;
use crate::server::{Shared, plain};

/// Which repository and which of git's three addresses a request is for.
pub(crate) struct Target {
    owner: String,
    name: String,
    rest: &'static str,
}

/// The git request in a path such as `/acme/api.git/info/refs`, if it is one.
pub(crate) fn target(request: &Request) -> Option<Target> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let (owner, name, rest) = match segments.as_slice() {
        [owner, name, "info", "refs"] => (owner, name, "info/refs"),
        [owner, name, "git-upload-pack"] => (owner, name, "git-upload-pack"),
        [owner, name, "git-receive-pack"] => (owner, name, "git-receive-pack"),
        _ => return None,
    };
    let name = name.strip_suffix(".git").unwrap_or(name);
    Some(Target { owner: (*owner).to_owned(), name: name.to_owned(), rest })
}

pub(crate) async fn serve(shared: &Arc<Shared>, request: &Request, target: Target) -> Response<Body> {
    // One push at a time, or two would announce each other's references.
    let _turn = if target.rest == "git-receive-pack" { Some(shared.pushing.lock().await) } else { None };
    let pushes = target.rest == "git-receive-pack" || request.param("service") == Some("git-receive-pack");
    let (repo, actor, before) = match admit(shared, request, &target, pushes) {
        Ok(admitted) => admitted,
        Err(refusal) => return *refusal,
    };
    let answer = match run(shared, request, repo, target.rest, pushes).await {
        Ok(answer) => answer,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return plain(501, "Cloning and pushing need the git executable, which is not installed here");
        }
        Err(error) => return plain(500, &format!("git http-backend failed: {error}")),
    };
    if target.rest == "git-receive-pack" {
        announce(shared, repo, actor, &before);
        shared.ring();
    }
    answer
}

type Admitted = (i64, String, BTreeMap<String, Oid>);

/// Who may read or write this repository, and where its references stand before.
fn admit(shared: &Shared, request: &Request, target: &Target, pushes: bool) -> Result<Admitted, Box<Response<Body>>> {
    let refuse = |status, text: &str| Box::new(plain(status, text));
    let challenge = || {
        let mut response = plain(401, "Authentication is needed");
        let basic = http::HeaderValue::from_static("Basic realm=\"GitHub\"");
        response.headers_mut().insert("www-authenticate", basic);
        Box::new(response)
    };
    let state = shared.state();
    let caller = auth::identify(&state, &shared.site, &request.headers, shared.site.now()).map_err(|_| challenge())?;
    let full_name = format!("{}/{}", target.owner, target.name).to_lowercase();
    let id = state.repo_named(&target.owner, &target.name).or_else(|| state.redirects.get(&full_name).copied());
    let Some(repo) = id.and_then(|id| state.repos.get(&id)) else {
        return Err(if matches!(caller, Caller::Anonymous) {
            challenge()
        } else {
            refuse(404, "Repository not found.")
        });
    };
    let actor = match caller {
        Caller::Person(login) => {
            let role = state.role(repo, &login).unwrap_or(Role::Outsider);
            if repo.private && role == Role::Outsider {
                return Err(refuse(404, "Repository not found."));
            }
            if pushes && role < Role::Write {
                return Err(refuse(403, &format!("Permission to {} denied to {login}.", repo.full_name())));
            }
            login
        }
        Caller::Anonymous if pushes || repo.private => return Err(challenge()),
        Caller::Anonymous => "ghost".to_owned(),
        Caller::App => return Err(challenge()),
        Caller::Installation { id, repositories, permissions } => {
            let covered = state.installations.get(&id).is_some_and(|found| state.covers(found, repo))
                && repositories.is_none_or(|ids| ids.contains(&repo.id));
            let held = permissions.get("contents").map(String::as_str);
            let allowed = if pushes { held == Some("write") } else { held.is_some() };
            if !covered && (repo.private || pushes) {
                return Err(refuse(404, "Repository not found."));
            }
            if covered && !allowed {
                return Err(refuse(403, "Write access to repository not granted."));
            }
            shared.site.bot_login()
        }
    };
    if pushes && repo.archived {
        return Err(refuse(403, "This repository was archived so it is read-only."));
    }
    if target.rest == "git-receive-pack" {
        let mut refused = pushed_names(&request.body);
        refused
            .retain(|name| name.strip_prefix("refs/heads/").is_some_and(|branch| repo.protected.contains_key(branch)));
        if let Some(name) = refused.first() {
            return Err(refuse(403, &format!("GH006: Protected branch update failed for {name}.")));
        }
    }
    let before = repo.git.references("refs/").map_err(|error| refuse(500, error.message()))?;
    Ok((repo.id, actor, before))
}

/// The references that a push means to change: its first lines, up to the flush packet.
fn pushed_names(body: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = body;
    while let Some(length) = rest.get(..4).and_then(|digits| std::str::from_utf8(digits).ok()) {
        let Ok(length) = usize::from_str_radix(length, 16) else { break };
        let Some(line) = rest.get(4..length) else { break };
        // `old new name`, and behind a NUL what the client can do.
        let command = line.split(|byte| *byte == 0).next().unwrap_or_default();
        if let Some(name) = String::from_utf8_lossy(command).trim_end().splitn(3, ' ').nth(2) {
            names.push(name.to_owned());
        }
        rest = &rest[length..];
    }
    names
}

async fn run(
    shared: &Shared,
    request: &Request,
    repo: i64,
    rest: &str,
    pushes: bool,
) -> std::io::Result<Response<Body>> {
    let mut command = tokio::process::Command::new("git");
    command
        // Force pushes reach git as they would GitHub; hiding refs/pull keeps them ours.
        .args(["-c", "http.receivepack=true", "-c", "receive.hideRefs=refs/pull"])
        // Clones without the contents of files, and fetching these by their ids.
        .args(["-c", "uploadpack.allowFilter=true", "-c", "uploadpack.allowAnySHA1InWant=true", "http-backend"])
        .env("GIT_PROJECT_ROOT", &shared.folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATH_INFO", format!("/{repo}.git/{rest}"))
        .env("REQUEST_METHOD", &request.method)
        .env("QUERY_STRING", request.query.as_deref().unwrap_or_default())
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if let Some(encoding) = request.header("content-encoding") {
        command.env("HTTP_CONTENT_ENCODING", encoding);
    }
    if let Some(protocol) = request.header("git-protocol") {
        command.env("GIT_PROTOCOL", protocol);
    }
    if pushes {
        command.env("REMOTE_USER", "git");
    }
    let mut child = command.spawn()?;
    let input = child.stdin.take();
    let body = request.body.clone();
    // Fed from aside: git may answer before it has read everything.
    let feed = tokio::spawn(async move {
        if let Some(mut input) = input {
            drop(input.write_all(&body).await);
        }
    });
    let output = child.wait_with_output().await?;
    drop(feed.await);
    Ok(parse(&output.stdout))
}

/// A CGI answer: header lines, an empty line, the body.
fn parse(output: &[u8]) -> Response<Body> {
    let split = output.windows(4).position(|window| window == b"\r\n\r\n");
    let Some(split) = split else { return plain(500, "git http-backend gave no answer") };
    let head = String::from_utf8_lossy(&output[..split]);
    let mut builder = Response::builder();
    for line in head.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        match (name.to_ascii_lowercase().as_str(), value.trim()) {
            ("status", value) => {
                let code = value.split(' ').next().and_then(|code| code.parse::<u16>().ok());
                builder = builder.status(code.unwrap_or(500));
            }
            (name, value) => builder = builder.header(name, value),
        }
    }
    let body = Body::from(output[split + 4..].to_vec());
    builder.body(body).unwrap_or_else(|error| plain(500, &error.to_string()))
}

/// Finds what a push moved and lets the world know of it.
fn announce(shared: &Shared, repo: i64, actor: String, before: &BTreeMap<String, Oid>) {
    let mut state = shared.state();
    let now = shared.site.now();
    let mut act = Act { state: &mut state, site: &shared.site, now, actor };
    let Ok(after) = act.repo(repo).and_then(|repo| Ok(repo.git.references("refs/")?)) else { return };
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names.into_iter().filter(|name| !name.starts_with("refs/pull/")) {
        let (old, new) = (before.get(name).copied(), after.get(name).copied());
        if old == new {
            continue;
        }
        if act.move_reference(repo, name, old, new, true).is_err() {
            tracing::warn!(name, "a pushed reference could not be announced");
        }
    }
}
