//! For which versions of Python a release is, by what an index says of each of its files.
//!
//! Source: PEP 503, `data-requires-python`; PEP 691, `requires-python`. What it says is taken over, and not judged here.

use std::collections::BTreeSet;

/// Releases whose files say more different things, or say it in longer words, are odd: nothing is known of them.
const MOST: usize = 8;
const LONGEST_BYTES: usize = 200;

/// What the files of a release say that were not taken back. A release is for whom one of them is for.
#[derive(Debug, Default)]
pub(super) struct FilesPythons<'a> {
    written: BTreeSet<&'a str>,
    /// One of them is for all.
    any: bool,
}

impl<'a> FilesPythons<'a> {
    pub(super) fn add(&mut self, requires_python: Option<&'a str>, yanked: bool) {
        match requires_python.map(str::trim) {
            _ if yanked => {}
            None | Some("") => self.any = true,
            Some(written) => {
                self.written.insert(written);
            }
        }
    }

    /// As [`FoundRelease::requires_python`](super::FoundRelease::requires_python).
    pub(super) fn together(&self) -> Option<String> {
        let odd = |one: &&str| {
            one.len() > LONGEST_BYTES || one.contains('|') || !one.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        if self.any || self.written.is_empty() {
            return Some(String::new());
        }
        let written: Vec<&str> = self.written.iter().copied().collect();
        (written.len() <= MOST && !written.iter().any(odd)).then(|| written.join(" || "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together(files: &[(Option<&str>, bool)]) -> Option<String> {
        let mut pythons = FilesPythons::default();
        files.iter().for_each(|(range, yanked)| pythons.add(*range, *yanked));
        pythons.together()
    }

    #[test]
    fn a_release_is_for_whom_one_of_its_files_is_for() {
        let is = |range: &str| Some(range.to_owned());
        let new = (Some(">=3.9"), false);
        assert_eq!(together(&[new, (Some(" >=3.9 "), false)]), is(">=3.9"));
        assert_eq!(together(&[new, (Some(">=3.8,<3.9"), false)]), is(">=3.8,<3.9 || >=3.9"));
        assert_eq!(together(&[new, (None, false)]), is(""), "one of them is for all");
        assert_eq!(together(&[new, (Some(""), false)]), is(""));
        assert_eq!(together(&[new, (None, true)]), is(">=3.9"), "which was taken back");
        assert_eq!(together(&[(Some(">=3.9"), true)]), is(""), "all of it was");
        for odd in [">=3.9 || >=2", ">=3.9\n<4", "\u{2265}3.9", &">".repeat(201)] {
            assert_eq!(together(&[(Some(odd), false)]), None, "{odd}");
        }
        let many: Vec<String> = (0..=MOST).map(|minor| format!("==3.{minor}")).collect();
        let many: Vec<(Option<&str>, bool)> = many.iter().map(|range| (Some(range.as_str()), false)).collect();
        assert_eq!(together(&many), None, "nobody writes that");
    }
}
