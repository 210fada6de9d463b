//! Making edits: the same for every format, once a manager has found where things stand.

use super::hashes::{Hashes, is_sha256};
use super::requirement::Place;
use super::written::{Splice, Written};
use super::{Edit, EditError, Found};
use crate::domain::{Dependency, Ecosystem, PackageId, Skip};
use crate::versioning::{GitTag, scheme};
use std::collections::BTreeMap;

/// A dependency and where the file writes it.
#[derive(Clone, Debug)]
pub(super) struct Find {
    pub(super) dependency: Dependency,
    /// The constraint.
    pub(super) constraint: Written,
    /// The byte of the constraint at which the version stands, where only the piece of the file with it may change.
    pub(super) version_at: Option<usize>,
    /// The digest.
    pub(super) digest: Option<Written>,
    /// The hashes of the version's files.
    pub(super) hashes: Option<Hashes>,
}

impl Find {
    /// A use of a package by a constraint, or, where `skip` says why, one that is not updated. `at` is the byte of the file to
    /// name where there is no constraint.
    pub(super) fn by_constraint(
        place: &Place<'_>,
        (ecosystem, name): (Ecosystem, &str),
        constraint: Written,
        skip: Option<Skip>,
        at: usize,
    ) -> Self {
        let at = constraint.origin(0).map_or(at, |origin| origin.start);
        let dependency = Dependency {
            current: if skip.is_none() { scheme(ecosystem).current(constraint.text()) } else { None },
            constraint: constraint.text().into(),
            skip,
            ..place.dependency(ecosystem, name, at)
        };
        Self { dependency, constraint, version_at: None, digest: None, hashes: None }
    }

    /// Leaves it alone if what gives its version gives that of another of the packages in `users`: the new version of the
    /// one need not exist for the other.
    pub(super) fn leave_alone_if_shared<'u>(&mut self, users: impl IntoIterator<Item = &'u String>) {
        if let Some(other) = users.into_iter().find(|user| **user != self.dependency.package.name) {
            self.leave_alone(Skip::NotUnderstood(format!("its version is used for `{other}` too")));
        }
    }

    /// Takes in why it is not to be updated, unless its own text gives a reason already.
    pub(super) fn leave_alone(&mut self, why: Skip) {
        if matches!(self.dependency.skip, None | Some(Skip::Unpinned)) {
            self.dependency.skip = Some(why);
            self.dependency.current = None;
        }
    }

    /// A dependency that is listed and never edited: the dependency says why.
    pub(super) fn left_alone(dependency: Dependency) -> Self {
        Self { dependency, constraint: Written::default(), version_at: None, digest: None, hashes: None }
    }

    fn is_meant_by(&self, edit: &Edit) -> bool {
        let dependency = &self.dependency;
        dependency.skip.is_none()
            && dependency.package == edit.package
            && dependency.constraint == edit.constraint
            && dependency.current.as_deref() == Some(edit.from.as_str())
            && dependency.digest == edit.digest_from
            && dependency.python == edit.python
    }

    fn is_result_of(&self, edit: &Edit, constraint: &str) -> bool {
        let dependency = &self.dependency;
        dependency.package == edit.package
            && dependency.constraint == constraint
            && (dependency.digest.is_none() || dependency.digest == edit.digest_to)
            && dependency.python == edit.python
    }

    /// Whether two readings agree; hashes that come or go move what stands below them to another line.
    fn says_the_same_as(&self, new: &Self) -> bool {
        self.dependency == Dependency { line: self.dependency.line, ..new.dependency.clone() }
    }

    /// The hashes as written.
    fn hash_values(&self) -> Vec<&str> {
        self.hashes.iter().flat_map(Hashes::values).collect()
    }

    /// The new hashes, each once and in one order whoever gave them. Where a package stands in a file with hashes and without,
    /// an edit of the one means the other too.
    fn hashes_to(&self, edit: &Edit, edits: &[Edit]) -> Result<Vec<String>, EditError> {
        let with_hashes = |edit: &&Edit| !edit.hashes_to.is_empty();
        let given = Some(edit)
            .filter(with_hashes)
            .or_else(|| edits.iter().filter(with_hashes).find(|other| self.is_meant_by(other) && other.to == edit.to));
        let mut hashes = given.ok_or_else(|| EditError::NeedsHashes(edit.package.clone()))?.hashes_to.clone();
        hashes.sort_unstable();
        hashes.dedup();
        match hashes.iter().find(|hash| !is_sha256(hash)) {
            Some(odd) => Err(cannot_move(edit, odd)),
            None => Ok(hashes),
        }
    }
}

/// The text with the edits made; `find` reads a text of this format.
pub(super) fn apply(
    text: &str,
    edits: &[Edit],
    find: impl Fn(&str) -> Result<Found, String>,
) -> Result<String, EditError> {
    let found = find(text).map_err(EditError::Unreadable)?;
    let mut splices = Splices::default();
    let mut already = None;
    for edit in edits {
        let constraint = moved(edit)?;
        let meant: Vec<&Find> = found.finds.iter().filter(|find| find.is_meant_by(edit)).collect();
        if meant.is_empty() {
            if !found.finds.iter().any(|find| find.is_result_of(edit, &constraint)) {
                return Err(EditError::NotFound(edit.package.clone()));
            }
            already = already.or(Some(&edit.package));
        }
        for find in meant {
            if !is_refresh(edit) {
                let splice = find.constraint.splice(&constraint, find.version_at);
                splices.add(splice.ok_or_else(|| cannot_move(edit, &edit.to))?, edit)?;
            }
            if let Some(digest) = &find.digest {
                splices.add(digest_splice(edit, digest)?, edit)?;
            }
            if let Some(hashes) = &find.hashes {
                let new = find.hashes_to(edit, edits)?;
                for splice in hashes.splices(text, &new).ok_or_else(|| cannot_move(edit, &edit.to))? {
                    splices.add(splice, edit)?;
                }
            }
        }
    }
    if let (true, Some(package)) = (splices.0.is_empty(), already) {
        return Err(EditError::AlreadyThere(package.clone()));
    }
    let edited = splices.make(text)?;
    check(&found, &find(&edited).map_err(EditError::Unreadable)?, edits)?;
    Ok(edited)
}

