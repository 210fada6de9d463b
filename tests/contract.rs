//! The judge of HTTP exchanges, judged: it accepts what GitHub documents, and catches each kind of departure.

mod support {
    #[expect(dead_code, reason = "its own tests give it exchanges of their own")]
    pub mod contract;
}

use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::contract::{Contract, Exchange, WebhookExample, query_pairs, webhook_examples};

fn exchange(method: &str, path: &str, status: u16) -> Exchange {
    Exchange {
        method: method.to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        request_body: None,
        status,
        response_headers: Vec::new(),
        response_body: None,
    }
}

trait Telling: Sized {
    fn asking(self, query: &str) -> Self;
    fn sending(self, body: Value) -> Self;
    fn answering(self, body: Value) -> Self;
    fn rendering(self, media_type: &str, text: &str) -> Self;
    fn with_header(self, name: &str, value: &str) -> Self;
}

impl Telling for Exchange {
    fn asking(mut self, query: &str) -> Self {
        self.query = query_pairs(query);
        self
    }

    fn sending(mut self, body: Value) -> Self {
        self.request_body = Some(body);
        self
    }

    fn answering(mut self, body: Value) -> Self {
        self.response_body = Some(body);
        self.with_header("Content-Type", "application/json; charset=utf-8")
    }

    fn rendering(mut self, media_type: &str, text: &str) -> Self {
        self.response_body = Some(json!(text));
        self.with_header("content-type", media_type)
    }

