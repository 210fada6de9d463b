//! The OCI distribution API, as far as a reader of tags and digests needs it, and the token service beside it.

use crate::World;
use crate::shelf::{Grant, IMAGE_INDEX, Manifest, Shelf};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use jiff::SignedDuration;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

const SERVICE: &str = "registry-sim";
const MANIFEST_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// `GET /token`: a token for the scopes asked for (`repository:NAME:pull`), valid for a short time.
pub(crate) async fn token(State(world): State<Arc<World>>, Query(query): Query<Vec<(String, String)>>) -> Response {
    if query.iter().all(|(key, value)| key != "service" || value != SERVICE) {
        return (StatusCode::BAD_REQUEST, Json(json!({"details": "unknown service"}))).into_response();
    }
    let scopes = query.iter().filter(|(key, _)| key == "scope").flat_map(|(_, value)| value.split(' '));
    let mut repositories = Vec::new();
    for scope in scopes {
        match scope.split(':').collect::<Vec<_>>()[..] {
            ["repository", name, actions] if actions.split(',').any(|action| action == "pull") => {
                repositories.push(name.to_owned());
            }
            _ => return (StatusCode::BAD_REQUEST, Json(json!({"details": "invalid scope"}))).into_response(),
        }
    }
    let issued_at = world.now();
    let token = uuid::Uuid::new_v4().simple().to_string();
    let mut state = world.lock();
    let expires_in = state.shelf.token_lifetime_seconds;
    let expires_at = issued_at + SignedDuration::from_secs(expires_in);
    state.shelf.grants.insert(token.clone(), Grant { repositories, expires_at });
    Json(json!({"token": token, "access_token": token, "expires_in": expires_in, "issued_at": issued_at.to_string()}))
        .into_response()
}

/// `GET /v2/`: whether the API is spoken here, to whoever has a token.
pub(crate) async fn root(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    match admitted(&world, &headers, None) {
        Ok(()) => Json(json!({})).into_response(),
        Err(refusal) => *refusal,
    }
}

/// `GET` and `HEAD` of `/v2/{name}/tags/list` and `/v2/{name}/manifests/{reference}`.
pub(crate) async fn repository(
    State(world): State<Arc<World>>,
    Path(rest): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let (name, reference) = match rest.strip_suffix("/tags/list") {
        Some(name) => (name, None),
        None => match rest.rsplit_once("/manifests/") {
            Some((name, reference)) => (name, Some(reference)),
            None => return failure(StatusCode::NOT_FOUND, "UNSUPPORTED", "not served here"),
        },
    };
    if let Err(refusal) = admitted(&world, &headers, Some(name)) {
        return *refusal;
    }
    let state = world.lock();
    match reference {
        None => tags(&state.shelf, name, &query),
        Some(reference) => manifest(&state.shelf, name, reference, &headers),
    }
}

/// Whether the request's token is alive and covers the repository; otherwise the challenge that names the scope.
fn admitted(world: &World, headers: &HeaderMap, repository: Option<&str>) -> Result<(), Box<Response>> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let now = world.now();
    let state = world.lock();
    let grant = token.and_then(|token| state.shelf.grants.get(token)).filter(|grant| now < grant.expires_at);
    let covers = |grant: &Grant| repository.is_none_or(|name| grant.repositories.iter().any(|granted| granted == name));
    if grant.is_some_and(covers) {
        return Ok(());
    }
    let scope = repository.map_or_else(String::new, |name| format!(",scope=\"repository:{name}:pull\""));
    let error = match (token, grant) {
        (None, _) => "",
        (Some(_), None) => ",error=\"invalid_token\"",
        (Some(_), Some(_)) => ",error=\"insufficient_scope\"",
    };
    let challenge = format!("Bearer realm=\"{}/token\",service=\"{SERVICE}\"{scope}{error}", world.origin);
    let body = failure(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required");
    Err(Box::new(([(header::WWW_AUTHENTICATE, challenge)], body).into_response()))
}

fn tags(shelf: &Shelf, name: &str, query: &HashMap<String, String>) -> Response {
    let Some(image) = shelf.images.get(name) else {
        return failure(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry");
    };
    let wanted = match query.get("n").map(|n| n.parse::<usize>()) {
        None => shelf.tags_per_page,
        Some(Ok(n)) => n.min(shelf.tags_per_page),
        Some(Err(_)) => {
            return failure(StatusCode::BAD_REQUEST, "PAGINATION_NUMBER_INVALID", "n is not a number");
        }
    };
    let last = query.get("last").map(String::as_str);
    let after = || image.tags.keys().filter(|tag| last.is_none_or(|last| tag.as_str() > last));
    let page: Vec<&String> = after().take(wanted).collect();
    let mut headers = HeaderMap::new();
    if let Some(end) = page.last().filter(|_| after().count() > page.len()) {
        let next = format!("</v2/{name}/tags/list?last={end}&n={wanted}>; rel=\"next\"");
        headers.extend(next.parse().ok().map(|next| (header::LINK, next)));
    }
    (headers, Json(json!({"name": name, "tags": page}))).into_response()
}

fn manifest(shelf: &Shelf, name: &str, reference: &str, headers: &HeaderMap) -> Response {
    let Some(image) = shelf.images.get(name) else {
        return failure(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry");
    };
    let digest = image.tags.get(reference).map_or(reference, String::as_str);
    let Some(found) = image.manifests.get(digest) else {
        return failure(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown");
    };
    let accepts = |kind: &str| {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|taken| taken.trim().split(';').next() == Some(kind))
    };
    let by_tag = digest != reference;
    if by_tag && found.media_type == IMAGE_INDEX && !accepts(IMAGE_INDEX) && !accepts(MANIFEST_LIST) {
        // A registry gives one platform's manifest to a client that knows no index, with another digest.
        if let Some((digest, manifest)) = image.first_platform(found) {
            return document(&digest, &manifest);
        }
    }
    document(digest, found)
}

fn document(digest: &str, manifest: &Manifest) -> Response {
    let headers = [
        (header::CONTENT_TYPE, manifest.media_type.to_owned()),
        (http::HeaderName::from_static("docker-content-digest"), digest.to_owned()),
        (header::ETAG, format!("\"{digest}\"")),
    ];
    (headers, manifest.bytes.clone()).into_response()
}

fn failure(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"errors": [{"code": code, "message": message, "detail": null}]}))).into_response()
}
