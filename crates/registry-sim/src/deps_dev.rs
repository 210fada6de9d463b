//! The deps.dev API, version 3: `GetPackage`.

use crate::World;
use crate::shelf::{System, normalised};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;

/// `GET /v3/systems/{system}/packages/{name}`: names and systems are taken in any case, and answered canonically.
pub(crate) async fn package(State(world): State<Arc<World>>, Path((system, name)): Path<(String, String)>) -> Response {
    let (word, system) = match system.to_ascii_uppercase().as_str() {
        "PYPI" => ("PYPI", Some(System::Pypi)),
        "NPM" => ("NPM", Some(System::Npm)),
        "CARGO" => ("CARGO", Some(System::Cargo)),
        "GO" | "MAVEN" | "NUGET" | "RUBYGEMS" => ("", None),
        _ => return (StatusCode::BAD_REQUEST, "invalid system\n").into_response(),
    };
    let name = if system == Some(System::Pypi) { normalised(&name) } else { name };
    let state = world.lock();
    let releases = system.and_then(|system| state.shelf.releases(system, &name));
    let releases = releases.filter(|releases| !releases.is_empty());
    let Some(releases) = releases else {
        return (StatusCode::NOT_FOUND, "package not found\n").into_response();
    };
    let default = releases.iter().rposition(|release| !release.yanked);
    let versions: Vec<serde_json::Value> = releases
        .iter()
        .enumerate()
        .map(|(position, release)| {
            let mut version = json!({
                "versionKey": {"system": word, "name": name, "version": release.version},
                "isDefault": default == Some(position),
                "isDeprecated": release.yanked,
            });
            if let Some(published_at) = release.published_at {
                version["publishedAt"] = published_at.to_string().into();
            }
            version
        })
        .collect();
    Json(json!({"packageKey": {"system": word, "name": name}, "versions": versions})).into_response()
}
