//! Asks the safeguards whether a proposal may become a pull request now: when it is planned, and again at the moment
//! of execution.

use crate::domain::{Proposal, ProposalId, ProposalState, Update, Verdict};
use crate::safeguards::{self, Signals};
use crate::subscription::{Subscription, SubscriptionFile};
use std::collections::BTreeSet;

/// The proposals that take up a place of the limits: those with an open pull request, and those that are being sent,
/// which may have one. A newer proposal of a group takes the place of its open one, so that one does not count.
pub fn places<'a>(all: &'a [Proposal], attempted: &BTreeSet<ProposalId>, group: &str) -> Vec<&'a Proposal> {
    let takes = |p: &&Proposal| {
        let sent = p.state == ProposalState::Waiting && attempted.contains(&p.id);
        (p.state == ProposalState::Open || sent) && p.group != group
    };
    all.iter().filter(takes).collect()
}

/// The verdict on a group of updates, given the proposals that take up places and the file in force. Pure.
pub fn verdict(updates: &[Update], taken: &[&Proposal], file: &SubscriptionFile) -> Verdict {
    let own = subscription_of(updates, file);
    let taken_of_own =
        taken.iter().filter(|p| subscription_of(&p.updates, file).map(|s| s.line) == own.map(|s| s.line)).count();
    safeguards::judge(&Signals {
        open_in_repository: count(taken.len()),
        repository_limit: file.limit,
        open_of_subscription: count(taken_of_own),
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