/// Compares what is read from the file before and after: what was meant says what it should, all else what it said.
///
/// A variable may give the version to several variants of one image; these move together, unless one is
/// pinned to a digest that would not move with it.
fn check(before: &Found, after: &Found, edits: &[Edit]) -> Result<(), EditError> {
    let Some(first) = edits.first() else { return Ok(()) };
    if before.finds.len() != after.finds.len() {
        return Err(cannot_move(first, &first.to));
    }
    for (old, new) in before.finds.iter().zip(&after.finds) {
        if let Some(edit) = edits.iter().find(|edit| old.is_meant_by(edit)) {
            let hashes = if old.hashes.is_some() { old.hashes_to(edit, edits)? } else { Vec::new() };
            if !new.is_result_of(edit, &moved(edit)?) || new.hash_values() != hashes {
                return Err(cannot_move(edit, &edit.to));
            }
        } else if old.hash_values() != new.hash_values() {
            return Err(cannot_move(first, &first.to));
        } else if !old.says_the_same_as(new) {
            let together = edits.iter().find(|edit| edit.package == old.dependency.package);
            let edit = together.ok_or_else(|| cannot_move(first, &first.to))?;
            if old.dependency.digest.is_some() || new.dependency.package != old.dependency.package {
                return Err(EditError::NeedsDigest(edit.package.clone()));
            }
        }
    }
    Ok(())
}

/// Whether an edit gives a pin what its version points at now, and leaves the version as it is.
fn is_refresh(edit: &Edit) -> bool {
    edit.to == edit.from && edit.digest_from.is_some()
}

/// The constraint an edit leads to.
fn moved(edit: &Edit) -> Result<String, EditError> {
    if is_refresh(edit) {
        return Ok(edit.constraint.clone());
    }
    let moved = match (edit.package.ecosystem, &edit.digest_from) {
        (Ecosystem::GithubActions, Some(_)) => GitTag::rewrite_comment(&edit.constraint, &edit.to),
        (ecosystem, _) => scheme(ecosystem).rewrite(&edit.constraint, &edit.to),
    };
    moved.ok_or_else(|| cannot_move(edit, &edit.to))
}

fn cannot_move(edit: &Edit, to: &str) -> EditError {
    EditError::CannotMove { package: edit.package.clone(), constraint: edit.constraint.clone(), to: to.into() }
}

fn digest_splice(edit: &Edit, digest: &Written) -> Result<Splice, EditError> {
    let new = edit.digest_to.as_deref().ok_or_else(|| EditError::NeedsDigest(edit.package.clone()))?;
    let fits = match edit.package.ecosystem {
        Ecosystem::Docker => is_digest(new),
        Ecosystem::GithubActions | Ecosystem::PreCommit => is_commit(new),
        Ecosystem::Pypi | Ecosystem::Npm | Ecosystem::Cargo => false,
    };
    if !fits {
        return Err(cannot_move(edit, new));
    }
    digest.splice(new, None).ok_or_else(|| cannot_move(edit, new))
}

/// Whether a text is a digest as images are pinned by. Source: OCI image specification, "Digests".
fn is_digest(text: &str) -> bool {
    match text.split_once(':') {
        Some(("sha256", digits)) => is_hex(digits, 64),
        Some(("sha384", digits)) => is_hex(digits, 96),
        Some(("sha512", digits)) => is_hex(digits, 128),
        _ => false,
    }
}

/// Whether a text is a commit's id: SHA-1 or SHA-256. Source: git, "hash-function-transition".
pub(super) fn is_commit(text: &str) -> bool {
    is_hex(text, 40) || is_hex(text, 64)
}

pub(super) fn is_hex(digits: &str, length: usize) -> bool {
    digits.len() == length && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Changes to one text, by the stretch they replace.
#[derive(Default)]
struct Splices<'a>(BTreeMap<(usize, usize), (String, &'a PackageId)>);

impl<'a> Splices<'a> {
    fn add(&mut self, splice: Splice, edit: &'a Edit) -> Result<(), EditError> {
        let (text, _) = self.0.entry((splice.start, splice.end)).or_insert((splice.text.clone(), &edit.package));
        if *text == splice.text { Ok(()) } else { Err(EditError::Conflict(edit.package.clone())) }
    }

    fn make(&self, text: &str) -> Result<String, EditError> {
        let mut result = String::with_capacity(text.len());
        let mut position = 0;
        for ((start, end), (new, package)) in &self.0 {
            let kept = text.get(position..*start).ok_or_else(|| EditError::Conflict((*package).clone()))?;
            result.push_str(kept);
            result.push_str(new);
            position = *end;
        }
        result.push_str(text.get(position..).unwrap_or_default());
        Ok(result)
    }
}
