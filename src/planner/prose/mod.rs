//! The words of a proposal: title, branch, commit message and body.
//!
//! Package names and versions come from files and registries, so they are untrusted: in Markdown they stand in code
//! spans; in titles and messages, which have none, only the characters that names and versions have are left of them;
//! in a branch only letters, digits, `.`, `_` and `-`. Release notes are parsed and written anew, see `notes`; none of them
//! reaches a title, a branch or a commit's message.

mod body;
mod news;
mod notes;
mod releases;
mod text;

use crate::domain::text::cut;
use crate::domain::update::short_digest;
use crate::domain::{Ecosystem, PackageId, Update};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use text::plain;

pub use body::{Occasion, body};
pub use news::{elsewhere, goes_on, left_alone, overtaken, revised};
pub use notes::Notes;

/// A name or a version in Markdown: a code span, also within a table.
pub fn quoted(text: &str) -> String {
    text::cell(text, QUOTED_MAX_CHARS)
}

/// A reason in Markdown that reads as a sentence, also within a table: what stands in backticks becomes code spans. Reasons
/// repeat what files, registries and GitHub said: one that has anything else in it than letters, digits and plain marks becomes
/// one code span.
pub fn spoken(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let balanced = parts.len() % 2 == 1 && text.chars().count() <= SENTENCE_MAX_CHARS;
    if !balanced || !parts.iter().step_by(2).all(|part| text::is_plain_prose(part)) {
        return text::cell(text, SENTENCE_MAX_CHARS);
    }
    let spoken = |(i, part): (usize, &&str)| if i % 2 == 0 { (*part).to_string() } else { quoted(part) };
    parts.iter().enumerate().map(spoken).collect()
}

/// Longer names, versions and sentences are cut where they stand in Markdown. Unit: characters.
const QUOTED_MAX_CHARS: usize = 120;
const SENTENCE_MAX_CHARS: usize = 500;
/// GitHub refuses longer titles with 422 (seen; it is not documented).
const TITLE_MAX_CHARS: usize = 256;
/// Longer names and versions are cut in titles and messages. Unit: characters.
const NAME_MAX_CHARS: usize = 70;
/// Lines of the list in a commit's message.
const MESSAGE_MAX_LINES: usize = 1_000;

/// A hash of what a set of updates moves to which version, independent of their order.
pub fn content_hash(updates: &[Update]) -> String {
    let mut pairs: Vec<String> = updates
        .iter()
        .map(|u| match &u.refresh {
            None => format!("{}@{}", u.package, u.to),
            Some(digest) => format!("{}@{}@{digest}", u.package, u.to),
        })
        .collect();
    pairs.sort_unstable();
    short_hash(&pairs.join("\n"))
}

fn short_hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..8])
}

/// The pull request's title: one line of at most 256 characters.
pub fn title(group: &str, updates: &[Update]) -> String {
    let packages = distinct_packages(updates);
    let name = |package: &PackageId| plain(display_name(package), NAME_MAX_CHARS);
    let what = match (updates, packages.as_slice()) {
        ([one], _) => format!("{} {}", name(&one.package), from_to(one)),
        (_, [package]) => format!("{} to {}", name(package), versions(updates)),
        (_, [a, b]) => format!("{} and {}", name(a), name(b)),
        (_, [a, b, c]) => format!("{}, {} and {}", name(a), name(b), name(c)),
        (_, many) => members(group, many),
    };
    cut(&format!("Bump {what}{}", folder_of(updates)), TITLE_MAX_CHARS)
}

/// The packages of updates, each once; the updates are sorted by package.
fn distinct_packages(updates: &[Update]) -> Vec<&PackageId> {
    let mut packages: Vec<&PackageId> = updates.iter().map(|update| &update.package).collect();
    packages.dedup();
    packages
}

/// Many packages, by the group they are in: `7 packages of the backend group`, `7 pypi packages (minor and patch)`.
fn members(group: &str, packages: &[&PackageId]) -> String {
    let count = packages.len();
    if let Some(name) = group.strip_prefix("group ") {
        // No name has a space in it.
        let (name, steps) = name.strip_suffix(" major").map_or((name, ""), |name| (name, " (major)"));
        return format!("{count} packages of the {} group{steps}", plain(name, NAME_MAX_CHARS));
    }
    let ecosystem = packages.first().map_or("", |package| package.ecosystem.as_str());
    let steps = if group.contains(" minor-and-patch") { " (minor and patch)" } else { "" };
    format!("{count} {ecosystem} packages{steps}")
}

/// The versions that one package moves to in several places: `3.13 and 3.13-slim`.
fn versions(updates: &[Update]) -> String {
    let short = |update: &Update| plain(&update.target(), NAME_MAX_CHARS);
    match updates {
        [a, b] => format!("{} and {}", short(a), short(b)),
        many => format!("{} versions", many.len()),
    }
}

fn from_to(update: &Update) -> String {
    let to = plain(&update.to, NAME_MAX_CHARS);
    if let Some(digest) = &update.refresh {
        // The comment beside a commit may be written with another `v`.
        return format!("{to} to {}", plain(&short_digest(digest), NAME_MAX_CHARS));
    }
    match update.from_versions().as_slice() {
        [from] if !from.is_empty() => format!("from {} to {to}", plain(from, NAME_MAX_CHARS)),
        _ => format!("to {to}"),
    }
}

/// ` in /services/api`, where all of it is in one folder below the top.
fn folder_of(updates: &[Update]) -> String {
    let mut folders = updates.iter().flat_map(|update| &update.sites).map(|site| site.path.folder());
    match folders.next() {
        Some(folder) if !folder.is_empty() && folders.all(|other| other == folder) => {
            format!(" in /{}", plain(folder, NAME_MAX_CHARS))
        }
        _ => String::new(),
    }
}

