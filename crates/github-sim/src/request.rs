//! A REST request, taken apart once.

use std::collections::BTreeMap;

use axum::body::Bytes;
use http::HeaderMap;
use http::request::Parts;
use serde_json::Value;

use crate::reply::Reply;

pub(crate) struct Request {
    pub method: String,
    /// As sent, without the prefix.
    pub path: String,
    /// `/api/v3`, as Enterprise Server has it, or nothing.
    pub prefix: &'static str,
    /// The path's parts, percent-decoded one by one.
    pub segments: Vec<String>,
    pub query: Option<String>,
    pub params: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// First segments of the REST API; everything else is a page or a git repository.
const ROOTS: [&str; 11] = [
    "app",
    "apps",
    "app-manifests",
    "installation",
    "repos",
    "repositories",
    "rate_limit",
    "users",
    "orgs",
    "meta",
    "search",
];

impl Request {
    pub(crate) fn new(parts: &Parts, body: Bytes) -> Request {
        let whole = parts.uri.path();
        let (prefix, path) = match whole.strip_prefix("/api/v3") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => ("/api/v3", rest),
            _ => ("", whole),
        };
        let segments = path.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false)).collect();
        let query = parts.uri.query().map(str::to_owned);
        let params = query
            .as_deref()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name, true), decode(value, true)))
            .collect();
        Request {
            method: parts.method.to_string(),
            path: path.to_owned(),
            prefix,
            segments,
            query,
            params,
            headers: parts.headers.clone(),
            body,
        }
    }

    pub(crate) fn is_rest(&self) -> bool {
        !self.prefix.is_empty() || self.segments.first().is_some_and(|first| ROOTS.contains(&first.as_str()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// Whether the `Accept` header names a media type such as `raw` or `diff`.
    pub(crate) fn accepts(&self, format: &str) -> bool {
        self.header("accept").is_some_and(|accept| {
            accept.split(',').any(|one| {
                let one = one.split(';').next().unwrap_or_default().trim();
                one.strip_prefix("application/vnd.github.").is_some_and(|rest| {
                    let rest = rest.strip_prefix("v3.").unwrap_or(rest);
                    rest == format || rest.strip_suffix("+json") == Some(format)
                })
            })
        })
    }

    /// GitHub counts these separately: what makes content that people are notified of.
    pub(crate) fn creates_content(&self) -> bool {
        matches!(self.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE") && !self.path.ends_with("/access_tokens")
    }

    /// The body as a JSON object; an empty body is an empty object.
    pub(crate) fn json(&self) -> Result<Value, Reply> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(Value::Object(object)),
            Ok(_) => Err(Reply::error(400, "Body should be a JSON object")),
            Err(_) => Err(Reply::error(400, "Problems parsing JSON")),
        }
    }
}

/// A field that must be a string.
pub(crate) fn required(body: &Value, field: &str) -> Result<String, Reply> {
    match &body[field] {
        Value::String(text) => Ok(text.clone()),
        Value::Null if body.get(field).is_none() => {
            Err(Reply::unprocessable(&format!("Invalid request.\n\n\"{field}\" wasn't supplied.")))
        }
        other => Err(wrong_type(field, other, "string")),
    }
}

/// A field that is absent, null or a string.
pub(crate) fn optional(body: &Value, field: &str) -> Result<Option<String>, Reply> {
    match &body[field] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        other => Err(wrong_type(field, other, "string")),
    }
}

/// A field that is absent or a list of strings.
pub(crate) fn strings(body: &Value, field: &str) -> Result<Vec<String>, Reply> {
    match &body[field] {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong_type(field, item, "string")))
            .collect(),
        other => Err(wrong_type(field, other, "array")),
    }
}

fn wrong_type(field: &str, found: &Value, wanted: &str) -> Reply {
    let found = if found.is_null() { "nil".to_owned() } else { found.to_string() };
    Reply::unprocessable(&format!("Invalid request.\n\nFor 'properties/{field}', {found} is not a {wanted}."))
}

/// Percent-decoding; `+` is a space in queries alone.
pub(crate) fn decode(text: &str, query: bool) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (escape, bytes[at]) {
            (Some(byte), _) => {
                decoded.push(byte);
                at += 3;
                continue;
            }
            (None, b'+') if query => decoded.push(b' '),
            (None, byte) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Percent-encoding of everything but unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
