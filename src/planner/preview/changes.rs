//! What becomes different from what the file in force does.

use super::layout::{Table, count};
use super::{display_name, moment_in_words, quoted, spoken};
use crate::domain::PackageId;
use crate::planner::Plan;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// When each update is due by a plan. Past times are all `now`: they say no more.
fn due(plan: &Plan, now: Timestamp) -> BTreeMap<(&PackageId, String), Timestamp> {
    let updates = plan.drafts.iter().flat_map(|draft| draft.updates.iter().map(move |update| (update, draft.due_at)));
    updates.map(|(update, due_at)| ((&update.package, update.target()), due_at.max(now))).collect()
}

/// An update that gets its pull request at another time, or only by one of the two files.
struct Change<'p> {
    package: &'p PackageId,
    target: String,
    before: Option<Timestamp>,
    after: Option<Timestamp>,
}

fn changes<'p>(before: &'p Plan, after: &'p Plan, now: Timestamp) -> Vec<Change<'p>> {
    let (was, is) = (due(before, now), due(after, now));
    let mut keys: Vec<&(&PackageId, String)> = was.keys().chain(is.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .map(|key| Change {
            package: key.0,
            target: key.1.clone(),
            before: was.get(key).copied(),
            after: is.get(key).copied(),
        })
        .filter(|change| change.before != change.after)
        .collect()
}

/// How much changes, in a sentence.
pub(super) fn in_short(before: &Plan, after: &Plan, now: Timestamp) -> String {
    let changes = changes(before, after, now);
    let number = |is: fn(&Change<'_>) -> bool| changes.iter().filter(|change| is(change)).count();
    let sooner = number(|c| c.before.zip(c.after).is_some_and(|(before, after)| after < before));
    let later = number(|c| c.before.zip(c.after).is_some_and(|(before, after)| after > before));
    let (new, gone) = (number(|c| c.before.is_none()), number(|c| c.after.is_none()));
    let parts = [(sooner, "sooner"), (later, "later"), (new, "new"), (gone, "no longer")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, how)| format!("{} {how}", count(*n, "update", "updates")))
        .collect();
    match parts.as_slice() {
        [] => "Compared with the file in force, no update comes at another time.".into(),
        parts => format!("Compared with the file in force: {}.", parts.join(", ")),
    }
}

/// Each update that changes, with both times.
pub(super) fn table(before: &Plan, after: &Plan, timezone: &TimeZone, now: Timestamp) -> Table {
    let mut table =
        Table::new("What changes against the file in force", &["Update", "By the file in force", "By this file"]);
    let when = |due: Timestamp| if due <= now { "now".to_owned() } else { moment_in_words(timezone, due) };
    for change in changes(before, after, now) {
        // Why there is none is what the other plan says of the package.
        let otherwise = |plan: &Plan| {
            let row = plan.outlook.iter().find(|row| row.package == *change.package);
            row.map_or_else(|| "not asked for".into(), |row| spoken(&row.reason))
        };
        let update = format!("{} {}", quoted(display_name(change.package)), quoted(&change.target));
        let was = change.before.map_or_else(|| otherwise(before), when);
        let is = change.after.map_or_else(|| otherwise(after), when);
        table.add(&[update, was, is]);
    }
    table
}
