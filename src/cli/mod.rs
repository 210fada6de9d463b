//! The commands of the executable, one file each: they read arguments, call the rooms below and print.
//!
//! Results go to the writer a command is given, styled; the caller hands in one that drops styles where no
//! terminal listens (`anstream::stdout()`). Errors are returned, for `main` to print on standard error.

use crate::domain::RepoName;
use crate::forge::ForgeError;
use crate::registries::RegistrySettingsError;
use crate::settings::Unusable;
use crate::store::StoreError;
use std::error::Error;
use std::num::{IntErrorKind, ParseIntError};
use std::process::ExitCode;
use std::str::FromStr;

pub mod audit;
mod bar;
pub mod check;
pub mod completions;
pub mod credentials;
pub mod deps;
pub mod new;
mod passed_over;
pub mod plan;
pub mod plug_ins;
mod print;
pub mod retry;
pub mod run;
pub mod runs;
pub mod sandbox;
pub mod scans;
pub mod schema;
mod summary;
pub mod view_pr;
pub mod why;

pub use print::{Notes, Output, printable, unwritten};

/// How a command ended, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was asked for is done.
    Done,
    /// Something failed, or was found wanting.
    Failed,
    /// The command could not begin with what it was given: wrong arguments or settings, a missing file.
    Usage,
}

impl Exit {
    /// How a command ended that returned an error: whatever its arguments, settings or files have to be changed for is wrong
    /// usage, and this is the one place that says so.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.chain().any(is_of_usage) { Self::Usage } else { Self::Failed }
    }
}

fn is_of_usage(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<UsageError>()
        || cause.is::<Unusable>()
        || cause.is::<RegistrySettingsError>()
        || matches!(cause.downcast_ref(), Some(ForgeError::Settings { .. }))
        || matches!(cause.downcast_ref(), Some(StoreError::Address { .. } | StoreError::Schema { .. }))
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::Failed => Self::from(1),
            Exit::Usage => Self::from(2),
        }
    }
}

/// A command cannot begin with what it was given; the text says what to do instead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// How many of something, which cannot be none.
fn one_or_more<N: FromStr<Err = ParseIntError>>(text: &str) -> Result<N, String> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::Zero => "it must be 1 or more".into(),
        _ => error.to_string(),
    })
}

/// The repository that an argument names.
///
/// Errors: [`UsageError`] for what is no name; for an address, with the name in it.
fn repository_named(text: &str) -> Result<RepoName, UsageError> {
    RepoName::parse(text).map_err(|error| {
        UsageError(match named_in_address(text) {
            Some(name) => format!("`{text}` is an address, and no repository name (OWNER/NAME); write `{name}`"),
            None => error.to_string(),
        })
    })
}

/// The repository that an address leads to: `https://github.com/acme/api/pull/3`, `git@github.com:acme/api.git`,
/// `github.com/acme/api`.
fn named_in_address(text: &str) -> Option<RepoName> {
    let path = match text.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => match (text.split_once(':'), text.split_once('/')?) {
            (Some((host, path)), _) if !host.contains('/') => path,
            (_, (host, path)) if host.contains('.') => path,
            (_, (_, name)) if name.ends_with('/') => text,
            _ => return None,
        },
    };
    let mut parts = path.split(['/', '?', '#']).filter(|part| !part.is_empty());
    let (owner, name) = (parts.next()?, parts.next()?);
    RepoName::parse(&format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_answered_with_the_name_in_it() {
        for address in [
            "https://github.com/acme/api",
            "https://github.com/acme/api/pull/3?x=1#top",
            "https://github.example.com:8443/acme/api.git",
            "git@github.com:acme/api.git",
            "ssh://git@github.com/acme/api.git",
            "github.com/acme/api",
            "acme/api/",
        ] {
            let told = repository_named(address).unwrap_err().to_string();
            assert!(told.ends_with("; write `acme/api`"), "{told}");
        }
        for text in ["acme", "acme/", "/api", "https://github.com/acme", "a b/c", "acme/api/x", "://", "a:b"] {
            let told = repository_named(text).unwrap_err().to_string();
            assert!(told.contains("is not a repository name (OWNER/NAME)"), "{told}");
        }
        assert_eq!(repository_named("acme/api").unwrap().to_string(), "acme/api");
    }
}
