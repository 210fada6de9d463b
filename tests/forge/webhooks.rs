//! What deliveries mean, and that none of them can hurt.

use super::world::id;
use mass_driver::domain::{InstallationId, PullNumber, RepoId, RepoState};
use mass_driver::forge::PullStatus;
use mass_driver::forge::webhook::{ChangedPaths, Event, EventKind, PayloadError, parse_event};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const EVENTS: [&str; 8] =
    ["ping", "installation", "installation_repositories", "push", "pull_request", "repository", "check_run", "star"];

fn read(name: &str, body: &Value) -> Result<Event, PayloadError> {
    parse_event(name, body.to_string().as_bytes())
}

fn kind(name: &str, body: &Value) -> EventKind {
    read(name, body).unwrap().kind
}

fn lacks(name: &str, body: &Value) -> &'static str {
    match read(name, body) {
        Err(PayloadError::Field { event, field }) if event == name => field,
        other => panic!("{other:?}"),
    }
}

fn repository() -> Value {
    json!({ "id": 11, "full_name": "acme/api", "default_branch": "main", "private": true, "fork": false,
            "archived": false, "disabled": false, "html_url": "https://github.example.com/acme/api" })
}

fn commit(digit: char, added: Value, removed: Value, modified: Value) -> Value {
    json!({ "id": id(digit), "tree_id": id('7'), "added": added, "removed": removed, "modified": modified })
}

fn push() -> Value {
    json!({
        "ref": "refs/heads/main", "before": id('a'), "after": id('c'), "created": false, "deleted": false,
        "forced": false, "installation": { "id": 7 }, "repository": repository(), "sender": null,
        "head_commit": commit('c', json!([]), json!([]), json!([])),
        "commits": [
            commit('b', json!(["requirements.txt"]), json!([]), json!(["README.md"])),
            commit('c', json!([]), json!(["old/Dockerfile"]), json!(["README.md"])),
        ],
    })
}

fn changed(body: &Value) -> ChangedPaths {
    match kind("push", body) {
        EventKind::Push(push) => push.changed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_push_tells_branch_tree_and_paths() {
    let event = read("push", &push()).unwrap();
    assert_eq!((event.installation, event.repo, event.action), (Some(InstallationId(7)), Some(RepoId(11)), None));
    let EventKind::Push(push) = event.kind else { panic!("{:?}", event.kind) };
    assert!(push.is_default_branch && !push.deleted);
    assert_eq!((push.before, push.after, push.tree), (id('a'), id('c'), Some(id('7'))));
    let paths = ["README.md", "old/Dockerfile", "requirements.txt"].map(String::from);
    assert_eq!(push.changed, ChangedPaths::Known(BTreeSet::from(paths)));
    assert_eq!((push.repository.name.to_string().as_str(), push.repository.state), ("acme/api", RepoState::Active));
    for (flags, state) in [
        (json!({ "archived": true }), RepoState::Archived),
        (json!({ "archived": true, "disabled": true }), RepoState::Disabled),
        (json!({ "archived": null }), RepoState::Active),
    ] {
        let mut body = self::push();
        body["repository"].as_object_mut().unwrap().extend(flags.as_object().unwrap().clone());
        assert!(matches!(kind("push", &body), EventKind::Push(push) if push.repository.state == state), "{flags}");
    }
}

/// A way in which a payload does not tell everything.
type Spoiler = fn(&mut Value);

#[rstest]
#[case::forced(|p: &mut Value| p["forced"] = json!(true))]
#[case::forced_unknown(|p: &mut Value| { p.as_object_mut().unwrap().remove("forced"); })]
#[case::new_branch(|p: &mut Value| p["created"] = json!(true))]
#[case::no_list(|p: &mut Value| p["commits"] = Value::Null)]
#[case::empty_list(|p: &mut Value| p["commits"] = json!([]))]
#[case::last_commit_missing(|p: &mut Value| { p["commits"].as_array_mut().unwrap().pop(); })]
#[case::counted_more(|p: &mut Value| p["size"] = json!(3))]
#[case::commit_without_paths(|p: &mut Value| { p["commits"][0].as_object_mut().unwrap().remove("removed"); })]
#[case::odd_path(|p: &mut Value| p["commits"][0]["added"] = json!([7]))]
#[case::odd_commit(|p: &mut Value| p["commits"][0] = json!("b"))]
#[case::many_paths(|p: &mut Value| p["commits"][0]["added"] = (0..3000).map(|n| json!(n.to_string())).collect())]
#[case::many_commits(|p: &mut Value| {
    let one = p["commits"][1].clone();
    p["commits"] = Value::Array(vec![one; 2048]);
})]
fn bad_input_06_what_a_push_does_not_tell_is_not_guessed(#[case] spoil: Spoiler) {
    let mut body = push();
    spoil(&mut body);
    assert_eq!(changed(&body), ChangedPaths::Truncated);
}

