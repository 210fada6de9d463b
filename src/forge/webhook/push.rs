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

/// The union over the commits, or [`ChangedPaths::Truncated`] whenever something may be missing from it, with what there is.
pub(super) fn changed_paths(push: PushEvent) -> (ChangedPaths, BTreeSet<String>) {
    let mut listed = BTreeSet::new();
    match collect(push, &mut listed) {
        Some(()) => (ChangedPaths::Known(listed), BTreeSet::new()),
        None => (ChangedPaths::Truncated, listed),
    }
}

/// Collects what is listed; `None` whenever that may not be all.
fn collect(push: PushEvent, paths: &mut BTreeSet<String>) -> Option<()> {
    // A forced push also takes commits away, and a new branch starts from nobody knows where: neither is listed.
    let follows = push.forced.0 == Some(false) && push.created.0 == Some(false) && push.deleted.0 == Some(false);
    let List(Some(commits)) = push.commits else { return None };
    let listed = i64::try_from(commits.len()).ok()?;
    let few = commits.len() < MOST_COMMITS && push.size.0.is_none_or(|size| size == listed);
    // The list is in order and ends with what the branch holds now; if it does not, it is not the whole story.
    let last = commits.last().and_then(|commit| commit.0.as_ref()?.id.0.clone());
    let ends = last.zip(push.after.0).is_some_and(|(last, after)| last.eq_ignore_ascii_case(&after));
    let mut whole = follows && few && ends;
    for Obj(commit) in commits {
        let Some(Commit { added, removed, modified, .. }) = commit else {
            whole = false;
            continue;
        };
        for List(list) in [added, removed, modified] {
            whole &=
                list.as_ref().is_some_and(|list| list.len() < MOST_PATHS && list.iter().all(|path| path.0.is_some()));
            paths.extend(list.unwrap_or_default().into_iter().filter_map(|Text(path)| path));
        }
    }
    whole.then_some(())
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
