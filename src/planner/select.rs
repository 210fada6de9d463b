//! Which releases each dependency could move to, from when on, and why not to the others.

use super::timing::{self, ReleaseFacts};
use super::{Facts, Known, Used};
use crate::domain::{Dependency, Outlook, Proposal, ProposalState, Skip, Standing, VersionStep};
use crate::subscription::{Delay, Grouping, Subscription};
use crate::versioning::{Scheme, scheme};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::Ordering;

/// A release a dependency may move to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The version.
    pub version: String,
    /// How far it is from the version in use.
    pub step: VersionStep,
    /// From when its age counts.
    pub counts_from: Timestamp,
    /// When it is old enough, and both subscription and dependency were there.
    pub eligible_at: Timestamp,
    /// The first moment the delay allows.
    pub due_at: Timestamp,
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
    /// A person closed a pull request with it.
    Closed(Option<i64>),
    /// It was merged once and is not in the file any more.
    MergedBefore(Option<i64>),
    /// Making the pull request failed.
    Failed(String),
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = |n: &Option<i64>| n.map_or(String::new(), |n| format!(" #{n}"));
        match self {
            Self::Ignored { line, rule } => write!(f, "line {line} of the subscription file ignores {rule}"),
            Self::Closed(n) => write!(f, "a person closed pull request{} with it", number(n)),
            Self::MergedBefore(n) => write!(f, "it was merged with pull request{} and taken out again", number(n)),
            Self::Failed(why) => write!(f, "the pull request could not be made: {why}"),
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
    pub candidates: Vec<Candidate>,
    /// The newer releases it may not move to.
    pub rejected: Vec<(String, Rejection)>,
}

impl Choice<'_> {
    /// What it should move to at a given time: the newest version whose due time has come.
    pub fn target_at(&self, time: Timestamp) -> Option<&Candidate> {
        self.candidates.iter().rev().find(|c| c.due_at <= time)
    }

    /// Why a candidate is not a pull request yet, as far as age and delay go.
    pub fn reason(&self, candidate: &Candidate, timezone: &TimeZone, now: Timestamp) -> String {
        let min_age = self.subscription.min_age.for_step(candidate.step);
        let delay = &self.subscription.delay;
        if now.duration_since(candidate.counts_from) < min_age {
            let young = timing::too_young(&candidate.version, candidate.counts_from, min_age, now);
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

    /// The next time after `time` at which the target changes.
    pub fn next_change(&self, time: Timestamp) -> Option<Timestamp> {
        let newer = match self.target_at(time) {
            Some(target) => self.candidates.iter().position(|c| c.version == target.version).map_or(0, |i| i + 1),
            None => 0,
        };
        self.candidates.iter().skip(newer).map(|c| c.due_at).min()
    }
}

/// The first subscription of the file that covers a dependency, with its place in the file.
fn subscription_for<'a>(facts: &Facts<'a>, dependency: &Dependency) -> Option<(usize, &'a Subscription)> {
    let meant = facts.file.subscription_for(dependency.package.ecosystem, &dependency.path)?;
    facts.file.subscriptions.iter().enumerate().find(|(_, one)| std::ptr::eq(*one, meant))
}

/// The choices for every dependency that a subscription covers and that can be updated.
pub fn choices<'a>(facts: &Facts<'a>) -> Vec<Choice<'a>> {
    let mut used: Vec<&Used> = facts.used.iter().collect();
    used.sort_by_key(|u| (&u.dependency.path, u.dependency.line, &u.dependency.package));
    used.into_iter().flat_map(|used| choices_of(facts, used)).collect()
}

