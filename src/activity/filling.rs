//! A driver's keys with their texts filled in, and as JSON.

use super::template::Template;
use crate::document::{Key, Map, Node, Problem, Problems, Spot, Value, whole_number};
use crate::domain::SourcedRepository;
use serde_json::Number;

/// Whether a text of the node says something else for each repository.
pub(super) fn varies(node: &Node) -> bool {
    any_text(node, &mut |text, at| Template::read(text, at, &mut Problems::default()).varies())
}

/// Reports what is nearly a placeholder.
pub(super) fn check(node: &Node, problems: &mut Problems) {
    any_text(node, &mut |text, at| {
        Template::read(text, at, problems);
        false
    });
}

/// The node without the texts that are known later: readers pass those by.
pub(super) fn without_placeholders(node: &Node) -> Node {
    with_texts(node, &mut |text, at| {
        let template = Template::read(text, at, &mut Problems::default());
        if template.varies() { Value::Unreadable } else { literal(&template) }
    })
}

/// The node for a repository. Of a text that is nothing but a placeholder, `reads` tells whether the filled one is to be read
/// as a number or truth value.
pub(super) fn filled(
    node: &Node,
    repository: &SourcedRepository,
    reads: impl Fn(Spot) -> bool,
    problems: &mut Problems,
) -> Node {
    with_texts(node, &mut |text, at| {
        let template = Template::read(text, at, &mut Problems::default());
        match template.fill(repository, problems) {
            None => Value::Unreadable,
            Some(text) if template.is_bare() && reads(at) => scalar(text),
            Some(text) => Value::Text(text),
        }
    })
}

/// What was filled in for a repository, each with its name and where.
pub(super) fn values(node: &Node, repository: &SourcedRepository) -> Vec<(Spot, String, String)> {
    let mut found = Vec::new();
    any_text(node, &mut |text, at| {
        let template = Template::read(text, at, &mut Problems::default());
        found.extend(template.values(repository).map(|(name, value)| (at, name, value.to_owned())));
        false
    });
    found
}

/// Whether a problem is about the value at a place.
pub(super) fn is_at(problem: &Problem, at: Spot) -> bool {
    (problem.line, problem.column) == (at.line, at.column)
}

/// The node as JSON, as plug-ins take it.
pub(super) fn to_json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null | Value::Unreadable => serde_json::Value::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => {
            let whole = whole_number(number).map(Number::from);
            whole.or_else(|| number_of(number)).map_or_else(|| number.clone().into(), serde_json::Value::Number)
        }
        Value::Text(text) | Value::Date(text) => text.clone().into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => {
            serde_json::Value::Object(map.entries.iter().map(|(key, node)| (key.name.clone(), to_json(node))).collect())
        }
    }
}

/// JSON as a node, everything at one place.
pub(super) fn from_json(json: &serde_json::Value, at: Spot) -> Node {
    let value = match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => Value::Number(number.to_string()),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(|item| from_json(item, at)).collect()),
        serde_json::Value::Object(entries) => {
            let entry = |(name, value): (&String, _)| (Key { at, name: name.clone() }, from_json(value, at));
            Value::Map(Map { entries: entries.iter().map(entry).collect(), cut_short: false })
        }
    };
    Node { at, value }
}

/// A text as the number or truth value that it looks like.
pub(super) fn scalar(text: String) -> Value {
    match text.trim() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        number if number_of(number).is_some() => Value::Number(number.into()),
        _ => Value::Text(text),
    }
}

/// A number that JSON has too; TOML and YAML have `inf` besides.
fn number_of(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    Number::from_f64(text.parse::<f64>().ok()?).filter(|_| text.starts_with(|c: char| c.is_ascii_digit() || c == '-'))
}

fn literal(template: &Template) -> Value {
    // A text without placeholders needs nothing of a repository.
    let nobody = SourcedRepository {
        id: String::new(),
        clone_url: String::new(),
        upstream_branch: None,
        patch_data: Default::default(),
    };
    template.fill(&nobody, &mut Problems::default()).map_or(Value::Unreadable, Value::Text)
}

/// Whether a condition holds for a text of the node; asked in their order, until it does.
fn any_text(node: &Node, holds: &mut impl FnMut(&str, Spot) -> bool) -> bool {
    match &node.value {
        Value::Text(text) => holds(text, node.at),
        Value::List(items) => items.iter().any(|item| any_text(item, holds)),
        Value::Map(map) => map.entries.iter().any(|(_, node)| any_text(node, holds)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Date(_) | Value::Unreadable => false,
    }
}

fn with_texts(node: &Node, change: &mut impl FnMut(&str, Spot) -> Value) -> Node {
    let value = match &node.value {
        Value::Text(text) => change(text, node.at),
        Value::List(items) => Value::List(items.iter().map(|item| with_texts(item, change)).collect()),
        Value::Map(map) => {
            let entries = map.entries.iter().map(|(key, node)| (key.clone(), with_texts(node, change))).collect();
            Value::Map(Map { entries, cut_short: map.cut_short })
        }
        other => other.clone(),
    };
    Node { at: node.at, value }
}
