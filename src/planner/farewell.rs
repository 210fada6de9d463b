//! Whether what is open is still wanted, update by update.

use super::decided::Decisions;
use super::rejection::ignored;
use super::{Known, Used};
use crate::domain::{Decision, Dependency, PackageId, RepoPath, Update};
use crate::planner::prose::display_name;
use crate::subscription::SubscriptionFile;
use crate::versioning::scheme;
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

/// All its places are up to date, or gone.
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
    let scheme = scheme(update.package.ecosystem);
    let mut found = None;
    for dependency in uses {
        let current = dependency.current.as_deref().filter(|_| dependency.skip.is_none())?;
        match scheme.compare(current, &update.to) {
            _ if current == update.to => found = Some(current),
            Some(Ordering::Less) => return None,
            Some(Ordering::Equal | Ordering::Greater) => found = Some(current),
            // Another variant of it, of which this update says nothing.
            None => {}
        }
    }
    Some(match found {
        Some(current) => format!("{files} has {name} {current} already"),
        None => format!("{name} is not in {files} any more as it was"),
    })
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
