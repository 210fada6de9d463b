//! What an answer of GitHub's means: a value, or one of the ways a request can fail.

use super::{ForgeError, limits};
use crate::domain::text::{cut, is_hidden};
use crate::domain::{Limit, Refusal};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longer messages are cut: they end up in logs and on pages.
const LONGEST_MESSAGE_CHARS: usize = 600;
/// An error's body is smaller; larger ones are not read twice.
const LARGEST_DENIAL_BYTES: usize = 16 << 10;

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
struct Wording {
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

    /// GitHub's word that a limit is reached, if this is one.
    pub(super) fn refusal(&self, now: Timestamp) -> Option<Refusal> {
        match self.denial() {
            None if self.status.is_success() => None,
            None => limits::refusal(self.status, &self.headers, &self.message(), now),
            // No header of it says that it is a refusal, so the words have to.
            Some(denial) => limits::refusal(StatusCode::FORBIDDEN, &HeaderMap::new(), &denial, now),
        }
    }

    /// Passes a success on and sorts everything else by what the caller does about it.
    pub(super) fn or_error(self, now: Timestamp) -> Result<Self, ForgeError> {
        let endpoint = self.endpoint.clone();
        if let Some(Refusal { pause, .. }) = self.refusal(now) {
            let secondary = pause.limit == Limit::Secondary;
            return Err(ForgeError::RateLimited { until: pause.until, secondary, endpoint });
        }
        if self.status == StatusCode::PARTIAL_CONTENT {
            return Err(self.not_understood("it is a part of an answer, and nothing else was asked for"));
        }
        if self.status.is_success() {
            return match self.denial() {
                Some(denial) => Err(self.not_understood(format!("it is called a success and says: {denial}"))),
                None => Ok(self),
            };
        }
        let message = self.message();
        let said = message.to_ascii_lowercase();
        Err(match self.status.as_u16() {
            401 => ForgeError::Unauthorized { why: self.unauthorized(&message), endpoint },
            403 if said.contains("suspended") => ForgeError::Suspended { endpoint },
            403 if said.contains("archived") => ForgeError::Archived { endpoint },
            // 405 is how it refuses to merge.
            403 | 405 | 451 => ForgeError::Forbidden { endpoint, needs: self.needs(), message },
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

    /// What went wrong, where the status says success and the body is an error's: with the address of its
    /// documentation, or with a list of errors.
    fn denial(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Denial {
            documentation_url: Option<Value>,
            errors: Option<Vec<Value>>,
        }
        if !self.status.is_success() || self.body.len() > LARGEST_DENIAL_BYTES {
            return None;
        }
        let denial: Denial = serde_json::from_slice(&self.body).ok()?;
        let failed = denial.documentation_url.is_some() || denial.errors.is_some_and(|errors| !errors.is_empty());
        failed.then(|| self.message())
    }

    /// GitHub's message and the details of its `errors`, in one line.
    fn message(&self) -> String {
        let refusal: Wording = serde_json::from_slice(&self.body).unwrap_or_default();
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
    cut(text, LONGEST_MESSAGE_CHARS).chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_one_line_that_hides_nothing() {
        assert_eq!(readable("a\u{1b}b\nc\u{2028}d\u{61c}e\u{ad}f\u{202e}g\u{e0041}é"), "a b c d e f g é");
        assert_eq!(readable(&"x".repeat(10_000)).chars().count(), LONGEST_MESSAGE_CHARS);
    }
}
