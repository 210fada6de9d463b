//! Which files and folders of this repository a page names.

/// The page without its fenced blocks, which show drawings, commands and other people's files.
pub fn prose(page: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    page.lines()
        .enumerate()
        .filter(|(_, line)| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
        .map(|(at, line)| (at + 1, line))
        .collect()
}

/// Endings by which a name without a slash is a file of this repository. (`.yaml` and `.txt` are not among them: those
/// are files of the bot's users.)
const ENDINGS: [&str; 7] = [".rs", ".md", ".sql", ".sh", ".mjs", ".json", ".html"];

/// Beginnings by which a name with a slash is something else: a repository, image or branch in an example, a media
/// type, what a build makes, a folder of the bot's users.
const NOT_FILES: [&str; 18] = [
    ".github/",
    "acme/",
    "actions/",
    "github.com/",
    "OWNER/",
    "mass-driver/",
    "library/",
    "ghcr.example.com/",
    "application/",
    "text/",
    "target/",
    "services/",
    "requirements/",
    "widget/",
    "gadget/",
    "parent/",
    "a/",
    "./",
];

/// Files of the bot's users whose ending some of ours have.
const USERS_FILES: [&str; 3] = ["package.json", "package-lock.json", "npm-shrinkwrap.json"];

/// Whether a code span names a file or folder of this repository.
///
/// It does if it consists of the characters of paths alone, and either contains a slash (not at its start: that is a
/// route) or ends as a file of ours does.
pub fn is_path(span: &str) -> bool {
    let of_path = |character: char| character.is_ascii_alphanumeric() || "._-/*".contains(character);
    !span.is_empty()
        && span.chars().all(of_path)
        && !span.starts_with('/')
        && !USERS_FILES.contains(&span)
        && !NOT_FILES.iter().any(|other| span.starts_with(other))
        && (span.contains('/') || ENDINGS.iter().any(|ending| span.ends_with(ending) && span != *ending))
}

/// The targets of a line's Markdown links that stay inside the repository.
pub fn local_links(line: &str) -> Vec<&str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .map(|target| target.split_once('#').map_or(target, |(file, _)| file))
        .filter(|target| !target.is_empty() && !target.contains(':'))
        .collect()
}
