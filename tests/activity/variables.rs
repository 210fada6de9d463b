//! Keys that the environment has and the file has not.

use super::lines;
use mass_driver::activity::*;
use rstest::rstest;

fn source(text: &str, variables: &[(&str, &str)]) -> Result<SourceConfig, String> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let around = Surroundings { variables, ..Surroundings::default() };
    let activity = parse(text.as_bytes(), Format::Yaml, &around).map_err(|problems| lines(&problems))?;
    Ok(activity.source.unwrap().config)
}

const REPO_LIST: &str = "source: { source_name: repo-list }";

#[rstest]
#[case("[\"a\", \"b\"]", &["a", "b"])]
#[case("a", &["a"])]
#[case("a\nb\r\n", &["a", "b"])]
#[case("[not json", &["[not json"])]
fn a_list_is_json_or_lines(#[case] value: &str, #[case] expected: &[&str]) {
    let repos = expected.iter().map(|one| (*one).to_owned()).collect();
    assert_eq!(source(REPO_LIST, &[("SOURCE_REPOS", value)]), Ok(SourceConfig::RepoList { repos }));
}

#[test]
fn the_file_wins_and_an_empty_variable_is_none() {
    let text = "source: { source_name: repo-list, source_config: { repos: [here] } }";
    let written = SourceConfig::RepoList { repos: vec!["here".into()] };
    assert_eq!(source(text, &[("SOURCE_REPOS", "there")]), Ok(written));
    assert!(source(REPO_LIST, &[("SOURCE_REPOS", " ")]).unwrap_err().contains("`repos` is missing"));
}

#[test]
fn numbers_truth_values_and_mappings_come_in_too() {
    let text = "source: { source_name: github-app-search }";
    let variables = [
        ("SOURCE_SEARCH_QUERY", "123"),
        ("SOURCE_APP_INSTALLATION_ID", "5"),
        ("SOURCE_ARCHIVED", "true"),
        ("SOURCE_TOKEN", "x"),
    ];
    let Ok(SourceConfig::GitHubAppSearch { search_query, filter, app }) = source(text, &variables) else { panic!() };
    assert_eq!(
        (search_query.as_str(), filter.archived, app),
        ("123", true, AppAccess { app_id: None, installation: 5 })
    );
    let text = "source: { source_name: csv-filelist, source_config: { csv_file: a.csv } }";
    let Ok(SourceConfig::CsvFilelist { shape, .. }) = source(text, &[("SOURCE_READER_ARGS", r#"{"delimiter": "\t"}"#)])
    else {
        panic!()
    };
    assert_eq!(shape.delimiter, b'\t');
}

#[test]
fn a_wrong_variable_is_named_and_its_value_is_not() {
    let found = source("source: { source_name: github-installation }", &[("SOURCE_APP_INSTALLATION_ID", "hidden")]);
    let found = found.unwrap_err();
    assert!(found.contains("`SOURCE_APP_INSTALLATION_ID`") && !found.contains("hidden"), "{found}");
}

#[test]
fn a_forges_keys_come_in_too() {
    let variables =
        [("FORGE_APP_INSTALLATION_ID".to_owned(), "8".to_owned()), ("FORGE_TOKEN".into(), "x".into())].into();
    let around = Surroundings { variables, ..Surroundings::default() };
    let text = "forge: { forge_name: github-app, head_branch: a, pr_title: b }";
    let activity = parse(text.as_bytes(), Format::Yaml, &around).unwrap();
    assert_eq!(activity.forge.unwrap().kind, ForgeKind::GitHubApp { app_id: None, installation: Some(8) });
}
