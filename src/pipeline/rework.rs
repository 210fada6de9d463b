//! Brings the branch of an open pull request up to date: because it cannot be merged as it is, or because a person asks.
//!
//! A branch that holds our commits alone gets one more, with the same updates made on today's base. One that people have
//! committed to is left to GitHub's own merge, so that their commits stay as they are; where that conflicts, the bot stops
//! and says so. Making it anew is what a person has to ask for.

mod seen;
mod way;

use self::seen::{first_look, handed_on, is_overtaken};
use self::way::Way;
use super::branch::{self, Standing, hold, people_first};
use super::edits::edited;
use super::execute::{
    Case, Errand, ONE_AT_A_TIME, TRIES_MAX, after, begin, begin_anew, go_on, installation, is_elsewhere, learn,
    read_again, take_back,
};
use super::intent::{Intent, listed, pins, worded};
use super::line::{self, Admission};
use super::retire::{Archive, rest};
use super::{Done, Step, StepError, Writing, finished, plan, sync, target};
use crate::domain::{
    Change, Dependency, Held, News, ObjectId, Onto, Proposal, ProposalId, ProposalState, PullNumber, RepoId, RepoState,
    Rework, Site, Update,
};
use crate::forge::{BaseMerge, ForgeError, GitHub};
use crate::planner::{self, prose};
use crate::registries::Registries;
use crate::store::{Attempt, Claimed, NewWork, RepositoryRow, Store, StoreError, Tx};
use jiff::{SignedDuration, Timestamp};

/// How long GitHub is given to work out whether a pull request can be merged …
const THINKING: SignedDuration = SignedDuration::from_secs(5);
/// … and how often.
const LOOKS_MAX: u32 = 12;
/// What a person asked for waits for a repository that is not read for so long; it is not forgotten.
const RARELY: SignedDuration = SignedDuration::from_mins(10);
/// So often a plan is waited for, later and later, where what would be written is not what was planned.
const PLANS_MAX: u32 = 3;
/// The key under which the number of looks whether it can be merged lies beside the fields of a step …
const LOOKS: &str = "looks";
/// … that of looks whether the repository is read …
const READS: &str = "reads";
/// … and that of looks whether what would be written is what was planned.
const PLANS: &str = "plans";
/// Why a branch of our own is, where what was proposed is not to be had as it was.
const CHANGED: &str = "what one of its releases holds has changed since it was proposed, and counts as new: \
    it has to be old enough once more";
/// Why a branch with people's commits is left as it is.
const SAME_LINES: &str = "they and the base changed the same lines";

