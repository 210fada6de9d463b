//! What an answer of GitHub's means: a value, or one of the ways a request can fail.

use super::{ForgeError, limits};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longer messages are cut: they end up in logs and on pages.
const LONGEST_MESSAGE_CHARS: usize = 600;

/// An answer that has arrived completely.
pub(super) struct Answer {
    pub(super) endpoint: String,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// What the request was signed with, to keep it out of errors should the other side send it back.
    pub(super) credential: SecretString,
}

/// How GitHub words a refusal.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    message: Value,
    errors: Value,
}

impl Answer {
    /// The body of a success.
    ///
    /// Errors: [`ForgeError::Protocol`] naming what is missing.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ForgeError> {
        serde_json::from_slice(&self.body).map_err(|error| self.not_understood(error.to_string()))
    }

    pub(super) fn not_understood(&self, why: impl Into<String>) -> ForgeError {
        ForgeError::Protocol { endpoint: self.endpoint.clone(), why: self.quotable(why.into()) }
    }

    /// A text of the other side as it may appear in an error. The credential goes before the text is cut: half of
    /// one would not be found any more.
    fn quotable(&self, text: String) -> String {
        readable(&without(text, &self.credential))
    }

    /// Passes a success on and sorts everything else by what the caller does about it.
    pub(super) fn or_error(self, now: Timestamp) -> Result<Self, ForgeError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let endpoint = self.endpoint.clone();
        let message = self.message();
        let said = message.to_ascii_lowercase();
        if let Some(pause) = limits::pause(self.status, &self.headers, &message, now) {
            return Err(ForgeError::RateLimited { until: pause.until, secondary: pause.secondary, endpoint });
        }
        Err(match self.status.as_u16() {
            401 => ForgeError::Unauthorized { why: self.unauthorized(&message), endpoint },
            403 if said.contains("suspended") => ForgeError::Suspended { endpoint },
            403 if said.contains("archived") => ForgeError::Archived { endpoint },
            403 | 451 => ForgeError::Forbidden { endpoint, needs: self.needs(), message },
            // Said of the App itself, to a JWT in its name: no repository or installation is gone.
            404 if said == "integration not found" => {
                ForgeError::Unauthorized { why: self.unauthorized(&message), endpoint }
            }
            404 | 410 => ForgeError::Gone { endpoint, message },
            409 if said.contains("empty") => ForgeError::Empty { endpoint },
            409 => ForgeError::Conflict { endpoint, why: message, found: None, pull: None },
            422 if said.contains("rule violations") => ForgeError::Forbidden { endpoint, needs: None, message },
            400 | 422 => ForgeError::Invalid { endpoint, message },
            408 | 500..=599 => ForgeError::Unavailable { endpoint, why: format!("{}: {message}", self.status) },
            _ => ForgeError::Protocol { endpoint, why: format!("status {}: {message}", self.status) },
        })
    }

    /// Whether it is about a limit.
    pub(super) fn asks_for_pause(&self, now: Timestamp) -> bool {
        // Reading the message is for refusals only.
        self.status.is_client_error() && limits::pause(self.status, &self.headers, &self.message(), now).is_some()
    }

    /// GitHub's message and the details of its `errors`, in one line.
    fn message(&self) -> String {
        let refusal: Refusal = serde_json::from_slice(&self.body).unwrap_or_default();
        let mut parts: Vec<String> = refusal.message.as_str().map(String::from).into_iter().collect();
        match &refusal.errors {
            Value::Array(errors) => parts.extend(errors.iter().take(5).filter_map(detail)),
            other => parts.extend(other.as_str().map(String::from)),
        }
        if parts.is_empty() {
            return "no reason was given".into();
        }
        self.quotable(parts.join("; "))
    }

    /// Adds to a 401 what to check. A JWT is refused in three ways, and the clock is the least obvious.
    fn unauthorized(&self, message: &str) -> String {
        let said = message.to_ascii_lowercase();
        if said.contains("'iat'") || said.contains("'exp'") || said.contains("issued at") || said.contains("expiration")
        {
            let date = self.headers.get(http::header::DATE).and_then(|v| v.to_str().ok()).unwrap_or("unknown");
            format!("{message}; this machine's clock is off: set it by NTP (GitHub's clock says {date})")
        } else if said.contains("integration not found") {
            format!("{message}; there is no App of that id on this GitHub: check GITHUB_APP_ID and GITHUB_API_URL")
        } else if said.contains("json web token") {
            format!("{message}; check that the App's id and private key belong together")
        } else {
            message.into()
        }
    }

    /// The permissions that would have allowed the request: one of the `;`-separated groups suffices.
    fn needs(&self) -> Option<String> {
        let value = self.headers.get("x-accepted-github-permissions")?.to_str().ok()?;
        let value = self.quotable(value.trim().into());
        (!value.is_empty()).then(|| value.replace("; ", " or "))
    }
}

fn detail(error: &Value) -> Option<String> {
    if let Some(text) = error.as_str() {
        return Some(text.into());
    }
    if let Some(text) = error["message"].as_str() {
        return Some(text.into());
    }
    let field = error["field"].as_str()?;
    Some(format!("field `{field}` is {}", error["code"].as_str().unwrap_or("wrong")))
}

/// The text without the secret.
pub(super) fn without(text: String, secret: &SecretString) -> String {
    let secret = secret.expose_secret();
    if secret.is_empty() { text } else { text.replace(secret, "[redacted]") }
}

/// One line of bounded length: what a server sends goes to terminals and logs.
pub(super) fn readable(text: &str) -> String {
    let line: String = text.chars().take(LONGEST_MESSAGE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST_MESSAGE_CHARS).is_some() { line + "…" } else { line }
}
