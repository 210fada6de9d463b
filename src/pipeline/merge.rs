//! Merges pull requests of ours, where their repository asks for that.
//!
//! Merged is only what the file in force allows, what the plan still asks for, what is as we left it, and what every check
//! and status calls good. Each of these is read anew whenever the step runs; nothing of an earlier look is believed. What
//! speaks against it is told as a remark on the pull request. It is looked at again when a check, a status or a review
//! changes, and once a day.
//!
//! The request to merge names the head that was looked at, so nothing else can be merged by it. A check that turns red
//! between the look and the request is for the protection of the branch to stop; GitHub looks at that again.

mod ending;
mod wish;

use super::branch::is_under_way;
use super::execute::ONE_AT_A_TIME;
use super::line::{self, Admission};
use super::remarks::remark;
use super::{Done, Step, StepError, Writing, finished, follow, plan, sync, target};
use crate::domain::{
    Check, MergeMethod, Merging, Proposal, ProposalState, PullNumber, PullRequest, RepoId, RepoState, Topic,
};
use crate::forge::{ForgeError, GitHub, PullState, PullStatus, Target};
use crate::registries::Registries;
use crate::safeguards::automerge::{self, Signals};
use crate::store::{Claimed, ConfigState, RepositoryRow, Store};
pub(super) use ending::{by_us, is_sent, merged_by_us};
use ending::{clean_up, save_merged};
use jiff::{SignedDuration, Timestamp};
use wish::{Wish, wish};
pub(super) use wish::{is_wished, wants};

/// Nothing is merged sooner after its head was first looked at: other checks may still appear.
const SETTLE: SignedDuration = SignedDuration::from_mins(2);
/// How long GitHub is given to work out whether it merges; longer each time, up to a few minutes: nothing that happens
/// meanwhile is looked at sooner.
const PATIENCE: SignedDuration = SignedDuration::from_secs(5);
const PATIENCE_MAX: SignedDuration = SignedDuration::from_mins(3);
/// GitHub may still be at a merge that it was asked for this long ago: it is not asked once more.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(1);
/// A refusal that asks to try again is tried again after this.
const LATER: SignedDuration = SignedDuration::from_mins(10);

/// How a look ended.
enum Look {
    /// It may be merged: nothing speaks against it.
    Go { method: MergeMethod },
    /// Not now, and why. It is looked at again at this time, or when something changes.
    No { why: String, again: Option<Timestamp> },
    /// It is over, and not by what we asked for.
    Over(PullState),
    /// It is over, and GitHub was asked to merge it.
    Sent(PullState),
}

fn no(why: impl Into<String>) -> Look {
    Look::No { why: format!("it is not merged yet: {}", why.into()), again: None }
}

fn no_until(why: impl Into<String>, again: Timestamp) -> Look {
    Look::No { why: format!("it is not merged yet: {}", why.into()), again: Some(again) }
}

