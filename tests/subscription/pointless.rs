//! Entries that are well formed and can never match, or mean something else than they say: a problem, with what to write instead.

use super::{file, lines, problems};
use mass_driver::domain::Ecosystem;
use mass_driver::versioning::scheme;
use proptest::prelude::*;
use proptest::sample::select;
use rstest::rstest;

/// The only problem of a text, in words.
fn told(text: &str) -> String {
    let found = problems(text);
    assert_eq!(found.len(), 1, "{text}: {}", lines(&found));
    found[0].to_string()
}

#[rstest]
#[case(
    "on: [0, 32]",
    "2:28",
    "`0` is no day of the month; write a whole number from 1 to 31, or a day of the week such as `monday`"
)]
#[case(
    "on: [1, 32]",
    "2:31",
    "`32` is no day of the month; write a whole number from 1 to 31, or a day of the week such as `monday`"
)]
#[case(
    "on: 1.5",
    "2:27",
    "`1.5` is no day of the month; write a whole number from 1 to 31, or a day of the week such as `monday`"
)]
fn a_number_that_is_no_day_is_called_that(#[case] on: &str, #[case] place: &str, #[case] said: &str) {
    let found = problems(&format!("subscriptions: [pypi]\ndelay: {{every: month, {on}}}\n"));
    assert_eq!(found[0].to_string(), format!("{place}: {said}"));
}

#[rstest]
#[case(
    "delay: monday",
    "`monday` is a day, and no delay; write `{ every: week, on: monday }`, to which `at: \"06:00\"` may be added"
)]
#[case(
    "delay: Fri",
    "`Fri` is a day, and no delay; write `{ every: week, on: friday }`, to which `at: \"06:00\"` may be added"
)]
#[case(
    "delay: 3d",
    "`3d` is an age, and no delay; how old a release must be stands under `min_age`: `min_age: 3d`; a delay is one of `immediate`, `daily`, `weekly` or `monthly`"
)]
#[case(
    "min_age: 1.5d",
    "`1.5d` is not an age: only whole numbers are taken, such as `1d 12h` for a day and a half; write for example `3d`, `12h`, `2w` or `1d 12h`"
)]
#[case("min_age: 1.5", "`1.5` has no unit; write for example `3d`, `12h`, `2w` or `1d 12h`")]
#[case(
    "min_age: {}",
    "`min_age` names no step; write one age, such as `3d`, or name steps: `{ major: 14d, minor: 3d }`"
)]
fn times_that_are_none_are_told_with_what_was_meant(#[case] line: &str, #[case] said: &str) {
    assert!(
        told(&format!("subscriptions: [pypi]\n{line}\n")).ends_with(&format!(": {said}")),
        "{}",
        told(&format!("subscriptions: [pypi]\n{line}\n"))
    );
}

#[rstest]
#[case(
    ".",
    "the path `.` is the repository itself, and no file; remove `paths` for every file, or write `*` for those at the root"
)]
#[case("src/./a", "the path `src/./a` has a part `.`, which no path of a repository has; write `src/a`")]
#[case("src//a", "the path `src//a` has `//` in it, which no path of a repository has; write `src/a`")]
fn paths_that_no_file_has(#[case] path: &str, #[case] said: &str) {
    assert!(told(&format!("subscriptions: [{{ migration: pypi, paths: [\"{path}\"] }}]")).ends_with(said));
}

#[rstest]
#[case(
    "docker",
    "python:3.12",
    "`python:3.12` holds a version, so it names nothing in `docker`; write `name: python` and below it `versions: \"3.12\"`, or `python` for all versions"
)]
#[case(
    "docker",
    "registry.example.com:5000/acme/base:1",
    "write `name: registry.example.com:5000/acme/base` and below it `versions: \"1\"`, or `registry.example.com:5000/acme/base` for all versions"
)]
#[case("docker", "python@sha256:abc", "write `python`, and which versions are meant under `versions`")]
#[case("docker", "python:latest", "write `python`, and which versions are meant under `versions`")]
#[case(
    "npm",
    "left-pad@1.3.0",
    "write `name: left-pad` and below it `versions: \"1.3.0\"`, or `left-pad` for all versions"
)]
#[case(
    "npm",
    "@types/node@20",
    "write `name: @types/node` and below it `versions: \"20\"`, or `@types/node` for all versions"
)]
#[case(
    "github-actions",
    "actions/checkout@v4",
    "write `actions/checkout`, and which versions are meant under `versions`"
)]
#[case("docker", "python:3.*", "write `name: python` and below it `versions: \"3.*\"`, or `python` for all versions")]
#[case("docker", "acme/base:*", "write `acme/base`, and which versions are meant under `versions`")]
#[case("cargo", "serde@1", "write `name: serde` and below it `versions: \"1\"`, or `serde` for all versions")]
#[case(
    "pypi",
    "django>=5,<6",
    "`django>=5,<6` is no name: a package has no blank, `<`, `>` or `=` in it; write `name: django` and below it `versions: \">=5,<6\"`"
)]
#[case("pypi", "django ~=5.0", "write `name: django` and below it `versions: \"~=5.0\"`")]
#[case(
    "pypi",
    "django flask",
    "write a name alone, one for each item of the list; which versions are meant stands under `versions`"
)]
fn names_with_a_version_in_them(#[case] migration: &str, #[case] name: &str, #[case] said: &str) {
    for ignore in [format!("[\"{name}\"]"), format!("{{ name: \"{name}\" }}")] {
        let text = format!("subscriptions: [{{ migration: {migration}, ignore: {ignore} }}]");
        assert!(told(&text).ends_with(said), "{}", told(&text));
    }
}