    fn with_header(mut self, name: &str, value: &str) -> Self {
        self.response_headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

const SHA: &str = "7638417db6d59f3c431d3e1f261cc637155684cd";

fn reference() -> Exchange {
    exchange("GET", "/repos/acme/api/git/ref/heads/main", 200).answering(json!({
        "ref": "refs/heads/main",
        "node_id": "MDM6UmVm",
        "url": "http://127.0.0.1/repos/acme/api/git/refs/heads/main",
        "object": { "type": "commit", "sha": SHA, "url": "http://127.0.0.1/repos/acme/api/git/commits/1" },
    }))
}

fn check_run(body: Value) -> Exchange {
    let answer = Contract::load().example_answers("checks/create", 201).remove(0);
    exchange("POST", "/repos/acme/api/check-runs", 201).sending(body).answering(answer)
}

fn check_run_update(body: Value) -> Exchange {
    let answer = Contract::load().example_answers("checks/update", 200).remove(0);
    exchange("PATCH", "/repos/acme/api/check-runs/4", 200).sending(body).answering(answer)
}

fn refusal(status: u16) -> Exchange {
    exchange("GET", "/repos/acme/api/pulls", status).answering(json!({ "message": "no" }))
}

/// What GitHub gives as examples of its own operations keeps to its own description. (Those of its examples that are
/// older than their schema, such as the one of `pulls/create`, are not among these.)
#[rstest]
#[case("GET", "/app", "apps/get-authenticated", 200)]
#[case("GET", "/app/installations/1", "apps/get-installation", 200)]
#[case("POST", "/app/installations/1/access_tokens", "apps/create-installation-access-token", 201)]
#[case("GET", "/app/hook/deliveries", "apps/list-webhook-deliveries", 200)]
#[case("GET", "/app/hook/deliveries/12345678", "apps/get-webhook-delivery", 200)]
#[case("POST", "/app-manifests/a1b2/conversions", "apps/create-from-manifest", 201)]
#[case("GET", "/installation/repositories", "apps/list-repos-accessible-to-installation", 200)]
#[case("GET", "/repos/acme/api/git/ref/heads/main", "git/get-ref", 200)]
#[case("GET", "/repos/acme/api/git/trees/main", "git/get-tree", 200)]
#[case("GET", "/repos/acme/api/git/blobs/3a0f86fb8db8eea7ccbb9a95f325ddbedfb25e15", "git/get-blob", 200)]
#[case("POST", "/repos/acme/api/git/blobs", "git/create-blob", 201)]
#[case("POST", "/repos/acme/api/git/trees", "git/create-tree", 201)]
#[case("POST", "/repos/acme/api/git/commits", "git/create-commit", 201)]
#[case("POST", "/repos/acme/api/git/refs", "git/create-ref", 201)]
#[case("PATCH", "/repos/acme/api/git/refs/heads/mass-driver/pypi/httpx", "git/update-ref", 200)]
#[case("GET", "/repos/acme/api/pulls/1/files", "pulls/list-files", 200)]
#[case("GET", "/repos/acme/api/contents/docs/a%20b.md", "repos/get-content", 200)]
#[case("POST", "/repos/acme/api/check-runs", "checks/create", 201)]
#[case("PATCH", "/repos/acme/api/check-runs/4", "checks/update", 200)]
#[case("GET", "/repos/acme/api/commits/heads/main/check-runs", "checks/list-for-ref", 200)]
#[case("GET", "/repositories/1296269/git/ref/heads/main", "git/get-ref", 200)]
#[case("GET", "/api/v3/repos/acme/api/git/ref/heads/main", "git/get-ref", 200)]
fn githubs_own_examples_pass(#[case] method: &str, #[case] path: &str, #[case] operation: &str, #[case] status: u16) {
    let contract = Contract::load();
    let answers = contract.example_answers(operation, status);
    assert!(!answers.is_empty(), "{operation} has no example of {status}");
    let mut requests: Vec<_> = contract.example_requests(operation).into_iter().map(Some).collect();
    if requests.is_empty() {
        requests.push(None);
    }
    for request_body in requests {
        for answer in &answers {
            let exchange = Exchange { request_body: request_body.clone(), ..exchange(method, path, status) };
            let exchange = exchange.answering(answer.clone());
            assert_eq!(contract.violations(&exchange), Vec::<String>::new());
        }
    }
}

#[rstest]
#[case::known_query(exchange("GET", "/repos/acme/api/pulls", 200).asking("state=open&per_page=100").answering(json!([])))]
#[case::rate_limited(refusal(429))]
#[case::bad_token(refusal(401))]
#[case::renamed(exchange("GET", "/repos/acme/old/pulls", 301).with_header("Location", "http://127.0.0.1/repositories/1/pulls"))]
#[case::unchanged(exchange("GET", "/repos/acme/api", 304))]
#[case::edge_of_github(exchange("POST", "/repos/acme/api/pulls", 502).sending(json!({"head": "a", "base": "b"})).answering(json!("<html>")))]
#[case::cut_connection_answers_nothing(exchange("GET", "/repos/acme/api/git/trees/main", 504))]
#[case::no_content(exchange("DELETE", "/repos/acme/api/git/refs/heads/a", 204))]
#[case::raw_rendering(exchange("GET", "/repos/acme/api/contents/a.txt", 200).rendering("application/vnd.github.raw+json", "text"))]
#[case::raw_rendering_left_out(exchange("GET", "/repos/acme/api/contents/a.txt", 200).with_header("content-type", "application/vnd.github.raw+json"))]
#[case::no_answer(exchange("POST", "/repos/acme/api/pulls", 0).sending(json!({"head": "a", "base": "b"})))]
#[case::refused_on_purpose(exchange("POST", "/repos/acme/api/git/refs", 422).sending(json!({})).answering(json!({"message": "Validation Failed", "documentation_url": "http://127.0.0.1/docs"})))]
fn general_answers_pass(#[case] exchange: Exchange) {
    assert_eq!(Contract::load().violations(&exchange), Vec::<String>::new());
}

#[rstest]
#[case::unknown_path(exchange("GET", "/repos/acme/api/pullz", 200), "no documented path")]
#[case::unknown_method(exchange("DELETE", "/repos/acme/api/pulls", 204), "the method is not documented")]
#[case::by_id_but_nothing_there(exchange("GET", "/repositories/1/nothing", 200), "no documented path")]
#[case::path_parameter_type(exchange("GET", "/repos/acme/api/pulls/first", 404).answering(json!({"message": "Not Found"})), "pulls/get: path parameter `pull_number`: expected integer, got `first`")]
#[case::unknown_query(exchange("GET", "/repos/acme/api/pulls", 200).asking("status=open").answering(json!([])), "`status`: not documented")]
#[case::query_enum(exchange("GET", "/repos/acme/api/pulls", 200).asking("state=opened").answering(json!([])), "`state`: expected one of")]
#[case::query_type(exchange("GET", "/repos/acme/api/pulls", 200).asking("page=two").answering(json!([])), "`page`: expected integer, got `two`")]
#[case::query_most(exchange("GET", "/repos/acme/api/pulls", 200).asking("per_page=101").answering(json!([])), "at most 100")]
#[case::query_twice(exchange("GET", "/repos/acme/api/pulls", 200).asking("page=1&page=2").answering(json!([])), "given more than once")]
#[case::query_missing(exchange("GET", "/search/issues", 422).answering(json!({"message": "no", "documentation_url": "x"})), "`q`: required, missing")]
#[case::body_missing(exchange("POST", "/repos/acme/api/pulls", 201), "request body: required, missing")]
#[case::body_before_a_hang(exchange("POST", "/repos/acme/api/pulls", 0).sending(json!({"head": "a"})), "required, missing: \"base\"")]
#[case::body_not_documented(reference().sending(json!({})), "request body: none is documented")]
#[case::body_lacks(check_run(json!({"name": "a"})), "request body at /: required, missing: \"head_sha\"")]
#[case::body_type(check_run(json!({"name": 1, "head_sha": SHA})), "request body at /name")]
#[case::body_unknown(check_run(json!({"name": "a", "head_sha": SHA, "sumary": "b"})), "not documented: `sumary`")]
#[case::body_unknown_beside_alternatives(check_run_update(json!({"status": "completed", "conclusion": "success", "colour": 1})), "request body at /: not documented: `colour`")]
#[case::body_unknown_inside(check_run(json!({"name": "a", "head_sha": SHA, "output": {"title": "t", "summary": "s", "annotation": []}})), "request body at /output: not documented: `annotation`")]
#[case::body_alternatives(check_run_update(json!({"status": "completed"})), "request body at /: fits none of the 2 documented forms")]
#[case::body_format(check_run(json!({"name": "a", "head_sha": SHA, "started_at": "yesterday"})), "is not a \"date-time\"")]
#[case::body_too_many(check_run(json!({"name": "a", "head_sha": SHA, "output": {"title": "t", "summary": "s", "annotations": vec![json!({"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}); 51]}})), "/output/annotations")]
#[case::body_null_where_it_may_not_be(check_run(json!({"name": null, "head_sha": SHA})), "request body at /name")]
#[case::status(
    exchange("GET", "/repos/acme/api/git/ref/heads/main", 418),
    "answer 418: not documented; documented are 200, 404, 409"
)]
#[case::status_of_another_method(exchange("POST", "/repos/acme/api/pulls", 304).sending(json!({"head": "a", "base": "b"})), "answer 304: not documented")]
#[case::answer_missing(exchange("GET", "/repos/acme/api/git/ref/heads/main", 200), "expected a body")]
#[case::answer_where_none_is(exchange("DELETE", "/repos/acme/api/git/refs/heads/a", 204).answering(json!({})), "expected no body")]
#[case::unchanged_with_body(exchange("GET", "/repos/acme/api/pulls", 304).answering(json!([])), "has a body")]
#[case::redirect_to_nowhere(exchange("GET", "/repos/acme/api/pulls", 301), "without a `location`")]
#[case::error_without_message(exchange("GET", "/repos/acme/api/pulls", 401).answering(json!({"error": "no"})), "`message`")]
fn each_departure_is_caught(#[case] exchange: Exchange, #[case] expected: &str) {
    let said = Contract::load().violations(&exchange);
    assert!(said.iter().any(|each| each.contains(expected)), "expected {expected:?} in {said:#?}");
}