#[test]
fn bad_input_06_just_below_githubs_limits_a_list_is_complete() {
    let mut body = push();
    body["commits"][0]["added"] = (0..2999).map(|n| json!(n.to_string())).collect();
    let last = body["commits"][1].clone();
    let first = body["commits"][0].clone();
    body["commits"] = std::iter::once(first).chain(vec![last; 2046]).collect();
    assert!(matches!(changed(&body), ChangedPaths::Known(paths) if paths.len() == 3001));
}

#[test]
fn bad_input_07_tags_deletions_and_other_branches_are_told_apart() {
    let with = |changes: &[(&str, Value)]| {
        let mut body = push();
        changes.iter().for_each(|(key, value)| body[*key] = value.clone());
        match kind("push", &body) {
            EventKind::Push(push) => (push.is_default_branch, push.deleted),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(with(&[("ref", json!("refs/tags/v1"))]), (false, false));
    assert_eq!(with(&[("ref", json!("refs/heads/fix/main"))]), (false, false));
    let zero = json!("0".repeat(40));
    assert_eq!(with(&[("after", zero), ("head_commit", Value::Null)]), (true, true));
    assert_eq!(with(&[("after", json!("C".repeat(64)))]), (true, false));
    let mut body = push();
    body["repository"]["default_branch"] = Value::Null;
    assert!(matches!(kind("push", &body), EventKind::Push(push) if !push.is_default_branch));
}

#[test]
fn the_head_commits_tree_counts_only_for_the_head() {
    let mut body = push();
    body["head_commit"]["id"] = json!(id('9'));
    assert!(matches!(kind("push", &body), EventKind::Push(push) if push.tree.is_none()));
}

#[test]
fn what_a_push_cannot_do_without_is_named() {
    for (key, field) in [("ref", "ref"), ("before", "before"), ("after", "after"), ("repository", "repository")] {
        for odd in [Value::Null, json!(7), json!([]), json!("")] {
            let mut body = push();
            body[key] = odd.clone();
            if !(key == "ref" && odd == json!("")) {
                assert_eq!(lacks("push", &body), field, "{odd}");
            }
        }
    }
    let mut body = push();
    body["repository"]["full_name"] = json!("acme/../api");
    assert_eq!(lacks("push", &body), "repository.full_name");
}

fn pull(action: &str) -> Value {
    json!({
        "action": action, "number": 5, "installation": { "id": 7 }, "repository": repository(),
        "sender": { "login": "ann", "type": "User" },
        "pull_request": {
            "number": 5, "state": "open", "merged": false, "html_url": "https://github.example.com/p/5", "user": null,
            "head": { "ref": "mass-driver/x", "sha": id('e'), "repo": { "id": 11 } },
            "base": { "ref": "main", "sha": id('a'), "repo": { "id": 11 } },
        },
    })
}

#[test]
fn pull_request_actions() {
    for word in ["opened", "closed", "reopened", "synchronize", "edited"] {
        let EventKind::PullRequest(facts) = kind("pull_request", &pull(word)) else { panic!("{word}") };
        assert_eq!((facts.number, facts.status, facts.head_sha), (PullNumber(5), PullStatus::Open, id('e')), "{word}");
    }
    for word in ["labeled", "some_new_action"] {
        let event = read("pull_request", &pull(word)).unwrap();
        assert_eq!(event.action.as_deref(), Some(word));
        assert_eq!(event.kind, EventKind::Other { event: "pull_request".into() });
    }
}

#[test]
fn bad_input_05_a_pull_request_of_ghosts_is_understood() {
    let mut body = pull("closed");
    body["sender"] = Value::Null;
    body["installation"] = Value::Null;
    body["pull_request"]["head"]["repo"] = Value::Null;
    body["pull_request"]["state"] = json!("closed");
    body["pull_request"]["merged"] = json!(true);
    let EventKind::PullRequest(facts) = kind("pull_request", &body) else { panic!() };
    assert_eq!((facts.number, facts.status), (PullNumber(5), PullStatus::Merged));
}

#[test]
fn what_a_pull_request_cannot_do_without_is_named() {
    let cases = [
        ("/pull_request", "pull_request"),
        ("/pull_request/state", "pull_request.state"),
        ("/pull_request/head", "pull_request.head"),
        ("/pull_request/head/sha", "pull_request.head.sha"),
    ];
    for (pointer, field) in cases {
        let mut body = pull("closed");
        *body.pointer_mut(pointer).unwrap() = json!(1.5);
        assert_eq!(lacks("pull_request", &body), field);
    }
}

#[test]
fn installations_come_and_go() {
    for action in ["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"] {
        let body = json!({ "action": action, "installation": { "id": 7 } });
        assert_eq!(kind("installation", &body), EventKind::Installation, "{action}");
    }
    assert_eq!(lacks("installation", &json!({ "action": "deleted" })), "installation.id");
    assert!(matches!(kind("installation", &json!({ "action": "exploded" })), EventKind::Other { .. }));
}

#[test]
fn a_selection_of_repositories_changes() {
    for action in ["added", "removed"] {
        let body = json!({ "action": action, "installation": { "id": 7 } });
        assert_eq!(kind("installation_repositories", &body), EventKind::InstallationRepositories, "{action}");
    }
    assert!(matches!(kind("installation_repositories", &json!({ "action": "moved" })), EventKind::Other { .. }));
}

#[test]
fn repositories_change() {
    let with = |action: &str| kind("repository", &json!({ "action": action, "repository": repository() }));
    for action in
        ["created", "renamed", "transferred", "archived", "unarchived", "deleted", "edited", "privatized", "publicized"]
    {
        assert!(matches!(with(action), EventKind::Repository { name } if name.to_string() == "acme/api"), "{action}");
    }
    assert_eq!(with("melted"), EventKind::Other { event: "repository".into() });
    assert_eq!(
        lacks("repository", &json!({ "action": "renamed", "repository": { "id": 11 } })),
        "repository.full_name"
    );
}

#[test]
fn check_runs_end() {
    let body = json!({ "action": "completed", "repository": repository(), "check_run": { "head_sha": id('e') } });
    assert_eq!(kind("check_run", &body), EventKind::CheckRun { head_sha: id('e') });
    assert_eq!(lacks("check_run", &json!({ "action": "created", "check_run": {} })), "check_run.head_sha");
}

/// What we do not read must not stand in the way of a genuine delivery, however odd it is.
#[rstest]
#[case::listed_repositories("installation", json!({ "action": "created", "installation": { "id": 7, "account": 5 },
    "repositories": [{ "id": 11, "full_name": "acme/../api" }, { "id": "x" }, null] }))]