/// What people call the package: official images without `library/`, hooks that lie on GitHub without their host.
pub fn display_name(package: &PackageId) -> &str {
    let usual = match package.ecosystem {
        Ecosystem::Docker => "library/",
        Ecosystem::PreCommit => "github.com/",
        Ecosystem::Pypi | Ecosystem::GithubActions | Ecosystem::Npm | Ecosystem::Cargo => "",
    };
    package.name.strip_prefix(usual).unwrap_or(&package.name)
}

/// Whether a person means a package by a name: its own, what people call it, or with its ecosystem, as `pypi/httpx`.
pub fn is_called(package: &PackageId, name: &str) -> bool {
    [package.name.as_str(), display_name(package), &package.to_string()]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// The branch for a set of updates: always a valid ref, three parts deep so that none can block another, different for
/// different groups and contents, and none that is `taken`.
pub fn branch(group: &str, updates: &[Update], content: &str, taken: impl Fn(&str) -> bool) -> String {
    // A package may move to one version in both of its own groups: a step that is small for one file is a major one for
    // another.
    let major = matches!(updates, [one] if group == format!("{} major", one.package));
    let (room, wanted) = match updates {
        [one] => {
            let ecosystem = one.package.ecosystem;
            let room = if major { format!("{ecosystem}-major") } else { ecosystem.to_string() };
            let pin = one.refresh.as_deref().map_or(String::new(), |digest| format!("-{}", short_digest(digest)));
            (room, format!("{}-{}{pin}", display_name(&one.package), one.to))
        }
        _ => ("group".into(), group.strip_prefix("group ").unwrap_or(group).to_string()),
    };
    let slug = slug(&wanted);
    let hash = short_hash(&format!("{group}\n{content}"));
    let plainly = format!("mass-driver/{room}/{slug}");
    // Only a package's own groups get the plain name, and only if nothing was lost in it that tells it from another.
    let own = matches!(updates, [one] if (major || one.package.to_string() == group) && splits_one_way(one));
    if own && slug == wanted && !taken(&plainly) {
        return plainly;
    }
    let hashed = format!("{plainly}-{}", &hash[..8]);
    let numbered = std::iter::once(hashed.clone()).chain((2..100).map(|n| format!("{hashed}-{n}")));
    // Whoever opened a hundred of the same gets a name that is taken; opening it then finds another.
    numbered.into_iter().find(|name| !taken(name)).unwrap_or(hashed)
}

/// Whether `name-version` can be taken apart again: the version begins at the first digit after a `-`.
fn splits_one_way(update: &Update) -> bool {
    let mut parts = display_name(&update.package).split('-').skip(1);
    update.refresh.is_none()
        && update.to.starts_with(|c: char| c.is_ascii_digit())
        && !parts.any(|p| p.starts_with(|c: char| c.is_ascii_digit()))
}

/// Lower-case letters, digits and single `.`, `_`, `-`, starting and ending with a letter or digit; at most 80 characters.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        let c = if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
        let after_mark = slug.chars().last().is_none_or(|last| !last.is_ascii_alphanumeric());
        if slug.len() < 80 && (c.is_ascii_alphanumeric() || !after_mark) {
            slug.push(c);
        }
    }
    let trimmed = slug.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    // git refuses refs that end in `.lock`.
    let safe = trimmed.strip_suffix(".lock").map_or(trimmed.to_string(), |stem| format!("{stem}-lock"));
    if safe.is_empty() { "update".into() } else { safe }
}

/// The commit's message: the title, then one line for each update.
pub fn commit_message(title: &str, updates: &[Update]) -> String {
    let mut message = format!("{title}\n");
    if updates.len() > 1 {
        message.push('\n');
        for update in updates.iter().take(MESSAGE_MAX_LINES) {
            let name = plain(display_name(&update.package), NAME_MAX_CHARS);
            let _ = writeln!(message, "- {name} {}", from_to(update));
        }
        if updates.len() > MESSAGE_MAX_LINES {
            let _ = writeln!(message, "- and {} more", updates.len() - MESSAGE_MAX_LINES);
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoken_is_ours_or_shown_as_it_is() {
        let cases = [
            ("line 6 ignores `django` `>=5`", "line 6 ignores `django` `>=5`"),
            (
                "waits for Monday 2026-03-02 06:00 Europe/Paris (weekly)",
                "waits for Monday 2026-03-02 06:00 Europe/Paris (weekly)",
            ),
            ("a `b|c` d", "a `b¦c` d"),
            ("an odd `backtick", "`` an odd `backtick ``"),
            ("ask @octocat", "`ask @octocat`"),
            ("closes GH-1", "`closes GH-1`"),
            ("see www.example.com", "`see www.example.com`"),
            ("as in 0123abc", "`as in 0123abc`"),
            ("<b>", "`<b>`"),
        ];
        for (text, expected) in cases {
            assert_eq!(spoken(text), expected, "{text}");
        }
    }

    #[test]
    fn slugs_are_valid_refs() {
        let cases = [
            ("httpx-0.28.0", "httpx-0.28.0"),
            ("registry.example/acme/base-1..2", "registry.example-acme-base-1.2"),
            ("a b@{c}~^:?*[\\", "a-b-c"),
            ("x.lock", "x-lock"),
            ("-.-", "update"),
            ("Ünï", "n"),
        ];
        for (text, expected) in cases {
            assert_eq!(slug(text), expected, "{text}");
        }
        assert!(slug(&"a".repeat(300)).len() <= 80);
    }
}
