//! What went over the wire, for tests to count and to hold against GitHub's OpenAPI description.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

/// How a request proved who it is; never the secret itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthKind {
    /// No `Authorization` header.
    None,
    /// A JSON web token of the App.
    AppJwt,
    /// An installation token, valid or expired.
    InstallationToken,
    /// Anything else: a person's token, an unknown string.
    Other,
}

/// One REST request and its response.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Counts up from 1 in the order of arrival.
    pub sequence: u64,
    /// The stand-in's clock at arrival.
    pub at: Timestamp,
    /// `GET`, `POST` …
    pub method: String,
    /// As sent, percent-encoding included, without the `/api/v3` of Enterprise Server.
    pub path: String,
    /// Without the question mark.
    pub query: Option<String>,
    /// How the request was authenticated.
    pub auth: AuthKind,
    /// Lower-case names; `authorization` is left out.
    pub request_headers: BTreeMap<String, String>,
    /// The request's body where it is JSON.
    pub request_body: Option<Value>,
    /// 0 when no answer was given (a hang, a dropped connection).
    pub status: u16,
    /// Lower-case names.
    pub response_headers: BTreeMap<String, String>,
    /// The response's body where it is JSON, whole even if a fault cut it on the wire.
    pub response_body: Option<Value>,
    /// The fault that was played on this request, by name.
    pub fault: Option<String>,
}

/// One webhook handed to the App's address.
#[derive(Debug, Clone)]
pub struct WebhookPost {
    /// `X-GitHub-Delivery`.
    pub guid: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// The payload's `action`.
    pub action: Option<String>,
    /// Lower-case names; the signatures are left in, they are no secret.
    pub headers: BTreeMap<String, String>,
    /// The payload.
    pub body: Value,
    /// What the App answered; 0 when it could not be reached.
    pub status: u16,
    /// The App's answer in words, at most 64 kB.
    pub response_body: String,
}
