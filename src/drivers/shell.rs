//! `shell`: a command that changes the files of a clone.

use super::keys::{self, read_text};
use super::{Command, Kind, Prepared};
use crate::document::{Field, Problems, Value, fields_schema, truth, truth_schema};
use schemars::json_schema;

/// The driver as the table has it.
pub(super) const KIND: Kind = Kind {
    name: "shell",
    about: "Runs a command in a clone of the repository; what it changes there is the change. A command that fails is an error, and what it wrote on standard error is the reason.",
    read: |node, problems| keys::read(node, FIELDS, problems, prepared),
    schema: |generator| fields_schema(KIND.about, FIELDS, generator),
};

#[derive(Default)]
struct Keys {
    command: Written,
    shell: Option<bool>,
}

#[derive(Default)]
enum Written {
    #[default]
    Nothing,
    Line(String),
    Words(Vec<String>),
}

const FIELDS: &[Field<Keys>] = &[
    Field {
        name: "command",
        about: "one text, which `sh -c` reads; or a list, the program and its arguments, which is run as it is",
        required: true,
        schema: |_| {
            json_schema!({ "anyOf": [
                { "type": "string", "pattern": r"\S" },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            ] })
        },
        read: |keys, node, problems| {
            keys.command = match &node.value {
                Value::List(items) => {
                    let words = items.iter().map(|item| read_text(item, "a word of a command", problems));
                    let words: Option<Vec<String>> = words.collect();
                    words.map_or(Written::Nothing, Written::Words)
                }
                _ => read_text(node, "`command`", problems).map_or(Written::Nothing, Written::Line),
            };
            let said = match &keys.command {
                Written::Nothing => return,
                Written::Line(line) => line,
                Written::Words(words) => words.first().map_or("", String::as_str),
            };
            let zero = match &keys.command {
                Written::Words(words) => words.iter().any(|word| word.contains('\0')),
                _ => said.contains('\0'),
            };
            if said.trim().is_empty() {
                problems.add(node.at, "`command` names no program", "write for example `command: make format`");
            } else if zero {
                problems.add(node.at, "there is a zero byte in `command`", "remove it; no program can be given one");
            }
        },
    },
    Field {
        name: "shell",
        about: "whether a shell reads a `command` that is one text (default true); false where it is a program's name alone",
        required: false,
        schema: truth_schema,
        read: |keys, node, problems| keys.shell = truth(node, "`shell`", problems),
    },
];

/// A list is run word by word, also where a shell is asked for: a shell would take the first word as its line and the others as its
/// own arguments. A list of one is such a line.
fn prepared(keys: Keys, _: &mut Problems) -> Option<Prepared> {
    let shell = keys.shell.unwrap_or(true);
    let (words, shell) = match keys.command {
        Written::Nothing => return None,
        Written::Line(line) => (vec![line], shell),
        Written::Words(words) => {
            let shell = shell && words.len() == 1;
            (words, shell)
        }
    };
    Some(Prepared::Command(Command { words, shell }))
}
