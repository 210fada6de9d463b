//! What came of a run, in words and figures: how many repositories ended how, and why some failed.

use super::print::printable;
use crate::domain::{Delivery, PatchOutcome, Phase, RunRepository, RunState};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How a repository ended, from the most to the least that can be said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Opened,
    Updated,
    Unchanged,
    Patched,
    AlreadyPatched,
    DoesNotApply,
    Read,
    NotDone,
    Failed,
}

impl End {
    pub(super) fn of(one: &RunRepository) -> Self {
        match (one.state, one.pull.as_ref().map(|pull| pull.delivery), one.outcome) {
            (RunState::Failed, ..) => Self::Failed,
            (RunState::Waiting, ..) => Self::NotDone,
            (RunState::Done, Some(Delivery::Opened), _) => Self::Opened,
            (RunState::Done, Some(Delivery::Updated), _) => Self::Updated,
            (RunState::Done, Some(Delivery::Unchanged), _) => Self::Unchanged,
            (RunState::Done, None, Some(PatchOutcome::AlreadyPatched)) => Self::AlreadyPatched,
            (RunState::Done, None, Some(PatchOutcome::DoesNotApply)) => Self::DoesNotApply,
            (RunState::Done, None, Some(PatchOutcome::Error)) => Self::Failed,
            (RunState::Done, None, Some(PatchOutcome::Patched)) => Self::Patched,
            (RunState::Done, None, None) => Self::Read,
        }
    }

    /// The word of JSON and CSV.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "pull_request_opened",
            Self::Updated => "pull_request_updated",
            Self::Unchanged => "pull_request_unchanged",
            Self::Patched => "patched",
            Self::AlreadyPatched => "already_patched",
            Self::DoesNotApply => "does_not_apply",
            Self::Read => "read",
            Self::NotDone => "not_done",
            Self::Failed => "failed",
        }
    }

    /// The words for people.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Opened => "pull request opened",
            Self::Updated => "pull request brought up to date",
            Self::Unchanged => "pull request open already, with this change",
            Self::Patched => "patched, in the clone alone",
            Self::AlreadyPatched => "already patched",
            Self::DoesNotApply => "does not apply",
            Self::Read => "read",
            Self::NotDone => "not done yet",
            Self::Failed => "failed",
        }
    }
}

/// The summary of a run: counts and shares of all its repositories, its pull requests, and the reasons of those that failed.
pub(super) fn summary(repositories: &[RunRepository]) -> String {
    let mut by_end: BTreeMap<End, Vec<&RunRepository>> = BTreeMap::new();
    for one in repositories {
        by_end.entry(End::of(one)).or_default().push(one);
    }
    let all = repositories.len();
    let mut text = match all {
        0 => return "No repositories.\n".into(),
        1 => "1 repository:\n".to_owned(),
        _ => format!("{all} repositories:\n"),
    };
    for (end, those) in &by_end {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:>6}  {:>6}  {}", those.len(), share(those.len(), all), end.words());
        // Those that failed are told of below.
        if *end != End::Failed {
            reasons(those, &mut text);
        }
    }
    let pulls: Vec<_> = repositories.iter().filter_map(|one| one.pull.as_ref()).collect();
    if !pulls.is_empty() {
        text.push_str("\nPull requests:\n");
        for pull in pulls {
            let _ = writeln!(text, "  {}", printable(&pull.url));
        }
    }
    if let Some(failed) = by_end.get(&End::Failed) {
        text.push_str("\nFailed:\n");
        failures(failed, &mut text);
    }
    text
}

/// So many repositories are named that failed for one reason.
const MOST_NAMES: usize = 5;

/// Those that failed, by what happened: the commonest first, each with where it did and the repositories.
fn failures(failed: &[&RunRepository], text: &mut String) {
    let mut groups: BTreeMap<(Phase, String), Vec<&RunRepository>> = BTreeMap::new();
    for one in failed {
        groups.entry((one.phase, reason_of_any(one))).or_default().push(one);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, those)| std::cmp::Reverse(those.len()));
    for ((phase, reason), those) in groups {
        let reason = match those.as_slice() {
            [one] => why(one).to_owned(),
            _ => reason,
        };
        let _ = writeln!(text, "{:>6} x {}: {}", those.len(), phase.as_str(), printable(&reason.replace('\n', " ")));
        for one in those.iter().take(MOST_NAMES) {
            let _ = writeln!(text, "         {}", printable(&one.repository.id));
        }
        let more = those.len().saturating_sub(MOST_NAMES);
        if more > 0 {
            let _ = writeln!(text, "         and {more} more, which `mass-driver runs show` has");
        }
    }
}

fn why(one: &RunRepository) -> &str {
    one.reason.as_deref().unwrap_or("nobody said why")
}

/// Why one failed, in words that are the same for another to which the same happened: without its address and name.
fn reason_of_any(one: &RunRepository) -> String {
    let id = one.repository.id.as_str();
    let mut reason = why(one).replace(id, "…");
    let path = id.strip_suffix(".git").unwrap_or(id);
    let mut parts = path.rsplit(['/', ':']);
    if let (Some(name), Some(owner)) = (parts.next(), parts.next())
        && !name.is_empty()
        && !owner.is_empty()
    {
        reason = reason.replace(&format!("{owner}/{name}"), "…");
    }
    reason
}

/// So many different reasons are told of; the rest is in `runs show`.
const MOST_REASONS: usize = 5;

/// Why they ended so, the commonest reasons first.
fn reasons(those: &[&RunRepository], text: &mut String) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in those.iter().filter_map(|one| one.reason.as_deref()) {
        *counts.entry(reason).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (reason, count) in counts.iter().take(MOST_REASONS) {
        let _ = writeln!(text, "{count:>18}  {}", printable(&reason.replace('\n', " ")));
    }
    let more: usize = counts.iter().skip(MOST_REASONS).map(|(_, count)| count).sum();
    if more > 0 {
        let _ = writeln!(text, "{more:>18}  for other reasons, which `mass-driver runs show` has");
    }
}

/// A share of all, in per cent.
pub(super) fn share(part: usize, all: usize) -> String {
    // In tenths, rounded half up: whole numbers say what they mean.
    let tenths = (part * 1000 + all / 2) / all.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_repositories() {
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(2, 3), "66.7 %");
        assert_eq!(share(7, 7), "100.0 %");
        assert_eq!(share(0, 7), "0.0 %");
    }
}
