//! What may be done about a branch, and what that means for a change that waits for its turn.

use crate::domain::{Change, Held, News, Onto, Update};
use crate::pipeline::Step;
use std::borrow::Cow;

/// What is to be done about a branch.
pub(super) enum Way {
    Nothing,
    /// Nothing is in the way any more for which it was left as it is.
    Free,
    /// Somebody else has to look first.
    Ask(Step),
    /// GitHub does not know yet whether it can be merged.
    Thinking,
    /// The head of the repository is not read yet. Reading it need not end with asking for this again: a file of this one may
    /// have changed long before.
    Unread,
    /// What would be written is not what was planned: the plan looks first, and then this once more.
    Unplanned,
    /// It cannot be done, and who asked for it is told.
    Say(News),
    /// One more commit: the change, with the updates and the title as they are by it.
    Send(Box<Change>, Vec<Update>, String),
    /// GitHub's own merge of the base.
    Merge(Onto),
    Held(Held),
}

impl Way {
    /// Why a change that waits for its turn is taken back by it, if it is: the words of the ledger.
    pub(super) fn taken_back(&self) -> Option<Cow<'static, str>> {
        Some(match self {
            Self::Thinking | Self::Unread | Self::Send(..) => return None,
            Self::Ask(Step::Follow { number, .. }) => format!("#{number} was over before it was sent").into(),
            Self::Ask(_) | Self::Unplanned => "the repository or a release changed before it was sent".into(),
            Self::Say(News::Overtaken) => "somebody pushed to its branch before it was sent".into(),
            Self::Say(_) => "its branch was gone or led elsewhere before it was sent".into(),
            Self::Merge(_) => {
                "people committed to its branch before it was sent: GitHub merges the base instead".into()
            }
            Self::Held(held) => format!("its branch is left as it is: {}", held.why).into(),
            Self::Nothing | Self::Free => "it was not needed any more when its turn came".into(),
        })
    }
}
