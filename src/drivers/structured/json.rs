//! JSON, also with comments and commas behind the last item, as tools' settings have them.

use super::data::Data;
use super::tree::{DEEPEST, Entry, Kind, Tree};
use jsonc_parser::ast::{ObjectPropName, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use std::collections::HashSet;

const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a text; spans count from its first byte, a byte order mark included.
pub(super) fn read(text: &str) -> Result<Tree, String> {
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    let parsed = parse_to_ast(&text[mark..], &CollectOptions::default(), &OPTIONS).map_err(|error| {
        let line = text[..(mark + error.range().start).min(text.len())].matches('\n').count() + 1;
        format!("line {line}: {}", error.kind())
    })?;
    tree(parsed.value.as_ref().ok_or("there is no value in it")?, mark, 0)
}

fn tree(value: &Value<'_>, mark: usize, depth: usize) -> Result<Tree, String> {
    if depth > DEEPEST {
        return Err(format!("its values are nested deeper than {DEEPEST} levels"));
    }
    let kind = match value {
        Value::StringLit(text) => Kind::Leaf(Data::Text(text.value.to_string())),
        Value::NumberLit(number) => Kind::Leaf(Data::Number(number.value.to_string())),
        Value::BooleanLit(truth) => Kind::Leaf(Data::Bool(truth.value)),
        Value::NullKeyword(_) => Kind::Leaf(Data::Null),
        Value::Array(array) => {
            let items = array.elements.iter().map(|item| tree(item, mark, depth + 1));
            Kind::List { block: false, items: items.collect::<Result<_, _>>()? }
        }
        Value::Object(object) => {
            let mut entries: Vec<Entry> = Vec::new();
            let mut names = HashSet::new();
            for property in &object.properties {
                let range = match &property.name {
                    ObjectPropName::String(name) => name.range(),
                    ObjectPropName::Word(name) => name.range(),
                };
                let value = tree(&property.value, mark, depth + 1)?;
                let name = property.name.as_str().to_owned();
                if !names.insert(name.clone()) {
                    return Err(format!("the key `{name}` is there twice"));
                }
                let key = range.start + mark..range.end + mark;
                entries.push(Entry { key, name, anchored: false, value });
            }
            Kind::Map { block: false, entries }
        }
    };
    let range = value.range();
    Ok(Tree { span: range.start + mark..range.end + mark, marked: false, anchored: false, kind })
}

/// A string as JSON writes it.
pub(super) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn leaf(data: &Data) -> Result<String, String> {
    Ok(match data {
        Data::Null => "null".into(),
        Data::Bool(truth) => truth.to_string(),
        Data::Text(text) => string(text),
        Data::Number(number) => match serde_json::from_str::<serde_json::Number>(number) {
            Ok(_) => number.clone(),
            Err(_) => data.whole().ok_or_else(|| format!("JSON has no number {number}"))?,
        },
        Data::Other(_) => return Err("JSON has no dates; put it in quotes".into()),
        Data::List(_) | Data::Map(_) => return Err("JSON has no such value".into()),
    })
}

/// A value on one line.
pub(super) fn inline(data: &Data) -> Result<String, String> {
    Ok(match data {
        Data::List(items) => format!("[{}]", items.iter().map(inline).collect::<Result<Vec<_>, _>>()?.join(", ")),
        Data::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok(format!("{}: {}", string(key), inline(value)?)));
            format!("{{{}}}", entries.collect::<Result<Vec<_>, String>>()?.join(", "))
        }
        leaf_data => leaf(leaf_data)?,
    })
}

/// A value with a line for each of its parts; `margin` is what the line begins with that it stands on.
pub(super) fn pretty(data: &Data, unit: &str, margin: &str, end: &str) -> Result<String, String> {
    let inner = format!("{margin}{unit}");
    let (open, parts, close) = match data {
        Data::List(items) if !items.is_empty() => {
            let parts = items.iter().map(|item| pretty(item, unit, &inner, end));
            ("[", parts.collect::<Result<Vec<_>, _>>()?, "]")
        }
        Data::Map(entries) if !entries.is_empty() => {
            let parts = entries
                .iter()
                .map(|(key, value)| Ok(format!("{}: {}", string(key), pretty(value, unit, &inner, end)?)));
            ("{", parts.collect::<Result<Vec<_>, String>>()?, "}")
        }
        other => return inline(other),
    };
    let lines = parts.join(&format!(",{end}{inner}"));
    Ok(format!("{open}{end}{inner}{lines}{end}{margin}{close}"))
}
