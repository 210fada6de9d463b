//! The App proves who it is, and its tokens reach exactly as far as they say.

use github_sim::{InstallOptions, RepoOptions};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_app_is_known_by_its_signed_token() {
    let world = World::new();
    let app = world.get(&world.jwt(), "/app").await.expect(200);
    assert_eq!(app.body["id"], world.github.app().app_id);
    let by_client_id = json!({ "iss": world.github.app().client_id, "iat": world.now(), "exp": world.now() + 60 });
    world.get(&world.jwt_with(by_client_id), "/app").await.expect(200);
}

#[tokio::test]
async fn a_token_with_the_wrong_times_is_refused_in_githubs_words() {
    let world = World::new();
    let now = world.now();
    let ask = async |iat: i64, exp: i64| {
        let jwt = world.jwt_with(json!({ "iss": world.github.app().app_id, "iat": iat, "exp": exp }));
        world.get(&jwt, "/app").await.expect(401).message().to_owned()
    };
    assert!(ask(now, now + 1_200).await.contains("too far in the future"));
    assert!(ask(now - 900, now - 1).await.contains("'Expiration time' claim"));
    assert!(ask(now + 90, now + 300).await.contains("'Issued at' claim"));
    world.github.set_jwt_clock_skew_seconds(-90);
    assert!(ask(now, now + 300).await.contains("'Issued at' claim"));
    let forged = world.jwt()[..100].to_owned() + ".x.y";
    assert_eq!(world.get(&forged, "/app").await.expect(401).message(), "Bad credentials");
    assert_eq!(world.get("", "/app").await.expect(401).message(), "A JSON web token could not be decoded");
}

#[tokio::test]
async fn the_apps_clock_may_be_another_than_the_worlds() {
    let world = World::new();
    let jwt = world.jwt();
    let then = jiff::Timestamp::from_second(world.now()).unwrap();
    world.advance(86_400);
    world.get(&jwt, "/app").await.expect(401);
    world.github.set_jwt_clock(std::sync::Arc::new(move || then));
    world.get(&jwt, "/app").await.expect(200);
}

#[tokio::test]
async fn a_token_lives_an_hour_by_the_clock_of_the_stand_in() {
    let world = World::new();
    let token = world.token().await;
    world.advance(3_599);
    world.get(&token, "/repos/acme/api").await.expect(200);
    world.advance(1);
    assert_eq!(world.get(&token, "/repos/acme/api").await.expect(401).message(), "Bad credentials");
}

#[tokio::test]
async fn tokens_come_in_two_lengths() {
    let world = World::new();
    let (first, second) = (world.token().await, world.token().await);
    assert_eq!(first.len(), 40);
    assert!(second.len() > 500 && second.contains('.'), "{}", second.len());
    world.get(&second, "/repos/acme/api").await.expect(200);
}

#[tokio::test]
async fn a_token_narrowed_to_one_repository_does_not_see_the_other() {
    let world = World::new();
    let other = world.github.create_repo("acme/secret", RepoOptions::default().file("a", "b")).unwrap();
    let api = world.github.repo_id("acme/api").unwrap();
    let narrow = world.token_with(json!({ "repository_ids": [api] })).await.expect(201);
    assert_eq!(narrow.body["repository_selection"], "selected");
    assert_eq!(narrow.body["repositories"][0]["full_name"], "acme/api");
    let token = narrow.str("token");
    world.get(&token, "/repos/acme/api").await.expect(200);
    world.get(&token, "/repos/acme/secret").await.expect(404);
    world.get(&token, &format!("/repositories/{other}")).await.expect(404);
    let listed = world.get(&token, "/installation/repositories").await.expect(200);
    assert_eq!(listed.body["total_count"], 1);
    world.token_with(json!({ "repository_ids": [999] })).await.expect(422);
}

#[tokio::test]
async fn a_token_without_the_permission_is_told_which_one_it_lacks() {
    let world = World::new();
    let answer = world.token_with(json!({ "permissions": { "contents": "read" } })).await.expect(201);
    assert_eq!(answer.body["permissions"], json!({ "contents": "read", "metadata": "read" }));
    let token = answer.str("token");
    world.get(&token, "/repos/acme/api/git/trees/main").await.expect(200);
    let refused = world.post(&token, "/repos/acme/api/git/blobs", json!({ "content": "x" })).await.expect(403);
    assert_eq!(refused.message(), "Resource not accessible by integration");
    assert_eq!(refused.header("x-accepted-github-permissions"), "contents=write");
    world.token_with(json!({ "permissions": { "administration": "write" } })).await.expect(422);
}

