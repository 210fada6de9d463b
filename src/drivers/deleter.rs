//! `deleter`: files that go.

use super::keys;
use super::target::{obstacle, read_path};
use super::{Driver, Kind, Outcome, Prepared};
use crate::document::{Field, Node, Problems, fields_schema, one_or_many, one_or_many_schema, quoted};
use crate::domain::{FileEdit, RepoPath, Snapshot};
use schemars::json_schema;
use std::collections::BTreeSet;

/// The driver as the table has it.
pub(super) const KIND: Kind = Kind {
    name: "deleter",
    about: "Deletes files. Those that are not there are passed by, as is a repository that has none of them.",
    read: |node, problems| keys::read(node, FIELDS, problems, prepared),
    schema: |generator| fields_schema(KIND.about, FIELDS, generator),
};

#[derive(Default)]
struct Keys {
    targets: BTreeSet<RepoPath>,
}

const FIELDS: &[Field<Keys>] = &[Field {
    name: "deletion_target",
    about: "the file or the files, from the top of the repository",
    required: true,
    schema: |_| one_or_many_schema(json_schema!({ "type": "string", "pattern": r"\S" })),
    read: |keys, node, problems| {
        let items = one_or_many(node);
        if items.is_empty() {
            problems.add(node.at, "`deletion_target` is empty", "name at least one file");
        }
        keys.targets = items.iter().filter_map(|item| read_target(item, problems)).collect();
    },
}];

/// A file's name. Nobody has a file with a star in its name; a bracket is common, as in `[id].tsx`.
fn read_target(node: &Node, problems: &mut Problems) -> Option<RepoPath> {
    let path = read_path(node, "a file to delete", problems)?;
    if path.as_str().contains(['*', '?']) {
        let what = format!("`deletion_target` names files, not patterns: {}", quoted(path.as_str()));
        problems.add(node.at, what, "name the files one by one, or have `shell` delete them");
        return None;
    }
    Some(path)
}

fn prepared(keys: Keys, _: &mut Problems) -> Option<Prepared> {
    // A name that only a repository's data can tell is none yet.
    if keys.targets.is_empty() { None } else { Some(Prepared::Texts(Box::new(Deleter { targets: keys.targets }))) }
}

#[derive(Debug)]
struct Deleter {
    targets: BTreeSet<RepoPath>,
}

impl Driver for Deleter {
    fn wants(&self, _: &Snapshot) -> Vec<RepoPath> {
        Vec::new()
    }

    fn patch(&self, files: &Snapshot) -> Outcome {
        let (mut edits, mut absent) = (Vec::new(), Vec::new());
        for path in &self.targets {
            if files.mode(path).is_some() {
                edits.push(FileEdit::Delete(path.clone()));
            } else if files.is_folder(path) {
                absent.push(format!("{path} is a folder"));
            } else if let Some(why) =
                obstacle(files, path).filter(|_| files.kind(path).is_some() || behind_link(files, path))
            {
                return Outcome::Error { why };
            } else {
                absent.push(format!("there is no file {path}"));
            }
        }
        if edits.is_empty() {
            return Outcome::DoesNotApply { why: absent.join("; ") };
        }
        Outcome::Patched { edits, note: (!absent.is_empty()).then(|| absent.join("; ")) }
    }
}

/// Whether there may be a file that cannot be seen: one behind a link or in another repository. Below a file there is none.
fn behind_link(files: &Snapshot, path: &RepoPath) -> bool {
    let mut ends = path.as_str().match_indices('/').map(|(at, _)| at);
    let folder =
        ends.find_map(|end| RepoPath::parse(&path.as_str()[..end]).ok().filter(|folder| files.kind(folder).is_some()));
    folder.is_some_and(|folder| files.mode(&folder).is_none())
}
