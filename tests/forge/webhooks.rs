//! What deliveries mean, and that none of them can hurt.

use super::world::id;
use mass_driver::domain::{InstallationId, PullNumber, RepoId, RepoState};
use mass_driver::forge::webhook::{
    ChangedPaths, CheckAction, Event, EventKind, Header, InstallationChange, PayloadError, PullAction,
    RepositoryChange, parse_event, peek,
};
use mass_driver::forge::{AccountKind, PullStatus};
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
    assert_eq!((push.branch.as_deref(), push.is_default_branch), (Some("main"), true));
    assert_eq!((push.before, push.after, push.tree), (id('a'), id('c'), Some(id('7'))));
    let paths = ["README.md", "old/Dockerfile", "requirements.txt"].map(String::from);
    assert_eq!(push.changed, ChangedPaths::Known(BTreeSet::from(paths)));
    let repository = push.repository.into_repository(InstallationId(7));
    assert_eq!((repository.state, repository.private), (RepoState::Active, true));
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
fn what_a_push_does_not_tell_is_not_guessed(#[case] spoil: Spoiler) {
    let mut body = push();
    spoil(&mut body);
    assert_eq!(changed(&body), ChangedPaths::Truncated);
}

#[test]
fn just_below_githubs_limits_a_list_is_complete() {
    let mut body = push();
    body["commits"][0]["added"] = (0..2999).map(|n| json!(n.to_string())).collect();
    let last = body["commits"][1].clone();
    let first = body["commits"][0].clone();
    body["commits"] = std::iter::once(first).chain(vec![last; 2046]).collect();
    assert!(matches!(changed(&body), ChangedPaths::Known(paths) if paths.len() == 3001));
}

