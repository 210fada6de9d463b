//! What the file in force wants of a pull request: that a person merges it, or the bot, and how. Pure but for the file.

use crate::domain::{MergeMethod, Proposal};
use crate::pipeline::{StepError, sync};
use crate::planner::prose::display_name;
use crate::store::RepositoryRow;
use crate::subscription::SubscriptionFile;

/// What is wanted of a proposal's pull request by the file. Pure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// A person merges it.
    None,
    /// The file merges some of its updates, and not this one.
    NotAll(String),
    /// It is to be merged, in this way if the file names one.
    Merge(Option<MergeMethod>),
}

/// What a file asks for of a proposal. Every update has to be allowed at each of its places. Pure.
pub(super) fn wish(proposal: &Proposal, file: &SubscriptionFile) -> Wish {
    let (mut allowed, mut against, mut method) = (false, None, None);
    for update in &proposal.updates {
        for site in &update.sites {
            match file.subscription_for(update.package.ecosystem, &site.path) {
                Some(subscription) if subscription.automerge.allows(update.step) => {
                    allowed = true;
                    method = method.or(subscription.merge_method);
                }
                Some(subscription) => {
                    allowed |= !subscription.automerge.is_off();
                    against.get_or_insert_with(|| {
                        format!("`automerge` does not name {} updates ({})", update.step, display_name(&update.package))
                    });
                }
                None => {
                    against.get_or_insert_with(|| {
                        format!("no subscription is about {} any more", display_name(&update.package))
                    });
                }
            }
        }
    }
    match against {
        _ if !allowed => Wish::None,
        Some(why) => Wish::NotAll(why),
        None => Wish::Merge(method),
    }
}

/// Whether a look at a proposal's pull request is worth it: its file has something to say about merging it.
pub(in crate::pipeline) fn is_wished(row: &RepositoryRow, proposal: &Proposal) -> Result<bool, StepError> {
    let file = sync::file_in_force(&row.config)?;
    Ok(file.is_some_and(|file| wants(proposal, &file)))
}

/// The same, of a file. Pure.
pub(in crate::pipeline) fn wants(proposal: &Proposal, file: &SubscriptionFile) -> bool {
    wish(proposal, file) != Wish::None
}