#[case::added_repositories("installation_repositories", json!({ "action": "added", "installation": { "id": 7 },
    "repositories_added": [{ "full_name": "odd name" }], "repositories_removed": [{ "id": "11" }] }))]
#[case::other_end_of_a_pull_request("pull_request", json!({ "action": "closed", "number": 5, "pull_request": {
    "state": "closed", "head": { "sha": id('e') }, "base": null } }))]
#[case::check("check_run", json!({ "action": "completed", "check_run": { "head_sha": id('e'), "name": 5,
    "pull_requests": [null, { "number": "6" }] } }))]
#[case::changes_of_a_repository("repository", json!({ "action": "renamed", "changes": [5], "repository": {
    "id": "x", "full_name": "acme/api", "default_branch": 5 } }))]
fn bad_input_04_what_nobody_reads_refuses_nothing(#[case] name: &str, #[case] body: Value) {
    assert!(!matches!(kind(name, &body), EventKind::Other { .. }), "{body}");
}

#[test]
fn bad_input_04_unknown_events_are_no_errors() {
    for body in [json!({}), json!([]), json!(null), json!("x"), json!({ "action": 5, "installation": [] })] {
        assert!(matches!(kind("quantum_leap", &body), EventKind::Other { event } if event == "quantum_leap"));
        assert_eq!(kind("ping", &body), EventKind::Ping);
    }
}

