//! Who owns which files of a repository, by its `CODEOWNERS` file.
//!
//! Source: GitHub's documentation, "About code owners": patterns as of gitignore, but without `!`, without ranges in `[ ]`
//! and without an escaped `#`; the last pattern that matches takes precedence, also where it names nobody; case matters; a
//! line that is not understood is passed over.

use crate::domain::RepoPath;
use crate::domain::people::Party;

/// Where GitHub looks for the file, in this order: the first that is there counts.
pub const CODE_OWNERS_PATHS: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/// GitHub passes over a larger file. Unit: bytes.
pub const CODE_OWNERS_BYTES_MAX: usize = 3 << 20;

/// A longer pattern matches no path that there is. Unit: bytes.
const PATTERN_BYTES_MAX: usize = 4_096;
/// So much is compared for one question; whoever asks for more gets no answer. Unit: characters, about.
const WORK_MAX: usize = 50_000_000;

/// The owners of files, in the order in which the file names them: of each file those of the last line that matches. Owners
/// that are written as addresses of mail are left out: they cannot be asked by it.
///
/// `None` for a file whose lines take too long to compare; such files are made, not written.
pub fn code_owners(text: &str, files: &[&RepoPath]) -> Option<Vec<Party>> {
    let lines: Vec<(Pattern<'_>, &str)> = text.lines().filter_map(line).collect();
    let mut work = WORK_MAX;
    let mut owners: Vec<Party> = Vec::new();
    for file in files {
        let parts: Vec<&str> = file.as_str().split('/').collect();
        let mut found = None;
        for (pattern, said) in lines.iter().rev() {
            if pattern.matches(&parts, &mut work)? {
                found = Some(*said);
                break;
            }
        }
        for owner in found.into_iter().flat_map(parties) {
            if !owners.iter().any(|known| known.is(&owner)) {
                owners.push(owner);
            }
        }
    }
    Some(owners)
}

/// The pattern of a line, and what follows it; `None` for a line without one, or with one that GitHub does not understand.
fn line(line: &str) -> Option<(Pattern<'_>, &str)> {
    let line = line.trim_start_matches('\u{feff}').trim();
    let line = line.split_once('#').map_or(line, |(before, _)| before);
    let (pattern, owners) = match unescaped_space(line) {
        Some(at) => line.split_at(at),
        None => (line, ""),
    };
    Some((Pattern::parse(pattern)?, owners))
}

/// Where the pattern ends: at the first blank that no backslash is before.
fn unescaped_space(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    (0..bytes.len()).find(|&at| bytes[at].is_ascii_whitespace() && (at == 0 || bytes[at - 1] != b'\\'))
}

fn parties(owners: &str) -> impl Iterator<Item = Party> {
    owners.split_whitespace().filter(|owner| owner.starts_with('@')).filter_map(|owner| Party::parse(owner).ok())
}

struct Pattern<'t> {
    /// What each part of a path has to be like; `**` stands for any number of parts.
    parts: Vec<&'t str>,
    /// It begins at the root of the repository.
    anchored: bool,
    /// It ends with `/`: it means a folder, and so what is in it.
    folder: bool,
    /// It ends with `/*`: the files right there, and none below.
    flat: bool,
}

impl<'t> Pattern<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        if text.is_empty() || text.len() > PATTERN_BYTES_MAX || text.starts_with('!') || text.contains(['[', ']']) {
            return None;
        }
        let folder = text.ends_with('/');
        let body = text.trim_matches('/');
        // A slash anywhere but at the end ties it to the root, as in gitignore.
        let anchored = text.starts_with('/') || body.contains('/');
        let parts: Vec<&str> = body.split('/').filter(|part| !part.is_empty()).collect();
        // `/` alone names nothing.
        if parts.is_empty() {
            return None;
        }
        let flat = text.ends_with("/*");
        Some(Self { parts, anchored, folder, flat })
    }

    /// Whether it matches a file, or a folder that the file is in. `None` if the work does not suffice.
    fn matches(&self, file: &[&str], work: &mut usize) -> Option<bool> {
        let end = file.len();
        // The numbers of parts of the path that the pattern so far may have matched.
        let mut reached = vec![false; end + 1];
        match self.anchored {
            true => reached[0] = true,
            // It may begin in any folder.
            false => reached[..end].fill(true),
        }
        for (n, part) in self.parts.iter().enumerate() {
            let mut next = vec![false; end + 1];
            if *part == "**" {
                let first = reached.iter().position(|reached| *reached);
                // At the end it means what is in the folder, not the folder itself.
                let inside = usize::from(n + 1 == self.parts.len());
                if let Some(first) = first {
                    next.iter_mut().skip(first + inside).for_each(|next| *next = true);
                }
            } else {
                for at in (0..end).filter(|at| reached[*at]) {
                    next[at + 1] = part_matches(part.as_bytes(), file[at].as_bytes(), work)?;
                }
            }
            reached = next;
        }
        let (whole, folders) = (reached[end], reached[1..end].iter().any(|reached| *reached));
        Some(match (self.folder, self.flat) {
            (true, _) => folders,
            (false, true) => whole,
            (false, false) => whole || folders,
        })
    }
}