/// Brings the branch of one open pull request up to date.
pub async fn rework(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    (repo, id, how): (RepoId, &ProposalId, Rework),
    writing: &Writing<'_>,
) -> Result<Done, StepError> {
    let now = writing.clock.now();
    let (Some(row), Some(proposal)) = (store.repository(repo).await?, store.proposal(id).await?) else {
        return finished(store).await;
    };
    let Some(number) = proposal.pull.as_ref().map(|pull| pull.number) else { return finished(store).await };
    if !matches!(row.repository.state, RepoState::Active | RepoState::Archived) {
        // The plan asks again for what was begun.
        return finished(store).await;
    }
    let begun = store.attempt(id).await?;
    let lease = first_look(store, forge, (&row, number), (how, begun.as_ref()), writing.lease).await?;
    let writing = &Writing { lease: &lease, ..*writing };
    if row.repository.state == RepoState::Archived {
        return rest(store, &row, Archive::Known, None, now).await;
    }
    let is_open = proposal.state == ProposalState::Open;
    if begun.is_none() && !is_open {
        return pass_on(store, &row, (id, number), how, (&lease, now)).await;
    }
    let all = store.proposals(repo).await?;
    let attempted = store.attempted(repo).await?;
    let case = Case { row: &row, proposal, all: &all, writing, now, errand: Errand::Rework(how) };
    let begun = match begun {
        Some(begun) if begun.errand.unwrap_or(Rework::Conflict) != how => {
            // Another step began it, and this one has its own to do.
            return after_another(store, &row, id, (&begun, now)).await;
        }
        Some(begun) if !is_open || begun.progress.refused.is_some() => {
            return take_back(store, forge, case, begun).await;
        }
        Some(begun) if !begun.is_unsent() => return go_on(store, forge, case, begun).await,
        // What it was decided by may be half an hour old, by the time of its turn.
        begun => begun,
    };
    if let Some(turn) = begun.as_ref().and_then(|begun| begun.progress.turn).filter(|turn| turn.from > now) {
        let tx = store.begin().await?;
        return Ok(Done::PutOff { tx, until: turn.from, why: line::words(turn.from, now) });
    }
    let mut others = all.iter().filter(|p| p.id != *id && p.group == case.proposal.group);
    if begun.is_none()
        && let Some(other) = others.find(|p| attempted.contains(&p.id))
    {
        let until = store.attempt(&other.id).await?.map_or(now, |other| after(&other, now));
        let tx = store.begin().await?;
        return Ok(Done::PutOff { tx, until, why: None });
    }
    let way = decide(store, (forge, registries), &case, how).await?;
    if let Some(why) = way.taken_back().filter(|_| begun.is_some()) {
        let mut tx = store.begin().await?;
        tx.still_ours(writing.lease).await?;
        tx.end_attempt(id).await?;
        tx.record(id, now, "taken back", &why).await?;
        // What is not wanted any more stayed open for its sake.
        Step::Plan { repo }.queue(&mut tx, installation(&row), now).await?;
        tx.commit().await?;
    }
    match way {
        Way::Nothing => finished(store).await,
        Way::Free => {
            let mut tx = store.begin().await?;
            branch::release(&mut tx, &row, (id, number), now + branch::SECOND_THOUGHT, now).await?;
            Ok(Done::Finished(tx))
        }
        Way::Ask(step) => {
            let mut tx = store.begin().await?;
            step.queue(&mut tx, installation(&row), now).await?;
            Ok(Done::Finished(tx))
        }
        Way::Thinking => {
            let mut tx = store.begin().await?;
            count(&mut tx, writing.lease, LOOKS).await?;
            let why = Some("GitHub is working out whether it can be merged".into());
            Ok(Done::PutOff { tx, until: now + THINKING, why })
        }
        Way::Unread => {
            let mut tx = store.begin().await?;
            let reads = count(&mut tx, writing.lease, READS).await?;
            let read = Step::Index { repo }.work(installation(&row), now)?;
            // What was given up is a person's to have tried again.
            if store.parked_under(&read.unique_key).await?.is_none() {
                tx.enqueue_unless_queued(&read, now).await?;
            }
            let wait = if reads <= LOOKS_MAX { THINKING } else { RARELY };
            Ok(Done::PutOff { tx, until: now + wait, why: Some("the repository is being read".into()) })
        }
        Way::Unplanned => {
            let mut tx = store.begin().await?;
            let plans = i32::try_from(count(&mut tx, writing.lease, PLANS).await?).unwrap_or(1);
            Step::Plan { repo }.queue(&mut tx, installation(&row), now).await?;
            let why = Some("a release of it is not what it was when it was planned".into());
            Ok(Done::PutOff { tx, until: now + RARELY * plans, why })
        }
        Way::Say(news) => {
            let mut tx = store.begin().await?;
            Step::Tell { repo, proposal: id.clone(), news }.queue(&mut tx, installation(&row), now).await?;
            Ok(Done::Finished(tx))
        }
        Way::Send(change, updates, title) => {
            let proposal = Proposal { updates, title, updated_at: now, ..case.proposal };
            let case = Case { proposal, ..case };
            match begun {
                None => begin(store, forge, case, *change).await,
                Some(begun) => begin_anew(store, forge, case, begun, *change).await,
            }
        }
        Way::Merge(onto) => merge(store, forge, case, onto).await,
        Way::Held(held) => {
            let mut tx = store.begin().await?;
            hold(&mut tx, &row, &case.proposal, held, now).await?;
            Ok(Done::Finished(tx))
        }
    }
}

/// Counts one more look of a kind, and says how many that makes.
async fn count(tx: &mut Tx, lease: &Claimed, what: &str) -> Result<u32, StoreError> {
    let looks = line::beside::<u32>(&lease.work.args, what).unwrap_or(0) + 1;
    tx.keep_args(lease, &line::with_beside(&lease.work.args, what, looks)).await?;
    Ok(looks)
}

