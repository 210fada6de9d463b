//! Making edits: the same for every format, once a manager has found where things stand.

use super::written::{Splice, Written};
use super::{Edit, EditError, Found};
use crate::domain::{Dependency, Ecosystem};
use crate::versioning::scheme;
use std::collections::BTreeSet;

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
}

impl Find {
    fn is_meant_by(&self, edit: &Edit) -> bool {
        let dependency = &self.dependency;
        dependency.skip.is_none()
            && dependency.package == edit.package
            && dependency.constraint == edit.constraint
            && dependency.current.as_deref() == Some(edit.from.as_str())
            && dependency.digest == edit.digest_from
    }

    fn is_result_of(&self, edit: &Edit, constraint: &str) -> bool {
        let dependency = &self.dependency;
        dependency.package == edit.package
            && dependency.constraint == constraint
            && (dependency.digest.is_none() || dependency.digest == edit.digest_to)
    }
}

/// The text with the edits made; `find` reads a text of this format.
pub(super) fn apply(
    text: &str,
    edits: &[Edit],
    find: impl Fn(&str) -> Result<Found, String>,
) -> Result<String, EditError> {
    let found = find(text).map_err(EditError::Unreadable)?;
    let mut splices = BTreeSet::new();
    let mut already = None;
    let mut expected = Vec::new();
    for edit in edits {
        let cannot_move = || cannot_move(edit, &edit.to);
        let constraint = scheme(edit.package.ecosystem).rewrite(&edit.constraint, &edit.to).ok_or_else(cannot_move)?;
        let meant: Vec<&Find> = found.finds.iter().filter(|find| find.is_meant_by(edit)).collect();
        if meant.is_empty() {
            if !found.finds.iter().any(|find| find.is_result_of(edit, &constraint)) {
                return Err(EditError::NotFound(edit.package.clone()));
            }
            already = already.or(Some(&edit.package));
            continue;
        }
        for find in meant {
            splices.insert(find.constraint.splice(&constraint, find.version_at).ok_or_else(cannot_move)?);
            if let Some(digest) = &find.digest {
                splices.insert(digest_splice(edit, digest)?);
            }
        }
        expected.push((edit, constraint));
    }
    if let (true, Some(package)) = (splices.is_empty(), already) {
        return Err(EditError::AlreadyThere(package.clone()));
    }
    let conflict =
        || edits.first().map_or(EditError::Unreadable(String::new()), |e| EditError::Conflict(e.package.clone()));
    let edited = spliced(text, &splices).ok_or_else(conflict)?;
    // Read again what is about to be sent: an edit that does not say what it should is not made.
    let again = find(&edited).map_err(EditError::Unreadable)?;
    match expected.iter().find(|(edit, constraint)| !again.finds.iter().any(|f| f.is_result_of(edit, constraint))) {
        Some((edit, _)) => Err(cannot_move(edit, &edit.to)),
        None => Ok(edited),
    }
}

fn cannot_move(edit: &Edit, to: &str) -> EditError {
    EditError::CannotMove { package: edit.package.clone(), constraint: edit.constraint.clone(), to: to.into() }
}

fn digest_splice(edit: &Edit, digest: &Written) -> Result<Splice, EditError> {
    let new = edit.digest_to.as_deref().ok_or_else(|| EditError::NeedsDigest(edit.package.clone()))?;
    if edit.package.ecosystem != Ecosystem::Docker || !is_digest(new) {
        return Err(cannot_move(edit, new));
    }
    digest.splice(new, None).ok_or_else(|| cannot_move(edit, new))
}

/// Whether a text is a digest as images are pinned by. Source: OCI image specification, "Digests".
fn is_digest(text: &str) -> bool {
    let hex = |digits: &str, length| digits.len() == length && digits.bytes().all(|b| b.is_ascii_hexdigit());
    match text.split_once(':') {
        Some(("sha256", digits)) => hex(digits, 64),
        Some(("sha384", digits)) => hex(digits, 96),
        Some(("sha512", digits)) => hex(digits, 128),
        _ => false,
    }
}

/// The text with all splices made; `None` when two of them overlap.
fn spliced(text: &str, splices: &BTreeSet<Splice>) -> Option<String> {
    let mut result = String::with_capacity(text.len());
    let mut position = 0;
    for splice in splices {
        result.push_str(text.get(position..splice.start)?);
        result.push_str(&splice.text);
        position = splice.end;
    }
    result.push_str(text.get(position..)?);
    Some(result)
}
