//! The keys of a mapping, declared once: the same table reads the file and draws its schema, so that the two
//! cannot drift apart.

use super::node::{Map, Node, Value};
use super::problem::{Problems, Spot, did_you_mean, nearest, one_of, quoted};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

/// One key that a mapping may have, for a mapping that is read into `T`.
pub struct Field<T> {
    /// The key.
    pub name: &'static str,
    /// What it means, for people who hover over it in an editor.
    pub about: &'static str,
    /// Whether the mapping makes no sense without it.
    pub required: bool,
    /// What its value may look like.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads its value.
    pub read: fn(&mut T, &Node, &mut Problems),
}

/// A mapping of the file: how messages name it, and the keys it may have.
pub struct Mapping<'a, T> {
    /// Its name with its article: "a subscription".
    pub what: &'static str,
    /// The table of its keys.
    pub fields: &'a [Field<T>],
    /// Keys that people look for here but that belong elsewhere, and what to do with them.
    pub elsewhere: &'a [(&'static str, &'static str)],
}

/// Reads a mapping by its table. Problems of one key do not hide those of another; `at` is where to complain
/// about a missing one.
pub fn read_fields<T>(into: &mut T, map: &Map, at: Spot, mapping: &Mapping<'_, T>, problems: &mut Problems) {
    let Mapping { what, fields, elsewhere } = mapping;
    let names = || fields.iter().map(|field| field.name);
    let mut misspelled = Vec::new();
    for (key, node) in &map.entries {
        match (fields.iter().find(|field| field.name == key.name), &node.value) {
            (_, Value::Unreadable) => {}
            (None, _) if elsewhere.iter().any(|(name, _)| *name == key.name) => {
                let fix = elsewhere.iter().find(|(name, _)| *name == key.name).map_or("", |(_, fix)| fix);
                problems.add(key.at, format!("{} is not a key of {what}", quoted(&key.name)), fix);
            }
            (None, _) => {
                misspelled.extend(nearest(&key.name, names()));
                let what = format!("unknown key {} in {what}{}", quoted(&key.name), did_you_mean(&key.name, names()));
                problems.add(key.at, what, format!("use {}", one_of(names())));
            }
            (Some(field), Value::Null) => {
                problems.add(key.at, format!("`{}` has no value", field.name), "write one, or remove the key");
            }
            (Some(field), _) => (field.read)(into, node, problems),
        }
    }
    for field in fields.iter().filter(|field| field.required && !map.cut_short) {
        // Whoever wrote `migratoin` has not forgotten it: one problem is enough.
        let meant = map.entries.iter().any(|(key, _)| key.name == field.name) || misspelled.contains(&field.name);
        if !meant {
            problems.add(at, format!("`{}` is missing in {what}", field.name), format!("add it: {}", field.about));
        }
    }
}

/// The JSON Schema of a mapping by its table.
pub fn fields_schema<T>(about: &str, fields: &[Field<T>], generator: &mut SchemaGenerator) -> Schema {
    let mut properties = serde_json::Map::new();
    for field in fields {
        let schema = (field.schema)(generator);
        // A `$ref` may stand beside other keywords since draft 2019-09.
        let mut schema = schema.to_value();
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".into(), json!(field.about));
        }
        properties.insert(field.name.into(), schema);
    }
    let required: Vec<_> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json_schema!({
        "type": "object", "description": about, "properties": properties, "additionalProperties": false,
    });
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema
}

/// The schema of something that may be written once or as a list.
pub fn one_or_many_schema(item: Schema) -> Schema {
    json_schema!({ "anyOf": [item, { "type": "array", "items": item }] })
}

/// The items of a list; a value that is not a list stands for a list of one.
pub fn one_or_many(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

/// The text at a node that must be one, or a problem.
pub fn text<'a>(node: &'a Node, what: &str, example: &str, problems: &mut Problems) -> Option<&'a str> {
    match &node.value {
        Value::Text(text) if text.trim().is_empty() => {
            problems.add(node.at, format!("{what} must not be empty"), format!("write for example {example}"));
            None
        }
        Value::Text(text) => Some(text),
        Value::Unreadable => None,
        Value::Number(number) => {
            problems.add(
                node.at,
                format!("{what} must be a text, this is the number {}", quoted(number)),
                format!("write for example {example}, or put the number in quotes"),
            );
            None
        }
        _ => {
            problems.add(
                node.at,
                format!("{what} must be a text, this is {}", node.kind()),
                format!("write for example {example}"),
            );
            None
        }
    }
}

/// The truth value at a node that must be one, or a problem.
pub fn truth(node: &Node, what: &str, problems: &mut Problems) -> Option<bool> {
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

/// The schema of a truth value.
pub fn truth_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "boolean" })
}