async fn decide(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    case: &Case<'_>,
    how: Rework,
) -> Result<Way, StepError> {
    let Case { row, proposal, now, writing: Writing { lease, .. }, .. } = case;
    let repo = row.repository.id;
    let file = sync::file_in_force(&row.config)?;
    let (Some(file), Some(base), Some(base_branch)) = (file, row.head.clone(), row.repository.default_branch.clone())
    else {
        return Ok(Way::Nothing);
    };
    if row.indexed_commit.as_ref() != Some(&base.commit) {
        return Ok(Way::Unread);
    }
    let (standing, pull) = branch::look(store, forge, (row, proposal), &base.commit).await?;
    let (onto, is_ours) = match standing {
        Standing::Ours(onto) => (onto, true),
        Standing::Shared(onto) => (onto, false),
        Standing::Over(number) => return Ok(Way::Ask(Step::Follow { repo, number })),
        Standing::Elsewhere if how == Rework::Conflict => return Ok(Way::Nothing),
        Standing::Elsewhere => return Ok(Way::Say(News::Elsewhere)),
    };
    let (head, at) = (onto.head.clone(), base.commit.clone());
    let held = |why: String, people: bool| Way::Held(Held { why, head: head.clone(), base: at.clone(), people });
    if how == Rework::Recreate && !is_ours && is_overtaken(forge, (row, proposal), lease, &head).await? {
        return Ok(Way::Say(News::Overtaken));
    }
    let used = branch::used(store, repo).await?;
    // What was changed where our own commits change it conflicts, whatever GitHub has worked out so far.
    let is_known = is_ours && !planner::all_stand(&proposal.updates, used.iter());
    if how == Rework::Conflict && !is_known {
        match pull.and_then(|pull| pull.mergeable) {
            Some(true) => return fits(store, case, (onto.number, &head, &at)).await,
            Some(false) => {}
            None if line::beside(&lease.work.args, LOOKS).is_some_and(|looks: u32| looks >= LOOKS_MAX) => {
                return Ok(Way::Nothing);
            }
            None => return Ok(Way::Thinking),
        }
    }
    match (how, is_ours) {
        (Rework::Conflict, false) => {
            return Ok(held(people_first(onto.number, SAME_LINES), true));
        }
        (Rework::Rebase, false) => return Ok(Way::Merge(onto)),
        // It holds just that.
        (Rework::Conflict, true) if onto.merged.is_none() => return Ok(Way::Nothing),
        (_, true) if onto.merged.is_none() => return fits(store, case, (onto.number, &head, &at)).await,
        (Rework::Recreate, _) | (_, true) => {}
    }
    let updates = on_base(&proposal.updates, &used);
    // What others did is left out. On a branch of ours the plan goes on with the rest, and says so; it keeps off people's.
    if updates.is_empty() || (is_ours && updates.len() < proposal.updates.len()) {
        return Ok(Way::Ask(Step::Plan { repo }));
    }
    let mut found = pins(store, (forge, registries), row, &updates, None, *now).await?;
    // The times of what is open stay those it was opened by. What has changed since is as young as that.
    if let Err(Intent::PlanAgain) = found
        && let Some(renewed) = plan::renewed(store, registries, (row, proposal, &updates), *now).await?
    {
        found = pins(store, (forge, registries), row, &renewed, None, *now).await?;
    }
    let pinned = match found {
        Ok(pinned) => pinned,
        Err(Intent::Impossible(why)) => return Ok(held(why, false)),
        Err(other) => {
            if let Intent::Moved(moved) = other {
                learn(store, &moved, lease, *now).await?;
            }
            let is_late = line::beside(&lease.work.args, PLANS).is_some_and(|plans: u32| plans >= PLANS_MAX);
            return Ok(if is_late { held(CHANGED.into(), false) } else { Way::Unplanned });
        }
    };
    let title = prose::title(&proposal.group, &updates);
    let anew = Proposal { updates: updates.clone(), title: title.clone(), ..proposal.clone() };
    let files = match edited(&store.manifests(repo).await?, &updates, (&pinned.0, &pinned.1)) {
        Ok(files) => files,
        Err(why) => return Ok(held(why, false)),
    };
    let words = worded(store, row, &anew, &file).await?;
    let merged = onto.merged.clone().or_else(|| (!is_ours).then(|| base.commit.clone()));
    let onto = Some(Onto { merged, shared: false, ..onto });
    let (branch, hashes) = (proposal.branch.clone(), listed(&pinned.1));
    let change = Change { base, base_branch, branch, files, onto, hashes, ..words };
    Ok(Way::Send(Box::new(change), updates, title))
}

