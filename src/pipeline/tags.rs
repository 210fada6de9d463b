//! Whose token reads the tags of an action or a hook, and what comes of it.
//!
//! A package is looked up once for everybody, but not everybody may see every repository. So there are two ways to look.
//! As *everybody*: with a token of some installation that uses the package, which opens one repository that uses it and no
//! other one; what comes back counts for all, once GitHub has said that it is not private. Or as the *owner*: a private
//! repository of an installation, which a repository of that same installation uses, is read with a token for it; what
//! comes back counts for repositories of that installation alone ([`PackageRow::private_to`]).

use super::{Done, Step, StepError, allowance};
use crate::domain::{Ecosystem, InstallationId, ObjectId, PackageId, RepoId, RepoName, RepoState};
use crate::forge::{ForgeError, GitHub, Sight, TagList, Tags};
use crate::planner;
use crate::store::{PackageRow, RepositoryRow, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Of this many users of a package the installations are considered in whose name to ask …
const USERS_CONSIDERED: u32 = 2_000;
/// … and of those so many.
const INSTALLATIONS_CONSIDERED: usize = 8;
/// For so long the same ones are considered, since GitHub is asked with the same tokens then, and no longer: it must not be
/// always the same who spend their requests, and who cannot ask must not be all that are tried.
const TURN: SignedDuration = SignedDuration::from_mins(60);

/// What came of a look at a repository's tags.
pub(super) enum Look {
    /// Nothing changed.
    NotModified,
    /// The tags, and whose private repository it is.
    Found(TagList, Option<InstallationId>),
    /// There is nothing to be had, for the reason given, and that will not change soon.
    Nothing(String),
    /// It is not known now.
    Failed(ForgeError),
    /// Nobody may ask before this.
    Later(Timestamp, Option<String>),
}

/// Looks at the tags of a package, in the name of whoever may ask.
pub(super) async fn look(store: &Store, forge: &GitHub, row: &PackageRow, now: Timestamp) -> Result<Look, StepError> {
    let package = &row.package;
    let name = match repository_of(package, &forge.web_host()) {
        Ok(name) => name,
        Err(why) => return Ok(Look::Nothing(why)),
    };
    let known = store.repository_by_name(&name).await?.filter(|known| known.repository.state == RepoState::Active);
    let mut later: Option<(Timestamp, Option<String>)> = None;
    let mut failed = None;
    // A private repository is not asked for as everybody: that would only spend a request on a no.
    if known.as_ref().is_none_or(|known| !known.repository.private) {
        for sight in readers(store, package, &name, now).await? {
            match look_as(store, forge, row, &sight, now).await? {
                Look::Later(until, why) => {
                    // Another installation may have requests left.
                    if later.as_ref().is_none_or(|(earliest, _)| until < *earliest) {
                        later = Some((until, why));
                    }
                }
                // This installation cannot ask; what is wrong with it comes out elsewhere.
                Look::Failed(error) if is_of_the_token(&error) => {
                    tracing::debug!(%package, %error, "tags are looked at in another installation's name");
                    failed = Some(error);
                }
                // It may be private since, and ours.
                Look::Nothing(_) => break,
                answer => return Ok(answer),
            }
        }
    }
    if let Some(known) = known
        && store.user_within(package, known.repository.installation).await?.is_some()
        && (known.repository.private || later.is_none())
    {
        return look_as(store, forge, row, &Sight::Own(super::target(&known)), now).await;
    }
    Ok(match (later, failed) {
        (Some((until, why)), _) => Look::Later(until, why),
        (None, Some(error)) => Look::Failed(error),
        (None, None) => Look::Nothing(planner::not_shown(package)),
    })
}

/// The commit that a tag points at now, as a repository may see it that is about to write it down.
///
/// `None` where there is no such tag, or it is not for this repository to see.
pub(super) async fn commit_of(
    store: &Store,
    forge: &GitHub,
    user: &RepositoryRow,
    package: &PackageRow,
    tag: &str,
) -> Result<Option<ObjectId>, StepError> {
    let Ok(name) = repository_of(&package.package, &forge.web_host()) else { return Ok(None) };
    let sight = match package.private_to {
        None => everybody(name, user.repository.installation, user.repository.id),
        Some(owner) if owner != user.repository.installation => return Ok(None),
        Some(owner) => match store.repository_by_name(&name).await? {
            Some(known) if known.repository.installation == owner => Sight::Own(super::target(&known)),
            _ => return Ok(None),
        },
    };
    Ok(forge.tag(&sight, tag).await?)
}

/// One look, unless the installation in whose name it would be has to leave GitHub alone.
async fn look_as(
    store: &Store,
    forge: &GitHub,
    row: &PackageRow,
    sight: &Sight,
    now: Timestamp,
) -> Result<Look, StepError> {
    let step = Step::Watch { package: row.package.clone() };
    let installation = Some(sight.installation());
    if let Some(Done::PutOff { until, why, .. }) = allowance::before(store, forge, &step, installation, now).await? {
        return Ok(Look::Later(until, why));
    }
    let private_to = match sight {
        Sight::Public { .. } => None,
        Sight::Own(target) => Some(target.installation),
    };
    // What was read in another way says nothing of what is read in this one.
    let marks = row.etag.as_deref().filter(|_| row.private_to == private_to);
    let answer = forge.tags(sight, marks).await;
    let paused = allowance::after(store, forge, installation, now).await?;
    Ok(match answer {
        Ok(Tags::NotModified) => Look::NotModified,
        Ok(Tags::NotShown) => Look::Nothing(planner::not_shown(&row.package)),
        Ok(Tags::Found(list)) => Look::Found(list, private_to),
        Err(ForgeError::RateLimited { until, .. }) => {
            Look::Later(paused.map_or(until, |paused| paused.max(until)), None)
        }
        Err(error) => Look::Failed(error),
    })
}

/// In whose names to look as everybody, the one with the most requests left first.
///
/// Of a package that thousands use not all users are looked at: those from some place on, another one in each turn, and from
/// the first on where these are not enough.
pub(super) async fn readers(
    store: &Store,
    package: &PackageId,
    name: &RepoName,
    now: Timestamp,
) -> Result<Vec<Sight>, StoreError> {
    let Some((first, last)) = store.users_span(package).await? else { return Ok(Vec::new()) };
    let turn = turn(package, now);
    let from = RepoId(first.0 + place(turn, last.0.abs_diff(first.0).saturating_add(1)));
    let mut of_each: BTreeMap<InstallationId, RepoId> =
        store.installations_using(package, from, USERS_CONSIDERED).await?.into_iter().collect();
    if of_each.len() < INSTALLATIONS_CONSIDERED && from > first {
        for (installation, repo) in store.installations_using(package, first, USERS_CONSIDERED).await? {
            of_each.entry(installation).or_insert(repo);
        }
    }
    let of_each = some_of(of_each.into_iter().collect(), turn);
    let mut by_requests_left = Vec::with_capacity(of_each.len());
    for (installation, repo) in of_each {
        // Who was never heard of has asked nothing yet.
        let left = store.budget(Some(installation)).await?.quota.map_or(i64::MAX, |quota| quota.remaining);
        by_requests_left.push((left, installation, repo));
    }
    by_requests_left.sort_by_key(|(left, ..)| std::cmp::Reverse(*left));
    Ok(by_requests_left
        .into_iter()
        .map(|(_, installation, repo)| everybody(name.clone(), installation, repo))
        .collect())
}

/// A number that says where to begin: another one for each package, and in each turn. Pure.
pub(super) fn turn(package: &PackageId, now: Timestamp) -> u64 {
    let turn = now.as_second().div_euclid(TURN.as_secs());
    let digest = Sha256::digest(format!("{package} {turn}"));
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Of so many places the one that a number stands for, counted from 0. Pure.
pub(super) fn place(turn: u64, places: u64) -> i64 {
    i64::try_from(turn.checked_rem(places).unwrap_or_default()).unwrap_or_default()
}

/// As many as are considered, from one on and round about. Pure.
fn some_of(mut installations: Vec<(InstallationId, RepoId)>, turn: u64) -> Vec<(InstallationId, RepoId)> {
    // The upper half: the lower has chosen where among the repositories to begin.
    let first = place(turn >> 32, installations.len() as u64);
    installations.rotate_left(usize::try_from(first).unwrap_or_default());
    installations.truncate(INSTALLATIONS_CONSIDERED);
    installations
}

fn everybody(name: RepoName, installation: InstallationId, on_behalf_of: RepoId) -> Sight {
    Sight::Public { name, installation, on_behalf_of }
}

/// Whether it was the asking installation that could not ask, rather than the repository that could not be read.
pub(super) fn is_of_the_token(error: &ForgeError) -> bool {
    match error {
        ForgeError::Suspended { .. } | ForgeError::Unauthorized { .. } => true,
        ForgeError::Gone { endpoint, .. } | ForgeError::Forbidden { endpoint, .. } => endpoint.starts_with("POST "),
        _ => false,
    }
}

/// The repository of the forge that a package is, or why it is none. Pure.
pub(super) fn repository_of(package: &PackageId, host: &str) -> Result<RepoName, String> {
    let name = match package.ecosystem {
        Ecosystem::PreCommit => match package.name.split_once('/') {
            Some((at, path)) if at == host => path,
            _ => return Err(format!("{} is not looked up: only repositories of {host} are", package.name)),
        },
        _ => &package.name,
    };
    RepoName::parse(name).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybodys_turn_comes() {
        let package = PackageId { ecosystem: Ecosystem::GithubActions, name: "actions/cache".into() };
        let users: Vec<(InstallationId, RepoId)> = (1..=20).map(|n| (InstallationId(n), RepoId(100 + n))).collect();
        let asked = |turns: i32| {
            let turn = turn(&package, Timestamp::UNIX_EPOCH + TURN * turns);
            some_of(users.clone(), turn)
        };
        assert_eq!(asked(3), some_of(users.clone(), turn(&package, Timestamp::UNIX_EPOCH + TURN * 3 + TURN / 2)));
        let mut times = BTreeMap::new();
        for (installation, _) in (0..200).flat_map(asked) {
            *times.entry(installation).or_insert(0) += 1;
        }
        // 80 on average.
        assert!(times.len() == 20 && times.values().all(|times| (40..=120).contains(times)), "{times:?}");
        assert_eq!(some_of(users[..3].to_vec(), 5).len(), 3);
        assert_eq!(some_of(Vec::new(), 5), []);
        assert_eq!([place(7, 0), place(7, 1), place(7, 4), place(u64::MAX, u64::MAX)], [0, 0, 3, 0]);
    }

    #[test]
    fn hooks_of_other_hosts_are_no_repositories_of_ours() {
        let of = |ecosystem, name: &str| {
            let package = PackageId { ecosystem, name: name.into() };
            repository_of(&package, "github.com").map(|name| name.to_string())
        };
        assert_eq!(of(Ecosystem::GithubActions, "actions/cache").unwrap(), "actions/cache");
        assert_eq!(of(Ecosystem::PreCommit, "github.com/psf/black").unwrap(), "psf/black");
        let why = of(Ecosystem::PreCommit, "gitlab.com/pycqa/flake8").unwrap_err();
        assert_eq!(why, "gitlab.com/pycqa/flake8 is not looked up: only repositories of github.com are");
        assert!(of(Ecosystem::PreCommit, "github.com/a/b/c").is_err());
        assert!(of(Ecosystem::GithubActions, "../x").is_err());
    }
}
