//! The JSON Schema of an Activity file, drawn from the tables that read it.

use super::{FORGES, file, forge, migration, source};
use crate::document::fields_schema;
use crate::drivers;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};
use std::borrow::Cow;

struct ActivityFile;

impl JsonSchema for ActivityFile {
    fn schema_name() -> Cow<'static, str> {
        "Activity".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        file::schema(generator)
    }
}

/// The JSON Schema (draft 2020-12) of an Activity file. Of plug-ins, whose keys nobody knows here, it takes anything.
pub fn json_schema() -> Value {
    SchemaGenerator::default().into_root_schema_for::<ActivityFile>().to_value()
}

pub(super) fn source(generator: &mut SchemaGenerator) -> Schema {
    let configs: Vec<_> = source::KINDS.iter().map(|kind| (kind.name, kind.schema(generator).to_value())).collect();
    // A variable may stand for any of the keys, so that none has to be there.
    let configs = configs.into_iter().map(|(name, schema)| (name, without_required(schema))).collect();
    let section = fields_schema("where repositories are found", source::FIELDS, generator);
    by_name(section, ("source_name", "source_config"), configs)
}

pub(super) fn migration(generator: &mut SchemaGenerator) -> Schema {
    let configs =
        drivers::TABLE.iter().map(|kind| (kind.name, or_placeholder((kind.schema)(generator).to_value()))).collect();
    let section = fields_schema("what is changed, and how it is committed", migration::FIELDS, generator);
    by_name(section, ("driver_name", "driver_config"), configs)
}

pub(super) fn forge(generator: &mut SchemaGenerator) -> Schema {
    let mut configs: Vec<_> = FORGES.iter().map(|forge| (forge.name, forge.schema(generator).to_value())).collect();
    for (name, schema) in &mut configs {
        if *name == "dummy" {
            schema["properties"]["PR_URL"] = json!({ "type": "string" });
        }
    }
    let section = fields_schema("the pull requests that are opened", forge::FIELDS, generator);
    by_name(section, ("forge_name", "forge_config"), configs)
}

/// The section, with the keys of each kind that is known by name.
fn by_name(mut section: Schema, (name, config): (&str, &str), configs: Vec<(&str, Value)>) -> Schema {
    let cases: Vec<Value> = configs
        .into_iter()
        .map(|(kind, schema)| {
            json!({
                "if": { "properties": { name: { "const": kind } }, "required": [name] },
                "then": { "properties": { config: schema } },
            })
        })
        .collect();
    if !cases.is_empty() {
        section.insert("allOf".into(), Value::Array(cases));
    }
    section
}

fn without_required(mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.remove("required");
    }
    schema
}

/// The schema of keys of which each may be a text with a placeholder instead of what it is otherwise.
fn or_placeholder(schema: Value) -> Value {
    let Value::Object(mut object) = schema else { return schema };
    for keyword in ["properties", "$defs"] {
        if let Some(Value::Object(properties)) = object.get_mut(keyword) {
            for schema in properties.values_mut() {
                *schema = value_or_placeholder(schema.take());
            }
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(schema) = object.get_mut(keyword).filter(|schema| schema.is_object()) {
            *schema = value_or_placeholder(schema.take());
        }
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(schemas)) = object.get_mut(keyword) {
            for schema in schemas {
                *schema = or_placeholder(schema.take());
            }
        }
    }
    Value::Object(object)
}

fn value_or_placeholder(schema: Value) -> Value {
    let schema = or_placeholder(schema);
    let free = schema["type"] == "string" && schema.get("pattern").is_none() && schema.get("enum").is_none();
    if free || !schema.is_object() {
        return schema;
    }
    let description = schema.get("description").cloned();
    let placeholder = json!({ "type": "string", "pattern": "\\{\\{ *(patch_data\\.|repo\\.)[^{}]+\\}\\}" });
    let mut either = json!({ "anyOf": [schema, placeholder] });
    if let Some(description) = description {
        either["description"] = description;
    }
    either
}