/// Whether a part of a path is like a part of a pattern: `*` is any text, `?` any character, `\` takes the next one as it is.
fn part_matches(pattern: &[u8], text: &[u8], work: &mut usize) -> Option<bool> {
    let (mut p, mut t) = (0, 0);
    // Where to go on if what follows the last `*` does not fit: there, with one character more.
    let mut star: Option<(usize, usize)> = None;
    loop {
        *work = work.checked_sub(1)?;
        let fits = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some(b'?') if t < text.len() => Some(1),
            Some(b'\\') if pattern.get(p + 1).is_some() && pattern.get(p + 1) == text.get(t) => Some(2),
            Some(b'\\') if pattern.get(p + 1).is_some() => None,
            Some(byte) if Some(byte) == text.get(t) => Some(1),
            Some(_) => None,
            None if t == text.len() => return Some(true),
            None => None,
        };
        match (fits, &mut star) {
            (Some(length), _) => {
                p += length;
                // A character may have several bytes.
                let whole = if pattern[p - length] == b'?' { character(&text[t..]) } else { 1 };
                t += whole;
            }
            (None, Some((after, from))) if *from < text.len() => {
                *from += 1;
                (p, t) = (*after, *from);
            }
            _ => return Some(false),
        }
    }
}

/// How many bytes the first character of a text has.
fn character(text: &[u8]) -> usize {
    1 + text.iter().skip(1).take_while(|byte| **byte & 0xC0 == 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owners(text: &str, path: &str) -> String {
        let path = RepoPath::parse(path).unwrap();
        let found = code_owners(text, &[&path]).expect("in time");
        found.iter().map(Party::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The example file of GitHub's documentation, line by line.
    const DOCUMENTED: &str = "\
# This is a comment.
# Each line is a file pattern followed by one or more owners.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/*  docs@example.com @docs-owner
apps/ @octocat
/docs/ @doctocat-docs
/scripts/ @doctocat @octocat
**/logs @octocat-logs
/apps/ @octocat-apps
/apps/github 
";

    #[test]
    fn the_example_of_githubs_documentation() {
        for (path, expected) in [
            ("README.md", "global-owner1 global-owner2"),
            ("src/app.js", "js-owner"),
            ("main.go", ""),
            ("a/b/notes.txt", "octo-org/octocats"),
            ("build/logs/x/y.log", "octocat-logs"),
            ("docs/getting-started.md", "doctocat-docs"),
            ("docs/build-app/troubleshooting.md", "doctocat-docs"),
            ("deep/apps/x.c", "octocat"),
            ("scripts/run.sh", "doctocat octocat"),
            ("deeply/nested/logs/x", "octocat-logs"),
            ("apps/web/x.c", "octocat-apps"),
            ("apps/github/x.c", ""),
        ] {
            assert_eq!(owners(DOCUMENTED, path), expected, "{path}");
        }
    }

    #[test]
    fn each_rule_by_itself() {
        for (line, path, matches) in [
            ("docs/* @a", "docs/x.md", true),
            ("docs/* @a", "docs/build-app/x.md", false),
            ("docs/* @a", "sub/docs/x.md", false),
            ("/* @a", "x.md", true),
            ("/* @a", "docs/x.md", false),
            ("**/* @a", "docs/x.md", true),
            ("docs/** @a", "docs/build-app/x.md", true),
            ("docs/** @a", "docs", false),
            ("/docs @a", "docs/a/b.md", true),
            ("/docs @a", "docs", true),
            ("docs @a", "sub/docs/b.md", true),
            ("docs/ @a", "docs", false),
            ("**/x @a", "x", true),
            ("**/x @a", "a/b/x", true),
            ("a/**/b @a", "a/b", true),
            ("a/**/b @a", "a/x/y/b", true),
            ("a/**/b @a", "z/a/b", false),
            ("*.txt @a", "A.TXT", false),
            ("/*.txt @a", "sub/a.txt", false),
            ("a?c @a", "aéc", true),
            ("a*c*e @a", "abcde", true),
            ("a*c*e @a", "abcd", false),
            (r"my\ file @a", "my file", true),
            ("!x @a", "x", false),
            ("[ab] @a", "a", false),
            (r"\#x @a", "#x", false),
            ("/ @a", "x", false),
            ("* me@example.com", "x", false),
            ("* alice", "x", false),
            ("\u{feff}* @a", "x", true),
            ("*\t@a\r", "x", true),
        ] {
            assert_eq!(!owners(line, path).is_empty(), matches, "{line:?} on {path:?}");
        }
        assert_eq!(owners("* @a @A @b", "x"), "a b", "each once");
        assert_eq!(owners("*.rs @a\n*", "x.rs"), "", "the last that matches, also where it names nobody");
    }

    #[test]
    fn hostile_files_are_given_up_in_time() {
        let path = RepoPath::parse(&format!("{}b", "a".repeat(900))).unwrap();
        let stars = format!("{}c @x\n", "*a".repeat(1_000));
        assert!(code_owners(&stars.repeat(1_400), &[&path; 20]).is_none());
        assert_eq!(owners(&format!("* @x\n{} @y", "a".repeat(5_000)), "a"), "x", "one that is too long is passed over");
    }
}
