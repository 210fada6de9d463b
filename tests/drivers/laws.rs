//! What holds of every change: a second run finds it made, the file says what it should to readers that are not ours, and
//! every other line is as it was.

use super::snapshots::{Entry, Repository, path};
use super::{in_words, patched, run};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A file of three formats that says the same in each: mappings in mappings, each line with a key of its own.
#[derive(Clone, Debug)]
struct Written {
    value: Value,
    comments: bool,
    line_end: &'static str,
}

/// Values whose keys are unique in the whole file.
fn mapping(depth: u32) -> BoxedStrategy<Value> {
    let text = "[a-z:# '\"\\\\é]{0,8}";
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-99..99_i64).prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    let item = prop_oneof![leaf.clone(), prop::collection::vec(leaf, 1..3).prop_map(Value::from)];
    let entry = if depth == 0 { item.boxed() } else { prop_oneof![3 => item, 2 => mapping(depth - 1)].boxed() };
    prop::collection::vec(entry, 1..4)
        .prop_map(|values| {
            values.into_iter().enumerate().map(|(at, value)| (format!("k{at}"), value)).collect::<Map<_, _>>().into()
        })
        .boxed()
}

fn written() -> impl Strategy<Value = Written> {
    (mapping(2), any::<bool>(), prop::sample::select(vec!["\n", "\r\n"]))
        .prop_map(|(value, comments, line_end)| Written { value, comments, line_end })
}

impl Written {
    fn text(&self, ending: &str) -> String {
        let mut lines = Vec::new();
        match ending {
            "json" => lines.extend(serde_json::to_string_pretty(&self.value).unwrap().lines().map(str::to_owned)),
            "yaml" => yaml(&self.value, 0, &mut lines),
            _ => toml(&self.value, &mut Vec::new(), &mut lines),
        }
        if self.comments && ending != "json" {
            lines = lines
                .into_iter()
                .enumerate()
                .flat_map(|(at, line)| {
                    let indentation: String = line.chars().take_while(|c| *c == ' ').collect();
                    let noted = if line.trim().is_empty() { line } else { format!("{line}  # behind {at}") };
                    [format!("{indentation}# above {at}"), noted]
                })
                .collect();
        }
        lines.into_iter().map(|line| line + self.line_end).collect()
    }
}

fn yaml(value: &Value, depth: usize, lines: &mut Vec<String>) {
    for (key, value) in value.as_object().unwrap() {
        let margin = "  ".repeat(depth);
        match value {
            Value::Object(_) => {
                lines.push(format!("{margin}{key}:"));
                yaml(value, depth + 1, lines);
            }
            Value::Array(items) => {
                lines.push(format!("{margin}{key}:"));
                lines.extend(items.iter().map(|item| format!("{margin}- {item}")));
            }
            value => lines.push(format!("{margin}{key}: {value}")),
        }
    }
}

fn toml(value: &Value, above: &mut Vec<String>, lines: &mut Vec<String>) {
    let entries = value.as_object().unwrap();
    if !above.is_empty() {
        lines.push(String::new());
        lines.push(format!("[{}]", above.join(".")));
    }
    for (key, value) in entries.iter().filter(|(_, value)| !value.is_object()) {
        lines.push(format!("{key} = {value}"));
    }
    for (key, value) in entries.iter().filter(|(_, value)| value.is_object()) {
        above.push(key.clone());
        toml(value, above, lines);
        above.pop();
    }
}

/// What a reader that is not ours finds in a text.
fn read(ending: &str, text: &str) -> Value {
    match ending {
        "json" => serde_json::from_str(text).unwrap(),
        "yaml" => serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}")),
        _ => of_toml(text.parse::<toml_edit::DocumentMut>().unwrap().as_item()),
    }
}

