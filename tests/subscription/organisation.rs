//! The organisation's file: what it may say, what its problems look like, and that its JSON Schema agrees.

use mass_driver::pipeline::onboard::A_DAY_MAX;
use mass_driver::subscription::{OrganisationFile, WhichRepositories, organisation_schema, parse_organisation};
use proptest::prelude::*;
use proptest::sample::select;
use rstest::rstest;
use serde_json::{Value, json};

fn problems(text: &str) -> String {
    let problems = parse_organisation(text.as_bytes()).expect_err(text);
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn asked(file: &OrganisationFile, names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|name| file.asks_onboarding_of(name)).collect()
}

#[rstest]
#[case("onboarding: all", &["api", "Service-a", ".github"])]
#[case("onboarding: none", &[])]
#[case("onboarding: api", &["api"])]
#[case("onboarding: [ap, al, one, api]", &["api"])]
#[case("onboarding: [API, service-*]", &["api", "Service-a"])]
#[case("onboarding: all\nexclude: service-?", &["api", ".github"])]
#[case("onboarding: [\"*\"]\nexclude: [api, \".*\"]", &["Service-a"])]
#[case("onboarding: \"[a]pi\"\nexclude: []", &["api"])]
fn who_is_meant(#[case] text: &str, #[case] expected: &[&str]) {
    let file = parse_organisation(text.as_bytes()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    assert_eq!(asked(&file, &["api", "Service-a", ".github"]), expected);
    let stored = serde_json::to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<OrganisationFile>(&stored).unwrap(), file, "what is stored comes back");
}

#[test]
fn nothing_is_asked_for_by_default() {
    assert_eq!(OrganisationFile::default().onboarding, WhichRepositories::None);
    assert_eq!(asked(&OrganisationFile::default(), &["api"]), Vec::<&str>::new());
}

#[test]
fn problems_name_the_place_and_the_remedy() {
    let all = [
        "",
        "[]",
        "exclude: [a]",
        "onbording: all",
        "onboarding: true",
        "onboarding: []",
        "onboarding: All",
        "onboarding: [all]",
        "onboarding: al",
        "onboarding: noen",
        "onboarding: acme/api",
        "onboarding: my repo",
        "onboarding: a[",
        "onboarding: 5",
        "onboarding: { all: true }",
        "onboarding: all\nexclude: none",
        "onboarding: all\nsubscriptions: [pypi]",
        "onboarding: all\nonboarding: none",
        "onboarding: *",
    ];
    let told: String = all.iter().map(|text| format!("{}\n{}\n", text.replace('\n', " / "), problems(text))).collect();
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("organisation_problems", told);
    });
}

#[test]
fn the_page_is_right() {
    let text = include_str!("../../docs/onboarding.md");
    let mut blocks = text.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap()).peekable();
    let mut seen = Vec::new();
    while let Some((kind, block)) = blocks.next() {
        match kind {
            "yaml organisation" => drop(parse_organisation(block.as_bytes()).unwrap()),
            "yaml organisation invalid" => {
                let (_, expected) = blocks.next_if(|(kind, _)| *kind == "text").expect("the problems follow the file");
                assert_eq!(problems(block).trim_end(), expected.trim_end());
            }
            other => panic!("a block of {other:?} is not checked"),
        }
        seen.push(kind);
    }
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(text.contains(&format!("{A_DAY_MAX} repositories are asked within 24 hours")));
}

fn any_file() -> impl Strategy<Value = Value> {
    let word = select(vec![
        json!("all"),
        json!("none"),
        json!("All"),
        json!("aLL"),
        json!("al"),
        json!("nnone"),
        json!("laal"),
        json!("api"),
        json!("service-*"),
        json!("a/b"),
        json!(""),
        json!("a b"),
        json!(true),
        json!(3),
        json!("é"),
        json!("x".repeat(200)),
        json!("x".repeat(201)),
        json!("{a,b}-?"),
        json!("!a"),
    ]);
    let list = prop::collection::vec(word.clone(), 0..4).prop_map(Value::Array);
    let value = prop_oneof![word, list];
    let keys = select(vec!["onboarding", "exclude", "onbording", "delay"]);
    prop::collection::btree_map(keys, value, 0..4).prop_map(|map| json!(map))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reader_and_schema_agree(document in any_file()) {
        let schema = jsonschema::validator_for(&organisation_schema()).unwrap();
        let text = serde_json::to_string(&document).unwrap();
        let read = parse_organisation(text.as_bytes());
        prop_assert_eq!(read.is_ok(), schema.is_valid(&document), "{} {:?}", text, read);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(problems) = parse_organisation(&bytes) {
            prop_assert!(!problems.is_empty() && problems.is_sorted());
        }
    }

    #[test]
    fn no_glob_makes_it_panic(glob in "[a-z*?\\[\\]{},!.-]{0,40}", name in "[a-z.-]{1,20}") {
        if let Ok(file) = parse_organisation(format!("onboarding: [\"{glob}\"]").as_bytes()) {
            file.asks_onboarding_of(&name);
        }
    }
}