/// Merges one of our pull requests, if that is wanted and nothing speaks against it.
pub async fn merge(
    store: &Store,
    forge: &GitHub,
    registries: &Registries,
    (repo, number): (RepoId, PullNumber),
    writing: &Writing<'_>,
) -> Result<Done, StepError> {
    let &Writing { lease, pace, clock } = writing;
    let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal_by_pull(repo, number).await?)
    else {
        return finished(store).await;
    };
    let Some(pull) = proposal.pull.clone() else { return finished(store).await };
    let merging = store.merging(&proposal.id).await?;
    let sent = merging.clone().filter(|merging| merging.sent_at.is_some() && merging.head == pull.head);
    if let (ProposalState::Merged, Some(sent)) = (proposal.state, &sent) {
        return clean_up(store, forge, (&row, &pull), (&proposal.id, &proposal.branch), sent).await;
    }
    if proposal.state != ProposalState::Open || row.repository.state != RepoState::Active {
        return finished(store).await;
    }
    let wish = match sync::file_in_force(&row.config)? {
        Some(file) => wish(&proposal, &file),
        None => Wish::None,
    };
    let named = match wish {
        Wish::None => return say(store, proposal, None, clock.now()).await,
        Wish::NotAll(why) => {
            return say(store, proposal, Some(format!("a person has to merge it: {why}")), clock.now()).await;
        }
        Wish::Merge(method) => method,
    };
    // Its head is not the one we know by then, and it is us who moved it.
    if is_under_way(store, repo, number).await? {
        let tx = store.begin().await?;
        return Ok(Done::PutOff { tx, until: clock.now() + ONE_AT_A_TIME, why: None });
    }
    let now = clock.now();
    let since = match &merging {
        Some(merging) if merging.head == pull.head => merging.since,
        _ => {
            let mut tx = store.begin().await?;
            tx.still_ours(lease).await?;
            tx.save_merging(&proposal.id, &Merging { head: pull.head.clone(), since: now, sent_at: None }).await?;
            tx.commit().await?;
            now
        }
    };
    let target = target(&row);
    let case = Case { store, forge, registries, row: &row, target: &target, pull: &pull, since, named, now };
    let (proposal, look) = match case.look(proposal, sent.as_ref(), lease).await {
        Ok(found) => found,
        Err((proposal, error)) => match refusal(&error) {
            Some(why) => (proposal, no(why)),
            None => return Err(error),
        },
    };
    let method = match look {
        Look::Go { method } => method,
        Look::No { why, again } => return put_off(store, proposal, why, again, clock.now()).await,
        Look::Sent(found) => {
            let (id, sent) = (proposal.id.clone(), Merging { head: pull.head.clone(), since, sent_at: None });
            if found.status == PullStatus::Merged {
                save_merged(store, &row, proposal, lease, clock.now()).await?;
                return clean_up(store, forge, (&row, &pull), (&id, &found.head_branch), &sent).await;
            }
            return follow::take_over(store, &row, &proposal, &found, clock.now()).await;
        }
        Look::Over(found) => return follow::take_over(store, &row, &proposal, &found, clock.now()).await,
    };
    // The merge, and the removal of its branch.
    let turn = match line::admit(store, lease, (row.repository.installation, 2), clock.now(), pace).await? {
        Admission::Now(turn) => turn,
        Admission::Later(done) => return in_line(store, proposal, done, clock.now()).await,
    };
    let mut tx = store.begin().await?;
    tx.still_ours(lease).await?;
    let sent = Merging { head: pull.head.clone(), since, sent_at: Some(clock.now()) };
    tx.save_merging(&proposal.id, &sent).await?;
    tx.commit().await?;
    let workflows = proposal.touches_workflows();
    if let Err(error) = forge.merge(&target, (number, &pull.head), method, workflows).await {
        let error = StepError::from(error);
        let Some(why) = refusal(&error) else { return Err(error) };
        let now = clock.now();
        // It is at what it was asked for before, which was never answered.
        if why.to_ascii_lowercase().contains("already in progress") {
            return put_off(store, proposal, format!("it is not merged yet: {why}"), Some(now + LATER), now).await;
        }
        // Nothing was merged by it, so what happens to the pull request from now on is not our doing.
        let mut tx = store.begin().await?;
        tx.still_ours(lease).await?;
        tx.save_merging(&proposal.id, &Merging { sent_at: None, ..sent }).await?;
        // Its head, or whether it is open at all, is not as we know it.
        if matches!(error, StepError::Forge(ForgeError::Conflict { .. } | ForgeError::Gone { .. })) {
            Step::Follow { repo, number }.queue(&mut tx, Some(row.repository.installation), now).await?;
        }
        tx.commit().await?;
        let again = why.contains("try the merge again").then(|| now + LATER);
        return put_off(store, proposal, format!("GitHub does not merge it: {why}"), again, now).await;
    }
    let (id, branch) = (proposal.id.clone(), proposal.branch.clone());
    save_merged(store, &row, proposal, lease, clock.now()).await?;
    match turn {
        Some(turn) => Ok(line::after_write(store, lease, &turn, clock.now(), pace).await?),
        None => clean_up(store, forge, (&row, &pull), (&id, &branch), &sent).await,
    }
}

/// Why what people have worked on is not merged.
const NOT_ALONE: &str = "somebody else has put commits on its branch";
/// What is told of one that waits for its turn.
const IN_LINE: &str = "it is merged when its turn to write comes";

/// What a look needs to know.
struct Case<'a> {
    store: &'a Store,
    forge: &'a GitHub,
    registries: &'a Registries,
    row: &'a RepositoryRow,
    target: &'a Target,
    pull: &'a PullRequest,
    /// Since when the head is what it is.
    since: Timestamp,
    /// How the file wants it merged.
    named: Option<MergeMethod>,
    now: Timestamp,
}

