//! Asks the safeguards whether a proposal may become a pull request now: when it is planned, and again at the moment
//! of execution.

use crate::domain::{Proposal, ProposalState, Update, Verdict};
use crate::safeguards::{self, Signals};
use crate::subscription::{Subscription, SubscriptionFile};

/// The verdict on a group of updates, given all proposals of its repository and the file in force. Pure.
pub fn verdict(group: &str, updates: &[Update], all: &[Proposal], file: &SubscriptionFile) -> Verdict {
    let own = subscription_of(updates, file);
    // A newer proposal of a group takes the place of the open one, so it needs no place of its own.
    let open: Vec<&Proposal> = all.iter().filter(|p| p.state == ProposalState::Open && p.group != group).collect();
    let open_of_own =
        open.iter().filter(|p| subscription_of(&p.updates, file).map(|s| s.line) == own.map(|s| s.line)).count();
    safeguards::judge(&Signals {
        open_in_repository: count(open.len()),
        repository_limit: file.limit,
        open_of_subscription: count(open_of_own),
        subscription_limit: own.and_then(|subscription| subscription.limit),
    })
}

/// The subscription that a group of updates belongs to: that of its first update. Groups that several subscriptions
/// share count for the first.
pub fn subscription_of<'a>(updates: &[Update], file: &'a SubscriptionFile) -> Option<&'a Subscription> {
    let update = updates.first()?;
    file.subscription_for(update.package.ecosystem, &update.sites.first()?.path)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
