//! Whether a pull request merges and what stands in its way: a real merge of the trees, the branch's
//! protection, the checks and statuses of the head.
//!
//! Knows git and the state; knows nothing of HTTP and changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use git2::Oid;

use crate::state::{Pull, Repo};

/// How one context stands on a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Green,
    /// Nobody has reported it.
    Expected,
    Pending,
    Red,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Standing::Green => "successful",
            Standing::Expected => "expected",
            Standing::Pending => "pending",
            Standing::Red => "failing",
        }
    }
}

/// The newest word on each context of a commit, from check runs and statuses; of two, the worse one.
fn contexts(repo: &Repo, sha: Oid) -> BTreeMap<&str, Standing> {
    let mut standings: BTreeMap<&str, Standing> = BTreeMap::new();
    let mut note = |context, standing: Standing| {
        let known = standings.entry(context).or_insert(standing);
        *known = standing.max(*known);
    };
    let mut seen = BTreeSet::new();
    for run in repo.checks.values().rev().filter(|run| run.head_sha == sha) {
        if seen.insert((run.app, run.name.as_str())) {
            let standing = match run.conclusion.as_deref() {
                Some("success" | "neutral" | "skipped") => Standing::Green,
                Some(_) => Standing::Red,
                None => Standing::Pending,
            };
            note(&run.name, standing);
        }
    }
    let mut seen = BTreeSet::new();
    for status in repo.statuses.iter().rev().filter(|status| status.sha == sha) {
        if seen.insert(status.context.as_str()) {
            let standing = match status.state.as_str() {
                "success" => Standing::Green,
                "pending" => Standing::Pending,
                _ => Standing::Red,
            };
            note(&status.context, standing);
        }
    }
    standings
}

/// Required contexts that are not green on this head.
fn unmet<'a>(repo: &'a Repo, base: &str, head: Oid) -> Vec<(&'a str, Standing)> {
    let Some(rules) = repo.protected.get(base) else { return Vec::new() };
    let standings = contexts(repo, head);
    let standing = |context: &String| standings.get(context.as_str()).copied().unwrap_or(Standing::Expected);
    let all = rules.required_checks.iter().map(|context| (context.as_str(), standing(context)));
    all.filter(|(_, standing)| *standing != Standing::Green).collect()
}

/// `mergeable` and `mergeable_state`, once GitHub has worked them out.
pub(crate) fn verdict(repo: &Repo, pull: &Pull) -> Result<(Option<bool>, &'static str), git2::Error> {
    let Some(base) = repo.branch(&pull.base_branch).filter(|_| pull.open) else { return Ok((None, "unknown")) };
    if repo.git.merged_tree(base, pull.head_sha)?.is_none() {
        return Ok((Some(false), "dirty"));
    }
    let rules = repo.protected.get(&pull.base_branch);
    let lacks_approval = rules.is_some_and(|rules| rules.required_approvals > 0);
    let behind = rules.is_some_and(|rules| rules.strict) && !repo.git.is_ancestor(base, pull.head_sha);
    let state = if pull.draft {
        "draft"
    } else if lacks_approval || !unmet(repo, &pull.base_branch, pull.head_sha).is_empty() {
        "blocked"
    } else if behind {
        "behind"
    } else if contexts(repo, pull.head_sha).values().any(|standing| *standing != Standing::Green) {
        "unstable"
    } else {
        "clean"
    };
    Ok((Some(true), state))
}

/// Why the protection of its base refuses to merge a head, in the words of GitHub's 405; `None` if it does not.
pub(crate) fn refusal(repo: &Repo, base: &str, head: Oid) -> Option<String> {
    let rules = repo.protected.get(base)?;
    if rules.required_approvals > 0 {
        let count = rules.required_approvals;
        return Some(format!("At least {count} approving review is required by reviewers with write access."));
    }
    let unmet = unmet(repo, base, head);
    match unmet.as_slice() {
        [] => {
            let behind = rules.strict && repo.branch(base).is_some_and(|tip| !repo.git.is_ancestor(tip, head));
            behind.then(|| "Head branch is out of date".to_owned())
        }
        [(context, standing)] => Some(format!("Required status check \"{context}\" is {}.", standing.word())),
        several => {
            let (count, all) = (several.len(), rules.required_checks.len());
            if several.iter().all(|(_, standing)| *standing == Standing::Expected) {
                return Some(format!("{count} of {all} required status checks are expected."));
            }
            let tally = [Standing::Red, Standing::Pending, Standing::Expected].into_iter().filter_map(|wanted| {
                let count = several.iter().filter(|(_, standing)| *standing == wanted).count();
                (count > 0).then(|| format!("{count} {}", wanted.word()))
            });
            let tally = tally.collect::<Vec<_>>().join(", ");
            Some(format!("{count} of {all} required status checks have not succeeded: {tally}."))
        }
    }
}
