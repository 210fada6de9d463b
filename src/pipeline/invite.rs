//! Asks those whom the file names to look at a pull request that was opened: reviewers and assignees, and the owners of
//! its files where the file wants these.
//!
//! Nobody can be asked who has no access, and GitHub then refuses everybody named beside them. So the request is made once
//! for all; refused, without the people who have no access; refused again, without the teams. Each of these is a step of
//! its own. Where the App may not name teams at all, the people are asked at once and alone. Who was left out is told once, as a remark on the pull request and in the log; the pull request itself is fine.

use super::follow::is_final;
use super::line::{self, Admission};
use super::remarks::remark;
use super::retire::{Archive, SURPRISES_MAX, rest};
use super::{Done, Step, StepError, Whom, Writing, finished, sync, target};
use crate::domain::people::Party;
use crate::domain::{Proposal, ProposalId, ProposalState, RepoId, RepoPath, RepoState, Topic};
use crate::forge::{ForgeError, GitHub, Target};
use crate::planner::codeowners::{CODE_OWNERS_PATHS, code_owners};
use crate::store::{RepositoryRow, Store, StoreError, Tx};
use crate::subscription::{ASSIGNEES_MAX, Asked, REVIEWERS_MAX, Subscription, SubscriptionFile};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// So many files of a pull request are looked up in the file of owners.
const FILES_MAX: usize = 50;

/// The subscriptions that the places of a proposal fall to, each once. Pure.
fn subscriptions<'f>(proposal: &Proposal, file: &'f SubscriptionFile) -> Vec<&'f Subscription> {
    let places = proposal.updates.iter().flat_map(|u| u.sites.iter().map(|site| (u.package.ecosystem, &site.path)));
    let mut found: Vec<&Subscription> = Vec::new();
    for one in places.filter_map(|(ecosystem, path)| file.subscription_for(ecosystem, path)) {
        if !found.iter().any(|known| std::ptr::eq(*known, one)) {
            found.push(one);
        }
    }
    found
}

/// Whether a file wants a proposal's pull request to be a draft: one of its subscriptions does. Pure.
pub(super) fn is_draft(proposal: &Proposal, file: &SubscriptionFile) -> bool {
    subscriptions(proposal, file).iter().any(|one| one.draft)
}

/// Queues what is to be asked of people once a pull request is open.
pub(super) async fn queue(
    tx: &mut Tx,
    row: &RepositoryRow,
    proposal: &Proposal,
    now: Timestamp,
) -> Result<(), StepError> {
    let Some(file) = sync::file_in_force(&row.config)? else { return Ok(()) };
    let subscriptions = subscriptions(proposal, &file);
    let mut invite = async |whom, asked: bool| -> Result<(), StoreError> {
        let step = Step::Invite { repo: proposal.repo, proposal: proposal.id.clone(), whom };
        if asked { step.queue(tx, Some(row.repository.installation), now).await } else { Ok(()) }
    };
    invite(Whom::Reviewers, subscriptions.iter().any(|one| !one.reviewers.is_empty())).await?;
    invite(Whom::Assignees, subscriptions.iter().any(|one| !one.assignees.is_empty())).await?;
    Ok(())
}

/// Those who are asked of all who are named.
#[derive(Default)]
struct Guests {
    people: Vec<String>,
    /// Teams of the repository's owner, by slug.
    teams: Vec<String>,
    /// Who cannot be asked, and why, in a few words each.
    left_out: Vec<String>,
}

