//! Values that several sections have: texts, numbers, lists, mappings, names of branches and plug-ins.

use super::template::Template;
use crate::document::{Node, Problems, Spot, Value, did_you_mean, one_of, one_or_many, quoted, text, whole_number};
use crate::domain::{SourcedRepository, branch_complaint, plug_in_complaint};
use schemars::{Schema, SchemaGenerator, json_schema};
use std::collections::HashSet;

/// A text without white space around it.
pub(super) fn plain(node: &Node, what: &str, example: &str, problems: &mut Problems) -> Option<String> {
    text(node, what, example, problems).map(|text| text.trim().to_owned())
}

/// A whole number from 1 on.
pub(super) fn count(node: &Node, what: &str, problems: &mut Problems) -> Option<i64> {
    let number = match &node.value {
        // People put ids in quotes.
        Value::Number(number) | Value::Text(number) => whole_number(number.trim()).filter(|number| *number > 0),
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
    let mut seen = HashSet::new();
    let mut found = all_texts(node, what, example, problems);
    found.retain(|one| seen.insert(one.clone()));
    found
}

/// Texts, one or a list of them, as often as they are written.
pub(super) fn all_texts(node: &Node, what: &str, example: &str, problems: &mut Problems) -> Vec<String> {
    one_or_many(node).iter().filter_map(|item| plain(item, what, example, problems)).collect()
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

/// The name of a branch, which may say something else for each repository; else it is judged at once.
pub(super) fn branch_template(node: &Node, problems: &mut Problems) -> Option<Template> {
    let name = plain(node, "the name of a branch", "`fix-team-name`", problems)?;
    let before = problems.count();
    let template = Template::read(&name, node.at, problems);
    if problems.count() > before {
        return None;
    }
    if let (false, Some(why)) = (template.varies(), branch_complaint(&name)) {
        problems.add(
            node.at,
            format!("{} is no name for a branch: {why}", quoted(&name)),
            "write for example `fix-team-name`",
        );
        return None;
    }
    Some(template)
}

/// The name of a branch for a repository, if it is one.
pub(super) fn filled_branch(
    template: &Template,
    repository: &SourcedRepository,
    problems: &mut Problems,
) -> Option<String> {
    let name = template.fill(repository, problems)?;
    let Some(why) = branch_complaint(&name) else { return Some(name) };
    let what = format!("{} is no name for a branch, for {}: {why}", quoted(&name), quoted(&repository.id));
    problems.add(template.at(), what, "use a value that git takes in names of branches");
    None
}

/// The node if it is a mapping, or a problem.
pub(super) fn mapping_of(name: &str, node: &Node, problems: &mut Problems) -> Option<Node> {
    match &node.value {
        Value::Map(_) => Some(node.clone()),
        Value::Unreadable => None,
        _ => {
            problems.add(
                node.at,
                format!("`{name}` must be a mapping, this is {}", node.kind()),
                "write keys and values below it",
            );
            None
        }
    }
}

/// Reports a name that neither the table nor a plug-in has. `kind` is also the word in the name of a plug-in's executable.
pub(super) fn unknown<'a, Names: Iterator<Item = &'a str>>(
    (kind, at, name): (&str, Spot, &str),
    known: impl Fn() -> Names,
    problems: &mut Problems,
) {
    let what = format!("there is no {kind} {}{}", quoted(name), did_you_mean(name, known()));
    // Such a word cannot be the name of an executable that was forgotten.
    let plugin = if plug_in_complaint(name).is_none() {
        format!(", or put its executable `mass-driver-{kind}-{name}` on the PATH")
    } else {
        String::new()
    };
    problems.add(at, what, format!("use {}{plugin}", one_of(known())));
}

pub(super) fn text_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1 })
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
