//! `structured`: keys of TOML, YAML and JSON files set, deleted and renamed, and every other byte as it was.
//!
//! - `path` is the way to a key, `data` what a file says and what a change would make of it;
//! - `tree` is a file's values with the bytes at which they stand, which `json` and `yaml` read;
//! - `flow` changes what stands between brackets, `block` what YAML's indentation holds together, `toml` tables by their headers;
//! - `shared` refuses what anchors and aliases of YAML make of one place;
//! - `edit` makes one change and checks what came of it.

mod block;
mod data;
mod edit;
mod flow;
mod json;
mod path;
mod shared;
mod toml;
mod toml_value;
mod tree;
mod yaml;
mod yaml_value;

use super::keys;
use super::target::why_no_text;
use super::{Driver, Kind, Outcome, Prepared};
use crate::document::{
    Field, Node, PathGlobs, Problems, Value, did_you_mean, fields_schema, one_of, one_or_many, paths_schema, quoted,
    read_paths, text, truth, truth_schema,
};
use crate::domain::{FileChange, FileEdit, Reading, RepoPath, Snapshot, in_bytes};
use data::{Change, Data};
use edit::{Format, Made};
use path::KeyPath;
use schemars::{Schema, json_schema};
use std::collections::BTreeSet;

/// The driver as the table has it.
pub(super) const KIND: Kind = Kind {
    name: "structured",
    about: "Sets, deletes and renames keys in TOML, YAML and JSON files. Comments, order, quotes and every other byte stay as they are.",
    read: |node, problems| keys::read(node, FIELDS, problems, prepared),
    schema: |generator| fields_schema(KIND.about, FIELDS, generator),
};

/// The largest file that is edited: larger ones are not written by hand. Unit: bytes.
const LARGEST: usize = 2_000_000;

/// The most changes of one migration.
const MOST_CHANGES: usize = 200;

#[derive(Default)]
struct Keys {
    paths: Option<PathGlobs>,
    format: Option<Format>,
    renamed: Vec<Change>,
    deleted: Vec<Change>,
    set: Vec<Change>,
    create: Option<bool>,
    /// Whether a change is only known once a repository's data is.
    incomplete: bool,
}

const FIELDS: &[Field<Keys>] = &[
    Field {
        name: "paths",
        about: "the files: one or more globs, in which `*` stays within one part of a path and `**` spans parts",
        required: true,
        schema: paths_schema,
        read: |keys, node, problems| keys.paths = read_paths(node, problems),
    },
    Field {
        name: "format",
        about: "how they are written: `json`, `toml` or `yaml` (default by the end of each name)",
        required: false,
        schema: |_| json_schema!({ "type": "string", "enum": ["json", "toml", "yaml"] }),
        read: |keys, node, problems| keys.format = read_format(node, problems),
    },
    Field {
        name: "rename",
        about: "keys that get another name where they stand, each with its new last part; made before the others",
        required: false,
        schema: |_| changes_schema("to", json_schema!({ "type": "string", "minLength": 1 })),
        read: |keys, node, problems| {
            let pairs = read_pairs(node, "to", problems);
            keys.incomplete |= pairs.is_none();
            for (path, to) in pairs.unwrap_or_default() {
                match text(to, "a key's new name", "`max-line-length`", problems) {
                    Some(to) => keys.renamed.push(Change::Rename(path, to.to_owned())),
                    None => keys.incomplete = true,
                }
            }
        },
    },
    Field {
        name: "delete",
        about: "keys that go, as `tool.black` or as a list of parts; made after `rename`",
        required: false,
        schema: |_| json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": path_schema() }] }),
        read: |keys, node, problems| {
            for item in one_or_many(node) {
                match KeyPath::read(item, problems) {
                    Some(path) => keys.deleted.push(Change::Delete(path)),
                    None => keys.incomplete = true,
                }
            }
        },
    },
    Field {
        name: "set",
        about: "keys and their values; a key with dots in one of its parts has that part in quotes: `tool.\"a.b\"`, `jobs.0.name`",
        required: false,
        schema: |_| changes_schema("value", json_schema!(true)),
        read: |keys, node, problems| {
            let pairs = read_pairs(node, "value", problems);
            keys.incomplete |= pairs.is_none();
            for (path, value) in pairs.unwrap_or_default() {
                match Data::of(value) {
                    Some(value) => keys.set.push(Change::Set(path, value)),
                    None => keys.incomplete = true,
                }
            }
        },
    },
    Field {
        name: "create",
        about: "whether `set` makes keys that are not there, and what they lie in (default true)",
        required: false,
        schema: truth_schema,
        read: |keys, node, problems| keys.create = truth(node, "`create`", problems),
    },
];

