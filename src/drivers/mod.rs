//! Making an authored change to the files of a repository, or saying why not.
//!
//! Pure: a driver sees a [`Snapshot`], asks for the texts it wants to see, and says what is to be written. It knows
//! neither where the files come from (a clone, GitHub's API) nor where they go. What has to run as a process of its own, a
//! shell's command line or a plug-in, is described here as a [`Command`] and run elsewhere.
//!
//! A driver is a file here that holds its keys and its code, and a line in [`TABLE`].

mod bump;
mod counter;
mod deleter;
mod keys;
mod replace;
mod shell;
mod stamper;
mod target;

use crate::document::{Node, Problems};
use crate::domain::{FileEdit, RepoPath, Snapshot};
use schemars::{Schema, SchemaGenerator};
use std::fmt::Debug;

/// Makes one change, to one repository after another.
pub trait Driver: Debug + Send + Sync {
    /// The files whose texts it needs, as far as it can tell by what was read so far. It is asked again once they are read,
    /// until it wants nothing new. Files that are not there are passed over.
    fn wants(&self, files: &Snapshot) -> Vec<RepoPath>;

    /// The change, now that everything it wants was read.
    fn patch(&self, files: &Snapshot) -> Outcome;
}

/// What a driver made of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Files are to be changed.
    Patched {
        /// The changes, one for each file; never empty.
        edits: Vec<FileEdit>,
        /// What is to be known besides.
        note: Option<String>,
    },
    /// The files are as the change would make them.
    AlreadyPatched {
        /// How that is seen.
        note: String,
    },
    /// The repository has nothing that the change is about.
    DoesNotApply {
        /// What is missing.
        why: String,
    },
    /// The change should have been made and could not be.
    Error {
        /// What went wrong, in which file, and what to do.
        why: String,
    },
}

/// A driver as an Activity asks for it.
#[derive(Debug)]
pub enum Prepared {
    /// One that changes texts.
    Texts(Box<dyn Driver>),
    /// One that runs in a clone.
    Command(Command),
}

/// A command line that is run in the folder of a clone; what it leaves there is the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments; with `shell`, the first one is what the shell reads.
    pub words: Vec<String>,
    /// Whether `sh -c` runs it.
    pub shell: bool,
}

/// One kind of driver.
pub struct Kind {
    /// The name that Activity files use.
    pub name: &'static str,
    /// What it does, in a sentence or two of Markdown.
    pub about: &'static str,
    /// Reads its keys. `None` when a problem says why.
    pub read: fn(&Node, &mut Problems) -> Option<Prepared>,
    /// What its keys look like.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// Every driver that is built in.
pub const TABLE: &[Kind] = &[counter::KIND, stamper::KIND, deleter::KIND, shell::KIND, replace::KIND, bump::KIND];

/// The kind of driver of a name.
pub fn by_name(name: &str) -> Option<&'static Kind> {
    TABLE.iter().find(|kind| kind.name == name)
}
