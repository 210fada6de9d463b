//! What goes wrong with git, by what a caller does differently.

use super::super::address::BadAddress;
use super::super::words::one_line;
use super::branches::it_has;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why something could not be done by git. Texts of git's own have lost their secrets and what steers a terminal.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The address is none that is cloned.
    #[error(transparent)]
    BadAddress(#[from] BadAddress),
    /// There is no repository at the address elsewhere. A forge says the same of what one may not see.
    #[error("{what}: not found, or not to be seen with this token or key{}", and(said))]
    NotFound {
        /// What was done.
        what: String,
        /// git's last words.
        said: String,
    },
    /// The address is a path, and there is nothing.
    #[error("{what}: there is no such folder{hint}")]
    NoFolder {
        /// What was done.
        what: String,
        /// What may have been meant, if anything: it goes on behind a full stop.
        hint: String,
    },
    /// The address is a folder, and no repository.
    #[error("{what}: it is no git repository{}{}", top_folder(top.as_deref()), and(said))]
    NoRepository {
        /// What was done.
        what: String,
        /// The repository that it is a folder of, where it is.
        top: Option<PathBuf>,
        /// git's last words, where they say more.
        said: String,
    },
    /// The repository has no such branch.
    #[error("{what}: it has no branch {branch}{}", it_has(has))]
    NoBranch {
        /// What was done.
        what: String,
        /// The branch that was wanted.
        branch: String,
        /// Some that it has, where that is known.
        has: Vec<String>,
    },
    /// The repository's head names a branch that is not there, and others are.
    #[error("{what}: its default branch{} is not there; name `upstream_branch`{}", quoted(branch.as_deref()), it_has(has))]
    NoDefaultBranch {
        /// What was done.
        what: String,
        /// The branch that its head names, where that is known.
        branch: Option<String>,
        /// Some that it has.
        has: Vec<String>,
    },
    /// The other side does not let us in, or does not let us write.
    #[error("{what}: access was refused{}", and(said))]
    NotLetIn {
        /// What was done.
        what: String,
        /// git's last words.
        said: String,
    },
    /// The repository has no commits.
    #[error("the repository is empty: there is nothing to change before its first commit")]
    Empty,
    /// It took too long, and was ended.
    #[error("git was ended after {} seconds{}", .after.as_secs(), and(said))]
    TimedOut {
        /// How long it was given.
        after: Duration,
        /// git's last words.
        said: String,
    },
    /// The other side refused the branch: a rule, a hook.
    #[error("the push was rejected{}", and(said))]
    Rejected {
        /// Its words.
        said: String,
    },
    /// The branch is not where it was seen: somebody else has moved it meanwhile.
    #[error("the branch was moved by somebody else meanwhile; nothing was overwritten{}", and(said))]
    LeaseLost {
        /// git's last words.
        said: String,
    },
    /// Nobody is named as the author of commits.
    #[error(
        "nobody is named as the author of the commits: name one in the Activity, or set yours with \
         `git config --global user.name` and `user.email`{}",
        and(said)
    )]
    NoAuthor {
        /// git's last words.
        said: String,
    },
    /// The change would put plain files where the repository keeps pointers.
    #[error(
        "{} kept in Git LFS, as .gitattributes says, and the change would put plain contents there; nothing is changed. Make it \
         in a clone of your own with git-lfs, or leave such files out",
        named(paths)
    )]
    LargeFiles {
        /// The files, from the top of the repository.
        paths: Vec<String>,
    },
    /// git is not there.
    #[error("`{program}` is not installed, or not on the PATH; mass-driver needs the git executable")]
    NoGit {
        /// What was looked for.
        program: String,
    },
    /// Anything else.
    #[error("{what} failed{}", and(said))]
    Other {
        /// What was done.
        what: String,
        /// git's last words, or the system's.
        said: String,
    },
}

impl GitError {
    /// That a branch cannot be made beside another one.
    pub fn in_the_way(other: &str, branch: &str) -> Self {
        let said = format!(
            "its branch `{other}` is in the way of `{branch}`, since git keeps branches as files in folders: name another \
             `head_branch`"
        );
        Self::Rejected { said }
    }

