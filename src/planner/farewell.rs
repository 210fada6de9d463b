//! Whether what is open is still wanted, update by update.

use super::decided::Decisions;
use super::rejection::ignored;
use super::{Known, Used};
use crate::domain::{Decision, Dependency, Ecosystem, PackageId, Release, RepoPath, Site, Update};
use crate::planner::prose::display_name;
use crate::subscription::SubscriptionFile;
use crate::versioning::{GitTag, scheme};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// What speaks for or against an update that is open.
pub struct Today<'a> {
    /// The subscription file in force.
    pub file: &'a SubscriptionFile,
    /// The repository's dependencies.
    pub used: &'a [Used],
    /// Its files that could not be read: what they use is not known.
    pub unreadable: &'a BTreeSet<RepoPath>,
    /// What is known about their packages.
    pub packages: &'a BTreeMap<PackageId, Known>,
    /// Those of them that this repository may not know anything of.
    pub unseen: &'a BTreeSet<PackageId>,
    /// What people decided about its packages.
    pub decisions: &'a [Decision],
}

/// Why an update that is open is not wanted any more, in a sentence; `None` where nothing speaks against it.
///
/// Only what is known for sure counts: a file that cannot be read, or a registry that does not answer, closes nothing.
pub fn unwanted(update: &Update, today: &Today<'_>) -> Option<String> {
    done_or_gone(update, today).or_else(|| taken_back(update, today)).or_else(|| ruled_out(update, today))
}

/// Whether an update would change a dependency as it stands in its file now.
pub fn moves(update: &Update, dependency: &Dependency) -> bool {
    let Update { package, to, refresh, sites, .. } = update;
    let is_for = |site: &Site| {
        site.path == dependency.path && site.manager == dependency.manager && is_for_pythons_of(site, dependency)
    };
    let current = dependency.current.as_deref().filter(|_| dependency.skip.is_none());
    let Some(current) = current.filter(|_| dependency.package == *package && sites.iter().any(is_for)) else {
        return false;
    };
    let scheme = scheme(package.ecosystem);
    // The comment beside a pinned commit may have another `v` than the tag it means.
    let tag = dependency.digest.as_ref().and_then(|_| GitTag::with_or_without_v(current));
    let tag = tag.filter(|_| package.ecosystem == Ecosystem::GithubActions);
    match (refresh, &dependency.digest) {
        (Some(refresh), Some(pinned)) => {
            (current == to || tag.as_ref() == Some(to)) && !pinned.eq_ignore_ascii_case(refresh)
        }
        (Some(_), None) => false,
        (None, _) => {
            let is_behind = |constraint: &str, current: &str| {
                scheme.is_candidate(constraint, current, to) && scheme.step(current, to).is_some()
            };
            is_behind(&dependency.constraint, current) || tag.is_some_and(|tag| is_behind(&tag, &tag))
        }
    }
}

/// As far as the places of a package in a file are told apart by versions of Python.
fn is_for_pythons_of(site: &Site, dependency: &Dependency) -> bool {
    site.python.is_none() || site.python == dependency.python
}

/// Whether each place of these updates stands in its file as it did: if not, nobody could merge them any more.
pub fn all_stand<'d>(updates: &[Update], used: impl Iterator<Item = &'d Dependency> + Clone) -> bool {
    updates.iter().all(|update| {
        let here = used.clone().filter(|d| d.package == update.package);
        update.sites.iter().all(|site| here.clone().any(|d| stands(site, d)))
    })
}

/// Whether a dependency of the same package still is what stood at a place.
fn stands(site: &Site, dependency: &Dependency) -> bool {
    site.path == dependency.path
        && site.constraint == dependency.constraint
        && site.digest == dependency.digest
        && is_for_pythons_of(site, dependency)
}

