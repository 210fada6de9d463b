//! The text of a pull request, for somebody who has never heard of this bot.

use super::display_name;
use super::releases;
use super::text::{cell, code};
use crate::domain::{Ecosystem, LockFile, PackageLinks, ReleaseNotes, Site, Update};
use crate::planner::timing;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write as _;

/// GitHub's limit is 65,536 characters; the field cuts earlier, to leave room for what it adds itself.
const BODY_MAX_CHARS: usize = 58_000;
/// What the tables may take of that, together. Whole lines are left out, so that no code span stays open.
const TABLES_MAX_CHARS: usize = 40_000;
/// Longer names, versions and paths are cut. Unit: characters.
const NAME_MAX_CHARS: usize = 120;
const VERSION_MAX_CHARS: usize = 60;
const PATH_MAX_CHARS: usize = 200;
/// Three of them, each with its step. Cron lines are mostly short.
const DELAY_MAX_CHARS: usize = 200;
/// The places of an update that are listed.
const SITES_MAX: usize = 5;
/// The lock files that are listed.
const LOCK_FILES_MAX: usize = 10;

/// What a body says beside the updates.
pub struct Occasion<'a> {
    /// The timezone of the subscription file, in which dates are told.
    pub timezone: &'a TimeZone,
    /// The delay in words.
    pub delay: &'a str,
    /// The path of the subscription file.
    pub file: &'a str,
    /// The lock files that hold what the changed files ask for, each once.
    pub lock_files: &'a [LockFile],
    /// What is known of the releases, in any order; those of other packages and versions are left out.
    pub notes: &'a [ReleaseNotes],
    /// Where to read about the packages.
    pub links: &'a [PackageLinks],
}

/// The pull request's text in Markdown: at most 58,000 characters.
pub fn body(updates: &[Update], occasion: &Occasion<'_>) -> String {
    let file = code(occasion.file, PATH_MAX_CHARS);
    let mut text = match updates {
        [one] if one.sites.len() == 1 => one_change(one),
        many => changes(many),
    };
    text.push_str(&what_changes(updates));
    let these_files = if is_one_file(updates) { "this file" } else { "these files" };
    let these = if updates.len() == 1 { "this update" } else { "these updates" };
    text.push_str(".\n");
    text.push_str(&lock_files(occasion.lock_files));
    let delay = delay(updates, occasion);
    let _ = write!(text, "\n### Why now\n\nThe file {file} in this repository asks for {these}{delay}.\n\n");
    text.push_str(&match updates {
        [one] => one_history(one, occasion),
        many => histories(many, occasion),
    });
    let what_to_do = format!(
        "\n---\n\nmass-driver opened this pull request. What you can do with it:\n\n\
         - **Merge** it when it suits you.\n\
         - **Close** it, and {these} not proposed for {these_files} again. Newer releases are.\n\
         - **Push** to its branch what else has to change. Your commits are never overwritten.\n\
         - **Leave** it, and it goes on to a newer release when that one is due.\n\
         - **Tell** the bot in a comment, as somebody who may write here: `/mass-driver rebase` or `recreate` brings the branch up to \
         date, `/mass-driver ignore this version` (or `minor`, `major`, `dependency`) ends it for longer, `unignore` takes that back, \
         `snooze 2w` puts it off, `why` tells how everything stands.\n\
         - **Change** {file} to be asked at other times (`delay`, `min_age`), together (`group`) or not at all (`ignore`).\n",
        these = if updates.len() == 1 { "this version is" } else { "these versions are" },
    );
    // The notes get what the rest leaves.
    let room = BODY_MAX_CHARS.saturating_sub(text.chars().count() + what_to_do.chars().count());
    text.push_str(releases::section(updates, occasion.notes, occasion.links, room).trim_end_matches('\n'));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&what_to_do);
    debug_assert!(text.chars().count() <= BODY_MAX_CHARS, "the tables are bounded, the rest is short");
    text
}