fn path_schema() -> Schema {
    json_schema!({ "anyOf": [
        { "type": "string", "pattern": r"\S" },
        { "type": "array", "items": { "type": ["string", "integer"] }, "minItems": 1 },
    ] })
}

/// A mapping of paths to values, or a list of `{ key, … }`.
fn changes_schema(value: &str, schema: Schema) -> Schema {
    json_schema!({ "anyOf": [
        { "type": "object", "additionalProperties": schema },
        { "type": "array", "items": {
            "type": "object", "properties": { "key": path_schema(), value: schema }, "required": ["key", value], "additionalProperties": false,
        } },
    ] })
}

fn read_format(node: &Node, problems: &mut Problems) -> Option<Format> {
    let word = text(node, "`format`", "`yaml`", problems)?;
    let found = Format::ALL.into_iter().find(|(name, _)| *name == word);
    if found.is_none() {
        let names = || Format::ALL.into_iter().map(|(name, _)| name);
        let what = format!("there is no format {}{}", quoted(word), did_you_mean(word, names()));
        problems.add(node.at, what, format!("use {}", one_of(names())));
    }
    found.map(|(_, format)| format)
}

/// The paths of a mapping with what stands under each, or those of a list of `{ key, … }`. `None` where one is not known yet.
fn read_pairs<'n>(node: &'n Node, name: &str, problems: &mut Problems) -> Option<Vec<(KeyPath, &'n Node)>> {
    let (mut pairs, mut whole) = (Vec::new(), true);
    match &node.value {
        Value::Map(map) => {
            for (key, value) in &map.entries {
                let written = Node { at: key.at, value: Value::Text(key.name.clone()) };
                match KeyPath::read(&written, problems) {
                    Some(path) => pairs.push((path, value)),
                    None => whole = false,
                }
            }
        }
        Value::List(items) => {
            for item in items {
                let pair = read_pair(item, name, problems);
                whole &= pair.is_some();
                pairs.extend(pair);
            }
        }
        Value::Unreadable => return None,
        _ => {
            let what = format!("keys are a mapping here, this is {}", node.kind());
            problems.add(node.at, what, format!("write `KEY: …` lines, or a list of `{{ key: KEY, {name}: … }}`"));
        }
    }
    whole.then_some(pairs)
}

fn read_pair<'n>(node: &'n Node, name: &str, problems: &mut Problems) -> Option<(KeyPath, &'n Node)> {
    let entries = match &node.value {
        Value::Map(map) => map.entries.as_slice(),
        Value::Unreadable => return None,
        _ => &[],
    };
    let of = |wanted: &str| entries.iter().find(|(key, _)| key.name == wanted).map(|(_, value)| value);
    match (of("key"), of(name), entries.len()) {
        (Some(key), Some(value), 2) => Some((KeyPath::read(key, problems)?, value)),
        _ => {
            let what = format!("a change has the keys `key` and `{name}`, and no others");
            problems.add(node.at, what, format!("write `{{ key: tool.ruff, {name}: … }}`"));
            None
        }
    }
}