/// Asks those whom the file names to look at a proposal's pull request.
pub async fn invite(
    store: &Store,
    forge: &GitHub,
    (repo, id, whom): (RepoId, &ProposalId, Whom),
    &Writing { lease, pace, clock }: &Writing<'_>,
) -> Result<Done, StepError> {
    let (Some(row), Some(first)) = (store.repository(repo).await?, store.proposal(id).await?) else {
        return finished(store).await;
    };
    let Some(pull) = first.pull else { return finished(store).await };
    // A newer version may have gone onto its pull request meanwhile, and nobody is asked twice because of that.
    let newest = store.proposal_by_pull(repo, pull.number).await?;
    let Some(proposal) = newest.filter(|newest| newest.state == ProposalState::Open) else {
        return finished(store).await;
    };
    let Some(file) = sync::file_in_force(&row.config)? else { return finished(store).await };
    if row.repository.state == RepoState::Archived {
        return rest(store, &row, Archive::Known, None, clock.now()).await;
    }
    let target = target(&row);
    let named = named(store, &row, &proposal, &file, whom).await?;
    let mut guests = guests(forge, &target, named, whom).await?;
    if whom != Whom::Assignees && lease.work.claims > 1 {
        // The answer to an earlier request may have been lost, and who has reviewed since would be asked once more.
        let (people, teams) = forge.asked_to_review(&target, pull.number).await?;
        let is_in = |all: &[String], one: &String| all.iter().any(|known| known.eq_ignore_ascii_case(one));
        guests.people.retain(|login| !is_in(&people, login));
        guests.teams.retain(|slug| !is_in(&teams, slug));
    }
    if guests.people.is_empty() && guests.teams.is_empty() {
        return leave_out(store, proposal, whom, guests.left_out, clock.now()).await;
    }
    let writes = (row.repository.installation, 1);
    if let Admission::Later(done) = line::admit(store, lease, writes, clock.now(), pace).await? {
        return Ok(done);
    }
    let people: Vec<&str> = guests.people.iter().map(String::as_str).collect();
    let mut teams: Vec<&str> = guests.teams.iter().map(String::as_str).collect();
    let mut left_out = guests.left_out;
    let outcome = match whom {
        Whom::Assignees => forge.assign(&target, pull.number, &people).await.map(|assigned| {
            let is_there = |login: &str| assigned.iter().any(|one| one.eq_ignore_ascii_case(login));
            left_out.extend(people.iter().filter(|login| !is_there(login)).map(|login| NO_ACCESS.replace("{}", login)));
        }),
        _ => match forge.request_reviews(&target, pull.number, (&people, &teams)).await {
            // No token was given out for that, so nothing was sent.
            Err(ForgeError::Forbidden { needs: Some(_), .. }) if !teams.is_empty() => {
                teams.clear();
                left_out.push(NO_TEAMS.into());
                match people.as_slice() {
                    [] => Ok(()),
                    people => forge.request_reviews(&target, pull.number, (people, &[])).await,
                }
            }
            outcome => outcome,
        },
    };
    let next = match (whom, &teams[..]) {
        (Whom::Reviewers, _) => Some(Whom::KnownReviewers),
        (Whom::KnownReviewers, [_, ..]) => Some(Whom::KnownPeople),
        _ => None,
    };
    match (outcome, next) {
        (Ok(()), _) => {}
        (Err(ForgeError::Archived { .. }), _) if lease.work.refusals < SURPRISES_MAX => {
            return rest(store, &row, Archive::News, None, clock.now()).await;
        }
        (Err(ForgeError::Invalid { .. }), Some(whom)) => {
            let mut tx = store.begin().await?;
            let step = Step::Invite { repo, proposal: id.clone(), whom };
            step.queue(&mut tx, Some(row.repository.installation), clock.now()).await?;
            return Ok(Done::Finished(tx));
        }
        (Err(error), _) if is_final(&error) => left_out.push(format!("GitHub refuses it: {error}")),
        (Err(error), _) => return Err(error.into()),
    }
    leave_out(store, proposal, whom, left_out, clock.now()).await
}

/// Why no team is asked where the owner has not allowed that.
const NO_TEAMS: &str = "the App needs `members: read`, granted by the organisation's owner, to ask teams";
/// How somebody is told of who cannot be asked.
const NO_ACCESS: &str = "`{}` has no access to the repository";

