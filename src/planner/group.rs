//! Puts the chosen updates of a repository together into drafts, at most one for each group.

use super::choice::{Candidate, Choice};
use super::memory::Memory;
use super::{Draft, prose};
use crate::domain::{Site, Update};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// The drafts of all groups. The choices are sorted by file and line.
pub fn drafts<'c, 'a: 'c>(
    choices: impl Iterator<Item = &'c Choice<'a>>,
    memory: &Memory<'_>,
    timezone: &TimeZone,
    now: Timestamp,
) -> Vec<Draft> {
    let mut groups: BTreeMap<&str, Vec<&Choice<'a>>> = BTreeMap::new();
    for choice in choices {
        groups.entry(&choice.group).or_default().push(choice);
    }
    groups
        .into_iter()
        .filter_map(|(name, members)| {
            let group = Group { name, members: &members, memory, timezone };
            Some(group.draft_at(group.next_news(now)?, now))
        })
        .collect()
}

struct Group<'g, 'a> {
    name: &'g str,
    members: &'g [&'g Choice<'a>],
    memory: &'g Memory<'g>,
    timezone: &'g TimeZone,
}

impl<'a> Group<'_, 'a> {
    /// The first moment, now or later, at which some member has a target that is in no open pull request.
    fn next_news(&self, now: Timestamp) -> Option<Timestamp> {
        let mut time = now;
        loop {
            if self.members.iter().any(|choice| choice.target_at(time).is_some_and(|target| target.open.is_none())) {
                return Some(time);
            }
            time = self.members.iter().filter_map(|choice| choice.next_change(time)).min()?;
        }
    }

    /// Everything that is due at a time, also what the group's open pull request has already: the draft takes its place.
    /// What is open in another group's pull request is left to that one.
    fn draft_at(&self, time: Timestamp, now: Timestamp) -> Draft {
        let chosen: Vec<(&Choice<'a>, &Candidate<'a>)> = self
            .members
            .iter()
            .filter_map(|choice| Some((*choice, choice.target_at(time)?)))
            .filter(|(_, target)| target.open.is_none_or(|open| open.group == self.name))
            // What is open and has become too young since, because its tag was moved or the rules were changed, keeps nobody
            // waiting. It comes back when it is old enough.
            .filter(|(_, target)| target.due_at <= time)
            .collect();
        let updates = updates(&chosen, self.timezone);
        let several = updates.len() > 1;
        // The member that binds: the one that is due last, among equals the first in the file.
        let mut binding: Option<&(&Choice<'a>, &Candidate<'a>)> = None;
        for one in &chosen {
            if binding.is_none_or(|latest| one.1.due_at > latest.1.due_at) {
                binding = Some(one);
            }
        }
        let reason = binding.map_or(String::new(), |(choice, candidate)| {
            let package = prose::display_name(&choice.used.dependency.package);
            let version = candidate.name();
            let name = if several { format!("{package} {version}") } else { version };
            choice.reason(candidate, &name, self.timezone, now)
        });
        let labels: BTreeSet<String> =
            chosen.iter().flat_map(|(choice, _)| choice.subscription.labels.clone()).collect();
        let content = prose::content_hash(&updates);
        Draft {
            group: self.name.to_string(),
            title: prose::title(self.name, &updates),
            branch: prose::branch(self.name, &updates, &content, |branch| self.memory.knows_branch(branch)),
            content,
            updates,
            labels: labels.into_iter().collect(),
            due_at: binding.map_or(time, |(_, candidate)| candidate.due_at),
            reason,
        }
    }
}

/// One update for each package and target version, sorted by both, each with its sites sorted.
fn updates(chosen: &[(&Choice<'_>, &Candidate<'_>)], timezone: &TimeZone) -> Vec<Update> {
    let mut merged: BTreeMap<(String, &str, Option<&str>), Update> = BTreeMap::new();
    for (choice, candidate) in chosen {
        let dependency = &choice.used.dependency;
        let site = Site::of(dependency);
        let key = (dependency.package.to_string(), candidate.version, candidate.refresh);
        let update = merged.entry(key).or_insert_with(|| Update {
            package: dependency.package.clone(),
            to: candidate.version.into(),
            refresh: candidate.refresh.map(str::to_owned),
            step: candidate.step,
            sites: Vec::new(),
            released_at: candidate.counts_from,
            eligible_at: candidate.eligible_at,
            due_at: candidate.due_at,
            terms: Vec::new(),
        });
        let terms = choice.terms(candidate, timezone);
        if !update.terms.contains(&terms) {
            update.terms.push(terms);
        }
        update.step = update.step.max(candidate.step);
        update.released_at = update.released_at.max(candidate.counts_from);
        update.eligible_at = update.eligible_at.max(candidate.eligible_at);
        update.due_at = update.due_at.max(candidate.due_at);
        update.sites.push(site);
    }
    let mut updates: Vec<Update> = merged.into_values().collect();
    for update in &mut updates {
        update.sites.sort_by(|a, b| (&a.path, a.line, a).cmp(&(&b.path, b.line, b)));
        update.sites.dedup();
    }
    updates
}
