//! Installations, repositories, heads, trees and blobs.

use super::world::*;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use mass_driver::domain::{InstallationId, ObjectId, PullNumber, RepoId, RepoState};
use mass_driver::forge::{AccountKind, EntryKind, ForgeError, PullStatus};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, ResponseTemplate};

const MAIN: &str = "/repos/acme/api/branches/main";

#[tokio::test]
async fn a_head_costs_one_request() {
    let world = World::new().await;
    world.at("GET", MAIN, ok(200, branch("main", 'a', 'b', 'c'))).await;
    let head = world.github.head(&target(), "main").await.unwrap().unwrap();
    assert_eq!((head.commit, head.tree), (id('a'), id('b')));
    assert_eq!(world.asked().await, ["GET /repos/acme/api/branches/main"]);
    let request = world.requests().await.pop().unwrap();
    assert!(!request.headers.contains_key("transfer-encoding") && !request.headers.contains_key("content-type"));
}

#[tokio::test]
async fn no_head_is_a_value() {
    let answers = [
        refusal(404, "Branch not found"),
        refusal(409, "Git Repository is empty."),
        // What is left of a renamed branch: a redirect to the new one.
        ok(200, branch("trunk", 'a', 'b', 'c')),
    ];
    for answer in answers {
        let world = World::new().await;
        world.at("GET", MAIN, answer).await;
        assert_eq!(world.github.head(&target(), "main").await.unwrap(), None);
    }
    let world = World::new().await;
    world.at("GET", MAIN, refusal(404, "Not Found")).await;
    assert!(matches!(world.github.head(&target(), "main").await, Err(ForgeError::Gone { .. })));
}

#[tokio::test]
async fn branch_names_stay_one_part_of_the_path_and_ids_may_be_long() {
    let world = World::new().await;
    let long = "c".repeat(64);
    let body = json!({ "name": "a/b #1?", "commit": { "sha": long, "commit": { "tree": { "sha": long } } } });
    world.at("GET", "/repos/acme/api/branches/a%2Fb%20%231%3F", ok(200, body)).await;
    let head = world.github.head(&target(), "a/b #1?").await.unwrap().unwrap();
    assert_eq!(head.commit, ObjectId::parse(&long).unwrap());
}

fn entry(path: &str, mode: &str, kind: &str, digit: char) -> Value {
    json!({ "path": path, "mode": mode, "type": kind, "sha": id(digit), "size": 3, "url": null })
}

async fn tree_at(world: &World, digit: char, recursive: bool, body: Value) {
    let mock = Mock::given(method("GET")).and(path(format!("/repos/acme/api/git/trees/{}", id(digit))));
    let mock =
        if recursive { mock.and(query_param("recursive", "1")) } else { mock.and(query_param_is_missing("recursive")) };
    mock.respond_with(ok(200, body)).mount(&world.server).await;
}

#[tokio::test]
async fn a_tree_keeps_modes_and_kinds() {
    let world = World::new().await;
    let entries = json!([
        entry("Dockerfile", "100644", "blob", '1'),
        entry("run.sh", "100755", "blob", '2'),
        entry("link", "120000", "blob", '3'),
        entry("vendor", "160000", "commit", '4'),
        entry("src", "040000", "tree", '5'),
        entry("../odd", "100644", "novelty", '6'),
    ]);
    tree_at(&world, 'b', true, json!({ "sha": id('b'), "tree": entries, "truncated": false })).await;
    let tree = world.github.tree(&target(), &id('b')).await.unwrap();
    let seen: Vec<_> = tree.iter().map(|e| (e.path.as_str(), e.mode.as_str(), e.kind)).collect();
    assert_eq!(
        seen,
        [
            ("Dockerfile", "100644", EntryKind::Blob),
            ("run.sh", "100755", EntryKind::Blob),
            ("link", "120000", EntryKind::Blob),
            ("vendor", "160000", EntryKind::Commit),
            ("src", "040000", EntryKind::Tree),
            ("../odd", "100644", EntryKind::Other),
        ]
    );
    assert_eq!(world.asked().await.len(), 1);
}

