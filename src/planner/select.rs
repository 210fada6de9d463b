//! Which releases each dependency could move to, from when on, and why not to the others.

use super::catalogue::Catalogue;
use super::memory::{Memory, Objection, Question};
use super::timing::{self, ReleaseFacts};
use super::{Facts, Known, Used};
use crate::domain::{Dependency, Ecosystem, PackageId, Proposal, ProposalState, Release, RepoPath, Skip, Standing};
use crate::domain::{PullNumber, VersionStep};
use crate::subscription::{Delay, Grouping, IgnoreRule, Subscription};
use crate::versioning::{Scheme, scheme};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

/// A release a dependency may move to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The version.
    pub version: &'a str,
    /// How far it is from the version in use.
    pub step: VersionStep,
    /// From when its age counts.
    pub counts_from: Timestamp,
    /// When it is old enough, and both subscription and dependency were there.
    pub eligible_at: Timestamp,
    /// The first moment the delay allows.
    pub due_at: Timestamp,
    /// The open pull request that moves the dependency to it, of whichever group.
    pub open: Option<&'a Proposal>,
}

/// Why a newer release is not proposed, whatever the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// An ignore rule of the subscription names it.
    Ignored {
        /// The line of the rule in the subscription file.
        line: u32,
        /// The rule in words.
        rule: String,
    },
    /// A person closed a pull request with it, or with a newer one that passed over it.
    Closed(Earlier),
    /// A pull request with it, or with a newer one, was merged, but the file does not have it (any more, or yet).
    Merged(Earlier),
    /// Making the pull request failed.
    Failed(String),
    /// The delay has no slot left on the calendar.
    Never(String),
}

/// An earlier pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its number, where it got one.
    pub number: Option<PullNumber>,
    /// The version it went to, where that is newer than the release.
    pub went_to: Option<String>,
}

impl fmt::Display for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pull request")?;
        self.number.map_or(Ok(()), |number| write!(f, " #{number}"))?;
        match &self.went_to {
            Some(version) => write!(f, ", which went past it to {version},"),
            None => f.write_str(" with it"),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignored { line, rule } => write!(f, "line {line} of the subscription file ignores {rule}"),
            Self::Closed(pull) => write!(f, "{pull} was closed by a person; only newer releases are proposed"),
            // True in the minutes until the merged file is read, too.
            Self::Merged(pull) => {
                write!(f, "{pull} was merged; if the file goes without it, it is not proposed a second time")
            }
            Self::Failed(why) => write!(f, "its pull request could not be made: {why}"),
            Self::Never(delay) => write!(f, "the delay ({delay}) never comes again"),
        }
    }
}

/// One dependency under one subscription, in one lane: with `group: minor-and-patch` major updates take a lane of
/// their own, so that they never hold the others back.
pub struct Choice<'a> {
    /// The dependency.
    pub used: &'a Used,
    /// The subscription that covers it.
    pub subscription: &'a Subscription,
    /// The group its proposals belong to.
    pub group: String,
    /// What it may move to, from the oldest version to the newest.
    pub candidates: Vec<Candidate<'a>>,
    /// The newer releases it may not move to, from the oldest version to the newest.
    pub rejected: Vec<(&'a str, Rejection)>,
}

impl<'a> Choice<'a> {
    /// What it should move to at a given time: the newest version whose due time has come, or which is open already.
    ///
    /// What is open counts even when the rules have become slower since: nobody wants a step back in its place.
    pub fn target_at(&self, time: Timestamp) -> Option<&Candidate<'a>> {
        self.candidates.iter().rev().find(|c| c.open.is_some() || c.due_at <= time)
    }

    /// Why a candidate is not a pull request yet, as far as age and delay go. `name` is how it is called.
    pub fn reason(&self, candidate: &Candidate<'_>, name: &str, timezone: &TimeZone, now: Timestamp) -> String {
        let min_age = self.subscription.min_age.for_step(candidate.step);
        let delay = &self.subscription.delay;
        if now.duration_since(candidate.counts_from) < min_age {
            let young = timing::too_young(name, candidate.counts_from, min_age, now);
            return match delay {
                Delay::Immediate => young,
                Delay::Schedule(_) => {
                    format!("{young}; then it {}", timing::waits_for(delay, timezone, candidate.due_at))
                }
            };
        }
        if candidate.due_at > now {
            return timing::waits_for(delay, timezone, candidate.due_at);
        }
        format!("due since {}, it is opened next", timing::moment_in_words(timezone, candidate.due_at))
    }

    /// When the words of [`reason`](Self::reason) change next although the target stays.
    pub fn reworded_at(&self, candidate: &Candidate<'_>, now: Timestamp) -> Option<Timestamp> {
        let min_age = self.subscription.min_age.for_step(candidate.step);
        timing::too_young_until(candidate.counts_from, min_age, now)
    }

    /// The candidates that are newer than the target of a time, so not due then, from the oldest to the newest.
    pub fn ahead(&self, time: Timestamp) -> &[Candidate<'a>] {
        let behind = self.candidates.iter().rposition(|c| c.open.is_some() || c.due_at <= time).map_or(0, |i| i + 1);
        self.candidates.get(behind..).unwrap_or_default()
    }

    /// Whether nothing it may move to is newer than the newest release it may not move to.
    pub fn newest_is_rejected(&self) -> bool {
        let scheme = scheme(self.used.dependency.package.ecosystem);
        let Some((rejected, _)) = self.rejected.last() else { return false };
        self.candidates.last().is_none_or(|c| scheme.compare(c.version, rejected) == Some(Ordering::Less))
    }

    /// The next time after `time` at which the target changes.
    pub fn next_change(&self, time: Timestamp) -> Option<Timestamp> {
        self.ahead(time).iter().map(|c| c.due_at).min()
    }
}

