//! `replace` in files whose lines end with CRLF, and in those that hold both ends.

use super::snapshots::{Entry, Repository, path};
use super::{in_words, patched, run};
use serde_json::json;

/// What a file becomes; the outcome, where that is not `patched`.
fn replaced(text: &str, from: &str, to: &str, regex: bool) -> Result<String, String> {
    let before = Repository::of([("f", text)]);
    let config = json!({ "paths": "f", "from": from, "to": to, "regex": regex }).to_string();
    let outcome = run("replace", &config, &before);
    match (in_words(&outcome), &patched(&before, &outcome).0[&path("f")]) {
        (("patched", _), Entry::Text(_, text)) => Ok(text.clone()),
        ((name, words), _) => Err(format!("{name}: {words}")),
    }
}

#[test]
fn lines_that_end_with_crlf_are_lines() {
    let file = "image: old\r\nname: x\r\n";
    for (from, to, regex, made) in [
        ("(?m)^image: old$", "image: new", true, "image: new\r\nname: x\r\n"),
        ("image: old\nname", "image: new\nname", false, "image: new\r\nname: x\r\n"),
        ("(?m)^image: old\n", "", true, "name: x\r\n"),
        ("name: x\n", "name: x\nsize: 1\n", false, "image: old\r\nname: x\r\nsize: 1\r\n"),
        ("(?m)^image: (.*)$", "image: <$1>", true, "image: <old>\r\nname: x\r\n"),
        ("image: [^\n]*", "image: new", true, "image: new\r\nname: x\r\n"),
        ("(?s)old(.*)x", "new${1}y", true, "image: new\r\nname: y\r\n"),
        ("(?m)^", "- ", true, "- image: old\r\n- name: x\r\n- "),
        ("name", "a\nname", false, "image: old\r\na\r\nname: x\r\n"),
        // A backslash and an `r` are no carriage return.
        (r"(?m)(\\release)?old.*$", "new", true, "image: new\r\nname: x\r\n"),
    ] {
        assert_eq!(replaced(file, from, to, regex).as_deref(), Ok(made), "{from:?}");
    }
    assert_eq!(
        replaced(file, "(?m)x$", "x", true).unwrap_err(),
        "already_patched: the one file has the new text already"
    );
    assert!(replaced("new\r\n1\r\n", "old\n", "new\n1", false).unwrap_err().starts_with("already_patched"));
}

#[test]
fn in_a_file_of_both_ends_each_place_keeps_its_own() {
    let file = "a\r\nb\nc\r\nd\n";
    for (from, to, regex, made) in [
        ("a\nb\nc", "a\nB\nc", false, "a\r\nB\nc\r\nd\n"),
        ("(a\n)b\nc", "${1}B\nc", true, "a\r\nB\nc\r\nd\n"),
        // What is added ends as the line it is added to.
        ("c", "c\nc", false, "a\r\nb\nc\r\nc\r\nd\n"),
        ("d", "d\nd", false, "a\r\nb\nc\r\nd\nd\n"),
        ("(?m)$", ";", true, "a;\r\nb;\nc;\r\nd;\n;"),
    ] {
        assert_eq!(replaced(file, from, to, regex).as_deref(), Ok(made), "{from:?}");
    }
    assert_eq!(
        replaced("a\r\nb", "b", "b\nc", false).as_deref(),
        Ok("a\r\nb\r\nc"),
        "the last line ends as the one before"
    );
}

#[test]
fn who_writes_a_carriage_return_means_it() {
    for (text, from, to, regex, made) in [
        ("a\r\nb\n", "\r\n", "\n", false, "a\nb\n"),
        ("a\r\nb\n", r"\r\n", "\n", true, "a\nb\n"),
        ("a\nb\r\n", "\n", "\r\n", false, "a\r\nb\r\n"),
        ("a\r\nb\n", r"a\x0D", "a", true, "a\nb\n"),
        ("a\rb\n", "\r", "\n", false, "a\nb\n"),
        ("a\r\nb\n", r"a\x{000D}\n", "a", true, "ab\n"),
        ("a\r\nb\n", r"a\U0000000D\n", "a", true, "ab\n"),
    ] {
        assert_eq!(replaced(text, from, to, regex).as_deref(), Ok(made), "{from:?}");
    }
}
