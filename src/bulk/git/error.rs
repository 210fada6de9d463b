//! What goes wrong with git, by what a caller does differently.

use super::super::address::BadAddress;
use std::time::Duration;

/// Why something could not be done by git. Texts of git's own have lost their secrets and what steers a terminal.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The address is none that is cloned.
    #[error(transparent)]
    BadAddress(#[from] BadAddress),
    /// There is no repository at the address, or no such branch in it. A forge says the same of what one may not see.
    #[error("{what}: not found, or not to be seen with this token or key{}", and(said))]
    NotFound {
        /// What was done.
        what: String,
        /// git's last words.
        said: String,
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
    /// What a complaint of git's, in its untranslated words, means.
    pub(super) fn of(what: &str, said: String) -> Self {
        let what = what.to_owned();
        let low = said.to_lowercase();
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| low.contains(phrase));
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

fn and(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
