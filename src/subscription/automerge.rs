//! Which updates are merged without a person, and how.

use crate::document::{Node, Problems, Value, did_you_mean, quoted, text};
use crate::domain::{MergeMethod, VersionStep};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// The steps whose pull requests are merged when their checks are green; none, unless the file says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Automerge {
    steps: BTreeSet<VersionStep>,
}

const STEPS: [(&str, VersionStep); 3] =
    [("patch", VersionStep::Patch), ("minor", VersionStep::Minor), ("major", VersionStep::Major)];

impl Automerge {
    /// Whether nothing is merged.
    pub fn is_off(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether an update of this step is merged.
    pub fn allows(&self, step: VersionStep) -> bool {
        self.steps.contains(&step)
    }

    /// A word stands for itself and every smaller step, a list for just those in it.
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        if let Value::List(items) = &node.value {
            return Self::read_list(node, items, problems);
        }
        let largest = match &node.value {
            Value::Bool(false) => {
                problems.add(node.at, "`automerge` is no switch", "write `none`, or remove the key");
                return None;
            }
            Value::Bool(true) => {
                problems.add(
                    node.at,
                    "`automerge` is no switch: it says which steps are merged",
                    "write `patch`, `minor` or `major`: that step and those below it",
                );
                return None;
            }
            _ => match text(node, "automerge", "`patch`", problems)? {
                "none" => return Some(Self::default()),
                word => step(word, node, problems)?,
            },
        };
        Some(Self { steps: STEPS.into_iter().map(|(_, step)| step).filter(|step| *step <= largest).collect() })
    }

    fn read_list(node: &Node, items: &[Node], problems: &mut Problems) -> Option<Self> {
        if items.is_empty() {
            problems.add(node.at, "`automerge` is empty", "write `none`, or remove the key");
            return None;
        }
        let mut steps = BTreeSet::new();
        for item in items {
            let Some(word) = text(item, "a step", "`patch`", problems) else { continue };
            if word == "none" {
                problems.add(item.at, "`none` stands in a list of steps", "write `automerge: none`, or remove it");
                continue;
            }
            let Some(step) = step(word, item, problems) else { continue };
            if !steps.insert(step) {
                problems.add(item.at, format!("the step {} is here twice", quoted(word)), "keep one of them");
            }
        }
        Some(Self { steps })
    }
}

fn step(word: &str, node: &Node, problems: &mut Problems) -> Option<VersionStep> {
    let found = STEPS.into_iter().find(|(known, _)| *known == word).map(|(_, step)| step);
    if found.is_none() {
        let hint = did_you_mean(word, STEPS.into_iter().map(|(known, _)| known).chain(["none"]));
        let what = format!("{} is no step of versions{hint}", quoted(word));
        problems.add(node.at, what, "use `none`, `patch`, `minor` or `major`");
    }
    found
}

impl fmt::Display for Automerge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_off() {
            return f.write_str("none");
        }
        let words: Vec<String> = self.steps.iter().map(VersionStep::to_string).collect();
        f.write_str(&words.join(", "))
    }
}

impl JsonSchema for Automerge {
    fn schema_name() -> Cow<'static, str> {
        "Automerge".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let steps = STEPS.map(|(word, _)| word);
        json_schema!({ "anyOf": [
            { "enum": ["none", "patch", "minor", "major"] },
            { "type": "array", "items": { "enum": steps }, "minItems": 1, "uniqueItems": true },
        ] })
    }
}

pub(super) fn read_merge_method(node: &Node, problems: &mut Problems) -> Option<MergeMethod> {
    let word = text(node, "a way of merging", "`squash`", problems)?;
    let found = MergeMethod::from_word(word);
    if found.is_none() {
        let hint = did_you_mean(word, MergeMethod::ALL.map(MergeMethod::as_str));
        let what = format!("{} is no way of merging{hint}", quoted(word));
        problems.add(node.at, what, "use `merge`, `squash` or `rebase`");
    }
    found
}

pub(super) fn merge_method_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": MergeMethod::ALL.map(MergeMethod::as_str) })
}
