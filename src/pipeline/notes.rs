//! What the publishers say of a release: looked up once for everybody, in good time before the first pull request that will
//! tell it.
//!
//! All of it is a courtesy. The look is queued when a draft is made, mostly hours before it is due; a pull request that is due at
//! once waits a few seconds at most for the first look, and never for a second one. Whatever goes wrong here, it is made
//! without. So a step of this kind has no error: what it could not find out is stored as such, and it looks again, less and
//! less often, as long as somebody waits.
//!
//! The links come from strangers, who may name any repository. So that of a package of a registry is read as everybody sees
//! it, even if it is one of ours: who publishes a package must not choose what of a private repository is shown, and where. The
//! private repository of an installation is read only where it *is* the package, an action or a hook, and what it says is
//! told in private repositories of that installation alone.

mod told;

use super::retry::passes;
use super::step::LAST_IN_LINE;
use super::tags::{is_of_the_token, readers, repository_of};
use super::{Done, Step, StepError, allowance, finished};
use crate::domain::source::{repository_at, web_address};
use crate::domain::{
    Clock, Ecosystem, FoundNotes, InstallationId, NotesState, PackageId, Proposal, ProposalState, RepoName, RepoState,
};
use crate::forge::{ForgeError, GitHub, Shown, Sight};
use crate::planner::tags::{Shape, candidates};
use crate::registries::Registries;
use crate::safeguards::quota;
use crate::store::{NewWork, NotesRow, NotesStanding, ReleaseKey, Store, StoreError, Tx, WantedNotes};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
pub(super) use told::told;

/// Notes are often written some time after their release: where there is time, the look is this long after the draft, and what
/// is not there at an earlier one is looked for once more then …
const LOOK_AFTER: SignedDuration = SignedDuration::from_hours(2);
/// … and not later than this before the pull request is due.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);
/// A pull request that is due waits for the first look no longer than this.
const WAIT: SignedDuration = SignedDuration::from_secs(5);
/// How long a release counts as wanted after the time for which it was: whoever has to stand in line is due later. Whole days, so
/// that it changes seldom.
const WANTED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// A look that failed is repeated after this, doubled each time …
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// … up to this …
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(6);
/// … and so often.
const FAILURES_MAX: u32 = 8;

/// The releases of drafts that somebody is to look at, with the steps that do.
#[derive(Default)]
pub(super) struct Looks {
    wanted: Vec<WantedNotes>,
    steps: Vec<NewWork>,
    /// Those of releases at which a look failed: they keep their pauses.
    steps_unless_queued: Vec<NewWork>,
}

/// What is to be looked at for proposals that were drafted. What is known, and wanted for no longer than before, is left out.
pub(super) async fn looks(
    store: &Store,
    drafted: impl IntoIterator<Item = &Proposal>,
    now: Timestamp,
) -> Result<Looks, StoreError> {
    let mut due: BTreeMap<ReleaseKey, (Timestamp, Timestamp)> = BTreeMap::new();
    for proposal in drafted.into_iter().filter(|p| p.state == ProposalState::Waiting) {
        for update in proposal.updates.iter().filter(|update| update.package.ecosystem != Ecosystem::Docker) {
            let at = proposal.due_at;
            let (first, last) = due.entry((update.package.clone(), update.to.clone())).or_insert((at, at));
            (*first, *last) = ((*first).min(at), (*last).max(at));
        }
    }
    if due.is_empty() {
        return Ok(Looks::default());
    }
    let keys: Vec<ReleaseKey> = due.keys().cloned().collect();
    let standings = store.notes_standings(&keys).await?;
    let mut looks = Looks::default();
    for ((package, version), (first, last)) in due {
        let key = (package, version);
        let standing = standings.get(&key);
        let (look_at, wanted_until) = (look_at(first, now), whole_days(last.max(now) + WANTED_FOR));
        let longer = standing.is_none_or(|known| known.wanted_until < wanted_until);
        let sooner = standing.is_none_or(|known| known.state == NotesState::Asked && look_at < known.look_at);
        let failed = standing.is_some_and(|known| known.state == NotesState::Failed);
        // Nobody waited any more when its time came.
        let missed = standing.is_some_and(|known| known.state == NotesState::Asked && known.look_at <= now);
        let again = (failed || missed) && longer;
        let (package, version) = key;
        let patience = if look_at <= now { Step::NOTES_PATIENCE } else { LAST_IN_LINE };
        if sooner || again {
            let step = Step::Notes { package: package.clone(), version: version.clone() };
            let work = NewWork { patience, ..step.work(None, look_at)? };
            if again { &mut looks.steps_unless_queued } else { &mut looks.steps }.push(work);
        }
        if sooner || longer {
            looks.wanted.push(WantedNotes { package, version, look_at, wanted_until });
        }
    }
    Ok(looks)
}

