//! The first file of a repository: whatever is found in it, the file is valid, plans what was found, and reads well.

use mass_driver::domain::{Ecosystem, RepoPath};
use mass_driver::planner::onboarding::file;
use mass_driver::subscription::{json_schema, parse};
use proptest::prelude::*;
use proptest::sample::subsequence;

#[test]
fn every_ecosystem_has_its_entry() {
    insta::assert_snapshot!(file(Ecosystem::ALL));
}

proptest! {
    #[test]
    fn it_is_valid_and_subscribes_to_just_what_was_found(found in subsequence(Ecosystem::ALL.to_vec(), 1..=Ecosystem::ALL.len())) {
        let text = file(found.iter().copied());
        let parsed = parse(text.as_bytes()).unwrap();
        let schema = jsonschema::validator_for(&json_schema()).unwrap();
        let document: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        prop_assert!(schema.is_valid(&document));
        let path = RepoPath::parse("any/where.txt").unwrap();
        for ecosystem in Ecosystem::ALL {
            prop_assert_eq!(parsed.subscription_for(ecosystem, &path).is_some(), found.contains(&ecosystem));
        }
        prop_assert!(text.lines().all(|line| line.chars().count() <= 100), "{}", text);
    }
}
