//! The laws of the subscription file: nothing makes its reader panic, and reader and JSON Schema agree.

use mass_driver::subscription::{Problem, SubscriptionFile, json_schema, parse};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const FULL: &str = include_str!("fixtures/subscription/valid/full.yaml");
static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&json_schema()).expect("a schema"));

/// What holds for every answer: problems, at least one, are sorted, within the text, and in words.
fn check_answer(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Err(problems) = parse(bytes) else { return Ok(()) };
    prop_assert!(!problems.is_empty(), "a refusal says why");
    prop_assert!(problems.is_sorted(), "by position");
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').split(['\n', '\r']).collect();
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default() as u32;
    for Problem { line, column, length, what, fix } in &problems {
        prop_assert!((1..=lines.len() as u32 + 1).contains(line), "line {line}");
        prop_assert!(
            (1..=longest + 1).contains(column) && *length >= 1 && column + length <= longest + 2,
            "column {column}, length {length}"
        );
        prop_assert!(!what.is_empty() && !fix.is_empty());
        prop_assert!(!what.chars().chain(fix.chars()).any(char::is_control), "{what:?} {fix:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check_answer(&bytes)?;
    }

    #[test]
    fn no_yaml_like_text_makes_it_panic(
        words in prop::collection::vec(select(vec![
            "subscriptions", "migration", "pypi", "delay", "every", "on", "at", ":", ": ", "- ", "\n", "\n  ", "\n    ", "\r\n", "\t", "[", "]", "{", "}", ",", "'", "\"",
            "*", "&a", "*a", "!!str ", "!", "?", "? ", "|", ">", "%", "@", "`", "#", " # ", "---", "...", "<<", "~", "null", "5", "-1", "1e9", "\u{feff}", "é", "\u{85}", "\0", "\\",
        ]), 0..40),
    ) {
        check_answer(words.concat().as_bytes())?;
    }

    #[test]
    fn no_change_to_a_valid_file_makes_it_panic(
        changes in prop::collection::vec((0usize..FULL.len(), 0usize..20, prop::collection::vec(any::<u8>(), 0..4)), 1..6),
    ) {
        let mut bytes = FULL.as_bytes().to_vec();
        for (at, cut, insert) in changes {
            let at = at.min(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, insert);
        }
        check_answer(&bytes)?;
    }

    #[test]
    fn no_cut_of_a_valid_file_makes_it_panic(at in 0usize..FULL.len()) {
        check_answer(&FULL.as_bytes()[..at])?;
    }

    #[test]
    fn reader_and_schema_agree(document in any_document()) {
        // JSON is YAML, so one text serves both.
        let text = serde_json::to_string_pretty(&document).unwrap();
        let read = parse(text.as_bytes());
        let complaints: Vec<_> = SCHEMA.iter_errors(&document).map(|error| error.to_string()).collect();
        if let Ok(file) = &read {
            let stored = serde_json::to_string(file).unwrap();
            prop_assert_eq!(&serde_json::from_str::<SubscriptionFile>(&stored).unwrap(), file, "what is stored comes back");
        }
        prop_assert_eq!(read.is_ok(), complaints.is_empty(), "{}\nreader: {:?}\nschema: {:?}", text, read, complaints);
    }
}

/// Values of every sort, right for some key each.
fn any_value() -> impl Strategy<Value = Value> {
    let scalar = select(vec![
        json!("immediate"),
        json!("daily"),
        json!("weekly"),
        json!("monthly"),
        json!("hourly"),
        json!("0 6 * * 1"),
        json!("0 6 * *"),
        json!("Weekly"),
        json!("3d"),
        json!("1d 12h"),
        json!("2 weeks"),
        json!("12h 1d"),
        json!("3"),
        json!("3x"),
        json!("0d"),
        json!(" 3d "),
        json!("d"),
        json!("none"),
        json!("all"),
        json!("web-team"),
        json!("Web Team"),
        json!("-web"),
        json!("web-"),
        json!("w"),
        json!(0),
        json!(1),
        json!(5),
        json!(31),
        json!(32),
        json!(100),
        json!(101),
        json!(-1),
        json!(1.5),
        json!(true),
        json!(null),
        json!(""),
        json!(" "),
        json!("django"),
        json!("types-*"),
        json!("src/**"),
        json!("/src"),
        json!("src/"),
        json!("./a"),
        json!("a/../b"),
        json!("..a/b"),
        json!("a\\b"),
        json!("!a"),
        json!(".github/x"),
        json!("monday"),
        json!("Mon"),
        json!("mondays"),
        json!("06:00"),
        json!("9:30"),
        json!("24:00"),
        json!("6:0"),
        json!("12:60"),
        json!("pypi"),
        json!("dockerfile"),
        json!("github-actions"),
        json!("acme/x"),
        json!("acme/*"),
        json!("ac--me/x"),
        json!("-acme/x"),
        json!("acme/"),
        json!("acme/a b"),
        json!("pipy"),
        json!("UTC"),
        json!("Europe/Paris"),
        json!(">=5"),
        json!("day"),
        json!("week"),
        json!("month"),
        json!(" weekly "),
        json!("60 6 * * *"),
        json!("0 6 * * mon-fri"),
        json!("400d"),
        json!("a//b"),
        json!("."),
        json!("=>5"),
        json!("x".repeat(51)),
        json!("x".repeat(201)),
    ]);
    scalar.prop_recursive(2, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            any_mapping(
                vec!["every", "on", "at", "major", "minor", "patch", "name", "versions", "migration", "nme"],
                inner
            ),
        ]
    })
}