impl Case<'_> {
    /// Looks at everything that may speak against merging it, what costs the least first.
    async fn look(
        &self,
        proposal: Proposal,
        sent: Option<&Merging>,
        lease: &Claimed,
    ) -> Result<(Proposal, Look), (Proposal, StepError)> {
        match self.look_at(&proposal, sent, lease).await {
            Ok(look) => Ok((proposal, look)),
            Err(error) => Err((proposal, error)),
        }
    }

    async fn look_at(&self, proposal: &Proposal, sent: Option<&Merging>, lease: &Claimed) -> Result<Look, StepError> {
        let Self { store, forge, target, pull, now, .. } = *self;
        if let Some(sent) = sent {
            // Somebody was interrupted after asking for it: it may be done.
            let found = forge.pull(target, pull.number).await?;
            if found.status != PullStatus::Open {
                return Ok(Look::Sent(found));
            }
            if let Some(until) = sent.sent_at.map(|at| at + UNDER_WAY).filter(|until| now < *until) {
                return Ok(no_until("GitHub was asked to merge it and has not answered", until));
            }
            // It was not done, so what happens to the pull request from now on is not our doing.
            let mut tx = store.begin().await?;
            tx.still_ours(lease).await?;
            tx.save_merging(&proposal.id, &Merging { sent_at: None, ..sent.clone() }).await?;
            tx.commit().await?;
        }
        // Whoever broke the file may have meant to forbid this.
        if self.row.config.state == ConfigState::Broken {
            return Ok(no("the subscription file cannot be used as it is"));
        }
        if store.pull_branch(self.row.repository.id, pull.number).await?.shared {
            return Ok(no(NOT_ALONE));
        }
        // The plan has it looked at again when it does.
        if !plan::still_open(store, self.registries, (self.row, proposal), now).await? {
            return Ok(no("the plan does not ask for just this any more"));
        }
        let settled_at = self.since + SETTLE;
        // Before the checks: what has ended by now has all its checks among those.
        let suites = match now < settled_at {
            true => Some(Vec::new()),
            false => forge.unfinished_suites(target, &pull.head).await?,
        };
        let runs = forge.check_runs(target, &pull.head).await?;
        for checks in [&runs, &suites] {
            if let Some(why) = against(checks.as_deref(), true) {
                return Ok(no(why));
            }
        }
        if now < settled_at {
            return Ok(no_until("more checks may begin", settled_at));
        }
        let statuses = forge.statuses(target, &pull.head).await?;
        let all = runs.zip(statuses).map(|(runs, statuses)| [runs, statuses].concat());
        if let Some(why) = against(all.as_deref(), false) {
            return Ok(no(why));
        }
        let found = forge.pull(target, pull.number).await?;
        if found.status != PullStatus::Open {
            return Ok(Look::Over(found));
        }
        if found.draft {
            return Ok(no("it is a draft"));
        }
        if found.head != pull.head || found.head_repo != Some(self.row.repository.id) {
            return Ok(no(NOT_ALONE));
        }
        if Some(&found.base_branch) != self.row.repository.default_branch.as_ref() {
            return Ok(no("it does not go to the default branch"));
        }
        match found.mergeable {
            Some(true) => {}
            Some(false) => return Ok(no("it conflicts with its base")),
            None => {
                let wait = PATIENCE * (1_i32 << lease.work.claims.clamp(1, 10));
                return Ok(no_until("GitHub has not worked out yet whether it merges", now + wait.min(PATIENCE_MAX)));
            }
        }
        if forge.changes_requested(target, pull.number).await? {
            return Ok(no("somebody asks for changes in a review"));
        }
        // Commits below ours may be a person's, whom they ask.
        let all_ours = match found.author {
            Some(author) => forge.is_all_by(target, pull.number, author).await?,
            None => false,
        };
        if !all_ours {
            return Ok(no(NOT_ALONE));
        }
        let method = match self.named {
            Some(method) => method,
            None => forge.merge_method(target).await?,
        };
        Ok(Look::Go { method })
    }
}

/// What the checks have against merging, the missing ones included where they may not be among the others. Pure.
fn against(checks: Option<&[Check]>, statuses_follow: bool) -> Option<String> {
    let signals = Signals { checks: checks.unwrap_or_default(), checks_are_complete: checks.is_some() };
    match automerge::judge(&signals) {
        automerge::Verdict::Go => None,
        automerge::Verdict::Missing(_) if statuses_follow => None,
        automerge::Verdict::Missing(why) | automerge::Verdict::No(why) => Some(why),
    }
}

/// GitHub's word that it will not answer or do this, however often it is asked; `None` for what passes. Pure.
fn refusal(error: &StepError) -> Option<String> {
    match error {
        StepError::Forge(ForgeError::Forbidden { needs: Some(needs), .. }) => {
            Some(format!("the App needs the permission {needs}, granted by the account's owner"))
        }
        StepError::Forge(ForgeError::Forbidden { message, .. } | ForgeError::Invalid { message, .. }) => {
            Some(message.trim_end_matches('.').to_owned())
        }
        StepError::Forge(ForgeError::Conflict { why, .. }) => Some(why.trim_end_matches('.').to_owned()),
        StepError::Forge(
            error @ (ForgeError::Gone { .. } | ForgeError::Moved { .. } | ForgeError::Archived { .. }),
        ) => Some(error.to_string()),
        _ => None,
    }
}

/// Tells what is to be told of merging it, and ends.
async fn say(store: &Store, proposal: Proposal, why: Option<String>, now: Timestamp) -> Result<Done, StepError> {
    let mut tx = store.begin().await?;
    remark(store, &mut tx, proposal, (Topic::Merging, why.as_deref()), now).await?;
    Ok(Done::Finished(tx))
}

/// Tells that nothing but its turn is waited for.
async fn in_line(store: &Store, proposal: Proposal, done: Done, now: Timestamp) -> Result<Done, StepError> {
    let Done::PutOff { mut tx, until, why } = done else { return Ok(done) };
    remark(store, &mut tx, proposal, (Topic::Merging, Some(IN_LINE)), now).await?;
    Ok(Done::PutOff { tx, until, why })
}

async fn put_off(
    store: &Store,
    proposal: Proposal,
    why: String,
    again: Option<Timestamp>,
    now: Timestamp,
) -> Result<Done, StepError> {
    let mut tx = store.begin().await?;
    remark(store, &mut tx, proposal, (Topic::Merging, Some(&why)), now).await?;
    Ok(match again {
        Some(until) => Done::PutOff { tx, until, why: None },
        None => Done::Finished(tx),
    })
}