/// What is different afterwards, in a sentence without its end.
fn what_changes(updates: &[Update]) -> String {
    if updates.iter().all(|update| update.refresh.is_some()) {
        return "\nOnly what is pinned changes; the version beside it stays".into();
    }
    format!("\nOnly the version changes{}", what_goes_with_it(updates))
}

/// What is pinned beside the version, and so changes with it: `, and with it the digest where an image is pinned to one`.
fn what_goes_with_it(updates: &[Update]) -> String {
    let sites =
        || updates.iter().flat_map(|update| update.sites.iter().map(move |site| (update.package.ecosystem, site)));
    let pinned = |of: fn(Ecosystem) -> bool| sites().any(|(ecosystem, site)| site.digest.is_some() && of(ecosystem));
    let image = |ecosystem| ecosystem == Ecosystem::Docker;
    let action = |ecosystem| ecosystem == Ecosystem::GithubActions;
    let hook = |ecosystem| ecosystem == Ecosystem::PreCommit;
    let parts = [
        (pinned(image), "the digest where an image is pinned to one"),
        (pinned(action), "the commit where an action is pinned to one"),
        (pinned(hook), "the commit where a hook is pinned to one"),
        (sites().any(|(_, site)| site.hashed), "the hashes where files are pinned to theirs"),
    ];
    let parts: Vec<&str> = parts.into_iter().filter(|(is, _)| *is).map(|(_, part)| part).collect();
    if parts.is_empty() { String::new() } else { format!(", and with it {}", parts.join(", ")) }
}

/// What else has to change, which only the ecosystem's own tool can write.
fn lock_files(files: &[LockFile]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let (these, them) = if files.len() == 1 { ("This lock file is", "it") } else { ("These lock files are", "them") };
    let mut text = format!("\n### Still to do\n\n{these} not changed here. Refresh {them} on this branch:\n\n");
    for file in files.iter().take(LOCK_FILES_MAX) {
        let folder = match file.path.folder() {
            "" => String::new(),
            folder => format!(" in {}", cell(&end_of(folder), PATH_MAX_CHARS)),
        };
        let path = cell(&end_of(file.path.as_str()), PATH_MAX_CHARS);
        let _ = writeln!(text, "- {path}: run {}{folder}", code(file.command, NAME_MAX_CHARS));
    }
    if files.len() > LOCK_FILES_MAX {
        let _ = writeln!(text, "- and {} more", files.len() - LOCK_FILES_MAX);
    }
    text
}

/// The delay, where it is told of one subscription. Ecosystems have subscriptions of their own.
fn delay(updates: &[Update], occasion: &Occasion<'_>) -> String {
    let mut ecosystems = updates.iter().map(|update| update.package.ecosystem);
    let first = ecosystems.next();
    match ecosystems.all(|ecosystem| Some(ecosystem) == first) {
        true => format!(", with the delay {}", code(occasion.delay, DELAY_MAX_CHARS)),
        false => String::new(),
    }
}

fn is_one_file(updates: &[Update]) -> bool {
    let mut paths = updates.iter().flat_map(|update| &update.sites).map(|site| &site.path);
    let first = paths.next();
    paths.all(|path| Some(path) == first)
}

fn package(update: &Update) -> String {
    cell(display_name(&update.package), NAME_MAX_CHARS)
}

fn version(version: &str) -> String {
    cell(version, VERSION_MAX_CHARS)
}

fn one_change(update: &Update) -> String {
    if let Some(digest) = &update.refresh {
        return format!(
            "Moves the pin of {} {} from {} to {}, what the tag points at by now, in {}.\n",
            package(update),
            version(&update.to),
            version(update.sites.first().and_then(|site| site.digest.as_deref()).map_or("", digits)),
            version(digits(digest)),
            update.sites.first().map(place).unwrap_or_default(),
        );
    }
    let from = update.sites.first().map_or("", |site| site.from.as_str());
    format!(
        "Moves {} from {} to {}, a {} step, in {}.\n",
        package(update),
        version(from),
        version(&update.to),
        update.step,
        update.sites.first().map(place).unwrap_or_default(),
    )
}