fn choices_of<'a>(facts: &Facts<'a>, used: &'a Used) -> Vec<Choice<'a>> {
    let dependency = &used.dependency;
    let Some((position, subscription)) = subscription_for(facts, dependency) else { return Vec::new() };
    let (None, Some(current)) = (&dependency.skip, &dependency.current) else { return Vec::new() };
    let Some(Known::Releases(releases)) = facts.packages.get(&dependency.package) else { return Vec::new() };
    let scheme = scheme(dependency.package.ecosystem);
    // All uses of a package in a repository move together, so they count from the first of them.
    let dependency_since = facts
        .used
        .iter()
        .filter(|other| other.dependency.package == dependency.package)
        .map(|other| other.since)
        .min()
        .unwrap_or(used.since);
    let subscribed_since = facts.subscribed_since.get(position).copied().unwrap_or(dependency_since);

    let mut lanes: Vec<Choice<'a>> = Vec::new();
    for release in
        releases.iter().filter(|r| !r.yanked && scheme.is_candidate(&dependency.constraint, current, &r.version))
    {
        let Some(step) = scheme.step(current, &release.version) else { continue };
        let group = group_of(subscription, dependency, step);
        let lane = match lanes.iter_mut().find(|lane| lane.group == group) {
            Some(lane) => lane,
            None => {
                lanes.push(Choice { used, subscription, group, candidates: Vec::new(), rejected: Vec::new() });
                let last = lanes.len() - 1;
                &mut lanes[last]
            }
        };
        if let Some(rejection) = rejection(facts, subscription, dependency, scheme, &release.version) {
            lane.rejected.push((release.version.clone(), rejection));
            continue;
        }
        let eligible_at = ReleaseFacts { counts_from: release.counts_from, subscribed_since, dependency_since }
            .eligible_at(subscription.min_age.for_step(step));
        let due_at = timing::due_at(&subscription.delay, &facts.file.timezone, eligible_at);
        let version = release.version.clone();
        lane.candidates.push(Candidate { version, step, counts_from: release.counts_from, eligible_at, due_at });
    }
    let by_version = |a: &str, b: &str| scheme.compare(a, b).unwrap_or(Ordering::Equal).then_with(|| a.cmp(b));
    for lane in &mut lanes {
        lane.candidates.sort_by(|a, b| by_version(&a.version, &b.version));
        lane.rejected.sort_by(|a, b| by_version(&a.0, &b.0));
    }
    lanes.sort_by(|a, b| a.group.cmp(&b.group));
    lanes
}

/// The name of the group an update belongs to.
fn group_of(subscription: &Subscription, dependency: &Dependency, step: VersionStep) -> String {
    let package = &dependency.package;
    match &subscription.group {
        Grouping::All => format!("{}/all", package.ecosystem),
        Grouping::MinorAndPatch if step != VersionStep::Major => format!("{}/minor-and-patch", package.ecosystem),
        Grouping::MinorAndPatch => format!("{package} major"),
        Grouping::None => package.to_string(),
        Grouping::Named(name) => format!("group {name}"),
    }
}

fn rejection(
    facts: &Facts<'_>,
    subscription: &Subscription,
    dependency: &Dependency,
    scheme: &dyn Scheme,
    version: &str,
) -> Option<Rejection> {
    let ignored = subscription.ignore.iter().find(|rule| {
        rule.names(&dependency.package)
            // A range nobody can read ignores everything: the rule's author wanted less, not more.
            && rule.versions.as_deref().is_none_or(|range| scheme.matches(range, version).unwrap_or(true))
    });
    if let Some(rule) = ignored {
        let versions = rule.versions.as_ref().map_or(String::new(), |range| format!(" `{range}`"));
        return Some(Rejection::Ignored { line: rule.line, rule: format!("`{}`{versions}", rule.name.as_str()) });
    }
    let past =
        |state: ProposalState| facts.proposals.iter().find(|p| p.state == state && contains(p, dependency, version));
    let number = |p: &Proposal| p.pull.as_ref().map(|pull| pull.number.0);
    if let Some(proposal) = past(ProposalState::Closed) {
        return Some(Rejection::Closed(number(proposal)));
    }
    if let Some(proposal) = past(ProposalState::Merged) {
        return Some(Rejection::MergedBefore(number(proposal)));
    }
    past(ProposalState::Failed).map(|proposal| Rejection::Failed(proposal.reason.clone()))
}

/// Whether a proposal moves this dependency's package to this version, in this file.
pub(super) fn contains(proposal: &Proposal, dependency: &Dependency, version: &str) -> bool {
    proposal.updates.iter().any(|update| {
        update.package == dependency.package
            && update.to == version
            && update.sites.iter().any(|site| site.path == dependency.path)
    })
}

