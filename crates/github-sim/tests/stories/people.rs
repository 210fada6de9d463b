//! Who may do what: roles, reviewers, assignees, drafts.

use github_sim::{RepoOptions, Role};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn each_role_has_githubs_two_words() {
    let world = World::new();
    let token = world.token().await;
    let github = &world.github;
    github.create_repo("acme/open", RepoOptions::default().public().file("a", "1")).unwrap();
    let ask = async |repo: &str, login: &str| {
        let path = format!("/repos/{repo}/collaborators/{login}/permission");
        let answer = world.get(&token, &path).await.expect(200);
        assert_eq!(answer.body["user"]["role_name"], answer.body["role_name"]);
        (answer.str("permission"), answer.str("role_name"))
    };
    for (role, permission, name) in [
        (Role::Admin, "admin", "admin"),
        (Role::Maintain, "write", "maintain"),
        (Role::Write, "write", "write"),
        (Role::Triage, "read", "triage"),
        (Role::Read, "read", "read"),
        (Role::Outsider, "none", "none"),
    ] {
        github.set_role("acme/api", "carol", role).unwrap();
        assert_eq!(ask("acme/api", "carol").await, (permission.to_owned(), name.to_owned()));
    }
    github.set_role("acme/open", "carol", Role::Outsider).unwrap();
    assert_eq!(ask("acme/open", "carol").await.0, "read", "everybody reads what is public");
    github.person("dave");
    assert_eq!(ask("acme/api", "DAVE").await.0, "write", "a colleague, unless told otherwise");
    for nobody in ["nobody", "mass-driver[bot]", "acme"] {
        let path = format!("/repos/acme/api/collaborators/{nobody}/permission");
        let refused = world.get(&token, &path).await.expect(404);
        assert_eq!(refused.message(), format!("{nobody} is not a user"));
    }
    world.get(&token, "/repos/acme/api/collaborators/dave").await.expect(204);
    world.get(&token, "/repos/acme/api/collaborators/carol").await.expect(404);
}

#[tokio::test]
async fn a_persons_token_reaches_as_far_as_their_role() {
    let world = World::new();
    let github = &world.github;
    let token = github.personal_token("carol");
    let head = github.head("acme/api", "main").unwrap().unwrap();
    let branch = async |name: &str| {
        let body = json!({ "ref": format!("refs/heads/{name}"), "sha": head });
        world.post(&token, "/repos/acme/api/git/refs", body).await
    };
    branch("one").await.expect(201);
    github.set_role("acme/api", "carol", Role::Read).unwrap();
    branch("two").await.expect(403);
    world.get(&token, "/repos/acme/api").await.expect(200);
    github.set_role("acme/api", "carol", Role::Outsider).unwrap();
    world.get(&token, "/repos/acme/api").await.expect(404);
}

#[tokio::test]
async fn reviews_are_requested_from_people_and_teams_let_in() {
    let world = World::new();
    let token = world.token().await;
    let github = &world.github;
    github.person("carol");
    github.team("acme", "Platform").unwrap();
    github.set_role("acme/api", "mallory", Role::Outsider).unwrap();
    github.propose_as("dave", "acme/api", "topic", &[("x", Some(b"1"))]).unwrap();
    github.drop_pending();
    let path = "/repos/acme/api/pulls/1/requested_reviewers";
    for refused in [
        json!({ "reviewers": ["carol", "mallory"] }),
        json!({ "reviewers": ["carol", "nobody"] }),
        json!({ "reviewers": ["mass-driver[bot]"] }),
        json!({ "reviewers": ["carol"], "team_reviewers": ["absent"] }),
    ] {
        let answer = world.post(&token, path, refused).await.expect(422);
        assert!(answer.message().starts_with("Reviews may only be requested from collaborators."), "{}", answer.text);
    }
    let own = world.post(&token, path, json!({ "reviewers": ["dave"] })).await.expect(422);
    assert_eq!(own.message(), "Review cannot be requested from pull request author.");
    assert!(world.events().is_empty(), "a refused request asks nobody");
    let both = json!({ "reviewers": ["Carol"], "team_reviewers": ["platform"] });
    let asked = world.post(&token, path, both.clone()).await.expect(201);
    assert_eq!(asked.body["requested_reviewers"][0]["login"], "carol");
    assert_eq!(asked.body["requested_teams"][0]["slug"], "platform");
    assert_eq!(world.events(), ["pull_request review_requested", "pull_request review_requested"]);
    let event = world.last_event("pull_request", "review_requested");
    assert_eq!(event["requested_team"]["slug"], "platform");
    assert_eq!(event["pull_request"]["requested_teams"][0], event["requested_team"]);
    assert_eq!(event["requested_team"].get("type"), None, "the REST API alone tells the kind of team");
    let listed = world.get(&token, path).await.expect(200);
    assert_eq!(
        (listed.body["users"][0]["login"].as_str(), listed.body["teams"][0]["slug"].as_str()),
        (Some("carol"), Some("platform"))
    );
    world.post(&token, path, both.clone()).await.expect(201);
    assert_eq!(world.events().len(), 2, "asked already");
    world.send("DELETE", &token, path, Some(both), &[]).await.unwrap().expect(200);
    let view = github.pull_request("acme/api", 1).unwrap();
    assert!(view.reviewers.is_empty() && view.teams.is_empty());
}

#[tokio::test]
async fn who_cannot_be_assigned_is_passed_over() {
    let world = World::new();
    let token = world.token().await;
    let github = &world.github;
    github.person("carol");
    github.set_role("acme/api", "mallory", Role::Outsider).unwrap();
    world.commit_on_branch(&token, "b", "x", "1").await;
    world.open_pull(&token, "b").await.expect(201);
    let all = json!({ "assignees": ["carol", "mallory", "nobody", "mass-driver[bot]"] });
    let assigned = world.post(&token, "/repos/acme/api/issues/1/assignees", all).await.expect(201);
    assert_eq!(assigned.body["assignees"].as_array().unwrap().len(), 1);
    assert_eq!(github.pull_request("acme/api", 1).unwrap().assignees, ["carol"]);
    assert_eq!(world.last_event("pull_request", "assigned")["assignee"]["login"], "carol");
}

#[tokio::test]
async fn drafts_open_where_the_plan_has_them() {
    let world = World::new();
    let token = world.token().await;
    for branch in ["b", "c"] {
        world.commit_on_branch(&token, branch, branch, "1").await;
    }
    let draft = async |branch: &str| {
        let pull = json!({ "title": "Draft", "head": branch, "base": "main", "draft": true });
        world.post(&token, "/repos/acme/api/pulls", pull).await
    };
    assert_eq!(draft("b").await.expect(201).body["draft"], true);
    assert_eq!(world.last_event("pull_request", "opened")["pull_request"]["draft"], true);
    world.github.set_draft("acme/api", 1, false).unwrap();
    assert_eq!(world.last_event("pull_request", "ready_for_review")["pull_request"]["draft"], false);
    world.github.without_drafts("acme/api").unwrap();
    let refused = draft("c").await.expect(422);
    assert_eq!(refused.message(), "Draft pull requests are not supported in this repository.");
    world.open_pull(&token, "c").await.expect(201);
}
