//! What is done in one clone: scanners read it, the driver changes it, the change is committed.

use super::git::{BareClone, Commit, CommitContent, CommitPlan, Git, GitError, Person, WorkTree, is_attributes};
use super::plug_in::{DriverAnswer, PlugIn, PlugInKind, Task};
use super::sandbox::{Grants as SandboxGrants, Job, Sandbox, explained};
use super::scratch::{Scratch, TempWorkspace};
use crate::activity::{Author, Grants, RepositoryMigration, Scan, ScannerChoice, Work};
use crate::domain::{PatchOutcome, RepoPath, Scanned, Snapshot, SourcedRepository};
use crate::drivers::{Command, Outcome, Prepared};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// How often a driver or scanner may ask for more files before it has to do with what it has: a chain of files that include
/// each other is seldom longer than two.
const ROUNDS_MAX: usize = 50;

/// Of so many folders the attributes are read before it is known whether they count: hardly a repository has more.
const ATTRIBUTES_MAX: usize = 100;

/// What work in clones needs.
#[derive(Debug)]
pub struct Tools {
    /// git.
    pub git: Git,
    /// Where commands and plug-ins run.
    pub sandbox: Sandbox,
    /// The plug-ins that there are.
    pub plug_ins: BTreeMap<PlugInKind, BTreeMap<String, PlugIn>>,
    /// Where work trees and scratch folders are made; gone afterwards.
    pub scratch: Scratch,
}

/// What became of a clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchResult {
    /// What the driver made of it.
    pub outcome: PatchOutcome,
    /// What it says of that.
    pub note: Option<String>,
    /// The commit, where something was changed.
    pub commit: Option<Commit>,
}

impl PatchResult {
    fn nothing(outcome: PatchOutcome, note: impl Into<String>) -> Self {
        let note = note.into();
        Self { outcome, note: Some(note).filter(|note| !note.is_empty()), commit: None }
    }
}

/// What a command or a plug-in leaves behind.
enum Attempted {
    /// A change that is to be committed, and what was said of it.
    Change { content: CommitContent, note: Option<String> },
    /// Nothing to commit.
    Nothing(PatchResult),
}

impl Attempted {
    fn nothing(outcome: PatchOutcome, note: impl Into<String>) -> Self {
        Self::Nothing(PatchResult::nothing(outcome, note))
    }
}

/// A clone while it is worked on, with what was read of it.
pub struct WorkingClone<'a, 'g> {
    tools: &'a Tools,
    repository: &'a SourcedRepository,
    /// The clone.
    pub clone: BareClone<'g>,
    files: Option<Snapshot>,
}

impl<'a, 'g> WorkingClone<'a, 'g> {
    /// Begins to work on a clone of a repository.
    pub fn new(tools: &'a Tools, repository: &'a SourcedRepository, clone: BareClone<'g>) -> Self {
        Self { tools, repository, clone, files: None }
    }

    /// What scanners find in it, by their names. One that fails says why, and hurts no other.
    ///
    /// Errors: [`GitError`] where the clone cannot be read.
    pub async fn scan(&mut self, scan: &Scan, now: Timestamp) -> Result<BTreeMap<String, Scanned>, GitError> {
        let commit = self.clone.base().clone();
        let mut found = BTreeMap::new();
        for scanner in &scan.scanners {
            let facts = match scanner {
                ScannerChoice::BuiltIn(scanner) => {
                    let files = self.read(|files| scanner.wants(files)).await?;
                    scanner.scan(files)
                }
                ScannerChoice::PlugIn(name) => self.scan_by_plug_in(name, &scan.allow).await?,
            };
            found.insert(scanner.name().to_owned(), Scanned { at: now, commit: commit.clone(), facts });
        }
        Ok(found)
    }

    async fn scan_by_plug_in(
        &mut self,
        name: &str,
        allow: &Grants,
    ) -> Result<Result<serde_json::Map<String, serde_json::Value>, String>, GitError> {
        let plug_in = match self.tools.plug_in(PlugInKind::Scanner, name) {
            Ok(plug_in) => plug_in,
            Err(why) => return Ok(Err(why)),
        };
        let (work, workspace) = self.check_out().await?;
        let grants = self.tools.grants(allow);
        let task = Task {
            config: &serde_json::Value::Object(serde_json::Map::new()),
            repository: Some(self.repository),
            folder: work.folder(),
            scratch: &workspace.path().join("scratch"),
            reads: work.reads(),
            grants: &grants,
        };
        Ok(plug_in.scan(&self.tools.sandbox, &task).await.map_err(|error| error.to_string()))
    }

