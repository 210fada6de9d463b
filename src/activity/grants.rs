//! What commands and plug-ins may do besides working in their clone.

use super::reading::{texts, texts_schema};
use crate::document::{
    Field, Mapping, Node, Problems, Spot, Value, fields_schema, quoted, read_fields, truth, truth_schema,
};
use schemars::{Schema, SchemaGenerator};

/// What a process of an Activity may do besides reading the programs of the system and writing its clone. Nothing, unless the
/// file says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// No limits but those of time, memory and output: also where the system cannot set any others.
    pub everything: bool,
    /// The network.
    pub network: bool,
    /// Files and folders to read: absolute, or below the home folder with `~/`.
    pub read: Vec<String>,
    /// Files and folders to read and write: absolute, or below the home folder with `~/`.
    pub write: Vec<String>,
    /// Variables of the environment that are passed on.
    pub environment: Vec<String>,
}

const FIELDS: &[Field<Grants>] = &[
    Field {
        name: "everything",
        about: "no limits but those of time, memory and output (default false)",
        required: false,
        schema: truth_schema,
        read: |grants, node, problems| grants.everything = truth(node, "`everything`", problems).unwrap_or_default(),
    },
    Field {
        name: "network",
        about: "whether it may use the network (default false)",
        required: false,
        schema: truth_schema,
        read: |grants, node, problems| grants.network = truth(node, "`network`", problems).unwrap_or_default(),
    },
    Field {
        name: "read",
        about: "files and folders it may read, such as `/opt/tools` or `~/.cargo`",
        required: false,
        schema: texts_schema,
        read: |grants, node, problems| grants.read = paths(node, problems),
    },
    Field {
        name: "write",
        about: "files and folders it may read and write, such as `~/.cache/pip`",
        required: false,
        schema: texts_schema,
        read: |grants, node, problems| grants.write = paths(node, problems),
    },
    Field {
        name: "environment",
        about: "variables of the environment it gets, such as `JAVA_HOME`",
        required: false,
        schema: texts_schema,
        read: |grants, node, problems| grants.environment = variables(node, problems),
    },
];

/// An `allow` as it stands in a section.
pub(super) struct Written {
    at: Spot,
    grants: Grants,
}

impl Written {
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Self {
        Self { at: node.at, grants: Grants::read(node, problems) }
    }

    /// Says that nothing is there that could use it, so that nobody believes it to be a limit: `who` runs no program.
    pub(super) fn refuse(&self, who: &str, problems: &mut Problems) {
        let what = format!("`allow` is without effect here: {who} runs no program");
        problems.add(self.at, what, "remove it");
    }
}

/// What is granted, which is nothing unless it is written.
pub(super) fn granted(written: Option<Written>) -> Grants {
    written.map_or_else(Grants::default, |written| written.grants)
}

impl Grants {
    fn read(node: &Node, problems: &mut Problems) -> Self {
        let mut grants = Self::default();
        match &node.value {
            Value::Unreadable => {}
            Value::Map(map) => {
                let mapping = Mapping { what: "`allow`", fields: FIELDS, elsewhere: &[] };
                read_fields(&mut grants, map, node.at, &mapping, problems);
            }
            _ => {
                let what = format!("`allow` must be a mapping, this is {}", node.kind());
                problems.add(
                    node.at,
                    what,
                    "write for example `network = true` below it in TOML, `network: true` in YAML",
                );
            }
        }
        grants
    }
}

pub(super) fn schema(generator: &mut SchemaGenerator) -> Schema {
    fields_schema("what a command or plug-in may do besides working in its clone", FIELDS, generator)
}

fn paths(node: &Node, problems: &mut Problems) -> Vec<String> {
    let mut found = texts(node, "a path", "`/opt/tools`", problems);
    found.retain(|path| {
        let sound = (path.starts_with('/') || path.starts_with("~/")) && !path.split('/').any(|part| part == "..");
        if !sound {
            let fix = "begin with `/`, or with `~/` for the home folder, and write no `..`";
            problems.add(node.at, format!("{} is not an absolute path", quoted(path)), fix);
        }
        sound
    });
    found
}

fn variables(node: &Node, problems: &mut Problems) -> Vec<String> {
    let mut found = texts(node, "a variable's name", "`JAVA_HOME`", problems);
    found.retain(|name| {
        let sound = !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !sound {
            // Whoever wrote `NAME=value` may have written a secret.
            let name = name.split('=').next().unwrap_or_default();
            let what = format!("{} is not the name of a variable", quoted(name));
            problems.add(node.at, what, "write its name alone; its value is taken from the environment");
        }
        sound
    });
    found
}