/// A branch is as it should be. What it was left for is over by that, unless neither it nor its base has moved: what was
/// refused then would be refused again, and what a newer version met there is there still. What that meets on a base that
/// has moved it finds out by itself.
async fn fits(
    store: &Store,
    Case { row, proposal, all, .. }: &Case<'_>,
    (number, head, base): (PullNumber, &ObjectId, &ObjectId),
) -> Result<Way, StepError> {
    let Some(held) = store.pull_branch(row.repository.id, number).await?.held else { return Ok(Way::Nothing) };
    let waits = |p: &Proposal| p.state == ProposalState::Waiting && p.group == proposal.group;
    let of_newer = held.people && held.why != people_first(number, SAME_LINES) && all.iter().any(waits);
    let stays = held.head == *head && (held.base == *base || of_newer);
    Ok(if stays { Way::Nothing } else { Way::Free })
}

/// Has a change that another step began brought to its end first.
async fn after_another(
    store: &Store,
    row: &RepositoryRow,
    id: &ProposalId,
    (begun, now): (&Attempt, Timestamp),
) -> Result<Done, StepError> {
    let how = begun.errand.unwrap_or(Rework::Conflict);
    let step = Step::Rework { repo: row.repository.id, proposal: id.clone(), how };
    let mut tx = store.begin().await?;
    step.queue_unless_queued(&mut tx, installation(row), now).await?;
    Ok(Done::PutOff { tx, until: after(begun, now), why: None })
}

/// Has the proposal brought up to date that took the place of another one on the same pull request: whoever asked meant that.
async fn pass_on(
    store: &Store,
    row: &RepositoryRow,
    (id, number): (&ProposalId, PullNumber),
    how: Rework,
    (lease, now): (&Claimed, Timestamp),
) -> Result<Done, StepError> {
    let repo = row.repository.id;
    let next = store.proposal_by_pull(repo, number).await?;
    let mut tx = store.begin().await?;
    if let Some(next) = next.filter(|next| next.id != *id && next.state == ProposalState::Open) {
        let step = Step::Rework { repo, proposal: next.id, how }.work(installation(row), now)?;
        tx.enqueue_unless_queued(&NewWork { args: handed_on(lease, &step.args), ..step }, now).await?;
    }
    Ok(Done::Finished(tx))
}

/// Has GitHub merge the base into a branch that people have committed to.
async fn merge(store: &Store, forge: &GitHub, case: Case<'_>, onto: Onto) -> Result<Done, StepError> {
    let Case { row, proposal, writing, now, .. } = &case;
    let (now, Writing { lease, pace, .. }) = (*now, **writing);
    match line::admit(store, lease, (row.repository.installation, 1), now, pace).await? {
        Admission::Now(_) => {}
        Admission::Later(done) => return Ok(done),
    }
    let workflows = proposal.touches_workflows();
    let (why, people) = match forge.merge_base(&target(row), onto.number, &onto.head, workflows).await {
        Ok(BaseMerge::Done) => {
            let mut tx = store.begin().await?;
            tx.record(&proposal.id, now, "rebased", "GitHub merged its base into it").await?;
            return Ok(Done::Finished(tx));
        }
        Ok(BaseMerge::Moved) => {
            let tx = store.begin().await?;
            return Ok(Done::PutBack { tx, until: now + ONE_AT_A_TIME, why: "somebody has just pushed to it".into() });
        }
        Ok(BaseMerge::Conflict) => (people_first(onto.number, SAME_LINES), true),
        Err(error @ (ForgeError::Invalid { .. } | ForgeError::Forbidden { .. })) => (error.to_string(), false),
        Err(error) if is_elsewhere(&error) && lease.work.refusals + 1 < TRIES_MAX => {
            return read_again(store, &case, &error).await;
        }
        Err(error) => return Err(error.into()),
    };
    let mut tx = store.begin().await?;
    if let Some(base) = &row.head {
        let held = Held { why, head: onto.head, base: base.commit.clone(), people };
        hold(&mut tx, row, proposal, held, now).await?;
    }
    Ok(Done::Finished(tx))
}

/// Updates with their sites as the base has them now, without those that have none there. Pure.
fn on_base(updates: &[Update], used: &[Dependency]) -> Vec<Update> {
    let moved = |update: &Update| {
        let mut sites: Vec<Site> = used.iter().filter(|d| planner::moves(update, d)).map(Site::of).collect();
        sites.sort_by(|a, b| (&a.path, a.line, a).cmp(&(&b.path, b.line, b)));
        sites.dedup();
        (!sites.is_empty()).then(|| Update { sites, ..update.clone() })
    };
    updates.iter().filter_map(moved).collect()
}
