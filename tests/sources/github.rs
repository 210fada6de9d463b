//! What GitHub lists, for a person and for an App.

use crate::world::{StillClock, World, find, ids};
use github_sim::Role;
use mass_driver::forge::PersonSettings;
use mass_driver::forge::session::GitHubSession;
use serde_json::json;
use std::path::Path;
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn found(text: &str, github: &GitHubSession) -> Result<mass_driver::sources::Discovery, String> {
    find(text, (Path::new("/"), None), Some(github)).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_search_finds_what_its_person_may_see() {
    let world = World::new();
    let text = "{ source_name: github-search, source_config: { search_query: 'org:acme a' } }";
    let seen = found(text, &world.person("jo")).await.unwrap();
    assert_eq!(ids(&seen), ["acme/api"]);
    let one = &seen.repositories[0];
    assert!(one.clone_url.starts_with("git@") && one.clone_url.ends_with(":acme/api.git"), "{}", one.clone_url);
    assert_eq!(one.patch_data["default_branch"], "main");
    world.sim.person("stranger");
    world.sim.set_role("acme/api", "stranger", Role::Outsider).unwrap();
    let nothing = found(text, &world.person("stranger")).await.unwrap();
    assert!(nothing.repositories.is_empty());
    assert_eq!(nothing.remarks, ["GitHub lists no repository that is taken"]);
    world.the_end();
}

#[tokio::test]
async fn an_app_searches_and_lists_its_installation() {
    let world = World::new();
    let app = world.app();
    let installation = format!("app_installation_id: {}", world.installation);
    let text =
        format!("{{ source_name: github-app-search, source_config: {{ search_query: 'org:acme', {installation} }} }}");
    let seen = found(&text, &app).await.unwrap();
    assert_eq!(ids(&seen), ["acme/api", "acme/web"]);
    assert!(seen.repositories[0].clone_url.ends_with("/acme/api.git"), "an App has no ssh key");
    let text = format!("{{ source_name: github-installation, source_config: {{ {installation} }} }}");
    assert_eq!(ids(&found(&text, &app).await.unwrap()), ["acme/api", "acme/web"]);
    world.the_end();
}

#[tokio::test]
async fn archived_repositories_and_forks_are_left_out_as_it_is_asked_and_that_is_told() {
    let world = World::new();
    world.sim.archive("acme/web").unwrap();
    let jo = world.person("jo");
    let text = "{ source_name: github-organisation, source_config: { organisation: acme } }";
    let seen = found(text, &jo).await.unwrap();
    assert_eq!(ids(&seen), ["acme/api"]);
    assert_eq!(seen.remarks, ["1 left out: archived (`archived` of the source takes them as well)"]);
    let text =
        "{ source_name: github-organisation, source_config: { organisation: acme, archived: true, clone_with: ssh } }";
    assert_eq!(ids(&found(text, &jo).await.unwrap()), ["acme/api", "acme/web"]);
    let text = "{ source_name: github-organisation, source_config: { organisation: nobody } }";
    assert!(found(text, &jo).await.unwrap_err().contains("/orgs/nobody/repos"));
    world.the_end();
}

/// Ten pages of a hundred, as GitHub ends a search that finds more; an eleventh would be refused.
#[tokio::test]
async fn a_search_ends_where_github_ends_it_and_says_so() {
    let server = MockServer::start().await;
    for page in 1..=10 {
        let item = |number: i64| json!({ "id": number, "full_name": format!("acme/r{number}"), "private": false });
        let items: Vec<_> = (page * 100..page * 100 + 100).map(item).collect();
        let body = json!({ "total_count": 1_020, "incomplete_results": false, "items": items });
        let next = format!("<{}/search/repositories?q=r&per_page=100&page={}>; rel=\"next\"", server.uri(), page + 1);
        let answer = ResponseTemplate::new(200).set_body_json(body).insert_header("link", next);
        let asked = Mock::given(method("GET")).and(path("/search/repositories")).and(query_param("q", "r"));
        let asked = if page == 1 {
            asked.and(query_param_is_missing("page"))
        } else {
            asked.and(query_param("page", page.to_string()))
        };
        asked.respond_with(answer).expect(1).mount(&server).await;
    }
    let settings = PersonSettings::new(server.uri(), "ghp_jo".to_owned().into());
    let jo = GitHubSession::of_person(settings, std::sync::Arc::new(StillClock)).unwrap();
    let listing = jo.search("r").await.unwrap();
    assert_eq!(listing.repositories.len(), 1_000);
    let cut = listing.cut.unwrap();
    assert!(cut.starts_with("GitHub finds 1020 repositories for this query and shows the first 1000;"), "{cut}");
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 10, "the page behind the last one is not asked for");
    assert!(requests.iter().all(|request| request.headers["authorization"] == "Bearer ghp_jo"));
}
