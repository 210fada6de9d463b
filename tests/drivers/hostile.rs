//! Files of strangers: whatever they hold, there is an outcome, and it takes no longer than it should.

use super::snapshots::{Entry, Repository};
use super::{in_words, patched, run};
use mass_driver::domain::FileMode;
use proptest::prelude::*;

const DEEP: usize = 100_000;

/// Lines of YAML that make sense in some orders.
const LINES: [&str; 22] = [
    "a:",
    "a: 1",
    "a: 'x' # y",
    "b: {a: 1, b: 'x'}",
    "- a: 1 # one",
    "- a:",
    "- - a",
    "- a",
    "- &x a: 1",
    "a: &x",
    "a: *x",
    "  <<: *x",
    "  a: 1",
    "  b: 2 # two",
    "  # above",
    "# above",
    "  - a: 1",
    "    b: 2",
    "    # deep",
    "  b: |",
    "",
    "? a",
];

#[test]
fn deep_and_odd_files_are_errors_in_words() {
    let texts = [
        "[".repeat(DEEP),
        "{\"a\":".repeat(DEEP),
        "a = ".to_owned() + &"[".repeat(DEEP),
        "a.".repeat(DEEP) + "b = 1",
        format!("{}1{}", format!("{}a = {{", "a.".repeat(30)).repeat(60), "}".repeat(60)).replace("{1", "{b = 1"),
        format!("{}x = 1", "[a.a.a.a.a.a.a.a]\n").replace("x", &"b.".repeat(30)[..59]),
        "- ".repeat(DEEP),
        "a: ".repeat(DEEP),
        "&a ".repeat(1_000),
        "? ".repeat(DEEP),
        "\u{feff}\u{feff}a".to_owned(),
        "a: *b".to_owned(),
        "\u{0}".to_owned(),
    ];
    for name in ["a.json", "a.toml", "a.yaml"] {
        for text in &texts {
            let outcome = run("structured", "paths: '*'\nset: {a: 1}", &Repository::of([(name, text.as_str())]));
            let shown: String = text.chars().take(20).collect();
            let (said, words) = in_words(&outcome);
            assert!(matches!(said, "error" | "patched"), "{name} {shown}: {outcome:?}");
            assert!(words.len() < 400, "{name} {shown}: {words}");
        }
    }
}

#[test]
fn a_text_that_would_grow_without_end_is_refused() {
    let long = "a".repeat(1_000_000);
    let config = format!("paths: '*'\nfrom: a\nto: {}", "b".repeat(60_000));
    let (said, words) = in_words(&run("replace", &config, &Repository::of([("a", long.as_str())])));
    assert_eq!((said, words.as_str()), ("error", "a would grow beyond 10,000,000 bytes"));
}

#[test]
fn expressions_that_other_engines_drown_in_take_their_time_by_the_text() {
    let text = "a".repeat(200_000) + "!";
    let config = "paths: '*'\nfrom: '(a+)+$'\nto: b\nregex: true";
    let (said, _) = in_words(&run("replace", config, &Repository::of([("a", text.as_str())])));
    assert_eq!(said, "does_not_apply");
}

#[test]
fn modes_stay_and_nothing_is_written_beside() {
    let entry = |text: &str| Entry::Text(FileMode::Executable, text.into());
    let repository = Repository::default().with("a.json", entry("{}\n")).with("b.json", entry("{}"));
    let after = patched(&repository, &run("structured", "paths: a.json\nset: {a: 1}", &repository));
    assert_eq!(
        format!("{:?}", after.0.values().collect::<Vec<_>>()),
        r#"[Text(Executable, "{\n  \"a\": 1\n}\n"), Text(Executable, "{}")]"#
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_in_any_order_are_no_danger(lines in prop::collection::vec(prop::sample::select(LINES.to_vec()), 1..8), crlf in any::<bool>()) {
        let text = lines.join(if crlf { "\r\n" } else { "\n" });
        let repository = Repository::of([("f.yaml", text.as_str())]);
        for keys in [
            "set: {a: {b: {c: [1, 2]}}}",
            "set: {a.b: 'x'}",
            "set: {a.0: {b: c}}",
            "set: {a.0.b: c}",
            "delete: a",
            "delete: a.a",
            "delete: a.0",
            "delete: a.0.a",
            "delete: [a.0, a.1]",
            "delete: a.0.0",
            "rename: {a: c}",
            "rename: {a.a: c}",
        ] {
            let config = format!("paths: '*'\n{keys}");
            let outcome = run("structured", &config, &repository);
            if in_words(&outcome).0 == "patched" && !keys.ends_with(['0', ']']) {
                let again = run("structured", &config, &patched(&repository, &outcome));
                prop_assert_eq!(in_words(&again).0, "already_patched", "{}\n{:?} {} {:?}", text, text, keys, outcome);
            }
        }
    }

    #[test]
    fn soup_is_no_danger(text in "[-a:\\[\\]{},#&*!|>'\"=. \\n\\r\\t0]{0,40}", ending in prop::sample::select(vec!["json", "toml", "yaml"])) {
        let name = format!("f.{ending}");
        let repository = Repository::of([(name.as_str(), text.as_str())]);
        for keys in ["set: {a: 1}", "set: {a.a: [x, {y: z}]}", "delete: a", "delete: a.0", "rename: {a: b}", "set: {'0': a, a.0: 0}"] {
            let config = format!("paths: '*'\n{keys}");
            let outcome = run("structured", &config, &repository);
            if in_words(&outcome).0 == "patched" && keys != "delete: a.0" {
                let again = run("structured", &config, &patched(&repository, &outcome));
                prop_assert_eq!(in_words(&again).0, "already_patched", "{:?} {} {:?}", text, keys, outcome);
            }
        }
    }
}
