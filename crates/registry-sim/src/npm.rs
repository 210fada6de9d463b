//! A registry of JavaScript packages: packuments, the full ones and the abbreviated.

use crate::World;
use crate::conditional;
use crate::shelf::{Pages, Released, System, sha256_hex};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// `GET /npm/{name}`: a package's document. The slash of `@scope/name` is escaped, as clients of npm's registry do.
pub(crate) async fn packument(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let state = world.lock();
    let Some(releases) = state.shelf.releases(System::Npm, &name) else {
        return (StatusCode::NOT_FOUND, axum::Json(json!({"error": "Not found"}))).into_response();
    };
    let latest = state.shelf.latest(&name);
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_abbreviated = accept.contains(ABBREVIATED);
    let document = match (releases.is_empty(), is_abbreviated) {
        (true, _) => unpublished(&name),
        (false, true) => abbreviated(&world.origin, &name, releases, latest),
        (false, false) => {
            let mut document = full(&world.origin, &name, releases, latest);
            about(&mut document, &state.shelf.pages(System::Npm, &name));
            document
        }
    };
    let kind = if is_abbreviated { ABBREVIATED } else { "application/json" };
    conditional::answer(&headers, kind, document.to_string())
}

/// `GET /npm/{name}/{version}`: the document of one version.
pub(crate) async fn version(
    State(world): State<Arc<World>>,
    Path((name, version)): Path<(String, String)>,
) -> Response {
    let state = world.lock();
    let releases = state.shelf.releases(System::Npm, &name);
    let Some(release) = releases.and_then(|all| all.iter().find(|release| release.version == version)) else {
        return (StatusCode::NOT_FOUND, axum::Json(json!(format!("version not found: {version}")))).into_response();
    };
    let mut document = manifest(&world.origin, &name, release);
    document["_id"] = format!("{name}@{version}").into();
    about(&mut document, &state.shelf.pages(System::Npm, &name));
    axum::Json(document).into_response()
}

/// What the publisher says of where to read more, in a full document.
fn about(document: &mut Value, pages: &Pages) {
    if let Some(source) = &pages.source {
        document["repository"] = json!({"type": "git", "url": source});
    }
    if let Some(homepage) = &pages.homepage {
        document["homepage"] = homepage.as_str().into();
    }
}

/// What is left of a package whose versions were all taken out.
fn unpublished(name: &str) -> Value {
    json!({"_id": name, "name": name, "time": {"unpublished": {"name": name, "versions": []}}})
}

fn abbreviated(origin: &str, name: &str, releases: &[Released], latest: Option<&str>) -> Value {
    let versions: Map<String, Value> =
        releases.iter().map(|release| (release.version.clone(), manifest(origin, name, release))).collect();
    json!({"name": name, "dist-tags": {"latest": latest}, "versions": versions})
}

fn full(origin: &str, name: &str, releases: &[Released], latest: Option<&str>) -> Value {
    let mut document = abbreviated(origin, name, releases, latest);
    let dated = releases.iter().filter_map(|release| Some((&release.version, release.published_at?)));
    let mut time: Map<String, Value> =
        dated.clone().map(|(version, at)| (version.clone(), at.to_string().into())).collect();
    let moments = || dated.clone().map(|(_, at)| at);
    for (word, moment) in [("created", moments().min()), ("modified", moments().max())] {
        time.extend(moment.map(|moment| (word.to_owned(), moment.to_string().into())));
    }
    document["_id"] = name.into();
    document["readme"] = format!("# {name}\n").into();
    document["time"] = time.into();
    document
}

fn manifest(origin: &str, name: &str, release: &Released) -> Value {
    let version = &release.version;
    let bare = name.rsplit('/').next().unwrap_or(name);
    let mut manifest = json!({
        "name": name,
        "version": version,
        "dependencies": {},
        "dist": {
            "tarball": format!("{origin}/npm/{name}/-/{bare}-{version}.tgz"),
            "shasum": &sha256_hex(version.as_bytes())[..40],
        },
    });
    if release.yanked {
        manifest["deprecated"] = "taken back".into();
    }
    manifest
}
