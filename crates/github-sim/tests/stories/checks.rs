//! Check runs and statuses.

use serde_json::{Value, json};

use crate::world::World;

fn annotations(count: usize) -> Vec<Value> {
    let one = json!({ "path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m" });
    vec![one; count]
}

#[tokio::test]
async fn a_check_run_takes_fifty_annotations_at_a_time() {
    let world = World::new();
    let token = world.token().await;
    let head = world.github.head("acme/api", "main").unwrap().unwrap();
    let run = |count: usize| {
        json!({
            "name": "mass-driver", "head_sha": head, "status": "completed", "conclusion": "failure",
            "output": { "title": "Problems", "summary": "Two", "annotations": annotations(count) },
        })
    };
    world.post(&token, "/repos/acme/api/check-runs", run(51)).await.expect(422);
    let made = world.post(&token, "/repos/acme/api/check-runs", run(50)).await.expect(201);
    assert_eq!(made.body["output"]["annotations_count"], 50);
    assert_eq!(world.events(), ["check_run created", "check_run completed"]);
    let path = format!("/repos/acme/api/check-runs/{}", made.body["id"]);
    let more = json!({ "output": { "title": "Problems", "summary": "More", "annotations": annotations(7) } });
    let more = world.patch(&token, &path, more).await.expect(200);
    assert_eq!(more.body["output"]["annotations_count"], 57);
    let listed = world.get(&token, &format!("{path}/annotations?per_page=100")).await.expect(200);
    assert_eq!(listed.body.as_array().unwrap().len(), 57);
    let of_commit = world.get(&token, "/repos/acme/api/commits/main/check-runs").await.expect(200);
    assert_eq!(of_commit.body["total_count"], 1);
    assert_eq!(world.github.check_runs("acme/api").unwrap()[0].annotations.len(), 57);
}

#[tokio::test]
async fn a_check_run_that_breaks_a_rule_is_refused() {
    let world = World::new();
    let token = world.token().await;
    let head = world.github.head("acme/api", "main").unwrap().unwrap();
    let post = async |fields: Value| {
        let mut body = json!({ "name": "n", "head_sha": head });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        world.post(&token, "/repos/acme/api/check-runs", body).await
    };
    post(json!({ "output": { "title": "t", "summary": "x".repeat(65_536) } })).await.expect(422);
    post(json!({ "output": { "title": "t" } })).await.expect(422);
    post(json!({ "status": "completed" })).await.expect(422);
    post(json!({ "conclusion": "splendid" })).await.expect(422);
    let action = json!({ "label": "l", "description": "d", "identifier": "i" });
    post(json!({ "actions": [action, action, action, action] })).await.expect(422);
    post(json!({ "actions": [{ "label": "x".repeat(21), "description": "d", "identifier": "i" }] })).await.expect(422);
    post(json!({ "head_sha": "1".repeat(40) })).await.expect(422);
    post(json!({ "output": { "title": "t", "summary": "x".repeat(65_535) }, "actions": [action] })).await.expect(201);
}

#[tokio::test]
async fn another_apps_run_is_seen_and_not_ours_to_change() {
    let world = World::new();
    let token = world.token().await;
    let head = world.github.head("acme/api", "main").unwrap().unwrap();
    let id = world.github.start_check_run("acme/api", &head, "ci").unwrap();
    world.github.finish_check_run("acme/api", id, "failure").unwrap();
    let pending = world.github.pending();
    assert_eq!(world.events(), ["check_run created", "check_run completed"]);
    assert_eq!(pending[1].payload["check_run"]["app"]["slug"], "other-ci");
    assert_eq!(pending[1].payload["sender"]["login"], "other-ci[bot]");
    assert_eq!(pending[1].payload["sender"]["type"], "Bot");
    assert_eq!(pending[1].payload["check_run"]["check_suite"]["conclusion"], "failure");
    world.patch(&token, &format!("/repos/acme/api/check-runs/{id}"), json!({ "name": "mine" })).await.expect(403);
}

#[tokio::test]
async fn statuses_need_their_own_permission() {
    let world = World::new();
    let token = world.token().await;
    let head = world.github.head("acme/api", "main").unwrap().unwrap();
    let refused = world
        .post(&token, &format!("/repos/acme/api/statuses/{head}"), json!({ "state": "success" }))
        .await
        .expect(403);
    assert_eq!(refused.header("x-accepted-github-permissions"), "statuses=write");
    let person = world.github.personal_token("alice");
    world.post(&person, &format!("/repos/acme/api/statuses/{head}"), json!({ "state": "success" })).await.expect(201);
    let combined = world.get(&person, "/repos/acme/api/commits/main/status").await.expect(200);
    assert_eq!(combined.body["state"], "success");
}