fn prepared(keys: Keys, problems: &mut Problems) -> Option<Prepared> {
    let paths = keys.paths?;
    let mut deleted = keys.deleted;
    deleted.sort_by(|a, b| path::last_place_first(a.path(), b.path()));
    deleted.dedup_by(|a, b| a.path() == b.path());
    let changes = [keys.renamed, deleted, keys.set].concat();
    if keys.incomplete {
        return None;
    }
    let at = crate::document::Spot::START;
    if changes.is_empty() {
        problems.add(at, "`structured` changes nothing", "write `set`, `delete` or `rename`");
        return None;
    }
    if changes.len() > MOST_CHANGES {
        problems.add(at, format!("there are more than {MOST_CHANGES} changes"), "make several migrations of them");
        return None;
    }
    let create = keys.create.unwrap_or(true);
    Some(Prepared::Texts(Box::new(Structured { paths, format: keys.format, changes, create })))
}

#[derive(Debug)]
struct Structured {
    paths: PathGlobs,
    format: Option<Format>,
    changes: Vec<Change>,
    create: bool,
}

/// What became of a file.
enum Edited {
    Text(String),
    /// It says so already.
    There,
    /// None of the keys is there.
    NotThere,
}

impl Driver for Structured {
    fn wants(&self, files: &Snapshot) -> Vec<RepoPath> {
        files.files().map(|(path, _)| path).filter(|path| self.paths.matches(path)).cloned().collect()
    }

    fn patch(&self, files: &Snapshot) -> Outcome {
        let in_full: BTreeSet<RepoPath> = self.paths.in_full().collect();
        for path in &in_full {
            if let Some(why) = super::target::obstacle(files, path).filter(|_| files.kind(path).is_some()) {
                return Outcome::Error { why };
            }
        }
        let (mut edits, mut there, mut not_there) = (Vec::new(), 0_usize, 0_usize);
        for (path, mode) in files.files().filter(|(path, _)| self.paths.matches(path)) {
            let text = match files.reading(path) {
                Some(Reading::Text(text)) => text,
                Some(unreadable) => return Outcome::Error { why: why_no_text(path, unreadable) },
                None => return Outcome::Error { why: format!("{path} was not read; run it again") },
            };
            match self.edited(path, text) {
                Ok(Edited::Text(text)) => {
                    edits.push(FileEdit::Write(FileChange { path: path.clone(), mode, text }));
                }
                Ok(Edited::There) => there += 1,
                Ok(Edited::NotThere) => not_there += 1,
                Err(why) => return Outcome::Error { why: format!("{path}: {why}") },
            }
        }
        let files = |count: usize| if count == 1 { "the one file".to_owned() } else { format!("the {count} files") };
        if !edits.is_empty() {
            Outcome::Patched { edits, note: None }
        } else if there > 0 {
            Outcome::AlreadyPatched { note: format!("the keys are as asked for in {}", files(there)) }
        } else if not_there > 0 {
            Outcome::DoesNotApply { why: format!("the keys are not there in {}", files(not_there)) }
        } else {
            let globs: Vec<String> = self.paths.as_slice().iter().map(|glob| quoted(glob)).collect();
            Outcome::DoesNotApply { why: format!("no file is called {}", globs.join(" or ")) }
        }
    }
}

impl Structured {
    fn edited(&self, path: &RepoPath, text: &str) -> Result<Edited, String> {
        let format = self.format.or_else(|| Format::of_name(path.file_name()));
        let format = format.ok_or("its name does not tell how it is written; say `format: json`, `toml` or `yaml`")?;
        if text.len() > LARGEST {
            return Err(format!("it is larger than {}", in_bytes(LARGEST)));
        }
        let mut data = format.data(text).map_err(|why| format!("it cannot be read: {why}"))?;
        let (mut new, mut there) = (text.to_owned(), false);
        for change in &self.changes {
            let made = format.change(&new, &data, change, self.create);
            match made.map_err(|why| format!("`{}` cannot be changed: {why}", change.path()))? {
                Made::Text(text, says) => (new, data) = (text, says),
                Made::There => there = true,
                Made::NotThere => {}
            }
        }
        Ok(if new != text {
            Edited::Text(new)
        } else if there {
            Edited::There
        } else {
            Edited::NotThere
        })
    }
}
