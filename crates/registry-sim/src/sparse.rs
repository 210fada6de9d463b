//! Cargo's sparse index: a file for each crate, a line of JSON for each version.

use crate::World;
use crate::conditional;
use crate::shelf::{Released, System, sha256_hex};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use std::sync::Arc;

/// `GET /index/config.json`: where crates would be downloaded.
pub(crate) async fn config(State(world): State<Arc<World>>) -> Response {
    Json(json!({"dl": format!("{}/crates", world.origin), "api": world.origin})).into_response()
}

/// `GET /index/{file}`: the file of a crate, which lies where the length of its name says.
pub(crate) async fn file(State(world): State<Arc<World>>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let state = world.lock();
    let wanted = path.rsplit('/').next().unwrap_or_default();
    let is_there = |name: &&str| name.eq_ignore_ascii_case(wanted) && place(name) == path;
    let Some(name) = state.shelf.names(System::Cargo).find(is_there) else {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    let releases = state.shelf.releases(System::Cargo, name).map(Vec::as_slice).unwrap_or_default();
    if releases.is_empty() {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    }
    let lines: String = releases.iter().map(|release| line(name, release) + "\n").collect();
    conditional::answer(&headers, "text/plain", lines)
}

/// Source: the Cargo book, "Registry index", "Index files".
fn place(name: &str) -> String {
    let name = name.to_lowercase();
    match name.len() {
        1 | 2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", name.get(..2).unwrap_or_default(), name.get(2..4).unwrap_or_default()),
    }
}

fn line(name: &str, release: &Released) -> String {
    let mut line = json!({
        "name": name,
        "vers": release.version,
        "deps": [],
        "cksum": sha256_hex(release.version.as_bytes()),
        "features": {},
        "yanked": release.yanked,
    });
    if let Some(published_at) = release.published_at {
        line["pubtime"] = published_at.to_string().into();
    }
    line.to_string()
}
