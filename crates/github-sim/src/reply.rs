//! What a route answers: status, headers, body, and GitHub's own error shapes.

use serde_json::{Value, json};

/// Where GitHub's error bodies point to.
const DOCUMENTATION: &str = "https://docs.github.com/rest";

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Empty,
    Json(Value),
    Bytes { media_type: &'static str, bytes: Vec<u8> },
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub content: Content,
}

/// A route's result: errors are replies too, so that `?` can be used.
pub(crate) type Answer = Result<Reply, Reply>;

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Reply {
        Reply { status, headers: Vec::new(), content: Content::Json(body) }
    }

    pub(crate) fn ok(body: Value) -> Reply {
        Reply::json(200, body)
    }

    pub(crate) fn created(body: Value) -> Reply {
        let location = body["url"].as_str().map(str::to_owned);
        let mut reply = Reply::json(201, body);
        if let Some(location) = location {
            reply.headers.push(("location", location));
        }
        reply
    }

    pub(crate) fn no_content() -> Reply {
        Reply { status: 204, headers: Vec::new(), content: Content::Empty }
    }

    pub(crate) fn bytes(media_type: &'static str, bytes: Vec<u8>) -> Reply {
        Reply { status: 200, headers: Vec::new(), content: Content::Bytes { media_type, bytes } }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn error(status: u16, message: &str) -> Reply {
        Reply::json(
            status,
            json!({ "message": message, "documentation_url": DOCUMENTATION, "status": status.to_string() }),
        )
    }

    pub(crate) fn not_found() -> Reply {
        Reply::error(404, "Not Found")
    }

    pub(crate) fn bad_credentials() -> Reply {
        Reply::error(401, "Bad credentials")
    }

    pub(crate) fn unprocessable(message: &str) -> Reply {
        Reply::error(422, message)
    }

    /// 422 "Validation Failed" with one entry in `errors`.
    pub(crate) fn invalid(error: Value) -> Reply {
        Reply::json(
            422,
            json!({
                "message": "Validation Failed",
                "errors": [error],
                "documentation_url": DOCUMENTATION,
                "status": "422",
            }),
        )
    }

    /// 422 for a rule in words: `code: custom`.
    pub(crate) fn custom(resource: &str, message: &str) -> Reply {
        Reply::invalid(json!({ "resource": resource, "code": "custom", "message": message }))
    }

    /// 422 for one field: `missing_field`, `invalid`.
    pub(crate) fn field(resource: &str, field: &str, code: &str) -> Reply {
        Reply::invalid(json!({ "resource": resource, "field": field, "code": code }))
    }
}

impl From<git2::Error> for Reply {
    fn from(error: git2::Error) -> Reply {
        tracing::error!(%error, "git failed inside the stand-in");
        Reply::error(500, &format!("Server Error: {}", error.message()))
    }
}
