//! `counter`: a file that holds a number, and the number it is to hold.

use super::keys::{self, some_text};
use super::target::{Target, read_path};
use super::{Driver, Kind, Outcome, Prepared};
use crate::document::{Field, Problems, Value, fields_schema, quoted, whole_number};
use crate::domain::{FileChange, FileEdit, RepoPath, Snapshot};
use schemars::json_schema;

/// The driver as the table has it.
pub(super) const KIND: Kind = Kind {
    name: "counter",
    about: "Sets the number in a file, which holds nothing else. A repository without the file is passed by.",
    read: |node, problems| keys::read(node, FIELDS, problems, prepared),
    schema: |generator| fields_schema(KIND.about, FIELDS, generator),
};

#[derive(Default)]
struct Keys {
    target_file: Option<RepoPath>,
    target_count: Option<i64>,
}

const FIELDS: &[Field<Keys>] = &[
    Field {
        name: "target_file",
        about: "the file with the number, from the top of the repository",
        required: true,
        schema: some_text,
        read: |keys, node, problems| keys.target_file = read_path(node, "`target_file`", problems),
    },
    Field {
        name: "target_count",
        about: "the number it is to hold, a whole one",
        required: true,
        schema: |_| json_schema!({ "type": "integer" }),
        read: |keys, node, problems| {
            let number = match &node.value {
                Value::Unreadable => return,
                Value::Number(number) | Value::Text(number) => whole_number(number),
                _ => None,
            };
            if number.is_none() {
                let what = format!("`target_count` must be a whole number, this is {}", node.kind());
                problems.add(node.at, what, "write for example `target_count: 3`");
            }
            keys.target_count = number;
        },
    },
];

fn prepared(keys: Keys, _: &mut Problems) -> Option<Prepared> {
    Some(Prepared::Texts(Box::new(Counter { file: keys.target_file?, count: keys.target_count? })))
}

#[derive(Debug)]
struct Counter {
    file: RepoPath,
    count: i64,
}

impl Driver for Counter {
    fn wants(&self, _: &Snapshot) -> Vec<RepoPath> {
        vec![self.file.clone()]
    }

    fn patch(&self, files: &Snapshot) -> Outcome {
        let (text, mode) = match Target::at(files, &self.file) {
            Target::Text(text, mode) => (text, mode),
            Target::Missing => return Outcome::DoesNotApply { why: format!("there is no file {}", self.file) },
            Target::Refused(why) => return Outcome::Error { why },
        };
        let written = text.strip_prefix('\u{feff}').unwrap_or(text).trim();
        let Some(number) = plain(written) else {
            let why = format!("{} holds {} instead of a whole number", self.file, quoted(written));
            return Outcome::Error { why };
        };
        if number == self.count.to_string() {
            return Outcome::AlreadyPatched { note: format!("{} holds {written}", self.file) };
        }
        // Before the number there is nothing but blanks and a byte order mark: the first place is its own.
        let text = text.replacen(written, &self.count.to_string(), 1);
        let change = FileChange { path: self.file.clone(), mode, text };
        Outcome::Patched { edits: vec![FileEdit::Write(change)], note: None }
    }
}

/// A whole number without zeros in front; however large it is, nothing is reckoned with it.
fn plain(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    Some(if digits.is_empty() { "0".into() } else { format!("{sign}{digits}") })
}
