//! Packages under several names, of which one use is not updated.

use mass_driver::domain::{RepoPath, Skip};
use mass_driver::managers;
use rstest::rstest;

#[rstest]
#[case::of_peers(
    "package.json",
    r#"{"dependencies": {"old-widget": "npm:widget@^1.0.0"}, "peerDependencies": {"widget": "^1.0.0"}}"#
)]
#[case::of_a_path(
    "Cargo.toml",
    "[dependencies]\nold-widget = { package = \"widget\", version = \"1.0\" }\nwidget = { path = \"widget\", version = \"1.0\" }\n"
)]
fn an_alias_stays_beside_a_use_that_stays(#[case] path: &str, #[case] text: &str) {
    let path = RepoPath::parse(path).unwrap();
    let extraction = managers::managers_for(&path).next().unwrap().extract(&path, text);
    let [alias, widget] = &extraction.dependencies[..] else { panic!("{extraction:?}") };
    assert_eq!((&alias.package, &alias.constraint), (&widget.package, &widget.constraint));
    assert!(matches!(widget.skip, Some(Skip::LeftAlone(_))), "{widget:?}");
    let why = "it is used here under another name as well, and left alone there";
    assert_eq!(alias.skip, Some(Skip::LeftAlone(why.into())));
}
