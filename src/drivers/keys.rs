//! Reading the keys of a driver, and values that several drivers take.

use super::Prepared;
use crate::document::{Field, Mapping, Node, Problems, Value, quoted, read_fields};
use schemars::{Schema, SchemaGenerator, json_schema};

/// The keys of a driver, once all of them are read.
///
/// `finish` makes the driver of what the keys said; it is asked only where no key has a problem, and may find one itself.
pub(super) fn read<T: Default>(
    node: &Node,
    fields: &[Field<T>],
    problems: &mut Problems,
    finish: impl FnOnce(T, &mut Problems) -> Option<Prepared>,
) -> Option<Prepared> {
    let before = problems.count();
    let Value::Map(map) = &node.value else {
        if !matches!(node.value, Value::Unreadable) {
            let what = format!("the keys of a driver are a mapping, this is {}", node.kind());
            problems.add(node.at, what, format!("write `{}: …`", fields.first().map_or("key", |field| field.name)));
        }
        return None;
    };
    let mut keys = T::default();
    read_fields(
        &mut keys,
        map,
        node.at,
        &Mapping { what: "the keys of this driver", fields, elsewhere: &[] },
        problems,
    );
    if problems.count() > before { None } else { finish(keys, problems) }
}

/// A text, which may be empty.
pub(super) fn read_text(node: &Node, what: &str, problems: &mut Problems) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Unreadable => None,
        Value::Number(number) => {
            let what = format!("{what} must be a text, this is the number {}", quoted(number));
            problems.add(node.at, what, "put it in quotes");
            None
        }
        _ => {
            problems.add(node.at, format!("{what} must be a text, this is {}", node.kind()), "write a text, in quotes");
            None
        }
    }
}

/// The schema of a text that is not empty.
pub(super) fn some_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": r"\S" })
}

/// The schema of any text.
pub(super) fn any_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string" })
}
