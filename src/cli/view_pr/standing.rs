//! How a pull request stands, from most to least complete. Pure.

use crate::forge::PullStatus;
use crate::forge::session::ChecksState;
use serde::Serialize;

/// The groups, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    Merged,
    Closed,
    Ready,
    WaitingForReview,
    ChecksUnseen,
    ChecksPending,
    ChecksRed,
    ChangesRequested,
    Conflicts,
    Draft,
    Unreadable,
}

impl Standing {
    /// What people read.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Merged => "merged",
            Self::Closed => "closed, not merged",
            Self::Ready => "open, ready to merge",
            Self::WaitingForReview => "open, waiting for review",
            Self::ChecksUnseen => "open, approved, but its checks cannot be seen",
            Self::ChecksPending => "open, checks pending",
            Self::ChecksRed => "open, checks red",
            Self::ChangesRequested => "open, changes requested",
            Self::Conflicts => "open, conflicts with its base",
            Self::Draft => "open, draft",
            Self::Unreadable => "cannot be read",
        }
    }
}

/// What a look found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) standing: Standing,
    /// Where people see it, in GitHub's words.
    pub(super) url: Option<String>,
    /// What reviewers and checks say; `None` where that was not asked, because it makes no difference.
    pub(super) word: Option<Word>,
    /// Why it cannot be read.
    pub(super) why: Option<String>,
    /// Whether looking again would be in vain.
    pub(super) is_over: bool,
}

/// What reviewers and checks say of an open pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) approvals: usize,
    pub(super) changes_requested: usize,
    pub(super) checks: ChecksState,
}

impl Seen {
    pub(super) fn unreadable(why: impl Into<String>, is_over: bool) -> Self {
        Self { standing: Standing::Unreadable, url: None, word: None, why: Some(why.into()), is_over }
    }

    /// What is to be said besides its group.
    pub(super) fn remark(&self) -> String {
        if let Some(why) = &self.why {
            return why.replace('\n', " ");
        }
        let Some(word) = self.word else { return String::new() };
        let mut parts = Vec::new();
        match word.approvals {
            0 => {}
            1 => parts.push("1 approval".to_owned()),
            more => parts.push(format!("{more} approvals")),
        }
        match word.changes_requested {
            0 => {}
            1 => parts.push("1 asks for changes".to_owned()),
            more => parts.push(format!("{more} ask for changes")),
        }
        // The group says it where it is one of checks.
        let checks = match (word.checks, self.standing) {
            (ChecksState::None, _) => Some("no checks"),
            (ChecksState::Red, Standing::ChangesRequested) => Some("checks red"),
            (ChecksState::Pending, Standing::ChangesRequested) => Some("checks pending"),
            (ChecksState::Unknown, Standing::WaitingForReview | Standing::ChangesRequested) => {
                Some("checks not to be seen")
            }
            (ChecksState::Green, _) => Some("checks green"),
            _ => None,
        };
        parts.extend(checks.map(str::to_owned));
        parts.join(", ")
    }
}

/// The group of a pull request before anybody asked for reviews and checks; `None` if they decide.
pub(super) fn at_once(status: PullStatus, draft: bool, mergeable: Option<bool>) -> Option<Standing> {
    match status {
        PullStatus::Merged => Some(Standing::Merged),
        PullStatus::Closed => Some(Standing::Closed),
        PullStatus::Open if draft => Some(Standing::Draft),
        // While GitHub works it out, nothing speaks against it.
        PullStatus::Open if mergeable == Some(false) => Some(Standing::Conflicts),
        PullStatus::Open => None,
    }
}

/// The group of one that is open, no draft and without conflicts: what holds it up most. That all is well is said only of what
/// was seen.
pub(super) fn by_word(word: Word) -> Standing {
    match word {
        Word { changes_requested: 1.., .. } => Standing::ChangesRequested,
        Word { checks: ChecksState::Red, .. } => Standing::ChecksRed,
        Word { checks: ChecksState::Pending, .. } => Standing::ChecksPending,
        Word { approvals: 0, .. } => Standing::WaitingForReview,
        Word { checks: ChecksState::Unknown, .. } => Standing::ChecksUnseen,
        Word { checks: ChecksState::None | ChecksState::Green, .. } => Standing::Ready,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_it_up_most_decides() {
        let by = |approvals, changes_requested, checks| by_word(Word { approvals, changes_requested, checks });
        assert_eq!(by(1, 0, ChecksState::Green), Standing::Ready);
        assert_eq!(by(1, 0, ChecksState::None), Standing::Ready);
        assert_eq!(by(1, 0, ChecksState::Unknown), Standing::ChecksUnseen, "nobody says that they are green");
        assert_eq!(by(0, 0, ChecksState::Green), Standing::WaitingForReview);
        assert_eq!(by(0, 0, ChecksState::Unknown), Standing::WaitingForReview);
        assert_eq!(by(3, 0, ChecksState::Pending), Standing::ChecksPending);
        assert_eq!(by(3, 0, ChecksState::Red), Standing::ChecksRed);
        assert_eq!(by(3, 1, ChecksState::Red), Standing::ChangesRequested);
    }

    #[test]
    fn reviews_are_asked_for_only_where_they_decide() {
        assert_eq!(at_once(PullStatus::Merged, true, Some(false)), Some(Standing::Merged));
        assert_eq!(at_once(PullStatus::Closed, false, None), Some(Standing::Closed));
        assert_eq!(at_once(PullStatus::Open, true, Some(false)), Some(Standing::Draft));
        assert_eq!(at_once(PullStatus::Open, false, Some(false)), Some(Standing::Conflicts));
        assert_eq!(at_once(PullStatus::Open, false, None), None);
    }
}