impl Looks {
    /// Stores what is wanted. Before anything of the queue is written, as all do who write of both.
    pub(super) async fn save(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        tx.want_notes(&self.wanted, now).await
    }

    /// The steps to queue; of those that wait already, the earlier time holds.
    pub(super) fn steps(&self) -> &[NewWork] {
        &self.steps
    }

    /// The steps to queue unless they wait already.
    pub(super) fn steps_unless_queued(&self) -> &[NewWork] {
        &self.steps_unless_queued
    }
}

/// When to look at a release for a pull request that is due at some time. Pure.
fn look_at(due_at: Timestamp, now: Timestamp) -> Timestamp {
    (now + LOOK_AFTER).min(due_at - AHEAD).max(now)
}

/// The end of the day, in UTC. Pure.
fn whole_days(at: Timestamp) -> Timestamp {
    const DAY_S: i64 = 24 * 60 * 60;
    let days = at.as_second().div_euclid(DAY_S) + 1;
    Timestamp::from_second(days * DAY_S).unwrap_or(at)
}

/// Puts a pull request off for some seconds, if a first look at any of its releases is under way; `None` lets it go ahead.
pub(super) async fn wait(
    store: &Store,
    proposal: &Proposal,
    work_key: &str,
    now: Timestamp,
) -> Result<Option<Done>, StoreError> {
    let keys: Vec<ReleaseKey> = proposal.updates.iter().map(|u| (u.package.clone(), u.to.clone())).collect();
    let is_under_way =
        |known: &NotesStanding| known.state == NotesState::Asked && known.look_at <= now && now < known.look_at + WAIT;
    let mut under_way: Vec<(ReleaseKey, NotesStanding)> =
        store.notes_standings(&keys).await?.into_iter().filter(|(_, known)| is_under_way(known)).collect();
    let Some(until) = under_way.iter().map(|(_, known)| known.look_at + WAIT).max() else { return Ok(None) };
    under_way.sort_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
    let mut tx = store.begin().await?;
    let mut waits = false;
    for ((package, version), _) in &under_way {
        waits |= tx.await_notes((package, version), work_key, until).await?;
    }
    Ok(waits.then_some(Done::PutOff { tx, until, why: None }))
}

/// A release's place in the order in which rows are written.
fn order((package, version): &ReleaseKey) -> (&str, &str, &str) {
    (package.ecosystem.as_str(), &package.name, version)
}

/// Looks what is said of a release, unless that is known or nobody wants to know any more.
pub async fn notes(
    store: &Store,
    sources: (&GitHub, &Registries),
    (package, version): (&PackageId, &str),
    clock: &dyn Clock,
) -> Result<Done, StepError> {
    let now = clock.now();
    let key = [(package.clone(), version.to_owned())];
    let standings = store.notes_standings(&key).await?;
    let Some(standing) = standings.into_values().next() else { return finished(store).await };
    if standing.state == NotesState::Known || standing.wanted_until < now {
        return finished(store).await;
    }
    let before = match standing.state {
        NotesState::Failed => store.notes(&key).await?.pop(),
        NotesState::Asked | NotesState::Known => None,
    };
    let mut found = FoundNotes::default();
    let links = before.as_ref().map(|row| row.found.clone());
    let outcome = look(store, sources, (package, version), (links, &mut found), now).await?;
    let (package, version) = (package.clone(), version.to_owned());
    let row = |private_to| NotesRow { package, version, found, private_to };
    let now = clock.now();
    let mut tx = store.begin().await?;
    let (failures, until, why) = match outcome {
        Looked::All { private_to, why } => {
            // Whoever is due at once is not the last one who wants to know.
            let again = standing.asked_at.map(|at| at + LOOK_AFTER).filter(|again| why.is_some() && now < *again);
            let state = if again.is_some() { NotesState::Failed } else { NotesState::Known };
            tx.save_notes(&row(private_to), (state, standing.failures, why.as_deref()), now).await?;
            return Ok(match again.filter(|again| *again <= standing.wanted_until) {
                Some(until) => Done::PutOff { tx, until, why: None },
                None => Done::Finished(tx),
            });
        }
        Looked::Failed(why) => (standing.failures + 1, now + pause(standing.failures), why),
        Looked::Later(until, why) => (standing.failures, until.max(now + PAUSE), why),
    };
    // The addresses are known all the same, for whoever cannot wait.
    let mut row = row(None);
    // And so is what an earlier look got to see.
    if let Some(before) = before.filter(|_| row.found.page.is_none()) {
        (row.found.page, row.found.tag, row.private_to) = (before.found.page, before.found.tag, before.private_to);
    }
    tx.save_notes(&row, (NotesState::Failed, failures, Some(&why)), now).await?;
    if until > standing.wanted_until || failures >= FAILURES_MAX {
        return Ok(Done::Finished(tx));
    }
    Ok(Done::PutOff { tx, until, why: None })
}

