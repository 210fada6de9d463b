//! Replays the ledger of everything that was ever proposed, a portion at a time: was any pull request early?
//!
//! Only reads, beside a server that may run.

use crate::domain::{PackageId, Proposal, ProposalId, ProposalState, PullNumber, RepoId, RepoName};
use crate::planner::audit::{Gap, KnownRelease, Line, Verdict, Violation, judge};
use crate::store::{LedgerRow, ReleaseTimes, Store, StoreError};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// So many proposals are in memory at a time, with their ledgers.
const AT_ONCE: u32 = 100;

/// What was found, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All proposals.
    pub proposals: u64,
    /// Those that became pull requests.
    pub opened: u64,
    /// Of these, those that are proven to have been in time.
    pub proven: u64,
    /// Those of which it cannot be proven, by what is missing.
    pub not_provable: BTreeMap<Gap, u64>,
    /// Those that were early.
    pub early: u64,
    /// Those that may not have been early, but whose ledger is not in order.
    pub disorderly: u64,
}

/// A pull request that something speaks against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its repository.
    pub repository: RepoName,
    /// Its proposal.
    pub proposal: ProposalId,
    /// Its number, where one is stored.
    pub pull_request: Option<PullNumber>,
    /// Its title.
    pub title: String,
    /// The proposal's state.
    pub state: ProposalState,
    /// What speaks against it; never empty.
    pub violations: Vec<Violation>,
}

/// Looks at all proposals, or at those of one repository, and hands over what is found as it is found.
///
/// Errors: of the store, and of `found`, which ends it.
pub async fn audit<E: From<StoreError>>(
    store: &Store,
    repo: Option<RepoId>,
    mut found: impl FnMut(Finding) -> Result<(), E>,
) -> Result<Tally, E> {
    let mut tally = Tally::default();
    let mut last: Option<ProposalId> = None;
    loop {
        let portion = store.proposals_after(last.as_ref(), repo, AT_ONCE).await?;
        let Some((end, _)) = portion.last() else { return Ok(tally) };
        last = Some(end.id.clone());
        // The lines come after the proposals: what is opened in between is judged by its line, and not missed.
        let ledgers = store.ledgers_for(portion.iter().map(|(proposal, _)| &proposal.id)).await?;
        let updates = portion.iter().flat_map(|(proposal, _)| &proposal.updates);
        let times = store.release_times(updates.map(|update| (&update.package, update.to.as_str()))).await?;
        for (proposal, repository) in portion {
            let lines = ledgers.get(&proposal.id).map_or(&[][..], Vec::as_slice);
            if let Some(violations) = count(&mut tally, judged(&proposal, lines, &times)) {
                let pull_request = proposal.pull.map(|pull| pull.number);
                let Proposal { id, title, state, .. } = proposal;
                found(Finding { repository, proposal: id, pull_request, title, state, violations })?;
            }
        }
    }
}

fn judged(proposal: &Proposal, ledger: &[LedgerRow], times: &HashMap<(PackageId, String), ReleaseTimes>) -> Verdict {
    let lines: Vec<Line<'_>> =
        ledger.iter().map(|row| Line { at: row.at, what: &row.what, detail: &row.detail }).collect();
    judge(proposal, &lines, |package, version| {
        let ReleaseTimes { first_seen_at, counts_from } = *times.get(&(package.clone(), version.to_owned()))?;
        Some(KnownRelease { first_seen_at, counts_from })
    })
}

/// Counts a verdict, and returns what speaks against a proposal.
fn count(tally: &mut Tally, verdict: Verdict) -> Option<Vec<Violation>> {
    tally.proposals += 1;
    tally.opened += u64::from(verdict != Verdict::NotOpened);
    match verdict {
        Verdict::NotOpened => None,
        Verdict::Proven => {
            tally.proven += 1;
            None
        }
        Verdict::NotProvable(gap) => {
            *tally.not_provable.entry(gap).or_default() += 1;
            None
        }
        Verdict::Violated(violations) => {
            let early = violations.iter().any(Violation::is_early);
            *(if early { &mut tally.early } else { &mut tally.disorderly }) += 1;
            Some(violations)
        }
    }
}