#[rstest]
#[case("docker", "registry.example.com:5000/*")]
#[case("docker", "localhost:5000/base")]
#[case("docker", "registry.example.com:5000*")]
#[case("docker", "localhost:*")]
#[case("docker", "localhost:500?/base*")]
#[case("docker", "registry:[0-9]*")]
#[case("npm", "@types/*")]
#[case("npm", "@types/node")]
#[case("pre-commit", "https://gitlab.com/acme/hooks")]
#[case("pypi", "Typing.Extensions")]
#[case("pypi", "[a-c]*")]
fn names_with_such_marks_that_packages_have(#[case] migration: &str, #[case] name: &str) {
    file(&format!("subscriptions: [{{ migration: {migration}, ignore: \"{name}\" }}]"));
}

#[rstest]
#[case("pypi", ">5,<3")]
#[case("pypi", ">5,<=5")]
#[case("pypi", "==5,!=5")]
#[case("pypi", "==4.*,>=5")]
#[case("npm", ">5 <3")]
#[case("npm", "^5 ^6 || >4.2.0 <4.2.1")]
#[case("cargo", ">=2, <1.9")]
#[case("docker", ">4,<3")]
#[case("github-actions", ">5,<3")]
#[case("pre-commit", ">5,<3")]
fn ranges_without_a_version_in_them(#[case] migration: &str, #[case] range: &str) {
    let text =
        format!("subscriptions:\n  - migration: {migration}\n    ignore: {{ name: x, versions: \"{range}\" }}\n");
    let said = format!(
        "3:34: no version is in the range `{range}`; write for example `>=3,<5`; alternatives have `||` between them: `<3 || >=5`"
    );
    assert_eq!(told(&text), said);
}

#[rstest]
#[case(">=1!2.0")]
#[case("==1!2.*")]
#[case("!=3,<=1!2.0")]
#[case("==1!2.0,!=1!2.0.0.1")]
fn ranges_with_an_epoch_in_them(#[case] range: &str) {
    file(&format!("subscriptions: [{{ migration: pypi, ignore: {{ name: x, versions: \"{range}\" }} }}]"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nobody is told that a range is empty in which there is a version.
    #[test]
    fn a_range_with_a_version_in_it_is_taken(
        ecosystem in select(Ecosystem::ALL.to_vec()),
        clauses in prop::collection::vec((select(vec!["<", "<=", ">", ">=", "==", "=", "!=", "^", "~", ""]), "[0-3]([.][0-3]){0,2}"), 1..4),
        separator in select(vec![",", ", ", " || "]),
    ) {
        let range = clauses.iter().map(|(sign, version)| format!("{sign}{version}")).collect::<Vec<_>>().join(separator);
        let scheme = scheme(ecosystem);
        let numbers = |n: u32| (0..6).map(move |at| (n / 6u32.pow(at)) % 6);
        let some = (0..6u32.pow(4)).map(|n| numbers(n).take(4).map(|n| n.to_string()).collect::<Vec<_>>());
        let found = some.flat_map(|parts| (1..=4).map(move |length| parts[..length].join(".")))
            .find(|version| scheme.matches(&range, version).unwrap_or(false));
        let text = format!("subscriptions:\n  - migration: {ecosystem}\n    ignore: {{ name: x, versions: \"{range}\" }}\n");
        let refused = mass_driver::subscription::parse(text.as_bytes())
            .err().is_some_and(|problems| problems.iter().any(|problem| problem.what.contains("no version is in")));
        prop_assert!(!refused || found.is_none(), "{ecosystem} {range}: {found:?}");
    }
}
