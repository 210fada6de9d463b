//! Tokens and keys have no place in a file, and are not shown when they stand in one.

use super::problems;
use mass_driver::activity::{address_complaint, names_secret};
use mass_driver::bulk::address::Address;
use rstest::rstest;

fn token(prefix: &str) -> String {
    format!("{prefix}{}", "0aB1".repeat(9))
}

#[rstest]
#[case(&token("ghp_"))]
#[case(&token("github_pat_"))]
#[case(&format!("https://me:{}@example.com/a.git", "pass"))]
#[case(&format!("https://x-access-token:{}@github.com/a/b.git", token("ghs_")))]
#[case(&format!("ssh://git:{}@example.com/a.git", "pass"))]
#[case(&format!("pkg @ git+https://oauth2:{}@example.com/a", "pass"))]
#[case(&format!("HTTPS://me:{}@example.com/a.git", "pass"))]
#[case(&format!("https://{}@github.com/acme/api", "0aB1".repeat(10)))]
#[case("-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----")]
fn a_secret_is_refused_wherever_it_stands_and_not_shown(#[case] secret: &str) {
    for text in [
        format!("source: {{ source_name: repo-list, source_config: {{ repos: [\"{secret}\"] }} }}"),
        format!("source: {{ source_name: github-search, source_config: {{ search_query: a, token: \"{secret}\" }} }}"),
        format!("migration: {{ commit_message: a, driver_name: my-driver, driver_config: {{ a: [\"{secret}\"] }} }}"),
        format!("scan: {{ scanner_names: \"{secret}\" }}"),
        format!("\"{secret}\""),
    ] {
        let found = problems(&text);
        assert!(found.contains("stands here"), "{found}");
        assert!(!found.contains("0aB1") && !found.contains("pass@") && !found.contains("MIIE"), "{found}");
    }
}

#[rstest]
#[case("source: { source_name: github-search, source_config: { search_query: a, token: abc } }", "set FORGE_TOKEN")]
#[case("forge: { forge_name: github, head_branch: a, pr_title: a, forge_config: { token: abc } }", "set FORGE_TOKEN")]
#[case(
    "forge: { forge_name: github-app, head_branch: a, pr_title: a, forge_config: { app_private_key: abc } }",
    "set GITHUB_APP_PRIVATE_KEY_FILE"
)]
fn a_key_for_a_token_says_where_it_belongs(#[case] text: &str, #[case] expected: &str) {
    let found = problems(text);
    assert!(found.contains(expected) && !found.contains("abc"), "{found}");
}

#[test]
fn what_only_looks_like_one_is_text() {
    for text in [
        "ghp_supersecret",
        "https://me@example.com/a.git",
        "https://${USER}:${TOKEN}@example.com",
        "ssh://git@example.com:22/a",
        "postgres://postgres:postgres@localhost/test",
    ] {
        super::yaml(&format!("source: {{ source_name: repo-list, source_config: {{ repos: [\"{text}\"] }} }}"));
    }
}

/// What is found is judged here before it is stored, and there before it is cloned: what the second refuses as a secret must
/// not get past the first.
#[rstest]
#[case("ssh://git:hunter2@host/a.git")]
#[case("SSH://git:hunter2@host/a.git")]
#[case("git+ssh://git:hunter2@host/a.git")]
#[case("https://0123456789abcdef0123456789abcdef01234567@github.com/acme/api")]
#[case("HTTPS://me:hunter2@host/a")]
#[case("Http://me:hunter2@127.0.0.1/a")]
#[case("https://me:hunter2@odd@host/a")]
#[case("https://me:@host/a")]
#[case("https://x-access-token@host/a")]
#[case("https://ghp_hunter2@github.com/a")]
#[case("ftp://me:hunter2@host/a")]
#[case("git:hunter2@host:a/b")]
#[case("me:hunter2@github.com/acme/api")]
fn an_address_with_a_secret_is_refused_before_it_is_stored(#[case] address: &str) {
    let why = address_complaint(address).unwrap_or_else(|| panic!("{address}"));
    assert!(names_secret(address) && why.contains("password or token"), "{address}: {why}");
}

#[rstest]
#[case("https://github.com/acme/api")]
#[case("https://git@github.com/acme/api.git")]
#[case("ssh://git@host:22/a/b")]
#[case("git@github.com:acme/api.git")]
#[case("host:@a/c")]
#[case("file:///srv/a@b:c")]
#[case("/srv/a:b@c")]
#[case("../api")]
fn an_address_without_one_is_taken_by_both(#[case] address: &str) {
    assert_eq!(address_complaint(address), None);
    assert!(Address::parse(address).is_ok(), "{address}");
}
