//! What the keys of drivers may be: mistakes are told with their place, and every key has its words.

use super::prepare;
use mass_driver::drivers::{Command, Prepared, TABLE, by_name};
use rstest::rstest;
use schemars::SchemaGenerator;
use serde_json::{Value, json};

#[rstest]
#[case("counter", "target_fil: a\ntarget_count: 1", "1:1: unknown key `target_fil`")]
#[case(
    "counter",
    "target_file: a\ntarget_count: one",
    "2:15: `target_count` must be a whole number, this is the text `one`"
)]
#[case("counter", "target_file: a\ntarget_count: 1.5", "2:15: `target_count` must be a whole number")]
#[case("counter", "target_file: a", "1:1: `target_count` is missing")]
#[case(
    "counter",
    "target_file: ../a\ntarget_count: 1",
    "1:14: `target_file` cannot be `../a`: it leads out of the repository"
)]
#[case("counter", "target_file: /etc/passwd\ntarget_count: 1", "it is absolute")]
#[case("counter", "target_file: .git/config\ntarget_count: 1", "git's own folder")]
#[case("counter", "target_file: a/\ntarget_count: 1", "it names a folder")]
#[case("counter", "[a]", "1:1: the keys of a driver are a mapping, this is a list")]
#[case(
    "stamper",
    "filepath_to_create: a\nfile_contents: 1",
    "2:16: `file_contents` must be a text, this is the number `1`"
)]
#[case(
    "stamper",
    "filepath_to_create: a\nfile_contents: b\nfile_ownership: rwx",
    "octal digits, this is the text `rwx`"
)]
#[case("stamper", "filepath_to_create: a\nfile_contents: b\nfile_ownership: '0888'", "octal digits")]
#[case("deleter", "deletion_target: []", "`deletion_target` is empty")]
#[case("deleter", "deletion_target: [a, 'docs/*.md']", "names files, not patterns: `docs/*.md`")]
#[case("deleter", "deletion_target: [a, 1]", "1:22: a file to delete must be a text")]
#[case("shell", "command: []", "`command` names no program")]
#[case("shell", "command: ' '", "`command` names no program")]
#[case("shell", "command: [sleep, 1]", "a word of a command must be a text, this is the number `1`")]
#[case("shell", "command: a\nshell: maybe", "2:8: `shell` must be true or false")]
#[case("replace", "paths: a\nfrom: ''\nto: b", "2:7: `from` is empty")]
#[case("replace", "paths: a\nfrom: (\nto: b\nregex: true", "2:7: `from` is not a regular expression: unclosed group")]
#[case("replace", "paths: a\nfrom: (b)\nto: $1x\nregex: true", "3:5: `from` has no group `1x`; write `${1}x`")]
#[case("replace", "paths: ../a\nfrom: b\nto: c", "1:8: the path `../a` leaves the repository")]
#[case("replace", "paths: []\nfrom: b\nto: c", "`paths` is empty")]
#[case("replace", "paths: a\nfrom: b\nto: c\nexpect: 0", "4:9: `expect` must be a whole number from 1")]
#[case("bump", "ecosystem: pipy\npackage: a\nto: '1'", "1:12: there is no ecosystem `pipy`, did you mean `pypi`?")]
#[case("bump", "ecosystem: pypi\npackage: a b\nto: '1'", "2:10: `a b` is not the name of a package of pypi")]
#[case("bump", "ecosystem: pypi\npackage: a\nto: 1.10", "3:5: `to` must be a text, this is the number `1.10`")]
#[case("bump", "ecosystem: pypi\npackage: a\nto: '2,32.4'", "3:5: `2,32.4` is not a version of pypi")]
#[case("bump", "ecosystem: npm\npackage: a\nto: '^2'", "3:5: `^2` is not a version of npm")]
#[case("bump", "ecosystem: cargo\npackage: a\nto: '>=1'", "3:5: `>=1` is not a version of cargo")]
#[case("bump", "ecosystem: docker\npackage: a\nto: latest", "3:5: `latest` is not a version of docker")]
#[case("bump", "ecosystem: github-actions\npackage: a/b\nto: main", "3:5: `main` is not a version of github-actions")]
#[case("bump", "ecosystem: pre-commit\npackage: a/b\nto: main", "3:5: `main` is not a version of pre-commit")]
#[case("structured", "paths: a", "`structured` changes nothing")]
#[case("structured", "paths: a\nset: {a..b: 1}", "2:7: this is not the way to a key: a part of it is empty")]
#[case("structured", "paths: a\nset: [{key: a}]", "2:7: a change has the keys `key` and `value`")]
#[case("structured", "paths: a\nset: 1", "2:6: keys are a mapping here, this is the number `1`")]
#[case("structured", "paths: a\nrename: {a: [b]}", "2:13: a key's new name must be a text")]
#[case("structured", "paths: a\nset: {a: 1}\nformat: yml", "3:9: there is no format `yml`, did you mean `yaml`?")]
fn mistakes(#[case] driver: &str, #[case] config: &str, #[case] expected: &str) {
    let problems = prepare(driver, config, false).unwrap_err();
    assert!(problems.iter().any(|problem| problem.contains(expected)), "{problems:#?}");
    assert_eq!(problems.len(), 1, "{problems:#?}");
}