#[tokio::test]
async fn a_public_repository_of_others_may_be_read_and_not_written() {
    let world = World::new();
    world.github.create_repo("other/action", RepoOptions::default().public().file("action.yml", "name: x\n")).unwrap();
    let token = world.token().await;
    world.get(&token, "/repos/other/action/contents/action.yml").await.expect(200);
    let refused = world.post(&token, "/repos/other/action/git/blobs", json!({ "content": "x" })).await.expect(403);
    assert_eq!(refused.message(), "Resource not accessible by integration");
    world.github.set_private("other/action", true).unwrap();
    world.get(&token, "/repos/other/action").await.expect(404);
}

#[tokio::test]
async fn a_suspended_installation_gets_nothing_until_it_is_let_go_on() {
    let world = World::new();
    let token = world.token().await;
    let id = world.installation().await;
    world.github.suspend(id).unwrap();
    world.get(&token, "/repos/acme/api").await.expect(403);
    world.token_with(json!({})).await.expect(403);
    world.github.push("acme/api", "main", &[("x", Some(b"y"))], "Unheard").unwrap();
    world.github.unsuspend(id).unwrap();
    assert_eq!(world.events(), ["installation suspend", "installation unsuspend"]);
    world.get(&token, "/repos/acme/api").await.expect(200);
    world.github.uninstall(id).unwrap();
    world.get(&token, "/repos/acme/api").await.expect(401);
}

#[tokio::test]
async fn repositories_are_listed_in_pages_linked_by_header() {
    let world = World::new();
    for number in 0..4 {
        world.github.create_repo(&format!("acme/r{number}"), RepoOptions::default()).unwrap();
    }
    let token = world.token().await;
    let first = world.get(&token, "/api/v3/installation/repositories?per_page=2").await.expect(200);
    assert_eq!(first.body["total_count"], 5);
    assert_eq!(first.body["repositories"].as_array().unwrap().len(), 2);
    let root = format!("{}/api/v3/installation/repositories?per_page=2", world.github.url());
    assert_eq!(first.header("link"), format!("<{root}&page=2>; rel=\"next\", <{root}&page=3>; rel=\"last\""));
    let last = world.get(&token, "/installation/repositories?per_page=2&page=3").await.expect(200);
    assert_eq!(last.body["repositories"].as_array().unwrap().len(), 1);
    assert!(!last.header("link").contains("next"));
}

#[tokio::test]
async fn a_selected_installation_grows_and_shrinks() {
    let world = World::new();
    world.github.create_repo("solo/a", RepoOptions::default()).unwrap();
    world.github.create_repo("solo/b", RepoOptions::default()).unwrap();
    let id = world.github.install_with("solo", InstallOptions::default().only(&["solo/a"])).unwrap();
    world.github.drop_pending();
    world.github.add_to_installation(id, "solo/b").unwrap();
    world.github.remove_from_installation(id, "solo/a").unwrap();
    let pending = world.github.pending();
    assert_eq!(world.events(), ["installation_repositories added", "installation_repositories removed"]);
    assert_eq!(pending[0].payload["repositories_added"][0]["full_name"], "solo/b");
    assert_eq!(pending[1].payload["repositories_removed"][0]["full_name"], "solo/a");
    let token = world.post(&world.jwt(), &format!("/app/installations/{id}/access_tokens"), json!({})).await;
    world.get(&token.str("token"), "/repos/solo/a").await.expect(404);
}

#[tokio::test]
async fn the_manifest_code_is_good_once() {
    let world = World::new();
    let code = world.github.manifest_code(json!({ "name": "our driver" }));
    let path = format!("/app-manifests/{code}/conversions");
    let made = world.post("", &path, json!({})).await.expect(201);
    assert_eq!(made.body["name"], "our driver");
    assert!(made.str("pem").starts_with("-----BEGIN"));
    world.post("", &path, json!({})).await.expect(404);
}
