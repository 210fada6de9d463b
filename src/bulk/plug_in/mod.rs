//! Plug-ins: executables named `mass-driver-<kind>-<name>` on the `PATH` that make a change, read facts, or find repositories.
//!
//! They are told what to do by one JSON document on standard input and answer with one on standard output; `docs/plug-ins.md`
//! is written for their authors. They run in the sandbox, in a folder of their own, and are no more trusted than what they answer.

mod protocol;

pub use protocol::{DriverAnswer, VERSION};

use super::sandbox::{Grants, Job, Sandbox, SandboxError, is_executable};
use super::words::one_line;
use crate::domain::{SourcedRepository, plug_in_complaint};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// What a plug-in is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlugInKind {
    /// It changes the files of a clone.
    Driver,
    /// It reads facts from a clone.
    Scanner,
    /// It finds repositories.
    Source,
}

impl PlugInKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Driver, Self::Scanner, Self::Source];

    /// As it stands in the names of executables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Scanner => "scanner",
            Self::Source => "source",
        }
    }
}

impl fmt::Display for PlugInKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A plug-in that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlugIn {
    /// What it is for.
    pub kind: PlugInKind,
    /// Its name, as Activity files use it.
    pub name: String,
    /// The executable.
    pub program: PathBuf,
}

/// The plug-ins on a `PATH`, by kind and name. Of two of the same name, the one that a shell would run.
pub fn discover(path_variable: &OsStr) -> BTreeMap<PlugInKind, BTreeMap<String, PlugIn>> {
    let mut found: BTreeMap<PlugInKind, BTreeMap<String, PlugIn>> = BTreeMap::new();
    // What a relative entry of the PATH names depends on where one stands, which may be a stranger's clone.
    for folder in std::env::split_paths(path_variable).filter(|folder| folder.is_absolute()) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let file_name = entry.file_name();
            let Some(rest) = file_name.to_str().and_then(|name| name.strip_prefix("mass-driver-")) else { continue };
            let kind = PlugInKind::ALL.into_iter().find_map(|kind| {
                let name = rest.strip_prefix(kind.as_str())?.strip_prefix('-')?;
                Some((kind, name.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(name)))
            });
            let Some((kind, name)) = kind.filter(|(_, name)| plug_in_complaint(name).is_none()) else { continue };
            let program = entry.path();
            if is_executable(&program) {
                let plug_in = PlugIn { kind, name: name.to_owned(), program };
                found.entry(kind).or_default().entry(name.to_owned()).or_insert(plug_in);
            }
        }
    }
    found
}

/// What a plug-in is to work on.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// Its configuration, as the Activity has it.
    pub config: &'a Value,
    /// The repository whose clone it is; `None` for a source.
    pub repository: Option<&'a SourcedRepository>,
    /// The clone's work tree, where it runs; for a source, an empty folder.
    pub folder: &'a Path,
    /// A folder for scratch.
    pub scratch: &'a Path,
    /// What else it needs to read, as [`super::git::WorkTree::reads`] says.
    pub reads: &'a [PathBuf],
    /// What the Activity grants it.
    pub grants: &'a Grants,
}

/// Why a plug-in gave no answer that can be used. Each names it.
#[derive(Debug, thiserror::Error)]
#[error("the {kind} plug-in `{name}` {why}{}", said(complaint))]
pub struct PlugInError {
    kind: PlugInKind,
    name: String,
    why: Reason,
    complaint: String,
}

impl PlugInError {
    /// What went wrong.
    pub fn reason(&self) -> &Reason {
        &self.why
    }
}

/// What went wrong with a plug-in.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// It did not come to its end, or was not run.
    #[error("did not come to its end: {0}")]
    Sandbox(#[from] SandboxError),
    /// It said that it failed.
    #[error("failed with {0}")]
    Failed(String),
    /// It answered something else than the protocol has.
    #[error("answered what is not understood: {0}")]
    Answer(String),
    /// It speaks another version of the protocol.
    #[error("speaks version {theirs} of the protocol; this mass-driver speaks version {VERSION}")]
    Version {
        /// What it says.
        theirs: String,
    },
}

fn said(complaint: &str) -> String {
    if complaint.is_empty() { String::new() } else { format!(". It said: {complaint}") }
}

impl PlugIn {
    /// Has a driver change a clone. What it changed is in the folder.
    ///
    /// Errors: [`PlugInError`].
    pub async fn drive(&self, sandbox: &Sandbox, task: &Task<'_>) -> Result<DriverAnswer, PlugInError> {
        self.ask(sandbox, task, protocol::driver_answer).await
    }

    /// Has a scanner read facts.
    ///
    /// Errors: [`PlugInError`].
    pub async fn scan(&self, sandbox: &Sandbox, task: &Task<'_>) -> Result<Map<String, Value>, PlugInError> {
        self.ask(sandbox, task, protocol::facts).await
    }

    /// Has a source find repositories.
    ///
    /// Errors: [`PlugInError`].
    pub async fn find(&self, sandbox: &Sandbox, task: &Task<'_>) -> Result<Vec<SourcedRepository>, PlugInError> {
        self.ask(sandbox, task, protocol::repositories).await
    }

    async fn ask<T>(
        &self,
        sandbox: &Sandbox,
        task: &Task<'_>,
        read: fn(&[u8]) -> Result<T, Reason>,
    ) -> Result<T, PlugInError> {
        let fail =
            |why: Reason, complaint: String| PlugInError { kind: self.kind, name: self.name.clone(), why, complaint };
        let request = protocol::request(self, task);
        let version = VERSION.to_string();
        let variables =
            [("MASS_DRIVER_PLUG_IN_VERSION", OsStr::new(&version)), ("PYTHONDONTWRITEBYTECODE", OsStr::new("1"))];
        let job = Job {
            words: &[OsString::from(&self.program)],
            folder: task.folder,
            scratch: task.scratch,
            input: request.as_bytes(),
            variables: &variables,
            reads: task.reads,
            grants: task.grants,
        };
        let end = sandbox.run(&job).await.map_err(|error| fail(error.into(), String::new()))?;
        if end.code != Some(0) {
            return Err(fail(Reason::Failed(end.words()), end.complaint));
        }
        read(&end.out).map_err(|why| fail(why, end.complaint))
    }
}

/// The beginning of what a plug-in answered, for a message.
fn beginning(answer: &[u8]) -> String {
    let shown = &answer[..answer.len().min(200)];
    one_line(String::from_utf8_lossy(shown).trim())
}
