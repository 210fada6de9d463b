//! Values that several sections have: texts, truth values, numbers, lists of texts.

use super::branch::branch_complaint;
use crate::document::{Node, Problems, Value, one_or_many, quoted, text};
use schemars::{Schema, SchemaGenerator, json_schema};

/// A text without white space around it.
pub(super) fn plain(node: &Node, what: &str, example: &str, problems: &mut Problems) -> Option<String> {
    text(node, what, example, problems).map(|text| text.trim().to_owned())
}

/// A truth value.
pub(super) fn truth(node: &Node, what: &str, problems: &mut Problems) -> Option<bool> {
    match &node.value {
        Value::Bool(truth) => Some(*truth),
        Value::Unreadable => None,
        _ => {
            problems.add(
                node.at,
                format!("{what} must be true or false, this is {}", node.kind()),
                "write `true` or `false`",
            );
            None
        }
    }
}

/// A whole number from 1 on.
pub(super) fn count(node: &Node, what: &str, problems: &mut Problems) -> Option<i64> {
    let number = match &node.value {
        // People put ids in quotes.
        Value::Number(number) | Value::Text(number) => number.trim().parse().ok().filter(|number| *number > 0),
        Value::Unreadable => return None,
        _ => None,
    };
    if number.is_none() {
        problems.add(
            node.at,
            format!("{what} must be a whole number from 1 on, this is {}", node.kind()),
            "write for example 10",
        );
    }
    number
}

/// Texts, one or a list of them, the same one once.
pub(super) fn texts(node: &Node, what: &str, example: &str, problems: &mut Problems) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for item in one_or_many(node) {
        let Some(one) = plain(item, what, example, problems) else { continue };
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// The name of a branch that is there already.
pub(super) fn branch(node: &Node, what: &str, problems: &mut Problems) -> Option<String> {
    let name = plain(node, what, "`main`", problems)?;
    match branch_complaint(&name) {
        None => Some(name),
        Some(why) => {
            problems.add(
                node.at,
                format!("{} is no name for a branch: {why}", quoted(&name)),
                "write the name of a branch, such as `main`",
            );
            None
        }
    }
}

pub(super) fn text_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1 })
}

pub(super) fn truth_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "boolean" })
}

pub(super) fn count_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": "^[0-9]+$" }] })
}

pub(super) fn texts_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [
        { "type": "string", "minLength": 1 },
        { "type": "array", "items": { "type": "string", "minLength": 1 } },
    ] })
}

pub(super) fn mapping_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object" })
}