/// The App's permissions are words GitHub knows, with an access it knows for them.
#[test]
fn a_token_may_be_asked_for_with_the_permissions_of_the_manifest() {
    let contract = Contract::load();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/app-manifest/manifest.json");
    let manifest: Value = serde_json::from_slice(&std::fs::read(manifest).expect("readable")).expect("JSON");
    let token = |permissions: Value| {
        let answer = contract.example_answers("apps/create-installation-access-token", 201).remove(0);
        let asked = json!({ "repository_ids": [1], "permissions": permissions });
        let exchange = exchange("POST", "/app/installations/1/access_tokens", 201).sending(asked).answering(answer);
        contract.violations(&exchange)
    };
    assert_eq!(token(manifest["default_permissions"].clone()), Vec::<String>::new());
    assert!(token(json!({ "pull_request": "write" }))[0].contains("`pull_request`"));
    assert!(token(json!({ "metadata": "admin" }))[0].contains("/permissions/metadata"));
}

/// One property of a good answer is spoilt at a time.
#[rstest]
#[case::missing("/object", json!({"type": "commit", "sha": SHA}), "at /object: required, missing: \"url\"")]
#[case::mistyped("/ref", json!(7), "at /ref")]
#[case::null("/node_id", json!(null), "at /node_id")]
#[case::not_a_uri("/url", json!("not a uri"), "at /url: the value is not a \"uri\"")]
#[case::too_short("/object/sha", json!("7638"), "at /object/sha")]
fn each_spoilt_answer_is_caught(#[case] pointer: &str, #[case] spoilt: Value, #[case] expected: &str) {
    let contract = Contract::load();
    let mut exchange = reference();
    assert_eq!(contract.violations(&exchange), Vec::<String>::new());
    let place = exchange.response_body.as_mut().and_then(|body| body.pointer_mut(pointer)).expect("there");
    *place = spoilt;
    let said = contract.violations(&exchange);
    assert!(
        said.len() == 1 && said[0].starts_with("git/get-ref: answer 200") && said[0].contains(expected),
        "{said:#?}"
    );
}

