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
    assert_eq!(world.events(), ["check_run created", "check_run completed", "check_suite completed"]);
    let path = format!("/repos/acme/api/check-runs/{}", made.body["id"]);
    let too_many = json!({ "output": { "title": "Problems", "summary": "More", "annotations": annotations(51) } });
    world.patch(&token, &path, too_many).await.expect(422);
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
    let text = "x".repeat(65_536);
    post(json!({ "output": { "title": "t", "summary": "s", "text": text } })).await.expect(422);
    post(json!({ "output": { "title": "t", "summary": "s", "text": text[1..] } })).await.expect(201);
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
    assert_eq!(world.events(), ["check_run created", "check_run completed", "check_suite completed"]);
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

#[tokio::test]
async fn people_press_the_buttons_of_our_runs() {
    let world = World::new();
    let token = world.token().await;
    let github = &world.github;
    let head = github.head("acme/api", "main").unwrap().unwrap();
    let action = json!({ "label": "Open now", "description": "Do not wait", "identifier": "open-now" });
    let run = json!({ "name": "mass-driver", "head_sha": head, "external_id": "plan-7", "actions": [action] });
    let run = world.post(&token, "/repos/acme/api/check-runs", run).await.expect(201).body["id"].as_i64().unwrap();
    github.drop_pending();
    github.press("acme/api", run, "open-now").unwrap();
    let pressed = world.last_event("check_run", "requested_action");
    assert_eq!(pressed["requested_action"], json!({ "identifier": "open-now" }));
    assert_eq!(pressed["check_run"]["external_id"], "plan-7");
    assert_eq!(pressed["sender"]["login"], "alice");
    assert!(github.press("acme/api", run, "absent").is_err());
    github.rerequest_check_run("acme/api", run).unwrap();
    assert_eq!(world.last_event("check_run", "rerequested")["check_run"]["id"], run);
    github.rerequest_checks("acme/api", "main").unwrap();
    let suite = world.last_event("check_suite", "rerequested")["check_suite"]["id"].as_i64().unwrap();
    github.drop_pending();
    let foreign = github.set_check("acme/api", "main", "ci", github_sim::Colour::Red).unwrap();
    github.drop_pending();
    github.rerequest_check_run("acme/api", foreign).unwrap();
    assert!(world.events().is_empty(), "the other App is asked, not we");
    world.post(&token, &format!("/repos/acme/api/check-runs/{run}/rerequest"), json!({})).await.expect(201);
    world.post(&token, &format!("/repos/acme/api/check-suites/{suite}/rerequest"), json!({})).await.expect(201);
    assert_eq!(world.events(), ["check_run rerequested", "check_suite rerequested"]);
    let of_suite = world.get(&token, &format!("/repos/acme/api/check-suites/{suite}/check-runs")).await.expect(200);
    assert_eq!((&of_suite.body["total_count"], &of_suite.body["check_runs"][0]["id"]), (&json!(1), &json!(run)));
    let suites = world.get(&token, "/repos/acme/api/commits/main/check-suites").await.expect(200);
    assert_eq!(suites.body["total_count"], 2);
    world.get(&token, &format!("/repos/acme/api/check-suites/{suite}")).await.expect(200);
}

#[tokio::test]
async fn the_checks_and_statuses_of_others_change_colour() {
    let world = World::new();
    let github = &world.github;
    github.organization("green");
    let options = github_sim::InstallOptions::default().permission("statuses", "read").event("status");
    github.install_with("green", options).unwrap();
    github.create_repo("green/api", github_sim::RepoOptions::default().file("a", "1")).unwrap();
    github.drop_pending();
    let lint = github.start_check_run("green/api", "main", "lint").unwrap();
    github.set_check("green/api", "main", "ci", github_sim::Colour::Pending).unwrap();
    github.set_check("green/api", "main", "ci", github_sim::Colour::Green).unwrap();
    assert_eq!(world.events(), ["check_run created", "check_run created", "check_run completed"], "lint still runs");
    github.finish_check_run("green/api", lint, "failure").unwrap();
    let suite = world.last_event("check_suite", "completed");
    assert_eq!(suite["check_suite"]["conclusion"], "failure");
    github.drop_pending();
    github.set_check("green/api", "main", "ci", github_sim::Colour::Pending).unwrap();
    github.set_check("green/api", "main", "ci", github_sim::Colour::Green).unwrap();
    github.check_run("green/api", "main", "lint", "success").unwrap();
    let suite = world.last_event("check_suite", "completed");
    assert_eq!(suite["check_suite"]["conclusion"], "success", "the newest run of each name counts");
    github.set_status("green/api", "main", "coverage", github_sim::Colour::Red).unwrap();
    assert_eq!(
        world.events(),
        [
            "check_run created",
            "check_run completed",
            "check_suite completed",
            "check_run created",
            "check_run completed",
            "check_suite completed",
            "status"
        ]
    );
    let pending = github.pending();
    assert_eq!(pending[0].payload["check_run"]["status"], "in_progress");
    assert_eq!(pending[1].payload["check_run"]["conclusion"], "success");
    assert_eq!((&pending[6].payload["state"], &pending[6].payload["context"]), (&json!("failure"), &json!("coverage")));
}
