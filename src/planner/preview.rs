//! What a subscription file would do, in words for whoever is about to merge it: the text of the check run.
//!
//! Pure. The reader may never have heard of the bot. What comes from files and registries stands in code spans, as it does
//! in pull requests.

mod changes;
mod closings;
mod layout;

use super::prose::{display_name, quoted, spoken};
use super::timing::{moment_in_words, next_slot};
use super::{Draft, Plan};
use crate::domain::{ObjectId, Outlook, Standing};
use crate::subscription::{Problem, SubscriptionFile};
pub use closings::Closing;
use jiff::Timestamp;
use layout::{Table, a_few, count, fitting, short_id};
use std::collections::{BTreeMap, BTreeSet};

/// A check run's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// One line of plain text.
    pub title: String,
    /// Markdown, at most 65,535 bytes.
    pub summary: String,
    /// More Markdown, as long at most; never empty.
    pub text: String,
}

/// Whether the file counts already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It stands at the head of the default branch.
    Default,
    /// It stands on another branch or in a fork, and would count if it were merged.
    Proposed,
}

/// Which file applies while the one in question does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InForce {
    /// None.
    None,
    /// A good one, since this commit if that is known.
    Since(Option<ObjectId>),
}

/// A file that is valid, and what it would do.
pub struct Preview<'a> {
    /// Where it lies.
    pub path: &'a str,
    /// Whether it counts already.
    pub place: Place,
    /// What it says.
    pub file: &'a SubscriptionFile,
    /// The plan by it.
    pub plan: &'a Plan,
    /// The groups of those drafts that are due and that the safeguards let through.
    pub ready: &'a BTreeSet<String>,
    /// The open pull requests that it closes.
    pub closings: &'a [Closing],
    /// The plan by the file in force, where that is another.
    pub before: Option<&'a Plan>,
    /// Manifests that could not be read, or were left out.
    pub unread: usize,
}

/// Lists in the summary are no longer than this …
const LISTED_MAX: usize = 6;
/// … and tables in the text no longer than this. Unit: rows.
const ROWS_MAX: usize = 100;
/// What the bot is, for whoever sees it for the first time.
const ABOUT: &str =
    "mass-driver opens pull requests that update this repository's dependencies, when and how this file says.";

/// What is said of a file with problems.
pub fn problems(path: &str, problems: &[Problem], place: Place, in_force: &InForce) -> Words {
    let n = count(problems.len(), "problem", "problems");
    let stays = match (place, in_force) {
        (Place::Default, InForce::Since(Some(commit))) => format!(
            "Until it is mended, the last good version of the file stays in force: the one from commit {}.",
            short_id(commit)
        ),
        (Place::Default, InForce::Since(None)) => {
            "Until it is mended, the last good version of the file stays in force.".into()
        }
        (Place::Default, InForce::None) => "Until it is mended, no pull requests are opened.".into(),
        (Place::Proposed, InForce::Since(_)) => {
            "If it is merged like this, the file that is in force now stays in force.".into()
        }
        (Place::Proposed, InForce::None) => "If it is merged like this, no pull requests are opened.".into(),
    };
    let lines = problems.iter().map(|problem| {
        let Problem { line, column, .. } = problem;
        format!("- Line {line}, column {column}: {} – {}", spoken(&problem.what), spoken(&problem.fix))
    });
    let text = lines.take(ROWS_MAX + 1).collect::<Vec<_>>().join("\n");
    Words {
        title: format!("{n} in {path}"),
        summary: format!("{ABOUT} It cannot use {} as it is: it has **{n}**.\n\n{stays}", quoted(path)),
        text: fitting(&format!("## What to mend\n\n{text}\n")),
    }
}

/// What is said where the file was removed. `waiting` pull requests were planned by it, and these open ones are closed.
pub fn removed(place: Place, waiting: usize, closings: &[Closing]) -> Words {
    let (merged, closes) = match place {
        Place::Default => ("From now on", "mass-driver closes"),
        Place::Proposed => ("Once this is merged", "It then closes"),
    };
    let mut summary = format!("{ABOUT} The file is removed here. {merged}, none are opened any more");
    if waiting > 0 {
        let those = count(waiting, "planned one is", "planned ones are");
        summary += &format!("; {those} dropped");
    }
    summary += ".";
    if let Some(closed) = closings::in_short(closings, closes) {
        summary += &format!(" {closed}");
    }
    let text = "Whoever did not mean that puts the file back.\n".into();
    Words { title: "No more pull requests by mass-driver".into(), summary: fitting(&summary), text }
}

/// What is said while the rest is still being looked up.
pub fn looking(path: &str) -> Words {
    Words {
        title: format!("{path} is valid; looking up what it would do"),
        summary: format!("{ABOUT} {} is valid. Which updates there are by it is being looked up.", quoted(path)),
        text: "This is completed in a moment.\n".into(),
    }
}

/// What is said of a commit that could not be read to the end.
pub fn unreadable() -> Words {
    Words {
        title: "The commit cannot be read any more".into(),
        summary: format!("{ABOUT} This commit cannot be read any more, so it is not known what its file would do."),
        text: "*Re-run* looks again.\n".into(),
    }
}

