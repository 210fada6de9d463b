//! Which releases each dependency could move to, from when on, and why not to the others.

use super::catalogue::Catalogue;
use super::choice::{Assessed, Candidate, Choice, Prospect, Rejected};
use super::decided::Decisions;
use super::memory::{Memory, Question};
use super::refresh::{self, Pin};
use super::rejection::{Rejection, ignored, objection};
use super::timing::{self, ReleaseFacts};
use super::{Facts, Known, Used, age, python};
use crate::domain::update::short_digest;
use crate::domain::{Dependency, Ecosystem, PackageId, Release, RepoPath, Skip, Standing, VersionStep};
use crate::subscription::{Grouping, IgnoreRule, Subscription};
use crate::versioning::{GitTag, scheme};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Every dependency with what may become of it, sorted by file and line.
pub fn assess<'p: 'a, 'a>(
    facts: &Facts<'a>,
    catalogue: &mut Catalogue<'p>,
    memory: &Memory<'a>,
    now: Timestamp,
) -> Vec<Assessed<'a>> {
    let mut used: Vec<&Used> = facts.used.iter().collect();
    // Several uses may stand on one line, so everything that tells them apart has a say.
    used.sort_by_key(|Used { dependency: d, since }| {
        let text = (&d.constraint, &d.current, &d.written_name, &d.digest, since);
        (&d.path, d.line, &d.package, &d.manager, text)
    });
    let mut selection = Selection::over(facts, catalogue, memory, &used, now);
    let assessed = used.into_iter().map(|used| {
        let prospect = selection.prospect(used);
        let doubt = if matches!(prospect, Prospect::Newer(_)) { selection.doubt(&used.dependency) } else { None };
        Assessed { used, prospect, doubt }
    });
    assessed.collect()
}

/// The newer releases a constraint could be moved to, from the oldest version to the newest.
type Newer<'a> = Rc<[(&'a Release, VersionStep)]>;