fn any_mapping(keys: Vec<&'static str>, value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(select(keys), value, 0..4).prop_map(|map| {
        map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<serde_json::Map<_, _>>().into()
    })
}

/// Values that are mostly right for their key, so that some documents are valid as a whole.
fn value_for(key: &'static str) -> BoxedStrategy<Value> {
    let clock = select(vec![json!("06:00"), json!("9:30"), json!("24:00"), json!(6)]);
    let days = select(vec![
        json!("mon"),
        json!("Friday"),
        json!(1),
        json!(31),
        json!(0),
        json!("x"),
        json!(["mon", "tue"]),
        json!([1, 15]),
        json!([1, "mon"]),
        json!([]),
    ]);
    let delay = (select(vec!["day", "week", "month", "year"]), prop::option::of(days), prop::option::of(clock))
        .prop_map(|(every, on, at)| {
            let mut map = serde_json::Map::from_iter([("every".to_owned(), json!(every))]);
            map.extend(on.map(|on| ("on".to_owned(), on)));
            map.extend(at.map(|at| ("at".to_owned(), at)));
            Value::from(map)
        })
        .boxed();
    let word = select(vec![json!("weekly"), json!("immediate"), json!("0 6 * * 1"), json!("weakly")]);
    let by_step = any_mapping(vec!["major", "minor", "patch"], prop_oneof![word, delay.clone()]);
    let age = || any_mapping(vec!["major", "minor", "patch"], select(vec![json!("3d"), json!("1w 2d"), json!(3)]));
    let rule = || any_mapping(vec!["name", "versions"], select(vec![json!(">=5"), json!("<2,>=1"), json!("4.*")]));
    let right = match key {
        "timezone" => select(vec![json!("UTC"), json!("Europe/Paris")]).boxed(),
        "delay" => prop_oneof![select(vec![json!("weekly"), json!("0 6 * * 1")]), delay, by_step].boxed(),
        "min_age" => prop_oneof![select(vec![json!("3d"), json!("2 weeks")]), age()].boxed(),
        "group" => select(vec![json!("all"), json!("minor-and-patch"), json!("web")]).boxed(),
        "limit" => (1..=100).prop_map(Value::from).boxed(),
        "labels" => select(vec![json!("a"), json!(["a", "b c"]), json!([])]).boxed(),
        "automerge" => {
            select(vec![json!("none"), json!("minor"), json!(["patch", "major"]), json!(true), json!([])]).boxed()
        }
        "merge_method" => select(vec![json!("merge"), json!("squash"), json!("rebase"), json!("fast")]).boxed(),
        "reviewers" => select(vec![json!("a/b"), json!(["codeowners", "@a"]), json!("a b"), json!([])]).boxed(),
        "assignees" => select(vec![json!("a"), json!(["codeowners", "@a"]), json!("a/b"), json!([])]).boxed(),
        "draft" => select(vec![json!(true), json!(false), json!("true")]).boxed(),
        "ignore" => {
            prop_oneof![Just(json!("django")), rule(), prop::collection::vec(rule(), 0..3).prop_map(Value::from)]
                .boxed()
        }
        "paths" => select(vec![json!("src/**"), json!(["a/*", "b"])]).boxed(),
        "migration" => select(vec![json!("pypi"), json!("acme/*"), json!("npm")]).boxed(),
        other => panic!("no values for {other}"),
    };
    // Which time zones there are is beyond a schema.
    let any = any_value()
        .prop_filter("a name of a zone", move |value| key != "timezone" || !value.is_string() || value == " ");
    prop_oneof![12 => right, 1 => any].boxed()
}