#[test]
fn what_an_answer_invents_is_told_apart_from_what_it_gets_wrong() {
    let contract = Contract::load();
    let mut exchange = reference();
    assert_eq!(contract.inventions(&exchange), Vec::<String>::new());
    let body = exchange.response_body.as_mut().expect("a body");
    body["object"]["colour"] = json!("red");
    assert_eq!(contract.violations(&exchange), Vec::<String>::new());
    assert_eq!(contract.inventions(&exchange), ["git/get-ref: answer 200 at /object: not documented: `colour`"]);
}

#[test]
fn queries_are_decoded() {
    let pairs = [("q", "is:open a+b"), ("labels[]", "é"), ("bare", ""), ("broken", "%zz")];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(query_pairs("q=is%3Aopen+a%2Bb&labels%5B%5D=%C3%A9&bare&&broken=%zz"), pairs);
}

#[test]
fn the_most_specific_path_wins() {
    let operation = |path: &str| {
        let said = Contract::load().violations(&exchange("GET", path, 418));
        said[0].split_once(':').map(|(name, _)| name.to_owned()).unwrap_or_default()
    };
    assert_eq!(operation("/repos/acme/api/pulls/comments"), "pulls/list-review-comments-for-repo");
    assert_eq!(operation("/repos/acme/api/pulls/7"), "pulls/get");
    assert_eq!(operation("/repos/acme/api/branches/fix/this"), "repos/get-branch");
    assert_eq!(operation("/repos/acme/api/branches/fix/this/protection"), "repos/get-branch-protection");
    assert_eq!(operation("/repos/acme/api/contents/"), "repos/get-content");
    assert_eq!(operation("/repositories/1"), "repos/get");
}

#[test]
fn a_violation_fits_on_a_line() {
    let long = "x".repeat(100_000);
    let said = Contract::load().violations(&check_run(json!({ "name": long, "head_sha": [long], long.clone(): 1 })));
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said.iter().all(|each| each.chars().count() <= 361), "{said:#?}");
}

#[test]
fn a_handful_of_operations_is_little_to_read() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/contract-data");
    let bytes: u64 = [
        "index.json",
        "operations/pulls.create.json",
        "operations/git.create-tree.json",
        "operations/checks.create.json",
    ]
    .iter()
    .map(|file| std::fs::metadata(data.join(file)).expect("prepared").len())
    .sum();
    // Every test process reads this; the whole description is 13 MB.
    assert!(bytes < 400_000, "{bytes} bytes");
}

#[test]
fn every_webhook_example_loads() {
    let examples = webhook_examples();
    let events: BTreeSet<_> = examples.iter().map(|each| each.event.as_str()).collect();
    assert_eq!((examples.len(), events.len()), (329, 58));
    assert!(examples.iter().all(|each| each.payload.is_object()));
    for event in
        ["push", "pull_request", "repository", "check_run", "installation", "installation_repositories", "ping"]
    {
        assert!(events.contains(event), "{event}");
    }
    let distinct: BTreeSet<_> = examples.iter().map(|each| (&each.event, each.index)).collect();
    assert_eq!(distinct.len(), examples.len());
}

#[test]
fn webhook_payloads_are_judged_by_event_and_action() {
    let contract = Contract::load();
    let up_to_date = |each: &WebhookExample| {
        each.event == "pull_request" && contract.webhook_violations(&each.event, &each.payload).is_empty()
    };
    // Most examples were collected before the newest properties; some keep to today's description.
    let good = webhook_examples().into_iter().find(up_to_date).expect("one of the examples is up to date");
    let mut spoilt = good.payload.clone();
    spoilt["number"] = json!("one");
    assert!(contract.webhook_violations("pull_request", &spoilt)[0].contains("at /number"));
    spoilt["action"] = json!("exploded");
    assert!(contract.webhook_violations("pull_request", &spoilt)[0].contains("no such event and action"));
    assert!(!contract.webhook_violations("push", &good.payload).is_empty());
}