#[tokio::test]
async fn a_truncated_tree_is_walked_and_loses_nothing() {
    let world = World::new().await;
    let some = json!([entry("a.txt", "100644", "blob", '1')]);
    tree_at(&world, 'b', true, json!({ "tree": some, "truncated": true })).await;
    let top = json!([
        entry("a.txt", "100644", "blob", '1'),
        entry("small", "040000", "tree", 'c'),
        entry("large", "040000", "tree", 'd'),
    ]);
    tree_at(&world, 'b', false, json!({ "tree": top, "truncated": false })).await;
    tree_at(&world, 'c', true, json!({ "tree": [entry("x/y.txt", "100644", "blob", '2')], "truncated": false })).await;
    tree_at(&world, 'd', true, json!({ "tree": [], "truncated": true })).await;
    let large = json!([entry("deep", "040000", "tree", 'e'), entry("z.txt", "100644", "blob", '3')]);
    tree_at(&world, 'd', false, json!({ "tree": large, "truncated": false })).await;
    tree_at(&world, 'e', true, json!({ "tree": [entry("w.txt", "100644", "blob", '4')], "truncated": false })).await;

    let tree = world.github.tree(&target(), &id('b')).await.unwrap();
    let mut files: Vec<_> = tree.iter().filter(|e| e.kind == EntryKind::Blob).map(|e| e.path.as_str()).collect();
    files.sort_unstable();
    assert_eq!(files, ["a.txt", "large/deep/w.txt", "large/z.txt", "small/x/y.txt"]);
}

#[tokio::test]
async fn a_folder_too_large_to_list_is_an_error_and_not_a_shorter_list() {
    let world = World::new().await;
    for recursive in [true, false] {
        tree_at(&world, 'b', recursive, json!({ "tree": [], "truncated": true })).await;
    }
    let outcome = world.github.tree(&target(), &id('b')).await;
    assert!(matches!(outcome, Err(ForgeError::TooLarge { .. })), "{outcome:?}");
}

async fn blob(content: &[u8], size: u64, max_bytes: u64) -> Result<Vec<u8>, ForgeError> {
    let world = World::new().await;
    // GitHub breaks the lines of base64.
    let packed = BASE64_STANDARD.encode(content);
    let packed: Vec<&str> = packed.as_bytes().chunks(60).map(|c| std::str::from_utf8(c).unwrap()).collect();
    let body = json!({ "sha": id('1'), "content": packed.join("\n") + "\n", "encoding": "base64", "size": size });
    world.at("GET", &format!("/repos/acme/api/git/blobs/{}", id('1')), ok(200, body)).await;
    world.github.blob(&target(), &id('1'), max_bytes).await
}

#[tokio::test]
async fn blobs_arrive_byte_for_byte() {
    for content in [&b""[..], b"x", b"\xef\xbb\xbfa\r\nb\0\xff", &[7; 200_000]] {
        assert_eq!(blob(content, content.len() as u64, content.len() as u64).await.unwrap(), content);
    }
}

#[tokio::test]
async fn blobs_beyond_the_limit_are_not_read() {
    for (length, limit) in [(11, 10), (200_000, 1000)] {
        let outcome = blob(&vec![b'x'; length], length as u64, limit).await;
        assert!(matches!(&outcome, Err(ForgeError::TooLarge { limit: text, .. }) if *text == format!("{limit} bytes")));
    }
}

#[tokio::test]
async fn a_blob_shorter_than_its_size_is_not_taken() {
    assert!(matches!(blob(b"half", 8, 100).await, Err(ForgeError::Protocol { .. })));
}

fn repository(id: i64, name: &str) -> Value {
    json!({ "id": id, "full_name": name, "default_branch": "main", "private": false, "fork": false,
            "archived": false, "disabled": false, "html_url": format!("https://github.example.com/{name}") })
}