fn keyed(keys: &[&'static str]) -> BoxedStrategy<Vec<(String, Value)>> {
    let entry = |key: &'static str| {
        prop::option::weighted(0.3, value_for(key)).prop_map(move |value| value.map(|value| (key.to_owned(), value)))
    };
    keys.iter()
        .map(|key| entry(key))
        .collect::<Vec<_>>()
        .prop_map(|entries| entries.into_iter().flatten().collect())
        .boxed()
}

/// What comes after a pull request is opened, for the file and for a subscription.
const OF_BOTH: [&str; 5] = ["automerge", "merge_method", "reviewers", "assignees", "draft"];

fn any_document() -> impl Strategy<Value = Value> {
    let long = (
        prop::option::weighted(0.95, value_for("migration")),
        keyed(&[&["delay", "min_age", "group", "limit", "labels", "ignore", "paths"], &OF_BOTH[..]].concat()),
    )
        .prop_map(|(migration, mut entries)| {
            entries.extend(migration.map(|migration| ("migration".to_owned(), migration)));
            Value::from(serde_json::Map::from_iter(entries))
        });
    // One entry: whether an entry is already covered by another is beyond a schema.
    let entry = prop_oneof![1 => value_for("migration"), 4 => long];
    let subscriptions = (entry, any::<bool>()).prop_map(|(entry, listed)| if listed { json!([entry]) } else { entry });
    (
        keyed(&[&["timezone", "delay", "min_age", "group", "limit", "labels"], &OF_BOTH[..]].concat()),
        subscriptions,
        prop::option::weighted(0.03, Just("subscription")),
    )
        .prop_map(|(mut entries, subscriptions, odd)| {
            entries.push(("subscriptions".into(), subscriptions));
            entries.extend(odd.map(|odd| (odd.to_owned(), json!("x"))));
            Value::from(serde_json::Map::from_iter(entries))
        })
}

/// The keys of every mapping, as the schema has them: by one key that tells the mapping.
fn keys_of_the_schema() -> BTreeMap<String, BTreeSet<String>> {
    fn collect(schema: &Value, into: &mut Vec<BTreeSet<String>>) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object)
            && schema.get("additionalProperties") == Some(&json!(false))
        {
            into.push(properties.keys().cloned().collect());
        }
        match schema {
            Value::Object(map) => map.values().for_each(|value| collect(value, into)),
            Value::Array(items) => items.iter().for_each(|value| collect(value, into)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&json_schema(), &mut found);
    found.into_iter().map(|keys| (keys.iter().cloned().collect::<Vec<_>>().join(" "), keys)).collect()
}

#[test]
fn reader_and_schema_know_the_same_keys() {
    // The reader lists the keys it takes when it meets one that it does not.
    let mappings = [
        "{ zzz: 1, subscriptions: [pypi] }",
        "{ subscriptions: [{ migration: pypi, zzz: 1 }] }",
        "{ subscriptions: [{ migration: pypi, ignore: { name: a, zzz: 1 } }] }",
        "{ subscriptions: [pypi], min_age: { zzz: 1 } }",
        "{ subscriptions: [pypi], delay: { every: day, zzz: 1 } }",
        "{ subscriptions: [pypi], delay: { minor: daily, zzz: 1 } }",
    ];
    let of_the_reader: BTreeSet<BTreeSet<String>> = mappings
        .iter()
        .map(|text| {
            let problems = parse(text.as_bytes()).unwrap_err();
            let problem = problems.iter().find(|problem| problem.what.starts_with("unknown key `zzz`")).unwrap();
            problem.fix.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        })
        .collect();
    let of_the_schema: BTreeSet<_> = keys_of_the_schema().into_values().collect();
    assert_eq!(of_the_reader, of_the_schema);
    assert_eq!(of_the_schema.len(), 5, "the file, a subscription, an ignore rule, an age or a delay by step, a delay");
}

