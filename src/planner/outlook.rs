//! The answer to "why is there no pull request?", for every dependency.

use super::choice::{Assessed, Candidate, Choice, Prospect, Rejected};
use super::rejection::{Rejection, again};
use crate::domain::update::target_name;
use crate::domain::{Outlook, Standing};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How each dependency stands, and why: at least one row for each.
pub fn outlook(assessed: &[Assessed<'_>], timezone: &TimeZone, now: Timestamp) -> Vec<Outlook> {
    let mut rows = Vec::new();
    for Assessed { used, prospect, doubt } in assessed {
        let mut standings = match prospect {
            Prospect::Settled(standing, reason) => vec![Row::without_target(*standing, reason)],
            Prospect::Newer(choices) => choices.iter().flat_map(|choice| rows_of(choice, timezone, now)).collect(),
        };
        standings.extend(doubt.as_deref().map(|why| Row::without_target(Standing::Refused, why)));
        let dependency = &used.dependency;
        rows.extend(standings.into_iter().map(|row| Outlook {
            package: dependency.package.clone(),
            path: dependency.path.clone(),
            line: dependency.line,
            current: dependency.current.clone(),
            target: row.target,
            standing: row.standing,
            reason: row.reason,
            until: row.until,
        }));
    }
    rows
}

struct Row {
    target: Option<String>,
    standing: Standing,
    reason: String,
    until: Option<Timestamp>,
}

impl Row {
    fn without_target(standing: Standing, reason: &str) -> Self {
        Self { target: None, standing, reason: reason.into(), until: None }
    }
}

/// What is due or open, what comes next and what comes last, and the newest release if it never comes. One of these
/// there always is: a lane holds at least one release.
fn rows_of(choice: &Choice<'_>, timezone: &TimeZone, now: Timestamp) -> Vec<Row> {
    let words = |c: &Candidate<'_>| choice.reason(c, &c.name(), timezone, now);
    let mut rows = Vec::new();
    if let Some(target) = choice.target_at(now) {
        let (standing, reason) = match target.open {
            Some(open) => {
                let number = open.pull.as_ref().map_or(String::new(), |pull| format!(" #{}", pull.number));
                (Standing::Open, format!("pull request{number} is open"))
            }
            None => (Standing::Waiting, words(target)),
        };
        rows.push(Row { target: Some(target.name()), standing, reason, until: None });
    }
    rows.extend(shown_ahead(choice, now).map(|c| Row {
        target: Some(c.name()),
        standing: Standing::Waiting,
        reason: words(c),
        until: Some(c.due_at),
    }));
    // The newest release alone: whoever asks why there is no pull request asks about that.
    if let Some(Rejected { version, refresh, why }) = choice.rejected.last().filter(|_| choice.newest_is_rejected()) {
        let (standing, reason, until) = match why {
            Rejection::Failed { again_at, .. } => {
                (Standing::Failed, format!("{why}; {}", again(*again_at, timezone)), Some(*again_at))
            }
            _ => (Standing::Refused, why.to_string(), None),
        };
        rows.push(Row { target: Some(target_name(version, *refresh)), standing, reason, until });
    }
    rows
}

/// Of what is not due yet, the first to come and the newest.
pub fn shown_ahead<'c, 'a>(choice: &'c Choice<'a>, now: Timestamp) -> impl Iterator<Item = &'c Candidate<'a>> {
    let ahead = choice.ahead(now);
    let next = choice.next_change(now);
    // At its due time the newest of all that are due by then is taken.
    let first = ahead.iter().rev().find(|c| Some(c.due_at) == next);
    let newest = ahead.last().filter(|newest| first.is_some_and(|first| !std::ptr::eq(first, *newest)));
    first.into_iter().chain(newest)
}
