//! Faults on demand: what a registry does on a bad day.

use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, StatusCode, header};
use std::io;

/// How a request goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// This status, with a line of text.
    Status(u16),
    /// 429 with `retry-after` in seconds.
    RateLimited {
        /// The value of `retry-after`.
        retry_after_seconds: u32,
    },
    /// No answer at all, for as long as the client waits.
    Hang,
    /// The honest answer, cut in the middle of its body.
    CutBody,
    /// 200 with the honest headers and half a JSON document.
    GarbageJson,
    /// 200 with the honest headers and a body of at least this many bytes of white space.
    HugeBody {
        /// Its length in bytes.
        bytes: u64,
    },
}

/// A fault that waits for its requests.
pub(crate) struct Fault {
    pub(crate) path_glob: String,
    pub(crate) kind: FaultKind,
    pub(crate) times: usize,
}

/// The first fault that matches the path; it has one time less afterwards.
pub(crate) fn take(faults: &mut Vec<Fault>, path: &str) -> Option<FaultKind> {
    let fault = faults.iter_mut().find(|fault| fault.times > 0 && matches(&fault.path_glob, path))?;
    fault.times -= 1;
    let kind = fault.kind;
    faults.retain(|fault| fault.times > 0);
    Some(kind)
}

/// Whether `glob` covers all of `text`; `*` stands for any run of characters.
fn matches(glob: &str, text: &str) -> bool {
    let Some((head, rest)) = glob.split_once('*') else { return glob == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest, &text[at..]))
}

/// The answer a fault makes of an honest one.
pub(crate) async fn spoil(kind: FaultKind, honest: Response) -> Response {
    let (mut parts, body) = honest.into_parts();
    let body = match kind {
        FaultKind::Hang => body,
        FaultKind::Status(status) => {
            parts.status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            parts.headers.clear();
            Body::from("a fault was asked for\n")
        }
        FaultKind::RateLimited { retry_after_seconds } => {
            parts.status = StatusCode::TOO_MANY_REQUESTS;
            parts.headers.clear();
            parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            Body::from("slow down\n")
        }
        FaultKind::CutBody => {
            let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
            let half = bytes.slice(..bytes.len() / 2);
            // The error makes the server drop the connection before the body's end is announced; the pause before
            // it lets the first half go out.
            let cut = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::other("cut"))
            });
            Body::from_stream(stream::iter([Ok(half)]).chain(cut))
        }
        FaultKind::GarbageJson => {
            parts.status = StatusCode::OK;
            Body::from("{\"versions\": [{\"versionKey\": {\"version\": ")
        }
        FaultKind::HugeBody { bytes } => {
            parts.status = StatusCode::OK;
            let chunk = Bytes::from_static(&[b' '; 64 * 1024]);
            let chunks = usize::try_from(bytes.div_ceil(chunk.len() as u64)).unwrap_or(usize::MAX);
            Body::from_stream(stream::repeat(chunk).take(chunks).map(Ok::<_, io::Error>))
        }
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        assert!(matches("*", "/v2/"));
        assert!(matches("/simple/*/", "/simple/httpx/"));
        assert!(matches("*/tags/list*", "/v2/acme/base/tags/list?n=10"));
        assert!(!matches("/simple/*", "/v2/"));
        assert!(!matches("/v2/", "/v2/x"));
    }
}
