//! `replace`: one text for another, in all files of some names.

mod lines;
mod pattern;

use super::keys::{self, any_text, read_text};
use super::target::why_no_text;
use super::{Driver, Kind, Outcome, Prepared};
use crate::document::{
    Field, PathGlobs, Problems, Spot, Value, fields_schema, paths_schema, quoted, read_paths, truth, truth_schema,
    whole_number,
};
use crate::domain::{FileChange, FileEdit, Reading, RepoPath, Snapshot, in_bytes};
use pattern::Pattern;
use schemars::json_schema;
use std::collections::BTreeSet;

/// The driver as the table has it.
pub(super) const KIND: Kind = Kind {
    name: "replace",
    about: "Replaces a text, or what a regular expression finds, in all files of some names. Files that are no texts are passed by, unless they are named in full.",
    read: |node, problems| keys::read(node, FIELDS, problems, prepared),
    schema: |generator| fields_schema(KIND.about, FIELDS, generator),
};

/// The largest text that a file may become. Unit: bytes.
const LARGEST: usize = 10_000_000;

/// The longest `from` and `to`. Unit: bytes.
const LONGEST: usize = 65_536;

#[derive(Default)]
struct Keys {
    paths: Option<PathGlobs>,
    from: Option<(String, Spot)>,
    to: Option<(String, Spot)>,
    regex: Option<bool>,
    expect: Option<usize>,
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
        name: "from",
        about: "the text that is replaced, or the regular expression that finds it",
        required: true,
        schema: any_text,
        read: |keys, node, problems| {
            keys.from = read_text(node, "`from`", problems).map(|from| (from, node.at));
            match &keys.from {
                Some((from, at)) if from.is_empty() => {
                    problems.add(*at, "`from` is empty", "write what is to be replaced")
                }
                Some((from, at)) if from.len() > LONGEST => {
                    problems.add(*at, "`from` is too long", "write a shorter text")
                }
                _ => {}
            }
        },
    },
    Field {
        name: "to",
        about: "what stands there afterwards; with `regex`, `$1` or `${name}` is what a group found, and `$$` a dollar sign",
        required: true,
        schema: any_text,
        read: |keys, node, problems| {
            keys.to = read_text(node, "`to`", problems).map(|to| (to, node.at));
            if let Some((_, at)) = keys.to.as_ref().filter(|(to, _)| to.len() > LONGEST) {
                problems.add(*at, "`to` is too long", "write a shorter text");
            }
        },
    },
    Field {
        name: "regex",
        about: "whether `from` is a regular expression (default false)",
        required: false,
        schema: truth_schema,
        read: |keys, node, problems| keys.regex = truth(node, "`regex`", problems),
    },
    Field {
        name: "expect",
        about: "in how many places of a repository it is to be found, where it is found at all; another number is an error and nothing is changed",
        required: false,
        schema: |_| json_schema!({ "type": "integer", "minimum": 1 }),
        read: |keys, node, problems| {
            let number = match &node.value {
                Value::Unreadable => return,
                Value::Number(number) => {
                    whole_number(number).and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0)
                }
                _ => None,
            };
            if number.is_none() {
                let what = format!("`expect` must be a whole number from 1, this is {}", node.kind());
                problems.add(node.at, what, "write for example `expect: 1`");
            }
            keys.expect = number;
        },
    },
];

fn prepared(keys: Keys, problems: &mut Problems) -> Option<Prepared> {
    let (paths, (from, from_at), (to, to_at)) = (keys.paths?, keys.from?, keys.to?);
    let pattern = if keys.regex.unwrap_or(false) {
        match Pattern::regex(&from, &to) {
            Ok(pattern) => pattern,
            Err(pattern::Bad::From(why)) => {
                let what = format!("`from` is not a regular expression: {why}");
                problems.add(from_at, what, "correct it, or leave `regex` out to find the text as it is");
                return None;
            }
            Err(pattern::Bad::To(why, fix)) => {
                problems.add(to_at, why, fix);
                return None;
            }
        }
    } else {
        Pattern::literal(from, to)
    };
    Some(Prepared::Texts(Box::new(Replace { paths, pattern, expect: keys.expect })))
}

#[derive(Debug)]
struct Replace {
    paths: PathGlobs,
    pattern: Pattern,
    expect: Option<usize>,
}

impl Driver for Replace {
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
        let (mut edits, mut passed_over) = (Vec::new(), Vec::new());
        let (mut looked_at, mut places, mut made_before) = (0_usize, 0_usize, false);
        for (path, mode) in files.files().filter(|(path, _)| self.paths.matches(path)) {
            let text = match files.reading(path) {
                Some(Reading::Text(text)) => text,
                Some(unreadable) if in_full.contains(path) => {
                    return Outcome::Error { why: why_no_text(path, unreadable) };
                }
                Some(_) => {
                    passed_over.push(path.as_str());
                    continue;
                }
                None => return Outcome::Error { why: format!("{path} was not read; run it again") },
            };
            looked_at += 1;
            match self.pattern.replace(text, LARGEST) {
                None => return Outcome::Error { why: format!("{path} would grow beyond {}", in_bytes(LARGEST)) },
                Some((count, new)) => {
                    places += count;
                    if new != *text {
                        edits.push(FileEdit::Write(FileChange { path: path.clone(), mode, text: new }));
                    } else {
                        made_before = made_before || count > 0 || self.pattern.is_made_in(text);
                    }
                }
            }
        }
        let note = passed_over_in_words(&passed_over);
        let and_note = note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
        let (counted, have) = match looked_at {
            1 => ("the one file".to_owned(), "has"),
            _ => (format!("the {looked_at} files"), "have"),
        };
        match self.expect {
            Some(expected) if !edits.is_empty() && places != expected => Outcome::Error {
                why: format!(
                    "{} is found in {places} {}, {expected} {} expected; nothing is changed",
                    quoted(self.pattern.from()),
                    if places == 1 { "place" } else { "places" },
                    if expected == 1 { "is" } else { "are" },
                ),
            },
            _ if !edits.is_empty() => Outcome::Patched { edits, note },
            _ if looked_at == 0 => {
                let globs: Vec<String> = self.paths.as_slice().iter().map(|glob| quoted(glob)).collect();
                let globs = globs.join(" or ");
                Outcome::DoesNotApply {
                    why: match note {
                        Some(note) => format!("all files called {globs} are {note}"),
                        None => format!("no file is called {globs}"),
                    },
                }
            }
            _ if made_before => {
                Outcome::AlreadyPatched { note: format!("{counted} {have} the new text already{and_note}") }
            }
            _ => {
                let from = quoted(self.pattern.from());
                Outcome::DoesNotApply { why: format!("{from} is nowhere in {counted}{and_note}") }
            }
        }
    }
}

/// Which files were no texts.
fn passed_over_in_words(paths: &[&str]) -> Option<String> {
    const SHOWN: usize = 3;
    let (first, rest) = (paths.iter().take(SHOWN).copied().collect::<Vec<_>>(), paths.len().saturating_sub(SHOWN));
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    (!first.is_empty())
        .then(|| format!("passed over, because they are no texts, too large or in Git LFS: {}{more}", first.join(", ")))
}
