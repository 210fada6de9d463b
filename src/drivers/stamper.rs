//! `stamper`: a new file.

use super::keys::{self, any_text, read_text, some_text};
use super::target::{obstacle, read_path};
use super::{Driver, Kind, Outcome, Prepared};
use crate::document::{Field, Node, Problems, Value, fields_schema};
use crate::domain::{FileChange, FileEdit, FileMode, RepoPath, Snapshot};
use schemars::json_schema;

/// The driver as the table has it.
pub(super) const KIND: Kind = Kind {
    name: "stamper",
    about: "Creates a file, and the folders it lies in. A file that is there already stays as it is.",
    read: |node, problems| keys::read(node, FIELDS, problems, prepared),
    schema: |generator| fields_schema(KIND.about, FIELDS, generator),
};

/// What a new file may do, where nobody says.
const USUAL: u32 = 0o664;

#[derive(Default)]
struct Keys {
    path: Option<RepoPath>,
    contents: Option<String>,
    ownership: Option<u32>,
}

const FIELDS: &[Field<Keys>] = &[
    Field {
        name: "filepath_to_create",
        about: "the file, from the top of the repository",
        required: true,
        schema: some_text,
        read: |keys, node, problems| keys.path = read_path(node, "`filepath_to_create`", problems),
    },
    Field {
        name: "file_contents",
        about: "its text; a line end is put at its end where there is none",
        required: true,
        schema: any_text,
        read: |keys, node, problems| keys.contents = read_text(node, "`file_contents`", problems),
    },
    Field {
        name: "file_ownership",
        about: "who may do what with it, in octal digits (default `0664`); git keeps only whether its owner may execute it",
        required: false,
        schema: |_| json_schema!({ "type": ["string", "integer"], "pattern": "^(0o)?[0-7]{1,5}$" }),
        read: |keys, node, problems| keys.ownership = read_ownership(node, problems),
    },
];

fn read_ownership(node: &Node, problems: &mut Problems) -> Option<u32> {
    let digits = match &node.value {
        Value::Unreadable => return None,
        Value::Number(digits) | Value::Text(digits) => digits.strip_prefix("0o").unwrap_or(digits),
        _ => "",
    };
    let octal = (1..=5).contains(&digits.len()) && digits.bytes().all(|b| matches!(b, b'0'..=b'7'));
    let ownership = octal.then(|| u32::from_str_radix(digits, 8).ok()).flatten().filter(|bits| *bits <= 0o7777);
    if ownership.is_none() {
        let what = format!("`file_ownership` must be octal digits, this is {}", node.kind());
        problems.add(node.at, what, "write `\"0664\"`, or `\"0755\"` for a file that is executed");
    }
    ownership
}

fn prepared(keys: Keys, _: &mut Problems) -> Option<Prepared> {
    let mut text = keys.contents?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Some(Prepared::Texts(Box::new(Stamper { path: keys.path?, text, ownership: keys.ownership.unwrap_or(USUAL) })))
}

#[derive(Debug)]
struct Stamper {
    path: RepoPath,
    text: String,
    ownership: u32,
}

impl Stamper {
    fn mode(&self) -> FileMode {
        if self.ownership & 0o100 == 0 { FileMode::Regular } else { FileMode::Executable }
    }

    /// Git keeps one bit of it; whoever asks for more is told.
    fn note(&self) -> Option<String> {
        let kept = matches!(self.ownership, 0o644 | 0o664 | 0o755 | 0o775);
        let what = match self.mode() {
            FileMode::Regular => "not executable",
            FileMode::Executable => "executable",
        };
        (!kept).then(|| {
            format!(
                "git keeps only whether a file is executable: {} is {what}, the rest of {:04o} is lost",
                self.path, self.ownership
            )
        })
    }
}

impl Driver for Stamper {
    fn wants(&self, _: &Snapshot) -> Vec<RepoPath> {
        Vec::new()
    }

    fn patch(&self, files: &Snapshot) -> Outcome {
        if let Some(why) = obstacle(files, &self.path) {
            return Outcome::Error { why };
        }
        if files.mode(&self.path).is_some() {
            return Outcome::AlreadyPatched { note: format!("{} is there already", self.path) };
        }
        let change = FileChange { path: self.path.clone(), mode: self.mode(), text: self.text.clone() };
        Outcome::Patched { edits: vec![FileEdit::Write(change)], note: self.note() }
    }
}