/// What is said of a valid file in a repository that has too many files to be read.
pub fn too_large(path: &str) -> Words {
    Words {
        title: format!("{path} is valid"),
        summary: format!("{ABOUT} {} is valid.", quoted(path)),
        text: "This repository has too many files to find its dependencies, so no pull requests are opened.\n".into(),
    }
}

/// What is said of a valid file: which pull requests it would open, and when.
pub fn preview(preview: &Preview<'_>, now: Timestamp) -> Words {
    let drafts = Drafts::of(preview, now);
    let held: Vec<Held<'_>> = drafts.held.iter().map(|draft| Held::draft(draft)).chain(refused(preview.plan)).collect();
    Words {
        title: title(&drafts, held.len(), preview),
        summary: fitting(&summary(&drafts, &held, preview, now)),
        text: fitting(&text(&drafts, &held, preview, now)),
    }
}

/// The drafts of a plan: what is opened now, what later, and what is due and held back.
struct Drafts<'a> {
    now: Vec<&'a Draft>,
    later: BTreeMap<Timestamp, Vec<&'a Draft>>,
    held: Vec<&'a Draft>,
}

impl<'a> Drafts<'a> {
    fn of(preview: &Preview<'a>, now: Timestamp) -> Self {
        let mut drafts = Self { now: Vec::new(), later: BTreeMap::new(), held: Vec::new() };
        for draft in &preview.plan.drafts {
            if draft.due_at > now {
                drafts.later.entry(draft.due_at).or_default().push(draft);
            } else if preview.ready.contains(&draft.group) {
                drafts.now.push(draft);
            } else {
                drafts.held.push(draft);
            }
        }
        drafts
    }

    fn later(&self) -> usize {
        self.later.values().map(Vec::len).sum()
    }
}

/// Something that is held back: a pull request, or an update that gets none.
struct Held<'a> {
    what: String,
    place: String,
    reason: &'a str,
}

impl<'a> Held<'a> {
    fn draft(draft: &'a Draft) -> Self {
        Self { what: quoted(&draft.title), place: "–".into(), reason: &draft.reason }
    }

    fn row(row: &'a Outlook) -> Self {
        let name = quoted(display_name(&row.package));
        let what = row.target.as_ref().map_or_else(|| name.clone(), |target| format!("{name} {}", quoted(target)));
        Self { what, place: quoted(&format!("{}:{}", row.path, row.line)), reason: &row.reason }
    }
}

/// What a rule, a person or a failure keeps from getting a pull request.
fn refused(plan: &Plan) -> impl Iterator<Item = Held<'_>> {
    plan.outlook.iter().filter(|row| is_withheld(row)).map(Held::row)
}

/// Whether there is an update, or may be one, that gets no pull request.
fn is_withheld(row: &Outlook) -> bool {
    match row.standing {
        Standing::Failed => true,
        Standing::Refused => row.target.is_some(),
        Standing::UpToDate | Standing::Waiting | Standing::Open => false,
    }
}

fn title(drafts: &Drafts<'_>, held: usize, preview: &Preview<'_>) -> String {
    let mut parts = Vec::new();
    if !drafts.now.is_empty() {
        parts.push(format!("{} now", count(drafts.now.len(), "pull request", "pull requests")));
    }
    match (drafts.later(), parts.is_empty()) {
        (0, _) => {}
        (later, true) => parts.push(format!("{} later", count(later, "pull request", "pull requests"))),
        (later, false) => parts.push(format!("{later} later")),
    }
    if held > 0 {
        parts.push(format!("{held} held back"));
    }
    match (preview.closings.len(), parts.is_empty()) {
        (0, _) => {}
        (closed, true) => parts.push(format!("{} closed", count(closed, "open pull request", "open pull requests"))),
        (closed, false) => parts.push(format!("{closed} closed")),
    }
    match (parts.is_empty(), preview.plan.outlook.is_empty()) {
        (false, _) => parts.join(", "),
        (true, true) => "The file is valid; no dependencies were found".into(),
        (true, false) => "The file is valid; nothing is to be updated now".into(),
    }
}

fn summary(drafts: &Drafts<'_>, held: &[Held<'_>], preview: &Preview<'_>, now: Timestamp) -> String {
    let opening = match preview.place {
        Place::Default => format!("{} is valid and in force.", quoted(preview.path)),
        Place::Proposed => format!("{} is valid.", quoted(preview.path)),
    };
    format!("{ABOUT} {opening}\n\n{}", in_short(drafts, held, preview, now))
}

/// What a valid file would do, for whoever knows already which file of whom: in short, and as tables.
pub fn foretold(preview: &Preview<'_>, now: Timestamp) -> (String, String) {
    let drafts = Drafts::of(preview, now);
    let held: Vec<Held<'_>> = drafts.held.iter().map(|draft| Held::draft(draft)).chain(refused(preview.plan)).collect();
    (in_short(&drafts, &held, preview, now), text(&drafts, &held, preview, now))
}

