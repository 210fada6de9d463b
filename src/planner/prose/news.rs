//! What a pull request is told when its branch holds something else than before, or is left as it is.

use super::{display_name, quoted, spoken};
use crate::domain::{PullNumber, Update};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Rows of a list; a group may have hundreds.
const ROWS_MAX: usize = 50;

/// Why a proposal is superseded that another one followed on the same pull request.
pub fn goes_on(number: PullNumber, updates: &[Update]) -> String {
    match updates {
        [one] => format!("#{number} now goes to {} {}", display_name(&one.package), one.target()),
        many => format!("#{number} now has {} updates", many.len()),
    }
}

/// What changed on a pull request, in Markdown.
pub fn revised(before: &[Update], after: &[Update]) -> String {
    let (old, new) = (versions(before), versions(after));
    let mut rows = Vec::new();
    for (name, to) in &new {
        match old.get(name) {
            None => rows.push(format!("{} {to} has come", quoted(name))),
            Some(from) if from != to => rows.push(format!("{} goes to {to} instead of {from}", quoted(name))),
            Some(_) => {}
        }
    }
    let gone = old.iter().filter(|(name, _)| !new.contains_key(*name));
    rows.extend(gone.map(|(name, from)| format!("{} {from} is left out", quoted(name))));
    let mut text = match rows.as_slice() {
        [] => {
            return "This pull request was made anew for the same versions. Its earlier commits are still there."
                .into();
        }
        [one] => format!("This pull request has moved on: {one}.\n"),
        many => {
            let mut text = "This pull request has moved on:\n\n".to_string();
            for row in many.iter().take(ROWS_MAX) {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "- {row}");
            }
            if many.len() > ROWS_MAX {
                let _ = writeln!(text, "- … and {} more", many.len() - ROWS_MAX);
            }
            text
        }
    };
    text.push_str("\nThe change is a commit on top of the branch: what was said and committed here stays.");
    text
}

/// Why a branch is left as it is, in Markdown, and what helps: `people` says that it is for the sake of people's commits.
pub fn left_alone(why: &str, people: bool) -> String {
    let next = if people {
        "mass-driver looks at it again when the branch or its base changes. \
         `/mass-driver recreate` has the change made anew; what people committed stays in the history, but not in the files."
    } else {
        "mass-driver tries again when the base changes a file of it, when the App's permissions are changed, and with the \
         next version. `/mass-driver rebase` has it tried at once."
    };
    format!("This branch is left as it is: {}.\n\n{next}", spoken(why))
}

/// Why a command about a branch is not followed.
pub fn elsewhere() -> String {
    "Nothing was done: the branch of this pull request is gone, or it leads to another base than the repository's default \
     branch by now. Then it is left to you."
        .into()
}

/// Why a branch is not made anew, though a person asked for it.
pub fn overtaken() -> String {
    "Nothing was done: somebody has pushed to this branch since it was to be made anew, and that would be gone from the \
     files. `/mass-driver recreate` once more includes it."
        .into()
}

/// Each package with the versions it goes to.
fn versions(updates: &[Update]) -> BTreeMap<&str, String> {
    let mut versions: BTreeMap<&str, String> = BTreeMap::new();
    for update in updates {
        let all = versions.entry(display_name(&update.package)).or_default();
        if !all.is_empty() {
            all.push_str(" and ");
        }
        all.push_str(&quoted(&update.target()));
    }
    versions
}