/// What dependencies have in common is worked out once.
struct Selection<'s, 'p, 'a> {
    facts: &'s Facts<'a>,
    catalogue: &'s mut Catalogue<'p>,
    memory: &'s Memory<'a>,
    decisions: Decisions<'a>,
    now: Timestamp,
    /// Where in the subscription file the subscription stands that covers a file.
    covers: BTreeMap<(Ecosystem, &'a RepoPath), Option<usize>>,
    /// Since when a package has been used under a subscription.
    since: BTreeMap<(usize, &'a PackageId), Timestamp>,
    /// The ignore rules of a subscription that name a package.
    ignores: BTreeMap<(usize, &'a PackageId), Rc<[&'a IgnoreRule]>>,
    /// By package, constraint and version in use.
    newer: BTreeMap<(&'a PackageId, &'a str, &'a str), Newer<'a>>,
    pythons: python::Read<'a>,
}

impl<'s, 'p: 'a, 'a> Selection<'s, 'p, 'a> {
    fn over(
        facts: &'s Facts<'a>,
        catalogue: &'s mut Catalogue<'p>,
        memory: &'s Memory<'a>,
        used: &[&'a Used],
        now: Timestamp,
    ) -> Self {
        let mut covers = BTreeMap::new();
        let mut since: BTreeMap<_, Timestamp> = BTreeMap::new();
        for Used { dependency, since: here } in used.iter().copied() {
            let Dependency { path, package, .. } = dependency;
            let position =
                *covers.entry((package.ecosystem, path)).or_insert_with(|| position(facts, package.ecosystem, path));
            if let Some(position) = position {
                // All uses of a package under a subscription move together, so they count from the first of them.
                since.entry((position, package)).and_modify(|first| *first = (*first).min(*here)).or_insert(*here);
            }
        }
        let decisions = Decisions::of(facts.decisions);
        let (ignores, newer, pythons) = (BTreeMap::new(), BTreeMap::new(), python::Read::default());
        Self { facts, catalogue, memory, decisions, now, covers, since, ignores, newer, pythons }
    }

    fn prospect(&mut self, used: &'a Used) -> Prospect<'a> {
        let dependency = &used.dependency;
        let covered = self.covers.get(&(dependency.package.ecosystem, &dependency.path)).copied().flatten();
        let Some(position) = covered else { return Prospect::Settled(Standing::Refused, self.not_covered(dependency)) };
        let current = match (&dependency.skip, &dependency.current) {
            (None, Some(current)) => current.as_str(),
            (None, None) => return Prospect::Settled(Standing::Refused, Skip::Unpinned.to_string()),
            (Some(skip), _) => {
                let standing = match skip {
                    Skip::Variable(_) | Skip::NotUnderstood(_) => Standing::Failed,
                    Skip::Unpinned | Skip::NotFromRegistry | Skip::LeftAlone(_) => Standing::Refused,
                };
                return Prospect::Settled(standing, skip.to_string());
            }
        };
        if self.facts.unseen.contains(&dependency.package) {
            return Prospect::Settled(Standing::Failed, not_shown(&dependency.package));
        }
        match self.facts.packages.get(&dependency.package) {
            None | Some(Known::NotYetAsked) => {
                let why = "its registry has not been asked yet; that happens within minutes";
                return Prospect::Settled(Standing::Waiting, why.into());
            }
            Some(Known::Failed(why)) if why.is_empty() => {
                return Prospect::Settled(Standing::Failed, "its registry could not be asked".into());
            }
            Some(Known::Failed(why)) => return Prospect::Settled(Standing::Failed, why.clone()),
            Some(Known::Elsewhere(why)) => return Prospect::Settled(Standing::Waiting, why.clone()),
            Some(Known::Releases(_)) => {}
        }
        let tag = self.tag_beside_commit(dependency, current);
        let (constraint, current) = tag.map_or((dependency.constraint.as_str(), current), |tag| (tag, tag));
        let lanes = self.lanes(used, position, (constraint, current));
        if lanes.is_empty() {
            let package = &dependency.package;
            if package.ecosystem.is_of_the_forge() && self.catalogue.release(package, current).is_none() {
                let why =
                    format!("`{current}` is none of the known tags of {}, so what follows it is unknown", package.name);
                return Prospect::Settled(Standing::Failed, why);
            }
            if let Some(why) = self.doubt(dependency) {
                return Prospect::Settled(Standing::Refused, why);
            }
            let why = nothing_to_move_to(package, (constraint, current), self.offered(package, current));
            return Prospect::Settled(Standing::UpToDate, why);
        }
        if dependency.hashed
            && let Some(why) = self.facts.without_hashes.get(&dependency.package.ecosystem)
        {
            return Prospect::Settled(Standing::Refused, format!("it is pinned to hashes, and {why}"));
        }
        Prospect::Newer(lanes)
    }

    /// What is said of a pin whose tag points at something else and should not, whatever else becomes of it.
    fn doubt(&mut self, dependency: &Dependency) -> Option<String> {
        let current = dependency.current.as_deref()?;
        let current = self.tag_beside_commit(dependency, current).unwrap_or(current);
        match refresh::of(dependency, current, self.catalogue) {
            Pin::Doubtful(digest) => Some(doubtful(current, digest)),
            Pin::Kept | Pin::Stale(_) => None,
        }
    }

    /// The tag that the comment beside a pinned commit means although it is written with another `v`: `v4.1.2` for `# 4.1.2`.
    /// Where no commit is pinned, the text itself is what is used.
    fn tag_beside_commit(&mut self, dependency: &Dependency, current: &str) -> Option<&'a str> {
        let package = &dependency.package;
        if package.ecosystem != Ecosystem::GithubActions || dependency.digest.is_none() {
            return None;
        }
        let tag = GitTag::with_or_without_v(current)?;
        match self.catalogue.release(package, current) {
            Some(_) => None,
            None => self.catalogue.release(package, &tag).map(|release| release.version.as_str()),
        }
    }

    fn not_covered(&self, dependency: &Dependency) -> String {
        let ecosystem = dependency.package.ecosystem;
        let about = self.facts.file.subscriptions.iter().filter(|one| one.migration.ecosystem() == Some(ecosystem));
        let lines: Vec<String> = about.map(|one| one.line.to_string()).collect();
        let lines = match lines.as_slice() {
            [] => return format!("there is no subscription to {ecosystem}"),
            [one] => format!("line {one}"),
            [most @ .., last] => format!("lines {} and {last}", most.join(", ")),
        };
        let path = &dependency.path;
        format!("{path} is outside the `paths` of every {ecosystem} subscription ({lines} of the subscription file)")
    }

    /// The lanes with something newer in them than a constraint and the version it stands for, sorted by group.
    fn lanes(&mut self, used: &'a Used, position: usize, (constraint, current): (&'a str, &'a str)) -> Vec<Choice<'a>> {
        let facts = self.facts;
        let Some(subscription) = facts.file.subscriptions.get(position) else { return Vec::new() };
        let dependency = &used.dependency;
        let scheme = scheme(dependency.package.ecosystem);
        let dependency_since = self.since.get(&(position, &dependency.package)).copied().unwrap_or(used.since);
        // A subscription nobody knows the beginning of begins now: late is better than early.
        let subscribed_since = facts.subscribed_since.get(position).copied().unwrap_or(self.now);
        let ignores = self.ignores(position, subscription, &dependency.package);
        let package = &dependency.package;
        let key = (package, constraint, current);
        let newer = match self.newer.get(&key) {
            Some(newer) => newer.clone(),
            None => {
                let newer = movable_to(package, (constraint, current), &self.offered(package, current).0);
                self.newer.entry(key).or_insert(newer).clone()
            }
        };
        let snoozed = self.decisions.snooze(package);

        let in_use = self.catalogue.release(package, current);
        let refreshed = match refresh::of(dependency, current, self.catalogue) {
            Pin::Stale(digest) => in_use.map(|release| (release, VersionStep::Patch, Some(digest))),
            Pin::Kept | Pin::Doubtful(_) => None,
        };
        let newer = newer.iter().map(|(release, step)| (*release, *step, None));
        // Whoever says nothing of Python needs no look at what the one in use says.
        let equal = dependency.python.as_ref().and_then(|_| self.catalogue.equal_to(package, current));

        let mut lanes: BTreeMap<String, Choice<'a>> = BTreeMap::new();
        for (release, step, refresh) in refreshed.into_iter().chain(newer) {
            let group = group_of(subscription, &dependency.package, step);
            let lane = lanes.entry(group.clone()).or_insert_with(|| {
                let (candidates, rejected) = (Vec::new(), Vec::new());
                Choice { used, subscription, group, candidates, rejected }
            });
            let version = release.version.as_str();
            let counts_from = age::of(release, dependency);
            let moved = counts_from > release.counts_from;
            let rejection = ignored(&ignores, scheme, version)
                .or_else(|| self.decisions.refusal(package, version, scheme))
                .or_else(|| self.pythons.rejection(dependency, (constraint, current), (equal, release), scheme))
                .or_else(|| {
                    let question = Question { dependency, group: &lane.group, version, refresh, counts_from };
                    objection(self.memory, &question, scheme, self.now)
                });
            if let Some(why) = rejection {
                lane.rejected.push(Rejected { version, refresh, why });
                continue;
            }
            let eligible_at = ReleaseFacts { counts_from, subscribed_since, dependency_since }
                .eligible_at(subscription.min_age.for_step(step));
            let delay = subscription.delay.for_step(step);
            let not_before = snoozed.map_or(eligible_at, |(_, until)| eligible_at.max(until));
            let due_at = timing::due_at(delay, &facts.file.timezone, not_before);
            if due_at == Timestamp::MAX {
                let why = Rejection::Never { delay: delay.kind(), line: subscription.line };
                lane.rejected.push(Rejected { version, refresh, why });
                continue;
            }
            let open = self.memory.open(dependency, version, refresh);
            lane.candidates.push(Candidate {
                version,
                refresh,
                step,
                counts_from,
                moved,
                subscribed_since,
                dependency_since,
                eligible_at,
                due_at,
                snoozed,
                open,
            });
        }
        lanes.into_values().collect()
    }

    /// The releases newer than a version that whoever uses it may be offered, and those kept from him because his registry
    /// calls an older one the latest. Prereleases have rules of their own.
    fn offered(&mut self, package: &PackageId, current: &str) -> (Vec<&'a Release>, Vec<&'a Release>) {
        let newer = self.catalogue.newer_than(package, current).to_vec();
        if !newer.iter().any(|release| release.above_latest) || self.catalogue.is_above_latest(package, current) {
            return (newer, Vec::new());
        }
        let scheme = scheme(package.ecosystem);
        newer.into_iter().partition(|release| !release.above_latest || scheme.is_prerelease(&release.version))
    }

    fn ignores(
        &mut self,
        position: usize,
        subscription: &'a Subscription,
        package: &'a PackageId,
    ) -> Rc<[&'a IgnoreRule]> {
        let naming = || subscription.ignore.iter().filter(|rule| rule.names(package)).collect();
        self.ignores.entry((position, package)).or_insert_with(naming).clone()
    }
}

/// What is said of a repository that GitHub does not show, be it that there is none or that it is somebody else's.
pub fn not_shown(package: &PackageId) -> String {
    format!("GitHub does not show the repository {}: it is not there, or it is private", package.name)
}

/// The place in the file of the subscription that covers a file of the repository.
fn position(facts: &Facts<'_>, ecosystem: Ecosystem, path: &RepoPath) -> Option<usize> {
    let meant = facts.file.subscription_for(ecosystem, path)?;
    facts.file.subscriptions.iter().position(|one| std::ptr::eq(one, meant))
}

/// What is said of a pin whose tag points at something else and should not.
fn doubtful(tag: &str, digest: &str) -> String {
    let digest = short_digest(digest);
    format!(
        "the tag {tag} points at {digest} by now, and not at what is pinned; a tag of one release should stay where it is, so the pin does"
    )
}

/// Of the releases that are newer than the version in use, those the constraint could be moved to.
fn movable_to<'a>(package: &PackageId, (constraint, current): (&str, &str), newer: &[&'a Release]) -> Newer<'a> {
    let scheme = scheme(package.ecosystem);
    newer
        .iter()
        .filter(|r| !r.yanked && scheme.is_candidate(constraint, current, &r.version))
        .filter_map(|r| Some((*r, scheme.step(current, &r.version)?)))
        .collect()
}

