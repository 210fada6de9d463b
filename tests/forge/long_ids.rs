//! Repositories whose objects are named by SHA-256, as GitHub's `hash_algorithm` allows: 64 digits instead of 40.

use super::world::*;
use mass_driver::domain::{Change, Head, ObjectId};
use mass_driver::forge::webhook::{ChangedPaths, EventKind, parse_event};
use serde_json::{Value, json};

/// An object id of 64 digits that repeats one of them.
fn long(digit: char) -> ObjectId {
    ObjectId::parse(&digit.to_string().repeat(64)).unwrap()
}

/// The same JSON with every id of [`id`] written in 64 digits.
fn lengthened(value: &Value) -> Value {
    let mut text = value.to_string();
    for digit in "0123456789abcdef".chars() {
        text = text.replace(&format!("\"{}\"", digit.to_string().repeat(40)), &format!("\"{}\"", long(digit)));
    }
    serde_json::from_str(&text).unwrap()
}

#[test]
fn bad_input_08_a_push_names_its_commits_in_64_digits() {
    let commit =
        json!({ "id": id('c'), "tree_id": id('7'), "added": ["requirements.txt"], "removed": [], "modified": [] });
    let push = lengthened(&json!({
        "ref": "refs/heads/main", "before": id('a'), "after": id('c'), "created": false, "deleted": false, "forced": false,
        "installation": { "id": 7 }, "head_commit": commit, "commits": [commit],
        "repository": { "id": 11, "full_name": "acme/api", "default_branch": "main" },
    }));
    let read = |push: &Value| match parse_event("push", push.to_string().as_bytes()).unwrap().kind {
        EventKind::Push(push) => push,
        other => panic!("{other:?}"),
    };
    let told = read(&push);
    assert_eq!((&told.before, &told.after, &told.tree), (&long('a'), &long('c'), &Some(long('7'))));
    assert!(matches!(&told.changed, ChangedPaths::Known(paths) if paths.contains("requirements.txt")));
    let mut gone = push;
    gone["after"] = json!(long('0'));
    assert!(read(&gone).deleted, "64 zeros are the null id too");
}

#[test]
fn bad_input_08_an_id_has_40_or_64_hex_digits() {
    for (count, good) in [(39, false), (40, true), (41, false), (63, false), (64, true), (65, false), (128, false)] {
        assert_eq!(ObjectId::parse(&"a".repeat(count)).is_ok(), good, "{count} digits");
    }
    assert!(ObjectId::parse(&"g".repeat(64)).is_err());
    assert!(ObjectId::parse(&"é".repeat(32)).is_err(), "64 bytes are not 64 digits");
}

#[tokio::test]
async fn bad_input_08_a_change_is_proposed_on_a_head_of_64_digits() {
    let world = World::new().await;
    let base = "/repos/acme/api";
    world.at("GET", &format!("{base}/branches/main"), ok(200, lengthened(&branch("main", 'a', 'b', '9')))).await;
    let head = world.github.head(&target(), "main").await.unwrap();
    assert_eq!(head, Some(Head { commit: long('a'), tree: long('b') }));

    world.at("POST", &format!("{base}/git/trees"), ok(201, json!({ "sha": long('d'), "tree": [] }))).await;
    world.at("POST", &format!("{base}/git/commits"), ok(201, json!({ "sha": long('e') }))).await;
    let branch = json!({ "ref": "refs/heads/mass-driver/pypi/httpx", "object": { "sha": long('e') } });
    world.at("POST", &format!("{base}/git/refs"), ok(201, branch)).await;
    world.at("POST", &format!("{base}/pulls"), ok(201, lengthened(&pull(5, "open", 'e')))).await;
    let change = Change { base: head.unwrap(), ..change() };
    let proposed = world.github.propose(&target(), &change, false).await.unwrap();
    assert_eq!(proposed.pull.head, long('e'));
    assert_eq!(world.body("POST", &format!("{base}/git/trees")).await["base_tree"], json!(long('b')));
    assert_eq!(world.body("POST", &format!("{base}/git/commits")).await["parents"], json!([long('a')]));
    assert_eq!(world.body("POST", &format!("{base}/git/refs")).await["sha"], json!(long('e')));
}