    /// Whether it tells of a push that the other side did not take.
    pub fn is_refused_push(&self) -> bool {
        matches!(self, Self::LeaseLost { .. } | Self::Rejected { .. } | Self::NotLetIn { .. } | Self::NotFound { .. })
    }

    /// What a complaint of git's, in its untranslated words, means.
    pub(super) fn of(what: &str, said: String) -> Self {
        let what = what.to_owned();
        let low = said.to_lowercase();
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| low.contains(phrase));
        // A fault of this machine's disk comes with words that could mean the other side as well.
        if says(&[
            "could not lock",
            "unable to create",
            "no space left",
            "read-only file system",
            "disk quota exceeded",
        ]) {
            return Self::Other { what, said };
        }
        // GitHub answers a missing repository over ssh with "Could not read from remote repository" as well; its first words count.
        if says(&["repository not found", "returned error: 404"])
            || low.contains("repository '") && low.contains("' not found")
        {
            Self::NotFound { what, said }
        } else if says(&[
            "authentication failed",
            "could not read username",
            "could not read password",
            "terminal prompts disabled",
            "returned error: 401",
            "returned error: 403",
            "permission denied",
            "permission to ",
            "host key verification failed",
            "dubious ownership",
        ]) {
            Self::NotLetIn { what, said }
        } else if says(&[
            "does not appear to be a git repository",
            "not a git repository",
            "no such file or directory",
            "cannot change to",
            "couldn't find remote ref",
            "remote branch",
            "unknown revision",
        ]) {
            Self::NotFound { what, said }
        } else {
            Self::Other { what, said }
        }
    }

    /// Something on the disk of this machine.
    pub(in crate::bulk) fn disk(what: &str, error: &std::io::Error) -> Self {
        Self::Other { what: what.to_owned(), said: error.to_string() }
    }
}

/// The first of some files, and how many more there are.
fn named(paths: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut shown: Vec<String> = paths.iter().take(SHOWN).map(|path| one_line(path)).collect();
    if paths.len() > SHOWN {
        shown.push(format!("{} more", paths.len() - SHOWN));
    }
    match shown.split_last() {
        Some((last, [])) => format!("{last} is"),
        Some((last, before)) => format!("{} and {last} are", before.join(", ")),
        None => String::new(),
    }
}

/// What was said, on one line: that is how it is shown, among others of its kind.
fn and(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {}", said.replace('\n', " ")) }
}

fn quoted(branch: Option<&str>) -> String {
    branch.map(|branch| format!(" `{branch}`")).unwrap_or_default()
}

fn top_folder(top: Option<&Path>) -> String {
    match top {
        Some(top) => format!(", but a folder in one: name {}", top.display()),
        None => " (name its top folder)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_over_several_lines_is_told_on_one() {
        let error = GitError::of("cloning x", "remote: No.\nfatal: early EOF".to_owned());
        assert_eq!(error.to_string(), "cloning x failed: remote: No. fatal: early EOF");
    }

    #[test]
    fn words_of_git_are_told_apart() {
        let of = |said: &str| GitError::of("cloning", said.to_owned());
        assert!(matches!(
            of("remote: Repository not found.\nfatal: repository 'https://h/a' not found"),
            GitError::NotFound { .. }
        ));
        assert!(matches!(
            of("ERROR: Repository not found.\nfatal: Could not read from remote repository."),
            GitError::NotFound { .. }
        ));
        assert!(matches!(of("git@h: Permission denied (publickey)."), GitError::NotLetIn { .. }));
        assert!(matches!(
            of("fatal: could not read Username for 'https://h': terminal prompts disabled"),
            GitError::NotLetIn { .. }
        ));
        assert!(matches!(of("fatal: Remote branch x not found in upstream origin"), GitError::NotFound { .. }));
        assert!(matches!(of("fatal: early EOF"), GitError::Other { .. }));
        for here in [
            "error: could not lock config file /c/config: No such file or directory",
            "fatal: Unable to create '/c/index.lock': Permission denied",
            "fatal: write error: No space left on device",
        ] {
            assert!(matches!(of(here), GitError::Other { .. }), "{here}");
        }
    }
}
