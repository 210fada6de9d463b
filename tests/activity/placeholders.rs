//! What `{{ … }}` comes to for a repository, and what is wrong with it.

use super::{lines, repository, yaml};
use mass_driver::activity::Work;
use mass_driver::drivers::Prepared;
use proptest::prelude::*;
use rstest::rstest;

fn migration(rest: &str) -> String {
    format!("migration:\n  commit_message: Count\n  {rest}\n")
}

fn wrong(text: &str) -> String {
    lines(&yaml(text).for_repository(&repository()).expect_err(text))
}

#[test]
fn a_missing_column_names_repository_and_column() {
    let found = wrong(&migration("driver_name: my-driver\n  branch_name: x/{{ patch_data.ownr }}"));
    assert_eq!(
        found,
        "4:16: `patch_data.ownr` has no value for `acme/api`, did you mean `owner`?; its source gives `count`, `folder name`, \
         `owner`; correct the name, or add the column\n"
    );
}

#[test]
fn every_missing_column_is_told_at_once() {
    let text =
        migration("driver_name: my-driver\n  driver_config: { a: ['{{ patch_data.x }}', '{{ patch_data.y }}'] }");
    let found = wrong(&(text + "forge: { forge_name: github, pr_title: '{{ patch_data.z }}' }\n"));
    assert!(
        found.contains("patch_data.x") && found.contains("patch_data.y") && found.contains("patch_data.z"),
        "{found}"
    );
}

#[rstest]
#[case(
    "branch_name: '{{ patch_data.folder name }}'",
    "`a b` is no name for a branch, for `acme/api`: there is white space in it"
)]
#[case(
    "branch_name: '{{ repo.clone_url }}'",
    "is no name for a branch, for `acme/api`: a `/` stands at an end, or two of them together"
)]
fn a_value_that_makes_no_branch_is_told(#[case] line: &str, #[case] expected: &str) {
    let found = wrong(&migration(&format!("driver_name: my-driver\n  {line}")));
    assert!(found.contains(expected), "{found}");
}

#[test]
fn a_value_that_a_driver_does_not_take_is_told_for_the_repository() {
    let config = "driver_config: { target_file: a, target_count: '{{ patch_data.owner }}' }";
    let found = wrong(&migration(&format!("driver_name: counter\n  {config}")));
    assert!(found.contains("`core`") && found.contains("for `acme/api`"), "{found}");
}

#[test]
fn a_key_that_is_missing_is_told_although_others_are_filled_in_later() {
    let text = migration("driver_name: counter\n  driver_config: { target_file: '{{ patch_data.owner }}' }");
    assert!(super::problems(&text).contains("`target_count` is missing"));
}

#[test]
fn a_shell_gets_no_value_that_it_would_act_upon() {
    let text = migration("driver_name: shell\n  driver_config: { command: ['echo {{ patch_data.owner }}'] }");
    let activity = yaml(&text);
    let mut hostile = repository();
    assert!(activity.for_repository(&hostile).is_ok());
    hostile.patch_data.insert("owner".into(), "x; rm -rf ~".into());
    let found = lines(&activity.for_repository(&hostile).unwrap_err());
    assert!(
        found.contains("the value of `patch_data.owner` for `acme/api` holds `;`, which a shell would act upon"),
        "{found}"
    );
    // Without a shell it is an argument like any other.
    let text =
        migration("driver_name: shell\n  driver_config: { command: [echo, '{{ patch_data.owner }}'], shell: false }");
    let work = yaml(&text).for_repository(&hostile).unwrap().migration.unwrap().work;
    let Work::BuiltIn(Prepared::Command(command)) = &*work else { panic!("{work:?}") };
    assert_eq!(command.words, ["echo", "x; rm -rf ~"]);
}

#[test]
fn a_value_is_never_read_as_a_text_with_placeholders() {
    let mut hostile = repository();
    hostile.patch_data.insert("owner".into(), "{{ repo.id }}".into());
    let text = "migration: { commit_message: '{{ patch_data.owner }}', driver_name: my-driver }";
    let message = yaml(text).for_repository(&hostile).unwrap().migration.unwrap().commit_message;
    assert_eq!(message, "{{ repo.id }}");
}

#[test]
fn many_braces_are_read_in_no_time() {
    let text = format!("migration: {{ commit_message: '{}', driver_name: my-driver }}", "{{ ".repeat(300_000));
    assert!(yaml(&text).for_repository(&repository()).is_ok());
}

proptest! {
    /// What holds no word of ours is text, whatever braces are in it.
    #[test]
    fn a_text_without_our_words_stays_as_it_is(text in "[a-c{}\\\\ $|.\\n]{1,40}") {
        prop_assume!(!text.trim().is_empty());
        let written = serde_json::json!({ "migration": { "commit_message": text, "driver_name": "my-driver" } }).to_string();
        let message = yaml(&written).for_repository(&repository()).unwrap().migration.unwrap().commit_message;
        prop_assert_eq!(message, text);
    }

    /// A placeholder is filled in wherever it stands between other texts.
    #[test]
    fn a_placeholder_is_filled_in_between_any_texts(before in "[a-c{ .]{0,10}", after in "[a-c} .]{0,10}", gap in " {0,3}") {
        let text = format!("{before}{{{{{gap}repo.id{gap}}}}}{after}x");
        let written = serde_json::json!({ "migration": { "commit_message": text, "driver_name": "my-driver" } }).to_string();
        let message = yaml(&written).for_repository(&repository()).unwrap().migration.unwrap().commit_message;
        prop_assert_eq!(message, format!("{before}acme/api{after}x"));
    }
}
