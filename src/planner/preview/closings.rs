//! Which open pull requests a file closes: those of which it wants nothing any more.

use super::layout::{Table, count};
use super::{LISTED_MAX, quoted, spoken};
use crate::domain::PullNumber;

/// An open pull request that a file closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Its number.
    pub number: PullNumber,
    /// Its title.
    pub title: String,
    /// Why, in a sentence.
    pub reason: String,
}

impl Closing {
    fn shown(&self) -> String {
        quoted(&format!("#{} {}", self.number, self.title))
    }
}

/// What becomes of them, in two sentences; `None` where there are none. `opening` is as `It closes`.
pub(super) fn in_short(closings: &[Closing], opening: &str) -> Option<String> {
    if closings.is_empty() {
        return None;
    }
    let n = count(closings.len(), "open pull request", "open pull requests");
    let mut those: Vec<String> = closings.iter().take(LISTED_MAX).map(Closing::shown).collect();
    if closings.len() > LISTED_MAX {
        those.push(format!("and {} more", closings.len() - LISTED_MAX));
    }
    Some(format!(
        "{opening} **{n}**, with a word why: {}. One that people have committed to, or led to another base, stays open.",
        those.join(", ")
    ))
}

/// Each of them, with the reason.
pub(super) fn table(closings: &[Closing]) -> Table {
    let mut table = Table::new("Closed", &["Pull request", "Why"]);
    for closing in closings {
        table.add(&[closing.shown(), spoken(&closing.reason)]);
    }
    table
}
