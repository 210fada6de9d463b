//! Puts the chosen updates of a repository together into drafts, at most one for each group.

use super::select::{Candidate, Choice, open_proposal};
use super::{Draft, Facts, prose};
use crate::domain::{Site, Update};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The drafts of all groups.
pub fn drafts(facts: &Facts<'_>, choices: &[Choice<'_>], now: Timestamp) -> Vec<Draft> {
    let mut groups: BTreeMap<&str, Vec<&Choice<'_>>> = BTreeMap::new();
    for choice in choices {
        groups.entry(&choice.group).or_default().push(choice);
    }
    groups.into_iter().filter_map(|(group, members)| draft(facts, group, &members, now)).collect()
}

/// The draft of one group: everything that is due, if some of it is in no open pull request yet; otherwise everything
/// that will be due when the next member is.
fn draft(facts: &Facts<'_>, group: &str, members: &[&Choice<'_>], now: Timestamp) -> Option<Draft> {
    if has_news(facts, members, now) {
        return Some(draft_at(facts, group, members, now, now));
    }
    let time = members.iter().filter_map(|choice| choice.next_change(now)).min()?;
    has_news(facts, members, time).then(|| draft_at(facts, group, members, time, now))
}

fn has_news(facts: &Facts<'_>, members: &[&Choice<'_>], time: Timestamp) -> bool {
    members.iter().any(|choice| {
        choice.target_at(time).is_some_and(|t| open_proposal(facts, &choice.used.dependency, &t.version).is_none())
    })
}

fn draft_at(facts: &Facts<'_>, group: &str, members: &[&Choice<'_>], time: Timestamp, now: Timestamp) -> Draft {
    let chosen: Vec<(&Choice<'_>, &Candidate)> =
        members.iter().filter_map(|choice| Some((*choice, choice.target_at(time)?))).collect();
    let updates = updates(&chosen);
    // The member that binds: the one that is due last, among equals the first in the file.
    let mut binding: Option<(&Choice<'_>, &Candidate)> = None;
    for (choice, candidate) in &chosen {
        if binding.is_none_or(|(_, b)| candidate.due_at > b.due_at) {
            binding = Some((choice, candidate));
        }
    }
    let due_at = binding.map_or(time, |(_, candidate)| candidate.due_at);
    let reason =
        binding.map_or(String::new(), |(choice, candidate)| choice.reason(candidate, &facts.file.timezone, now));
    let labels: BTreeSet<String> = chosen.iter().flat_map(|(choice, _)| choice.subscription.labels.clone()).collect();
    let content = prose::content_hash(&updates);
    Draft {
        group: group.to_string(),
        title: prose::title(group, &updates),
        branch: prose::branch(group, &updates, &content),
        content,
        updates,
        labels: labels.into_iter().collect(),
        due_at,
        reason,
    }
}

/// One update for each package and target version, sorted by both, each with its sites sorted.
fn updates(chosen: &[(&Choice<'_>, &Candidate)]) -> Vec<Update> {
    let mut merged: BTreeMap<(String, String), Update> = BTreeMap::new();
    for (choice, candidate) in chosen {
        let dependency = &choice.used.dependency;
        let site = Site {
            path: dependency.path.clone(),
            manager: dependency.manager.clone(),
            line: dependency.line,
            from: dependency.current.clone().unwrap_or_default(),
            constraint: dependency.constraint.clone(),
            digest: dependency.digest.clone(),
        };
        let key = (dependency.package.to_string(), candidate.version.clone());
        let update = merged.entry(key).or_insert_with(|| Update {
            package: dependency.package.clone(),
            to: candidate.version.clone(),
            step: candidate.step,
            sites: Vec::new(),
            released_at: candidate.counts_from,
            eligible_at: candidate.eligible_at,
            due_at: candidate.due_at,
        });
        update.step = update.step.max(candidate.step);
        update.eligible_at = update.eligible_at.max(candidate.eligible_at);
        update.due_at = update.due_at.max(candidate.due_at);
        update.sites.push(site);
    }
    let mut updates: Vec<Update> = merged.into_values().collect();
    for update in &mut updates {
        update.sites.sort_by(|a, b| (&a.path, a.line, a).cmp(&(&b.path, b.line, b)));
    }
    updates
}
