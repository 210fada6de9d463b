//! The commands of the executable, one file each: they read arguments, call the rooms below and print.
//!
//! Results go to the writer a command is given, styled; the caller hands in one that drops styles where no
//! terminal listens (`anstream::stdout()`). Errors are returned, for `main` to print on standard error.

use std::process::ExitCode;

pub mod audit;
pub mod cage;
pub mod check;
pub mod deps;
pub mod new;
mod passed_over;
pub mod plan;
mod print;
pub mod retry;
pub mod schema;
pub mod why;

pub use print::printable;

/// How a command ended, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was asked for is done.
    Done,
    /// Something failed, or was found wanting.
    Failed,
    /// The command could not begin: wrong arguments, a missing file.
    Usage,
}

impl Exit {
    /// How a command ended that returned an error.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<UsageError>() { Self::Usage } else { Self::Failed }
    }
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
