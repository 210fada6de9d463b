//! Which paths a push changed, as far as its payload can tell.

use super::json::{Flag, List, Obj, Text};
use super::payload::{Commit, PushEvent};
use std::collections::BTreeSet;

/// GitHub lists at most this many commits of a push.
const MOST_COMMITS: usize = 2_048;
/// GitHub lists at most this many paths in each list of a commit.
const MOST_PATHS: usize = 3_000;

/// What a push changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangedPaths {
    /// These paths and no others: added, removed or modified in any of its commits. Untrusted text.
    Known(BTreeSet<String>),
    /// The payload does not tell all: read the tree.
    Truncated,
}

/// The union over the commits, or [`ChangedPaths::Truncated`] whenever something may be missing from it.
pub(super) fn changed_paths(push: PushEvent) -> ChangedPaths {
    collect(push).map_or(ChangedPaths::Truncated, ChangedPaths::Known)
}

fn collect(push: PushEvent) -> Option<BTreeSet<String>> {
    // A forced push also takes commits away, and a new branch starts from nobody knows where: neither is listed.
    if push.forced.0 != Some(false) || push.created.0 != Some(false) || push.deleted.0 != Some(false) {
        return None;
    }
    let List(Some(commits)) = push.commits else { return None };
    let listed = i64::try_from(commits.len()).ok()?;
    if commits.len() >= MOST_COMMITS || push.size.0.is_some_and(|size| size != listed) {
        return None;
    }
    // The list is in order and ends with what the branch holds now; if it does not, it is not the whole story.
    let last = commits.last()?.0.as_ref()?.id.0.as_deref()?;
    if !last.eq_ignore_ascii_case(push.after.0.as_deref()?) {
        return None;
    }
    let mut paths = BTreeSet::new();
    for commit in commits {
        let Commit { added, removed, modified, .. } = commit.0?;
        for List(list) in [added, removed, modified] {
            let list = list?;
            if list.len() >= MOST_PATHS {
                return None;
            }
            for Text(path) in list {
                paths.insert(path?);
            }
        }
    }
    Some(paths)
}

/// The tree of the commit the branch now points at, if the payload tells.
pub(super) fn tree_of(push: &PushEvent) -> Option<&str> {
    let Obj(Some(head)) = &push.head_commit else { return None };
    let is_after = head.id.0.as_deref()?.eq_ignore_ascii_case(push.after.0.as_deref()?);
    if is_after { head.tree_id.0.as_deref() } else { None }
}

/// `true` or `false`, where leaving it out means `false`.
pub(super) fn is_set(flag: Flag) -> bool {
    flag.0.unwrap_or(false)
}