    /// Has the change made, and commits it.
    ///
    /// Errors: [`GitError`] where the clone cannot be read or the commit not be made.
    pub async fn patch(
        &mut self,
        migration: &RepositoryMigration,
        allow: &Grants,
        now: Timestamp,
    ) -> Result<PatchResult, GitError> {
        let (content, note) = match migration.work.as_ref() {
            Work::BuiltIn(Prepared::Texts(driver)) => {
                // What lies on this machine is not fetched, and may lack what its owner never looked at.
                let is_fetched = self.clone.is_remote();
                let files = self
                    .read(|files| {
                        let wanted = driver.wants(files);
                        if is_fetched { with_attributes(wanted, files) } else { wanted }
                    })
                    .await?;
                match driver.patch(files) {
                    Outcome::Patched { edits, note } => {
                        self.clone.spare_large_files(&edits).await?;
                        (CommitContent::Edits(edits), note)
                    }
                    Outcome::AlreadyPatched { note } => {
                        return Ok(PatchResult::nothing(PatchOutcome::AlreadyPatched, note));
                    }
                    Outcome::DoesNotApply { why } => return Ok(PatchResult::nothing(PatchOutcome::DoesNotApply, why)),
                    Outcome::Error { why } => return Ok(PatchResult::nothing(PatchOutcome::Error, why)),
                }
            }
            Work::BuiltIn(Prepared::Command(command)) => match self.run(command, allow).await? {
                Attempted::Change { content, note } => (content, note),
                Attempted::Nothing(made) => return Ok(made),
            },
            Work::PlugIn { name, config } => match self.drive(name, config, allow).await? {
                Attempted::Change { content, note } => (content, note),
                Attempted::Nothing(made) => return Ok(made),
            },
        };
        let plan = CommitPlan {
            content,
            message: migration.commit_message.clone(),
            author: self.tools.author(&migration.author).await?,
            at: now,
            branch: Some(migration.branch.clone()),
        };
        let files = match &self.files {
            Some(files) => files,
            None => self.files.insert(self.clone.snapshot().await?),
        };
        let commit = self.clone.commit(&plan, files).await?;
        if !commit.changes {
            return Ok(PatchResult::nothing(PatchOutcome::AlreadyPatched, "nothing is left to be changed"));
        }
        Ok(PatchResult { outcome: PatchOutcome::Patched, note, commit: Some(commit) })
    }

    /// The files, with the texts of those that somebody wants.
    async fn read(&mut self, wants: impl Fn(&Snapshot) -> Vec<RepoPath>) -> Result<&Snapshot, GitError> {
        if self.files.is_none() {
            self.files = Some(self.clone.snapshot().await?);
        }
        let files = self.files.get_or_insert_default();
        for _ in 0..ROUNDS_MAX {
            let unread = files.unread(&wants(files));
            if unread.is_empty() {
                break;
            }
            self.clone.read(files, &unread).await?;
        }
        Ok(files)
    }

    async fn check_out(&self) -> Result<(WorkTree, TempWorkspace), GitError> {
        let workspace = self.tools.scratch.workspace().map_err(|error| GitError::disk("making a work tree", &error))?;
        let work = self.clone.checkout(&workspace.path().join("tree")).await?;
        workspace.make("scratch").map_err(|error| GitError::disk("making a scratch folder", &error))?;
        Ok((work, workspace))
    }

    /// Runs a command line in a work tree.
    async fn run(&mut self, command: &Command, allow: &Grants) -> Result<Attempted, GitError> {
        let (work, workspace) = self.check_out().await?;
        let grants = self.tools.grants(allow);
        let shell = ["/bin/sh", "-c"].map(OsString::from).into_iter().filter(|_| command.shell);
        let words: Vec<OsString> = shell.chain(command.words.iter().map(OsString::from)).collect();
        let data: Vec<(String, &OsStr)> = (self.repository.patch_data.iter())
            .filter_map(|(name, value)| Some((variable(name)?, OsStr::new(value))))
            .collect();
        let variables: Vec<(&str, &OsStr)> = (data.iter().map(|(name, value)| (name.as_str(), *value)))
            .chain([("MASS_DRIVER_REPOSITORY", OsStr::new(&self.repository.id))])
            .collect();
        let job = Job {
            words: &words,
            folder: work.folder(),
            scratch: &workspace.path().join("scratch"),
            input: b"",
            variables: &variables,
            reads: work.reads(),
            grants: &grants,
        };
        let end = match self.tools.sandbox.run(&job).await {
            Ok(end) => end,
            Err(error) => return Ok(Attempted::nothing(PatchOutcome::Error, format!("the command: {error}"))),
        };
        if end.code != Some(0) {
            let said = if end.complaint.is_empty() { String::new() } else { format!(": {}", end.complaint) };
            let why = format!("the command ended with {}{said}", end.words());
            return Ok(Attempted::nothing(PatchOutcome::Error, why));
        }
        let left = self.clone.commit_tree_of(&work).await?;
        if left.changed_files == 0 {
            return Ok(Attempted::nothing(PatchOutcome::AlreadyPatched, "the command changed nothing"));
        }
        Ok(Attempted::Change { content: CommitContent::Tree(left.tree), note: None })
    }

