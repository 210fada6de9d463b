//! `bump`: a package to a version, at every place where a manager finds it.

use super::keys::{self, some_text};
use super::{Driver, Kind, Outcome, Prepared};
use crate::document::{
    Field, Problems, Spot, fields_schema, one_or_many, one_or_many_schema, quoted, text, truth, truth_schema,
};
use crate::domain::{Dependency, Ecosystem, FileChange, FileEdit, PackageId, RepoPath, Snapshot};
use crate::managers::{
    Edit, EditError, Manifests, by_name, ecosystem_schema, lock_files, read_ecosystem, read_package,
};
use crate::versioning::scheme;
use schemars::json_schema;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// The driver as the table has it.
pub(super) const KIND: Kind = Kind {
    name: "bump",
    about: "Moves a package to a version at every place where its managers find it, in the style of each. What is there already, or newer, stays; lock files are left to the tools that write them.",
    read: |node, problems| keys::read(node, FIELDS, problems, prepared),
    schema: |generator| fields_schema(KIND.about, FIELDS, generator),
};

#[derive(Default)]
struct Keys {
    ecosystem: Option<Ecosystem>,
    package: Option<(String, Spot)>,
    to: Option<(String, Spot)>,
    downwards: Option<bool>,
    digest: Option<String>,
    hashes: Vec<String>,
}

const FIELDS: &[Field<Keys>] = &[
    Field {
        name: "ecosystem",
        about: "whose package it is",
        required: true,
        schema: ecosystem_schema,
        read: |keys, node, problems| keys.ecosystem = read_ecosystem(node, problems),
    },
    Field {
        name: "package",
        about: "its name as manifests write it: `django`, `python` for the image, `actions/checkout`",
        required: true,
        schema: some_text,
        read: |keys, node, problems| {
            keys.package = text(node, "`package`", "`django`", problems).map(|name| (name.to_owned(), node.at));
        },
    },
    Field {
        name: "to",
        about: "the version to move to, in quotes",
        required: true,
        schema: some_text,
        read: |keys, node, problems| {
            keys.to = text(node, "`to`", "`\"5.2.1\"`", problems).map(|to| (to.trim().to_owned(), node.at));
        },
    },
    Field {
        name: "downgrade",
        about: "whether it is also moved down from newer versions (default false)",
        required: false,
        schema: truth_schema,
        read: |keys, node, problems| keys.downwards = truth(node, "`downgrade`", problems),
    },
    Field {
        name: "digest",
        about: "the digest or commit of the version, for files that pin one",
        required: false,
        schema: some_text,
        read: |keys, node, problems| {
            keys.digest = text(node, "`digest`", "`\"sha256:…\"`", problems).map(str::to_owned)
        },
    },
    Field {
        name: "hashes",
        about: "the hashes of the version's files, `sha256:…`, for requirements that pin them",
        required: false,
        schema: |_| one_or_many_schema(json_schema!({ "type": "string", "pattern": r"\S" })),
        read: |keys, node, problems| {
            let hashes = one_or_many(node).iter().filter_map(|one| text(one, "a hash", "`\"sha256:…\"`", problems));
            keys.hashes = hashes.map(str::to_owned).collect();
        },
    },
];

fn prepared(keys: Keys, problems: &mut Problems) -> Option<Prepared> {
    let (ecosystem, (name, at), (to, to_at)) = (keys.ecosystem?, keys.package?, keys.to?);
    let package = read_package(ecosystem, (at, &name), problems)?;
    // What is no version is newer and older than none: the driver would apply nowhere, and say so of each repository.
    if scheme(ecosystem).compare(&to, &to).is_none() {
        let what = format!("{} is not a version of {ecosystem}", quoted(&to));
        problems.add(to_at, what, "write the one version to move to, such as `\"5.2.1\"`");
        return None;
    }
    let downwards = keys.downwards.unwrap_or(false);
    let bump = Bump { package, to, downwards, digest: keys.digest, hashes: keys.hashes };
    Some(Prepared::Texts(Box::new(bump)))
}

#[derive(Debug)]
struct Bump {
    package: PackageId,
    to: String,
    downwards: bool,
    digest: Option<String>,
    hashes: Vec<String>,
}

/// What is to be done about one place.
enum Act {
    /// It moves.
    Move,
    /// It is where it should be, which the text says.
    There(String),
    /// It is left alone, and why.
    Left(String),
    /// It should move and cannot, and why.
    Cannot(String),
}

impl Driver for Bump {
    fn wants(&self, files: &Snapshot) -> Vec<RepoPath> {
        Manifests::of(files).unread.into_iter().collect()
    }