/// How long to leave a release alone after so many failures. Pure.
fn pause(failures: u32) -> SignedDuration {
    (PAUSE * (1 << failures.min(9))).min(PAUSE_MAX)
}

/// What came of a look.
enum Looked {
    /// This is all there is: whose private repository it is from, and why there is not more.
    All { private_to: Option<InstallationId>, why: Option<String> },
    /// It is not known now.
    Failed(String),
    /// Nobody may ask before this.
    Later(Timestamp, String),
}

impl Looked {
    fn nothing(why: impl Into<String>) -> Self {
        Self::All { private_to: None, why: Some(why.into()) }
    }
}

/// Looks up the links of a release, and then its notes where they lead to the forge. Those that were found before and do are not
/// asked for again.
async fn look(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    (package, version): (&PackageId, &str),
    (before, found): (Option<FoundNotes>, &mut FoundNotes),
    now: Timestamp,
) -> Result<Looked, StepError> {
    let host = forge.web_host();
    if package.ecosystem.is_of_the_forge() {
        let name = match repository_of(package, &host) {
            Ok(name) => name,
            Err(why) => return Ok(Looked::nothing(why)),
        };
        let owner = store.package(package).await?.and_then(|row| row.private_to);
        // The version is a tag there, whether anybody wrote about it or not.
        found.tag = Some(version.to_owned());
        return match owner {
            None => as_everybody(store, forge, (package, version), name, found, now).await,
            Some(owner) => as_owner(store, forge, (package, version), (&name, owner), found, now).await,
        };
    }
    // Some name their repository as their homepage, and nothing else.
    let of_the_forge = |address: &Option<String>| repository_at(address.as_deref()?, &host);
    let leads_to = |links: &FoundNotes| of_the_forge(&links.source).or_else(|| of_the_forge(&links.homepage));
    (found.source, found.homepage, found.changelog) = match before.filter(|links| leads_to(links).is_some()) {
        Some(links) => (links.source, links.homepage, links.changelog),
        None => match registries.links(package, version).await {
            Ok(links) => {
                let address = |said: Option<String>| said.as_deref().and_then(web_address);
                (address(links.source), address(links.homepage), address(links.changelog))
            }
            Err(error) if error.may_pass() => return Ok(Looked::Failed(error.to_string())),
            Err(error) => return Ok(Looked::nothing(error.to_string())),
        },
    };
    let Some(name) = leads_to(found) else {
        return Ok(Looked::nothing(format!("its registry names no repository of {host}")));
    };
    as_everybody(store, forge, (package, version), name, found, now).await
}

/// Reads a repository as everybody sees it, in the name of an installation that uses the package.
async fn as_everybody(
    store: &Store,
    forge: &GitHub,
    (package, version): (&PackageId, &str),
    name: RepoName,
    found: &mut FoundNotes,
    now: Timestamp,
) -> Result<Looked, StepError> {
    let known = store.repository_by_name(&name).await?;
    if known.is_some_and(|known| known.repository.private && known.repository.state == RepoState::Active) {
        return Ok(Looked::nothing("its repository is private"));
    }
    let mut last = Looked::nothing("nobody uses it whose installation may ask");
    for sight in readers(store, package, &name, now).await? {
        match ask(store, forge, (package, version), &sight, found, now).await? {
            Asked::Answered(looked) => return Ok(looked),
            // Another installation may be able to.
            Asked::Not(looked) => last = looked,
        }
    }
    Ok(last)
}

