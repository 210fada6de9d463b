//! Tokens and keys have no place in a file, and are not shown when they stand in one.

use super::problems;
use rstest::rstest;

fn token(prefix: &str) -> String {
    format!("{prefix}{}", "0aB1".repeat(9))
}

#[rstest]
#[case(&token("ghp_"))]
#[case(&token("github_pat_"))]
#[case(&format!("https://me:{}@example.com/a.git", "pass"))]
#[case(&format!("https://x-access-token:{}@github.com/a/b.git", token("ghs_")))]
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
    for text in
        ["ghp_supersecret", "https://me@example.com/a.git", "https://${USER}:${TOKEN}@example.com", "ssh://git:x@h/a"]
    {
        super::yaml(&format!("source: {{ source_name: repo-list, source_config: {{ repos: [\"{text}\"] }} }}"));
    }
}
