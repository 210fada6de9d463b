//! The tags of repositories that are not ours, told by servers that mean no good.

use super::world::{TOKENS, World, id, ok, refusal, target};
use mass_driver::domain::{InstallationId, RepoId, RepoName};
use mass_driver::forge::{ForgeError, Sight, TagList, Tags};
use serde_json::{Value, json};
use wiremock::{Request, Respond, ResponseTemplate};

const REPO: &str = "/repos/octo/build";

fn everybody() -> Sight {
    let name = RepoName::parse("octo/build").unwrap();
    Sight::Public { name, installation: InstallationId(7), on_behalf_of: RepoId(11) }
}

fn tag(name: &str) -> Value {
    json!({ "name": name, "commit": { "sha": id('c') } })
}

fn repository(private: bool) -> Value {
    json!({ "id": 99, "full_name": "octo/build", "private": private })
}

/// Pages without end, each full of tags of its own.
struct Endless(String);

impl Respond for Endless {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let page =
            request.url.query_pairs().find(|(name, _)| name == "page").map_or(1, |(_, page)| page.parse().unwrap());
        let tags: Vec<Value> = (0..100).map(|n| tag(&format!("v{page}.{n}"))).collect();
        let next = format!("<{}{REPO}/tags?page={}>; rel=\"next\"", self.0, page + 1);
        ok(200, json!(tags)).insert_header("link", next.as_str()).insert_header("etag", "\"x\"")
    }
}

#[tokio::test]
async fn tags_without_end_are_read_up_to_a_bound() {
    let world = World::new().await;
    world.at("GET", &format!("{REPO}/tags"), Endless(world.server.uri())).await;
    world.at("GET", &format!("{REPO}/releases"), ok(200, json!([])).insert_header("etag", "\"y\"")).await;
    world.at("GET", REPO, ok(200, repository(false))).await;
    let Tags::Found(list) = world.github.tags(&everybody(), None).await.unwrap() else { panic!("they are found") };
    assert_eq!((list.tags.len(), list.complete), (3_000, false));
    assert_eq!(world.asked().await.len(), 32);
}

#[tokio::test]
async fn security_03_what_github_calls_private_is_not_shown() {
    let world = World::new().await;
    world.at("GET", &format!("{REPO}/tags"), ok(200, json!([tag("v1")]))).await;
    world.at("GET", &format!("{REPO}/releases"), ok(200, json!([]))).await;
    world.at("GET", REPO, ok(200, repository(true))).await;
    assert_eq!(world.github.tags(&everybody(), None).await, Ok(Tags::NotShown));
    let minted = world.body("POST", TOKENS).await;
    assert_eq!(minted, json!({ "permissions": { "metadata": "read" }, "repository_ids": [11] }));
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_no_error_and_a_token_that_is_not_to_be_had_is_one() {
    let world = World::new().await;
    world.at("GET", &format!("{REPO}/tags"), refusal(404, "Not Found")).await;
    assert_eq!(world.github.tags(&everybody(), None).await, Ok(Tags::NotShown));

    let world = World::without_tokens().await;
    world.at("POST", TOKENS, refusal(404, "Not Found")).await;
    let error = world.github.tags(&everybody(), None).await.unwrap_err();
    assert!(matches!(error, ForgeError::Gone { .. }), "{error}");
}

#[tokio::test]
async fn marks_are_believed_only_as_long_as_every_page_is_as_it_was() {
    let world = World::new().await;
    world.at("GET", &format!("{REPO}/tags"), ok(200, json!([tag("v1")])).insert_header("etag", "W/\"1\"")).await;
    world.at("GET", &format!("{REPO}/releases"), ok(200, json!([])).insert_header("etag", "W/\"2\"")).await;
    world.at("GET", REPO, ok(200, repository(false))).await;
    let Ok(Tags::Found(TagList { marks: Some(marks), .. })) = world.github.tags(&everybody(), None).await else {
        panic!("there are marks")
    };
    assert!(matches!(world.github.tags(&everybody(), Some(&marks)).await, Ok(Tags::Found(_))), "a 200 is news");
    assert!(matches!(world.github.tags(&everybody(), Some("no marks")).await, Ok(Tags::Found(_))));
    world.server.reset().await;
    world.at("POST", TOKENS, super::world::Minting::default()).await;
    world.at("GET", &format!("{REPO}/tags"), ResponseTemplate::new(304)).await;
    world.at("GET", &format!("{REPO}/releases"), ResponseTemplate::new(304)).await;
    assert_eq!(world.github.tags(&everybody(), Some(&marks)).await, Ok(Tags::NotModified));
    let known: Vec<String> = world
        .requests()
        .await
        .iter()
        .filter_map(|r| Some(r.headers.get("if-none-match")?.to_str().unwrap().into()))
        .collect();
    assert_eq!(known, ["W/\"1\"", "W/\"2\""]);
    // Who has not said what is known is not told that it still holds.
    let error = world.github.tags(&everybody(), None).await.unwrap_err();
    assert!(matches!(error, ForgeError::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn a_full_last_page_hides_what_follows_it_so_there_are_no_marks() {
    let world = World::new().await;
    let full: Vec<Value> = (0..100).map(|n| tag(&format!("v{n}"))).collect();
    world.at("GET", &format!("{REPO}/tags"), ok(200, json!(full)).insert_header("etag", "\"1\"")).await;
    world.at("GET", &format!("{REPO}/releases"), ok(200, json!([])).insert_header("etag", "\"2\"")).await;
    world.at("GET", REPO, ok(200, repository(false))).await;
    let Ok(Tags::Found(list)) = world.github.tags(&everybody(), None).await else { panic!("they are found") };
    assert_eq!((list.marks, list.complete), (None, true));
}

#[tokio::test]
async fn a_tag_leads_to_its_commit_by_way_of_tags_but_not_for_ever() {
    let world = World::new().await;
    let own = Sight::Own(target());
    let points_at = |kind: &str, digit: char| ok(200, json!({ "object": { "sha": id(digit), "type": kind } }));
    world.at("GET", "/repos/acme/api/git/ref/tags%2Fv1", points_at("tag", 'a')).await;
    world.at("GET", &format!("/repos/acme/api/git/tags/{}", id('a')), points_at("commit", 'c')).await;
    assert_eq!(world.github.tag(&own, "v1").await, Ok(Some(id('c'))));
    world.at("GET", "/repos/acme/api/git/ref/tags%2Fcircle", points_at("tag", 'b')).await;
    world.at("GET", &format!("/repos/acme/api/git/tags/{}", id('b')), points_at("tag", 'b')).await;
    assert_eq!(world.github.tag(&own, "circle").await, Ok(None));
    assert_eq!(world.asked().await.len(), 2 + 6);
    world.at("GET", "/repos/acme/api/git/ref/tags%2Ffile", points_at("blob", 'd')).await;
    assert_eq!(world.github.tag(&own, "file").await, Ok(None));
    assert_eq!(world.github.tag(&own, "nothing").await, Ok(None), "404");
}

#[tokio::test]
async fn security_03_a_private_repository_is_not_followed_to_another_one() {
    let world = World::new().await;
    let moved = ResponseTemplate::new(301)
        .insert_header("location", format!("{}/repositories/12/tags", world.server.uri()).as_str());
    world.at("GET", "/repos/acme/api/tags", moved).await;
    let error = world.github.tags(&Sight::Own(target()), None).await.unwrap_err();
    assert!(matches!(error, ForgeError::Moved { expected: 11, found: 12, .. }), "{error}");
}
