//! Which pull requests are looked at.

use super::super::{UsageError, print::printable};
use crate::document::{Unreadable, list_lines, read_bounded};
use crate::domain::RunRepository;
use crate::forge::session::PullAddress;
use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

/// A pull request that somebody wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// As it was written.
    pub(super) written: String,
    /// What that says, or why it says nothing.
    pub(super) address: Result<PullAddress, String>,
}

/// How many mistakes are told at once.
const TOLD: usize = 5;
/// No list is read further. Unit: bytes.
const FILE_MAX: u64 = 16 << 20;

/// Those that words name.
///
/// Errors: the words that name none.
pub(super) fn named(words: &[String]) -> Result<Vec<Wanted>, UsageError> {
    read(words.iter().map(|word| (String::new(), word.as_str())))
}

/// Those that a file names, one in each line; what follows a `#` at the beginning of a line or behind white space is a comment.
///
/// Errors: a file that cannot be read, and lines that name none.
pub(super) fn of_file(path: &Path) -> Result<Vec<Wanted>, UsageError> {
    let text = contents(path).map_err(|why| UsageError(format!("{} {why}", path.display())))?;
    read(list_lines(&text).map(|(number, line)| (format!("{}:{number}: ", path.display()), line)))
}

/// Those that a run opened, or found open.
pub(super) fn of_run(repositories: &[RunRepository]) -> Vec<Wanted> {
    let pulls = repositories.iter().filter_map(|one| one.pull.as_ref());
    pulls.map(|pull| Wanted { written: pull.url.clone(), address: PullAddress::parse(&pull.url) }).collect()
}

/// Drops what is there already, and counts it. `host` is where a name without an address is looked for.
pub(super) fn without_repeats(wanted: &mut Vec<Wanted>, host: &str) -> usize {
    let before = wanted.len();
    let mut seen = HashSet::new();
    wanted.retain(|one| match &one.address {
        Ok(address) => {
            let host = address.host.as_deref().unwrap_or(host);
            seen.insert((host.to_owned(), address.repository.to_string().to_lowercase(), address.number.0))
        }
        Err(_) => true,
    });
    before - wanted.len()
}

fn read<'a>(words: impl Iterator<Item = (String, &'a str)>) -> Result<Vec<Wanted>, UsageError> {
    let (mut wanted, mut mistakes) = (Vec::new(), Vec::new());
    for (place, word) in words {
        match PullAddress::parse(word) {
            Ok(address) => wanted.push(Wanted { written: word.trim().to_owned(), address: Ok(address) }),
            Err(why) => mistakes.push(format!("{place}{}", printable(&why))),
        }
    }
    if mistakes.is_empty() {
        return Ok(wanted);
    }
    let more = mistakes.len().saturating_sub(TOLD);
    mistakes.truncate(TOLD);
    if more > 0 {
        mistakes.push(format!("and {more} more"));
    }
    Err(UsageError(mistakes.join("\nmass-driver: ")))
}

fn contents(path: &Path) -> Result<String, Unreadable> {
    match path.to_str() {
        Some("-") => read_bounded(std::io::stdin(), FILE_MAX),
        _ => read_bounded(File::open(path)?, FILE_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_them_and_a_mistake_has_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list");
        std::fs::write(&file, "\u{feff}acme/api#3\t# the first\n\n# more\nacme/web#4\n").unwrap();
        let written: Vec<_> = of_file(&file).unwrap().into_iter().map(|one| one.written).collect();
        assert_eq!(written, ["acme/api#3", "acme/web#4"]);
        std::fs::write(&file, "acme/api#3\n\nacme\n").unwrap();
        let told = of_file(&file).unwrap_err().to_string();
        assert!(told.starts_with(&format!("{}:3: ", file.display())), "{told}");
        std::fs::write(&file, b"acme/api#3\n\xff\n").unwrap();
        let told = of_file(&file).unwrap_err().to_string();
        assert_eq!(told, format!("{} is not UTF-8 in line 2; save it as UTF-8", file.display()));
    }

    #[test]
    fn what_is_written_in_two_ways_is_one() {
        let words =
            ["acme/api#3", "https://github.com/ACME/api/pull/3/files", "https://ghes.example.com/acme/api/pull/3"];
        let mut wanted = named(&words.map(str::to_owned)).unwrap();
        assert_eq!(without_repeats(&mut wanted, "github.com"), 1);
        assert_eq!(wanted.len(), 2);
    }

    #[test]
    fn mistakes_are_told_together_and_not_all_of_them() {
        let words: Vec<String> = (0..8).map(|n| format!("acme/api/{n}\u{1b}[31m")).collect();
        let told = named(&words).unwrap_err().to_string();
        assert_eq!(told.lines().count(), 6);
        assert!(told.ends_with("and 3 more") && !told.contains('\u{1b}'), "{told}");
    }
}
