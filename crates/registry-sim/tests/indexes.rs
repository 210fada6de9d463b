//! The stand-in's npm registry and sparse index, met over HTTP as a client meets them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use jiff::Timestamp;
use registry_sim::RegistrySim;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use std::sync::Arc;

const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

fn registry() -> RegistrySim {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    RegistrySim::start(Arc::new(move || start)).unwrap()
}

async fn get(url: &str, name: &str, value: &str) -> Response {
    let client = Client::builder().no_proxy().build().unwrap();
    client.get(url).header(name, value).send().await.unwrap()
}

async fn npm(registry: &RegistrySim, path: &str, accept: &str) -> Value {
    get(&format!("{}{path}", registry.npm_url()), "accept", accept).await.json().await.unwrap()
}

/// The address of an index file, without the word that only Cargo knows.
fn in_index(registry: &RegistrySim, path: &str) -> String {
    format!("{}{path}", registry.cargo_url().strip_prefix("sparse+").unwrap())
}

#[tokio::test]
async fn a_full_packument_has_times_and_an_abbreviated_one_has_none() {
    let registry = registry();
    registry.npm().release("@types/node", "24.0.0");
    registry.npm().release_undated("@types/node", "24.1.0");
    registry.npm().yank("@types/node", "24.1.0");
    let full = npm(&registry, "@types%2fnode", "application/json").await;
    let moment = "2026-01-01T00:00:00Z";
    assert_eq!(full["time"], json!({"created": moment, "modified": moment, "24.0.0": moment}));
    assert_eq!(full["dist-tags"], json!({"latest": "24.1.0"}), "to deprecate a version moves no tag");
    assert_eq!(full["versions"]["24.1.0"]["deprecated"], "taken back");
    assert_eq!(full["versions"]["24.0.0"].get("deprecated"), None);
    let short = npm(&registry, "@types%2fnode", ABBREVIATED).await;
    assert_eq!((short.get("time"), &short["versions"]), (None, &full["versions"]));
    registry.point_latest("@types/node", "24.0.0");
    registry.npm().release("@types/node", "25.0.0");
    let pointed = npm(&registry, "@types%2fnode", ABBREVIATED).await;
    assert_eq!(pointed["dist-tags"], json!({"latest": "24.0.0"}));
    let unescaped = get(&format!("{}@types/node", registry.npm_url()), "accept", "*/*").await;
    assert_eq!(unescaped.status(), 404, "a client that forgets to escape the slash is told so");
}

#[tokio::test]
async fn a_package_without_releases_is_unpublished_and_one_never_there_is_not_found() {
    let registry = registry();
    registry.npm().release("left-pad", "1.0.0");
    registry.npm().delete_release("left-pad", "1.0.0");
    let document = npm(&registry, "left-pad", "application/json").await;
    assert_eq!(document.get("versions"), None);
    assert_eq!(document["time"]["unpublished"]["name"], "left-pad");
    assert_eq!(get(&format!("{}absent", registry.npm_url()), "accept", "*/*").await.status(), 404);
}

#[tokio::test]
async fn an_index_file_has_a_line_for_each_version_where_its_name_says() {
    let registry = registry();
    registry.cargo().release("Inflector", "0.11.0");
    registry.cargo().release_undated("Inflector", "0.11.1");
    registry.cargo().yank("Inflector", "0.11.1");
    let file = in_index(&registry, "in/fl/inflector");
    let first = get(&file, "accept", "*/*").await;
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    let text = first.text().await.unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let shown: Vec<_> =
        lines.iter().map(|line| (&line["name"], &line["vers"], &line["yanked"], line.get("pubtime"))).collect();
    let (name, moment) = (json!("Inflector"), json!("2026-01-01T00:00:00Z"));
    let expected =
        [(&name, &json!("0.11.0"), &json!(false), Some(&moment)), (&name, &json!("0.11.1"), &json!(true), None)];
    assert_eq!(shown, expected);
    assert_eq!(get(&file, "if-none-match", &etag).await.status(), 304);
    for elsewhere in ["In/fl/Inflector", "in/fl/Inflector", "Inflector", "3/i/inflector", "in/fl/absent"] {
        assert_eq!(get(&in_index(&registry, elsewhere), "accept", "*/*").await.status(), 404, "{elsewhere}");
    }
    let config: Value = get(&in_index(&registry, "config.json"), "accept", "*/*").await.json().await.unwrap();
    assert!(config["dl"].is_string(), "{config}");
}

#[tokio::test]
async fn a_name_means_another_package_in_each_system() {
    let registry = registry();
    registry.release("a_b", "1.0");
    registry.npm().release("a_b", "2.0.0");
    registry.cargo().release("a_b", "3.0.0");
    for (system, name, version) in [("pypi", "a-b", "1.0"), ("npm", "a_b", "2.0.0"), ("cargo", "a_b", "3.0.0")] {
        let url = format!("{}/v3/systems/{system}/packages/a_b", registry.deps_dev_url());
        let document: Value = get(&url, "accept", "*/*").await.json().await.unwrap();
        let key = json!({"system": system.to_uppercase(), "name": name, "version": version});
        assert_eq!(document["versions"][0]["versionKey"], key);
        assert_eq!(document["versions"].as_array().unwrap().len(), 1);
    }
}
