//! What keeps an automated creator of pull requests harmless. Each safeguard is a pure function from signals to a
//! [`Verdict`]; it knows nothing of where the signals come from.

pub mod automerge;
pub mod limit;
pub mod pace;
pub mod pauses;
pub mod quota;

use crate::domain::Verdict;

/// What the safeguards look at before a proposal becomes a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signals {
    /// Pull requests of ours that are open in the repository, without those the proposal would replace.
    pub open_in_repository: u32,
    /// How many the repository allows at once.
    pub repository_limit: u32,
    /// Those of them that belong to the same subscription.
    pub open_of_subscription: u32,
    /// How many the subscription allows at once, where it says.
    pub subscription_limit: Option<u32>,
}

/// The verdict of all safeguards: the first that does not say `Go`.
pub fn judge(signals: &Signals) -> Verdict {
    match limit::judge(signals.open_in_repository, signals.repository_limit, "in this repository") {
        Verdict::Go => signals
            .subscription_limit
            .map_or(Verdict::Go, |limit| limit::judge(signals.open_of_subscription, limit, "for this subscription")),
        verdict => verdict,
    }
}
