//! The first subscription file of a repository, and the pull request that brings it.
//!
//! Pure. The file is written for what was found in the repository, and is always one that [`subscription`](crate::subscription)
//! takes. Its reader has most likely never heard of the bot, so each line of it is explained.

use super::preview::{Preview, foretold};
use super::prose::quoted;
use super::timing::moment_in_words;
use crate::domain::{Dependency, Ecosystem, RepoPath};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The pull request's title.
pub const TITLE: &str = "Add .mass-driver.yaml";
/// The commit's message.
pub const MESSAGE: &str =
    "Add .mass-driver.yaml\n\nIt says what mass-driver keeps up to date in this repository, and when.\n";
/// The branch it is sent on, unless somebody else has one of that name.
pub const BRANCH: &str = "mass-driver/onboarding";

/// A body has so many characters at most; GitHub's own limit is a little higher.
const BODY_MAX_CHARS: usize = 58_000;
/// So many files are listed. Unit: rows.
const FILES_MAX: usize = 50;

/// What was found in a repository: of each ecosystem the files, with how many of their dependencies can be kept up to date.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found(BTreeMap<Ecosystem, BTreeMap<RepoPath, usize>>);

impl Found {
    /// Counts dependencies. Those that are left alone in any case count for nothing.
    pub fn of(dependencies: &[Dependency]) -> Self {
        let mut found = Self::default();
        for one in dependencies.iter().filter(|one| one.skip.is_none()) {
            let files = found.0.entry(one.package.ecosystem).or_default();
            *files.entry(one.path.clone()).or_default() += 1;
        }
        found
    }

    /// Whether there is nothing that could be kept up to date.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ecosystems, in the order of their declaration.
    pub fn ecosystems(&self) -> impl Iterator<Item = Ecosystem> {
        self.0.keys().copied()
    }
}

/// What people call the packages of an ecosystem.
const fn kind(ecosystem: Ecosystem) -> &'static str {
    match ecosystem {
        Ecosystem::Pypi => "Python packages",
        Ecosystem::Docker => "Container images",
        Ecosystem::GithubActions => "GitHub Actions",
        Ecosystem::PreCommit => "Hooks of pre-commit",
        Ecosystem::Npm => "JavaScript packages",
        Ecosystem::Cargo => "Rust crates",
    }
}

/// The entry of an ecosystem: why it is as it is, and its lines beside the migration.
const fn entry(ecosystem: Ecosystem) -> (&'static str, &'static str) {
    const LIBRARIES: (&str, &str) = (
        "every Monday at 06:00; small steps come together, major ones alone",
        "delay: weekly\n    group: minor-and-patch",
    );
    match ecosystem {
        Ecosystem::Pypi | Ecosystem::Npm | Ecosystem::Cargo => LIBRARIES,
        Ecosystem::Docker => {
            ("at once, since they carry the security fixes of all that is in them", "delay: immediate\n    min_age: 0d")
        }
        Ecosystem::GithubActions => (
            "on the first of the month at 06:00, together but for major steps",
            "delay: monthly\n    group: minor-and-patch",
        ),
        Ecosystem::PreCommit => ("on the first of the month at 06:00, all together", "delay: monthly\n    group: all"),
    }
}

/// The text before the subscriptions.
const HEAD: &str = "\
# What mass-driver keeps up to date in this repository, and when.
# Whoever changes this file sees in the check beside the commit what it would do.

# The time zone of all times of day: an IANA name such as Europe/Paris.
timezone: UTC

# At most so many of its pull requests are open at a time.
limit: 5

# How old a release must be before it is proposed; most bad ones are taken back within days.
min_age: 3d

# One entry for each kind of package that was found. Without its entry, a kind is left alone.
subscriptions:
";

/// The subscription file for a repository with these ecosystems.
pub fn file(ecosystems: impl IntoIterator<Item = Ecosystem>) -> String {
    let mut text = HEAD.to_owned();
    for ecosystem in ecosystems {
        let (why, lines) = entry(ecosystem);
        // Writing to a String cannot fail.
        let _ = write!(text, "  # {}: {why}.\n  - migration: {ecosystem}\n    {lines}\n", kind(ecosystem));
    }
    text
}

/// Who asks for the file.
pub struct Asker<'a> {
    /// The account.
    pub account: &'a str,
    /// Where its own file can be read.
    pub link: &'a str,
}

/// The pull request's text: what the bot is, what was found, what the file would do, and what can be done about it.
pub fn body(found: &Found, asker: &Asker<'_>, preview: &Preview<'_>, now: Timestamp) -> String {
    let Asker { account, link } = asker;
    let start = format!(
        "mass-driver opens pull requests that update the dependencies of a repository, at the times that the repository itself \
         sets in a file. This pull request adds that file; {} asks for it, in [its file for all repositories]({link}).\n\n{}",
        quoted(account),
        files(found)
    );
    let end = format!(
        "\n---\n\n\
         - **Merge** this pull request, and what the file says begins.\n\
         - **Change** {path} on this branch first, if you want other times, other packages or fewer pull requests; the check on \
         the commit then shows what that would do.\n\
         - **Close** it, and this repository is never asked again.\n",
        path = quoted(preview.path)
    );
    let heading = format!("\n## What the file would do, as of {}\n\n", moment_in_words(&TimeZone::UTC, now));
    let room =
        BODY_MAX_CHARS.saturating_sub([&start, &end, &heading].into_iter().map(|part| part.chars().count()).sum());
    let (in_short, in_detail) = foretold(preview, now);
    let whole = format!("{in_short}\n{in_detail}");
    let foretold = match (whole.chars().count() <= room, in_short.chars().count() <= room) {
        (true, _) => whole,
        (false, true) => format!("{in_short}\nThe check on the commit has the details.\n"),
        (false, false) => "The check on the commit says it.\n".into(),
    };
    format!("{start}{heading}{foretold}{end}")
}

fn files(found: &Found) -> String {
    let mut text = "## What was found\n\n| Kind | File | Dependencies |\n| --- | --- | --- |\n".to_owned();
    let rows: Vec<_> = found.0.iter().flat_map(|(kind, files)| files.iter().map(move |file| (kind, file))).collect();
    for (ecosystem, (path, number)) in rows.iter().take(FILES_MAX) {
        let _ = writeln!(text, "| {} | {} | {number} |", kind(**ecosystem), quoted(path.as_str()));
    }
    if rows.len() > FILES_MAX {
        let _ = writeln!(text, "\n… and {} more files.", rows.len() - FILES_MAX);
    }
    text
}
