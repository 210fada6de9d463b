//! Events reach the App signed, in order or not, once or again.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::world::World;

/// What a tiny App received, and what it answers.
#[derive(Clone, Default)]
struct Inbox {
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    answer: Arc<Mutex<u16>>,
}

async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    inbox.got.lock().unwrap().push((headers, body));
    StatusCode::from_u16(*inbox.answer.lock().unwrap()).unwrap()
}

async fn app(world: &World) -> Inbox {
    let inbox = Inbox::default();
    *inbox.answer.lock().unwrap() = 202;
    let router = Router::new().route("/hook", post(receive)).with_state(inbox.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.github.set_webhook_url(&format!("http://{}/hook", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    inbox
}

#[tokio::test]
async fn a_delivery_is_signed_over_its_raw_bytes() {
    let world = World::new();
    let inbox = app(&world).await;
    let sha = world.github.push("acme/api", "main", &[("a", Some(b"1")), ("README.md", None)], "Two").unwrap();
    let outcomes = world.github.deliver_pending().await;
    assert_eq!(outcomes[0].status, 202);
    let got = inbox.got.lock().unwrap();
    let (headers, body) = &got[0];
    let mut mac = Hmac::<Sha256>::new_from_slice(world.github.app().webhook_secret.as_bytes()).unwrap();
    mac.update(body);
    assert_eq!(headers["x-hub-signature-256"], format!("sha256={}", hex::encode(mac.finalize().into_bytes())));
    assert_eq!(headers["x-github-event"], "push");
    assert_eq!(headers["x-github-delivery"], outcomes[0].guid);
    assert!(headers["user-agent"].to_str().unwrap().starts_with("GitHub-Hookshot/"));
    let payload: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(payload["after"], sha);
    assert_eq!(payload["head_commit"]["added"], json!(["a"]));
    assert_eq!(payload["head_commit"]["removed"], json!(["README.md"]));
    assert_eq!(payload["repository"]["full_name"], "acme/api");
    assert!(payload["repository"]["pushed_at"].is_i64(), "seconds, in push events alone");
    assert_eq!(payload["sender"]["login"], "alice");
    assert!(payload["installation"]["id"].is_i64());
    assert!(world.github.pending().is_empty());
    assert_eq!(world.github.webhook_posts().len(), 2);
}

#[tokio::test]
async fn the_log_keeps_failures_and_redelivers_them_under_the_same_guid() {
    let world = World::new();
    let inbox = app(&world).await;
    *inbox.answer.lock().unwrap() = 500;
    for number in 0..3 {
        world.github.push("acme/api", "main", &[("n", Some(format!("{number}").as_bytes()))], "n").unwrap();
    }
    world.github.deliver_pending().await;
    *inbox.answer.lock().unwrap() = 202;
    world.github.archive("acme/api").unwrap();
    world.github.deliver_pending().await;
    let jwt = world.jwt();
    let first = world.get(&jwt, "/app/hook/deliveries?status=failure&per_page=4").await.expect(200);
    assert_eq!(first.body.as_array().unwrap().len(), 4);
    let next = first.header("link").trim_start_matches('<').split('>').next().unwrap();
    let next = next.trim_start_matches(&world.github.url()).to_owned();
    let second = world.get(&jwt, &next).await.expect(200);
    assert_eq!(second.body.as_array().unwrap().len(), 2, "pushes and suites, three each");
    assert_eq!(second.header("link"), "");
    let failed = &second.body[1];
    assert_eq!(failed["status_code"], 500);
    let path = format!("/app/hook/deliveries/{}", failed["id"]);
    let whole = world.get(&jwt, &path).await.expect(200);
    assert_eq!(whole.body["request"]["payload"]["ref"], "refs/heads/main");
    world.post(&jwt, &format!("{path}/attempts"), json!({})).await.expect(202);
    let outcomes = world.github.deliver_pending().await;
    assert_eq!((outcomes[0].guid.as_str(), outcomes[0].redelivery), (failed["guid"].as_str().unwrap(), true));
    world.advance(4 * 24 * 3_600);
    let old = world.get(&world.jwt(), "/app/hook/deliveries").await.expect(200);
    assert_eq!(old.body, json!([]), "kept three days");
    world.get(&world.jwt(), "/app/hook/deliveries?cursor=x").await.expect(422);
}

#[tokio::test]
async fn a_test_may_lose_hold_reverse_and_repeat() {
    let world = World::new();
    let inbox = app(&world).await;
    world.github.archive("acme/api").unwrap();
    world.github.unarchive("acme/api").unwrap();
    world.github.rename("acme/api", "b").unwrap();
    world.github.rename("acme/b", "c").unwrap();
    assert_eq!(world.github.drop_next().unwrap().action.as_deref(), Some("archived"));
    let held = world.github.hold("repository").unwrap();
    assert_eq!(held.action.as_deref(), Some("unarchived"));
    let reversed = world.github.deliver_reversed().await;
    assert_eq!(reversed.len(), 2);
    assert!(world.github.repeat(&reversed[0].guid));
    assert_eq!(world.github.release_held(), 1);
    world.github.deliver_pending().await;
    let got = inbox.got.lock().unwrap();
    let told = |body: &Bytes| {
        let payload: Value = serde_json::from_slice(body).unwrap();
        format!("{} {}", payload["action"].as_str().unwrap(), payload["repository"]["name"].as_str().unwrap())
    };
    let told: Vec<_> = got.iter().map(|(_, body)| told(body)).collect();
    assert_eq!(told, ["renamed c", "renamed b", "renamed c", "unarchived api"]);
    assert_eq!(got[0].0["x-github-delivery"], got[2].0["x-github-delivery"]);
}

#[tokio::test]
async fn events_go_out_by_themselves_when_asked_to() {
    let world = World::new();
    let inbox = app(&world).await;
    world.github.auto_deliver(true);
    world.github.archive("acme/api").unwrap();
    world.github.unarchive("acme/api").unwrap();
    let both = async {
        while inbox.got.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), both).await.unwrap();
}

#[tokio::test]
async fn an_app_that_is_down_is_noted_and_nothing_is_lost() {
    let world = World::new();
    world.github.set_webhook_url("http://127.0.0.1:9/hook");
    world.github.archive("acme/api").unwrap();
    let outcome = world.github.deliver_pending().await.remove(0);
    assert_eq!(outcome.status, 0);
    let log = world.get(&world.jwt(), "/app/hook/deliveries").await.expect(200);
    assert_eq!(log.body[0]["status"], "failed to connect to host");
    assert!(world.github.repeat(&outcome.guid));
    assert_eq!(world.github.pending()[0].guid, outcome.guid);
}

#[tokio::test]
async fn long_pushes_are_cut_as_github_cuts_them() {
    let world = World::new();
    world.github.set_limits(|limits| (limits.push_commits, limits.push_paths) = (2, 1));
    let change = |name: &str| {
        let other = format!("{name}-too");
        [github_sim::FileChangeInput::put(name, "1"), github_sim::FileChangeInput::put(&other, "1")]
    };
    let (a, b, c) = (change("a"), change("b"), change("c"));
    world.github.push_commits("acme/api", "main", &[(&a, "1"), (&b, "2"), (&c, "3")]).unwrap();
    let push = &world.github.pending()[0].payload;
    assert_eq!(push["commits"].as_array().unwrap().len(), 2);
    assert_eq!(push["commits"][0]["added"], json!(["a"]));
    assert_eq!(push["head_commit"]["message"], "3");
}

#[tokio::test]
async fn a_rotated_secret_signs_what_follows() {
    let world = World::new();
    let inbox = app(&world).await;
    world.github.set_webhook_secret("another");
    world.github.archive("acme/api").unwrap();
    world.github.deliver_pending().await;
    let got = inbox.got.lock().unwrap();
    assert_eq!(got[0].0["x-hub-signature-256"], github_sim::signature("another", &got[0].1));
    assert_eq!(world.github.app().webhook_secret, "another");
}

/// Each of these payloads was once held against GitHub's own description of its webhooks.
#[tokio::test]
async fn a_parade_of_events_tells_who_where_and_for_whom() {
    let world = World::new();
    let token = world.token().await;
    let github = &world.github;
    github.person("carol");
    let installation = world.installation().await;
    github.set_webhook_url("http://127.0.0.1:9/hook");
    github.ping().unwrap();
    github.suspend(installation).unwrap();
    github.unsuspend(installation).unwrap();
    github
        .accept_permissions(
            installation,
            serde_json::from_value(json!({
                "metadata": "read", "contents": "write", "pull_requests": "write", "checks": "write", "issues": "write",
            }))
            .unwrap(),
        )
        .unwrap();
    github.create_repo("acme/second", github_sim::RepoOptions::default()).unwrap();
    github.organization("elsewhere");
    github.install("elsewhere").unwrap();
    github.transfer("acme/second", "elsewhere").unwrap();
    github.set_private("acme/api", false).unwrap();
    github.set_private("acme/api", true).unwrap();
    let sha = world.commit_on_branch(&token, "b", "x", "1").await;
    github.tag("acme/api", "v1", &sha).unwrap();
    world.open_pull(&token, "b").await.expect(201);
    github.label("acme/api", 1, "dependencies").unwrap();
    world.delete(&token, "/repos/acme/api/issues/1/labels/dependencies").await.expect(200);
    let comment = github.comment("acme/api", 1, "carol", "Why?").unwrap();
    world
        .patch(&token, &format!("/repos/acme/api/issues/comments/{comment}"), json!({ "body": "Why!" }))
        .await
        .expect(200);
    world.delete(&token, &format!("/repos/acme/api/issues/comments/{comment}")).await.expect(204);
    for method in ["POST", "DELETE"] {
        let reviewers = Some(json!({ "reviewers": ["carol"] }));
        world.send(method, &token, "/repos/acme/api/pulls/1/requested_reviewers", reviewers, &[]).await.unwrap();
        let assignees = Some(json!({ "assignees": ["carol"] }));
        world.send(method, &token, "/repos/acme/api/issues/1/assignees", assignees, &[]).await.unwrap();
    }
    let run = json!({ "name": "mass-driver", "head_sha": sha });
    let run = world.post(&token, "/repos/acme/api/check-runs", run).await.expect(201).body["id"].as_i64().unwrap();
    github.rerequest_check_run("acme/api", run).unwrap();
    github.retitle("acme/api", 1, "Other").unwrap();
    github.push("acme/api", "b", &[("y", Some(b"2"))], "More").unwrap();
    github.close("acme/api", 1).unwrap();
    github.reopen("acme/api", 1).unwrap();
    github.merge("acme/api", 1).unwrap();
    github.delete_branch("acme/api", "b").unwrap();
    github.uninstall(installation).unwrap();
    for event in github.pending() {
        let payload = &event.payload;
        if event.event == "ping" {
            continue;
        }
        assert!(payload["sender"]["login"].is_string(), "{}", event.event);
        assert!(payload["installation"]["id"].is_i64(), "{}", event.event);
        let about_a_repository = !event.event.starts_with("installation");
        assert_eq!(payload["repository"]["id"].is_i64(), about_a_repository, "{}", event.event);
    }
    let told = world.events();
    for expected in [
        "ping",
        "installation new_permissions_accepted",
        "repository transferred",
        "repository publicized",
        "check_run rerequested",
        "issue_comment deleted",
        "pull_request review_request_removed",
        "pull_request unassigned",
        "pull_request synchronize",
        "installation deleted",
    ] {
        assert!(told.iter().any(|event| event == expected), "{expected} is not in {told:?}");
    }
}
