//! Keys that the file leaves out and a variable of the environment has: `SOURCE_REPOS`, `FORGE_APP_INSTALLATION_ID`.

use super::filling::{from_json, scalar};
use crate::document::{Field, Key, Map, Mapping, Node, Problems, Spot, Value, read_fields};
use std::collections::BTreeMap;

/// Reads a mapping by its table, with variables for the keys it leaves out. What is wrong with one of those is told where the
/// section stands, under the variable's name; its value is never shown.
pub(super) fn read_with_variables<T>(
    into: &mut T,
    (map, at): (&Map, Spot),
    mapping: &Mapping<'_, T>,
    (prefix, variables): (&str, &BTreeMap<String, String>),
    problems: &mut Problems,
) {
    let missing = |field: &&Field<T>| !map.entries.iter().any(|(key, _)| key.name == field.name);
    let from_variables: Vec<(&Field<T>, String, &str)> = mapping
        .fields
        .iter()
        .filter(missing)
        .filter_map(|field| {
            let name = format!("{prefix}{}", field.name.to_ascii_uppercase());
            let value = variables.get(&name).map(String::as_str).filter(|value| !value.trim().is_empty())?;
            Some((field, name, value))
        })
        .collect();
    // Keys with a variable count as written, and are passed over here.
    let mut known = map.clone();
    let key = |name: &str| (Key { at, name: name.into() }, Node { at, value: Value::Unreadable });
    known.entries.extend(from_variables.iter().map(|(field, ..)| key(field.name)));
    read_fields(into, &known, at, mapping, problems);
    for (field, name, value) in from_variables {
        read_variable(into, (field, &name, value), at, problems);
    }
}

fn read_variable<T>(into: &mut T, (field, name, value): (&Field<T>, &str, &str), at: Spot, problems: &mut Problems) {
    let structured = value.trim_start().starts_with(['[', '{']);
    let json = if structured { serde_json::from_str(value).ok() } else { None };
    let text = Node { at, value: Value::Text(value.into()) };
    let ways = match &json {
        Some(json) => vec![from_json(json, at), text],
        None => vec![text, Node { at, value: scalar(value.into()) }],
    };
    for node in ways {
        let mut found = Problems::default();
        (field.read)(into, &node, &mut found);
        if found.is_empty() {
            return;
        }
    }
    let what = format!("the variable `{name}` is not what the key `{}` takes", field.name);
    problems.add(at, what, format!("set it to {}; lists and mappings as JSON", field.about));
}