/// A dependency, and what may become of it.
pub struct Assessed<'a> {
    /// The dependency.
    pub used: &'a Used,
    /// What may become of it.
    pub prospect: Prospect<'a>,
}

/// What may become of a dependency.
pub enum Prospect<'a> {
    /// There are newer releases: the lanes they are in, never none.
    Newer(Vec<Choice<'a>>),
    /// There is nothing to choose from, and why.
    Settled(Standing, String),
}

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
    used.into_iter().map(|used| Assessed { used, prospect: selection.prospect(used) }).collect()
}

/// The newer releases a constraint could be moved to, from the oldest version to the newest.
type Newer<'a> = Rc<[(&'a Release, VersionStep)]>;

/// What dependencies have in common is worked out once.
struct Selection<'s, 'p, 'a> {
    facts: &'s Facts<'a>,
    catalogue: &'s mut Catalogue<'p>,
    memory: &'s Memory<'a>,
    now: Timestamp,
    /// Where in the subscription file the subscription stands that covers a file.
    covers: BTreeMap<(Ecosystem, &'a RepoPath), Option<usize>>,
    /// Since when a package has been used under a subscription.
    since: BTreeMap<(usize, &'a PackageId), Timestamp>,
    /// The ignore rules of a subscription that name a package.
    ignores: BTreeMap<(usize, &'a PackageId), Rc<[&'a IgnoreRule]>>,
    /// By package, constraint and version in use.
    newer: BTreeMap<(&'a PackageId, &'a str, &'a str), Newer<'a>>,
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
        Self { facts, catalogue, memory, now, covers, since, ignores: BTreeMap::new(), newer: BTreeMap::new() }
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
        match self.facts.packages.get(&dependency.package) {
            None | Some(Known::NotYetAsked) => {
                let why = "its registry has not been asked yet; that happens within minutes";
                return Prospect::Settled(Standing::Waiting, why.into());
            }
            Some(Known::Failed(why)) if why.is_empty() => {
                return Prospect::Settled(Standing::Failed, "its registry could not be asked".into());
            }
            Some(Known::Failed(why)) => return Prospect::Settled(Standing::Failed, why.clone()),
            Some(Known::Releases(_)) => {}
        }
        let lanes = self.lanes(used, position, current);
        if lanes.is_empty() {
            let newer = self.catalogue.newer_than(&dependency.package, current);
            return Prospect::Settled(Standing::UpToDate, nothing_to_move_to(dependency, current, newer));
        }
        Prospect::Newer(lanes)
    }

    fn not_covered(&self, dependency: &Dependency) -> String {
        let ecosystem = dependency.package.ecosystem;
        if self.facts.file.subscriptions.iter().any(|one| one.migration.ecosystem() == Some(ecosystem)) {
            format!("{} is outside the `paths` of every {ecosystem} subscription", dependency.path)
        } else {
            format!("there is no subscription to {ecosystem}")
        }
    }

    /// The lanes with something newer in them, sorted by group.
    fn lanes(&mut self, used: &'a Used, position: usize, current: &'a str) -> Vec<Choice<'a>> {
        let facts = self.facts;
        let Some(subscription) = facts.file.subscriptions.get(position) else { return Vec::new() };
        let dependency = &used.dependency;
        let scheme = scheme(dependency.package.ecosystem);
        let dependency_since = self.since.get(&(position, &dependency.package)).copied().unwrap_or(used.since);
        // A subscription nobody knows the beginning of begins now: late is better than early.
        let subscribed_since = facts.subscribed_since.get(position).copied().unwrap_or(self.now);
        let ignores = self.ignores(position, subscription, &dependency.package);
        let key = (&dependency.package, dependency.constraint.as_str(), current);
        let newer = || movable_to(dependency, current, self.catalogue.newer_than(&dependency.package, current));
        let newer = self.newer.entry(key).or_insert_with(newer).clone();

        let mut lanes: BTreeMap<String, Choice<'a>> = BTreeMap::new();
        for (release, step) in newer.iter().copied() {
            let group = group_of(subscription, &dependency.package, step);
            let lane = lanes.entry(group.clone()).or_insert_with(|| {
                let (candidates, rejected) = (Vec::new(), Vec::new());
                Choice { used, subscription, group, candidates, rejected }
            });
            let version = release.version.as_str();
            let counts_from = release.counts_from;
            let rejection = ignored(&ignores, scheme, version).or_else(|| {
                let question = Question { dependency, group: &lane.group, version, counts_from };
                objection(self.memory, &question, scheme)
            });
            if let Some(rejection) = rejection {
                lane.rejected.push((version, rejection));
                continue;
            }
            let eligible_at = ReleaseFacts { counts_from, subscribed_since, dependency_since }
                .eligible_at(subscription.min_age.for_step(step));
            let due_at = timing::due_at(&subscription.delay, &facts.file.timezone, eligible_at);
            if due_at == Timestamp::MAX {
                lane.rejected.push((version, Rejection::Never(subscription.delay.kind())));
                continue;
            }
            let open = self.memory.open(dependency, version);
            lane.candidates.push(Candidate { version, step, counts_from, eligible_at, due_at, open });
        }
        lanes.into_values().collect()
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

/// The place in the file of the subscription that covers a file of the repository.
fn position(facts: &Facts<'_>, ecosystem: Ecosystem, path: &RepoPath) -> Option<usize> {
    let meant = facts.file.subscription_for(ecosystem, path)?;
    facts.file.subscriptions.iter().position(|one| std::ptr::eq(one, meant))
}

/// Of the releases that are newer than the version in use, those the constraint could be moved to.
fn movable_to<'a>(dependency: &Dependency, current: &str, newer: &[&'a Release]) -> Newer<'a> {
    let scheme = scheme(dependency.package.ecosystem);
    newer
        .iter()
        .filter(|r| !r.yanked && scheme.is_candidate(&dependency.constraint, current, &r.version))
        .filter_map(|r| Some((*r, scheme.step(current, &r.version)?)))
        .collect()
}