/// All its places are up to date, or gone, or were changed so that nothing of it could be merged any more.
fn done_or_gone(update: &Update, today: &Today<'_>) -> Option<String> {
    let paths: BTreeSet<&RepoPath> = update.sites.iter().map(|site| &site.path).collect();
    if paths.iter().any(|path| today.unreadable.contains(path)) {
        return None;
    }
    let name = display_name(&update.package);
    let files = paths.iter().map(|path| path.as_str()).collect::<Vec<_>>().join(", ");
    let here = |d: &&Dependency| d.package == update.package && paths.contains(&d.path);
    let uses: Vec<&Dependency> = today.used.iter().map(|used| &used.dependency).filter(here).collect();
    if uses.is_empty() {
        return Some(format!("{name} is not in {files} any more"));
    }
    // A version that is pinned to what its tag points at now needs no refresh, whatever that was meant to bring.
    let release = release(update, today);
    let newest = release.and_then(|release| release.content.as_ref()).map(|content| content.digest.as_str());
    let is_fresh = |d: &Dependency| match (&update.refresh, &d.digest) {
        (Some(refresh), Some(pinned)) => {
            pinned.eq_ignore_ascii_case(refresh) || newest.is_some_and(|newest| pinned.eq_ignore_ascii_case(newest))
        }
        _ => false,
    };
    let is_left = |d: &&Dependency| update.sites.iter().any(|site| stands(site, d)) || moves(update, d);
    if uses.iter().copied().filter(is_left).any(|d| !is_fresh(d)) {
        return None;
    }
    if uses.iter().any(|d| is_fresh(d)) {
        return Some(format!("{files} has what {name} {} points at already", update.to));
    }
    let scheme = scheme(update.package.ecosystem);
    let is_there = |current: &&str| match scheme.compare(current, &update.to) {
        Some(Ordering::Greater) => true,
        Some(Ordering::Equal) => update.refresh.is_none(),
        // Another variant of it, of which this update says nothing.
        Some(Ordering::Less) | None => false,
    };
    Some(match uses.iter().filter_map(|d| d.current.as_deref()).find(is_there) {
        Some(current) => format!("{files} has {name} {current} already"),
        None => format!("{name} is not in {files} any more as it was"),
    })
}

/// What is known of the release that an update moves to.
fn release<'a>(update: &Update, today: &Today<'a>) -> Option<&'a Release> {
    match today.packages.get(&update.package) {
        Some(Known::Releases(releases)) if !today.unseen.contains(&update.package) => {
            releases.iter().find(|release| release.version == update.to)
        }
        _ => None,
    }
}

/// Its release was yanked or deleted.
fn taken_back(update: &Update, today: &Today<'_>) -> Option<String> {
    let (name, to) = (display_name(&update.package), &update.to);
    if today.unseen.contains(&update.package) {
        return None;
    }
    let Some(Known::Releases(releases)) = today.packages.get(&update.package) else { return None };
    match releases.iter().find(|release| release.version == *to) {
        Some(release) if release.yanked => Some(format!("{name} {to} was taken back by its publisher")),
        None if !releases.is_empty() => Some(format!("{name} {to} was deleted by its publisher")),
        _ => None,
    }
}

/// The file does not ask for it any more, or a person does not want it.
fn ruled_out(update: &Update, today: &Today<'_>) -> Option<String> {
    let (name, to, scheme) = (display_name(&update.package), &update.to, scheme(update.package.ecosystem));
    let covering = |path: &RepoPath| today.file.subscription_for(update.package.ecosystem, path);
    let covered: Vec<_> = update.sites.iter().filter_map(|site| covering(&site.path)).collect();
    if covered.is_empty() {
        return Some(format!("no subscription asks for {name} any more"));
    }
    let by_rule = |subscription: &&crate::subscription::Subscription| {
        let rules: Vec<_> = subscription.ignore.iter().filter(|rule| rule.names(&update.package)).collect();
        ignored(&rules, scheme, to)
    };
    let rules: Vec<_> = covered.iter().map(by_rule).collect();
    let by_rule = rules.iter().all(Option::is_some).then(|| rules.into_iter().flatten().next()).flatten();
    let rejection = by_rule.or_else(|| Decisions::of(today.decisions).refusal(&update.package, to, scheme))?;
    Some(format!("{name} {to}: {rejection}"))
}