    /// Has a plug-in change a work tree.
    async fn drive(&mut self, name: &str, config: &serde_json::Value, allow: &Grants) -> Result<Attempted, GitError> {
        let plug_in = match self.tools.plug_in(PlugInKind::Driver, name) {
            Ok(plug_in) => plug_in,
            Err(why) => return Ok(Attempted::nothing(PatchOutcome::Error, why)),
        };
        let (work, workspace) = self.check_out().await?;
        let grants = self.tools.grants(allow);
        let task = Task {
            config,
            repository: Some(self.repository),
            folder: work.folder(),
            scratch: &workspace.path().join("scratch"),
            reads: work.reads(),
            grants: &grants,
        };
        let DriverAnswer { outcome, details } = match plug_in.drive(&self.tools.sandbox, &task).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Attempted::nothing(PatchOutcome::Error, error.to_string())),
        };
        if outcome == PatchOutcome::Error {
            let silent = || format!("the plug-in `{name}` does not say why");
            let why = if details.is_empty() { silent() } else { explained(details, &grants) };
            return Ok(Attempted::nothing(outcome, why));
        }
        let left = self.clone.commit_tree_of(&work).await?;
        if let Some(why) = contradiction(name, outcome, left.changed_files) {
            return Ok(Attempted::nothing(PatchOutcome::Error, why));
        }
        if outcome != PatchOutcome::Patched {
            return Ok(Attempted::nothing(outcome, details));
        }
        let note = Some(details).filter(|details| !details.is_empty());
        Ok(Attempted::Change { content: CommitContent::Tree(left.tree), note })
    }
}

impl Tools {
    /// A plug-in by kind and name.
    ///
    /// Errors: that it is not there, for people.
    pub fn plug_in(&self, kind: PlugInKind, name: &str) -> Result<&PlugIn, String> {
        let found = self.plug_ins.get(&kind).and_then(|plug_ins| plug_ins.get(name));
        found.ok_or_else(|| format!("there is no executable `mass-driver-{kind}-{name}` on the PATH"))
    }

    fn grants(&self, allow: &Grants) -> SandboxGrants {
        grants(allow, self.sandbox.environment.get(OsStr::new("HOME")).map(Path::new))
    }

    /// Who a commit is by; `None` leaves it to git's settings, which also fill in what the Activity leaves out.
    async fn author(&self, author: &Author) -> Result<Option<Person>, GitError> {
        let (name, email) = match (&author.name, &author.email) {
            (None, None) => return Ok(None),
            (Some(name), Some(email)) => (name.clone(), email.clone()),
            (Some(name), None) => (name.clone(), self.git.person().await?.email().to_owned()),
            (None, Some(email)) => (self.git.person().await?.name().to_owned(), email.clone()),
        };
        let said = format!("`{name} <{email}>` holds brackets or line breaks, or its name is empty");
        Person::new(&name, &email).map(Some).ok_or(GitError::NoAuthor { said })
    }
}

/// What an Activity allows, with `~` for the home folder of whoever runs it.
pub fn grants(allow: &Grants, home: Option<&Path>) -> SandboxGrants {
    let paths = |paths: &[String]| {
        let whole = |path: &String| match (path.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        };
        paths.iter().map(whole).collect()
    };
    SandboxGrants {
        network: allow.network,
        read: paths(&allow.read),
        write: paths(&allow.write),
        environment: allow.environment.clone(),
        everything: allow.everything,
    }
}

/// What is wrong with a plug-in's answer, where the files it left say otherwise.
fn contradiction(name: &str, said: PatchOutcome, changed_files: usize) -> Option<String> {
    match (said, changed_files) {
        (PatchOutcome::Patched, 0) => {
            Some(format!("the plug-in `{name}` says that it changed files, and changed none"))
        }
        (PatchOutcome::AlreadyPatched | PatchOutcome::DoesNotApply, 1..) => {
            let files = if changed_files == 1 { "1 file".to_owned() } else { format!("{changed_files} files") };
            Some(format!(
                "the plug-in `{name}` answers `{}`, and changed {files}; a change is answered with `patched`",
                said.as_str()
            ))
        }
        _ => None,
    }
}

/// Some files, with those that say which are kept in Git LFS, where some have to be fetched in any case: they come in one go.
fn with_attributes(mut wanted: Vec<RepoPath>, files: &Snapshot) -> Vec<RepoPath> {
    if !files.unread(&wanted).is_empty() {
        wanted.extend(
            files.files().map(|(path, _)| path).filter(|path| is_attributes(path)).take(ATTRIBUTES_MAX).cloned(),
        );
    }
    wanted
}

/// The variable in which a command finds a value that its repository's source knows: `MASS_DRIVER_DATA_OWNER`.
fn variable(name: &str) -> Option<String> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    plain.then(|| format!("MASS_DRIVER_DATA_{}", name.to_ascii_uppercase().replace('-', "_")))
}