    fn patch(&self, files: &Snapshot) -> Outcome {
        let manifests = Manifests::of(files);
        let uses: Vec<&Dependency> = manifests.dependencies().filter(|found| found.package == self.package).collect();
        if uses.is_empty() {
            return self.nowhere(&manifests.problems);
        }
        let mut edits: BTreeMap<(&RepoPath, &str), Vec<Edit>> = BTreeMap::new();
        let (mut there, mut left, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
        for found in uses {
            let at = format!("{}:{}", found.path, found.line);
            match self.act(found) {
                Act::Move => {
                    let edits = edits.entry((&found.path, &found.manager)).or_default();
                    let edit = self.edit(found);
                    if !edits.contains(&edit) {
                        edits.push(edit);
                    }
                }
                Act::There(what) => there.push(format!("{at} {what}")),
                Act::Left(why) => left.push(format!("{at} is left alone: {why}")),
                Act::Cannot(why) => wrong.push(format!("{at}: {why}")),
            }
        }
        let mut texts: BTreeMap<&RepoPath, String> = BTreeMap::new();
        for ((path, manager), edits) in &edits {
            // Two managers may read one file: the second edits what the first one made.
            let before = texts.get(path).map_or_else(|| files.text(path), |text| Some(text.as_str()));
            match by_name(manager).zip(before).map(|(manager, before)| manager.edit(path, before, edits)) {
                Some(Ok(text)) => drop(texts.insert(path, text)),
                Some(Err(error)) => wrong.push(format!("{path}: {error}{}", what_to_do(&error))),
                None => wrong.push(format!("{path} was not read")),
            }
        }
        if !wrong.is_empty() {
            return Outcome::Error { why: wrong.join("; ") };
        }
        left.extend(manifests.problems.iter().cloned());
        let notes = |notes: &[&[String]]| notes.concat().join("; ");
        let changed: Vec<FileEdit> = texts
            .into_iter()
            .filter(|(path, text)| files.text(path) != Some(text))
            .filter_map(|(path, text)| {
                Some(FileEdit::Write(FileChange { path: path.clone(), mode: files.mode(path)?, text }))
            })
            .collect();
        match (changed.is_empty(), there.is_empty()) {
            (false, _) => {
                left.extend(stale(files, &changed));
                Outcome::Patched { edits: changed, note: (!left.is_empty()).then(|| notes(&[&left])) }
            }
            (true, false) => Outcome::AlreadyPatched { note: notes(&[&there, &left]) },
            (true, true) => Outcome::DoesNotApply { why: notes(&[&left]) },
        }
    }
}

impl Bump {
    /// A file that could not be read may be the one that uses it.
    fn nowhere(&self, problems: &[String]) -> Outcome {
        let nowhere = format!("{} is used in no manifest", self.package);
        match problems {
            [] => Outcome::DoesNotApply { why: nowhere },
            problems => Outcome::Error { why: format!("{nowhere} that could be read: {}", problems.join("; ")) },
        }
    }

    fn act(&self, found: &Dependency) -> Act {
        let scheme = scheme(self.package.ecosystem);
        let (Some(current), None) = (&found.current, &found.skip) else {
            let why = found.skip.as_ref().map_or_else(|| "it names no version".into(), ToString::to_string);
            return Act::Left(why);
        };
        let order = scheme.compare(current, &self.to);
        let repinned = self.digest.is_some() && found.digest.is_some() && self.digest != found.digest;
        match order {
            None => Act::Left(format!("{} is not of one line with {}", quoted(current), quoted(&self.to))),
            Some(Ordering::Equal) if repinned => Act::Move,
            Some(Ordering::Equal) => Act::There(format!("has {current}")),
            Some(Ordering::Greater) if !self.downwards => Act::There(format!("has {current}, which is newer")),
            // What a pin's comment becomes, only the manager knows.
            Some(_) if found.digest.is_some() => Act::Move,
            Some(_) if scheme.rewrite(&found.constraint, &self.to).is_some() => Act::Move,
            Some(_) if scheme.matches(&found.constraint, &self.to) == Ok(true) => {
                Act::There(format!("allows {} by {}", self.to, quoted(&found.constraint)))
            }
            Some(_) => Act::Cannot(format!("{} cannot be moved to {}", quoted(&found.constraint), quoted(&self.to))),
        }
    }

    fn edit(&self, found: &Dependency) -> Edit {
        let current = found.current.clone().unwrap_or_default();
        let same = scheme(self.package.ecosystem).compare(&current, &self.to) == Some(Ordering::Equal);
        Edit {
            package: self.package.clone(),
            constraint: found.constraint.clone(),
            // Where the pin alone is another, the version stays as it is written, with `v` or without.
            to: if same { current.clone() } else { self.to.clone() },
            from: current,
            python: found.python.clone(),
            digest_from: found.digest.clone(),
            digest_to: self.digest.clone().filter(|_| found.digest.is_some()),
            hashes_to: if found.hashed { self.hashes.clone() } else { Vec::new() },
        }
    }
}

/// The key that helps where a manager refuses.
fn what_to_do(error: &EditError) -> &'static str {
    match error {
        EditError::NeedsDigest(_) => "; write it under `digest`",
        EditError::NeedsHashes(_) => "; write them under `hashes`",
        _ => "",
    }
}

/// The lock files that hold what was there before, and what writes them anew.
fn stale(files: &Snapshot, changed: &[FileEdit]) -> BTreeSet<String> {
    let paths: BTreeSet<RepoPath> = files.files().map(|(path, _)| path.clone()).collect();
    let locks = changed.iter().flat_map(|edit| lock_files(edit.path(), &paths));
    locks.map(|lock| format!("{} is left as it is; run `{}`", lock.path, lock.command)).collect()
}