fn of_toml(item: &toml_edit::Item) -> Value {
    if let Some(table) = item.as_table_like() {
        return table.iter().map(|(key, item)| (key.to_owned(), of_toml(item))).collect::<Map<_, _>>().into();
    }
    match item.as_value().unwrap() {
        toml_edit::Value::String(text) => json!(text.value()),
        toml_edit::Value::Integer(number) => json!(number.value()),
        toml_edit::Value::Boolean(truth) => json!(truth.value()),
        toml_edit::Value::Array(items) => {
            items.iter().map(|item| of_toml(&toml_edit::Item::Value(item.clone()))).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// The ways to all values.
fn paths(value: &Value, above: &str, found: &mut Vec<(String, Value)>) {
    let entries: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => return,
    };
    for (key, value) in entries {
        let path = if above.is_empty() { key } else { format!("{above}.{key}") };
        found.push((path.clone(), value.clone()));
        paths(value, &path, found);
    }
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// Takes out what a path leads to.
fn without(mut value: Value, path: &str) -> Value {
    let (above, last) = path.rsplit_once('.').map_or((String::new(), path), |(above, last)| (pointer(above), last));
    match value.pointer_mut(&above).unwrap() {
        Value::Object(map) => drop(map.remove(last)),
        Value::Array(items) => drop(items.remove(last.parse().unwrap())),
        _ => unreachable!(),
    }
    value
}

/// The lines of YAML below that of a key.
fn lines_below(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.values().map(|value| 1 + lines_below(value)).sum(),
        Value::Array(items) => items.len(),
        _ => 0,
    }
}

/// Without tables that hold nothing, which TOML has no word for.
fn pruned(ending: &str, value: Value) -> Value {
    match value {
        Value::Object(map) if ending == "toml" => {
            let entries = map.into_iter().map(|(key, value)| (key, pruned(ending, value)));
            entries.filter(|(_, value)| value != &json!({})).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

fn text_of(repository: &Repository, name: &str) -> String {
    match &repository.0[&path(name)] {
        Entry::Text(_, text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// The new text, which a second run leaves as it is.
fn change(ending: &str, text: &str, keys: &Value) -> Result<String, String> {
    let name = format!("f.{ending}");
    let mut config = json!({ "paths": name });
    config.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    let config = config.to_string();
    let before = Repository::of([(name.as_str(), text)]);
    let outcome = run("structured", &config, &before);
    match in_words(&outcome) {
        ("patched", _) => {
            let after = patched(&before, &outcome);
            // What is taken out of a list by its place leaves another item there.
            let by_place = keys["delete"].as_str().is_some_and(|path| {
                path.ends_with(|c: char| c.is_ascii_digit())
                    && path.rsplit('.').next().is_some_and(|last| !last.starts_with(['k', 'n']))
            });
            assert!(
                by_place || in_words(&run("structured", &config, &after)).0 == "already_patched",
                "{config}\n{text}"
            );
            Ok(text_of(&after, &name))
        }
        ("already_patched", _) => Ok(text.to_owned()),
        other => Err(format!("{other:?}\n{config}\n{text}")),
    }
}

/// Whether the lines of the one are in the other, in their order.
fn are_in(few: &[&str], many: &[&str]) -> bool {
    let mut many = many.iter();
    few.iter().all(|line| many.any(|other| other == line))
}

fn formats() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["json", "toml", "yaml"])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_is_set_on_its_line_alone(file in written(), ending in formats(), pick in any::<prop::sample::Index>(), new in "[a-z0-9:# .\"'\\\\-]{0,12}") {
        let text = file.text(ending);
        let mut all = Vec::new();
        paths(&file.value, "", &mut all);
        let (path, old) = pick.get(&all).clone();
        prop_assume!(!old.is_object() || ending != "toml");
        let mut wanted = file.value.clone();
        *wanted.pointer_mut(&pointer(&path)).unwrap() = json!(new);
        let after = change(ending, &text, &json!({ "set": { path.as_str(): new } })).unwrap();
        prop_assert_eq!(read(ending, &after), wanted, "{}", after);
        if !old.is_object() && !old.is_array() {
            let (before, after): (Vec<&str>, Vec<&str>) = (text.split('\n').collect(), after.split('\n').collect());
            prop_assert_eq!(before.len(), after.len());
            prop_assert!(before.iter().zip(&after).filter(|(a, b)| a != b).count() <= 1, "{:?}", after);
        }
    }

    #[test]
    fn a_key_is_added_on_a_line_of_its_own(file in written(), ending in formats(), pick in any::<prop::sample::Index>(), deep in any::<bool>()) {
        let text = file.text(ending);
        let mut all = vec![(String::new(), file.value.clone())];
        paths(&file.value, "", &mut all);
        all.retain(|(_, value)| value.is_object());
        let (above, _) = pick.get(&all).clone();
        let dot = if above.is_empty() { "" } else { "." };
        let (key, value) = if deep { ("n1.n2", json!({ "n2": [1, "x"] })) } else { ("n1", json!(7)) };
        let mut wanted = file.value.clone();
        let map = wanted.pointer_mut(&if above.is_empty() { String::new() } else { pointer(&above) }).unwrap();
        map.as_object_mut().unwrap().insert("n1".into(), value.clone());
        let set = if deep { value["n2"].clone() } else { value };
        let after = change(ending, &text, &json!({ "set": { format!("{above}{dot}{key}"): set } })).unwrap();
        prop_assert_eq!(read(ending, &after), wanted, "{}", after);
        let (before, lines): (Vec<&str>, Vec<&str>) = (text.lines().collect(), after.lines().collect());
        if ending == "json" {
            let plain = |lines: &[&str]| lines.iter().map(|line| line.trim_end_matches(',').to_owned()).collect::<Vec<_>>();
            let (before, lines) = (plain(&before), plain(&lines));
            prop_assert!(are_in(&before.iter().map(String::as_str).collect::<Vec<_>>(), &lines.iter().map(String::as_str).collect::<Vec<_>>()));
        } else {
            prop_assert!(are_in(&before, &lines), "{}", after);
        }
        let ends = |text: &str| (text.matches("\r\n").count(), text.matches('\n').count());
        let (crlf, all) = ends(&after);
        prop_assert!(crlf == 0 || crlf == all, "line ends are of one kind");
        // And gone again, nothing is left of it.
        let again = change(ending, &after, &json!({ "delete": format!("{above}{dot}n1") })).unwrap();
        // Keys above the first table are parted from it.
        prop_assert_eq!(again.trim_start(), text.trim_start());
    }

    #[test]
    fn what_is_deleted_is_gone_and_nothing_else(file in written(), ending in formats(), pick in any::<prop::sample::Index>()) {
        let text = file.text(ending);
        let mut all = Vec::new();
        paths(&file.value, "", &mut all);
        let (path, old) = pick.get(&all).clone();
        let wanted = pruned(ending, without(file.value.clone(), &path));
        let after = change(ending, &text, &json!({ "delete": path })).unwrap();
        prop_assert_eq!(pruned(ending, read(ending, &after)), wanted, "{}\n{}", text, after);
        if ending == "yaml" {
            let comments = |text: &str| text.matches("# above").count();
            prop_assert!(comments(&text) - comments(&after) <= lines_below(&old), "{}\n{}", text, after);
        }
        if ending == "toml" {
            let inline = path.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
            prop_assert!(inline || are_in(&after.lines().collect::<Vec<_>>(), &text.lines().collect::<Vec<_>>()));
        }
    }

    #[test]
    fn a_key_is_renamed_where_it_stands(file in written(), ending in formats(), pick in any::<prop::sample::Index>(), to in prop::sample::select(vec!["new", "n.e w", "7"])) {
        let text = file.text(ending);
        let mut all = Vec::new();
        paths(&file.value, "", &mut all);
        all.retain(|(path, _)| path.rsplit('.').next().unwrap().starts_with('k'));
        let (path, old) = pick.get(&all).clone();
        let mut wanted = without(file.value.clone(), &path);
        let above = path.rsplit_once('.').map_or(String::new(), |(above, _)| pointer(above));
        wanted.pointer_mut(&above).unwrap().as_object_mut().unwrap().insert(to.into(), old);
        let after = change(ending, &text, &json!({ "rename": { path.as_str(): to } })).unwrap();
        prop_assert_eq!(read(ending, &after), wanted, "{}", after);
        prop_assert_eq!(after.lines().count(), text.lines().count());
    }

    #[test]
    fn replacing_twice_replaces_once(text in "[ab\\n]{0,30}", from in "[ab]{1,3}", to in "[abc]{0,4}", regex in any::<bool>()) {
        let config = json!({ "paths": "*", "from": from, "to": to, "regex": regex }).to_string();
        let before = Repository::of([("f", text.as_str())]);
        let outcome = run("replace", &config, &before);
        if !text.contains(&from) {
            prop_assert_ne!(in_words(&outcome).0, "patched");
        } else if to.contains('c') && !to.contains(&from) {
            prop_assert_eq!(in_words(&outcome).0, "patched");
            let after = patched(&before, &outcome);
            prop_assert_eq!(text_of(&after, "f"), text.replace(&from, &to));
            prop_assume!(!text_of(&after, "f").contains(&from));
            prop_assert_eq!(in_words(&run("replace", &config, &after)).0, "already_patched");
        }
    }

    #[test]
    fn a_file_is_changed_alike_however_its_lines_end(
        text in "[abc\n]{0,30}",
        (from, to) in pairs(),
        ends in prop::collection::vec(any::<bool>(), 30),
    ) {
        let of = |text: &str| {
            let before = Repository::of([("f", text)]);
            let config = json!({ "paths": "*", "from": from.0, "to": to, "regex": from.1 }).to_string();
            let outcome = run("replace", &config, &before);
            (in_words(&outcome).0, text_of(&patched(&before, &outcome), "f"))
        };
        let crlf = |text: &str| text.replace('\n', "\r\n");
        let (outcome, made) = of(&text);
        prop_assume!(text.contains('\n'));
        prop_assert_eq!(of(&crlf(&text)), (outcome, crlf(&made)), "every line ends with CRLF");
        // Lines that end in both ways, in one file.
        let mut ends = ends.into_iter().cycle();
        let mixed: String =
            text.split_inclusive('\n').map(|line| if ends.next().unwrap() { crlf(line) } else { line.to_owned() }).collect();
        let (mixed_outcome, mixed_made) = of(&mixed);
        prop_assert_eq!((mixed_outcome, mixed_made.replace('\r', "")), (outcome, made));
    }

    #[test]
    fn what_is_not_found_stays_byte_by_byte(pieces in prop::collection::vec("[ab\r\n]{0,6}", 1..6), from in "x(\n|y)x", to in "[a\n]{0,4}") {
        // With what is found between the pieces, as LF and as CRLF.
        let found = [from.clone(), from.replace('\n', "\r\n")];
        let text = |with: &dyn Fn(usize) -> String| {
            let texts = pieces.iter().enumerate().map(|(at, piece)| format!("{}{piece}", if at == 0 { String::new() } else { with(at) }));
            texts.collect::<String>()
        };
        let before = text(&|at| found[at % 2].clone());
        let config = |to: &str| json!({ "paths": "*", "from": from, "to": to }).to_string();
        let repository = Repository::of([("f", before.as_str())]);
        let gone = patched(&repository, &run("replace", &config("|"), &repository));
        prop_assert_eq!(text_of(&gone, "f"), text(&|_| "|".to_owned()));
        let same = run("replace", &config(&from), &repository);
        prop_assert_ne!(in_words(&same).0, "patched", "x for x changes nothing");
        let put = patched(&repository, &run("replace", &config(&to), &repository));
        prop_assert_eq!(text_of(&put, "f").replace('\r', ""), text(&|_| to.clone()).replace('\r', ""));
    }
}

/// What is looked for, with whether it is an expression, and what is put in.
fn pairs() -> impl Strategy<Value = ((String, bool), String)> {
    let literal = ("[abc\n]{1,4}".prop_map(|from| (from, false)), "[abcd\n]{0,4}");
    let expressions =
        ["(?m)^a$", "(?m)^(b*)$\n", "a[^b]*", "(a|b)\n+", "(?m)$", "\n", "\\s+(c?)", ".*c", "(?s)a.", "\\n(.)"];
    let expression =
        (prop::sample::select(expressions.to_vec()), prop::sample::select(vec!["", "d", "d\n", "$0", "\nd$0", "a\nb"]))
            .prop_map(|(from, to)| ((from.to_owned(), true), to.to_owned()));
    prop_oneof![literal, expression]
}
