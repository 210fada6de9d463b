//! What the publishers say of the releases of a pull request: their notes, folded, and where to read more.

use super::display_name;
use super::notes::{Link, Notes, inline};
use super::text::{cell, visible};
use crate::domain::text::cut;
use crate::domain::{PackageId, PackageLinks, ReleaseNotes, Update};
use crate::versioning::scheme;
use std::fmt::Write as _;

/// The packages whose links are listed take so much at most. Unit: characters.
const LINKS_MAX_CHARS: usize = 6_000;
/// Notes that have less room than this are not begun. Unit: characters.
const NOTES_MIN_CHARS: usize = 300;
/// What the fold around a package's notes takes beside them, with names of any length. Unit: characters.
const FOLD_MAX_CHARS: usize = 2_300;
/// What stands above the notes of a version: its name, its title, its address. Unit: characters.
const HEAD_MAX_CHARS: usize = 1_400;
/// Longer names, versions and titles are cut. Unit: characters.
const NAME_MAX_CHARS: usize = 80;
const TITLE_MAX_CHARS: usize = 150;
/// The versions that a fold names before it is opened.
const VERSIONS_MAX: usize = 3;

/// The section on the releases of updates, with a blank line before it; empty if nothing is known, or if there is no room.
/// At most `room` characters.
pub fn section(updates: &[Update], notes: &[ReleaseNotes], links: &[PackageLinks], room: usize) -> String {
    let packages = super::distinct_packages(updates);
    let noted: Vec<(&PackageId, Vec<&ReleaseNotes>)> = packages
        .iter()
        .map(|package| (*package, of_package(package, updates, notes)))
        .filter(|(_, notes)| !notes.is_empty())
        .collect();
    let heading = if noted.is_empty() { "\n### Read more\n\n" } else { "\n### What is new\n\n" };
    let Some(mut room) = room.checked_sub(heading.len()) else { return String::new() };
    let mut text = list_of_links(&packages, links, room.min(LINKS_MAX_CHARS));
    room = room.saturating_sub(text.chars().count());
    for (n, (package, notes)) in noted.iter().enumerate() {
        // What one package leaves, the others share.
        let fold = fold(package, notes, room / (noted.len() - n));
        room = room.saturating_sub(fold.chars().count());
        text.push_str(&fold);
    }
    if text.is_empty() { text } else { format!("{heading}{text}") }
}

/// The notes of the versions that a package moves over, the newest first. What cannot be compared stands last.
fn of_package<'a>(package: &PackageId, updates: &[Update], notes: &'a [ReleaseNotes]) -> Vec<&'a ReleaseNotes> {
    let scheme = scheme(package.ecosystem);
    let moves: Vec<(&str, &str)> = updates
        .iter()
        .filter(|update| update.package == *package)
        .flat_map(|update| update.sites.iter().map(|site| (site.from.as_str(), update.to.as_str())))
        .collect();
    let is_passed = |version: &str| {
        moves.iter().any(|(from, to)| {
            *to == version
                || scheme.compare(version, to).is_some_and(std::cmp::Ordering::is_le)
                    && scheme.compare(from, version) == Some(std::cmp::Ordering::Less)
        })
    };
    let of_it = notes.iter().filter(|notes| notes.package == *package && is_passed(&notes.version));
    let mut found: Vec<&ReleaseNotes> = of_it.filter(|notes| !notes.text.trim().is_empty()).collect();
    let Some(first) = found.first().map(|notes| notes.version.as_str()) else { return found };
    // Only versions of one line are in one order.
    if found.iter().all(|notes| scheme.compare(first, &notes.version).is_some()) {
        found.sort_by(|a, b| scheme.compare(&b.version, &a.version).unwrap_or(std::cmp::Ordering::Equal));
    }
    found.dedup_by(|a, b| a.version == b.version);
    found
}

/// A line for each package of which an address is known.
fn list_of_links(packages: &[&PackageId], links: &[PackageLinks], room: usize) -> String {
    let mut text = String::new();
    let mut chars = 0;
    for package in packages {
        let Some(links) = links.iter().find(|links| links.package == **package) else { continue };
        let known = [
            ("source", &links.source),
            ("changelog", &links.changelog),
            ("all changes", &links.compare),
            ("homepage", &links.homepage),
        ];
        let mut shown: Vec<(&str, String)> = Vec::new();
        for (word, url) in known {
            let url = url.as_deref().and_then(Link::read).and_then(|link| link.url);
            if let Some(url) = url.filter(|url| shown.iter().all(|(_, other)| other != url)) {
                shown.push((word, url));
            }
        }
        if shown.is_empty() {
            continue;
        }
        let shown: Vec<String> = shown.into_iter().map(|(word, url)| format!("[{word}]({url})")).collect();
        let line = format!("- {}: {}\n", cell(display_name(package), NAME_MAX_CHARS), shown.join(", "));
        chars += line.chars().count() + 1;
        if chars > room {
            break;
        }
        text.push_str(&line);
    }
    if text.is_empty() { text } else { format!("{text}\n") }
}

/// The notes of a package behind a line that opens them.
fn fold(package: &PackageId, notes: &[&ReleaseNotes], room: usize) -> String {
    let mut left = room.saturating_sub(FOLD_MAX_CHARS);
    let mut texts = Vec::new();
    for note in notes {
        let Some(room) = left.checked_sub(HEAD_MAX_CHARS).filter(|room| *room >= NOTES_MIN_CHARS) else { break };
        let notes = Notes { text: &note.text, link: note.url.as_deref(), max_chars: room };
        let text = format!("{}\n\n{}\n\n", head(note), notes.to_markdown());
        left = left.saturating_sub(text.chars().count());
        texts.push(text);
    }
    if texts.is_empty() {
        return String::new();
    }
    let versions: Vec<String> = notes.iter().take(VERSIONS_MAX).map(|notes| html(&notes.version)).collect();
    let more = notes.len().saturating_sub(VERSIONS_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut text = format!(
        "<details>\n<summary>Release notes of {}: {}{more}</summary>\n\n",
        html(display_name(package)),
        versions.join(", ")
    );
    let shown = texts.len();
    text.extend(texts);
    if shown < notes.len() {
        let _ =
            write!(text, "… and those of {} earlier versions, for which there is no room.\n\n", notes.len() - shown);
    }
    text.push_str("</details>\n\n");
    text
}

/// `**1.2.0**: its title`
fn head(notes: &ReleaseNotes) -> String {
    let version = cell(&notes.version, NAME_MAX_CHARS);
    let url = notes.url.as_deref().and_then(Link::read).and_then(|link| link.url);
    let version = url.map_or(version.clone(), |url| format!("[{version}]({url})"));
    let title = notes.title.trim();
    let says_no_more = title.trim_start_matches(['v', 'V']) == notes.version.trim_start_matches(['v', 'V']);
    match inline(title, TITLE_MAX_CHARS) {
        title if title.is_empty() || says_no_more => format!("**{version}**"),
        title => format!("**{version}**: {title}"),
    }
}

/// Text as code of HTML. In a message of a commit, which a squash merge may make of it, there is nothing to find in it either.
fn html(text: &str) -> String {
    let mut html = String::from("<code>");
    for c in cut(visible(text).trim(), NAME_MAX_CHARS).chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' | '@' | '#' | '[' | ']' | '$' | '{' | '}' | '`' => {
                let _ = write!(html, "&#{};", u32::from(c));
            }
            c => html.push(c),
        }
    }
    html.push_str("</code>");
    html
}