/// Why the constraint can be moved to none of the releases that are newer than the version in use, in words.
fn nothing_to_move_to(
    package: &PackageId,
    (constraint, current): (&str, &str),
    (newer, kept_back): (Vec<&Release>, Vec<&Release>),
) -> String {
    let scheme = scheme(package.ecosystem);
    if newer.iter().any(|r| r.yanked && scheme.is_candidate(constraint, current, &r.version)) {
        return "what is newer was taken back by its publisher".into();
    }
    let mut allowed = newer.iter().rev().filter(|r| !r.yanked && !scheme.is_prerelease(&r.version));
    let newest_allowed = allowed.find(|r| scheme.matches(constraint, &r.version) == Ok(true));
    match newest_allowed {
        Some(release) => format!("`{constraint}` allows {} already", release.version),
        None if kept_back.iter().any(|r| !r.yanked && scheme.is_candidate(constraint, current, &r.version)) => {
            "what is newer is above the version that its publisher calls the latest".into()
        }
        None => "there is nothing newer".into(),
    }
}

/// The name of the group an update belongs to. Only a package's own group has a name without a space in it, so no
/// package can get into another's.
///
/// A major step is another matter than the small ones, which should neither wait for it nor bring it along: only `all`
/// asks for both in one.
fn group_of(subscription: &Subscription, package: &PackageId, step: VersionStep) -> String {
    let whole = |what: &str| {
        // Of two subscriptions with paths of their own, each has its own pull request.
        let paths = subscription.paths.as_slice().join(" ");
        let within = if paths.is_empty() { String::new() } else { format!(" in {paths}") };
        format!("{} {what}{within}", package.ecosystem)
    };
    match &subscription.group {
        Grouping::All => whole("all"),
        Grouping::Named(name) if step == VersionStep::Major => format!("group {name} major"),
        Grouping::Named(name) => format!("group {name}"),
        Grouping::None | Grouping::MinorAndPatch if step == VersionStep::Major => format!("{package} major"),
        Grouping::MinorAndPatch => whole("minor-and-patch"),
        Grouping::None => package.to_string(),
    }
}
