//! Anchors, aliases and merge keys of YAML: no change of one place reaches another that was not named.

use super::snapshots::{Entry, Repository};
use super::{in_words, patched, run};
use rstest::rstest;

const BLOCK: &str = "base: &base\n  env:\n    A: 1\n    B: 2\n  run: x\nuse: *base\n";
const FLOW: &str = "base: &base { env: { A: 1, B: 2 }, run: x }\nuse: *base\n";
const LIST: &str = "base: &base\n- a: 1\n- b: 2\nuse: *base\n";
const MERGE: &str = "base: &base\n  a: 1\n  env: { A: 1 }\nuse:\n  <<: *base\n  c: 1\n  deep:\n    d: 1\n    e: 1\n";

const ANCHORED: &str = "what it lies in has an anchor";
const ITSELF: &str = "it has an anchor";
const ALIAS: &str = "what it would lie in is an alias";
const MERGED: &str = "`<<` merges other keys in";

#[rstest]
#[case::a_value(BLOCK, "set: { base.run: y }", ANCHORED)]
#[case::a_deeper_value(BLOCK, "set: { base.env.A: 3 }", ANCHORED)]
#[case::a_new_key(BLOCK, "set: { base.new: 3 }", ANCHORED)]
#[case::a_deeper_new_key(BLOCK, "set: { base.env.new: 3 }", ANCHORED)]
#[case::a_deleted_key(BLOCK, "delete: base.run", ANCHORED)]
#[case::a_deeper_deleted_key(BLOCK, "delete: base.env.A", ANCHORED)]
#[case::a_key_with_all_its_value(BLOCK, "delete: base.env", ANCHORED)]
#[case::a_renamed_key(BLOCK, "rename: { base.run: walk }", ANCHORED)]
#[case::a_deeper_renamed_key(BLOCK, "rename: { base.env.A: C }", ANCHORED)]
#[case::what_has_the_anchor(BLOCK, "delete: base", ITSELF)]
#[case::a_value_between_braces(FLOW, "set: { base.run: y }", ANCHORED)]
#[case::a_deeper_value_between_braces(FLOW, "set: { base.env.A: 3 }", ANCHORED)]
#[case::a_new_key_between_braces(FLOW, "set: { base.new: 3 }", ANCHORED)]
#[case::a_deleted_key_between_braces(FLOW, "delete: base.env.A", ANCHORED)]
#[case::a_renamed_key_between_braces(FLOW, "rename: { base.run: walk }", ANCHORED)]
#[case::an_item(LIST, "set: { base.0: z }", ANCHORED)]
#[case::a_new_item(LIST, "set: { base.2: z }", ANCHORED)]
#[case::a_value_in_an_item(LIST, "set: { base.0.a: z }", ANCHORED)]
#[case::a_deleted_item(LIST, "delete: base.1", ANCHORED)]
#[case::set_by_an_alias(BLOCK, "set: { use.run: y }", ALIAS)]
#[case::new_by_an_alias(BLOCK, "set: { use.new: y }", ALIAS)]
#[case::deleted_by_an_alias(BLOCK, "delete: use.run", ALIAS)]
#[case::renamed_by_an_alias(BLOCK, "rename: { use.run: walk }", ALIAS)]
#[case::deleted_by_a_merge(MERGE, "delete: use.a", MERGED)]
#[case::deleted_beside_a_merge(MERGE, "delete: use.c", MERGED)]
#[case::renamed_by_a_merge(MERGE, "rename: { use.a: z }", MERGED)]
#[case::renamed_beside_a_merge(MERGE, "rename: { use.c: z }", MERGED)]
#[case::below_what_is_merged(MERGE, "set: { use.env.B: 1 }", MERGED)]
#[case::perhaps_merged(MERGE, "create: false\nset: { use.a: 2 }", MERGED)]
#[case::a_key_with_an_anchor("&k a: 1\nb: *k\n", "rename: { a: c }", ITSELF)]
fn what_other_places_refer_to_is_left_alone(#[case] file: &str, #[case] keys: &str, #[case] why: &str) {
    let (said, words) = in_words(&changed(file, keys).0);
    assert!(said == "error" && words.contains(why), "{said}: {words}");
}

#[rstest]
#[case::the_alias(BLOCK, "set: { use: 1 }", "use: *base", "use: 1")]
#[case::beside_an_anchor(BLOCK, "set: { base2: 1 }", "use: *base\n", "use: *base\nbase2: 1\n")]
#[case::beside_a_merge(MERGE, "set: { use.a: 2 }", "    e: 1\n", "    e: 1\n  a: 2\n")]
#[case::below_a_merge(MERGE, "delete: use.deep.d", "    d: 1\n", "")]
#[case::the_merge(MERGE, "delete: [[use, '<<']]", "  <<: *base\n", "")]
#[case::the_key_of_an_anchor(BLOCK, "rename: { base: basis }", "base: &base", "basis: &base")]
fn what_concerns_one_place_is_changed(#[case] file: &str, #[case] keys: &str, #[case] from: &str, #[case] to: &str) {
    let (outcome, text) = changed(file, keys);
    assert_eq!(text, file.replacen(from, to, 1), "{outcome:?}");
}

fn changed(file: &str, keys: &str) -> (mass_driver::drivers::Outcome, String) {
    let before = Repository::of([("a.yaml", file)]);
    let config = format!("paths: a.yaml\n{keys}");
    let outcome = run("structured", &config, &before);
    let after = patched(&before, &outcome);
    let text = match after.0.values().next() {
        Some(Entry::Text(_, text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    (outcome, text)
}
