//! Answers that a client may have already: with an ETag, and 304 for whoever names it.

use crate::shelf::sha256_hex;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// The document with its ETag; 304 where the client has it already.
pub(crate) fn answer(headers: &HeaderMap, media_type: &'static str, body: String) -> Response {
    let etag = format!("\"{}\"", &sha256_hex(body.as_bytes())[..32]);
    let named = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = named.is_some_and(|tags| {
        tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    });
    if known {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    let mut response = ([(header::ETAG, etag)], body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