/// Tells who was left out, once.
async fn leave_out(
    store: &Store,
    proposal: Proposal,
    whom: Whom,
    left_out: Vec<String>,
    now: Timestamp,
) -> Result<Done, StepError> {
    let (topic, what) = match whom {
        Whom::Assignees => (Topic::Assignees, "not everybody could be assigned"),
        _ => (Topic::Reviewers, "not everybody could be asked for a review"),
    };
    let said = (!left_out.is_empty()).then(|| format!("{what}: {}", left_out.join(", ")));
    if let Some(said) = &said {
        tracing::warn!(proposal = %proposal.id, said, "people were left out");
    }
    let mut tx = store.begin().await?;
    remark(store, &mut tx, proposal, (topic, said.as_deref()), now).await?;
    Ok(Done::Finished(tx))
}

/// Whom the file names for a proposal, the owners of its files included, each once; and what is to be told of them.
async fn named(
    store: &Store,
    row: &RepositoryRow,
    proposal: &Proposal,
    file: &SubscriptionFile,
    whom: Whom,
) -> Result<(Vec<Party>, Vec<String>), StoreError> {
    let subscriptions = subscriptions(proposal, file);
    let asked = subscriptions.iter().flat_map(|one| match whom {
        Whom::Assignees => &one.assignees,
        _ => &one.reviewers,
    });
    let (mut parties, mut told): (Vec<Party>, Vec<String>) = (Vec::new(), Vec::new());
    let mut add = |party: Party| {
        if !parties.iter().any(|known| known.is(&party)) {
            parties.push(party);
        }
    };
    let mut wants_owners = false;
    for one in asked {
        match one {
            Asked::Named(party) => add(party.clone()),
            Asked::CodeOwners => wants_owners = true,
        }
    }
    if wants_owners {
        let paths: BTreeSet<&RepoPath> = proposal.updates.iter().flat_map(|u| &u.sites).map(|s| &s.path).collect();
        let paths: Vec<&RepoPath> = paths.into_iter().take(FILES_MAX).collect();
        match store.code_owners(row.repository.id).await? {
            None => told.push(format!("there is no `{}` file", CODE_OWNERS_PATHS[1])),
            Some(stored) => match code_owners(&stored.text, &paths) {
                None => told.push(format!("`{}` is too intricate to be read", stored.path)),
                // Of owners there may be teams, whom one cannot assign: they are not meant.
                Some(owners) => owners
                    .into_iter()
                    .filter(|one| whom != Whom::Assignees || matches!(one, Party::Person(_)))
                    .for_each(&mut add),
            },
        }
    }
    Ok((parties, told))
}

/// Which of these are asked at this stage.
async fn guests(
    forge: &GitHub,
    target: &Target,
    (parties, told): (Vec<Party>, Vec<String>),
    whom: Whom,
) -> Result<Guests, ForgeError> {
    let mut guests = Guests { left_out: told, ..Guests::default() };
    let most = if whom == Whom::Assignees { ASSIGNEES_MAX } else { REVIEWERS_MAX };
    if parties.len() > most {
        guests.left_out.push(format!("{} are named, and GitHub takes {most} at most", parties.len()));
    }
    let mut refused: Vec<String> = Vec::new();
    for party in parties.iter().take(most) {
        match (party, whom) {
            (Party::Person(login), Whom::KnownReviewers | Whom::KnownPeople)
                if !forge.is_collaborator(target, login).await? =>
            {
                guests.left_out.push(NO_ACCESS.replace("{}", login));
            }
            (Party::Person(login), _) => guests.people.push(login.clone()),
            (Party::Team { organisation, .. }, _) if !organisation.eq_ignore_ascii_case(target.name.owner()) => {
                guests.left_out.push(format!("`{party}` is no team of the repository's owner"));
            }
            (Party::Team { .. }, Whom::KnownPeople) => refused.push(format!("`{party}`")),
            (Party::Team { slug, .. }, _) => guests.teams.push(slug.clone()),
        }
    }
    match refused.as_slice() {
        [] => {}
        [one] => guests
            .left_out
            .push(format!("the team {one} has no access to the repository, or GitHub does not show it to the App")),
        several => guests.left_out.push(format!(
            "one of the teams {} has no access to the repository, or GitHub does not show it to the App",
            several.join(", ")
        )),
    }
    Ok(guests)
}