/// Each key with values of every sort: what the schema lets pass and the reader refuses is what no schema can say, and no editor
/// marks what `check` takes.
#[test]
fn the_schema_refuses_what_a_schema_can() {
    let of_the_file = |line: &str| format!("{line}\nsubscriptions: [pypi]\n");
    let of_an_entry = |line: &str| format!("subscriptions: [{{ migration: pypi, {line} }}]\n");
    let both = |text: &str| {
        let document: Value = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        (parse(text.as_bytes()).is_ok(), SCHEMA.is_valid(&document))
    };
    for (expected, lines) in [
        (
            (true, true),
            &[
                "timezone: Etc/GMT+5",
                "delay: ' 0 6 * * 1 '",
                "delay: '0 06 1,15 JAN-mar 7'",
                "delay: '*/15 8-18 * * mon-fri'",
                "delay: '0 0 29 2 *'",
                "min_age: 366d",
                "min_age: 8784h",
                "min_age: 00003d",
                "min_age: 1 day 1 hours",
                "min_age: ' 52w 2d '",
                "labels: ' a b '",
                "labels: [é]",
                "reviewers: ['@a', a-b/c.d]",
                "limit: 100",
            ][..],
        ),
        (
            (false, false),
            &[
                "timezone: ' UTC'",
                "timezone: a b",
                "delay: ' weekly '",
                "delay: '60 6 * * *'",
                "delay: '0 25 * * *'",
                "delay: '0 6 32 * *'",
                "delay: '0 6 * 13 *'",
                "delay: '0 6 * * 8'",
                "delay: '@daily'",
                "delay: '0 6 ? * *'",
                "delay: '0 6 * * mon#1'",
                "delay: '0 6 * * monday'",
                "delay: '5/15 * * * *'",
                "delay: a b c d e",
                "delay: monday",
                "delay: 3d",
                "min_age: {}",
                "min_age: 367d",
                "min_age: 53w",
                "min_age: 8785h",
                "min_age: 1.5d",
                "labels: \"a\\tb\"",
                "labels: \"a\\nb\"",
                "reviewers: a/b/c",
                "group: abc_d",
                "limit: 5.5",
                "draft: 1",
            ],
        ),
        // Numbers without a fraction are whole to a schema, however they are written; the rest takes reckoning.
        (
            (false, true),
            &[
                "timezone: Nowhere",
                "delay: '0 6 * * fri-mon'",
                "delay: '0 6 31 2 *'",
                "min_age: 52w 3d",
                "group: minor-patch",
                "limit: 5.0",
                "labels: [A, a]",
                "reviewers: [a, '@a']",
                "delay: { every: month, on: 1.0 }",
            ],
        ),
    ] {
        for line in lines {
            assert_eq!(both(&of_the_file(line)), expected, "{line}");
        }
    }
    for (expected, lines) in [
        (
            (true, true),
            &[
                "ignore: ['types-*', '@x', a_b.c]",
                "ignore: { name: a, versions: ' >=5, <6 || 7.* ' }",
                "ignore: []",
                "paths: ['**', a/.b/*.txt]",
                "paths: ['{a,b}/[a-c]?']",
            ][..],
        ),
        (
            (false, false),
            &[
                "ignore: 'a>=5'",
                "ignore: a b",
                "ignore: \"a\\tb\"",
                "ignore: { name: a, versions: '=>5' }",
                "ignore: { name: a, versions: '>' }",
                "ignore: { name: a, versions: '>=5,' }",
                "ignore: { name: a, versions: '5;6' }",
                "ignore: { versions: '5' }",
                "paths: .",
                "paths: a/./b",
                "paths: a//b",
                "paths: ..",
                "paths: \"a\\tb\"",
                "paths: []",
            ],
        ),
        (
            (false, true),
            &[
                "ignore: 'a['",
                "ignore: a@1",
                "ignore: { name: a, versions: '>5,<3' }",
                "ignore: { name: a, versions: latest }",
                "paths: 'a{b'",
            ],
        ),
    ] {
        for line in lines {
            assert_eq!(both(&of_an_entry(line)), expected, "{line}");
        }
    }
}
