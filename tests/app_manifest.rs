//! The App asks for the least, and its page, its manifest and its documentation say the same.

mod support {
    pub mod markdown;
}

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use support::markdown::{code_spans, table};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: impl AsRef<Path>) -> String {
    let path = root().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn manifest() -> Value {
    serde_json::from_str(&read("app-manifest/manifest.json")).expect("the manifest is JSON")
}

#[test]
fn the_app_asks_for_the_least() {
    let manifest = manifest();
    assert_eq!(
        manifest["default_permissions"],
        json!({
            "metadata": "read",
            "contents": "write",
            "pull_requests": "write",
            "checks": "write",
            "issues": "read",
            "statuses": "read",
            "members": "read",
        })
    );
    // `installation` and its like are always sent, and refused in a manifest.
    let events = [
        "push",
        "pull_request",
        "pull_request_review",
        "repository",
        "check_run",
        "check_suite",
        "status",
        "issue_comment",
    ];
    assert_eq!(manifest["default_events"], json!(events));
    assert_eq!(manifest["public"], json!(false));
    assert_eq!(manifest["hook_attributes"]["active"], json!(true));
}

#[test]
fn its_addresses_belong_together() {
    let manifest = manifest();
    let url = manifest["url"].as_str().expect("an address");
    assert_eq!(manifest["hook_attributes"]["url"], json!(format!("{url}/webhooks/github")));
    assert_eq!(manifest["redirect_url"], json!(format!("{url}/")));
}

#[test]
fn the_page_hands_over_the_same_manifest() {
    let page = read("app-manifest/register.html");
    let (_, rest) = page.split_once(r#"<script type="application/json" id="manifest">"#).expect("the page holds one");
    let (text, _) = rest.split_once("</script>").expect("it ends");
    assert_eq!(serde_json::from_str::<Value>(text).expect("it is JSON"), manifest());
    // Self-contained: nothing is loaded from anywhere.
    for reference in ["src=", "<link", "@import", "fetch("] {
        assert!(!page.contains(reference), "{reference}");
    }
}

/// The code works once and for an hour: whoever reloads the page must still find it, and nobody else's link may bring one.
#[test]
fn the_page_keeps_the_code_for_a_reload() {
    let page = read("app-manifest/register.html");
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("the page does not say `{text}`"));
    assert!(place("location.search || sessionStorage.getItem('answer')") < place("answer.get('state') === sent.state"));
    assert!(place("if (known) {") < place("sessionStorage.setItem('answer', answer.toString())"));
    assert!(place("sessionStorage.setItem('answer'") < place("history.replaceState"));
    assert!(!page.contains("removeItem('registration')"), "the state is compared again at a reload");
    assert_eq!(page.matches("register.html?again").count(), 2, "and there is a way out");
}

#[test]
fn its_documentation_explains_each_permission_and_event() {
    let page = read("app-manifest/README.md");
    let permissions: Value = table(&page, "## What it may do")
        .into_iter()
        .map(|cells| (code_spans(cells[0])[0].to_owned(), json!(cells[1])))
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(permissions, manifest()["default_permissions"]);
    let events: Vec<_> = table(&page, "## What it hears of").into_iter().map(|cells| code_spans(cells[0])[0]).collect();
    assert_eq!(json!(events), manifest()["default_events"]);
}

#[test]
fn the_settings_it_names_are_in_the_example() {
    let example = read(".env.example");
    let offered =
        |name: &str| example.lines().any(|line| line.trim_start_matches('#').starts_with(&format!("{name}=")));
    for file in ["app-manifest/README.md", "app-manifest/register.html"] {
        let text = read(file);
        let of_settings = |word: &&str| word.starts_with("GITHUB_") || word.starts_with("MASS_DRIVER_");
        let words = text.split(|each: char| !each.is_ascii_uppercase() && each != '_').filter(of_settings);
        let missing: Vec<_> = words.filter(|name| !offered(name)).collect();
        assert!(missing.is_empty(), "{file} names {missing:?}, .env.example does not");
    }
}