/// Reads a private repository that is the package, in the name of its own installation.
async fn as_owner(
    store: &Store,
    forge: &GitHub,
    release: (&PackageId, &str),
    (name, owner): (&RepoName, InstallationId),
    found: &mut FoundNotes,
    now: Timestamp,
) -> Result<Looked, StepError> {
    let sight = match store.repository_by_name(name).await? {
        Some(known) if known.repository.installation == owner && known.repository.state == RepoState::Active => {
            Sight::Own(super::target(&known))
        }
        _ => return Ok(Looked::nothing("its repository is not there any more")),
    };
    Ok(match ask(store, forge, release, &sight, found, now).await? {
        Asked::Answered(Looked::All { why, .. }) => Looked::All { private_to: Some(owner), why },
        Asked::Answered(looked) | Asked::Not(looked) => looked,
    })
}

/// Whether a repository could be asked in some installation's name.
enum Asked {
    Answered(Looked),
    /// This installation may or can not ask.
    Not(Looked),
}

async fn ask(
    store: &Store,
    forge: &GitHub,
    (package, version): (&PackageId, &str),
    sight: &Sight,
    found: &mut FoundNotes,
    now: Timestamp,
) -> Result<Asked, StepError> {
    let installation = sight.installation();
    let step = Step::Notes { package: package.clone(), version: version.to_owned() };
    if let Some(Done::PutOff { until, why, .. }) =
        allowance::before(store, forge, &step, Some(installation), now).await?
    {
        return Ok(Asked::Not(Looked::Later(until, why.unwrap_or_else(|| "GitHub asks for a pause".into()))));
    }
    if let Some(left) = store.budget(Some(installation)).await?.quota.filter(|left| quota::is_scarce(left, now)) {
        let why = format!("the {} requests that are left in this hour are for more important things", left.remaining);
        return Ok(Asked::Not(Looked::Later(left.resets_at, why)));
    }
    let last = store.last_tag(package).await?;
    let shape = last.as_ref().and_then(|(version, tag)| Shape::of(tag, version));
    let answer = forge.release(sight, &candidates(package, version, shape)).await;
    let paused = allowance::after(store, forge, Some(installation), now).await?;
    Ok(match answer {
        Ok(Shown::NotShown) => {
            found.tag = None;
            Asked::Answered(Looked::nothing("GitHub does not show its repository"))
        }
        Ok(Shown::Repository { name, release }) => {
            found.page = Some(format!("https://{}/{name}", forge.web_host()));
            let why = release.is_none().then(|| "nothing is written about it by any of the usual tags".to_string());
            if let Some(release) = release {
                found.tag = Some(release.tag);
                found.title = Some(release.title);
                found.body = Some(release.body);
            }
            Asked::Answered(Looked::All { private_to: None, why })
        }
        Err(ForgeError::RateLimited { until, .. }) => {
            let until = paused.map_or(until, |paused| paused.max(until));
            Asked::Not(Looked::Later(until, "GitHub asks for a pause".into()))
        }
        Err(error) if is_of_the_token(&error) => Asked::Not(Looked::Failed(error.to_string())),
        Err(error) if passes(&error) => Asked::Answered(Looked::Failed(error.to_string())),
        Err(error) => Asked::Answered(Looked::nothing(error.to_string())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_look_is_hours_after_the_draft_and_minutes_before_the_pull_request() {
        let now = at("2026-03-04T09:00:00Z");
        for (due, look) in [
            ("2026-03-09T06:00:00Z", "2026-03-04T11:00:00Z"),
            ("2026-03-04T10:00:00Z", "2026-03-04T09:50:00Z"),
            ("2026-03-04T09:05:00Z", "2026-03-04T09:00:00Z"),
            ("2026-03-01T00:00:00Z", "2026-03-04T09:00:00Z"),
        ] {
            assert_eq!(look_at(at(due), now), at(look), "{due}");
        }
    }

    #[test]
    fn what_is_wanted_changes_once_a_day() {
        assert_eq!(whole_days(at("2026-03-04T09:00:00Z")), at("2026-03-05T00:00:00Z"));
        assert_eq!(whole_days(at("2026-03-05T00:00:00Z")), at("2026-03-06T00:00:00Z"));
        assert_eq!(whole_days(Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn pauses_grow_to_some_hours() {
        assert_eq!([0, 1, 4].map(pause), [1, 2, 16].map(SignedDuration::from_mins));
        assert_eq!(pause(u32::MAX), PAUSE_MAX);
    }
}
