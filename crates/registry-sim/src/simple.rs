//! The simple repository API as JSON: PEP 691, with the fields of PEP 700 and the yanks of PEP 592.

use crate::World;
use crate::conditional;
use crate::shelf::{Released, System, normalised, sha256_hex};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;

const SIMPLE_JSON: &str = "application/vnd.pypi.simple.v1+json";

/// `GET /simple/`: every project.
pub(crate) async fn projects(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let state = world.lock();
    let projects: Vec<serde_json::Value> = state.shelf.names(System::Pypi).map(|name| json!({"name": name})).collect();
    let meta = json!({"api-version": "1.1", "_last-serial": state.shelf.serial});
    answer(&headers, json!({"meta": meta, "projects": projects}))
}

/// `GET /simple/{project}` without its slash: there is one address for a page.
pub(crate) async fn add_slash(Path(project): Path<String>) -> Response {
    moved_to(&normalised(&project))
}

/// `GET /simple/{project}/`: a project's versions and files.
pub(crate) async fn project(
    State(world): State<Arc<World>>,
    Path(project): Path<String>,
    headers: HeaderMap,
) -> Response {
    let name = normalised(&project);
    if name != project {
        return moved_to(&name);
    }
    let state = world.lock();
    let Some(releases) = state.shelf.releases(System::Pypi, &name) else {
        return (StatusCode::NOT_FOUND, "404 Not Found").into_response();
    };
    let versions: Vec<&str> = releases.iter().map(|release| release.version.as_str()).collect();
    let files: Vec<serde_json::Value> = releases
        .iter()
        .flat_map(|release| filenames(&name, release).map(|file| describe(&world.origin, &name, release, &file)))
        .collect();
    let document = json!({
        "meta": {"api-version": "1.1", "_last-serial": state.shelf.serial},
        "name": name,
        "versions": versions,
        "files": files,
    });
    answer(&headers, document)
}

/// `GET /files/{project}/{filename}`: the bytes whose hash the page gave.
pub(crate) async fn file(
    State(world): State<Arc<World>>,
    Path((project, filename)): Path<(String, String)>,
) -> Response {
    let state = world.lock();
    let known = state.shelf.releases(System::Pypi, &project).is_some_and(|releases| {
        releases.iter().any(|release| filenames(&project, release).any(|known| known.name == filename))
    });
    if known { contents(&filename).into_response() } else { StatusCode::NOT_FOUND.into_response() }
}

fn moved_to(name: &str) -> Response {
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, format!("/simple/{name}/"))]).into_response()
}

/// A file of a release: its name, and when it was uploaded.
struct File {
    name: String,
    uploaded_at: Option<Timestamp>,
}

/// Every release is one source distribution, one wheel for all, and the wheels that were added.
fn filenames(name: &str, release: &Released) -> impl Iterator<Item = File> {
    let stem = format!("{}-{}", name.replace('-', "_"), release.version);
    let first = [format!("{stem}.tar.gz"), format!("{stem}-py3-none-any.whl")];
    let first = first.map(|name| File { name, uploaded_at: release.published_at }).into_iter();
    let added = release.wheels.iter();
    first.chain(
        added.map(move |(platform, at)| File {
            name: format!("{stem}-cp314-cp314-{platform}.whl"),
            uploaded_at: Some(*at),
        }),
    )
}

fn contents(filename: &str) -> Vec<u8> {
    format!("the contents of {filename}\n").into_bytes()
}

fn describe(origin: &str, name: &str, release: &Released, file: &File) -> serde_json::Value {
    let filename = &file.name;
    let bytes = contents(filename);
    let mut described = json!({
        "filename": filename,
        "url": format!("{origin}/files/{name}/{filename}"),
        "hashes": {"sha256": sha256_hex(&bytes)},
        "size": bytes.len(),
        "requires-python": release.requires_python,
        "yanked": release.yanked.then_some("taken back").map_or(json!(false), |reason| json!(reason)),
    });
    if let Some(uploaded_at) = file.uploaded_at {
        described["upload-time"] = uploaded_at.to_string().into();
    }
    described
}

/// The document with its ETag; 304 where the client has it already; 406 where it does not take JSON.
fn answer(headers: &HeaderMap, document: serde_json::Value) -> Response {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let accept = text(header::ACCEPT).unwrap_or("text/html");
    let takes_json = [SIMPLE_JSON, "application/vnd.pypi.simple.latest+json", "*/*"];
    if !takes_json.iter().any(|kind| accept.contains(kind)) {
        return (StatusCode::NOT_ACCEPTABLE, "only JSON is served here").into_response();
    }
    let mut response = conditional::answer(headers, SIMPLE_JSON, document.to_string());
    response.headers_mut().insert(header::VARY, http::HeaderValue::from_static("Accept"));
    response
}