#[test]
fn tags_deletions_and_other_branches_are_told_apart() {
    let with = |changes: &[(&str, Value)]| {
        let mut body = push();
        changes.iter().for_each(|(key, value)| body[*key] = value.clone());
        match kind("push", &body) {
            EventKind::Push(push) => (push.branch, push.is_default_branch, push.deleted),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(with(&[("ref", json!("refs/tags/v1"))]), (None, false, false));
    assert_eq!(with(&[("ref", json!("refs/heads/fix/main"))]), (Some("fix/main".into()), false, false));
    let zero = json!("0".repeat(40));
    assert_eq!(with(&[("after", zero), ("head_commit", Value::Null)]), (Some("main".into()), true, true));
    assert_eq!(with(&[("after", json!("C".repeat(64)))]), (Some("main".into()), true, false));
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
    let cases = [
        ("opened", Some(PullAction::Opened)),
        ("closed", Some(PullAction::Closed)),
        ("reopened", Some(PullAction::Reopened)),
        ("synchronize", Some(PullAction::Synchronized)),
        ("edited", Some(PullAction::Edited)),
        ("labeled", None),
        ("some_new_action", None),
    ];
    for (word, action) in cases {
        match (read("pull_request", &pull(word)).unwrap(), action) {
            (Event { kind: EventKind::PullRequest(facts), .. }, Some(action)) => assert_eq!(facts.action, action),
            (Event { kind: EventKind::Other { event }, action: Some(said), .. }, None) => {
                assert_eq!((event.as_str(), said.as_str()), ("pull_request", word));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_pull_request_of_ghosts_is_understood() {
    let mut body = pull("closed");
    body["sender"] = Value::Null;
    body["installation"] = Value::Null;
    body["pull_request"]["head"]["repo"] = Value::Null;
    body["pull_request"]["state"] = json!("closed");
    body["pull_request"]["merged"] = json!(true);
    let EventKind::PullRequest(facts) = kind("pull_request", &body) else { panic!() };
    assert_eq!((facts.number, facts.status, facts.head_repo), (PullNumber(5), PullStatus::Merged, None));
    assert_eq!((facts.sender, facts.head_branch.as_str(), facts.base_branch.as_str()), (None, "mass-driver/x", "main"));
    let EventKind::PullRequest(facts) = kind("pull_request", &pull("opened")) else { panic!() };
    assert!(matches!(facts.sender, Some(sender) if sender.login == "ann" && !sender.bot));
}

#[test]
fn what_a_pull_request_cannot_do_without_is_named() {
    let cases = [
        ("/pull_request", "pull_request"),
        ("/pull_request/state", "pull_request.state"),
        ("/pull_request/head", "pull_request.head"),
        ("/pull_request/head/sha", "pull_request.head.sha"),
        ("/pull_request/head/ref", "pull_request.head.ref"),
        ("/pull_request/base", "pull_request.base.ref"),
    ];
    for (pointer, field) in cases {
        let mut body = pull("closed");
        *body.pointer_mut(pointer).unwrap() = json!(1.5);
        assert_eq!(lacks("pull_request", &body), field);
    }
}

#[test]
fn installations_come_and_go() {
    let with = |action: &str| {
        json!({ "action": action, "sender": null, "repositories": [{ "id": 11, "full_name": "acme/api", "private": false }],
                "installation": { "id": 7, "account": { "login": "acme", "id": 1, "type": "Organization" } } })
    };
    let EventKind::Installation(InstallationChange::Created { account, repositories }) =
        kind("installation", &with("created"))
    else {
        panic!()
    };
    assert_eq!((account.login.as_str(), account.kind), ("acme", AccountKind::Organization));
    assert!(matches!(&repositories[..], [it] if it.id == RepoId(11) && !it.private));
    for (action, change) in [
        ("deleted", InstallationChange::Deleted),
        ("suspend", InstallationChange::Suspended),
        ("unsuspend", InstallationChange::Unsuspended),
        ("new_permissions_accepted", InstallationChange::NewPermissionsAccepted),
    ] {
        assert_eq!(kind("installation", &with(action)), EventKind::Installation(change));
    }
    assert_eq!(lacks("installation", &json!({ "action": "deleted" })), "installation.id");
    assert!(matches!(kind("installation", &json!({ "action": "exploded" })), EventKind::Other { .. }));
}

#[test]
fn a_selection_of_repositories_changes() {
    let body = json!({ "action": "removed", "installation": { "id": 7 }, "repositories_added": [],
                       "repositories_removed": [{ "id": 11, "full_name": "acme/api" }, { "id": 12 }] });
    let expected = EventKind::InstallationRepositories { added: vec![], removed: vec![RepoId(11), RepoId(12)] };
    assert_eq!(kind("installation_repositories", &body), expected);
    let body = json!({ "action": "removed", "repositories_removed": [{ "id": "11" }] });
    assert_eq!(lacks("installation_repositories", &body), "repositories_removed[].id");
}

#[test]
fn repositories_change() {
    let with = |action: &str, changes: Value| match kind(
        "repository",
        &json!({ "action": action, "changes": changes, "repository": repository() }),
    ) {
        EventKind::Repository { change, .. } => Some(change),
        _ => None,
    };
    let renamed = json!({ "repository": { "name": { "from": "old" } } });
    assert_eq!(with("renamed", renamed), Some(RepositoryChange::Renamed { from: Some("old".into()) }));
    let edited = |changed| Some(RepositoryChange::Edited { default_branch_changed: changed });
    assert_eq!(with("edited", json!({ "default_branch": { "from": "master" } })), edited(true));
    assert_eq!(with("edited", json!({ "description": { "from": "x" } })), edited(false));
    assert_eq!(with("transferred", Value::Null), Some(RepositoryChange::Transferred));
    assert_eq!(with("archived", json!([])), Some(RepositoryChange::Archived));
    assert_eq!(with("deleted", json!({})), Some(RepositoryChange::Deleted));
    assert_eq!(with("melted", json!({})), None);
}

#[test]
fn check_runs_end() {
    let body = json!({ "action": "completed", "repository": repository(), "check_run": {
        "id": 3, "name": "tests", "head_sha": id('e'), "status": "completed", "conclusion": "failure",
        "app": { "id": 15368 }, "pull_requests": [{ "number": 5 }, null, { "number": "6" }] } });
    let EventKind::CheckRun(run) = kind("check_run", &body) else { panic!() };
    assert_eq!(
        (run.action, run.app_id, run.conclusion.as_deref()),
        (CheckAction::Completed, Some(15368), Some("failure"))
    );
    assert_eq!((run.head_sha, run.pulls), (id('e'), vec![PullNumber(5)]));
}

#[test]
fn unknown_events_are_no_errors() {
    for body in [json!({}), json!([]), json!(null), json!("x"), json!({ "action": 5, "installation": [] })] {
        assert!(matches!(kind("quantum_leap", &body), EventKind::Other { event } if event == "quantum_leap"));
        assert_eq!(kind("ping", &body), EventKind::Ping);
    }
}

#[test]
fn a_peek_finds_whom_it_is_about() {
    let header = peek(pull("opened").to_string().as_bytes()).unwrap();
    let expected =
        Header { action: Some("opened".into()), installation: Some(InstallationId(7)), repo: Some(RepoId(11)) };
    assert_eq!(header, expected);
    assert_eq!(peek(b"{}").unwrap(), Header::default());
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
fn what_is_no_json_is_refused(#[case] body: Vec<u8>) {
    for name in EVENTS {
        let error = parse_event(name, &body).unwrap_err();
        assert!(matches!(error, PayloadError::NotJson(_)), "{name}: {error:?}");
    }
    assert!(peek(&body).is_err());
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
        let _ = (parse_event(name, &bytes), peek(&bytes));
    }

    #[test]
    fn any_bytes_never_panic(name in prop::sample::select(&EVENTS[..]), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (parse_event(name, &bytes), peek(&bytes));
    }
}