/// As much of a digest or a commit's id as is shown.
fn digits(digest: &str) -> &str {
    let digits = digest.rsplit(':').next().unwrap_or(digest);
    digits.get(..12).unwrap_or(digits)
}

fn place(site: &Site) -> String {
    let line = format!(":{}", site.line);
    cell(&format!("{}{line}", end_of(site.path.as_str())), PATH_MAX_CHARS + line.len())
}

/// A path cut to what is shown of it: its end tells more than its beginning.
fn end_of(path: &str) -> String {
    let length = path.chars().count();
    if length > PATH_MAX_CHARS {
        std::iter::once('…').chain(path.chars().skip(length - PATH_MAX_CHARS + 1)).collect()
    } else {
        path.into()
    }
}

fn changes(updates: &[Update]) -> String {
    let packages = super::distinct_packages(updates).len();
    let what = if packages == 1 { "one package".to_string() } else { format!("{packages} packages") };
    let head = format!("Moves {what}:\n\n| Package | From | To | Step | Where |\n| --- | --- | --- | --- | --- |\n");
    let rows = updates.iter().map(|update| {
        let from: Vec<String> = update.from_versions().into_iter().take(SITES_MAX).map(version).collect();
        let places: Vec<String> = update.sites.iter().take(SITES_MAX).map(place).collect();
        let more = update.sites.len().saturating_sub(SITES_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (from, places) = (from.join(", "), places.join(", "));
        format!("| {} | {from} | {} | {} | {places}{more} |\n", package(update), version(&update.target()), update.step)
    });
    table(head, rows, updates.len(), "the commit's message lists them")
}

fn one_history(update: &Update, occasion: &Occasion<'_>) -> String {
    let when = |t: Timestamp| timing::moment_in_words(occasion.timezone, t);
    format!(
        "- **Released** {}, or first seen then, if its registry tells no time that can be believed.\n- **Eligible** {}: from then on it was {ELIGIBLE}.\n- **Due** {}: {DUE}.\n",
        when(update.released_at),
        when(update.eligible_at),
        when(update.due_at),
    )
}

const ELIGIBLE: &str = "old enough, and both the subscription and the dependency were there";
const DUE: &str = "the first time since then that the delay allows";

fn histories(updates: &[Update], occasion: &Occasion<'_>) -> String {
    // With the zone's name told once, a row stays short.
    let zone = occasion.timezone.iana_name();
    let when = |t: Timestamp| match zone {
        Some(_) => t.to_zoned(occasion.timezone.clone()).strftime("%a %Y-%m-%d %H:%M").to_string(),
        None => timing::moment_in_words(occasion.timezone, t),
    };
    let head = "| Package | To | Released | Eligible | Due |\n| --- | --- | --- | --- | --- |\n".to_string();
    let rows = updates.iter().map(|update| {
        let [released, eligible, due] = [update.released_at, update.eligible_at, update.due_at].map(when);
        format!("| {} | {} | {released} | {eligible} | {due} |\n", package(update), version(&update.target()))
    });
    let mut text = table(head, rows, updates.len(), "it is the same with them");
    let times = zone.map_or(String::new(), |zone| format!("Times are in {zone}. "));
    let _ = write!(
        text,
        "\n{times}*Released*: as its registry says, or when it was first seen, if that tells no time that can be \
         believed. *Eligible*: from then on it was {ELIGIBLE}. *Due*: {DUE}.\n"
    );
    text
}

/// As many whole rows as there is room for, and how many there is none for.
fn table(head: String, rows: impl Iterator<Item = String>, total: usize, elsewhere: &str) -> String {
    let mut text = head;
    let mut length = text.chars().count();
    let mut shown = 0;
    for row in rows {
        length += row.chars().count();
        // Two tables share the room.
        if length > TABLES_MAX_CHARS / 2 {
            break;
        }
        text.push_str(&row);
        shown += 1;
    }
    if shown < total {
        let _ = writeln!(text, "\n… and {} more: {elsewhere}.", total - shown);
    }
    text
}
