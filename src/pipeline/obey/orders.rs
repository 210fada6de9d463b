//! What a comment changes. Pure.

use crate::commands::{PREFIX, answer};
use crate::domain::{
    Command, Comment, Decided, Decision, IgnoreScope, Outlook, PackageId, Proposal, ProposalState, Rework, Snooze,
    Unclear, Update,
};
use crate::planner::prose::{display_name, is_called, quoted, spoken};
use crate::planner::{self, timing};
use crate::versioning::scheme;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The facts beside the comment and the proposal.
pub struct Rest {
    /// The time zone of the subscription file in force.
    pub timezone: Option<TimeZone>,
    /// What was decided in the repository so far.
    pub decisions: Vec<Decision>,
    /// How its dependencies stand.
    pub outlook: Vec<Outlook>,
    /// What the pull request held when the comment was written: that is what it is about.
    pub seen: Vec<Update>,
    /// Whether people have committed to the pull request: then it stays open, whatever is decided.
    pub stays_open: bool,
}

/// What is to be done, and said.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// To be stored, after what is to be forgotten.
    pub decisions: Vec<Decision>,
    /// The packages of which earlier decisions are forgotten.
    pub forgotten: BTreeSet<PackageId>,
    /// Why the proposal is withdrawn, where it is.
    pub withdraw: Option<String>,
    /// What is to be done to the branch.
    pub rework: Option<Rework>,
    /// Markdown; empty for no answer.
    pub answer: String,
}

/// A pull request is put off for a year and a day at most, like everything else that is written as a length of time.
const LONGEST_SNOOZE: SignedDuration = SignedDuration::from_hours(366 * 24);
/// Rows that `why` shows.
const ROWS_MAX: usize = 100;
/// Rows of `why` end where they are longer together. Unit: characters.
const ROWS_MAX_CHARS: usize = 50_000;
/// Names that one sentence has.
const NAMES_MAX: usize = 50;
/// GitHub takes comments of 65,536 characters. Unit: characters.
const ANSWER_MAX_CHARS: usize = 60_000;

/// What the commands of a comment come to, one after another.
pub fn orders(comment: &Comment, proposal: &Proposal, rest: &Rest, now: Timestamp) -> Orders {
    let mut desk = Desk { comment, proposal, rest, now, orders: Orders::default() };
    let answers: Vec<String> = comment
        .commands
        .iter()
        .map(|command| match command {
            Ok(command) => desk.obey(command).unwrap_or_else(|why| format!("{}: {why}.", quoted(&command.to_string()))),
            Err(unclear) => not_understood(unclear),
        })
        .collect();
    desk.orders.answer = one_comment(&answers);
    desk.orders
}

/// The answer to a line that is no command.
fn not_understood(Unclear { said, why }: &Unclear) -> String {
    format!("{} was not understood: {why}; `{PREFIX} help` lists all commands.", quoted(said))
}

/// Several answers as one, as far as a comment has room. GitHub drops white space at its end, and what is sent is looked for.
fn one_comment(answers: &[String]) -> String {
    let mut text = String::new();
    let mut room = ANSWER_MAX_CHARS;
    for (n, answer) in answers.iter().enumerate() {
        let chars = answer.chars().count() + 2;
        if chars > room {
            // Writing to a String cannot fail.
            let _ = write!(text, "… and {} more answers, for which there is no room.", answers.len() - n);
            break;
        }
        room -= chars;
        text.push_str(answer.trim_end());
        text.push_str("\n\n");
    }
    text.truncate(text.trim_end().len());
    text
}

/// The first of many names, and how many more there are.
fn listed(names: &[String]) -> String {
    match names.get(..NAMES_MAX) {
        Some(first) if names.len() > NAMES_MAX => format!("{} and {} more", first.join(", "), names.len() - NAMES_MAX),
        _ => names.join(", "),
    }
}

struct Desk<'a> {
    comment: &'a Comment,
    proposal: &'a Proposal,
    rest: &'a Rest,
    now: Timestamp,
    orders: Orders,
}

