//! The deps.dev API, version 3: `GetPackage` and `GetVersion`.

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
    let Some((word, system)) = system_called(&system) else {
        return (StatusCode::BAD_REQUEST, "invalid system\n").into_response();
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

/// `GET /v3/systems/{system}/packages/{name}/versions/{version}`: one release, with where to read about it.
pub(crate) async fn version(
    State(world): State<Arc<World>>,
    Path((system, name, version)): Path<(String, String, String)>,
) -> Response {
    let Some((word, system)) = system_called(&system) else {
        return (StatusCode::BAD_REQUEST, "invalid system\n").into_response();
    };
    let name = if system == Some(System::Pypi) { normalised(&name) } else { name };
    let state = world.lock();
    let releases = system.and_then(|system| state.shelf.releases(system, &name));
    let release = releases.and_then(|releases| releases.iter().find(|release| release.version == version));
    let (Some(system), Some(release)) = (system, release) else {
        return (StatusCode::NOT_FOUND, "version not found\n").into_response();
    };
    let pages = state.shelf.pages(system, &name);
    let labelled = [("SOURCE_REPO", pages.source), ("HOMEPAGE", pages.homepage)];
    let links: Vec<serde_json::Value> =
        labelled.into_iter().filter_map(|(label, url)| Some(json!({"label": label, "url": url?}))).collect();
    let mut one = json!({
        "versionKey": {"system": word, "name": name, "version": release.version},
        "isDefault": releases.and_then(|releases| releases.last()).is_some_and(|last| last.version == version),
        "isDeprecated": release.yanked,
        "licenses": [],
        "advisoryKeys": [],
        "links": links,
        "slsaProvenances": [],
        "registries": [],
        "relatedProjects": [],
    });
    if let Some(published_at) = release.published_at {
        one["publishedAt"] = published_at.to_string().into();
    }
    Json(one).into_response()
}

/// A system by its name in any case; `None` within for one of which the stand-in has no packages.
fn system_called(name: &str) -> Option<(&'static str, Option<System>)> {
    Some(match name.to_ascii_uppercase().as_str() {
        "PYPI" => ("PYPI", Some(System::Pypi)),
        "NPM" => ("NPM", Some(System::Npm)),
        "CARGO" => ("CARGO", Some(System::Cargo)),
        "GO" | "MAVEN" | "NUGET" | "RUBYGEMS" => ("", None),
        _ => return None,
    })
}