#[tokio::test]
async fn repositories_come_from_every_page_once() {
    let world = World::new().await;
    let at = |page: &str| format!("{}/installation/repositories?per_page=100&page={page}", world.server.uri());
    let first = json!({ "total_count": 4, "repositories": [repository(1, "acme/a"), repository(2, "acme/b")] });
    let mut odd = repository(9, "acme/in valid");
    odd["default_branch"] = Value::Null;
    let mut archived = repository(3, "acme/c");
    archived["archived"] = json!(true);
    archived["default_branch"] = Value::Null;
    let second = json!({ "total_count": 4, "repositories": [repository(2, "acme/b"), archived, odd] });
    let repositories = "/installation/repositories";
    Mock::given(path(repositories))
        .and(query_param("page", "2"))
        .respond_with(ok(200, second).insert_header("link", format!(r#"<{}>; rel="prev""#, at("1"))))
        .mount(&world.server)
        .await;
    let links = format!(r#"<{}>; rel="next", <{}>; rel="last""#, at("2"), at("2"));
    world.at("GET", repositories, ok(200, first).insert_header("link", links)).await;

    let found = world.github.repositories(InstallationId(7)).await.unwrap();
    let names: Vec<_> = found.iter().map(|listed| listed.repository.name.to_string()).collect();
    assert_eq!(names, ["acme/a", "acme/b", "acme/c"]);
    let archived = &found[2].repository;
    assert_eq!((archived.state, archived.default_branch.clone()), (RepoState::Archived, None));
    assert_eq!(world.body("POST", TOKENS).await, json!({ "permissions": { "metadata": "read" } }));
}

#[tokio::test]
async fn pages_in_a_circle_end() {
    let world = World::new().await;
    let again = r#"</installation/repositories?per_page=100>; rel="next""#;
    let body = json!({ "repositories": [] });
    world.at("GET", "/installation/repositories", ok(200, body).insert_header("link", again)).await;
    let outcome = world.github.repositories(InstallationId(7)).await;
    assert!(matches!(outcome, Err(ForgeError::Protocol { .. })), "{outcome:?}");
}

#[tokio::test]
async fn installations_of_every_kind_are_understood() {
    let world = World::without_tokens().await;
    let body = json!([
        { "id": 1, "account": { "login": "acme", "type": "Organization" }, "target_type": "Organization",
          "repository_selection": "all", "suspended_at": null, "permissions": { "contents": "write", "odd": 3 } },
        { "id": 2, "account": { "login": "ann", "type": "User" }, "suspended_at": "2026-01-01T00:00:00Z" },
        { "id": 3, "account": { "slug": "big", "name": "Big" }, "target_type": "Enterprise" },
        { "id": 4, "account": null },
    ]);
    world.at("GET", "/app/installations", ok(200, body)).await;
    let found = world.github.installations().await.unwrap();
    let seen: Vec<_> = found.iter().map(|i| (i.account.as_str(), i.account_kind, i.suspended)).collect();
    assert_eq!(
        seen,
        [
            ("acme", AccountKind::Organization, false),
            ("ann", AccountKind::User, true),
            ("big", AccountKind::Other, false),
            ("", AccountKind::Other, false),
        ]
    );
}

#[tokio::test]
async fn a_name_that_passed_to_another_repository_is_noticed() {
    let world = World::new().await;
    world.at("GET", "/repos/acme/api", ok(200, repository(99, "acme/api"))).await;
    let error = world.github.repository(&target()).await.unwrap_err();
    assert!(matches!(error, ForgeError::Moved { expected: 11, found: 99, .. }), "{error:?}");
}

#[tokio::test]
async fn a_renamed_repository_is_followed_by_its_redirect() {
    let world = World::new().await;
    let moved = ResponseTemplate::new(301).insert_header("location", format!("{}/repositories/11", world.server.uri()));
    world.at("GET", "/repos/acme/api", moved).await;
    world.at("GET", "/repositories/11", ok(200, repository(11, "acme/new"))).await;
    let found = world.github.repository(&target()).await.unwrap();
    assert_eq!((found.id, found.name.to_string()), (RepoId(11), "acme/new".into()));
}

#[tokio::test]
async fn pull_requests_of_ghosts_and_lost_forks_are_read() {
    let world = World::new().await;
    let mut body = pull(5, "closed", 'd');
    body["merged_at"] = json!("2026-03-01T00:00:00Z");
    body["head"]["repo"] = Value::Null;
    world.at("GET", "/repos/acme/api/pulls/5", ok(200, body)).await;
    let state = world.github.pull(&target(), PullNumber(5)).await.unwrap();
    assert_eq!((state.status, state.head_repo, state.head), (PullStatus::Merged, None, id('d')));
}