#[test]
fn an_event_tells_whom_it_is_about() {
    let event = read("star", &pull("created")).unwrap();
    let about = (event.action.as_deref(), event.installation, event.repo);
    assert_eq!(about, (Some("created"), Some(InstallationId(7)), Some(RepoId(11))));
    let event = read("star", &json!({})).unwrap();
    assert_eq!((event.action, event.installation, event.repo), (None, None, None));
}

#[rstest]
#[case::empty(b"".to_vec())]
#[case::no_json(b"payload=%7B%7D".to_vec())]
#[case::cut(br#"{"action": "opened", "#.to_vec())]
#[case::more_after_it(b"{} {}".to_vec())]
#[case::invalid_utf8(b"{\"action\": \"\xff\"}".to_vec())]
#[case::lone_surrogate(br#"{"action": "\ud800"}"#.to_vec())]
#[case::duplicate_key(br#"{"action": "opened", "action": "closed"}"#.to_vec())]
#[case::duplicate_key_escaped(br#"{"action": "opened", "\u0061ction": "closed"}"#.to_vec())]
#[case::duplicate_key_within(br#"{"unknown": [{"x": 1, "y": {"z": 1, "z": 1}}]}"#.to_vec())]
#[case::deep_list([vec![b'['; 10_000], vec![b']'; 10_000]].concat())]
#[case::deep_object([br#"{"a":"#.repeat(10_000), vec![b'1'], vec![b'}'; 10_000]].concat())]
#[case::deep_and_cut(vec![b'['; 1_000_000])]
#[case::nan(b"{\"id\": NaN}".to_vec())]
fn bad_input_03_what_is_no_json_is_refused(#[case] body: Vec<u8>) {
    for name in EVENTS {
        let error = parse_event(name, &body).unwrap_err();
        assert!(matches!(error, PayloadError::NotJson(_)), "{name}: {error:?}");
    }
}

fn payload() -> impl Strategy<Value = (&'static str, Value)> {
    let installation = json!({ "action": "created", "installation": { "id": 7, "account": { "login": "a" } },
                               "repositories": [{ "id": 1, "full_name": "a/b" }] });
    let check = json!({ "action": "completed", "check_run": { "head_sha": id('e'), "pull_requests": [] } });
    let renamed = json!({ "action": "renamed", "repository": repository(), "changes": {} });
    prop::sample::select(vec![
        ("push", push()),
        ("pull_request", pull("closed")),
        ("installation", installation),
        ("check_run", check),
        ("repository", renamed),
    ])
}

/// Any JSON, small.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// All places of a document, as JSON pointers.
fn places(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| places(value, format!("{at}/{key}"), found)),
        Value::Array(list) => list.iter().enumerate().for_each(|(n, value)| places(value, format!("{at}/{n}"), found)),
        _ => {}
    }
    found.push(at);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_value_of_any_kind_in_any_place_is_an_event_or_names_a_field(
        (name, mut body) in payload(), place in any::<prop::sample::Index>(), odd in anything(),
    ) {
        let mut found = Vec::new();
        places(&body, String::new(), &mut found);
        *body.pointer_mut(&found[place.index(found.len())]).unwrap() = odd;
        let outcome = read(name, &body);
        prop_assert!(matches!(outcome, Ok(_) | Err(PayloadError::Field { .. })), "{:?}", outcome);
    }

    #[test]
    fn altered_bytes_never_panic(
        (name, body) in payload(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = body.to_string().into_bytes();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = parse_event(name, &bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _ = parse_event(name, &bytes);
    }

    #[test]
    fn any_bytes_never_panic(name in prop::sample::select(&EVENTS[..]), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_event(name, &bytes);
    }
}