fn in_short(drafts: &Drafts<'_>, held: &[Held<'_>], preview: &Preview<'_>, now: Timestamp) -> String {
    let timezone = &preview.file.timezone;
    let (would, will, closes) = match preview.place {
        Place::Default => ("By it", "opens", "It closes"),
        Place::Proposed => ("If it were merged now,", "would open", "It would close"),
    };
    let mut summary = String::new();
    if drafts.now.is_empty() && drafts.later.is_empty() {
        summary += &format!("{would} mass-driver {will} no pull request at present");
    } else {
        summary += &format!("{would} mass-driver {will}\n\n");
    }
    let mut lines = Vec::new();
    if !drafts.now.is_empty() {
        lines.push(format!("- **{}** now", count(drafts.now.len(), "pull request", "pull requests")));
    }
    for (due_at, drafts) in drafts.later.iter().take(LISTED_MAX) {
        let when = moment_in_words(timezone, *due_at);
        lines.push(format!("- **{}** on {when}", count(drafts.len(), "pull request", "pull requests")));
    }
    let rest: usize = drafts.later.values().skip(LISTED_MAX).map(Vec::len).sum();
    if rest > 0 {
        lines.push(format!("- **{rest} more** after that"));
    }
    if lines.is_empty() {
        summary += if held.is_empty() && is_all_current(preview.plan) {
            ": everything it asks for is up to date.\n"
        } else {
            ".\n"
        };
    } else {
        summary += &(lines.join("\n") + "\n");
    }
    if !held.is_empty() {
        let n = count(held.len(), "update", "updates");
        let reasons: BTreeSet<&str> = held.iter().map(|held| held.reason).collect();
        let because = a_few(reasons.iter().map(|reason| spoken(reason)), 2);
        summary += &format!("\nHeld back: **{n}**, because {because}.\n");
    }
    if let Some(closed) = closings::in_short(preview.closings, closes) {
        summary += &format!("\n{closed}\n");
    }
    if let Some(before) = preview.before {
        summary += &format!("\n{}\n", changes::in_short(before, preview.plan, now));
    }
    summary += &format!(
        "\nAt most {} of its pull requests are open at a time. None is opened before its time.\n",
        preview.file.limit
    );
    summary
}

fn is_all_current(plan: &Plan) -> bool {
    plan.outlook.iter().all(|row| row.standing == Standing::UpToDate)
}

fn text(drafts: &Drafts<'_>, held: &[Held<'_>], preview: &Preview<'_>, now: Timestamp) -> String {
    let timezone = &preview.file.timezone;
    let mut text = String::new();
    let later = drafts.later.values().flatten().copied();
    let opened: Vec<&Draft> = drafts.now.iter().copied().chain(later).collect();
    if !opened.is_empty() {
        let mut table = Table::new("Pull requests", &["When", "Pull request", "Why then"]);
        for draft in &opened {
            let (when, why) = match draft.due_at <= now {
                true => ("now".into(), "it is due".into()),
                false => (moment_in_words(timezone, draft.due_at), spoken(&draft.reason)),
            };
            table.add(&[when, quoted(&draft.title), why]);
        }
        text += &table.at_most(ROWS_MAX);
    }
    if !held.is_empty() {
        let mut table = Table::new("Held back", &["Update", "Where", "Why"]);
        for Held { what, place, reason } in held {
            table.add(&[what.clone(), place.clone(), spoken(reason)]);
        }
        text += &table.at_most(ROWS_MAX);
    }
    text += &closings::table(preview.closings).at_most(ROWS_MAX);
    if let Some(before) = preview.before {
        text += &changes::table(before, preview.plan, timezone, now).at_most(ROWS_MAX);
    }
    text + &subscriptions(preview, now)
}

/// What the file subscribes to, with the first moment of each delay.
fn subscriptions(preview: &Preview<'_>, now: Timestamp) -> String {
    let timezone = &preview.file.timezone;
    let mut table = Table::new("What the file asks for", &["Updates of", "When", "Next time", "Dependencies here"]);
    for one in &preview.file.subscriptions {
        let slots = one.delay.by_step().map(|(_, delay)| next_slot(delay, timezone, now));
        let next = slots.into_iter().min().unwrap_or(now);
        let next = if next <= now { "now".into() } else { moment_in_words(timezone, next) };
        let places = preview.plan.outlook.iter().filter(|row| {
            let own = preview.file.subscription_for(row.package.ecosystem, &row.path);
            own.is_some_and(|own| std::ptr::eq(own, one))
        });
        let places: BTreeSet<_> = places.map(|row| (&row.path, row.line, &row.package)).collect();
        table.add(&[
            quoted(&one.migration.to_string()),
            quoted(&one.delay.to_string()),
            next,
            places.len().to_string(),
        ]);
    }
    let mut text = table.at_most(ROWS_MAX);
    if preview.unread > 0 {
        let n = count(preview.unread, "file with dependencies was", "files with dependencies were");
        text += &format!("\n{n} not read: too large, too many, or no text.\n");
    }
    text
}