fn command(config: &str) -> Command {
    match prepare("shell", config, false).unwrap() {
        Prepared::Command(command) => command,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::line("command: make a | tee b", &["make a | tee b"], true)]
#[case::words("command: [sed, -i, s/a/b/, c.txt]", &["sed", "-i", "s/a/b/", "c.txt"], false)]
#[case::words_in_a_shell("command: [sed, -i, s/a/b/, c.txt]\nshell: true", &["sed", "-i", "s/a/b/", "c.txt"], false)]
#[case::line_in_a_list("command: ['sed -i s/a/b/ c.txt']", &["sed -i s/a/b/ c.txt"], true)]
#[case::word_without_shell("command: [make]\nshell: false", &["make"], false)]
#[case::line_without_shell("command: make\nshell: false", &["make"], false)]
#[case::empty_word("command: [printf, '']", &["printf", ""], false)]
fn commands(#[case] config: &str, #[case] words: &[&str], #[case] shell: bool) {
    assert_eq!(command(config), Command { words: words.iter().map(|word| (*word).to_owned()).collect(), shell });
}

#[test]
fn every_driver_has_words_and_a_schema_for_each_key() {
    for kind in TABLE {
        assert!(by_name(kind.name).is_some_and(|found| found.about == kind.about));
        assert!(kind.about.ends_with('.'), "{}: {}", kind.name, kind.about);
        let schema = (kind.schema)(&mut SchemaGenerator::default()).to_value();
        let properties = schema["properties"].as_object().unwrap();
        assert!(!properties.is_empty());
        assert!(properties.values().all(|key| key["description"].is_string()), "{}", kind.name);
        assert_eq!(schema["additionalProperties"], false);
    }
}

/// What the schema of a driver says of keys.
fn is_valid(driver: &str, keys: &Value) -> bool {
    let mut generator = SchemaGenerator::default();
    let mut schema = (by_name(driver).unwrap().schema)(&mut generator).to_value();
    let definitions = Value::Object(generator.take_definitions(true));
    schema.as_object_mut().unwrap().insert("$defs".into(), definitions);
    jsonschema::validator_for(&schema).unwrap().is_valid(keys)
}

#[rstest]
#[case("counter", json!({ "target_file": "a", "target_count": 1 }), true)]
#[case("counter", json!({ "target_file": "a", "target_count": "x" }), false)]
#[case("stamper", json!({ "filepath_to_create": "a", "file_contents": "", "file_ownership": "0755" }), true)]
#[case("deleter", json!({ "deletion_target": ["a"] }), true)]
#[case("shell", json!({ "command": ["a", "b"], "shell": true }), true)]
#[case("shell", json!({ "command": [] }), false)]
#[case("replace", json!({ "paths": "a", "from": "b", "to": "" }), true)]
#[case("replace", json!({ "paths": "a", "from": "b" }), false)]
#[case("bump", json!({ "ecosystem": "pypi", "package": "a", "to": "1", "hashes": ["sha256:x"] }), true)]
#[case("structured", json!({ "paths": "a", "set": { "b": null }, "delete": [["c", 0]], "rename": [{ "key": "d", "to": "e" }] }), true)]
#[case("structured", json!({ "paths": "a", "set": [{ "key": "d" }] }), false)]
fn schemas(#[case] driver: &str, #[case] keys: Value, #[case] valid: bool) {
    assert_eq!(is_valid(driver, &keys), valid);
    assert_eq!(prepare(driver, &keys.to_string(), false).is_ok(), valid, "the schema and the reader disagree");
}
