//! GitHub's OpenAPI description as a judge: does an HTTP exchange keep to it, on both sides?
//!
//! `scripts/contract-data` (or `make contract-data`) fetches the description and cuts it into one file per operation,
//! so a test process reads only what it needs. What the description leaves out and GitHub's prose documents is listed
//! in [`general_status`] and [`Contract::operation_of`], nowhere else.

mod data;
mod report;

use data::{Body, Found, Index, Operation};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub use data::{WebhookExample, query_pairs, webhook_examples};

/// One request and its answer, as the wire had them.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// `GET`, `POST` …
    pub method: String,
    /// The path below the API's root, still percent-encoded, without the query.
    pub path: String,
    /// The query's pairs, decoded, in order ([`query_pairs`]).
    pub query: Vec<(String, String)>,
    /// The body sent, if it was JSON.
    pub request_body: Option<Value>,
    /// The answer's status; 0 if none came (a hang, a cut connection), and then the request alone is judged.
    pub status: u16,
    /// The answer's headers; the case of their names does not matter.
    pub response_headers: Vec<(String, String)>,
    /// The answer's body where it was JSON; what was sent under another media type may be left out.
    pub response_body: Option<Value>,
}

impl Exchange {
    /// What a stand-in took down.
    fn of(seen: github_sim::Exchange) -> Self {
        Self {
            method: seen.method,
            path: seen.path,
            query: query_pairs(seen.query.as_deref().unwrap_or("")),
            request_body: seen.request_body,
            status: seen.status,
            response_headers: seen.response_headers.into_iter().collect(),
            response_body: seen.response_body,
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.response_headers.iter().find(|(each, _)| each.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the answer claims to be JSON. `application/vnd.github.raw+json` and its like name a rendering that is
    /// not, whatever their ending says.
    fn answers_json(&self) -> bool {
        const RENDERINGS: [&str; 5] = [".raw", ".diff", ".patch", ".sha", ".sarif"];
        self.header("content-type")
            .is_some_and(|media| media.contains("json") && !RENDERINGS.iter().any(|each| media.contains(each)))
    }
}

/// GitHub's description, ready to be asked.
pub struct Contract {
    index: Index,
    operations: Mutex<HashMap<String, Arc<Operation>>>,
}

/// Violations without those by the address of an App's bot: as GitHub writes it, it is none by the format that GitHub's own
/// description names.
pub fn without_bots(mut violations: Vec<String>) -> Vec<String> {
    violations.retain(|violation| !violation.contains("[bot]@users.noreply"));
    violations
}

impl Contract {
    /// Reads the index of the description; operations are read when they are first met.
    ///
    /// Panics with the command to run when the description was not fetched.
    pub fn load() -> Self {
        Self { index: Index::load(), operations: Mutex::default() }
    }

    /// Everything in which the exchange departs from the description, one sentence each. Empty is good.
    ///
    /// The request: a documented path and method, known query parameters of the right type, path parameters of the
    /// right type, a body that fits its schema and has no property GitHub would ignore. A request that GitHub
    /// refuses for its body (400, 422) is not judged by it: the answer already says so.
    /// The answer: a documented status, and a body that fits the schema of that status.
    pub fn violations(&self, exchange: &Exchange) -> Vec<String> {
        let (operation, found) = match self.operation_of(&exchange.method, &exchange.path) {
            Ok(found) => found,
            Err(problem) => return vec![problem],
        };
        let mut said = Vec::new();
        judge_parameters(&operation, &found, exchange, &mut said);
        if !matches!(exchange.status, 400 | 422) {
            judge_request_body(&operation, exchange, &mut said);
        }
        if exchange.status != 0 {
            judge_answer(&operation, exchange, &mut said);
        }
        said.into_iter().map(|each| report::cut(&format!("{}: {each}", operation.name))).collect()
    }

    /// Where anything that was said to a stand-in goes against the description. Faults that were asked for do not count.
    pub fn all_violations(&self, seen: Vec<github_sim::Exchange>) -> Vec<String> {
        let seen = seen.into_iter().filter(|exchange| exchange.fault.is_none());
        without_bots(seen.flat_map(|seen| self.violations(&Exchange::of(seen))).collect())
    }

    /// The properties of an answer that the description does not know. For a stand-in: GitHub may add a property any
    /// day, so a client must bear them, but one that a stand-in invents is one that a client could come to rely on.
    pub fn inventions(&self, exchange: &Exchange) -> Vec<String> {
        let Ok((operation, _)) = self.operation_of(&exchange.method, &exchange.path) else { return Vec::new() };
        let described = operation.responses.get(&exchange.status.to_string());
        let validator = described.and_then(|body| body.closed_validator(&operation.definitions));
        match (validator, &exchange.response_body) {
            (Some(validator), Some(body)) if exchange.answers_json() => {
                let place = format!("{}: answer {}", operation.name, exchange.status);
                report::unknown_properties(validator, body, &place).iter().map(|each| report::cut(each)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Everything in which a webhook's payload departs from the description of its event and action.
    pub fn webhook_violations(&self, event: &str, payload: &Value) -> Vec<String> {
        data::webhook_schema(event, payload["action"].as_str()).map_or_else(
            || vec![format!("webhook `{event}`: no such event and action ({}) is documented", payload["action"])],
            |schema| {
                let validator = data::compile(&schema);
                let place = format!("webhook `{event}`: payload");
                report::violations(&validator, payload, &place).iter().map(|each| report::cut(each)).collect()
            },
        )
    }

    /// The request bodies GitHub's description gives as examples of an operation.
    pub fn example_requests(&self, operation: &str) -> Vec<Value> {
        self.named(operation).request.as_ref().map_or_else(Vec::new, |request| request.body.examples.clone())
    }

    /// The answers GitHub's description gives as examples of an operation's status. Some of them are older than
    /// their schema and violate it.
    pub fn example_answers(&self, operation: &str, status: u16) -> Vec<Value> {
        self.named(operation).responses.get(&status.to_string()).map_or_else(Vec::new, |body| body.examples.clone())
    }

    fn named(&self, operation: &str) -> Arc<Operation> {
        self.operation(&format!("operations/{}.json", operation.replace('/', ".")))
    }

    /// The operation a request is for, with its path parameters.
    fn operation_of(&self, method: &str, path: &str) -> Result<(Arc<Operation>, Found), String> {
        // Enterprise Server has the same API below a prefix.
        let path = path.strip_prefix("/api/v3").unwrap_or(path);
        // HEAD answers as GET does, without the body; the description does not repeat it.
        let described_method = if method == "HEAD" { "GET" } else { method };
        let found = self.index.find(described_method, path).or_else(|problem| {
            // GitHub redirects a renamed repository to `/repositories/{id}/…` and puts the same form into `Link`
            // headers of pages. It is no path of the description, but answers as `/repos/{owner}/{repo}/…` does.
            let by_id = path.strip_prefix("/repositories/").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
            match by_id {
                Some((id, rest)) if id.parse::<u64>().is_ok() => {
                    let path = format!("/repos/owner/{id}/{rest}");
                    self.index.find(described_method, path.trim_end_matches('/'))
                }
                _ => Err(problem),
            }
        })?;
        Ok((self.operation(&found.file), found))
    }

    fn operation(&self, file: &str) -> Arc<Operation> {
        let mut operations = self.operations.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        Arc::clone(operations.entry(file.to_owned()).or_insert_with(|| Arc::new(Operation::load(file))))
    }
}

fn judge_parameters(operation: &Operation, found: &Found, exchange: &Exchange, said: &mut Vec<String>) {
    for (name, value) in &found.parameters {
        if let Some(parameter) = operation.parameter("path", name)
            && !parameter.accepts(value)
        {
            let expected = parameter.expected();
            said.push(format!("path parameter `{name}`: expected {expected}, got `{}`", report::short(value)));
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in &exchange.query {
        let name = name.trim_end_matches("[]");
        let Some(parameter) = operation.parameter("query", name) else {
            said.push(format!("query parameter `{name}`: not documented; GitHub would ignore it"));
            continue;
        };
        if seen.contains(&name) && !parameter.is_list() {
            said.push(format!("query parameter `{name}`: given more than once"));
        }
        if !parameter.accepts(value) {
            let expected = parameter.expected();
            said.push(format!("query parameter `{name}`: expected {expected}, got `{}`", report::short(value)));
        }
        seen.push(name);
    }
    for parameter in operation.parameters.iter().filter(|each| each.place == "query" && each.required) {
        if !seen.contains(&parameter.name.as_str()) {
            said.push(format!("query parameter `{}`: required, missing", parameter.name));
        }
    }
}

fn judge_request_body(operation: &Operation, exchange: &Exchange, said: &mut Vec<String>) {
    match (&operation.request, &exchange.request_body) {
        (None, None) => {}
        (None, Some(_)) => said.push("request body: none is documented; GitHub would ignore it".to_owned()),
        (Some(described), None) if described.required => said.push("request body: required, missing".to_owned()),
        (Some(_), None) => {}
        (Some(described), Some(body)) => {
            if let Some(validator) = described.body.validator(&operation.definitions) {
                said.extend(report::violations(validator, body, "request body"));
            }
        }
    }
}

fn judge_answer(operation: &Operation, exchange: &Exchange, said: &mut Vec<String>) {
    let status = exchange.status;
    match (operation.responses.get(&status.to_string()), general_status(status, &exchange.method)) {
        // The edge in front of GitHub may answer with any page.
        (_, Some(General::OutOfOrder)) => {}
        (Some(described), _) => judge_answer_body(operation, described, exchange, said),
        (None, Some(General::Refusal)) => match &exchange.response_body {
            Some(body) if body["message"].is_string() => {}
            _ => said.push(format!("answer {status}: expected an object with a `message`, as GitHub's errors have")),
        },
        (None, Some(General::NotModified | General::Redirect)) => {}
        (None, None) => {
            let documented: Vec<&str> = operation.responses.keys().map(String::as_str).collect();
            said.push(format!("answer {status}: not documented; documented are {}", documented.join(", ")));
        }
    }
    if matches!(status, 301 | 302 | 307 | 308) && exchange.header("location").is_none() {
        said.push(format!("answer {status}: a redirect without a `location` header"));
    }
    if status == 304 && exchange.response_body.is_some() {
        said.push("answer 304: has a body".to_owned());
    }
}

fn judge_answer_body(operation: &Operation, described: &Body, exchange: &Exchange, said: &mut Vec<String>) {
    let status = exchange.status;
    match &exchange.response_body {
        Some(_) if exchange.method == "HEAD" => said.push("answer to HEAD: has a body".to_owned()),
        None if exchange.method == "HEAD" || described.types.is_empty() => {}
        None if exchange.header("content-type").is_some() && !exchange.answers_json() => {}
        // GitHub's redirects carry a small object, but nobody reads it.
        None if (300..400).contains(&status) => {}
        None => said.push(format!("answer {status}: expected a body ({}), got none", described.types.join(", "))),
        // Every refusal of GitHub's comes with its words, where the description leaves that out, too.
        Some(body) if described.types.is_empty() && status >= 400 && body["message"].is_string() => {}
        Some(_) if described.types.is_empty() => said.push(format!("answer {status}: expected no body, got one")),
        Some(_) if exchange.header("content-type").is_none() => {
            said.push(format!("answer {status}: a body without a `content-type` header"));
        }
        Some(body) if exchange.answers_json() => {
            if let Some(validator) = described.validator(&operation.definitions) {
                said.extend(report::violations(validator, body, &format!("answer {status}")));
            }
        }
        // A rendering (raw, diff, patch) that the request's `accept` asked for: its text has no schema.
        Some(_) => {}
    }
}

/// What GitHub may answer to anything, whether or not the operation's description says so.
enum General {
    /// "If the resource moved" (best practices: "Follow redirects").
    Redirect,
    /// A conditional request whose answer did not change (best practices: "Use conditional requests").
    NotModified,
    /// Not authenticated, not allowed, not there, too much, not JSON (troubleshooting the REST API; rate limits).
    Refusal,
    /// Timeouts and outages (troubleshooting the REST API: "Timeouts").
    OutOfOrder,
}

/// The statuses that GitHub's prose documents for the API as a whole and its description often omits.
///
/// Source: GitHub REST docs, "Troubleshooting the REST API", "Best practices for using the REST API" and "Rate limits
/// for the REST API".
fn general_status(status: u16, method: &str) -> Option<General> {
    match status {
        301 | 302 | 307 => Some(General::Redirect),
        304 if matches!(method, "GET" | "HEAD") => Some(General::NotModified),
        400 | 401 | 403 | 404 | 429 => Some(General::Refusal),
        500..=599 => Some(General::OutOfOrder),
        _ => None,
    }
}