/// Why the constraint can be moved to none of the releases that are newer than the version in use, in words.
fn nothing_to_move_to(dependency: &Dependency, current: &str, newer: &[&Release]) -> String {
    let scheme = scheme(dependency.package.ecosystem);
    let constraint = &dependency.constraint;
    if newer.iter().any(|r| r.yanked && scheme.is_candidate(constraint, current, &r.version)) {
        return "what is newer was taken back by its publisher".into();
    }
    let mut allowed = newer.iter().rev().filter(|r| !r.yanked && !scheme.is_prerelease(&r.version));
    let newest_allowed = allowed.find(|r| scheme.matches(constraint, &r.version) == Ok(true));
    match newest_allowed {
        Some(release) => format!("`{constraint}` allows {} already", release.version),
        None => "there is nothing newer".into(),
    }
}

/// The name of the group an update belongs to. Only a package's own group has a name without a space in it, so no
/// package can get into another's.
fn group_of(subscription: &Subscription, package: &PackageId, step: VersionStep) -> String {
    let whole = |what: &str| {
        // Of two subscriptions with paths of their own, each has its own pull request.
        let paths = subscription.paths.as_slice().join(" ");
        let within = if paths.is_empty() { String::new() } else { format!(" in {paths}") };
        format!("{} {what}{within}", package.ecosystem)
    };
    match &subscription.group {
        Grouping::All => whole("all"),
        Grouping::MinorAndPatch if step != VersionStep::Major => whole("minor-and-patch"),
        Grouping::MinorAndPatch => format!("{package} major"),
        Grouping::None => package.to_string(),
        Grouping::Named(name) => format!("group {name}"),
    }
}

fn ignored(rules: &[&IgnoreRule], scheme: &dyn Scheme, version: &str) -> Option<Rejection> {
    rules.iter().find_map(|rule| {
        let name = rule.name.as_str();
        let words = match &rule.versions {
            None => format!("`{name}`"),
            Some(range) => match scheme.matches(range, version) {
                Ok(false) => return None,
                Ok(true) => format!("`{name}` `{range}`"),
                // A range nobody can read ignores everything: the rule's author wanted less, not more.
                Err(error) => format!("`{name}`, all of it, because {error}"),
            },
        };
        Some(Rejection::Ignored { line: rule.line, rule: words })
    })
}

fn objection(memory: &Memory<'_>, question: &Question<'_>, scheme: &dyn Scheme) -> Option<Rejection> {
    let past = |state| memory.objection(state, question, scheme);
    let earlier = |objection: &Objection<'_>| Earlier {
        number: objection.proposal.pull.as_ref().map(|pull| pull.number),
        went_to: objection.went_to.map(str::to_string),
    };
    if let Some(closed) = past(ProposalState::Closed) {
        return Some(Rejection::Closed(earlier(&closed)));
    }
    if let Some(merged) = past(ProposalState::Merged) {
        return Some(Rejection::Merged(earlier(&merged)));
    }
    past(ProposalState::Failed).map(|failed| Rejection::Failed(failed.proposal.reason.clone()))
}