impl Desk<'_> {
    /// Does what a command asks for and says what that is; the error says why not.
    fn obey(&mut self, command: &Command) -> Result<String, String> {
        match command {
            Command::Help => Ok(answer::help()),
            Command::Why => Ok(self.why()),
            Command::Rebase => self.rework(Rework::Rebase, "The branch is brought up to date with its base."),
            Command::Recreate => self.rework(Rework::Recreate, "The change is made anew on the branch."),
            Command::Ignore { scope, of } => self.ignore(*scope, of.as_deref()),
            Command::Unignore { of } => self.unignore(of.as_deref()),
            Command::Snooze(snooze) => self.snooze(*snooze),
        }
    }

    /// Commands about the pull request itself need one that is still there.
    fn open(&self) -> Result<(), String> {
        match self.proposal.state {
            _ if self.orders.withdraw.is_some() => {
                Err("by another command, mass-driver has just let go of this pull request".into())
            }
            ProposalState::Open => Ok(()),
            // It may be open all the same, and left to people.
            ProposalState::Withdrawn => {
                Err(format!("mass-driver has let go of this pull request ({})", spoken(&self.proposal.reason)))
            }
            _ => Err(format!("this pull request is not open any more ({})", spoken(&self.proposal.reason))),
        }
    }

    fn rework(&mut self, how: Rework, words: &str) -> Result<String, String> {
        self.open()?;
        self.orders.rework = Some(how);
        Ok(words.into())
    }

    fn ignore(&mut self, scope: IgnoreScope, of: Option<&str>) -> Result<String, String> {
        self.open()?;
        let mut meant = self.updates(of)?;
        if scope == IgnoreScope::Version {
            // It has gone on to another version since, which nobody asked for who wanted none.
            let is_newer = |update: &&Update| {
                meant.iter().any(|seen| seen.package == update.package)
                    && !meant.iter().any(|seen| seen.package == update.package && seen.to == update.to)
            };
            let newer: Vec<Update> = self.proposal.updates.iter().filter(is_newer).cloned().collect();
            meant.extend(newer);
        }
        let decided = meant.iter().map(|update| {
            let what = Decided::Ignored { scope, version: update.to.clone() };
            self.decision(&update.package, what)
        });
        let decided: Vec<Decision> = decided.collect();
        let words: Vec<String> = meant.iter().map(|update| unwanted(scope, update)).collect();
        self.orders.decisions.extend(decided);
        let all = self.proposal.updates.iter().all(|update| self.is_unwanted(update));
        let what = listed(&words);
        if all {
            self.withdraw(format!("{} asked on #{} not to propose it", self.comment.author, self.comment.pull));
            let end = self.end();
            return Ok(format!("{what} will not be proposed again. {end} `/mass-driver unignore` takes that back."));
        }
        Ok(format!(
            "{what} will not be proposed again. This pull request goes on without it. `/mass-driver unignore` takes that back."
        ))
    }

    fn unignore(&mut self, of: Option<&str>) -> Result<String, String> {
        let in_pull = |package: &PackageId| self.proposal.updates.iter().any(|update| update.package == *package);
        let meant = |package: &PackageId| of.map_or_else(|| in_pull(package), |name| is_called(package, name));
        let found: BTreeSet<PackageId> =
            self.in_force().map(|one| &one.package).filter(|package| meant(package)).cloned().collect();
        if found.is_empty() {
            return Err("nothing is ignored or snoozed there".into());
        }
        let names: Vec<String> = found.iter().map(|package| quoted(display_name(package))).collect();
        let names = listed(&names);
        self.orders.decisions.retain(|decision| !found.contains(&decision.package));
        self.orders.forgotten.extend(found);
        if self.orders.withdraw.is_some() && !self.is_unwanted_as_a_whole() {
            self.orders.withdraw = None;
            return Ok(format!(
                "What was decided about {names} is forgotten, and this pull request goes on after all."
            ));
        }
        Ok(format!("What was decided about {names} is forgotten: it is proposed again when it is due."))
    }

    /// Whether what is in force by now leaves nothing of the pull request.
    fn is_unwanted_as_a_whole(&self) -> bool {
        let snoozed = self.orders.decisions.iter().any(|decision| matches!(decision.what, Decided::Snoozed { .. }));
        snoozed || self.proposal.updates.iter().all(|update| self.is_unwanted(update))
    }

    /// What was decided earlier and in this comment, without what is taken back.
    fn in_force(&self) -> impl Iterator<Item = &Decision> {
        let earlier = self.rest.decisions.iter().filter(|one| !self.orders.forgotten.contains(&one.package));
        earlier.chain(&self.orders.decisions)
    }

    /// What becomes of the pull request when nothing in it is wanted.
    const fn end(&self) -> &'static str {
        match self.rest.stays_open {
            true => "This pull request stays open, because people have committed to it; mass-driver leaves it to you.",
            false => "This pull request is closed.",
        }
    }

    fn snooze(&mut self, snooze: Snooze) -> Result<String, String> {
        self.open()?;
        let timezone = self.rest.timezone.clone().unwrap_or(TimeZone::UTC);
        let until = match snooze {
            Snooze::For(length) => self.comment.at.checked_add(length).ok(),
            Snooze::Until(day) => day.to_zoned(timezone.clone()).ok().map(|zoned| zoned.timestamp()),
        };
        let until = until.ok_or("that day is beyond the calendar")?;
        if until <= self.now {
            return Err("that is over already".into());
        }
        if until.duration_since(self.now) > LONGEST_SNOOZE {
            return Err("that is more than a year from now; ignore it instead".into());
        }
        let packages: BTreeSet<&PackageId> = self.proposal.updates.iter().map(|update| &update.package).collect();
        let decided: Vec<Decision> =
            packages.into_iter().map(|package| self.decision(package, Decided::Snoozed { until })).collect();
        self.orders.decisions.extend(decided);
        let until = timing::moment_in_words(&timezone, until);
        self.withdraw(format!("{} put it off on #{} until {until}", self.comment.author, self.comment.pull));
        let end = self.end();
        Ok(format!(
            "It comes back, or what is newer by then, at the first time after {until} that its delay allows. {end} `/mass-driver unignore` brings it back sooner."
        ))
    }

    fn why(&self) -> String {
        let packages: BTreeSet<&PackageId> = self.proposal.updates.iter().map(|update| &update.package).collect();
        let rows: Vec<&Outlook> = self.rest.outlook.iter().filter(|row| packages.contains(&row.package)).collect();
        let mut text = format!("{}\n", spoken(&self.proposal.reason));
        if rows.is_empty() {
            text.push_str("\nNone of its packages is used in this repository any more.\n");
            return text;
        }
        text.push_str("\n| Package | Where | Now | Next | How it stands |\n| --- | --- | --- | --- | --- |\n");
        let version = |version: &Option<String>| version.as_deref().map_or_else(|| "–".into(), quoted);
        let (mut shown, mut chars) = (0, 0);
        for row in rows.iter().take(ROWS_MAX) {
            let place = quoted(&format!("{}:{}", row.path, row.line));
            let name = quoted(display_name(&row.package));
            let (current, target, reason) = (version(&row.current), version(&row.target), spoken(&row.reason));
            let line = format!("| {name} | {place} | {current} | {target} | {reason} |\n");
            chars += line.chars().count();
            if chars > ROWS_MAX_CHARS {
                break;
            }
            text.push_str(&line);
            shown += 1;
        }
        if shown < rows.len() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "\n… and {} more.", rows.len() - shown);
        }
        text
    }

    /// The updates of the pull request that a name means, as they were when the comment was written; all of them without one.
    fn updates(&self, of: Option<&str>) -> Result<Vec<Update>, String> {
        let Some(name) = of else { return Ok(self.rest.seen.clone()) };
        let called = |updates: &[Update]| -> Vec<Update> {
            updates.iter().filter(|update| is_called(&update.package, name)).cloned().collect()
        };
        let mut found = called(&self.rest.seen);
        if found.is_empty() {
            found = called(&self.proposal.updates);
        }
        if found.is_empty() {
            let packages: BTreeSet<String> =
                self.proposal.updates.iter().map(|update| quoted(display_name(&update.package))).collect();
            let names: Vec<String> = packages.into_iter().take(20).collect();
            return Err(format!("there is no {} in this pull request, but {}", quoted(name), names.join(", ")));
        }
        Ok(found)
    }

    fn is_unwanted(&self, update: &Update) -> bool {
        let scheme = scheme(update.package.ecosystem);
        self.in_force().any(|decision| match &decision.what {
            Decided::Ignored { scope, version } => {
                decision.package == update.package && planner::covers(*scope, version, &update.to, scheme)
            }
            Decided::Snoozed { .. } => false,
        })
    }

    fn decision(&self, package: &PackageId, what: Decided) -> Decision {
        let Comment { author, pull, at, .. } = self.comment;
        Decision { package: package.clone(), what, by: author.clone(), pull: *pull, at: *at }
    }

    fn withdraw(&mut self, why: String) {
        self.orders.withdraw = Some(why);
        self.orders.rework = None;
    }
}

fn unwanted(scope: IgnoreScope, update: &Update) -> String {
    let (name, version) = (quoted(display_name(&update.package)), quoted(&update.to));
    match scope {
        IgnoreScope::Version => format!("{name} {version}"),
        IgnoreScope::Minor => format!("{name} {version}, and every version with the same first two numbers,"),
        IgnoreScope::Major => format!("{name} {version}, and every version with the same first number,"),
        IgnoreScope::Dependency => format!("{name}, in any version,"),
    }
}