/// The open proposal that moves this dependency to this version.
pub(super) fn open_proposal<'a>(facts: &Facts<'a>, dependency: &Dependency, version: &str) -> Option<&'a Proposal> {
    facts.proposals.iter().find(|p| p.state == ProposalState::Open && contains(p, dependency, version))
}

/// How each dependency stands, and why.
pub fn outlook(facts: &Facts<'_>, choices: &[Choice<'_>], now: Timestamp) -> Vec<Outlook> {
    let mut used: Vec<&Used> = facts.used.iter().collect();
    used.sort_by_key(|u| (&u.dependency.path, u.dependency.line, &u.dependency.package));
    let mut rows = Vec::new();
    for used in used {
        let dependency = &used.dependency;
        let row = |target: Option<&str>, standing, reason: String, until| Outlook {
            package: dependency.package.clone(),
            path: dependency.path.clone(),
            line: dependency.line,
            current: dependency.current.clone(),
            target: target.map(str::to_string),
            standing,
            reason,
            until,
        };
        if let Some((standing, reason)) = without_choice(facts, dependency) {
            rows.push(row(None, standing, reason, None));
            continue;
        }
        let before = rows.len();
        for choice in choices.iter().filter(|choice| std::ptr::eq(choice.used, used)) {
            rows.extend(
                standing_of(facts, choice, now)
                    .into_iter()
                    .map(|s| row(Some(&s.target), s.standing, s.reason, s.until)),
            );
        }
        if rows.len() == before {
            rows.push(row(None, Standing::UpToDate, "there is nothing newer".into(), None));
        }
    }
    rows
}

/// How a dependency stands for which there is no choice to make.
fn without_choice(facts: &Facts<'_>, dependency: &Dependency) -> Option<(Standing, String)> {
    if subscription_for(facts, dependency).is_none() {
        let why = format!("no subscription of the file covers {} in this file", dependency.package.ecosystem);
        return Some((Standing::Refused, why));
    }
    if let Some(skip) = &dependency.skip {
        let standing = match skip {
            Skip::Variable(_) | Skip::NotUnderstood(_) => Standing::Failed,
            Skip::Unpinned | Skip::NotFromRegistry | Skip::HashPinned => Standing::Refused,
        };
        return Some((standing, skip.to_string()));
    }
    match facts.packages.get(&dependency.package) {
        None | Some(Known::NotYetAsked) => {
            Some((Standing::Waiting, "its registry has not been asked yet; that happens within minutes".into()))
        }
        Some(Known::Failed(why)) => Some((Standing::Failed, why.clone())),
        Some(Known::Releases(_)) => None,
    }
}

struct Status {
    target: String,
    standing: Standing,
    reason: String,
    until: Option<Timestamp>,
}

fn standing_of(facts: &Facts<'_>, choice: &Choice<'_>, now: Timestamp) -> Vec<Status> {
    let dependency = &choice.used.dependency;
    let words = |c: &Candidate| choice.reason(c, &facts.file.timezone, now);
    let mut rows = Vec::new();
    if let Some(target) = choice.target_at(now) {
        let (standing, reason) = match open_proposal(facts, dependency, &target.version) {
            Some(open) => {
                let number = open.pull.as_ref().map_or(String::new(), |pull| format!(" #{}", pull.number));
                (Standing::Open, format!("pull request{number} is open"))
            }
            None => (Standing::Waiting, words(target)),
        };
        rows.push(Status { target: target.version.clone(), standing, reason, until: None });
    }
    let next = choice.next_change(now).and_then(|time| choice.target_at(time));
    if let Some(next) = next {
        let until = Some(next.due_at);
        rows.push(Status { target: next.version.clone(), standing: Standing::Waiting, reason: words(next), until });
    }
    if rows.is_empty()
        && let Some((version, rejection)) = choice.rejected.last()
    {
        let standing = if matches!(rejection, Rejection::Failed(_)) { Standing::Failed } else { Standing::Refused };
        rows.push(Status { target: version.clone(), standing, reason: rejection.to_string(), until: None });
    }
    rows
}
